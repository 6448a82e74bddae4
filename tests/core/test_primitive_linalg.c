/** Dense linear algebra by its residuals, on stacks of matrices in both dtypes; errors that name
 * the pivot; rules that autodiff uses are tested with the other rows' (tests/autodiff). */
#include "core/primitive_run.h"

enum { COUNT = 2, SIZE = 6, COLUMNS = 3 };

static double tolerance(saros_dtype dtype) {
    return dtype == SAROS_F64 ? 1e-12 : 1e-4;
}

/** Well-conditioned stack (COUNT, SIZE, SIZE): random, with SIZE added on the diagonal. */
static saros_tensor *matrices(saros_dtype dtype) {
    saros_tensor *a = run_random(SAROS_F64, 3, SHAPE(COUNT, SIZE, SIZE), -1, 1, 8), *out = NULL;
    double *x = saros_tensor_data(a);
    for (int m = 0; m < COUNT; ++m)
        for (int i = 0; i < SIZE; ++i) x[(m * SIZE + i) * SIZE + i] += SIZE;
    ck_ok(saros_tensor_cast(a, dtype, &out));
    saros_tensor_release(a);
    return out;
}

/** op(a)[m] times x[m], element (i, c); `lower`: only the lower triangle of a counts. */
static double product(const saros_tensor *a, const saros_tensor *x, bool transposed, bool lower,
                      int m, int i, int c, int columns) {
    double sum = 0;
    for (int k = 0; k < SIZE; ++k) {
        int row = transposed ? k : i, column = transposed ? i : k;
        if (lower && column > row) continue;
        sum += run_item(a, (m * SIZE + row) * SIZE + column) *
               run_item(x, (m * SIZE + k) * columns + c);
    }
    return sum;
}

static bool transposed_now;
static saros_value build_solve(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_lu_solve(saros_lu(x[0]), x[0], x[1], transposed_now);
}
static saros_value build_triangular(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_triangular_solve(x[0], x[1], transposed_now);
}

static void check_solve(run_build *build, bool lower, saros_dtype dtype, bool vector) {
    int columns = vector ? 1 : COLUMNS;
    saros_tensor *in[] = {matrices(dtype),
                          run_random(dtype, vector ? 2 : 3, SHAPE(COUNT, SIZE, COLUMNS), -1, 1, 9)};
    saros_tensor *x = run(build, 2, in);
    for (int m = 0; m < COUNT; ++m)
        for (int i = 0; i < SIZE; ++i)
            for (int c = 0; c < columns; ++c)
                ck_near(product(in[0], x, transposed_now, lower, m, i, c, columns),
                        run_item(in[1], (m * SIZE + i) * columns + c), tolerance(dtype));
    run_release(2, in);
    saros_tensor_release(x);
}
START_TEST(solutions_satisfy_their_equations) {
    transposed_now = _i & 1;
    saros_dtype dtype = _i & 2 ? SAROS_F32 : SAROS_F64;
    check_solve(build_solve, false, dtype, _i & 4);
    check_solve(build_triangular, true, dtype, _i & 4);
}
END_TEST

static saros_value build_cholesky(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_cholesky(x[0]);
}
START_TEST(cholesky_factor_squares_to_the_symmetric_part) {
    saros_dtype dtype = _i ? SAROS_F32 : SAROS_F64;
    saros_tensor *a = matrices(dtype), *l = run(build_cholesky, 1, &a);
    for (int m = 0; m < COUNT; ++m)
        for (int i = 0; i < SIZE; ++i)
            for (int j = 0; j < SIZE; ++j) {
                double sum = 0;
                for (int k = 0; k < SIZE; ++k)
                    sum += run_item(l, (m * SIZE + i) * SIZE + k) *
                           run_item(l, (m * SIZE + j) * SIZE + k);
                double wanted = (run_item(a, (m * SIZE + i) * SIZE + j) +
                                 run_item(a, (m * SIZE + j) * SIZE + i)) /
                                2;
                ck_near(sum, wanted, tolerance(dtype));
                if (j > i) ck_assert(run_item(l, (m * SIZE + i) * SIZE + j) == 0);
            }
    saros_tensor_release(a);
    saros_tensor_release(l);
}
END_TEST

