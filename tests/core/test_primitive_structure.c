/** Structural rows against index arithmetic written out: reshape, permute, broadcast, slice, pad,
 * shift, reverse, concat, stack, iota, gather, scatter_add. */
#include "core/primitive_run.h"

/** 0, 1, 2 … in the shape. */
static saros_tensor *counted(saros_dtype dtype, int rank, const int64_t *shape) {
    double data[512];
    int64_t n = 1;
    for (int a = 0; a < rank; ++a) n *= shape[a];
    for (int64_t i = 0; i < n; ++i) data[i] = (double)i;
    return run_tensor(dtype, rank, shape, data);
}

static saros_value build_reshape(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_reshape(x[0], 3, SHAPE(3, -1, 2));
}
START_TEST(reshape_keeps_row_major_order_also_of_views) {
    saros_tensor *x[] = {counted(SAROS_F32, 2, SHAPE(4, 6)),
                         run_transposed(counted(SAROS_F32, 2, SHAPE(6, 4)))};
    for (int k = 0; k < 2; ++k) {
        saros_tensor *y = run(build_reshape, 1, &x[k]);
        run_has_shape(y, 3, SHAPE(3, 4, 2));
        for (int64_t i = 0; i < 24; ++i) ck_near(run_item(y, i), run_item(x[k], i), 0);
        saros_tensor_release(y);
    }
    run_release(2, x);
}
END_TEST

static saros_value build_reshape_view(saros_graph *g, const saros_value *x) {
    (void)g; /* axes of a view split where its strides allow it: no copy, and the same order */
    saros_value cut = saros_slice(saros_reverse(x[0], 0), 1, 0, 4, 1);
    saros_value split = saros_reshape(cut, 4, SHAPE(2, 2, 1, 4));
    return saros_reshape(saros_permute(split, (int[]){1, 0, 2, 3}), 2, SHAPE(2, 8));
}
START_TEST(reshape_of_a_view_with_gaps_keeps_order) {
    saros_tensor *x = counted(SAROS_F64, 2, SHAPE(4, 6)), *y = run(build_reshape_view, 1, &x);
    run_holds(y, 16, (const double[]){18, 19, 20, 21, 6, 7, 8, 9, 12, 13, 14, 15, 0, 1, 2, 3});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_permute(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_permute(x[0], (int[]){2, 0, -2});
}
START_TEST(permute_takes_axes_in_the_order_named) {
    saros_tensor *x = counted(SAROS_I64, 3, SHAPE(2, 3, 4)), *y = run(build_permute, 1, &x);
    run_has_shape(y, 3, SHAPE(4, 2, 3));
    for (int64_t i = 0; i < 4; ++i)
        for (int64_t j = 0; j < 2; ++j)
            for (int64_t k = 0; k < 3; ++k)
                ck_near(run_item(y, (i * 2 + j) * 3 + k), (double)(j * 12 + k * 4 + i), 0);
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

START_TEST(permutations_compose_and_cancel) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 3, SHAPE(2, 3, 4));
    saros_value x = saros_input(g, &type, "x");
    ck_assert(saros_same(saros_transpose(saros_transpose(x)), x));
    saros_value turned = saros_permute(x, (int[]){1, 2, 0});
    ck_assert(saros_same(saros_permute(turned, (int[]){2, 0, 1}), x));
    ck_assert(saros_same(saros_reshape(saros_reshape(x, 1, SHAPE(24)), 3, SHAPE(2, 3, 4)), x));
    saros_graph_release(g);
}
END_TEST

