/** A training as a node of a graph: inputs are the parameters, the output is the trained weights.
 *
 *  Apply trains. Its derivative is that of the minimum (sensitivity.c), in forward and reverse
 * mode; a second derivative is an error naming the call. Weights and sensitivity are kept for the
 * parameters last used, as value and gradient come from one training.
 */
#include <pthread.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/region.h"
#include "sensitivity_impl.h"

/** Everything a training needs, owned: it may run long after the caller's options are gone. */
typedef struct trainer {
    saros_task task;
    saros_pinn_options options;
    saros_solve_options common;
    char *text[4];       /* sampler, dtype, accept, activation */
    saros_ansatz ansatz; /* as the graph was built */
    bool trained;
    double number[64]; /* the parameters of what follows */
    saros_tensor *weights, *sensitivity;
    pthread_mutex_t lock;
} trainer;

static void forget(trainer *self) {
    saros_tensor_release(self->weights);
    saros_tensor_release(self->sensitivity);
    self->weights = self->sensitivity = NULL;
    self->trained = false;
}

static void trainer_release(void *user) {
    trainer *self = user;
    if (!self) return;
    forget(self);
    const int parameters =
        self->task.problem ? saros_problem_parameters(self->task.problem, NULL) : 0;
    for (int k = 0; self->task.parameter && k < parameters; ++k)
        saros_tensor_release(self->task.parameter[k]);
    saros_release(self->task.parameter);
    saros_problem_release(self->task.problem);
    saros_ansatz_clear(&self->ansatz);
    for (int k = 0; k < 4; ++k) saros_release(self->text[k]);
    for (int k = 0; k < self->options.optimizer.count; ++k) {
        const saros_optimiser *optimiser = self->options.optimizer.items;
        saros_release((void *)(uintptr_t)optimiser[k].method);
        saros_release((void *)(uintptr_t)optimiser[k].schedule);
    }
    saros_release(self->options.optimizer.items);
    pthread_mutex_destroy(&self->lock);
    saros_release(self);
}

static saros_status own_text(const char **text, char **owned) {
    if (!*text) return SAROS_OK;
    *owned = saros_string_copy(*text);
    *text = *owned;
    return *owned ? SAROS_OK : SAROS_ERR_MEMORY;
}

static saros_status own_optimisers(saros_option_list *list) {
    const saros_option_list from = *list;
    const saros_optimiser *item = from.items;
    saros_status status = SAROS_OK;
    *list = (saros_option_list){0};
    if (!from.count) return SAROS_OK;
    saros_optimiser *copy = saros_allocate_zero((size_t)from.count, sizeof *copy);
    if (!copy) return SAROS_ERR_MEMORY;
    list->items = copy;
    for (; list->count < from.count && status == SAROS_OK; ++list->count) {
        const int k = list->count;
        char *method = NULL, *schedule = NULL;
        copy[k] = item[k];
        status = own_text(&copy[k].method, &method);
        if (status == SAROS_OK) status = own_text(&copy[k].schedule, &schedule);
        copy[k].method = method;
        copy[k].schedule = schedule;
    }
    return status;
}

static saros_status trainer_make(const saros_task *task, trainer **out) {
    saros_status status = SAROS_OK;
    const int parameters = saros_problem_parameters(task->problem, NULL);
    trainer *self = saros_allocate_zero(1, sizeof *self);
    if (!self) return SAROS_ERR_MEMORY;
    pthread_mutex_init(&self->lock, NULL);
    self->task = *task;
    self->task.problem = saros_problem_retain(task->problem);
    self->task.options = &self->options;
    self->task.common = &self->common;
    self->task.parameter = saros_allocate_zero((size_t)parameters + 1, sizeof *task->parameter);
    self->options = *(const saros_pinn_options *)task->options;
    self->options.times = (saros_times){0}; /* sampling is not part of training */
    SAROS_TRY(own_optimisers(&self->options.optimizer));
    if (!self->task.parameter) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < parameters; ++k)
        self->task.parameter[k] = saros_tensor_retain(task->parameter[k]);
    SAROS_TRY(own_text(&self->options.sampler, &self->text[0]));
    SAROS_TRY(own_text(&self->options.dtype, &self->text[1]));
    SAROS_TRY(own_text(&self->options.accept, &self->text[2]));
    SAROS_TRY(own_text(&self->options.network.activation, &self->text[3]));
    *out = self;
    return SAROS_OK;
done:
    trainer_release(self);
    return status;
}

