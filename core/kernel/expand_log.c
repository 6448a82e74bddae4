/** log, log2, log1p, asinh, acosh, atanh, softplus in values.
 *
 *  x = 2^n m, sqrt(1/2) <= m < sqrt 2, f = m - 1, s = f / (m + 1), z = s^2:
 *  log m = 2 s + s z p(z) = f - s (f - z p(z)), p of least largest error (Remez) on z <= 0.0295:
 * the result errs by 2^-57 of itself in f64 (7 coefficients), 2^-28 in f32 (3). log1p: u = 1 + x is
 * rounded; what it lost enters as lost / u.  asinh a = log1p(a + a^2 / (1 + sqrt(1 + a^2))), for
 * large a log a + log 2; acosh x = log1p(t + sqrt(t (x + 1))), t = x - 1; atanh a =
 * log1p(2 a + 2 a^2 / (1 - a)) / 2.  log2 x = n + log m / ln 2.  softplus = max(x, 0) +
 * log1p(e^-|x|).
 */
#include "kernel/expand_impl.h"

static const double tail_f64[] = {0x1.5555555555558p-1, 0x1.999999999513fp-2, 0x1.2492492e1d1ffp-2,
                                  0x1.c71c62b025f83p-3, 0x1.7462c343bf7cfp-3, 0x1.39fc8b566fa69p-3,
                                  0x1.2b6e498b34d4ep-3};
static const double tail_f32[] = {0x1.55555b9d67d20p-1, 0x1.997be5fb46c89p-2, 0x1.2ef160f5a57c0p-2};

static saros_value number(saros_value x, double c) {
    return saros_expand_number(x, c);
}

/** The exponent of x / sqrt(1/2) comes from its bits, made a number by the bits of 2^mantissa. */
saros_parts saros_expand_parts(saros_value x) {
    const saros_format *f = saros_format_of(x);
    const double large = ldexp(1.0, f->mantissa), bias = 1.0 - f->lowest;
    saros_value bits = saros_expand_bits(x), one = saros_expand_bits_of(x, 1.0);
    saros_value up = saros_sub(one, saros_expand_bits_of(x, M_SQRT1_2));
    saros_value exponent = saros_expand_right(saros_add(bits, up), f->mantissa);
    saros_value n = saros_add(exponent, saros_expand_bits_of(x, large));
    saros_value turns = saros_sub(exponent, saros_expand_integer(x, (int64_t)bias));
    return (saros_parts){
        .n = saros_sub(saros_expand_from_bits(n), number(x, large + bias)),
        .m = saros_expand_from_bits(saros_sub(bits, saros_expand_left(turns, f->mantissa)))};
}

saros_parts saros_expand_all_parts(saros_value x) {
    const saros_format *f = saros_format_of(x);
    const int lift = f->mantissa + 2;
    saros_value denormal = saros_lt(x, number(x, ldexp(1.0, f->lowest)));
    saros_parts y =
        saros_expand_parts(saros_where(denormal, saros_mul(x, number(x, ldexp(1.0, lift))), x));
    y.n = saros_sub(y.n, saros_where(denormal, number(x, lift), number(x, 0.0)));
    return y;
}

saros_value saros_expand_log_of(saros_parts x, saros_value rest) {
    const saros_format *format = saros_format_of(x.m);
    saros_value f = saros_sub(x.m, number(x.m, 1.0));
    saros_value s = saros_div(f, saros_add(f, number(f, 2.0))), z = saros_mul(s, s);
    saros_value p = format->dtype == SAROS_F32 ? saros_expand_polynomial(z, tail_f32, 3)
                                               : saros_expand_polynomial(z, tail_f64, 7);
    saros_value curve = saros_sub(f, saros_mul(z, p));
    saros_value low = saros_fma(x.n, number(f, -format->ln2_rest), saros_mul(s, curve));
    if (!saros_is_none(rest)) low = saros_sub(low, rest);
    return saros_fma(x.n, number(f, format->ln2), saros_sub(f, low));
}

/** y = log x as it is at the ends: infinity, NaN, 0 and below. */
static saros_value with_ends(saros_value y, saros_value x) {
    y = saros_where(saros_lt(x, number(x, INFINITY)), y, x);
    y = saros_where(saros_lt(x, number(x, 0.0)), number(x, NAN), y);
    return saros_where(saros_eq(x, number(x, 0.0)), number(x, -INFINITY), y);
}

