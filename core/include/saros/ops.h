/** Graph operations: each appends a node (or a few) and returns a value. Axes are 0-based; negative
 * axes count from the end.
 *
 *  Pointwise operations broadcast as NumPy does (explicit broadcast nodes are inserted) and promote
 * dtypes (saros_dtype_promote). Where a C number should not widen its partner use
 * saros_like(value, 2.0).
 */
#ifndef SAROS_OPS_H
#define SAROS_OPS_H

#include "saros/rows.h"

typedef saros_value saros_unary_fn(saros_value x);
typedef saros_value saros_binary_fn(saros_value a, saros_value b);

/** Scalar constant of `x`'s dtype in `x`'s graph. */
SAROS_API saros_value saros_like(saros_value x, double number);
/** Splat of `x`'s type. */
SAROS_API saros_value saros_zeros_like(saros_value x);

/* ---- pointwise ---- */
SAROS_API saros_binary_fn saros_add, saros_sub, saros_mul, saros_div, saros_maximum, saros_minimum,
    saros_atan2;
SAROS_API saros_binary_fn
    saros_pow; /**< x^y for x > 0; use saros_power for a fixed integer exponent */
SAROS_API saros_value saros_power(saros_value x, int64_t n); /**< exact integer power, safe at 0 */
SAROS_API saros_value saros_fma(saros_value a, saros_value b,
                                saros_value c); /**< a*b + c, rounded once */
SAROS_API saros_unary_fn saros_neg, saros_abs, saros_sign, saros_floor, saros_round, saros_relu;
/* saros_sqrt, saros_exp, saros_tanh… : the elementary functions that rows.h lists */
#define SAROS_DECLARE(name, low, high) SAROS_API saros_unary_fn saros_##name;
SAROS_ELEMENTARY_ROWS(SAROS_DECLARE)
#undef SAROS_DECLARE
/** x sigmoid(x);  x (1 + erf(x / sqrt 2)) / 2 */
SAROS_API saros_unary_fn saros_silu, saros_gelu;
SAROS_API saros_binary_fn saros_eq, saros_ne, saros_lt, saros_le, saros_gt,
    saros_ge; /**< bool results */
SAROS_API saros_binary_fn saros_and, saros_or;
SAROS_API saros_unary_fn saros_not;
SAROS_API saros_value saros_where(saros_value mask, saros_value a, saros_value b);
SAROS_API saros_value saros_cast(saros_value x, saros_dtype dtype);
/** Identity whose tangent is zero. */
SAROS_API saros_unary_fn saros_stop_gradient;
/** Identity that is never merged: gives the argument of a derivative an identity of its own. */
SAROS_API saros_unary_fn saros_alias;
/** Identity between rank-shared and split values; see design: allreduce and spread transpose to
 * each other. spread: same numbers on all ranks -> seen as a per-rank part (no communication).
 * allreduce: sum over ranks. */
SAROS_API saros_unary_fn saros_spread, saros_allreduce;

/* ---- structure ---- */
SAROS_API saros_value saros_reshape(saros_value x, int rank, const int64_t *shape);
SAROS_API saros_value saros_permute(saros_value x, const int *axes);
SAROS_API saros_value saros_transpose(saros_value x); /**< swaps the last two axes */
/** Broadcast to `shape`; axis k of x goes to axis axes[k] (NULL: aligned at the end, as NumPy).
 * Extent 1 stretches. */
SAROS_API saros_value saros_broadcast(saros_value x, int rank, const int64_t *shape,
                                      const int *axes);
/** x[first:last:step] along `axis`, last exclusive, step > 0. */
SAROS_API saros_value saros_slice(saros_value x, int axis, int64_t first, int64_t last,
                                  int64_t step);
/** `low` and `high` cells of `fill` before and after along `axis` and `interior` between elements
 * (each >= 0). */
SAROS_API saros_value saros_pad(saros_value x, int axis, int64_t low, int64_t high,
                                int64_t interior, double fill);
typedef enum saros_edge { SAROS_EDGE_ZERO, SAROS_EDGE_WRAP } saros_edge;
/** y[i] = x[i - by] along `axis`; cells from outside are 0 or wrap. */
SAROS_API saros_value saros_shift(saros_value x, int axis, int64_t by, saros_edge edge);
SAROS_API saros_value saros_reverse(saros_value x, int axis);
SAROS_API saros_value saros_concat(int n, const saros_value *x, int axis);
SAROS_API saros_value saros_stack(int n, const saros_value *x, int axis);
/** Rows of `table` along `axis`: replaces that axis by index's axes. index: i64/i32 any rank; out
 * of range is clamped. */
