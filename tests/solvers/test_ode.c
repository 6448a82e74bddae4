/** Fixed-step marches: every integrator at its order, output times, discrete gradients. */
#include "saros_check.h"

#include <stdio.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/ode.h"

/* y1' = p y1 y2 (1 + t) cos t,  y2' = -y2^2;  from (1, 1) with p = 1: exp(sin t), 1/(1 + t). */
static saros_status pair_rate(saros_graph *g, saros_value t, saros_value y, void *user,
                              saros_value *rate) {
    (void)g;
    saros_value p = *(saros_value *)user;
    saros_value a = saros_slice(y, 0, 0, 1, 1), b = saros_slice(y, 0, 1, 2, 1);
    saros_value grow = saros_mul(saros_mul(saros_add(saros_like(t, 1), t), saros_cos(t)), p);
    saros_value part[2] = {saros_mul(saros_mul(a, b), grow), saros_neg(saros_mul(b, b))};
    *rate = saros_concat(2, part, 0);
    return SAROS_OK;
}

/* The same in two parts: decay, and growth, which is not stiff. */
static saros_status decay_part(saros_graph *g, saros_value t, saros_value y, void *user,
                               saros_value *rate) {
    (void)g;
    (void)t;
    (void)user;
    saros_value b = saros_slice(y, 0, 1, 2, 1);
    saros_value part[2] = {saros_mul(saros_like(b, 0), b), saros_neg(saros_mul(b, b))};
    *rate = saros_concat(2, part, 0);
    return SAROS_OK;
}

static saros_status growth_part(saros_graph *g, saros_value t, saros_value y, void *user,
                                saros_value *rate) {
    saros_value decay = SAROS_NONE;
    saros_status status = pair_rate(g, t, y, user, rate);
    if (status == SAROS_OK) status = decay_part(g, t, y, user, &decay);
    if (status == SAROS_OK) *rate = saros_sub(*rate, decay);
    return status;
}

/* y1 relaxes to y2 within 1e-5; explicit y2' = -p y2^3: y2 = 1/sqrt(1 + 2 p t). */
enum { FAST = 100000 };
static saros_status relaxing_part(saros_graph *g, saros_value t, saros_value y, void *user,
                                  saros_value *rate) {
    (void)g;
    (void)t;
    (void)user;
    saros_value off = saros_sub(saros_slice(y, 0, 0, 1, 1), saros_slice(y, 0, 1, 2, 1));
    saros_value part[2] = {saros_mul(saros_like(off, -FAST), off),
                           saros_mul(saros_like(off, 0), off)};
    *rate = saros_concat(2, part, 0);
    return SAROS_OK;
}

static saros_status slow_part(saros_graph *g, saros_value t, saros_value y, void *user,
                              saros_value *rate) {
    (void)g;
    (void)t;
    saros_value b = saros_slice(y, 0, 1, 2, 1), cube = saros_power(b, 3);
    saros_value part[2] = {saros_mul(saros_like(b, 0), b),
                           saros_neg(saros_mul(*(saros_value *)user, cube))};
    *rate = saros_concat(2, part, 0);
    return SAROS_OK;
}

/* Robertson's kinetics (references: p = (.04, 1e4, 3e7)), p in the user. */
static saros_status robertson_rate(saros_graph *g, saros_value t, saros_value y, void *user,
                                   saros_value *rate) {
    (void)g;
    (void)t;
    saros_value p = *(saros_value *)user, k[3], u[3];
    for (int i = 0; i < 3; ++i) {
        k[i] = saros_slice(p, 0, i, i + 1, 1);
        u[i] = saros_slice(y, 0, i, i + 1, 1);
    }
    saros_value a = saros_mul(k[0], u[0]), b = saros_mul(saros_mul(k[1], u[1]), u[2]);
    saros_value c = saros_mul(saros_mul(k[2], u[1]), u[1]);
    saros_value part[3] = {saros_sub(b, a), saros_sub(saros_sub(a, b), c), c};
    *rate = saros_concat(3, part, 0);
    return SAROS_OK;
}

