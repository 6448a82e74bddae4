/** IDAS on tensors: F(t, y, y', p) = 0, of which rows may be algebraic (index 1), by backward
 * differentiation formulas; consistent initial values; forward and adjoint sensitivities
 * (continuous, see cvode.h).
 */
#ifndef SAROS_IDA_H
#define SAROS_IDA_H

#include "saros/cvode.h"

/** An equation and where it starts. All functions are compiled ones. */
typedef struct saros_ida_problem {
    const saros_function *residual; /**< (t, y, y', p…) -> F (n) */
    const saros_function *product; /**< (t, y, y', p…, a, b, v) -> F_y (a v) + F_y' (b v), a and b
                                      (n) factors of the columns; NULL if options.jacobian is given
                                    */
    const saros_function *tangent; /**< (t, y, y', p…, s, s', w…) -> F_y s + F_y' s' + F_p w, w for
                                      each p that is f64; for sensitivities only */
    const saros_function *adjoint; /**< (t, y, y', p…, l, l') -> (F_y'^T l)' - F_y^T l, the rate
                                      along the solution; this and the next two for gradients; NULL
                                      if F is not affine in y' */
    const saros_function *back;    /**< (t, y, y', p…, l) -> F_y^T l, F_y'^T l */
    const saros_function *pull; /**< (t, y, y', p…, l) -> F_p^T l, all f64 p in one vector; NULL
                                   without any */
    int parameters;
    saros_tensor *const *parameter;
    saros_tensor *y0, *rate0;   /**< f64 (n); rate0 may be NULL: zeros */
    saros_tensor *differential; /**< bool (n): whether y_i' stands in F; NULL: all do */
    int times;
    const double *time;         /**< ascending; the first is the start */
    int directions;             /**< of sensitivities; 0: none */
    saros_tensor *const *along; /**< [directions][parameters + 1]: what moves y0, then the
                                   parameters; NULL entries */
} saros_ida_problem;

typedef struct saros_ida_options {
    double rtol, atol;                         /**< 0: 1e-6, 1e-9 */
    double sensitivity_rtol, sensitivity_atol; /**< 0: as cvode.h */
    double first_step, max_step;               /**< 0: chosen by IDAS */
    int64_t max_steps;                         /**< between outputs; 0: 100000 */
    bool consistent; /**< the values given fulfil F = 0; default: of the algebraic unknowns they are
                        guesses, and y' is found */
    saros_sparsity *sparsity; /**< of F_y and F_y' together; NULL: matrix-free GMRES */
    saros_jacobian *jacobian; /**< that of the product by v, its inputs (t, y, y', p…, a, b) and, if
                                 it has one more, zeros (n); instead of `sparsity` */
    int64_t checkpoint;       /**< as cvode.h */
} saros_ida_options;

/** Integrates. `output` gets the state at every time, with its derivatives along every direction;
 * at the start the consistent ones. Errors: NOT_CONVERGED, DIVERGED with IDAS's reason, time and
 * step; also where no consistent values are found. */
SAROS_API saros_status saros_ida_solve(const saros_ida_problem *problem,
                                       const saros_ida_options *options, saros_tangent_fn output,
                                       saros_stop_fn stop, void *user, saros_ode_info *info);

/** The run, then backwards: the gradient of sum_k <weight_k, y(time[k])>, k = 0 … times-1, by y0 (0
 * for algebraic unknowns, which are guesses) and the parameters; as saros_cvode_gradient. Needs
 * `sparsity` or `jacobian`. Errors: UNSUPPORTED without `adjoint`. */
SAROS_API saros_status saros_ida_gradient(const saros_ida_problem *problem,
                                          const saros_ida_options *options, saros_tensor *weight,
                                          saros_tensor *const *gradient, saros_stop_fn stop,
                                          void *user, saros_ode_info *info);

#endif
