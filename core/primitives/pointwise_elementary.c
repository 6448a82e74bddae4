/** exp, expm1, log, log1p, erf.
 *
 *  Derivatives are written in the output where it is bounded or already there. Recurrences:
 *  exp: v_k = (1/k) sum_{j=1..k} j u_j v_{k-j};  log: v_k = (u_k - (1/k) sum_{j<k} j v_j u_{k-j}) /
 * u_0.
 */
#include <math.h>

#include "primitives/elementary_impl.h"
#include "primitives/pointwise_impl.h"
#include "primitives/series_impl.h"

/* ---- exp ---- */
SAROS_FAST static void exp_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = saros_exp_of(a[i]);
}
SAROS_FAST static void exp_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = (float)saros_exp_of(a[i]);
}
static saros_status exp_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = exp_f64, .f32 = exp_f32});
}
static saros_value exp_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return rule->out[0];
}
static void exp_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    v[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) v[k] = saros_series_chain(k, 1.0, u, v);
}
const saros_primitive saros_row_exp = {
    .name = "exp",
    .doc = "exponential",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = exp_evaluate,
    .partial = exp_partial,
    .jet = exp_jet,
};
saros_value saros_exp(saros_value x) {
    return saros_unary_build(&saros_row_exp, SAROS_PROMOTE_FLOAT, x);
}

/* ---- expm1 ---- */
SAROS_FAST static void expm1_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = saros_expm1_of(a[i]);
}
SAROS_FAST static void expm1_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = (float)saros_expm1_of(a[i]);
}
static saros_status expm1_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = expm1_f64, .f32 = expm1_f32});
}
static saros_value expm1_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_add(rule->out[0], saros_like(rule->out[0], 1.0));
}
static void expm1_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    v[0] = expm1_partial(rule, 0); /* the series of exp, but for coefficient 0 */
    for (int k = 1; k <= order; ++k) v[k] = saros_series_chain(k, 1.0, u, v);
    v[0] = rule->out[0];
}
const saros_primitive saros_row_expm1 = {
    .name = "expm1",
    .doc = "exp(x) - 1, accurate near 0",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = expm1_evaluate,
    .partial = expm1_partial,
    .jet = expm1_jet,
};
saros_value saros_expm1(saros_value x) {
    return saros_unary_build(&saros_row_expm1, SAROS_PROMOTE_FLOAT, x);
}

/* ---- log ---- */
SAROS_FAST static void log_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = saros_log_of(a[i]);
}
SAROS_FAST static void log_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = (float)saros_log_of(a[i]);
}
static saros_status log_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = log_f64, .f32 = log_f32});
}
static saros_value log_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_div(saros_like(rule->in[0], 1.0), rule->in[0]);
}
/** log of the series whose coefficient 0 is `base` and whose others are u's. */
static void log_series(int order, saros_value base, const saros_value *u, saros_value *v) {
    for (int k = 1; k <= order; ++k) {
        saros_value sum = u[k];
        for (int j = 1; j < k; ++j) saros_series_accumulate(&sum, -(double)j / k, v[j], u[k - j]);
        v[k] = saros_is_none(sum) ? sum : saros_div(sum, base);
    }
}
static void log_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    v[0] = rule->out[0];
    log_series(order, rule->in[0], u, v);
}
const saros_primitive saros_row_log = {
    .name = "log",
    .doc = "natural logarithm",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = log_evaluate,
    .partial = log_partial,
    .jet = log_jet,
};
saros_value saros_log(saros_value x) {
    return saros_unary_build(&saros_row_log, SAROS_PROMOTE_FLOAT, x);
}

/* ---- log1p ---- */
SAROS_FAST static void log1p_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = saros_log1p_of(a[i]);
}
SAROS_FAST static void log1p_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = (float)saros_log1p_of(a[i]);
}
static saros_status log1p_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = log1p_f64, .f32 = log1p_f32});
}
static saros_value log1p_base(const saros_rule *rule) {
    return saros_add(saros_like(rule->in[0], 1.0), rule->in[0]);
}
static saros_value log1p_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_div(saros_like(rule->in[0], 1.0), log1p_base(rule));
}
static void log1p_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    v[0] = rule->out[0];
    log_series(order, log1p_base(rule), u, v);
}
const saros_primitive saros_row_log1p = {
    .name = "log1p",
    .doc = "log(1 + x), accurate near 0",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = log1p_evaluate,
    .partial = log1p_partial,
    .jet = log1p_jet,
};
saros_value saros_log1p(saros_value x) {
    return saros_unary_build(&saros_row_log1p, SAROS_PROMOTE_FLOAT, x);
}

/* ---- erf ---- */
static void erf_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = erf(a[i]);
}
static void erf_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = erff(a[i]);
}
static saros_status erf_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = erf_f64, .f32 = erf_f32});
}
static saros_value erf_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0];
    return saros_mul(saros_like(x, 2.0 / sqrt(M_PI)), saros_exp(saros_neg(saros_mul(x, x))));
}
const saros_primitive saros_row_erf = {
    .name = "erf",
    .doc = "error function",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = erf_evaluate,
    .partial = erf_partial,
};
saros_value saros_erf(saros_value x) {
    return saros_unary_build(&saros_row_erf, SAROS_PROMOTE_FLOAT, x);
}

/* ---- exp2 ---- */
static void exp2_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = exp2(a[i]);
}
static void exp2_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = exp2f(a[i]);
}
static saros_status exp2_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = exp2_f64, .f32 = exp2_f32});
}
static saros_value exp2_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_mul(saros_like(rule->in[0], M_LN2), rule->out[0]);
}
const saros_primitive saros_row_exp2 = {
    .name = "exp2",
    .doc = "2^x",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = exp2_evaluate,
    .partial = exp2_partial,
};
saros_value saros_exp2(saros_value x) {
    return saros_unary_build(&saros_row_exp2, SAROS_PROMOTE_FLOAT, x);
}

/* ---- log2 ---- */
static void log2_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = log2(a[i]);
}
static void log2_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = log2f(a[i]);
}
static saros_status log2_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = log2_f64, .f32 = log2_f32});
}
static saros_value log2_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_div(saros_like(rule->in[0], M_LOG2E), rule->in[0]);
}
const saros_primitive saros_row_log2 = {
    .name = "log2",
    .doc = "logarithm to base 2",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = log2_evaluate,
    .partial = log2_partial,
};
saros_value saros_log2(saros_value x) {
    return saros_unary_build(&saros_row_log2, SAROS_PROMOTE_FLOAT, x);
}
