/** grad, value_and_grad, jvp, vjp, jet: autodiff on functions of Lua. All run inside a
 * recording and append to it, so they nest in any order. */
#include <string.h>

#include "saros/autodiff.h"
#include "script_derivative_impl.h"

/** Raises the first error of building if one of the values is poisoned. */
static void check_values(lua_State *L, int n, const saros_value *value) {
    for (int k = 0; k < n; ++k)
        if (saros_is_poisoned(value[k])) {
            script_push_value(L, value[k], false); /* raises */
        }
}

static void locate_top(lua_State *L) {
    script_locate(L, script_state_of(L)->top->graph);
}

/** The scalar that a function to differentiate gave, as a value of the innermost graph. */
static saros_value scalar_result(lua_State *L, int index, const char *transform) {
    bool float_leaf = script_is_leaf(L, index) && script_leaf_is_float(L, index);
    if (!float_leaf)
        script_fail(L, SAROS_ERR_TYPE, NULL, "%s: the function must return a scalar, got %s",
                    transform, script_describe(L, index));
    saros_value value = script_value_in(L, index, NULL);
    if (saros_value_rank(value) != 0)
        script_fail(L, SAROS_ERR_SHAPE,
                    "saros.sum or saros.mean make a scalar; saros.jacobian takes tensors",
                    "%s: the function must return a scalar, got %s", transform,
                    script_describe(L, index));
    return value.graph == script_state_of(L)->top->graph ? value : script_alias(L, value);
}

/* ---- grad: upvalues f, list of arguments, whether the value is wanted ---- */

static void check_argnum(lua_State *L, int64_t k, int n) {
    if (k < 1 || k > n)
        script_fail(L, SAROS_ERR_USAGE, NULL,
                    "grad: argument %lld is to be differentiated, the call has %d", (long long)k,
                    n);
}

/** (packed differentiated arguments as one table) in, everything else from upvalues and arguments.
 */
static int grad_core(lua_State *L) {
    int n = lua_gettop(L), wrt = (int)lua_rawlen(L, lua_upvalueindex(2));
    bool wants_value = lua_toboolean(L, lua_upvalueindex(3));
    const char *name = wants_value ? "value_and_grad" : "grad";
    lua_createtable(L, wrt, 0);
    int chosen = n + 1;
    for (int k = 1; k <= wrt; ++k) {
        lua_rawgeti(L, lua_upvalueindex(2), k);
        int64_t arg = lua_tointeger(L, -1);
        lua_pop(L, 1);
        check_argnum(L, arg, n);
        lua_pushvalue(L, (int)arg);
        lua_rawseti(L, chosen, k);
    }
    locate_top(L);
    script_fresh fresh = script_fresh_push(L, chosen);
    int copies = lua_gettop(L);
    if (fresh.count == 0)
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "%s: the argument holds no number or floating-point tensor", name);
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    for (int k = 1; k <= n; ++k) lua_pushvalue(L, k);
    for (int k = 1; k <= wrt; ++k) {
        lua_rawgeti(L, lua_upvalueindex(2), k);
        int arg = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_rawgeti(L, copies, k);
        lua_replace(L, copies + 1 + arg);
    }
    lua_call(L, n, LUA_MULTRET);
    int first = copies + 1, results = lua_gettop(L) - copies;
    if (results == 0) lua_pushnil(L);
    saros_value value = scalar_result(L, first, name);
    saros_value *gradient = script_scratch(L, sizeof *gradient * (size_t)fresh.count);
    locate_top(L);
    saros_vjp(1, &value, NULL, fresh.count, fresh.in, gradient);
    for (int k = 0; k < fresh.count; ++k) gradient[k] = saros_instantiate(gradient[k], fresh.in[k]);
    script_fresh_mirror(L, chosen, &fresh, gradient);
    int mirror = lua_gettop(L);
    luaL_checkstack(L, wrt + results + 2, NULL);
    if (wants_value) lua_pushvalue(L, first);
    for (int k = 1; k <= wrt; ++k) lua_rawgeti(L, mirror, k);
    for (int k = 1; k < results; ++k) lua_pushvalue(L, first + k);
    return lua_gettop(L) - mirror;
}

static int push_grad(lua_State *L, bool wants_value) {
    script_check_function(L, 1, "f");
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_pushinteger(L, 1);
        lua_replace(L, 2);
    }
    if (!lua_istable(L, 2)) {
        script_integer(L, 2, "argnum");
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, 2);
        lua_rawseti(L, -2, 1);
        lua_replace(L, 2);
    }
    for (lua_Integer k = 1; k <= (lua_Integer)lua_rawlen(L, 2); ++k) {
        lua_rawgeti(L, 2, k);
        script_integer(L, -1, "argnum");
        lua_pop(L, 1);
    }
    lua_pushboolean(L, wants_value);
    script_transform_push(L, grad_core, 3);
    return 1;
}

