/** Inside of a traced solution: a solution in a graph, as an objective sees it. */
#ifndef SAROS_TRACED_IMPL_H
#define SAROS_TRACED_IMPL_H

#include "task_impl.h"

/** Growing list of times. */
typedef struct saros_time_list {
    double *time;
    int count, room;
} saros_time_list;

struct saros_traced {
    saros_task task;
    const saros_method *method;
    saros_graph *graph;
    saros_value *parameter; /**< by problem order; SAROS_NONE for parameter functions */
    bool dry;               /**< records the times asked instead of solving */
    saros_time_list asked;
    bool solved; /**< class and state are there */
    const saros_traced_class *class_;
    void *state;
};

/** A traced solution of a resolved task (taken over, also on failure). `parameter` by problem
 * order, copied. */
saros_status saros_traced_make(saros_task *task, const saros_method *method, saros_graph *graph,
                               const saros_value *parameter, bool dry, const saros_time_list *asked,
                               saros_traced **out);
/** Builds the objective in `graph`: a dry run for the times, then the real one. `info` of the solve
 * (all zero if there is none) may be NULL. */
saros_status saros_objective_build(saros_problem *problem, const saros_method *method,
                                   const void *method_options, const saros_solve_options *options,
                                   saros_graph *graph, const saros_value *parameter,
                                   saros_objective_fn objective, void *user, saros_value *value,
                                   saros_traced_info *info);
/** An input per number parameter and field of a task, in problem order: fills value (SAROS_NONE for
 * functions), input and argument (borrowed); returns their number. */
int saros_parameter_inputs(const saros_task *task, saros_graph *graph, saros_value *value,
                           saros_value *input, saros_tensor **argument);
/** Checks a method can be differentiated. */
saros_status saros_method_traces(const saros_method *method, const char *what);

#endif
