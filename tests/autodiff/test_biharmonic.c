/** The biharmonic operator and weighted second-order operators on functions of which they are
 * known, against nested jets, and their cost in dots. */
#include "autodiff/cloud.h"

enum { POINTS = 4, WIDEST = 6 };

static saros_value along(const cloud *c, saros_value y, int a) {
    saros_value v = cloud_axis(c, a), tangent;
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

START_TEST(exponentials_are_eigenfunctions) {
    for (int d = 1; d <= WIDEST; ++d) {
        cloud c = cloud_open(POINTS, d);
        double wave[WIDEST], k2 = 0;
        for (int a = 0; a < d; ++a) {
            wave[a] = run_random(-1, 1);
            k2 += wave[a] * wave[a];
        }
        saros_value u = saros_exp(saros_sum(saros_mul(c.x, cloud_row(&c, wave)), 2));
        cloud_same(&c, saros_biharmonic(u, c.x), saros_mul(saros_like(u, k2 * k2), u), 1e-13);
        cloud_close(&c);
    }
}
END_TEST

/* Lap^2 r^4 = 8 d (d + 2); x^2 y^2 + x y z^2 / 2 gives 8. */
START_TEST(polynomials) {
    for (int d = 1; d <= WIDEST; ++d) {
        cloud c = cloud_open(POINTS, d);
        saros_value r2 = saros_sum(saros_mul(c.x, c.x), 2), u = saros_mul(r2, r2);
        cloud_same(&c, saros_biharmonic(u, c.x), saros_like(u, 8 * d * (d + 2)), 1e-13);
        cloud_close(&c);
    }
    cloud c = cloud_open(POINTS, 3);
    saros_value x = cloud_coordinate(&c, 0), y = cloud_coordinate(&c, 1),
                z = cloud_coordinate(&c, 2);
    saros_value u = saros_add(saros_power(saros_mul(x, y), 2),
                              saros_mul(saros_mul(x, y), saros_mul(z, saros_mul(z, z))));
    cloud_same(&c, saros_biharmonic(u, c.x), saros_like(u, 8), 1e-13);
    cloud_close(&c);
}
END_TEST

START_TEST(it_agrees_with_nested_derivatives) {
    for (int d = 1; d <= WIDEST; ++d) {
        cloud c = cloud_open(POINTS, d);
        saros_value h = cloud_network(&c);
        saros_value first = cloud_coordinate(&c, 0), last = cloud_coordinate(&c, d - 1);
        saros_value u[] = {
            h, saros_mul(saros_sin(first), saros_exp(saros_mul(last, first))),
            saros_sqrt(saros_add(saros_like(first, 4), saros_mul(first, last))),
            saros_sum(
                saros_mul(saros_sigmoid(h), saros_matmul(saros_sin(c.x), cloud_matrix(&c, d, 2))),
                2),
            saros_div(saros_cos(last), saros_add(saros_like(first, 3), saros_sin(first)))};
        for (size_t f = 0; f < sizeof u / sizeof *u; ++f)
            cloud_same(&c, saros_biharmonic(u[f], c.x), nested(&c, u[f]), 1e-11);
        cloud_close(&c);
    }
}
END_TEST

/** The middle layer multiplies every stream once, the last one the value and the operator. */
START_TEST(a_network_costs_the_closed_set_of_dots) {
    for (int d = 2; d <= 5; ++d) {
        cloud c = cloud_open(POINTS, d);
        saros_value h = cloud_network(&c), both[2] = {h, saros_biharmonic(h, c.x)};
        int closed = 2 + 2 * d + d * (d + 1) / 2;
        ck_assert_int_eq(run_count(&saros_row_dot, 2, both), (1 + d) + closed + 2);
        saros_value two[2] = {h, saros_laplacian(saros_laplacian(h, c.x), c.x)};
        ck_assert_int_lt(run_count(&saros_row_dot, 2, both), run_count(&saros_row_dot, 2, two));
        cloud_close(&c);
    }
}
END_TEST

START_TEST(its_gradient_by_a_parameter_is_right) {
    cloud c = cloud_open(POINTS, 2);
    saros_value in[2] = {c.x, saros_input(c.graph, saros_value_type(cloud_network(&c)), "w")};
    saros_tensor *at[2] = {c.at, run_tensor(saros_value_type(in[1]), -1, 1)};
    saros_value u = saros_tanh(saros_mul(cloud_network(&c), in[1])), b = saros_biharmonic(u, c.x);
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
            cloud c = cloud_open(POINTS, 3);
            saros_value h = cloud_network(&c), sigma = cloud_matrix(&c, 3, r), sum = SAROS_NONE;
            if (rows) { /* another sigma in each row, made from x */
                const int64_t shape[3] = {POINTS, 3, r};
                saros_value weight =
                    saros_broadcast(saros_sin(cloud_coordinate(&c, 1)), 3, shape, (int[]){0});
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
            cloud_same(&c, saros_second_order(h, c.x, saros_stop_gradient(sigma)), sum, 1e-12);
            cloud_close(&c);
        }
}
END_TEST

START_TEST(unit_sigma_is_the_laplacian_in_every_bit) {
    cloud c = cloud_open(POINTS, 4);
    double unit[16] = {0};
    for (int a = 0; a < 4; ++a) unit[5 * a] = 1;
    saros_tensor *identity = run_from(2, (int64_t[]){4, 4}, unit);
    saros_value h = cloud_network(&c), sigma = saros_constant(c.graph, identity);
    cloud_same(&c, saros_second_order(h, c.x, sigma), saros_laplacian(h, c.x), 0);
    saros_tensor_release(identity);
    cloud_close(&c);
}
END_TEST

START_TEST(wrong_shapes_are_refused) {
    cloud c = cloud_open(POINTS, 2);
    ck_assert(
        saros_is_poisoned(saros_second_order(cloud_network(&c), c.x, cloud_matrix(&c, 3, 2))));
    ck_fails(saros_graph_status(c.graph), SAROS_ERR_SHAPE);
    cloud_close(&c);
    c = cloud_open(POINTS, 2);
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
