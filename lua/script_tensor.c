/** Making and reading tensors. */
#include <math.h>
#include <string.h>

#include "script_op_impl.h"
#include "script_tensor_impl.h"

/* ---- make ---- */

static int tensor_make(lua_State *L) {
    bool given;
    saros_dtype dtype = script_dtype_option(L, 2, SAROS_F64, &given);
    if (lua_istable(L, 1)) {
        script_tensor_from_table(L, 1, dtype, given);
        return 1;
    }
    if (!script_is_leaf(L, 1))
        script_expected(L, 1, "data", "a nested table of numbers, a number or a tensor");
    if (script_is_traced(L, 1)) {
        lua_settop(L, 1);
        if (!given) return 1;
        lua_pushstring(L, saros_dtype_name(dtype));
        return script_op_apply(L, script_op_find("cast"));
    }
    saros_tensor *cast = NULL, *from = script_tensor_at(L, 1, "data");
    script_check(L, saros_tensor_cast(from, given ? dtype : saros_tensor_dtype(from), &cast));
    script_push_tensor(L, cast);
    return 1;
}

/** Pushes a tensor of `extents` filled with `value`. */
static int push_filled(lua_State *L, int rank, const int64_t *shape, saros_dtype dtype,
                       double value) {
    saros_tensor *t = NULL, *one = NULL;
    script_check(L, saros_tensor_zeros(dtype, rank, shape, &t));
    script_push_tensor(L, t);
    if (value == 0) return 1;
    script_check(L, saros_tensor_scalar(dtype, value, &one));
    script_push_tensor(L, one);
    saros_tensor *wide = NULL;
    int64_t strides[SAROS_MAX_RANK] = {0};
    script_check(L, saros_tensor_view(one, rank, shape, strides, 0, &wide));
    script_push_tensor(L, wide);
    script_check(L, saros_tensor_assign(t, wide));
    lua_pop(L, 2);
    return 1;
}

/** Options of zeros and ones stand in the table of extents, or in a last table. */
static saros_dtype dtype_anywhere(lua_State *L) {
    saros_dtype dtype = SAROS_F64;
    if (lua_istable(L, 1)) dtype = script_dtype_option(L, 1, dtype, NULL);
    int top = lua_gettop(L);
    if (top > 1 && (lua_istable(L, top) || lua_type(L, top) == LUA_TSTRING))
        dtype = script_dtype_option(L, top, dtype, NULL);
    return dtype;
}

static int tensor_zeros(lua_State *L) {
    int64_t shape[SAROS_MAX_RANK];
    saros_dtype dtype = dtype_anywhere(L);
    int rank = script_extents(L, 1, "shape", shape);
    return push_filled(L, rank, shape, dtype, 0);
}

static int tensor_ones(lua_State *L) {
    int64_t shape[SAROS_MAX_RANK];
    saros_dtype dtype = dtype_anywhere(L);
    int rank = script_extents(L, 1, "shape", shape);
    return push_filled(L, rank, shape, dtype, 1);
}

static int tensor_full(lua_State *L) {
    int64_t shape[SAROS_MAX_RANK];
    if (!lua_istable(L, 1)) script_expected(L, 1, "shape", "a table of integers");
    int rank = script_extents(L, 1, "shape", shape);
    if (script_is_traced(L, 2)) {
        script_value *v = script_test_value(L, 2);
        script_push_value(L, saros_broadcast(v->value, rank, shape, NULL), false);
        return 1;
    }
    double value = script_number(L, 2, "value");
    return push_filled(L, rank, shape, script_dtype_option(L, 3, SAROS_F64, NULL), value);
}

static int tensor_eye(lua_State *L) {
    int64_t n = script_integer(L, 1, "n"), shape[2] = {n, n};
    saros_dtype dtype = script_dtype_option(L, 2, SAROS_F64, NULL);
    push_filled(L, 2, shape, dtype, 0);
    saros_tensor *t = script_test_value(L, -1)->tensor, *diagonal = NULL, *one = NULL;
    push_filled(L, 1, &n, dtype, 1);
    one = script_test_value(L, -1)->tensor;
    script_check(L, saros_tensor_view(t, 1, &n, (int64_t[]){n + 1}, 0, &diagonal));
    script_push_tensor(L, diagonal);
    script_check(L, saros_tensor_assign(diagonal, one));
    lua_pop(L, 2);
    return 1;
}

