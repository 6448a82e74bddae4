/** exp, expm1, log, log1p, sin, cos, tanh, sigmoid of one double, written so that a loop over them
 * vectorises: no branches, no tables, no calls. Not more than 4 ulp from the true value (tested
 * against long double); infinities, NaN, denormals and signed zeros come out as in the C library.
 * f32 goes through double.
 *
 *  exp: x = n ln 2 + r with |r| <= ln2/2, Taylor polynomial, 2^n in two factors so that denormal
 * and largest results are right. expm1 = 2^n ((e^r - 1) + (1 - 2^-n)). tanh = m/(m + 2) with m =
 * expm1(2|x|). log: x = 2^k m with sqrt(1/2) <= m < sqrt(2), f = m - 1, s = f/(2 + f),
 * log m = f - (f^2/2 - s (f^2/2 + R)), R = 2 s^2/3 + 2 s^4/5 + …. log1p corrects log(1 + x) for the
 * rounding of 1 + x. sin and cos: x = n pi/2 + r with pi/2 in three parts, Taylor polynomials on
 * |r| <= pi/4; good for |x| up to SAROS_TURNS_LIMIT, beyond which the caller asks the C library.
 *
 *  Numbers do not depend on the instruction set: no fma.
 */
#ifndef SAROS_ELEMENTARY_IMPL_H
#define SAROS_ELEMENTARY_IMPL_H

#include <math.h>
#include <stdint.h>

#define SAROS_INLINE static inline __attribute__((always_inline))
#define SAROS_TURNS_LIMIT 1e5

/** Adding it leaves an integer below 2^51 in the low bits; subtracting it again rounds to it. */
#define SAROS_TO_INTEGER 0x1.8p52

SAROS_INLINE uint64_t saros_word_of(double x) {
    union {
        double d;
        uint64_t i;
    } u = {.d = x};
    return u.i;
}
SAROS_INLINE double saros_double_of(uint64_t word) {
    union {
        uint64_t i;
        double d;
    } u = {.i = word};
    return u.d;
}

/** 2^n for an integral n in [-1022, 1023]. */
SAROS_INLINE double saros_two_to(double n) {
    return saros_double_of((saros_word_of(n + SAROS_TO_INTEGER) + 1023) << 52);
}
/** x 2^n for an integral |n| <= 1100: in two steps, of which only the second rounds. */
SAROS_INLINE double saros_scale(double x, double n) {
    double half = (n * 0.5 + SAROS_TO_INTEGER) - SAROS_TO_INTEGER;
    return x * saros_two_to(half) * saros_two_to(n - half);
}

/** n and r of x = n ln 2 + r. The upper part of ln 2 has 32 bits: its multiples are exact. */
SAROS_INLINE double saros_reduce_ln2(double x, double *r) {
    double n = (x * 0x1.71547652b82fep0 + SAROS_TO_INTEGER) - SAROS_TO_INTEGER;
    *r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
    return n;
}
/** e^r - 1, r^14/14! being below 2^-57 r. */
SAROS_INLINE double saros_expm1_small(double r) {
    double s = r * r;
    double even =
        1.0 / 2 +
        s * (1.0 / 24 +
             s * (1.0 / 720 + s * (1.0 / 40320 + s * (1.0 / 3628800 + s * (1.0 / 479001600)))));
    double odd =
        1.0 / 6 +
        s * (1.0 / 120 +
             s * (1.0 / 5040 + s * (1.0 / 362880 + s * (1.0 / 39916800 + s * (1.0 / 6227020800)))));
    return r + s * (even + r * odd);
}

SAROS_INLINE double saros_exp_of(double x) {
    double r, y = x > 710.0 ? 710.0 : x;
    y = y < -750.0 ? -750.0 : y;
    double n = saros_reduce_ln2(y, &r);
    return saros_scale(1.0 + saros_expm1_small(r), n);
}

