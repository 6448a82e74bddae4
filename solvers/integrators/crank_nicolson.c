/** Crank-Nicolson: z = y + h/2 (f(t, y) + f(t + h, z)). Order 2, A-stable; stiff transients are not
 * damped.
 */
#include "integrators_impl.h"

static saros_value crank_nicolson_step(const saros_step *s) {
    saros_value half = saros_step_along(s, s->y, 0.5, saros_step_rate(s, 0, s->y));
    return saros_step_implicit(s, half, 0.5, 1, s->y);
}

const saros_integrator saros_integrator_crank_nicolson = {
    .name = "crank-nicolson",
    .doc = "trapezoidal rule, order 2, A-stable",
    .order = 2,
    .implicit_ = true,
    .step = crank_nicolson_step,
};
