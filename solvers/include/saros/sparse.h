/** Sparse Jacobians: pattern, colouring, compressed evaluation by jvp. */
#ifndef SAROS_SPARSE_H
#define SAROS_SPARSE_H

#include "saros/function.h"

/** Pattern of an n x n Jacobian by rows (CSR), columns ascending; refcounted, immutable. */
typedef struct saros_sparsity saros_sparsity;

/** Copies the arrays: row_start[n+1], column[row_start[n]]. Errors: USAGE for a malformed pattern.
 */
SAROS_API saros_status saros_sparsity_make(int64_t n, const int64_t *row_start,
                                           const int64_t *column, saros_sparsity **out);
/** Every column in every row. */
SAROS_API saros_status saros_sparsity_dense(int64_t n, saros_sparsity **out);
/** Pattern of dy/dx, y and x of n elements each, by propagation of index sets through the graph:
 * holds for every input, a superset (see solvers/detect.c for which rows are exact). */
SAROS_API saros_status saros_sparsity_detect(saros_value y, saros_value x, saros_sparsity **out);
SAROS_API saros_sparsity *saros_sparsity_retain(saros_sparsity *pattern);
SAROS_API void saros_sparsity_release(saros_sparsity *pattern);
SAROS_API int64_t saros_sparsity_size(const saros_sparsity *pattern);
SAROS_API int64_t saros_sparsity_nonzeros(const saros_sparsity *pattern);
SAROS_API const int64_t *saros_sparsity_rows(const saros_sparsity *pattern);
SAROS_API const int64_t *saros_sparsity_columns(const saros_sparsity *pattern);
/** Lower and upper bandwidth. */
SAROS_API void saros_sparsity_bandwidth(const saros_sparsity *pattern, int64_t *lower,
                                        int64_t *upper);
/** Colours of the columns (greedy distance-2; columns of a colour share no row); computed once and
 * kept. */
SAROS_API saros_status saros_sparsity_colour(saros_sparsity *pattern, int *colours,
                                             const int **colour_of_column);

/** Values of J in the pattern's order. `jvp` maps in[0 … inputs-1], v to J v; v is appended as the
 * last input. */
SAROS_API saros_status saros_sparse_jacobian(saros_sparsity *pattern, const saros_function *jvp,
                                             int inputs, saros_tensor *const *in, double *values);

#endif
