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

SAROS_TEST_MAIN("autodiff/gradbench_lstm", objective_and_gradient_are_right)
