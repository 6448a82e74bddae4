/** saros_check_gradient: what it measures and what it refuses; vmap and depends on their own. */
#include "autodiff/graph_run.h"

typedef struct scene {
    saros_graph *graph;
    saros_value in[2];
    saros_tensor *at[2];
} scene;

static scene scene_open(saros_dtype dtype) {
    scene s = {0};
    ck_ok(saros_graph_make(&s.graph));
    run_state = 5;
    for (int k = 0; k < 2; ++k) {
        saros_type type = saros_type_make(dtype, 1, (int64_t[]){4});
        s.in[k] = saros_input(s.graph, &type, k ? "b" : "a");
        s.at[k] = run_tensor(&type, 0.5, 1.5);
    }
    return s;
}

static void scene_close(scene *s) {
    for (int k = 0; k < 2; ++k) saros_tensor_release(s->at[k]);
    saros_graph_release(s->graph);
}

START_TEST(rates_are_one_two_three_for_a_smooth_function) {
    const saros_dtype dtype[2] = {SAROS_F64, SAROS_F32};
    for (int d = 0; d < 2; ++d) {
        scene s = scene_open(dtype[d]);
        saros_value f = saros_mul(saros_exp(s.in[0]), saros_sin(s.in[1]));
        saros_gradient_report r;
        int32_t before = saros_graph_count(s.graph);
        ck_ok(saros_check_gradient(f, 2, s.in, 2, s.in, s.at, 1, &r));
        ck_assert(r.passed);
        for (int k = 0; k < 3; ++k) ck_assert(fabs(r.rate[k] - (k + 1)) < (d ? 0.3 : 0.05));
        ck_assert(r.dot_error < (d ? 1e-6 : 1e-15));
        ck_assert(r.jvp_error < (d ? 1e-2 : 1e-9));
        ck_assert_int_eq(saros_graph_count(s.graph), before);
        scene_close(&s);
    }
}
END_TEST

START_TEST(remainders_at_round_off_have_the_nominal_rate) {
    scene s = scene_open(SAROS_F64);
    saros_value f = saros_mul(s.in[0], s.in[1]); /* no third derivative */
    saros_gradient_report r;
    ck_ok(saros_check_gradient(f, 2, s.in, 2, s.in, s.at, 2, &r));
    ck_assert(r.passed && r.rate[2] == 3);
    scene_close(&s);
}
END_TEST

static saros_status same_type(void *user, int ins, const saros_type *in, int outs,
                              saros_type *out) {
    (void)user;
    (void)ins;
    (void)outs;
    out[0] = in[0];
    return SAROS_OK;
}

/** out = a^3, or factor a^2 c with c the second operand. */
static saros_status cubes(saros_tensor *const *in, double factor, saros_tensor *out) {
    const double *a = saros_tensor_const_data(in[0]);
    const double *c = factor != 0 ? saros_tensor_const_data(in[1]) : a;
    double *y = saros_tensor_data(out);
    for (int64_t k = 0; k < saros_tensor_count(out); ++k)
        y[k] = (factor != 0 ? factor : 1) * a[k] * a[k] * c[k];
    return SAROS_OK;
}
static saros_status cube(void *user, int ins, saros_tensor *const *in, int outs,
                         saros_tensor **out) {
    (void)ins;
    (void)outs;
    ++*(int *)user;
    return cubes(in, 0, out[0]);
}
static saros_status right(void *user, int ins, saros_tensor *const *in, int outs,
                          saros_tensor **out) {
    (void)user;
    (void)ins;
    (void)outs;
    return cubes(in, 3, out[0]);
}
static saros_status wrong(void *user, int ins, saros_tensor *const *in, int outs,
                          saros_tensor **out) {
    (void)user;
    (void)ins;
    (void)outs;
    return cubes(in, 3.001, out[0]);
}
static const saros_call_class calls[3] = {{.name = "right",
                                           .pure = true,
                                           .type = same_type,
                                           .apply = cube,
                                           .apply_jvp = right,
                                           .apply_vjp = right},
                                          {.name = "wrong",
                                           .pure = true,
                                           .type = same_type,
                                           .apply = cube,
                                           .apply_jvp = wrong,
                                           .apply_vjp = wrong},
                                          {.name = "skew",
                                           .pure = true,
                                           .type = same_type,
                                           .apply = cube,
                                           .apply_jvp = right,
                                           .apply_vjp = wrong}};

