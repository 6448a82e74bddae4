/** Detected patterns against dense Jacobians, column by column, of random graphs. */
#include "saros_check.h"

#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/region.h"
#include "saros/sparse.h"

enum { N = 12 };

static uint64_t state;

static int64_t below(int64_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

static saros_value constant(saros_graph *g) {
    double data[N];
    for (int k = 0; k < N; ++k) data[k] = 0.5 + (double)below(1000) / 1000;
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){N}, data, &t));
    saros_value v = saros_constant(g, t);
    saros_tensor_release(t);
    return v;
}

static saros_value picked(saros_graph *g, saros_value x) {
    int64_t index[N];
    for (int k = 0; k < N; ++k) index[k] = below(N);
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_from(SAROS_I64, 1, (int64_t[]){N}, index, &t));
    saros_value v = saros_gather(x, saros_constant(g, t), 0);
    saros_tensor_release(t);
    return v;
}

/** One operation on vectors of N that the pass follows exactly. */
static saros_value operation(saros_graph *g, saros_value a, saros_value b) {
    const int64_t flat[1] = {N}, grid[2] = {3, 4}, turned[2] = {4, 3};
    int64_t by = below(5) - 2, low = below(3);
    switch (below(11)) {
    case 0:
        return saros_shift(a, 0, by, SAROS_EDGE_WRAP);
    case 1:
        /* no zeros left: a product with one has no derivative by the other */
        return saros_add(saros_shift(a, 0, by, SAROS_EDGE_ZERO), constant(g));
    case 2:
        return saros_pad(saros_slice(a, 0, low, N - 1, 1), 0, low, 1, 0, 7);
    case 3:
        return saros_reverse(a, 0);
    case 4:
        return picked(g, a);
    case 5:
        return saros_mul(a, saros_add(b, constant(g)));
    case 6:
        return saros_sin(saros_mul(a, constant(g)));
    case 7:
        return saros_reshape(saros_permute(saros_reshape(a, 2, grid), (int[]){1, 0}), 1, flat);
    case 8: {
        saros_value sum = saros_sum(saros_reshape(a, 2, grid), 1u << below(2));
        bool rows = saros_value_type(sum)->shape[0] == 3;
        sum = saros_broadcast(sum, 2, grid, (int[]){!rows});
        return saros_mul(saros_reshape(sum, 1, flat), b);
    }
    case 9: {
        saros_value half[2] = {saros_slice(b, 0, 0, 5, 1), saros_slice(a, 0, 5, N, 1)};
        return saros_concat(2, half, 0);
    }
    default:
        return saros_reshape(saros_reverse(saros_reshape(a, 2, turned), 1), 1, flat);
    }
}

/** Jacobian of y by x at a generic point, row-major. */
static void dense(saros_graph *g, saros_value y, saros_value x, double *jacobian) {
    saros_type type = *saros_value_type(x);
    saros_value v = saros_input(g, &type, "v"), product, in[2] = {x, v};
    saros_tensor *at[2] = {NULL, NULL};
    saros_function *function = NULL;
    double point[N];
    for (int k = 0; k < N; ++k) point[k] = 0.3 + 0.05 * k + 0.001 * (double)below(10);
    saros_jvp(1, &y, 1, &x, &v, &product);
    product = saros_instantiate(product, y);
    ck_ok(saros_compile(g, 2, in, 1, &product, NULL, &function));
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){N}, point, &at[0]));
    for (int j = 0; j < N; ++j) {
        double unit[N] = {0};
        unit[j] = 1;
        saros_tensor *out = NULL;
        ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){N}, unit, &at[1]));
        ck_ok(saros_function_call(function, at, &out, NULL));
        for (int i = 0; i < N; ++i)
            jacobian[i * N + j] = ((const double *)saros_tensor_const_data(out))[i];
        saros_tensor_release(out);
        saros_tensor_release(at[1]);
    }
    saros_tensor_release(at[0]);
    saros_function_release(function);
}

/** Entries detected; each nonzero of the Jacobian must be among them. */
static int64_t compare(saros_graph *g, saros_value y, saros_value x, int64_t *nonzeros) {
    double jacobian[N * N];
    bool found[N * N] = {false};
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_detect(y, x, &p));
    dense(g, y, x, jacobian);
    for (int i = 0; i < N; ++i)
        for (int64_t k = saros_sparsity_rows(p)[i]; k < saros_sparsity_rows(p)[i + 1]; ++k)
            found[i * N + saros_sparsity_columns(p)[k]] = true;
    *nonzeros = 0;
    for (int k = 0; k < N * N; ++k) {
        *nonzeros += jacobian[k] != 0;
        ck_assert_msg(jacobian[k] == 0 || found[k], "entry %d, %d is missed", k / N, k % N);
    }
    int64_t entries = saros_sparsity_nonzeros(p);
    saros_sparsity_release(p);
    return entries;
}

START_TEST(random_graphs_of_exact_rows_give_the_pattern_itself) {
    int64_t partial = 0;
    state = 17;
    for (int graph = 0; graph < 150; ++graph) {
        saros_graph *g = NULL;
        int64_t nonzeros;
        ck_ok(saros_graph_make(&g));
        saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){N});
        saros_value x = saros_input(g, &type, "x"), v[8] = {x};
        for (int k = 1; k < 8; ++k) {
            saros_value a = v[below(k)], b = v[below(k)];
            v[k] = operation(g, a, b);
        }
        saros_value y = saros_add(saros_sin(v[7]), saros_mul(constant(g), v[6]));
        int64_t entries = compare(g, y, x, &nonzeros);
        ck_assert_msg(entries == nonzeros, "graph %d: %lld entries detected, %lld are there", graph,
                      (long long)entries, (long long)nonzeros);
        partial += entries > 0 && entries < N * N / 2;
        saros_graph_release(g);
    }
    ck_assert_int_gt(partial, 50); /* most of these are sparse */
}
END_TEST

static saros_status relax(saros_graph *body, saros_value index, const saros_value *carry,
                          const saros_value *input, void *user, saros_value *next,
                          saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = saros_sin(carry[0]);
    return SAROS_OK;
}

START_TEST(other_rows_give_a_superset) {
    saros_graph *g = NULL;
    int64_t nonzeros;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){N});
    saros_value x = saros_input(g, &type, "x"), end;
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, 2),
                                  .bound = 2,
                                  .carries = 1,
                                  .carry = &x,
                                  .build = relax},
               &end, NULL);
    ck_assert_int_eq(compare(g, saros_add(x, end), x, &nonzeros), N * N);
    ck_assert_int_eq(nonzeros, N);
    saros_value sums = saros_cumsum(x, 0, false);
    ck_assert_int_eq(compare(g, sums, x, &nonzeros), N * N);
    saros_value still = saros_stop_gradient(x), where = saros_lt(x, still);
    ck_assert_int_eq(compare(g, saros_where(where, still, saros_mul(x, x)), x, &nonzeros), N);
    ck_assert_int_eq(compare(g, constant(g), x, &nonzeros), 0);
    saros_graph_release(g);
}
END_TEST

START_TEST(what_is_not_square_is_refused) {
    saros_graph *g = NULL;
    saros_sparsity *p = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){N});
    saros_value x = saros_input(g, &type, "x");
    ck_fails(saros_sparsity_detect(saros_slice(x, 0, 0, 4, 1), x, &p), SAROS_ERR_SHAPE);
    ck_assert_ptr_null(p);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("solvers/detect", random_graphs_of_exact_rows_give_the_pattern_itself,
                other_rows_give_a_superset, what_is_not_square_is_refused)
