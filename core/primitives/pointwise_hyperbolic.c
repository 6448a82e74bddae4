/** tanh, sinh, cosh, asinh, acosh, atanh, sigmoid, softplus, relu.
 *
 *  Rules are written in the bounded output: tanh' = 1 - y^2, sigmoid' = y (1 - y). Recurrences,
 * with v' = e u': tanh e_k = -sum v_j v_{k-j}; sigmoid e_k = v_k - sum v_j v_{k-j}; softplus has
 * the sigmoid as e. relu'(0) = 0.
 */
#include <math.h>

#include "primitives/elementary_impl.h"
#include "primitives/pointwise_impl.h"
#include "primitives/series_impl.h"

/* ---- tanh ---- */
SAROS_FAST static void tanh_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = saros_tanh_of(a[i]);
}
SAROS_FAST static void tanh_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = (float)saros_tanh_of(a[i]);
}
static saros_status tanh_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = tanh_f64, .f32 = tanh_f32});
}
static saros_value tanh_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value v = rule->out[0];
    return saros_sub(saros_like(v, 1.0), saros_mul(v, v));
}
static void tanh_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_riccati(rule, order, u, tanh_partial(rule, 0), -1.0, v);
}
const saros_primitive saros_row_tanh = {
    .name = "tanh",
    .doc = "hyperbolic tangent",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = tanh_evaluate,
    .partial = tanh_partial,
    .jet = tanh_jet,
};
saros_value saros_tanh(saros_value x) {
    return saros_unary_build(&saros_row_tanh, SAROS_PROMOTE_FLOAT, x);
}

/* ---- sinh ---- */
static void sinh_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = sinh(a[i]);
}
static void sinh_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = sinhf(a[i]);
}
static saros_status sinh_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = sinh_f64, .f32 = sinh_f32});
}
static saros_value sinh_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_cosh(rule->in[0]);
}
static void sinh_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_pair(rule, order, u, saros_cosh(rule->in[0]), 1.0, 1.0, v);
}
const saros_primitive saros_row_sinh = {
    .name = "sinh",
    .doc = "hyperbolic sine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = sinh_evaluate,
    .partial = sinh_partial,
    .jet = sinh_jet,
};
saros_value saros_sinh(saros_value x) {
    return saros_unary_build(&saros_row_sinh, SAROS_PROMOTE_FLOAT, x);
}

/* ---- cosh ---- */
static void cosh_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = cosh(a[i]);
}
static void cosh_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = coshf(a[i]);
}
static saros_status cosh_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = cosh_f64, .f32 = cosh_f32});
}
static saros_value cosh_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_sinh(rule->in[0]);
}
static void cosh_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_pair(rule, order, u, saros_sinh(rule->in[0]), 1.0, 1.0, v);
}
const saros_primitive saros_row_cosh = {
    .name = "cosh",
    .doc = "hyperbolic cosine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = cosh_evaluate,
    .partial = cosh_partial,
    .jet = cosh_jet,
};
saros_value saros_cosh(saros_value x) {
    return saros_unary_build(&saros_row_cosh, SAROS_PROMOTE_FLOAT, x);
}

/* ---- sigmoid ---- */
SAROS_FAST static void sigmoid_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = saros_sigmoid_of(a[i]);
}
SAROS_FAST static void sigmoid_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = (float)saros_sigmoid_of(a[i]);
}
static saros_status sigmoid_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = sigmoid_f64, .f32 = sigmoid_f32});
}
static saros_value sigmoid_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value v = rule->out[0];
    return saros_mul(v, saros_sub(saros_like(v, 1.0), v));
}
static void sigmoid_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_logistic(rule, order, u, sigmoid_partial(rule, 0), v);
}
const saros_primitive saros_row_sigmoid = {
    .name = "sigmoid",
    .doc = "1 / (1 + exp(-x))",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = sigmoid_evaluate,
    .partial = sigmoid_partial,
    .jet = sigmoid_jet,
};
saros_value saros_sigmoid(saros_value x) {
    return saros_unary_build(&saros_row_sigmoid, SAROS_PROMOTE_FLOAT, x);
}

