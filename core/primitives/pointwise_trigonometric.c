/** sin, cos, tan, asin, acos, atan, atan2.
 *
 *  sin and cos come as a pair: s_k = (1/k) sum j u_j c_{k-j}, c_k = -(1/k) sum j u_j s_{k-j}; the
 * partner is built as a value, so that two jets of the pair share all their nodes.
 *  tan: v' = e u' with e = 1 + v^2, hence e_k = sum_{j=0..k} v_j v_{k-j}. The inverse functions
 * have no recurrence of their own: theirs follows from the partial derivative.
 */
#include <math.h>

#include "primitives/elementary_impl.h"
#include "primitives/pointwise_impl.h"
#include "primitives/series_impl.h"

/** sin (quarter 0) or cos (1). Arguments too large for the reduction by three parts of pi/2, and
 * NaN, go through the C library one by one, in its widest format: its functions of double lose up
 * to 8 ulp where a huge argument comes closest to a multiple of pi/2. A buffer, for the output may
 * be the input. */
enum { CHUNK = 256 };
static double exact_sin(double x) {
    return (double)sinl((long double)x);
}
static double exact_cos(double x) {
    return (double)cosl((long double)x);
}
static double exact_tan(double x) {
    return fabs(x) <= SAROS_TURNS_LIMIT ? tan(x) : (double)tanl((long double)x);
}
SAROS_FAST static void turn_f64(const saros_run *run, uint64_t quarter, double (*exact)(double)) {
    SAROS_UNARY(double, double);
    double turned[CHUNK];
    for (int64_t from = 0; from < n; from += CHUNK) {
        int64_t m = n - from < CHUNK ? n - from : CHUNK;
        const double *x = a + from;
        for (int64_t i = 0; i < m; ++i) turned[i] = saros_turn(x[i], quarter);
        for (int64_t i = 0; i < m; ++i)
            if (!(fabs(x[i]) <= SAROS_TURNS_LIMIT)) turned[i] = exact(x[i]);
        for (int64_t i = 0; i < m; ++i) y[from + i] = turned[i];
    }
}
SAROS_FAST static void turn_f32(const saros_run *run, uint64_t quarter, double (*exact)(double)) {
    SAROS_UNARY(float, float);
    double turned[CHUNK];
    for (int64_t from = 0; from < n; from += CHUNK) {
        int64_t m = n - from < CHUNK ? n - from : CHUNK;
        const float *x = a + from;
        for (int64_t i = 0; i < m; ++i) turned[i] = saros_turn(x[i], quarter);
        for (int64_t i = 0; i < m; ++i)
            if (!(fabsf(x[i]) <= SAROS_TURNS_LIMIT)) turned[i] = exact(x[i]);
        for (int64_t i = 0; i < m; ++i) y[from + i] = (float)turned[i];
    }
}

/* ---- sin ---- */
static void sin_f64(const saros_run *run) {
    turn_f64(run, 0, exact_sin);
}
static void sin_f32(const saros_run *run) {
    turn_f32(run, 0, exact_sin);
}
static saros_status sin_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = sin_f64, .f32 = sin_f32});
}
static saros_value sin_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_cos(rule->in[0]);
}
static void sin_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_pair(rule, order, u, saros_cos(rule->in[0]), 1.0, -1.0, v);
}
const saros_primitive saros_row_sin = {
    .name = "sin",
    .doc = "sine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = sin_evaluate,
    .partial = sin_partial,
    .jet = sin_jet,
};
saros_value saros_sin(saros_value x) {
    return saros_unary_build(&saros_row_sin, SAROS_PROMOTE_FLOAT, x);
}

/* ---- cos ---- */
static void cos_f64(const saros_run *run) {
    turn_f64(run, 1, exact_cos);
}
static void cos_f32(const saros_run *run) {
    turn_f32(run, 1, exact_cos);
}
static saros_status cos_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = cos_f64, .f32 = cos_f32});
}
static saros_value cos_partial(const saros_rule *rule, int operand) {
    (void)operand;
    return saros_neg(saros_sin(rule->in[0]));
}
static void cos_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_pair(rule, order, u, saros_sin(rule->in[0]), -1.0, 1.0, v);
}
const saros_primitive saros_row_cos = {
    .name = "cos",
    .doc = "cosine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = cos_evaluate,
    .partial = cos_partial,
    .jet = cos_jet,
};
saros_value saros_cos(saros_value x) {
    return saros_unary_build(&saros_row_cos, SAROS_PROMOTE_FLOAT, x);
}

