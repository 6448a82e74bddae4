/** Adaptive steps: errors in proportion to the tolerance, stiff references, outputs hit, replay and
 * its gradient, every way to stop. */
#include "saros_check.h"

#include <stdio.h>
#include <string.h>

#include "saros/adapt.h"
#include "saros/autodiff.h"
#include "saros/memory.h"

typedef saros_value (*builder)(saros_value t, saros_value y, saros_value p);

/* y1' = p y1 y2 (1 + t) cos t,  y2' = -y2^2;  from (1, 1) with p = 1: exp(sin t), 1/(1 + t). */
static saros_value pair(saros_value t, saros_value y, saros_value p) {
    saros_value a = saros_slice(y, 0, 0, 1, 1), b = saros_slice(y, 0, 1, 2, 1);
    saros_value grow = saros_mul(saros_mul(saros_add(saros_like(t, 1), t), saros_cos(t)),
                                 saros_reshape(p, 0, NULL));
    saros_value part[2] = {saros_mul(saros_mul(a, b), grow), saros_neg(saros_mul(b, b))};
    return saros_concat(2, part, 0);
}

/* Robertson's kinetics */
static saros_value robertson(saros_value t, saros_value y, saros_value p) {
    (void)t;
    saros_value k[3], u[3];
    for (int i = 0; i < 3; ++i) {
        k[i] = saros_slice(p, 0, i, i + 1, 1);
        u[i] = saros_slice(y, 0, i, i + 1, 1);
    }
    saros_value a = saros_mul(k[0], u[0]), b = saros_mul(saros_mul(k[1], u[1]), u[2]);
    saros_value c = saros_mul(saros_mul(k[2], u[1]), u[1]);
    saros_value part[3] = {saros_sub(b, a), saros_sub(saros_sub(a, b), c), c};
    return saros_concat(3, part, 0);
}

/* y' = p y^2: infinite at t = 1/p from 1 */
static saros_value explosion(saros_value t, saros_value y, saros_value p) {
    (void)t;
    return saros_mul(saros_mul(y, y), p);
}

/* y' = log(p - t): no number beyond t = p */
static saros_value cliff(saros_value t, saros_value y, saros_value p) {
    return saros_add(saros_mul(saros_like(y, 0), y), saros_log(saros_sub(p, t)));
}

typedef struct problem {
    builder build;
    int64_t n, parameters, times;
    double start[3], p[3], time[5];
} problem;

static const char *const adaptive[] = {"sdirk", "dopri5"};
static const problem smooth = {pair, 2, 1, 3, {1, 1}, {1}, {0, 0.7, 3}};
static const problem stiff = {robertson, 3, 3, 3, {1, 0, 0}, {0.04, 1e4, 3e7}, {0, 0.4, 4}};

typedef struct context {
    const problem *of;
    saros_value p;
} context;

static saros_status rate(saros_graph *g, saros_value t, saros_value y, void *user,
                         saros_value *out) {
    (void)g;
    const context *c = user;
    *out = c->of->build(t, y, c->p);
    return SAROS_OK;
}

static saros_tensor *vector(int64_t n, const double *value) {
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, value, &t));
    return t;
}

static saros_function *step_of(const problem *of, const saros_integrator *integrator) {
    saros_graph *g = NULL;
    saros_function *step = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &of->n);
    saros_type list = saros_type_make(SAROS_F64, 1, &of->parameters);
    saros_value in[4] = {saros_input(g, &scalar, "t"), saros_input(g, &scalar, "h"),
                         saros_input(g, &state, "y"), saros_input(g, &list, "p")};
    context c = {of, in[3]};
    saros_value out[2];
    saros_march_step(
        g, &(saros_march_spec){.integrator = integrator, .y0 = in[2], .rate = rate, .user = &c},
        in[0], in[1], &out[0], &out[1]);
    ck_ok(saros_compile(g, 4, in, 2, out, NULL, &step));
    saros_graph_release(g);
    return step;
}

typedef struct record {
    int count, stop_after;
    double time[8], state[8][3];
    saros_steps steps;
    saros_ode_info info;
} record;

static saros_status output(double t, saros_tensor *y, void *user) {
    record *r = user;
    r->time[r->count] = t;
    memcpy(r->state[r->count++], saros_tensor_const_data(y),
           (size_t)saros_tensor_count(y) * sizeof(double));
    return SAROS_OK;
}

static bool stop(double t, void *user) {
    (void)t;
    record *r = user;
    return r->stop_after && --r->stop_after == 0;
}

