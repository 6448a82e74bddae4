/** Elementary functions as kernels compute them, against the C library in a wider format.
 *
 *  Oracles: long double for f64, double for f32. glibc's own error there is below 2 ulp of the
 * wider format, 2^-10 ulp of f64 on x86 and 2^-28 ulp of f32. A bound of 4 ulp holds for all. f64:
 * specials, patterns of bits drawn at random (all exponents alike) and points dense where the
 *  function bends. f32: every STRIDE-th of the 2^32 patterns; all with SAROS_TEST_EXHAUSTIVE set,
 *  then against the kernel of f64 (held to long double here, 2^-27 ulp of f32), every APART-th
 *  against the C library.
 *  With SAROS_TEST_REPORT set the largest error of each function is printed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel_impl.h"
#include "saros/ops.h"
#include "saros_check.h"

enum { BATCH = 1 << 18, STRIDE = 4093, APART = 251 };
static const double most_ulp = 4;

/* ---- the functions ---- */

typedef long double wide_fn(long double);
typedef double double_fn(double);

static long double sigmoid_wide(long double x) {
    return 1 / (1 + expl(-x));
}
static double sigmoid_double(double x) {
    return 1 / (1 + exp(-x));
}
static long double softplus_wide(long double x) {
    return (x < 0 ? 0 : x) + log1pl(expl(-fabsl(x)));
}
static double softplus_double(double x) {
    return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
}
static long double sign_wide(long double x) {
    return isnan(x) ? x : (x > 0) - (x < 0);
}
static double sign_double(double x) {
    return isnan(x) ? x : (x > 0) - (x < 0);
}
static long double relu_wide(long double x) {
    return x <= 0 ? 0 : x;
}
static double relu_double(double x) {
    return x <= 0 ? 0 : x;
}

static const struct {
    const char *name;
    saros_unary_fn *op;
    wide_fn *wide;
    double_fn *twice;
    double low, high; /* where points are dense */
} unary[] = {
    {"exp", saros_exp, expl, exp, -750, 720},
    {"expm1", saros_expm1, expm1l, expm1, -2, 2},
    {"exp2", saros_exp2, exp2l, exp2, -3, 3},
    {"log2", saros_log2, log2l, log2, 0, 4},
    {"log", saros_log, logl, log, 0, 4},
    {"log1p", saros_log1p, log1pl, log1p, -1, 2},
    {"sqrt", saros_sqrt, sqrtl, sqrt, 0, 4},
    {"sin", saros_sin, sinl, sin, -50, 50},
    {"cos", saros_cos, cosl, cos, -50, 50},
    {"tan", saros_tan, tanl, tan, -50, 50},
    {"asin", saros_asin, asinl, asin, -1.01, 1.01},
    {"acos", saros_acos, acosl, acos, -1.01, 1.01},
    {"atan", saros_atan, atanl, atan, -4, 4},
    {"sinh", saros_sinh, sinhl, sinh, -3, 3},
    {"cosh", saros_cosh, coshl, cosh, -3, 3},
    {"tanh", saros_tanh, tanhl, tanh, -3, 3},
    {"asinh", saros_asinh, asinhl, asinh, -4, 4},
    {"acosh", saros_acosh, acoshl, acosh, 0.9, 4},
    {"atanh", saros_atanh, atanhl, atanh, -1.01, 1.01},
    {"erf", saros_erf, erfl, erf, -6.5, 6.5},
    {"sigmoid", saros_sigmoid, sigmoid_wide, sigmoid_double, -40, 40},
    {"softplus", saros_softplus, softplus_wide, softplus_double, -40, 40},
    {"round", saros_round, rintl, rint, -3, 3},
    {"floor", saros_floor, floorl, floor, -3, 3},
    {"sign", saros_sign, sign_wide, sign_double, -1, 1},
    {"relu", saros_relu, relu_wide, relu_double, -1, 1},
};
static saros_value cube_root(saros_value x) {
    return saros_pow(x, saros_like(x, 1.0 / 3));
}
static saros_value square_root(saros_value x) {
    return saros_pow(x, saros_like(x, 0.5));
}
static saros_value inverse_cube(saros_value x) {
    return saros_pow(x, saros_like(x, -3.0));
}

