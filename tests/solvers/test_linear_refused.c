/** Linear solves that are refused or do not converge, and what they say. */
#include <string.h>

#include "linear_chain.h"

typedef int derive_fn(const fixture *t, saros_value x, saros_value *out);

static saros_status square(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_mul(x, x);
    return SAROS_OK;
}
static saros_status affine(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_add(saros_mul(saros_like(x, 2), x), saros_like(x, 1));
    return SAROS_OK;
}
static saros_status differences(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_sub(x, saros_shift(x, 0, 1, SAROS_EDGE_WRAP));
    return SAROS_OK;
}
static saros_status scaled(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    *y = saros_mul(*(saros_value *)user, x);
    return SAROS_OK;
}
static saros_status shortened(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_slice(x, 0, 0, N - 1, 1);
    return SAROS_OK;
}

static const saros_krylov_options krylov_matrix = {.solve = {.max_iterations = 200}};
static const saros_krylov_options krylov_shell = {.matrix_free = true,
                                                  .solve = {.max_iterations = 200}};

/* The status of solving with `product`, directly and by both Krylov ways. */
static void check_refused(saros_residual_fn product, saros_status direct, saros_status matrix,
                          saros_status shell) {
    const saros_krylov_options *ways[] = {NULL, &krylov_matrix, &krylov_shell};
    const saros_status want[] = {direct, matrix, shell};
    for (int k = 0; k < 3; ++k) {
        fixture t = fixture_make(0);
        saros_value x = saros_linear_solve(
            t.in[2], product, &t.k, &(saros_linear_options){.krylov = ways[k], .name = "probe"});
        ck_fails(run(&t, x), want[k]);
        fixture_free(&t);
    }
}

START_TEST(products_that_are_not_linear_or_not_square_are_refused) {
    check_refused(square, SAROS_ERR_USAGE, SAROS_ERR_USAGE, SAROS_ERR_USAGE);
    check_refused(affine, SAROS_ERR_USAGE, SAROS_ERR_USAGE, SAROS_ERR_USAGE);
    ck_assert_str_eq(saros_error_last()->where, "probe");
    check_refused(shortened, SAROS_ERR_SHAPE, SAROS_ERR_SHAPE, SAROS_ERR_SHAPE);
}
END_TEST

START_TEST(singular_matrices_are_errors) {
    check_refused(differences, SAROS_ERR_DOMAIN, SAROS_ERR_NOT_CONVERGED, SAROS_ERR_NOT_CONVERGED);
    ck_assert_str_eq(saros_error_last()->where, "probe");
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "iterations"));
}
END_TEST

START_TEST(values_that_are_not_finite_are_errors) {
    const saros_krylov_options *ways[] = {NULL, &krylov_matrix, &krylov_shell};
    for (int k = 0; k < 3; ++k)
        for (int of_b = k == 0 ? 0 : 1; of_b >= 0; --of_b) {
            fixture t = fixture_make(0);
            saros_value bad = saros_log(saros_sub(t.in[1], saros_like(t.in[1], 10)));
            saros_value b = of_b ? bad : t.in[2], a = of_b ? t.in[1] : bad;
            saros_value x =
                saros_linear_solve(b, scaled, &a, &(saros_linear_options){.krylov = ways[k]});
            ck_fails(run(&t, x), SAROS_ERR_NAN);
            fixture_free(&t);
        }
}
END_TEST

START_TEST(wrong_right_sides_and_patterns_are_refused) {
    fixture t = fixture_make(0);
    ck_assert(saros_is_poisoned(
        saros_linear_solve(saros_cast(t.in[2], SAROS_F32), chain_product, &t.k, NULL)));
    ck_fails(saros_graph_status(t.g), SAROS_ERR_TYPE);
    fixture_free(&t);
    saros_sparsity *pattern = NULL;
    int64_t row[N + 1], column[N];
    for (int i = 0; i < N; ++i) row[i] = column[i] = i;
    row[N] = N;
    for (int k = 0; k < 2; ++k) {
        t = fixture_make(0);
        ck_ok(saros_sparsity_make(N, row, column, &pattern));
        saros_linear_options options = {.sparsity = pattern, .krylov = k ? &krylov_matrix : NULL};
        ck_fails(run(&t, saros_linear_solve(t.in[2], chain_product, &t.k, &options)),
                 SAROS_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "misses entries"));
        saros_sparsity_release(pattern);
        fixture_free(&t);
    }
}
END_TEST

