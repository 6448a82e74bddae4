/** Equations of which some terms are taken implicitly: order in time, far fewer steps than explicit
 * ones, discrete gradients, which terms are meant, errors. */
#include "energy.h"

#include <stdio.h>
#include <string.h>

#include "manufactured.h"

/* exp(-5 t) exp(sin 2 pi x) */
static saros_value exact(saros_point *s) {
    saros_value x = saros_coord(s, "x"),
                wave = saros_exp(saros_sin(saros_mul(num(s, 2 * M_PI), x)));
    return saros_mul(saros_exp(saros_mul(num(s, -5), saros_coord(s, "t"))), wave);
}

/** u.t + u u.x - u.xx - u (1 - u): diffusion implicit, the rest and the source explicit. */
static saros_value fisher(saros_point *s, saros_value u, derive_fn *d) {
    saros_value react = saros_mul(u, saros_sub(num(s, 1), u));
    saros_value move = saros_mul(u, d(s, u, "x"));
    saros_value left = saros_add(d(s, u, "t"), saros_sub(move, d(s, u, "xx")));
    return saros_sub(left, react);
}
/** u.t + (u^2/2 - (1 + u/4) u.x).x: a flux that has both in it */
static saros_value flux(saros_point *s, saros_value u, derive_fn *d) {
    saros_value k = saros_add(num(s, 1), saros_mul(num(s, 0.25), u));
    saros_value q = saros_sub(saros_mul(num(s, 0.5), saros_mul(u, u)), saros_mul(k, d(s, u, "x")));
    return saros_add(d(s, u, "t"), d(s, q, "x"));
}
/** u.t + u u.x: nothing is stiff by its derivatives */
static saros_value steepen(saros_point *s, saros_value u, derive_fn *d) {
    return saros_add(d(s, u, "t"), saros_mul(u, d(s, u, "x")));
}

static const manufactured mixed = {"mixed", 1, true, fisher, exact, {SAROS_PERIODIC}, 128};
static const manufactured in_flux = {"in flux", 1, true, flux, exact, {SAROS_PERIODIC}, 32};
static const manufactured plain = {"plain", 1, true, steepen, exact, {SAROS_PERIODIC}, 32};

static saros_status solved(const manufactured *m, const saros_grid_options *o,
                           saros_solution **out) {
    saros_problem *p = NULL;
    saros_grid_options with = *o;
    if (!with.cells[0]) with.cells[0] = m->cells;
    ck_ok(manufactured_problem(m, &p));
    saros_status status = saros_problem_solve(p, &saros_grid, &with, NULL, out);
    saros_problem_release(p);
    return status;
}

/** Relative distance of two solutions at the end. */
static double distance(saros_solution *a, saros_solution *b) {
    double error = NAN;
    ck_ok(saros_solution_error(a, b, NAN, &error));
    return error;
}

/** On one grid, against steps so fine that they have no error. */
START_TEST(the_order_in_time_is_three) {
    saros_solution *reference = NULL, *s = NULL;
    double error[3];
    ck_ok(solved(&mixed, &(saros_grid_options){.order = 4, .rtol = 1e-12, .atol = 1e-14},
                 &reference));
    for (int k = 0; k < 3; ++k) {
        ck_ok(solved(
            &mixed, &(saros_grid_options){.order = 4, .integrator = "imex", .dt = 0.05 / (16 << k)},
            &s));
        error[k] = distance(s, reference);
        saros_solution_release(s);
    }
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "imex: %.2e %.2e %.2e, orders %.2f %.2f\n", error[0], error[1], error[2],
                log2(error[0] / error[1]), log2(error[1] / error[2]));
    ck_assert(error[0] < 1e-4 && error[2] > 1e-8);
    ck_assert(log2(error[1] / error[2]) > 2.8);
    saros_solution_release(reference);
}
END_TEST

/** Steps that explicit ones of the same size do not survive; chosen by the same tolerances they are
 * far fewer. */
START_TEST(explicit_steps_would_be_far_more) {
    static const char *const name[] = {"imex", "dopri5"};
    saros_solution *s = NULL;
    int64_t steps[2];
    const saros_status status =
        solved(&mixed, &(saros_grid_options){.integrator = "rk4", .dt = 0.05 / 32}, &s);
    ck_assert(status == SAROS_ERR_DIVERGED || status == SAROS_ERR_NAN);
    for (int k = 0; k < 2; ++k) {
        double error = NAN;
        ck_ok(solved(
            &mixed,
            &(saros_grid_options){.order = 4, .integrator = name[k], .rtol = 1e-5, .atol = 1e-7},
            &s));
        ck_ok(saros_solution_error_against(s, manufactured_exact, (void *)(uintptr_t)&mixed, NAN,
                                           &error));
        ck_assert_msg(error < 1e-4, "%s is off by %.2e", name[k], error);
        steps[k] = saros_solution_info(s)->steps;
        saros_solution_release(s);
    }
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "steps: imex %d, dopri5 %d\n", (int)steps[0], (int)steps[1]);
    ck_assert_int_gt(steps[1], 20 * steps[0]);
}
END_TEST

