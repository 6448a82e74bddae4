/** The steps of a solve that is to be differentiated: fixed ones by dt, or those that an adaptive
 * run takes with the parameters in force; where these are values, the graph chooses in every run.
 */
#include <string.h>

#include "grid_impl.h"
#include "saros/memory.h"

saros_status saros_grid_stepper_find(const saros_task *task, const char *name,
                                     saros_grid_stepper *out) {
    const saros_grid_options *o = task->options;
    saros_grid_stepper found = {.integrator = saros_integrator_find(name),
                                .form = task->problem->inspection.rate};
    const saros_terms *terms = NULL;
    if (!found.integrator) return SAROS_ERR_USAGE;
    if (!found.integrator->splits && o->implicit_)
        return saros_fail(SAROS_ERR_USAGE, "grid", "use imex",
                          "%s takes all terms alike, and not some of them implicitly", name);
    if (found.integrator->splits) {
        saros_status status = saros_problem_terms(task->problem, o->implicit_, &terms);
        if (status) return status;
        found.form = terms->implicit_;
        found.explicit_form = terms->explicit_;
    }
    *out = found;
    return SAROS_OK;
}

static saros_status choose_integrator(const saros_task *task, saros_grid_stepper *out) {
    const saros_grid_options *o = task->options;
    const char *name = o->integrator ? o->integrator : "sdirk";
    saros_status status = saros_grid_stepper_find(task, name, out);
    if (status) return status;
    const saros_integrator *integrator = out->integrator;
    double hundredth = (task->end - task->start) / 100;
    if (!integrator->estimate && !(o->dt > 0))
        return saros_fail(SAROS_ERR_USAGE, "gradient", "give dt, or use sdirk or dopri5",
                          "%s takes fixed steps and dt is not given; try dt = %g", name, hundredth);
    return SAROS_OK;
}

/** Fixed steps of each interval. */
static saros_status count_steps(const saros_task *task, int times, const double *time,
                                saros_grid_schedule *out) {
    const saros_grid_options *o = task->options;
    int64_t intervals = times - 1;
    saros_status status = saros_tensor_make(SAROS_I64, 1, &intervals, &out->counts);
    if (status != SAROS_OK) return status;
    int64_t *steps = saros_tensor_data(out->counts);
    out->most = 1;
    for (int k = 0; k < intervals; ++k) {
        steps[k] = saros_grid_steps(time[k + 1] - time[k], o->dt);
        if (steps[k] > out->most) out->most = steps[k];
        out->info.steps += steps[k];
    }
    int64_t limit = o->max_steps ? o->max_steps : 100000000;
    if (out->most <= limit) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "gradient", "use a larger dt or max_steps",
                      "dt = %g needs %lld steps between two times, at most %lld are allowed", o->dt,
                      (long long)out->most, (long long)limit);
}

/** Steps chosen by their errors, with the parameters in force. */
static saros_status adapt_steps(const saros_task *task, const saros_grid_program *program,
                                int times, const double *time, saros_grid_schedule *out) {
    size_t room = (size_t)program->parameters + 1;
    saros_status status = SAROS_OK;
    saros_steps steps = {0};
    saros_tensor *y0 = NULL, **argument = saros_allocate_zero(room, sizeof *argument);
    if (!argument) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_grid_arguments(task, &program->plan, argument));
    SAROS_TRY(saros_grid_state_start(task, program, argument, &y0));
    SAROS_TRY(saros_grid_adapt(task, program, &out->by, argument, y0, times, time, NULL, NULL, NULL,
                               &steps, NULL));
    SAROS_TRY(saros_steps_tensors(&steps, &out->counts, &out->h));
    out->most = steps.most;
    out->info.steps = steps.total;
    out->info.adapted = true;
done:
    for (int k = 0; k < program->parameters; ++k) saros_tensor_release(argument[k]);
    saros_release(argument);
    saros_tensor_release(y0);
    saros_steps_clear(&steps);
    return status;
}

/** To be chosen by the graph: 100000 steps in all, so that many times need not much memory, but
 * 1000 an interval at least. */
static void leave_open(const saros_task *task, int times, saros_grid_schedule *out) {
    enum { ALL = 100000, LEAST = 1000 };
    const saros_grid_options *o = task->options;
    const int64_t asked = o->max_steps, share = ALL / (times - 1);
    out->most = asked > 0 ? asked : share < LEAST ? LEAST : share;
    out->info.adapted = true;
}

saros_status saros_grid_schedule_make(const saros_task *task, const saros_grid_program *program,
                                      int times, const double *time, saros_grid_schedule *out) {
    saros_grid_schedule result = {.info.gradient = "discrete"};
    saros_status status = choose_integrator(task, &result.by);
    if (status != SAROS_OK) return status;
    result.info.integrator = result.by.integrator->name;
    if (task->open && saros_grid_adapts(task->options, result.by.integrator)) {
        leave_open(task, times, &result);
        *out = result;
        return SAROS_OK;
    }
    status = saros_grid_adapts(task->options, result.by.integrator)
                 ? adapt_steps(task, program, times, time, &result)
                 : count_steps(task, times, time, &result);
    if (status == SAROS_OK)
        *out = result;
    else
        saros_grid_schedule_clear(&result);
    return status;
}

void saros_grid_schedule_clear(saros_grid_schedule *schedule) {
    saros_tensor_release(schedule->counts);
    saros_tensor_release(schedule->h);
    *schedule = (saros_grid_schedule){0};
}
