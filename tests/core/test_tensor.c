/** Tensors: making, sharing, views, wraps, copies between layouts and dtypes. */
#include "engine_rows.h"

#include <string.h>

START_TEST(a_made_tensor_is_row_major_and_aligned) {
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_zeros(SAROS_F32, 3, (int64_t[]){2, 3, 4}, &t));
    ck_assert_int_eq(saros_tensor_count(t), 24);
    ck_assert_int_eq(saros_tensor_strides(t)[0], 12);
    ck_assert_int_eq(saros_tensor_strides(t)[2], 1);
    ck_assert(saros_tensor_is_contiguous(t));
    ck_assert_uint_eq((uintptr_t)saros_tensor_data(t) % 64, 0);
    saros_tensor_release(t);
    ck_fails(saros_tensor_make(SAROS_F64, 1, (int64_t[]){-1}, &t), SAROS_ERR_SHAPE);
    ck_fails(saros_tensor_make(SAROS_F64, 9, (int64_t[9]){0}, &t), SAROS_ERR_SHAPE);
    ck_fails(saros_tensor_make(SAROS_OPAQUE, 0, NULL, &t), SAROS_ERR_TYPE);
    int64_t huge[] = {INT64_MAX / 2, 8};
    ck_fails(saros_tensor_make(SAROS_F64, 2, huge, &t), SAROS_ERR_SHAPE);
}
END_TEST

START_TEST(a_view_outlives_its_base) {
    int64_t held = saros_memory_held();
    double data[] = {0, 1, 2, 3, 4, 5};
    saros_tensor *t = NULL, *column = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, 2, (int64_t[]){2, 3}, data, &t));
    ck_ok(saros_tensor_view(t, 1, (int64_t[]){2}, (int64_t[]){3}, 1, &column));
    saros_tensor_release(t);
    ck_assert(!saros_tensor_is_contiguous(column));
    ck_assert_double_eq(at(column, 0), 1);
    ck_assert_double_eq(at(column, 1), 4);
    saros_tensor *dense = NULL;
    ck_ok(saros_tensor_contiguous(column, &dense));
    ck_assert_double_eq(at(dense, 1), 4);
    saros_tensor_release(dense);
    saros_tensor_release(column);
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

static void count_release(void *data, void *user) {
    (void)data;
    ++*(int *)user;
}

START_TEST(a_wrapped_array_is_released_with_its_last_view) {
    double data[4] = {1, 2, 3, 4};
    int released = 0;
    saros_tensor *t = NULL, *view = NULL;
    ck_ok(saros_tensor_wrap(SAROS_F64, 1, (int64_t[]){4}, NULL, data, SAROS_TAKE, count_release,
                            &released, &t));
    ck_assert_ptr_eq(saros_tensor_data(t), data);
    ck_ok(saros_tensor_view(t, 1, (int64_t[]){4}, (int64_t[]){-1}, 3, &view));
    saros_tensor_release(t);
    ck_assert_int_eq(released, 0);
    ck_assert_double_eq(at(view, 0), 4);
    saros_tensor_release(view);
    ck_assert_int_eq(released, 1);
}
END_TEST

START_TEST(assign_follows_strides_of_both_sides) {
    double source[24], target[24];
    for (int k = 0; k < 24; ++k) source[k] = k;
    saros_tensor *from = NULL, *to = NULL;
    int64_t shape[] = {4, 3, 2};
    ck_ok(saros_tensor_wrap(SAROS_F64, 3, shape, (int64_t[]){1, 4, 12}, source, SAROS_BORROW, NULL,
                            NULL, &from));
    ck_ok(saros_tensor_wrap(SAROS_F64, 3, shape, NULL, target, SAROS_BORROW, NULL, NULL, &to));
    ck_ok(saros_tensor_assign(to, from));
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 2; ++k)
                ck_assert_double_eq(target[(i * 3 + j) * 2 + k], source[i + 4 * j + 12 * k]);
    saros_tensor *wrong = vector_of(3, source);
    ck_fails(saros_tensor_assign(to, wrong), SAROS_ERR_SHAPE);
    saros_tensor_release(wrong);
    saros_tensor_release(from);
    saros_tensor_release(to);
}
END_TEST

