/** The objective that tests of gradients share: the integral of u^2. */
#ifndef TESTS_PHYSICS_ENERGY_H
#define TESTS_PHYSICS_ENERGY_H

#include "saros/ops.h"
#include "saros/solution.h"
#include "saros_check.h"

static inline saros_status square(saros_point *s, void *user, saros_value *out) {
    (void)user;
    saros_value u = saros_get(s, "u");
    out[0] = saros_mul(u, u);
    return SAROS_OK;
}

/** int u^2 at the end. */
static inline saros_status energy(saros_traced *solution, void *user, saros_value *out) {
    (void)user;
    *out = saros_traced_integral(solution, square, NULL, NAN);
    return SAROS_OK;
}

/** The number in a tensor, which is released. */
static inline double scalar(saros_tensor *t) {
    double v = NAN;
    ck_ok(saros_tensor_item(t, &v));
    saros_tensor_release(t);
    return v;
}

#endif
