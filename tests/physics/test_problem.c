/** Problems: tracing, inspection, the time form, and every error of a specification. */
#include <string.h>

#include "problem_impl.h"
#include "saros/equations.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/primitive.h"
#include "saros/solution.h"
#include "saros_check.h"

static saros_value number(saros_point *s, double x) {
    return saros_scalar(saros_point_graph(s), SAROS_F64, x);
}
static saros_status zero(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = number(s, 0);
    return SAROS_OK;
}

/** A problem of u (x in [0,1], t in [0,1], u = 0 at the ends, parameter k) with an equation. */
static saros_status make(saros_point_fn equation, saros_problem **out) {
    return saros_problem_make(
        &(saros_problem_spec){.name = "test",
                              .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .parameters = (saros_parameter[]){{.name = "kappa", .value = 1}, {0}},
                              .equation = equation,
                              .initial = zero,
                              .boundary =
                                  (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET}, {0}}},
        out);
}
static void refuses(saros_point_fn equation, saros_status code, const char *message,
                    const char *hint) {
    saros_problem *p = NULL;
    ck_fails(make(equation, &p), code);
    ck_assert_msg(strstr(saros_error_last()->message, message), "message: %s",
                  saros_error_last()->message);
    ck_assert_msg(strstr(saros_error_last()->hint, hint), "hint: %s", saros_error_last()->hint);
    ck_assert_ptr_null(p);
}

/* ---- inspection ---- */

static saros_status burgers(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    saros_value left = saros_add(saros_d(s, "u", "t"), saros_mul(u, saros_d(s, "u", "x")));
    r[0] = saros_sub(left, saros_mul(saros_param(s, "kappa"), saros_d(s, "u", "xx")));
    return SAROS_OK;
}
/** (2 + x) u.t + x^2 u - u.xx, linear with a mass */
static saros_status massive(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value x = saros_coord(s, "x"), mass = saros_add(number(s, 2), x);
    saros_value rest =
        saros_sub(saros_mul(saros_mul(x, x), saros_get(s, "u")), saros_d(s, "u", "xx"));
    r[0] = saros_add(saros_neg(saros_neg(saros_mul(mass, saros_d(s, "u", "t")))), rest);
    return SAROS_OK;
}
static saros_status squared_rate(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value rate = saros_d(s, "u", "t");
    r[0] = saros_sub(saros_mul(rate, rate), saros_d(s, "u", "xx"));
    return SAROS_OK;
}
static saros_status wave(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_sub(saros_d(s, "u", "tt"), saros_d(s, "u", "xx"));
    return SAROS_OK;
}
static saros_status nested(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value flux = saros_mul(saros_exp(saros_coord(s, "x")), saros_d(s, "u", "x"));
    r[0] = saros_sub(saros_d(s, "u", "t"), saros_d_of(s, flux, "x"));
    return SAROS_OK;
}

START_TEST(inspection_finds_orders_linearity_and_time_form) {
    static const struct {
        saros_point_fn equation;
        int time, space;
        bool linear, explicit_;
    } row[] = {{burgers, 1, 2, false, true},
               {massive, 1, 2, true, true},
               {squared_rate, 1, 2, false, false},
               {wave, 2, 2, true, false},
               {nested, 1, 2, true, true}};
    for (int k = 0; k < 5; ++k) {
        saros_problem *p = NULL;
        ck_ok(make(row[k].equation, &p));
        saros_problem_form form = saros_problem_inspect(p);
        ck_assert_int_eq(form.time_order, row[k].time);
        ck_assert_int_eq(form.space_order[0], row[k].space);
        ck_assert_int_eq(form.linear, row[k].linear);
        ck_assert_int_eq(form.explicit_, row[k].explicit_);
        saros_problem_release(p);
    }
}
END_TEST

START_TEST(forms_that_are_not_built_say_so) {
    static const saros_point_fn equation[] = {squared_rate, wave};
    static const char *const word[] = {"not affine", "order 2"};
    for (int k = 0; k < 2; ++k) {
        saros_problem *p = NULL;
        saros_solution *s = NULL;
        ck_ok(make(equation[k], &p));
        ck_fails(saros_problem_solve(p, &saros_grid, NULL, NULL, &s), SAROS_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, word[k]));
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "not in this build"));
        saros_problem_release(p);
    }
}
END_TEST

static saros_status mixed(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value a = saros_d(s, "u", "xt"), b = saros_d(s, "u", "tx");
    ck_assert(saros_same(a, b));
    saros_value sum = saros_add(saros_d(s, "u", "t"), saros_mul(number(s, 0), a));
    r[0] = saros_sub(sum, saros_d(s, "u", "xx"));
    return SAROS_OK;
}

