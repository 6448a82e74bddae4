/** Pointwise rows: values against the C library and plain formulas, in every layout the driver of
 * kernels treats apart; promotion, broadcasting, errors. */
#include "core/primitive_run.h"

/* ---- values of functions of one argument ---- */

typedef struct unary_case {
    saros_unary_fn *build;
    double (*reference)(double);
    double lo, hi;
} unary_case;

static double sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}
static double softplus(double x) {
    return log1p(exp(x));
}
static double relu(double x) {
    return x > 0 ? x : 0;
}
static double sign(double x) {
    return x > 0 ? 1 : x < 0 ? -1 : 0;
}
static double negate(double x) {
    return -x;
}
static const unary_case unary[] = {
    {saros_neg, negate, -3, 3},        {saros_abs, fabs, -3, 3},    {saros_sign, sign, -3, 3},
    {saros_floor, floor, -3, 3},       {saros_round, rint, -3, 3},  {saros_sqrt, sqrt, 0, 9},
    {saros_exp, exp, -5, 5},           {saros_expm1, expm1, -1, 1}, {saros_log, log, 0.1, 9},
    {saros_log1p, log1p, -0.9, 2},     {saros_sin, sin, -9, 9},     {saros_cos, cos, -9, 9},
    {saros_tan, tan, -1, 1},           {saros_asin, asin, -1, 1},   {saros_acos, acos, -1, 1},
    {saros_atan, atan, -9, 9},         {saros_sinh, sinh, -3, 3},   {saros_cosh, cosh, -3, 3},
    {saros_tanh, tanh, -3, 3},         {saros_erf, erf, -3, 3},     {saros_sigmoid, sigmoid, -9, 9},
    {saros_softplus, softplus, -9, 9}, {saros_relu, relu, -3, 3},
};
static saros_unary_fn *current_unary;
static saros_value build_unary(saros_graph *g, const saros_value *x) {
    (void)g;
    return current_unary(x[0]);
}

START_TEST(functions_of_one_argument_agree_with_the_c_library) {
    const unary_case *c = &unary[_i];
    current_unary = c->build;
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype) {
        saros_tensor *x = run_random((saros_dtype)dtype, 2, SHAPE(7, 100), c->lo, c->hi, 3);
        saros_tensor *y = run(build_unary, 1, &x);
        for (int64_t i = 0; i < 700; ++i)
            ck_near(run_item(y, i), c->reference(run_item(x, i)),
                    dtype == SAROS_F64 ? 1e-15 : 3e-7);
        saros_tensor_release(x);
        saros_tensor_release(y);
    }
}
END_TEST

/* ---- accuracy of the vectorised functions ---- */

typedef struct accurate_case {
    saros_unary_fn *build;
    long double (*reference)(long double);
    double lo, hi;
    bool decades; /* arguments 10^lo … 10^hi */
} accurate_case;

static long double sigmoidl(long double x) {
    return 1 / (1 + expl(-x));
}
static const accurate_case accurate[] = {
    {saros_exp, expl, -746, 710, false},        {saros_exp, expl, -310, 0, true},
    {saros_expm1, expm1l, -50, 710, false},     {saros_expm1, expm1l, -320, 0, true},
    {saros_log, logl, 0.5, 2, false},           {saros_log, logl, -323, 308, true},
    {saros_log1p, log1pl, -1, 2, false},        {saros_log1p, log1pl, -323, 308, true},
    {saros_tanh, tanhl, -25, 25, false},        {saros_tanh, tanhl, -323, 0, true},
    {saros_sigmoid, sigmoidl, -740, 40, false}, {saros_sin, sinl, -1e5, 1e5, false},
    {saros_sin, sinl, -323, 300, true},         {saros_cos, cosl, -1e5, 1e5, false},
    {saros_cos, cosl, -10, 300, true},
};

