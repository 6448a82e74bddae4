/** Implicit nodes of a graph: a nonlinear root and a linear solve, differentiated by the implicit
 * function theorem.
 *
 *  root: x with F(x) = 0, Newton with line search, J assembled in its sparsity by coloured jvp and
 * factorised (band LAPACK or KLU). Its derivatives are linear solves with J or J^T at the solution,
 * which reuse the factorisation. Non-convergence is an error.
 */
#ifndef SAROS_ROOT_H
#define SAROS_ROOT_H

#include "saros/autodiff.h"
#include "saros/sparse.h"

typedef saros_status (*saros_residual_fn)(saros_graph *graph, saros_value x, void *user,
                                          saros_value *residual);

typedef struct saros_root_options {
    double rtol, atol;  /**< on the residual norm, relative to the first and absolute; 0: 1e-10 and
                           1e-14 (scaled by sqrt(n)) */
    int max_iterations; /**< 0: 50 */
    saros_sparsity *sparsity; /**< of dF/dx; NULL: dense */
    const char *name;         /**< for messages */
} saros_root_options;

/** x (f64, rank 1) with F(x) = 0 near `guess`; F may use any values of the guess's graph and of
 * those that enclose it (captures). The guess carries no gradient. */
SAROS_API saros_value saros_root(saros_value guess, saros_residual_fn residual, void *user,
                                 const saros_root_options *options);

/** All rows of this floor, in a fixed order; for tests, bindings and reference pages. */
SAROS_API const saros_primitive *const *saros_solver_primitives(int *count);

#endif
