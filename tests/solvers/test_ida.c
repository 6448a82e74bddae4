/** IDAS: Robertson with an algebraic row, its sensitivities, a mass matrix that is not diagonal,
 * consistent values, every way to stop. */
#include "robertson.h"

#include <stdio.h>
#include <string.h>

#include "nvector_impl.h"
#include "saros/autodiff.h"
#include "saros/ida.h"
#include "saros/memory.h"

typedef saros_value (*residual_builder)(saros_value t, saros_value y, saros_value rate,
                                        saros_value p);
typedef struct dae {
    saros_function *residual, *product, *tangent;
} dae;

static dae dae_make(residual_builder build, int64_t n, int64_t parameters) {
    dae f;
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &n),
               list = saros_type_make(SAROS_F64, 1, &parameters);
    saros_value t = saros_input(g, &scalar, "t"), y = saros_input(g, &state, "y"),
                rate = saros_input(g, &state, "rate"), p = saros_input(g, &list, "p");
    saros_value a = saros_input(g, &state, "a"), b = saros_input(g, &state, "b"),
                v = saros_input(g, &state, "v"), w = saros_input(g, &state, "w"),
                q = saros_input(g, &list, "q");
    saros_value F = build(t, y, rate, p), product, tangent;
    saros_jvp(1, &F, 2, (saros_value[]){y, rate}, (saros_value[]){saros_mul(a, v), saros_mul(b, v)},
              &product);
    saros_jvp(1, &F, 3, (saros_value[]){y, rate, p}, (saros_value[]){v, w, q}, &tangent);
    ck_ok(saros_compile(g, 4, (saros_value[]){t, y, rate, p}, 1, &F, NULL, &f.residual));
    ck_ok(saros_compile(g, 7, (saros_value[]){t, y, rate, p, a, b, v}, 1, &product, NULL,
                        &f.product));
    ck_ok(saros_compile(g, 7, (saros_value[]){t, y, rate, p, v, w, q}, 1, &tangent, NULL,
                        &f.tangent));
    saros_graph_release(g);
    return f;
}

static void dae_free(dae *f) {
    saros_function_release(f->residual);
    saros_function_release(f->product);
    saros_function_release(f->tangent);
}

/* the rates of the first two rows, y1 + y2 + y3 = 1 */
static saros_value constrained(saros_value t, saros_value y, saros_value rate, saros_value p) {
    saros_value error = saros_sub(rate, robertson(t, y, p));
    saros_value sum = saros_add(saros_add(part(y, 0), part(y, 1)), part(y, 2));
    saros_value all[2] = {saros_slice(error, 0, 0, 2, 1), saros_sub(sum, saros_like(sum, 1))};
    return saros_concat(2, all, 0);
}

typedef struct record {
    int outputs, stop_after;
    double t[4], y[4][3], s[4][3];
} record;

static saros_status keep(double t, saros_tensor *y, int directions, saros_tensor *const *s,
                         void *user) {
    record *r = user;
    r->t[r->outputs] = t;
    for (int k = 0; k < 3 && k < saros_tensor_count(y); ++k) {
        r->y[r->outputs][k] = ((const double *)saros_tensor_const_data(y))[k];
        if (directions) r->s[r->outputs][k] = ((const double *)saros_tensor_const_data(s[0]))[k];
    }
    r->outputs++;
    return SAROS_OK;
}

static bool stop_soon(double t, void *user) {
    (void)t;
    record *r = user;
    return r->stop_after && --r->stop_after == 0;
}

