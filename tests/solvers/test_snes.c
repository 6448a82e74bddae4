/** Steady problems through PETSc: reference values, options, every failure. */
#include "saros_check.h"

#include <mpi.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/nonlinear.h"

/* Lap u + a + lambda exp(u) = 0 on m^d inner nodes of the unit square (or interval), zero around.
 */
typedef struct steady {
    saros_function *residual, *jvp;
    saros_sparsity *pattern;
    saros_tensor *parameter[2], *guess;
    int64_t m, n;
} steady;

static saros_value residual_of(saros_value x, saros_value a, saros_value lambda, int64_t m,
                               int dimensions) {
    saros_value u = saros_reshape(x, dimensions, (int64_t[]){m, m});
    saros_value sum = saros_mul(saros_like(u, -2 * dimensions), u);
    for (int axis = 0; axis < dimensions; ++axis)
        for (int by = -1; by <= 1; by += 2)
            sum = saros_add(sum, saros_shift(u, axis, by, SAROS_EDGE_ZERO));
    double scale = (double)((m + 1) * (m + 1));
    saros_value r = saros_add(saros_mul(saros_like(u, scale), sum),
                              saros_add(a, saros_mul(lambda, saros_exp(u))));
    int64_t n = dimensions == 2 ? m * m : m;
    return saros_reshape(r, 1, &n);
}

static saros_sparsity *neighbours(int64_t m, int dimensions) {
    int64_t n = dimensions == 2 ? m * m : m, at = 0;
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row);
    int64_t *column = malloc((size_t)(5 * n) * sizeof *column);
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        if (dimensions == 2 && i >= m) column[at++] = i - m;
        if (i % m > 0) column[at++] = i - 1;
        column[at++] = i;
        if (i % m < m - 1) column[at++] = i + 1;
        if (dimensions == 2 && i < n - m) column[at++] = i + m;
        row[i + 1] = at;
    }
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

static steady steady_make(int64_t m, int dimensions, double a, double lambda, double guess) {
    steady s = {.m = m, .n = dimensions == 2 ? m * m : m};
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &s.n);
    saros_value in[4] = {saros_input(g, &state, "x"), saros_input(g, &scalar, "a"),
                         saros_input(g, &scalar, "lambda"), saros_input(g, &state, "v")};
    saros_value r = residual_of(in[0], in[1], in[2], m, dimensions), product;
    saros_jvp(1, &r, 1, &in[0], &in[3], &product);
    ck_ok(saros_compile(g, 3, in, 1, &r, NULL, &s.residual));
    ck_ok(saros_compile(g, 4, in, 1, &product, NULL, &s.jvp));
    saros_graph_release(g);
    s.pattern = neighbours(m, dimensions);
    ck_ok(saros_tensor_scalar(SAROS_F64, a, &s.parameter[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, lambda, &s.parameter[1]));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &s.n, &s.guess));
    for (int64_t i = 0; i < s.n; ++i) ((double *)saros_tensor_data(s.guess))[i] = guess;
    return s;
}

static void steady_free(steady *s) {
    saros_function_release(s->residual);
    saros_function_release(s->jvp);
    saros_sparsity_release(s->pattern);
    saros_tensor_release(s->parameter[0]);
    saros_tensor_release(s->parameter[1]);
    saros_tensor_release(s->guess);
}

static saros_status solve(const steady *s, saros_snes_options options, double *centre,
                          saros_snes_info *info) {
    saros_tensor *x = NULL;
    saros_status status =
        saros_snes_solve(s->residual, s->jvp, 2, s->parameter, s->guess, &options, &x, info);
    ck_assert(status == SAROS_OK || x == NULL);
    if (x) *centre = ((double *)saros_tensor_data(x))[s->n == s->m ? s->n / 2 : s->n / 2];
    saros_tensor_release(x);
    return status;
}

/* Centre on m = 2^k - 1 nodes, extrapolated from two grids: error O(h^4). */
static double extrapolated(int64_t cells, int dimensions, double a, double lambda) {
    double value[2];
    for (int k = 0; k < 2; ++k) {
        steady s = steady_make((k + 1) * cells - 1, dimensions, a, lambda, 0);
        saros_snes_info info;
        ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &value[k], &info));
        ck_assert(info.converged);
        steady_free(&s);
    }
    return value[1] + (value[1] - value[0]) / 3;
}

