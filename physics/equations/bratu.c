/** Bratu's problem, lap u + lambda e^u = 0: two solutions below a critical lambda (6.80812442248 on
 * the unit square), none above; a guess of zero leads to the lower one. */
#include "equations_impl.h"
#include "saros/ops.h"

static saros_status equation(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value u = saros_get(s, "u");
    r[0] = saros_add(saros_lap(s, u), saros_mul(saros_param(s, "lambda"), saros_exp(u)));
    return SAROS_OK;
}

saros_status saros_equation_bratu(const saros_bratu_spec *spec, saros_problem **out) {
    saros_ready ready = {
        .name = "bratu",
        .frame = &spec->frame,
        .domain = {{"x", 0, 1}, {"y", 0, 1}},
        .equation = equation,
        .parameter = {{.name = "lambda", .value = spec->lambda != 0 ? spec->lambda : 1}},
        .spec = spec,
    };
    return saros_ready_make(&ready, out);
}

static saros_status make(const void *spec, saros_problem **out) {
    return saros_equation_bratu(spec, out);
}

static const saros_option options[] = {
    SAROS_FRAME_OPTIONS,
    {"lambda", SAROS_OPTION_NUMBER, offsetof(saros_bratu_spec, lambda), "1", 0, 0, NULL, NULL,
     "strength of the source", NULL},
};
static const saros_option_table table = {"bratu", sizeof(saros_bratu_spec), options,
                                         sizeof options / sizeof *options, -1};
const saros_equation saros_equation_row_bratu = {"bratu", "Bratu problem, lap u + lambda e^u = 0",
                                                 &table, make};
