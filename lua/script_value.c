/** The value userdata: a tensor or a traced value, with the operators and the methods of both.
 *
 *  Indexing: a number takes from the first axis; a name made of axis letters is a derivative where
 * a point is in force; any other name is a method. */
#include "script_impl.h"

#include <string.h>

#include "script_op_impl.h"

static const char methods_key;

/* ---- push and read ---- */

void script_push_tensor(lua_State *L, saros_tensor *tensor) {
    script_value *v = lua_newuserdatauv(L, sizeof *v, 1);
    *v = (script_value){.tensor = tensor, .value = SAROS_NONE};
    luaL_setmetatable(L, "saros.tensor");
    script_account(L);
}

void script_push_result(lua_State *L, saros_tensor *tensor, bool weak) {
    if (!weak || saros_tensor_rank(tensor) != 0 || saros_tensor_dtype(tensor) == SAROS_OPAQUE) {
        script_push_tensor(L, tensor);
        return;
    }
    double item = 0;
    saros_dtype dtype = saros_tensor_dtype(tensor);
    saros_status status = saros_tensor_item(tensor, &item);
    saros_tensor_release(tensor);
    script_check(L, status);
    if (dtype == SAROS_BOOL)
        lua_pushboolean(L, item != 0);
    else if (saros_dtype_is_float(dtype))
        lua_pushnumber(L, item);
    else
        lua_pushinteger(L, (lua_Integer)item);
}

script_value *script_test_value(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TUSERDATA) return NULL;
    script_value *v = luaL_testudata(L, index, "saros.tensor");
    if (!v) return NULL;
    if (!v->tensor && !v->trace)
        script_fail(L, SAROS_ERR_USAGE, NULL, "a tensor that was freed is used");
    if (!v->tensor && !v->trace->graph)
        script_fail(
            L, SAROS_ERR_USAGE,
            "return it from the traced function; what is kept in an outer variable is no number",
            "a traced value is used after its recording has ended");
    return v;
}

bool script_is_leaf(lua_State *L, int index) {
    int type = lua_type(L, index);
    return type == LUA_TNUMBER ||
           (type == LUA_TUSERDATA && luaL_testudata(L, index, "saros.tensor"));
}

bool script_is_traced(lua_State *L, int index) {
    script_value *v = script_test_value(L, index);
    return v && !v->tensor;
}

saros_value script_value_in(lua_State *L, int index, bool *weak) {
    saros_graph *graph = script_state_of(L)->top->graph;
    if (lua_type(L, index) == LUA_TNUMBER) {
        if (weak) *weak = true;
        return saros_scalar(graph, SAROS_F64, lua_tonumber(L, index));
    }
    script_value *v = script_test_value(L, index);
    if (!v)
        script_fail(L, SAROS_ERR_TYPE, NULL, "expected a number or a tensor, got %s",
                    script_describe(L, index));
    if (weak) *weak = v->weak;
    return v->tensor ? saros_constant(graph, v->tensor) : v->value;
}

saros_tensor *script_tensor_at(lua_State *L, int index, const char *name) {
    index = lua_absindex(L, index);
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER) {
        saros_tensor *scalar = NULL;
        script_check(L, saros_tensor_scalar(SAROS_F64, lua_tonumber(L, index), &scalar));
        script_push_tensor(L, scalar);
        lua_replace(L, index);
    } else if (type == LUA_TTABLE) {
        script_tensor_from_table(L, index, SAROS_F64, false);
        lua_replace(L, index);
    }
    script_value *v = script_test_value(L, index);
    if (!v)
        script_fail(L, SAROS_ERR_TYPE, NULL, "'%s': expected a tensor or a number, got %s", name,
                    script_describe(L, index));
    if (!v->tensor)
        script_fail(L, SAROS_ERR_TYPE,
                    "numbers are needed here: compute it outside the traced function",
                    "'%s': a traced value has no numbers yet", name);
    return v->tensor;
}

/* ---- metamethods ---- */

static int value_gc(lua_State *L) {
    script_value *v = luaL_checkudata(L, 1, "saros.tensor");
    saros_tensor_release(v->tensor);
    v->tensor = NULL;
    return 0;
}

static int value_tostring(lua_State *L) {
    script_value *v = luaL_checkudata(L, 1, "saros.tensor");
    char text[160];
    if (v->tensor) {
        script_tensor_text(L, v->tensor);
    } else if (!v->trace || !v->trace->graph) {
        lua_pushstring(L, v->trace ? "traced value (recording ended)" : "tensor (freed)");
    } else {
        lua_pushfstring(L, "traced %s",
                        saros_type_text(saros_value_type(v->value), text, sizeof text));
    }
    return 1;
}