/* Inputs y0, times, steps, p (of `parameters` entries, a scalar if 0). */
typedef struct fixture {
    saros_graph *g;
    saros_value in[4], final, kept;
    saros_tensor *at[4];
} fixture;

static saros_rate_fn explicit_part; /* of the next fixtures */

static fixture fixture_bounded(int64_t states, const char *integrator, saros_rate_fn rate,
                               int64_t n, const double *y0, int64_t times, const double *time,
                               int64_t steps, int64_t parameters, const double *parameter) {
    fixture f = {0};
    ck_ok(saros_graph_make(&f.g));
    int64_t intervals = times - 1;
    const saros_type type[4] = {saros_type_make(SAROS_F64, 1, &n),
                                saros_type_make(SAROS_F64, 1, &times),
                                saros_type_make(SAROS_I64, 1, &intervals),
                                saros_type_make(SAROS_F64, parameters > 0, &parameters)};
    for (int k = 0; k < 4; ++k) f.in[k] = saros_input(f.g, &type[k], NULL);
    const saros_integrator *row = saros_integrator_find(integrator);
    ck_assert_ptr_nonnull(row);
    saros_march(f.g,
                &(saros_march_spec){.integrator = row,
                                    .y0 = f.in[0],
                                    .times = f.in[1],
                                    .steps = f.in[2],
                                    .bound = 131072,
                                    .states = states,
                                    .rate = rate,
                                    .explicit_rate = explicit_part,
                                    .user = &f.in[3]},
                &f.final, &f.kept);
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, y0, &f.at[0]));
    ck_ok(saros_tensor_from(SAROS_F64, 1, &times, time, &f.at[1]));
    ck_ok(saros_tensor_make(SAROS_I64, 1, &intervals, &f.at[2]));
    for (int64_t k = 0; k < intervals; ++k) ((int64_t *)saros_tensor_data(f.at[2]))[k] = steps;
    ck_ok(saros_tensor_from(SAROS_F64, parameters > 0, &parameters, parameter, &f.at[3]));
    return f;
}

static fixture fixture_make(const char *integrator, saros_rate_fn rate, int64_t n, const double *y0,
                            int64_t times, const double *time, int64_t steps, int64_t parameters,
                            const double *parameter) {
    return fixture_bounded(0, integrator, rate, n, y0, times, time, steps, parameters, parameter);
}

