/** Linear advection, u_t + a u_x + b u_y + c u_z = 0. */
#include "equations_impl.h"
#include "saros/ops.h"

static const char *const velocity[3] = {"a", "b", "c"};

static saros_status equation(saros_point *s, void *user, saros_value *r) {
    (void)user;
    const char *axis[3];
    int n = saros_point_axes(s, axis);
    r[0] = saros_d(s, "u", "t");
    for (int k = 0; k < n; ++k)
        r[0] = saros_add(r[0], saros_mul(saros_param(s, velocity[k]), saros_d(s, "u", axis[k])));
    return SAROS_OK;
}

static saros_status initial(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_sine_product(s, 2);
    return SAROS_OK;
}

saros_status saros_equation_advection(const saros_advection_spec *spec, saros_problem **out) {
    const double value[3] = {spec->a, spec->b, spec->c};
    saros_ready ready = {
        .name = "advection",
        .frame = &spec->frame,
        .domain = {{"x", 0, 1}, {"t", 0, 1}},
        .periodic = true,
        .equation = equation,
        .initial = initial,
        .spec = spec,
    };
    int n = 0;
    for (const saros_axis *row = spec->frame.domain ? spec->frame.domain : ready.domain;
         row->name && n < 3; ++row)
        if (row->name[0] != 't') {
            ready.parameter[n] =
                (saros_parameter){.name = velocity[n], .value = value[n] != 0 ? value[n] : 1};
            n++;
        }
    return saros_ready_make(&ready, out);
}

static saros_status make(const void *spec, saros_problem **out) {
    return saros_equation_advection(spec, out);
}

static const saros_option options[] = {
    SAROS_FRAME_OPTIONS,
    {"a", SAROS_OPTION_NUMBER, offsetof(saros_advection_spec, a), "1", 0, 0, NULL, "length/time",
     "velocity along x", NULL},
    {"b", SAROS_OPTION_NUMBER, offsetof(saros_advection_spec, b), "1", 0, 0, NULL, "length/time",
     "velocity along y", NULL},
    {"c", SAROS_OPTION_NUMBER, offsetof(saros_advection_spec, c), "1", 0, 0, NULL, "length/time",
     "velocity along z", NULL},
};
static const saros_option_table table = {"advection", sizeof(saros_advection_spec), options,
                                         sizeof options / sizeof *options, -1};
const saros_equation saros_equation_row_advection = {
    "advection", "linear advection, u_t + a u_x + b u_y + c u_z = 0", &table, make};
