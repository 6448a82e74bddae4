/** Parameters from data: recovery, standard errors, bounds, errors. */
#include <stdio.h>
#include <string.h>

#include "burgers_exact.h"
#include "saros/equations.h"
#include "saros/ops.h"
#include "saros/solution.h"
#include "saros_check.h"

enum { SAMPLES = 200 };
static const double nu = 0.05, sigma = 0.01;

/** Numbers in [0,1) of a small generator (Park and Miller 1988), the same everywhere. */
static double uniform(int64_t *state) {
    *state = *state * 48271 % 2147483647;
    return (double)*state / 2147483647;
}
static double normal(int64_t *state) {
    double a = uniform(state), b = uniform(state);
    return sqrt(-2 * log(a)) * cos(2 * M_PI * b);
}

typedef struct samples {
    saros_tensor *x, *t, *u;
    saros_fit_data data;
} samples;

/** The exact solution at scattered x and four times, with noise of 1 %. */
static void make_samples(samples *s, double noise) {
    static const char *const name[] = {"u"};
    double x[SAMPLES], t[SAMPLES], u[SAMPLES];
    int64_t state = 12345, n = SAMPLES;
    for (int i = 0; i < SAMPLES; ++i) {
        x[i] = 2 * uniform(&state) - 1;
        t[i] = 0.25 * (1 + i % 4);
        u[i] = burgers_exact(x[i], t[i], nu) + noise * normal(&state);
    }
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, x, &s->x));
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, t, &s->t));
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, u, &s->u));
    s->data = (saros_fit_data){
        .coordinate = {s->x, s->t}, .unknowns = 1, .unknown = name, .value = &s->u, .sigma = sigma};
}
static void clear_samples(samples *s) {
    saros_tensor_release(s->x);
    saros_tensor_release(s->t);
    saros_tensor_release(s->u);
}

START_TEST(the_viscosity_is_recovered_from_noisy_data) {
    samples s;
    saros_problem *p = NULL;
    saros_fit_result fit = {0};
    make_samples(&s, sigma);
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = 0.02}, &p));
    saros_grid_options o = {.cells = {128}, .order = 4, .dt = 0.02};
    saros_unknown_parameter unknown[] = {{.name = "nu", .start = 0.1, .min = 0.01, .max = 1}, {0}};
    ck_ok(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, unknown, &fit));
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "fit: nu %.6g +- %.2g after %d iterations, %.2f s: %s\n", fit.value[0],
                fit.standard_error[0], (int)fit.info.iterations, fit.info.seconds, fit.info.reason);
    ck_assert_int_eq(fit.parameters, 1);
    ck_near(fit.value[0] / nu, 1, 0.01);
    /* within three standard errors, and these neither zero nor huge */
    ck_assert(fabs(fit.value[0] - nu) < 3 * fit.standard_error[0]);
    ck_assert(fit.standard_error[0] > 1e-6 && fit.standard_error[0] < 1e-3);
    double used = NAN;
    ck_ok(saros_tensor_item(saros_solution_parameter(fit.solution, "nu"), &used));
    ck_near(used, fit.value[0], 0);
    /* without sigma the noise is estimated from the misfit */
    double told = fit.standard_error[0];
    saros_fit_clear(&fit);
    s.data.sigma = 0;
    ck_ok(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, unknown, &fit));
    ck_near(fit.standard_error[0] / told, 1, 0.15);
    saros_fit_clear(&fit);
    saros_problem_release(p);
    clear_samples(&s);
}
END_TEST

/** Without dt: steps by tolerance, chosen for the start and, in a second round, for the solution.
 * What is found is what fine equal steps find. */
