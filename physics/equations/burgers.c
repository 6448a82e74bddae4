/** Burgers' equation, u_t + u u_x = nu u_xx, or conservative: u_t + (u^2/2)_x = nu u_xx, which
 * moves shocks at the right speed however coarse the grid. */
#include <math.h>

#include "equations_impl.h"
#include "saros/ops.h"

static saros_status equation(saros_point *s, void *user, saros_value *r) {
    const saros_burgers_spec *spec = ((const saros_ready *)user)->spec;
    saros_value u = saros_get(s, "u");
    saros_value square = saros_mul(saros_like(u, 0.5), saros_mul(u, u));
    saros_value advection =
        spec->conservative > 0 ? saros_d_of(s, square, "x") : saros_mul(u, saros_d(s, "u", "x"));
    saros_value diffusion = saros_mul(saros_param(s, "nu"), saros_d(s, "u", "xx"));
    r[0] = saros_sub(saros_add(saros_d(s, "u", "t"), advection), diffusion);
    return SAROS_OK;
}

static saros_status initial(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value x = saros_coord(s, "x");
    out[0] = saros_neg(saros_sin(saros_mul(saros_like(x, M_PI), x)));
    return SAROS_OK;
}

saros_status saros_equation_burgers(const saros_burgers_spec *spec, saros_problem **out) {
    saros_ready ready = {
        .name = "burgers",
        .frame = &spec->frame,
        .domain = {{"x", -1, 1}, {"t", 0, 1}},
        .equation = equation,
        .initial = initial,
        .parameter = {{.name = "nu", .value = spec->nu != 0 ? spec->nu : 0.01 / M_PI}},
        .spec = spec,
    };
    return saros_ready_make(&ready, out);
}

static saros_status make(const void *spec, saros_problem **out) {
    return saros_equation_burgers(spec, out);
}

static const saros_option options[] = {
    SAROS_FRAME_OPTIONS,
    {"nu", SAROS_OPTION_NUMBER, offsetof(saros_burgers_spec, nu), "0.01/pi", 0, 0, NULL, NULL,
     "viscosity", NULL},
    {"conservative", SAROS_OPTION_FLAG, offsetof(saros_burgers_spec, conservative), "false", 0, 0,
     NULL, NULL, "difference the flux u^2/2", NULL},
};
static const saros_option_table table = {"burgers", sizeof(saros_burgers_spec), options,
                                         sizeof options / sizeof *options, -1};
const saros_equation saros_equation_row_burgers = {
    "burgers", "viscous Burgers equation, u_t + u u_x = nu u_xx", &table, make};