static saros_value build_broadcast(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_broadcast(x[0], 3, SHAPE(2, 3, 2), (int[]){0, 1});
}
START_TEST(broadcast_repeats_along_new_and_unit_axes) {
    saros_tensor *x = counted(SAROS_F64, 2, SHAPE(2, 1)), *y = run(build_broadcast, 1, &x);
    run_holds(y, 12, (const double[]){0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_pad(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_pad(saros_slice(x[0], 0, 1, 6, 2), 0, 1, 2, 1, 9);
}
START_TEST(slice_and_pad_along_an_axis) {
    saros_tensor *x = counted(SAROS_I32, 2, SHAPE(6, 2)), *y = run(build_pad, 1, &x);
    run_has_shape(y, 2, SHAPE(8, 2));
    run_holds(y, 16, (const double[]){9, 9, 2, 3, 9, 9, 6, 7, 9, 9, 10, 11, 9, 9, 9, 9});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static int64_t shift_by;
static saros_edge shift_edge;
static saros_value build_shift(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_shift(x[0], 1, shift_by, shift_edge);
}
START_TEST(shift_moves_by_any_distance_with_either_edge) {
    saros_tensor *x = run_transposed(counted(SAROS_F64, 2, SHAPE(5, 3)));
    shift_by = _i - 13;
    for (int edge = 0; edge < 2; ++edge) {
        shift_edge = (saros_edge)edge;
        saros_tensor *y = run(build_shift, 1, &x);
        for (int64_t i = 0; i < 3; ++i)
            for (int64_t j = 0; j < 5; ++j) {
                int64_t from = j - shift_by, wrapped = ((from % 5) + 5) % 5;
                bool inside = from == wrapped || edge == SAROS_EDGE_WRAP;
                ck_near(run_item(y, i * 5 + j), inside ? run_item(x, i * 5 + wrapped) : 0, 0);
            }
        saros_tensor_release(y);
    }
    saros_tensor_release(x);
}
END_TEST

static saros_value build_join(saros_graph *g, const saros_value *x) {
    saros_type index = saros_type_make(SAROS_I32, 2, SHAPE(2, 3));
    saros_value joined = saros_concat(3, (saros_value[]){x[0], saros_iota(g, &index, 1), x[0]}, -1);
    return saros_stack(2, (saros_value[]){joined, saros_neg(joined)}, 1);
}
START_TEST(concat_and_stack_join_and_promote) {
    saros_tensor *x = counted(SAROS_F32, 2, SHAPE(2, 1)), *y = run(build_join, 1, &x);
    run_has_shape(y, 3, SHAPE(2, 2, 5));
    run_holds(y, 20,
              (const double[]){0, 0, 1, 2, 0, 0, 0, -1, -2, 0, 1, 0, 1, 2, 1, -1, 0, -1, -2, -1});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_gather(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_gather(x[0], x[1], 1);
}
START_TEST(gather_replaces_the_axis_and_clamps) {
    const double index[] = {2, -5, 0, 99};
    saros_tensor *in[] = {run_transposed(counted(SAROS_F64, 3, SHAPE(2, 3, 2))),
                          run_tensor(SAROS_I32, 2, SHAPE(2, 2), index)};
    saros_tensor *y = run(build_gather, 2, in);
    const int64_t row[] = {2, 0, 0, 2};
    run_has_shape(y, 4, SHAPE(2, 2, 2, 2));
    for (int64_t i = 0; i < 2; ++i)
        for (int64_t k = 0; k < 4; ++k)
            for (int64_t j = 0; j < 2; ++j)
                ck_near(run_item(y, (i * 4 + k) * 2 + j), run_item(in[0], (i * 3 + row[k]) * 2 + j),
                        0);
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_scatter(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_scatter_add(x[0], x[1], 1, 3);
}
START_TEST(scatter_adds_rows_that_meet) {
    const double index[] = {2, 0, 2, 7};
    saros_tensor *in[] = {counted(SAROS_F64, 3, SHAPE(2, 4, 2)),
                          run_tensor(SAROS_I64, 1, SHAPE(4), index)};
    saros_tensor *y = run(build_scatter, 2, in);
    run_has_shape(y, 3, SHAPE(2, 3, 2));
    run_holds(y, 12, (const double[]){2, 3, 0, 0, 10, 13, 10, 11, 0, 0, 34, 37});
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_empty(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value y = saros_concat(2, (saros_value[]){x[0], saros_reverse(x[0], 0)}, 0);
    return saros_pad(saros_shift(y, 0, 1, SAROS_EDGE_WRAP), 0, 1, 1, 4, 5);
}
START_TEST(empty_operands_are_allowed) {
    saros_tensor *x = counted(SAROS_F64, 2, SHAPE(0, 2)), *y = run(build_empty, 1, &x);
    run_holds(y, 4, (const double[]){5, 5, 5, 5});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_bad_reshape(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_reshape(x[0], 2, SHAPE(5, 5));
}
static saros_value build_bad_slice(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_slice(x[0], 0, 2, 9, 1);
}
static saros_value build_bad_axis(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_reverse(x[0], 2);
}
static saros_value build_bad_concat(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_concat(2, (saros_value[]){x[0], saros_transpose(x[0])}, 0);
}
START_TEST(errors_name_shapes_and_axes) {
    saros_type t = saros_type_make(SAROS_F64, 2, SHAPE(4, 6));
    ck_assert_str_eq(run_message(build_bad_reshape, 1, &t, SAROS_ERR_SHAPE),
                     "shape (4,6) has 24 elements, (5,5) would have 25");
    ck_assert_str_eq(run_message(build_bad_slice, 1, &t, SAROS_ERR_DOMAIN), "[2:9:1] of extent 4");
    ck_assert_str_eq(run_message(build_bad_axis, 1, &t, SAROS_ERR_DOMAIN),
                     "axis 2 of a value of rank 2");
    ck_assert_ptr_nonnull(
        strstr(run_message(build_bad_concat, 1, &t, SAROS_ERR_SHAPE), "f64[6,4]"));
}
END_TEST

START_TEST(splits_pass_through_structure_and_part_where_axes_vanish) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 2, SHAPE(4, 6));
    type.split = 1;
    saros_value u = saros_input(g, &type, "u");
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_value nu = saros_input(g, &scalar, "nu"), flux = saros_mul(nu, u);
    ck_assert_uint_eq(saros_value_type(flux)->split, 1);
    ck_assert_uint_eq(saros_value_type(saros_transpose(u))->split, 2);
    ck_assert_uint_eq(saros_value_type(saros_reshape(u, 1, SHAPE(24)))->split, 1);
    ck_assert_uint_eq(saros_value_type(saros_sum(flux, 2))->split, 1);
    saros_value total = saros_sum(flux, 3);
    ck_assert_uint_eq(saros_value_type(total)->split, 0);
    ck_assert_ptr_eq(saros_graph_node(g, total.id, NULL).row, &saros_row_allreduce);
    ck_assert_uint_eq(saros_value_type(saros_spread(nu))->split, SAROS_SPLIT_PART);
    ck_assert(saros_is_poisoned(saros_shift(u, 0, 1, SAROS_EDGE_WRAP)));
    ck_fails(saros_graph_status(g), SAROS_ERR_UNSUPPORTED);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_structure", {reshape_keeps_row_major_order_also_of_views, 1},
                 {reshape_of_a_view_with_gaps_keeps_order, 1},
                 {permute_takes_axes_in_the_order_named, 1}, {permutations_compose_and_cancel, 1},
                 {broadcast_repeats_along_new_and_unit_axes, 1}, {slice_and_pad_along_an_axis, 1},
                 {shift_moves_by_any_distance_with_either_edge, 27},
                 {concat_and_stack_join_and_promote, 1}, {gather_replaces_the_axis_and_clamps, 1},
                 {scatter_adds_rows_that_meet, 1}, {empty_operands_are_allowed, 1},
                 {errors_name_shapes_and_axes, 1},
                 {splits_pass_through_structure_and_part_where_axes_vanish, 1})
