/** The collapsed Laplacian on functions whose Laplacian is known, against the trace of the Hessian,
 * and its cost in dots. */
#include "autodiff/cloud.h"

enum { POINTS = 4 };

/** Sum over axes of second derivatives, one jet of order 2 for each. */
static saros_value trace(const cloud *c, saros_value y) {
    saros_value sum = SAROS_NONE;
    for (int a = 0; a < c->d; ++a) {
        saros_value in[2] = {cloud_axis(c, a), SAROS_NONE}, out[2];
        saros_jet(1, &y, 1, &c->x, 2, in, out);
        if (saros_is_none(out[1])) continue;
        saros_value twice = saros_mul(saros_like(out[1], 2), out[1]);
        sum = saros_is_none(sum) ? twice : saros_add(sum, twice);
    }
    return saros_instantiate(sum, y);
}

START_TEST(harmonic_polynomials_have_laplacian_zero) {
    cloud c = cloud_open(POINTS, 3);
    saros_value x = cloud_coordinate(&c, 0), y = cloud_coordinate(&c, 1),
                z = cloud_coordinate(&c, 2);
    saros_value u =
        saros_sub(saros_power(x, 3), saros_mul(saros_like(x, 3), saros_mul(x, saros_mul(y, y))));
    u = saros_add(u, saros_sub(saros_mul(x, saros_mul(y, z)), saros_mul(z, z)));
    u = saros_add(u, saros_mul(x, x));
    double *got = cloud_run(&c, saros_laplacian(u, c.x));
    for (int k = 0; k < POINTS; ++k) ck_near(got[k], 0.0, 1e-14);
    saros_release(got);
    cloud_close(&c);
}
END_TEST

START_TEST(biharmonic_of_r_to_the_fourth_by_two_laplacians) {
    cloud c = cloud_open(POINTS, 2);
    saros_value r2 = saros_sum(saros_mul(c.x, c.x), 2), u = saros_mul(r2, r2);
    saros_value first = saros_laplacian(u, c.x); /* 16 r^2 */
    double *a = cloud_run(&c, first), *b = cloud_run(&c, saros_laplacian(first, c.x));
    for (int k = 0; k < POINTS; ++k) {
        const double *p = c.point + 2 * k;
        ck_near(a[k], 16 * (p[0] * p[0] + p[1] * p[1]), 1e-14);
        ck_near(b[k], 64.0, 1e-14);
    }
    saros_release(a);
    saros_release(b);
    cloud_close(&c);
}
END_TEST

START_TEST(plane_waves_are_eigenfunctions) {
    cloud c = cloud_open(POINTS, 3);
    const double wave[3] = {1.5, -0.5, 2};
    saros_value phase = saros_sum(saros_mul(c.x, cloud_row(&c, wave)), 2);
    saros_value u[4] = {saros_exp(phase), saros_sin(phase), saros_cosh(phase), saros_erf(phase)};
    const double k2 = 1.5 * 1.5 + 0.25 + 4;
    double *at = cloud_run(&c, phase);
    for (int f = 0; f < 4; ++f) {
        double *got = cloud_run(&c, saros_laplacian(u[f], c.x));
        for (int k = 0; k < POINTS; ++k) {
            double p = at[k],
                   second[4] = {exp(p), -sin(p), cosh(p), -4 * p * exp(-p * p) / sqrt(acos(-1.0))};
            ck_near(got[k], k2 * second[f], 1e-13);
        }
        saros_release(got);
    }
    saros_release(at);
    cloud_close(&c);
}
END_TEST

START_TEST(every_kind_of_row_agrees_with_the_trace_of_the_hessian) {
    cloud c = cloud_open(POINTS, 3);
    saros_value x = cloud_coordinate(&c, 0), y = cloud_coordinate(&c, 1),
                z = cloud_coordinate(&c, 2);
    saros_value one = saros_like(x, 1.5);
    saros_value u[] = {
        saros_div(saros_sin(x), saros_add(one, saros_mul(y, z))),
        saros_atan2(saros_add(y, one), saros_add(x, saros_mul(one, one))),
        saros_pow(saros_add(x, one), saros_mul(y, z)),
        saros_tanh(saros_fma(x, y, z)),
        saros_where(saros_lt(x, y), saros_mul(x, saros_exp(y)), saros_sqrt(saros_add(z, one))),
        saros_softplus(saros_logsumexp(c.x, 2)),
        saros_maximum(saros_mul(x, y), saros_sin(z))};
    for (size_t f = 0; f < sizeof u / sizeof *u; ++f)
        cloud_same(&c, saros_laplacian(u[f], c.x), trace(&c, u[f]), 1e-13);
    saros_value flat = saros_scalar(c.graph, SAROS_F64, 2);
    flat = saros_broadcast(flat, 1, (int64_t[]){POINTS}, NULL);
    double *zero =
        cloud_run(&c, saros_add(saros_laplacian(flat, c.x), saros_mul(x, saros_zeros_like(x))));
    ck_near(zero[0], 0.0, 0);
    saros_release(zero);
    cloud_close(&c);
}
END_TEST

START_TEST(a_network_costs_d_plus_two_dots_a_layer) {
    for (int d = 1; d <= 5; ++d) {
        cloud c = cloud_open(POINTS, d);
        saros_value h = cloud_network(&c), both[2] = {h, saros_laplacian(h, c.x)};
        /* Layer 1: value and d directions; the Laplacian starts at zero. The last layer: value and
         * Laplacian alone are asked for. */
        ck_assert_int_eq(run_count(&saros_row_dot, 2, both), (1 + d) + (2 + d) + 2);
        cloud_same(&c, both[1], trace(&c, h), 1e-12);
        cloud_close(&c);
    }
}
END_TEST

START_TEST(shapes_that_are_no_rows_are_refused) {
    cloud c = cloud_open(POINTS, 2);
    saros_value y = saros_sum(c.x, saros_all_axes(c.x));
    ck_assert(saros_is_poisoned(saros_laplacian(y, c.x)));
    ck_fails(saros_graph_status(c.graph), SAROS_ERR_SHAPE);
    cloud_close(&c);
}
END_TEST

SAROS_TEST_MAIN("autodiff/laplacian", harmonic_polynomials_have_laplacian_zero,
                biharmonic_of_r_to_the_fourth_by_two_laplacians, plane_waves_are_eigenfunctions,
                every_kind_of_row_agrees_with_the_trace_of_the_hessian,
                a_network_costs_d_plus_two_dots_a_layer, shapes_that_are_no_rows_are_refused)
