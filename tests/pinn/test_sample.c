/** Points in the unit cube: equidistribution of Sobol points, seeds, grids, errors. */
#include "saros_check.h"

#include <string.h>

#include "saros/pinn.h"

static const double *points(const char *sampler, int64_t seed, int64_t n, int d,
                            saros_tensor **tensor) {
    ck_ok(saros_sample(sampler, seed, n, d, tensor));
    ck_assert_int_eq(saros_tensor_rank(*tensor), 2);
    ck_assert_int_eq(saros_tensor_shape(*tensor)[0], n);
    ck_assert_int_eq(saros_tensor_shape(*tensor)[1], d);
    const double *x = saros_tensor_const_data(*tensor);
    for (int64_t i = 0; i < n * d; ++i) ck_assert(x[i] > 0 && x[i] < 1);
    return x;
}

/** Largest | share of points in [0, a) x [0, b) - a b | over a lattice of corners. */
static double discrepancy(const double *x, int n, int d, int p, int q) {
    double worst = 0;
    for (int a = 1; a <= 32; ++a)
        for (int b = 1; b <= 32; ++b) {
            int inside = 0;
            for (int i = 0; i < n; ++i)
                inside += x[i * d + p] < a / 32.0 && x[i * d + q] < b / 32.0;
            worst = fmax(worst, fabs(inside / (double)n - a * b / 1024.0));
        }
    return worst;
}

START_TEST(the_first_two_sobol_dimensions_are_a_net) {
    /* (0, m, 2)-net: each elementary interval of area 2^-8 holds exactly one of 2^8 points, and a
     * digital shift keeps this. */
    saros_tensor *t;
    const double *x = points("sobol", 3, 256, 2, &t);
    for (int p = 0; p <= 8; ++p) {
        int count[256] = {0};
        const int across = 1 << p, up = 1 << (8 - p);
        for (int i = 0; i < 256; ++i)
            ++count[(int)(x[2 * i] * across) * up + (int)(x[2 * i + 1] * up)];
        for (int k = 0; k < 256; ++k) ck_assert_int_eq(count[k], 1);
    }
    saros_tensor_release(t);
}
END_TEST

START_TEST(every_sobol_dimension_is_stratified) {
    saros_tensor *t;
    const double *x = points(NULL, 0, 1024, 10, &t);
    for (int axis = 0; axis < 10; ++axis) {
        int count[1024] = {0};
        for (int i = 0; i < 1024; ++i) ++count[(int)(x[10 * i + axis] * 1024)];
        for (int k = 0; k < 1024; ++k) ck_assert_int_eq(count[k], 1);
    }
    saros_tensor_release(t);
}
END_TEST

START_TEST(sobol_pairs_have_lower_discrepancy_than_uniform) {
    saros_tensor *s, *u;
    const double *a = points("sobol", 1, 1024, 6, &s), *b = points("uniform", 1, 1024, 6, &u);
    double sobol = 0, uniform = 0;
    for (int p = 0; p < 6; ++p)
        for (int q = 0; q < p; ++q) {
            sobol += discrepancy(a, 1024, 6, p, q);
            uniform += discrepancy(b, 1024, 6, p, q);
        }
    ck_assert_msg(sobol < 0.4 * uniform, "sobol %g, uniform %g", sobol, uniform);
    saros_tensor_release(s);
    saros_tensor_release(u);
}
END_TEST

START_TEST(a_seed_gives_its_own_points_and_always_the_same) {
    const char *const sampler[] = {"sobol", "uniform"};
    for (int k = 0; k < 2; ++k) {
        saros_tensor *t[3];
        const double *a = points(sampler[k], 5, 64, 3, &t[0]);
        const double *b = points(sampler[k], 5, 64, 3, &t[1]);
        const double *c = points(sampler[k], 6, 64, 3, &t[2]);
        ck_assert(!memcmp(a, b, 192 * sizeof *a));
        for (int i = 0; i < 192; ++i) ck_assert(a[i] != c[i]);
        for (int j = 0; j < 3; ++j) saros_tensor_release(t[j]);
    }
}
END_TEST

START_TEST(a_grid_is_made_of_midpoints) {
    saros_tensor *t;
    const double *x = points("grid", 0, 9, 2, &t);
    for (int i = 0; i < 9; ++i) {
        ck_near(x[2 * i], (i / 3 + 0.5) / 3, 1e-15);
        ck_near(x[2 * i + 1], (i % 3 + 0.5) / 3, 1e-15);
    }
    saros_tensor_release(t);
    const double *y = points("grid", 0, 10, 2, &t); /* 16 cells, 10 of them, all quarters reached */
    int quarter[4] = {0};
    for (int i = 0; i < 10; ++i) ++quarter[(y[2 * i] > 0.5) * 2 + (y[2 * i + 1] > 0.5)];
    for (int k = 0; k < 4; ++k) ck_assert(quarter[k] >= 2);
    saros_tensor_release(t);
}
END_TEST

START_TEST(what_cannot_be_sampled_is_an_error) {
    saros_tensor *t = NULL;
    ck_fails(saros_sample("sobel", 0, 8, 2, &t), SAROS_ERR_USAGE);
    ck_assert(strstr(saros_error_last()->message, "\"sobol\""));
    ck_fails(saros_sample("sobol", 0, 8, 11, &t), SAROS_ERR_UNSUPPORTED);
    ck_fails(saros_sample("uniform", 0, -1, 2, &t), SAROS_ERR_DOMAIN);
    ck_assert_ptr_null(t);
}
END_TEST

SAROS_TEST_MAIN("pinn/sample", the_first_two_sobol_dimensions_are_a_net,
                every_sobol_dimension_is_stratified,
                sobol_pairs_have_lower_discrepancy_than_uniform,
                a_seed_gives_its_own_points_and_always_the_same, a_grid_is_made_of_midpoints,
                what_cannot_be_sampled_is_an_error)
