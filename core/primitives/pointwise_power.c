/** fma (rounded once), sqrt, pow for real exponents, power for integer ones.
 *
 *  power is computed by repeated squaring, a negative exponent as the reciprocal of the positive
 * power: exact at 0, for negative bases and for integers. Taylor coefficients of pow come from its
 * partial derivatives, those of power from products, so that they hold at 0 too.
 */
#include <math.h>

#include "primitives/build_impl.h"
#include "primitives/pointwise_impl.h"
#include "primitives/series_impl.h"

/* ---- fma ---- */
SAROS_FAST_FMA static void fma_f64(const saros_run *run) {
    SAROS_TERNARY(double, double);
    SAROS_EACH y[i] = fma(a[i], b[i], c[i]);
}
SAROS_FAST_FMA static void fma_f32(const saros_run *run) {
    SAROS_TERNARY(float, float);
    SAROS_EACH y[i] = fmaf(a[i], b[i], c[i]);
}
SAROS_FAST static void fma_i64(const saros_run *run) {
    SAROS_TERNARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] * b[i] + c[i];
}
SAROS_FAST static void fma_i32(const saros_run *run) {
    SAROS_TERNARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] * b[i] + c[i];
}
static saros_status fma_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){fma_f64, fma_f32, fma_i64, fma_i32, NULL});
}
static void fma_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    *out = t[2];
    saros_series_accumulate(out, 1.0, t[0], rule->in[1]);
    saros_series_accumulate(out, 1.0, rule->in[0], t[1]);
}
static void fma_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                    saros_value *gradient) {
    if (wanted[0]) gradient[0] = saros_mul(*ct, rule->in[1]);
    if (wanted[1]) gradient[1] = saros_mul(*ct, rule->in[0]);
    if (wanted[2]) gradient[2] = *ct;
}
static void fma_jet(const saros_rule *rule, int order, const saros_value *series,
                    saros_value *out) {
    out[0] = rule->out[0];
    for (int k = 1; k <= order; ++k)
        out[k] = saros_series_add(saros_series_product(k, series, series + order + 1),
                                  series[2 * (order + 1) + k]);
}
static int64_t fma_operations(const saros_evaluation *e) {
    const bool floating = saros_dtype_is_float(saros_tensor_dtype(e->out[0]));
    return floating ? 2 * saros_tensor_count(e->out[0]) : 0;
}

const saros_primitive saros_row_fma = {
    .name = "fma",
    .doc = "a * b + c, rounded once",
    .operands = 3,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_COMMUTES,
    .type = saros_type_number,
    .evaluate = fma_evaluate,
    .operations = fma_operations,
    .jvp = fma_jvp,
    .vjp = fma_vjp,
    .jet = fma_jet,
};
saros_value saros_fma(saros_value a, saros_value b, saros_value c) {
    return saros_pointwise_build(&saros_row_fma, SAROS_PROMOTE_NUMBER, 0, 3,
                                 (saros_value[]){a, b, c});
}

/* ---- sqrt ---- */
SAROS_FAST static void sqrt_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = sqrt(a[i]);
}
SAROS_FAST static void sqrt_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = sqrtf(a[i]);
}
static saros_status sqrt_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = sqrt_f64, .f32 = sqrt_f32});
}
static saros_value sqrt_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_div(saros_like(rule->out[0], 0.5), rule->out[0]);
}
/** v_k = (u_k - sum_{j=1..k-1} v_j v_{k-j}) / (2 v_0) */
static void sqrt_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_value half = sqrt_partial(rule, 0);
    v[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) {
        saros_value sum = u[k];
        for (int j = 1; j <= k / 2; ++j)
            saros_series_accumulate(&sum, 2 * j == k ? -1.0 : -2.0, v[j], v[k - j]);
        v[k] = saros_series_multiply(sum, half);
    }
}
const saros_primitive saros_row_sqrt = {
    .name = "sqrt",
    .doc = "square root",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = sqrt_evaluate,
    .partial = sqrt_partial,
    .jet = sqrt_jet,
};
saros_value saros_sqrt(saros_value x) {
    return saros_unary_build(&saros_row_sqrt, SAROS_PROMOTE_FLOAT, x);
}

/* ---- pow ---- */
static void pow_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = pow(a[i], b[i]);
}
static void pow_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = powf(a[i], b[i]);
}
static saros_status pow_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = pow_f64, .f32 = pow_f32});
}
/** y x^(y-1) and x^y log x; at x = 0 the latter is its limit for y > 0, zero. */
static saros_value pow_partial(const saros_rule *rule, int operand) {
    saros_value x = rule->in[0], y = rule->in[1], one = saros_like(x, 1.0);
    if (operand == 0) return saros_mul(y, saros_pow(x, saros_sub(y, one)));
    saros_value zero = saros_eq(x, saros_like(x, 0.0));
    return saros_mul(rule->out[0], saros_log(saros_where(zero, one, x)));
}
const saros_primitive saros_row_pow = {
    .name = "pow",
    .doc = "x^y for x > 0; power is for integer exponents",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = pow_evaluate,
    .unit = 1.0,
    .unit_operands = 2,
    .partial = pow_partial,
};
saros_value saros_pow(saros_value x, saros_value y) {
    return saros_binary_build(&saros_row_pow, SAROS_PROMOTE_FLOAT, x, y);
}

