/** Loops: run-time n, every, reverse, inputs, kept rows, contained in others, ending early. */
#include "region_examples.h"

#include <string.h>

/* ---- loop ---- */

/** u, v -> u*a + index + input, u; keeps u*v and index (a: captured). */
static saros_status two_carries(saros_graph *body, saros_value index, const saros_value *carry,
                                const saros_value *input, void *user, saros_value *next,
                                saros_value *kept) {
    (void)body;
    saros_value a = *(saros_value *)user, i = saros_cast(index, SAROS_F64);
    next[0] = saros_add(saros_add(saros_mul(carry[0], a), i), input[0]);
    next[1] = carry[0];
    kept[0] = saros_mul(carry[0], carry[1]);
    kept[1] = index;
    return SAROS_OK;
}

/** The same loop by hand. */
static void by_hand(int n, int bound, int every, bool reverse, double a, const double *input,
                    double u, double v, double *final, double *kept, double *indices) {
    memset(kept, 0, (size_t)bound * sizeof *kept);
    memset(indices, 0, (size_t)bound * sizeof *indices);
    for (int j = 0; j < n; ++j) {
        int i = reverse ? n - 1 - j : j;
        if ((i + 1) % every == 0) {
            kept[(i + 1) / every - 1] = u * v;
            indices[(i + 1) / every - 1] = i;
        }
        double next = u * a + i + input[i];
        v = u;
        u = next;
    }
    final[0] = u;
    final[1] = v;
}

static void check_loop(int n, int every, bool reverse) {
    enum { BOUND = 7 };
    int64_t bound = BOUND;
    saros_graph *g = new_graph();
    saros_value in[5] = {input_of(g, SAROS_I64, 0, NULL, "n"), input_of(g, SAROS_F64, 0, NULL, "u"),
                         input_of(g, SAROS_F64, 0, NULL, "v"), input_of(g, SAROS_F64, 0, NULL, "a"),
                         input_of(g, SAROS_F64, 1, &bound, "force")};
    saros_value out_values[4];
    saros_loop(g,
               &(saros_loop_spec){.n = in[0],
                                  .bound = BOUND,
                                  .carries = 2,
                                  .carry = &in[1],
                                  .inputs = 1,
                                  .input = &in[4],
                                  .kept = 2,
                                  .every = every,
                                  .reverse = reverse,
                                  .build = two_carries,
                                  .user = &in[3]},
               out_values, out_values + 2);
    saros_function *f = compile(g, 5, in, 4, out_values);
    double force[BOUND] = {0.5, -1, 2, 0.25, 3, -2, 1}, final[2], kept[BOUND], index[BOUND];
    saros_tensor *args[] = {scalar_of(SAROS_I64, n), scalar_of(SAROS_F64, 1.5),
                            scalar_of(SAROS_F64, 2), scalar_of(SAROS_F64, 0.75),
                            vector_of(BOUND, force)};
    saros_tensor *out[4] = {NULL};
    ck_ok(saros_function_call(f, args, out, NULL));
    by_hand(n, BOUND, every, reverse, 0.75, force, 1.5, 2, final, kept, index);
    ck_assert_double_eq(item(out[0]), final[0]);
    ck_assert_double_eq(item(out[1]), final[1]);
    ck_assert_int_eq(saros_tensor_count(out[2]), BOUND / every);
    ck_assert_int_eq(saros_tensor_dtype(out[3]), SAROS_I64);
    for (int k = 0; k < BOUND / every; ++k) {
        ck_assert_double_eq(at(out[2], k), kept[k]);
        ck_assert_double_eq(at(out[3], k), index[k]);
    }
    for (int k = 0; k < 5; ++k) saros_tensor_release(args[k]);
    for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
    saros_function_release(f);
    saros_graph_release(g);
}

START_TEST(loops_agree_with_steps_by_hand) {
    for (int n = 0; n <= 7; ++n)
        for (int every = 1; every <= 3; ++every)
            for (int reverse = 0; reverse < 2; ++reverse) check_loop(n, every, reverse != 0);
}
END_TEST

