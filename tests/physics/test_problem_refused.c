/** Every error of a specification and of the functions in it, each with a way out. */
#include "problem_examples.h"
#include "saros/primitive.h"

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

SAROS_TEST_MAIN("physics/problem_refused", functions_that_are_wrong_are_named_with_a_way_out,
                operations_that_are_not_pointwise_are_refused,
                a_parameter_defined_by_itself_is_refused, specifications_that_are_wrong_are_refused)
