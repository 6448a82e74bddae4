/** Minimisation through TAO: Rosenbrock with and without bounds, scaling, stopping, failures. */
#include "saros_check.h"

#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/minimise.h"

/* (w, c) -> c (y - x^2)^2 + (1 - x)^2 and its gradient; `logarithm` adds -log x, infinite for x <=
 * 0. */
static saros_function *rosenbrock(bool logarithm) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_type pair = saros_type_make(SAROS_F64, 1, (int64_t[]){2});
    saros_value in[2] = {saros_input(g, &pair, "w"), saros_input(g, &scalar, "c")};
    saros_value x = saros_slice(in[0], 0, 0, 1, 1), y = saros_slice(in[0], 0, 1, 2, 1);
    saros_value a = saros_sub(y, saros_mul(x, x)), b = saros_sub(saros_like(x, 1), x);
    saros_value j = saros_add(saros_mul(in[1], saros_mul(a, a)), saros_mul(b, b));
    if (logarithm) j = saros_sub(j, saros_log(x));
    saros_value out[2] = {saros_sum(j, 1), SAROS_NONE};
    saros_vjp(1, &out[0], NULL, 1, &in[0], &out[1]);
    ck_ok(saros_compile(g, 2, in, 2, out, NULL, &f));
    saros_graph_release(g);
    return f;
}

typedef struct outcome {
    saros_status status;
    double x, y;
    saros_minimise_info info;
} outcome;

static outcome minimise(bool logarithm, double x, double y, const saros_minimise_options *options) {
    saros_function *f = rosenbrock(logarithm);
    saros_tensor *c = NULL, *start = NULL, *end = NULL;
    outcome o = {0};
    ck_ok(saros_tensor_scalar(SAROS_F64, 100, &c));
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){x, y}, &start));
    o.status = saros_minimise(f, 1, &c, start, options, &end, &o.info);
    ck_assert((o.status == SAROS_OK) == (end != NULL));
    if (end) {
        o.x = ((double *)saros_tensor_data(end))[0];
        o.y = ((double *)saros_tensor_data(end))[1];
    }
    ck_assert_double_eq(((double *)saros_tensor_data(start))[0], x);
    saros_tensor_release(c);
    saros_tensor_release(start);
    saros_tensor_release(end);
    saros_function_release(f);
    return o;
}

START_TEST(rosenbrock_is_found_at_one_one) {
    const double scale[] = {1, 0.01};
    for (int scaled = 0; scaled < 2; ++scaled) {
        outcome o = minimise(
            false, -1.2, 1,
            &(saros_minimise_options){.scale = scaled ? scale : NULL, .max_iterations = 2000});
        ck_assert_int_eq(o.status, SAROS_OK);
        ck_assert(o.info.converged);
        ck_near(o.x, 1, 1e-6);
        ck_near(o.y, 1, 1e-6);
        ck_assert_int_ge(o.info.evaluations, o.info.iterations);
        ck_assert_int_eq(o.info.history_count, o.info.iterations + 1);
        ck_near(o.info.history[0], 24.2, 1e-12);
        ck_assert_double_eq(o.info.history[o.info.history_count - 1], o.info.value);
        saros_release(o.info.history);
    }
}
END_TEST

/* Chained Rosenbrock, (w, c) -> sum c (w_{i+1} - w_i^2)^2 + (1 - w_i)^2, with its sparse Hessian.
 */
static saros_function *chained(int64_t n, saros_jacobian **hessian) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), vector = saros_type_make(SAROS_F64, 1, &n);
    saros_value in[2] = {saros_input(g, &vector, "w"), saros_input(g, &scalar, "c")}, out[2];
    saros_value low = saros_slice(in[0], 0, 0, n - 1, 1), high = saros_slice(in[0], 0, 1, n, 1);
    saros_value a = saros_sub(high, saros_mul(low, low)), b = saros_sub(saros_like(low, 1), low);
    out[0] = saros_sum(saros_add(saros_mul(in[1], saros_mul(a, a)), saros_mul(b, b)), 1);
    saros_vjp(1, out, NULL, 1, in, &out[1]);
    ck_ok(saros_compile(g, 2, in, 2, out, NULL, &f));
    ck_ok(saros_hessian_make(out[0], in[0], 2, in, NULL, hessian));
    saros_graph_release(g);
    return f;
}

