/** Steady problems on a grid: SNES with the Jacobian in its sparsity, direct by default. */
#include <stdio.h>
#include <string.h>

#include "../solution_impl.h"
#include "grid_impl.h"
#include "record_impl.h"
#include "saros/memory.h"
#include "saros/nonlinear.h"

/** The guess: a solution's last state, or zeros. */
static saros_status make_guess(const saros_task *task, const saros_grid_program *program,
                               saros_tensor **out) {
    const saros_solution *from = task->common->guess ? task->common->guess : task->common->initial;
    if (from) return saros_grid_state_from(task, program, from, out);
    return saros_tensor_zeros(SAROS_F64, 1, &program->plan.size, out);
}

static saros_status solve_state(const saros_task *task, const saros_grid_program *program,
                                saros_tensor *const *argument, saros_tensor **state,
                                saros_info *info) {
    const saros_grid_options *o = task->options;
    saros_status status = SAROS_OK;
    saros_tensor *guess = NULL;
    size_t bytes = 2;
    if (o->nonlinear) bytes += strlen(o->nonlinear);
    if (o->linear) bytes += strlen(o->linear);
    char *petsc = saros_allocate(bytes);
    if (!petsc) return SAROS_ERR_MEMORY;
    snprintf(petsc, bytes, "%s %s", o->nonlinear ? o->nonlinear : "", o->linear ? o->linear : "");
    saros_jacobian *jacobian = NULL;
    saros_snes_options options = {.rtol = o->rtol,
                                  .atol = o->atol,
                                  .petsc = o->nonlinear || o->linear ? petsc : NULL,
                                  .accept_last = o->accept != NULL};
    saros_snes_info snes = {0};
    SAROS_TRY(saros_grid_jacobian_get(task, program, &jacobian));
    options.jacobian = jacobian;
    SAROS_TRY(make_guess(task, program, &guess));
    SAROS_TRY(saros_snes_solve(program->rate, program->jvp, program->parameters, argument, guess,
                               &options, state, &snes));
    info->iterations = snes.iterations;
    info->residual = snes.residual;
    info->converged = snes.converged;
    info->reason = snes.reason;
done:
    saros_tensor_release(guess);
    saros_release(petsc);
    return status;
}

saros_status saros_grid_solve_steady(const saros_task *task, saros_solution **out) {
    const saros_grid_options *o = task->options;
    if (o->integrator || o->dt != 0 || o->times.count)
        return saros_fail(SAROS_ERR_USAGE, "grid", "leave out integrator, dt and times",
                          "%s is steady: it has no time axis", task->problem->name);
    saros_status status = SAROS_OK;
    const saros_grid_program *program = NULL;
    saros_tensor **argument = NULL, *state = NULL;
    saros_recorder recorder = {.task = task};
    saros_info info = {.method = "grid"};
    double begun = saros_seconds();
    int64_t cells[3];
    saros_grid_cells(task, cells);
    SAROS_TRY(saros_grid_program_get(task, cells, o->order ? o->order : 2, &program));
    argument = saros_allocate_zero((size_t)program->parameters + 1, sizeof *argument);
    if (!argument) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_grid_arguments(task, &program->plan, argument));
    SAROS_TRY(saros_recorder_open(task, program, argument, 1, &recorder));
    SAROS_TRY(solve_state(task, program, argument, &state, &info));
    SAROS_TRY(saros_recorder_take(&recorder, 0, state));
    info.seconds = saros_seconds() - begun;
    SAROS_TRY(saros_recorder_finish(&recorder, &info, out));
done:
    saros_recorder_close(&recorder);
    for (int k = 0; argument && k < program->parameters; ++k) saros_tensor_release(argument[k]);
    saros_release(argument);
    saros_tensor_release(state);
    return status;
}
