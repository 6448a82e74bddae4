/** The biharmonic operator and weighted second-order operators on functions of which they are
 * known, against nested jets, and their cost in dots. */
#include "autodiff/graph_run.h"

enum { POINTS = 4, WIDEST = 6 };

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
    run_state = 5;
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

static saros_value coordinate(const cloud *c, int a) {
    return saros_reshape(saros_slice(c->x, 1, a, a + 1, 1), 1, (int64_t[]){POINTS});
}

static saros_value constant(const cloud *c, int64_t rows, int64_t columns, double lo, double hi) {
    saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){rows, columns});
    saros_tensor *tensor = run_tensor(&type, lo, hi);
    saros_value v = saros_constant(c->graph, tensor);
    saros_tensor_release(tensor);
    return v;
}

/** Unit vector of axis a in every row. */
static saros_value axis(const cloud *c, int a) {
    double unit[WIDEST] = {0};
    unit[a] = 1;
    saros_tensor *row = run_from(1, (int64_t[]){c->d}, unit);
    saros_value v =
        saros_broadcast(saros_constant(c->graph, row), 2, (int64_t[]){POINTS, c->d}, NULL);
    saros_tensor_release(row);
    return v;
}

static saros_value along(const cloud *c, saros_value y, int a) {
    saros_value v = axis(c, a), tangent;
    saros_jvp(1, &y, 1, &c->x, &v, &tangent);
    return saros_instantiate(tangent, y);
}

/** sum_ij d_i d_i d_j d_j y by jvp of jvp of jvp of jvp. */
static saros_value nested(const cloud *c, saros_value y) {
    saros_value sum = saros_zeros_like(y);
    for (int i = 0; i < c->d; ++i)
        for (int j = 0; j < c->d; ++j)
            sum = saros_add(sum, along(c, along(c, along(c, along(c, y, i), i), j), j));
    return sum;
}

static void same(const cloud *c, saros_value a, saros_value b, double tolerance) {
    ck_assert_msg(saros_graph_status(c->graph) == SAROS_OK, "%s", saros_error_last()->message);
    double *x = run_one(1, &c->x, &c->at, a), *y = run_one(1, &c->x, &c->at, b);
    int64_t n = saros_type_count(saros_value_type(b));
    double scale = run_norm(n, y) + 1e-3;
    ck_assert_msg(run_distance(n, x, y) <= tolerance * scale, "off by %.3g (%.15g, %.15g)",
                  run_distance(n, x, y) / scale, x[0], y[0]);
    saros_release(x);
    saros_release(y);
}

static saros_value network(const cloud *c) {
    const int64_t wide[4] = {c->d, 7, 6, 2};
    saros_value h = c->x;
    for (int layer = 0; layer < 3; ++layer) {
        h = saros_matmul(h, constant(c, wide[layer], wide[layer + 1], -1, 1));
        if (layer < 2) h = saros_tanh(h);
    }
    return h;
}

START_TEST(exponentials_are_eigenfunctions) {
    for (int d = 1; d <= WIDEST; ++d) {
        cloud c = cloud_open(d);
        double wave[WIDEST], k2 = 0;
        for (int a = 0; a < d; ++a) {
            wave[a] = run_random(-1, 1);
            k2 += wave[a] * wave[a];
        }
        saros_tensor *row = run_from(2, (int64_t[]){d, 1}, wave);
        saros_value u = saros_exp(saros_matmul(c.x, saros_constant(c.graph, row)));
        saros_tensor_release(row);
        same(&c, saros_biharmonic(u, c.x), saros_mul(saros_like(u, k2 * k2), u), 1e-13);
        cloud_close(&c);
    }
}
END_TEST

/* Lap^2 r^4 = 8 d (d + 2); x^2 y^2 + x y z^2 / 2 gives 8. */
START_TEST(polynomials) {
    for (int d = 1; d <= WIDEST; ++d) {
        cloud c = cloud_open(d);
        saros_value r2 = saros_sum(saros_mul(c.x, c.x), 2), u = saros_mul(r2, r2);
        same(&c, saros_biharmonic(u, c.x), saros_like(u, 8 * d * (d + 2)), 1e-13);
        cloud_close(&c);
    }
    cloud c = cloud_open(3);
    saros_value x = coordinate(&c, 0), y = coordinate(&c, 1), z = coordinate(&c, 2);
    saros_value u = saros_add(saros_power(saros_mul(x, y), 2),
                              saros_mul(saros_mul(x, y), saros_mul(z, saros_mul(z, z))));
    same(&c, saros_biharmonic(u, c.x), saros_like(u, 8), 1e-13);
    cloud_close(&c);
}
END_TEST

START_TEST(it_agrees_with_nested_derivatives) {
    for (int d = 1; d <= WIDEST; ++d) {
        cloud c = cloud_open(d);
        saros_value h = network(&c);
        saros_value first = coordinate(&c, 0), last = coordinate(&c, d - 1);
        saros_value u[] = {
            h, saros_mul(saros_sin(first), saros_exp(saros_mul(last, first))),
            saros_sqrt(saros_add(saros_like(first, 4), saros_mul(first, last))),
            saros_sum(saros_mul(saros_sigmoid(h),
                                saros_matmul(saros_sin(c.x), constant(&c, d, 2, -1, 1))),
                      2),
            saros_div(saros_cos(last), saros_add(saros_like(first, 3), saros_sin(first)))};
        for (size_t f = 0; f < sizeof u / sizeof *u; ++f)
            same(&c, saros_biharmonic(u[f], c.x), nested(&c, u[f]), 1e-11);
        cloud_close(&c);
    }
}
END_TEST