static const double specials[] = {
    0.0,    -0.0,    INFINITY, -INFINITY, NAN,
    5e-324, -5e-324, 1e-310,   -1e-310,   1.0,
    -1.0,   0.5,     -0.5,     0x1p-1022, 0x1p-126,
    1e-40,  -1e-40,  1e-30,    709.78,    709.79,
    -708.4, -745.1,  -745.2,   710.4,     710.48,
    88.72,  88.73,   -87.4,    -103.9,    -104.1,
    89.41,  89.42,   1e308,    -1e308,    3.4e38,
    1e22,   0x1p30,  0x1p31,   0x1p52,    0x1p53,
    M_PI_2, M_PI,    -M_PI,    355.0,     6381956970095103.0 * 0x1p797,
    0.7071, 1.41422, 0.41421,  2.41422,   5.92,
    6.0,    -6.0,    2.0,      3.0,       -2.0,
    -3.0,   0.99999, 1.00001,  1e16,      -1e16,
    0x1p63, 2.5,     1e300};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* ---- evaluation and comparison ---- */

static void call(saros_function *f, saros_dtype dtype, int ins, const void *const *x, void *y) {
    saros_tensor *in[2] = {0}, *out = NULL;
    const int64_t n = BATCH;
    for (int k = 0; k < ins; ++k) ck_ok(saros_tensor_from(dtype, 1, &n, x[k], &in[k]));
    ck_ok(saros_function_call(f, in, &out, NULL));
    memcpy(y, saros_tensor_const_data(out), (size_t)n * saros_dtype_bytes(dtype));
    for (int k = 0; k < ins; ++k) saros_tensor_release(in[k]);
    saros_tensor_release(out);
}

/** What a step in the last place is at `x`, of a format with 53 or 24 bits. */
static long double ulp_of(long double x, int bits, int lowest) {
    int exponent;
    if (x == 0 || !isfinite(x)) return ldexpl(1, lowest);
    frexpl(x, &exponent);
    return ldexpl(1, exponent - bits < lowest ? lowest : exponent - bits);
}

/** Error of `got` in ulp; infinite where NaN, infinity or sign of zero are wrong. */
static double error_of(double got, long double want, int bits, int lowest, double largest) {
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : INFINITY;
    if (want == 0 && got == 0) return !signbit(want) == !signbit(got) ? 0 : INFINITY;
    if (isinf(got) && fabsl(want) > largest) return (got > 0) == (want > 0) ? 0 : INFINITY;
    if (isinf(got) || isinf(want)) return INFINITY;
    if (got == 0 && want != 0 && !signbit(got) != !signbit(want)) return INFINITY;
    return (double)(fabsl(got - want) / ulp_of(want, bits, lowest));
}

static double from_word(uint64_t word) {
    return saros_from_bits((int64_t)word);
}

/** The same for f32, without long doubles where `want` is a normal number of f64: what takes hours
 *  for all patterns takes minutes. */
static double error_of_f32(float got, double want) {
    uint64_t word;
    memcpy(&word, &want, sizeof word);
    const int exponent = (int)(word >> 52 & 0x7ff) - 1023;
    if (!isfinite(got) || got == 0 || want == 0 || exponent < -1022 || exponent > 127)
        return error_of((double)got, want, 24, -149, 0x1.fffffep127);
    const int step = exponent - 23 < -149 ? -149 : exponent - 23;
    return fabs((double)got - want) * from_word((uint64_t)(1023 - step) << 52);
}

static saros_function *compile_of(saros_dtype dtype, int ins, saros_unary_fn *one,
                                  saros_binary_fn *two, saros_graph **g) {
    const int64_t n = BATCH;
    saros_type type = saros_type_make(dtype, 1, &n);
    saros_function *f = NULL;
    ck_ok(saros_graph_make(g));
    saros_value in[2] = {saros_input(*g, &type, "x"), saros_input(*g, &type, "y")};
    saros_value out = one ? one(in[0]) : two(in[0], in[1]);
    ck_ok(saros_compile(*g, ins, in, 1, &out, &(saros_compile_options){.backend = "cpu"}, &f));
    return f;
}

static void report(const char *name, const char *dtype, double worst, double at) {
    if (getenv("SAROS_TEST_REPORT")) printf("%-14s %s %6.3f ulp at %.9g\n", name, dtype, worst, at);
}

