/** Fourier transforms against the defining sums, odd and even lengths, both dtypes, views, and
 * there and back. Tolerances: eps log2(n) times the size of the numbers, with room. */
#include <pthread.h>

#include "core/primitive_run.h"

static const int64_t lengths[] = {1, 2, 3, 4, 5, 8, 15, 16, 97};
enum { LENGTHS = sizeof lengths / sizeof *lengths, ROWS = 3 };

static int part;
static saros_value build_rfft(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value y[2];
    saros_rfft(x[0], &y[0], &y[1]);
    return y[part];
}
static bool inverse_now;
static saros_value build_fft(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value y[2];
    saros_fft(x[0], x[1], inverse_now, &y[0], &y[1]);
    return y[part];
}

/** Part of sum_j (re + i im)_j exp(sign 2 pi i jk/n) of row r; im may be NULL. */
static double direct(const saros_tensor *re, const saros_tensor *im, int64_t r, int64_t n,
                     int64_t k, double sign) {
    long double sum[2] = {0, 0};
    for (int64_t j = 0; j < n; ++j) {
        long double angle = sign * 2 * M_PI * (double)(j * k % n) / (double)n;
        double a = run_item(re, r * n + j), b = im ? run_item(im, r * n + j) : 0;
        sum[0] += a * cosl(angle) - b * sinl(angle);
        sum[1] += a * sinl(angle) + b * cosl(angle);
    }
    return (double)sum[part];
}

START_TEST(rfft_is_the_defining_sum) {
    int64_t n = lengths[_i];
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype)
        for (part = 0; part < 2; ++part) {
            saros_tensor *x =
                run_transposed(run_random((saros_dtype)dtype, 2, SHAPE(n, ROWS), -1, 1, 3));
            saros_tensor *y = run(build_rfft, 1, &x);
            run_has_shape(y, 2, SHAPE(ROWS, n / 2 + 1));
            for (int64_t r = 0; r < ROWS; ++r)
                for (int64_t k = 0; k <= n / 2; ++k)
                    ck_near(run_item(y, r * (n / 2 + 1) + k), direct(x, NULL, r, n, k, -1),
                            dtype == SAROS_F64 ? 2e-14 : 1e-5);
            saros_tensor_release(x);
            saros_tensor_release(y);
        }
}
END_TEST

START_TEST(fft_and_its_inverse_are_the_defining_sums) {
    int64_t n = lengths[_i];
    for (int way = 0; way < 2; ++way)
        for (part = 0; part < 2; ++part) {
            saros_tensor *x[] = {run_random(SAROS_F64, 2, SHAPE(ROWS, n), -1, 1, 3),
                                 run_random(SAROS_F64, 2, SHAPE(ROWS, n), -1, 1, 4)};
            inverse_now = way;
            saros_tensor *y = run(build_fft, 2, x);
            for (int64_t r = 0; r < ROWS; ++r)
                for (int64_t k = 0; k < n; ++k)
                    ck_near(run_item(y, r * n + k),
                            direct(x[0], x[1], r, n, k, way ? 1 : -1) / (way ? (double)n : 1),
                            2e-14);
            run_release(2, x);
            saros_tensor_release(y);
        }
}
END_TEST

static saros_value build_round_trip(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value re, im;
    saros_rfft(x[0], &re, &im);
    const saros_type *type = saros_value_type(x[0]);
    return saros_irfft(re, im, type->shape[type->rank - 1]);
}
START_TEST(irfft_undoes_rfft) {
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype) {
        saros_tensor *x = run_random((saros_dtype)dtype, 2, SHAPE(ROWS, lengths[_i]), -1, 1, 3);
        saros_tensor *y = run(build_round_trip, 1, &x);
        for (int64_t i = 0; i < ROWS * lengths[_i]; ++i)
            ck_near(run_item(y, i), run_item(x, i), dtype == SAROS_F64 ? 1e-15 : 1e-6);
        saros_tensor_release(x);
        saros_tensor_release(y);
    }
}
END_TEST

static saros_value build_irfft(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_irfft(x[0], x[1], 4);
}
START_TEST(irfft_ignores_imaginary_parts_that_reals_cannot_have) {
    saros_tensor *x[] = {run_tensor(SAROS_F64, 1, SHAPE(3), (const double[]){4, 0, 0}),
                         run_tensor(SAROS_F64, 1, SHAPE(3), (const double[]){7, 0, 7})};
    saros_tensor *y = run(build_irfft, 2, x);
    run_holds(y, 4, (const double[]){1, 1, 1, 1});
    run_release(2, x);
    saros_tensor_release(y);
}
END_TEST

/** Each thread transforms lengths that the others are planning. */
static void *transform_many(void *failures) {
    for (int64_t n = 20; n < 60; ++n) {
        saros_tensor *x = NULL, *y[2] = {NULL, NULL};
        double data[60] = {1};
        saros_attributes none = {0};
        bool ok = saros_tensor_from(SAROS_F64, 1, &n, data, &x) == SAROS_OK &&
                  saros_apply(&saros_row_rfft, &none, 1, &x, y) == SAROS_OK;
        for (int64_t k = 0; ok && k <= n / 2; ++k)
            ok = fabs(((const double *)saros_tensor_const_data(y[0]))[k] - 1) < 1e-14;
        if (!ok) *(int *)failures += 1;
        saros_tensor_release(x);
        saros_tensor_release(y[0]);
        saros_tensor_release(y[1]);
    }
    return NULL;
}
START_TEST(threads_share_plans) {
    pthread_t thread[4];
    int failures[4] = {0};
    for (int k = 0; k < 4; ++k)
        ck_assert_int_eq(pthread_create(&thread[k], NULL, transform_many, &failures[k]), 0);
    for (int k = 0; k < 4; ++k) {
        pthread_join(thread[k], NULL);
        ck_assert_int_eq(failures[k], 0);
    }
}
END_TEST

START_TEST(lengths_that_do_not_fit_are_named) {
    saros_type types[] = {saros_type_make(SAROS_F64, 1, SHAPE(5)),
                          saros_type_make(SAROS_F64, 1, SHAPE(5))};
    ck_assert_str_eq(run_message(build_irfft, 2, types, SAROS_ERR_SHAPE),
                     "5 frequencies do not give 4 reals");
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_fft", {rfft_is_the_defining_sum, LENGTHS},
                 {fft_and_its_inverse_are_the_defining_sums, LENGTHS}, {irfft_undoes_rfft, LENGTHS},
                 {irfft_ignores_imaginary_parts_that_reals_cannot_have, 1},
                 {threads_share_plans, 1}, {lengths_that_do_not_fit_are_named, 1})
