/** Solutions: fields, points, expressions, integrals, errors, files. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "saros/equations.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/solution.h"
#include "saros_check.h"

static saros_value exact_heat(saros_point *s, double rate) {
    saros_value x = saros_coord(s, "x"), t = saros_coord(s, "t");
    return saros_mul(saros_exp(saros_mul(saros_like(t, -rate), t)),
                     saros_sin(saros_mul(saros_like(x, M_PI), x)));
}
static saros_status exact(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = exact_heat(s, M_PI * M_PI);
    return SAROS_OK;
}
static saros_status double_energy(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value u = saros_get(s, "u");
    out[0] = saros_mul(saros_like(u, 2), saros_mul(u, u));
    return SAROS_OK;
}

static void solve_heat(const saros_solve_options *with, int times, saros_problem **p,
                       saros_solution **s) {
    saros_heat_spec spec = {.frame = {.observables = (saros_observable[]){
                                          {.name = "e", .function = double_energy}, {0}}}};
    ck_ok(saros_equation_heat(&spec, p));
    saros_grid_options o = {
        .cells = {32}, .order = 4, .rtol = 1e-10, .atol = 1e-12, .times = {times, NULL}};
    ck_ok(saros_problem_solve(*p, &saros_grid, &o, with, s));
}

START_TEST(fields_have_the_shape_of_times_and_nodes) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    solve_heat(NULL, 5, &p, &s);
    saros_tensor *u = saros_solution_field(s, "u"), *e = saros_solution_field(s, "e");
    ck_assert_int_eq(saros_tensor_rank(u), 2);
    ck_assert_int_eq(saros_tensor_shape(u)[0], 5);
    ck_assert_int_eq(saros_tensor_shape(u)[1], 33);
    ck_assert_int_eq(saros_tensor_count(saros_solution_axis(s, "t")), 5);
    double value, energy;
    ck_ok(saros_tensor_get(u, (int64_t[]){3, 9}, &value));
    ck_ok(saros_tensor_get(e, (int64_t[]){3, 9}, &energy));
    ck_near(energy, 2 * value * value, 1e-14);
    ck_ok(saros_tensor_get(u, (int64_t[]){4, 0}, &value));
    ck_near(value, 0, 0); /* the given end is put back */
    ck_assert_ptr_null(saros_solution_field(s, "v"));
    ck_assert_int_eq(saros_error_last()->status, SAROS_ERR_USAGE);
    ck_assert_ptr_null(saros_solution_axis(s, "y"));
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

START_TEST(points_between_nodes_and_outputs_are_as_exact_as_the_scheme) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    solve_heat(NULL, 41, &p, &s);
    saros_tensor *x = NULL, *t = NULL, *u = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, 2, (int64_t[]){3, 1}, (double[]){0.0123, 0.517, 0.99}, &x));
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){0.0512, 0.0999}, &t));
    ck_ok(saros_solution_at(s, (saros_tensor *[]){x, t}, &u));
    ck_assert_int_eq(saros_tensor_rank(u), 2);
    ck_assert_int_eq(saros_tensor_shape(u)[0], 3);
    ck_assert_int_eq(saros_tensor_shape(u)[1], 2);
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 2; ++j) {
            double value, at_x = (double[]){0.0123, 0.517, 0.99}[i],
                          at_t = (double[]){0.0512, 0.0999}[j];
            ck_ok(saros_tensor_get(u, (int64_t[]){i, j}, &value));
            ck_near(value, exp(-M_PI * M_PI * at_t) * sin(M_PI * at_x), 1e-6);
        }
    saros_tensor_release(x);
    saros_tensor_release(t);
    saros_tensor_release(u);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

static saros_status slopes(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_d(s, "u", "x");
    out[1] =
        saros_sub(saros_d(s, "u", "t"), saros_mul(saros_param(s, "kappa"), saros_d(s, "u", "xx")));
    out[2] = saros_mul(saros_coord(s, "x"), saros_coord(s, "t"));
    return SAROS_OK;
}

START_TEST(expressions_with_derivatives_are_evaluated_anywhere) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    solve_heat(NULL, 21, &p, &s);
    saros_tensor *x = NULL, *t = NULL, *value[3] = {NULL};
    double v[3];
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.31, &x));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.043, &t));
    ck_ok(saros_solution_evaluate(s, slopes, NULL, 3, (saros_tensor *[]){x, t}, value));
    for (int k = 0; k < 3; ++k) {
        ck_ok(saros_tensor_item(value[k], &v[k]));
        saros_tensor_release(value[k]);
    }
    ck_near(v[0], M_PI * exp(-M_PI * M_PI * 0.043) * cos(M_PI * 0.31), 1e-5);
    ck_near(v[1], 0, 1e-10);
    ck_near(v[2], 0.31 * 0.043, 1e-12);
    saros_tensor_release(x);
    saros_tensor_release(t);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

