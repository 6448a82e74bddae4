/** jacobian and hessian: Jacobian products of a function batched over the unit vectors of the
 * smaller side. */
#include "saros/autodiff.h"
#include "script_derivative_impl.h"

/** Context of the bodies: f, the argument, whether by columns. */
enum { J_FUNCTION = 1, J_ARGUMENT, J_COLUMNS };

/** Calls f of the context on a fresh copy of its argument; gives both as values. */
static void call_fresh(lua_State *L, int context, saros_value *x, saros_value *y) {
    int top = lua_gettop(L);
    lua_rawgeti(L, context, J_ARGUMENT);
    script_fresh fresh = script_fresh_push(L, -1);
    lua_rawgeti(L, context, J_FUNCTION);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    if (!script_is_leaf(L, -1) || !script_leaf_is_float(L, -1))
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "jacobian: the function must return one tensor or number, got %s",
                    script_describe(L, -1));
    saros_value value = script_value_in(L, -1, NULL);
    *x = fresh.in[0];
    *y = value.graph == script_state_of(L)->top->graph ? value : script_alias(L, value);
    lua_settop(L, top);
}

/** One product: along the input (a tangent of x) or with it (a cotangent of y). */
static int build_product(lua_State *L) {
    saros_value x, y, product;
    lua_settop(L, 2);
    lua_rawgeti(L, 2, 1);
    saros_value seed = script_test_value(L, -1)->value;
    lua_pop(L, 1);
    call_fresh(L, 1, &x, &y);
    lua_rawgeti(L, 1, J_COLUMNS);
    if (lua_toboolean(L, -1)) {
        saros_jvp(1, &y, 1, &x, &seed, &product);
        product = saros_instantiate(product, y);
    } else {
        saros_vjp(1, &y, &seed, 1, &x, &product);
        product = saros_instantiate(product, x);
    }
    script_leaves_push(L, 1, &product, NULL);
    lua_pushnil(L);
    return 2;
}

/** Unit vectors 1 … n, each of `like`'s shape: (n, shape…). */
static saros_value unit_vectors(saros_graph *graph, const saros_type *like) {
    int64_t n = saros_type_count(like), shape[SAROS_MAX_RANK] = {n};
    saros_type square = saros_type_make(SAROS_I64, 2, (int64_t[]){n, n});
    saros_value eye = saros_cast(
        saros_eq(saros_iota(graph, &square, 0), saros_iota(graph, &square, 1)), like->dtype);
    for (int a = 0; a < like->rank; ++a) shape[a + 1] = like->shape[a];
    return saros_reshape(eye, like->rank + 1, shape);
}

static int jacobian_core(lua_State *L) {
    lua_settop(L, 1);
    saros_graph *graph = script_state_of(L)->top->graph;
    script_locate(L, graph);
    bool weak;
    if (!script_is_leaf(L, 1) || !script_leaf_is_float(L, 1))
        script_expected(L, 1, "x", "a floating-point tensor or a number");
    saros_type x = *saros_value_type(script_value_in(L, 1, &weak));
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_rawseti(L, 2, J_FUNCTION);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 2, J_ARGUMENT);
    saros_value at, result;
    call_fresh(L, 2, &at, &result); /* for the type alone: dropped as dead */
    saros_type y = *saros_value_type(result), *seed;
    bool columns = saros_type_count(&x) <= saros_type_count(&y);
    seed = columns ? &x : &y;
    if (x.rank + y.rank > SAROS_MAX_RANK || seed->rank == SAROS_MAX_RANK)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "jacobian: a result of %d axes", x.rank + y.rank);
    lua_pushboolean(L, columns);
    lua_rawseti(L, 2, J_COLUMNS);
    lua_pushvalue(L, 2);
    script_region *region = script_region_record(L, 1, seed, NULL, build_product);
    int all = 1 + region->captures;
    saros_value *in = script_scratch(L, sizeof *in * (size_t)all), out;
    bool *batched = script_scratch(L, sizeof *batched * (size_t)all);
    in[0] = unit_vectors(graph, seed);
    batched[0] = true;
    for (int k = 1; k < all; ++k) in[k] = region->capture[k - 1];
    saros_vmap(graph, region->body, saros_type_count(seed), in, batched, &out);
    int64_t shape[SAROS_MAX_RANK];
    for (int a = 0; a < y.rank; ++a) shape[a] = y.shape[a];
    for (int a = 0; a < x.rank; ++a) shape[y.rank + a] = x.shape[a];
    if (columns && !saros_is_poisoned(out)) { /* (x, y…) to (y…, x) */
        int order[SAROS_MAX_RANK];
        for (int a = 0; a < y.rank; ++a) order[a] = a + 1;
        order[y.rank] = 0;
        out = saros_permute(out, order);
    }
    if (!saros_is_poisoned(out)) out = saros_reshape(out, x.rank + y.rank, shape);
    script_push_value(L, out, weak);
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
