/** Regions: loops (run-time n, every, reverse, inputs, kept rows, contained in
 * others), conds, calls. */
#include "engine_rows.h"

#include <string.h>

static saros_function *compile(saros_graph *g, int inputs, const saros_value *input, int outputs,
                               const saros_value *output) {
    saros_function *f = NULL;
    saros_status status = saros_compile(g, inputs, input, outputs, output, NULL, &f);
    ck_assert_msg(status == SAROS_OK, "%s: %s", saros_error_last()->where,
                  saros_error_last()->message);
    return f;
}

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

static saros_status doubling(saros_graph *body, saros_value index, const saros_value *carry,
                             const saros_value *input, void *user, saros_value *next,
                             saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = unary(&row_counted, saros_add(carry[0], carry[0]));
    return SAROS_OK;
}

/** A loop of `doubling` over x. */
static saros_value double_n_times(saros_graph *g, saros_value n, int64_t bound, saros_value x) {
    saros_value out;
    saros_loop(
        g, &(saros_loop_spec){.n = n, .bound = bound, .carries = 1, .carry = &x, .build = doubling},
        &out, NULL);
    return out;
}

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

/** Body of `doubling` that also gives its carry: what reverse mode keeps. */
static saros_body *keeping_body(saros_graph *g) {
    saros_graph *inner = saros_body_open(g);
    saros_value index = input_of(inner, SAROS_I64, 0, NULL, "index");
    saros_value x = input_of(inner, SAROS_F64, 0, NULL, "x"), out[2] = {SAROS_NONE, x};
    ck_ok(doubling(inner, index, &x, NULL, NULL, out, NULL));
    saros_body *body = NULL;
    ck_ok(saros_body_close(inner, 2, out, &body, NULL));
    return body;
}

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

/** The loop `r` of `doubling` from x, keeping its carries. */
static void append_keeping(saros_graph *g, saros_value r, saros_value n, saros_value x,
                           saros_value *out) {
    saros_body *body = keeping_body(g);
    saros_loop_append(g,
                      &(saros_loop_parts){.body = body,
                                          .n = n,
                                          .bound = 6,
                                          .every = 1,
                                          .carries = 1,
                                          .carry = &x,
                                          .stacked = 1,
                                          .contains = r},
                      out);
    saros_body_release(body);
}

START_TEST(a_loop_that_keeps_more_replaces_the_original) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), n = saros_scalar(g, SAROS_I64, 5);
    saros_value r = double_n_times(g, n, 6, x), used = saros_add(r, x), more[2];
    append_keeping(g, r, n, x, more);
    ck_ok(saros_graph_status(g));
    saros_value out_values[] = {used, r, more[1], more[0]};
    saros_function *f = compile(g, 1, &x, 4, out_values);
    saros_tensor *in = scalar_of(SAROS_F64, 3), *out[4] = {NULL};
    atomic_store(&evaluated, 0);
    ck_ok(saros_function_call(f, &in, out, NULL));
    ck_assert_int_eq(atomic_load(&evaluated), 5);
    ck_assert_double_eq(item(out[0]), 3 * 32 + 3);
    ck_assert_double_eq(item(out[1]), 3 * 32);
    ck_assert_double_eq(item(out[3]), 3 * 32);
    for (int k = 0; k < 5; ++k) ck_assert_double_eq(at(out[2], k), 3 * (1 << k));
    ck_assert_double_eq(at(out[2], 5), 0);
    for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
    saros_function_release(f);
    f = compile(g, 1, &x, 1, &used); /* alone, the original runs */
    ck_ok(saros_function_call(f, &in, (saros_tensor *[]){in}, NULL));
    ck_assert_int_eq(atomic_load(&evaluated), 10);
    saros_tensor_release(in);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/** doubling(x) and a product with it: the tangent of a loop, by hand. */
