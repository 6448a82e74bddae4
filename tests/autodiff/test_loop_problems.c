/** Loops that are whole problems: gradients against finite differences and closed chains; batches
 * whose lanes run different numbers of steps. */
#include "autodiff/graph_run.h"

/** (angle, velocity)' = (velocity, -k sin(angle)). */
static void pendulum(saros_value k, saros_value q, saros_value p, saros_value *dq,
                     saros_value *dp) {
    *dq = p;
    *dp = saros_neg(saros_mul(k, saros_sin(q)));
}

static saros_value forward(saros_value x, double h, saros_value slope) {
    return saros_add(x, saros_mul(saros_like(x, h), slope));
}

static saros_status rk4_body(saros_graph *body, saros_value index, const saros_value *carry,
                             const saros_value *input, void *user, saros_value *next,
                             saros_value *kept) {
    saros_value k = *(const saros_value *)user, q = carry[0], p = carry[1], dq[4], dp[4];
    const double h = 0.05;
    (void)body;
    (void)index;
    (void)input;
    (void)kept;
    pendulum(k, q, p, &dq[0], &dp[0]);
    pendulum(k, forward(q, h / 2, dq[0]), forward(p, h / 2, dp[0]), &dq[1], &dp[1]);
    pendulum(k, forward(q, h / 2, dq[1]), forward(p, h / 2, dp[1]), &dq[2], &dp[2]);
    pendulum(k, forward(q, h, dq[2]), forward(p, h, dp[2]), &dq[3], &dp[3]);
    for (int j = 0; j < 4; ++j) {
        q = forward(q, j % 3 ? h / 3 : h / 6, dq[j]);
        p = forward(p, j % 3 ? h / 3 : h / 6, dp[j]);
    }
    next[0] = q;
    next[1] = p;
    return SAROS_OK;
}

START_TEST(gradient_of_a_pendulum_passes_the_checks) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value in[3], end[2];
    saros_tensor *at[3];
    const double point[3] = {1.3, 0.7, -0.2};
    for (int k = 0; k < 3; ++k) {
        in[k] = saros_input(g, &real, NULL);
        ck_ok(saros_tensor_scalar(SAROS_F64, point[k], &at[k]));
    }
    saros_loop_spec spec = {.n = saros_scalar(g, SAROS_I64, 100),
                            .bound = 100,
                            .carries = 2,
                            .carry = in + 1,
                            .build = rk4_body,
                            .user = &in[0]};
    saros_loop(g, &spec, end, NULL);
    saros_value out = saros_mul(end[0], end[0]);
    saros_gradient_report report;
    ck_ok(saros_check_gradient(out, 3, in, 3, in, at, 5, &report));
    ck_assert(report.passed);
    for (int k = 0; k < 3; ++k) {
        ck_assert_msg(fabs(report.rate[k] - (k + 1)) < 0.1, "rate %d is %g", k, report.rate[k]);
        saros_tensor_release(at[k]);
    }
    ck_assert(report.dot_error < 1e-13 && report.jvp_error < 1e-8);
    saros_graph_release(g);
}
END_TEST

static saros_status logistic_body(saros_graph *body, saros_value index, const saros_value *carry,
                                  const saros_value *input, void *user, saros_value *next,
                                  saros_value *kept) {
    saros_value r = *(const saros_value *)user, x = carry[0];
    (void)body;
    (void)index;
    (void)input;
    (void)kept;
    next[0] = saros_mul(saros_mul(r, x), saros_sub(saros_like(x, 1), x));
    return SAROS_OK;
}

START_TEST(gradient_of_the_logistic_map_is_the_chain_of_its_slopes) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value in[2] = {saros_input(g, &real, "r"), saros_input(g, &real, "x")}, end, d[2];
    saros_tensor *at[2];
    double r = 3.7, x = 0.3, dr = 0, dx = 1;
    ck_ok(saros_tensor_scalar(SAROS_F64, r, &at[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, x, &at[1]));
    saros_loop_spec spec = {.n = saros_scalar(g, SAROS_I64, 30),
                            .bound = 30,
                            .carries = 1,
                            .carry = &in[1],
                            .build = logistic_body,
                            .user = &in[0]};
    saros_loop(g, &spec, &end, NULL);
    saros_vjp(1, &end, NULL, 2, in, d);
    for (int k = 0; k < 30; ++k) {
        dr = r * (1 - 2 * x) * dr + x * (1 - x);
        dx = r * (1 - 2 * x) * dx;
        x = r * x * (1 - x);
    }
    ck_near(run_scalar(2, in, at, d[0]) / dr, 1.0, 1e-11); /* chaotic: round-off grows by dx */
    ck_near(run_scalar(2, in, at, d[1]) / dx, 1.0, 1e-11);
    ck_near(run_scalar(2, in, at, end), x, 1e-12 * fabs(dx));
    for (int k = 0; k < 2; ++k) saros_tensor_release(at[k]);
    saros_graph_release(g);
}
END_TEST

START_TEST(lanes_of_a_batched_loop_may_run_different_numbers_of_steps) {
    saros_graph *g = NULL, *batched = NULL;
    saros_body *body = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64), count = saros_type_scalar(SAROS_I64);
    saros_value in[3] = {saros_input(g, &real, "r"), saros_input(g, &real, "x"),
                         saros_input(g, &count, "n")},
                end;
    saros_loop_spec spec = {.n = in[2],
                            .bound = 9,
                            .carries = 1,
                            .carry = &in[1],
                            .build = logistic_body,
                            .user = &in[0]};
    saros_loop(g, &spec, &end, NULL);
    ck_ok(saros_body_extract(g, 3, in, 1, &end, &body, NULL));
    ck_ok(saros_graph_make(&batched));
    count = saros_type_make(SAROS_I64, 1, (int64_t[]){4});
    saros_value lanes[3] = {saros_input(batched, &real, "r"), saros_input(batched, &real, "x"),
                            saros_input(batched, &count, "n")},
                ends;
    saros_vmap(batched, body, 4, lanes, (bool[]){false, false, true}, &ends);
    saros_tensor *at[3];
    ck_ok(saros_tensor_scalar(SAROS_F64, 3.1, &at[0]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.2, &at[1]));
    ck_ok(saros_tensor_from(SAROS_I64, 1, (int64_t[]){4}, (int64_t[]){0, 3, 9, 5}, &at[2]));
    double *got = run_one(3, lanes, at, ends);
    for (int lane = 0; lane < 4; ++lane) {
        double x = 0.2;
        for (int k = 0; k < (int[]){0, 3, 9, 5}[lane]; ++k) x = 3.1 * x * (1 - x);
        ck_near(got[lane], x, 1e-15);
    }
    saros_release(got);
    for (int k = 0; k < 3; ++k) saros_tensor_release(at[k]);
    saros_body_release(body);
    saros_graph_release(batched);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("autodiff/loop_problems", gradient_of_a_pendulum_passes_the_checks,
                gradient_of_the_logistic_map_is_the_chain_of_its_slopes,
                lanes_of_a_batched_loop_may_run_different_numbers_of_steps)
