/** What loops compute once before they begin, and what stays in their bodies. */
#include "engine_rows.h"

enum { STEPS = 10 };

static saros_value looped(saros_graph *g, saros_loop_fn build, saros_value x, saros_value *user) {
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, STEPS),
                                  .bound = STEPS,
                                  .carries = 1,
                                  .carry = &x,
                                  .build = build,
                                  .user = user},
               &x, NULL);
    return x;
}

/** Runs f(x, y) on vectors of 3 and gives how often "counted" and "tick" were evaluated. */
static int count_runs(saros_loop_fn build, double *first) {
    int64_t n = 3;
    saros_graph *g = new_graph();
    saros_value in[2];
    for (int k = 0; k < 2; ++k) in[k] = input_of(g, SAROS_F64, 1, &n, "");
    saros_value r = looped(g, build, in[0], &in[1]);
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 2, in, 1, &r, NULL, &f));
    saros_tensor *args[] = {vector_of(3, (double[]){1, 2, 3}), vector_of(3, (double[]){4, 5, 6})};
    saros_tensor *out = NULL;
    atomic_store(&evaluated, 0);
    ck_ok(saros_function_call(f, args, &out, NULL));
    *first = at(out, 0);
    saros_tensor_release(out);
    saros_tensor_release(args[0]);
    saros_tensor_release(args[1]);
    saros_function_release(f);
    saros_graph_release(g);
    return atomic_load(&evaluated);
}

#define BODY(name)                                                                                 \
    static saros_status name(saros_graph *body, saros_value index, const saros_value *carry,       \
                             const saros_value *input, void *user, saros_value *next,              \
                             saros_value *kept)

/** The row on values of enclosing graphs, but in the body. */
static saros_value within(saros_graph *body, const saros_primitive *row, int n, saros_value x) {
    return saros_build(body, row, NULL, n, (saros_value[]){x, x});
}

BODY(add_invariant) {
    (void)index, (void)input, (void)kept;
    saros_value square = within(body, &saros_row_mul, 2, *(saros_value *)user);
    next[0] = saros_add(carry[0], within(body, &row_counted, 1, square));
    return SAROS_OK;
}
START_TEST(invariants_are_computed_once) {
    double first;
    ck_assert_int_eq(count_runs(add_invariant, &first), 1);
    ck_assert_double_eq(first, 1 + 16 * STEPS);
}
END_TEST

BODY(add_in_nested_loop) {
    (void)index, (void)input, (void)kept;
    next[0] = looped(body, add_invariant, carry[0], user);
    return SAROS_OK;
}
START_TEST(invariants_of_nested_loops_leave_both) {
    double first;
    ck_assert_int_eq(count_runs(add_in_nested_loop, &first), 1);
    ck_assert_double_eq(first, 1 + 16 * STEPS * STEPS);
}
END_TEST

BODY(add_variant) {
    (void)body, (void)input, (void)kept;
    saros_value y = *(saros_value *)user;
    next[0] = saros_add(carry[0], unary(&row_counted, saros_mul(y, saros_cast(index, SAROS_F64))));
    return SAROS_OK;
}
BODY(add_ordered) {
    (void)index, (void)input, (void)kept;
    next[0] = saros_add(carry[0], within(body, &row_tick, 1, *(saros_value *)user));
    return SAROS_OK;
}
START_TEST(what_varies_or_is_ordered_stays) {
    double first;
    ck_assert_int_eq(count_runs(add_variant, &first), STEPS);
    ck_assert_double_eq(first, 1 + 4.0 * STEPS * (STEPS - 1) / 2);
    ck_assert_int_eq(count_runs(add_ordered, &first), STEPS);
    ck_assert_double_eq(first, 1 + 4 * STEPS);
}
END_TEST

BODY(become_invariant) {
    (void)index, (void)input, (void)kept, (void)carry;
    next[0] = within(body, &row_counted, 1, *(saros_value *)user);
    return SAROS_OK;
}
START_TEST(a_next_value_may_be_invariant) {
    double first;
    ck_assert_int_eq(count_runs(become_invariant, &first), 1);
    ck_assert_double_eq(first, 4);
}
END_TEST

static saros_status compile_nested(void) {
    int64_t n = 3;
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_status status = saros_graph_make(&g);
    if (status != SAROS_OK) return status;
    saros_value in[2];
    for (int k = 0; k < 2; ++k) in[k] = input_of(g, SAROS_F64, 1, &n, "");
    saros_value r = looped(g, add_in_nested_loop, in[0], &in[1]);
    status = saros_compile(g, 2, in, 1, &r, NULL, &f);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}
START_TEST(each_allocation_may_fail) {
    ck_assert_int_gt(fail_each_allocation(compile_nested), 30);
}
END_TEST

SAROS_TEST_MAIN("core/hoist", invariants_are_computed_once, invariants_of_nested_loops_leave_both,
                what_varies_or_is_ordered_stays, a_next_value_may_be_invariant,
                each_allocation_may_fail)
