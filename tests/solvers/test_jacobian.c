/** Jacobians computed entry by entry against products with unit vectors, and with coloured ones. */
#include <string.h>

#include "saros_check.h"

#include "saros/autodiff.h"
#include "saros/extend.h"
#include "saros/pool.h"
#include "saros/sparse.h"

typedef saros_value build_fn(saros_value x, saros_value p);

static saros_value smooth(saros_value x, saros_value p) {
    return saros_add(saros_mul(p, saros_sin(x)), saros_mul(x, x));
}

/* Five points on a 5 x 4 grid, zero around, as a flat vector. */
static saros_value five_points(saros_value x, saros_value p) {
    saros_value u = saros_reshape(x, 2, (int64_t[]){5, 4}), sum = saros_mul(saros_like(u, -4), u);
    for (int k = 0; k < 4; ++k)
        sum = saros_add(sum, saros_shift(u, k / 2, k % 2 ? 1 : -1, SAROS_EDGE_ZERO));
    u = saros_add(saros_mul(p, sum), saros_exp(u));
    return saros_reshape(u, 1, (int64_t[]){20});
}

/* A flux with a coefficient, on extended points: one-sided closures with several nodes. */
static saros_value extended(saros_value x, saros_value p) {
    saros_value h = saros_like(x, 0.1), one = saros_like(x, 1);
    saros_side given = {.kind = SAROS_SIDE_CONDITION, .given = true, .v = one};
    saros_side slope = {.kind = SAROS_SIDE_CONDITION, .v = one, .a = p, .b = one};
    given.a = given.b = SAROS_NONE;
    saros_value u = saros_extend(x, 0, 2, 4, h, &given, &slope);
    int64_t n = saros_value_type(u)->shape[0] - 1;
    saros_value low = saros_slice(u, 0, 0, n, 1), high = saros_slice(u, 0, 1, n + 1, 1);
    saros_value flux = saros_mul(saros_add(one, saros_mul(low, high)), saros_sub(high, low));
    saros_value rate = saros_sub(saros_slice(flux, 0, 1, n, 1), saros_slice(flux, 0, 0, n - 1, 1));
    int64_t wide = saros_value_type(rate)->shape[0], own = saros_value_type(x)->shape[0];
    return saros_slice(rate, 0, (wide - own) / 2, (wide - own) / 2 + own, 1);
}

/* Two species at each of 10 points, interleaved, periodic. */
static saros_value coupled(saros_value x, saros_value p) {
    saros_value all = saros_reshape(x, 2, (int64_t[]){10, 2}), of[2], rate[2];
    for (int k = 0; k < 2; ++k)
        of[k] = saros_reshape(saros_slice(all, 1, k, k + 1, 1), 1, (int64_t[]){10});
    for (int k = 0; k < 2; ++k) {
        saros_value both = saros_add(saros_shift(of[k], 0, 1, SAROS_EDGE_WRAP),
                                     saros_shift(of[k], 0, -1, SAROS_EDGE_WRAP));
        rate[k] = saros_add(saros_mul(saros_like(p, 1 + k), both),
                            saros_mul(saros_mul(of[0], of[0]), of[1]));
        rate[k] = saros_reshape(rate[k], 2, (int64_t[]){10, 1});
    }
    return saros_reshape(saros_concat(2, rate, 1), 1, (int64_t[]){20});
}

/* Gathers from neighbours of a graph, and back: several terms an element. */
static saros_value meshed(saros_value x, saros_value p) {
    int64_t ends[2][12];
    saros_value at[2], flow, sum = SAROS_NONE;
    for (int k = 0; k < 12; ++k) {
        ends[0][k] = k % 7;
        ends[1][k] = (3 * k + 1) % 9;
    }
    for (int e = 0; e < 2; ++e) {
        saros_tensor *t = NULL;
        ck_ok(saros_tensor_from(SAROS_I64, 1, (int64_t[]){12}, ends[e], &t));
        at[e] = saros_constant(x.graph, t);
        saros_tensor_release(t);
    }
    flow = saros_sin(saros_sub(saros_gather(x, at[0], 0), saros_gather(x, at[1], 0)));
    sum = saros_sub(saros_scatter_add(flow, at[0], 0, 9), saros_scatter_add(flow, at[1], 0, 9));
    return saros_add(saros_mul(p, sum), x);
}

