/** Problems: tracing, inspection, the time form, systems, the list of ready ones. */
#include "problem_examples.h"
#include "saros/equations.h"
#include "saros/memory.h"

/* ---- inspection ---- */

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
                ready_problems_are_listed_with_options_that_work)