static saros_body *tangent_body(saros_graph *g) {
    saros_graph *inner = saros_body_open(g);
    saros_value index = input_of(inner, SAROS_I64, 0, NULL, "index");
    saros_value in[2], out[2];
    for (int k = 0; k < 2; ++k) in[k] = input_of(inner, SAROS_F64, 0, NULL, "x");
    ck_ok(doubling(inner, index, in, NULL, NULL, out, NULL));
    out[1] = saros_add(in[1], in[1]);
    saros_body *body = NULL;
    ck_ok(saros_body_close(inner, 2, out, &body, NULL));
    return body;
}

/** The larger loop is fed by what is built after the first use of the smaller one; if that again
 * hangs on the smaller one, both run. */
START_TEST(a_loop_with_more_carries_replaces_the_original_unless_it_is_fed_by_it) {
    for (int fed = 0; fed < 2; ++fed) {
        saros_graph *g = new_graph();
        saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), n = saros_scalar(g, SAROS_I64, 5);
        saros_value r = double_n_times(g, n, 6, x), used = saros_mul(r, r), both[2];
        saros_value v = saros_mul(fed ? used : x, saros_scalar(g, SAROS_F64, 7));
        saros_body *body = tangent_body(g);
        saros_loop_append(g,
                          &(saros_loop_parts){.body = body,
                                              .n = n,
                                              .bound = 6,
                                              .every = 1,
                                              .carries = 2,
                                              .carry = (saros_value[]){x, v},
                                              .contains = r},
                          both);
        saros_body_release(body);
        saros_value out_values[] = {used, both[1], both[0]};
        saros_function *f = compile(g, 1, &x, 3, out_values);
        saros_tensor *in = scalar_of(SAROS_F64, 3), *out[3] = {NULL};
        atomic_store(&evaluated, 0);
        ck_ok(saros_function_call(f, &in, out, NULL));
        ck_assert_int_eq(atomic_load(&evaluated), fed ? 10 : 5);
        ck_assert_double_eq(item(out[0]), 96 * 96);
        ck_assert_double_eq(item(out[1]), 7 * 32 * (fed ? 96.0 * 96 : 3));
        ck_assert_double_eq(item(out[2]), 96);
        for (int k = 0; k < 3; ++k) saros_tensor_release(out[k]);
        saros_tensor_release(in);
        saros_function_release(f);
        saros_graph_release(g);
    }
}
END_TEST

/** Body p -> double_n_times(p) + states summed, so that inlining moves ids. */
START_TEST(inlining_keeps_a_loop_with_the_one_it_contains) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), *captures = NULL, out_value;
    saros_graph *inner = saros_body_open(g);
    saros_value p = input_of(inner, SAROS_F64, 0, NULL, "p"), more[2];
    saros_value n = saros_scalar(inner, SAROS_I64, 5), r = double_n_times(inner, n, 6, p);
    saros_body *whole = NULL;
    append_keeping(inner, r, n, p, more);
    saros_value sum = saros_add(saros_sum(more[1], 1), r);
    ck_ok(saros_body_close(inner, 1, &sum, &whole, &captures));
    for (int k = 0; k < 3; ++k) x = saros_add(x, x);
    saros_inline(g, whole, &x, &out_value);
    saros_value first = {g, 0};
    saros_function *f = compile(g, 1, &first, 1, &out_value);
    saros_tensor *in = scalar_of(SAROS_F64, 1), *out[1] = {NULL};
    atomic_store(&evaluated, 0);
    ck_ok(saros_function_call(f, &in, out, NULL));
    ck_assert_int_eq(atomic_load(&evaluated), 5);
    ck_assert_double_eq(item(out[0]), 8 * (31 + 32));
    saros_tensor_release(in);
    saros_tensor_release(out[0]);
    saros_release(captures);
    saros_body_release(whole);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/* ---- the communicator ---- */

static saros_status rank_evaluate(const saros_evaluation *e) {
    double *out = saros_tensor_data(e->out[0]);
    *out = e->communicator ? e->communicator->rank : -1;
    return SAROS_OK;
}
static const saros_primitive row_rank = {
    .name = "rank", .operands = 1, .outputs = 1, .type = like_first, .evaluate = rank_evaluate};

