/** CVODES (bdf, adams) on tensors: stiff and non-stiff production runs. The vector is an N_Vector
 * of ours that wraps a tensor.
 *
 *  Its sensitivities are *continuous*: those of the equation, integrated beside the run or
 * backwards by CVODES with steps and errors of their own. They agree with the derivatives of the
 * numbers computed (ode.h, discrete) to the tolerances, not beyond.
 */
#ifndef SAROS_CVODE_H
#define SAROS_CVODE_H

#include "saros/sparse.h"

typedef struct saros_cvode_options {
    bool adams;                                /**< default bdf */
    double rtol, atol;                         /**< 0: 1e-6, 1e-9 */
    double first_step, max_step;               /**< 0: chosen by CVODES */
    int64_t max_steps;                         /**< between outputs; 0: 100000 */
    double sensitivity_rtol, sensitivity_atol; /**< of tangents and of the run backwards; 0: rtol,
                                                  and atol scaled by what they are derivatives of */
    int64_t
        checkpoint; /**< steps between states that the run backwards starts from again; 0: 150 */
    saros_sparsity *sparsity; /**< of df/dy. Narrow: banded direct; wide: sparse direct (KLU); NULL:
                                 matrix-free GMRES with jvp */
    saros_jacobian *jacobian; /**< of the rate, its inputs (t, y, parameters…); instead of
                                 `sparsity` and jvp, which may be NULL then */
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

/** The functions of an equation y' = f(t, y, p…), compiled. Parameters that are not f64 have no
 * derivative; `tangent` and `pull` leave them out. */
typedef struct saros_cvode_functions {
    const saros_function *rate;    /**< (t, y, p…) -> f */
    const saros_function *jvp;     /**< (t, y, p…, v) -> f_y v */
    const saros_function *tangent; /**< (t, y, p…, v, w…) -> f_y v + f_p w */
    const saros_function *adjoint; /**< (t, y, p…, l) -> f_y^T l */
    const saros_function *pull;    /**< (t, y, p…, l) -> f_p^T l, all in one vector; NULL if there
                                      is no parameter to differentiate by */
} saros_cvode_functions;

/** As saros_output_fn, with the derivatives of y along every direction. */
typedef saros_status (*saros_tangent_fn)(double t, saros_tensor *y, int directions,
                                         saros_tensor *const *tangent, void *user);

/** The run and its derivatives along `directions`: along[d (parameters + 1)] moves y0, the next
 * ones the parameters; entries may be NULL (f64 where not). Reads rate, jvp and tangent. */
SAROS_API saros_status saros_cvode_forward(const saros_cvode_functions *f, int parameters,
                                           saros_tensor *const *parameter, saros_tensor *y0,
                                           int directions, saros_tensor *const *along, int times,
                                           const double *time, const saros_cvode_options *options,
                                           saros_tangent_fn output, saros_stop_fn stop, void *user,
                                           saros_ode_info *info);

/** The run, then backwards: the gradient of sum_k <weight_k, y(time[k])>, k = 1 … times-1.
 *  @param weight f64 (times-1, n);  @param gradient parameters + 1 f64 tensors of the shapes of y0
 *  and the parameters, filled; entries of parameters may be NULL. Reads all functions but
 * `tangent`. Errors name integrator, direction and time. */
SAROS_API saros_status saros_cvode_gradient(const saros_cvode_functions *f, int parameters,
                                            saros_tensor *const *parameter, saros_tensor *y0,
                                            int times, const double *time,
                                            const saros_cvode_options *options,
                                            saros_tensor *weight, saros_tensor *const *gradient,
                                            saros_stop_fn stop, void *user, saros_ode_info *info);

#endif
