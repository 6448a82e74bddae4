/** Expansions: elementary functions as values of simpler rows. Words that they share.
 *
 *  An expansion works in the dtype of its operand, f64 or f32; constants take the operand's shape.
 *  Rows on bits see an f64 as i64 and an f32 as i32.
 */
#ifndef SAROS_EXPAND_IMPL_H
#define SAROS_EXPAND_IMPL_H

#include <math.h>

#include "kernel/kernel_impl.h"
#include "saros/ops.h"
#include "saros/rows.h"

/** What an expansion needs to know of a floating point format. */
typedef struct saros_format {
    saros_dtype dtype;
    int mantissa; /**< stored bits of it */
    int lowest;   /**< 2^lowest is the smallest normal number */
    double magic; /**< 1.5 2^mantissa: adding it rounds to an integer, left in the low bits */
    double ln2, ln2_rest; /**< their sum is ln 2 to twice the precision */
    double half_pi[3];    /**< their sum, rounded down each, is pi/2 to thrice the precision */
    double overflow;      /**< e^x is infinite from here on */
    double vanish;        /**< e^x is 0 below */
    double saturate;      /**< tanh is 1 from here on */
    double tiny;          /**< odd functions with slope 1 are x below */
    double huge;          /**< 1 + x is x from here on; its square is finite */
} saros_format;
const saros_format *saros_format_of(saros_value x);

/* ---- constants ---- */
saros_value saros_expand_number(saros_value x, double c);
/** The integer c, of the width of x. */
saros_value saros_expand_integer(saros_value x, int64_t c);
/** The bits of the number c. */
saros_value saros_expand_bits_of(saros_value x, double c);

/* ---- rows on bits ---- */
saros_value saros_expand_bits(saros_value x);
saros_value saros_expand_from_bits(saros_value x);
saros_value saros_expand_left(saros_value x, int by);
/** Signed. */
saros_value saros_expand_right(saros_value x, int by);
saros_value saros_expand_and(saros_value a, saros_value b);
/** x with its sign turned where bit 0 of the integer is set. */
saros_value saros_expand_turned(saros_value x, saros_value integer);
/** y, whose sign bit is clear, with the sign bit of x. */
saros_value saros_expand_signed(saros_value y, saros_value x);

/* ---- pieces ---- */
/** c[0] + c[1] x + … + c[n-1] x^(n-1), by halves (Estrin), n at most 24. */
saros_value saros_expand_polynomial(saros_value x, const double *c, int n);
/** x where it is at most `high`, else `high`; NaN passes. */
saros_value saros_expand_at_most(saros_value x, double high);
saros_value saros_expand_at_least(saros_value x, double low);
/** 2^n for an integer n of normal result. */
saros_value saros_expand_power_of_two(saros_value n, saros_value like);

/** x = n ln 2 + r, |r| <= ln 2 / 2; q = e^r - 1. */
typedef struct saros_reduced {
    saros_value n, integer, r, q;
} saros_reduced;
saros_reduced saros_expand_reduce(saros_value x);
/** (q + 1) 2^n, right for denormal results too. */
saros_value saros_expand_scale(saros_reduced y);

/** x = 2^n m with sqrt(1/2) <= m < sqrt 2, x positive and finite. */
typedef struct saros_parts {
    saros_value n, m;
} saros_parts;
saros_parts saros_expand_parts(saros_value x);
/** The parts of x, which may be denormal. */
saros_parts saros_expand_all_parts(saros_value x);
/** log(2^n m) + rest for a small rest */
saros_value saros_expand_log_of(saros_parts x, saros_value rest);

/* ---- the functions, of f64 and f32 where not said ---- */
saros_unary_fn saros_expand_exp, saros_expand_expm1, saros_expand_tanh, saros_expand_sigmoid,
    saros_expand_exp2, saros_expand_log2, saros_expand_acosh, saros_expand_atanh, saros_expand_sinh,
    saros_expand_cosh, saros_expand_log, saros_expand_log1p, saros_expand_asinh,
    saros_expand_softplus, saros_expand_sin, saros_expand_cos, saros_expand_tan;
/** Of f64 alone. */
saros_unary_fn saros_expand_asin, saros_expand_acos, saros_expand_atan, saros_expand_erf;
/** Of f64. */
saros_value saros_expand_atan2(saros_value y, saros_value x);
saros_value saros_expand_pow(saros_value x, saros_value y);
/** Of f64 for a result in f32: the logarithm has no second part. */
saros_value saros_expand_pow_rough(saros_value x, saros_value y);

#endif