static int transform_grad(lua_State *L) {
    return push_grad(L, false);
}
static int transform_value_and_grad(lua_State *L) {
    return push_grad(L, true);
}

/* ---- jvp, vjp: (f, arguments, tangents or cotangents) ---- */

/** Replaces a bare leaf at `index` by a table that holds it. */
static void wrap_leaf(lua_State *L, int index) {
    if (!script_is_leaf(L, index)) {
        if (!lua_istable(L, index) || lua_rawlen(L, index) == 0)
            script_expected(L, index, index == 2 ? "x" : "v", "a list of arguments {x, …}");
        return;
    }
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, 1);
    lua_replace(L, index);
}

/** Calls f (at 1) with the entries of the table on top; leaves its first result on top. */
static void call_list(lua_State *L) {
    int list = lua_gettop(L), n = (int)lua_rawlen(L, list);
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    lua_pushvalue(L, 1);
    for (int k = 1; k <= n; ++k) lua_rawgeti(L, list, k);
    lua_call(L, n, 1);
}

/** Directions for `count` values: the floating-point leaves of the tree at `index`, cast and
 * stretched. */
static saros_value *directions(lua_State *L, int index, const char *name, int count,
                               const saros_value *like) {
    script_leaves given = script_float_leaves(L, index, NULL);
    if (given.count != count)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "'%s' holds %d tensors or numbers, %d are needed",
                    name, given.count, count);
    for (int k = 0; k < count; ++k) {
        const saros_type want = *saros_value_type(like[k]);
        if (saros_value_dtype(given.value[k]) != want.dtype)
            given.value[k] = saros_cast(given.value[k], want.dtype);
        if (!saros_type_equal(saros_value_type(given.value[k]), &want)) {
            char got[96], needed[96];
            script_fail(L, SAROS_ERR_SHAPE, NULL, "entry %d of '%s' is %s, its partner %s", k + 1,
                        name, saros_type_text(saros_value_type(given.value[k]), got, sizeof got),
                        saros_type_text(&want, needed, sizeof needed));
        }
    }
    return given.value;
}

static int jvp_core(lua_State *L) {
    lua_settop(L, 3);
    locate_top(L);
    script_fresh x = script_fresh_push(L, 2);
    call_list(L);
    int y = lua_gettop(L);
    saros_value *v = directions(L, 3, "v", x.count, x.in);
    script_fresh places;
    script_leaves out = script_float_leaves(L, y, &places);
    saros_value *tangent = script_scratch(L, sizeof *tangent * (size_t)out.count);
    saros_jvp(out.count, out.value, x.count, x.in, v, tangent);
    for (int k = 0; k < out.count; ++k) tangent[k] = saros_instantiate(tangent[k], out.value[k]);
    check_values(L, out.count, tangent);
    lua_pushvalue(L, y);
    script_fresh_mirror(L, y, &places, tangent);
    return 2;
}

static int transform_jvp(lua_State *L) {
    script_check_function(L, 1, "f");
    wrap_leaf(L, 2);
    wrap_leaf(L, 3);
    lua_settop(L, 3);
    script_transform_push(L, jvp_core, 0);
    lua_insert(L, 1);
    lua_call(L, 3, 2);
    return 2;
}

static int vjp_core(lua_State *L) {
    lua_settop(L, 3);
    locate_top(L);
    script_fresh x = script_fresh_push(L, 2);
    call_list(L);
    int y = lua_gettop(L);
    script_leaves out = script_float_leaves(L, y, NULL);
    saros_value *w = directions(L, 3, "w", out.count, out.value);
    saros_value *gradient = script_scratch(L, sizeof *gradient * (size_t)x.count);
    saros_vjp(out.count, out.value, w, x.count, x.in, gradient);
    for (int k = 0; k < x.count; ++k) gradient[k] = saros_instantiate(gradient[k], x.in[k]);
    check_values(L, x.count, gradient);
    lua_pushvalue(L, y);
    script_fresh_mirror(L, 2, &x, gradient);
    return 2;
}

static int transform_vjp(lua_State *L) {
    script_check_function(L, 1, "f");
    wrap_leaf(L, 2);
    lua_settop(L, 3);
    script_transform_push(L, vjp_core, 0);
    lua_insert(L, 1);
    lua_call(L, 3, 2);
    return 2;
}

/* ---- jet ---- */

/** (f, x, v, K) -> {[0]=y, y', …}: the curve is x + e v, so coefficient 1 is v and the higher ones
 * vanish. */
