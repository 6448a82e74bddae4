/** where, maximum, minimum: pieces chosen by the values.
 *
 *  Derivatives follow the piece chosen: ties of maximum and minimum go to operand 0, and
 * a cotangent that is not selected is zero behind the selection, never 0 times something.
 *  maximum and minimum propagate NaN.
 */
#include "primitives/build_impl.h"
#include "primitives/pointwise_impl.h"

/* ---- where ---- */
SAROS_FAST static void where_f64(const saros_run *run) {
    SAROS_UNARY(uint8_t, double);
    const double *yes = run->in[1], *no = run->in[2];
    SAROS_EACH y[i] = a[i] ? yes[i] : no[i];
}
SAROS_FAST static void where_f32(const saros_run *run) {
    SAROS_UNARY(uint8_t, float);
    const float *yes = run->in[1], *no = run->in[2];
    SAROS_EACH y[i] = a[i] ? yes[i] : no[i];
}
SAROS_FAST static void where_i64(const saros_run *run) {
    SAROS_UNARY(uint8_t, int64_t);
    const int64_t *yes = run->in[1], *no = run->in[2];
    SAROS_EACH y[i] = a[i] ? yes[i] : no[i];
}
SAROS_FAST static void where_i32(const saros_run *run) {
    SAROS_UNARY(uint8_t, int32_t);
    const int32_t *yes = run->in[1], *no = run->in[2];
    SAROS_EACH y[i] = a[i] ? yes[i] : no[i];
}
SAROS_FAST static void where_mask(const saros_run *run) {
    SAROS_UNARY(uint8_t, uint8_t);
    const uint8_t *yes = run->in[1], *no = run->in[2];
    SAROS_EACH y[i] = a[i] ? yes[i] : no[i];
}
static saros_status where_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(
        e, &(saros_kernels){where_f64, where_f32, where_i64, where_i32, where_mask});
}
static saros_status where_type(saros_typing *t) {
    saros_type mask = t->operand[0], like = t->operand[1];
    saros_typing branches = *t;
    branches.operands = 2;
    branches.operand = t->operand + 1;
    if (mask.dtype != SAROS_BOOL)
        return saros_fail(SAROS_ERR_TYPE, "saros_where", "compare first: saros_lt(a, b)",
                          "the mask is %s, not bool", saros_dtype_name(mask.dtype));
    saros_status status = saros_type_any(&branches);
    if (status != SAROS_OK) return status;
    like.dtype = SAROS_BOOL;
    like.split = mask.split;
    if (!saros_type_equal(&mask, &like))
        return saros_fail(SAROS_ERR_SHAPE, "saros_where", NULL,
                          "mask and branches differ in shape");
    t->output[0].split = saros_split_join(t->output[0].split, mask.split);
    return SAROS_OK;
}
static saros_value where_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    saros_value zero = saros_zeros_like(*ct);
    return operand == 1 ? saros_where(rule->in[0], *ct, zero) : saros_where(rule->in[0], zero, *ct);
}
const saros_primitive saros_row_where = {
    .name = "where",
    .doc = "a where the mask is true, else b",
    .operands = 3,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = where_type,
    .evaluate = where_evaluate,
    .linear_in = {0x6},
    .transpose = where_transpose,
};
saros_value saros_where(saros_value mask, saros_value a, saros_value b) {
    return saros_pointwise_build(&saros_row_where, SAROS_PROMOTE_ANY, 1, 3,
                                 (saros_value[]){mask, a, b});
}

/* ---- maximum, minimum: select(mask, operand 0, operand 1) in every mode ---- */
static saros_value select_none(saros_value mask, saros_value a, saros_value b) {
    if (saros_is_none(a) && saros_is_none(b)) return SAROS_NONE;
    if (saros_is_none(a)) a = saros_zeros_like(b);
    if (saros_is_none(b)) b = saros_zeros_like(a);
    return saros_where(mask, a, b);
}
/** Mask of the places where operand 0 is the result. */
static saros_value chosen(const saros_rule *rule) {
    saros_value a = rule->in[0], b = rule->in[1];
    return rule->row == &saros_row_maximum ? saros_le(b, a) : saros_le(a, b);
}
static void select_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    *out = select_none(chosen(rule), t[0], t[1]);
}
static void select_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                       saros_value *gradient) {
    if (wanted[0]) gradient[0] = select_none(chosen(rule), *ct, SAROS_NONE);
    if (wanted[1]) gradient[1] = select_none(chosen(rule), SAROS_NONE, *ct);
}
static void select_jet(const saros_rule *rule, int order, const saros_value *series,
                       saros_value *v) {
    v[0] = rule->out[0];
    for (int k = 1; k <= order; ++k)
        v[k] = select_none(chosen(rule), series[k], series[order + 1 + k]);
}

SAROS_FAST static void maximum_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = b[i] > a[i] || b[i] != b[i] ? b[i] : a[i];
}
SAROS_FAST static void maximum_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = b[i] > a[i] || b[i] != b[i] ? b[i] : a[i];
}
SAROS_FAST static void maximum_i64(const saros_run *run) {
    SAROS_BINARY(int64_t, int64_t);
    SAROS_EACH y[i] = a[i] >= b[i] ? a[i] : b[i];
}
SAROS_FAST static void maximum_i32(const saros_run *run) {
    SAROS_BINARY(int32_t, int32_t);
    SAROS_EACH y[i] = a[i] >= b[i] ? a[i] : b[i];
}
static saros_status maximum_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(
        e, &(saros_kernels){maximum_f64, maximum_f32, maximum_i64, maximum_i32, NULL});
}
const saros_primitive saros_row_maximum = {
    .name = "maximum",
    .doc = "larger of a and b; NaN propagates",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_number,
    .evaluate = maximum_evaluate,
    .jvp = select_jvp,
    .vjp = select_vjp,
    .jet = select_jet,
};
saros_value saros_maximum(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_maximum, SAROS_PROMOTE_NUMBER, a, b);
}

SAROS_FAST static void minimum_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = b[i] < a[i] || b[i] != b[i] ? b[i] : a[i];
}
SAROS_FAST static void minimum_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = b[i] < a[i] || b[i] != b[i] ? b[i] : a[i];
}
SAROS_FAST static void minimum_i64(const saros_run *run) {
    SAROS_BINARY(int64_t, int64_t);
    SAROS_EACH y[i] = a[i] <= b[i] ? a[i] : b[i];
}
SAROS_FAST static void minimum_i32(const saros_run *run) {
    SAROS_BINARY(int32_t, int32_t);
    SAROS_EACH y[i] = a[i] <= b[i] ? a[i] : b[i];
}
static saros_status minimum_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(
        e, &(saros_kernels){minimum_f64, minimum_f32, minimum_i64, minimum_i32, NULL});
}
const saros_primitive saros_row_minimum = {
    .name = "minimum",
    .doc = "smaller of a and b; NaN propagates",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_number,
    .evaluate = minimum_evaluate,
    .jvp = select_jvp,
    .vjp = select_vjp,
    .jet = select_jet,
};
saros_value saros_minimum(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_minimum, SAROS_PROMOTE_NUMBER, a, b);
}
