/** Values made where they are read as parts of others: steps of grids in loops, against loops by
 * hand; which values move and which stay. */
#include "engine_rows.h"

#include <string.h>

static saros_value number(saros_graph *g, double x) {
    return saros_scalar(g, SAROS_F64, x);
}
static saros_value times(double c, saros_value x) {
    return saros_mul(saros_like(x, c), x);
}

/* ---- the five-point heat step, ghosts of value 0 below and above, periodic to the sides ---- */

enum { ROWS = 40, COLUMNS = 70, STEPS = 7 };

/** Ghosts along both axes one after the other (corners too), or along each alone. */
typedef enum shape { NESTED, CROSS, SHAPES } shape;

static saros_value wrap(saros_value u) {
    saros_value part[] = {saros_slice(u, 1, COLUMNS - 1, COLUMNS, 1), u,
                          saros_slice(u, 1, 0, 1, 1)};
    return saros_concat(3, part, 1);
}
static saros_value inside(saros_value u, int64_t row, int64_t column) {
    return saros_slice(saros_slice(u, 0, row, row + ROWS, 1), 1, column, column + COLUMNS, 1);
}
static saros_value heat(saros_value u, shape form) {
    saros_value tall, wide, sum;
    if (form == NESTED) {
        tall = wide = saros_pad(wrap(u), 0, 1, 1, 0, 0);
        sum = saros_add(saros_add(inside(tall, 0, 1), inside(tall, 2, 1)),
                        saros_add(inside(wide, 1, 0), inside(wide, 1, 2)));
    } else {
        tall = saros_pad(u, 0, 1, 1, 0, 0);
        wide = wrap(u);
        sum = saros_add(saros_add(inside(tall, 0, 0), inside(tall, 2, 0)),
                        saros_add(inside(wide, 0, 0), inside(wide, 0, 2)));
    }
    return saros_add(u, times(0.125, saros_sub(sum, times(4, u))));
}
static void heat_by_hand(const double *u, double *next) {
    for (int i = 0; i < ROWS; ++i)
        for (int j = 0; j < COLUMNS; ++j) {
            double down = i ? u[(i - 1) * COLUMNS + j] : 0;
            double up = i < ROWS - 1 ? u[(i + 1) * COLUMNS + j] : 0;
            double left = u[i * COLUMNS + (j + COLUMNS - 1) % COLUMNS];
            double right = u[i * COLUMNS + (j + 1) % COLUMNS], own = u[i * COLUMNS + j];
            double sum = (down + up) + (left + right);
            next[i * COLUMNS + j] = fma(0.125, fma(-4, own, sum), own);
        }
}

typedef struct program {
    shape form;
    int steps_in_one;
} program;

static saros_status heat_steps(saros_graph *body, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    const program *p = user;
    (void)body, (void)index, (void)input;
    next[0] = carry[0];
    for (int k = 0; k < p->steps_in_one; ++k) next[0] = heat(next[0], p->form);
    kept[0] = saros_sum(next[0], 3);
    return SAROS_OK;
}

static saros_tensor *start(void) {
    saros_tensor *u = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 2, (int64_t[]){ROWS, COLUMNS}, &u));
    double *data = saros_tensor_data(u);
    for (int k = 0; k < ROWS * COLUMNS; ++k) data[k] = (double)(k * 7919 % 256) / 16;
    return u;
}

static saros_function *compile_heat(program p, int64_t steps) {
    saros_graph *g = new_graph();
    saros_value u = input_of(g, SAROS_F64, 2, (int64_t[]){ROWS, COLUMNS}, "u"), out[2];
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, (double)steps),
                                  .bound = steps,
                                  .carries = 1,
                                  .carry = &u,
                                  .kept = 1,
                                  .build = heat_steps,
                                  .user = &p},
               out, out + 1);
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 1, &u, 1, out, NULL, &f));
    saros_graph_release(g);
    return f;
}

START_TEST(steps_of_grids_agree_with_loops_by_hand) {
    program p = {(shape)(_i % (int)SHAPES), 1 + _i / (int)SHAPES % 2};
    int64_t n = _i / (int)SHAPES / 2; /* 0 … STEPS */
    saros_function *f = compile_heat(p, n);
    saros_tensor *u = start(), *out = NULL;
    static double by_hand[2][ROWS * COLUMNS];
    memcpy(by_hand[0], saros_tensor_data(u), sizeof by_hand[0]);
    for (int64_t k = 0; k < n * p.steps_in_one; ++k)
        heat_by_hand(by_hand[k % 2], by_hand[(k + 1) % 2]);
    const double *wanted = by_hand[n * p.steps_in_one % 2];
    for (int repeat = 0; repeat < 2; ++repeat) {
        ck_ok(saros_function_call(f, &u, &out, NULL));
        const double *got = saros_tensor_const_data(out);
        for (int k = 0; k < ROWS * COLUMNS; ++k) ck_assert_double_eq(got[k], wanted[k]);
    }
    saros_tensor_release(u);
    saros_tensor_release(out);
    saros_function_release(f);
}
END_TEST

/* ---- parts and wholes at random ---- */

/** Containers of containers of kernels, all of their values outputs in one program and a few in
 * another: what lies where must not matter. */
