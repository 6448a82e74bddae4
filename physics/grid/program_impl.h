/** Compiled programs of a grid, kept with the problem: parameters and extents are inputs, so that a
 * sweep compiles once. */
#ifndef SAROS_GRID_PROGRAM_IMPL_H
#define SAROS_GRID_PROGRAM_IMPL_H

#include "assemble_impl.h"
#include "../terms_impl.h"
#include "saros/function.h"
#include "saros/adapt.h"

/** Inputs of every program, after what is its own: the problem's number parameters and fields, then
 * first coordinate and spacing of each space axis. */
typedef struct saros_grid_program {
    saros_grid_plan plan;
    int parameters;        /**< length of that list */
    saros_function *start; /**< (t, parameters…) -> state; NULL if steady */
    saros_function *rate; /**< (t, state, parameters…); steady: (state, parameters…) residual */
    saros_function *jvp;  /**< inputs of `rate`, then v */
    saros_function *fields;    /**< (t, state, parameters…), no t if steady */
    saros_function *restrict_; /**< (fields of the unknowns) -> state */
} saros_grid_program;

/** The program of a task on a grid; borrowed from the problem. */
saros_status saros_grid_program_get(const saros_task *task, const int64_t *cells, int64_t order,
                                    const saros_grid_program **out);
/** Jacobian of the rate or the residual, its inputs those of `rate`; borrowed from the problem. */
saros_status saros_grid_jacobian_get(const saros_task *task, const saros_grid_program *program,
                                     saros_jacobian **out);
/** A one-step integrator and what it steps; forms are borrowed from the problem. */
typedef struct saros_grid_stepper {
    const saros_integrator *integrator;
    const saros_body *form;          /**< of the rate, or of its implicit terms */
    const saros_body *explicit_form; /**< of the other terms; NULL: `form` has all */
} saros_grid_stepper;

/** What rates are built from; the user data of marches begins with it. */
typedef struct saros_grid_stepping {
    const saros_grid_plan *plan;
    saros_grid_stepper by;
    saros_grid_values values; /**< `t` is not read */
} saros_grid_stepping;

/** saros_rate_fn: of `by.form` and `by.explicit_form`. */
saros_status saros_grid_build_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                                   saros_value *rate);
saros_status saros_grid_build_explicit(saros_graph *graph, saros_value t, saros_value y, void *user,
                                       saros_value *rate);

/** (t0, t1 as f64[2]; steps as i64[1]; state; parameters…) -> state, borrowed from the problem. */
saros_status saros_grid_march_get(const saros_task *task, const saros_grid_program *program,
                                  const saros_grid_stepper *by, int64_t bound,
                                  const saros_function **out);
/** saros_adapt by steps of the integrator and the options of the task. */
saros_status saros_grid_adapt(const saros_task *task, const saros_grid_program *program,
                              const saros_grid_stepper *by, saros_tensor *const *argument,
                              saros_tensor *y0, int times, const double *time,
                              saros_output_fn output, saros_stop_fn stop, void *user,
                              saros_steps *steps, saros_ode_info *info);

/** Declares the parameter inputs in a graph: fills values->parameter, lo, h (pointing into `input`)
 * and appends to `input`. */
void saros_grid_declare(const saros_grid_plan *plan, saros_graph *graph, saros_value *input,
                        saros_grid_values *values);
/** The tensors for those inputs, in order; each a new reference. */
saros_status saros_grid_arguments(const saros_task *task, const saros_grid_plan *plan,
                                  saros_tensor **out);
/** Cells per axis of a task's options: unset axes take the first's, or 128. */
void saros_grid_cells(const saros_task *task, int64_t cells[3]);

#endif
