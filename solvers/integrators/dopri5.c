/** The explicit Runge-Kutta pair of orders 5 and 4 in seven stages (Dormand and Prince 1980, table
 * 2, RK5(4)7M). The seventh stage is the rate at the new state and serves the error estimate alone.
 */
#include "integrators_impl.h"

enum { STAGES = 7 };

static const double a[STAGES][STAGES] = {
    {0},
    {1. / 5},
    {3. / 40, 9. / 40},
    {44. / 45, -56. / 15, 32. / 9},
    {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
    {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
    {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
};
static const double c[STAGES] = {0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1};
/* weights of order 5 less those of order 4 */
static const double e[STAGES] = {71. / 57600,      0,         -71. / 16695, 71. / 1920,
                                 -17253. / 339200, 22. / 525, -1. / 40};

/* sum w_j k_j over the first n rates; w_0 is not 0 */
static saros_value combine(int n, const double *w, const saros_value *k) {
    saros_value sum = saros_mul(saros_like(k[0], w[0]), k[0]);
    for (int j = 1; j < n; ++j)
        if (w[j] != 0) sum = saros_add(sum, saros_mul(saros_like(k[j], w[j]), k[j]));
    return sum;
}

static saros_value dopri5_step(const saros_step *s) {
    saros_value k[STAGES], y = s->y;
    k[0] = saros_step_rate(s, 0, y);
    for (int i = 1; i < STAGES; ++i) {
        y = saros_step_along(s, s->y, 1, combine(i, a[i], k));
        if (i < STAGES - 1 || s->error) k[i] = saros_step_rate(s, c[i], y);
    }
    if (s->error) *s->error = saros_mul(s->h, combine(STAGES, e, k));
    return y;
}

const saros_integrator saros_integrator_dopri5 = {
    .name = "dopri5",
    .doc = "Dormand-Prince Runge-Kutta pair, order 5, adaptive",
    .order = 5,
    .estimate = 4,
    .step = dopri5_step,
};
