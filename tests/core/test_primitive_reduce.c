/** Reductions, running sums and contractions against sums written out in long double, over every
 * set of axes and awkward layouts. */
#include "core/primitive_run.h"

static uint32_t axes_now;

/** sum of x over axes_now at an index of the kept axes, by brute force. */
static double naive_sum(const saros_tensor *x, const int64_t *kept) {
    int64_t index[SAROS_MAX_RANK] = {0};
    int rank = saros_tensor_rank(x);
    long double sum = 0;
    if (saros_tensor_count(x) > 0) do {
            bool here = true;
            for (int a = 0, k = 0; a < rank; ++a)
                if (!(axes_now >> a & 1)) here &= index[a] == kept[k++];
            if (here) sum += (long double)run_at(x, rank, index);
        } while (run_next(x, index));
    return (double)sum;
}

static saros_value build_sum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sum(x[0], axes_now);
}
START_TEST(sum_over_every_set_of_axes) {
    static const int64_t shapes[][3] = {{5, 7, 9}, {130, 3, 2}, {2, 70, 5}, {3, 0, 2}, {1, 33, 1}};
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_BOOL, SAROS_I32};
    saros_dtype dtype = dtypes[_i % 5];
    const int64_t *shape = shapes[_i / 5 % 5];
    for (int layout = 0; layout < 2; ++layout)
        for (axes_now = 0; axes_now < 8; ++axes_now) {
            saros_tensor *x = run_random(dtype, 3, shape, -3, 3, 2);
            if (layout) x = run_transposed(x);
            saros_tensor *y = run(build_sum, 1, &x);
            int64_t index[SAROS_MAX_RANK] = {0};
            if (saros_tensor_count(y) > 0) do
                    ck_near(run_at(y, saros_tensor_rank(y), index), naive_sum(x, index),
                            dtype == SAROS_F32 ? 1e-5 : 1e-13);
                while (run_next(y, index));
            saros_tensor_release(x);
            saros_tensor_release(y);
        }
}
END_TEST

START_TEST(long_sums_keep_their_digits) {
    static const int64_t shapes[][2] = {{100003, 1}, {1, 100003}, {10007, 20}, {3001, 300}};
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype)
        for (int s = 0; s < 4; ++s) {
            saros_tensor *x = run_random((saros_dtype)dtype, 2, shapes[s], 0, 1, 7);
            int64_t n = saros_tensor_count(x), columns = shapes[s][1];
            long double all = 0, first = 0;
            for (int64_t i = 0; i < n; ++i) {
                long double item = dtype == SAROS_F64
                                       ? ((const double *)saros_tensor_const_data(x))[i]
                                       : ((const float *)saros_tensor_const_data(x))[i];
                all += item;
                if (i % columns == 0) first += item;
            }
            double eps = dtype == SAROS_F64 ? 0x1p-53 : 0x1p-24; /* tree: a few units */
            axes_now = 3;
            saros_tensor *y = run(build_sum, 1, &x);
            ck_near(run_item(y, 0) / (double)all, 1.0, 24 * eps);
            saros_tensor_release(y);
            axes_now = 1;
            y = run(build_sum, 1, &x);
            ck_near(run_item(y, 0) / (double)first, 1.0, 48 * eps);
            saros_tensor_release(y);
            saros_tensor_release(x);
        }
}
END_TEST

static saros_value build_mean(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_mean(x[0], 2);
}
START_TEST(mean_of_integers_is_a_float) {
    saros_tensor *x = run_tensor(SAROS_I64, 2, SHAPE(2, 2), (const double[]){1, 2, 3, 8});
    saros_tensor *y = run(build_mean, 1, &x);
    run_holds(y, 2, (const double[]){1.5, 5.5});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_max(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_max(x[0], axes_now);
}
static saros_value build_min(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_min(x[0], axes_now);
}
START_TEST(max_and_min_propagate_nan_along_any_axis) {
    const double data[] = {1, 5, -2, NAN, 0, 7, 3, 2, 2};
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype) {
        saros_tensor *x = run_tensor((saros_dtype)dtype, 2, SHAPE(3, 3), data);
        for (axes_now = 1; axes_now < 3; ++axes_now) {
            saros_tensor *most = run(build_max, 1, &x), *least = run(build_min, 1, &x);
            const double highest[2][3] = {{NAN, 5, 7}, {5, NAN, 3}};
            const double lowest[2][3] = {{NAN, 0, -2}, {-2, NAN, 2}};
            for (int i = 0; i < 3; ++i) {
                double a = run_item(most, i), b = run_item(least, i);
                double wanted = highest[axes_now - 1][i], other = lowest[axes_now - 1][i];
                ck_assert(isnan(wanted) ? isnan(a) && isnan(b) : a == wanted && b == other);
            }
            saros_tensor_release(most);
            saros_tensor_release(least);
        }
        saros_tensor_release(x);
    }
}
END_TEST