START_TEST(poisson_and_bratu_reach_their_references) {
    /* references.md: -Lap u = 1 at the centre; Bratu, lambda = 1, lower branch, at the centre */
    ck_near(extrapolated(32, 2, 1, 0), .073671353281514, 2e-8);
    ck_near(extrapolated(32, 2, 0, 1), .0781010227, 2e-8);
    /* 1-D: u(1/2) = 2 ln cosh(theta/4), theta = sqrt(2) cosh(theta/4) */
    double theta = 1.5;
    for (int k = 0; k < 100; ++k) theta = sqrt(2) * cosh(theta / 4);
    ck_near(extrapolated(64, 1, 0, 1), 2 * log(cosh(theta / 4)), 1e-9);
}
END_TEST

START_TEST(matrix_free_and_other_solvers_agree_with_lu) {
    steady s = steady_make(15, 2, 1, 2, 0);
    double lu, other;
    saros_snes_info info;
    ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &lu, &info));
    ck_assert_int_le(info.iterations, 6);
    ck_assert_int_eq(info.linear_iterations, info.iterations);
    ck_ok(solve(&s, (saros_snes_options){0}, &other, &info));
    ck_near(other, lu, 1e-9);
    ck_assert_int_gt(info.linear_iterations, info.iterations);
    const char *choices[] = {"ksp_type gmres pc_type ilu ksp_rtol 1e-10", "snes_type newtontr",
                             "pc_factor_mat_solver_type klu"};
    for (int k = 0; k < 3; ++k) {
        ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern, .petsc = choices[k]}, &other,
                    &info));
        ck_near(other, lu, 1e-9);
    }
    steady_free(&s);
}
END_TEST

static void refuse(const steady *s, const char *pairs, const char *named) {
    double centre;
    saros_snes_info info;
    ck_fails(solve(s, (saros_snes_options){.sparsity = s->pattern, .petsc = pairs}, &centre, &info),
             SAROS_ERR_USAGE);
    ck_assert_msg(strstr(saros_error_last()->message, named) != NULL, "%s",
                  saros_error_last()->message);
}

START_TEST(options_nobody_reads_are_errors) {
    steady s = steady_make(7, 1, 1, 1, 0);
    refuse(&s, "snes_tipe newtonls", "snes_tipe");
    refuse(&s, "pc_type gamg mg_levels_ksp_typ cg", "mg_levels_ksp_typ");
    refuse(&s, "ksp_type gmress", "gmress");
    refuse(&s, "snes_type", "snes_type");
    refuse(&s, "snes_monitor :out.txt", "snes_monitor");
    steady_free(&s);
}
END_TEST

START_TEST(no_solution_is_not_converged) {
    steady s = steady_make(31, 1, 0, 100, 0); /* far beyond the fold: no solution */
    double centre = 0;
    saros_snes_info info = {0};
    ck_fails(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info),
             SAROS_ERR_NOT_CONVERGED);
    ck_assert(!info.converged);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, info.reason));
    saros_snes_options lenient = {.sparsity = s.pattern, .accept_last = true, .max_iterations = 2};
    ck_ok(solve(&s, lenient, &centre, &info));
    ck_assert(!info.converged);
    ck_assert_str_eq(info.reason, "DIVERGED_MAX_IT");
    steady_free(&s);
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_errors) {
    steady s = steady_make(7, 1, 0, 1, 1000); /* exp overflows at the guess */
    double centre;
    saros_snes_info info;
    ck_fails(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info), SAROS_ERR_NAN);
    steady_free(&s);
}
END_TEST

