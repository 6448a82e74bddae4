/** Singly diagonally implicit Runge-Kutta method of order 3 in three stages, L-stable and stiffly
 * accurate (Alexander 1977, theorem 5).
 *
 *      g = 0.43586… the root of x^3 - 3 x^2 + 3/2 x - 1/6 in (1/6, 1/2)
 *      a21 = (1 - g)/2,  b1 = -(6 g^2 - 16 g + 1)/4,  b2 = (6 g^2 - 20 g + 5)/4,  nodes g, (1+g)/2,
 * 1
 *
 *  A stage z = base + g h k gives its rate as k = (z - base)/(g h), which keeps round-off of stiff
 * rates out of the sums; here the sums are written in these differences.
 */
#include "integrators_impl.h"

static const double G = 0.43586652150845899942;

static saros_value scaled(double c, saros_value v) {
    return saros_mul(saros_like(v, c), v);
}

static saros_value sdirk_step(const saros_step *s) {
    const double b1 = -(6 * G * G - 16 * G + 1) / 4, b2 = (6 * G * G - 20 * G + 5) / 4;
    saros_value z1 = saros_step_implicit(s, s->y, G, G, s->y);
    saros_value d1 = saros_sub(z1, s->y); /* g h k1 */
    saros_value base2 = saros_add(s->y, scaled((1 - G) / (2 * G), d1));
    saros_value z2 = saros_step_implicit(s, base2, G, (1 + G) / 2, z1);
    saros_value d2 = saros_sub(z2, base2);
    saros_value base3 = saros_add(s->y, saros_add(scaled(b1 / G, d1), scaled(b2 / G, d2)));
    return saros_step_implicit(s, base3, G, 1, z2);
}

const saros_integrator saros_integrator_sdirk = {
    .name = "sdirk",
    .doc = "diagonally implicit Runge-Kutta, order 3, L-stable",
    .order = 3,
    .implicit_ = true,
    .step = sdirk_step,
};
