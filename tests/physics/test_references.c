/** The grid against published and independently computed numbers (the project's reference table: C
 * = computed to eight digits or more, exact formulas). */
#include <stdio.h>

#include "burgers_exact.h"
#include "saros/equations.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/solution.h"
#include "saros_check.h"

static double value_at(saros_solution *s, int axes, const double *point) {
    saros_tensor *coordinate[SAROS_AXES] = {NULL}, *value = NULL;
    double v = NAN;
    for (int a = 0; a < axes; ++a) ck_ok(saros_tensor_scalar(SAROS_F64, point[a], &coordinate[a]));
    ck_ok(saros_solution_at(s, coordinate, &value));
    ck_ok(saros_tensor_item(value, &v));
    for (int a = 0; a < axes; ++a) saros_tensor_release(coordinate[a]);
    saros_tensor_release(value);
    return v;
}

static saros_status square(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value u = saros_get(s, "u");
    out[0] = saros_mul(u, u);
    return SAROS_OK;
}
static saros_status itself(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_get(s, "u");
    return SAROS_OK;
}

/* ---- Burgers ---- */

static saros_status sine(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value x = saros_coord(s, "x");
    out[0] = saros_sin(saros_mul(saros_like(x, M_PI), x));
    return SAROS_OK;
}

/** references.md, Burgers (A), C. */
START_TEST(burgers_a_agrees_with_the_reference_values) {
    static const double x[3] = {.25, .5, .75};
    static const double early[3] = {.308894228, .569632451, .625437896};
    static const double late[3] = {.162564857, .291915957, .287474406};
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    saros_burgers_spec spec = {
        .frame = {.domain = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}}, .initial = sine},
        .nu = 0.1};
    ck_ok(saros_equation_burgers(&spec, &p));
    saros_grid_options o = {.cells = {512},
                            .order = 4,
                            .rtol = 1e-10,
                            .atol = 1e-12,
                            .times = {3, (double[]){0, 0.4, 1}}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    for (int k = 0; k < 3; ++k) {
        ck_near(value_at(s, 2, (double[]){x[k], 0.4}), early[k], 2e-9);
        ck_near(value_at(s, 2, (double[]){x[k], 1}), late[k], 2e-9);
    }
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/** references.md, Burgers (B), C. */
START_TEST(burgers_b_agrees_with_the_reference_values) {
    static const double x[4] = {.05, .25, .5, .75};
    static const double early[4] = {-.97898217840, -.84735452445, -.59276953440, -.30284270835};
    static const double late[4] = {-.70002708088, -.55919629310, -.37618139575, -.18899809531};
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){0}, &p));
    saros_grid_options o = {
        .cells = {2048}, .order = 4, .rtol = 1e-10, .atol = 1e-12, .times = {3, NULL}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    for (int k = 0; k < 4; ++k) {
        ck_near(value_at(s, 2, (double[]){x[k], 0.5}), early[k], 1e-8);
        ck_near(value_at(s, 2, (double[]){x[k], 1}), late[k], 2e-8);
        ck_near(burgers_exact(x[k], 1, 0.01 / M_PI), late[k], 1e-10);
    }
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/** The demonstration's grid: relative L2 error at t = 1 at most 1e-5 against Cole-Hopf. */
START_TEST(burgers_on_2048_cells_of_order_4_is_within_1e_5_of_cole_hopf) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){0}, &p));
    saros_grid_options o = {.cells = {2048},
                            .order = 4,
                            .integrator = "bdf",
                            .rtol = 1e-8,
                            .atol = 1e-10,
                            .times = {101, NULL}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    const double *u = saros_tensor_const_data(saros_solution_field(s, "u"));
    const double *x = saros_tensor_const_data(saros_solution_axis(s, "x"));
    double error = 0, size = 0;
    for (int i = 0; i <= 2048; ++i) {
        double exact = burgers_exact(x[i], 1, 0.01 / M_PI), d = u[100 * 2049 + i] - exact;
        error += d * d;
        size += exact * exact;
    }
    error = sqrt(error / size);
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "Burgers B, order 4, 2048 cells, bdf: %.3e in %.3f s\n", error,
                saros_solution_info(s)->seconds);
    ck_assert_msg(error <= 1e-5, "relative L2 error %.3g", error);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- a conservative shock ---- */

