/** Pointwise rows in every layout the driver of kernels treats apart; single operations, promotion,
 * broadcasting, errors. */
#include "core/primitive_run.h"

/* ---- layouts ---- */

static saros_value build_affine(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sub(saros_mul(x[0], x[1]), x[1]);
}

/** x*y - y on every element, whatever the layouts of x and y; consumes both. */
static void check_affine(saros_tensor *x, saros_tensor *y) {
    saros_tensor *in[] = {x, y}, *out = run(build_affine, 2, in);
    int64_t index[SAROS_MAX_RANK] = {0};
    int rank = saros_tensor_rank(out);
    double tolerance = saros_tensor_dtype(out) == SAROS_F32 ? 1e-6 : 1e-14;
    if (saros_tensor_count(out) > 0) do {
            double a = run_at(x, rank, index), b = run_at(y, rank, index);
            ck_near(run_at(out, rank, index), a * b - b, tolerance);
        } while (run_next(out, index));
    saros_tensor_release(out);
    run_release(2, in);
}

START_TEST(every_layout_gives_the_same_numbers) {
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_I32};
    static const struct {
        int ranks[2];
        int64_t shapes[2][3];
    } cases[] = {
        {{2, 2}, {{9, 7}, {9, 7}}},         {{2, 1}, {{50, 20}, {20}}},
        {{2, 2}, {{50, 20}, {50, 1}}},      {{2, 0}, {{50, 20}, {0}}},
        {{2, 1}, {{3, 700}, {700}}},        {{2, 2}, {{3, 700}, {3, 1}}},
        {{3, 2}, {{4, 1, 5}, {6, 5}}},      {{3, 3}, {{4, 1, 600}, {1, 3, 600}}},
        {{3, 3}, {{2, 3, 1}, {1, 1, 200}}}, {{1, 1}, {{2000}, {1}}},
        {{3, 3}, {{40, 3, 7}, {1, 3, 1}}},  {{3, 1}, {{5, 1, 1}, {300}}},
        {{2, 2}, {{0, 4}, {1, 4}}},         {{1, 0}, {{0}, {0}}},
    };
    saros_dtype dtype = dtypes[_i % 4];
    int c = _i / 4;
    for (int layout = 0; layout < 4; ++layout) {
        saros_tensor *x[2];
        for (int k = 0; k < 2; ++k) {
            int rank = cases[c].ranks[k];
            int64_t shape[3];
            for (int a = 0; a < rank; ++a)
                shape[a] = cases[c].shapes[k][layout >> k & 1 ? rank - 1 - a : a];
            x[k] = run_random(dtype, rank, shape, -9, 9, (unsigned)k + 1);
            if (layout >> k & 1) x[k] = run_transposed(x[k]);
        }
        check_affine(x[0], x[1]);
    }
}
END_TEST

