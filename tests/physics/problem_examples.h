/** A problem of one unknown, and what is expected of one that is refused. */
#ifndef PROBLEM_EXAMPLES_H
#define PROBLEM_EXAMPLES_H

#include <string.h>

#include "problem_impl.h"
#include "saros/ops.h"
#include "saros/solution.h"
#include "saros_check.h"

static inline saros_value number(saros_point *s, double x) {
    return saros_scalar(saros_point_graph(s), SAROS_F64, x);
}
static inline saros_status zero(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = number(s, 0);
    return SAROS_OK;
}

/** A problem of u (x in [0,1], t in [0,1], u = 0 at the start, parameter kappa). */
static inline saros_status make_with(saros_point_fn equation, const saros_condition *boundary,
                                     saros_problem **out) {
    return saros_problem_make(
        &(saros_problem_spec){.name = "test",
                              .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .parameters = (saros_parameter[]){{.name = "kappa", .value = 1}, {0}},
                              .equation = equation,
                              .initial = zero,
                              .boundary = boundary},
        out);
}
/** The same with u = 0 at the ends. */
static inline saros_status make(saros_point_fn equation, saros_problem **out) {
    return make_with(equation, (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET}, {0}},
                     out);
}
/** The record of the failure says this. */
static inline void message_has(const char *part) {
    ck_assert_msg(strstr(saros_error_last()->message, part), "message: %s",
                  saros_error_last()->message);
}
static inline void refuses(saros_point_fn equation, saros_status code, const char *message,
                           const char *hint) {
    saros_problem *p = NULL;
    ck_fails(make(equation, &p), code);
    message_has(message);
    ck_assert_msg(strstr(saros_error_last()->hint, hint), "hint: %s", saros_error_last()->hint);
    ck_assert_ptr_null(p);
}

static inline saros_status burgers(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    saros_value left = saros_add(saros_d(s, "u", "t"), saros_mul(u, saros_d(s, "u", "x")));
    r[0] = saros_sub(left, saros_mul(saros_param(s, "kappa"), saros_d(s, "u", "xx")));
    return SAROS_OK;
}

static inline void refuses_spec(const saros_problem_spec *spec, saros_status code,
                                const char *message) {
    saros_problem *p = NULL;
    ck_fails(saros_problem_make(spec, &p), code);
    message_has(message);
}

#endif
