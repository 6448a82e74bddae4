/** Patterns, colouring, compressed Jacobians and the direct solver. */
#include "saros_check.h"

#include "direct_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "sparse_impl.h"

/* Entries |i-j| <= width, and the corners if `wrap`. */
static saros_sparsity *band(int64_t n, int64_t width, bool wrap) {
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row);
    int64_t *column = malloc((size_t)(n * (2 * width + 1)) * sizeof *column), at = 0;
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            int64_t d = llabs(i - j);
            if (d <= width || (wrap && n - d <= width)) column[at++] = j;
        }
        row[i + 1] = at;
    }
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

/* Five-point pattern of an m x m grid. */
static saros_sparsity *five_point(int64_t m) {
    int64_t n = m * m, at = 0;
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row);
    int64_t *column = malloc((size_t)(5 * n) * sizeof *column);
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        if (i >= m) column[at++] = i - m;
        if (i % m > 0) column[at++] = i - 1;
        column[at++] = i;
        if (i % m < m - 1) column[at++] = i + 1;
        if (i < n - m) column[at++] = i + m;
        row[i + 1] = at;
    }
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

static double noise(int64_t k) {
    return fmod((double)(k + 1) * 0.7548776662466927, 1) - 0.5;
}

START_TEST(malformed_patterns_are_refused) {
    saros_sparsity *p = NULL;
    ck_fails(saros_sparsity_make(2, (int64_t[]){0, 2, 2}, (int64_t[]){1, 0}, &p), SAROS_ERR_USAGE);
    ck_fails(saros_sparsity_make(2, (int64_t[]){0, 1, 2}, (int64_t[]){0, 2}, &p), SAROS_ERR_USAGE);
    ck_fails(saros_sparsity_make(2, (int64_t[]){0, 2, 1}, (int64_t[]){0, 1}, &p), SAROS_ERR_USAGE);
    ck_fails(saros_sparsity_make(1, (int64_t[]){1, 1}, (int64_t[]){0}, &p), SAROS_ERR_USAGE);
    ck_assert_ptr_null(p);
}
END_TEST

/* Seven points, or with `box` all 27, of an m x m x m grid. */
static saros_sparsity *three_axes(int64_t m, bool box) {
    int64_t n = m * m * m, at = 0;
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row);
    int64_t *column = malloc((size_t)(27 * n) * sizeof *column);
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        int64_t here[3] = {i % m, i / m % m, i / m / m};
        for (int k = 0; k < 27; ++k) {
            int64_t step[3] = {k % 3 - 1, k / 3 % 3 - 1, k / 9 - 1}, apart = 0;
            bool inside = true;
            for (int a = 0; a < 3; ++a) {
                inside = inside && here[a] + step[a] >= 0 && here[a] + step[a] < m;
                apart += step[a] != 0;
            }
            if (inside && (box || apart < 2))
                column[at++] = i + step[0] + m * (step[1] + m * step[2]);
        }
        row[i + 1] = at;
    }
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

START_TEST(columns_of_one_colour_share_no_row) {
    saros_sparsity *patterns[] = {band(50, 2, false), band(50, 2, true), five_point(9),
                                  band(6, 5, false),  five_point(40),    three_axes(9, false),
                                  three_axes(6, true)};
    const int most[] = {5, 5, 5, 6, 5, 7, 27}; /* of grids: those of PETSc's DMDA */
    for (int t = 0; t < 7; ++t) {
        saros_sparsity *p = patterns[t];
        int colours = 0;
        const int *of = NULL;
        ck_ok(saros_sparsity_colour(p, &colours, &of));
        ck_assert_int_le(colours, most[t]);
        const int64_t *row = saros_sparsity_rows(p), *column = saros_sparsity_columns(p);
        for (int64_t i = 0; i < saros_sparsity_size(p); ++i)
            for (int64_t a = row[i]; a < row[i + 1]; ++a)
                for (int64_t b = row[i]; b < a; ++b) ck_assert_int_ne(of[column[a]], of[column[b]]);
        saros_sparsity_release(p);
    }
}
END_TEST

START_TEST(patterns_from_patterns_hold_what_they_say) {
    saros_sparsity *off = NULL, *with = NULL, *blocks = NULL, *same = NULL;
    ck_ok(saros_sparsity_make(3, (int64_t[]){0, 1, 1, 3}, (int64_t[]){1, 0, 1}, &off));
    ck_ok(saros_sparsity_with_diagonal(off, &with));
    const int64_t want_row[] = {0, 2, 3, 6}, want_column[] = {0, 1, 1, 0, 1, 2};
    ck_assert_mem_eq(saros_sparsity_rows(with), want_row, sizeof want_row);
    ck_assert_mem_eq(saros_sparsity_columns(with), want_column, sizeof want_column);
    ck_ok(saros_sparsity_with_diagonal(with, &same));
    ck_assert_ptr_eq(same, with);
    ck_ok(saros_sparsity_repeat(with, 2, &blocks));
    ck_assert_int_eq(saros_sparsity_nonzeros(blocks), 12);
    ck_assert_int_eq(saros_sparsity_columns(blocks)[11], 5);
    int64_t lower, upper;
    saros_sparsity_bandwidth(blocks, &lower, &upper);
    ck_assert_int_eq(lower, 2);
    ck_assert_int_eq(upper, 1);
    saros_sparsity_release(off);
    saros_sparsity_release(same);
    saros_sparsity_release(with);
    saros_sparsity_release(blocks);
}
END_TEST