static saros_type type_of(const script_value *v) {
    return v->tensor ? saros_tensor_type(v->tensor) : *saros_value_type(v->value);
}

static int value_len(lua_State *L) {
    script_value *v = script_test_value(L, 1);
    if (!v) return script_fail(L, SAROS_ERR_TYPE, NULL, "#: got %s", script_describe(L, 1));
    saros_type type = type_of(v);
    if (type.rank == 0) return script_fail(L, SAROS_ERR_SHAPE, NULL, "#: a scalar has no length");
    lua_pushinteger(L, type.shape[0]);
    return 1;
}

static int push_shape(lua_State *L, const script_value *v) {
    saros_type type = type_of(v);
    lua_createtable(L, type.rank, 0);
    for (int a = 0; a < type.rank; ++a) {
        lua_pushinteger(L, type.shape[a]);
        lua_rawseti(L, -2, a + 1);
    }
    return 1;
}

/** t[i]: a number for a concrete vector, else the i-th part along the first axis. */
static int index_number(lua_State *L, script_value *v) {
    int ok = 0;
    saros_type type = type_of(v);
    int64_t i = lua_tointegerx(L, 2, &ok);
    if (!ok) script_fail(L, SAROS_ERR_TYPE, NULL, "index %s is no integer", script_describe(L, 2));
    if (type.rank == 0)
        script_fail(L, SAROS_ERR_SHAPE, "use :item()", "a scalar cannot be indexed");
    int64_t n = type.shape[0], k = i > 0 ? i - 1 : i + n;
    if (i == 0 || k < 0 || k >= n)
        script_fail(L, SAROS_ERR_DOMAIN,
                    k == n ? "#t is the last index; ipairs(t:totable()) walks a tensor"
                           : "indices count from 1; negative ones from the end",
                    "index %lld of an axis of %lld", (long long)i, (long long)n);
    if (v->tensor) {
        saros_tensor *part = NULL;
        script_check(L, saros_tensor_view(v->tensor, type.rank - 1, type.shape + 1,
                                          saros_tensor_strides(v->tensor) + 1,
                                          k * saros_tensor_strides(v->tensor)[0], &part));
        script_push_result(L, part, type.rank == 1);
        return 1;
    }
    script_locate(L, v->value.graph);
    saros_value part = saros_slice(v->value, 0, k, k + 1, 1);
    script_push_value(L, saros_reshape(part, type.rank - 1, type.shape + 1), v->weak);
    return 1;
}

static int index_name(lua_State *L, script_value *v, const char *name) {
    if (strcmp(name, "shape") == 0) return push_shape(L, v);
    if (strcmp(name, "dtype") == 0) {
        lua_pushstring(L, saros_dtype_name(type_of(v).dtype));
        return 1;
    }
    if (name[0] && name[strspn(name, "xyztn")] == 0) {
        saros_point *point = script_point_now(L);
        if (!point || v->tensor)
            script_fail(L, SAROS_ERR_USAGE,
                        "derivatives by name exist inside an equation; elsewhere use saros.grad",
                        ".%s: %s has no coordinates to differentiate by", name,
                        v->tensor ? "a tensor" : "a value outside of an equation");
        script_locate(L, v->value.graph);
        script_push_value(L, saros_d_of(point, v->value, name), false);
        return 1;
    }
    script_registry(L, &methods_key);
    if (lua_getfield(L, -1, name) != LUA_TNIL) return 1;
    lua_newtable(L);
    return script_fail(L, SAROS_ERR_USAGE,
                       "saros.help() lists the functions; those of tensors are methods too",
                       "a tensor has no field or method '%s'", name);
}

static int value_index(lua_State *L) {
    script_value *v = luaL_checkudata(L, 1, "saros.tensor");
    if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "free") == 0) {
        lua_pushcfunction(L, value_gc);
        return 1;
    }
    v = script_test_value(L, 1);
    if (lua_type(L, 2) == LUA_TNUMBER) return index_number(L, v);
    if (lua_type(L, 2) == LUA_TSTRING) return index_name(L, v, lua_tostring(L, 2));
    return script_fail(L, SAROS_ERR_TYPE, "t:get(i, j) takes several indices",
                       "index: expected an integer or a name, got %s", script_describe(L, 2));
}

