/** Inside of the network method: what solve and fit share. */
#ifndef SAROS_PINN_IMPL_H
#define SAROS_PINN_IMPL_H

#include "objective_impl.h"

extern const saros_option_table saros_pinn_table;

/** A trained network, before it becomes a solution. */
typedef struct saros_pinn_run {
    saros_ansatz ansatz;
    saros_tensor *weights; /**< f64 or f32, the network's alone */
    double *theta;         /**< of the trained parameters */
    saros_train_info info;
    double seconds;
} saros_pinn_run;

/** Trains. @param number values of the number parameters in order. */
saros_status saros_pinn_train(const saros_task *task, saros_tensor *const *number,
                              const saros_fit_data *data, int trained,
                              const saros_trained *parameter, saros_pinn_run *out);
void saros_pinn_run_clear(saros_pinn_run *run);
/** Number parameters of the task, in order; borrowed. */
void saros_pinn_numbers(const saros_task *task, saros_tensor **number);
/** The ansatz of a task, with the conditions that can hold exactly. */
saros_status saros_pinn_ansatz(const saros_task *task, saros_tensor *const *number,
                               saros_ansatz *out);
/** Nodes of the space axes, then the output times: what fields are sampled on. */
saros_status saros_sample_axes(const saros_task *task, const saros_pinn_options *options,
                               const saros_ansatz *ansatz, saros_tensor **axis);
/** Flat coordinates of all nodes at all times, x fastest. @param axis space axes, then t. */
saros_status saros_node_points(int axes, saros_tensor *const *axis, saros_tensor **coordinate);
/** Samples the run on nodes and times and hands its ansatz and weights to a solution. */
saros_status saros_pinn_solution(const saros_task *task, saros_tensor *const *number,
                                 saros_pinn_run *run, saros_solution **out);

/** What a solution of the network method owns. */
typedef struct saros_network_state saros_network_state;
extern const saros_solution_class saros_network_class;
/** Takes ansatz and weights out of the run. */
saros_status saros_network_state_make(saros_tensor *const *number, saros_pinn_run *run,
                                      saros_network_state **out);
void saros_network_state_release(saros_network_state *state);
const saros_ansatz *saros_network_state_ansatz(const saros_network_state *state);
/** Outputs of a physics body at flat points (one f64 tensor per coordinate): value[k] (points). */
saros_status saros_network_evaluate(saros_network_state *state, saros_body *expression,
                                    saros_tensor *const *coordinate, saros_tensor **value);

saros_status saros_pinn_fit(const saros_task *task, const saros_fit_data *data,
                            const saros_unknown_parameter *unknown, int unknowns,
                            saros_fit_result *out);

#endif