static void check_option(const char *petsc, const char *said) {
    fixture t = fixture_make(0);
    const saros_krylov_options krylov = {.petsc = petsc};
    saros_value x = saros_linear_solve(t.in[2], chain_product, &t.k,
                                       &(saros_linear_options){.krylov = &krylov});
    ck_fails(run(&t, x), SAROS_ERR_USAGE);
    ck_assert_msg(strstr(saros_error_last()->message, said) != NULL, "%s",
                  saros_error_last()->message);
    fixture_free(&t);
}

START_TEST(options_petsc_does_not_know_are_errors) {
    check_option("ksp_type gmress", "gmress");
    check_option("pc_type iluu", "iluu");
    check_option("ksp_tipe cg", "ksp_tipe");
    check_option("ksp_type", "has no value");
    check_option("ksp_monitor 1", "prints");
}
END_TEST

/* One iteration allowed to the solve, its derivative, or its transposed derivative: the message
 * tells which did not converge. */
START_TEST(failures_tell_solve_derivative_and_transposed_derivative_apart) {
    static const char *const said[] = {"the solve did", "the derivative did",
                                       "the transposed derivative did"};
    static derive_fn *const derive[] = {plain, forward, reverse};
    for (int m = 0; m < 2; ++m)
        for (int role = 0; role < 3; ++role) {
            fixture t = fixture_make(0);
            saros_krylov_options krylov = {.petsc = "pc_type none", .matrix_free = m == 1};
            const saros_krylov_tolerance few = {.max_iterations = 1}, many = {.max_iterations = 99};
            krylov.solve = role == 0 ? few : many;
            krylov.derivative = role == 1 ? few : many;
            krylov.transposed = role == 2 ? few : many;
            saros_value out[3],
                x = saros_linear_solve(t.in[2], chain_product, &t.k,
                                       &(saros_linear_options){.krylov = &krylov, .name = "heat"});
            derive[role](&t, x, out);
            ck_ok(role == 0 ? SAROS_OK : run(&t, x));
            ck_fails(run(&t, out[0]), SAROS_ERR_NOT_CONVERGED);
            ck_assert_str_eq(saros_error_last()->where, "heat");
            ck_assert_msg(strstr(saros_error_last()->message, said[role]) != NULL, "%s",
                          saros_error_last()->message);
            fixture_free(&t);
        }
}
END_TEST

/* The transposed solve is as exact as its own tolerance says, whatever that of the solve. */
START_TEST(the_transposed_solve_has_its_own_tolerance) {
    double error[2];
    for (int k = 0; k < 2; ++k) {
        fixture t = fixture_make(0);
        saros_krylov_options krylov = {.petsc = "pc_type none",
                                       .transposed = {.rtol = k ? 1e-13 : 1e-2}};
        saros_value x[2] = {saros_linear_solve(t.in[2], chain_product, &t.k,
                                               &(saros_linear_options){.krylov = &krylov}),
                            solve_dense(&t, t.in[2])};
        saros_value gradient[2], one = all_of(t.in[2], 1);
        saros_tensor *value[2] = {NULL};
        saros_function *f = NULL;
        for (int i = 0; i < 2; ++i) saros_vjp(1, &x[i], &one, 1, &t.in[2], &gradient[i]);
        ck_ok(saros_compile(t.g, 3, t.in, 2, gradient, NULL, &f));
        ck_ok(saros_function_call(f, t.at, value, NULL));
        error[k] = 0;
        for (int i = 0; i < N; ++i)
            error[k] = fmax(error[k], fabs(((double *)saros_tensor_data(value[0]))[i] -
                                           ((double *)saros_tensor_data(value[1]))[i]));
        for (int i = 0; i < 2; ++i) saros_tensor_release(value[i]);
        saros_function_release(f);
        fixture_free(&t);
    }
    ck_assert_double_gt(error[0], 1e-6);
    ck_assert_double_le(error[1], 1e-11);
}
END_TEST

SAROS_TEST_MAIN("solvers/linear_refused", products_that_are_not_linear_or_not_square_are_refused,
                singular_matrices_are_errors, values_that_are_not_finite_are_errors,
                wrong_right_sides_and_patterns_are_refused, options_petsc_does_not_know_are_errors,
                failures_tell_solve_derivative_and_transposed_derivative_apart,
                the_transposed_solve_has_its_own_tolerance)
