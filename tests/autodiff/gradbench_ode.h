/** GradBench's ODE (github.com/gradbench/gradbench, after cmpad of B. Bell): y_1' = x_1, y_i' = x_i
 * y_(i-1), y(0) = 0, to t = 2 by s steps of the Runge-Kutta method of order 4; the last entry of y.
 *
 *  Its solution is y_i(t) = x_1 … x_i t^i / i!, which the method gives exactly up to i = 4. */
#ifndef SAROS_TESTS_GRADBENCH_ODE_H
#define SAROS_TESTS_GRADBENCH_ODE_H

#include "saros/ops.h"
#include "saros/region.h"

/** Rate: x times (1, y_1, …, y_(n-1)). */
static inline saros_value ode_rate(saros_value x, saros_value y) {
    const int64_t n = saros_value_type(x)->shape[0];
    saros_value before = saros_slice(y, 0, 0, n - 1, 1);
    return saros_mul(x, saros_pad(before, 0, 1, 0, 0, 1));
}

typedef struct ode_build {
    saros_value x;
    double step;
} ode_build;

static inline saros_status ode_step(saros_graph *body, saros_value index, const saros_value *carry,
                                    const saros_value *input, void *user, saros_value *next,
                                    saros_value *kept) {
    const ode_build *b = user;
    saros_value y = carry[0], h = saros_like(y, b->step), half = saros_like(y, 0.5 * b->step);
    (void)body;
    (void)index;
    (void)input;
    (void)kept;
    saros_value k1 = ode_rate(b->x, y);
    saros_value k2 = ode_rate(b->x, saros_add(y, saros_mul(half, k1)));
    saros_value k3 = ode_rate(b->x, saros_add(y, saros_mul(half, k2)));
    saros_value k4 = ode_rate(b->x, saros_add(y, saros_mul(h, k3)));
    saros_value sum = saros_add(saros_add(k1, k4), saros_mul(saros_like(y, 2), saros_add(k2, k3)));
    next[0] = saros_add(y, saros_mul(saros_like(y, b->step / 6), sum));
    return SAROS_OK;
}

/** y (n) at t = 2 from x (n). */
static inline saros_value ode_value(saros_value x, int64_t steps) {
    ode_build build = {x, 2.0 / (double)steps};
    saros_value start = saros_zeros_like(x), end;
    saros_loop(x.graph,
               &(saros_loop_spec){.n = saros_scalar(x.graph, SAROS_I64, (double)steps),
                                  .bound = steps,
                                  .carries = 1,
                                  .carry = &start,
                                  .build = ode_step,
                                  .user = &build},
               &end, NULL);
    return end;
}
static inline saros_value ode_last(saros_value x, int64_t steps) {
    const int64_t n = saros_value_type(x)->shape[0];
    return saros_reshape(saros_slice(ode_value(x, steps), 0, n - 1, n, 1), 0, NULL);
}

#endif