START_TEST(wrong_derivatives_of_foreign_code_are_found) {
    int count = 0;
    for (int k = 0; k < 3; ++k) {
        scene s = scene_open(SAROS_F64);
        saros_value y;
        saros_gradient_report r;
        saros_call(s.graph, &calls[k], &count, 1, s.in, 1, &y);
        saros_status status = saros_check_gradient(y, 1, s.in, 1, s.in, s.at, 3, &r);
        ck_assert_int_eq(status, k ? SAROS_ERR_DOMAIN : SAROS_OK);
        ck_assert(r.passed == (k == 0) && isnan(r.rate[2])); /* differentiates once only */
        if (k) ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "Taylor rates"));
        if (k) ck_assert(r.rate[1] < 1.5);
        ck_assert((k == 2) == (r.dot_error > 1e-6));
        ck_assert((k == 1) == (r.jvp_error > 1e-5));
        ck_ok(saros_graph_status(s.graph)); /* not spoilt by the missing second derivative */
        scene_close(&s);
    }
}
END_TEST

/** Right at the point where `user` counts its first calls, wrong elsewhere. */
static saros_status right_here(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    const double *x = saros_tensor_const_data(in[0]);
    (void)ins;
    (void)outs;
    return cubes(in, x[0] == *(const double *)user ? 3 : 3.001, out[0]);
}
static saros_status cube_alone(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    (void)user;
    (void)ins;
    (void)outs;
    return cubes(in, 0, out[0]);
}

START_TEST(a_derivative_that_is_right_at_the_point_alone_is_found) {
    static const saros_call_class here = {.name = "here",
                                          .pure = true,
                                          .type = same_type,
                                          .apply = cube_alone,
                                          .apply_jvp = right_here,
                                          .apply_vjp = right_here};
    scene s = scene_open(SAROS_F64);
    double first = *(const double *)saros_tensor_const_data(s.at[0]);
    saros_gradient_report r;
    saros_value y;
    saros_call(s.graph, &here, &first, 1, s.in, 1, &y);
    ck_fails(saros_check_gradient(y, 1, s.in, 1, s.in, s.at, 3, &r), SAROS_ERR_DOMAIN);
    ck_assert(!r.passed && r.jvp_error > 1e-5);
    scene_close(&s);
}
END_TEST

START_TEST(a_derivative_that_is_not_finite_is_named) {
    scene s = scene_open(SAROS_F64);
    saros_gradient_report r;
    saros_value from = saros_sub(s.in[0], saros_constant(s.graph, s.at[0]));
    saros_value y = saros_sqrt(saros_mul(from, from)); /* 0, with slope 0/0 */
    ck_fails(saros_check_gradient(y, 1, s.in, 1, s.in, s.at, 3, &r), SAROS_ERR_NAN);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "not finite"));
    scene_close(&s);
}
END_TEST

START_TEST(kinks_and_missing_inputs_are_reported) {
    scene s = scene_open(SAROS_F64);
    saros_gradient_report r;
    saros_value kink = saros_abs(saros_sub(s.in[0], saros_constant(s.graph, s.at[0])));
    ck_fails(saros_check_gradient(saros_add(kink, s.in[1]), 2, s.in, 2, s.in, s.at, 3, &r),
             SAROS_ERR_DOMAIN);
    ck_fails(saros_check_gradient(saros_sin(s.in[1]), 1, s.in, 2, s.in, s.at, 3, &r),
             SAROS_ERR_USAGE);
    ck_fails(saros_check_gradient(saros_mul(s.in[0], s.in[1]), 1, s.in, 1, s.in, s.at, 3, &r),
             SAROS_ERR_USAGE);
    saros_value inner = saros_sin(s.in[0]);
    ck_fails(saros_check_gradient(saros_exp(inner), 1, &inner, 2, s.in, s.at, 3, &r),
             SAROS_ERR_USAGE);
    scene_close(&s);
}
END_TEST