/** A flux with both kinds of terms is split in it: of second order, and what it moves is kept. */
START_TEST(fluxes_are_split_inside) {
    double error[2];
    for (int k = 0; k < 2; ++k) {
        saros_solution *s = NULL;
        ck_ok(solved(&in_flux,
                     &(saros_grid_options){
                         .cells = {32 << k}, .integrator = "imex", .rtol = 1e-9, .atol = 1e-11},
                     &s));
        ck_ok(saros_solution_error_against(s, manufactured_exact, (void *)(uintptr_t)&in_flux, NAN,
                                           &error[k]));
        saros_solution_release(s);
    }
    if (getenv("SAROS_SHOW")) fprintf(stderr, "flux: %.2e %.2e\n", error[0], error[1]);
    ck_assert(error[1] < 2e-3 && fabs(log2(error[0] / error[1]) - 2) < 0.2);
}
END_TEST

/** Bits tell which terms are implicit: those named by default are those named in words. */
START_TEST(terms_are_named_by_their_derivatives) {
    saros_grid_options o = {.integrator = "imex", .dt = 0.05 / 16};
    static const char *const names[] = {NULL, "u.xx", "u.xx u", "u.x,u.xx"};
    saros_solution *s[4] = {NULL};
    for (int k = 0; k < 4; ++k) {
        o.implicit_ = names[k];
        ck_ok(solved(&mixed, &o, &s[k]));
    }
    ck_assert(distance(s[0], s[1]) == 0);
    for (int i = 1; i < 4; ++i)
        for (int j = 1; j < i; ++j) {
            const double apart = distance(s[i], s[j]);
            ck_assert_msg(apart > 0 && apart < 1e-3, "%s and %s: %.2e", names[i], names[j], apart);
        }
    for (int k = 0; k < 4; ++k) saros_solution_release(s[k]);
}
END_TEST

static saros_status refused(const manufactured *m, const char *integrator, const char *names) {
    saros_solution *s = NULL;
    return solved(
        m, &(saros_grid_options){.integrator = integrator, .implicit_ = names, .dt = 0.01}, &s);
}

START_TEST(what_cannot_be_split_says_so) {
    ck_fails(refused(&plain, "imex", NULL), SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "second order"));
    ck_fails(refused(&plain, "imex", "u.xx"), SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "no term has u.xx"));
    ck_fails(refused(&mixed, "imex", "w.xx"), SAROS_ERR_USAGE);
    ck_fails(refused(&mixed, "imex", "u.yy"), SAROS_ERR_USAGE);
    ck_fails(refused(&mixed, "imex", "u.t"), SAROS_ERR_USAGE);
    ck_fails(refused(&mixed, "sdirk", "u.xx"), SAROS_ERR_USAGE);
}
END_TEST

/* ---- gradients: Allen-Cahn with low diffusion ---- */

static saros_status allen_cahn(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    saros_value react = saros_mul(saros_param(s, "a"), saros_sub(u, saros_mul(u, saros_mul(u, u))));
    saros_value spread = saros_mul(saros_param(s, "k"), saros_d(s, "u", "xx"));
    r[0] = saros_sub(saros_sub(saros_d(s, "u", "t"), spread), react);
    return SAROS_OK;
}
static saros_status bumps(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value x = saros_coord(s, "x");
    out[0] = saros_mul(saros_mul(x, x), saros_cos(saros_mul(num(s, M_PI), x)));
    return SAROS_OK;
}

static saros_problem *allen_cahn_problem(void) {
    saros_problem *p = NULL;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){
            .axes = (saros_axis[]){{"x", -1, 1}, {"t", 0, 0.3}, {0}},
            .unknowns = (const char *[]){"u", NULL},
            .parameters =
                (saros_parameter[]){{.name = "k", .value = 1e-3}, {.name = "a", .value = 5}, {0}},
            .equation = allen_cahn,
            .initial = bumps,
            .boundary = (saros_condition[]){{.axis = "x", .kind = SAROS_NEUMANN}, {0}}},
        &p));
    return p;
}

START_TEST(gradients_are_those_of_the_numbers_computed) {
    static const char *const name[] = {"sdirk", "imex", "imex"};
    static const double dt[] = {0, 0, 0.005};
    saros_problem *p = allen_cahn_problem();
    double J[3], d[3][2];
    for (int k = 0; k < 3; ++k) {
        saros_tensor *g[2] = {NULL};
        saros_info info;
        saros_grid_options o = {
            .cells = {64}, .integrator = name[k], .dt = dt[k], .rtol = 1e-8, .atol = 1e-10};
        ck_ok(saros_problem_gradient(p, &saros_grid, &o, &(saros_solve_options){.check = k > 0},
                                     energy, NULL, (const char *[]){"k", "a", NULL}, &J[k], g,
                                     &info));
        ck_assert_str_eq(info.gradient, "discrete");
        ck_assert_str_eq(info.integrator, name[k]);
        for (int i = 0; i < 2; ++i) d[k][i] = scalar(g[i]);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "%s: J %.10g, by k %.10g, by a %.10g, %d steps\n", name[k], J[k],
                    d[k][0], d[k][1], (int)info.steps);
    }
    for (int k = 1; k < 3; ++k) {
        const double close = k == 1 ? 1e-5 : 1e-4;
        ck_near(J[k] / J[0], 1, close);
        for (int i = 0; i < 2; ++i) ck_near(d[k][i] / d[0][i], 1, close);
    }
    saros_problem_release(p);
}
END_TEST

SAROS_TEST_MAIN("physics/imex", the_order_in_time_is_three, explicit_steps_would_be_far_more,
                fluxes_are_split_inside, terms_are_named_by_their_derivatives,
                what_cannot_be_split_says_so, gradients_are_those_of_the_numbers_computed)
