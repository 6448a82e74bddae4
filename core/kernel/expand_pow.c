/** pow and erf in values of f64.
 *
 *  x^y = e^(y log x). For a result within 1 ulp log x is needed to 2^-65 of itself: it is carried
 * as a sum of two doubles. With f = m - 1 and s = f / (m + 1) in two parts, log m = 2 s + s z (2/3
 * + z q(z)), z = s^2, where 2/3 + … too is in two parts (products and their rounding errors by fma,
 * sums by Dekker's two-sum); q of least largest error, 8 coefficients.
 *
 *  erf x = x + x P(x^2) for |x| < 1, 12 coefficients, error 2^-57; above 1 - e^(S(x) - x^2), where
 * S is the logarithm of the scaled complement, 20 coefficients in x - 2.75 of least error against
 *  erfc x: 2^-55 of erf. From 6 on erf is 1.
 */
#include "graph_impl.h"
#include "kernel/expand_impl.h"

static const double log_f64[] = {0x1.999999999999ap-2, 0x1.2492492492525p-2, 0x1.c71c71c6e999dp-3,
                                 0x1.745d177b75882p-3, 0x1.3b13957813984p-3, 0x1.1118da701fb16p-3,
                                 0x1.df79021a48767p-4, 0x1.e055001c98b13p-4};
static const double erf_near[] = {
    0x1.06eba8214db68p-3,  -0x1.812746b0379c2p-2,  0x1.ce2f21a041017p-4,  -0x1.b82ce31206283p-6,
    0x1.565bccfa9a1eep-8,  -0x1.c02db072e7e0cp-11, 0x1.f9a2bf730caaap-14, -0x1.f4ca948ea0600p-17,
    0x1.b9827acdac366p-20, -0x1.5c16e1d99d088p-23, 0x1.d7848e7d366abp-27, -0x1.acdff3603cab8p-31};
static const double erf_far[] = {
    -0x1.a4428bc22296bp+0,  -0x1.4e5f70ff3735ap-2,  0x1.8f0f1ba2982efp-5,   -0x1.24b99769bfac3p-7,
    0x1.bef5ac8edea77p-10,  -0x1.503c57af42e51p-12, 0x1.e31fc64de398ap-15,  -0x1.4179de29bdf98p-17,
    0x1.792c4132ca4c6p-20,  -0x1.575207b712490p-23, 0x1.9fd9e38a0d31dp-28,  0x1.f125605668235p-29,
    -0x1.a083e2c5da53ap-30, 0x1.ed5d02f6011d4p-32,  -0x1.8da61fcade11fp-34, 0x1.c807086836a19p-38,
    -0x1.8bc2fa5949a33p-39, 0x1.6157b80b6cf6dp-40,  0x1.c07e19f4cd787p-43,  -0x1.98c39716bd35ep-44};

static saros_value number(saros_value x, double c) {
    return saros_expand_number(x, c);
}

/* ---- erf ---- */

saros_value saros_expand_erf(saros_value x) {
    saros_value a = saros_abs(x), one = number(x, 1.0);
    saros_value near = saros_fma(a, saros_expand_polynomial(saros_mul(a, a), erf_near, 12), a);
    saros_value b = saros_expand_at_most(a, 6.0);
    saros_value s = saros_expand_polynomial(saros_sub(b, number(x, 2.75)), erf_far, 20);
    saros_reduced e = saros_expand_reduce(saros_fma(saros_neg(b), b, s));
    saros_value power = saros_expand_power_of_two(e.integer, x);
    saros_value far = saros_sub(one, saros_mul(saros_add(e.q, one), power));
    return saros_expand_signed(saros_where(saros_lt(a, one), near, far), x);
}

/* ---- pow ---- */

/** high + low, |low| small against high */
typedef struct pair {
    saros_value high, low;
} pair;

/** a b and what rounding lost of it */
static pair product(saros_value a, saros_value b) {
    saros_value high = saros_mul(a, b);
    return (pair){high, saros_fma(a, b, saros_neg(high))};
}
/** a + b, |a| >= |b| or a = 0, and what rounding lost of it */
static pair sum(saros_value a, saros_value b) {
    saros_value high = saros_add(a, b);
    return (pair){high, saros_add(saros_sub(a, high), b)};
}

