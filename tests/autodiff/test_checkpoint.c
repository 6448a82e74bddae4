/** Checkpoints: the same derivatives in every word of modes, computed once more in the reverse
 * sweep, in less memory. */
#include "autodiff/graph_run.h"

enum { LENGTH = 4, WIDTH = 4096, SEGMENTS = 8, DEPTH = 6 };

/* ---- values ---- */

static saros_value smooth(saros_value x) {
    saros_value y = saros_exp(saros_sin(saros_mul(x, saros_like(x, 1.3))));
    return saros_mul(saros_tanh(y), saros_add(x, saros_sqrt(y)));
}
static saros_status build_smooth(saros_graph *body, const saros_value *x, void *user,
                                 saros_value *out) {
    (void)body;
    (void)user;
    out[0] = smooth(smooth(x[0]));
    out[1] = saros_mul(x[0], out[0]);
    return SAROS_OK;
}
static saros_value parts(saros_graph *g, saros_value x, bool checkpointed) {
    saros_value y[2], z[2], in = saros_add(x, saros_mul(x, x));
    if (checkpointed)
        saros_checkpoint(g, build_smooth, NULL, 1, &in, 2, y);
    else
        build_smooth(g, &in, NULL, y);
    saros_value middle = saros_add(y[0], saros_sin(y[1]));
    if (checkpointed)
        saros_checkpoint(g, build_smooth, NULL, 1, &middle, 2, z);
    else
        build_smooth(g, &middle, NULL, z);
    return saros_mul(z[0], z[1]);
}

START_TEST(every_word_is_that_of_the_function_itself) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value x = saros_input(g, &real, "x"), one = saros_scalar(g, SAROS_F64, 1);
    saros_value word[2][2 << LENGTH], series[LENGTH] = {one}, jet[2][LENGTH];
    saros_tensor *at = NULL;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.4, &at));
    for (int c = 0; c < 2; ++c) {
        word[c][1] = parts(g, x, c);
        saros_jet(1, &word[c][1], 1, &x, LENGTH, series, jet[c]);
        for (int k = 1; k < 1 << LENGTH; ++k) {
            saros_jvp(1, &word[c][k], 1, &x, &one, &word[c][2 * k]);
            saros_vjp(1, &word[c][k], NULL, 1, &x, &word[c][2 * k + 1]);
        }
    }
    for (int k = 1; k < 2 << LENGTH; ++k)
        ck_near(run_scalar(1, &x, &at, word[1][k]), run_scalar(1, &x, &at, word[0][k]), 1e-12);
    for (int k = 0; k < LENGTH; ++k)
        ck_near(run_scalar(1, &x, &at, jet[1][k]), run_scalar(1, &x, &at, jet[0][k]), 1e-12);
    saros_tensor_release(at);
    saros_graph_release(g);
}
END_TEST

static saros_status failing(saros_graph *body, const saros_value *in, void *user,
                            saros_value *out) {
    (void)body;
    (void)in;
    (void)user;
    (void)out;
    return saros_fail(SAROS_ERR_DOMAIN, "failing", NULL, "as told");
}

static saros_status outside(saros_graph *body, const saros_value *in, void *user,
                            saros_value *out) {
    (void)body;
    (void)in;
    out[0] = saros_sin(*(const saros_value *)user);
    return SAROS_OK;
}

START_TEST(a_part_of_outer_values_alone_is_refused) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value x = saros_input(g, &real, "x"), y;
    saros_checkpoint(g, outside, &x, 1, &x, 1, &y);
    ck_assert(saros_is_poisoned(y));
    ck_assert_int_eq(saros_graph_status(g), SAROS_ERR_USAGE);
    saros_graph_release(g);
}
END_TEST

START_TEST(a_part_that_cannot_be_built_poisons) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_value out[2];
    saros_checkpoint(g, failing, NULL, 0, NULL, 2, out);
    ck_assert(saros_is_poisoned(out[0]) && saros_is_poisoned(out[1]));
    ck_assert_int_eq(saros_graph_status(g), SAROS_ERR_DOMAIN);
    saros_graph_release(g);
}
END_TEST

/* ---- how often ---- */

static int calls;

static saros_status same_type(void *user, int ins, const saros_type *in, int outs,
                              saros_type *out) {
    (void)user;
    (void)ins;
    (void)outs;
    out[0] = in[0];
    return SAROS_OK;
}
static saros_status square(void *user, int ins, saros_tensor *const *in, int outs,
                           saros_tensor **out) {
    (void)user;
    (void)ins;
    (void)outs;
    const double *x = saros_tensor_const_data(in[0]);
    double *y = saros_tensor_data(out[0]);
    for (int64_t k = 0; k < saros_tensor_count(out[0]); ++k) y[k] = x[k] * x[k];
    ++calls;
    return SAROS_OK;
}
static saros_status square_vjp(void *user, saros_graph *graph, int ins, const saros_value *in,
                               const saros_value *out, const saros_value *cotangent,
                               saros_value *gradient) {
    (void)user;
    (void)graph;
    (void)ins;
    (void)out;
    gradient[0] = saros_mul(saros_mul(saros_like(in[0], 2), in[0]), cotangent[0]);
    return SAROS_OK;
}
static const saros_call_class counted = {
    .name = "square", .pure = true, .type = same_type, .apply = square, .build_vjp = square_vjp};

