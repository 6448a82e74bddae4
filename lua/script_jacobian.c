/** jacobian and hessian of a function. */
#include "saros/autodiff.h"
#include "script_derivative_impl.h"

/** Calls the function in the upvalue on a fresh copy of the argument, and differentiates. */
static int jacobian_core(lua_State *L) {
    lua_settop(L, 1);
    saros_graph *graph = script_state_of(L)->top->graph;
    script_locate(L, graph);
    bool weak;
    if (!script_is_leaf(L, 1) || !script_leaf_is_float(L, 1))
        script_expected(L, 1, "x", "a floating-point tensor or a number");
    script_value_in(L, 1, &weak);
    script_fresh fresh = script_fresh_push(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    if (!script_is_leaf(L, -1) || !script_leaf_is_float(L, -1))
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "jacobian: the function must return one tensor or number, got %s",
                    script_describe(L, -1));
    saros_value y = script_value_in(L, -1, NULL);
    if (y.graph != graph) y = script_alias(L, y);
    script_push_value(L, saros_dense_jacobian(y, fresh.in[0]), weak);
    return 1;
}

static int transform_jacobian(lua_State *L) {
    script_check_function(L, 1, "f");
    lua_settop(L, 1);
    script_transform_push(L, jacobian_core, 1);
    return 1;
}

static int transform_hessian(lua_State *L) {
    script_check_function(L, 1, "f");
    lua_settop(L, 1);
    script_push_function(L, "grad");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    script_transform_push(L, jacobian_core, 1);
    return 1;
}

static const script_entry entries[] = {
    {"jacobian", "f", "function", "x -> df/dx of shape (f's, x's)", transform_jacobian},
    {"hessian", "f", "function", "x -> second derivatives of a scalar function", transform_hessian},
};

const script_entries script_jacobian_entries = {entries, (int)(sizeof entries / sizeof *entries)};
