/** The graph: what merges and what does not, what folds, poison, captures, bodies, inlining. */
#include "engine_rows.h"

#include <string.h>

#define SCALAR(graph, x) saros_scalar(graph, SAROS_F64, x)

START_TEST(equal_nodes_are_one_value) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 1, (int64_t[]){3}, "x");
    saros_value y = input_of(g, SAROS_F64, 1, (int64_t[]){3}, "y");
    ck_assert(saros_same(saros_sub(x, y), saros_sub(x, y)));
    ck_assert(!saros_same(saros_sub(x, y), saros_sub(y, x)));
    ck_assert(saros_same(saros_add(x, y), saros_add(y, x)));
    ck_assert(!saros_same(saros_add(x, y), saros_mul(x, y)));
    saros_value z = input_of(g, SAROS_F64, 1, (int64_t[]){3}, "x");
    ck_assert(!saros_same(x, z));
    ck_assert_str_eq(saros_value_name(x), "x");
    ck_assert_str_eq(saros_value_name(saros_sub(x, y)), "");
    saros_graph_release(g);
}
END_TEST

START_TEST(many_values_stay_findable_while_the_graph_grows) {
    enum { N = 20000 };
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), y = x;
    for (int k = 0; k < N; ++k) y = unary(&row_counted, y);
    int32_t count = saros_graph_count(g);
    ck_assert_int_eq(count, N + 1);
    for (int k = 0; k < N; ++k) x = unary(&row_counted, x);
    ck_assert(saros_same(x, y));
    ck_assert_int_eq(saros_graph_count(g), count);
    saros_graph_release(g);
}
END_TEST

START_TEST(constants_compare_by_bits) {
    saros_graph *g = new_graph();
    ck_assert(saros_same(SCALAR(g, 0.5), SCALAR(g, 0.5)));
    ck_assert(!saros_same(SCALAR(g, 0.0), SCALAR(g, -0.0)));
    ck_assert(saros_same(SCALAR(g, NAN), SCALAR(g, NAN)));
    ck_assert(!saros_same(SCALAR(g, 1), saros_scalar(g, SAROS_F32, 1)));
    ck_assert(!saros_same(SCALAR(g, 1), saros_scalar(g, SAROS_I64, 1)));
    double value = 0;
    ck_assert(saros_value_is_splat(saros_scalar(g, SAROS_F32, 0.1), &value));
    ck_assert_double_eq(value, (double)0.1f);
    ck_assert(saros_value_is_splat(SCALAR(g, -0.0), &value));
    ck_assert(signbit(value));
    saros_graph_release(g);
}
END_TEST

