/** Trees of unknowns as one vector, and Lua functions of trees as functions of vectors. */
#include "script_vector_impl.h"

#include <string.h>

#include "script_problem_impl.h"

saros_value script_vector_join(int n, const saros_value *leaf) {
    saros_value part[SAROS_MAX_OUTPUTS];
    for (int k = 0; k < n && k < SAROS_MAX_OUTPUTS; ++k) {
        saros_value v =
            saros_value_dtype(leaf[k]) == SAROS_F64 ? leaf[k] : saros_cast(leaf[k], SAROS_F64);
        int64_t count = saros_type_count(saros_value_type(v));
        part[k] = saros_reshape(v, 1, &count);
    }
    return n == 1 ? part[0] : saros_concat(n, part, 0);
}

script_vector script_vector_read(lua_State *L, int index, saros_value *value) {
    script_vector v = {.tree = lua_absindex(L, index)};
    lua_newtable(L);
    int leaves = lua_gettop(L);
    script_tree_flatten(L, v.tree, leaves);
    v.leaves = (int)lua_rawlen(L, leaves);
    if (v.leaves == 0 || v.leaves > SAROS_MAX_OUTPUTS)
        script_fail(L, SAROS_ERR_TYPE, NULL, "expected 1 to %d numbers or tensors, got %s",
                    SAROS_MAX_OUTPUTS, script_describe(L, v.tree));
    v.type = script_scratch(L, sizeof *v.type * (size_t)v.leaves);
    v.weak = script_scratch(L, sizeof *v.weak * (size_t)v.leaves);
    saros_value *leaf = script_scratch(L, sizeof *leaf * (size_t)v.leaves);
    for (int k = 0; k < v.leaves; ++k) {
        lua_rawgeti(L, leaves, k + 1);
        script_value *given = lua_isuserdata(L, -1) ? script_test_value(L, -1) : NULL;
        v.weak[k] = !given || given->weak;
        v.type[k] = !given          ? saros_type_scalar(SAROS_F64)
                    : given->tensor ? saros_tensor_type(given->tensor)
                                    : *saros_value_type(given->value);
        v.size += saros_type_count(&v.type[k]);
        if (value) leaf[k] = script_value_in(L, -1, NULL);
        lua_pop(L, 1);
    }
    if (value) *value = script_vector_join(v.leaves, leaf);
    return v;
}

void script_vector_push(lua_State *L, const script_vector *v, saros_value x) {
    int64_t at = 0, rows = saros_value_rank(x) == 2 ? saros_value_type(x)->shape[0] : -1;
    int axis = rows < 0 ? 0 : 1;
    lua_createtable(L, v->leaves, 0);
    int leaves = lua_gettop(L);
    for (int k = 0; k < v->leaves; ++k) {
        int64_t count = saros_type_count(&v->type[k]), shape[SAROS_MAX_RANK + 1] = {rows};
        for (int a = 0; a < v->type[k].rank; ++a) shape[axis + a] = v->type[k].shape[a];
        saros_value part = saros_slice(x, axis, at, at + count, 1);
        part = saros_reshape(part, v->type[k].rank + axis, shape);
        if (saros_dtype_is_float(v->type[k].dtype) && v->type[k].dtype != SAROS_F64)
            part = saros_cast(part, v->type[k].dtype);
        script_push_value(L, part, v->weak[k] && rows < 0);
        lua_rawseti(L, leaves, k + 1);
        at += count;
    }
    int64_t next = 1;
    script_tree_rebuild(L, v->tree, leaves, &next);
    lua_remove(L, leaves);
}

/* ---- callbacks ---- */

static int call_gc(lua_State *L) {
    script_vector_call *c = lua_touserdata(L, 1);
    luaL_unref(L, LUA_REGISTRYINDEX, c->reference);
    c->reference = LUA_NOREF;
    return 0;
}

script_vector_call *script_vector_hold(lua_State *L, int anchor, int f, const script_vector *vector,
                                       int args, const char *what) {
    anchor = lua_absindex(L, anchor);
    script_vector_call *c = lua_newuserdatauv(L, sizeof *c, 0);
    *c = (script_vector_call){
        .L = L, .reference = LUA_NOREF, .vector = *vector, .wanted = vector->size, .what = what};
    if (luaL_newmetatable(L, "saros.vector_call")) {
        lua_pushcfunction(L, call_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, f);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, vector->tree);
    lua_rawseti(L, -2, 2);
    if (args) {
        lua_pushvalue(L, args);
        lua_rawseti(L, -2, 3);
    }
    c->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return c;
}