/* Sums along a short axis, of a product. */
static saros_value summed(saros_value x, saros_value p) {
    const int64_t grid[2] = {4, 3}, flat = 12;
    saros_value u = saros_reshape(x, 2, grid), s = saros_sum(saros_mul(u, u), 2u);
    s = saros_broadcast(s, 2, grid, (int[]){0});
    return saros_reshape(saros_mul(saros_mul(s, u), p), 1, &flat);
}

/* The largest of three times each: which one moves hangs on numbers, so that no sum of elements
 * gives the entries, but the pattern is known and blocks of three take three colours. */
static saros_value largest(saros_value x, saros_value p) {
    const int64_t grid[2] = {4, 3}, flat = 12;
    saros_value u = saros_reshape(x, 2, grid);
    saros_value m = saros_broadcast(saros_max(u, 2u), 2, grid, (int[]){0});
    return saros_reshape(saros_mul(saros_mul(m, u), p), 1, &flat);
}

/* A row that is not followed. */
static saros_value accumulated(saros_value x, saros_value p) {
    return saros_mul(p, saros_cumsum(saros_sin(x), 0, false));
}

/* The same number of terms in all rows but the last ones; no number depends on x. */
static saros_value constant(saros_value x, saros_value p) {
    return saros_sub(saros_mul(p, x), saros_shift(x, 0, 2, SAROS_EDGE_ZERO));
}

/* Two pieces of different size, one after the other. */
static saros_value uneven(saros_value x, saros_value p) {
    const int64_t n = saros_value_type(x)->shape[0], cut = n / 3;
    saros_value low = saros_slice(x, 0, 0, cut, 1), high = saros_slice(x, 0, cut, n, 1);
    return saros_concat(2, (saros_value[]){saros_mul(low, low), saros_mul(saros_sin(high), p)}, 0);
}

typedef struct example {
    const char *name;
    build_fn *build;
    int64_t n;
    int arrays; /* coefficients that differ from entry to entry, or colours; 0: as many as x has */
} example;

static const example examples[] = {
    {"smooth", smooth, 7, 1},           {"five points", five_points, 20, 1},
    {"extended", extended, 9, 6},       {"coupled", coupled, 20, 2},
    {"meshed", meshed, 9, 9},           {"summed", summed, 12, 4},
    {"constant", constant, 9, 0},       {"uneven", uneven, 11, 2},
    {"accumulated", accumulated, 6, 0}, {"largest", largest, 12, 3},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

/* x, p; the point; and J at it, dense, by products. */
typedef struct fixture {
    saros_graph *g;
    saros_value in[2], y;
    saros_tensor *at[3];
    double *dense;
} fixture;

static fixture fixture_make(const example *e) {
    fixture f = {0};
    saros_function *product = NULL;
    saros_type vector = saros_type_make(SAROS_F64, 1, &e->n), scalar = saros_type_scalar(SAROS_F64);
    ck_ok(saros_graph_make(&f.g));
    f.in[0] = saros_input(f.g, &vector, "x");
    f.in[1] = saros_input(f.g, &scalar, "p");
    f.y = e->build(f.in[0], f.in[1]);
    saros_value v = saros_input(f.g, &vector, "v"), out;
    saros_jvp(1, &f.y, 1, f.in, &v, &out);
    ck_ok(saros_compile(f.g, 3, (saros_value[]){f.in[0], f.in[1], v}, 1, &out, NULL, &product));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &e->n, &f.at[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 1.7, &f.at[1]));
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, &e->n, &f.at[2]));
    double *x = saros_tensor_data(f.at[0]), *unit = saros_tensor_data(f.at[2]);
    for (int64_t i = 0; i < e->n; ++i) x[i] = 0.3 + 0.4 * sin(2.1 * (double)i);
    f.dense = malloc((size_t)(e->n * e->n) * sizeof *f.dense);
    for (int64_t j = 0; j < e->n; ++j) {
        saros_tensor *column = NULL;
        unit[j] = 1;
        ck_ok(saros_function_call(product, f.at, &column, NULL));
        unit[j] = 0;
        for (int64_t i = 0; i < e->n; ++i)
            f.dense[i * e->n + j] = ((const double *)saros_tensor_const_data(column))[i];
        saros_tensor_release(column);
    }
    saros_function_release(product);
    return f;
}