START_TEST(a_fit_chooses_its_steps) {
    samples s;
    saros_problem *p = NULL;
    saros_fit_result fixed = {0}, fit = {0};
    make_samples(&s, sigma);
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = 0.02}, &p));
    saros_grid_options o = {.cells = {128}, .order = 4, .dt = 1. / 200};
    saros_unknown_parameter unknown[] = {{.name = "nu", .start = 0.1, .min = 0.01, .max = 1}, {0}};
    ck_ok(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, unknown, &fixed));
    o.dt = 0;
    ck_ok(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, unknown, &fit));
    if (getenv("SAROS_SHOW"))
        fprintf(stderr,
                "fit without dt: nu %.9g (fixed %.9g) +- %.2g, %d steps, %d iterations, %d "
                "evaluations, %.2f s (%.2f): %s\n",
                fit.value[0], fixed.value[0], fit.standard_error[0], (int)fit.info.steps,
                (int)fit.info.iterations, (int)fit.info.evaluations, fit.info.seconds,
                fixed.info.seconds, fit.info.reason);
    ck_assert(fit.info.converged);
    ck_near(fit.value[0] / fixed.value[0], 1, 1e-5);
    ck_near(fit.standard_error[0] / fixed.standard_error[0], 1, 1e-3);
    ck_assert_str_eq(fit.info.integrator, "sdirk");
    ck_assert_str_eq(fit.info.gradient, "discrete");
    ck_assert_int_gt(fit.info.steps, 10);
    ck_assert_int_eq(fixed.info.steps, 200);
    saros_fit_clear(&fixed);
    saros_fit_clear(&fit);
    saros_problem_release(p);
    clear_samples(&s);
}
END_TEST

START_TEST(bounds_hold_in_a_fit) {
    samples s;
    saros_problem *p = NULL;
    saros_fit_result fit = {0};
    make_samples(&s, 0);
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){0}, &p));
    saros_grid_options o = {.cells = {64}, .order = 4, .dt = 0.05};
    saros_unknown_parameter unknown[] = {{.name = "nu", .start = 0.1, .min = 0.08, .max = INFINITY},
                                         {0}};
    ck_ok(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, unknown, &fit));
    ck_near(fit.value[0], 0.08, 1e-9);
    saros_fit_clear(&fit);
    saros_problem_release(p);
    clear_samples(&s);
}
END_TEST

START_TEST(a_fit_names_what_is_wrong_with_it) {
    samples s;
    saros_problem *p = NULL;
    saros_fit_result fit = {0};
    make_samples(&s, 0);
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){0}, &p));
    saros_grid_options o = {.cells = {16}, .dt = 0.1};
    saros_unknown_parameter good[] = {{.name = "nu", .start = 0.1}, {0}}, none[] = {{0}};
    saros_unknown_parameter wrong[] = {{.name = "mu", .start = 0.1}, {0}};
    saros_unknown_parameter outside[] = {{.name = "nu", .start = 0.1, .min = 0.2, .max = 1}, {0}};
    ck_fails(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, wrong, &fit), SAROS_ERR_USAGE);
    ck_fails(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, none, &fit), SAROS_ERR_USAGE);
    ck_fails(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, outside, &fit), SAROS_ERR_DOMAIN);
    saros_fit_data data = s.data;
    data.unknown = (const char *[]){"w"};
    ck_fails(saros_problem_fit(p, &saros_grid, &o, NULL, &data, good, &fit), SAROS_ERR_USAGE);
    data = s.data;
    data.coordinate[1] = NULL;
    ck_fails(saros_problem_fit(p, &saros_grid, &o, NULL, &data, good, &fit), SAROS_ERR_SHAPE);
    ((double *)saros_tensor_data(s.x))[3] = 1.5;
    ck_fails(saros_problem_fit(p, &saros_grid, &o, NULL, &s.data, good, &fit), SAROS_ERR_DOMAIN);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "x = 1.5"));
    saros_problem_release(p);
    clear_samples(&s);
}
END_TEST

static bool twice(double fraction, const char *text, void *user) {
    ck_assert_ptr_nonnull(strstr(text, "misfit"));
    ck_assert(fraction >= 0 && fraction < 1);
    return ++*(int *)user < 2;
}

START_TEST(a_fit_stops_on_request) {
    samples s;
    saros_problem *p = NULL;
    saros_fit_result fit = {0};
    int calls = 0;
    make_samples(&s, 0);
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){0}, &p));
    saros_grid_options o = {.cells = {32}, .order = 4, .dt = 0.05};
    saros_solve_options with = {.progress = twice, .user = &calls};
    saros_unknown_parameter unknown[] = {{.name = "nu", .start = 0.1}, {0}};
    ck_fails(saros_problem_fit(p, &saros_grid, &o, &with, &s.data, unknown, &fit),
             SAROS_ERR_STOPPED);
    ck_assert_int_eq(calls, 2);
    saros_problem_release(p);
    clear_samples(&s);
}
END_TEST

SAROS_TEST_MAIN("physics/fit", the_viscosity_is_recovered_from_noisy_data, a_fit_chooses_its_steps,
                bounds_hold_in_a_fit, a_fit_names_what_is_wrong_with_it, a_fit_stops_on_request)