START_TEST(vectorised_functions_are_within_4_ulp) {
    const accurate_case *c = &accurate[_i];
    current_unary = c->build;
    saros_tensor *x = run_random(SAROS_F64, 1, SHAPE(20000), c->lo, c->hi, 3);
    double *in = saros_tensor_data(x);
    for (int64_t i = 0; c->decades && i < 20000; ++i) in[i] = pow(10, in[i]);
    saros_tensor *y = run(build_unary, 1, &x);
    const double *out = saros_tensor_const_data(y);
    for (int64_t i = 0; i < 20000; ++i) {
        long double wanted = c->reference((long double)in[i]);
        double size = fabs((double)wanted), ulp = nextafter(size, INFINITY) - size;
        if (isinf(size) && out[i] == (double)wanted) continue;
        ck_assert_msg(fabsl((long double)out[i] - wanted) <= 4 * (long double)ulp,
                      "at %.17g: %.17g, not %.20Lg", in[i], out[i], wanted);
    }
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

START_TEST(special_arguments_give_what_the_c_library_gives) {
    static const double at[] = {0.0, -0.0, INFINITY, -INFINITY, NAN,    -1,   -2,  5e-324, -5e-324,
                                710, -746, 1e308,    -1e308,    1e-310, 1e22, 0.5, 3e5,    40};
    static const struct {
        saros_unary_fn *build;
        double (*reference)(double);
    } functions[] = {{saros_exp, exp},     {saros_expm1, expm1}, {saros_log, log},
                     {saros_log1p, log1p}, {saros_tanh, tanh},   {saros_sin, sin},
                     {saros_cos, cos},     {NULL, NULL}};
    enum { COUNT = sizeof at / sizeof *at };
    saros_tensor *x = run_tensor(SAROS_F64, 1, SHAPE(COUNT), at);
    for (int f = 0; functions[f].reference; ++f) {
        current_unary = functions[f].build;
        saros_tensor *y = run(build_unary, 1, &x);
        for (int i = 0; i < COUNT; ++i) {
            double got = run_item(y, i), wanted = functions[f].reference(at[i]);
            bool same = isnan(wanted) ? isnan(got)
                                      : fabs(got - wanted) <= 1e-15 * fabs(wanted) || got == wanted;
            ck_assert_msg(same && (isnan(wanted) || signbit(got) == signbit(wanted)),
                          "function %d at %g: %g, not %g", f, at[i], got, wanted);
        }
        saros_tensor_release(y);
    }
    saros_tensor_release(x);
}
END_TEST

/* ---- layouts ---- */

static saros_value build_affine(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_sub(saros_mul(x[0], x[1]), x[1]);
}

/** x*y - y on every element, whatever the layouts of x and y; consumes both. */
static void check_affine(saros_tensor *x, saros_tensor *y) {
    saros_tensor *in[] = {x, y}, *out = run(build_affine, 2, in);
    int64_t index[SAROS_MAX_RANK] = {0};
    int rank = saros_tensor_rank(out);
    double tolerance = saros_tensor_dtype(out) == SAROS_F32 ? 1e-6 : 1e-14;
    if (saros_tensor_count(out) > 0) do {
            double a = run_at(x, rank, index), b = run_at(y, rank, index);
            ck_near(run_at(out, rank, index), a * b - b, tolerance);
        } while (run_next(out, index));
    saros_tensor_release(out);
    run_release(2, in);
}

START_TEST(every_layout_gives_the_same_numbers) {
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_I32};
    static const struct {
        int ranks[2];
        int64_t shapes[2][3];
    } cases[] = {
        {{2, 2}, {{9, 7}, {9, 7}}},         {{2, 1}, {{50, 20}, {20}}},
        {{2, 2}, {{50, 20}, {50, 1}}},      {{2, 0}, {{50, 20}, {0}}},
        {{2, 1}, {{3, 700}, {700}}},        {{2, 2}, {{3, 700}, {3, 1}}},
        {{3, 2}, {{4, 1, 5}, {6, 5}}},      {{3, 3}, {{4, 1, 600}, {1, 3, 600}}},
        {{3, 3}, {{2, 3, 1}, {1, 1, 200}}}, {{1, 1}, {{2000}, {1}}},
        {{3, 3}, {{40, 3, 7}, {1, 3, 1}}},  {{3, 1}, {{5, 1, 1}, {300}}},
        {{2, 2}, {{0, 4}, {1, 4}}},         {{1, 0}, {{0}, {0}}},
    };
    saros_dtype dtype = dtypes[_i % 4];
    int c = _i / 4;
    for (int layout = 0; layout < 4; ++layout) {
        saros_tensor *x[2];
        for (int k = 0; k < 2; ++k) {
            int rank = cases[c].ranks[k];
            int64_t shape[3];
            for (int a = 0; a < rank; ++a)
                shape[a] = cases[c].shapes[k][layout >> k & 1 ? rank - 1 - a : a];
            x[k] = run_random(dtype, rank, shape, -9, 9, (unsigned)k + 1);
            if (layout >> k & 1) x[k] = run_transposed(x[k]);
        }
        check_affine(x[0], x[1]);
    }
}
END_TEST