SAROS_API saros_value saros_gather(saros_value table, saros_value index, int axis);
/** Zeros of `extent` along `axis` plus update rows added at index (the transpose of gather); sums
 * in index order. */
SAROS_API saros_value saros_scatter_add(saros_value update, saros_value index, int axis,
                                        int64_t extent);
SAROS_API saros_value saros_iota(saros_graph *graph, const saros_type *type,
                                 int axis); /**< 0,1,2… along axis */

/* ---- reductions and contraction ---- */
/** `axes`: bit a set to reduce axis a; reduced axes vanish. saros_all_axes(x) reduces everything.
 */
SAROS_API uint32_t saros_all_axes(saros_value x);
SAROS_API saros_value saros_sum(saros_value x, uint32_t axes);
SAROS_API saros_value saros_mean(saros_value x, uint32_t axes);
SAROS_API saros_value saros_max(saros_value x,
                                uint32_t axes); /**< NaN propagates; gradient to the lowest index */
SAROS_API saros_value saros_min(saros_value x, uint32_t axes);
SAROS_API saros_value saros_argmax(saros_value x, int axis); /**< i64, lowest index of ties */
SAROS_API saros_value saros_cumsum(saros_value x, int axis, bool reverse);
SAROS_API saros_value saros_logsumexp(saros_value x, uint32_t axes);
/** By halves along each axis; differentiable at zeros. */
SAROS_API saros_value saros_prod(saros_value x, uint32_t axes);
/** Whether any, or every, entry holds or differs from 0; of none: false, true. */
SAROS_API saros_value saros_any(saros_value x, uint32_t axes);
SAROS_API saros_value saros_all(saros_value x, uint32_t axes);
/** Batched contraction. Axis lists are 0-based, of equal length per pair; result axes: batch, free
 * of a, free of b. */
SAROS_API saros_value saros_dot_general(saros_value a, saros_value b, int contract,
                                        const int *contract_a, const int *contract_b, int batch,
                                        const int *batch_a, const int *batch_b);
/** NumPy matmul for ranks 1 and more (leading axes broadcast). */
SAROS_API saros_binary_fn saros_matmul;

/* ---- random: counter-based (Philox 4x32-10), keyed by absolute index ---- */
SAROS_API saros_value saros_random_key(saros_graph *graph, int64_t seed); /**< i64[2] constant */
SAROS_API saros_value saros_random_fold(saros_value key,
                                        saros_value i); /**< new key from an i64 scalar */
SAROS_API saros_value saros_random_uniform(saros_value key,
                                           const saros_type *type); /**< [0,1), float types */
SAROS_API saros_value saros_random_normal(saros_value key, const saros_type *type);

/* ---- FFT along the last axis (FFTW conventions: no scaling forward, 1/n backward) ---- */
SAROS_API void saros_rfft(saros_value x, saros_value *re, saros_value *im);
SAROS_API saros_value saros_irfft(saros_value re, saros_value im, int64_t n);
SAROS_API void saros_fft(saros_value re, saros_value im, bool inverse, saros_value *out_re,
                         saros_value *out_im);

/* ---- dense linear algebra (LAPACK), leading axes are batch for none of these yet: a is (n,n) ----
 */
SAROS_API saros_value saros_lu(saros_value a); /**< opaque factor */
/** x with a x = b (or transposed), b (n) or (n,k); `factor` from saros_lu(a). Differentiable in a
 * and b. */
SAROS_API saros_value saros_lu_solve(saros_value factor, saros_value a, saros_value b,
                                     bool transposed);
SAROS_API saros_binary_fn saros_solve;               /**< lu, then lu_solve */
SAROS_API saros_value saros_cholesky(saros_value a); /**< lower factor */
SAROS_API saros_value saros_triangular_solve(saros_value l, saros_value b,
                                             bool transposed); /**< l lower */
SAROS_API void saros_eigh(saros_value a, saros_value *w, saros_value *v);
SAROS_API saros_value saros_det(saros_value a);

#endif
