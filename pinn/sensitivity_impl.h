/** Inside of the network method: how trained weights follow the parameters. */
#ifndef SAROS_SENSITIVITY_IMPL_H
#define SAROS_SENSITIVITY_IMPL_H

#include "pinn_impl.h"

/** dw/dp (n, parameters) at trained weights, f64; see sensitivity.c. */
saros_status saros_pinn_sensitivity(const saros_ansatz *ansatz, const saros_pinn_options *options,
                                    saros_tensor *weights, saros_tensor *const *number,
                                    saros_tensor **out);
/** Appends the training as a node: parameters (scalars) -> weights. @param number their values now,
 * which decide the exact conditions. Copies what it needs of the task. */
saros_status saros_pinn_call(const saros_task *task, saros_tensor *const *number,
                             saros_graph *graph, int numbers, const saros_value *parameter,
                             saros_value *weights);
saros_status saros_pinn_trace(const saros_task *task, saros_graph *graph,
                              const saros_value *parameter, const saros_asked_times *asked,
                              const saros_traced_class **class_, void **state);

#endif
