/** Sparse Hessians against dense ones, and star colourings against their definition and known
 * numbers of colours. */
#include "saros_check.h"

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/sparse.h"

typedef saros_value build_fn(saros_value x, saros_value p);

static saros_value part(saros_value x, int64_t from, int64_t less) {
    int64_t n = saros_value_type(x)->shape[0];
    return saros_slice(x, 0, from, n - less + from, 1);
}
static saros_value total(saros_value v) {
    return saros_sum(v, (1u << saros_value_rank(v)) - 1);
}

/* The first unknown meets all others. */
static saros_value arrowhead(saros_value x, saros_value p) {
    saros_value head = saros_slice(x, 0, 0, 1, 1), square = saros_mul(x, x);
    head = saros_broadcast(saros_reshape(head, 0, NULL), 1, saros_value_type(x)->shape, NULL);
    return total(saros_mul(square, saros_add(saros_mul(p, square), saros_sin(head))));
}

static saros_value tridiagonal(saros_value x, saros_value p) {
    return total(saros_sin(saros_mul(p, saros_mul(part(x, 0, 1), part(x, 1, 1)))));
}

static saros_value pentadiagonal(saros_value x, saros_value p) {
    saros_value product = saros_mul(saros_mul(part(x, 0, 2), part(x, 1, 2)), part(x, 2, 2));
    return saros_mul(p, total(saros_exp(product)));
}

static saros_value separable(saros_value x, saros_value p) {
    return total(saros_exp(saros_mul(p, x)));
}

/* Chained Rosenbrock: sum 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 */
static saros_value rosenbrock(saros_value x, saros_value p) {
    saros_value low = part(x, 0, 1), high = part(x, 1, 1);
    saros_value valley = saros_sub(high, saros_mul(low, low));
    saros_value slope = saros_sub(saros_like(low, 1), low);
    saros_value hundred = saros_mul(saros_like(p, 100), p);
    return total(saros_add(saros_mul(hundred, saros_mul(valley, valley)), saros_mul(slope, slope)));
}

/* Of a 12 x 12 grid: sum phi(u_x) + phi(u_y), which couples five points. */
static saros_value grid_energy(saros_value x, saros_value p) {
    saros_value u = saros_reshape(x, 2, (int64_t[]){12, 12}), sum = SAROS_NONE;
    for (int axis = 0; axis < 2; ++axis) {
        saros_value d = saros_sub(saros_slice(u, axis, 1, 12, 1), saros_slice(u, axis, 0, 11, 1));
        d = saros_mul(d, d);
        d = total(saros_add(saros_mul(p, d), saros_mul(d, d)));
        sum = axis ? saros_add(sum, d) : d;
    }
    return sum;
}

/* Area of a surface: sum sqrt(1 + u_x^2 + u_y^2), which couples seven points. */
static saros_value area(saros_value x, saros_value p) {
    saros_value u = saros_reshape(x, 2, (int64_t[]){12, 12});
    saros_value own = saros_slice(saros_slice(u, 0, 0, 11, 1), 1, 0, 11, 1);
    saros_value down = saros_slice(saros_slice(u, 0, 1, 12, 1), 1, 0, 11, 1);
    saros_value right = saros_slice(saros_slice(u, 0, 0, 11, 1), 1, 1, 12, 1);
    saros_value a = saros_sub(down, own), b = saros_sub(right, own);
    saros_value square = saros_add(saros_mul(a, a), saros_mul(b, b));
    return saros_mul(p, total(saros_sqrt(saros_add(saros_like(square, 1), square))));
}

static saros_value linear(saros_value x, saros_value p) {
    return saros_mul(p, total(x));
}

static saros_value all_with_all(saros_value x, saros_value p) {
    return saros_exp(saros_mul(p, total(x)));
}

/* Through a row that is not followed: what it reads is taken as all. */
static saros_value accumulated(saros_value x, saros_value p) {
    return saros_mul(p, total(saros_power(saros_cumsum(x, 0, false), 3)));
}

