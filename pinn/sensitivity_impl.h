/** Inside of the network method: how trained weights follow the parameters. */
#ifndef SAROS_SENSITIVITY_IMPL_H
#define SAROS_SENSITIVITY_IMPL_H

#include "pinn_impl.h"

/** Above this number of weights sensitivities are an error. */
enum { SAROS_SENSITIVE_WEIGHTS = 5000 };
/** dw/dp (n, parameters) at trained weights, f64; see sensitivity.c. */
saros_status saros_pinn_sensitivity(const saros_ansatz *ansatz, const saros_pinn_options *options,
                                    saros_tensor *weights, saros_tensor *const *number,
                                    saros_tensor **out);
/** Standard errors of the trained parameters from the data; see network_fit_errors.c.
 *  @param number values at the end of the fit */
saros_status saros_pinn_fit_errors(const saros_pinn_run *run, const saros_pinn_options *options,
                                   const saros_fit_data *data, saros_tensor *const *number,
                                   int trained, const saros_trained *parameter, double *out);
/** Appends the training as a node: parameters (scalars) -> weights. @param number their values now,
 * which decide the exact conditions. Copies what it needs of the task. */
saros_status saros_pinn_call(const saros_task *task, saros_tensor *const *number,
                             saros_graph *graph, int numbers, const saros_value *parameter,
                             saros_value *weights);
saros_status saros_pinn_trace(const saros_task *task, saros_graph *graph,
                              const saros_value *parameter, const saros_asked_times *asked,
                              const saros_traced_class **class_, void **state);

#endif
