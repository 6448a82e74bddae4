/** Elementary functions in simpler rows, so that a kernel computes them inline.
 *
 *  exp: x = n ln 2 + r with |r| <= ln2 / 2, Taylor polynomial of degree 13, 2^n by its bits in two
 *  factors so that denormals and the largest numbers come out right.  tanh = m / (m + 2) with
 *  m = expm1(2|x|).  log: x = 2^k m, sqrt(1/2) <= m < sqrt 2, s = (m - 1)/(m + 1),
 *  log m = f - s (f - R) with f = m - 1 and R = 2 s^2 (1/3 + s^2/5 + …)  (series of atanh).
 *  NaN passes; infinities, signed zeros and denormals are right. f32 goes through f64.
 *  At most 2 ulp against libm over the whole range (tests/core/test_kernel.c).
 */
#include <math.h>

#include "kernel/kernel_impl.h"
#include "saros/ops.h"
#include "saros/rows.h"

/* ---- small words ---- */

static saros_value row1(const saros_primitive *row, saros_value a) {
    return saros_build(a.graph, row, NULL, 1, &a);
}
static saros_value row2(const saros_primitive *row, saros_value a, saros_value b) {
    return saros_build(a.graph, row, NULL, 2, (saros_value[]){a, b});
}
static saros_value shift(const saros_primitive *row, saros_value a, int64_t by) {
    return saros_build(a.graph, row, &(saros_attributes){.word = &by, .words = 1}, 1, &a);
}
static saros_value number(saros_value x, double c) {
    saros_type type = *saros_value_type(x);
    type.dtype = SAROS_F64;
    return saros_splat(x.graph, &type, c);
}
/** The integer c in the shape of x. */
static saros_value integer(saros_value x, int64_t c) {
    return row1(&saros_row_bits, number(x, saros_from_bits(c)));
}
static saros_value bits(saros_value x) {
    return row1(&saros_row_bits, x);
}
static saros_value from_bits(saros_value x) {
    return row1(&saros_row_from_bits, x);
}

/** c[0] + c[1] x + … + c[n-1] x^(n-1), n a power of two at most 16, by halves (Estrin). */
static saros_value polynomial(saros_value x, const double *c, int n) {
    saros_value part[16], power = x;
    for (int k = 0; k < n; ++k) part[k] = number(x, c[k]);
    for (; n > 1; n /= 2) {
        for (int k = 0; k < n / 2; ++k) part[k] = saros_fma(part[2 * k + 1], power, part[2 * k]);
        if (n > 2) power = saros_mul(power, power);
    }
    return part[0];
}

/** x where it is at most `high`, else `high`; NaN passes. */
static saros_value at_most(saros_value x, double high) {
    saros_value c = number(x, high);
    return saros_where(saros_lt(c, x), c, x);
}
static saros_value at_least(saros_value x, double low) {
    saros_value c = number(x, low);
    return saros_where(saros_lt(x, c), c, x);
}

/** x = n ln 2 + r: n to nearest, also as an integer. Adding 1.5 2^52 rounds and leaves n in the low
 * bits. */
typedef struct reduced {
    saros_value n, r, integer;
} reduced;

static reduced reduce(saros_value x) {
    const double high = 0x1.62e42fefa39efp-1, low = 0x1.abc9e3b39803fp-56; /* ln 2 */
    const double magic = 6755399441055744.0;
    saros_value t = saros_fma(x, number(x, M_LOG2E), number(x, magic));
    reduced y = {.n = saros_sub(t, number(x, magic)),
                 .integer = saros_sub(bits(t), integer(x, saros_bits(magic)))};
    y.r = saros_fma(y.n, number(x, -low), saros_fma(y.n, number(x, -high), x));
    return y;
}

/** 2^n for an integer n in [-1022, 1023]. */
static saros_value power_of_two(saros_value n) {
    saros_value one = integer(n, saros_bits(1.0));
    return from_bits(saros_add(shift(&saros_row_shift_left, n, 52), one));
}

/** 1/2! + r/3! + … to r^11/13!, padded. */
static saros_value tail_of_exp(saros_value r) {
    double c[16] = {0}, factorial = 1;
    for (int k = 2; k <= 13; ++k) c[k - 2] = 1 / (factorial *= k);
    saros_value even = polynomial(r, c, 8), r2 = saros_mul(r, r), r4 = saros_mul(r2, r2);
    return saros_fma(polynomial(r, c + 8, 4), saros_mul(r4, r4), even);
}

/* ---- functions of f64 ---- */