START_TEST(n_beyond_the_bound_is_a_domain_error) {
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_I64, 0, NULL, "n"), input_of(g, SAROS_F64, 0, NULL, "x")};
    saros_value r = double_n_times(g, in[0], 10, in[1]);
    saros_function *f = compile(g, 2, in, 1, &r);
    saros_tensor *args[] = {scalar_of(SAROS_I64, 11), scalar_of(SAROS_F64, 1)}, *out[1] = {NULL};
    ck_fails(saros_function_call(f, args, out, NULL), SAROS_ERR_DOMAIN);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "11"));
    saros_tensor_release(args[0]);
    args[0] = scalar_of(SAROS_I64, -1);
    ck_fails(saros_function_call(f, args, out, NULL), SAROS_ERR_DOMAIN);
    saros_tensor_release(args[0]);
    args[0] = scalar_of(SAROS_I64, 10);
    ck_ok(saros_function_call(f, args, out, NULL));
    ck_assert_double_eq(item(out[0]), 1024);
    saros_tensor_release(args[0]);
    saros_tensor_release(args[1]);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

START_TEST(equal_loops_merge_and_unequal_ones_do_not) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), n = saros_scalar(g, SAROS_I64, 3);
    saros_value a = double_n_times(g, n, 5, x);
    ck_assert(saros_same(a, double_n_times(g, n, 5, x)));
    ck_assert(!saros_same(a, double_n_times(g, n, 6, x)));
    ck_assert(!saros_same(a, double_n_times(g, n, 5, a)));
    saros_graph_release(g);
}
END_TEST

static saros_status nested(saros_graph *body, saros_value index, const saros_value *carry,
                           const saros_value *input, void *user, saros_value *next,
                           saros_value *kept) {
    (void)input, (void)kept;
    next[0] = double_n_times(body, index, 4, saros_add(carry[0], *(saros_value *)user));
    return SAROS_OK;
}

START_TEST(loops_nest_and_capture_through) {
    saros_graph *g = new_graph();
    saros_value x[] = {input_of(g, SAROS_F64, 0, NULL, "x"), input_of(g, SAROS_F64, 0, NULL, "a")};
    saros_value r;
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, 4),
                                  .bound = 4,
                                  .carries = 1,
                                  .carry = x,
                                  .build = nested,
                                  .user = &x[1]},
               &r, NULL);
    saros_function *f = compile(g, 2, x, 1, &r);
    saros_tensor *args[] = {scalar_of(SAROS_F64, 3), scalar_of(SAROS_F64, 0.5)}, *out[1] = {NULL};
    ck_ok(saros_function_call(f, args, out, NULL));
    double u = 3;
    for (int i = 0; i < 4; ++i) u = (u + 0.5) * (1 << i);
    ck_assert_double_eq(item(out[0]), u);
    saros_tensor_release(args[0]);
    saros_tensor_release(args[1]);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

static saros_status growing(saros_graph *body, saros_value index, const saros_value *carry,
                            const saros_value *input, void *user, saros_value *next,
                            saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = saros_concat(2, (saros_value[]){carry[0], carry[0]}, 0);
    return SAROS_OK;
}
static saros_status giving_up(saros_graph *body, saros_value index, const saros_value *carry,
                              const saros_value *input, void *user, saros_value *next,
                              saros_value *kept) {
    (void)body, (void)index, (void)carry, (void)input, (void)user, (void)next, (void)kept;
    return saros_fail(SAROS_ERR_USAGE, "callback", NULL, "gave up");
}
static saros_status diverging(saros_graph *body, saros_value index, const saros_value *carry,
                              const saros_value *input, void *user, saros_value *next,
                              saros_value *kept) {
    (void)index, (void)input, (void)user, (void)kept;
    saros_graph_locate(body, "step.lua", 5);
    next[0] = unary(&row_failing, carry[0]);
    return SAROS_OK;
}

