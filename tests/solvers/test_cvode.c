/** CVODES on tensors: reference values, every linear solver, every way to stop. */
#include "robertson.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "nvector_impl.h"
#include "saros/autodiff.h"
#include "saros/cvode.h"
#include "saros/memory.h"

/* rate(t, y, p) and jvp(t, y, p, v) from a builder */
typedef saros_value (*rate_builder)(saros_value t, saros_value y, saros_value p);
typedef struct ode {
    saros_function *rate, *jvp;
} ode;

static ode ode_make(rate_builder build, int64_t n, int64_t parameters) {
    saros_graph *g = NULL;
    ode f;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &n);
    saros_type list = saros_type_make(SAROS_F64, 1, &parameters);
    saros_value in[4] = {saros_input(g, &scalar, "t"), saros_input(g, &state, "y"),
                         saros_input(g, &list, "p"), saros_input(g, &state, "v")};
    saros_value rate = build(in[0], in[1], in[2]), product;
    saros_jvp(1, &rate, 1, &in[1], &in[3], &product);
    ck_ok(saros_compile(g, 3, in, 1, &rate, NULL, &f.rate));
    ck_ok(saros_compile(g, 4, in, 1, &product, NULL, &f.jvp));
    saros_graph_release(g);
    return f;
}

static void ode_free(ode *f) {
    saros_function_release(f->rate);
    saros_function_release(f->jvp);
}

/* What the tests record: output times and the first three unknowns. */
typedef struct record {
    int outputs;
    double t[8], y[8][3];
    int fail_at, stop_after;
} record;

static saros_status keep(double t, saros_tensor *y, void *user) {
    record *r = user;
    if (r->fail_at && r->outputs == r->fail_at)
        return saros_fail(SAROS_ERR_IO, "keep", NULL, "the disk is full");
    r->t[r->outputs] = t;
    for (int k = 0; k < 3 && k < saros_tensor_count(y); ++k)
        r->y[r->outputs][k] = ((double *)saros_tensor_data(y))[k];
    r->outputs++;
    return SAROS_OK;
}

static bool stop_soon(double t, void *user) {
    (void)t;
    record *r = user;
    return r->stop_after && --r->stop_after == 0;
}

static void check_robertson(const record *r, double tolerance) {
    ck_assert_int_eq(r->outputs, 3);
    for (int t = 0; t < 2; ++t)
        for (int k = 0; k < 3; ++k)
            ck_assert_msg(fabs(r->y[t + 1][k] / robertson_states[t][k] - 1) < tolerance,
                          "y%d at t = %g is %.14g, wanted %.14g", k, r->t[t + 1], r->y[t + 1][k],
                          robertson_states[t][k]);
}

static const double robertson_p[] = ROBERTSON_P, robertson_y[] = {1, 0, 0};

START_TEST(robertson_reaches_its_reference_values) {
    ode f = ode_make(robertson, 3, 3);
    saros_tensor *p = vector(3, robertson_p), *y0 = vector(3, robertson_y);
    saros_sparsity *dense = NULL;
    ck_ok(saros_sparsity_dense(3, &dense));
    for (int direct = 0; direct < 2; ++direct) {
        record r = {0};
        saros_ode_info info = {0};
        saros_cvode_options options = {
            .rtol = 1e-10, .atol = 1e-14, .sparsity = direct ? dense : NULL};
        ck_ok(saros_cvode_solve(f.rate, f.jvp, 1, &p, y0, 3, robertson_times, &options, keep, NULL,
                                &r, &info));
        check_robertson(&r, 1e-7);
        ck_assert_str_eq(info.linear_solver, direct ? "dense LU" : "GMRES");
        ck_assert_double_eq(info.last_time, 4);
        ck_assert_int_gt(info.steps, 50);
        ck_assert_int_ge(info.rate_evaluations, info.steps);
        ck_assert_int_eq(info.jacobian_evaluations > 0, direct);
    }
    ck_assert_int_eq(saros_nvector_alive(), 0);
    ck_assert_double_eq(*(double *)saros_tensor_data(y0), 1);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    saros_sparsity_release(dense);
    ode_free(&f);
}
END_TEST

