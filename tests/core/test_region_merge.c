/** Loops that repeat another and do more: one of them runs. */
#include "region_examples.h"

#include <string.h>

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

SAROS_TEST_MAIN("core/region_merge", a_loop_that_keeps_more_replaces_the_original,
                a_loop_with_more_carries_replaces_the_original_unless_it_is_fed_by_it,
                inlining_keeps_a_loop_with_the_one_it_contains)
