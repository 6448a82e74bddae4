/** Optimisers on functions whose minimum is known, directly and through a compiled function; what
 * they say when they stop. */
#include "saros_check.h"

#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "train_impl.h"

/** sum_i 100 (w[i+1] - w[i]^2)^2 + (1 - w[i])^2: minimum 0 at ones. */
static saros_status rosenbrock(void *user, const double *w, double *loss, double *g) {
    const int64_t n = *(int64_t *)user;
    *loss = 0;
    memset(g, 0, (size_t)n * sizeof *g);
    for (int64_t i = 0; i + 1 < n; ++i) {
        const double a = w[i + 1] - w[i] * w[i], b = 1 - w[i];
        *loss += 100 * a * a + b * b;
        g[i] += -400 * a * w[i] - 2 * b;
        g[i + 1] += 200 * a;
    }
    return SAROS_OK;
}

/** sum_i c_i (w_i - 1)^2 with c from 1 to 1e6. */
static saros_status ill_conditioned(void *user, const double *w, double *loss, double *g) {
    const int64_t n = *(int64_t *)user;
    *loss = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double c = pow(1e6, (double)i / (double)(n - 1)), d = w[i] - 1;
        *loss += c * d * d;
        g[i] = 2 * c * d;
    }
    return SAROS_OK;
}

typedef saros_status evaluate_fn(void *user, const double *w, double *loss, double *g);

/** Runs one optimiser from `start` everywhere; the largest distance from ones is returned. */
static double run(evaluate_fn *evaluate, int64_t n, double start, saros_optimiser *optimiser,
                  double target, saros_train_info *info) {
    double w[64], worst = 0;
    for (int64_t i = 0; i < n; ++i) w[i] = start;
    const saros_objective objective = {.n = n, .evaluate = evaluate, .user = &n};
    const saros_option_list list = {1, optimiser};
    ck_ok(saros_train_objective(&objective, w, &list, target, NULL, NULL, info));
    for (int64_t i = 0; i < n; ++i) worst = fmax(worst, fabs(w[i] - 1));
    return worst;
}

START_TEST(lbfgs_finds_the_minimum_of_rosenbrock) {
    saros_train_info info;
    saros_optimiser o = {.method = "lbfgs", .steps = 500, .tolerance = 1e-10};
    ck_assert(run(rosenbrock, 10, -1, &o, 0, &info) < 1e-9);
    ck_assert(info.converged);
    ck_assert_str_eq(info.reason, "gradient below tolerance");
    ck_assert(info.history_count == info.iterations + 1);
    ck_assert(info.iterations < 200);
    saros_release(info.history);
}
END_TEST

START_TEST(bfgs_finds_the_minimum_of_rosenbrock) {
    saros_train_info info;
    saros_optimiser o = {.method = "bfgs", .steps = 500, .tolerance = 1e-10};
    ck_assert(run(rosenbrock, 10, -1, &o, 0, &info) < 1e-9);
    ck_assert(info.converged);
    ck_assert(info.iterations < 200);
    saros_release(info.history);
}
END_TEST

START_TEST(second_order_methods_solve_an_ill_conditioned_quadratic) {
    const char *const method[] = {"lbfgs", "bfgs"};
    for (int k = 0; k < 2; ++k) {
        saros_train_info info;
        saros_optimiser o = {.method = method[k], .steps = 400, .tolerance = 1e-9};
        const double worst = run(ill_conditioned, 20, 3, &o, 0, &info);
        ck_assert_msg(worst < 1e-8 && info.converged, "%s: %g after %d, %s", method[k], worst,
                      (int)info.iterations, info.reason);
        saros_release(info.history);
    }
}
END_TEST

/** (w - 1)^2 + (w - 1)^4 of one unknown. */
static saros_status quartic(void *user, const double *w, double *loss, double *g) {
    (void)user;
    const double d = w[0] - 1;
    *loss = d * d * (1 + d * d);
    g[0] = 2 * d + 4 * d * d * d;
    return SAROS_OK;
}

