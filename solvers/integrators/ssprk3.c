/** Strong-stability-preserving Runge-Kutta method of order 3 in three stages (Shu and Osher 1988,
 * eq. 2.18): convex combinations of Euler steps, so that what Euler keeps bounded stays bounded.
 *
 *      a = y + h f(t, y);   b = 3/4 y + 1/4 (a + h f(t+h, a));   y' = 1/3 y + 2/3 (b + h f(t+h/2,
 * b))
 */
#include "integrators_impl.h"

static saros_value euler_from(const saros_step *s, saros_value y, double offset) {
    return saros_step_along(s, y, 1, saros_step_rate(s, offset, y));
}

/* w y + (1-w) z */
static saros_value blend(const saros_step *s, double w, saros_value z) {
    return saros_add(saros_mul(saros_like(s->y, w), s->y), saros_mul(saros_like(z, 1 - w), z));
}

static saros_value ssprk3_step(const saros_step *s) {
    saros_value a = euler_from(s, s->y, 0);
    saros_value b = blend(s, 0.75, euler_from(s, a, 1));
    return blend(s, 1.0 / 3, euler_from(s, b, 0.5));
}

const saros_integrator saros_integrator_ssprk3 = {
    .name = "ssprk3",
    .doc = "strong-stability-preserving Runge-Kutta, order 3",
    .order = 3,
    .step = ssprk3_step,
};
