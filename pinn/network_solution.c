/** Solutions of the network method: evaluation anywhere through the same lowering as training, and
 * samples on nodes and times.
 *
 *  An expression is compiled for a block of points and the block is walked over the points asked
 * for; the last few compiled expressions are kept with the solution, as interfaces ask for the same
 * ones again and again. Integrals are quadratures of the nodes (common code).
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "pinn_impl.h"
#include "saros/memory.h"

enum { CACHE = 8, ROWS = 512 };

typedef struct cached {
    saros_body *body;
    saros_function *function;
    int64_t rows;
} cached;

struct saros_network_state {
    saros_ansatz ansatz;
    saros_tensor *weights;
    saros_tensor *number[64];
    cached cache[CACHE];
    int next;
    pthread_mutex_t lock;
};

void saros_network_state_release(saros_network_state *self) {
    if (!self) return;
    for (int k = 0; k < CACHE; ++k) {
        saros_body_release(self->cache[k].body);
        saros_function_release(self->cache[k].function);
    }
    for (int k = 0; k < self->ansatz.parameters; ++k) saros_tensor_release(self->number[k]);
    saros_tensor_release(self->weights);
    saros_ansatz_clear(&self->ansatz);
    pthread_mutex_destroy(&self->lock);
    saros_release(self);
}

/** Function (weights, parameters…, coordinates (rows)…) -> outputs (rows) of an expression. */
static saros_status compile_expression(const saros_ansatz *ansatz, const saros_body *body,
                                       int64_t rows, saros_function **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_expansion expansion = {0};
    saros_value in[1 + 64 + SAROS_AXES], *value = NULL;
    const int outputs = saros_body_outputs(body), first = 1 + ansatz->parameters;
    const int64_t size = saros_network_size(&ansatz->network);
    const saros_type weights = saros_type_make(ansatz->dtype, 1, &size);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    const saros_type column = saros_type_make(SAROS_F64, 1, &rows);
    value = saros_allocate((size_t)outputs * sizeof *value);
    if (!value) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_expand(body, ansatz->unknowns, ansatz->coordinates, ansatz->axes, &expansion));
    SAROS_TRY(saros_graph_make(&graph));
    in[0] = saros_input(graph, &weights, "weights");
    for (int k = 1; k < first; ++k) in[k] = saros_input(graph, &scalar, NULL);
    for (int k = 0; k < ansatz->coordinates; ++k) in[first + k] = saros_input(graph, &column, NULL);
    for (int k = 0; k < outputs; ++k) value[k] = SAROS_NONE;
    saros_network_lower(ansatz, in[0], &in[first], &in[1], 1, &expansion, value);
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(saros_compile(graph, first + ansatz->coordinates, in, outputs, value,
                            &(saros_compile_options){.name = "network"}, out));
done:
    saros_expansion_clear(&expansion);
    saros_graph_release(graph);
    saros_release(value);
    return status;
}

/** The compiled expression from the cache, or made; a reference for the caller. */
static saros_status find_function(saros_network_state *self, saros_body *body, int64_t rows,
                                  saros_function **out) {
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&self->lock);
    for (int k = 0; k < CACHE; ++k)
        if (self->cache[k].body == body && self->cache[k].rows == rows) {
            *out = saros_function_retain(self->cache[k].function);
            goto done;
        }
    SAROS_TRY(compile_expression(&self->ansatz, body, rows, out));
    cached *place = &self->cache[self->next];
    self->next = (self->next + 1) % CACHE;
    saros_body_release(place->body);
    saros_function_release(place->function);
    *place = (cached){saros_body_retain(body), saros_function_retain(*out), rows};
done:
    pthread_mutex_unlock(&self->lock);
    return status;
}