static int value_newindex(lua_State *L) {
    return script_fail(L, SAROS_ERR_USAGE, "t2 = t:put(i, v) gives a new one",
                       "tensors do not change");
}

static int value_compare(lua_State *L) {
    return script_fail(
        L, SAROS_ERR_USAGE,
        "t:lt(u), t:eq(u)… give masks for saros.where; t:item() gives a number to compare",
        "<, <=, == do not compare tensors or traced values");
}

/** Arithmetic events carry their row as an upvalue. */
static int operator_binary(lua_State *L) {
    lua_settop(L, 2);
    return script_op_apply(L, lua_touserdata(L, lua_upvalueindex(1)));
}

/** Unary operators get their operand twice. */
static int operator_unary(lua_State *L) {
    lua_settop(L, 1);
    return script_op_apply(L, lua_touserdata(L, lua_upvalueindex(1)));
}

static int operator_pow(lua_State *L) {
    lua_settop(L, 2);
    return script_op_apply(L, script_op_find("pow"));
}

/** a // b = floor(a / b), as for Lua's numbers. */
static int operator_floor_divide(lua_State *L) {
    lua_settop(L, 2);
    script_push_op(L, script_op_find("floor"));
    lua_insert(L, 1);
    lua_arith(L, LUA_OPDIV);
    lua_call(L, 1, 1);
    return 1;
}

/** a % b = a - (a // b) b: the sign of b, as for Lua's numbers. */
static int operator_modulo(lua_State *L) {
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_arith(L, LUA_OPIDIV);
    lua_pushvalue(L, 2);
    lua_arith(L, LUA_OPMUL);
    lua_arith(L, LUA_OPSUB);
    return 1;
}

static int value_concatenate(lua_State *L) {
    return script_fail(L, SAROS_ERR_USAGE,
                       "tostring(t) for text, saros.concat({a, b}, axis) for tensors",
                       ".. joins neither tensors nor traced values");
}

static void set_operator(lua_State *L, const char *event, const char *name,
                         lua_CFunction function) {
    union {
        const script_op *from;
        void *to;
    } row = {.from = script_op_find(name)};
    lua_pushlightuserdata(L, row.to);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, event);
}

/** Every operation whose first argument is a value is a method; so are the functions given by name.
 */
static void fill_methods(lua_State *L) {
    int lists;
    const script_op_list *const *list = script_op_lists(&lists);
    script_registry(L, &methods_key);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < list[k]->count; ++j) {
            const script_op *op = &list[k]->op[j];
            const char *last = strrchr(op->name, '.');
            if (op->spec[0] != 'v') continue;
            script_push_op(L, op);
            lua_setfield(L, -2, last ? last + 1 : op->name);
        }
    for (int k = 0; k < script_tensor_entries.count; ++k) {
        const script_entry *e = &script_tensor_entries.entry[k];
        if (strncmp(e->name, "tensor:", 7) != 0) continue;
        lua_pushcfunction(L, e->function);
        lua_setfield(L, -2, e->name + 7);
    }
    lua_pop(L, 1);
}

void script_open_values(lua_State *L) {
    static const luaL_Reg events[] = {{"__gc", value_gc},
                                      {"__close", value_gc},
                                      {"__tostring", value_tostring},
                                      {"__len", value_len},
                                      {"__index", value_index},
                                      {"__newindex", value_newindex},
                                      {"__lt", value_compare},
                                      {"__le", value_compare},
                                      {"__eq", value_compare},
                                      {"__pow", operator_pow},
                                      {"__idiv", operator_floor_divide},
                                      {"__mod", operator_modulo},
                                      {"__concat", value_concatenate},
                                      {NULL, NULL}};
    luaL_newmetatable(L, "saros.tensor");
    luaL_setfuncs(L, events, 0);
    set_operator(L, "__add", "add", operator_binary);
    set_operator(L, "__sub", "sub", operator_binary);
    set_operator(L, "__mul", "mul", operator_binary);
    set_operator(L, "__div", "divide", operator_binary);
    set_operator(L, "__unm", "neg", operator_unary);
    set_operator(L, "__band", "logical_and", operator_binary);
    set_operator(L, "__bor", "logical_or", operator_binary);
    set_operator(L, "__bxor", "ne", operator_binary);
    set_operator(L, "__bnot", "logical_not", operator_unary);
    lua_pop(L, 1);
    fill_methods(L);
}
