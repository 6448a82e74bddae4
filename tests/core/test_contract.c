/** Contraction: which sums take which product, on both backends, told from plain rounding by
 * numbers whose product does not fit. */
#include <math.h>

#include "primitive_run.h"

/* p q = 1 - 2^-60: rounded it is 1, so fma(p, q, -1) = -2^-60 where plain arithmetic gives 0. */
static const double p = 1.0 + 0x1p-30, q = 1.0 - 0x1p-30;

enum { N = 64 }; /* enough elements for a kernel of the compiled backend */

/** build(x) with x[k] filled with `number[k]`, the first element of the result; all are equal. */
static double value_of(run_build *build, int n, const double *number, const char *backend) {
    saros_graph *graph = NULL;
    saros_function *f = NULL;
    saros_tensor *x[8] = {0}, *y = NULL;
    saros_value in[8];
    saros_type type = saros_type_make(SAROS_F64, 1, SHAPE(N));
    ck_ok(saros_graph_make(&graph));
    for (int k = 0; k < n; ++k) {
        in[k] = saros_input(graph, &type, NULL);
        ck_ok(saros_tensor_make(SAROS_F64, 1, SHAPE(N), &x[k]));
        for (int i = 0; i < N; ++i) ((double *)saros_tensor_data(x[k]))[i] = number[k];
    }
    saros_value out = build(graph, in);
    ck_ok(saros_compile(graph, n, in, 1, &out, &(saros_compile_options){.backend = backend}, &f));
    ck_ok(saros_function_call(f, x, &y, NULL));
    const double *data = saros_tensor_const_data(y);
    for (int i = 1; i < N; ++i) ck_assert_double_eq(data[i], data[0]);
    double value = data[0];
    for (int k = 0; k < n; ++k) saros_tensor_release(x[k]);
    saros_tensor_release(y);
    saros_function_release(f);
    saros_graph_release(graph);
    return value;
}

static const char *other_backend(void) {
    saros_graph *graph = NULL;
    saros_function *f = NULL;
    ck_ok(saros_graph_make(&graph));
    saros_type number = saros_type_make(SAROS_F64, 0, NULL);
    saros_value c = saros_splat(graph, &number, 1.0);
    saros_status status =
        saros_compile(graph, 0, NULL, 1, &c, &(saros_compile_options){.backend = "cpu"}, &f);
    saros_function_release(f);
    saros_graph_release(graph);
    return status == SAROS_OK ? "cpu" : "reference";
}

static void expect(run_build *build, int n, const double *number, double want) {
    ck_assert_double_eq(value_of(build, n, number, "reference"), want);
    ck_assert_double_eq(value_of(build, n, number, other_backend()), want);
}

static saros_value plus(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_add(saros_mul(x[0], x[1]), x[2]);
}
static saros_value plus_left(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_add(x[2], saros_mul(x[0], x[1]));
}
static saros_value minus(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sub(saros_mul(x[0], x[1]), x[2]);
}
static saros_value minus_left(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sub(x[2], saros_mul(x[0], x[1]));
}
static saros_value minus_scaled(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sub(x[2], saros_mul(x[0], saros_like(x[0], q)));
}

START_TEST(a_product_that_feeds_a_sum_is_not_rounded) {
    const double one[] = {p, q, 1.0}, less[] = {p, q, -1.0};
    expect(plus, 3, less, -0x1p-60);
    expect(plus_left, 3, less, -0x1p-60);
    expect(minus, 3, one, -0x1p-60);
    expect(minus_left, 3, one, 0x1p-60);
    expect(minus_scaled, 3, one, 0x1p-60);
}
END_TEST

static saros_value older_exact(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value exact = saros_mul(x[0], x[1]), rounded = saros_mul(x[1], x[2]);
    return saros_sub(rounded, exact);
}
static saros_value older_rounded(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value rounded = saros_mul(x[1], x[2]), exact = saros_mul(x[0], x[1]);
    return saros_add(rounded, saros_neg(exact));
}

START_TEST(of_two_products_the_older_one_goes_in) {
    /* x0 x1 = p q is the older one and exact in the sum, x1 x2 = q is exact anyway */
    expect(older_exact, 3, (double[]){p, q, 1.0}, q - 1.0 + 0x1p-60);
    /* -(p q) is no product: the only one is q * 1, so p q is rounded to 1 */
    expect(older_rounded, 3, (double[]){p, q, 1.0}, q - 1.0);
}
END_TEST

static saros_value both_uses(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value m = saros_mul(x[0], x[1]);
    return saros_mul(m, saros_sub(m, x[2])); /* 1 * -2^-60 */
}
static saros_value itself(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value m = saros_mul(x[0], x[1]);
    return saros_sub(m, m);
}
static saros_value in_body(saros_graph *g, const saros_value *x) {
    saros_value zero = saros_splat(g, saros_value_type(x[0]), 0.0);
    return saros_add(saros_abs(saros_mul(x[0], x[1])), saros_sub(zero, x[2]));
}

START_TEST(other_uses_see_the_rounded_product) {
    const double one[] = {p, q, 1.0};
    expect(both_uses, 3, one, -0x1p-60);
    expect(itself, 3, one, 0.0);
    expect(in_body, 3, one, 0.0); /* an operation in between: nothing to contract */
}
END_TEST

START_TEST(integers_and_both_floats_on_both_backends) {
    for (int d = SAROS_F64; d <= SAROS_I32; ++d) {
        saros_tensor *x[3];
        for (unsigned k = 0; k < 3; ++k)
            x[k] = run_random((saros_dtype)d, 2, SHAPE(9, 17), -9, 9, k + 1);
        saros_tensor *y = NULL;
        ck_ok(run_try(minus_left, 3, x, &y));
        for (int64_t i = 0; i < saros_tensor_count(y); ++i) {
            saros_tensor *wide[4] = {0};
            double v[4];
            for (int k = 0; k < 4; ++k) {
                ck_ok(saros_tensor_cast(k < 3 ? x[k] : y, SAROS_F64, &wide[k]));
                v[k] = ((const double *)saros_tensor_const_data(wide[k]))[i];
                saros_tensor_release(wide[k]);
            }
            double want = fma(-v[0], v[1], v[2]);
            ck_assert_double_eq(v[3], d == SAROS_F32 ? (double)(float)want : want);
        }
        saros_tensor_release(y);
        for (int k = 0; k < 3; ++k) saros_tensor_release(x[k]);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_product_that_feeds_a_sum_is_not_rounded, of_two_products_the_older_one_goes_in,
        other_uses_see_the_rounded_product, integers_and_both_floats_on_both_backends};
    return saros_check_run("core/contract", tests, (int)(sizeof tests / sizeof *tests));
}