START_TEST(errors_of_a_body_reach_the_graph_and_the_call) {
    int64_t held = saros_memory_held();
    const saros_loop_fn builds[] = {growing, giving_up};
    const saros_status wanted[] = {SAROS_ERR_SHAPE, SAROS_ERR_USAGE};
    for (int k = 0; k < 2; ++k) {
        saros_graph *g = new_graph();
        saros_value x = input_of(g, SAROS_F64, 1, (int64_t[]){2}, "x"), r;
        saros_value n = saros_scalar(g, SAROS_I64, 3);
        saros_loop_spec spec = {.n = n, .bound = 3, .carries = 1, .carry = &x, .build = builds[k]};
        saros_loop(g, &spec, &r, NULL);
        ck_assert(saros_is_poisoned(r));
        ck_fails(saros_graph_status(g), wanted[k]);
        saros_graph_release(g);
    }
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), r;
    saros_value n = saros_scalar(g, SAROS_I64, 3);
    saros_loop_spec spec = {.n = n, .bound = 3, .carries = 1, .carry = &x, .build = diverging};
    saros_loop(g, &spec, &r, NULL);
    saros_function *f = compile(g, 1, &x, 1, &r);
    saros_tensor *in = scalar_of(SAROS_F64, 1), *out[1] = {NULL};
    ck_fails(saros_function_call(f, &in, out, NULL), SAROS_ERR_DIVERGED);
    ck_assert_str_eq(saros_error_last()->file, "step.lua");
    ck_assert_ptr_nonnull(strstr(saros_error_last()->trace, "iteration 0 of 3"));
    saros_tensor_release(in);
    saros_function_release(f);
    saros_graph_release(g);
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST
/** Doubles while below the limit (captured). */
static saros_status double_below(saros_graph *body, saros_value index, const saros_value *carry,
                                 const saros_value *input, void *user, saros_value *next,
                                 saros_value *kept) {
    next[0] = SAROS_NONE;
    saros_status status = doubling(body, index, carry + 1, input, NULL, next + 1, NULL);
    next[0] = saros_lt(next[1], *(saros_value *)user);
    kept[0] = carry[1];
    return status;
}

START_TEST(a_loop_ends_early_where_carry_0_says_so) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), stacked;
    saros_value limit = input_of(g, SAROS_F64, 0, NULL, "limit");
    saros_value carry[2] = {saros_lt(x, limit), x}, end[2];
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, 9),
                                  .bound = 9,
                                  .carries = 2,
                                  .carry = carry,
                                  .kept = 1,
                                  .early = true,
                                  .build = double_below,
                                  .user = &limit},
               end, &stacked);
    saros_value in_values[2] = {x, limit}, out_values[2] = {end[1], stacked};
    saros_function *f = compile(g, 2, in_values, 2, out_values);
    const double limits[] = {0.5, 2, 3, 100, 1e9};
    const int steps[] = {0, 1, 2, 7, 9};
    for (int c = 0; c < 5; ++c) {
        saros_tensor *in[2] = {scalar_of(SAROS_F64, 1), scalar_of(SAROS_F64, limits[c])};
        saros_tensor *out[2] = {NULL};
        atomic_store(&evaluated, 0);
        ck_ok(saros_function_call(f, in, out, NULL));
        ck_assert_int_eq(atomic_load(&evaluated), steps[c]);
        ck_assert_double_eq(item(out[0]), 1 << steps[c]);
        for (int k = 0; k < 9; ++k) ck_assert_double_eq(at(out[1], k), k < steps[c] ? 1 << k : 0);
        for (int k = 0; k < 2; ++k) {
            saros_tensor_release(in[k]);
            saros_tensor_release(out[k]);
        }
    }
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

START_TEST(a_loop_that_ends_early_needs_a_mask_to_go_on) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), end;
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, 9),
                                  .bound = 9,
                                  .carries = 1,
                                  .carry = &x,
                                  .early = true,
                                  .build = doubling},
               &end, NULL);
    ck_assert_int_eq(saros_graph_status(g), SAROS_ERR_TYPE);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("core/region", loops_agree_with_steps_by_hand, n_beyond_the_bound_is_a_domain_error,
                equal_loops_merge_and_unequal_ones_do_not, loops_nest_and_capture_through,
                errors_of_a_body_reach_the_graph_and_the_call,
                a_loop_ends_early_where_carry_0_says_so,
                a_loop_that_ends_early_needs_a_mask_to_go_on)