static saros_value build_strided(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value every_third = saros_slice(x[0], 1, 1, 300, 3);
    return saros_add(saros_reverse(every_third, 1), saros_reverse(every_third, 0));
}
START_TEST(strided_and_reversed_operands_are_read_in_their_order) {
    saros_tensor *x = run_random(SAROS_F64, 2, SHAPE(4, 300), -1, 1, 5);
    saros_tensor *y = run(build_strided, 1, &x);
    run_has_shape(y, 2, SHAPE(4, 100));
    for (int64_t i = 0; i < 4; ++i)
        for (int64_t j = 0; j < 100; ++j)
            ck_near(run_item(y, i * 100 + j),
                    run_item(x, i * 300 + 1 + 3 * (99 - j)) +
                        run_item(x, (3 - i) * 300 + 1 + 3 * j),
                    0.0);
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

/* ---- single operations ---- */

static saros_value build_div(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_div(x[0], x[1]);
}
static saros_value build_add(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_add(x[0], x[1]);
}
START_TEST(dtypes_promote_as_in_numpy) {
    static const double one[] = {7}, two[] = {2};
    saros_tensor *in[] = {run_tensor(SAROS_I32, 0, NULL, one), run_tensor(SAROS_I64, 0, NULL, two)};
    saros_tensor *ratio = run(build_div, 2, in), *sum = run(build_add, 2, in);
    ck_assert_int_eq(saros_tensor_dtype(ratio), SAROS_F64);
    ck_assert_int_eq(saros_tensor_dtype(sum), SAROS_I64);
    ck_near(run_item(ratio, 0), 3.5, 0);
    ck_near(run_item(sum, 0), 9, 0);
    run_release(2, in);
    saros_tensor *masks[] = {run_tensor(SAROS_BOOL, 0, NULL, one),
                             run_tensor(SAROS_BOOL, 0, NULL, one)};
    saros_tensor *count = run(build_add, 2, masks);
    ck_near(run_item(count, 0), 2, 0);
    run_release(2, masks);
    saros_tensor_release(ratio);
    saros_tensor_release(sum);
    saros_tensor_release(count);
}
END_TEST

static saros_value build_fma(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_fma(x[0], x[1], x[2]);
}
START_TEST(fma_rounds_once) {
    double a = 1.0 + 0x1p-30, c = -1.0;
    saros_tensor *in[] = {run_tensor(SAROS_F64, 0, NULL, &a), run_tensor(SAROS_F64, 0, NULL, &a),
                          run_tensor(SAROS_F64, 0, NULL, &c)};
    saros_tensor *y = run(build_fma, 3, in);
    ck_assert(run_item(y, 0) == fma(a, a, c));
    ck_assert(run_item(y, 0) != a * a + c);
    run_release(3, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_maximum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_maximum(x[0], x[1]);
}
static saros_value build_minimum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_minimum(x[0], x[1]);
}
START_TEST(maximum_and_minimum_propagate_nan_from_either_side) {
    const double a[] = {NAN, 1, 2, -1}, b[] = {1, NAN, 1, 3};
    saros_tensor *in[] = {run_tensor(SAROS_F64, 1, SHAPE(4), a),
                          run_tensor(SAROS_F64, 1, SHAPE(4), b)};
    saros_tensor *most = run(build_maximum, 2, in), *least = run(build_minimum, 2, in);
    for (int i = 0; i < 2; ++i) ck_assert(isnan(run_item(most, i)) && isnan(run_item(least, i)));
    ck_assert(run_item(most, 2) == 2 && run_item(most, 3) == 3);
    ck_assert(run_item(least, 2) == 1 && run_item(least, 3) == -1);
    run_release(2, in);
    saros_tensor_release(most);
    saros_tensor_release(least);
}
END_TEST

static int64_t current_exponent;
static saros_value build_power(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_power(x[0], current_exponent);
}
START_TEST(power_is_repeated_multiplication) {
    saros_tensor *x = run_random(SAROS_F64, 1, SHAPE(600), -2, 2, 4);
    current_exponent = _i - 4;
    saros_tensor *y = run(build_power, 1, &x);
    for (int64_t i = 0; i < 600; ++i)
        ck_near(run_item(y, i) / pow(run_item(x, i), (double)current_exponent), 1.0, 1e-14);
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST
START_TEST(power_of_integers_and_at_zero_is_exact) {
    const double data[] = {0, -3, 7};
    saros_tensor *x = run_tensor(SAROS_I64, 1, SHAPE(3), data);
    current_exponent = 5;
    saros_tensor *y = run(build_power, 1, &x);
    run_holds(y, 3, (const double[]){0, -243, 16807});
    saros_tensor_release(y);
    current_exponent = 0;
    y = run(build_power, 1, &x);
    run_holds(y, 3, (const double[]){1, 1, 1});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_between(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value inside = saros_and(saros_le(x[1], x[0]), saros_not(saros_gt(x[0], x[2])));
    saros_value outside = saros_or(saros_lt(x[0], x[1]), saros_gt(x[0], x[2]));
    saros_value agree = saros_ne(inside, outside);
    return saros_where(agree, saros_where(inside, x[0], saros_like(x[0], -1)),
                       saros_like(x[0], NAN));
}
START_TEST(comparisons_and_masks_choose) {
    const double data[] = {1, 2, 3, 4, 5}, lo = 2, hi = 4;
    for (int dtype = SAROS_F64; dtype <= SAROS_I32; ++dtype) {
        saros_tensor *in[] = {run_tensor((saros_dtype)dtype, 1, SHAPE(5), data),
                              run_tensor((saros_dtype)dtype, 0, NULL, &lo),
                              run_tensor((saros_dtype)dtype, 0, NULL, &hi)};
        saros_tensor *y = run(build_between, 3, in);
        run_holds(y, 5, (const double[]){-1, 2, 3, 4, -1});
        run_release(3, in);
        saros_tensor_release(y);
    }
}
END_TEST

static saros_value build_eq(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_eq(x[0], x[1]);
}
START_TEST(nan_equals_nothing) {
    double nan = NAN;
    saros_tensor *in[] = {run_tensor(SAROS_F64, 0, NULL, &nan),
                          run_tensor(SAROS_F64, 0, NULL, &nan)};
    saros_tensor *y = run(build_eq, 2, in);
    ck_assert_int_eq(saros_tensor_dtype(y), SAROS_BOOL);
    ck_assert(run_item(y, 0) == 0);
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_binary(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_add(saros_atan2(x[0], x[1]), saros_pow(x[1], x[0]));
}
START_TEST(atan2_and_pow_agree_with_the_c_library) {
    saros_tensor *in[] = {run_random(SAROS_F64, 1, SHAPE(50), -3, 3, 1),
                          run_random(SAROS_F64, 1, SHAPE(50), 0.1, 3, 2)};
    saros_tensor *y = run(build_binary, 2, in);
    for (int64_t i = 0; i < 50; ++i) {
        double a = run_item(in[0], i), b = run_item(in[1], i);
        ck_near(run_item(y, i), atan2(a, b) + pow(b, a), 1e-14);
    }
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

/* ---- building ---- */

START_TEST(a_lossless_cast_back_gives_the_value_itself) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type f32 = saros_type_scalar(SAROS_F32), i64 = saros_type_scalar(SAROS_I64);
    saros_value x = saros_input(g, &f32, "x"), n = saros_input(g, &i64, "n");
    ck_assert(saros_same(saros_cast(saros_cast(x, SAROS_F64), SAROS_F32), x));
    ck_assert(!saros_same(saros_cast(saros_cast(n, SAROS_F64), SAROS_I64), n));
    ck_assert(saros_same(saros_mul(x, saros_like(x, 1)), x));
    ck_assert(saros_same(saros_neg(saros_neg(x)), x));
    ck_assert(!saros_same(saros_alias(x), saros_alias(x)));
    saros_graph_release(g);
}
END_TEST

static saros_value build_where_number(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_where(x[0], x[0], x[1]);
}
static saros_value build_and(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_and(x[0], x[1]);
}
START_TEST(errors_name_operation_shapes_and_dtypes) {
    saros_type wide = saros_type_make(SAROS_F64, 2, SHAPE(3, 4));
    saros_type five = saros_type_make(SAROS_F64, 1, SHAPE(5));
    saros_type types[] = {wide, five}, equal[] = {wide, wide};
    ck_assert_str_eq(run_message(build_add, 2, types, SAROS_ERR_SHAPE),
                     "shapes (3,4) and (5) do not broadcast");
    ck_assert_str_eq(saros_error_last()->where, "saros_add");
    ck_assert_ptr_nonnull(strstr(run_message(build_where_number, 2, equal, SAROS_ERR_TYPE), "f64"));
    ck_assert_ptr_nonnull(strstr(run_message(build_and, 2, equal, SAROS_ERR_TYPE), "bool"));
}
END_TEST

START_TEST(every_row_has_a_doc_and_a_differentiation_column) {
    int count = 0;
    const saros_primitive *const *rows = saros_core_primitives(&count);
    ck_assert_int_gt(count, 70);
    for (int k = 0; k < count; ++k) {
        const saros_primitive *r = rows[k];
        ck_assert_msg(r->doc && *r->doc && !strchr(r->doc, '\n'), "%s has no line", r->name);
        ck_assert_msg(r->type && (r->evaluate || r->flags & (SAROS_REGION | SAROS_CONSTANT)), "%s",
                      r->name);
        ck_assert_msg(r->flags & (SAROS_CONSTANT | SAROS_REGION) || r->linear_in[0] || r->partial ||
                          r->jvp,
                      "%s has no derivative", r->name);
        for (int j = 0; j < k; ++j) ck_assert_str_ne(rows[j]->name, r->name);
    }
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_pointwise", {every_layout_gives_the_same_numbers, 4 * 14},
                 {strided_and_reversed_operands_are_read_in_their_order, 1},
                 {dtypes_promote_as_in_numpy, 1}, {fma_rounds_once, 1},
                 {maximum_and_minimum_propagate_nan_from_either_side, 1},
                 {power_is_repeated_multiplication, 14},
                 {power_of_integers_and_at_zero_is_exact, 1}, {comparisons_and_masks_choose, 1},
                 {nan_equals_nothing, 1}, {atan2_and_pow_agree_with_the_c_library, 1},
                 {a_lossless_cast_back_gives_the_value_itself, 1},
                 {errors_name_operation_shapes_and_dtypes, 1},
                 {every_row_has_a_doc_and_a_differentiation_column, 1})