/* ---- power ---- */
/** Repeated squaring over a run: y = a^m, m >= 0. The loop over bits is outside, so that the loops
 * over elements vectorise; `square` holds a^(2^bit). */
enum { CHUNK = 256 };
static uint64_t magnitude(int64_t n) {
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}
SAROS_FAST static void power_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    double square[CHUNK];
    for (int64_t from = 0; from < n; from += CHUNK) {
        int64_t m = n - from < CHUNK ? n - from : CHUNK;
        for (int64_t i = 0; i < m; ++i) square[i] = a[from + i];
        for (int64_t i = 0; i < m; ++i) y[from + i] = 1.0;
        for (uint64_t bits = magnitude(run->word[0]); bits; bits >>= 1) {
            for (int64_t i = 0; (bits & 1) && i < m; ++i) y[from + i] *= square[i];
            for (int64_t i = 0; i < m; ++i) square[i] *= square[i];
        }
        for (int64_t i = 0; run->word[0] < 0 && i < m; ++i) y[from + i] = 1.0 / y[from + i];
    }
}
SAROS_FAST static void power_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    float square[CHUNK];
    for (int64_t from = 0; from < n; from += CHUNK) {
        int64_t m = n - from < CHUNK ? n - from : CHUNK;
        for (int64_t i = 0; i < m; ++i) square[i] = a[from + i];
        for (int64_t i = 0; i < m; ++i) y[from + i] = 1.0F;
        for (uint64_t bits = magnitude(run->word[0]); bits; bits >>= 1) {
            for (int64_t i = 0; (bits & 1) && i < m; ++i) y[from + i] *= square[i];
            for (int64_t i = 0; i < m; ++i) square[i] *= square[i];
        }
        for (int64_t i = 0; run->word[0] < 0 && i < m; ++i) y[from + i] = 1.0F / y[from + i];
    }
}
static void power_i64(const saros_run *run) {
    SAROS_UNARY(uint64_t, uint64_t);
    SAROS_EACH {
        uint64_t square = a[i], product = 1;
        for (uint64_t bits = (uint64_t)run->word[0]; bits; bits >>= 1, square *= square)
            if (bits & 1) product *= square;
        y[i] = product;
    }
}
static void power_i32(const saros_run *run) {
    SAROS_UNARY(uint32_t, uint32_t);
    SAROS_EACH {
        uint32_t square = a[i], product = 1;
        for (uint64_t bits = (uint64_t)run->word[0]; bits; bits >>= 1, square *= square)
            if (bits & 1) product *= square;
        y[i] = product;
    }
}
static saros_status power_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e,
                               &(saros_kernels){power_f64, power_f32, power_i64, power_i32, NULL});
}
static saros_status power_type(saros_typing *t) {
    if (t->attributes->word[0] < 0) return saros_type_float(t);
    return saros_type_number(t);
}
static saros_value power_partial(const saros_rule *rule, int operand) {
    (void)operand;
    int64_t n = rule->attributes.word[0];
    return saros_mul(saros_like(rule->in[0], (double)n), saros_power(rule->in[0], n - 1));
}
/** Repeated squaring on series; for n < 0 the reciprocal of the series of the positive power. */
static void power_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    int64_t n = rule->attributes.word[0];
    saros_value *series = saros_allocate_zero((size_t)(order + 1), sizeof *series);
    if (!series) {
        for (int k = 1; k <= order; ++k) v[k] = saros_poison(rule->graph);
        return;
    }
    v[0] = rule->out[0];
    saros_series_power(order, u, magnitude(n), series);
    for (int k = 1; k <= order; ++k) {
        v[k] = series[k];
        if (n >= 0) continue;
        v[k] = SAROS_NONE; /* w v = 1: v_k = -v_0 sum_{j<k} v_j w_{k-j} */
        for (int j = 0; j < k; ++j) saros_series_accumulate(&v[k], -1.0, v[j], series[k - j]);
        v[k] = saros_series_multiply(v[k], v[0]);
    }
    saros_release(series);
}
const saros_primitive saros_row_power = {
    .name = "power",
    .doc = "x^n for a fixed integer n, by repeated squaring",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = power_type,
    .evaluate = power_evaluate,
    .partial = power_partial,
    .jet = power_jet,
};
saros_value saros_power(saros_value x, int64_t n) {
    saros_value bad;
    if (saros_operands_bad("saros_power", 1, &x, &bad)) return bad;
    saros_dtype dtype = saros_value_dtype(x);
    if (dtype == SAROS_BOOL) x = saros_cast(x, SAROS_I64);
    if (n < 0 && !saros_dtype_is_float(dtype)) x = saros_cast(x, SAROS_F64);
    if (n == 1) return x;
    if (n == 0) return saros_splat(x.graph, saros_value_type(x), 1.0);
    return saros_build_words(&saros_row_power, 1, &n, 1, &x);
}
