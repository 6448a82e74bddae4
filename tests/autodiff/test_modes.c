/** Modes of differentiation nested in each other on composites: an MLP and scalar functions. */
#include "autodiff/graph_run.h"

enum { POINTS = 5, WIDE = 6 };

/** u(x, t) of a small tanh network; inputs x (n,1), t (n,1), weights. */
typedef struct net {
    saros_graph *graph;
    saros_value in[6]; /* x, t, W0 (2,H), b0 (H), W1 (H,H), W2 (H,1) */
    saros_tensor *at[6];
    saros_value u;
} net;

static net net_open(void) {
    net n = {0};
    ck_ok(saros_graph_make(&n.graph));
    const int64_t shape[6][2] = {{POINTS, 1}, {POINTS, 1},  {2, WIDE},
                                 {1, WIDE},   {WIDE, WIDE}, {WIDE, 1}};
    run_state = 7;
    for (int k = 0; k < 6; ++k) {
        saros_type type = saros_type_make(SAROS_F64, 2, shape[k]);
        n.in[k] = saros_input(n.graph, &type, NULL);
        n.at[k] = run_tensor(&type, -1, 1);
    }
    saros_value h = saros_concat(2, n.in, 1);
    h = saros_tanh(saros_add(saros_matmul(h, n.in[2]), n.in[3]));
    h = saros_tanh(saros_matmul(h, n.in[4]));
    n.u = saros_matmul(h, n.in[5]);
    return n;
}

static void net_close(net *n) {
    for (int k = 0; k < 6; ++k) saros_tensor_release(n->at[k]);
    saros_graph_release(n->graph);
}

static saros_value total(saros_value v) {
    return saros_sum(v, saros_all_axes(v));
}

static double norm_of(const net *n, saros_value v) {
    return run_scalar(6, n->in, n->at, saros_sqrt(total(saros_mul(v, v))));
}

/** Relative distance of two values of one shape. */
static double apart(const net *n, saros_value a, saros_value b) {
    return norm_of(n, saros_sub(a, b)) / (1e-300 + norm_of(n, b));
}

START_TEST(second_derivatives_agree_in_every_word_of_modes) {
    net n = net_open();
    saros_value x = n.in[0], one = saros_splat(n.graph, saros_value_type(x), 1), a, b, d[4];
    saros_jvp(1, &n.u, 1, &x, &one, &a); /* rows are independent: u_x */
    saros_jvp(1, &a, 1, &x, &one, &d[0]);
    saros_value s = total(n.u);
    saros_vjp(1, &s, NULL, 1, &x, &b);
    ck_assert(apart(&n, b, a) < 1e-14);
    saros_jvp(1, &b, 1, &x, &one, &d[1]);
    saros_value sb = total(b), sa = total(a);
    saros_vjp(1, &sb, NULL, 1, &x, &d[2]);
    saros_vjp(1, &sa, NULL, 1, &x, &d[3]);
    for (int k = 1; k < 4; ++k) ck_assert_msg(apart(&n, d[k], d[0]) < 1e-13, "word %d", k);
    saros_value in[2] = {one, SAROS_NONE}, series[2];
    saros_jet(1, &n.u, 1, &x, 2, in, series);
    ck_assert(apart(&n, series[0], a) < 1e-14);
    ck_assert(apart(&n, saros_mul(saros_like(a, 2), series[1]), d[0]) < 1e-13);
    net_close(&n);
}
END_TEST

START_TEST(jet_and_vjp_nest_in_both_orders) {
    net n = net_open();
    saros_value x = n.in[0], one = saros_splat(n.graph, saros_value_type(x), 1);
    saros_value in[2] = {one, SAROS_NONE}, series[2], gradient[4], s = total(n.u), along[8], a[4];
    /* d/dW of u_xx/2 … */
    saros_jet(1, &n.u, 1, &x, 2, in, series);
    saros_value second = total(series[1]);
    saros_vjp(1, &second, NULL, 4, n.in + 2, gradient);
    /* … against coefficient 2 of dU/dW */
    saros_vjp(1, &s, NULL, 4, n.in + 2, a);
    saros_jet(4, a, 1, &x, 2, in, along);
    for (int k = 0; k < 4; ++k)
        ck_assert_msg(apart(&n, along[2 * k + 1], gradient[k]) < 1e-13, "weight %d: %g", k,
                      apart(&n, along[2 * k + 1], gradient[k]));
    net_close(&n);
}
END_TEST

