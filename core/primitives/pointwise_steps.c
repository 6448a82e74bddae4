/** abs, sign, floor, round: piecewise constant or linear in one operand.
 *  sign(0) = abs'(0) = 0; NaN stays NaN; round goes to the nearest even. floor and round leave
 * integers as they are.
 */
#include <math.h>

#include "primitives/build_impl.h"
#include "primitives/pointwise_impl.h"

/* ---- abs ---- */
SAROS_FAST static void abs_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = fabs(a[i]);
}
SAROS_FAST static void abs_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = fabsf(a[i]);
}
SAROS_FAST static void abs_i64(const saros_run *run) {
    SAROS_UNARY(int64_t, uint64_t);
    SAROS_EACH y[i] = a[i] < 0 ? 0 - (uint64_t)a[i] : (uint64_t)a[i];
}
SAROS_FAST static void abs_i32(const saros_run *run) {
    SAROS_UNARY(int32_t, uint32_t);
    SAROS_EACH y[i] = a[i] < 0 ? 0 - (uint32_t)a[i] : (uint32_t)a[i];
}
static saros_status abs_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){abs_f64, abs_f32, abs_i64, abs_i32, NULL});
}
static saros_value abs_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_sign(rule->in[0]);
}
const saros_primitive saros_row_abs = {
    .name = "abs",
    .doc = "absolute value; derivative 0 at 0",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_number,
    .evaluate = abs_evaluate,
    .partial = abs_partial,
};
saros_value saros_abs(saros_value x) {
    return saros_unary_build(&saros_row_abs, SAROS_PROMOTE_NUMBER, x);
}

/* ---- sign ---- */
SAROS_FAST static void sign_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = a[i] != a[i] ? a[i] : (double)((a[i] > 0.0) - (a[i] < 0.0));
}
SAROS_FAST static void sign_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = a[i] != a[i] ? a[i] : (float)((a[i] > 0.0F) - (a[i] < 0.0F));
}
SAROS_FAST static void sign_i64(const saros_run *run) {
    SAROS_UNARY(int64_t, int64_t);
    SAROS_EACH y[i] = (a[i] > 0) - (a[i] < 0);
}
SAROS_FAST static void sign_i32(const saros_run *run) {
    SAROS_UNARY(int32_t, int32_t);
    SAROS_EACH y[i] = (a[i] > 0) - (a[i] < 0);
}
static saros_status sign_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){sign_f64, sign_f32, sign_i64, sign_i32, NULL});
}
const saros_primitive saros_row_sign = {
    .name = "sign",
    .doc = "-1, 0 or 1",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = saros_type_number,
    .evaluate = sign_evaluate,
};
saros_value saros_sign(saros_value x) {
    return saros_unary_build(&saros_row_sign, SAROS_PROMOTE_NUMBER, x);
}

/* ---- floor, round ---- */
SAROS_FAST static void floor_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = floor(a[i]);
}
SAROS_FAST static void floor_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = floorf(a[i]);
}
static saros_status floor_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = floor_f64, .f32 = floor_f32});
}
const saros_primitive saros_row_floor = {
    .name = "floor",
    .doc = "largest integer not above x",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = saros_type_float,
    .evaluate = floor_evaluate,
};

SAROS_FAST static void round_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = rint(a[i]);
}
SAROS_FAST static void round_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = rintf(a[i]);
}
static saros_status round_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = round_f64, .f32 = round_f32});
}
const saros_primitive saros_row_round = {
    .name = "round",
    .doc = "nearest integer, ties to even",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = saros_type_float,
    .evaluate = round_evaluate,
};

static saros_value build_step(const saros_primitive *row, saros_value x) {
    bool is_integer = !saros_is_none(x) && !saros_is_poisoned(x) &&
                      !saros_dtype_is_float(saros_value_dtype(x)) &&
                      saros_value_dtype(x) != SAROS_OPAQUE;
    return is_integer ? x : saros_unary_build(row, SAROS_PROMOTE_FLOAT, x);
}
saros_value saros_floor(saros_value x) {
    return build_step(&saros_row_floor, x);
}
saros_value saros_round(saros_value x) {
    return build_step(&saros_row_round, x);
}