/* J v of F_i = x_{i-1} x_i + x_{i+1}^2 (zero outside), whose Jacobian is tridiagonal. */
static saros_function *quadratic_product(int64_t n) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, &n);
    saros_value x = saros_input(g, &type, "x"), v = saros_input(g, &type, "v"), product;
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value right = saros_shift(x, 0, -1, SAROS_EDGE_ZERO);
    saros_value r = saros_add(saros_mul(left, x), saros_power(right, 2));
    saros_jvp(1, &r, 1, &x, &v, &product);
    ck_ok(saros_compile(g, 2, (saros_value[]){x, v}, 1, &product, NULL, &f));
    saros_graph_release(g);
    return f;
}

START_TEST(compressed_jacobian_is_exact) {
    enum { N = 40 };
    saros_function *product = quadratic_product(N);
    saros_sparsity *p = band(N, 1, false);
    saros_tensor *x = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 1, (int64_t[]){N}, &x));
    double *u = saros_tensor_data(x), values[3 * N];
    for (int64_t i = 0; i < N; ++i) u[i] = noise(i);
    ck_ok(saros_sparse_jacobian(p, product, 1, &x, values));
    ck_ok(saros_sparse_verify(p, product, 1, &x, values));
    const int64_t *row = saros_sparsity_rows(p), *column = saros_sparsity_columns(p);
    for (int64_t i = 0; i < N; ++i)
        for (int64_t k = row[i]; k < row[i + 1]; ++k) {
            int64_t j = column[k];
            double want = j == i - 1 ? u[i] : j == i + 1 ? 2 * u[i + 1] : i > 0 ? u[i - 1] : 0;
            ck_assert_double_eq(values[k], want);
        }
    saros_tensor_release(x);
    saros_sparsity_release(p);
    saros_function_release(product);
}
END_TEST

START_TEST(missing_entries_are_found) {
    enum { N = 20 };
    saros_function *product = quadratic_product(N);
    saros_sparsity *p = band(N, 0, false);
    saros_tensor *x = NULL;
    double values[N];
    ck_ok(saros_tensor_make(SAROS_F64, 1, (int64_t[]){N}, &x));
    for (int64_t i = 0; i < N; ++i) ((double *)saros_tensor_data(x))[i] = noise(i);
    ck_ok(saros_sparse_jacobian(p, product, 1, &x, values));
    ck_fails(saros_sparse_verify(p, product, 1, &x, values), SAROS_ERR_USAGE);
    saros_tensor_release(x);
    saros_sparsity_release(p);
    saros_function_release(product);
}
END_TEST

static void apply(const saros_sparsity *p, const double *a, bool transposed, const double *x,
                  double *y) {
    int64_t n = p->n;
    for (int64_t i = 0; i < n; ++i) y[i] = 0;
    for (int64_t i = 0; i < n; ++i)
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            int64_t j = p->column[k];
            y[transposed ? j : i] += a[k] * x[transposed ? i : j];
        }
}

/* Badly scaled rows; then a second matrix through the same object. */
static void solve_both_ways(saros_sparsity *p, const char *method) {
    int64_t n = p->n;
    saros_direct *direct = NULL;
    ck_ok(saros_direct_make(p, &direct));
    ck_assert_str_eq(saros_direct_name(direct), method);
    double *a = malloc((size_t)p->nonzeros * sizeof *a);
    double *x = malloc((size_t)n * sizeof *x), *b = malloc(2 * (size_t)n * sizeof *b);
    for (int round = 0; round < 2; ++round) {
        for (int64_t i = 0; i < n; ++i)
            for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k)
                a[k] = (noise(k + round * 1000) + (p->column[k] == i ? 3 + round : 0)) *
                       (i % 3 ? 1 : 1e8);
        ck_ok(saros_direct_factorise(direct, a));
        for (int transposed = 0; transposed < 2; ++transposed) {
            for (int64_t i = 0; i < n; ++i) x[i] = noise(i) * (transposed && i % 3 == 0 ? 1e-8 : 1);
            apply(p, a, transposed, x, b);
            for (int64_t i = 0; i < n; ++i) b[n + i] = 2 * b[i];
            ck_ok(saros_direct_solve(direct, transposed, 2, b));
            for (int64_t i = 0; i < n; ++i) {
                double size = transposed && i % 3 == 0 ? 1e-8 : 1;
                ck_assert_double_le(fabs(b[i] - x[i]), 1e-12 * size);
                ck_assert_double_le(fabs(b[n + i] - 2 * x[i]), 1e-12 * size);
            }
        }
    }
    free(a);
    free(x);
    free(b);
    saros_direct_release(direct);
    saros_sparsity_release(p);
}

