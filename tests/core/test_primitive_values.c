/** Functions of one argument: values and accuracy against the C library, special arguments. */
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

SAROS_TEST_LOOPS("core/primitive_values",
                 {functions_of_one_argument_agree_with_the_c_library, sizeof unary / sizeof *unary},
                 {vectorised_functions_are_within_4_ulp, sizeof accurate / sizeof *accurate},
                 {special_arguments_give_what_the_c_library_gives, 1})
