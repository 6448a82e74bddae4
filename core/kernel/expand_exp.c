/** exp, exp2, expm1, tanh, sigmoid, sinh, cosh in values.
 *
 *  x = n ln 2 + r with |r| <= ln2 / 2; q = e^r - 1 = r + r^2 p(r), p a polynomial of least largest
 *  error (Remez) with 10 coefficients in f64, 5 in f32: q errs by 2^-56 and 2^-26 of itself.
 *  e^x = (1 + q) 2^n, the power in two factors so that denormal and the largest results are right.
 *  With m = e^a - 1, a = |x|: tanh a = m' / (m' + 2) at 2a; sinh a = (m + m / (m + 1)) / 2, on a
 * quarter of m, which does not overflow before sinh does; cosh a = (e^a + e^-a) / 2.
 */
#include "kernel/expand_impl.h"

static const double tail_f64[] = {
    0x1.0000000000004p-1,  0x1.555555555555cp-3,  0x1.5555555552545p-5,  0x1.111111110e8bfp-7,
    0x1.6c16c17e5e822p-10, 0x1.a01a01b545ff3p-13, 0x1.a019a896faf24p-16, 0x1.71ddeb278018fp-19,
    0x1.28a0f2960b2cdp-22, 0x1.af751125ea408p-26};
static const double tail_f32[] = {0x1.0000003266159p-1, 0x1.5554b1e65afa3p-3, 0x1.55548a79fd6e3p-5,
                                  0x1.1226a32a08400p-7, 0x1.6d96de00bb7d9p-10};

static saros_value number(saros_value x, double c) {
    return saros_expand_number(x, c);
}

/** e^r - 1, |r| <= ln 2 / 2 */
static saros_value less_one(saros_value r) {
    saros_value p = saros_value_dtype(r) == SAROS_F32 ? saros_expand_polynomial(r, tail_f32, 5)
                                                      : saros_expand_polynomial(r, tail_f64, 10);
    return saros_fma(saros_mul(r, r), p, r);
}

saros_reduced saros_expand_reduce(saros_value x) {
    const saros_format *f = saros_format_of(x);
    saros_value magic = number(x, f->magic), t = saros_fma(x, number(x, M_LOG2E), magic);
    saros_value of_magic = saros_expand_bits_of(x, f->magic);
    saros_reduced y = {.n = saros_sub(t, magic),
                       .integer = saros_sub(saros_expand_bits(t), of_magic)};
    y.r = saros_fma(y.n, number(x, -f->ln2), x);
    y.r = saros_fma(y.n, number(x, -f->ln2_rest), y.r);
    y.q = less_one(y.r);
    return y;
}

saros_value saros_expand_scale(saros_reduced y) {
    saros_value p = saros_add(y.q, number(y.q, 1.0)), half = saros_expand_right(y.integer, 1);
    p = saros_mul(p, saros_expand_power_of_two(half, p));
    return saros_mul(p, saros_expand_power_of_two(saros_sub(y.integer, half), p));
}

/** (e^r 2^n - 1) 2^-k: finite where e^x is not */
static saros_value scaled_expm1(saros_reduced y, int k) {
    saros_value n = k ? saros_sub(y.integer, saros_expand_integer(y.integer, k)) : y.integer;
    saros_value t = saros_expand_power_of_two(n, y.q);
    return saros_fma(t, y.q, saros_sub(t, number(y.q, ldexp(1.0, -k))));
}

/** x itself where it is so small that the function is x. */
static saros_value or_tiny(saros_value x, saros_value y) {
    return saros_where(saros_lt(saros_abs(x), number(x, saros_format_of(x)->tiny)), x, y);
}

saros_value saros_expand_exp(saros_value x) {
    const saros_format *f = saros_format_of(x);
    x = saros_expand_at_least(saros_expand_at_most(x, f->overflow), f->vanish);
    return saros_expand_scale(saros_expand_reduce(x));
}

/** x = n + r / ln 2, of which x - n is exact. */
saros_value saros_expand_exp2(saros_value x) {
    const saros_format *f = saros_format_of(x);
    x = saros_expand_at_most(x, 2 - f->lowest);
    x = saros_expand_at_least(x, f->lowest - f->mantissa - 2);
    saros_value magic = number(x, f->magic), t = saros_add(x, magic);
    saros_reduced y = {.n = saros_sub(t, magic)};
    y.integer = saros_sub(saros_expand_bits(t), saros_expand_bits_of(x, f->magic));
    y.r = saros_mul(saros_sub(x, y.n), number(x, M_LN2));
    y.q = less_one(y.r);
    return saros_expand_scale(y);
}

saros_value saros_expand_expm1(saros_value x) {
    const saros_format *f = saros_format_of(x);
    saros_value bounded = saros_expand_at_least(saros_expand_at_most(x, f->overflow), -60.0);
    saros_value half = scaled_expm1(saros_expand_reduce(bounded), 1);
    return or_tiny(x, saros_add(half, half));
}

saros_value saros_expand_tanh(saros_value x) {
    saros_value a = saros_expand_at_most(saros_abs(x), saros_format_of(x)->saturate);
    saros_value m = scaled_expm1(saros_expand_reduce(saros_add(a, a)), 0);
    m = saros_div(m, saros_add(m, number(x, 2.0)));
    return saros_expand_signed(m, x);
}

saros_value saros_expand_sigmoid(saros_value x) {
    saros_value one = number(x, 1.0), e = saros_expand_exp(saros_neg(saros_abs(x)));
    saros_value above = saros_where(saros_lt(x, number(x, 0.0)), e, one);
    return saros_div(above, saros_add(one, e));
}

/** |x|, below where 2^n / 4 overflows and above where sinh and cosh do. */
static saros_reduced reduce_quarter(saros_value x) {
    double most =
        saros_format_of(x)->overflow + (saros_format_of(x)->dtype == SAROS_F32 ? 0.45 : 0.5);
    return saros_expand_reduce(saros_expand_at_most(saros_abs(x), most));
}

saros_value saros_expand_sinh(saros_value x) {
    saros_value quarter = scaled_expm1(reduce_quarter(x), 2);
    saros_value w = saros_div(quarter, saros_add(quarter, number(x, 0.25)));
    saros_value y = saros_fma(quarter, number(x, 2.0), saros_mul(w, number(x, 0.5)));
    return or_tiny(x, saros_expand_signed(y, x));
}

saros_value saros_expand_cosh(saros_value x) {
    saros_reduced y = reduce_quarter(x);
    saros_value t =
        saros_expand_power_of_two(saros_sub(y.integer, saros_expand_integer(y.integer, 2)), x);
    saros_value quarter = saros_mul(saros_add(y.q, number(x, 1.0)), t);
    return saros_fma(quarter, number(x, 2.0), saros_div(number(x, 0.125), quarter));
}
