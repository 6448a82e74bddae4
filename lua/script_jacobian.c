/** jacobian and hessian of a function. Argument and result are trees: each leaf of the result holds
 * the tree of its derivatives by the leaves of the argument. Sparse Hessians, of functions of one
 * tensor, are {rows, columns, values}. */
#include "saros/autodiff.h"
#include "saros/sparse.h"
#include "script_derivative_impl.h"

/** Pushes the derivatives of y as a tree like the argument at 1. */
static void push_row(lua_State *L, saros_value y, const script_fresh *fresh) {
    saros_value *row = script_scratch(L, sizeof *row * (size_t)fresh->count);
    for (int k = 0; k < fresh->count; ++k) row[k] = saros_dense_jacobian(y, fresh->in[k]);
    script_fresh_mirror(L, 1, fresh, row);
    lua_remove(L, -2);
}

/** Calls the function (upvalue 1) on fresh copies of the argument's leaves, and differentiates. */
static int jacobian_core(lua_State *L) {
    const char *name = lua_tostring(L, lua_upvalueindex(2));
    lua_settop(L, 1);
    script_locate(L, script_state_of(L)->top->graph);
    script_fresh fresh = script_fresh_push(L, 1);
    if (fresh.count == 0)
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "%s: the argument holds no number or floating-point tensor", name);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    int result = lua_gettop(L);
    script_fresh places;
    script_leaves y = script_float_leaves(L, result, &places);
    if (y.count == 0)
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "%s: the function must return numbers, tensors or a table of them, got %s",
                    name, script_describe(L, result));
    lua_createtable(L, places.leaves, 0);
    int rows = lua_gettop(L);
    for (int k = 1; k <= places.leaves; ++k) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, rows, k);
    }
    for (int k = 0; k < y.count; ++k) {
        push_row(L, y.value[k], &fresh);
        lua_rawseti(L, rows, places.place[k] + 1);
    }
    int64_t next = 1;
    script_tree_rebuild(L, result, rows, &next);
    return 1;
}

/** Pushes the transform of the function on top. */
static int push_jacobian(lua_State *L, const char *name) {
    lua_pushstring(L, name);
    script_transform_push(L, jacobian_core, 2);
    return 1;
}

/* ---- sparse ---- */

/** Calls f (upvalue 1) on a fresh copy of the one tensor at 1; its scalar result. */
static saros_value sparse_call(lua_State *L, saros_value *x) {
    script_locate(L, script_state_of(L)->top->graph);
    if (!script_is_leaf(L, 1) || !script_leaf_is_float(L, 1))
        script_fail(L, SAROS_ERR_TYPE, "sparse = true is for functions of one tensor",
                    "hessian: expected a floating-point tensor, got %s", script_describe(L, 1));
    script_fresh fresh = script_fresh_push(L, 1);
    *x = fresh.in[0];
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    int result = lua_gettop(L);
    script_leaves y = script_float_leaves(L, result, NULL);
    if (y.count != 1 || saros_value_rank(y.value[0]) != 0)
        script_fail(L, SAROS_ERR_SHAPE, "take a sum or a mean",
                    "hessian: the function must return a scalar, got %s",
                    script_describe(L, result));
    return y.value[0];
}

/** Rows or columns of a pattern, from 1, as a constant in the field `name` of the table on top. */
static void set_indices(lua_State *L, saros_graph *graph, const saros_sparsity *p, const char *name,
                        bool rows) {
    int64_t nonzeros = saros_sparsity_nonzeros(p);
    const int64_t *row = saros_sparsity_rows(p), *column = saros_sparsity_columns(p);
    saros_tensor *t = NULL;
    script_check(L, saros_tensor_make(SAROS_I64, 1, &nonzeros, &t));
    int64_t *to = saros_tensor_data(t);
    for (int64_t i = 0; i < saros_sparsity_size(p); ++i)
        for (int64_t k = row[i]; k < row[i + 1]; ++k) to[k] = 1 + (rows ? i : column[k]);
    saros_value value = saros_constant(graph, t);
    saros_tensor_release(t);
    script_push_value(L, value, false);
    lua_setfield(L, -2, name);
}

static int pattern_gc(lua_State *L) {
    saros_sparsity **p = lua_touserdata(L, 1);
    saros_sparsity_release(*p);
    *p = NULL;
    return 0;
}

/** A place for a pattern, pushed, that releases it. */
static saros_sparsity **pattern_slot(lua_State *L) {
    saros_sparsity **p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = NULL;
    if (luaL_newmetatable(L, "saros.sparsity")) {
        lua_pushcfunction(L, pattern_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return p;
}

static int sparse_hessian_core(lua_State *L) {
    lua_settop(L, 1);
    saros_graph *graph = script_state_of(L)->top->graph;
    saros_value x, y = sparse_call(L, &x);
    saros_sparsity **pattern = pattern_slot(L);
    saros_value values = saros_sparse_hessian(y, x, pattern);
    lua_createtable(L, 0, 3);
    script_push_value(L, values, false); /* raises if poisoned */
    lua_setfield(L, -2, "values");
    set_indices(L, graph, *pattern, "rows", true);
    set_indices(L, graph, *pattern, "columns", false);
    return 1;
}

/** Whether the options at 2 ask for a sparse result. */
static bool sparse_option(lua_State *L, const char *what) {
    static const char *const names[] = {"sparse"};
    if (lua_isnoneornil(L, 2)) return false;
    if (!lua_istable(L, 2)) script_expected(L, 2, "options", "a table of options");
    script_strict_keys(L, 2, what, names, 1);
    lua_getfield(L, 2, "sparse");
    if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
        script_fail(L, SAROS_ERR_TYPE, NULL, "%s: option 'sparse': expected true or false, got %s",
                    what, script_describe(L, -1));
    return lua_toboolean(L, -1);
}

static int transform_jacobian(lua_State *L) {
    script_check_function(L, 1, "f");
    lua_settop(L, 1);
    return push_jacobian(L, "jacobian");
}

static int transform_hessian(lua_State *L) {
    script_check_function(L, 1, "f");
    bool sparse = sparse_option(L, "saros.hessian");
    lua_settop(L, 1);
    if (sparse) {
        script_transform_push(L, sparse_hessian_core, 1);
        return 1;
    }
    script_push_function(L, "grad");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return push_jacobian(L, "hessian");
}

static const script_entry entries[] = {
    {"jacobian", "f", "function", "x -> df/dx of shape (f's, x's); of tables, by leaves",
     transform_jacobian},
    {"hessian", "f, options?", "function",
     "x -> second derivatives of a scalar function; {sparse=true}: {rows=, columns=, values=}, "
     "those "
     "that may differ from 0",
     transform_hessian},
};

const script_entries script_jacobian_entries = {entries, (int)(sizeof entries / sizeof *entries)};