typedef struct example {
    const char *name;
    build_fn *build;
    int64_t n, nonzeros;
    int colours; /* at most; the least there are for all but pentadiagonal and area */
} example;

static const example examples[] = {
    {"arrowhead", arrowhead, 40, 40 + 2 * 39, 2},
    {"tridiagonal", tridiagonal, 40, 3 * 40 - 2, 3},
    {"pentadiagonal", pentadiagonal, 40, 5 * 40 - 6, 5},
    {"separable", separable, 40, 40, 1},
    {"chained Rosenbrock", rosenbrock, 40, 3 * 40 - 2, 3},
    {"grid energy", grid_energy, 144, 144 + 4 * 12 * 11, 5},
    {"area", area, 144, 144 + 6 * 11 * 11, 7},
    {"linear", linear, 7, 7, 1},
    {"all with all", all_with_all, 7, 49, 7},
    {"accumulated", accumulated, 7, 49, 7},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

typedef struct fixture {
    saros_graph *g;
    saros_value in[2], y;
    saros_tensor *at[2];
} fixture;

static fixture fixture_make(const example *e) {
    fixture f = {0};
    saros_type vector = saros_type_make(SAROS_F64, 1, &e->n), scalar = saros_type_scalar(SAROS_F64);
    ck_ok(saros_graph_make(&f.g));
    f.in[0] = saros_input(f.g, &vector, "x");
    f.in[1] = saros_input(f.g, &scalar, "p");
    f.y = e->build(f.in[0], f.in[1]);
    ck_ok(saros_tensor_make(SAROS_F64, 1, &e->n, &f.at[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.7, &f.at[1]));
    double *x = saros_tensor_data(f.at[0]);
    for (int64_t i = 0; i < e->n; ++i) x[i] = 0.3 + 0.4 * sin(2.1 * (double)i);
    return f;
}

static void fixture_free(fixture *f) {
    for (int k = 0; k < 2; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
}

static void run(const fixture *f, int outs, const saros_value *out, saros_tensor **value) {
    saros_function *function = NULL;
    for (int k = 0; k < outs; ++k) value[k] = NULL;
    ck_ok(saros_compile(f->g, 2, f->in, outs, out, NULL, &function));
    ck_ok(saros_function_call(function, f->at, value, NULL));
    saros_function_release(function);
}

/* Values in the pattern are those of the dense matrix, which is 0 elsewhere. */
static void check_values(const example *e, saros_sparsity *p, const double *values,
                         const double *dense) {
    const int64_t *row = saros_sparsity_rows(p), *column = saros_sparsity_columns(p);
    for (int64_t i = 0; i < e->n; ++i)
        for (int64_t j = 0, k = row[i]; j < e->n; ++j) {
            double want = dense[i * e->n + j];
            double got = k < row[i + 1] && column[k] == j ? values[k++] : 0;
            ck_assert_msg(fabs(got - want) <= 1e-13 * (1 + fabs(want)),
                          "%s (%d,%d): %.17g, wanted %.17g", e->name, (int)i, (int)j, got, want);
        }
}

START_TEST(values_are_those_of_dense_hessians) {
    for (int t = 0; t < EXAMPLES; ++t) {
        const example *e = &examples[t];
        fixture f = fixture_make(e);
        saros_sparsity *p = NULL;
        saros_value out[2] = {saros_sparse_hessian(f.y, f.in[0], &p), saros_hessian(f.y, f.in[0])};
        saros_tensor *value[2];
        run(&f, 2, out, value);
        ck_assert_msg(saros_sparsity_nonzeros(p) == e->nonzeros, "%s: %d nonzeros", e->name,
                      (int)saros_sparsity_nonzeros(p));
        const double *dense = saros_tensor_const_data(value[1]);
        check_values(e, p, saros_tensor_const_data(value[0]), dense);
        for (int coloured = 0; coloured < 2; ++coloured) {
            saros_jacobian *h = NULL;
            ck_ok(saros_hessian_make(f.y, f.in[0], 2, f.in,
                                     &(saros_jacobian_options){.coloured = coloured}, &h));
            saros_sparsity *own = saros_jacobian_sparsity(h);
            ck_assert_int_eq(saros_sparsity_nonzeros(own), e->nonzeros);
            double *values = malloc((size_t)e->nonzeros * sizeof *values);
            ck_ok(saros_jacobian_values(h, f.at, values));
            check_values(e, own, values, dense);
            if (coloured)
                ck_assert_msg(saros_jacobian_arrays(h) <= e->colours, "%s: %d colours", e->name,
                              saros_jacobian_arrays(h));
            free(values);
            saros_jacobian_release(h);
        }
        for (int k = 0; k < 2; ++k) saros_tensor_release(value[k]);
        saros_sparsity_release(p);
        fixture_free(&f);
    }
}
END_TEST

/* d/dp of the values by both modes, and third derivatives along x, against the dense ones. */
START_TEST(values_differentiate_further) {
    for (int t = 0; t < EXAMPLES; ++t) {
        const example *e = &examples[t];
        fixture f = fixture_make(e);
        saros_sparsity *p = NULL;
        saros_value h[2] = {saros_sparse_hessian(f.y, f.in[0], &p), saros_hessian(f.y, f.in[0])};
        saros_value along[2] = {saros_cos(f.in[0]), saros_like(f.in[1], 1)}, out[4];
        for (int k = 0; k < 2; ++k) {
            saros_jvp(1, &h[k], 2, f.in, along, &out[k]);
            out[k] = saros_instantiate(out[k], h[k]);
            saros_value square = total(saros_mul(h[k], h[k]));
            saros_vjp(1, &square, NULL, 1, &f.in[1], &out[2 + k]);
            out[2 + k] = saros_instantiate(out[2 + k], f.in[1]);
        }
        saros_tensor *value[4];
        run(&f, 4, out, value);
        check_values(e, p, saros_tensor_const_data(value[0]), saros_tensor_const_data(value[1]));
        double got, want;
        ck_ok(saros_tensor_item(value[2], &got));
        ck_ok(saros_tensor_item(value[3], &want));
        ck_near(got, want, 1e-12);
        for (int k = 0; k < 4; ++k) saros_tensor_release(value[k]);
        saros_sparsity_release(p);
        fixture_free(&f);
    }
}
END_TEST

/* ---- colourings ---- */

/* Entries (i, j) for which `meets` says so, and the diagonal. */
static saros_sparsity *pattern_of(int64_t n, bool (*meets)(int64_t i, int64_t j)) {
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row), at = 0;
    int64_t *column = malloc((size_t)(n * n) * sizeof *column);
    saros_sparsity *p = NULL;
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j)
            if (i == j || meets(i, j)) column[at++] = j;
        row[i + 1] = at;
    }
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

static bool in_arrow(int64_t i, int64_t j) {
    return i == 0 || j == 0;
}
static bool in_arrow_turned(int64_t i, int64_t j) {
    return i == 299 || j == 299;
}
static bool in_chain(int64_t i, int64_t j) {
    return llabs(i - j) == 1;
}
static bool in_ring(int64_t i, int64_t j) {
    return llabs(i - j) == 1 || llabs(i - j) == 299;
}
static bool in_grid(int64_t i, int64_t j) { /* 20 wide */
    return llabs(i - j) == 20 || (llabs(i - j) == 1 && i / 20 == j / 20);
}
static bool at_random(int64_t i, int64_t j) {
    int64_t low = i < j ? i : j, high = i < j ? j : i;
    return fmod((double)(low * 300 + high) * 0.7548776662466927, 1) < 0.02;
}
static bool in_blocks(int64_t i, int64_t j) {
    return i / 10 == j / 10;
}
static bool everywhere(int64_t i, int64_t j) {
    (void)i;
    (void)j;
    return true;
}

/* Neighbours differ, and no path v w x y has two colours alone. */
static void check_star(const saros_sparsity *p, const int *of) {
    const int64_t *row = saros_sparsity_rows(p), *column = saros_sparsity_columns(p);
    for (int64_t w = 0; w < saros_sparsity_size(p); ++w)
        for (int64_t k = row[w]; k < row[w + 1]; ++k) {
            int64_t x = column[k];
            if (x == w) continue;
            ck_assert_int_ne(of[w], of[x]);
            for (int64_t a = row[w]; a < row[w + 1]; ++a)
                for (int64_t b = row[x]; b < row[x + 1]; ++b) {
                    int64_t v = column[a], y = column[b];
                    bool path = v != w && v != x && y != x && y != w && v != y;
                    ck_assert(!path || of[v] != of[x] || of[w] != of[y]);
                }
        }
}

START_TEST(star_colourings_leave_stars) {
    static const struct {
        bool (*meets)(int64_t i, int64_t j);
        int most;
    } cases[] = {{in_arrow, 2}, {in_arrow_turned, 2}, {in_chain, 3},   {in_ring, 4},
                 {in_grid, 5},  {in_blocks, 10},      {at_random, 24}, {everywhere, 300}};
    for (size_t t = 0; t < sizeof cases / sizeof *cases; ++t) {
        saros_sparsity *p = pattern_of(300, cases[t].meets);
        int of[300], colours = 0;
        ck_ok(saros_sparsity_colour_star(p, &colours, of));
        ck_assert_msg(colours <= cases[t].most, "case %d: %d colours", (int)t, colours);
        if (cases[t].meets != everywhere) check_star(p, of);
        saros_sparsity_release(p);
    }
}
END_TEST

/* A star far too wide for a colouring that looks at all pairs of its leaves. */
START_TEST(wide_stars_are_coloured_in_linear_time) {
    enum { WIDE = 400000 };
    int64_t *row = malloc((WIDE + 1) * sizeof *row), *column = malloc(3 * WIDE * sizeof *column);
    int64_t at = 0;
    int colours = 0, *of = malloc(WIDE * sizeof *of);
    saros_sparsity *p = NULL;
    row[0] = 0;
    for (int64_t i = 0; i < WIDE; ++i) {
        for (int64_t j = 0; i == 0 && j < WIDE; ++j) column[at++] = j;
        if (i > 0) column[at++] = 0;
        if (i > 0) column[at++] = i;
        row[i + 1] = at;
    }
    ck_ok(saros_sparsity_make(WIDE, row, column, &p));
    ck_ok(saros_sparsity_colour_star(p, &colours, of));
    ck_assert_int_eq(colours, 2);
    saros_sparsity_release(p);
    free(row);
    free(column);
    free(of);
}
END_TEST

START_TEST(what_has_no_hessian_is_refused) {
    fixture f = fixture_make(&examples[3]);
    saros_sparsity *p = NULL;
    saros_jacobian *h = NULL;
    ck_fails(saros_hessian_make(saros_sin(f.in[0]), f.in[0], 2, f.in, NULL, &h), SAROS_ERR_SHAPE);
    fixture_free(&f);
    f = fixture_make(&examples[3]);
    ck_assert(saros_is_poisoned(saros_sparse_hessian(saros_sin(f.in[0]), f.in[0], &p)));
    ck_fails(saros_graph_status(f.g), SAROS_ERR_SHAPE);
    ck_assert_ptr_null(p);
    ck_assert_ptr_null(h);
    int colours, of[2];
    ck_ok(saros_sparsity_make(2, (int64_t[]){0, 2, 3}, (int64_t[]){0, 1, 1}, &p));
    ck_fails(saros_sparsity_colour_star(p, &colours, of), SAROS_ERR_USAGE);
    saros_sparsity_release(p);
    fixture_free(&f);
}
END_TEST

SAROS_TEST_MAIN("solvers/hessian", values_are_those_of_dense_hessians, values_differentiate_further,
                star_colourings_leave_stars, wide_stars_are_coloured_in_linear_time,
                what_has_no_hessian_is_refused)
