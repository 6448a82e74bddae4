/** Conditions and options that do not fit, and solutions that are not finite. */
#include "problem_examples.h"
#include "saros/equations.h"

/* ---- conditions ---- */

static void refuses_conditions(saros_point_fn equation, const saros_condition *list,
                               saros_status code, const char *message) {
    saros_problem *p = NULL;
    ck_fails(make_with(equation, list, &p), code);
    message_has(message);
    ck_assert_ptr_null(p);
}
static saros_status third(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_add(saros_d(s, "u", "t"), saros_d(s, "u", "xxx"));
    return SAROS_OK;
}
static saros_status first(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_add(saros_d(s, "u", "t"), saros_d(s, "u", "x"));
    return SAROS_OK;
}

#define X_LO .axis = "x", .side = "lo"
#define X_HI .axis = "x", .side = "hi"

START_TEST(conditions_are_those_the_equation_needs) {
    refuses_conditions(burgers, NULL, SAROS_ERR_USAGE, "no condition for u at x.lo");
    refuses_conditions(burgers, (saros_condition[]){{X_LO, .kind = SAROS_DIRICHLET}, {0}},
                       SAROS_ERR_USAGE, "no condition for u at x.hi");
    refuses_conditions(
        burgers,
        (saros_condition[]){{X_LO, .kind = SAROS_DIRICHLET}, {X_HI, .kind = SAROS_FREE}, {0}},
        SAROS_ERR_USAGE, "takes 2 conditions along x");
    refuses_conditions(first, (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET}, {0}},
                       SAROS_ERR_USAGE, "takes 1 condition along x");
    refuses_conditions(third, (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET}, {0}},
                       SAROS_ERR_UNSUPPORTED, "order 3");
    refuses_conditions(burgers, (saros_condition[]){{.axis = "y", .kind = SAROS_DIRICHLET}, {0}},
                       SAROS_ERR_USAGE, "'y'");
    refuses_conditions(burgers, (saros_condition[]){{.axis = "t", .kind = SAROS_DIRICHLET}, {0}},
                       SAROS_ERR_USAGE, "'t'");
    refuses_conditions(
        burgers, (saros_condition[]){{.axis = "x", .side = "left", .kind = SAROS_DIRICHLET}, {0}},
        SAROS_ERR_USAGE, "no such side");
    refuses_conditions(
        burgers, (saros_condition[]){{.axis = "x", .unknown = "v", .kind = SAROS_DIRICHLET}, {0}},
        SAROS_ERR_USAGE, "no such unknown");
    refuses_conditions(burgers, (saros_condition[]){{X_LO, .kind = SAROS_PERIODIC}, {0}},
                       SAROS_ERR_USAGE, "both sides");
    refuses_conditions(burgers,
                       (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET},
                                           {X_LO, .kind = SAROS_NEUMANN},
                                           {0}},
                       SAROS_ERR_UNSUPPORTED, "second condition");
    refuses_conditions(burgers, (saros_condition[]){{.axis = "x", .kind = SAROS_RESIDUAL}, {0}},
                       SAROS_ERR_USAGE, "no function");
    refuses_conditions(burgers,
                       (saros_condition[]){{.axis = "x", .kind = SAROS_ROBIN, .a = 1}, {0}},
                       SAROS_ERR_USAGE, "b other than 0");
}
END_TEST

static saros_status nonlinear_condition(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value u = saros_get(s, "u");
    out[0] = saros_sub(saros_mul(u, u), saros_d(s, "u", "n"));
    return SAROS_OK;
}
static saros_status absent(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_coord(s, "t");
    return SAROS_OK;
}

START_TEST(the_grid_names_conditions_it_cannot_take) {
    const saros_condition row[3] = {
        {.axis = "x", .kind = SAROS_FLUX},
        {.axis = "x", .kind = SAROS_RESIDUAL, .function = nonlinear_condition},
        {.axis = "x", .kind = SAROS_RESIDUAL, .function = absent}};
    for (int k = 0; k < 3; ++k) {
        saros_problem *p = NULL;
        saros_solution *s = NULL;
        ck_ok(make_with(burgers, (saros_condition[]){row[k], {0}}, &p));
        ck_fails(saros_problem_solve(p, &saros_grid, NULL, NULL, &s), SAROS_ERR_UNSUPPORTED);
        message_has("condition of u at x.lo");
        saros_problem_release(p);
    }
}
END_TEST

