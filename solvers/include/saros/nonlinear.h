/** PETSc SNES and KSP on functions: steady problems. Jacobian assembled in its sparsity by coloured
 * jvp products, or matrix-free. */
#ifndef SAROS_NONLINEAR_H
#define SAROS_NONLINEAR_H

#include "saros/sparse.h"

typedef struct saros_snes_options {
    saros_sparsity *sparsity; /**< NULL: matrix-free jvp, no preconditioner */
    saros_jacobian *jacobian; /**< of the residual, its inputs (x, parameters…); instead of
                                 `sparsity` and jvp, which may be NULL then */
    double rtol, atol;        /**< 0: 1e-10, 1e-12 */
    int max_iterations;       /**< 0: 50 */
    const char *petsc; /**< "snes_type newtonls ksp_type gmres pc_type ilu …" pairs, PETSc's own
                          names without dash; may be NULL */
    bool accept_last;  /**< not converging is then no error: info->converged says so */
} saros_snes_options;

typedef struct saros_snes_info {
    int iterations, linear_iterations;
    double residual;
    bool converged;
    const char *reason; /**< PETSc's name of the reason */
} saros_snes_info;

/** x with F(x, parameters…) = 0 from `guess` (f64 (n)). @param jvp (x, parameters…, v) -> J v.
 *  Errors: NOT_CONVERGED with reason, residual and iterations; USAGE for an option PETSc does not
 * know or does not read. */
SAROS_API saros_status saros_snes_solve(const saros_function *residual, const saros_function *jvp,
                                        int parameters, saros_tensor *const *parameter,
                                        saros_tensor *guess, const saros_snes_options *options,
                                        saros_tensor **solution, saros_snes_info *info);

/** Initialises PETSc (and MPI if nobody has) once, without signal handlers or output; called by the
 * solvers themselves. */
SAROS_API saros_status saros_petsc_start(void);
/** Ends what saros_petsc_start began; for the end of a program. */
SAROS_API void saros_petsc_stop(void);

#endif