START_TEST(large_constants_compare_by_storage_and_are_retained) {
    int64_t held = saros_memory_held();
    double data[] = {1, 2, 3}, ones[] = {1, 1, 1};
    saros_graph *g = new_graph();
    saros_tensor *a = vector_of(3, data), *b = vector_of(3, data), *c = vector_of(3, ones);
    saros_value va = saros_constant(g, a), vc = saros_constant(g, c);
    ck_assert(saros_same(va, saros_constant(g, a)));
    ck_assert(!saros_same(va, saros_constant(g, b)));
    double value = 0;
    ck_assert(!saros_value_is_splat(va, &value));
    ck_assert(saros_value_is_splat(vc, &value));
    saros_type type = saros_tensor_type(c);
    ck_assert(saros_same(vc, saros_splat(g, &type, 1)));
    saros_tensor_release(a);
    saros_tensor_release(b);
    saros_tensor_release(c);
    saros_graph_release(g);
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

START_TEST(splats_fold_and_symbols_do_not) {
    saros_graph *g = new_graph();
    double value = 0;
    int64_t shape[] = {4};
    saros_value x = input_of(g, SAROS_F64, 1, shape, "x");
    saros_value six = saros_mul(SCALAR(g, 2), SCALAR(g, 3));
    ck_assert(saros_value_is_splat(six, &value));
    ck_assert_double_eq(value, 6);
    saros_value wide = saros_broadcast(six, 1, shape, NULL);
    ck_assert(saros_value_is_splat(wide, &value));
    ck_assert_int_eq(saros_value_type(wide)->shape[0], 4);
    ck_assert(saros_value_is_splat(saros_add(wide, wide), &value));
    ck_assert_double_eq(value, 12);
    saros_value zero = saros_zeros_like(x);
    ck_assert(!saros_value_is_splat(saros_mul(x, zero), NULL));
    ck_assert(!saros_same(saros_add(x, zero), x));
    ck_assert(!saros_value_is_splat(saros_alias(SCALAR(g, 2)), NULL));
    saros_graph_release(g);
}
END_TEST

START_TEST(algebra_that_is_exact_disappears) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 1, (int64_t[]){2}, "x"), one = SCALAR(g, 1);
    ck_assert(saros_same(saros_mul(x, one), x));
    ck_assert(saros_same(saros_mul(one, x), x));
    ck_assert(saros_same(saros_div(x, one), x));
    ck_assert(!saros_same(saros_div(one, x), x));
    ck_assert(saros_same(saros_sub(x, SCALAR(g, 0.0)), x));
    ck_assert(!saros_same(saros_sub(x, SCALAR(g, -0.0)), x));
    ck_assert(saros_same(saros_neg(saros_neg(x)), x));
    saros_graph_release(g);
}
END_TEST

START_TEST(ordered_and_distinct_rows_never_merge) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x");
    ck_assert(!saros_same(unary(&row_tick, x), unary(&row_tick, x)));
    ck_assert(!saros_same(saros_alias(x), saros_alias(x)));
    saros_graph_release(g);
}
END_TEST

START_TEST(a_fence_keeps_recomputation_apart) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x");
    saros_value outside = saros_sin(x);
    saros_graph_fence_push(g);
    saros_value inside = saros_sin(x), constant = SCALAR(g, 3);
    ck_assert(!saros_same(inside, outside));
    ck_assert(saros_same(inside, saros_sin(x)));
    saros_graph_fence_push(g);
    ck_assert(!saros_same(saros_sin(x), inside));
    saros_graph_fence_pop(g);
    ck_assert(saros_same(saros_sin(x), inside));
    saros_graph_fence_pop(g);
    ck_assert(saros_same(saros_sin(x), outside));
    ck_assert(saros_same(constant, SCALAR(g, 3)));
    saros_graph_release(g);
}
END_TEST

START_TEST(the_first_error_is_kept_with_its_place) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 1, (int64_t[]){3}, "x");
    saros_value y = input_of(g, SAROS_F64, 1, (int64_t[]){4}, "y");
    ck_ok(saros_graph_status(g));
    saros_graph_locate(g, "heat.lua", 12);
    saros_value bad = saros_add(x, y);
    ck_assert(saros_is_poisoned(bad));
    saros_graph_locate(g, "heat.lua", 13);
    saros_value worse = saros_mul(saros_sin(bad), x);
    ck_assert(saros_is_poisoned(worse));
    saros_error_clear();
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    const saros_error *error = saros_error_last();
    ck_assert_str_eq(error->file, "heat.lua");
    ck_assert_int_eq(error->line, 12);
    ck_assert_ptr_nonnull(strchr(error->message, '3'));
    ck_assert_ptr_nonnull(strchr(error->message, '4'));
    ck_assert_int_eq(saros_value_type(bad)->rank, 0);
    saros_graph_release(g);
}
END_TEST

START_TEST(values_of_unrelated_graphs_do_not_mix) {
    saros_graph *g = new_graph(), *h = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), y = input_of(h, SAROS_F64, 0, NULL, "y");
    saros_value both[] = {x, y};
    ck_assert(saros_is_poisoned(saros_build(g, &row_both, NULL, 1, &y)));
    ck_fails(saros_graph_status(g), SAROS_ERR_USAGE);
    saros_value none = SAROS_NONE;
    ck_assert(saros_is_poisoned(saros_build(h, &row_both, NULL, 1, &none)));
    ck_fails(saros_graph_status(h), SAROS_ERR_INTERNAL);
    ck_assert_ptr_eq(saros_graph_of(2, both), g);
    saros_graph_release(g);
    saros_graph_release(h);
}
END_TEST