typedef struct evaluation {
    script_vector_call *call;
    bool has_time, has_rate;
    saros_value t, x, rate, out;
} evaluation;

/** An implicit step asks for the rate inside a graph of its own, with values of graphs around it.
 */
static void push_inside(lua_State *L, saros_value value, bool weak) {
    bool inside = value.graph == script_state_of(L)->top->graph;
    script_push_value(L, inside ? value : script_alias(L, value), weak);
}

static int run(lua_State *L) {
    evaluation *e = lua_touserdata(L, 1);
    script_vector v = e->call->vector;
    lua_rawgeti(L, LUA_REGISTRYINDEX, e->call->reference);
    lua_rawgeti(L, 2, 2);
    v.tree = 3;
    lua_rawgeti(L, 2, 1);
    if (e->has_time) push_inside(L, e->t, true);
    bool inside = e->x.graph == script_state_of(L)->top->graph;
    script_vector_push(L, &v, inside ? e->x : script_alias(L, e->x));
    if (e->has_rate) script_vector_push(L, &v, inside ? e->rate : script_alias(L, e->rate));
    int more = 0;
    if (lua_rawgeti(L, 2, 3) == LUA_TTABLE) {
        int packed = lua_gettop(L);
        more = script_unpack(L, packed);
        lua_remove(L, packed);
    } else {
        lua_pop(L, 1);
    }
    lua_call(L, 1 + e->has_time + e->has_rate + more, 1);
    saros_value out;
    script_vector got = script_vector_read(L, lua_gettop(L), &out);
    if (got.size != e->call->wanted)
        script_fail(
            L, SAROS_ERR_SHAPE, e->call->wanted == v.size ? "as many as the unknowns" : NULL,
            "%s: the function returns %lld values, %lld %s needed", e->call->what,
            (long long)got.size, (long long)e->call->wanted, e->call->wanted == 1 ? "is" : "are");
    e->out = out.graph == script_state_of(L)->top->graph ? out : script_alias(L, out);
    return 0;
}

static saros_status evaluate(saros_graph *graph, evaluation *e, saros_value *out) {
    lua_State *L = e->call->L;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return saros_fail(SAROS_ERR_MEMORY, "script", NULL, "the Lua stack is full");
    script_trace *trace = script_trace_open(L, graph, false, NULL);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, e);
    saros_status status = script_call(L, 1, 0);
    script_trace_close(L, trace);
    if (status == SAROS_OK) *out = e->out;
    return status;
}

saros_status script_vector_residual(saros_graph *graph, saros_value x, void *user,
                                    saros_value *out) {
    evaluation e = {.call = user, .x = x};
    return evaluate(graph, &e, out);
}

saros_status script_vector_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                                saros_value *out) {
    evaluation e = {.call = user, .has_time = true, .t = t, .x = y};
    return evaluate(graph, &e, out);
}

saros_status script_vector_residual_rate(saros_graph *graph, saros_value t, saros_value y,
                                         saros_value rate, void *user, saros_value *out) {
    evaluation e = {.call = user, .has_time = true, .has_rate = true, .t = t, .x = y, .rate = rate};
    return evaluate(graph, &e, out);
}

int script_args_option(lua_State *L, int options) {
    lua_newtable(L);
    int packed = lua_gettop(L), n = 0;
    if (lua_istable(L, options) && lua_getfield(L, options, "args") != LUA_TNIL) {
        if (!lua_istable(L, -1))
            script_fail(L, SAROS_ERR_TYPE, "args = {a, b}",
                        "args: expected a list of further arguments, got %s",
                        script_describe(L, -1));
        n = (int)lua_rawlen(L, -1);
        for (int k = 1; k <= n; ++k) {
            lua_rawgeti(L, -1, k);
            lua_rawseti(L, packed, k);
        }
    }
    lua_settop(L, packed);
    lua_pushlightuserdata(L, NULL);
    lua_pushinteger(L, n);
    lua_rawset(L, packed);
    return packed;
}
