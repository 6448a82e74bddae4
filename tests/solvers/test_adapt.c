/** Adaptive steps: errors in proportion to the tolerance, stiff references, outputs hit, every way
 * to stop. */
#include "adaptive_run.h"

#include "saros/memory.h"

/* y' = p y^2: infinite at t = 1/p from 1 */
static saros_value explosion(saros_value t, saros_value y, saros_value p) {
    (void)t;
    return saros_mul(saros_mul(y, y), p);
}

/* y' = log(p - t): no number beyond t = p */
static saros_value cliff(saros_value t, saros_value y, saros_value p) {
    return saros_add(saros_mul(saros_like(y, 0), y), saros_log(saros_sub(p, t)));
}

START_TEST(every_integrator_with_an_estimate_is_tested) {
    int count = 0, found = 0;
    const saros_integrator *const *rows = saros_integrators(&count);
    for (int k = 0; k < count; ++k) {
        bool listed = false;
        for (int i = 0; i < ADAPTIVE; ++i) listed |= strcmp(rows[k]->name, adaptive[i]) == 0;
        ck_assert_msg(listed == (rows[k]->estimate > 0), "%s", rows[k]->name);
        found += listed;
    }
    ck_assert_int_eq(found, ADAPTIVE);
}
END_TEST

START_TEST(errors_follow_the_tolerance_at_the_order_of_the_method) {
    for (int k = 0; k < ADAPTIVE; ++k) {
        double error[3], steps[3], order = saros_integrator_find(adaptive[k])->order;
        for (int i = 0; i < 3; ++i) {
            record r = {0};
            double tolerance = pow(100, -2 - i - (order > 4));
            ck_ok(run(&smooth, adaptive[k],
                      &(saros_adapt_options){.rtol = tolerance, .atol = tolerance}, &r));
            error[i] = fmax(fabs(r.state[2][0] - exp(sin(3))), fabs(r.state[2][1] - 0.25));
            steps[i] = (double)r.steps.total;
            if (getenv("SAROS_SHOW"))
                fprintf(stderr, "%s: tolerance %.0e error %.2e in %g steps, %d rejected\n",
                        adaptive[k], tolerance, error[i], steps[i],
                        (int)r.info.error_test_failures);
            ck_assert_double_le(error[i], 10 * tolerance);
            saros_steps_clear(&r.steps);
        }
        ck_assert(error[0] / error[2] > 500 && error[0] / error[2] < 1e5);
        double observed = log(error[1] / error[2]) / log(steps[2] / steps[1]);
        ck_assert_msg(fabs(observed - order) < 0.8, "%s: order %.2f", adaptive[k], observed);
    }
}
END_TEST

START_TEST(stiff_kinetics_by_sdirk) {
    record r = {0};
    ck_ok(run(&stiff, "sdirk", &(saros_adapt_options){.rtol = 1e-7, .atol = 1e-12}, &r));
    for (int j = 0; j < 2; ++j)
        for (int i = 0; i < 3; ++i) ck_near(r.state[j + 1][i] / robertson_states[j][i], 1, 1e-6);
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "robertson: %d steps, %d rejected, off by %.1e\n", (int)r.steps.total,
                (int)r.info.error_test_failures, r.state[2][1] / robertson_states[1][1] - 1);
    /* the steps grow out of the transient: as many equal ones as its shortest would be thousands */
    ck_assert_int_lt(r.steps.total, 1200);
    ck_assert_double_gt(r.info.last_step, 1000 * r.steps.h[0]);
    saros_steps_clear(&r.steps);
}
END_TEST

START_TEST(output_times_are_hit) {
    const problem of = {pair, 2, 1, 5, {1, 1}, {1}, {0, 1e-7, 0.1, 0.1 + 1e-9, 1. / 3}};
    for (int k = 0; k < ADAPTIVE; ++k) {
        record r = {0};
        ck_ok(run(&of, adaptive[k], NULL, &r));
        ck_assert_int_eq(r.count, 5);
        const double *h = r.steps.h;
        for (int j = 0; j < 5; ++j) {
            ck_assert_double_eq(r.time[j], of.time[j]);
            ck_near(r.state[j][1], 1 / (1 + of.time[j]), 1e-6);
        }
        for (int j = 0; j < 4; ++j) {
            double sum = 0;
            for (int64_t i = 0; i < r.steps.count[j]; ++i) sum += *h++;
            ck_near(sum, of.time[j + 1] - of.time[j], 1e-15);
        }
        saros_steps_clear(&r.steps);
    }
}
END_TEST

static void fails(const problem *of, const char *name, const saros_adapt_options *options,
                  saros_status code, const char *text) {
    record r = {0};
    ck_fails(run(of, name, options, &r), code);
    ck_assert_str_eq(saros_error_last()->where, name);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, text));
}

START_TEST(what_cannot_go_on_says_where) {
    const problem blow = {explosion, 1, 1, 2, {1}, {1}, {0, 2}};
    const problem edge = {cliff, 1, 1, 2, {1}, {0.5}, {0, 1}};
    for (int k = 0; k < ADAPTIVE; ++k) {
        fails(&edge, adaptive[k], NULL, SAROS_ERR_DIVERGED, "the step at t = 0.5 fell to h = ");
        fails(&smooth, adaptive[k], &(saros_adapt_options){.max_steps = 5}, SAROS_ERR_NOT_CONVERGED,
              "5 steps did not reach t = 0.7");
        record r = {.stop_after = 3};
        ck_fails(run(&smooth, adaptive[k], NULL, &r), SAROS_ERR_STOPPED);
    }
    fails(&blow, "dopri5", NULL, SAROS_ERR_DIVERGED, "the step at t = ");
    fails(&blow, "sdirk", NULL, SAROS_ERR_DIVERGED, "the step at t = ");
}
END_TEST

START_TEST(integrators_without_an_estimate_are_refused) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_value t = saros_scalar(g, SAROS_F64, 1), y = saros_stack(2, (saros_value[]){t, t}, 0);
    context c = {&smooth, t};
    saros_march_spec spec = {saros_integrator_find("rk4"), .y0 = y, .rate = rate, .user = &c};
    saros_march_step(g, &spec, t, t, &y, NULL);
    ck_assert(!saros_is_poisoned(y));
    saros_march_step(g, &spec, t, t, &y, &t);
    ck_assert(saros_is_poisoned(y));
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "rk4 has no error estimate"));
    saros_graph_release(g);
}
END_TEST

START_TEST(memory_of_runs_is_flat) {
    int64_t held = 0;
    for (int round = 0; round < 20; ++round) {
        record r = {0}, stopped = {.stop_after = 4};
        ck_ok(run(&smooth, "sdirk", NULL, &r));
        saros_steps_clear(&r.steps);
        ck_fails(run(&smooth, "sdirk", NULL, &stopped), SAROS_ERR_STOPPED);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/adapt", every_integrator_with_an_estimate_is_tested,
                errors_follow_the_tolerance_at_the_order_of_the_method, stiff_kinetics_by_sdirk,
                output_times_are_hit, what_cannot_go_on_says_where,
                integrators_without_an_estimate_are_refused, memory_of_runs_is_flat)
