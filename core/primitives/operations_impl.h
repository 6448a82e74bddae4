/** Floating operations of families of rows: their column `operations`. */
#ifndef SAROS_OPERATIONS_IMPL_H
#define SAROS_OPERATIONS_IMPL_H

#include "saros/primitive.h"

/** Contractions: 2 m n k for each pair of the batch. Of the last two operands; what stands before
 * them is added to. */
int64_t saros_count_dot(const saros_evaluation *evaluation);
/** Reductions and running sums: one for each element of the operand. */
int64_t saros_count_reduced(const saros_evaluation *evaluation);
/** Factorisations of stacks of n by n matrices: LU 2/3 n^3, Cholesky 1/3 n^3. */
int64_t saros_count_lu(const saros_evaluation *evaluation);
int64_t saros_count_cholesky(const saros_evaluation *evaluation);
/** Solves: n^2 for each column of a triangle, twice that for LU. */
int64_t saros_count_triangular(const saros_evaluation *evaluation);
int64_t saros_count_lu_solve(const saros_evaluation *evaluation);
/** Fourier transforms of length n: 5 n log2 n, of reals half of it. */
int64_t saros_count_fft(const saros_evaluation *evaluation);

#endif
