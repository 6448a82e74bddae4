/** Dense Jacobians and Hessians: against products one by one and closed forms, wide and tall, with
 * values captured from around, nested in other modes; what is refused. */
#include "autodiff/graph_run.h"

/** y (m) = tanh(a x) + s x_0, with a (m,n) and s of the graph around. */
typedef struct model {
    saros_graph *graph;
    int64_t m, n;
    saros_value in[3], y; /* x, a, s */
    saros_tensor *at[3];
} model;

static model model_open(int64_t m, int64_t n) {
    model c = {.m = m, .n = n};
    const saros_type type[] = {saros_type_make(SAROS_F64, 1, &n),
                               saros_type_make(SAROS_F64, 2, (int64_t[]){m, n}),
                               saros_type_scalar(SAROS_F64)};
    run_state = 5;
    ck_ok(saros_graph_make(&c.graph));
    for (int k = 0; k < 3; ++k) {
        c.in[k] = saros_input(c.graph, &type[k], NULL);
        c.at[k] = run_tensor(&type[k], -1, 1);
    }
    saros_value x = c.in[0], first = saros_reshape(saros_slice(x, 0, 0, 1, 1), 0, NULL);
    saros_value column = saros_reshape(x, 2, (int64_t[]){n, 1});
    saros_value product = saros_reshape(saros_matmul(c.in[1], column), 1, &m);
    c.y = saros_add(saros_tanh(product), saros_mul(c.in[2], first));
    return c;
}

static double *model_run(const model *c, saros_value v) {
    saros_tensor *result = NULL;
    run_values(3, c->in, c->at, 1, &v, &result);
    double *out = run_read(result);
    saros_tensor_release(result);
    return out;
}

static void model_close(model *c) {
    for (int k = 0; k < 3; ++k) saros_tensor_release(c->at[k]);
    saros_graph_release(c->graph);
}

/** Entry (i, j) by hand: (1 - tanh^2) a_ij, and s in the first column. */
static void check_entries(const model *c, const double *j) {
    const double *x = saros_tensor_const_data(c->at[0]), *a = saros_tensor_const_data(c->at[1]);
    const double s = *(const double *)saros_tensor_const_data(c->at[2]);
    for (int64_t i = 0; i < c->m; ++i) {
        double z = 0;
        for (int64_t k = 0; k < c->n; ++k) z += a[i * c->n + k] * x[k];
        for (int64_t k = 0; k < c->n; ++k) {
            double wanted = (1 - tanh(z) * tanh(z)) * a[i * c->n + k] + (k == 0 ? s : 0);
            ck_assert_double_eq_tol(j[i * c->n + k], wanted, 1e-14);
        }
    }
}

START_TEST(jacobians_are_right_wide_and_tall) {
    const int64_t size[][2] = {{3, 5}, {5, 3}, {4, 4}, {1, 6}, {6, 1}};
    for (size_t k = 0; k < sizeof size / sizeof *size; ++k) {
        model c = model_open(size[k][0], size[k][1]);
        saros_value jacobian = saros_dense_jacobian(c.y, c.in[0]);
        const saros_type *type = saros_value_type(jacobian);
        ck_assert(type->rank == 2 && type->shape[0] == c.m && type->shape[1] == c.n);
        double *j = model_run(&c, jacobian);
        check_entries(&c, j);
        saros_release(j);
        model_close(&c);
    }
}
END_TEST

START_TEST(axes_of_both_sides_are_kept) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    const saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){2, 3});
    saros_value x = saros_input(g, &type, "x"), turned = saros_permute(x, (int[]){1, 0});
    saros_value j = saros_dense_jacobian(saros_mul(turned, turned), x); /* (3,2, 2,3) */
    saros_tensor *at = run_tensor(&type, 1, 2), *result = NULL;
    run_values(1, &x, &at, 1, &j, &result);
    double *got = run_read(result);
    const double *v = saros_tensor_const_data(at);
    for (int k = 0; k < 36; ++k) {
        int i = k / 12, l = k / 6 % 2, p = k / 3 % 2, q = k % 3;
        ck_assert_double_eq(got[k], i == q && l == p ? 2 * v[p * 3 + q] : 0);
    }
    saros_release(got);
    saros_tensor_release(at);
    saros_tensor_release(result);
    saros_graph_release(g);
}
END_TEST