static saros_status add_rank(saros_graph *body, saros_value index, const saros_value *carry,
                             const saros_value *input, void *user, saros_value *next,
                             saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = saros_add(carry[0], unary(&row_rank, carry[0]));
    return SAROS_OK;
}

START_TEST(bodies_see_the_communicator_of_the_call) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), r;
    saros_value n = saros_scalar(g, SAROS_I64, 4);
    saros_loop_spec spec = {.n = n, .bound = 4, .carries = 1, .carry = &x, .build = add_rank};
    saros_loop(g, &spec, &r, NULL);
    saros_function *f = compile(g, 1, &x, 1, &r);
    saros_tensor *in = scalar_of(SAROS_F64, 1), *out[1] = {NULL};
    saros_communicator third = {.rank = 2, .ranks = 3};
    ck_ok(saros_function_call(f, &in, out, &(saros_call_options){.communicator = &third}));
    ck_assert_double_eq(item(out[0]), 1 + 4 * 2);
    ck_ok(saros_function_call(f, &in, out, NULL));
    ck_assert_double_eq(item(out[0]), 1 - 4);
    saros_tensor_release(in);
    saros_tensor_release(out[0]);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/* ---- cond ---- */

static saros_status then_branch(saros_graph *body, void *user, saros_value *out) {
    (void)body;
    const saros_value *x = user;
    out[0] = unary(&row_counted, saros_sin(x[0]));
    out[1] = x[1];
    return SAROS_OK;
}
static saros_status else_branch(saros_graph *body, void *user, saros_value *out) {
    const saros_value *x = user;
    saros_value inside = saros_build(body, &row_failing, NULL, 1, &x[0]);
    out[0] = inside;
    out[1] = saros_mul(inside, x[1]);
    return SAROS_OK;
}
static saros_status one_output(saros_graph *body, void *user, saros_value *out) {
    (void)body;
    out[0] = out[1] = saros_cast(*(const saros_value *)user, SAROS_F32);
    return SAROS_OK;
}

START_TEST(only_the_chosen_branch_runs) {
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_BOOL, 0, NULL, "mask"),
                        input_of(g, SAROS_F64, 0, NULL, "x"), input_of(g, SAROS_F64, 0, NULL, "y")};
    saros_value out_values[2];
    saros_cond(in[0], then_branch, &in[1], else_branch, &in[1], 2, out_values);
    saros_function *f = compile(g, 3, in, 2, out_values);
    saros_tensor *args[] = {scalar_of(SAROS_BOOL, 1), scalar_of(SAROS_F64, 2),
                            scalar_of(SAROS_F64, 7)};
    saros_tensor *out[2] = {NULL, NULL};
    ck_ok(saros_function_call(f, args, out, NULL));
    ck_assert_double_eq(item(out[0]), sin(2));
    ck_assert_double_eq(item(out[1]), 7);
    saros_tensor_release(out[0]);
    saros_tensor_release(out[1]);
    out[0] = out[1] = NULL;
    saros_tensor_release(args[0]);
    args[0] = scalar_of(SAROS_BOOL, 0);
    ck_fails(saros_function_call(f, args, out, NULL), SAROS_ERR_DIVERGED);
    for (int k = 0; k < 3; ++k) saros_tensor_release(args[k]);
    saros_function_release(f);
    saros_cond(in[0], then_branch, &in[1], one_output, &in[1], 2, out_values);
    ck_assert(saros_is_poisoned(out_values[0]));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
}
END_TEST

/* ---- call: y = [a*b, a] with numeric derivatives ---- */

static int calls_released;

