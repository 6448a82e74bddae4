/** Training: the list of optimisers run one after the other on a flat vector, and what they share.
 *
 *  The methods themselves are adam.c, lbfgs.c and bfgs.c. The vector is f64 inside; an f32
 * objective is called with the vector rounded to f32 and its gradient is widened, so that small
 * steps are not lost in the weights.
 */
#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "train_impl.h"
#include "vector_impl.h"

static const saros_option optimiser_rows[] = {
    {"method", SAROS_OPTION_TEXT, offsetof(saros_optimiser, method), "adam", 0, 0,
     "adam lbfgs bfgs", "", "adam, lbfgs (limited memory), bfgs (dense, self-scaled, small nets)",
     NULL},
    {"steps", SAROS_OPTION_INTEGER, offsetof(saros_optimiser, steps), "1000", 1, 1e12, NULL, "",
     "most iterations", NULL},
    {"lr", SAROS_OPTION_NUMBER, offsetof(saros_optimiser, lr), "1e-3", 1e-30, 1e3, NULL, "",
     "adam: step size", NULL},
    {"schedule", SAROS_OPTION_TEXT, offsetof(saros_optimiser, schedule), "constant", 0, 0,
     "constant exponential cosine", "",
     "adam: step size over the steps; exponential ends at lr/100, cosine at 0", NULL},
    {"memory", SAROS_OPTION_INTEGER, offsetof(saros_optimiser, memory), "50", 1, 1000, NULL, "",
     "lbfgs: pairs kept", NULL},
    {"tolerance", SAROS_OPTION_NUMBER, offsetof(saros_optimiser, tolerance), "1e-12", 0, 1e300,
     NULL, "", "stops when the largest entry of the gradient falls below it", NULL},
};
const saros_option_table saros_optimiser_table = {
    "optimizer", sizeof(saros_optimiser), optimiser_rows,
    (int)(sizeof optimiser_rows / sizeof *optimiser_rows), 0};

static const struct {
    const char *name;
    saros_train_method *run;
} methods[] = {{"adam", saros_adam_run}, {"lbfgs", saros_lbfgs_run}, {"bfgs", saros_bfgs_run}};
enum { METHODS = sizeof methods / sizeof *methods };

