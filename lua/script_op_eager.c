/** Eager operations: a compiled function for each (name, fixed arguments, operand types), kept in a
 * cache. Numbers are rank-0 inputs, so that they do not make new entries. */
#include "script_reading_impl.h"
#include "script_transform_impl.h"

static const char young_key, old_key; /* tables key -> function, see push_compiled */
enum { CACHE_LIMIT = 256 };

/** The number in bytes of seven bits: keys stay short, and Lua finds short strings quickly. */
static void add_number(luaL_Buffer *b, uint64_t n) {
    for (; n > 127; n >>= 7) luaL_addchar(b, (char)(n & 127));
    luaL_addchar(b, (char)(n | 128)); /* the last one */
}

static void add_type(luaL_Buffer *b, const saros_type *type) {
    luaL_addchar(b, (char)('a' + (int)type->dtype));
    luaL_addchar(b, (char)type->rank);
    for (int a = 0; a < type->rank; ++a) add_number(b, (uint64_t)type->shape[a]);
    add_number(b, type->split);
}

/** Pushes what tells one compiled operation from another. */
static void push_key(script_reading *r) {
    luaL_Buffer b;
    lua_State *L = r->L;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, r->call.op->name);
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        luaL_addchar(&b, '|');
        if (!o->given) continue;
        saros_type type =
            o->number ? saros_type_scalar(o->dtype) : saros_tensor_type(o->value->tensor);
        add_type(&b, &type);
        luaL_addchar(&b, (char)('a' + (int)o->dtype)); /* dtype a weak value takes */
    }
    for (int k = 0; k < SCRIPT_STATICS; ++k) {
        const script_static *s = &r->call.fixed[k];
        luaL_addchar(&b, s->given ? ';' : '-');
        if (s->given)
            luaL_addlstring(&b, (const char *)s->word, sizeof(int64_t) * (size_t)s->count);
    }
    luaL_pushresult(&b);
}

static saros_status compile_op(script_reading *r, saros_function **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value input[SAROS_MAX_OUTPUTS], result[SCRIPT_OP_OUTPUTS] = {SAROS_NONE};
    script_op_call *call = &r->call;
    int inputs = 0;
    SAROS_TRY(saros_graph_make(&graph));
    call->graph = graph;
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        call->value[k] = SAROS_NONE;
        if (!o->given) continue;
        saros_type type =
            o->number ? saros_type_scalar(o->dtype) : saros_tensor_type(o->value->tensor);
        input[inputs] = saros_input(graph, &type, NULL);
        call->value[k] =
            o->dtype == type.dtype ? input[inputs] : saros_cast(input[inputs], o->dtype);
        ++inputs;
    }
    int n = script_op_build(call, result);
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(saros_compile(graph, inputs, input, n, result,
                            &(saros_compile_options){.name = call->op->name}, out));
done:
    saros_graph_release(graph);
    return status;
}

/** Pushes the compiled operation, from the cache if it is there. Two generations: what was not used
 * while the younger one filled up goes with the older one. */
static saros_function *push_compiled(script_reading *r) {
    lua_State *L = r->L;
    script_state *state = script_state_of(L);
    script_registry(L, &young_key);
    int young = lua_gettop(L);
    push_key(r);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, young) != LUA_TUSERDATA) {
        lua_pop(L, 1);
        script_registry(L, &old_key);
        lua_pushvalue(L, young + 1);
        bool found = lua_rawget(L, -2) == LUA_TUSERDATA;
        lua_remove(L, -2);
        if (!found) {
            lua_pop(L, 1);
            script_check(L, compile_op(r, script_function_slot(L)));
        }
        if (++state->cached > CACHE_LIMIT) {
            lua_pushvalue(L, young);
            lua_rawsetp(L, LUA_REGISTRYINDEX, &old_key);
            lua_newtable(L);
            lua_copy(L, -1, young);
            lua_rawsetp(L, LUA_REGISTRYINDEX, &young_key);
            state->cached = 1;
        }
        lua_pushvalue(L, young + 1);
        lua_pushvalue(L, -2);
        lua_rawset(L, young);
    }
    lua_replace(L, young); /* the function stays on the stack while it runs */
    lua_settop(L, young);
    return *(saros_function **)lua_touserdata(L, young);
}

int script_op_eager(script_reading *r) {
    lua_State *L = r->L;
    saros_tensor *out[SCRIPT_OP_OUTPUTS] = {NULL};
    saros_function *f = push_compiled(r);
    saros_tensor **in = script_scratch(L, sizeof *in * (size_t)(r->operands ? r->operands : 1));
    int ins = 0;
    for (int k = 0; k < r->operands; ++k) {
        script_operand *o = &r->operand[k];
        if (!o->given) continue;
        if (o->number) {
            luaL_checkstack(L, 4, NULL);
            saros_tensor *number = NULL;
            script_check(L, saros_tensor_scalar(o->dtype, o->number_value, &number));
            script_push_tensor(L, number);
            in[ins++] = number;
        } else {
            in[ins++] = o->value->tensor;
        }
    }
    script_check(L, saros_function_call(f, in, out, NULL));
    int n = saros_function_outputs(f);
    for (int k = 0; k < n; ++k) script_push_result(L, out[k], r->numbers);
    return n;
}