/** 1 left, 0 right, smoothed by the viscous profile u = (1 - tanh((x - 1/2 t - 1/4)/(4 nu)))/2,
 * which is the exact travelling wave: speed 1/2 (Rankine-Hugoniot). */
static const double shock_nu = 2e-3;
static saros_status shock(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value x = saros_sub(saros_coord(s, "x"), saros_like(saros_coord(s, "x"), 0.25));
    saros_value z = saros_div(x, saros_like(x, 4 * shock_nu));
    out[0] = saros_mul(saros_like(z, 0.5), saros_sub(saros_like(z, 1), saros_tanh(z)));
    return SAROS_OK;
}

START_TEST(a_conservative_step_moves_a_shock_at_the_right_speed) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double before = NAN, after = NAN;
    saros_burgers_spec spec = {
        .frame = {.domain = (saros_axis[]){{"x", 0, 1}, {"t", 0, 0.8}, {0}},
                  .initial = shock,
                  .boundary =
                      (saros_condition[]){
                          {.axis = "x", .side = "lo", .kind = SAROS_DIRICHLET, .value = 1},
                          {.axis = "x", .side = "hi", .kind = SAROS_DIRICHLET, .value = 0},
                          {0}}},
        .nu = shock_nu,
        .conservative = 1};
    ck_ok(saros_equation_burgers(&spec, &p));
    saros_grid_options o = {.cells = {400}, .order = 2, .rtol = 1e-9, .atol = 1e-11};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    ck_ok(saros_solution_integral(s, itself, NULL, 0, &before));
    ck_ok(saros_solution_integral(s, itself, NULL, 0.8, &after));
    /* int u = position of the shock; here the shock is 2 cells wide */
    ck_near((after - before) / 0.8, 0.5, 1e-6);
    ck_near(value_at(s, 2, (double[]){0.65, 0.8}), 0.5, 2e-2);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- heat ---- */

/** Exact: u = exp(-2 kappa pi^2 t) sin pi x sin pi y. */
START_TEST(heat_in_the_plane_agrees_with_the_exact_solution) {
    const double kappa = 0.7, T = 0.1, decay = exp(-2 * kappa * M_PI * M_PI * T);
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double energy = NAN;
    saros_heat_spec spec = {
        .frame = {.domain = (saros_axis[]){{"x", 0, 1}, {"y", 0, 1}, {"t", 0, T}, {0}}},
        .kappa = kappa};
    ck_ok(saros_equation_heat(&spec, &p));
    saros_grid_options o = {.cells = {48}, .order = 4, .rtol = 1e-9, .atol = 1e-11};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    ck_near(value_at(s, 3, (double[]){0.5, 0.5, T}) / decay, 1, 2e-6);
    ck_near(value_at(s, 3, (double[]){0.3, 0.21, T}) / decay, sin(0.3 * M_PI) * sin(0.21 * M_PI),
            2e-6);
    ck_ok(saros_solution_integral(s, square, NULL, NAN, &energy));
    ck_near(energy / (decay * decay), 0.25, 2e-6);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/** Exact in space: u = exp(-3 kappa pi^2 t) prod sin(pi x_i). */
START_TEST(heat_in_space_agrees_with_the_exact_solution) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    saros_heat_spec spec = {
        .frame = {.domain =
                      (saros_axis[]){{"x", 0, 1}, {"y", 0, 1}, {"z", 0, 1}, {"t", 0, 0.02}, {0}}}};
    ck_ok(saros_equation_heat(&spec, &p));
    saros_grid_options o = {.cells = {12, 14, 16}, .order = 4, .rtol = 1e-8, .atol = 1e-10};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    const int64_t *shape = saros_tensor_shape(saros_solution_field(s, "u"));
    ck_assert(shape[0] == 2 && shape[1] == 17 && shape[2] == 15 && shape[3] == 13);
    double exact = exp(-3 * M_PI * M_PI * 0.02) * sin(0.2 * M_PI) * sin(0.3 * M_PI);
    ck_near(value_at(s, 4, (double[]){0.2, 0.5, 0.3, 0.02}) / exact, 1, 2e-4);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- Poisson and Bratu ---- */

static void poisson(int64_t cells, double *centre, double *mean) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(saros_equation_poisson(&(saros_poisson_spec){0}, &p));
    ck_ok(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {cells}}, NULL, &s));
    *centre = value_at(s, 2, (double[]){0.5, 0.5});
    ck_ok(saros_solution_integral(s, itself, NULL, NAN, mean));
    saros_solution_release(s);
    saros_problem_release(p);
}