START_TEST(mixed_derivatives_are_one_value_in_either_order) {
    saros_problem *p = NULL;
    ck_ok(make(mixed, &p));
    saros_problem_release(p);
}
END_TEST

/** An unknown mass u.t: the solution of (2 + x) u.t = (2 + x) is t + const. */
static saros_status clock_with_mass(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value mass = saros_add(number(s, 2), saros_coord(s, "x"));
    r[0] = saros_sub(saros_mul(mass, saros_d(s, "u", "t")), mass);
    return SAROS_OK;
}

START_TEST(a_mass_in_front_of_the_rate_is_divided_out) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double end;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 2}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .equation = clock_with_mass,
                              .initial = zero},
        &p));
    ck_ok(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {8}}, NULL, &s));
    ck_ok(saros_tensor_get(saros_solution_field(s, "u"), (int64_t[]){1, 5}, &end));
    ck_near(end, 2, 1e-9);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- systems ---- */

/** An oscillator without space: u.t = v, v.t = -u. */
static saros_status oscillator(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_sub(saros_d(s, "u", "t"), saros_get(s, "v"));
    r[1] = saros_add(saros_d(s, "v", "t"), saros_get(s, "u"));
    return SAROS_OK;
}
static saros_status unit(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = number(s, 1);
    out[1] = number(s, 0);
    return SAROS_OK;
}
/** Acoustics: u.t + p.x = 0, p.t + u.x = 0; conditions on one unknown only. */
static saros_status acoustics(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_add(saros_d(s, "u", "t"), saros_d(s, "p", "x"));
    r[1] = saros_add(saros_d(s, "p", "t"), saros_d(s, "u", "x"));
    return SAROS_OK;
}
static saros_status standing(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value x = saros_coord(s, "x");
    out[0] = number(s, 0);
    out[1] = saros_cos(saros_mul(saros_like(x, M_PI), x));
    return SAROS_OK;
}

START_TEST(systems_without_space_and_of_two_unknowns_are_solved) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double v;
    ck_ok(saros_problem_make(&(saros_problem_spec){.axes = (saros_axis[]){{"t", 0, M_PI / 2}, {0}},
                                                   .unknowns = (const char *[]){"u", "v", NULL},
                                                   .equation = oscillator,
                                                   .initial = unit},
                             &p));
    ck_ok(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.rtol = 1e-10, .atol = 1e-12},
                              NULL, &s));
    ck_ok(saros_tensor_get(saros_solution_field(s, "v"), (int64_t[]){1}, &v));
    ck_near(v, -1, 1e-7);
    saros_solution_release(s);
    saros_problem_release(p);
    saros_condition walls[] = {{.axis = "x", .unknown = "u", .kind = SAROS_DIRICHLET},
                               {.axis = "x", .unknown = "p", .kind = SAROS_FREE},
                               {0}};
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 2}, {0}},
                              .unknowns = (const char *[]){"u", "p", NULL},
                              .equation = acoustics,
                              .initial = standing,
                              .boundary = walls},
        &p));
    saros_grid_options o = {.cells = {64}, .order = 2, .rtol = 1e-8, .atol = 1e-10};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    /* one period of the standing wave p = cos(pi x) cos(pi t) */
    ck_ok(saros_tensor_get(saros_solution_field(s, "p"), (int64_t[]){1, 16}, &v));
    ck_near(v, cos(M_PI / 4), 5e-3);
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- errors of functions ---- */

static saros_status wrong_unknown(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_get(s, "uu");
    return SAROS_OK;
}
static saros_status wrong_parameter(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_mul(saros_param(s, "kapa"), saros_get(s, "u"));
    return SAROS_OK;
}
static saros_status wrong_axis(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_d(s, "u", "xy");
    return SAROS_OK;
}
static saros_status wrong_coordinate(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_coord(s, "z");
    return SAROS_OK;
}
static saros_status normal_inside(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_d(s, "u", "n");
    return SAROS_OK;
}
static saros_status reduction(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u"), all = saros_reshape(u, 1, (int64_t[]){1});
    r[0] = saros_sum(all, 1);
    return SAROS_OK;
}
static saros_status nothing(saros_point *s, void *user, saros_value *r) {
    (void)s;
    (void)user;
    (void)r;
    return SAROS_OK;
}
static saros_status a_mask(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_lt(saros_get(s, "u"), number(s, 0));
    return SAROS_OK;
}
static saros_status too_many_fluxes(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    r[0] = saros_div_flux(s, 2, (saros_value[]){u, u});
    return SAROS_OK;
}