static void fixture_free(fixture *f) {
    for (int k = 0; k < 4; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
}

static saros_function *compiled(const fixture *f, int outs, const saros_value *out) {
    saros_function *function = NULL;
    ck_ok(saros_compile(f->g, 4, f->in, outs, out, NULL, &function));
    return function;
}

static const double pair_start[] = {1, 1}, pair_times[] = {0, 0.3, 1}, one[] = {1};

/* Largest error at the last time after `steps` in each of two unequal intervals. */
static double pair_error(const fixture *f, const saros_function *function, int64_t steps) {
    saros_tensor *y = NULL;
    for (int k = 0; k < 2; ++k) ((int64_t *)saros_tensor_data(f->at[2]))[k] = steps;
    ck_ok(saros_function_call(function, f->at, &y, NULL));
    const double *v = saros_tensor_const_data(y);
    double t = ((const double *)saros_tensor_const_data(f->at[1]))[2];
    double error = fmax(fabs(v[0] - exp(sin(t))), fabs(v[1] - 1 / (1 + t)));
    saros_tensor_release(y);
    return error;
}

static void check_order(const saros_integrator *row, saros_rate_fn rate) {
    fixture f = fixture_make(row->name, rate, 2, pair_start, 3, pair_times, 1, 0, one);
    saros_function *function = compiled(&f, 1, &f.final);
    int64_t steps = row->order > 3 ? 32 : 128;
    if (row->order > 4) /* to t = 1 its leading errors cancel */
        memcpy(saros_tensor_data(f.at[1]), (double[]){0, 1, 3}, 3 * sizeof(double));
    double coarse = pair_error(&f, function, steps), fine = pair_error(&f, function, 2 * steps);
    double order = log2(coarse / fine);
    ck_assert_msg(fabs(order - row->order) < 0.1, "%s, %s: order %.3f (errors %.3g, %.3g)",
                  row->name, explicit_part ? "split" : "whole", order, coarse, fine);
    saros_function_release(function);
    fixture_free(&f);
}

/* Also where the rate is given in two parts, whether the integrator takes them apart or not. */
START_TEST(integrators_converge_at_their_order) {
    int count = 0;
    const saros_integrator *const *rows = saros_integrators(&count);
    for (int k = 0; k < count; ++k) {
        check_order(rows[k], pair_rate);
        explicit_part = growth_part;
        check_order(rows[k], decay_part);
        explicit_part = NULL;
    }
}
END_TEST

/* On the slow manifold of a stiff relaxation, steps a thousand times its time. */
START_TEST(implicit_integrators_converge_on_a_stiff_problem) {
    int count = 0;
    const saros_integrator *const *rows = saros_integrators(&count);
    explicit_part = slow_part;
    for (int k = 0; k < count; ++k) {
        if (!rows[k]->implicit_) continue;
        double error[2];
        fixture f = fixture_make(rows[k]->name, relaxing_part, 2, pair_start, 2, (double[]){0, 1},
                                 1, 0, one);
        saros_function *function = compiled(&f, 1, &f.final);
        for (int i = 0; i < 2; ++i) {
            saros_tensor *y = NULL;
            *(int64_t *)saros_tensor_data(f.at[2]) = i ? 96 : 48;
            ck_ok(saros_function_call(function, f.at, &y, NULL));
            const double *v = saros_tensor_const_data(y), end = 1 / sqrt(3);
            error[i] = fabs(v[1] - end);
            /* y1 - y2 = y2^3/FAST + …; crank-nicolson damps nothing, imex is of order 2 in y1 */
            double off = rows[k]->splits ? 1e-3 : 0.01 / FAST;
            if (strcmp(rows[k]->name, "crank-nicolson") != 0)
                ck_near(v[0] - v[1], pow(end, 3) / FAST, off);
            saros_tensor_release(y);
        }
        double order = log2(error[0] / error[1]);
        ck_assert_msg(fabs(order - rows[k]->order) < 0.4, "%s: order %.3f (errors %.3g, %.3g)",
                      rows[k]->name, order, error[0], error[1]);
        saros_function_release(function);
        fixture_free(&f);
    }
    explicit_part = NULL;
}
END_TEST

START_TEST(states_are_kept_at_the_output_times) {
    fixture f = fixture_make("rk4", pair_rate, 2, pair_start, 3, pair_times, 40, 0, one);
    saros_function *function = compiled(&f, 2, (saros_value[]){f.final, f.kept});
    saros_tensor *out[2] = {NULL};
    ck_ok(saros_function_call(function, f.at, out, NULL));
    ck_assert_int_eq(saros_tensor_shape(out[1])[0], 2);
    const double *kept = saros_tensor_const_data(out[1]), *final = saros_tensor_const_data(out[0]);
    ck_near(kept[0], exp(sin(0.3)), 1e-8);
    ck_near(kept[1], 1 / 1.3, 1e-8);
    ck_assert_double_eq(kept[2], final[0]);
    ck_assert_double_eq(kept[3], final[1]);
    for (int k = 0; k < 2; ++k) saros_tensor_release(out[k]);
    saros_function_release(function);
    fixture_free(&f);
}
END_TEST

static const double robertson_start[] = {1, 0, 0}, robertson_times[] = {0, 0.001, 0.02, 0.4};
static const double robertson_p[] = {0.04, 1e4, 3e7};

/* references.md, Robertson, t = .4. The error left is that of the steps: order 3 with 1200 of them.
 */
START_TEST(stiff_kinetics_by_sdirk) {
    fixture f = fixture_make("sdirk", robertson_rate, 3, robertson_start, 4, robertson_times, 400,
                             3, robertson_p);
    saros_function *function = compiled(&f, 1, &f.final);
    saros_tensor *y = NULL;
    ck_ok(saros_function_call(function, f.at, &y, NULL));
    const double *v = saros_tensor_const_data(y);
    ck_near(v[0], .98517211386098, 1e-8);
    ck_near(1e5 * v[1], 3.3863953789752, 1e-6);
    ck_near(v[2], .014794022185233, 1e-8);
    saros_tensor_release(y);
    saros_function_release(function);
    fixture_free(&f);
}
END_TEST

/* references.md: dy1/dp1 = -.355952566 at t = .4 */
START_TEST(stiff_sensitivity_by_reverse_sdirk) {
    fixture f = fixture_make("sdirk", robertson_rate, 3, robertson_start, 4, robertson_times, 100,
                             3, robertson_p);
    saros_value first = saros_sum(saros_slice(f.final, 0, 0, 1, 1), 1), gradient;
    saros_vjp(1, &first, NULL, 1, &f.in[3], &gradient);
    saros_function *function = compiled(&f, 1, &gradient);
    saros_tensor *value = NULL;
    ck_ok(saros_function_call(function, f.at, &value, NULL));
    ck_near(*(double *)saros_tensor_data(value), -.355952566, 1e-6);
    saros_tensor_release(value);
    saros_function_release(function);
    fixture_free(&f);
}
END_TEST

START_TEST(discrete_gradients_pass_the_taylor_test) {
    int count = 0;
    const saros_integrator *const *rows = saros_integrators(&count);
    for (int k = 0; k < count; ++k) {
        fixture f = fixture_make(rows[k]->name, pair_rate, 2, pair_start, 3, pair_times, 5, 0, one);
        saros_value squares = saros_sum(saros_power(f.kept, 2), 3);
        saros_gradient_report report;
        /* y0, times, p */
        saros_value of[3] = {f.in[0], f.in[1], f.in[3]};
        ck_ok(saros_check_gradient(squares, 3, of, 4, f.in, f.at, 11, &report));
        ck_assert_double_le(report.dot_error, 1e-10);
        fixture_free(&f);
    }
}
END_TEST

START_TEST(numbers_of_steps_out_of_range_are_errors) {
    fixture f = fixture_make("euler", pair_rate, 2, pair_start, 3, pair_times, 0, 0, one);
    saros_function *function = compiled(&f, 1, &f.final);
    saros_tensor *y = NULL;
    ck_fails(saros_function_call(function, f.at, &y, NULL), SAROS_ERR_DOMAIN);
    ((int64_t *)saros_tensor_data(f.at[2]))[0] = 20000;
    ck_fails(saros_function_call(function, f.at, &y, NULL), SAROS_ERR_DOMAIN);
    ck_assert_ptr_null(y);
    saros_function_release(function);
    fixture_free(&f);
}
END_TEST

/* Lines of the program that look for a root. */
static int roots_in(const saros_function *function) {
    size_t bytes = saros_function_dump(function, NULL, 0) + 1;
    char *text = malloc(bytes);
    int count = 0;
    ck_assert_ptr_nonnull(text);
    saros_function_dump(function, text, bytes);
    if (getenv("SAROS_SHOW")) fputs(text, stderr);
    for (const char *at = text; (at = strstr(at, " root f64")); ++at) ++count;
    free(text);
    return count;
}

/* Three stages, found once in a run: the reverse sweep has them from there, unless it is to hold
 * few states. */
START_TEST(reverse_sweeps_look_for_no_root) {
    for (int64_t states = 0; states <= 6; states += 6) {
        fixture f =
            fixture_bounded(states, "sdirk", pair_rate, 2, pair_start, 2, pair_times, 60, 0, one);
        saros_value both[2] = {saros_sum(f.final, 1)};
        saros_vjp(1, both, NULL, 1, &f.in[3], &both[1]);
        saros_function *function = compiled(&f, 2, both);
        ck_assert_int_eq(roots_in(function), states ? 9 : 3);
        saros_function_release(function);
        fixture_free(&f);
    }
}
END_TEST

START_TEST(unknown_integrators_are_told_the_list) {
    ck_assert_ptr_null(saros_integrator_find("rk5"));
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "crank-nicolson"));
    ck_assert_ptr_nonnull(strstr(saros_error_last()->hint, "rk4"));
}
END_TEST

