/** PETSc TAO on functions: inverse problems with few to many unknowns and bounds. (Training methods
 * belong to pinn.) */
#ifndef SAROS_MINIMISE_H
#define SAROS_MINIMISE_H

#include "saros/sparse.h"

typedef struct saros_minimise_options {
    const char *method;                  /**< TAO type: NULL: "blmvm" with bounds, "lmvm" without */
    double gradient_rtol, gradient_atol; /**< 0: 1e-8, 1e-10 */
    int max_iterations;                  /**< 0: 200 */
    saros_jacobian *hessian; /**< of J by w, its inputs (w, constants…): Newton's method, TAO's nls,
                                or bnls with bounds; NULL: gradients alone */
    const double *lower, *upper; /**< n each, NULL: none */
    const double
        *scale; /**< n: typical sizes; the unknowns are divided by these inside; NULL: ones */
    bool (*stop)(int iteration, double value, void *user);
    void *user;
} saros_minimise_options;

typedef struct saros_minimise_info {
    int iterations, evaluations;
    double value, gradient_norm;
    bool converged;
    const char *reason;
    int64_t history_count;
    double *history; /**< value per iteration; release with saros_release */
} saros_minimise_info;

/** Minimises J. @param objective (w, constants…) -> (J scalar, gradient (n)).  `w` (n) f64 is the
 * start; *solution the end. */
SAROS_API saros_status saros_minimise(const saros_function *objective, int constants,
                                      saros_tensor *const *constant, saros_tensor *start,
                                      const saros_minimise_options *options,
                                      saros_tensor **solution, saros_minimise_info *info);

#endif