/** One block: fills coordinates (the last block repeats its last point), calls, copies. */
static saros_status run_block(const saros_network_state *self, const saros_function *function,
                              int64_t rows, int64_t first, int64_t points,
                              saros_tensor *const *coordinate, saros_tensor **in, int outputs,
                              saros_tensor **out, saros_tensor **value) {
    const int64_t count = points - first < rows ? points - first : rows;
    const int columns = self->ansatz.coordinates, at = 1 + self->ansatz.parameters;
    for (int k = 0; k < columns; ++k) {
        const double *from = saros_tensor_const_data(coordinate[k]);
        double *to = saros_tensor_data(in[at + k]);
        for (int64_t i = 0; i < rows; ++i) to[i] = from[first + (i < count ? i : count - 1)];
    }
    const saros_status status = saros_function_call(function, in, out, NULL);
    if (status != SAROS_OK) return status;
    for (int k = 0; k < outputs; ++k)
        memcpy((double *)saros_tensor_data(value[k]) + first, saros_tensor_const_data(out[k]),
               (size_t)count * sizeof(double));
    return SAROS_OK;
}

saros_status saros_network_evaluate(saros_network_state *self, saros_body *expression,
                                    saros_tensor *const *coordinate, saros_tensor **value) {
    const int64_t points = saros_tensor_count(coordinate[0]);
    saros_status status = SAROS_OK;
    saros_function *function = NULL;
    const int outputs = saros_body_outputs(expression), columns = self->ansatz.coordinates;
    const int at = 1 + self->ansatz.parameters;
    const int64_t rows = points < ROWS ? points : ROWS;
    saros_tensor *in[1 + 64 + SAROS_AXES] = {NULL};
    saros_tensor **out = saros_allocate_zero((size_t)(2 * outputs), sizeof *out);
    if (!out) return SAROS_ERR_MEMORY;
    saros_tensor **made = out + outputs;
    SAROS_TRY(find_function(self, expression, rows, &function));
    in[0] = self->weights;
    memcpy(&in[1], self->number, (size_t)self->ansatz.parameters * sizeof *in);
    for (int k = 0; k < columns; ++k)
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &rows, &in[at + k]));
    for (int k = 0; k < outputs; ++k) {
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &rows, &out[k]));
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &points, &made[k]));
    }
    for (int64_t first = 0; first < points; first += rows)
        SAROS_TRY(
            run_block(self, function, rows, first, points, coordinate, in, outputs, out, made));
    memcpy(value, made, (size_t)outputs * sizeof *value);
    memset(made, 0, (size_t)outputs * sizeof *made);
done:
    for (int k = 0; k < columns; ++k) saros_tensor_release(in[at + k]);
    for (int k = 0; k < 2 * outputs; ++k) saros_tensor_release(out[k]);
    saros_release(out);
    saros_function_release(function);
    return status;
}

static saros_status evaluate(const saros_solution *solution, const void *state,
                             saros_body *expression, int points, saros_tensor *const *coordinate,
                             saros_tensor **value) {
    (void)solution;
    (void)points;
    /* The cache is the only part that changes, under its lock. */
    return saros_network_evaluate((saros_network_state *)(uintptr_t)state, expression, coordinate,
                                  value);
}

static void release_state(void *state) {
    saros_network_state_release(state);
}

const saros_solution_class saros_network_class = {.evaluate = evaluate, .release = release_state};

saros_status saros_network_state_make(saros_tensor *const *number, saros_pinn_run *run,
                                      saros_network_state **out) {
    saros_network_state *self = saros_allocate_zero(1, sizeof *self);
    if (!self) return SAROS_ERR_MEMORY;
    pthread_mutex_init(&self->lock, NULL);
    self->ansatz = run->ansatz;
    self->weights = run->weights;
    run->ansatz = (saros_ansatz){0};
    run->weights = NULL;
    for (int k = 0; k < self->ansatz.parameters; ++k)
        self->number[k] = saros_tensor_retain(number[k]);
    *out = self;
    return SAROS_OK;
}

const saros_ansatz *saros_network_state_ansatz(const saros_network_state *self) {
    return &self->ansatz;
}

saros_status saros_solution_network(saros_solution *solution, saros_network *network,
                                    saros_tensor **weights) {
    const saros_network_state *self = saros_solution_state(solution, &saros_network_class);
    if (!self)
        return saros_fail(SAROS_ERR_USAGE, "saros_solution_network", NULL,
                          "the solution was not found by the network method");
    *network = self->ansatz.network;
    *weights = self->weights;
    return SAROS_OK;
}