/* ---- options of the grid ---- */

START_TEST(options_that_do_not_fit_are_refused) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(make(burgers, &p));
    const struct {
        saros_grid_options o;
        saros_status code;
        const char *message;
    } row[] = {
        {{.order = 3}, SAROS_ERR_UNSUPPORTED, "order 3"},
        {{.cells = {3}}, SAROS_ERR_USAGE, "at least 4 cells along x, got 3"},
        {{.integrator = "rk5", .dt = 0.1}, SAROS_ERR_USAGE, "rk5"},
        {{.integrator = "rk4"}, SAROS_ERR_USAGE, "dt is not given"},
        {{.integrator = "rk4", .dt = 1e-3, .max_steps = 10}, SAROS_ERR_USAGE, "1000 steps"},
        {{.times = {2, (double[]){0, 1.5}}}, SAROS_ERR_DOMAIN, "t = 1.5"},
        {{.times = {3, (double[]){0, 0.5, 0.5}}}, SAROS_ERR_DOMAIN, "ascend"},
        {{.nonlinear = "snes_rtol 1e-9"}, SAROS_ERR_USAGE, "steady"},
    };
    for (size_t k = 0; k < sizeof row / sizeof *row; ++k) {
        ck_fails(saros_problem_solve(p, &saros_grid, &row[k].o, NULL, &s), row[k].code);
        message_has(row[k].message);
    }
    saros_solve_options keep = {.keep = "some"};
    ck_fails(saros_problem_solve(p, &saros_grid, NULL, &keep, &s), SAROS_ERR_USAGE);
    saros_problem_release(p);
}
END_TEST

START_TEST(a_singular_steady_problem_is_an_error) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    saros_poisson_spec spec = {
        .frame = {.domain = (saros_axis[]){{"x", 0, 1}, {0}},
                  .boundary = (saros_condition[]){{.axis = "x", .kind = SAROS_NEUMANN}, {0}}}};
    ck_ok(saros_equation_poisson(&spec, &p));
    ck_fails(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {16}}, NULL, &s),
             SAROS_ERR_NOT_CONVERGED);
    saros_problem_release(p);
}
END_TEST

/* ---- what is not finite ---- */

static saros_status blow_up(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    r[0] = saros_sub(saros_d(s, "u", "t"), saros_mul(u, u));
    return SAROS_OK;
}
static saros_status ten(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = number(s, 10);
    return SAROS_OK;
}

/* du/dt as in the equation, u(0) = 10. */
static saros_status make_ode(saros_point_fn equation, saros_problem **out) {
    return saros_problem_make(&(saros_problem_spec){.axes = (saros_axis[]){{"t", 0, 1}, {0}},
                                                    .unknowns = (const char *[]){"u", NULL},
                                                    .equation = equation,
                                                    .initial = ten},
                              out);
}

START_TEST(a_solution_that_is_not_finite_is_an_error) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(make_ode(blow_up, &p));
    saros_grid_options o = {.integrator = "euler", .dt = 0.01};
    ck_fails(saros_problem_solve(p, &saros_grid, &o, NULL, &s), SAROS_ERR_NAN);
    message_has("u is not finite at t = 1");
    saros_problem_release(p);
}
END_TEST

static saros_status decay(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_add(saros_d(s, "u", "t"), saros_mul(number(s, 1000), saros_get(s, "u")));
    return SAROS_OK;
}

/** Euler multiplies by 1 - 1000/20 = -49 a step: 10 becomes 6e34 in 20 steps. */
START_TEST(unstable_steps_that_stay_finite_are_an_error) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(make_ode(decay, &p));
    saros_grid_options o = {.integrator = "euler", .dt = 0.05};
    ck_fails(saros_problem_solve(p, &saros_grid, &o, NULL, &s), SAROS_ERR_DIVERGED);
    message_has("at t = 1, after 20 steps of euler");
    o.integrator = "implicit-euler";
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

SAROS_TEST_MAIN("physics/conditions", conditions_are_those_the_equation_needs,
                the_grid_names_conditions_it_cannot_take, options_that_do_not_fit_are_refused,
                a_singular_steady_problem_is_an_error, a_solution_that_is_not_finite_is_an_error,
                unstable_steps_that_stay_finite_are_an_error)
