/** Results written over operands that are read for the last time: the memory that this takes, and
 * that no operand is spoilt which is still read. */
#include "engine_rows.h"

#include <string.h>

enum { N = 40000 };

static const saros_primitive row_apart = {
    .name = "apart", .operands = 1, .outputs = 1, .type = like_first, .evaluate = copy_first};

static saros_tensor *ramp(void) {
    int64_t n = N;
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &t));
    for (int k = 0; k < N; ++k) ((double *)saros_tensor_data(t))[k] = k;
    return t;
}

/** Compiles `r` of the input x, runs it on 0, 1, 2 … and gives the arrays that the function keeps
 * for itself. */
static double arrays_for(saros_graph *g, saros_value x, saros_value r, double (*wanted)(double)) {
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 1, &x, 1, &r, NULL, &f));
    saros_tensor *in = ramp(), *out = NULL;
    int64_t held = saros_memory_held();
    ck_ok(saros_function_call(f, &in, &out, NULL));
    double arrays = (double)(saros_memory_held() - held) / (8.0 * N) - 1; /* one is `out` */
    for (int k = 0; k < N; ++k) ck_assert_double_eq(at(out, k), wanted(k));
    saros_tensor_release(in);
    saros_tensor_release(out);
    saros_function_release(f);
    return arrays;
}

static saros_value input_n(saros_graph *g) {
    int64_t n = N;
    return input_of(g, SAROS_F64, 1, &n, "x");
}
static saros_value number(saros_graph *g, double x) {
    return saros_scalar(g, SAROS_F64, x);
}

static double plus_twelve(double x) {
    return x + 12;
}

START_TEST(pointwise_results_take_the_memory_of_dying_operands) {
    saros_graph *g = new_graph();
    saros_value x = input_n(g), y = x;
    for (int k = 0; k < 12; ++k) {
        y = saros_add(unary(&row_apart, y), number(g, 1));
        y = saros_cumsum(y, 0, false);
        y = saros_sub(y, saros_pad(saros_slice(y, 0, 0, N - 1, 1), 0, 1, 0, 0, 0)); /* undone */
    }
    ck_assert_double_lt(arrays_for(g, x, y, plus_twelve), 2.1);
    saros_graph_release(g);
}
END_TEST

static double mirrored_sum(double x) {
    (void)x;
    return 2 * (N - 1);
}

START_TEST(an_operand_read_through_another_view_is_kept) {
    saros_graph *g = new_graph();
    saros_value x = input_n(g), y = unary(&row_apart, x);
    y = saros_add(y, saros_reverse(y, 0));
    y = saros_add(unary(&row_apart, y), saros_reverse(y, 0));
    arrays_for(g, x, y, mirrored_sum);
    saros_graph_release(g);
}
END_TEST

static double both_sum(double x) {
    return (x + 1) * (x + 1) + x + 1 + 3;
}

START_TEST(an_operand_read_later_is_kept) {
    saros_graph *g = new_graph();
    saros_value x = input_n(g), y = unary(&row_apart, saros_add(x, number(g, 1)));
    saros_value square = unary(&row_apart, saros_mul(y, y));
    arrays_for(g, x, saros_add(unary(&row_apart, saros_add(square, y)), number(g, 3)), both_sum);
    saros_graph_release(g);
}
END_TEST

/* ---- loops ---- */

typedef saros_value step_of(saros_graph *g, saros_value x);

static saros_status run_step(saros_graph *body, saros_value index, const saros_value *carry,
                             const saros_value *input, void *user, saros_value *next,
                             saros_value *kept) {
    (void)index, (void)input, (void)kept;
    step_of **step = user;
    next[0] = (*step)(body, carry[0]);
    return SAROS_OK;
}
static saros_value looped(saros_graph *g, saros_value x, int64_t n, step_of *step) {
    saros_loop(g,
               &(saros_loop_spec){.n = saros_scalar(g, SAROS_I64, (double)n),
                                  .bound = n,
                                  .carries = 1,
                                  .carry = &x,
                                  .build = run_step,
                                  .user = &step},
               &x, NULL);
    return x;
}

static saros_value add_one(saros_graph *g, saros_value x) {
    return saros_add(x, number(g, 1));
}
static saros_value mirror_and_add(saros_graph *g, saros_value x) {
    return saros_add(saros_reverse(x, 0), number(g, 1));
}
static saros_value four_in_one(saros_graph *g, saros_value x) {
    return looped(g, x, 4, add_one);
}
static saros_value stay(saros_graph *g, saros_value x) {
    (void)g;
    return x;
}

START_TEST(a_carry_updated_in_place_needs_no_second_buffer) {
    for (int64_t n = 11; n <= 12; ++n) {
        saros_graph *g = new_graph();
        saros_value x = input_n(g);
        saros_value r = looped(g, x, n, add_one);
        if (n == 11) r = saros_add(r, number(g, 1));
        ck_assert_double_lt(arrays_for(g, x, r, plus_twelve), n == 11 ? 1.1 : 0.1);
        saros_graph_release(g);
    }
}
END_TEST

START_TEST(a_nested_loop_works_in_the_carry_of_the_outer_one) {
    saros_graph *g = new_graph();
    saros_value x = input_n(g);
    ck_assert_double_lt(arrays_for(g, x, looped(g, x, 3, four_in_one), plus_twelve), 0.1);
    saros_graph_release(g);
}
END_TEST

START_TEST(a_carry_read_in_another_order_alternates) {
    saros_graph *g = new_graph();
    saros_value x = input_n(g), r = looped(g, x, 12, mirror_and_add);
    double arrays = arrays_for(g, x, r, plus_twelve);
    ck_assert_double_gt(arrays, 0.9);
    ck_assert_double_lt(arrays, 1.1);
    saros_graph_release(g);
}
END_TEST

START_TEST(a_carry_that_stays_is_not_copied_to_and_fro) {
    saros_graph *g = new_graph();
    saros_value x = input_n(g), r = saros_add(looped(g, x, 9, stay), number(g, 12));
    ck_assert_double_lt(arrays_for(g, x, r, plus_twelve), 1.1);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("core/in_place", pointwise_results_take_the_memory_of_dying_operands,
                an_operand_read_through_another_view_is_kept, an_operand_read_later_is_kept,
                a_carry_updated_in_place_needs_no_second_buffer,
                a_nested_loop_works_in_the_carry_of_the_outer_one,
                a_carry_read_in_another_order_alternates,
                a_carry_that_stays_is_not_copied_to_and_fro)