static saros_value build_strided(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value every_third = saros_slice(x[0], 1, 1, 300, 3);
    return saros_add(saros_reverse(every_third, 1), saros_reverse(every_third, 0));
}
START_TEST(strided_and_reversed_operands_are_read_in_their_order) {
    saros_tensor *x = run_random(SAROS_F64, 2, SHAPE(4, 300), -1, 1, 5);
    saros_tensor *y = run(build_strided, 1, &x);
    run_has_shape(y, 2, SHAPE(4, 100));
    for (int64_t i = 0; i < 4; ++i)
        for (int64_t j = 0; j < 100; ++j)
            ck_near(run_item(y, i * 100 + j),
                    run_item(x, i * 300 + 1 + 3 * (99 - j)) +
                        run_item(x, (3 - i) * 300 + 1 + 3 * j),
                    0.0);
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

/* ---- single operations ---- */

static saros_value build_div(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_div(x[0], x[1]);
}
static saros_value build_add(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_add(x[0], x[1]);
}
START_TEST(dtypes_promote_as_in_numpy) {
    static const double one[] = {7}, two[] = {2};
    saros_tensor *in[] = {run_tensor(SAROS_I32, 0, NULL, one), run_tensor(SAROS_I64, 0, NULL, two)};
    saros_tensor *ratio = run(build_div, 2, in), *sum = run(build_add, 2, in);
    ck_assert_int_eq(saros_tensor_dtype(ratio), SAROS_F64);
    ck_assert_int_eq(saros_tensor_dtype(sum), SAROS_I64);
    ck_near(run_item(ratio, 0), 3.5, 0);
    ck_near(run_item(sum, 0), 9, 0);
    run_release(2, in);
    saros_tensor *masks[] = {run_tensor(SAROS_BOOL, 0, NULL, one),
                             run_tensor(SAROS_BOOL, 0, NULL, one)};
    saros_tensor *count = run(build_add, 2, masks);
    ck_near(run_item(count, 0), 2, 0);
    run_release(2, masks);
    saros_tensor_release(ratio);
    saros_tensor_release(sum);
    saros_tensor_release(count);
}
END_TEST

static saros_value build_fma(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_fma(x[0], x[1], x[2]);
}
START_TEST(fma_rounds_once) {
    double a = 1.0 + 0x1p-30, c = -1.0;
    saros_tensor *in[] = {run_tensor(SAROS_F64, 0, NULL, &a), run_tensor(SAROS_F64, 0, NULL, &a),
                          run_tensor(SAROS_F64, 0, NULL, &c)};
    saros_tensor *y = run(build_fma, 3, in);
    ck_assert(run_item(y, 0) == fma(a, a, c));
    ck_assert(run_item(y, 0) != a * a + c);
    run_release(3, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_maximum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_maximum(x[0], x[1]);
}
static saros_value build_minimum(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_minimum(x[0], x[1]);
}
START_TEST(maximum_and_minimum_propagate_nan_from_either_side) {
    const double a[] = {NAN, 1, 2, -1}, b[] = {1, NAN, 1, 3};
    saros_tensor *in[] = {run_tensor(SAROS_F64, 1, SHAPE(4), a),
                          run_tensor(SAROS_F64, 1, SHAPE(4), b)};
    saros_tensor *most = run(build_maximum, 2, in), *least = run(build_minimum, 2, in);
    for (int i = 0; i < 2; ++i) ck_assert(isnan(run_item(most, i)) && isnan(run_item(least, i)));
    ck_assert(run_item(most, 2) == 2 && run_item(most, 3) == 3);
    ck_assert(run_item(least, 2) == 1 && run_item(least, 3) == -1);
    run_release(2, in);
    saros_tensor_release(most);
    saros_tensor_release(least);
}
END_TEST

static int64_t current_exponent;
static saros_value build_power(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_power(x[0], current_exponent);
}
START_TEST(power_is_repeated_multiplication) {
    saros_tensor *x = run_random(SAROS_F64, 1, SHAPE(600), -2, 2, 4);
    current_exponent = _i - 4;
    saros_tensor *y = run(build_power, 1, &x);
    for (int64_t i = 0; i < 600; ++i)
        ck_near(run_item(y, i) / pow(run_item(x, i), (double)current_exponent), 1.0, 1e-14);
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST
START_TEST(power_of_integers_and_at_zero_is_exact) {
    const double data[] = {0, -3, 7};
    saros_tensor *x = run_tensor(SAROS_I64, 1, SHAPE(3), data);
    current_exponent = 5;
    saros_tensor *y = run(build_power, 1, &x);
    run_holds(y, 3, (const double[]){0, -243, 16807});
    saros_tensor_release(y);
    current_exponent = 0;
    y = run(build_power, 1, &x);
    run_holds(y, 3, (const double[]){1, 1, 1});
    saros_tensor_release(x);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_between(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_value inside = saros_and(saros_le(x[1], x[0]), saros_not(saros_gt(x[0], x[2])));
    saros_value outside = saros_or(saros_lt(x[0], x[1]), saros_gt(x[0], x[2]));
    saros_value agree = saros_ne(inside, outside);
    return saros_where(agree, saros_where(inside, x[0], saros_like(x[0], -1)),
                       saros_like(x[0], NAN));
}
START_TEST(comparisons_and_masks_choose) {
    const double data[] = {1, 2, 3, 4, 5}, lo = 2, hi = 4;
    for (int dtype = SAROS_F64; dtype <= SAROS_I32; ++dtype) {
        saros_tensor *in[] = {run_tensor((saros_dtype)dtype, 1, SHAPE(5), data),
                              run_tensor((saros_dtype)dtype, 0, NULL, &lo),
                              run_tensor((saros_dtype)dtype, 0, NULL, &hi)};
        saros_tensor *y = run(build_between, 3, in);
        run_holds(y, 5, (const double[]){-1, 2, 3, 4, -1});
        run_release(3, in);
        saros_tensor_release(y);
    }
}
END_TEST

static saros_value build_eq(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_eq(x[0], x[1]);
}
START_TEST(nan_equals_nothing) {
    double nan = NAN;
    saros_tensor *in[] = {run_tensor(SAROS_F64, 0, NULL, &nan),
                          run_tensor(SAROS_F64, 0, NULL, &nan)};
    saros_tensor *y = run(build_eq, 2, in);
    ck_assert_int_eq(saros_tensor_dtype(y), SAROS_BOOL);
    ck_assert(run_item(y, 0) == 0);
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

static saros_value build_binary(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_add(saros_atan2(x[0], x[1]), saros_pow(x[1], x[0]));
}
START_TEST(atan2_and_pow_agree_with_the_c_library) {
    saros_tensor *in[] = {run_random(SAROS_F64, 1, SHAPE(50), -3, 3, 1),
                          run_random(SAROS_F64, 1, SHAPE(50), 0.1, 3, 2)};
    saros_tensor *y = run(build_binary, 2, in);
    for (int64_t i = 0; i < 50; ++i) {
        double a = run_item(in[0], i), b = run_item(in[1], i);
        ck_near(run_item(y, i), atan2(a, b) + pow(b, a), 1e-14);
    }
    run_release(2, in);
    saros_tensor_release(y);
}
END_TEST

/* ---- building ---- */

START_TEST(a_lossless_cast_back_gives_the_value_itself) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type f32 = saros_type_scalar(SAROS_F32), i64 = saros_type_scalar(SAROS_I64);
    saros_value x = saros_input(g, &f32, "x"), n = saros_input(g, &i64, "n");
    ck_assert(saros_same(saros_cast(saros_cast(x, SAROS_F64), SAROS_F32), x));
    ck_assert(!saros_same(saros_cast(saros_cast(n, SAROS_F64), SAROS_I64), n));
    ck_assert(saros_same(saros_mul(x, saros_like(x, 1)), x));
    ck_assert(saros_same(saros_neg(saros_neg(x)), x));
    ck_assert(!saros_same(saros_alias(x), saros_alias(x)));
    saros_graph_release(g);
}
END_TEST

static saros_value build_where_number(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_where(x[0], x[0], x[1]);
}
static saros_value build_and(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_and(x[0], x[1]);
}
START_TEST(errors_name_operation_shapes_and_dtypes) {
    saros_type wide = saros_type_make(SAROS_F64, 2, SHAPE(3, 4));
    saros_type five = saros_type_make(SAROS_F64, 1, SHAPE(5));
    saros_type types[] = {wide, five}, equal[] = {wide, wide};
    ck_assert_str_eq(run_message(build_add, 2, types, SAROS_ERR_SHAPE),
                     "shapes (3,4) and (5) do not broadcast");
    ck_assert_str_eq(saros_error_last()->where, "saros_add");
    ck_assert_ptr_nonnull(strstr(run_message(build_where_number, 2, equal, SAROS_ERR_TYPE), "f64"));
    ck_assert_ptr_nonnull(strstr(run_message(build_and, 2, equal, SAROS_ERR_TYPE), "bool"));
}
END_TEST

START_TEST(every_row_has_a_doc_and_a_differentiation_column) {
    int count = 0;
    const saros_primitive *const *rows = saros_core_primitives(&count);
    ck_assert_int_gt(count, 70);
    for (int k = 0; k < count; ++k) {
        const saros_primitive *r = rows[k];
        ck_assert_msg(r->doc && *r->doc && !strchr(r->doc, '\n'), "%s has no line", r->name);
        ck_assert_msg(r->type && (r->evaluate || r->flags & (SAROS_REGION | SAROS_CONSTANT)), "%s",
                      r->name);
        ck_assert_msg(r->flags & (SAROS_CONSTANT | SAROS_REGION) || r->linear_in[0] || r->partial ||
                          r->jvp,
                      "%s has no derivative", r->name);
        for (int j = 0; j < k; ++j) ck_assert_str_ne(rows[j]->name, r->name);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("core/primitive_pointwise");
    TCase *tcase = tcase_create("pointwise");
    tcase_add_loop_test(tcase, functions_of_one_argument_agree_with_the_c_library, 0,
                        (int)(sizeof unary / sizeof *unary));
    tcase_add_loop_test(tcase, vectorised_functions_are_within_4_ulp, 0,
                        (int)(sizeof accurate / sizeof *accurate));
    tcase_add_test(tcase, special_arguments_give_what_the_c_library_gives);
    tcase_add_loop_test(tcase, every_layout_gives_the_same_numbers, 0, 4 * 14);
    tcase_add_test(tcase, strided_and_reversed_operands_are_read_in_their_order);
    tcase_add_test(tcase, dtypes_promote_as_in_numpy);
    tcase_add_test(tcase, fma_rounds_once);
    tcase_add_test(tcase, maximum_and_minimum_propagate_nan_from_either_side);
    tcase_add_loop_test(tcase, power_is_repeated_multiplication, 0, 14);
    tcase_add_test(tcase, power_of_integers_and_at_zero_is_exact);
    tcase_add_test(tcase, comparisons_and_masks_choose);
    tcase_add_test(tcase, nan_equals_nothing);
    tcase_add_test(tcase, atan2_and_pow_agree_with_the_c_library);
    tcase_add_test(tcase, a_lossless_cast_back_gives_the_value_itself);
    tcase_add_test(tcase, errors_name_operation_shapes_and_dtypes);
    tcase_add_test(tcase, every_row_has_a_doc_and_a_differentiation_column);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