START_TEST(integrals_and_errors_are_quadrature_on_the_nodes) {
    saros_problem *p = NULL;
    saros_solution *s = NULL, *coarse = NULL;
    double value, error;
    solve_heat(NULL, 11, &p, &s);
    ck_ok(saros_solution_integral(s, double_energy, NULL, 0.05, &value));
    /* order 4: a rate off by (pi h)^4/90, twice pi^2 t of it, and room for its ends */
    ck_near(value, exp(-2 * M_PI * M_PI * 0.05), 5e-6);
    ck_ok(saros_solution_error_against(s, exact, NULL, NAN, &error));
    ck_assert(error > 0 && error < 5e-6);
    ck_ok(saros_problem_solve(p, &saros_grid,
                              &(saros_grid_options){.cells = {16}, .rtol = 1e-10, .atol = 1e-12},
                              NULL, &coarse));
    ck_ok(saros_solution_error(coarse, s, 0.1, &error));
    /* second order: (pi h)^2/12 in the rate over pi^2 t */
    double expected = M_PI * M_PI / 12 / 256 * M_PI * M_PI * 0.1;
    ck_near(error / expected, 1, 0.02);
    saros_solution_release(coarse);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

START_TEST(points_outside_and_between_too_few_outputs_are_errors) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    solve_heat(NULL, 2, &p, &s);
    saros_tensor *x = NULL, *far = NULL, *t = NULL, *late = NULL, *pair = NULL, *triple = NULL,
                 *u = NULL;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.31, &x));
    ck_ok(saros_tensor_scalar(SAROS_F64, 1.01, &far));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.05, &t));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.11, &late));
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, (int64_t[]){2}, &pair));
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, (int64_t[]){3}, &triple));
    ck_fails(saros_solution_at(s, (saros_tensor *[]){far, t}, &u), SAROS_ERR_DOMAIN);
    ck_fails(saros_solution_at(s, (saros_tensor *[]){x, late}, &u), SAROS_ERR_DOMAIN);
    ck_fails(saros_solution_at(s, (saros_tensor *[]){x, t}, &u), SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "between outputs"));
    ck_fails(saros_solution_at(s, (saros_tensor *[]){pair, triple}, &u), SAROS_ERR_SHAPE);
    ck_assert_ptr_null(u);
    saros_tensor *all[] = {x, far, t, late, pair, triple};
    for (int k = 0; k < 6; ++k) saros_tensor_release(all[k]);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

START_TEST(periodic_axes_wrap) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    saros_tensor *x = NULL, *t = NULL, *u = NULL;
    ck_ok(saros_equation_advection(&(saros_advection_spec){0}, &p));
    ck_ok(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {32}, .order = 4},
                              NULL, &s));
    ck_assert_int_eq(saros_tensor_count(saros_solution_axis(s, "x")), 32);
    ck_ok(
        saros_tensor_from(SAROS_F64, 1, (int64_t[]){4}, (double[]){0.99, 1.99, -0.01, -3.01}, &x));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0, &t));
    ck_ok(saros_solution_at(s, (saros_tensor *[]){x, t}, &u));
    const double *v = saros_tensor_const_data(u);
    for (int k = 0; k < 4; ++k) ck_near(v[k], sin(-0.02 * M_PI), 1e-5);
    saros_tensor_release(x);
    saros_tensor_release(t);
    saros_tensor_release(u);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- replacements ---- */

START_TEST(replaced_parameters_domain_and_initial_value_are_used) {
    saros_problem *p = NULL;
    saros_solution *first = NULL, *second = NULL, *whole = NULL;
    double error;
    ck_ok(saros_equation_heat(&(saros_heat_spec){0}, &p));
    saros_grid_options o = {.cells = {32}, .order = 4, .rtol = 1e-11, .atol = 1e-13};
    saros_solve_options with = {.parameters =
                                    (saros_parameter[]){{.name = "kappa", .value = 2}, {0}},
                                .domain = (saros_axis[]){{"t", 0, 0.02}, {0}}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, &with, &first));
    with.initial = first;
    with.domain = (saros_axis[]){{"t", 0.02, 0.05}, {0}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, &with, &second));
    with.initial = NULL;
    with.domain = (saros_axis[]){{"t", 0, 0.05}, {0}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, &with, &whole));
    ck_ok(saros_solution_error(second, whole, 0.05, &error));
    ck_assert_msg(error < 1e-8, "error %.3g", error);
    double peak;
    ck_ok(saros_tensor_get(saros_solution_field(whole, "u"), (int64_t[]){1, 16}, &peak));
    ck_near(peak, exp(-2 * M_PI * M_PI * 0.05), 1e-5);
    with.parameters = (saros_parameter[]){{.name = "kapa", .value = 2}, {0}};
    ck_fails(saros_problem_solve(p, &saros_grid, &o, &with, &first), SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->hint, "kappa"));
    saros_solution_release(first);
    saros_solution_release(second);
    saros_solution_release(whole);
    saros_problem_release(p);
}
END_TEST

/* ---- files ---- */

