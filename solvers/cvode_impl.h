/** Inside of CVODES runs: what integrating, forward and adjoint sensitivities share. */
#ifndef SAROS_CVODE_IMPL_H
#define SAROS_CVODE_IMPL_H

#include <cvodes/cvodes.h>

#include "sundials_impl.h"

/** One integration; its operands are t, y and the parameters. */
typedef struct saros_cvode_run {
    saros_sundials common; /**< first: the user data of all callbacks */
    saros_cvode_functions f;
    const saros_cvode_options *options;
    bool recording; /**< steps are kept for a run backwards */
    SUNNonlinearSolver fixed_point;
} saros_cvode_run;

/** Ready to step from time[0]: operands, vector, integrator, solver. Close it, also on failure. */
saros_status saros_cvode_open(saros_cvode_run *r, int parameters, saros_tensor *const *parameter,
                              saros_tensor *y0, int times, const double *time);
void saros_cvode_close(saros_cvode_run *r);
/** The values of the Jacobian at (t, y), in the order of the pattern of the entries. */
saros_status saros_cvode_jacobian(saros_cvode_run *r, double t, N_Vector y, double *values);

#endif
