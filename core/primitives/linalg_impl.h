/** What the rows of dense linear algebra share: shape rules of stacks of square matrices, products
 * in values, LAPACK by its Fortran names. A stack is (…, n, n); right-hand sides are (…, n) or (…,
 * n, k).
 */
#ifndef SAROS_LINALG_IMPL_H
#define SAROS_LINALG_IMPL_H

#include "primitives/build_impl.h"
#include "primitives/series_impl.h"
#include "tensor_impl.h"

/* ---- shapes ---- */
/** x is a stack of square matrices of f64 or f32, its matrices whole on every rank. */
saros_status saros_linalg_square(const char *where, const saros_type *x);
/** b is a right-hand side for the stack a. */
saros_status saros_linalg_sides(const char *where, const saros_type *a, const saros_type *b);
/** Number of matrices of a stack. */
int64_t saros_linalg_count(const saros_type *a);

/* ---- values ---- */
/** x as f64 or f32. */
saros_value saros_linalg_float(saros_value x);
/** a x or a^T x, x being (…, n) or (…, n, k). */
saros_value saros_linalg_apply(saros_value a, saros_value x, bool transposed);
/** x y^T, summed over columns: (…, n, n). */
saros_value saros_linalg_outer(saros_value x, saros_value y);
/** (a + a^T) / 2 */
saros_value saros_linalg_symmetric(saros_value a);
typedef enum saros_triangle { SAROS_BELOW, SAROS_ON, SAROS_BELOW_OR_ON } saros_triangle;
/** a inside the part of its matrices, 0 outside. */
saros_value saros_linalg_part(saros_value a, saros_triangle part);
/** Diagonal (…, n) of a stack, and the stack of diagonal matrices of (…, n). */
saros_value saros_linalg_diagonal(saros_value a);
saros_value saros_linalg_spread_diagonal(saros_value d);

/* ---- batches ---- */
/** Right-hand sides b (size, …) of a stack without that axis: the axis becomes columns. `shape`
 * receives what saros_linalg_unfold needs to undo it on the solution. */
saros_value saros_linalg_fold(saros_value b, saros_value a, saros_type *shape);
saros_value saros_linalg_unfold(saros_value x, const saros_type *shape);
/** Batch column of rows whose operands and outputs may all carry more leading axes. */
void saros_linalg_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                        const bool *batched, saros_value *out, bool *out_batched);

/* ---- data ---- */
/** Row-major (a + a^T) / 2 of one n by n matrix; `to` may be `from`. */
void saros_linalg_symmetrise(saros_dtype dtype, int64_t n, const void *from, void *to);

/* LAPACK and BLAS, column-major; trailing sizes are the lengths of the texts. */
void dgetrf_(const int *, const int *, double *, const int *, int *, int *);
void sgetrf_(const int *, const int *, float *, const int *, int *, int *);
void dgetrs_(const char *, const int *, const int *, const double *, const int *, const int *,
             double *, const int *, int *, size_t);
void sgetrs_(const char *, const int *, const int *, const float *, const int *, const int *,
             float *, const int *, int *, size_t);
void dpotrf_(const char *, const int *, double *, const int *, int *, size_t);
void spotrf_(const char *, const int *, float *, const int *, int *, size_t);
void dtrsm_(const char *, const char *, const char *, const char *, const int *, const int *,
            const double *, const double *, const int *, double *, const int *, size_t, size_t,
            size_t, size_t);
void strsm_(const char *, const char *, const char *, const char *, const int *, const int *,
            const float *, const float *, const int *, float *, const int *, size_t, size_t, size_t,
            size_t);
void dsyevd_(const char *, const char *, const int *, double *, const int *, double *, double *,
             const int *, int *, const int *, int *, size_t, size_t);
void ssyevd_(const char *, const char *, const int *, float *, const int *, float *, float *,
             const int *, int *, const int *, int *, size_t, size_t);

#endif
