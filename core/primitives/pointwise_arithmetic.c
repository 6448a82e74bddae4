/** add, sub, mul, div, neg: IEEE operations, rounded once.
 *
 *  Integers wrap around (computed unsigned). div is for floats; integers become f64 before it.
 */
#include "primitives/pointwise_impl.h"
#include "primitives/series_impl.h"

/* ---- add ---- */
SAROS_FAST static void add_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = a[i] + b[i];
}
SAROS_FAST static void add_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = a[i] + b[i];
}
SAROS_FAST static void add_i64(const saros_run *run) {
    SAROS_BINARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] + b[i];
}
SAROS_FAST static void add_i32(const saros_run *run) {
    SAROS_BINARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] + b[i];
}
static saros_status add_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){add_f64, add_f32, add_i64, add_i32, NULL});
}
static saros_value add_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)rule, (void)operand;
    return *ct;
}
const saros_primitive saros_row_add = {
    .name = "add",
    .doc = "a + b",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_COMMUTES,
    .type = saros_type_number,
    .evaluate = add_evaluate,
    .linear_in = {0x3},
    .transpose = add_transpose,
};
saros_value saros_add(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_add, SAROS_PROMOTE_NUMBER, a, b);
}

/* ---- sub ---- */
SAROS_FAST static void sub_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = a[i] - b[i];
}
SAROS_FAST static void sub_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = a[i] - b[i];
}
SAROS_FAST static void sub_i64(const saros_run *run) {
    SAROS_BINARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] - b[i];
}
SAROS_FAST static void sub_i32(const saros_run *run) {
    SAROS_BINARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] - b[i];
}
static saros_status sub_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){sub_f64, sub_f32, sub_i64, sub_i32, NULL});
}
static saros_value sub_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)rule;
    return operand == 0 ? *ct : saros_neg(*ct);
}
const saros_primitive saros_row_sub = {
    .name = "sub",
    .doc = "a - b",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_number,
    .evaluate = sub_evaluate,
    .unit = 0.0,
    .unit_operands = 2,
    .linear_in = {0x3},
    .transpose = sub_transpose,
};
saros_value saros_sub(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_sub, SAROS_PROMOTE_NUMBER, a, b);
}

/* ---- mul ---- */
SAROS_FAST static void mul_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = a[i] * b[i];
}
SAROS_FAST static void mul_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = a[i] * b[i];
}
SAROS_FAST static void mul_i64(const saros_run *run) {
    SAROS_BINARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] * b[i];
}
SAROS_FAST static void mul_i32(const saros_run *run) {
    SAROS_BINARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] * b[i];
}
static saros_status mul_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){mul_f64, mul_f32, mul_i64, mul_i32, NULL});
}
static saros_value mul_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    return saros_mul(*ct, rule->in[1 - operand]);
}
/** v_k = sum_{j=0..k} u_j w_{k-j} */
static void mul_jet(const saros_rule *rule, int order, const saros_value *series,
                    saros_value *out) {
    out[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) out[k] = saros_series_product(k, series, series + order + 1);
}
const saros_primitive saros_row_mul = {
    .name = "mul",
    .doc = "a * b",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_COMMUTES,
    .type = saros_type_number,
    .evaluate = mul_evaluate,
    .unit = 1.0,
    .unit_operands = 3,
    .linear_in = {0x1, 0x2},
    .transpose = mul_transpose,
    .jet = mul_jet,
};
saros_value saros_mul(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_mul, SAROS_PROMOTE_NUMBER, a, b);
}

/* ---- div ---- */
SAROS_FAST static void div_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = a[i] / b[i];
}
SAROS_FAST static void div_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = a[i] / b[i];
}
static saros_status div_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = div_f64, .f32 = div_f32});
}
static saros_value div_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    return saros_div(*ct, rule->in[1]);
}
static saros_value div_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_neg(saros_div(rule->out[0], rule->in[1]));
}
/** v_k = (u_k - sum_{j<k} v_j w_{k-j}) / w_0 */
static void div_jet(const saros_rule *rule, int order, const saros_value *series,
                    saros_value *out) {
    const saros_value *u = series, *w = series + order + 1;
    out[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) {
        saros_value sum = u[k];
        for (int j = 0; j < k; ++j) saros_series_accumulate(&sum, -1.0, out[j], w[k - j]);
        out[k] = saros_is_none(sum) ? sum : saros_div(sum, rule->in[1]);
    }
}
const saros_primitive saros_row_div = {
    .name = "div",
    .doc = "a / b; integers become f64",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = div_evaluate,
    .unit = 1.0,
    .unit_operands = 2,
    .linear_in = {0x1},
    .transpose = div_transpose,
    .partial = div_partial,
    .jet = div_jet,
};
saros_value saros_div(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_div, SAROS_PROMOTE_FLOAT, a, b);
}

/* ---- neg ---- */
SAROS_FAST static void neg_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = -a[i];
}
SAROS_FAST static void neg_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = -a[i];
}
SAROS_FAST static void neg_i64(const saros_run *run) {
    SAROS_UNARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = 0 - a[i];
}
SAROS_FAST static void neg_i32(const saros_run *run) {
    SAROS_UNARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = 0 - a[i];
}
static saros_status neg_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){neg_f64, neg_f32, neg_i64, neg_i32, NULL});
}
static saros_value neg_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)rule, (void)operand;
    return saros_neg(*ct);
}
const saros_primitive saros_row_neg = {
    .name = "neg",
    .doc = "-x",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_INVOLUTION,
    .type = saros_type_number,
    .evaluate = neg_evaluate,
    .linear_in = {0x1},
    .transpose = neg_transpose,
};
saros_value saros_neg(saros_value x) {
    return saros_unary_build(&saros_row_neg, SAROS_PROMOTE_NUMBER, x);
}