START_TEST(failures_of_the_residual_come_back_whole) {
    steady s = steady_make(7, 1, 1, 1, 0);
    double centre;
    saros_snes_info info;
    saros_tensor *right = s.parameter[0];
    ck_ok(saros_tensor_make(SAROS_F64, 1, (int64_t[]){3}, &s.parameter[0]));
    ck_fails(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info),
             SAROS_ERR_SHAPE);
    saros_tensor_release(s.parameter[0]);
    s.parameter[0] = right;
    saros_sparsity *diagonal = NULL;
    ck_ok(saros_sparsity_make(7, (int64_t[]){0, 1, 2, 3, 4, 5, 6, 7},
                              (int64_t[]){0, 1, 2, 3, 4, 5, 6}, &diagonal));
    ck_fails(solve(&s, (saros_snes_options){.sparsity = diagonal}, &centre, &info),
             SAROS_ERR_USAGE);
    saros_sparsity_release(diagonal);
    ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info));
    steady_free(&s);
}
END_TEST

/* u' = 0 at both ends: the constant is in the kernel, so F = 0 cannot fix it. */
static saros_value free_ends(saros_value x) {
    saros_value left = saros_slice(x, 0, 0, 7, 1), right = saros_slice(x, 0, 1, 8, 1);
    saros_value d = saros_sub(right, left);
    return saros_add(saros_sub(saros_pad(d, 0, 0, 1, 0, 0), saros_pad(d, 0, 1, 0, 0, 0)),
                     saros_like(x, 1));
}

START_TEST(singular_systems_are_errors) {
    saros_graph *g = NULL;
    saros_function *f = NULL, *product = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){8});
    saros_value in[2] = {saros_input(g, &type, "x"), saros_input(g, &type, "v")}, jv;
    saros_value r = free_ends(in[0]);
    saros_jvp(1, &r, 1, in, &in[1], &jv);
    ck_ok(saros_compile(g, 1, in, 1, &r, NULL, &f));
    ck_ok(saros_compile(g, 2, in, 1, &jv, NULL, &product));
    saros_graph_release(g);
    saros_sparsity *pattern = neighbours(8, 1);
    saros_tensor *guess = NULL, *x = NULL;
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, (int64_t[]){8}, &guess));
    ck_fails(saros_snes_solve(f, product, 0, NULL, guess,
                              &(saros_snes_options){.sparsity = pattern}, &x, NULL),
             SAROS_ERR_NOT_CONVERGED);
    saros_tensor_release(guess);
    saros_sparsity_release(pattern);
    saros_function_release(f);
    saros_function_release(product);
}
END_TEST

START_TEST(memory_is_given_back) {
    int64_t held = 0;
    for (int round = 0; round < 4; ++round) {
        steady s = steady_make(15, 1, 1, 1, 0);
        double centre;
        saros_snes_info info;
        ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info));
        steady_free(&s);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

START_TEST(starting_twice_and_stopping_are_harmless) {
    ck_ok(saros_petsc_start());
    ck_ok(saros_petsc_start());
    saros_petsc_stop();
    saros_petsc_stop();
    ck_fails(saros_petsc_start(), SAROS_ERR_USAGE); /* MPI does not start twice */
}
END_TEST

START_TEST(mpi_of_a_host_program_is_left_alone) {
    int over = 1;
    ck_assert_int_eq(MPI_Init(NULL, NULL), MPI_SUCCESS);
    steady s = steady_make(7, 1, 1, 1, 0);
    double centre;
    saros_snes_info info;
    ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info));
    saros_petsc_stop();
    MPI_Finalized(&over);
    ck_assert_int_eq(over, 0);
    ck_ok(solve(&s, (saros_snes_options){.sparsity = s.pattern}, &centre, &info));
    saros_petsc_stop();
    ck_assert_int_eq(MPI_Finalize(), MPI_SUCCESS);
    steady_free(&s);
}
END_TEST

SAROS_TEST_MAIN("solvers/snes", poisson_and_bratu_reach_their_references,
                matrix_free_and_other_solvers_agree_with_lu, options_nobody_reads_are_errors,
                no_solution_is_not_converged, numbers_that_are_not_finite_are_errors,
                failures_of_the_residual_come_back_whole, singular_systems_are_errors,
                memory_is_given_back, mpi_of_a_host_program_is_left_alone,
                starting_twice_and_stopping_are_harmless)
