/** sin, cos, tan, asin, acos, atan, atan2 in values.
 *
 *  x = n pi/2 + r, pi/2 in three parts, the first two products exact in their fma: r errs by about
 *  one rounding of itself as long as |x| <= SAROS_FAR. Beyond, a row of its own (far.c) takes the C
 *  library's value, element by element. sin r = r + r z S(z), cos r = 1 - z/2 + z^2 C(z), z = r^2.
 *  asin s = s + s z R(z) for s <= 1/2, z = s^2, above pi/2 - 2 asin sqrt((1 - s) / 2).
 *  atan t = t + t z A(z) for |t| <= tan(pi/8), above by atan t = pi/4 + atan((t - 1) / (t + 1)) and
 *  pi/2 - atan(1/t).  Polynomials of least largest error (Remez); all err by less than 2^-55 of the
 *  result in f64, sin and cos in f32 by 2^-28.
 */
#include "kernel/expand_impl.h"

static const double sin_f64[] = {-0x1.555555555554bp-3,  0x1.111111110fb74p-7,
                                 -0x1.a01a019c5f452p-13, 0x1.71de35b1032f6p-19,
                                 -0x1.ae5e8d7361f01p-26, 0x1.5d9d22f871607p-33};
static const double cos_f64[] = {0x1.5555555555554p-5,  -0x1.6c16c16c16216p-10,
                                 0x1.a01a019e3412bp-16, -0x1.27e4f90f4a741p-22,
                                 0x1.1eea93236235fp-29, -0x1.900080f94c486p-37};
static const double sin_f32[] = {-0x1.55554654abd66p-3, 0x1.1107958539f01p-7,
                                 -0x1.995cc02239f84p-13};
static const double cos_f32[] = {0x1.55554d9a98ec6p-5, -0x1.6c0e0a5f69d17p-10,
                                 0x1.9a619dab1ef25p-16};
static const double asin_f64[] = {
    0x1.555555555550ap-3, 0x1.3333333348951p-4, 0x1.6db6db58259b4p-5,  0x1.f1c725efc9b93p-6,
    0x1.6e8a7da95c576p-6, 0x1.1c646dbba5e4fp-6, 0x1.c786683ab0d48p-7,  0x1.8b7ca219bcc15p-7,
    0x1.c66dd8e134ddcp-8, 0x1.2ec2098f947b3p-6, -0x1.e077275a709e2p-7, 0x1.fa286c89e90a1p-6};
static const double atan_f64[] = {
    -0x1.555555555554fp-2, 0x1.9999999997ba8p-3, -0x1.2492492370b16p-3, 0x1.c71c712a9093bp-4,
    -0x1.745cffde6be62p-4, 0x1.3b118bdb1abc7p-4, -0x1.10f0730536205p-4, 0x1.df4f9dbab5147p-5,
    -0x1.9de31ed62bc70p-5, 0x1.3a63195aa0e9cp-5, -0x1.2ab730f20f1a5p-6};
/* Multiples of pi/2 and what doubles miss of them. */
static const double half_pi_rest = 0x1.1a62633145c07p-54, pi_rest = 0x1.1a62633145c07p-53;

static saros_value number(saros_value x, double c) {
    return saros_expand_number(x, c);
}
/** c - x, c in two parts */
static saros_value from(double c, double rest, saros_value x) {
    return saros_sub(number(x, c), saros_sub(x, number(x, rest)));
}

/* ---- sin, cos, tan ---- */

/** sin r, cos r and the number of the quarter turn. */
typedef struct turn {
    saros_value sin, cos, quarter;
} turn;

static turn turn_of(saros_value x) {
    const saros_format *f = saros_format_of(x);
    const bool narrow = f->dtype == SAROS_F32;
    saros_value magic = number(x, f->magic), t = saros_fma(x, number(x, M_2_PI), magic);
    saros_value n = saros_sub(t, magic), r = x;
    for (int k = 0; k < 3; ++k) r = saros_fma(n, number(x, -f->half_pi[k]), r); /* -0 stays -0 */
    saros_value z = saros_mul(r, r);
    saros_value s = saros_expand_polynomial(z, narrow ? sin_f32 : sin_f64, narrow ? 3 : 6);
    saros_value c = saros_expand_polynomial(z, narrow ? cos_f32 : cos_f64, narrow ? 3 : 6);
    s = saros_fma(saros_mul(r, z), s, r);
    saros_value one = number(x, 1.0), half = saros_mul(z, number(x, 0.5));
    saros_value w = saros_sub(one, half), lost = saros_sub(saros_sub(one, w), half);
    return (turn){.sin = saros_where(saros_eq(z, number(x, 0.0)), r, s),
                  .cos = saros_add(w, saros_fma(saros_mul(z, z), c, lost)),
                  .quarter = saros_sub(saros_expand_bits(t), saros_expand_bits_of(x, f->magic))};
}