static uint64_t state = 1;
static uint64_t draw(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = state;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}
static double drawn(double low, double high) {
    return low + (high - low) * (double)(draw() >> 11) * 0x1p-53;
}
static float from_pattern(uint32_t word) {
    float x;
    memcpy(&x, &word, sizeof x);
    return x;
}

/* ---- f64 ---- */

static void check_f64(const char *name, saros_unary_fn *op, wide_fn *wide, double low,
                      double high) {
    double *x = malloc(BATCH * sizeof *x), *y = malloc(BATCH * sizeof *y), worst = 0, at = 0;
    saros_graph *g = NULL;
    saros_function *f = compile_of(SAROS_F64, 1, op, NULL, &g);
    for (int pass = 0; pass < 2; ++pass) {
        for (int64_t i = 0; i < BATCH; ++i) x[i] = pass ? drawn(low, high) : from_word(draw());
        memcpy(x, specials, sizeof specials);
        call(f, SAROS_F64, 1, (const void *[]){x}, y);
        for (int64_t i = 0; i < BATCH; ++i) {
            double e = error_of(y[i], wide(x[i]), 53, -1074, 0x1.fffffffffffffp1023);
            if (!(e <= most_ulp)) /* an assertion per element costs a system call */
                ck_abort_msg("%s(%.17g = %a) = %.17g, wanted %.17Lg: %g ulp", name, x[i], x[i],
                             y[i], wide(x[i]), e);
            if (e > worst) worst = e, at = x[i];
        }
    }
    report(name, "f64", worst, at);
    saros_function_release(f);
    saros_graph_release(g);
    free(x);
    free(y);
}

START_TEST(functions_of_f64_err_by_at_most_four_ulp) {
    for (size_t k = 0; k < sizeof unary / sizeof *unary; ++k)
        check_f64(unary[k].name, unary[k].op, unary[k].wide, unary[k].low, unary[k].high);
}
END_TEST

/* ---- f32 ---- */

/** What the function is at x, by the kernel of f64 where that is compiled. */
static void want_of(saros_function *f64, double_fn *twice, const float *x, double *wide,
                    double *want) {
    for (int64_t i = 0; i < BATCH; ++i) wide[i] = (double)x[i];
    if (f64) call(f64, SAROS_F64, 1, (const void *[]){wide}, want);
    for (int64_t i = 0; i < BATCH; i += f64 ? APART : 1) want[i] = twice(wide[i]);
}

static void check_f32(const char *name, saros_unary_fn *op, double_fn *twice) {
    float *x = malloc(BATCH * sizeof *x), *y = malloc(BATCH * sizeof *y);
    double *wide = malloc(BATCH * sizeof *wide), *want = malloc(BATCH * sizeof *want);
    double worst = 0, at = 0;
    const bool all = getenv("SAROS_TEST_EXHAUSTIVE") != NULL;
    const uint64_t stride = all ? 1 : STRIDE;
    saros_graph *g = NULL, *g64 = NULL;
    saros_function *f = compile_of(SAROS_F32, 1, op, NULL, &g),
                   *f64 = all ? compile_of(SAROS_F64, 1, op, NULL, &g64) : NULL;
    for (uint64_t from = 0; from < UINT64_C(1) << 32; from += BATCH * stride) {
        for (uint64_t i = 0; i < BATCH; ++i) x[i] = from_pattern((uint32_t)(from + i * stride));
        for (int i = 0; i < SPECIALS && !all; ++i) x[i] = (float)specials[i];
        call(f, SAROS_F32, 1, (const void *[]){x}, y);
        want_of(f64, twice, x, wide, want);
        for (int64_t i = 0; i < BATCH; ++i) {
            double e = error_of_f32(y[i], want[i]);
            if (!(e <= most_ulp))
                ck_abort_msg("%s(%.9g = %a) = %.9g, wanted %.17g: %g ulp", name, x[i], x[i], y[i],
                             want[i], e);
            if (e > worst) worst = e, at = (double)x[i];
        }
    }
    report(name, "f32", worst, at);
    saros_function_release(f);
    saros_function_release(f64);
    saros_graph_release(g);
    saros_graph_release(g64);
    free(x);
    free(y);
    free(wide);
    free(want);
}