START_TEST(bfgs_of_one_unknown_works) {
    saros_train_info info;
    saros_optimiser o = {.method = "bfgs", .steps = 50};
    ck_assert(run(quartic, 1, 7, &o, 0, &info) < 1e-12);
    saros_release(info.history);
}
END_TEST

START_TEST(adam_comes_near_and_stops_at_the_target) {
    saros_train_info info;
    saros_optimiser o = {.method = "adam", .steps = 20000, .lr = 0.02, .schedule = "exponential"};
    ck_assert(run(rosenbrock, 2, -1, &o, 1e-6, &info) < 1e-2);
    ck_assert(info.converged && info.loss <= 1e-6);
    ck_assert_str_eq(info.reason, "loss below tolerance");
    saros_release(info.history);
}
END_TEST

START_TEST(methods_say_when_the_steps_are_used_up) {
    const char *const method[] = {"adam", "lbfgs", "bfgs"};
    for (int k = 0; k < 3; ++k) {
        saros_train_info info;
        saros_optimiser o = {.method = method[k], .steps = 3};
        (void)run(rosenbrock, 6, -1, &o, 0, &info);
        ck_assert(!info.converged && info.iterations == 3 && info.history_count == 4);
        ck_assert_str_eq(info.reason, "step limit");
        saros_release(info.history);
    }
}
END_TEST

/** Decreases along -g in words only: the gradient lies. */
static saros_status liar(void *user, const double *w, double *loss, double *g) {
    (void)user;
    *loss = w[0] * w[0];
    g[0] = -2 * w[0];
    return SAROS_OK;
}

START_TEST(a_search_without_decrease_is_told) {
    saros_train_info info;
    saros_optimiser o = {.method = "lbfgs", .steps = 50};
    (void)run(liar, 1, 2, &o, 0, &info);
    ck_assert(!info.converged);
    ck_assert_str_eq(info.reason, "line search found no decrease");
    saros_release(info.history);
}
END_TEST

static saros_status turns_nan(void *user, const double *w, double *loss, double *g) {
    int *calls = user;
    *loss = ++*calls > 5 ? NAN : w[0] * w[0];
    g[0] = 2 * w[0];
    return SAROS_OK;
}

START_TEST(a_loss_that_is_not_finite_is_an_error_with_the_iteration) {
    int calls = 0;
    double w = 3;
    saros_train_info info;
    saros_optimiser o = {.method = "adam", .steps = 50};
    const saros_objective objective = {.n = 1, .evaluate = turns_nan, .user = &calls};
    const saros_option_list list = {1, &o};
    ck_fails(saros_train_objective(&objective, &w, &list, 0, NULL, NULL, &info), SAROS_ERR_NAN);
    ck_assert(strstr(saros_error_last()->message, "iteration 5"));
    ck_assert_double_eq(w, 3);
    ck_assert_ptr_null(info.history);
}
END_TEST

static bool stop_at_four(int64_t iteration, double loss, void *user) {
    (void)loss;
    (void)user;
    return iteration < 4;
}

START_TEST(progress_can_stop_the_training) {
    int64_t n = 2;
    double w[2] = {-1, -1};
    saros_train_info info;
    saros_optimiser o = {.method = "bfgs", .steps = 50};
    const saros_objective objective = {.n = 2, .evaluate = rosenbrock, .user = &n};
    const saros_option_list list = {1, &o};
    ck_fails(saros_train_objective(&objective, w, &list, 0, stop_at_four, NULL, &info),
             SAROS_ERR_STOPPED);
}
END_TEST

START_TEST(a_misspelt_method_names_the_nearest) {
    int64_t n = 2;
    double w[2] = {0, 0};
    saros_train_info info;
    saros_optimiser o = {.method = "lbgfs"};
    const saros_objective objective = {.n = 2, .evaluate = rosenbrock, .user = &n};
    const saros_option_list list = {1, &o};
    ck_fails(saros_train_objective(&objective, w, &list, 0, NULL, NULL, &info), SAROS_ERR_USAGE);
    ck_assert(strstr(saros_error_last()->message, "\"lbfgs\""));
}
END_TEST