static saros_status run(const problem *of, const char *name, const saros_adapt_options *options,
                        record *r) {
    const saros_integrator *integrator = saros_integrator_find(name);
    ck_assert_ptr_nonnull(integrator);
    saros_function *step = step_of(of, integrator);
    saros_tensor *y0 = vector(of->n, of->start), *p = vector(of->parameters, of->p);
    saros_status status = saros_adapt(step, integrator, 1, &p, y0, (int)of->times, of->time,
                                      options, output, stop, r, &r->steps, &r->info);
    saros_tensor_release(y0);
    saros_tensor_release(p);
    saros_function_release(step);
    return status;
}

START_TEST(errors_follow_the_tolerance_at_the_order_of_the_method) {
    for (int k = 0; k < 2; ++k) {
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

/* references.md, Robertson at t = .4 and 4. */
START_TEST(stiff_kinetics_by_sdirk) {
    static const double exact[2][3] = {{.98517211386098, 3.3863953789752e-5, .014794022185233},
                                       {.90551867858425, 2.2404756875602e-5, .094458916658876}};
    record r = {0};
    ck_ok(run(&stiff, "sdirk", &(saros_adapt_options){.rtol = 1e-7, .atol = 1e-12}, &r));
    for (int j = 0; j < 2; ++j)
        for (int i = 0; i < 3; ++i) ck_near(r.state[j + 1][i] / exact[j][i], 1, 1e-6);
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "robertson: %d steps, %d rejected, off by %.1e\n", (int)r.steps.total,
                (int)r.info.error_test_failures, r.state[2][1] / exact[1][1] - 1);
    /* the steps grow out of the transient: as many equal ones as its shortest would be thousands */
    ck_assert_int_lt(r.steps.total, 1200);
    ck_assert_double_gt(r.info.last_step, 1000 * r.steps.h[0]);
    saros_steps_clear(&r.steps);
}
END_TEST

START_TEST(output_times_are_hit) {
    const problem of = {pair, 2, 1, 5, {1, 1}, {1}, {0, 1e-7, 0.1, 0.1 + 1e-9, 1. / 3}};
    for (int k = 0; k < 2; ++k) {
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

typedef struct replay {
    saros_graph *g;
    saros_value in[5], final, kept;
    saros_tensor *at[5];
} replay;

/* A march over given steps: inputs y0, times, counts, h, p. */
static replay replay_make(const problem *of, const char *name, const saros_steps *steps) {
    replay f = {0};
    ck_ok(saros_graph_make(&f.g));
    f.at[0] = vector(of->n, of->start), f.at[1] = vector(of->times, of->time);
    f.at[4] = vector(of->parameters, of->p);
    ck_ok(saros_steps_tensors(steps, &f.at[2], &f.at[3]));
    for (int k = 0; k < 5; ++k) {
        saros_type type = saros_tensor_type(f.at[k]);
        f.in[k] = saros_input(f.g, &type, NULL);
    }
    context c = {of, f.in[4]};
    saros_march(f.g,
                &(saros_march_spec){.integrator = saros_integrator_find(name),
                                    .y0 = f.in[0],
                                    .times = f.in[1],
                                    .steps = f.in[2],
                                    .bound = steps->most,
                                    .h = f.in[3],
                                    .rate = rate,
                                    .user = &c},
                &f.final, &f.kept);
    return f;
}

static void replay_free(replay *f) {
    for (int k = 0; k < 5; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
}

START_TEST(a_replay_gives_the_numbers_of_the_run) {
    const problem *const of[2] = {&smooth, &stiff};
    for (int k = 0; k < 3; ++k) { /* dopri5 is not for stiff kinetics */
        record r = {0};
        ck_ok(run(of[k / 2], adaptive[k % 2], NULL, &r));
        replay f = replay_make(of[k / 2], adaptive[k % 2], &r.steps);
        saros_function *function = NULL;
        saros_tensor *out = NULL;
        ck_ok(saros_compile(f.g, 5, f.in, 1, &f.kept, NULL, &function));
        ck_ok(saros_function_call(function, f.at, &out, NULL));
        const double *kept = saros_tensor_const_data(out);
        for (int j = 0; j < 2; ++j)
            for (int i = 0; i < of[k / 2]->n; ++i)
                ck_near(kept[j * of[k / 2]->n + i], r.state[j + 1][i], 1e-13);
        saros_tensor_release(out);
        saros_function_release(function);
        replay_free(&f);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* J = sum of squares at both outputs; dJ/dp by reverse mode, then J at p (1 +- e). */
static void differences(replay *f, const problem *of, double *gradient, double *difference) {
    saros_value j = saros_sum(saros_power(f->kept, 2), 3), both[2] = {j};
    saros_function *function = NULL;
    double e = 1e-3 * of->p[0], value[4];
    saros_vjp(1, &j, NULL, 1, &f->in[4], &both[1]);
    ck_ok(saros_compile(f->g, 5, f->in, 2, both, NULL, &function));
    for (int k = 0; k < 5; ++k) {
        saros_tensor *out[2] = {NULL};
        static const double moved[] = {-1, -0.5, 0.5, 1, 0};
        ((double *)saros_tensor_data(f->at[4]))[0] = of->p[0] + moved[k] * e;
        ck_ok(saros_function_call(function, f->at, out, NULL));
        if (k < 4) ck_ok(saros_tensor_item(out[0], &value[k]));
        *gradient = *(const double *)saros_tensor_const_data(out[1]);
        for (int i = 0; i < 2; ++i) saros_tensor_release(out[i]);
    }
    double wide = (value[3] - value[0]) / (2 * e), half = (value[2] - value[1]) / e;
    *difference = (4 * half - wide) / 3;
    saros_function_release(function);
}

START_TEST(gradients_are_those_of_the_replayed_numbers) {
    const problem *const of[2] = {&smooth, &stiff};
    for (int k = 0; k < 3; ++k) {
        record r = {0};
        double gradient, difference;
        ck_ok(run(of[k / 2], adaptive[k % 2], NULL, &r));
        replay f = replay_make(of[k / 2], adaptive[k % 2], &r.steps);
        differences(&f, of[k / 2], &gradient, &difference);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "%s: gradient %.12g, differences off by %.1e\n", adaptive[k % 2],
                    gradient, difference / gradient - 1);
        ck_near(gradient / difference, 1, 1e-9);
        if (k < 2) {
            saros_gradient_report report;
            saros_value j = saros_sum(saros_power(f.kept, 2), 3);
            ck_ok(saros_check_gradient(j, 2, (saros_value[]){f.in[0], f.in[4]}, 5, f.in, f.at, 11,
                                       &report));
            ck_assert(report.passed);
        }
        replay_free(&f);
        saros_steps_clear(&r.steps);
    }
}
END_TEST

/* references.md: dy1/dp1 at t = .4 and 4, and those of 4000 equal steps of the smooth pair. */
START_TEST(gradients_are_as_accurate_as_the_run) {
    static const double exact[2] = {-.355952566, -1.876082174};
    record r = {0};
    ck_ok(run(&stiff, "sdirk", &(saros_adapt_options){.rtol = 1e-7, .atol = 1e-12}, &r));
    replay f = replay_make(&stiff, "sdirk", &r.steps);
    for (int j = 0; j < 2; ++j) {
        saros_function *function = NULL;
        saros_tensor *out = NULL;
        saros_value row = saros_slice(f.kept, 0, j, j + 1, 1), gradient;
        saros_value first = saros_sum(saros_slice(row, 1, 0, 1, 1), 3);
        saros_vjp(1, &first, NULL, 1, &f.in[4], &gradient);
        ck_ok(saros_compile(f.g, 5, f.in, 1, &gradient, NULL, &function));
        ck_ok(saros_function_call(function, f.at, &out, NULL));
        double got = *(const double *)saros_tensor_const_data(out);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "robertson: dy1/dp1 off by %.1e\n", got / exact[j] - 1);
        ck_near(got / exact[j], 1, 1e-6);
        saros_tensor_release(out);
        saros_function_release(function);
    }
    replay_free(&f);
    saros_steps_clear(&r.steps);
}
END_TEST

START_TEST(gradients_agree_with_fine_equal_steps) {
    double adapted, fine, unused;
    record r = {0};
    ck_ok(run(&smooth, "dopri5", &(saros_adapt_options){.rtol = 1e-9, .atol = 1e-9}, &r));
    replay f = replay_make(&smooth, "dopri5", &r.steps);
    differences(&f, &smooth, &adapted, &unused);
    replay_free(&f);
    saros_steps_clear(&r.steps);
    enum { STEPS = 2000 };
    int64_t count[2] = {STEPS, STEPS};
    double h[2 * STEPS];
    for (int i = 0; i < 2 * STEPS; ++i) h[i] = (i < STEPS ? 0.7 : 2.3) / STEPS;
    f = replay_make(
        &smooth, "rk4",
        &(saros_steps){.intervals = 2, .most = STEPS, .total = 2 * STEPS, .count = count, .h = h});
    differences(&f, &smooth, &fine, &unused);
    replay_free(&f);
    ck_near(adapted / fine, 1, 1e-7);
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
    for (int k = 0; k < 2; ++k) {
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

SAROS_TEST_MAIN("solvers/adapt", errors_follow_the_tolerance_at_the_order_of_the_method,
                stiff_kinetics_by_sdirk, output_times_are_hit,
                a_replay_gives_the_numbers_of_the_run, gradients_are_those_of_the_replayed_numbers,
                gradients_are_as_accurate_as_the_run, gradients_agree_with_fine_equal_steps,
                what_cannot_go_on_says_where, integrators_without_an_estimate_are_refused,
                memory_of_runs_is_flat)