/** Pushes a vector of n numbers to be filled. */
static double *push_vector(lua_State *L, int64_t n) {
    saros_tensor *plain = NULL;
    script_check(L, saros_tensor_make(SAROS_F64, 1, &n, &plain));
    script_push_tensor(L, plain);
    return saros_tensor_data(plain);
}

/** Pushes the vector on top, converted. */
static int push_cast(lua_State *L, saros_dtype dtype) {
    saros_tensor *cast = NULL;
    if (dtype == SAROS_F64) return 1;
    script_check(L, saros_tensor_cast(script_test_value(L, -1)->tensor, dtype, &cast));
    script_push_tensor(L, cast);
    return 1;
}

static int tensor_linspace(lua_State *L) {
    double a = script_number(L, 1, "a"), b = script_number(L, 2, "b");
    int64_t n = script_integer(L, 3, "n");
    saros_dtype dtype = script_dtype_option(L, 4, SAROS_F64, NULL);
    if (n < 1) script_expected(L, 3, "n", "a positive integer");
    double *x = push_vector(L, n);
    for (int64_t k = 0; k < n; ++k) x[k] = n == 1 ? a : a + (b - a) * ((double)k / (double)(n - 1));
    if (n > 1) x[n - 1] = b;
    return push_cast(L, dtype);
}

static int tensor_arange(lua_State *L) {
    int64_t first = 0, last = script_integer(L, 1, "n"), step = 1;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        first = last;
        last = script_integer(L, 2, "last");
    }
    if (lua_type(L, 3) == LUA_TNUMBER) step = script_integer(L, 3, "step");
    if (step == 0) script_expected(L, 3, "step", "an integer other than 0");
    saros_dtype dtype = script_dtype_option(L, lua_gettop(L), SAROS_I64, NULL);
    double span = ((double)last - (double)first) / (double)step;
    if (span > 0x1p53)
        script_fail(L, SAROS_ERR_MEMORY, NULL, "arange: %g numbers are more than fit", span);
    int64_t n = span > 0 ? (int64_t)ceil(span) : 0;
    double *x = push_vector(L, n);
    for (int64_t k = 0; k < n; ++k) x[k] = (double)(first + k * step);
    return push_cast(L, dtype);
}

static int random_key(lua_State *L) {
    int64_t seed = script_integer(L, 1, "seed");
    saros_graph *graph = NULL;
    saros_function *f = NULL;
    saros_tensor *key = NULL;
    script_check(L, saros_graph_make(&graph));
    saros_value value = saros_random_key(graph, seed);
    saros_status status = saros_compile(graph, 0, NULL, 1, &value, NULL, &f);
    if (status == SAROS_OK) status = saros_function_call(f, NULL, &key, NULL);
    saros_function_release(f);
    saros_graph_release(graph);
    script_check(L, status);
    script_push_tensor(L, key);
    return 1;
}

/* ---- read ---- */

static script_value *self(lua_State *L) {
    script_value *v = script_test_value(L, 1);
    if (!v) script_expected(L, 1, "tensor", "a tensor");
    return v;
}

static saros_tensor *concrete(lua_State *L) {
    return self(L)->tensor ? self(L)->tensor : script_tensor_at(L, 1, "tensor");
}

static int tensor_item(lua_State *L) {
    saros_tensor *t = concrete(L);
    if (saros_tensor_count(t) != 1)
        script_fail(L, SAROS_ERR_SHAPE, "t:get(i, j) reads one of several",
                    "item: the tensor has %lld elements", (long long)saros_tensor_count(t));
    script_push_element(L, t, (int64_t[SAROS_MAX_RANK]){0});
    return 1;
}

static int tensor_totable(lua_State *L) {
    int64_t index[SAROS_MAX_RANK] = {0};
    script_push_nested(L, concrete(L), 0, index);
    return 1;
}