START_TEST(too_many_weights_for_a_dense_matrix_is_an_error) {
    int64_t n = 20000;
    double *w = calloc((size_t)n, sizeof *w);
    saros_train_info info;
    saros_optimiser o = {.method = "bfgs"};
    const saros_objective objective = {.n = n, .evaluate = rosenbrock, .user = &n};
    const saros_option_list list = {1, &o};
    ck_fails(saros_train_objective(&objective, w, &list, 0, NULL, NULL, &info), SAROS_ERR_DOMAIN);
    free(w);
}
END_TEST

/** (w - c)^4 + (w - c)^2 summed, compiled, c an extra input. */
static saros_function *compiled_quartic(saros_dtype dtype, int64_t n) {
    saros_graph *graph;
    saros_function *function;
    const saros_type type = saros_type_make(dtype, 1, &n);
    ck_ok(saros_graph_make(&graph));
    saros_value in[2], out[2];
    in[0] = saros_input(graph, &type, "w");
    in[1] = saros_input(graph, &type, "c");
    const saros_value d = saros_sub(in[0], in[1]), square = saros_mul(d, d);
    out[0] = saros_sum(saros_add(saros_mul(square, square), square), 1);
    saros_vjp(1, &out[0], NULL, 1, &in[0], &out[1]);
    ck_ok(saros_compile(graph, 2, in, 2, out, NULL, &function));
    saros_graph_release(graph);
    return function;
}

START_TEST(a_compiled_objective_trains_in_f64_and_f32) {
    const saros_dtype dtype[] = {SAROS_F64, SAROS_F32};
    const int64_t n = 5;
    for (int k = 0; k < 2; ++k) {
        saros_function *f = compiled_quartic(dtype[k], n);
        saros_tensor *start, *centre, *raw, *end;
        saros_train_info info;
        ck_ok(saros_tensor_zeros(dtype[k], 1, &n, &start));
        ck_ok(saros_tensor_from(SAROS_F64, 1, &n, (double[]){1, -2, 3, 0.5, 0.25}, &raw));
        ck_ok(saros_tensor_cast(raw, dtype[k], &centre));
        saros_optimiser o[2] = {{.method = "adam", .steps = 20, .lr = 0.1}, {.method = "lbfgs"}};
        const saros_option_list list = {2, o};
        ck_ok(saros_train(f, 1, &centre, start, &list, 0, NULL, NULL, &end, &info));
        ck_assert(saros_tensor_dtype(end) == dtype[k]);
        for (int64_t i = 0; i < n; ++i) {
            double a, b;
            ck_ok(saros_tensor_get(end, &i, &a));
            ck_ok(saros_tensor_get(centre, &i, &b));
            ck_near(a, b, k ? 1e-6 : 1e-12);
        }
        saros_release(info.history);
        saros_tensor_release(start);
        saros_tensor_release(centre);
        saros_tensor_release(raw);
        saros_tensor_release(end);
        saros_function_release(f);
    }
}
END_TEST

SAROS_TEST_MAIN("pinn/train", lbfgs_finds_the_minimum_of_rosenbrock,
                bfgs_finds_the_minimum_of_rosenbrock,
                second_order_methods_solve_an_ill_conditioned_quadratic, bfgs_of_one_unknown_works,
                adam_comes_near_and_stops_at_the_target, methods_say_when_the_steps_are_used_up,
                a_search_without_decrease_is_told,
                a_loss_that_is_not_finite_is_an_error_with_the_iteration,
                progress_can_stop_the_training, a_misspelt_method_names_the_nearest,
                too_many_weights_for_a_dense_matrix_is_an_error,
                a_compiled_objective_trains_in_f64_and_f32)