/* From y3 = 1/2, a guess, and no rates. `options` without sparsity. */
static saros_status run_robertson(bool dense, int directions, saros_ida_options options, record *r,
                                  saros_ode_info *info) {
    dae f = dae_make(constrained, 3, 3);
    saros_tensor *p = vector(3, (double[])ROBERTSON_P), *id = NULL,
                 *y0 = vector(3, (double[]){1, 0, 0.5}), *q = vector(3, (double[]){1, 0, 0});
    const bool differential[3] = {true, true, false};
    ck_ok(saros_tensor_from(SAROS_BOOL, 1, (int64_t[]){3}, differential, &id));
    if (dense) ck_ok(saros_sparsity_dense(3, &options.sparsity));
    const saros_ida_problem problem = {.residual = f.residual,
                                       .product = f.product,
                                       .tangent = f.tangent,
                                       .parameters = 1,
                                       .parameter = &p,
                                       .y0 = y0,
                                       .differential = id,
                                       .times = 3,
                                       .time = robertson_times,
                                       .directions = directions,
                                       .along = (saros_tensor *[]){NULL, q}};
    saros_status status = saros_ida_solve(&problem, &options, keep, stop_soon, r, info);
    saros_sparsity_release(options.sparsity);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    saros_tensor_release(q);
    saros_tensor_release(id);
    dae_free(&f);
    ck_assert_int_eq(saros_nvector_alive(), 0);
    return status;
}

static const saros_ida_options fine = {.rtol = 1e-9, .atol = 1e-13};

START_TEST(robertson_with_an_algebraic_row) {
    for (int dense = 0; dense < 2; ++dense) {
        record r = {0};
        saros_ode_info info;
        ck_ok(run_robertson(dense, 0, fine, &r, &info));
        ck_assert_int_eq(r.outputs, 3);
        ck_near(r.y[0][2], 0, 1e-12); /* consistent, not the guess */
        for (int j = 0; j < 2; ++j)
            for (int k = 0; k < 3; ++k) ck_near(r.y[j + 1][k] / robertson_states[j][k], 1, 1e-6);
        ck_assert_str_eq(info.linear_solver, dense ? "dense LU" : "GMRES");
        ck_assert_int_gt(info.steps, 50);
        ck_assert_double_eq(info.last_time, 4);
    }
}
END_TEST

START_TEST(robertson_sensitivities_with_an_algebraic_row) {
    record r = {0};
    ck_ok(run_robertson(true, 1, fine, &r, NULL));
    for (int j = 0; j < 2; ++j) {
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "dy1/dp1 off by %.1e\n",
                    r.s[j + 1][0] / robertson_sensitivities[j] - 1);
        ck_near(r.s[j + 1][0] / robertson_sensitivities[j], 1, 1e-6);
        ck_near(r.s[j + 1][0] + r.s[j + 1][1] + r.s[j + 1][2], 0, 1e-9); /* the sum stays 1 */
    }
}
END_TEST

/* Linear elements for u_t = p u_xx: M y' + p K y = 0, M = h/6 (1 4 1), K = (-1 2 -1)/h. A mode
 * decays at exactly (its eigenvalue of K)/(that of M). */
enum { NODES = 50 };
static saros_value three(saros_value y, double side, double middle) {
    saros_value sum = saros_mul(saros_like(y, middle), y);
    for (int by = -1; by <= 1; by += 2)
        sum =
            saros_add(sum, saros_mul(saros_like(y, side), saros_shift(y, 0, by, SAROS_EDGE_ZERO)));
    return sum;
}

static saros_value elements(saros_value t, saros_value y, saros_value rate, saros_value p) {
    (void)t;
    const double h = 1.0 / (NODES + 1);
    saros_value k = saros_reshape(p, 0, NULL);
    return saros_add(three(rate, h / 6, 4 * h / 6), saros_mul(k, three(y, -1 / h, 2 / h)));
}

