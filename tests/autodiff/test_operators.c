/** Operators with constant coefficients on their eigenfunctions and on polynomials; the stochastic
 * Laplacian: unbiased, exact for diagonal Hessians, in many dimensions. */
#include "autodiff/cloud.h"

/** exp(k.x): an operator P(d) multiplies it by P(k). */
static void check_symbol(int d, int terms, const saros_operator_term *term, const double *k) {
    cloud f = cloud_open(4, d);
    saros_value y = saros_exp(saros_sum(saros_mul(f.x, cloud_row(&f, k)), 2));
    double symbol = 0;
    for (int t = 0; t < terms; ++t) {
        double product = term[t].coefficient;
        for (int i = 0; i < d; ++i) product *= pow(k[i], term[t].power[i]);
        symbol += product;
    }
    double *want = run_one(1, &f.x, &f.at, y);
    double *got = run_one(1, &f.x, &f.at, saros_operator(y, f.x, terms, term));
    for (int64_t i = 0; i < f.n; ++i) ck_near(got[i], symbol * want[i], 1e-11);
    saros_release(want);
    saros_release(got);
    cloud_close(&f);
}

START_TEST(exponentials_are_multiplied_by_the_symbol) {
    const double k[3] = {0.7, -1.1, 0.4};
#define TERM(c, ...)                                                                               \
    {                                                                                              \
        c, (const int[]) {                                                                         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
    const saros_operator_term laplace[] = {TERM(1, 2, 0, 0), TERM(1, 0, 2, 0), TERM(1, 0, 0, 2)};
    const saros_operator_term mixed[] = {TERM(2.5, 0, 0, 0), TERM(-1, 1, 0, 0), TERM(0.5, 1, 1, 0),
                                         TERM(3, 1, 1, 1), TERM(-2, 2, 0, 1)};
    const saros_operator_term fourth[] = {TERM(1, 4, 0, 0), TERM(2, 2, 2, 0), TERM(1, 0, 4, 0),
                                          TERM(-3, 1, 3, 0), TERM(0.25, 2, 1, 1)};
    const saros_operator_term high[] = {TERM(1, 6, 0, 0), TERM(-0.5, 3, 2, 1), TERM(2, 0, 5, 3)};
    check_symbol(3, 3, laplace, k);
    check_symbol(3, 5, mixed, k);
    check_symbol(3, 5, fourth, k);
    check_symbol(3, 3, high, k);
    const saros_operator_term line[] = {TERM(1, 1), TERM(6, 3), TERM(-1, 5)}; /* Kawahara */
    check_symbol(1, 3, line, k);
}
END_TEST

static saros_value some_network(const cloud *f) {
    saros_value h = saros_tanh(saros_matmul(f->x, cloud_matrix(f, f->d, 5)));
    return saros_sum(saros_mul(h, saros_sin(h)), 2);
}

START_TEST(it_agrees_with_the_collapsed_operators) {
    cloud f = cloud_open(3, 2);
    saros_value y = some_network(&f);
    const saros_operator_term two[] = {TERM(1, 2, 0), TERM(1, 0, 2)};
    const saros_operator_term four[] = {TERM(1, 4, 0), TERM(2, 2, 2), TERM(1, 0, 4)};
    saros_value pair[4] = {saros_laplacian(y, f.x), saros_operator(y, f.x, 2, two),
                           saros_biharmonic(y, f.x), saros_operator(y, f.x, 3, four)};
    for (int k = 0; k < 4; k += 2) {
        double *a = run_one(1, &f.x, &f.at, pair[k]), *b = run_one(1, &f.x, &f.at, pair[k + 1]);
        for (int64_t i = 0; i < f.n; ++i) ck_near(b[i], a[i], 1e-11);
        saros_release(a);
        saros_release(b);
    }
    cloud_close(&f);
}
END_TEST

/** d_x^2 d_y^2 takes jets along (1,0), (0,1), (1,1), (1,2), (2,1). */
START_TEST(terms_share_their_directions) {
    cloud f = cloud_open(3, 2);
    saros_value y = some_network(&f);
    const saros_operator_term one[] = {TERM(1, 2, 2)};
    const saros_operator_term all[] = {TERM(1, 2, 2), TERM(1, 4, 0), TERM(3, 0, 1), TERM(2, 1, 1)};
    saros_value v = saros_operator(y, f.x, 1, one), w = saros_operator(y, f.x, 4, all);
    int first = run_count(&saros_row_dot, 1, &v), more = run_count(&saros_row_dot, 1, &w);
    ck_assert_int_eq(first, 1 + 5);
    ck_assert_int_eq(more, first);
    const saros_operator_term wrong[] = {TERM(1, 2, -1)};
    ck_assert(saros_is_poisoned(saros_operator(y, f.x, 1, wrong)));
    ck_assert_int_eq(saros_graph_status(f.graph), SAROS_ERR_DOMAIN);
    cloud_close(&f);
}
END_TEST
#undef TERM

/* ---- stochastic ---- */

START_TEST(the_mean_of_estimates_is_the_laplacian) {
    enum { KEYS = 2000 };
    cloud f = cloud_open(3, 4);
    saros_type type = saros_type_make(SAROS_I64, 1, (int64_t[]){2});
    saros_value key = saros_input(f.graph, &type, "key"), y = some_network(&f);
    saros_value in[2] = {f.x, key};
    saros_value out[2] = {saros_laplacian(y, f.x), saros_laplacian_estimate(y, f.x, key, 3)};
    saros_function *function = NULL;
    ck_ok(saros_compile(f.graph, 2, in, 2, out, NULL, &function));
    double sum[3] = {0}, squares[3] = {0}, want[3];
    for (int64_t k = 0; k < KEYS; ++k) {
        saros_tensor *seed = NULL, *result[2] = {NULL};
        ck_ok(saros_tensor_from(SAROS_I64, 1, (int64_t[]){2}, (int64_t[]){7, k}, &seed));
        ck_ok(saros_function_call(function, (saros_tensor *[]){f.at, seed}, result, NULL));
        double *exact = run_read(result[0]), *estimate = run_read(result[1]);
        for (int i = 0; i < 3; ++i) {
            want[i] = exact[i];
            sum[i] += estimate[i];
            squares[i] += estimate[i] * estimate[i];
        }
        saros_release(exact);
        saros_release(estimate);
        saros_tensor_release(seed);
        for (int m = 0; m < 2; ++m) saros_tensor_release(result[m]);
    }
    for (int i = 0; i < 3; ++i) {
        double mean = sum[i] / KEYS, variance = squares[i] / KEYS - mean * mean;
        ck_assert(variance > 1e-6);
        ck_assert_msg(fabs(mean - want[i]) < 4 * sqrt(variance / KEYS),
                      "row %d: mean %.6g of estimates with deviation %.2g, wanted %.6g", i, mean,
                      sqrt(variance), want[i]);
    }
    saros_function_release(function);
    cloud_close(&f);
}
END_TEST

/** u = sum sin x_i has a diagonal Hessian: any draw is exact, with r + 2 = 4 streams. */
START_TEST(a_hundred_thousand_dimensions_cost_a_few_streams) {
    cloud f = cloud_open(2, 100000);
    saros_value y = saros_sum(saros_sin(f.x), 2), key = saros_random_key(f.graph, 5);
    saros_value estimate = saros_laplacian_estimate(y, f.x, key, 2);
    double *got = run_one(1, &f.x, &f.at, estimate), *value = run_one(1, &f.x, &f.at, y);
    for (int64_t i = 0; i < f.n; ++i) ck_near(got[i], -value[i], 1e-9);
    saros_release(got);
    saros_release(value);
    ck_assert_int_lt(saros_graph_count(f.graph), 100);
    ck_assert(saros_is_poisoned(saros_laplacian_estimate(y, f.x, key, 0)));
    cloud_close(&f);
}
END_TEST

SAROS_TEST_MAIN("autodiff/operators", exponentials_are_multiplied_by_the_symbol,
                it_agrees_with_the_collapsed_operators, terms_share_their_directions,
                the_mean_of_estimates_is_the_laplacian,
                a_hundred_thousand_dimensions_cost_a_few_streams)