START_TEST(functions_that_are_wrong_are_named_with_a_way_out) {
    refuses(wrong_unknown, SAROS_ERR_USAGE, "no unknown is called 'uu'", "there are: u");
    refuses(wrong_parameter, SAROS_ERR_USAGE, "no parameter is called 'kapa'",
            "did you mean kappa?");
    refuses(wrong_axis, SAROS_ERR_USAGE, "no axis is called 'xy'", "x t");
    refuses(wrong_coordinate, SAROS_ERR_USAGE, "no axis is called 'z'", "x t");
    refuses(normal_inside, SAROS_ERR_USAGE, "only in boundary conditions", "axis letter");
    refuses(reduction, SAROS_ERR_SHAPE, "one point", "one point");
    refuses(nothing, SAROS_ERR_USAGE, "value 1 of 1 is missing", "");
    refuses(a_mask, SAROS_ERR_TYPE, "bool", "saros_where");
    refuses(too_many_fluxes, SAROS_ERR_USAGE, "2 components", "one component per space axis");
}
END_TEST

static saros_status random_number(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_value key = saros_random_fold(saros_random_key(saros_point_graph(s), 1),
                                        saros_scalar(saros_point_graph(s), SAROS_I64, 2));
    r[0] = saros_add(saros_random_uniform(key, &scalar), saros_d(s, "u", "t"));
    return SAROS_OK;
}

START_TEST(operations_that_are_not_pointwise_are_refused) {
    saros_problem *p = NULL;
    ck_assert_int_ne(make(random_number, &p), SAROS_OK);
    ck_assert_ptr_null(p);
}
END_TEST

static saros_status recursive(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_mul(number(s, 2), saros_param(s, "k"));
    return SAROS_OK;
}
static saros_status uses_k(saros_point *s, void *user, saros_value *r) {
    (void)user;
    r[0] = saros_add(saros_param(s, "k"), saros_d(s, "u", "t"));
    return SAROS_OK;
}

START_TEST(a_parameter_defined_by_itself_is_refused) {
    saros_problem *p = NULL;
    ck_fails(saros_problem_make(
                 &(saros_problem_spec){
                     .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
                     .unknowns = (const char *[]){"u", NULL},
                     .parameters = (saros_parameter[]){{.name = "k", .function = recursive}, {0}},
                     .equation = uses_k,
                     .initial = zero},
                 &p),
             SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "defined by itself"));
}
END_TEST

/* ---- errors of specifications ---- */

static void refuses_spec(const saros_problem_spec *spec, saros_status code, const char *message) {
    saros_problem *p = NULL;
    ck_fails(saros_problem_make(spec, &p), code);
    ck_assert_msg(strstr(saros_error_last()->message, message), "message: %s",
                  saros_error_last()->message);
}

START_TEST(specifications_that_are_wrong_are_refused) {
    const saros_problem_spec good = {.name = "test",
                                     .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
                                     .unknowns = (const char *[]){"u", NULL},
                                     .equation = uses_k,
                                     .parameters =
                                         (saros_parameter[]){{.name = "k", .value = 1}, {0}},
                                     .initial = zero};
    saros_problem_spec spec = good;
    spec.equation = NULL;
    refuses_spec(&spec, SAROS_ERR_USAGE, "no equation");
    spec = good;
    spec.axes = (saros_axis[]){{"w", 0, 1}, {0}};
    refuses_spec(&spec, SAROS_ERR_USAGE, "unknown axis 'w'");
    spec.axes = (saros_axis[]){{"x", 1, 0}, {0}};
    refuses_spec(&spec, SAROS_ERR_DOMAIN, "runs from 1 to 0");
    spec.axes = (saros_axis[]){{"x", 0, 1}, {"x", 0, 1}, {0}};
    refuses_spec(&spec, SAROS_ERR_USAGE, "given twice");
    spec.axes = NULL;
    refuses_spec(&spec, SAROS_ERR_USAGE, "no domain");
    spec = good;
    spec.unknowns = NULL;
    refuses_spec(&spec, SAROS_ERR_USAGE, "no unknowns");
    spec.unknowns = (const char *[]){"x", NULL};
    refuses_spec(&spec, SAROS_ERR_USAGE, "'x'");
    spec.unknowns = (const char *[]){"u", "u", NULL};
    refuses_spec(&spec, SAROS_ERR_USAGE, "'u'");
    spec = good;
    spec.initial = NULL;
    refuses_spec(&spec, SAROS_ERR_USAGE, "no initial values");
    spec.initial = wrong_unknown;
    refuses_spec(&spec, SAROS_ERR_USAGE, "'uu'");
}
END_TEST

