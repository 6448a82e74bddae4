/** Inside of CVODES runs: what integrating, forward and adjoint sensitivities share. */
#ifndef SAROS_CVODE_IMPL_H
#define SAROS_CVODE_IMPL_H

#include <cvodes/cvodes.h>

#include "saros/cvode.h"
#include "sparse_impl.h"

/** One integration. */
typedef struct saros_cvode_run {
    saros_cvode_functions f;
    const saros_cvode_options *options;
    bool recording;         /**< steps are kept for a run backwards */
    saros_tensor **operand; /**< t, y, parameters, and room for what functions take besides */
    int operands;           /**< t, y and parameters */
    SUNContext context;
    N_Vector y;
    SUNMatrix matrix;
    SUNLinearSolver solver;
    SUNNonlinearSolver fixed_point;
    void *memory;
    saros_jacobian *entries;  /**< NULL: products alone */
    saros_error_copy *parked; /**< first failure that no smaller step can cure */
    char note[256];           /**< last failure that one might */
    char words[256];          /**< what CVODES said */
} saros_cvode_run;

/** Ready to step from time[0]: operands, vector, integrator, solver. Close it, also on failure. */
saros_status saros_cvode_open(saros_cvode_run *r, int parameters, saros_tensor *const *parameter,
                              saros_tensor *y0, int times, const double *time);
void saros_cvode_close(saros_cvode_run *r);
/** Steps until the next output time is passed; `*t` is where CVODES stands. */
saros_status saros_cvode_steps(saros_cvode_run *r, double until, double end, double *t,
                               saros_stop_fn stop, void *user);
/** The state at `t`, interpolated, in a tensor of its own. */
saros_status saros_cvode_state(saros_cvode_run *r, double t, bool first, saros_tensor **out);
void saros_cvode_info(saros_cvode_run *r, saros_ode_info *info);

/** For callbacks: t and y among the operands; the answer to CVODES: 0, 1 (a smaller step may help)
 * or -1; a rate that is not finite is NAN. */
void saros_cvode_place(saros_cvode_run *r, double t, N_Vector y);
int saros_cvode_outcome(saros_cvode_run *r, saros_status status);
saros_status saros_cvode_finite(double t, const double *value, int64_t n);
/** The values of the Jacobian at (t, y), in the order of the pattern of `r->entries`. */
saros_status saros_cvode_jacobian(saros_cvode_run *r, double t, N_Vector y, double *values);

/** The error of a flag below 0: where `memory` stands and what was said. */
saros_status saros_cvode_check(saros_cvode_run *r, int flag);
saros_status saros_cvode_check_at(saros_cvode_run *r, void *memory, const char *doing, int flag);
/** MEMORY if a constructor gave NULL. */
saros_status saros_cvode_made(const void *made);

#endif
