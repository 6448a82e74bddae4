/** The classical Runge-Kutta method of order 4 (Kutta 1901). */
#include "integrators_impl.h"

static saros_value rk4_step(const saros_step *s) {
    saros_value k1 = saros_step_rate(s, 0, s->y);
    saros_value k2 = saros_step_rate(s, 0.5, saros_step_along(s, s->y, 0.5, k1));
    saros_value k3 = saros_step_rate(s, 0.5, saros_step_along(s, s->y, 0.5, k2));
    saros_value k4 = saros_step_rate(s, 1, saros_step_along(s, s->y, 1, k3));
    saros_value ends = saros_add(k1, k4), middle = saros_add(k2, k3);
    saros_value sum = saros_add(ends, saros_mul(saros_like(middle, 2), middle));
    return saros_step_along(s, s->y, 1.0 / 6, sum);
}

const saros_integrator saros_integrator_rk4 = {
    .name = "rk4",
    .doc = "classical Runge-Kutta, order 4",
    .order = 4,
    .step = rk4_step,
};
