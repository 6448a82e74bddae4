/** The collapsed Laplacian on functions whose Laplacian is known, against the trace of the Hessian,
 * and its cost in dots. */
#include "autodiff/graph_run.h"

enum { POINTS = 4 };

typedef struct cloud {
    saros_graph *graph;
    saros_value x;
    saros_tensor *at;
    double *point;
    int d;
} cloud;

static cloud cloud_open(int d) {
    cloud c = {.d = d};
    ck_ok(saros_graph_make(&c.graph));
    saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){POINTS, d});
    run_state = 11;
    c.x = saros_input(c.graph, &type, "x");
    c.at = run_tensor(&type, -1, 1);
    c.point = run_read(c.at);
    return c;
}

static void cloud_close(cloud *c) {
    saros_release(c->point);
    saros_tensor_release(c->at);
    saros_graph_release(c->graph);
}

/** Coordinate a, shape (n). */
static saros_value coordinate(const cloud *c, int a) {
    return saros_reshape(saros_slice(c->x, 1, a, a + 1, 1), 1, (int64_t[]){POINTS});
}

static double *run(const cloud *c, saros_value v) {
    return run_one(1, &c->x, &c->at, v);
}

/** Sum over axes of second derivatives, one jet of order 2 for each. */
static saros_value trace(const cloud *c, saros_value y) {
    saros_value sum = SAROS_NONE;
    for (int a = 0; a < c->d; ++a) {
        double unit[8] = {0};
        unit[a] = 1;
        saros_tensor *row = run_from(1, (int64_t[]){c->d}, unit);
        saros_value in[2] = {
            saros_broadcast(saros_constant(c->graph, row), 2, (int64_t[]){POINTS, c->d}, NULL),
            SAROS_NONE};
        saros_value out[2];
        saros_jet(1, &y, 1, &c->x, 2, in, out);
        saros_tensor_release(row);
        if (saros_is_none(out[1])) continue;
        saros_value twice = saros_mul(saros_like(out[1], 2), out[1]);
        sum = saros_is_none(sum) ? twice : saros_add(sum, twice);
    }
    return saros_instantiate(sum, y);
}

static void same(const cloud *c, saros_value a, saros_value b, double tolerance) {
    ck_assert_msg(saros_graph_status(c->graph) == SAROS_OK, "%s", saros_error_last()->message);
    double *x = run(c, a), *y = run(c, b);
    int64_t n = saros_type_count(saros_value_type(a));
    for (int64_t k = 0; k < n; ++k) ck_near(x[k], y[k], tolerance);
    saros_release(x);
    saros_release(y);
}

START_TEST(harmonic_polynomials_have_laplacian_zero) {
    cloud c = cloud_open(3);
    saros_value x = coordinate(&c, 0), y = coordinate(&c, 1), z = coordinate(&c, 2);
    saros_value u =
        saros_sub(saros_power(x, 3), saros_mul(saros_like(x, 3), saros_mul(x, saros_mul(y, y))));
    u = saros_add(u, saros_sub(saros_mul(x, saros_mul(y, z)), saros_mul(z, z)));
    u = saros_add(u, saros_mul(x, x));
    double *got = run(&c, saros_laplacian(u, c.x));
    for (int k = 0; k < POINTS; ++k) ck_near(got[k], 0.0, 1e-14);
    saros_release(got);
    cloud_close(&c);
}
END_TEST

START_TEST(biharmonic_of_r_to_the_fourth_by_two_laplacians) {
    cloud c = cloud_open(2);
    saros_value r2 = saros_sum(saros_mul(c.x, c.x), 2), u = saros_mul(r2, r2);
    saros_value first = saros_laplacian(u, c.x); /* 16 r^2 */
    double *a = run(&c, first), *b = run(&c, saros_laplacian(first, c.x));
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
    cloud c = cloud_open(3);
    const double wave[3] = {1.5, -0.5, 2};
    saros_tensor *row = run_from(2, (int64_t[]){3, 1}, wave);
    saros_value phase = saros_matmul(c.x, saros_constant(c.graph, row));
    saros_value u[4] = {saros_exp(phase), saros_sin(phase), saros_cosh(phase), saros_erf(phase)};
    const double k2 = 1.5 * 1.5 + 0.25 + 4;
    double *at = run(&c, phase);
    for (int f = 0; f < 4; ++f) {
        double *got = run(&c, saros_laplacian(u[f], c.x));
        for (int k = 0; k < POINTS; ++k) {
            double p = at[k],
                   second[4] = {exp(p), -sin(p), cosh(p), -4 * p * exp(-p * p) / sqrt(acos(-1.0))};
            ck_near(got[k], k2 * second[f], 1e-13);
        }
        saros_release(got);
    }
    saros_release(at);
    saros_tensor_release(row);
    cloud_close(&c);
}
END_TEST

START_TEST(every_kind_of_row_agrees_with_the_trace_of_the_hessian) {
    cloud c = cloud_open(3);
    saros_value x = coordinate(&c, 0), y = coordinate(&c, 1), z = coordinate(&c, 2);
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
        same(&c, saros_laplacian(u[f], c.x), trace(&c, u[f]), 1e-13);
    saros_value flat = saros_scalar(c.graph, SAROS_F64, 2);
    flat = saros_broadcast(flat, 1, (int64_t[]){POINTS}, NULL);
    double *zero =
        run(&c, saros_add(saros_laplacian(flat, c.x), saros_mul(x, saros_zeros_like(x))));
    ck_near(zero[0], 0.0, 0);
    saros_release(zero);
    cloud_close(&c);
}
END_TEST

START_TEST(a_network_costs_d_plus_two_dots_a_layer) {
    for (int d = 1; d <= 5; ++d) {
        cloud c = cloud_open(d);
        const int64_t wide[4] = {d, 8, 8, 2};
        saros_value h = c.x;
        for (int layer = 0; layer < 3; ++layer) {
            saros_type type =
                saros_type_make(SAROS_F64, 2, (int64_t[]){wide[layer], wide[layer + 1]});
            saros_tensor *w = run_tensor(&type, -1, 1);
            h = saros_matmul(h, saros_constant(c.graph, w));
            if (layer < 2) h = saros_tanh(h);
            saros_tensor_release(w);
        }
        saros_value both[2] = {h, saros_laplacian(h, c.x)};
        /* Layer 1: value and d directions; the Laplacian starts at zero. The last layer: value and
         * Laplacian alone are asked for. */
        ck_assert_int_eq(run_count(&saros_row_dot, 2, both), (1 + d) + (2 + d) + 2);
        same(&c, both[1], trace(&c, h), 1e-12);
        cloud_close(&c);
    }
}
END_TEST

START_TEST(shapes_that_are_no_rows_are_refused) {
    cloud c = cloud_open(2);
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