START_TEST(newton_with_a_sparse_hessian_needs_few_iterations) {
    enum { N = 200 };
    saros_jacobian *hessian = NULL;
    saros_function *f = chained(N, &hessian);
    saros_tensor *c = NULL, *start = NULL;
    double scale[N], upper[N];
    int iterations[4];
    ck_assert_int_eq(saros_sparsity_nonzeros(saros_jacobian_sparsity(hessian)), 3 * N - 2);
    ck_ok(saros_tensor_scalar(SAROS_F64, 100, &c));
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, (int64_t[]){N}, &start));
    for (int i = 0; i < N; ++i) {
        scale[i] = i % 2 ? 1 : 0.1;
        upper[i] = 2;
    }
    for (int k = 0; k < 4; ++k) {
        saros_tensor *end = NULL;
        saros_minimise_info info;
        saros_minimise_options options = {.hessian = k ? hessian : NULL,
                                          .scale = k == 2 ? scale : NULL,
                                          .upper = k == 3 ? upper : NULL,
                                          .gradient_rtol = k ? 0 : 1e-6,
                                          .max_iterations = 5000};
        ck_ok(saros_minimise(f, 1, &c, start, &options, &end, &info));
        ck_assert_msg(info.converged, "%d: %s after %d iterations", k, info.reason,
                      info.iterations);
        for (int i = 0; i < N; ++i) ck_near(((double *)saros_tensor_data(end))[i], 1, 1e-5);
        iterations[k] = info.iterations;
        saros_release(info.history);
        saros_tensor_release(end);
    }
    for (int k = 1; k < 4; ++k) ck_assert_int_lt(2 * iterations[k], iterations[0]);
    saros_tensor *few = NULL, *end = NULL;
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, (int64_t[]){3}, &few));
    ck_fails(
        saros_minimise(f, 1, &c, few, &(saros_minimise_options){.hessian = hessian}, &end, NULL),
        SAROS_ERR_SHAPE);
    saros_tensor_release(few);
    saros_tensor_release(c);
    saros_tensor_release(start);
    saros_jacobian_release(hessian);
    saros_function_release(f);
}
END_TEST

/* On x <= 1/2 the least value is at (1/2, 1/4): (1 - x)^2 falls along y = x^2. */
START_TEST(bounds_hold) {
    const double upper[] = {0.5, INFINITY};
    outcome o = minimise(false, -1.2, 1, &(saros_minimise_options){.upper = upper});
    ck_assert_int_eq(o.status, SAROS_OK);
    ck_assert(o.info.converged);
    ck_near(o.x, 0.5, 1e-12);
    ck_near(o.y, 0.25, 1e-6);
    ck_near(o.info.value, 0.25, 1e-8);
    saros_release(o.info.history);
}
END_TEST

static bool stop_at_three(int iteration, double value, void *user) {
    (void)value;
    *(int *)user = iteration;
    return iteration >= 3;
}

START_TEST(stopping_and_giving_up_are_told) {
    int seen = 0;
    outcome o =
        minimise(false, -1.2, 1, &(saros_minimise_options){.stop = stop_at_three, .user = &seen});
    ck_assert_int_eq(o.status, SAROS_OK);
    ck_assert_int_eq(seen, 3);
    ck_assert(!o.info.converged);
    ck_assert_str_eq(o.info.reason, "stopped on request");
    saros_release(o.info.history);
    o = minimise(false, -1.2, 1, &(saros_minimise_options){.max_iterations = 2});
    ck_assert_int_eq(o.status, SAROS_OK);
    ck_assert(!o.info.converged);
    ck_assert_int_eq(o.info.iterations, 2);
    ck_assert_str_ne(o.info.reason, "");
    saros_release(o.info.history);
}
END_TEST

START_TEST(steps_out_of_the_domain_are_shortened) {
    outcome o = minimise(true, 0.01, 2, &(saros_minimise_options){.max_iterations = 500});
    ck_assert_int_eq(o.status, SAROS_OK);
    ck_assert_msg(o.info.converged, "%s at %g %g", o.info.reason, o.x, o.y);
    /* stationary where y = x^2 and 2 (x - 1) = 1/x */
    ck_near(o.x, (1 + sqrt(3)) / 2, 1e-5);
    saros_release(o.info.history);
}
END_TEST

START_TEST(failures_are_named) {
    ck_assert_int_eq(minimise(true, -1, 1, NULL).status, SAROS_ERR_NAN);
    outcome o = minimise(false, 0, 0, &(saros_minimise_options){.method = "lmvmm"});
    ck_assert_int_eq(o.status, SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "lmvmm"));
    const double wrong[] = {1, 0}, lower[] = {1, 1}, upper[] = {2, 0};
    o = minimise(false, 0, 0, &(saros_minimise_options){.scale = wrong});
    ck_assert_int_eq(o.status, SAROS_ERR_DOMAIN);
    o = minimise(false, 0, 0, &(saros_minimise_options){.lower = lower, .upper = upper});
    ck_assert_int_eq(o.status, SAROS_ERR_DOMAIN);
}
END_TEST

START_TEST(memory_is_given_back) {
    int64_t held = 0;
    for (int round = 0; round < 4; ++round) {
        outcome o = minimise(false, -1.2, 1, NULL);
        saros_release(o.info.history);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/minimise", rosenbrock_is_found_at_one_one,
                newton_with_a_sparse_hessian_needs_few_iterations, bounds_hold,
                stopping_and_giving_up_are_told, steps_out_of_the_domain_are_shortened,
                failures_are_named, memory_is_given_back)