SAROS_INLINE double saros_expm1_of(double x) {
    double r, y = x > 710.0 ? 710.0 : x;
    y = y < -40.0 ? -40.0 : y;
    double n = saros_reduce_ln2(y, &r), down = n > 64.0 ? 0.0 : saros_two_to(n > 64.0 ? 0.0 : -n);
    double e = saros_scale(saros_expm1_small(r) + (1.0 - down), n);
    return x == 0.0 ? x : e;
}

SAROS_INLINE double saros_tanh_of(double x) {
    double a = fabs(x), r, z = a > 20.0 ? 40.0 : 2.0 * a;
    double n = saros_reduce_ln2(z, &r), scale = saros_two_to(n);
    double m = scale * saros_expm1_small(r) + (scale - 1.0);
    return copysign(m / (m + 2.0), x);
}

SAROS_INLINE double saros_sigmoid_of(double x) {
    double e = saros_exp_of(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

SAROS_INLINE double saros_log_of(double x) {
    double lift = x < 0x1p-1022 ? 0x1p54 : 1.0, y = x * lift;
    uint64_t word = saros_word_of(y);
    /* exponent of y / sqrt(1/2): m lies about 1 */
    uint64_t exponent = (word + (saros_word_of(1.0) - saros_word_of(0x1.6a09e667f3bcdp-1))) >> 52;
    double m = saros_double_of(word - ((exponent - 1023) << 52));
    double k = saros_double_of(exponent | saros_word_of(0x1p52)) - 0x1p52 - 1023.0;
    k -= lift == 1.0 ? 0.0 : 54.0;
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    double rest =
        z *
        (2.0 / 3 +
         z * (2.0 / 5 +
              z * (2.0 / 7 +
                   z * (2.0 / 9 +
                        z * (2.0 / 11 +
                             z * (2.0 / 13 + z * (2.0 / 15 + z * (2.0 / 17 + z * (2.0 / 19)))))))));
    double low = half - (s * (half + rest) + k * 0x1.a39ef35793c76p-33);
    double log = k * 0x1.62e42feep-1 - (low - f);
    log = x < INFINITY ? log : x; /* infinity and NaN */
    log = x < 0.0 ? NAN : log;
    return x == 0.0 ? -INFINITY : log;
}

SAROS_INLINE double saros_log1p_of(double x) {
    double u = 1.0 + x, lost = x - (u - 1.0);
    double log = saros_log_of(u);
    double corrected = log + lost / u;
    corrected = fabs(log) < INFINITY ? corrected : log; /* -1, infinity, below -1 */
    return u == 1.0 ? x : corrected;
}

/** sin(x + quarter pi/2) */
SAROS_INLINE double saros_turn(double x, uint64_t quarter) {
    double t = x * 0x1.45f306dc9c883p-1 + SAROS_TO_INTEGER, n = t - SAROS_TO_INTEGER;
    uint64_t q = saros_word_of(t) + quarter;
    /* pi/2 in parts of 33, 33 and 53 bits */
    double r = ((x - n * 0x1.921fb544p0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
    double z = r * r;
    double sin_tail =
        -1.0 / 6 +
        z * (1.0 / 120 + z * (-1.0 / 5040 +
                              z * (1.0 / 362880 + z * (-1.0 / 39916800 +
                                                       z * (1.0 / 6227020800 +
                                                            z * (-1.0 / 1307674368000 +
                                                                 z * (1.0 / 355687428096000)))))));
    double cos_tail =
        1.0 / 24 +
        z * (-1.0 / 720 +
             z * (1.0 / 40320 +
                  z * (-1.0 / 3628800 + z * (1.0 / 479001600 + z * (-1.0 / 87178291200 +
                                                                    z * (1.0 / 20922789888000))))));
    double s = z == 0.0 ? r : r + r * z * sin_tail, h = 0.5 * z, w = 1.0 - h;
    double c = w + (((1.0 - w) - h) + z * z * cos_tail);
    double y = q & 1 ? c : s;
    return saros_double_of(saros_word_of(y) ^ (q & 2) << 62);
}

#endif