/* ---- how often the forward loop runs ---- */

static saros_status build_slope(void *user, saros_graph *graph, int ins, const saros_value *in,
                                const saros_value *out, const saros_value *cotangent,
                                saros_value *gradient) {
    (void)user;
    (void)graph;
    (void)ins;
    (void)out;
    saros_value three = saros_mul(saros_like(in[0], 3), saros_mul(in[0], in[0]));
    gradient[0] = saros_mul(three, cotangent[0]);
    return SAROS_OK;
}

static saros_status build_push(void *user, saros_graph *graph, int ins, const saros_value *in,
                               const saros_value *out, const saros_value *tangent,
                               saros_value *out_tangent) {
    return build_slope(user, graph, ins, in, out, tangent, out_tangent);
}

static saros_status calling_body(saros_graph *body, saros_value index, const saros_value *carry,
                                 const saros_value *input, void *user, saros_value *next,
                                 saros_value *kept) {
    static const saros_call_class counted = {.name = "counted",
                                             .pure = true,
                                             .type = same_type,
                                             .apply = cube,
                                             .build_jvp = build_push,
                                             .build_vjp = build_slope};
    saros_value y;
    (void)index;
    (void)input;
    saros_call(body, &counted, user, 1, carry, 1, &y);
    next[0] = saros_mul(saros_like(y, 0.5), y);
    kept[0] = y;
    return SAROS_OK;
}

static saros_value loop_of_calls(scene *s, int *count) {
    saros_value end, stacked;
    saros_loop_spec spec = {.n = saros_scalar(s->graph, SAROS_I64, 6),
                            .bound = 6,
                            .carries = 1,
                            .carry = s->in,
                            .kept = 1,
                            .every = 2,
                            .build = calling_body,
                            .user = count};
    saros_loop(s->graph, &spec, &end, &stacked);
    return saros_add(saros_sum(end, 1), saros_sum(stacked, 3));
}

static void check_calls(scene *s, int *count, int outs, const saros_value *out, int want) {
    saros_tensor *result[4];
    *count = 0;
    run_values(2, s->in, s->at, outs, out, result);
    ck_assert_msg(*count == want, "%d values take %d calls, wanted %d", outs, *count, want);
    for (int k = 0; k < outs; ++k) saros_tensor_release(result[k]);
}

/** The transposed steps compute what they read anew: 6 calls for the slopes come on top where the
 * call's value is read. */
START_TEST(derivatives_of_a_loop_do_not_run_it_again) {
    scene s = scene_open(SAROS_F64);
    int count = 0;
    saros_value j = loop_of_calls(&s, &count), push, second[2], g, hv;
    saros_value v = saros_sin(s.in[1]), one = saros_splat(s.graph, saros_value_type(s.in[0]), 1);
    saros_jvp(1, &j, 1, s.in, &v, &push);
    check_calls(&s, &count, 2, (saros_value[]){push, j}, 6);
    saros_jet(1, &j, 1, s.in, 2, (saros_value[]){one, SAROS_NONE}, second);
    check_calls(&s, &count, 3, (saros_value[]){second[1], j, second[0]}, 6);
    saros_vjp(1, &j, NULL, 1, s.in, &g);
    saros_jvp(1, &g, 1, s.in, &v, &hv);
    check_calls(&s, &count, 3, (saros_value[]){j, g, hv}, 6);
    scene_close(&s);
}
END_TEST

/** Few states and all of them give the same gradient, so the error that is measured is 0. */
START_TEST(gradients_of_loops_are_checked_with_other_memory) {
    scene s = scene_open(SAROS_F64);
    int count = 0;
    saros_value j = loop_of_calls(&s, &count);
    saros_gradient_report r;
    ck_ok(saros_check_gradient(j, 1, s.in, 2, s.in, s.at, 3, &r));
    int with = count;
    ck_assert(r.passed && r.memory_error == 0);
    count = 0;
    saros_value y = saros_sin(s.in[0]);
    ck_ok(saros_check_gradient(y, 1, s.in, 2, s.in, s.at, 3, &r));
    ck_assert(r.passed && r.memory_error == 0 && count == 0 && with > 100);
    scene_close(&s);
}
END_TEST

