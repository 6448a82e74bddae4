/** Robertson's kinetics and its reference values, which the tests of every integrator of stiff
 * equations share. */
#ifndef TESTS_SOLVERS_ROBERTSON_H
#define TESTS_SOLVERS_ROBERTSON_H

#include "saros_check.h"

#include "saros/ops.h"

static inline saros_tensor *vector(int64_t n, const double *value) {
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, value, &t));
    return t;
}

static inline saros_value part(saros_value y, int64_t k) {
    return saros_slice(y, 0, k, k + 1, 1);
}

/* y1' = -p1 y1 + p2 y2 y3, y2' = p1 y1 - p2 y2 y3 - p3 y2^2, y3' = p3 y2^2 */
static inline saros_value robertson(saros_value t, saros_value y, saros_value p) {
    (void)t;
    saros_value a = saros_mul(part(p, 0), part(y, 0));
    saros_value b = saros_mul(saros_mul(part(p, 1), part(y, 1)), part(y, 2));
    saros_value c = saros_mul(saros_mul(part(p, 2), part(y, 1)), part(y, 1));
    saros_value all[3] = {saros_sub(b, a), saros_sub(saros_sub(a, b), c), c};
    return saros_concat(3, all, 0);
}

#define ROBERTSON_P                                                                                \
    { 0.04, 1e4, 3e7 }

/* references.md: y and dy1/dp1 at these times */
static const double robertson_times[3] = {0, 0.4, 4};
static const double robertson_states[2][3] = {
    {.98517211386098, 3.3863953789752e-5, .014794022185233},
    {.90551867858425, 2.2404756875602e-5, .094458916658876}};
static const double robertson_sensitivities[2] = {-.355952566, -1.876082174};

#endif
