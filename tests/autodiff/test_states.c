/** Gradients of loops in bounded memory: equal in every bit to those with all states kept, at the
 * binomial number of iterations, in flat memory. */
#include "autodiff/graph_run.h"

enum { WIDTH = 512 };

/* ---- x -> sin(p x) + w_i, as foreign code that counts its calls ---- */

static int64_t calls;

static saros_status count_type(void *user, int ins, const saros_type *in, int outs,
                               saros_type *out) {
    (void)user, (void)ins, (void)outs;
    out[0] = in[0];
    return SAROS_OK;
}

static saros_status count_apply(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **out) {
    (void)user, (void)ins, (void)outs;
    size_t bytes = (size_t)saros_tensor_count(in[0]) * sizeof(double);
    memcpy(saros_tensor_data(out[0]), saros_tensor_const_data(in[0]), bytes);
    ++calls;
    return SAROS_OK;
}

static saros_status count_vjp(void *user, saros_graph *graph, int ins, const saros_value *in,
                              const saros_value *out, const saros_value *cotangent,
                              saros_value *gradient) {
    (void)user, (void)graph, (void)ins, (void)in, (void)out;
    gradient[0] = cotangent[0];
    return SAROS_OK;
}

static const saros_call_class counted = {.name = "counted",
                                         .pure = true,
                                         .type = count_type,
                                         .apply = count_apply,
                                         .build_vjp = count_vjp};

typedef struct setting {
    saros_value p;
    bool count;
} setting;

static saros_status body_of(saros_graph *body, saros_value index, const saros_value *carry,
                            const saros_value *input, void *user, saros_value *next,
                            saros_value *kept) {
    const setting *s = user;
    saros_value x = carry[0], i = saros_cast(index, SAROS_F64);
    next[1] = saros_add(carry[1], saros_mul(carry[0], carry[1]));
    next[1] = saros_mul(saros_cos(next[1]), saros_like(x, 0.5));
    next[0] = saros_add(saros_sin(saros_mul(x, s->p)), saros_mul(input[0], saros_cos(i)));
    if (s->count) saros_call(body, &counted, NULL, 1, &next[0], 1, &next[0]);
    kept[0] = saros_mul(next[0], carry[1]);
    return SAROS_OK;
}

/** Inputs x, y (WIDTH), p, w (bound, WIDTH), n; outputs: the gradients by the first four. */
typedef struct problem {
    saros_graph *graph;
    saros_value in[5];
    saros_tensor *at[5];
    saros_function *gradient;
    int sweeps; /* in bounded memory */
} problem;

static const char *setting_folder = ".";

static problem problem_open(int64_t bound, int64_t n, int64_t states, int64_t disk, bool reverse,
                            bool count) {
    problem q = {0};
    const int64_t shape[2] = {bound, WIDTH};
    const saros_type vector = saros_type_make(SAROS_F64, 1, shape + 1);
    const saros_type type[4] = {vector, vector, saros_type_scalar(SAROS_F64),
                                saros_type_make(SAROS_F64, 2, shape)};
    const saros_type number = saros_type_scalar(SAROS_I64);
    ck_ok(saros_graph_make(&q.graph));
    run_state = 11;
    for (int k = 0; k < 4; ++k) {
        q.in[k] = saros_input(q.graph, &type[k], NULL);
        q.at[k] = run_tensor(&type[k], 0.3, 0.9);
    }
    q.in[4] = saros_input(q.graph, &number, "n");
    ck_ok(saros_tensor_scalar(SAROS_I64, (double)n, &q.at[4]));
    setting s = {q.in[2], count};
    saros_loop_spec spec = {.n = q.in[4],
                            .bound = bound,
                            .carries = 2,
                            .carry = q.in,
                            .inputs = 1,
                            .input = &q.in[3],
                            .kept = 1,
                            .every = 4,
                            .reverse = reverse,
                            .states = states,
                            .disk = disk,
                            .folder = disk ? setting_folder : NULL,
                            .build = body_of,
                            .user = &s};
    saros_value end[2], stacked, sum, gradient[4];
    saros_loop(q.graph, &spec, end, &stacked);
    sum = saros_sum(saros_add(saros_mul(end[0], end[1]), saros_sum(stacked, 1)), 1);
    saros_vjp(1, &sum, NULL, 4, q.in, gradient);
    q.sweeps = run_count(&saros_row_loop_reverse, 4, gradient);
    if (states) ck_assert_int_eq(q.sweeps, states < bound);
    ck_ok(saros_compile(q.graph, 5, q.in, 4, gradient, NULL, &q.gradient));
    return q;
}