START_TEST(an_operand_too_many_is_an_error) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), two[] = {x, x};
    ck_assert(saros_is_poisoned(saros_build(g, &row_counted, NULL, 2, two)));
    ck_fails(saros_graph_status(g), SAROS_ERR_USAGE);
    saros_graph_release(g);
}
END_TEST

START_TEST(a_capture_passes_through_two_levels_once) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 1, (int64_t[]){3}, "x");
    saros_graph *middle = saros_body_open(g), *inner = saros_body_open(middle);
    saros_value a = input_of(inner, SAROS_F64, 1, (int64_t[]){3}, "a");
    saros_value r = saros_mul(saros_add(a, x), x);
    ck_assert_ptr_eq(r.graph, inner);
    double value;
    saros_value c = saros_add(a, SCALAR(g, 2)); /* a constant is built again, not captured */
    ck_assert(!saros_value_is_splat(c, &value));
    saros_body *body = NULL, *outer_body = NULL;
    saros_value *captures = NULL, *outer_captures = NULL, out[] = {r, x, c};
    ck_ok(saros_body_close(inner, 3, out, &body, &captures));
    ck_assert_int_eq(saros_body_inputs(body), 2);
    ck_assert_int_eq(saros_body_captures(body), 1);
    ck_assert_ptr_eq(captures[0].graph, middle);
    ck_assert_str_eq(saros_value_name(saros_body_input(body, 1)), "x");
    ck_assert(saros_same(saros_body_output(body, 1), saros_body_input(body, 1)));
    ck_ok(saros_body_close(middle, 1, captures, &outer_body, &outer_captures));
    ck_assert_int_eq(saros_body_captures(outer_body), 1);
    ck_assert(saros_same(outer_captures[0], x));
    saros_release(captures);
    saros_release(outer_captures);
    saros_body_release(body);
    saros_body_release(outer_body);
    saros_graph_release(g);
}
END_TEST

/** Body a -> factor * sin(a) * x. */
static saros_body *small_body(saros_graph *g, saros_value x, double factor,
                              saros_value **captures) {
    saros_graph *inner = saros_body_open(g);
    saros_value a = input_of(inner, SAROS_F64, 0, NULL, factor > 2 ? "a" : "b");
    saros_value r = saros_mul(saros_mul(saros_sin(a), SCALAR(inner, factor)), x);
    saros_body *body = NULL;
    ck_ok(saros_body_close(inner, 1, &r, &body, captures));
    return body;
}

/** A cond between two bodies: a node whose key has bodies. */
static saros_value node_of(saros_value mask, saros_value x, double first, double second) {
    saros_value *c1 = NULL, *c2 = NULL, in1[2], in2[2], out;
    saros_body *a = small_body(x.graph, x, first, &c1), *b = small_body(x.graph, x, second, &c2);
    in1[0] = in2[0] = x;
    in1[1] = c1[0];
    in2[1] = c2[0];
    saros_cond_body(mask, a, 2, in1, b, 2, in2, &out);
    saros_body_release(a);
    saros_body_release(b);
    saros_release(c1);
    saros_release(c2);
    return out;
}

START_TEST(bodies_compare_by_structure) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x");
    saros_value mask = input_of(g, SAROS_BOOL, 0, NULL, "mask");
    saros_value first = node_of(mask, x, 2, 3);
    ck_assert(!saros_is_poisoned(first));
    ck_assert(saros_same(first, node_of(mask, x, 2, 3)));
    ck_assert(!saros_same(first, node_of(mask, x, 2, 3.5)));
    ck_assert(!saros_same(first, node_of(mask, x, 3, 2)));
    saros_graph_release(g);
}
END_TEST