saros_value saros_expand_log(saros_value x) {
    return with_ends(saros_expand_log_of(saros_expand_all_parts(x), SAROS_NONE), x);
}

saros_value saros_expand_log2(saros_value x) {
    saros_parts parts = saros_expand_all_parts(x);
    saros_value whole = parts.n;
    parts.n = number(x, 0.0);
    saros_value rest = saros_expand_log_of(parts, SAROS_NONE);
    return with_ends(saros_fma(rest, number(x, M_LOG2E), whole), x);
}

/** 2^twice (1 + x): its logarithm, x not negative or u = 1 + x handled by the caller. */
static saros_value log_of_sum(saros_value x, saros_value u, saros_value twice) {
    saros_value lost = saros_sub(x, saros_sub(u, number(x, 1.0)));
    saros_parts parts = saros_expand_parts(u);
    if (!saros_is_none(twice)) parts.n = saros_add(parts.n, twice);
    return saros_expand_log_of(parts, saros_div(lost, u));
}

saros_value saros_expand_log1p(saros_value x) {
    saros_value u = saros_add(x, number(x, 1.0));
    saros_value y = with_ends(log_of_sum(x, u, SAROS_NONE), u);
    return saros_where(saros_lt(saros_abs(x), number(x, saros_format_of(x)->tiny)), x, y);
}

saros_value saros_expand_asinh(saros_value x) {
    saros_value a = saros_abs(x), one = number(x, 1.0), square = saros_mul(a, a);
    saros_value large = saros_lt(number(x, saros_format_of(x)->huge), a);
    saros_value root = saros_sqrt(saros_add(square, one));
    saros_value sum = saros_add(a, saros_div(square, saros_add(root, one)));
    saros_value t = saros_where(large, a, sum), u = saros_add(t, one);
    saros_value y = log_of_sum(t, u, saros_where(large, one, number(x, 0.0)));
    y = saros_where(saros_lt(u, number(x, INFINITY)), y, u);
    y = saros_where(saros_lt(a, number(x, saros_format_of(x)->tiny)), a, y);
    return saros_expand_signed(y, x);
}

saros_value saros_expand_acosh(saros_value x) {
    saros_value one = number(x, 1.0), t = saros_sub(x, one);
    saros_value large = saros_lt(number(x, saros_format_of(x)->huge), x);
    saros_value root = saros_sqrt(saros_mul(t, saros_add(x, one)));
    saros_value a = saros_where(large, x, saros_add(t, root)), u = saros_add(a, one);
    saros_value y = log_of_sum(a, u, saros_where(large, one, number(x, 0.0)));
    y = saros_where(saros_lt(u, number(x, INFINITY)), y, u);
    return saros_where(saros_lt(x, one), number(x, NAN), y);
}

saros_value saros_expand_atanh(saros_value x) {
    saros_value a = saros_abs(x), one = number(x, 1.0), twice = saros_add(a, a);
    saros_value below = saros_div(saros_mul(twice, a), saros_sub(one, a));
    saros_value t = saros_where(saros_lt(a, number(x, 0.5)), saros_add(twice, below),
                                saros_div(twice, saros_sub(one, a)));
    saros_value u = saros_add(t, one), y = log_of_sum(t, u, SAROS_NONE);
    y = saros_mul(saros_where(saros_lt(u, number(x, INFINITY)), y, u), number(x, 0.5));
    y = saros_where(saros_lt(a, number(x, saros_format_of(x)->tiny)), a, y);
    return saros_expand_signed(saros_where(saros_lt(one, a), number(x, NAN), y), x);
}

saros_value saros_expand_softplus(saros_value x) {
    saros_value zero = number(x, 0.0), e = saros_expand_exp(saros_neg(saros_abs(x)));
    saros_value rest = log_of_sum(e, saros_add(e, number(x, 1.0)), SAROS_NONE);
    rest = saros_where(saros_lt(e, number(x, saros_format_of(x)->tiny)), e, rest);
    return saros_add(saros_where(saros_lt(x, zero), zero, x), rest);
}