/** The weights for these parameters, from the last training or a new one. Under the lock. */
static saros_status need_weights(trainer *self, saros_tensor *const *number) {
    saros_status status = SAROS_OK;
    const int numbers = self->ansatz.parameters;
    saros_pinn_run run = {0};
    double value[64];
    for (int k = 0; k < numbers; ++k) SAROS_TRY(saros_tensor_item(number[k], &value[k]));
    if (self->trained && !memcmp(value, self->number, (size_t)numbers * sizeof *value)) goto done;
    forget(self);
    SAROS_TRY(saros_pinn_train(&self->task, number, NULL, 0, NULL, &run));
    if (memcmp(run.ansatz.hard, self->ansatz.hard,
               (size_t)self->ansatz.unknowns * sizeof *run.ansatz.hard) != 0)
        SAROS_TRY(saros_fail(SAROS_ERR_UNSUPPORTED, "network solve", "hard=false",
                             "which conditions can hold exactly changes with the parameters"));
    self->weights = run.weights;
    run.weights = NULL;
    memcpy(self->number, value, (size_t)numbers * sizeof *value);
    self->trained = true;
done:
    saros_pinn_run_clear(&run);
    return status;
}

static saros_status need_sensitivity(trainer *self, saros_tensor *const *number) {
    const saros_status status = need_weights(self, number);
    if (status != SAROS_OK || self->sensitivity) return status;
    return saros_pinn_sensitivity(&self->ansatz, &self->options, self->weights, number,
                                  &self->sensitivity);
}

static saros_status call_type(void *user, int ins, const saros_type *in, int outs,
                              saros_type *out) {
    const trainer *self = user;
    const int64_t n = saros_network_size(&self->ansatz.network);
    (void)ins;
    (void)in;
    for (int k = 0; k < outs; ++k) out[k] = saros_type_make(self->ansatz.dtype, 1, &n);
    return SAROS_OK;
}

static saros_status call_apply(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    trainer *self = user;
    (void)ins;
    (void)outs;
    pthread_mutex_lock(&self->lock);
    saros_status status = need_weights(self, in);
    if (status == SAROS_OK) status = saros_tensor_assign(out[0], self->weights);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static double at(const saros_tensor *tensor, int64_t i) {
    if (saros_tensor_dtype(tensor) == SAROS_F64)
        return ((const double *)saros_tensor_const_data(tensor))[i];
    return (double)((const float *)saros_tensor_const_data(tensor))[i];
}

/** in: parameters, then their tangents. */
static saros_status call_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **out_tangent) {
    trainer *self = user;
    (void)outs;
    pthread_mutex_lock(&self->lock);
    const saros_status status = need_sensitivity(self, in);
    if (status == SAROS_OK) {
        const double *s = saros_tensor_const_data(self->sensitivity);
        const int64_t n = saros_network_size(&self->ansatz.network);
        const int numbers = self->ansatz.parameters;
        for (int64_t i = 0; i < n; ++i) {
            double sum = 0;
            for (int k = 0; k < numbers; ++k) sum += s[i * numbers + k] * at(in[ins + k], 0);
            if (self->ansatz.dtype == SAROS_F64)
                ((double *)saros_tensor_data(out_tangent[0]))[i] = sum;
            else
                ((float *)saros_tensor_data(out_tangent[0]))[i] = (float)sum;
        }
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

/** in: parameters, then the cotangent of the weights. */
static saros_status call_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **gradient) {
    trainer *self = user;
    (void)outs;
    pthread_mutex_lock(&self->lock);
    const saros_status status = need_sensitivity(self, in);
    if (status == SAROS_OK) {
        const double *s = saros_tensor_const_data(self->sensitivity);
        const int64_t n = saros_network_size(&self->ansatz.network);
        for (int k = 0; k < ins; ++k) {
            double sum = 0;
            for (int64_t i = 0; i < n; ++i) sum += s[i * ins + k] * at(in[ins], i);
            *(double *)saros_tensor_data(gradient[k]) = sum;
        }
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

static const saros_call_class network_call = {.name = "network solve",
                                              .pure = true,
                                              .type = call_type,
                                              .apply = call_apply,
                                              .apply_jvp = call_jvp,
                                              .apply_vjp = call_vjp,
                                              .release = trainer_release};

saros_status saros_pinn_call(const saros_task *task, saros_tensor *const *number,
                             saros_graph *graph, int numbers, const saros_value *parameter,
                             saros_value *weights) {
    trainer *self = NULL;
    saros_status status = trainer_make(task, &self);
    if (status != SAROS_OK) return status;
    status = saros_pinn_ansatz(&self->task, number, &self->ansatz);
    if (status != SAROS_OK) {
        trainer_release(self);
        return status;
    }
    saros_call(graph, &network_call, self, numbers, parameter, 1, weights); /* takes self over */
    return saros_graph_status(graph);
}