START_TEST(inlining_gives_the_same_values_as_building) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x"), *captures = NULL;
    saros_value y = input_of(g, SAROS_F64, 0, NULL, "y");
    saros_body *body = small_body(g, x, 2, &captures);
    saros_value in[] = {y, captures[0]}, out;
    saros_inline(g, body, in, &out);
    ck_assert(saros_same(out, saros_mul(saros_mul(saros_sin(y), SCALAR(g, 2)), x)));
    in[0] = input_of(g, SAROS_F64, 1, (int64_t[]){2}, "z");
    saros_inline(g, body, in, &out);
    ck_assert(saros_is_poisoned(out));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_body_release(body);
    saros_release(captures);
    saros_graph_release(g);
}
END_TEST

START_TEST(an_error_inside_a_body_fails_its_closing) {
    int64_t held = saros_memory_held();
    saros_graph *g = new_graph(), *inner = saros_body_open(g);
    saros_value a = input_of(inner, SAROS_F64, 1, (int64_t[]){3}, "a");
    saros_value b = input_of(inner, SAROS_F64, 1, (int64_t[]){2}, "b"), r = saros_add(a, b);
    saros_body *body = NULL;
    ck_fails(saros_body_close(inner, 1, &r, &body, NULL), SAROS_ERR_SHAPE);
    ck_assert_ptr_null(body);
    ck_ok(saros_graph_status(g));
    saros_graph_release(g);
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

START_TEST(the_dump_names_rows_types_and_bodies) {
    saros_graph *g = new_graph();
    saros_value x = input_of(g, SAROS_F64, 0, NULL, "x");
    saros_value mask = input_of(g, SAROS_BOOL, 0, NULL, "mask");
    node_of(mask, x, 2, 3);
    char text[4096], cut[16];
    size_t needed = saros_graph_dump(g, text, sizeof text);
    ck_assert_uint_eq(needed, strlen(text));
    ck_assert_ptr_nonnull(strstr(text, "%0 = input() \"x\" : f64\n"));
    ck_assert_ptr_nonnull(strstr(text, "= cond(%1"));
    ck_assert_ptr_nonnull(strstr(text, "body 1 ->"));
    ck_assert_uint_eq(saros_graph_dump(g, cut, sizeof cut), needed);
    ck_assert_uint_eq(strlen(cut), 15);
    saros_graph_release(g);
}
END_TEST

static saros_status build_everything(void) {
    saros_graph *g = NULL;
    saros_status status = saros_graph_make(&g);
    if (status != SAROS_OK) return status;
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){5});
    saros_value x = saros_input(g, &type, "x"), y = x;
    for (int k = 0; k < 200; ++k) y = saros_add(saros_sin(y), saros_splat(g, &type, k));
    saros_value pair = unary(&row_both, y);
    y = saros_sub(saros_output(pair, 1), pair);
    status = saros_graph_status(g);
    if (status == SAROS_OK && saros_is_poisoned(y)) status = SAROS_ERR_INTERNAL;
    saros_graph_release(g);
    return status;
}

START_TEST(each_allocation_of_building_may_fail) {
    ck_assert_int_gt(fail_each_allocation(build_everything), 10);
}
END_TEST

SAROS_TEST_MAIN("core/graph", equal_nodes_are_one_value,
                many_values_stay_findable_while_the_graph_grows, constants_compare_by_bits,
                large_constants_compare_by_storage_and_are_retained, splats_fold_and_symbols_do_not,
                algebra_that_is_exact_disappears, ordered_and_distinct_rows_never_merge,
                a_fence_keeps_recomputation_apart, the_first_error_is_kept_with_its_place,
                values_of_unrelated_graphs_do_not_mix, an_operand_too_many_is_an_error,
                a_capture_passes_through_two_levels_once, bodies_compare_by_structure,
                inlining_gives_the_same_values_as_building,
                an_error_inside_a_body_fails_its_closing, the_dump_names_rows_types_and_bodies,
                each_allocation_of_building_may_fail)