START_TEST(hessian_of_a_network_is_symmetric) {
    net n = net_open();
    saros_value loss = total(saros_mul(n.u, n.u)), g[4];
    saros_vjp(1, &loss, NULL, 4, n.in + 2, g);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < i; ++j) { /* v_i.H_ij v_j = v_j.H_ji v_i, v = cos(w) */
            saros_value v[4], h[4];
            for (int k = 0; k < 4; ++k) v[k] = SAROS_NONE;
            v[j] = saros_cos(n.in[2 + j]);
            saros_jvp(4, g, 4, n.in + 2, v, h);
            double a = run_scalar(6, n.in, n.at, total(saros_mul(h[i], saros_cos(n.in[2 + i]))));
            v[j] = SAROS_NONE;
            v[i] = saros_cos(n.in[2 + i]);
            saros_jvp(4, g, 4, n.in + 2, v, h);
            double b = run_scalar(6, n.in, n.at, total(saros_mul(h[j], saros_cos(n.in[2 + j]))));
            ck_near(a, b, 1e-13);
        }
    net_close(&n);
}
END_TEST

START_TEST(burgers_terms_cost_four_dots_a_layer) {
    net n = net_open();
    saros_value in[2], x2[2], t1[1];
    saros_value one = saros_splat(n.graph, saros_value_type(n.in[0]), 1);
    in[0] = one;
    in[1] = SAROS_NONE;
    saros_jet(1, &n.u, 1, &n.in[0], 2, in, x2);
    saros_jet(1, &n.u, 1, &n.in[1], 1, &one, t1);
    saros_value terms[4] = {n.u, t1[0], x2[0], x2[1]};
    /* Layer 1: u, u_t, u_x (u_xx starts at zero). Layers 2 and 3: all four. */
    ck_assert_int_eq(run_count(&saros_row_dot, 4, terms), 3 + 4 + 4);
    ck_assert_int_eq(run_count(&saros_row_tanh, 4, terms), 2);
    ck_assert_int_eq(run_count(&saros_row_dot, 3, (saros_value[]){n.u, x2[0], x2[1]}), 2 + 3 + 3);
    net_close(&n);
}
END_TEST

START_TEST(perturbations_of_nested_derivatives_are_not_confused) {
    /* d/dx [x d/dy (x + y)] = 1 at any y; Siskind and Pearlmutter 2005: 2 if confused. */
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value x = saros_input(g, &real, "x"), one = saros_scalar(g, SAROS_F64, 1), inner, outer;
    saros_value y = saros_alias(x); /* the inner argument, taken at y = x */
    saros_value sum = saros_add(x, y);
    saros_jvp(1, &sum, 1, &y, &one, &inner);
    saros_value f = saros_mul(x, inner);
    saros_jvp(1, &f, 1, &x, &one, &outer);
    saros_tensor *at = NULL;
    ck_ok(saros_tensor_scalar(SAROS_F64, 3, &at));
    ck_near(run_scalar(1, &x, &at, outer), 1.0, 0);
    /* The derivative by y stops there: with respect to x only, both paths count. */
    saros_jvp(1, &sum, 1, &x, &one, &outer);
    ck_near(run_scalar(1, &x, &at, outer), 2.0, 0);
    saros_tensor_release(at);
    saros_graph_release(g);
}
END_TEST

START_TEST(inputs_of_a_derivative_are_independent) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value a = saros_input(g, &real, "a"), b = saros_mul(a, a), f = saros_mul(a, b), d[2];
    saros_value in[2] = {a, b};
    saros_vjp(1, &f, NULL, 2, in, d);
    ck_assert(saros_same(d[0], b) && saros_same(d[1], a));
    saros_vjp(1, &b, NULL, 1, &b, d);
    double one;
    ck_assert(saros_value_is_splat(d[0], &one) && one == 1);
    saros_value c = saros_input(g, &real, "c");
    saros_vjp(1, &f, NULL, 1, &c, d);
    ck_assert(saros_is_none(d[0]));
    saros_graph_release(g);
}
END_TEST

/** -(-x) folds to x, a slice of a reshape is not the reshape of a slice: what is written in terms
 * of v does not hang on v. */
START_TEST(a_derivative_by_a_derived_value_is_refused_where_others_lead_past_it) {
    for (int kind = 0; kind < 5; ++kind) {
        saros_graph *g = NULL;
        ck_ok(saros_graph_make(&g));
        saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){4, 3});
        saros_value x = saros_input(g, &type, "x"), tangent, d[3];
        saros_value v =
            kind < 3 ? saros_neg(x) : saros_reshape(saros_slice(x, 0, 1, 3, 1), 1, (int64_t[]){6});
        if (kind == 2) v = saros_alias(v);
        saros_value y = saros_sin(kind == 0 || kind == 2 ? saros_neg(v) : v);
        if (kind == 1) y = saros_mul(y, saros_exp(x));
        if (kind == 4) y = saros_sin(saros_slice(saros_reshape(x, 1, (int64_t[]){12}), 0, 3, 9, 1));
        tangent = saros_splat(g, saros_value_type(v), 1);
        saros_vjp(1, &y, &y, 1, &v, d);
        saros_jvp(1, &y, 1, &v, &tangent, d + 1);
        saros_jet(1, &y, 1, &v, 1, &tangent, d + 2);
        bool fine = kind == 2 || kind == 3;
        for (int k = 0; k < 3; ++k) {
            ck_assert(saros_is_poisoned(d[k]) == !fine);
            ck_assert(!saros_is_none(d[k]));
        }
        ck_assert_int_eq(saros_graph_status(g), fine ? SAROS_OK : SAROS_ERR_USAGE);
        if (!fine) ck_assert_ptr_nonnull(strstr(saros_error_last()->hint, "saros_alias"));
        saros_graph_release(g);
    }
}
END_TEST