static saros_status product_type(void *user, int ins, const saros_type *in, int outs,
                                 saros_type *out) {
    (void)user, (void)ins;
    for (int k = 0; k < outs; ++k) out[k] = in[0];
    return SAROS_OK;
}
static double *data_of(saros_tensor *tensor) {
    return saros_tensor_data(tensor);
}
static saros_status product(void *user, int ins, saros_tensor *const *in, int outs,
                            saros_tensor **out) {
    (void)ins, (void)outs;
    double scale = *(double *)user;
    for (int64_t i = 0; i < saros_tensor_count(out[0]); ++i) {
        data_of(out[0])[i] = scale * data_of(in[0])[i] * data_of(in[1])[i];
        data_of(out[1])[i] = data_of(in[0])[i];
    }
    return SAROS_OK;
}
static saros_status product_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **out) {
    ck_assert_int_eq(ins, 2);
    ck_assert_int_eq(outs, 2);
    double scale = *(double *)user;
    for (int64_t i = 0; i < saros_tensor_count(out[0]); ++i) {
        double a = data_of(in[0])[i], b = data_of(in[1])[i];
        double da = data_of(in[2])[i], db = data_of(in[3])[i];
        data_of(out[0])[i] = scale * (da * b + a * db);
        data_of(out[1])[i] = da;
    }
    return SAROS_OK;
}
static saros_status product_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **gradient) {
    ck_assert_int_eq(ins, 2);
    ck_assert_int_eq(outs, 2);
    double scale = *(double *)user;
    for (int64_t i = 0; i < saros_tensor_count(gradient[0]); ++i) {
        double a = data_of(in[0])[i], b = data_of(in[1])[i];
        double p = data_of(in[2])[i], q = data_of(in[3])[i];
        data_of(gradient[0])[i] = scale * p * b + q;
        data_of(gradient[1])[i] = scale * p * a;
    }
    return SAROS_OK;
}
static void product_release(void *user) {
    (void)user;
    ++calls_released;
}
static const saros_call_class product_class = {.name = "product",
                                               .pure = true,
                                               .type = product_type,
                                               .apply = product,
                                               .apply_jvp = product_jvp,
                                               .apply_vjp = product_vjp,
                                               .release = product_release};
static const saros_call_class plain_class = {
    .name = "plain", .type = product_type, .apply = product, .release = product_release};

/** The rule record of a node, as differentiation makes it. */
static saros_rule rule_of(saros_value first, saros_value *in, const saros_value *out) {
    saros_node node = saros_graph_node(first.graph, first.id, NULL);
    for (int k = 0; k < node.operands; ++k) in[k] = (saros_value){first.graph, node.operand[k]};
    return (saros_rule){first.graph, node.row, node.attributes, node.operands, node.outputs,
                        in,          out};
}

START_TEST(numeric_calls_compute_and_differentiate_once) {
    double scale = 3;
    int64_t n = 2;
    calls_released = 0;
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_F64, 1, &n, "a"), input_of(g, SAROS_F64, 1, &n, "b")};
    saros_value y[2], operand[4], tangent[2] = {SAROS_NONE, in[0]}, dy[2], gradient[2], second[2];
    saros_call(g, &product_class, &scale, 2, in, 2, y);
    saros_rule rule = rule_of(y[0], operand, y);
    rule.row->jvp(&rule, tangent, dy);
    saros_value cotangent[2] = {in[1], SAROS_NONE};
    bool wanted[4] = {true, true, true, true};
    rule.row->vjp(&rule, cotangent, wanted, gradient);
    saros_value out_values[] = {y[0], dy[0], dy[1], gradient[0], gradient[1]};
    saros_function *f = compile(g, 2, in, 5, out_values);
    saros_tensor *args[] = {vector_of(n, (double[]){2, 3}), vector_of(n, (double[]){5, 7})};
    saros_tensor *out[5] = {NULL};
    ck_ok(saros_function_call(f, args, out, NULL));
    ck_assert_double_eq(at(out[0], 1), 3 * 3 * 7);
    ck_assert_double_eq(at(out[1], 1), 3 * 3 * 3);
    ck_assert_double_eq(at(out[2], 1), 0);
    ck_assert_double_eq(at(out[3], 1), 3 * 7 * 7);
    ck_assert_double_eq(at(out[4], 1), 3 * 7 * 3);
    saros_rule again = rule_of(dy[0], operand, dy);
    again.row->jvp(&again, (saros_value[]){in[0], in[0], in[0], in[0]}, second);
    ck_assert(saros_is_poisoned(second[0]));
    ck_fails(saros_graph_status(g), SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "'product'"));
    for (int k = 0; k < 5; ++k) saros_tensor_release(out[k]);
    for (int k = 0; k < 2; ++k) saros_tensor_release(args[k]);
    saros_graph_release(g);
    ck_assert_int_eq(calls_released, 0);
    saros_function_release(f);
    ck_assert_int_eq(calls_released, 1);
}
END_TEST

