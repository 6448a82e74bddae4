/** Heat equation, u_t = kappa lap u + source, or u_t = div(k grad u) + source with a conductivity k
 * that varies (in flux form: it may jump). */
#include "equations_impl.h"
#include "saros/ops.h"

/** div(k grad u). */
static saros_value flux_form(saros_point *s) {
    const char *axis[3];
    saros_value k = saros_param(s, "k"), flux[3];
    int n = saros_point_axes(s, axis);
    for (int a = 0; a < n; ++a) flux[a] = saros_mul(k, saros_d(s, "u", axis[a]));
    return saros_div_flux(s, n, flux);
}

static saros_status equation(saros_point *s, void *user, saros_value *r) {
    const saros_heat_spec *spec = ((const saros_ready *)user)->spec;
    saros_value diffusion =
        spec->conductivity ? flux_form(s)
                           : saros_mul(saros_param(s, "kappa"), saros_lap(s, saros_get(s, "u")));
    r[0] = saros_sub(saros_d(s, "u", "t"), diffusion);
    if (!spec->source) return SAROS_OK;
    saros_value source = SAROS_NONE;
    saros_status status = spec->source(s, spec->source_user, &source);
    if (status == SAROS_OK) r[0] = saros_sub(r[0], source);
    return status;
}

static saros_status initial(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_sine_product(s, 1);
    return SAROS_OK;
}

saros_status saros_equation_heat(const saros_heat_spec *spec, saros_problem **out) {
    saros_ready ready = {
        .name = "heat",
        .frame = &spec->frame,
        .domain = {{"x", 0, 1}, {"t", 0, 0.1}},
        .equation = equation,
        .initial = initial,
        .parameter = {{.name = "kappa", .value = spec->kappa != 0 ? spec->kappa : 1}},
        .spec = spec,
    };
    if (spec->conductivity)
        ready.parameter[0] = (saros_parameter){
            .name = "k", .function = spec->conductivity, .user = spec->conductivity_user};
    return saros_ready_make(&ready, out);
}

static saros_status make(const void *spec, saros_problem **out) {
    return saros_equation_heat(spec, out);
}

static const saros_option options[] = {
    SAROS_FRAME_OPTIONS,
    {"kappa", SAROS_OPTION_NUMBER, offsetof(saros_heat_spec, kappa), "1", 0, 0, NULL,
     "length^2/time", "diffusivity", NULL},
    SAROS_SPECIAL(saros_heat_spec, conductivity,
                  "diffusivity as a function of the point, instead of kappa"),
    SAROS_SPECIAL(saros_heat_spec, source, "source, a function of the point"),
};
static const saros_option_table table = {"heat", sizeof(saros_heat_spec), options,
                                         sizeof options / sizeof *options, -1};
const saros_equation saros_equation_row_heat = {
    "heat", "heat equation, u_t = div(kappa grad u) + source", &table, make};