/* ---- tan ---- */
static void tan_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = exact_tan(a[i]);
}
static void tan_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = tanf(a[i]);
}
static saros_status tan_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = tan_f64, .f32 = tan_f32});
}
static saros_value tan_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value v = rule->out[0];
    return saros_add(saros_like(v, 1.0), saros_mul(v, v));
}
static void tan_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_series_riccati(rule, order, u, tan_partial(rule, 0), 1.0, v);
}
const saros_primitive saros_row_tan = {
    .name = "tan",
    .doc = "tangent",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = tan_evaluate,
    .partial = tan_partial,
    .jet = tan_jet,
};
saros_value saros_tan(saros_value x) {
    return saros_unary_build(&saros_row_tan, SAROS_PROMOTE_FLOAT, x);
}

/* ---- asin ---- */
static void asin_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = asin(a[i]);
}
static void asin_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = asinf(a[i]);
}
static saros_status asin_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = asin_f64, .f32 = asin_f32});
}
static saros_value asin_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0], one = saros_like(x, 1.0);
    return saros_div(one, saros_sqrt(saros_mul(saros_sub(one, x), saros_add(one, x))));
}
const saros_primitive saros_row_asin = {
    .name = "asin",
    .doc = "inverse sine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = asin_evaluate,
    .partial = asin_partial,
};
saros_value saros_asin(saros_value x) {
    return saros_unary_build(&saros_row_asin, SAROS_PROMOTE_FLOAT, x);
}

/* ---- acos ---- */
static void acos_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = acos(a[i]);
}
static void acos_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = acosf(a[i]);
}
static saros_status acos_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = acos_f64, .f32 = acos_f32});
}
static saros_value acos_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0], one = saros_like(x, 1.0);
    saros_value root = saros_sqrt(saros_mul(saros_sub(one, x), saros_add(one, x)));
    return saros_neg(saros_div(one, root));
}
const saros_primitive saros_row_acos = {
    .name = "acos",
    .doc = "inverse cosine",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = acos_evaluate,
    .partial = acos_partial,
};
saros_value saros_acos(saros_value x) {
    return saros_unary_build(&saros_row_acos, SAROS_PROMOTE_FLOAT, x);
}

/* ---- atan ---- */
static void atan_f64(const saros_run *run) {
    SAROS_UNARY(double, double);
    SAROS_EACH y[i] = atan(a[i]);
}
static void atan_f32(const saros_run *run) {
    SAROS_UNARY(float, float);
    SAROS_EACH y[i] = atanf(a[i]);
}
static saros_status atan_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = atan_f64, .f32 = atan_f32});
}
static saros_value atan_partial(const saros_rule *rule, int operand) {
    (void)operand;
    saros_value x = rule->in[0], one = saros_like(x, 1.0);
    return saros_div(one, saros_add(one, saros_mul(x, x)));
}
const saros_primitive saros_row_atan = {
    .name = "atan",
    .doc = "inverse tangent",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = atan_evaluate,
    .partial = atan_partial,
};
saros_value saros_atan(saros_value x) {
    return saros_unary_build(&saros_row_atan, SAROS_PROMOTE_FLOAT, x);
}

/* ---- atan2 ---- */
static void atan2_f64(const saros_run *run) {
    SAROS_BINARY(double, double);
    SAROS_EACH y[i] = atan2(a[i], b[i]);
}
static void atan2_f32(const saros_run *run) {
    SAROS_BINARY(float, float);
    SAROS_EACH y[i] = atan2f(a[i], b[i]);
}
static saros_status atan2_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = atan2_f64, .f32 = atan2_f32});
}
/** x / (x^2 + y^2) and -y / (x^2 + y^2); operand 0 is y. */
static saros_value atan2_partial(const saros_rule *rule, int operand) {
    saros_value y = rule->in[0], x = rule->in[1];
    saros_value square = saros_add(saros_mul(y, y), saros_mul(x, x));
    return operand == 0 ? saros_div(x, square) : saros_neg(saros_div(y, square));
}
const saros_primitive saros_row_atan2 = {
    .name = "atan2",
    .doc = "angle of the point (x, y), operands in the order y, x",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = saros_type_float,
    .evaluate = atan2_evaluate,
    .partial = atan2_partial,
};
saros_value saros_atan2(saros_value y, saros_value x) {
    return saros_binary_build(&saros_row_atan2, SAROS_PROMOTE_FLOAT, y, x);
}