START_TEST(impure_calls_never_merge_and_missing_derivatives_are_named) {
    double scale = 1;
    calls_released = 0;
    saros_graph *g = new_graph();
    saros_value in[] = {input_of(g, SAROS_F64, 0, NULL, "a"), input_of(g, SAROS_F64, 0, NULL, "b")};
    saros_value y[2], z[2], operand[2], dy[2];
    saros_call(g, &plain_class, &scale, 2, in, 2, y);
    saros_call(g, &plain_class, &scale, 2, in, 2, z);
    ck_assert(!saros_same(y[0], z[0]));
    saros_rule rule = rule_of(y[0], operand, y);
    rule.row->jvp(&rule, in, dy);
    ck_fails(saros_graph_status(g), SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "'plain' has no forward"));
    saros_graph_release(g);
    ck_assert_int_eq(calls_released, 2);
}
END_TEST

/* ---- failing allocations ---- */

static saros_status loop_cond_and_call(void) {
    static double scale = 2;
    saros_status status = SAROS_OK;
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_tensor *args[3] = {NULL}, *out[3] = {NULL};
    SAROS_TRY(saros_graph_make(&g));
    saros_type mask = saros_type_scalar(SAROS_BOOL), real = saros_type_scalar(SAROS_F64);
    saros_value in[] = {saros_input(g, &mask, "mask"), saros_input(g, &real, "x"),
                        saros_input(g, &real, "y")};
    saros_value r[3], y[2];
    r[0] = double_n_times(g, saros_scalar(g, SAROS_I64, 3), 4, in[1]);
    saros_cond(in[0], then_branch, &in[1], else_branch, &in[1], 2, y);
    r[1] = y[0];
    saros_call(g, &product_class, &scale, 2, &in[1], 2, y);
    r[2] = y[0];
    SAROS_TRY(saros_graph_status(g));
    SAROS_TRY(saros_compile(g, 3, in, 3, r, NULL, &f));
    for (int k = 0; k < 3; ++k)
        SAROS_TRY(saros_tensor_scalar(k ? SAROS_F64 : SAROS_BOOL, 1, &args[k]));
    SAROS_TRY(saros_function_call(f, args, out, NULL));
done:
    for (int k = 0; k < 3; ++k) {
        saros_tensor_release(args[k]);
        saros_tensor_release(out[k]);
    }
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}

START_TEST(each_allocation_of_regions_may_fail) {
    ck_assert_int_gt(fail_each_allocation(loop_cond_and_call), 60);
}
END_TEST

SAROS_TEST_MAIN(
    "core/region", loops_agree_with_steps_by_hand, n_beyond_the_bound_is_a_domain_error,
    equal_loops_merge_and_unequal_ones_do_not, loops_nest_and_capture_through,
    errors_of_a_body_reach_the_graph_and_the_call, a_loop_ends_early_where_carry_0_says_so,
    a_loop_that_ends_early_needs_a_mask_to_go_on, a_loop_that_keeps_more_replaces_the_original,
    a_loop_with_more_carries_replaces_the_original_unless_it_is_fed_by_it,
    inlining_keeps_a_loop_with_the_one_it_contains, bodies_see_the_communicator_of_the_call,
    only_the_chosen_branch_runs, numeric_calls_compute_and_differentiate_once,
    impure_calls_never_merge_and_missing_derivatives_are_named, each_allocation_of_regions_may_fail)