/* ---- softplus ---- */
SAROS_FAST static void softplus_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = (a[i] < 0.0 ? 0.0 : a[i]) + saros_log1p_of(saros_exp_of(-fabs(a[i])));
}
SAROS_FAST static void softplus_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] =
        (a[i] < 0.0F ? 0.0F : a[i]) + (float)saros_log1p_of(saros_exp_of(-fabs((double)a[i])));
}
static saros_status softplus_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = softplus_f64, .f32 = softplus_f32});
}
static saros_value softplus_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_sigmoid(rule->in[0]);
}
const saros_primitive saros_row_softplus = {
    .name = "softplus",
    .doc = "log(1 + exp(x)), without overflow",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = softplus_evaluate,
    .partial = softplus_partial,
};
saros_value saros_softplus(saros_value x) {
    return saros_unary_build(&saros_row_softplus, SAROS_PROMOTE_FLOAT, x);
}

/* ---- relu ---- */
SAROS_FAST static void relu_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = a[i] <= 0.0 ? 0.0 : a[i];
}
SAROS_FAST static void relu_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = a[i] <= 0.0F ? 0.0F : a[i];
}
static saros_status relu_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = relu_f64, .f32 = relu_f32});
}
static saros_value relu_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0];
    return saros_cast(saros_lt(saros_like(x, 0.0), x), saros_value_dtype(x));
}
const saros_primitive saros_row_relu = {
    .name = "relu",
    .doc = "x where positive, else 0",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = relu_evaluate,
    .partial = relu_partial,
};
saros_value saros_relu(saros_value x) {
    return saros_unary_build(&saros_row_relu, SAROS_PROMOTE_FLOAT, x);
}

/* ---- asinh ---- */
static void asinh_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = asinh(a[i]);
}
static void asinh_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = asinhf(a[i]);
}
static saros_status asinh_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = asinh_f64, .f32 = asinh_f32});
}
static saros_value asinh_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0], one = saros_like(x, 1.0);
    return saros_div(one, saros_sqrt(saros_add(one, saros_mul(x, x))));
}
const saros_primitive saros_row_asinh = {
    .name = "asinh",
    .doc = "inverse hyperbolic sine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = asinh_evaluate,
    .partial = asinh_partial,
};
saros_value saros_asinh(saros_value x) {
    return saros_unary_build(&saros_row_asinh, SAROS_PROMOTE_FLOAT, x);
}

/* ---- acosh ---- */
static void acosh_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = acosh(a[i]);
}
static void acosh_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = acoshf(a[i]);
}
static saros_status acosh_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = acosh_f64, .f32 = acosh_f32});
}
static saros_value acosh_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0], one = saros_like(x, 1.0);
    return saros_div(one, saros_sqrt(saros_mul(saros_sub(x, one), saros_add(x, one))));
}
const saros_primitive saros_row_acosh = {
    .name = "acosh",
    .doc = "inverse hyperbolic cosine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = acosh_evaluate,
    .partial = acosh_partial,
};
saros_value saros_acosh(saros_value x) {
    return saros_unary_build(&saros_row_acosh, SAROS_PROMOTE_FLOAT, x);
}

/* ---- atanh ---- */
static void atanh_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = atanh(a[i]);
}
static void atanh_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = atanhf(a[i]);
}
static saros_status atanh_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = atanh_f64, .f32 = atanh_f32});
}
static saros_value atanh_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0], one = saros_like(x, 1.0);
    return saros_div(one, saros_mul(saros_sub(one, x), saros_add(one, x)));
}
const saros_primitive saros_row_atanh = {
    .name = "atanh",
    .doc = "inverse hyperbolic tangent",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = atanh_evaluate,
    .partial = atanh_partial,
};
saros_value saros_atanh(saros_value x) {
    return saros_unary_build(&saros_row_atanh, SAROS_PROMOTE_FLOAT, x);
}
