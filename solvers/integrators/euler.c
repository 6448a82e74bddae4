/** Explicit Euler: y + h f(t, y). Order 1. */
#include "integrators_impl.h"

static saros_value euler_step(const saros_step *s) {
    return saros_step_along(s, s->y, 1, saros_step_rate(s, 0, s->y));
}

const saros_integrator saros_integrator_euler = {
    .name = "euler",
    .doc = "explicit Euler, order 1",
    .order = 1,
    .step = euler_step,
};