static void problem_run(problem *q, saros_tensor **out) {
    for (int k = 0; k < 4; ++k) out[k] = NULL;
    ck_ok(saros_function_call(q->gradient, q->at, out, NULL));
}

static void problem_close(problem *q) {
    saros_function_release(q->gradient);
    for (int k = 0; k < 5; ++k) saros_tensor_release(q->at[k]);
    saros_graph_release(q->graph);
}

START_TEST(gradients_are_equal_in_every_bit) {
    const int64_t steps[] = {0, 1, 2, 7, 30, 33};
    for (size_t c = 0; c < sizeof steps / sizeof *steps; ++c)
        for (int64_t states = 1; states <= 40; states = states * 2 + (states < 4)) {
            bool reverse = states & 1;
            int64_t disk = states % 3 ? 0 : 2 * states;
            problem all = problem_open(33, steps[c], 0, 0, reverse, false);
            problem few = problem_open(33, steps[c], states, disk, reverse, false);
            saros_tensor *a[4], *b[4];
            problem_run(&all, a);
            problem_run(&few, b);
            for (int k = 0; k < 4; ++k) {
                size_t bytes = (size_t)saros_tensor_count(a[k]) * sizeof(double);
                ck_assert_msg(
                    !memcmp(saros_tensor_const_data(a[k]), saros_tensor_const_data(b[k]), bytes),
                    "gradient %d of %d steps differs with %d states", k, (int)steps[c],
                    (int)states);
                saros_tensor_release(a[k]);
                saros_tensor_release(b[k]);
            }
            problem_close(&all);
            problem_close(&few);
        }
}
END_TEST

static double choose(int64_t n, int64_t k) {
    double value = 1;
    for (int64_t j = 1; j <= k; ++j) value = value * (double)(n - k + j) / (double)j;
    return value;
}

/** Where the loop leaves the last of its states: the first sweep of the schedule, which need not be
 * run again, goes as far. */
static double last_left(int64_t n, int64_t states) {
    int64_t at = 0;
    for (; n - at > 1 && states > 1; --states) {
        int64_t r = 1;
        while (choose(states + r, states) < (double)(n - at)) ++r;
        double before = choose(states + r - 1, states);
        double behind = (double)(n - at) - choose(states + r - 2, states - 1);
        at += (int64_t)(before < behind ? before : behind);
    }
    return (double)at;
}