START_TEST(value_and_gradient_run_the_forward_loop_once) {
    scene s = scene_open(SAROS_F64);
    int count = 0;
    saros_value j = loop_of_calls(&s, &count), g;
    saros_vjp(1, &j, NULL, 1, s.in, &g);
    check_calls(&s, &count, 2, (saros_value[]){j, g}, 6);
    scene_close(&s);
}
END_TEST

/* ---- vmap, depends ---- */

START_TEST(vmap_of_a_gradient_gives_the_jacobian) {
    scene s = scene_open(SAROS_F64);
    saros_type type = *saros_value_type(s.in[0]);
    saros_value y = saros_mul(saros_sin(s.in[0]), saros_cumsum(s.in[1], 0, false));
    saros_value w = saros_input(s.graph, &type, "w"), g[2], rows[2];
    saros_vjp(1, &y, &w, 2, s.in, g);
    saros_body *body = NULL;
    saros_value in[3] = {s.in[0], s.in[1], w};
    ck_ok(saros_body_extract(s.graph, 3, in, 2, g, &body, NULL));
    double unit[16] = {0};
    for (int k = 0; k < 4; ++k) unit[5 * k] = 1;
    saros_tensor *t = run_from(2, (int64_t[]){4, 4}, unit);
    saros_value all[3] = {s.in[0], s.in[1], saros_constant(s.graph, t)};
    saros_vmap(s.graph, body, 4, all, (bool[]){false, false, true}, rows);
    double *a = run_read(s.at[0]), *b = run_read(s.at[1]);
    double *by_a = run_one(2, s.in, s.at, rows[0]), *by_b = run_one(2, s.in, s.at, rows[1]);
    double sum = 0;
    for (int i = 0; i < 4; ++i) {
        sum += b[i];
        for (int j = 0; j < 4; ++j) {
            ck_near(by_a[4 * i + j], i == j ? cos(a[i]) * sum : 0, 1e-15);
            ck_near(by_b[4 * i + j], j <= i ? sin(a[i]) : 0, 1e-15);
        }
    }
    saros_release(a);
    saros_release(b);
    saros_release(by_a);
    saros_release(by_b);
    saros_tensor_release(t);
    saros_body_release(body);
    scene_close(&s);
}
END_TEST

START_TEST(depends_follows_every_kind_of_value) {
    scene s = scene_open(SAROS_F64);
    saros_value mask = saros_lt(s.in[0], saros_zeros_like(s.in[0]));
    saros_value out = saros_where(mask, saros_zeros_like(s.in[0]),
                                  saros_splat(s.graph, saros_value_type(s.in[0]), 1));
    bool depends[2];
    saros_depends(1, &out, 2, s.in, depends);
    ck_assert(depends[0] && !depends[1]);
    saros_value g[2];
    saros_value sum = saros_sum(out, 1);
    saros_vjp(1, &sum, NULL, 2, s.in, g);
    ck_assert(saros_is_none(g[0]) && saros_is_none(g[1]));
    scene_close(&s);
}
END_TEST

SAROS_TEST_MAIN("autodiff/check", rates_are_one_two_three_for_a_smooth_function,
                remainders_at_round_off_have_the_nominal_rate,
                wrong_derivatives_of_foreign_code_are_found,
                a_derivative_that_is_right_at_the_point_alone_is_found,
                a_derivative_that_is_not_finite_is_named,
                gradients_of_loops_are_checked_with_other_memory,
                kinks_and_missing_inputs_are_reported, value_and_gradient_run_the_forward_loop_once,
                derivatives_of_a_loop_do_not_run_it_again, vmap_of_a_gradient_gives_the_jacobian,
                depends_follows_every_kind_of_value)