static int tensor_get(lua_State *L) {
    script_value *v = self(L);
    saros_type type = v->tensor ? saros_tensor_type(v->tensor) : *saros_value_type(v->value);
    int64_t index[SAROS_MAX_RANK];
    int n = lua_gettop(L) - 1;
    if (n != type.rank)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "get: %d indices for a tensor with %d axes", n,
                    type.rank);
    for (int a = 0; a < n; ++a) {
        int64_t i = script_integer(L, a + 2, "index");
        index[a] = i > 0 ? i - 1 : i + type.shape[a];
        if (i == 0 || index[a] < 0 || index[a] >= type.shape[a])
            script_fail(L, SAROS_ERR_DOMAIN, "indices count from 1; negative ones from the end",
                        "get: index %lld of axis %d with %lld cells", (long long)i, a + 1,
                        (long long)type.shape[a]);
    }
    if (v->tensor) {
        script_push_element(L, v->tensor, index);
        return 1;
    }
    script_locate(L, v->value.graph);
    saros_value part = v->value;
    for (int a = 0; a < n; ++a) part = saros_slice(part, a, index[a], index[a] + 1, 1);
    script_push_value(L, saros_reshape(part, 0, NULL), v->weak);
    return 1;
}

static int tensor_copy(lua_State *L) {
    script_value *v = self(L);
    saros_tensor *copy = NULL;
    if (!v->tensor) {
        lua_settop(L, 1);
        return 1;
    }
    script_check(L, saros_tensor_cast(v->tensor, saros_tensor_dtype(v->tensor), &copy));
    script_push_tensor(L, copy);
    return 1;
}

static int key_split(lua_State *L) {
    int64_t n = script_integer(L, 2, "n");
    if (n < 1 || n > 200) script_expected(L, 2, "n", "1 to 200 keys (key:fold(i) makes more)");
    luaL_checkstack(L, (int)n + 4, NULL);
    for (int64_t k = 1; k <= n; ++k) {
        script_push_op(L, script_op_find("random.fold"));
        lua_pushvalue(L, 1);
        lua_pushinteger(L, k);
        lua_call(L, 2, 1);
    }
    return (int)n;
}

/** The real one is found by value_index, which also answers for freed tensors. */
static int no_free(lua_State *L) {
    return script_fail(L, SAROS_ERR_USAGE, "t:free()", "free is a method of tensors");
}

static const script_entry entries[] = {
    {"tensor", "data, options?", "saros.tensor",
     "tensor from nested tables; dtype f64 unless {dtype=} says otherwise", tensor_make},
    {"zeros", "shape, options?", "saros.tensor", "zeros{2, 3}", tensor_zeros},
    {"ones", "shape, options?", "saros.tensor", "ones{2, 3}", tensor_ones},
    {"full", "shape, value, options?", "saros.tensor", "full({2, 3}, 7)", tensor_full},
    {"eye", "n, options?", "saros.tensor", "identity matrix", tensor_eye},
    {"linspace", "a, b, n, options?", "saros.tensor", "n numbers from a to b, ends included",
     tensor_linspace},
    {"arange", "n, last?, step?, options?", "saros.tensor",
     "arange(n): 0 … n-1 (i64); arange(first, last): last excluded", tensor_arange},
    {"random.key", "seed", "saros.tensor",
     "key of random numbers; the same seed gives the same numbers everywhere", random_key},
    {"tensor:item", "self", "number", "the number of a tensor with one element", tensor_item},
    {"tensor:totable", "self", "table", "nested tables of the elements", tensor_totable},
    {"tensor:get", "self, ...", "number", "element at i, j, …", tensor_get},
    {"tensor:copy", "self", "saros.tensor", "a copy of its own memory", tensor_copy},
    {"tensor:free", "self", "nil",
     "gives the memory back now; also at the end of a <close> variable", no_free},
    {"tensor:split", "self, n", "saros.tensor", "n independent keys from a key", key_split},
};

const script_entries script_tensor_entries = {entries, (int)(sizeof entries / sizeof *entries)};