START_TEST(memory_of_gradients_is_flat) {
    fixture f = fixture_make("crank-nicolson", pair_rate, 2, pair_start, 3, pair_times, 50, 0, one);
    saros_value j = saros_sum(f.final, 1), gradient;
    saros_vjp(1, &j, NULL, 1, &f.in[3], &gradient);
    saros_function *function = compiled(&f, 1, &gradient);
    int64_t held = 0;
    for (int round = 0; round < 50; ++round) {
        saros_tensor *value = NULL;
        ck_ok(saros_function_call(function, f.at, &value, NULL));
        saros_tensor_release(value);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
    saros_function_release(function);
    fixture_free(&f);
}
END_TEST

/* Gradients by y0, times, p with `states` states of an interval; bytes that the calls left held. */
static int64_t bounded_gradient(const char *integrator, int64_t states, double *gradient) {
    fixture f =
        fixture_bounded(states, integrator, pair_rate, 2, pair_start, 3, pair_times, 60, 0, one);
    saros_value squares = saros_sum(saros_power(f.kept, 2), 3), by[3];
    saros_vjp(1, &squares, NULL, 3, (saros_value[]){f.in[0], f.in[1], f.in[3]}, by);
    int64_t before = saros_memory_held(), held = 0;
    saros_function *function = compiled(&f, 3, by);
    for (int round = 0; round < 5; ++round) {
        saros_tensor *value[3] = {NULL};
        double *to = gradient;
        ck_ok(saros_function_call(function, f.at, value, NULL));
        for (int k = 0; k < 3; ++k) {
            size_t count = (size_t)saros_tensor_count(value[k]);
            memcpy(to, saros_tensor_const_data(value[k]), count * sizeof *to);
            to += count;
            saros_tensor_release(value[k]);
        }
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
    saros_function_release(function);
    fixture_free(&f);
    return held - before;
}

START_TEST(gradients_in_bounded_memory_are_the_same) {
    static const char *const names[] = {"euler", "rk4", "crank-nicolson"};
    for (size_t k = 0; k < sizeof names / sizeof *names; ++k) {
        double all[6], few[6];
        int64_t most = bounded_gradient(names[k], 0, all);
        int64_t least = bounded_gradient(names[k], 6, few);
        ck_assert_msg(!memcmp(all, few, sizeof all), "%s: gradients differ", names[k]);
        /* 131072 states of two numbers are not there; the program is somewhat larger */
        ck_assert_msg(least < most - 60000 * 16, "%s: %lld bytes held, %lld with all states",
                      names[k], (long long)least, (long long)most);
    }
}
END_TEST

SAROS_TEST_MAIN("solvers/ode", integrators_converge_at_their_order,
                implicit_integrators_converge_on_a_stiff_problem,
                states_are_kept_at_the_output_times, stiff_kinetics_by_sdirk,
                stiff_sensitivity_by_reverse_sdirk, discrete_gradients_pass_the_taylor_test,
                numbers_of_steps_out_of_range_are_errors, reverse_sweeps_look_for_no_root,
                unknown_integrators_are_told_the_list, memory_of_gradients_is_flat,
                gradients_in_bounded_memory_are_the_same)
