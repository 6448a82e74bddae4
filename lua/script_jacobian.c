/** jacobian and hessian of a function. Argument and result are trees: each leaf of the result holds
 * the tree of its derivatives by the leaves of the argument. */
#include "saros/autodiff.h"
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

static int transform_jacobian(lua_State *L) {
    script_check_function(L, 1, "f");
    lua_settop(L, 1);
    return push_jacobian(L, "jacobian");
}

static int transform_hessian(lua_State *L) {
    script_check_function(L, 1, "f");
    lua_settop(L, 1);
    script_push_function(L, "grad");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return push_jacobian(L, "hessian");
}

static const script_entry entries[] = {
    {"jacobian", "f", "function", "x -> df/dx of shape (f's, x's); of tables, by leaves",
     transform_jacobian},
    {"hessian", "f", "function", "x -> second derivatives of a scalar function", transform_hessian},
};

const script_entries script_jacobian_entries = {entries, (int)(sizeof entries / sizeof *entries)};