/** Iterations run again are r n - C(s+r, r-1), less those that the loop itself has run. */
START_TEST(iterations_are_the_binomial_number) {
    for (int64_t states = 1; states <= 12; ++states)
        for (int64_t n = 14; n <= 90; n += 19) {
            problem q = problem_open(90, n, (states + 1) / 2, states / 2, false, true);
            saros_tensor *out[4];
            problem_run(&q, out);
            calls = 0;
            for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
            problem_run(&q, out);
            for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
            int64_t r = 1;
            while (choose(states + r, states) < (double)n) ++r;
            double wanted = (double)(r * n) - choose(states + r, r - 1);
            wanted += 2 * (double)n - last_left(n, states); /* the loop, the transposed steps */
            ck_assert_msg((double)calls == wanted, "%d states, %d steps: %d calls, wanted %g",
                          (int)states, (int)n, (int)calls, wanted);
            problem_close(&q);
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
    (void)bytes, (void)user;
    free(memory);
}

/** Most bytes held above those before the first call, and bytes held after `repeats` of them. */
static int64_t peak_of(int64_t states, int64_t disk, int repeats) {
    const saros_allocator allocator = {peak_allocate, peak_release, NULL};
    saros_allocator_set(&allocator);
    problem q = problem_open(400, 400, states, disk, false, false);
    int64_t before = saros_memory_held(), after = 0;
    peak = before;
    for (int k = 0; k < repeats; ++k) {
        saros_tensor *out[4];
        problem_run(&q, out);
        for (int m = 0; m < 4; ++m) saros_tensor_release(out[m]);
        if (k == 0) after = saros_memory_held();
        ck_assert_int_eq(saros_memory_held(), after);
    }
    int64_t most = peak - before;
    problem_close(&q);
    saros_allocator_set(NULL);
    return most;
}

START_TEST(states_that_do_not_fit_go_to_disk) {
    const int64_t state = 2 * WIDTH * (int64_t)sizeof(double);
    int64_t memory = peak_of(10, 0, 3), disk = peak_of(2, 40, 3);
    ck_assert_msg(memory - disk >= 5 * state, "%lld bytes for ten states, %lld for two and a file",
                  (long long)memory, (long long)disk);
    problem q = problem_open(90, 90, 2, 40, false, true);
    saros_tensor *out[4];
    problem_run(&q, out);
    calls = 0;
    for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
    problem_run(&q, out);
    for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
    ck_assert_msg(calls < 4 * 90, "%d calls", (int)calls); /* as with 42 states */
    problem_close(&q);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error) {
    saros_tensor *out[4] = {NULL};
    setting_folder = "no/such/folder";
    problem q = problem_open(33, 33, 2, 5, false, false);
    setting_folder = ".";
    ck_fails(saros_function_call(q.gradient, q.at, out, NULL), SAROS_ERR_IO);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "no/such/folder"));
    ck_assert_ptr_null(out[0]);
    problem_close(&q);
}
END_TEST

START_TEST(states_fill_half_of_the_free_memory) {
    ck_assert_int_gt(saros_memory_free(), 0);
    setenv("SAROS_MEMORY", "64K", 1); /* four states of 8 kB, of thirty-three */
    ck_assert_int_eq(saros_memory_free(), 64 << 10);
    problem few = problem_open(33, 33, 0, 0, false, false);
    unsetenv("SAROS_MEMORY");
    problem all = problem_open(33, 33, 0, 0, false, false);
    saros_tensor *a[4], *b[4];
    problem_run(&all, a);
    problem_run(&few, b);
    ck_assert_int_eq(few.sweeps, 1);
    ck_assert_int_eq(all.sweeps, 0);
    for (int k = 0; k < 4; ++k) {
        size_t bytes = (size_t)saros_tensor_count(a[k]) * sizeof(double);
        ck_assert(!memcmp(saros_tensor_const_data(a[k]), saros_tensor_const_data(b[k]), bytes));
        saros_tensor_release(a[k]);
        saros_tensor_release(b[k]);
    }
    problem_close(&all);
    problem_close(&few);
}
END_TEST

START_TEST(memory_is_that_of_the_states_and_flat_over_repeats) {
    const int64_t state = 2 * WIDTH * (int64_t)sizeof(double);
    int64_t all = peak_of(0, 0, 2), ten = peak_of(10, 0, 50), five = peak_of(5, 0, 50);
    ck_assert_msg(ten - five <= 5 * state + 1024, "%lld more bytes for five states of %lld",
                  (long long)(ten - five), (long long)state);
    ck_assert_msg(all - ten >= 380 * state, "%lld bytes with all states, %lld with ten",
                  (long long)all, (long long)ten);
}
END_TEST

SAROS_TEST_MAIN("autodiff/states", gradients_are_equal_in_every_bit,
                iterations_are_the_binomial_number, states_that_do_not_fit_go_to_disk,
                a_folder_that_is_not_there_is_an_error, states_fill_half_of_the_free_memory,
                memory_is_that_of_the_states_and_flat_over_repeats)