static void fixture_free(fixture *f) {
    for (int k = 0; k < 3; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
    free(f->dense);
}

/* Values in their pattern are J, and J is zero elsewhere. */
static void check_values(const example *e, const fixture *f, saros_jacobian *j) {
    saros_sparsity *p = saros_jacobian_sparsity(j);
    double *values = malloc((size_t)saros_sparsity_nonzeros(p) * sizeof *values);
    const int64_t *row = saros_sparsity_rows(p), *column = saros_sparsity_columns(p);
    ck_ok(saros_jacobian_values(j, f->at, values));
    for (int64_t i = 0; i < e->n; ++i) {
        bool diagonal = false;
        int64_t k = row[i];
        for (int64_t c = 0; c < e->n; ++c) {
            bool there = k < row[i + 1] && column[k] == c;
            double want = f->dense[i * e->n + c], got = there ? values[k++] : 0;
            ck_assert_msg(fabs(got - want) <= 1e-14 * (1 + fabs(want)),
                          "%s (%d,%d): %.17g, by products %.17g", e->name, (int)i, (int)c, got,
                          want);
            diagonal = diagonal || (there && c == i);
        }
        ck_assert(diagonal);
    }
    free(values);
}

START_TEST(entries_are_those_of_the_products) {
    for (int k = 0; k < EXAMPLES; ++k)
        for (int coloured = 0; coloured < 2; ++coloured) {
            const example *e = &examples[k];
            fixture f = fixture_make(e);
            saros_jacobian *j = NULL;
            ck_ok(saros_jacobian_make(f.y, f.in[0], 2, f.in,
                                      &(saros_jacobian_options){.coloured = coloured}, &j));
            check_values(e, &f, j);
            if (!coloured && e->arrays)
                ck_assert_msg(saros_jacobian_arrays(j) == e->arrays, "%s: %d arrays", e->name,
                              saros_jacobian_arrays(j));
            saros_jacobian_release(j);
            fixture_free(&f);
        }
}
END_TEST

/* ---- larger ones, of which kernels are made ---- */

/* Neighbours of a flat vector, zeros around. */
static saros_value banded(saros_value x, saros_value p) {
    saros_value right = saros_shift(x, 0, -1, SAROS_EDGE_ZERO);
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value far = saros_shift(x, 0, 2, SAROS_EDGE_ZERO);
    return saros_add(saros_mul(saros_sub(right, far), left),
                     saros_mul(p, saros_mul(x, saros_shift(x, 0, -2, SAROS_EDGE_ZERO))));
}

/* Three species at each node of a grid of 60 lines, interleaved, periodic. */
static saros_value species(saros_value x, saros_value p) {
    const int64_t n = saros_value_type(x)->shape[0], grid[3] = {60, n / 180, 3};
    saros_value all = saros_reshape(x, 3, grid), u[3], rate[3];
    for (int s = 0; s < 3; ++s) u[s] = saros_reshape(saros_slice(all, 2, s, s + 1, 1), 2, grid);
    for (int s = 0; s < 3; ++s) {
        rate[s] = saros_mul(u[s], saros_sub(saros_mul(p, u[(s + 1) % 3]), u[s]));
        for (int k = 0; k < 4; ++k)
            rate[s] = saros_add(rate[s], saros_shift(u[s], k / 2, k % 2 ? 1 : -1, SAROS_EDGE_WRAP));
        rate[s] = saros_reshape(rate[s], 3, (int64_t[]){60, n / 180, 1});
    }
    return saros_reshape(saros_concat(3, rate, 2), 1, &n);
}

/* A coefficient for each line, at cells in pairs. */
static saros_value paired(saros_value x, saros_value p) {
    const int64_t n = saros_value_type(x)->shape[0], grid[2] = {n / 50, 50}, pairs[2] = {n / 2, 2};
    saros_value u = saros_reshape(x, 2, grid), line = saros_slice(u, 1, 0, 1, 1);
    u = saros_mul(u, saros_broadcast(line, 2, grid, NULL));
    saros_value both = saros_reshape(u, 2, pairs);
    both = saros_concat(2,
                        (saros_value[]){saros_sin(saros_slice(both, 1, 0, 1, 1)),
                                        saros_mul(p, saros_slice(both, 1, 1, 2, 1))},
                        1);
    return saros_reshape(both, 1, &n);
}

static const example large[] = {{"banded", banded, 7001, 0},
                                {"species", species, 60 * 70 * 3, 0},
                                {"paired", paired, 5000, 0},
                                {"uneven", uneven, 6000, 0},
                                {"constant", constant, 3000, 0}};

static double *values_of(saros_jacobian *j, saros_tensor *const *at) {
    const size_t count = (size_t)saros_sparsity_nonzeros(saros_jacobian_sparsity(j));
    double *values = malloc(count * sizeof *values);
    memset(values, 0xff, count * sizeof *values);
    ck_ok(saros_jacobian_values(j, at, values));
    return values;
}

START_TEST(long_ones_are_those_of_coloured_products_on_any_threads) {
    const example *e = &large[_i];
    const saros_type vector = saros_type_make(SAROS_F64, 1, &e->n);
    saros_graph *g = NULL;
    saros_jacobian *entries = NULL, *coloured = NULL;
    saros_tensor *at[2] = {NULL};
    ck_ok(saros_graph_make(&g));
    saros_value in[2] = {saros_input(g, &vector, "x")};
    in[1] = saros_input(g, &(saros_type){.dtype = SAROS_F64}, "p");
    saros_value y = e->build(in[0], in[1]);
    ck_ok(saros_jacobian_make(y, in[0], 2, in, NULL, &entries));
    ck_ok(saros_jacobian_make(y, in[0], 2, in, &(saros_jacobian_options){.coloured = true},
                              &coloured));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &e->n, &at[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 1.3, &at[1]));
    for (int64_t i = 0; i < e->n; ++i)
        ((double *)saros_tensor_data(at[0]))[i] = sin(0.3 * (double)i);
    const saros_sparsity *p = saros_jacobian_sparsity(entries);
    const int64_t count = saros_sparsity_nonzeros(p);
    ck_assert_int_eq(count, saros_sparsity_nonzeros(saros_jacobian_sparsity(coloured)));
    double *want = values_of(coloured, at), *first = NULL;
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        double *got = values_of(entries, at);
        for (int64_t k = 0; k < count; ++k) ck_near(got[k], want[k], 1e-14);
        if (first) ck_assert(!memcmp(first, got, (size_t)count * sizeof *got));
        free(first);
        first = got;
    }
    ck_ok(saros_threads_set(0));
    free(first);
    free(want);
    for (int k = 0; k < 2; ++k) saros_tensor_release(at[k]);
    saros_jacobian_release(entries);
    saros_jacobian_release(coloured);
    saros_graph_release(g);
}
END_TEST

START_TEST(what_is_not_square_or_not_f64_is_refused) {
    saros_graph *g = NULL;
    saros_jacobian *j = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){5});
    saros_value x = saros_input(g, &type, "x");
    ck_fails(saros_jacobian_make(saros_slice(x, 0, 0, 4, 1), x, 1, &x, NULL, &j), SAROS_ERR_SHAPE);
    ck_fails(saros_jacobian_make(saros_cast(x, SAROS_F32), x, 1, &x, NULL, &j), SAROS_ERR_TYPE);
    ck_assert_ptr_null(j);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_LOOPS("solvers/jacobian", {entries_are_those_of_the_products, 1},
                 {long_ones_are_those_of_coloured_products_on_any_threads,
                  sizeof large / sizeof *large},
                 {what_is_not_square_or_not_f64_is_refused, 1})
