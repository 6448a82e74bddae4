/** Implicit nodes: the roots found, their derivatives of any order and mode, and every failure. */
#include "saros_check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "root_impl.h"
#include "saros/memory.h"

/* F_i = x_i^3 + p x_i - q_i - (x_{i-1} - 2 x_i + x_{i+1}) c with zeros outside: monotone for p, c >
 * 0. */
typedef struct cubic {
    saros_value p, q, c;
} cubic;

static saros_status cubic_residual(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    const cubic *k = user;
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value right = saros_shift(x, 0, -1, SAROS_EDGE_ZERO);
    saros_value laplace = saros_sub(saros_add(left, right), saros_mul(saros_like(x, 2), x));
    *f = saros_sub(saros_sub(saros_add(saros_power(x, 3), saros_mul(k->p, x)), k->q),
                   saros_mul(k->c, laplace));
    return SAROS_OK;
}

static saros_sparsity *tridiagonal(int64_t n) {
    int64_t *row = malloc((size_t)(n + 1) * sizeof *row);
    int64_t *column = malloc((size_t)(3 * n) * sizeof *column), at = 0;
    row[0] = 0;
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = i - 1; j <= i + 1; ++j)
            if (j >= 0 && j < n) column[at++] = j;
        row[i + 1] = at;
    }
    saros_sparsity *p = NULL;
    ck_ok(saros_sparsity_make(n, row, column, &p));
    free(row);
    free(column);
    return p;
}

/* A graph with inputs p, q (n), c and the root x; `at` are the tensors of a generic point. */
typedef struct fixture {
    saros_graph *g;
    saros_value in[3], x;
    saros_tensor *at[3];
    cubic k;
} fixture;

static fixture fixture_make(int64_t n, saros_root_options options) {
    fixture t = {0};
    options.rtol = 1e-14; /* Newton's last residual is then round-off */
    ck_ok(saros_graph_make(&t.g));
    saros_type scalar = saros_type_scalar(SAROS_F64), vector = saros_type_make(SAROS_F64, 1, &n);
    t.in[0] = saros_input(t.g, &scalar, "p");
    t.in[1] = saros_input(t.g, &vector, "q");
    t.in[2] = saros_input(t.g, &scalar, "c");
    t.k = (cubic){t.in[0], t.in[1], t.in[2]};
    t.x = saros_root(saros_splat(t.g, &vector, 0.5), cubic_residual, &t.k, &options);
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.7, &t.at[0]));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &t.at[1]));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.4, &t.at[2]));
    double *q = saros_tensor_data(t.at[1]);
    for (int64_t i = 0; i < n; ++i) q[i] = 1 + sin(1.3 * (double)i);
    return t;
}

static void fixture_free(fixture *t) {
    for (int k = 0; k < 3; ++k) saros_tensor_release(t->at[k]);
    saros_graph_release(t->g);
}

/* Evaluates values of the fixture's graph at its point. */
static void evaluate(const fixture *t, int outs, const saros_value *out, saros_tensor **value) {
    saros_function *f = NULL;
    ck_ok(saros_compile(t->g, 3, t->in, outs, out, NULL, &f));
    for (int k = 0; k < outs; ++k) value[k] = NULL;
    ck_ok(saros_function_call(f, t->at, value, NULL));
    saros_function_release(f);
}

static saros_status evaluate_status(const fixture *t) {
    saros_function *f = NULL;
    saros_tensor *x = NULL;
    ck_ok(saros_compile(t->g, 3, t->in, 1, &t->x, NULL, &f));
    saros_status status = saros_function_call(f, t->at, &x, NULL);
    ck_assert(status == SAROS_OK || x == NULL);
    saros_tensor_release(x);
    saros_function_release(f);
    return status;
}

START_TEST(residual_vanishes_at_the_root) {
    saros_sparsity *patterns[] = {NULL, tridiagonal(30)};
    for (int k = 0; k < 2; ++k) {
        fixture t = fixture_make(30, (saros_root_options){.sparsity = patterns[k]});
        saros_value f;
        saros_tensor *r = NULL;
        ck_ok(cubic_residual(t.g, t.x, &t.k, &f));
        evaluate(&t, 1, &f, &r);
        for (int i = 0; i < 30; ++i) ck_near(((double *)saros_tensor_data(r))[i], 0, 1e-12);
        saros_tensor_release(r);
        saros_sparsity_release(patterns[k]);
        fixture_free(&t);
    }
}
END_TEST