START_TEST(direct_solver_chooses_and_solves_both_ways) {
    saros_sparsity *dense = NULL;
    ck_ok(saros_sparsity_dense(7, &dense));
    solve_both_ways(dense, "dense LU");
    solve_both_ways(band(200, 2, false), "banded LU");
    solve_both_ways(band(200, 2, true), "KLU");
    solve_both_ways(five_point(20), "KLU");
}
END_TEST

/* Entries up to `below` under the diagonal and `above` over it. */
static saros_sparsity *uneven_band(int64_t n, int64_t below, int64_t above) {
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row), at = 0;
    int64_t *column = malloc((size_t)(n * (below + above + 1)) * sizeof *column);
    saros_sparsity *p = NULL;
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = i - below; j <= i + above; ++j)
            if (j >= 0 && j < n) column[at++] = j;
        row[i + 1] = at;
    }
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

/* Small diagonals ask for row exchanges; the residual is that of a backward stable solve. Narrow
 * bands and such as go to LAPACK. */
START_TEST(bands_are_solved_with_exchanges) {
    static const int64_t of[][2] = {{0, 3}, {1, 1}, {2, 2}, {3, 3},  {4, 4}, {3, 1},
                                    {1, 4}, {7, 0}, {8, 8}, {5, 11}, {9, 9}, {20, 2}};
    enum { N = 150 };
    for (size_t k = 0; k < sizeof of / sizeof *of; ++k) {
        saros_sparsity *p = uneven_band(N, of[k][0], of[k][1]);
        saros_direct *direct = NULL;
        double *a = malloc((size_t)p->nonzeros * sizeof *a), x[N], b[N], back[N];
        const bool exchanges = of[k][0] && of[k][1];
        for (int64_t i = 0; i < N; ++i)
            for (int64_t e = p->row[i]; e < p->row[i + 1]; ++e)
                a[e] = p->column[e] != i ? fmod(sin((double)e + 1) * 43758.5453, 1)
                       : exchanges       ? 1e-3 * noise(e)
                                         : 2 + noise(e);
        ck_ok(saros_direct_make(p, &direct));
        ck_assert_str_eq(saros_direct_name(direct), "banded LU");
        ck_ok(saros_direct_factorise(direct, a));
        for (int transposed = 0; transposed < 2; ++transposed) {
            double size = 0, worst = 0;
            for (int64_t i = 0; i < N; ++i) x[i] = b[i] = noise(7 * i);
            ck_ok(saros_direct_solve(direct, transposed, 1, x));
            apply(p, a, transposed, x, back);
            for (int64_t i = 0; i < N; ++i) {
                size = fmax(size, fabs(x[i]));
                worst = fmax(worst, fabs(back[i] - b[i]));
            }
            ck_assert_msg(worst <= 1e-12 * size, "band %d+%d, %s: residual %.2e of %.2e",
                          (int)of[k][0], (int)of[k][1], transposed ? "transposed" : "plain", worst,
                          size);
        }
        free(a);
        saros_direct_release(direct);
        saros_sparsity_release(p);
    }
}
END_TEST

/* Second differences with free ends: constants are in the kernel. */
static void refuses_singular(saros_sparsity *p) {
    saros_direct *direct = NULL;
    double *a = malloc((size_t)p->nonzeros * sizeof *a);
    for (int64_t i = 0; i < p->n; ++i) {
        double sum = 0;
        int64_t diagonal = 0;
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            a[k] = 1;
            sum += 1;
            if (p->column[k] == i) diagonal = k;
        }
        a[diagonal] = 1 - sum;
    }
    ck_ok(saros_direct_make(p, &direct));
    ck_fails(saros_direct_factorise(direct, a), SAROS_ERR_DOMAIN);
    double *b = calloc((size_t)p->n, sizeof *b);
    ck_fails(saros_direct_solve(direct, false, 1, b), SAROS_ERR_INTERNAL);
    a[0] = NAN;
    ck_fails(saros_direct_factorise(direct, a), SAROS_ERR_NAN);
    free(a);
    free(b);
    saros_direct_release(direct);
    saros_sparsity_release(p);
}

START_TEST(singular_and_not_finite_matrices_are_errors) {
    saros_sparsity *dense = NULL;
    ck_ok(saros_sparsity_dense(5, &dense));
    refuses_singular(dense);
    refuses_singular(band(60, 1, false));
    refuses_singular(five_point(8));
}
END_TEST

SAROS_TEST_MAIN("solvers/sparse", malformed_patterns_are_refused,
                columns_of_one_colour_share_no_row, patterns_from_patterns_hold_what_they_say,
                compressed_jacobian_is_exact, missing_entries_are_found,
                direct_solver_chooses_and_solves_both_ways, bands_are_solved_with_exchanges,
                singular_and_not_finite_matrices_are_errors)
