/** Rows that the code generator does not know in rows that it knows, so that a kernel computes them
 *  inline: the table, and the rows that need a line or two.
 *
 *  At most 4 ulp over the whole range; infinities, NaN, signed zeros and denormals as in the C
 *  library (tests/core/test_elementary.c, docs/elementary.md). A function of f64 alone computes f32
 *  through f64.
 */
#include "graph_impl.h"
#include "kernel/expand_impl.h"

static saros_value number(saros_value x, double c) {
    return saros_expand_number(x, c);
}

static saros_value same(saros_value x) {
    return x;
}
static saros_value relu(saros_value x) {
    saros_value zero = number(x, 0.0);
    return saros_where(saros_le(x, zero), zero, x);
}
static saros_value sign(saros_value x) {
    saros_value zero = number(x, 0.0), one = number(x, 1.0);
    saros_value not_above = saros_where(saros_lt(x, zero), number(x, -1.0), zero);
    saros_value y = saros_where(saros_lt(zero, x), one, not_above);
    return saros_where(saros_ne(x, x), x, y);
}

static const struct {
    const saros_primitive *row;
    saros_unary_fn *expand;
    bool through_f64;
} unary[] = {
    {&saros_row_exp, saros_expand_exp, false},
    {&saros_row_expm1, saros_expand_expm1, false},
    {&saros_row_exp2, saros_expand_exp2, false},
    {&saros_row_log, saros_expand_log, false},
    {&saros_row_log1p, saros_expand_log1p, false},
    {&saros_row_log2, saros_expand_log2, false},
    {&saros_row_sin, saros_expand_sin, false},
    {&saros_row_cos, saros_expand_cos, false},
    {&saros_row_tan, saros_expand_tan, false},
    {&saros_row_asin, saros_expand_asin, true},
    {&saros_row_acos, saros_expand_acos, true},
    {&saros_row_atan, saros_expand_atan, true},
    {&saros_row_sinh, saros_expand_sinh, false},
    {&saros_row_cosh, saros_expand_cosh, false},
    {&saros_row_tanh, saros_expand_tanh, false},
    {&saros_row_asinh, saros_expand_asinh, false},
    {&saros_row_acosh, saros_expand_acosh, false},
    {&saros_row_atanh, saros_expand_atanh, false},
    {&saros_row_erf, saros_expand_erf, true},
    {&saros_row_sigmoid, saros_expand_sigmoid, false},
    {&saros_row_softplus, saros_expand_softplus, false},
    {&saros_row_relu, relu, false},
    {&saros_row_sign, sign, false},
    {&saros_row_stop_gradient, same, false},
    {&saros_row_alias, same, false},
};

static saros_value wide(saros_value x) {
    return saros_cast(x, SAROS_F64);
}
static saros_value expand_unary(const saros_primitive *row, saros_value x) {
    for (size_t k = 0; k < sizeof unary / sizeof *unary; ++k) {
        if (unary[k].row != row) continue;
        saros_dtype dtype = saros_value_dtype(x);
        if (unary[k].expand == same) return x;
        if (!saros_dtype_is_float(dtype)) return SAROS_NONE;
        if (!unary[k].through_f64) return unary[k].expand(x);
        return saros_cast(unary[k].expand(wide(x)), dtype);
    }
    return SAROS_NONE;
}

/** x^c where that takes an operation or two; SAROS_NONE: it does not. */
static saros_value simple_power(saros_value x, double c) {
    if (c == 1.0) return x;
    if (c == 2.0) return saros_mul(x, x);
    if (c == 3.0) return saros_mul(saros_mul(x, x), x);
    if (c == -1.0) return saros_div(number(x, 1.0), x);
    if (c != 0.5) return SAROS_NONE;
    saros_value root = saros_add(saros_sqrt(x), number(x, 0.0)); /* (-0)^0.5 = 0 */
    return saros_where(saros_eq(x, number(x, -INFINITY)), number(x, INFINITY), root);
}

static saros_value expand_pow(saros_value x, saros_value y) {
    double c;
    if (saros_value_is_splat(y, &c)) {
        saros_value simple = simple_power(x, c);
        if (!saros_is_none(simple)) return simple;
    }
    if (saros_value_dtype(x) == SAROS_F64) return saros_expand_pow(x, y);
    return saros_cast(saros_expand_pow_rough(wide(x), wide(y)), SAROS_F32);
}

static saros_value expand(const saros_primitive *row, const saros_value *in, int64_t few) {
    const saros_type *type = in[0].id < 0 ? NULL : saros_value_type(in[0]);
    if (!type || type->split || saros_type_count(type) < few) return SAROS_NONE;
    if (row == &saros_row_pow) return expand_pow(in[0], in[1]);
    if (row == &saros_row_atan2)
        return saros_cast(saros_expand_atan2(wide(in[0]), wide(in[1])), saros_value_dtype(in[0]));
    return expand_unary(row, in[0]);
}

saros_value saros_kernel_expand(const saros_primitive *row, const saros_value *in) {
    return expand(row, in, SAROS_KERNEL_FEW);
}

saros_value saros_kernel_expand_looped(const saros_primitive *row, const saros_value *in) {
    return expand(row, in, SAROS_KERNEL_FEW_LOOPED);
}