static int random_parts(saros_graph *g, saros_value x, uint32_t seed, int n, saros_value *value) {
    (void)g;
    value[0] = x;
    for (int k = 1; k < n; ++k) {
        seed = seed * 1664525u + 1013904223u;
        saros_value a = value[(seed >> 8) % (unsigned)k], b = value[(seed >> 16) % (unsigned)k];
        int64_t rows = saros_value_type(a)->shape[0], columns = saros_value_type(a)->shape[1];
        saros_value end = saros_slice(b, 1, 0, 1, 1);
        switch (seed >> 28) {
        case 0:
        case 1:
            value[k] = rows < 40 ? saros_pad(a, 0, 1, seed >> 5 & 1, 0, 3) : times(0.5, a);
            break;
        case 2:
        case 3:
            value[k] = columns < 60 ? saros_pad(a, 1, 2, 1, 0, -1) : times(-1, a);
            break;
        case 4:
        case 5:
            value[k] =
                rows < 40 ? saros_concat(2, (saros_value[]){times(2, a), a}, 0) : saros_neg(a);
            break;
        case 6:
            value[k] = saros_add(a, saros_slice(saros_slice(b, 0, 0, 1, 1), 1, 0, 1, 1));
            break;
        case 7:
            value[k] = saros_mul(a, saros_slice(end, 0, 0, 1, 1));
            break;
        case 8:
        case 9:
            value[k] = rows > 8 ? saros_slice(a, 0, 1, rows - 1, 1) : saros_sub(a, times(3, a));
            break;
        case 10:
            value[k] = columns > 20 ? saros_slice(a, 1, 1, columns, 1) : times(5, a);
            break;
        case 11:
            value[k] = saros_reshape(times(0.25, a), 2, (int64_t[]){rows, columns});
            break;
        default:
            value[k] =
                saros_add(saros_mul(a, saros_like(a, 0.5)), saros_like(a, (double)(seed >> 30)));
        }
    }
    return n;
}

START_TEST(where_values_lie_changes_no_result) {
    enum { N = 60, FEW = 3 };
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 2, (int64_t[]){8, 20}, "x"), value[N], few[FEW];
    random_parts(g, x, 77u + (uint32_t)_i, N, value);
    for (int k = 0; k < FEW; ++k) few[k] = value[N - 1 - 5 * k];
    saros_function *all = NULL, *f = NULL;
    saros_tensor *in = NULL, *all_out[N] = {NULL}, *few_out[FEW] = {NULL};
    ck_ok(
        saros_compile(g, 1, &x, N, value, &(saros_compile_options){.backend = "reference"}, &all));
    ck_ok(saros_compile(g, 1, &x, FEW, few, NULL, &f));
    ck_ok(saros_tensor_make(SAROS_F64, 2, (int64_t[]){8, 20}, &in));
    for (int k = 0; k < 160; ++k) ((double *)saros_tensor_data(in))[k] = 1 + (double)(k % 11) / 8;
    ck_ok(saros_function_call(all, &in, all_out, NULL));
    for (int repeat = 0; repeat < 2; ++repeat) ck_ok(saros_function_call(f, &in, few_out, NULL));
    for (int k = 0; k < FEW; ++k)
        ck_assert(!memcmp(saros_tensor_data(few_out[k]), saros_tensor_data(all_out[N - 1 - 5 * k]),
                          8 * (size_t)saros_tensor_count(few_out[k])));
    for (int k = 0; k < N; ++k) saros_tensor_release(all_out[k]);
    for (int k = 0; k < FEW; ++k) saros_tensor_release(few_out[k]);
    saros_tensor_release(in);
    saros_function_release(all);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/** A grid put together of kernels, seen as a part of a flat state. */
START_TEST(a_container_may_be_a_part_in_another_shape) {
    enum { M = 6, N = 40 };
    int64_t flat = M * N * 2;
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 2, (int64_t[]){M, N}, "x"), part[2];
    for (int k = 0; k < 2; ++k) {
        saros_value pair[] = {saros_add(times(2 + k, x), number(g, 1)),
                              saros_add(times(4 + k, x), number(g, 3))};
        part[k] = saros_reshape(saros_concat(2, pair, 1), 1, &flat);
    }
    saros_value all = saros_concat(2, part, 0);
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 1, &x, 1, &all, NULL, &f));
    saros_tensor *in = NULL, *out = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 2, (int64_t[]){M, N}, &in));
    for (int k = 0; k < M * N; ++k) ((double *)saros_tensor_data(in))[k] = k;
    ck_ok(saros_function_call(f, &in, &out, NULL));
    for (int k = 0; k < 2; ++k)
        for (int i = 0; i < M; ++i)
            for (int j = 0; j < 2 * N; ++j) {
                int own = i * N + j % N, factor = j < N ? 2 + k : 4 + k;
                ck_assert_double_eq(at(out, (k * M + i) * 2 * N + j),
                                    factor * own + (j < N ? 1 : 3));
            }
    saros_tensor_release(in);
    saros_tensor_release(out);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/* ---- memory ---- */

START_TEST(parts_take_no_memory_of_their_own) {
    enum { N = 100000 };
    int64_t n = N;
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 1, &n, "x"), part[3];
    for (int k = 0; k < 3; ++k) part[k] = saros_add(x, number(g, k + 1));
    saros_value all = saros_concat(3, part, 0);
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 1, &x, 1, &all, NULL, &f));
    saros_tensor *in = NULL, *out = NULL;
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, &n, &in));
    int64_t held = saros_memory_held();
    ck_ok(saros_function_call(f, &in, &out, NULL));
    ck_assert_double_lt((double)(saros_memory_held() - held), 8.0 * N * 3.1); /* `out` */
    for (int k = 0; k < 3; ++k) ck_assert_double_eq(at(out, k * N + 9), k + 1);
    saros_tensor_release(in);
    saros_tensor_release(out);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_LOOPS("core/window", {steps_of_grids_agree_with_loops_by_hand, SHAPES * 2 * (STEPS + 1)},
                 {where_values_lie_changes_no_result, 200},
                 {a_container_may_be_a_part_in_another_shape, 1},
                 {parts_take_no_memory_of_their_own, 1})