SAROS_WIDE double saros_vector_dot(int64_t n, const double *a, const double *b) {
    double lane[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; ++k) lane[k] += a[i + k] * b[i + k];
    for (int k = 0; i < n; ++i, ++k) lane[k] += a[i] * b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

double saros_vector_largest(int64_t n, const double *a) {
    double largest = 0;
    for (int64_t i = 0; i < n; ++i) {
        if (isnan(a[i])) return a[i];
        largest = fmax(largest, fabs(a[i]));
    }
    return largest;
}

saros_status saros_training_evaluate(saros_training *training, const double *w, double *loss,
                                     double *gradient) {
    ++training->info->evaluations;
    return training->objective->evaluate(training->objective->user, w, loss, gradient);
}

saros_status saros_training_book(saros_training *training, double tolerance, bool *over) {
    saros_train_info *info = training->info;
    if (!isfinite(training->loss))
        return saros_fail(
            SAROS_ERR_NAN, "saros_train",
            "a smaller lr, or check the equation for a division or root that can fail",
            "the loss is %g at iteration %lld", training->loss, (long long)info->iterations);
    if (info->history_count == training->history_room) {
        const int64_t room = 2 * training->history_room + 256;
        double *history = saros_reallocate(info->history, (size_t)room * sizeof *history);
        if (!history) return SAROS_ERR_MEMORY;
        info->history = history;
        training->history_room = room;
    }
    info->history[info->history_count++] = training->loss;
    info->loss = training->loss;
    info->gradient_norm = saros_vector_largest(training->objective->n, training->g);
    if (training->progress && !training->progress(info->iterations, training->loss, training->user))
        return saros_fail(SAROS_ERR_STOPPED, "saros_train", NULL,
                          "stopped on request at iteration %lld", (long long)info->iterations);
    *over = true;
    info->converged = true;
    if (training->target > 0 && training->loss <= training->target)
        info->reason = "loss below tolerance";
    else if (info->gradient_norm <= tolerance)
        info->reason = "gradient below tolerance";
    else
        *over = info->converged = false;
    return SAROS_OK;
}

saros_status saros_training_renew(saros_training *training, bool *changed) {
    *changed = false;
    const saros_objective *objective = training->objective;
    if (!objective->renew) return SAROS_OK;
    const saros_status status =
        objective->renew(objective->user, training->info->iterations, training->w, changed);
    if (status != SAROS_OK || !*changed) return status;
    return saros_training_evaluate(training, training->w, &training->loss, training->g);
}

static saros_status run_optimiser(saros_training *training, const saros_optimiser *optimiser,
                                  bool *over) {
    const char *name = optimiser->method ? optimiser->method : "adam";
    const char *names[METHODS];
    for (int k = 0; k < METHODS; ++k) {
        names[k] = methods[k].name;
        if (strcmp(name, methods[k].name)) continue;
        saros_optimiser resolved = *optimiser;
        if (!(resolved.tolerance > 0)) resolved.tolerance = 1e-12;
        training->info->reason = "step limit";
        return methods[k].run(training, &resolved, optimiser->steps > 0 ? optimiser->steps : 1000,
                              over);
    }
    const char *near = saros_nearest_name(name, names, METHODS);
    return saros_fail(SAROS_ERR_USAGE, "saros_train", "adam, lbfgs or bfgs",
                      "no optimiser is called \"%s\"%s%s%s", name, near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}

saros_status saros_train_objective(const saros_objective *objective, double *w,
                                   const saros_option_list *optimisers, double target,
                                   saros_train_progress_fn progress, void *user,
                                   saros_train_info *info) {
    const size_t n = (size_t)objective->n;
    saros_status status = SAROS_OK;
    bool over = false;
    *info = (saros_train_info){.reason = "step limit"};
    saros_training training = {
        .objective = objective, .target = target, .progress = progress, .user = user, .info = info};
    double *room = saros_allocate(4 * n * sizeof *room);
    if (!room) return SAROS_ERR_MEMORY;
    training.w = room;
    training.g = room + n;
    training.other_w = room + 2 * n;
    training.other_g = room + 3 * n;
    memcpy(training.w, w, n * sizeof *w);
    SAROS_TRY(saros_training_evaluate(&training, training.w, &training.loss, training.g));
    SAROS_TRY(saros_training_book(&training, 0, &over));
    const saros_optimiser *optimiser = optimisers->items;
    for (int k = 0; k < optimisers->count && !over; ++k)
        SAROS_TRY(run_optimiser(&training, &optimiser[k], &over));
    memcpy(w, training.w, n * sizeof *w);
done:
    saros_release(room);
    if (status != SAROS_OK) {
        saros_release(info->history);
        *info = (saros_train_info){0};
    }
    return status;
}

saros_status saros_function_weights(saros_function_objective *self, const double *w) {
    saros_tensor *view = NULL;
    saros_status status = saros_tensor_wrap(SAROS_F64, 1, &self->n, NULL, (double *)(uintptr_t)w,
                                            SAROS_BORROW, NULL, NULL, &view);
    if (status == SAROS_OK) status = saros_tensor_assign(self->in[0], view);
    saros_tensor_release(view);
    return status;
}

saros_status saros_function_evaluate(void *user, const double *w, double *loss, double *gradient) {
    saros_function_objective *self = user;
    saros_status status = SAROS_OK;
    saros_tensor *view = NULL;
    SAROS_TRY(
        saros_tensor_wrap(SAROS_F64, 1, &self->n, NULL, gradient, SAROS_BORROW, NULL, NULL, &view));
    SAROS_TRY(saros_function_weights(self, w));
    SAROS_TRY(saros_function_call(self->function, self->in, self->out, NULL));
    SAROS_TRY(saros_tensor_item(self->out[0], loss));
    SAROS_TRY(saros_tensor_assign(view, self->out[1]));
done:
    saros_tensor_release(view);
    return status;
}

static saros_status check_objective(const saros_function *objective, int extras,
                                    const saros_tensor *start) {
    const saros_type type = saros_tensor_type(start);
    if (type.rank != 1 || !saros_dtype_is_float(type.dtype))
        return saros_fail(SAROS_ERR_SHAPE, "saros_train", "weights are one flat f64 or f32 vector",
                          "the start has rank %d", type.rank);
    if (extras > 63 || saros_function_inputs(objective) != extras + 1 ||
        saros_function_outputs(objective) != 2)
        return saros_fail(
            SAROS_ERR_USAGE, "saros_train", "an objective maps (w, extra…) to (loss, gradient)",
            "the objective has %d inputs and %d outputs, wanted %d and 2",
            saros_function_inputs(objective), saros_function_outputs(objective), extras + 1);
    const saros_type *g = saros_function_output_type(objective, 1);
    if (!saros_type_equal(&type, saros_function_input_type(objective, 0)) ||
        !saros_type_equal(&type, g) ||
        saros_type_count(saros_function_output_type(objective, 0)) != 1)
        return saros_fail(
            SAROS_ERR_SHAPE, "saros_train", NULL,
            "start, first input and gradient must have one type, the loss one element");
    return SAROS_OK;
}

saros_status saros_train(const saros_function *objective, int extras, saros_tensor *const *extra,
                         saros_tensor *start, const saros_option_list *optimisers, double target,
                         saros_train_progress_fn progress, void *user, saros_tensor **solution,
                         saros_train_info *info) {
    saros_status status = check_objective(objective, extras, start);
    if (status != SAROS_OK) return status;
    const saros_dtype dtype = saros_tensor_dtype(start);
    saros_function_objective self = {.function = objective, .n = saros_tensor_count(start)};
    saros_tensor *w = NULL;
    saros_train_info found = {0};
    SAROS_TRY(saros_tensor_cast(start, SAROS_F64, &w));
    SAROS_TRY(saros_tensor_make(dtype, 1, &self.n, &self.in[0]));
    for (int k = 0; k < extras; ++k) self.in[k + 1] = extra[k];
    const saros_type *loss = saros_function_output_type(objective, 0);
    SAROS_TRY(saros_tensor_make(loss->dtype, loss->rank, loss->shape, &self.out[0]));
    SAROS_TRY(saros_tensor_make(dtype, 1, &self.n, &self.out[1]));
    const saros_objective adapter = {
        .n = self.n, .evaluate = saros_function_evaluate, .user = &self};
    SAROS_TRY(saros_train_objective(&adapter, saros_tensor_data(w), optimisers, target, progress,
                                    user, &found));
    SAROS_TRY(saros_tensor_cast(w, dtype, solution));
    *info = found;
    found.history = NULL;
done:
    saros_release(found.history);
    saros_tensor_release(w);
    saros_tensor_release(self.in[0]);
    saros_tensor_release(self.out[0]);
    saros_tensor_release(self.out[1]);
    return status;
}