static saros_status build_counted(saros_graph *body, const saros_value *in, void *user,
                                  saros_value *out) {
    saros_value y;
    saros_call(body, &counted, user, 1, in, 1, &y);
    out[0] = saros_exp(saros_sin(y)); /* the reverse sweep reads y */
    return SAROS_OK;
}

START_TEST(a_part_is_computed_once_more_in_the_reverse_sweep) {
    for (int c = 0; c < 2; ++c) {
        saros_graph *g = NULL;
        ck_ok(saros_graph_make(&g));
        saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
        saros_value x = saros_input(g, &type, "x"), y, pair[2];
        if (c)
            saros_checkpoint(g, build_counted, NULL, 1, &x, 1, &y);
        else
            build_counted(g, &x, NULL, &y);
        pair[0] = saros_sum(y, 1);
        saros_vjp(1, pair, NULL, 1, &x, pair + 1);
        saros_tensor *at = run_tensor(&type, -1, 1), *out[2];
        calls = 0;
        run_values(1, &x, &at, 2, pair, out);
        ck_assert_int_eq(calls, c ? 2 : 1);
        for (int k = 0; k < 2; ++k) saros_tensor_release(out[k]);
        saros_tensor_release(at);
        saros_graph_release(g);
    }
}
END_TEST

/* ---- memory ---- */

static int64_t peak;

static void *peak_allocate(size_t bytes, void *user) {
    (void)user;
    int64_t held = saros_memory_held() + (int64_t)bytes;
    if (held > peak) peak = held;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
static void peak_release(void *memory, size_t bytes, void *user) {
    (void)bytes;
    (void)user;
    free(memory);
}

/** Products with shifted copies: nothing here fuses into one kernel, everything is kept. */
static saros_status build_segment(saros_graph *body, const saros_value *in, void *user,
                                  saros_value *out) {
    saros_value y = in[0];
    (void)body;
    (void)user;
    for (int k = 0; k < DEPTH; ++k) y = saros_sin(saros_mul(y, saros_cumsum(y, 0, k % 2)));
    out[0] = y;
    return SAROS_OK;
}

/** Most bytes held during the second of two calls for a gradient through the segments. */
static int64_t peak_of(bool checkpointed, double *norm) {
    const saros_allocator allocator = {peak_allocate, peak_release, NULL};
    saros_allocator_set(&allocator);
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){WIDTH});
    saros_value x = saros_input(g, &type, "x"), y = x, gradient;
    for (int k = 0; k < SEGMENTS; ++k) {
        saros_value in = y;
        if (checkpointed)
            saros_checkpoint(g, build_segment, NULL, 1, &in, 1, &y);
        else
            build_segment(g, &in, NULL, &y);
    }
    y = saros_sum(y, 1);
    saros_vjp(1, &y, NULL, 1, &x, &gradient);
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 1, &x, 1, &gradient, NULL, &f));
    run_state = 3;
    saros_tensor *at = run_tensor(&type, -1, 1);
    int64_t before = saros_memory_held();
    for (int k = 0; k < 2; ++k) {
        saros_tensor *out = NULL;
        peak = before;
        ck_ok(saros_function_call(f, &at, &out, NULL));
        *norm = run_norm(WIDTH, saros_tensor_const_data(out));
        saros_tensor_release(out);
    }
    saros_tensor_release(at);
    saros_function_release(f);
    saros_graph_release(g);
    saros_allocator_set(NULL);
    return peak - before;
}

START_TEST(memory_is_that_of_one_part_and_the_values_between) {
    double a, b;
    int64_t all = peak_of(false, &a), few = peak_of(true, &b), row = WIDTH * 8;
    ck_assert(a > 0 && fabs(a - b) <= 1e-12 * a);
    ck_assert_msg(few < all - (SEGMENTS - 3) * DEPTH * row,
                  "%.1f arrays with checkpoints, %.1f without", (double)few / (double)row,
                  (double)all / (double)row);
}
END_TEST

SAROS_TEST_MAIN("autodiff/checkpoint", every_word_is_that_of_the_function_itself,
                a_part_that_cannot_be_built_poisons, a_part_of_outer_values_alone_is_refused,
                a_part_is_computed_once_more_in_the_reverse_sweep,
                memory_is_that_of_one_part_and_the_values_between)
