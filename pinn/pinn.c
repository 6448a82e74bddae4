/** The network method: ansatz, terms and loss of a task, trained.
 *
 *  Defaults follow what reaches small errors on small nets (docs of the header): f64, a short Adam
 * to leave the start, then self-scaled BFGS with residual-adaptive points.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "saros/memory.h"
#include "sensitivity_impl.h"

enum { DENSE_WEIGHTS = 6000 }; /* up to here the dense method is the default */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/** Fills `room` with the default schedule for n unknowns. */
static saros_option_list default_optimisers(int64_t n, int64_t steps, saros_optimiser room[2]) {
    const bool dense = n <= DENSE_WEIGHTS;
    room[0] = (saros_optimiser){.method = "adam", .steps = dense ? 100 : 1000};
    room[1] = (saros_optimiser){.method = dense ? "bfgs" : "lbfgs", .steps = dense ? 2000 : 4000};
    if (steps > 0) room[1].steps = steps;
    return (saros_option_list){2, room};
}

static saros_status check_task(const saros_task *task) {
    const saros_solve_options *common = task->common;
    const saros_pinn_options *options = task->options;
    if (options->windows > 1 || options->checkpoint)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL, "%s is not in this build",
                          options->checkpoint ? "checkpoint" : "windows");
    if (options->steps && options->optimizer.count)
        return saros_fail(SAROS_ERR_USAGE, "network method",
                          "each optimizer of the list has its own steps",
                          "steps is for the default optimizers, and a list was given");
    if (task->axes == 0 && !task->transient)
        return saros_fail(SAROS_ERR_USAGE, "network method", NULL, "the problem has no axis");
    if (saros_problem_inspect(task->problem).time_order > 1)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "an equation of second order in t needs an initial rate: not in this "
                          "build for a network");
    if (saros_problem_unknowns(task->problem, NULL) > 16)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "more than 16 unknowns are not in this build");
    if (common->initial || common->guess)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "initial= and guess= from another solution are not in this build for a "
                          "network");
    return SAROS_OK;
}

static saros_status read_dtype(const saros_pinn_options *options, saros_dtype *out) {
    const char *name = options->dtype ? options->dtype : "f64";
    *out = SAROS_F64;
    if (!strcmp(name, "f64")) return SAROS_OK;
    *out = SAROS_F32;
    if (!strcmp(name, "f32")) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "network method", "f64 or f32",
                      "a network cannot be trained in \"%s\"", name);
}

void saros_pinn_numbers(const saros_task *task, saros_tensor **number) {
    const saros_parameter *parameter;
    const int parameters = saros_problem_parameters(task->problem, &parameter);
    for (int k = 0, j = 0; k < parameters; ++k)
        if (!parameter[k].function && j < 64) number[j++] = task->parameter[k];
}

saros_status saros_pinn_ansatz(const saros_task *task, saros_tensor *const *number,
                               saros_ansatz *out) {
    const saros_pinn_options *options = task->options;
    saros_ansatz made = {0};
    saros_dtype dtype;
    saros_status status = SAROS_OK;
    SAROS_TRY(check_task(task));
    SAROS_TRY(read_dtype(options, &dtype));
    SAROS_TRY(saros_ansatz_make(task, &options->network, dtype, options->hard >= 0, &made));
    SAROS_TRY(saros_ansatz_settle(&made, number));
    *out = made;
    return SAROS_OK;
done:
    saros_ansatz_clear(&made);
    return status;
}

/** What the progress callback of training needs. */
typedef struct reporter {
    const saros_solve_options *common;
    double steps, last;
} reporter;

static bool report(int64_t iteration, double loss, void *user) {
    reporter *self = user;
    const double now = seconds();
    if (iteration > 0 && now - self->last < 0.1) return true; /* often enough for an eye */
    self->last = now;
    char text[80];
    (void)snprintf(text, sizeof text, "step %lld, loss %.3e", (long long)iteration, loss);
    return self->common->progress((double)iteration / self->steps, text, self->common->user);
}