/** s = (m - 1) / (m + 1) */
static pair ratio(saros_value m) {
    saros_value one = number(m, 1.0), f = saros_sub(m, one), down = saros_add(m, one);
    saros_value rest = saros_sub(m, saros_sub(down, one)), inverse = saros_div(one, down);
    saros_value high = saros_mul(f, inverse), left = saros_fma(saros_neg(high), down, f);
    left = saros_fma(saros_neg(high), rest, left);
    return (pair){high, saros_mul(left, inverse)};
}

/** log x of x = 2^n m */
static pair log_pair(saros_parts x) {
    pair s = ratio(x.m), z = product(s.high, s.high);
    z.low = saros_fma(saros_add(s.high, s.high), s.low, z.low);
    saros_value q = saros_mul(z.high, saros_expand_polynomial(z.high, log_f64, 8));
    pair c = sum(number(q, 0x1.5555555555555p-1), q);
    c.low = saros_add(c.low, number(q, 0x1.5555555555555p-55));
    pair w = product(z.high, c.high);
    w.low = saros_fma(z.high, c.low, saros_fma(z.low, c.high, w.low));
    pair v = product(s.high, w.high);
    v.low = saros_fma(s.high, w.low, saros_fma(s.low, w.high, v.low));
    pair m = sum(saros_add(s.high, s.high), v.high);
    m.low = saros_add(m.low, saros_add(saros_add(s.low, s.low), v.low));
    saros_value ln2 = number(q, saros_format_of(q)->ln2);
    pair k = product(x.n, ln2), y = sum(k.high, m.high);
    k.low = saros_fma(x.n, number(q, saros_format_of(q)->ln2_rest), k.low);
    y.low = saros_add(y.low, saros_add(m.low, k.low));
    return y;
}

/** |x|^y from log |x| as at the ends of |x|: -inf at 0, inf at inf, NaN. */
static saros_value power_of(saros_value x, saros_value y, pair log, bool rough) {
    const saros_format *f = saros_format_of(x);
    saros_value zero = number(x, 0.0), a = saros_abs(x);
    log.high = saros_where(saros_lt(a, number(x, INFINITY)), log.high, a);
    log.high = saros_where(saros_eq(a, zero), number(x, -INFINITY), log.high);
    saros_value one = saros_or(saros_eq(log.high, zero), saros_eq(y, zero));
    pair e = product(y, log.high);
    e.high = saros_where(one, zero, e.high);
    saros_value bounded =
        saros_expand_at_least(saros_expand_at_most(e.high, f->overflow), f->vanish);
    saros_reduced r = saros_expand_reduce(bounded);
    if (!rough) {
        e.low = saros_fma(y, log.low, e.low);
        saros_value plain = saros_and(saros_eq(bounded, e.high), saros_not(one));
        e.low = saros_where(plain, e.low, zero); /* not inf - inf */
        r.q = saros_fma(saros_add(r.q, number(x, 1.0)), e.low, r.q);
    }
    return saros_expand_scale(r);
}

/** Sign and NaN of x^y for x below 0. */
static saros_value with_sign(saros_value size, saros_value x, saros_value y) {
    saros_value half = saros_mul(y, number(y, 0.5)), whole = saros_eq(saros_floor(y), y);
    saros_value odd = saros_and(whole, saros_ne(saros_floor(half), half));
    saros_value below = saros_and(saros_lt(x, number(x, 0.0)), saros_lt(number(x, -INFINITY), x));
    size = saros_where(saros_and(below, saros_not(whole)), number(x, NAN), size);
    return saros_where(odd, saros_expand_signed(size, x), size);
}

saros_value saros_expand_pow(saros_value x, saros_value y) {
    pair log = log_pair(saros_expand_all_parts(saros_abs(x)));
    return with_sign(power_of(x, y, log, false), x, y);
}

saros_value saros_expand_pow_rough(saros_value x, saros_value y) {
    pair log = {saros_expand_log_of(saros_expand_all_parts(saros_abs(x)), SAROS_NONE), SAROS_NONE};
    return with_sign(power_of(x, y, log, true), x, y);
}