/** `n` elements of `from` cast to `dtype` and to doubles. */
static void cast_to(saros_dtype from, const void *data, int64_t n, saros_dtype dtype,
                    double *result) {
    saros_tensor *a = NULL, *b = NULL;
    ck_ok(saros_tensor_from(from, 1, &n, data, &a));
    ck_ok(saros_tensor_cast(a, dtype, &b));
    for (int64_t i = 0; i < n; ++i) result[i] = at(b, i);
    saros_tensor_release(a);
    saros_tensor_release(b);
}

START_TEST(casts_truncate_saturate_and_keep_large_integers) {
    double x[] = {1.9, -1.9, NAN, 1e300, -1e300, 0.0}, y[6];
    cast_to(SAROS_F64, x, 6, SAROS_I32, y);
    ck_assert_double_eq(y[0], 1);
    ck_assert_double_eq(y[1], -1);
    ck_assert_double_eq(y[2], 0);
    ck_assert_double_eq(y[3], 2147483647.0);
    ck_assert_double_eq(y[4], -2147483648.0);
    cast_to(SAROS_F64, x, 6, SAROS_BOOL, y);
    ck_assert_double_eq(y[0], 1);
    ck_assert_double_eq(y[5], 0);
    cast_to(SAROS_F64, x, 6, SAROS_I64, y);
    ck_assert_double_eq(y[3], 0x1p63);
    int64_t big = (INT64_C(1) << 53) + 1;
    saros_tensor *a = NULL, *b = NULL;
    ck_ok(saros_tensor_from(SAROS_I64, 0, NULL, &big, &a));
    ck_ok(saros_tensor_cast(a, SAROS_I64, &b));
    ck_assert_int_eq(*(const int64_t *)saros_tensor_const_data(b), big);
    saros_tensor_release(a);
    saros_tensor_release(b);
    float f = 0.1f;
    cast_to(SAROS_F32, &f, 1, SAROS_F64, y);
    ck_assert_double_eq(y[0], (double)0.1f);
}
END_TEST

START_TEST(long_casts_cross_the_conversion_block) {
    enum { N = 1000 };
    int32_t x[N];
    double y[N];
    for (int k = 0; k < N; ++k) x[k] = k * 7 - 3000;
    cast_to(SAROS_I32, x, N, SAROS_F32, y);
    for (int k = 0; k < N; ++k) ck_assert_double_eq(y[k], k * 7 - 3000);
}
END_TEST

START_TEST(empty_tensors_copy_and_compare) {
    saros_tensor *a = NULL, *b = NULL;
    double item_;
    ck_ok(saros_tensor_make(SAROS_F64, 2, (int64_t[]){0, 5}, &a));
    ck_ok(saros_tensor_cast(a, SAROS_F32, &b));
    ck_assert_int_eq(saros_tensor_count(b), 0);
    ck_assert(saros_tensor_is_contiguous(a));
    ck_fails(saros_tensor_item(a, &item_), SAROS_ERR_SHAPE);
    ck_fails(saros_tensor_get(a, (int64_t[]){0, 0}, &item_), SAROS_ERR_DOMAIN);
    saros_tensor_release(a);
    saros_tensor_release(b);
}
END_TEST

START_TEST(opaque_tensors_give_their_payload_to_their_class_only) {
    static const saros_opaque_class other = {"other", NULL};
    double *payload = malloc(sizeof *payload);
    saros_tensor *t = NULL;
    atomic_store(&boxes, 1);
    ck_ok(saros_tensor_opaque(&box_class, payload, &t));
    ck_assert_ptr_eq(saros_tensor_payload(t, &box_class), payload);
    ck_assert_ptr_null(saros_tensor_payload(t, &other));
    ck_fails(saros_tensor_assign(t, t), SAROS_ERR_TYPE);
    saros_tensor_release(t);
    ck_assert_int_eq(atomic_load(&boxes), 0);
}
END_TEST

