/** GradBench's LSTM, objective and gradient against plain complex C, with all states and with two.
 */
#include "autodiff/gradbench_lstm.h"
#include "autodiff/gradbench_scene.h"

enum { LAYERS = 2, WIDTH = 5, LENGTH = 6 };

typedef struct text {
    double state[2 * LAYERS][WIDTH], sequence[LENGTH][WIDTH];
} text;

static number sigmoid(number x) {
    return 1 / (1 + cexp(-x));
}
/** x: weights and biases of each layer (2 LAYERS, 4 WIDTH), then (3, WIDTH) around them. */
static number lstm_plain(const number *x, const void *user) {
    const text *given = user;
    const number *extra = x + 2 * LAYERS * 4 * WIDTH;
    number s[2 * LAYERS][WIDTH], total = 0;
    for (int k = 0; k < 2 * LAYERS; ++k)
        for (int j = 0; j < WIDTH; ++j) s[k][j] = given->state[k][j];
    for (int t = 0; t + 1 < LENGTH; ++t) {
        number y[WIDTH], sum = 2;
        for (int j = 0; j < WIDTH; ++j) {
            number in = given->sequence[t][j] * extra[j];
            for (int k = 0; k < LAYERS; ++k) {
                const number *w = x + (2 * k) * 4 * WIDTH + j, *b = w + 4 * WIDTH;
                number *hidden = &s[2 * k][j], *cell = &s[2 * k + 1][j];
                number forget = sigmoid(in * w[0] + b[0]);
                number gate = sigmoid(*hidden * w[WIDTH] + b[WIDTH]);
                number out = sigmoid(in * w[2 * WIDTH] + b[2 * WIDTH]);
                number change = ctanh(*hidden * w[3 * WIDTH] + b[3 * WIDTH]);
                *cell = *cell * forget + gate * change;
                in = *hidden = out * ctanh(*cell);
            }
            y[j] = in * extra[WIDTH + j] + extra[2 * WIDTH + j];
            sum += cexp(y[j]);
        }
        for (int j = 0; j < WIDTH; ++j) total += given->sequence[t + 1][j] * (y[j] - clog(sum));
    }
    return -total / ((LENGTH - 1) * WIDTH);
}

START_TEST(objective_and_gradient_are_right) {
    for (int64_t states = 0; states <= 2; states += 2) {
        const lstm sizes = {.layers = LAYERS, .width = WIDTH, .length = LENGTH, .states = states};
        scene s = scene_open();
        saros_type type[LSTM_INS];
        text given;
        lstm_types(&sizes, type);
        for (int k = 0; k < LSTM_MOVING; ++k) scene_input(&s, &type[k], -1, 1);
        memcpy(given.state, scene_data(&s, &type[2], -1, 1), sizeof given.state);
        memcpy(given.sequence, scene_data(&s, &type[3], 0, 1), sizeof given.sequence);
        scene_check(&s, lstm_value(&sizes, s.in), lstm_plain, &given);
        scene_close(&s);
    }
}
END_TEST

/* Value and gradient with `states` states of one sentence and 14 bits. */
static void gradient_of(int64_t states, saros_tensor *out[1 + LSTM_MOVING]) {
    const lstm sizes = {.layers = 2, .width = 14, .length = 20, .states = states};
    saros_graph *g = NULL;
    saros_type type[LSTM_INS];
    saros_value in[LSTM_INS], result[1 + LSTM_MOVING];
    saros_tensor *given[LSTM_INS];
    saros_function *f = NULL;
    lstm_types(&sizes, type);
    ck_ok(saros_graph_make(&g));
    for (int k = 0; k < LSTM_INS; ++k) {
        in[k] = saros_input(g, &type[k], NULL);
        ck_ok(saros_tensor_make(SAROS_F64, type[k].rank, type[k].shape, &given[k]));
        double *x = saros_tensor_data(given[k]);
        for (int64_t i = 0; i < saros_type_count(&type[k]); ++i) x[i] = sin((double)(i + k));
    }
    result[0] = lstm_value(&sizes, in);
    saros_vjp(1, result, NULL, LSTM_MOVING, in, result + 1);
    ck_ok(saros_compile(g, LSTM_INS, in, 1 + LSTM_MOVING, result, NULL, &f));
    ck_ok(saros_function_call(f, given, out, NULL));
    for (int k = 0; k < LSTM_INS; ++k) saros_tensor_release(given[k]);
    saros_function_release(f);
    saros_graph_release(g);
}

START_TEST(results_that_are_kept_change_no_bit) {
    saros_tensor *all[1 + LSTM_MOVING] = {NULL}, *few[1 + LSTM_MOVING] = {NULL};
    gradient_of(0, all);
    gradient_of(3, few);
    for (int k = 0; k <= LSTM_MOVING; ++k) {
        const size_t bytes = (size_t)saros_tensor_count(all[k]) * sizeof(double);
        ck_assert_mem_eq(saros_tensor_const_data(all[k]), saros_tensor_const_data(few[k]), bytes);
        saros_tensor_release(all[k]);
        saros_tensor_release(few[k]);
    }
}
END_TEST

SAROS_TEST_MAIN("autodiff/gradbench_lstm", objective_and_gradient_are_right,
                results_that_are_kept_change_no_bit)
