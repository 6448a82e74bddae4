/** Parts of the grid method. */
#ifndef SAROS_GRID_IMPL_H
#define SAROS_GRID_IMPL_H

#include "program_impl.h"

/** Output times of a task: the start, then the listed or equally spaced ones. */
typedef struct saros_output_times {
    int count;
    double *time;    /**< release with saros_release */
    bool skip_first; /**< the start is not an output: the list begins later */
} saros_output_times;

saros_status saros_grid_times(const saros_task *task, saros_output_times *out);
/** Steps for an interval of `length` with steps of at most `dt`. */
int64_t saros_grid_steps(double length, double dt);

/** Errors: UNSUPPORTED, saying why, unless every residual is M u.t + rest. */
saros_status saros_grid_check_form(const saros_problem *problem);
saros_status saros_grid_solve_transient(const saros_task *task, saros_solution **out);
saros_status saros_grid_solve_steady(const saros_task *task, saros_solution **out);
saros_status saros_grid_trace(const saros_task *task, saros_graph *graph,
                              const saros_value *parameter, const saros_asked_times *asked,
                              const saros_traced_class **class_, void **state);
/** The packed state of a solution's last output on this grid: `initial` and `guess`. */
saros_status saros_grid_state_from(const saros_task *task, const saros_grid_program *program,
                                   const saros_solution *from, saros_tensor **out);

#endif