START_TEST(promotion_is_symmetric_and_as_in_numpy) {
    ck_assert_int_eq(saros_dtype_promote(SAROS_I64, SAROS_F32), SAROS_F64);
    ck_assert_int_eq(saros_dtype_promote(SAROS_BOOL, SAROS_I32), SAROS_I32);
    ck_assert_int_eq(saros_dtype_promote(SAROS_BOOL, SAROS_F32), SAROS_F32);
    for (int a = 0; a < SAROS_OPAQUE; ++a)
        for (int b = 0; b < SAROS_OPAQUE; ++b) {
            saros_dtype x = (saros_dtype)a, y = (saros_dtype)b;
            ck_assert_int_eq(saros_dtype_promote(x, y), saros_dtype_promote(y, x));
            ck_assert_int_eq(saros_dtype_promote(x, x), x);
        }
}
END_TEST

START_TEST(types_print_with_shape) {
    char text[64];
    saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){3, 4});
    ck_assert_str_eq(saros_type_text(&type, text, sizeof text), "f64[3,4]");
    type = saros_type_scalar(SAROS_BOOL);
    ck_assert_str_eq(saros_type_text(&type, text, sizeof text), "bool");
    type = saros_type_make(SAROS_F64, 3, (int64_t[]){100000, 100000, 100000});
    saros_type_text(&type, text, 8);
    ck_assert_uint_lt(strlen(text), 8);
}
END_TEST

/* Around 4, 8, 32 and 512, where blocks and tiles end; elements of 8, 4 and 1 bytes. */
START_TEST(transposed_copies_have_every_element_in_its_place) {
    static const int64_t extent[] = {1, 3, 4, 7, 8, 13, 31, 33, 100, 511, 512, 517, 1100};
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_I32, SAROS_BOOL};
    enum { EXTENTS = sizeof extent / sizeof *extent };
    for (int d = 0; d < 3; ++d)
        for (int k = 0; k < EXTENTS * EXTENTS; ++k) {
            const int64_t m = extent[k / EXTENTS], n = extent[k % EXTENTS];
            const size_t bytes = saros_dtype_bytes(dtypes[d]);
            saros_tensor *a = NULL, *turned = NULL, *b = NULL;
            ck_ok(saros_tensor_make(dtypes[d], 2, (int64_t[]){m, n}, &a));
            char *from = saros_tensor_data(a);
            for (int64_t i = 0; i < m * n; ++i) {
                const uint64_t word = bytes == 1 ? (uint64_t)(i * i % 7 < 3) : (uint64_t)i;
                memcpy(from + (size_t)i * bytes, &word, bytes); /* little end first */
            }
            ck_ok(saros_tensor_view(a, 2, (int64_t[]){n, m}, (int64_t[]){1, n}, 0, &turned));
            ck_ok(saros_tensor_contiguous(turned, &b));
            const char *to = saros_tensor_const_data(b);
            int64_t wrong = 0;
            for (int64_t i = 0; i < m; ++i)
                for (int64_t j = 0; j < n; ++j)
                    wrong += memcmp(to + (size_t)(j * m + i) * bytes,
                                    from + (size_t)(i * n + j) * bytes, bytes) != 0;
            ck_assert_int_eq(wrong, 0);
            saros_tensor_release(a);
            saros_tensor_release(turned);
            saros_tensor_release(b);
        }
}
END_TEST

SAROS_TEST_MAIN("core/tensor", a_made_tensor_is_row_major_and_aligned, a_view_outlives_its_base,
                a_wrapped_array_is_released_with_its_last_view,
                assign_follows_strides_of_both_sides,
                transposed_copies_have_every_element_in_its_place,
                casts_truncate_saturate_and_keep_large_integers,
                long_casts_cross_the_conversion_block, empty_tensors_copy_and_compare,
                opaque_tensors_give_their_payload_to_their_class_only,
                promotion_is_symmetric_and_as_in_numpy, types_print_with_shape)
