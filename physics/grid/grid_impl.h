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

/** The packed state at the start of a task: its `initial` or the problem's. */
saros_status saros_grid_state_start(const saros_task *task, const saros_grid_program *program,
                                    saros_tensor *const *argument, saros_tensor **out);
/** The steps of a solve in a graph, between `times` output times. */
typedef struct saros_grid_schedule {
    saros_grid_stepper by;
    saros_tensor *counts; /**< i64: number of steps per interval; NULL: the graph chooses */
    saros_tensor *h;      /**< the steps, or NULL: equal ones */
    int64_t most;         /**< steps of an interval */
    saros_traced_info info;
} saros_grid_schedule;

/** One-step integrator by name, with the terms it takes. Errors: USAGE. */
saros_status saros_grid_stepper_find(const saros_task *task, const char *name,
                                     saros_grid_stepper *out);
saros_status saros_grid_schedule_make(const saros_task *task, const saros_grid_program *program,
                                      int times, const double *time, saros_grid_schedule *out);
void saros_grid_schedule_clear(saros_grid_schedule *schedule);
/** Whether the task is to be solved by CVODES: `integrator` bdf or adams; NULL means `otherwise`.
 */
bool saros_grid_is_cvode(const saros_grid_options *options, const char *otherwise);
/** Options of CVODES for a task: bdf with the program's Jacobian, or GMRES where factors would cost
 * more. */
saros_status saros_grid_cvode_options(const saros_task *task, const saros_grid_program *program,
                                      saros_cvode_options *out);
/** Steps chosen by rtol and atol of the task: an integrator with an error estimate and no dt. */
static inline bool saros_grid_adapts(const saros_grid_options *options,
                                     const saros_integrator *integrator) {
    return integrator->estimate && !(options->dt > 0);
}

#endif