static void check_loaded(const char *path, saros_solution *s) {
    saros_solution *back = NULL;
    double a, b, kappa;
    ck_ok(saros_solution_load(path, &back));
    saros_tensor *u = saros_solution_field(s, "u"), *v = saros_solution_field(back, "u");
    ck_assert_int_eq(saros_tensor_count(u), saros_tensor_count(v));
    ck_assert_int_eq(memcmp(saros_tensor_const_data(u), saros_tensor_const_data(v),
                            (size_t)saros_tensor_count(u) * 8),
                     0);
    ck_assert_ptr_nonnull(saros_solution_field(back, "e"));
    ck_ok(saros_tensor_item(saros_solution_parameter(back, "kappa"), &kappa));
    ck_near(kappa, 1, 0);
    saros_tensor *x = NULL, *t = NULL, *one = NULL, *other = NULL;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.333, &x));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.0333, &t));
    ck_ok(saros_solution_at(s, (saros_tensor *[]){x, t}, &one));
    ck_ok(saros_solution_at(back, (saros_tensor *[]){x, t}, &other));
    ck_ok(saros_tensor_item(one, &a));
    ck_ok(saros_tensor_item(other, &b));
    ck_near(a, b, 0);
    ck_ok(saros_solution_integral(s, double_energy, NULL, NAN, &a));
    ck_ok(saros_solution_integral(back, double_energy, NULL, NAN, &b));
    ck_near(a, b, 1e-15);
    saros_tensor *all[] = {x, t, one, other};
    for (int k = 0; k < 4; ++k) saros_tensor_release(all[k]);
    saros_solution_release(back);
}

START_TEST(a_saved_solution_reads_back_the_same) {
    char streamed[64], saved[64], xdmf[80];
    snprintf(streamed, sizeof streamed, "/tmp/saros-test-%d-a.h5", (int)getpid());
    snprintf(saved, sizeof saved, "/tmp/saros-test-%d-b.h5", (int)getpid());
    saros_problem *p = NULL;
    saros_solution *s = NULL, *again = NULL;
    saros_solve_options with = {
        .save = streamed, .script = "return 1", .command = "saros run x.lua"};
    solve_heat(&with, 6, &p, &s);
    check_loaded(streamed, s);
    ck_ok(saros_solution_save(s, saved, false, NULL, NULL));
    check_loaded(saved, s);
    ck_fails(saros_solution_save(s, saved, false, NULL, NULL), SAROS_ERR_IO);
    ck_ok(saros_solution_save(s, saved, true, NULL, NULL));
    ck_ok(saros_solution_load(saved, &again));
    ck_ok(saros_solution_save(again, streamed, true, NULL, NULL));
    check_loaded(streamed, s);
    ck_fails(saros_solution_load("/tmp/saros-no-such-file.h5", &again), SAROS_ERR_IO);
    const char *path[2] = {streamed, saved};
    for (int k = 0; k < 2; ++k) {
        unlink(path[k]);
        snprintf(xdmf, sizeof xdmf, "%.*sxdmf", (int)strlen(path[k]) - 2, path[k]);
        unlink(xdmf);
    }
    saros_solution_release(again);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

START_TEST(keep_last_keeps_one_output) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double value;
    solve_heat(&(saros_solve_options){.keep = "last"}, 7, &p, &s);
    ck_assert_int_eq(saros_tensor_shape(saros_solution_field(s, "u"))[0], 1);
    ck_ok(saros_solution_integral(s, double_energy, NULL, NAN, &value));
    ck_near(value, exp(-2 * M_PI * M_PI * 0.1), 1e-6);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- stopping ---- */

static bool until_half(double fraction, const char *text, void *user) {
    ck_assert_ptr_nonnull(text);
    *(double *)user = fraction;
    return fraction < 0.5;
}

START_TEST(a_run_stops_on_request) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double reached = 0;
    saros_solve_options with = {.progress = until_half, .user = &reached};
    ck_ok(saros_equation_heat(&(saros_heat_spec){0}, &p));
    ck_fails(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {16}}, &with, &s),
             SAROS_ERR_STOPPED);
    ck_assert(reached >= 0.5 && reached < 1.01);
    saros_grid_options steps = {
        .cells = {16}, .integrator = "rk4", .dt = 1e-3, .times = {11, NULL}};
    ck_fails(saros_problem_solve(p, &saros_grid, &steps, &with, &s), SAROS_ERR_STOPPED);
    ck_near(reached, 0.5, 1e-9);
    saros_problem_release(p);
}
END_TEST

SAROS_TEST_MAIN("physics/solution", fields_have_the_shape_of_times_and_nodes,
                points_between_nodes_and_outputs_are_as_exact_as_the_scheme,
                expressions_with_derivatives_are_evaluated_anywhere,
                integrals_and_errors_are_quadrature_on_the_nodes,
                points_outside_and_between_too_few_outputs_are_errors, periodic_axes_wrap,
                replaced_parameters_domain_and_initial_value_are_used,
                a_saved_solution_reads_back_the_same, keep_last_keeps_one_output,
                a_run_stops_on_request)