START_TEST(a_cotangent_not_selected_by_where_stays_zero_behind_it) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){2});
    saros_value x = saros_input(g, &type, "x"), zero = saros_zeros_like(x), d, second;
    saros_value root = saros_mul(saros_sqrt(x), saros_log(x));
    saros_value y = total(saros_where(saros_gt(x, zero), root, zero));
    saros_vjp(1, &y, NULL, 1, &x, &d);
    saros_value e = total(d);
    saros_vjp(1, &e, NULL, 1, &x, &second);
    saros_tensor *at = run_from(1, (int64_t[]){2}, (double[]){0, 4});
    double *got = run_one(1, &x, &at, d), *more = run_one(1, &x, &at, second);
    ck_near(got[0], 0.0, 0);
    ck_near(got[1], log(4.0) / 4 + 0.5, 1e-15);
    ck_near(more[0], 0.0, 0);
    ck_near(more[1], -log(4.0) / 32, 1e-15); /* (sqrt(x) log x)'' = -log(x) / (4 x^1.5) */
    saros_release(got);
    saros_release(more);
    saros_tensor_release(at);
    saros_graph_release(g);
}
END_TEST

static saros_status no_rule_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    return SAROS_OK;
}

START_TEST(a_row_without_rule_is_an_error_that_names_it) {
    static const saros_primitive row = {
        .name = "riddle", .doc = "no rule", .operands = 1, .outputs = 1, .type = no_rule_type};
    for (int mode = 0; mode < 4; ++mode) {
        saros_graph *g = NULL;
        ck_ok(saros_graph_make(&g));
        saros_type real = saros_type_make(SAROS_F64, 2, (int64_t[]){2, 2});
        saros_value x = saros_input(g, &real, "x"), y = saros_build(g, &row, NULL, 1, &x), d;
        saros_value one = saros_splat(g, &real, 1);
        if (mode == 0) saros_jvp(1, &y, 1, &x, &one, &d);
        if (mode == 1) saros_vjp(1, &y, &one, 1, &x, &d);
        if (mode == 2) saros_jet(1, &y, 1, &x, 1, &one, &d);
        if (mode == 3) d = saros_laplacian(y, x);
        ck_assert(saros_is_poisoned(d));
        ck_fails(saros_graph_status(g), SAROS_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "riddle"));
        saros_graph_release(g);
    }
}
END_TEST

START_TEST(absent_tangents_leave_no_zeros_in_pointwise_rows) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
    saros_value x = saros_input(g, &type, "x"), c = saros_input(g, &type, "c");
    saros_value t = saros_input(g, &type, "t"), d, second = t;
    saros_value out[] = {saros_add(c, x), saros_sub(x, c), saros_sub(c, x)};
    for (int k = 0; k < 3; ++k) {
        const saros_value want = k == 2 ? saros_neg(t) : t;
        saros_jvp(1, &out[k], 1, &x, &t, &d);
        ck_assert(saros_same(d, want));
        saros_jet(1, &out[k], 1, &x, 1, &second, &d);
        ck_assert(saros_same(d, want));
    }
    saros_graph_release(g);
}
END_TEST

START_TEST(wrong_types_of_tangents_and_missing_cotangents_are_errors) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
    saros_value x = saros_input(g, &type, "x"), y = saros_sin(x), d;
    saros_vjp(1, &y, NULL, 1, &x, &d);
    ck_assert(saros_is_poisoned(d));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
    ck_ok(saros_graph_make(&g));
    x = saros_input(g, &type, "x");
    y = saros_sin(x);
    saros_value one = saros_scalar(g, SAROS_F64, 1);
    saros_jvp(1, &y, 1, &x, &one, &d);
    ck_assert(saros_is_poisoned(d));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("autodiff/modes", second_derivatives_agree_in_every_word_of_modes,
                jet_and_vjp_nest_in_both_orders, hessian_of_a_network_is_symmetric,
                burgers_terms_cost_four_dots_a_layer,
                perturbations_of_nested_derivatives_are_not_confused,
                inputs_of_a_derivative_are_independent,
                a_derivative_by_a_derived_value_is_refused_where_others_lead_past_it,
                a_cotangent_not_selected_by_where_stays_zero_behind_it,
                a_row_without_rule_is_an_error_that_names_it,
                absent_tangents_leave_no_zeros_in_pointwise_rows,
                wrong_types_of_tangents_and_missing_cotangents_are_errors)
