/** CVODES (bdf, adams) on tensors: stiff and non-stiff production runs. The vector is an N_Vector
 * of ours that wraps a tensor. */
#ifndef SAROS_CVODE_H
#define SAROS_CVODE_H

#include "saros/sparse.h"

typedef struct saros_cvode_options {
    bool adams;                  /**< default bdf */
    double rtol, atol;           /**< 0: 1e-6, 1e-9 */
    double first_step, max_step; /**< 0: chosen by CVODES */
    int64_t max_steps;           /**< between outputs; 0: 100000 */
    saros_sparsity *sparsity; /**< of df/dy. Narrow: banded direct; wide: sparse direct (KLU); NULL:
                                 matrix-free GMRES with jvp */
} saros_cvode_options;

typedef struct saros_ode_info {
    int64_t steps, rate_evaluations, jacobian_evaluations, newton_iterations, error_test_failures;
    double last_step, last_time;
    const char *linear_solver;
} saros_ode_info;

/** Called at every output time (and the first); y borrowed. A failure stops the integration and is
 * returned. */
typedef saros_status (*saros_output_fn)(double t, saros_tensor *y, void *user);
/** Asked once a step; true stops with SAROS_ERR_STOPPED. */
typedef bool (*saros_stop_fn)(double t, void *user);

/** Integrates y' = f. @param rate function (t, y, parameters…) -> rate;  @param jvp (t, y,
 * parameters…, v) -> J v, NULL for adams;
 *  @param y0 f64 (n).  Output times ascending, times[0] is the start. Errors: NOT_CONVERGED,
 * DIVERGED with CVODES's reason, time and step. */
SAROS_API saros_status saros_cvode_solve(const saros_function *rate, const saros_function *jvp,
                                         int parameters, saros_tensor *const *parameter,
                                         saros_tensor *y0, int times, const double *time,
                                         const saros_cvode_options *options, saros_output_fn output,
                                         saros_stop_fn stop, void *user, saros_ode_info *info);

#endif