START_TEST(max_and_min_of_integers) {
    const double data[] = {4, -9, 3, 8};
    for (int dtype = SAROS_I64; dtype <= SAROS_I32; ++dtype) {
        saros_tensor *x = run_tensor((saros_dtype)dtype, 2, SHAPE(2, 2), data);
        axes_now = 3;
        saros_tensor *most = run(build_max, 1, &x), *least = run(build_min, 1, &x);
        ck_assert(run_item(most, 0) == 8 && run_item(least, 0) == -9);
        saros_tensor_release(x);
        saros_tensor_release(most);
        saros_tensor_release(least);
    }
}
END_TEST

static saros_value build_argmax(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_argmax(x[0], -1);
}
START_TEST(argmax_takes_the_lowest_of_equals_and_the_first_nan) {
    const double data[] = {1, 3, 3, 2, 9, NAN, NAN, 4};
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype) {
        saros_tensor *x = run_tensor((saros_dtype)dtype, 2, SHAPE(2, 4), data);
        saros_tensor *y = run(build_argmax, 1, &x);
        ck_assert_int_eq(saros_tensor_dtype(y), SAROS_I64);
        run_holds(y, 2, (const double[]){1, 1});
        saros_tensor_release(x);
        saros_tensor_release(y);
    }
}
END_TEST

static saros_value build_cumsum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_stack(
        2, (saros_value[]){saros_cumsum(x[0], 1, false), saros_cumsum(x[0], 1, true)}, 0);
}
START_TEST(cumsum_runs_both_ways) {
    const double data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int dtype = SAROS_F64; dtype <= SAROS_I64; ++dtype) {
        saros_tensor *x = run_tensor((saros_dtype)dtype, 3, SHAPE(1, 4, 2), data);
        saros_tensor *y = run(build_cumsum, 1, &x);
        run_holds(y, 16, (const double[]){1, 2, 4, 6, 9, 12, 16, 20, 16, 20, 15, 18, 12, 14, 7, 8});
        saros_tensor_release(x);
        saros_tensor_release(y);
    }
}
END_TEST

static saros_value build_logsumexp(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_logsumexp(x[0], 2);
}
START_TEST(logsumexp_neither_overflows_nor_loses_minus_infinity) {
    const double data[] = {1000, 1000, -INFINITY, -INFINITY, 0, log(3)};
    saros_tensor *x = run_tensor(SAROS_F64, 2, SHAPE(3, 2), data);
    saros_tensor *y = run(build_logsumexp, 1, &x);
    ck_near(run_item(y, 0), 1000 + log(2), 1e-15);
    ck_assert(isinf(run_item(y, 1)) && run_item(y, 1) < 0);
    ck_near(run_item(y, 2), log(4), 1e-15);
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

/** product, any, all of everything */
static saros_value build_whole(saros_graph *g, const saros_value *x) {
    const uint32_t axes = saros_all_axes(x[0]);
    (void)g;
    return saros_stack(3,
                       (saros_value[]){saros_prod(x[0], axes),
                                       saros_cast(saros_any(x[0], axes), SAROS_F64),
                                       saros_cast(saros_all(x[0], axes), SAROS_F64)},
                       0);
}
static saros_value build_prod(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_concat(2, (saros_value[]){saros_prod(x[0], 2), saros_prod(x[0], 4)}, 1);
}
START_TEST(products_of_any_length_and_of_nothing) {
    const double data[] = {1, 2, 3, 4, 5, 6, 7, -8, 0.5, 10};
    saros_tensor *x = run_tensor(SAROS_F64, 3, SHAPE(2, 5, 1), data), *y[2] = {NULL};
    saros_tensor *none = run_tensor(SAROS_F64, 3, SHAPE(1, 0, 0), data);
    y[0] = run(build_prod, 1, &x);
    run_holds(y[0], 2 * 6, (const double[]){120, 1, 2, 3, 4, 5, -1680, 6, 7, -8, 0.5, 10});
    y[1] = run(build_whole, 1, &none);
    run_holds(y[1], 3, (const double[]){1, 0, 1});
    saros_tensor_release(x);
    saros_tensor_release(none);
    for (int k = 0; k < 2; ++k) saros_tensor_release(y[k]);
}
END_TEST

static saros_value build_bad_sum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sum(x[0], 8);
}
static saros_value build_empty_argmax(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_argmax(x[0], 1);
}
START_TEST(errors_name_axes) {
    saros_type t = saros_type_make(SAROS_F64, 2, SHAPE(3, 0));
    ck_assert_str_eq(run_message(build_bad_sum, 1, &t, SAROS_ERR_DOMAIN),
                     "axes 0x8 of a value of rank 2");
    ck_assert_str_eq(run_message(build_empty_argmax, 1, &t, SAROS_ERR_SHAPE),
                     "axis 1 has no elements");
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_reduce", {sum_over_every_set_of_axes, 25},
                 {long_sums_keep_their_digits, 1}, {mean_of_integers_is_a_float, 1},
                 {max_and_min_propagate_nan_along_any_axis, 1}, {max_and_min_of_integers, 1},
                 {argmax_takes_the_lowest_of_equals_and_the_first_nan, 1},
                 {cumsum_runs_both_ways, 1},
                 {logsumexp_neither_overflows_nor_loses_minus_infinity, 1},
                 {products_of_any_length_and_of_nothing, 1}, {errors_name_axes, 1})