START_TEST(hessians_agree_with_products_and_are_symmetric) {
    model c = model_open(4, 5);
    saros_value j = saros_sum(saros_mul(c.y, saros_exp(c.y)), 1), gradient, product;
    double *h = model_run(&c, saros_hessian(j, c.in[0]));
    saros_vjp(1, &j, NULL, 1, c.in, &gradient);
    for (int64_t k = 0; k < 5; ++k) {
        double unit[5] = {0};
        unit[k] = 1;
        saros_tensor *row = run_from(1, &c.n, unit);
        saros_value along = saros_constant(c.graph, row);
        saros_jvp(1, &gradient, 1, c.in, &along, &product);
        double *column = model_run(&c, product);
        for (int64_t i = 0; i < 5; ++i) {
            ck_assert_double_eq_tol(h[i * 5 + k], column[i], 1e-14);
            ck_assert_double_eq_tol(h[i * 5 + k], h[k * 5 + i], 1e-14);
        }
        saros_release(column);
        saros_tensor_release(row);
    }
    saros_release(h);
    model_close(&c);
}
END_TEST

/** d/dx of the sum of the Jacobian's squares is 2 sum J dJ, by reverse mode through it. */
START_TEST(a_jacobian_is_differentiated_like_any_value) {
    model c = model_open(3, 4);
    saros_value jacobian = saros_dense_jacobian(c.y, c.in[0]);
    saros_value total = saros_sum(saros_mul(jacobian, jacobian), 3);
    saros_gradient_report report;
    ck_ok(saros_check_gradient(total, 3, c.in, 3, c.in, c.at, 1, &report));
    ck_assert(report.passed);
    model_close(&c);
}
END_TEST

/* With q = p^2 of the graph around, J = diag(q cos x): derivatives by q and by p, though q is no
 * input. */
START_TEST(a_jacobian_hangs_on_the_values_it_reads) {
    const saros_type scalar = saros_type_scalar(SAROS_F64),
                     vector = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_value p = saros_input(g, &scalar, "p"), x = saros_input(g, &vector, "x"), in[] = {p, x};
    saros_value q = saros_mul(p, p), y = saros_mul(q, saros_sin(x));
    saros_value sum = saros_sum(saros_dense_jacobian(y, x), 3), one = saros_scalar(g, SAROS_F64, 1);
    saros_value out[3];
    saros_vjp(1, &sum, NULL, 1, &q, &out[0]);
    saros_jvp(1, &sum, 1, &q, &one, &out[1]);
    saros_vjp(1, &sum, NULL, 1, &p, &out[2]);
    saros_tensor *at[2] = {NULL}, *value[3] = {NULL};
    const double points[3] = {0.1, 0.7, -0.4};
    double cosines = 0, got;
    for (int k = 0; k < 3; ++k) cosines += cos(points[k]);
    ck_ok(saros_tensor_scalar(SAROS_F64, 1.5, &at[0]));
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){3}, points, &at[1]));
    run_values(2, in, at, 3, out, value);
    for (int k = 0; k < 3; ++k) {
        ck_ok(saros_tensor_item(value[k], &got));
        ck_near(got, k < 2 ? cosines : 3 * cosines, 1e-14);
        saros_tensor_release(value[k]);
    }
    saros_tensor_release(at[0]);
    saros_tensor_release(at[1]);
    saros_graph_release(g);
}
END_TEST

START_TEST(what_has_no_jacobian_is_named) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    const saros_type type = saros_type_make(SAROS_I64, 1, (int64_t[]){3});
    saros_value n = saros_input(g, &type, "n");
    ck_assert(saros_is_poisoned(saros_dense_jacobian(n, n)));
    ck_fails(saros_graph_status(g), SAROS_ERR_TYPE);
    saros_graph_release(g);
    ck_ok(saros_graph_make(&g));
    const saros_type wide = saros_type_make(SAROS_F64, 5, (int64_t[]){1, 1, 1, 1, 2});
    saros_value x = saros_input(g, &wide, "x");
    ck_assert(saros_is_poisoned(saros_dense_jacobian(saros_sin(x), x)));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("autodiff/dense_jacobian", jacobians_are_right_wide_and_tall,
                axes_of_both_sides_are_kept, hessians_agree_with_products_and_are_symmetric,
                a_jacobian_is_differentiated_like_any_value,
                a_jacobian_hangs_on_the_values_it_reads, what_has_no_jacobian_is_named)