static int jet_core(lua_State *L) {
    int order = (int)lua_tointeger(L, 4);
    locate_top(L);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, 1);
    script_fresh x = script_fresh_push(L, lua_gettop(L));
    call_list(L);
    int y = lua_gettop(L);
    saros_value *v = directions(L, 3, "v", x.count, x.in);
    script_fresh places;
    script_leaves out = script_float_leaves(L, y, &places);
    size_t wide = (size_t)order;
    saros_value *series = script_scratch(L, sizeof *series * wide * (size_t)x.count);
    saros_value *result = script_scratch(L, sizeof *result * wide * (size_t)out.count);
    saros_value *level = script_scratch(L, sizeof *level * (size_t)out.count);
    for (int k = 0; k < x.count; ++k)
        series[(size_t)k * wide] = v[k]; /* the others stay SAROS_NONE: {NULL, 0} */
    saros_jet(out.count, out.value, x.count, x.in, order, series, result);
    lua_createtable(L, order, 1);
    int table = lua_gettop(L);
    lua_pushvalue(L, y);
    lua_rawseti(L, table, 0);
    double factorial = 1;
    for (int j = 1; j <= order; ++j) {
        factorial *= j;
        for (int k = 0; k < out.count; ++k) {
            saros_value c =
                saros_instantiate(result[(size_t)k * wide + (size_t)j - 1], out.value[k]);
            level[k] = factorial == 1 ? c : saros_mul(c, saros_like(c, factorial));
        }
        script_fresh_mirror(L, y, &places, level);
        lua_rawseti(L, table, j);
    }
    lua_settop(L, table);
    return 1;
}

static int transform_jet(lua_State *L) {
    script_check_function(L, 1, "f");
    int64_t order = script_integer(L, 4, "K");
    if (order < 1 || order > 32) script_expected(L, 4, "K", "an order from 1 to 32");
    lua_settop(L, 4);
    script_transform_push(L, jet_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, 1);
    return 1;
}

/* ---- check ---- */

/** (f, x) with inputs of a compiled function in place of x; the report as a table. */
static int check_core(lua_State *L) {
    script_state *state = script_state_of(L);
    lua_settop(L, 2);
    lua_newtable(L);
    script_tree_flatten(L, 2, 3);
    int n = (int)lua_rawlen(L, 3);
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    saros_value *in = script_scratch(L, sizeof *in * (size_t)n);
    saros_tensor **at = script_scratch(L, sizeof(saros_tensor *) * (size_t)n);
    bool *weak = script_scratch(L, sizeof *weak * (size_t)n);
    for (int k = 0; k < n; ++k) {
        lua_rawgeti(L, 3, k + 1); /* stays on the stack while it is used */
        weak[k] = lua_type(L, -1) == LUA_TNUMBER;
        at[k] = script_tensor_at(L, -1, "x");
        saros_type type = saros_tensor_type(at[k]);
        in[k] = saros_input(state->top->graph, &type, NULL);
    }
    script_leaves_push(L, n, in, weak);
    int64_t next = 1;
    lua_pushvalue(L, 1);
    script_tree_rebuild(L, 2, -2, &next);
    lua_call(L, 1, 1);
    script_leaves out = script_float_leaves(L, lua_gettop(L), NULL);
    if (out.count != 1)
        script_fail(L, SAROS_ERR_TYPE, NULL, "check_gradient: the function must return one tensor");
    saros_gradient_report report = {0};
    script_check(L, saros_check_gradient(out.value[0], n, in, n, in, at, 1, &report));
    lua_createtable(L, 0, 5);
    lua_createtable(L, 3, 0);
    for (int k = 0; k < 3; ++k) {
        lua_pushnumber(L, report.rate[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "rates");
    lua_pushnumber(L, report.dot_error);
    lua_setfield(L, -2, "dot_error");
    lua_pushnumber(L, report.jvp_error);
    lua_setfield(L, -2, "jvp_error");
    lua_pushnumber(L, report.memory_error);
    lua_setfield(L, -2, "memory_error");
    lua_pushboolean(L, report.passed);
    lua_setfield(L, -2, "passed");
    return 1;
}

static int transform_check(lua_State *L) {
    script_check_function(L, 1, "f");
    if (script_state_of(L)->top)
        script_fail(L, SAROS_ERR_USAGE, NULL,
                    "check_gradient computes numbers: call it outside of traced functions");
    lua_settop(L, 2);
    script_transform_push(L, check_core, 0);
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static const script_entry entries[] = {
    {"grad", "f, argnum?", "function",
     "df/d(argument argnum), default 1, {1, 3} for several; f returns a scalar first",
     transform_grad},
    {"value_and_grad", "f, argnum?", "function", "value and gradient", transform_value_and_grad},
    {"jvp", "f, x, v", "any, any",
     "y and its derivative along v: forward mode; x and v are tables of arguments", transform_jvp},
    {"vjp", "f, x, w", "any, table", "y and the gradients {gx, …} of <w, y>: reverse mode",
     transform_vjp},
    {"jet", "f, x, v, K", "table",
     "{[0]=y, y', …}: derivatives of e -> f(x + e v) at 0, to order K", transform_jet},
    {"check_gradient", "f, x", "table",
     "Taylor-remainder rates and dot-product test of f at x; an error if one fails",
     transform_check},
};

const script_entries script_derivative_entries = {entries, (int)(sizeof entries / sizeof *entries)};
