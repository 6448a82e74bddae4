/** GradBench's LSTM (github.com/gradbench/gradbench, after ADBench): mean cross entropy of the
 * next character's bits, predicted by a stack of layers whose matrices are diagonal. One character
 * is one iteration of a loop. */
#ifndef SAROS_TESTS_GRADBENCH_LSTM_H
#define SAROS_TESTS_GRADBENCH_LSTM_H

#include "saros/ops.h"
#include "saros/region.h"

typedef struct lstm {
    int64_t layers, width, length;
    int64_t states; /**< of saros_loop_spec */
} lstm;

/** Types of what lstm_value takes: weights and biases of each layer in turn (2 layers, 4 width),
 * what stands around them (3, width), state (2 layers, width), sequence (length, width). */
enum { LSTM_MOVING = 2, LSTM_INS = 4 };
static inline void lstm_types(const lstm *s, saros_type type[LSTM_INS]) {
    type[0] = saros_type_make(SAROS_F64, 2, (int64_t[]){2 * s->layers, 4 * s->width});
    type[1] = saros_type_make(SAROS_F64, 2, (int64_t[]){3, s->width});
    type[2] = saros_type_make(SAROS_F64, 2, (int64_t[]){2 * s->layers, s->width});
    type[3] = saros_type_make(SAROS_F64, 2, (int64_t[]){s->length, s->width});
}

typedef struct lstm_build {
    const lstm *size;
    saros_value weights, extra;
} lstm_build;

static inline saros_value lstm_row(saros_value v, int64_t row) {
    return saros_reshape(saros_slice(v, 0, row, row + 1, 1), 1, &saros_value_type(v)->shape[1]);
}

/** Layer k on `in`: its new hidden state; `cell` is replaced. */
static inline saros_value lstm_layer(const lstm_build *b, int64_t k, saros_value in,
                                     saros_value hidden, saros_value *cell) {
    const int64_t n = b->size->width;
    saros_value w = lstm_row(b->weights, 2 * k), c = lstm_row(b->weights, 2 * k + 1), z[4];
    for (int64_t m = 0; m < 4; ++m)
        z[m] = saros_add(saros_mul(m % 2 ? hidden : in, saros_slice(w, 0, m * n, (m + 1) * n, 1)),
                         saros_slice(c, 0, m * n, (m + 1) * n, 1));
    saros_value grown = saros_mul(saros_sigmoid(z[1]), saros_tanh(z[3]));
    *cell = saros_add(saros_mul(*cell, saros_sigmoid(z[0])), grown);
    return saros_mul(saros_sigmoid(z[2]), saros_tanh(*cell));
}

static inline saros_status lstm_step(saros_graph *body, saros_value index, const saros_value *carry,
                                     const saros_value *input, void *user, saros_value *next,
                                     saros_value *kept) {
    const lstm_build *b = user;
    saros_value in = saros_mul(input[0], lstm_row(b->extra, 0));
    (void)body;
    (void)index;
    (void)kept;
    for (int64_t k = 0; k < b->size->layers; ++k) {
        next[2 * k + 1] = carry[2 * k + 1];
        in = next[2 * k] = lstm_layer(b, k, in, carry[2 * k], &next[2 * k + 1]);
    }
    saros_value y = saros_add(saros_mul(in, lstm_row(b->extra, 1)), lstm_row(b->extra, 2));
    saros_value all = saros_add(saros_sum(saros_exp(y), 1), saros_like(y, 2));
    saros_value p = saros_mul(input[1], saros_sub(y, saros_log(all)));
    next[2 * b->size->layers] = saros_add(carry[2 * b->size->layers], saros_sum(p, 1));
    return SAROS_OK;
}

enum { LSTM_LAYERS = 8 }; /* at most */

static inline saros_value lstm_value(const lstm *s, const saros_value in[LSTM_INS]) {
    lstm_build build = {s, in[0], in[1]};
    saros_value carry[2 * LSTM_LAYERS + 1], end[2 * LSTM_LAYERS + 1];
    const int rows = (int)(2 * s->layers);
    const int64_t steps = s->length - 1;
    saros_value input[2] = {saros_slice(in[3], 0, 0, steps, 1),
                            saros_slice(in[3], 0, 1, s->length, 1)};
    for (int k = 0; k < rows; ++k) carry[k] = lstm_row(in[2], k);
    carry[rows] = saros_scalar(in[0].graph, SAROS_F64, 0);
    saros_loop(in[0].graph,
               &(saros_loop_spec){.n = saros_scalar(in[0].graph, SAROS_I64, (double)steps),
                                  .bound = steps,
                                  .carries = rows + 1,
                                  .carry = carry,
                                  .inputs = 2,
                                  .input = input,
                                  .states = s->states,
                                  .build = lstm_step,
                                  .user = &build},
               end, NULL);
    return saros_mul(saros_like(end[rows], -1.0 / (double)(steps * s->width)), end[rows]);
}

#endif