/* Kepler, e = .6 (references.md): after one period 2 pi the orbit closes. */
static saros_value kepler(saros_value t, saros_value y, saros_value p) {
    (void)t;
    (void)p;
    saros_value q = saros_slice(y, 0, 0, 2, 1), v = saros_slice(y, 0, 2, 4, 1);
    saros_value r2 = saros_sum(saros_mul(q, q), 1);
    saros_value all[2] = {v, saros_neg(saros_div(q, saros_mul(r2, saros_sqrt(r2))))};
    return saros_concat(2, all, 0);
}

START_TEST(adams_closes_an_orbit) {
    ode f = ode_make(kepler, 4, 1);
    saros_tensor *p = vector(1, (double[]){0}), *y0 = vector(4, (double[]){0.4, 0, 0, 2});
    record r = {0};
    saros_ode_info info;
    ck_ok(saros_cvode_solve(f.rate, NULL, 1, &p, y0, 2, (double[]){0, 2 * M_PI},
                            &(saros_cvode_options){.adams = true, .rtol = 1e-10, .atol = 1e-12},
                            keep, NULL, &r, &info));
    ck_near(r.y[1][0], 0.4, 1e-7);
    ck_near(r.y[1][1], 0, 1e-7);
    ck_assert_str_eq(info.linear_solver, "none");
    ck_assert_int_eq(saros_nvector_alive(), 0);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    ode_free(&f);
}
END_TEST

/* u_t = u_xx + u_yy on M x M inner nodes of the unit square, zero around. */
enum { M = 64 };
static saros_value heat(saros_value t, saros_value y, saros_value p) {
    (void)t;
    saros_value u = saros_reshape(y, 2, (int64_t[]){M, M});
    saros_value sum = saros_mul(saros_like(u, -4), u);
    for (int axis = 0; axis < 2; ++axis)
        for (int by = -1; by <= 1; by += 2)
            sum = saros_add(sum, saros_shift(u, axis, by, SAROS_EDGE_ZERO));
    saros_value scale = saros_mul(saros_reshape(p, 0, NULL), saros_like(u, (M + 1.0) * (M + 1.0)));
    return saros_reshape(saros_mul(scale, sum), 1, (int64_t[]){M * M});
}

static saros_sparsity *five_point(void) {
    static int64_t row[M * M + 1], column[5 * M * M];
    int64_t at = 0;
    for (int64_t i = 0; i < M * M; ++i) {
        if (i >= M) column[at++] = i - M;
        if (i % M > 0) column[at++] = i - 1;
        column[at++] = i;
        if (i % M < M - 1) column[at++] = i + 1;
        if (i < M * M - M) column[at++] = i + M;
        row[i + 1] = at;
    }
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_make(M * M, row, column, &p));
    return p;
}

static double centre;
static saros_status keep_centre(double t, saros_tensor *y, void *user) {
    (void)t;
    (void)user;
    centre = ((double *)saros_tensor_data(y))[(M / 2) * M + M / 2];
    return SAROS_OK;
}

/* A mode of the difference operator decays at exactly its eigenvalue; a hot spot makes it stiff. */
START_TEST(stiff_heat_in_two_dimensions) {
    ode f = ode_make(heat, M * M, 1);
    saros_tensor *p = vector(1, (double[]){1}), *y0 = NULL;
    saros_sparsity *pattern = five_point();
    ck_ok(saros_tensor_make(SAROS_F64, 1, (int64_t[]){M * M}, &y0));
    const double h = 1.0 / (M + 1), place = sin(M_PI * (M / 2 + 1) * h);
    for (int i = 0; i < M * M; ++i)
        ((double *)saros_tensor_data(y0))[i] =
            sin(M_PI * h * (i / M + 1)) * sin(M_PI * h * (i % M + 1));
    saros_ode_info info;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    ck_ok(
        saros_cvode_solve(f.rate, f.jvp, 1, &p, y0, 2, (double[]){0, 0.1},
                          &(saros_cvode_options){.rtol = 1e-8, .atol = 1e-12, .sparsity = pattern},
                          keep_centre, NULL, NULL, &info));
    clock_gettime(CLOCK_MONOTONIC, &b);
    double seconds = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
    double decay = 8 / (h * h) * pow(sin(M_PI * h / 2), 2);
    ck_near(centre / (place * place * exp(-0.1 * decay)), 1, 1e-6);
    ck_assert_str_eq(info.linear_solver, "KLU");
    ck_assert_msg(seconds < 20, "4096 stiff unknowns took %g s", seconds);
    if (getenv("SAROS_TEST_TIMES"))
        printf("heat %d^2: %.3g s, %lld steps, %lld Jacobians\n", M, seconds, (long long)info.steps,
               (long long)info.jacobian_evaluations);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    saros_sparsity_release(pattern);
    ode_free(&f);
}
END_TEST