START_TEST(gradient_of_a_root_has_taylor_rates_1_2_3) {
    saros_sparsity *pattern = tridiagonal(12);
    for (int sparse = 0; sparse < 2; ++sparse) {
        fixture t = fixture_make(12, (saros_root_options){.sparsity = sparse ? pattern : NULL});
        saros_gradient_report report;
        saros_value j = saros_sum(saros_power(t.x, 2), 1);
        ck_ok(saros_check_gradient(j, 3, t.in, 3, t.in, t.at, 3, &report));
        ck_assert_double_le(report.dot_error, 1e-11);
        ck_ok(saros_check_gradient(t.x, 3, t.in, 3, t.in, t.at, 4, &report));
        ck_assert_double_le(report.dot_error, 1e-11);
        fixture_free(&t);
    }
    saros_sparsity_release(pattern);
}
END_TEST

/* Second derivatives of J(p, c) = sum x^3 by all four nestings: equal, and right by differences. */
START_TEST(second_derivatives_agree_in_every_nesting) {
    fixture t = fixture_make(8, (saros_root_options){0});
    saros_value j = saros_sum(saros_power(t.x, 3), 1), one = saros_scalar(t.g, SAROS_F64, 1);
    saros_value forward, reverse, out[5];
    saros_jvp(1, &j, 1, &t.in[0], &one, &forward); /* dJ/dp */
    saros_vjp(1, &j, NULL, 1, &t.in[0], &reverse);
    saros_jvp(1, &forward, 1, &t.in[2], &one, &out[0]);
    saros_vjp(1, &forward, NULL, 1, &t.in[2], &out[1]);
    saros_jvp(1, &reverse, 1, &t.in[2], &one, &out[2]);
    saros_vjp(1, &reverse, NULL, 1, &t.in[2], &out[3]);
    out[4] = forward;
    saros_tensor *value[5];
    double got[5], around[2];
    evaluate(&t, 5, out, value);
    for (int k = 0; k < 5; ++k) {
        ck_ok(saros_tensor_item(value[k], &got[k]));
        saros_tensor_release(value[k]);
    }
    for (int k = 1; k < 4; ++k) ck_near(got[k], got[0], 1e-11);
    const double h = 1e-4;
    for (int s = 0; s < 2; ++s) {
        *(double *)saros_tensor_data(t.at[2]) = 0.4 + (s ? h : -h);
        evaluate(&t, 1, &forward, value);
        ck_ok(saros_tensor_item(value[0], &around[s]));
        saros_tensor_release(value[0]);
    }
    ck_near(got[0], (around[1] - around[0]) / (2 * h), 1e-6);
    fixture_free(&t);
}
END_TEST

/* x^2 = p: x = sqrt(p), with all its derivatives. */
static saros_status square_residual(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    *f = saros_sub(saros_mul(x, x), *(saros_value *)user);
    return SAROS_OK;
}

START_TEST(taylor_coefficients_of_a_root_are_those_of_the_square_root) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){2});
    saros_value p = saros_input(g, &type, "p"), series[4], out[4];
    saros_value x = saros_root(saros_splat(g, &type, 1), square_residual, &p,
                               &(saros_root_options){.rtol = 1e-14});
    for (int k = 0; k < 4; ++k) series[k] = k ? SAROS_NONE : saros_splat(g, &type, 1);
    saros_jet(1, &x, 1, &p, 4, series, out);
    saros_function *f = NULL;
    saros_tensor *at = NULL, *value[4] = {NULL};
    ck_ok(saros_compile(g, 1, &p, 4, out, NULL, &f));
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){2, 0.5}, &at));
    ck_ok(saros_function_call(f, &at, value, NULL));
    const double binomial[] = {0.5, -0.125, 0.0625, -0.0390625}; /* of (1+s)^(1/2) */
    for (int k = 0; k < 4; ++k) {
        for (int i = 0; i < 2; ++i) {
            double q = i ? 0.5 : 2, want = binomial[k] * sqrt(q) / pow(q, k + 1);
            ck_near(((double *)saros_tensor_data(value[k]))[i], want, 1e-12);
        }
        saros_tensor_release(value[k]);
    }
    saros_tensor_release(at);
    saros_function_release(f);
    saros_graph_release(g);
}
END_TEST

/* ---- failures ---- */

static saros_status no_root(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    (void)user;
    *f = saros_add(saros_mul(x, x), saros_like(x, 1));
    return SAROS_OK;
}
static saros_status not_finite(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    (void)user;
    *f = saros_log(saros_sub(x, saros_like(x, 10)));
    return SAROS_OK;
}
static saros_status constant(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    (void)user;
    *f = saros_add(saros_mul(x, saros_zeros_like(x)), saros_like(x, 1));
    return SAROS_OK;
}
static saros_status too_short(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    (void)user;
    *f = saros_slice(x, 0, 0, 1, 1);
    return SAROS_OK;
}

