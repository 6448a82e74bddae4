/** Roots in a graph: x with F(x) = 0, by Newton's method with line search, differentiated by the
 * implicit function theorem.
 *
 *  J is assembled in its sparsity and factorised (band LAPACK, KLU), or serves a Krylov method of
 * PETSc (linear.h), without a matrix if asked. Derivatives are linear solves with J or J^T at the
 * solution, which reuse factors or preconditioner. Non-convergence is an error.
 */
#ifndef SAROS_ROOT_H
#define SAROS_ROOT_H

#include "saros/autodiff.h"
#include "saros/linear.h"

typedef struct saros_root_options {
    double rtol, atol;  /**< on the residual norm, relative to the first and absolute; 0: 1e-10 and
                           1e-14 (scaled by sqrt(n)) */
    int max_iterations; /**< 0: 50 */
    saros_sparsity *sparsity;           /**< of dF/dx; NULL: found in the graph */
    const saros_krylov_options *krylov; /**< for the linear systems; NULL: solved directly */
    const char *name;                   /**< for messages */
} saros_root_options;

/** x (f64, rank 1) with F(x) = 0 near `guess`; F may use any values of the guess's graph and of
 * those that enclose it (captures). The guess carries no gradient. */
SAROS_API saros_value saros_root(saros_value guess, saros_residual_fn residual, void *user,
                                 const saros_root_options *options);

/** All rows of this floor, in a fixed order; for tests, bindings and reference pages. */
SAROS_API const saros_primitive *const *saros_solver_primitives(int *count);

#endif