/* ---- failures ---- */

static saros_value explode(saros_value t, saros_value y, saros_value p) {
    (void)t;
    (void)p;
    return saros_mul(y, y);
}
static saros_value root_of_time(saros_value t, saros_value y, saros_value p) {
    (void)p;
    return saros_mul(saros_sqrt(saros_sub(saros_like(t, 0.5), t)), saros_add(y, saros_like(y, 1)));
}

static saros_status solve_one(rate_builder build, record *r, const saros_cvode_options *options,
                              int times, const double *time) {
    ode f = ode_make(build, 1, 1);
    saros_tensor *p = vector(1, (double[]){0}), *y0 = vector(1, (double[]){1});
    saros_status status =
        saros_cvode_solve(f.rate, f.jvp, 1, &p, y0, times, time, options, keep, stop_soon, r, NULL);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    ode_free(&f);
    ck_assert_int_eq(saros_nvector_alive(), 0);
    return status;
}

START_TEST(failures_say_why_and_when) {
    const double time[] = {0, 0.25, 2};
    record r = {0};
    saros_status status = solve_one(explode, &r, NULL, 3, time); /* 1/(1-t) */
    ck_assert(status == SAROS_ERR_NOT_CONVERGED || status == SAROS_ERR_DIVERGED);
    ck_assert_msg(strstr(saros_error_last()->message, "at t = 1") ||
                      strstr(saros_error_last()->message, "at t = 0.99"),
                  "%s", saros_error_last()->message);
    ck_near(r.y[1][0], 4.0 / 3, 1e-4);
    ck_assert_int_eq(r.outputs, 2);
    r = (record){0};
    status = solve_one(root_of_time, &r, NULL, 3, time); /* no rate beyond t = 1/2 */
    ck_assert(status == SAROS_ERR_NOT_CONVERGED || status == SAROS_ERR_DIVERGED);
    ck_assert_msg(strstr(saros_error_last()->message, "nan") != NULL, "%s",
                  saros_error_last()->message);
    r = (record){.fail_at = 1};
    ck_fails(solve_one(explode, &r, NULL, 3, time), SAROS_ERR_IO);
    r = (record){.stop_after = 3};
    ck_fails(solve_one(explode, &r, NULL, 3, time), SAROS_ERR_STOPPED);
    r = (record){0};
    ck_fails(solve_one(explode, &r, &(saros_cvode_options){.max_steps = 3}, 3, time),
             SAROS_ERR_NOT_CONVERGED);
    r = (record){0};
    ck_fails(solve_one(explode, &r, NULL, 2, (double[]){1, 0}), SAROS_ERR_USAGE);
}
END_TEST

START_TEST(wrong_patterns_and_missing_products_are_errors) {
    ode f = ode_make(robertson, 3, 3);
    saros_tensor *p = vector(3, robertson_p), *y0 = vector(3, robertson_y);
    saros_sparsity *diagonal = NULL;
    ck_ok(saros_sparsity_make(3, (int64_t[]){0, 1, 2, 3}, (int64_t[]){0, 1, 2}, &diagonal));
    record r = {0};
    const double time[] = {0, 1};
    saros_cvode_options options = {.sparsity = diagonal};
    ck_fails(saros_cvode_solve(f.rate, f.jvp, 1, &p, y0, 2, time, &options, keep, NULL, &r, NULL),
             SAROS_ERR_USAGE);
    ck_fails(saros_cvode_solve(f.rate, NULL, 1, &p, y0, 2, time, NULL, keep, NULL, &r, NULL),
             SAROS_ERR_USAGE);
    saros_sparsity_release(diagonal);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    ode_free(&f);
}
END_TEST

START_TEST(memory_is_given_back) {
    int64_t held = 0;
    for (int round = 0; round < 3; ++round) {
        record r = {0};
        solve_one(explode, &r, NULL, 2, (double[]){0, 0.5});
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/cvode", robertson_reaches_its_reference_values, adams_closes_an_orbit,
                stiff_heat_in_two_dimensions, failures_say_why_and_when,
                wrong_patterns_and_missing_products_are_errors, memory_is_given_back)
