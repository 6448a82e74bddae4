/** Singly diagonally implicit Runge-Kutta method of order 3 in three stages, L-stable and stiffly
 * accurate (Alexander 1977, theorem 5).
 *
 *      g = 0.43586… the root of x^3 - 3 x^2 + 3/2 x - 1/6 in (1/6, 1/2)
 *      a21 = (1 - g)/2,  b1 = -(6 g^2 - 16 g + 1)/4,  b2 = (6 g^2 - 20 g + 5)/4,  nodes g, (1+g)/2,
 * 1
 *
 *  Its error estimate is the difference from the formula of order 2 on the first two stages, with
 * weights g/(1 - g) and (1 - 2g)/(1 - g): sum b = 1, sum b c = 1/2.
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
    saros_value z3 = saros_step_implicit(s, base3, G, 1, z2);
    if (s->error) {
        const double e1 = b1 - G / (1 - G), e2 = b2 - (1 - 2 * G) / (1 - G);
        saros_value d3 = saros_sub(z3, base3);
        *s->error = saros_add(saros_add(scaled(e1 / G, d1), scaled(e2 / G, d2)), d3);
    }
    return z3;
}

const saros_integrator saros_integrator_sdirk = {
    .name = "sdirk",
    .doc = "diagonally implicit Runge-Kutta, order 3, L-stable, adaptive",
    .order = 3,
    .estimate = 2,
    .implicit_ = true,
    .step = sdirk_step,
};
