/** laplacian, biharmonic, operator, laplacian_estimate: operators on functions of points (n, d),
 * row by row. */
#include <string.h>

#include "saros/autodiff.h"
#include "script_derivative_impl.h"

enum { MOST_TERMS = 256, MOST_COLUMNS = 64 };

/** Upvalues of the functions given back: f, the operator's name, its options. */
enum { U_F = 1, U_NAME, U_OPTIONS };

/** Terms {{c, {a1, …, ad}}, …} of the table on top, for points of d columns. */
static saros_operator_term *read_terms(lua_State *L, int64_t d, int *count) {
    int list = lua_gettop(L), n = (int)lua_rawlen(L, list);
    if (n > MOST_TERMS || d > MOST_COLUMNS)
        script_fail(L, SAROS_ERR_UNSUPPORTED, NULL,
                    "operator: at most %d terms in %d dimensions fit", MOST_TERMS, MOST_COLUMNS);
    saros_operator_term *term = script_scratch(L, sizeof *term * (size_t)n);
    int *power = script_scratch(L, sizeof *power * (size_t)n * (size_t)d);
    for (int k = 0; k < n; ++k, power += d) {
        bool fits = lua_rawgeti(L, list, k + 1) == LUA_TTABLE;
        if (fits) fits = lua_rawgeti(L, -1, 2) == LUA_TTABLE && (int64_t)lua_rawlen(L, -1) == d;
        if (!fits)
            script_fail(L, SAROS_ERR_SHAPE, "{{1, {2, 0}}, {1, {0, 2}}} is the Laplacian",
                        "operator: term %d must be {coefficient, {%d powers}}", k + 1, (int)d);
        for (int i = 0; i < (int)d; ++i) {
            lua_rawgeti(L, -1, i + 1);
            power[i] = (int)script_integer(L, -1, "power");
            lua_pop(L, 1);
        }
        lua_rawgeti(L, -2, 1);
        term[k] = (saros_operator_term){script_number(L, -1, "coefficient"), power};
        lua_pop(L, 3);
    }
    *count = n;
    return term;
}

/** The operator applied to y; the key, if one is needed, stands at 2. */
static saros_value apply(lua_State *L, const char *name, saros_value y, saros_value x) {
    if (strcmp(name, "laplacian") == 0) return saros_laplacian(y, x);
    if (strcmp(name, "biharmonic") == 0) return saros_biharmonic(y, x);
    lua_pushvalue(L, lua_upvalueindex(U_OPTIONS));
    if (strcmp(name, "laplacian_estimate") == 0) {
        int64_t directions = script_integer(L, -1, "directions");
        return saros_laplacian_estimate(y, x, script_value_in(L, 2, NULL), directions);
    }
    int count = 0;
    const saros_operator_term *term = read_terms(L, saros_value_type(x)->shape[1], &count);
    return saros_operator(y, x, count, term);
}

/** (points) or (points, key) inside a recording. */
static int operator_core(lua_State *L) {
    const char *name = lua_tostring(L, lua_upvalueindex(U_NAME));
    lua_settop(L, 2);
    script_locate(L, script_state_of(L)->top->graph);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    script_fresh x = script_fresh_push(L, 3);
    if (x.count != 1 || saros_value_rank(x.in[0]) != 2)
        script_fail(L, SAROS_ERR_SHAPE, "one row per point",
                    "%s: the argument must be points (n, d), got %s", name, script_describe(L, 1));
    lua_rawgeti(L, -1, 1);
    lua_pushvalue(L, lua_upvalueindex(U_F));
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    script_leaves y = script_float_leaves(L, lua_gettop(L), NULL);
    if (y.count != 1)
        script_fail(L, SAROS_ERR_TYPE, NULL, "%s: the function must return one tensor", name);
    script_push_value(L, apply(L, name, y.value[0], x.in[0]), false);
    return 1;
}

/** Leaves a function of points; f stands at 1, options at 2. */
static int push_operator(lua_State *L, const char *name) {
    script_check_function(L, 1, "f");
    lua_settop(L, 2);
    lua_pushstring(L, name);
    lua_insert(L, 2);
    script_transform_push(L, operator_core, 3);
    return 1;
}

static int operator_laplacian(lua_State *L) {
    return push_operator(L, "laplacian");
}
static int operator_biharmonic(lua_State *L) {
    return push_operator(L, "biharmonic");
}
static int operator_terms(lua_State *L) {
    if (!lua_istable(L, 2)) script_expected(L, 2, "terms", "a list of {coefficient, {powers}}");
    return push_operator(L, "operator");
}
static int operator_estimate(lua_State *L) {
    if (script_integer(L, 2, "directions") < 1)
        script_expected(L, 2, "directions", "an integer of at least 1");
    return push_operator(L, "laplacian_estimate");
}

static const script_entry entries[] = {
    {"laplacian", "f", "function",
     "sum of second derivatives, row by row: f maps points (n, d) to (n)", operator_laplacian},
    {"biharmonic", "f", "function", "laplacian of the laplacian, row by row, in one pass",
     operator_biharmonic},
    {"operator", "f, terms", "function",
     "sum of c d^a1/dx1^a1 … over terms {{c, {a1, …, ad}}, …}, row by row: f maps points (n, d) to "
     "(n)",
     operator_terms},
    {"laplacian_estimate", "f, directions", "function",
     "function of points and a key: unbiased estimate of the laplacian from random directions",
     operator_estimate},
};

const script_entries script_operator_entries = {entries, (int)(sizeof entries / sizeof *entries)};
