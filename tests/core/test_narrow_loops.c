/** Numbers that meet arrays in loops, and sums of what iterations add up. */
#include "engine_rows.h"

#include <string.h>

enum { N = 50, STEPS = 6 };

typedef struct program {
    saros_value many; /* a number, repeated */
    bool read;        /* the sum so far is read too */
} program;

/* sum of y_i c + the window before it; y is turned round by one */
static saros_status add_up(saros_graph *body, saros_value index, const saros_value *carry,
                           const saros_value *input, void *user, saros_value *next,
                           saros_value *kept) {
    const program *p = user;
    const saros_value y = carry[0], part[] = {saros_slice(y, 0, N - 1, N, 1), y};
    const saros_value before = saros_slice(saros_concat(2, part, 0), 0, 0, N, 1);
    (void)body, (void)index, (void)input, (void)kept;
    next[0] = saros_add(before, saros_like(y, 1));
    next[1] = saros_add(saros_add(saros_mul(y, p->many), before), carry[1]);
    if (p->read) next[0] = saros_add(next[0], carry[1]);
    return SAROS_OK;
}

static saros_status build(bool read, bool other_use, saros_graph *g, saros_value *in,
                          saros_value *out) {
    const int64_t n = N;
    const saros_type type = saros_type_make(SAROS_F64, 1, &n), one = saros_type_scalar(SAROS_F64);
    in[0] = saros_input(g, &type, "y");
    in[1] = saros_input(g, &one, "c");
    program p = {saros_broadcast(in[1], 1, &n, NULL), read};
    saros_value end[2], start[2] = {in[0], saros_zeros_like(in[0])};
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, STEPS),
                                  .bound = STEPS,
                                  .carries = 2,
                                  .carry = start,
                                  .build = add_up,
                                  .user = &p},
               end, NULL);
    out[0] = saros_sum(end[1], 1);
    out[1] = other_use ? end[1] : end[0];
    return saros_graph_status(g);
}

static saros_function *compiled(bool read, bool other_use) {
    saros_graph *g = new_graph();
    saros_value in[2], out[2];
    saros_function *f = NULL;
    ck_ok(build(read, other_use, g, in, out));
    ck_ok(saros_compile(g, 2, in, 2, out, NULL, &f));
    saros_graph_release(g);
    return f;
}

/** The sum, and y and what was added up, all integers. */
static double by_hand(bool read, double c, double *y, double *all) {
    double sum = 0;
    for (int i = 0; i < N; ++i) all[i] = 0;
    for (int s = 0; s < STEPS; ++s) {
        double next[N], added[N];
        for (int i = 0; i < N; ++i) {
            const double before = y[(i + N - 1) % N];
            next[i] = before + 1 + (read ? all[i] : 0);
            added[i] = y[i] * c + before + all[i];
        }
        memcpy(y, next, sizeof next);
        memcpy(all, added, sizeof added);
    }
    for (int i = 0; i < N; ++i) sum += all[i];
    return sum;
}

static void check(bool read, bool other_use) {
    double y[N], all[N];
    for (int i = 0; i < N; ++i) y[i] = i * 7 % 19 - 9;
    saros_function *f = compiled(read, other_use);
    saros_tensor *in[] = {vector_of(N, y), scalar_of(SAROS_F64, 3)}, *out[2] = {NULL};
    ck_ok(saros_function_call(f, in, out, NULL));
    ck_assert_double_eq(item(out[0]), by_hand(read, 3, y, all));
    for (int i = 0; i < N; ++i) ck_assert_double_eq(at(out[1], i), other_use ? all[i] : y[i]);
    for (int k = 0; k < 2; ++k) {
        saros_tensor_release(in[k]);
        saros_tensor_release(out[k]);
    }
    saros_function_release(f);
}

START_TEST(sums_of_loops_agree_with_loops_by_hand) {
    for (int k = 0; k < 4; ++k) check(k & 1, k & 2);
}
END_TEST

START_TEST(what_is_summed_behind_the_loop_is_no_array_in_it) {
    static char text[20000];
    static const struct {
        bool read, other_use, inside;
    } cases[] = {{false, false, true}, {true, false, false}, {false, true, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        saros_function *f = compiled(cases[k].read, cases[k].other_use);
        ck_assert_uint_lt(saros_function_dump(f, text, sizeof text), sizeof text);
        const bool inside = strstr(text, "loop i64, f64[50], f64, f64 -> f64[50], f64\n") != NULL;
        ck_assert_msg(inside == cases[k].inside, "%s", text);
        saros_function_release(f);
    }
}
END_TEST

static saros_status compile_one(void) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_value in[2], out[2];
    saros_status status = saros_graph_make(&g);
    if (status != SAROS_OK) return status;
    status = build(false, false, g, in, out);
    if (status == SAROS_OK) status = saros_compile(g, 2, in, 2, out, NULL, &f);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}
START_TEST(each_allocation_may_fail) {
    ck_assert_int_gt(fail_each_allocation(compile_one), 30);
}
END_TEST

SAROS_TEST_MAIN("core/narrow_loops", sums_of_loops_agree_with_loops_by_hand,
                what_is_summed_behind_the_loop_is_no_array_in_it, each_allocation_may_fail)