START_TEST(functions_of_f32_err_by_at_most_four_ulp) {
    const char *only = getenv("SAROS_TEST_FUNCTION");
    for (size_t k = 0; k < sizeof unary / sizeof *unary; ++k)
        if (!only || strcmp(only, unary[k].name) == 0)
            check_f32(unary[k].name, unary[k].op, unary[k].twice);
}
END_TEST

/* ---- two operands ---- */

typedef long double wide2_fn(long double, long double);

static void check_two(const char *name, saros_binary_fn *op, wide2_fn *wide, saros_dtype dtype,
                      int kind) {
    const bool narrow = dtype == SAROS_F32;
    double worst = 0, at = 0;
    double *x = malloc(2 * BATCH * sizeof *x), *y = malloc(BATCH * sizeof *y);
    float *xs = malloc(2 * BATCH * sizeof *xs), *ys = malloc(BATCH * sizeof *ys);
    saros_graph *g = NULL;
    saros_function *f = compile_of(dtype, 2, NULL, op, &g);
    for (int64_t i = 0; i < BATCH; ++i) {
        double a = kind == 0 ? from_word(draw()) : drawn(kind == 1 ? 0 : -4, 4);
        double b =
            kind == 0 ? from_word(draw()) : drawn(kind == 1 ? -300 : -4, kind == 1 ? 300 : 4);
        if (kind == 2) b = floor(b * 4);
        if (i < SPECIALS * SPECIALS) a = specials[i / SPECIALS], b = specials[i % SPECIALS];
        x[i] = narrow ? (double)(xs[i] = (float)a) : a;
        x[BATCH + i] = narrow ? (double)(xs[BATCH + i] = (float)b) : b;
    }
    if (narrow) call(f, dtype, 2, (const void *[]){xs, xs + BATCH}, ys);
    if (!narrow) call(f, dtype, 2, (const void *[]){x, x + BATCH}, y);
    for (int64_t i = 0; i < BATCH; ++i) {
        double got = narrow ? (double)ys[i] : y[i];
        long double want = wide(x[i], x[BATCH + i]);
        double e = narrow ? error_of(got, want, 24, -149, 0x1.fffffep127)
                          : error_of(got, want, 53, -1074, 0x1.fffffffffffffp1023);
        if (!(e <= most_ulp))
            ck_abort_msg("%s(%.17g, %.17g) = %.17g, wanted %.17Lg: %g ulp", name, x[i],
                         x[BATCH + i], got, want, e);
        if (e > worst) worst = e, at = x[i];
    }
    report(name, narrow ? "f32" : "f64", worst, at);
    saros_function_release(f);
    saros_graph_release(g);
    free(x);
    free(y);
    free(xs);
    free(ys);
}

START_TEST(functions_of_two_operands_err_by_at_most_four_ulp) {
    for (int kind = 0; kind < 3; ++kind)
        for (int d = SAROS_F64; d <= SAROS_F32; ++d) {
            check_two("pow", saros_pow, powl, (saros_dtype)d, kind);
            check_two("atan2", saros_atan2, atan2l, (saros_dtype)d, kind);
        }
}
END_TEST

static long double cube_root_wide(long double x) {
    return powl(x, 1.0 / 3);
}
static long double square_root_wide(long double x) {
    return powl(x, 0.5);
}
static long double inverse_cube_wide(long double x) {
    return powl(x, -3);
}

START_TEST(powers_with_a_constant_err_by_at_most_four_ulp) {
    check_f64("x^(1/3)", cube_root, cube_root_wide, 0, 4);
    check_f64("x^0.5", square_root, square_root_wide, 0, 4);
    check_f64("x^-3", inverse_cube, inverse_cube_wide, -4, 4);
}
END_TEST

int main(void) {
    if (saros_jit_bits() == 0) {
        printf("no code generator here: the compiled backend is not tested\n");
        return EXIT_SUCCESS;
    }
    const TTest *const tests[] = {functions_of_f64_err_by_at_most_four_ulp,
                                  functions_of_f32_err_by_at_most_four_ulp,
                                  functions_of_two_operands_err_by_at_most_four_ulp,
                                  powers_with_a_constant_err_by_at_most_four_ulp};
    return saros_check_run("core/elementary", tests, (int)(sizeof tests / sizeof *tests));
}
