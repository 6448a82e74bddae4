/** Pointwise operations: rows over the builders of core. Numbers in, numbers out. */
#include "script_op_impl.h"

/** Integer powers by squaring, exact at 0; a negative power of integers is taken in f64. */
static int build_power(const script_op_call *call, saros_value *out) {
    saros_value x = call->value[0];
    int64_t n = call->fixed[0].word[0];
    if (n < 0 && !saros_dtype_is_float(saros_value_dtype(x))) x = saros_cast(x, SAROS_F64);
    out[0] = saros_power(x, n);
    return 1;
}

static int build_where(const script_op_call *call, saros_value *out) {
    saros_value mask = call->value[0];
    if (saros_value_dtype(mask) != SAROS_BOOL)
        return script_op_fail(call, out, SAROS_ERR_TYPE, "make one with :lt, :ge, :eq… of a tensor",
                              "the mask must be bool, got %s",
                              saros_dtype_name(saros_value_dtype(mask)));
    out[0] = saros_where(mask, call->value[1], call->value[2]);
    return 1;
}

static int build_clip(const script_op_call *call, saros_value *out) {
    out[0] = saros_minimum(saros_maximum(call->value[0], call->value[1]), call->value[2]);
    return 1;
}

static int build_cast(const script_op_call *call, saros_value *out) {
    out[0] = saros_cast(call->value[0], (saros_dtype)call->fixed[0].word[0]);
    return 1;
}

static int build_fma(const script_op_call *call, saros_value *out) {
    out[0] = saros_fma(call->value[0], call->value[1], call->value[2]);
    return 1;
}

#define F SCRIPT_FLOAT
static const script_op rows[] = {
    {"add", "vv", "a, b", NULL, "a + b", 0, NULL, saros_add, NULL},
    {"sub", "vv", "a, b", NULL, "a - b", 0, NULL, saros_sub, NULL},
    {"mul", "vv", "a, b", NULL, "a * b", 0, NULL, saros_mul, NULL},
    {"divide", "vv", "a, b", "div", "a / b, in floating point", F, NULL, saros_div, NULL},
    {"neg", "v", "x", NULL, "-x", 0, saros_neg, NULL, NULL},
    {"pow", "vv", "x, y", NULL, "x^y: exact for a plain integer y, else for x > 0",
     F | SCRIPT_POWER, NULL, saros_pow, NULL},
    {"power", "vi", "x, n", NULL, "x^n for a plain integer n, exact at 0", 0, NULL, NULL,
     build_power},
    {"fma", "vvv", "a, b, c", NULL, "a*b + c, rounded once", 0, NULL, NULL, build_fma},
    {"abs", "v", "x", NULL, "|x|; its derivative at 0 is 0", 0, saros_abs, NULL, NULL},
    {"sign", "v", "x", NULL, "-1, 0 or 1", 0, saros_sign, NULL, NULL},
    {"floor", "v", "x", NULL, "largest integer at most x", F, saros_floor, NULL, NULL},
    {"round", "v", "x", NULL, "nearest integer, ties to even", F, saros_round, NULL, NULL},
#define ELEMENTARY(name, low, high) {#name, "v", "x", NULL, NULL, F, saros_##name, NULL, NULL},
    SAROS_ELEMENTARY_ROWS(ELEMENTARY)
#undef ELEMENTARY
        {"atan2", "vv", "y, x", NULL, "angle of (x, y)", F, NULL, saros_atan2, NULL},
    {"relu", "v", "x", NULL, "max(x, 0)", 0, saros_relu, NULL, NULL},
    {"silu", "v", "x", "sigmoid mul", "x sigmoid(x)", F, saros_silu, NULL, NULL},
    {"gelu", "v", "x", "erf mul", "x (1 + erf(x / sqrt 2)) / 2", F, saros_gelu, NULL, NULL},
    {"maximum", "vv", "a, b", NULL, "the larger one; a tie takes a's derivative", 0, NULL,
     saros_maximum, NULL},
    {"minimum", "vv", "a, b", NULL, "the smaller one; a tie takes a's derivative", 0, NULL,
     saros_minimum, NULL},
    {"clip", "vvv", "x, lo, hi", "maximum minimum", "x held between lo and hi", 0, NULL, NULL,
     build_clip},
    {"eq", "vv", "a, b", NULL, "mask of a = b", 0, NULL, saros_eq, NULL},
    {"ne", "vv", "a, b", NULL, "mask of a /= b", 0, NULL, saros_ne, NULL},
    {"lt", "vv", "a, b", NULL, "mask of a < b", 0, NULL, saros_lt, NULL},
    {"le", "vv", "a, b", NULL, "mask of a <= b", 0, NULL, saros_le, NULL},
    {"gt", "vv", "a, b", "lt", "mask of a > b", 0, NULL, saros_gt, NULL},
    {"ge", "vv", "a, b", "le", "mask of a >= b", 0, NULL, saros_ge, NULL},
    {"logical_and", "vv", "a, b", "and", "both masks; also a & b", 0, NULL, saros_and, NULL},
    {"logical_or", "vv", "a, b", "or", "either mask; also a | b", 0, NULL, saros_or, NULL},
    {"logical_not", "v", "a", "not", "the other mask; also ~a", 0, saros_not, NULL, NULL},
    {"where", "vvv", "mask, a, b", NULL,
     "a where the mask holds, else b; only the chosen one carries a gradient", SCRIPT_APART_0, NULL,
     NULL, build_where},
    {"cast", "vd", "x, dtype", NULL, "x converted to f64, f32, i64, i32 or bool", 0, NULL, NULL,
     build_cast},
    {"stop_gradient", "v", "x", NULL, "x, held constant by derivatives", 0, saros_stop_gradient,
     NULL, NULL},
};
#undef F

const script_op_list script_pointwise_ops = {rows, (int)(sizeof rows / sizeof *rows)};
