/** Implicit Euler: z = y + h f(t + h, z). Order 1, L-stable. */
#include "integrators_impl.h"

static saros_value implicit_euler_step(const saros_step *s) {
    return saros_step_implicit(s, s->y, 1, 1, s->y);
}

const saros_integrator saros_integrator_implicit_euler = {
    .name = "implicit-euler",
    .doc = "implicit Euler, order 1, L-stable",
    .order = 1,
    .implicit_ = true,
    .step = implicit_euler_step,
};