static saros_value exp_of(saros_value x) {
    reduced y = reduce(at_least(at_most(x, 710.0), -746.0));
    saros_value p = saros_fma(saros_mul(y.r, y.r), tail_of_exp(y.r), y.r);
    p = saros_add(p, number(x, 1.0));
    saros_value half = shift(&saros_row_shift_right, y.integer, 1);
    p = saros_mul(p, power_of_two(half));
    return saros_mul(p, power_of_two(saros_sub(y.integer, half)));
}

static saros_value expm1_of(saros_value x) {
    reduced y = reduce(at_least(at_most(x, 710.0), -60.0));
    saros_value q = saros_fma(saros_mul(y.r, y.r), tail_of_exp(y.r), y.r);
    saros_value t = power_of_two(saros_sub(y.integer, integer(x, 1)));
    saros_value m = saros_fma(t, q, saros_sub(t, number(x, 0.5)));
    m = saros_mul(m, number(x, 2.0));
    return saros_where(saros_lt(saros_abs(x), number(x, 0x1p-60)), x, m);
}

static saros_value tanh_of(saros_value x) {
    saros_value a = at_most(saros_abs(x), 22.0);
    reduced y = reduce(saros_add(a, a)); /* at most 44: 2^n needs no halves */
    saros_value q = saros_fma(saros_mul(y.r, y.r), tail_of_exp(y.r), y.r);
    saros_value t = power_of_two(y.integer);
    saros_value m = saros_fma(t, q, saros_sub(t, number(x, 1.0)));
    m = saros_div(m, saros_add(m, number(x, 2.0)));
    saros_value sign = row2(&saros_row_bit_and, bits(x), integer(x, INT64_MIN));
    return from_bits(row2(&saros_row_bit_or, bits(m), sign));
}

static saros_value log_of(saros_value x) {
    const double high = 0x1.62e42feep-1, low = 0x1.a39ef35793c76p-33; /* ln 2, n high exact */
    double c[16] = {0};
    for (int k = 0; k < 11; ++k) c[k] = 2.0 / (2 * k + 3);
    saros_value one = number(x, 1.0), tiny = saros_lt(x, number(x, 0x1p-1022));
    saros_value b = bits(saros_where(tiny, saros_mul(x, number(x, 0x1p54)), x));
    saros_value d = saros_sub(b, integer(x, saros_bits(M_SQRT1_2)));
    saros_value k = shift(&saros_row_shift_right, d, 52);
    saros_value m = from_bits(saros_sub(b, shift(&saros_row_shift_left, k, 52)));
    saros_value n = saros_cast(k, SAROS_F64);
    n = saros_sub(n, saros_where(tiny, number(x, 54.0), number(x, 0.0)));
    saros_value f = saros_sub(m, one), s = saros_div(f, saros_add(f, number(x, 2.0)));
    saros_value z = saros_mul(s, s), z2 = saros_mul(z, z), z4 = saros_mul(z2, z2);
    saros_value p = saros_fma(polynomial(z, c + 8, 4), saros_mul(z4, z4), polynomial(z, c, 8));
    saros_value lower =
        saros_sub(saros_mul(s, saros_sub(f, saros_mul(z, p))), saros_mul(n, number(x, low)));
    saros_value y = saros_fma(n, number(x, high), saros_sub(f, lower));
    y = saros_where(saros_lt(x, number(x, INFINITY)), y, x); /* infinity and NaN */
    y = saros_where(saros_lt(x, number(x, 0.0)), number(x, NAN), y);
    return saros_where(saros_eq(x, number(x, 0.0)), number(x, -INFINITY), y);
}

static saros_value sigmoid_of(saros_value x) {
    saros_value one = number(x, 1.0), e = exp_of(saros_neg(saros_abs(x)));
    saros_value above = saros_where(saros_lt(x, number(x, 0.0)), e, one);
    return saros_div(above, saros_add(one, e));
}

/* ---- the table ---- */

static const struct {
    const saros_primitive *row;
    saros_unary_fn *expand;
} table[] = {
    {&saros_row_exp, exp_of}, {&saros_row_expm1, expm1_of},     {&saros_row_tanh, tanh_of},
    {&saros_row_log, log_of}, {&saros_row_sigmoid, sigmoid_of},
};

saros_value saros_kernel_expand(const saros_primitive *row, const saros_value *in) {
    for (size_t k = 0; k < sizeof table / sizeof *table; ++k) {
        if (table[k].row != row) continue;
        if (saros_value_dtype(in[0]) == SAROS_F64) return table[k].expand(in[0]);
        return saros_cast(table[k].expand(saros_cast(in[0], SAROS_F64)), SAROS_F32);
    }
    return SAROS_NONE;
}