/** references.md, Poisson on the square, C; Richardson extrapolation of order 2. */
START_TEST(poisson_on_the_square_agrees_with_the_reference_values) {
    double coarse[2], fine[2];
    poisson(64, &coarse[0], &coarse[1]);
    poisson(128, &fine[0], &fine[1]);
    ck_near((4 * fine[0] - coarse[0]) / 3, .073671353281514, 2e-8);
    ck_near((4 * fine[1] - coarse[1]) / 3, .035144253738788, 2e-7);
}
END_TEST

/** references.md, Bratu, lower branch at lambda = 1, C. */
START_TEST(bratu_on_the_square_agrees_with_the_reference_value) {
    double centre[2];
    for (int k = 0; k < 2; ++k) {
        saros_problem *p = NULL;
        saros_solution *s = NULL;
        ck_ok(saros_equation_bratu(&(saros_bratu_spec){0}, &p));
        ck_ok(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {k ? 96 : 48}},
                                  NULL, &s));
        ck_assert(saros_solution_info(s)->converged);
        centre[k] = value_at(s, 2, (double[]){0.5, 0.5});
        saros_solution_release(s);
        saros_problem_release(p);
    }
    ck_near((4 * centre[1] - centre[0]) / 3, .0781010227, 1e-8);
}
END_TEST

/** One period of advection brings the wave back; every integrator gets there. */
START_TEST(every_integrator_brings_an_advected_wave_back) {
    static const char *const name[] = {"bdf",   "adams", "rk4",    "ssprk3", "crank-nicolson",
                                       "sdirk", "sdirk", "dopri5", "rodas3", "rodas4"};
    for (int k = 0; k < 10; ++k) {
        saros_problem *p = NULL;
        saros_solution *s = NULL;
        ck_ok(saros_equation_advection(&(saros_advection_spec){0}, &p));
        saros_grid_options o = {
            .cells = {64}, .order = 4, .integrator = name[k], .rtol = 1e-8, .atol = 1e-10};
        if (k > 1 && k < 6) o.dt = 1. / 256; /* the others choose their steps */
        ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
        ck_near(value_at(s, 2, (double[]){0.25, 1}), 1, 1e-4);
        ck_near(value_at(s, 2, (double[]){0.5, 1}), 0, 1e-3);
        ck_assert_str_eq(saros_solution_info(s)->integrator, name[k]);
        ck_assert_int_gt(saros_solution_info(s)->steps, 10);
        saros_solution_release(s);
        saros_problem_release(p);
    }
}
END_TEST

SAROS_TEST_MAIN("physics/references", burgers_a_agrees_with_the_reference_values,
                burgers_b_agrees_with_the_reference_values,
                burgers_on_2048_cells_of_order_4_is_within_1e_5_of_cole_hopf,
                a_conservative_step_moves_a_shock_at_the_right_speed,
                heat_in_the_plane_agrees_with_the_exact_solution,
                heat_in_space_agrees_with_the_exact_solution,
                poisson_on_the_square_agrees_with_the_reference_values,
                bratu_on_the_square_agrees_with_the_reference_value,
                every_integrator_brings_an_advected_wave_back)
