/** Poisson's equation, -lap u = f. */
#include "equations_impl.h"
#include "saros/ops.h"

static saros_status equation(saros_point *s, void *user, saros_value *r) {
    const saros_poisson_spec *spec = ((const saros_ready *)user)->spec;
    saros_value f = SAROS_NONE;
    if (spec->source) {
        saros_status status = spec->source(s, spec->source_user, &f);
        if (status != SAROS_OK) return status;
    } else {
        f = saros_param(s, "f");
    }
    r[0] = saros_sub(saros_neg(saros_lap(s, saros_get(s, "u"))), f);
    return SAROS_OK;
}

saros_status saros_equation_poisson(const saros_poisson_spec *spec, saros_problem **out) {
    saros_ready ready = {
        .name = "poisson",
        .frame = &spec->frame,
        .domain = {{"x", 0, 1}, {"y", 0, 1}},
        .equation = equation,
        .spec = spec,
    };
    if (!spec->source)
        ready.parameter[0] = (saros_parameter){.name = "f", .value = spec->f != 0 ? spec->f : 1};
    return saros_ready_make(&ready, out);
}

static saros_status make(const void *spec, saros_problem **out) {
    return saros_equation_poisson(spec, out);
}

static const saros_option options[] = {
    SAROS_FRAME_OPTIONS,
    {"f", SAROS_OPTION_NUMBER, offsetof(saros_poisson_spec, f), "1", 0, 0, NULL, NULL,
     "right-hand side, a number", NULL},
    SAROS_SPECIAL(saros_poisson_spec, source,
                  "right-hand side, a function of the point, instead of f"),
};
static const saros_option_table table = {"poisson", sizeof(saros_poisson_spec), options,
                                         sizeof options / sizeof *options, -1};
const saros_equation saros_equation_row_poisson = {"poisson", "Poisson equation, -lap u = f",
                                                   &table, make};