/* ---- conditions ---- */

static void refuses_conditions(saros_point_fn equation, const saros_condition *list,
                               saros_status code, const char *message) {
    refuses_spec(
        &(saros_problem_spec){.name = "test",
                              .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .parameters = (saros_parameter[]){{.name = "kappa", .value = 1}, {0}},
                              .equation = equation,
                              .initial = zero,
                              .boundary = list},
        code, message);
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
        ck_ok(saros_problem_make(
            &(saros_problem_spec){.name = "test",
                                  .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
                                  .unknowns = (const char *[]){"u", NULL},
                                  .parameters =
                                      (saros_parameter[]){{.name = "kappa", .value = 1}, {0}},
                                  .equation = burgers,
                                  .initial = zero,
                                  .boundary = (saros_condition[]){row[k], {0}}},
            &p));
        ck_fails(saros_problem_solve(p, &saros_grid, NULL, NULL, &s), SAROS_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "condition of u at x.lo"));
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
        ck_assert_msg(strstr(saros_error_last()->message, row[k].message), "%s",
                      saros_error_last()->message);
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

START_TEST(a_solution_that_is_not_finite_is_an_error) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    ck_ok(saros_problem_make(&(saros_problem_spec){.axes = (saros_axis[]){{"t", 0, 1}, {0}},
                                                   .unknowns = (const char *[]){"u", NULL},
                                                   .equation = blow_up,
                                                   .initial = ten},
                             &p));
    saros_grid_options o = {.integrator = "euler", .dt = 0.01};
    ck_fails(saros_problem_solve(p, &saros_grid, &o, NULL, &s), SAROS_ERR_NAN);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "u is not finite at t = 1"));
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
    ck_ok(saros_problem_make(&(saros_problem_spec){.axes = (saros_axis[]){{"t", 0, 1}, {0}},
                                                   .unknowns = (const char *[]){"u", NULL},
                                                   .equation = decay,
                                                   .initial = ten},
                             &p));
    saros_grid_options o = {.integrator = "euler", .dt = 0.05};
    ck_fails(saros_problem_solve(p, &saros_grid, &o, NULL, &s), SAROS_ERR_DIVERGED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "at t = 1, after 20 steps of euler"));
    o.integrator = "implicit-euler";
    ck_ok(saros_problem_solve(p, &saros_grid, &o, NULL, &s));
    saros_solution_release(s);
    saros_problem_release(p);
}
END_TEST

/* ---- the list of equations ---- */

START_TEST(ready_problems_are_listed_with_options_that_work) {
    int count = 0;
    const saros_equation *const *row = saros_equations(&count);
    ck_assert_int_eq(count, 5);
    for (int k = 0; k < count; ++k) {
        saros_problem *p = NULL;
        saros_solution *s = NULL;
        void *spec = saros_allocate_zero(1, row[k]->options->bytes);
        ck_assert_ptr_eq(saros_equation_find(row[k]->name), row[k]);
        for (int i = 0; i < row[k]->options->rows; ++i)
            ck_assert_int_gt((int)strlen(row[k]->options->row[i].doc), 3);
        ck_ok(row[k]->make(spec, &p));
        ck_ok(saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {12}}, NULL, &s));
        saros_solution_release(s);
        saros_problem_release(p);
        saros_release(spec);
    }
    ck_assert_ptr_null(saros_equation_find("burger"));
    ck_assert_ptr_nonnull(strstr(saros_error_last()->hint, "burgers"));
}
END_TEST

SAROS_TEST_MAIN("physics/problem", inspection_finds_orders_linearity_and_time_form,
                forms_that_are_not_built_say_so, mixed_derivatives_are_one_value_in_either_order,
                a_mass_in_front_of_the_rate_is_divided_out,
                systems_without_space_and_of_two_unknowns_are_solved,
                functions_that_are_wrong_are_named_with_a_way_out,
                operations_that_are_not_pointwise_are_refused,
                a_parameter_defined_by_itself_is_refused, specifications_that_are_wrong_are_refused,
                conditions_are_those_the_equation_needs, the_grid_names_conditions_it_cannot_take,
                options_that_do_not_fit_are_refused, a_singular_steady_problem_is_an_error,
                a_solution_that_is_not_finite_is_an_error,
                unstable_steps_that_stay_finite_are_an_error,
                ready_problems_are_listed_with_options_that_work)