/* Status of finding the root from 0.3, and the message names "probe". */
static void check_failure(saros_residual_fn residual, saros_status want) {
    fixture t = fixture_make(3, (saros_root_options){0});
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
    t.x = saros_root(saros_splat(t.g, &type, 0.3), residual, NULL,
                     &(saros_root_options){.name = "probe"});
    ck_fails(evaluate_status(&t), want);
    ck_assert_str_eq(saros_error_last()->where, "probe");
    fixture_free(&t);
}

START_TEST(failures_name_the_root) {
    check_failure(no_root, SAROS_ERR_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "iterations"));
    check_failure(not_finite, SAROS_ERR_NAN);
    check_failure(constant, SAROS_ERR_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "singular"));
}
END_TEST

START_TEST(wrong_residuals_and_patterns_are_refused) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){3});
    ck_assert(saros_is_poisoned(saros_root(saros_splat(g, &type, 1), too_short, NULL, NULL)));
    ck_fails(saros_graph_status(g), SAROS_ERR_SHAPE);
    saros_graph_release(g);
    saros_sparsity *diagonal = NULL;
    ck_ok(saros_sparsity_make(4, (int64_t[]){0, 1, 2, 3, 4}, (int64_t[]){0, 1, 2, 3}, &diagonal));
    fixture t = fixture_make(4, (saros_root_options){.sparsity = diagonal});
    ck_fails(evaluate_status(&t), SAROS_ERR_USAGE);
    fixture_free(&t);
    saros_sparsity_release(diagonal);
}
END_TEST

START_TEST(roots_of_other_equations_are_not_merged) {
    fixture t = fixture_make(4, (saros_root_options){0});
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){4});
    cubic other = t.k;
    other.p = t.k.c;
    other.c = t.k.p;
    saros_value guess = saros_splat(t.g, &type, 0.5);
    saros_value y = saros_root(guess, cubic_residual, &other, NULL), both[2] = {t.x, y};
    ck_assert_int_ne(t.x.id, y.id);
    saros_tensor *value[2];
    evaluate(&t, 2, both, value);
    ck_assert_double_gt(
        fabs(*(double *)saros_tensor_data(value[0]) - *(double *)saros_tensor_data(value[1])),
        1e-3);
    saros_tensor_release(value[0]);
    saros_tensor_release(value[1]);
    fixture_free(&t);
}
END_TEST

START_TEST(memory_is_given_back) {
    int64_t before = 0;
    for (int round = 0; round < 5; ++round) {
        fixture t = fixture_make(6, (saros_root_options){0});
        saros_value j = saros_sum(t.x, 1), gradient[3];
        saros_tensor *value[3];
        saros_vjp(1, &j, NULL, 3, t.in, gradient);
        evaluate(&t, 3, gradient, value);
        for (int k = 0; k < 3; ++k) saros_tensor_release(value[k]);
        fixture_free(&t);
        if (round == 1) before = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), before);
}
END_TEST

/* A Newton solve of 512 unknowns, several iterations, stays well below a millisecond an iteration.
 */
START_TEST(banded_newton_is_fast) {
    saros_sparsity *pattern = tridiagonal(512);
    fixture t = fixture_make(512, (saros_root_options){.sparsity = pattern});
    saros_function *f = NULL;
    ck_ok(saros_compile(t.g, 3, t.in, 1, &t.x, NULL, &f));
    struct timespec a, b;
    saros_tensor *x = NULL;
    double best = INFINITY;
    for (int k = 0; k < 20; ++k) {
        clock_gettime(CLOCK_MONOTONIC, &a);
        ck_ok(saros_function_call(f, t.at, &x, NULL));
        clock_gettime(CLOCK_MONOTONIC, &b);
        best = fmin(best, (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec));
    }
    ck_assert_msg(best < 10e-3, "a root of 512 unknowns took %.3g ms", 1e3 * best);
    if (getenv("SAROS_TEST_TIMES")) printf("root of 512 unknowns: %.3g ms\n", 1e3 * best);
    saros_tensor_release(x);
    saros_function_release(f);
    fixture_free(&t);
    saros_sparsity_release(pattern);
}
END_TEST

SAROS_TEST_MAIN("solvers/root", residual_vanishes_at_the_root,
                gradient_of_a_root_has_taylor_rates_1_2_3,
                second_derivatives_agree_in_every_nesting,
                taylor_coefficients_of_a_root_are_those_of_the_square_root, failures_name_the_root,
                wrong_residuals_and_patterns_are_refused, roots_of_other_equations_are_not_merged,
                memory_is_given_back, banded_newton_is_fast)