/** Trains from the start of `seed`; `w` receives weights and theta. */
static saros_status minimise(const saros_task *task, const saros_pinn_options *options,
                             saros_loss *loss, double *w, saros_train_info *info) {
    const saros_objective objective = saros_loss_objective(loss);
    saros_optimiser room[2];
    saros_option_list list = options->optimizer;
    if (list.count == 0) list = default_optimisers(loss->step.n, options->steps, room);
    reporter self = {.common = task->common};
    const saros_optimiser *optimiser = list.items;
    for (int k = 0; k < list.count; ++k)
        self.steps += optimiser[k].steps > 0 ? (double)optimiser[k].steps : 1000;
    saros_status status =
        saros_train_objective(&objective, w, &list, options->tolerance,
                              task->common->progress ? report : NULL, &self, info);
    if (status != SAROS_OK || !(options->tolerance > 0)) return status;
    info->converged = info->loss <= options->tolerance;
    if (info->converged || (options->accept && !strcmp(options->accept, "last"))) return SAROS_OK;
    status = saros_fail(SAROS_ERR_NOT_CONVERGED, "network method",
                        "more steps or points, a larger network, or accept=\"last\"",
                        "the loss is %.3e after %lld steps (%s), the tolerance %.3e", info->loss,
                        (long long)info->iterations, info->reason, options->tolerance);
    saros_release(info->history);
    info->history = NULL;
    return status;
}

/** Weights of the start in f64, then zeros for the trained parameters. */
static saros_status make_start(const saros_ansatz *ansatz, int64_t seed, int64_t n, double **out) {
    saros_status status = SAROS_OK;
    saros_tensor *start = NULL;
    double *w = saros_allocate_zero((size_t)n, sizeof *w);
    if (!w) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_network_start(&ansatz->network, seed, SAROS_F64, &start));
    memcpy(w, saros_tensor_const_data(start),
           (size_t)saros_network_size(&ansatz->network) * sizeof *w);
    *out = w;
    w = NULL;
done:
    saros_release(w);
    saros_tensor_release(start);
    return status;
}

static saros_status take_weights(const saros_loss *loss, double *w, saros_pinn_run *run) {
    saros_status status = SAROS_OK;
    const int64_t size = saros_network_size(&run->ansatz.network);
    saros_tensor *view = NULL;
    SAROS_TRY(saros_tensor_wrap(SAROS_F64, 1, &size, NULL, w, SAROS_BORROW, NULL, NULL, &view));
    SAROS_TRY(saros_tensor_cast(view, run->ansatz.dtype, &run->weights));
    run->theta = saros_allocate((size_t)loss->trained * sizeof *run->theta);
    if (!run->theta) SAROS_TRY(SAROS_ERR_MEMORY);
    memcpy(run->theta, w + size, (size_t)loss->trained * sizeof *w);
done:
    saros_tensor_release(view);
    return status;
}

saros_status saros_pinn_train(const saros_task *task, saros_tensor *const *number,
                              const saros_fit_data *data, int trained,
                              const saros_trained *parameter, saros_pinn_run *out) {
    const saros_pinn_options *options = task->options;
    const double begin = seconds();
    saros_status status = SAROS_OK;
    saros_pinn_run run = {0};
    saros_terms terms = {0};
    saros_loss loss = {0};
    double *w = NULL;
    SAROS_TRY(saros_pinn_ansatz(task, number, &run.ansatz));
    SAROS_TRY(saros_terms_make(&run.ansatz, options, data, &terms));
    SAROS_TRY(saros_loss_make(&run.ansatz, &terms, options, number, trained, parameter, &loss));
    SAROS_TRY(make_start(&run.ansatz, options->seed, loss.step.n, &w));
    SAROS_TRY(minimise(task, options, &loss, w, &run.info));
    SAROS_TRY(take_weights(&loss, w, &run));
    run.seconds = seconds() - begin;
    *out = run;
    run = (saros_pinn_run){0};
done:
    saros_release(w);
    saros_loss_clear(&loss);
    saros_terms_clear(&terms);
    saros_pinn_run_clear(&run);
    return status;
}

void saros_pinn_run_clear(saros_pinn_run *run) {
    saros_ansatz_clear(&run->ansatz);
    saros_tensor_release(run->weights);
    saros_release(run->theta);
    saros_release(run->info.history);
    *run = (saros_pinn_run){0};
}

static saros_status network_solve(const saros_task *task, saros_solution **out) {
    saros_status status = SAROS_OK;
    saros_pinn_run run = {0};
    saros_tensor *number[64];
    saros_pinn_numbers(task, number);
    SAROS_TRY(saros_pinn_train(task, number, NULL, 0, NULL, &run));
    SAROS_TRY(saros_pinn_solution(task, number, &run, out));
done:
    saros_pinn_run_clear(&run);
    return status;
}

const saros_method saros_network_method = {
    .name = "network",
    .doc = "a neural network trained on the residuals of the problem (PINN)",
    .options = &saros_pinn_table,
    .solve = network_solve,
    .trace = saros_pinn_trace,
    .fit = saros_pinn_fit,
};