/** The middle layer multiplies every stream once, the last one the value and the operator. */
START_TEST(a_network_costs_the_closed_set_of_dots) {
    for (int d = 2; d <= 5; ++d) {
        cloud c = cloud_open(d);
        saros_value h = network(&c), both[2] = {h, saros_biharmonic(h, c.x)};
        int closed = 2 + 2 * d + d * (d + 1) / 2;
        ck_assert_int_eq(run_count(&saros_row_dot, 2, both), (1 + d) + closed + 2);
        saros_value two[2] = {h, saros_laplacian(saros_laplacian(h, c.x), c.x)};
        ck_assert_int_lt(run_count(&saros_row_dot, 2, both), run_count(&saros_row_dot, 2, two));
        cloud_close(&c);
    }
}
END_TEST

START_TEST(its_gradient_by_a_parameter_is_right) {
    cloud c = cloud_open(2);
    saros_value in[2] = {c.x, saros_input(c.graph, saros_value_type(network(&c)), "w")};
    saros_tensor *at[2] = {c.at, run_tensor(saros_value_type(in[1]), -1, 1)};
    saros_value u = saros_tanh(saros_mul(network(&c), in[1])), b = saros_biharmonic(u, c.x);
    saros_value j = saros_sum(saros_mul(b, b), saros_all_axes(b));
    saros_gradient_report report;
    ck_ok(saros_check_gradient(j, 2, in, 2, in, at, 3, &report));
    ck_assert(report.passed);
    saros_tensor_release(at[1]);
    cloud_close(&c);
}
END_TEST

/* ---- weighted operators ---- */

/** sum_ij a_ij d_i d_j y by jvp of jvp, a_ij one number a row (n) or everywhere. */
START_TEST(weighted_operators_agree_with_nested_derivatives) {
    for (int rows = 0; rows < 2; ++rows)
        for (int r = 1; r <= 4; ++r) {
            cloud c = cloud_open(3);
            saros_value h = network(&c), sigma = constant(&c, 3, r, -1, 1), sum = SAROS_NONE;
            if (rows) { /* another sigma in each row, made from x */
                const int64_t shape[3] = {POINTS, 3, r};
                saros_value weight =
                    saros_broadcast(saros_sin(coordinate(&c, 1)), 3, shape, (int[]){0});
                sigma = saros_mul(saros_broadcast(sigma, 3, shape, (int[]){1, 2}), weight);
            }
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j) {
                    saros_value a = saros_slice(sigma, rows, i, i + 1, 1);
                    saros_value b = saros_slice(sigma, rows, j, j + 1, 1);
                    saros_value weight = saros_sum(saros_mul(a, b), rows ? 6 : 3);
                    saros_value second = along(&c, along(&c, h, i), j);
                    weight =
                        rows ? saros_broadcast(weight, 2, saros_value_type(h)->shape, (int[]){0})
                             : weight;
                    saros_value term = saros_mul(weight, second);
                    sum = saros_is_none(sum) ? term : saros_add(sum, term);
                }
            same(&c, saros_second_order(h, c.x, saros_stop_gradient(sigma)), sum, 1e-12);
            cloud_close(&c);
        }
}
END_TEST

START_TEST(unit_sigma_is_the_laplacian_in_every_bit) {
    cloud c = cloud_open(4);
    double unit[16] = {0};
    for (int a = 0; a < 4; ++a) unit[5 * a] = 1;
    saros_tensor *identity = run_from(2, (int64_t[]){4, 4}, unit);
    saros_value h = network(&c), sigma = saros_constant(c.graph, identity);
    same(&c, saros_second_order(h, c.x, sigma), saros_laplacian(h, c.x), 0);
    saros_tensor_release(identity);
    cloud_close(&c);
}
END_TEST

START_TEST(wrong_shapes_are_refused) {
    cloud c = cloud_open(2);
    ck_assert(saros_is_poisoned(saros_second_order(network(&c), c.x, constant(&c, 3, 2, 0, 1))));
    ck_fails(saros_graph_status(c.graph), SAROS_ERR_SHAPE);
    cloud_close(&c);
    c = cloud_open(2);
    ck_assert(saros_is_poisoned(saros_biharmonic(saros_sum(c.x, saros_all_axes(c.x)), c.x)));
    ck_fails(saros_graph_status(c.graph), SAROS_ERR_SHAPE);
    cloud_close(&c);
}
END_TEST

SAROS_TEST_MAIN("autodiff/biharmonic", exponentials_are_eigenfunctions, polynomials,
                it_agrees_with_nested_derivatives, a_network_costs_the_closed_set_of_dots,
                its_gradient_by_a_parameter_is_right,
                weighted_operators_agree_with_nested_derivatives,
                unit_sigma_is_the_laplacian_in_every_bit, wrong_shapes_are_refused)
