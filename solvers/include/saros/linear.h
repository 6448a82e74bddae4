/** Linear systems A x = b in a graph, A given by its product: solved directly or by a Krylov method
 * of PETSc, differentiated by the implicit function theorem.
 *
 *      static saros_status product(saros_graph *g, saros_value x, void *user, saros_value *y);
 *      …
 *      saros_value x = saros_linear_solve(b, product, user, NULL);      // banded LU, dense LU or
 * KLU x = saros_linear_solve(b, product, user, &(saros_linear_options){ .krylov =
 * &(saros_krylov_options){.petsc = "ksp_type cg pc_type icc"}});
 *
 *  The matrix is found in the graph: its pattern, and its entries one by one or by coloured
 * products. Derivatives of any order and mode are further solves with A and with its transpose,
 * with the same factors or the same preconditioner. A solve that does not converge is an error that
 * names it, and says whether it was a solve, a derivative of one, or a transposed derivative.
 */
#ifndef SAROS_LINEAR_H
#define SAROS_LINEAR_H

#include "saros/sparse.h"

/** y = A x, or the residual of a root, appended to `graph`; may use any values of the graph of the
 * unknowns and of those that enclose it. */
typedef saros_status (*saros_residual_fn)(saros_graph *graph, saros_value x, void *user,
                                          saros_value *residual);

/** When an iteration ends: |b - A x| <= max(rtol |b|, atol), the residual computed anew from x;
 * with a matrix also at 4 eps | |A| |x| |, what rounding x alone would leave. */
typedef struct saros_krylov_tolerance {
    double rtol, atol;
    int64_t max_iterations;
} saros_krylov_tolerance;

typedef struct saros_krylov_options {
    const char *petsc; /**< "ksp_type cg pc_type icc …": names and values of PETSc's own options,
                          without dash; NULL: GMRES, with ILU(0) if there is a matrix */
    bool matrix_free;  /**< A and its transpose are applied by their products; no preconditioner
                          but those that need no entries */
    saros_krylov_tolerance solve;      /**< rtol 0: 1e-10 (in the steps of a root: 1e-6); atol 0: 0;
                                          max_iterations 0: 10 000 */
    saros_krylov_tolerance derivative; /**< of solves in derivatives; rtol 0: 1e-10 or that of
                                          `solve`, whichever is less; others 0: those of `solve` */
    saros_krylov_tolerance transposed; /**< of transposed ones; 0: those of `derivative` */
} saros_krylov_options;

typedef struct saros_linear_options {
    saros_sparsity *sparsity;           /**< of A; NULL: found in the graph */
    const saros_krylov_options *krylov; /**< NULL: solved directly */
    const char *name;                   /**< for messages; NULL: "linear_solve" */
} saros_linear_options;

/** x with A x = b, b f64 of shape (n) or, for several right-hand sides, (k, n). Solves in one graph
 * with the same A share its factors. Errors when it runs: USAGE if the product is not linear, if
 * the sparsity misses entries, for an option PETSc does not know or read; DOMAIN for a singular
 * matrix; NAN; NOT_CONVERGED. */
SAROS_API saros_value saros_linear_solve(saros_value b, saros_residual_fn product, void *user,
                                         const saros_linear_options *options);

#endif