static int part;
static saros_value build_eigh(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value y[2];
    saros_eigh(x[0], &y[0], &y[1]);
    return y[part];
}
START_TEST(eigenvectors_diagonalise) {
    saros_dtype dtype = _i ? SAROS_F32 : SAROS_F64;
    saros_tensor *a = matrices(dtype), *w, *v;
    part = 0;
    w = run(build_eigh, 1, &a);
    part = 1;
    v = run(build_eigh, 1, &a);
    for (int m = 0; m < COUNT; ++m)
        for (int j = 0; j < SIZE; ++j) {
            double norm = 0, largest = 0;
            if (j) ck_assert(run_item(w, m * SIZE + j - 1) <= run_item(w, m * SIZE + j));
            for (int i = 0; i < SIZE; ++i) {
                double x = run_item(v, (m * SIZE + i) * SIZE + j);
                double ax = (product(a, v, false, false, m, i, j, SIZE) +
                             product(a, v, true, false, m, i, j, SIZE)) /
                            2;
                ck_near(ax, run_item(w, m * SIZE + j) * x, tolerance(dtype));
                norm += x * x;
                if (fabs(x) > fabs(largest)) largest = x;
            }
            ck_near(norm, 1, tolerance(dtype));
            ck_assert(largest > 0);
        }
    saros_tensor_release(a);
    saros_tensor_release(w);
    saros_tensor_release(v);
}
END_TEST

static saros_value build_det(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_det(x[0]);
}
START_TEST(determinants_of_known_matrices) {
    const double data[] = {0, 2, 3, 4, 1, 2, 2, 4, 5, 6, 7, 8};
    saros_tensor *a = run_tensor(SAROS_F64, 3, SHAPE(3, 2, 2), data), *d = run(build_det, 1, &a);
    run_holds(d, 3, (const double[]){-6, 0, -2});
    saros_tensor_release(a);
    saros_tensor_release(d);
    a = run_tensor(SAROS_F32, 2, SHAPE(1, 1), (const double[]){-3});
    d = run(build_det, 1, &a);
    run_holds(d, 1, (const double[]){-3});
    saros_tensor_release(a);
    saros_tensor_release(d);
}
END_TEST

static saros_value build_plain_solve(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_solve(x[0], x[1]);
}
static void check_failure(run_build *build, const double *matrix, const char *text) {
    saros_tensor *in[] = {run_tensor(SAROS_F64, 2, SHAPE(2, 2), matrix),
                          run_tensor(SAROS_F64, 1, SHAPE(2), (const double[]){1, 1})};
    saros_tensor *out = NULL;
    ck_fails(run_try(build, 2, in, &out), SAROS_ERR_DOMAIN);
    ck_assert_msg(strstr(saros_error_last()->message, text), "%s", saros_error_last()->message);
    ck_assert_ptr_null(out);
    run_release(2, in);
}
START_TEST(singular_and_indefinite_matrices_name_the_pivot) {
    check_failure(build_plain_solve, (const double[]){1, 2, 2, 4}, "pivot 2 of 2 is zero");
    check_failure(build_triangular, (const double[]){0, 0, 2, 4}, "pivot 1 of 2 is zero");
    check_failure(build_cholesky, (const double[]){1, 2, 2, 1}, "pivot 2 of 2 is not positive");
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_named) {
    saros_type types[] = {saros_type_make(SAROS_F64, 2, SHAPE(3, 4)),
                          saros_type_make(SAROS_F64, 1, SHAPE(4))};
    ck_assert_str_eq(run_message(build_plain_solve, 2, types, SAROS_ERR_SHAPE),
                     "f64[3,4] is no square matrix of f64 or f32");
    types[0] = saros_type_make(SAROS_F64, 2, SHAPE(3, 3));
    ck_assert_str_eq(run_message(build_plain_solve, 2, types, SAROS_ERR_SHAPE),
                     "matrix f64[3,3] and right-hand side f64[4]");
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_linalg", {solutions_satisfy_their_equations, 8},
                 {cholesky_factor_squares_to_the_symmetric_part, 2}, {eigenvectors_diagonalise, 2},
                 {determinants_of_known_matrices, 1},
                 {singular_and_indefinite_matrices_name_the_pivot, 1},
                 {shapes_that_do_not_fit_are_named, 1})