static saros_value is_odd(saros_value integer) {
    saros_value bit = saros_expand_and(integer, saros_expand_integer(integer, 1));
    return saros_ne(bit, saros_expand_integer(integer, 0));
}

static saros_value far(const saros_primitive *row, saros_value x, saros_value near) {
    return saros_build(x.graph, row, NULL, 2, (saros_value[]){x, near});
}

/** Bit 1 of `quarter` turns the sign, bit 0 chooses. */
static saros_value in_quarter(turn y, saros_value quarter) {
    saros_value size = saros_where(is_odd(quarter), y.cos, y.sin);
    return saros_expand_turned(size, saros_expand_right(quarter, 1));
}
saros_value saros_expand_sin(saros_value x) {
    turn y = turn_of(x);
    return far(&saros_row_far_sin, x, in_quarter(y, y.quarter));
}
saros_value saros_expand_cos(saros_value x) {
    turn y = turn_of(x);
    saros_value next = saros_add(y.quarter, saros_expand_integer(y.quarter, 1));
    return far(&saros_row_far_cos, x, in_quarter(y, next));
}
saros_value saros_expand_tan(saros_value x) {
    turn y = turn_of(x);
    saros_value odd = is_odd(y.quarter);
    saros_value up = saros_where(odd, y.cos, y.sin), down = saros_where(odd, y.sin, y.cos);
    return far(&saros_row_far_tan, x, saros_expand_turned(saros_div(up, down), y.quarter));
}

/* ---- asin, acos ---- */

/** s + s z R(z): asin |x| below 1/2, asin sqrt((1 - |x|) / 2) above. */
static saros_value half_asin(saros_value x, saros_value *small) {
    saros_value a = saros_abs(x), half = number(x, 0.5);
    *small = saros_lt(a, half);
    saros_value z = saros_where(*small, saros_mul(a, a), saros_fma(a, number(x, -0.5), half));
    saros_value s = saros_where(*small, a, saros_sqrt(z));
    return saros_fma(saros_mul(s, z), saros_expand_polynomial(z, asin_f64, 12), s);
}
saros_value saros_expand_asin(saros_value x) {
    saros_value small, t = half_asin(x, &small);
    saros_value above = from(M_PI_2, half_pi_rest, saros_add(t, t));
    return saros_expand_signed(saros_where(small, t, above), x);
}
saros_value saros_expand_acos(saros_value x) {
    saros_value small, t = half_asin(x, &small), twice = saros_add(t, t);
    saros_value below = from(M_PI, pi_rest, twice);
    saros_value outer = saros_where(saros_lt(x, number(x, 0.0)), below, twice);
    return saros_where(small, from(M_PI_2, half_pi_rest, saros_expand_signed(t, x)), outer);
}

/* ---- atan ---- */

/** atan(a / b), 0 <= a <= b, b > 0 finite or infinite */
static saros_value angle(saros_value a, saros_value b) {
    saros_value middle = saros_lt(saros_mul(b, number(b, M_SQRT2 - 1)), a);
    saros_value up = saros_where(middle, saros_sub(a, b), a);
    saros_value t = saros_div(up, saros_where(middle, saros_add(a, b), b)), z = saros_mul(t, t);
    t = saros_fma(saros_mul(t, z), saros_expand_polynomial(z, atan_f64, 11), t);
    return saros_add(saros_where(middle, number(a, M_PI_4), number(a, 0.0)), t);
}
saros_value saros_expand_atan(saros_value x) {
    saros_value a = saros_abs(x), one = number(x, 1.0), large = saros_lt(one, a);
    saros_value y = angle(saros_where(large, one, a), saros_where(large, a, one));
    return saros_expand_signed(saros_where(large, from(M_PI_2, half_pi_rest, y), y), x);
}

saros_value saros_expand_atan2(saros_value y, saros_value x) {
    saros_value up = saros_abs(y), right = saros_abs(x), one = number(x, 1.0);
    saros_value zero = number(x, 0.0), steep = saros_lt(right, up);
    saros_value a = saros_where(steep, right, up), b = saros_where(steep, up, right);
    saros_value inf = number(x, INFINITY);
    saros_value endless = saros_and(saros_eq(a, inf), saros_eq(b, inf));
    a = saros_where(endless, one, a);
    b = saros_where(saros_or(endless, saros_eq(b, zero)), one, b);
    saros_value scale = saros_where(saros_lt(number(x, 0x1p1000), b), number(x, 0x1p-10), one);
    saros_value r = angle(saros_mul(a, scale), saros_mul(b, scale));
    r = saros_where(steep, from(M_PI_2, half_pi_rest, r), r);
    saros_value word = saros_expand_bits(x);
    saros_value left = saros_lt(word, saros_expand_integer(x, 0)); /* -0 too */
    return saros_expand_signed(saros_where(left, from(M_PI, pi_rest, r), r), y);
}