START_TEST(a_mass_matrix_that_is_not_diagonal) {
    const double h = 1.0 / (NODES + 1), s = sin(M_PI * h / 2);
    int64_t row[NODES + 1] = {0}, column[3 * NODES], at = 0;
    double mode[NODES];
    for (int64_t i = 0; i < NODES; ++i) {
        mode[i] = sin(M_PI * h * (double)(i + 1));
        for (int64_t j = i - 1; j <= i + 1; ++j)
            if (j >= 0 && j < NODES) column[at++] = j;
        row[i + 1] = at;
    }
    dae f = dae_make(elements, NODES, 1);
    saros_tensor *p = vector(1, (double[]){1}), *y0 = vector(NODES, mode);
    saros_sparsity *pattern = NULL;
    ck_ok(saros_sparsity_make(NODES, row, column, &pattern));
    record r = {0};
    saros_ode_info info;
    ck_ok(saros_ida_solve(&(saros_ida_problem){.residual = f.residual,
                                               .product = f.product,
                                               .parameters = 1,
                                               .parameter = &p,
                                               .y0 = y0,
                                               .times = 2,
                                               .time = (double[]){0, 0.1}},
                          &(saros_ida_options){.rtol = 1e-8, .atol = 1e-12, .sparsity = pattern},
                          keep, NULL, &r, &info));
    const double decay = 4 * s * s / (h * h) / (1 - 2. / 3 * s * s);
    ck_near(r.y[1][1] / (mode[1] * exp(-0.1 * decay)), 1, 1e-6);
    ck_assert_str_eq(info.linear_solver, "banded LU");
    saros_sparsity_release(pattern);
    saros_tensor_release(p);
    saros_tensor_release(y0);
    dae_free(&f);
}
END_TEST

/* y' = y^2, infinite at t = 1; no root: y^2 + 1 = 0 as an algebraic row */
static saros_value explosion(saros_value t, saros_value y, saros_value rate, saros_value p) {
    (void)t;
    (void)p;
    return saros_sub(rate, saros_mul(y, y));
}
static saros_value rootless(saros_value t, saros_value y, saros_value rate, saros_value p) {
    (void)t;
    (void)rate;
    return saros_add(saros_mul(y, y), p);
}

static saros_status run_one(residual_builder build, bool algebraic, record *r) {
    dae f = dae_make(build, 1, 1);
    saros_tensor *one = vector(1, (double[]){1}), *id = NULL;
    saros_sparsity *dense = NULL;
    ck_ok(saros_sparsity_dense(1, &dense));
    ck_ok(saros_tensor_from(SAROS_BOOL, 1, (int64_t[]){1}, (bool[]){!algebraic}, &id));
    saros_status status = saros_ida_solve(
        &(saros_ida_problem){.residual = f.residual,
                             .product = f.product,
                             .parameters = 1,
                             .parameter = &one,
                             .y0 = one,
                             .differential = id,
                             .times = 3,
                             .time = (double[]){0, 0.25, 2}},
        &(saros_ida_options){.sparsity = dense, .max_steps = 2000}, keep, stop_soon, r, NULL);
    saros_sparsity_release(dense);
    saros_tensor_release(one);
    saros_tensor_release(id);
    dae_free(&f);
    ck_assert_int_eq(saros_nvector_alive(), 0);
    return status;
}

START_TEST(failures_say_why_and_when) {
    record r = {0};
    saros_status status = run_one(explosion, false, &r);
    ck_assert(status == SAROS_ERR_NOT_CONVERGED || status == SAROS_ERR_DIVERGED);
    ck_assert_str_eq(saros_error_last()->where, "ida");
    ck_assert_msg(strstr(saros_error_last()->message, "t = 0.99") ||
                      strstr(saros_error_last()->message, "t = 1"),
                  "%s", saros_error_last()->message);
    ck_near(r.y[1][0], 4.0 / 3, 1e-4);
    r = (record){0};
    ck_fails(run_one(rootless, true, &r), SAROS_ERR_NOT_CONVERGED);
    ck_assert_int_eq(r.outputs, 0);
    r = (record){.stop_after = 3};
    ck_fails(run_one(explosion, false, &r), SAROS_ERR_STOPPED);
    r = (record){0};
    ck_fails(run_robertson(true, 0, (saros_ida_options){.max_steps = 5}, &r, NULL),
             SAROS_ERR_NOT_CONVERGED);
}
END_TEST

START_TEST(memory_is_given_back) {
    int64_t held = 0;
    for (int round = 0; round < 4; ++round) {
        record r = {0}, stopped = {.stop_after = 4};
        ck_ok(run_robertson(true, 1, fine, &r, NULL));
        ck_fails(run_robertson(true, 1, fine, &stopped, NULL), SAROS_ERR_STOPPED);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/ida", robertson_with_an_algebraic_row,
                robertson_sensitivities_with_an_algebraic_row, a_mass_matrix_that_is_not_diagonal,
                failures_say_why_and_when, memory_is_given_back)
