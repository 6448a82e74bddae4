/** Sparse Jacobians: pattern, colouring, evaluation entry by entry or by compressed products. */
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

/** Pattern of the Hessian of a scalar y by x, symmetric, with its whole diagonal: a superset, as
 * above. Appends the gradient. */
SAROS_API saros_status saros_sparsity_detect_hessian(saros_value y, saros_value x,
                                                     saros_sparsity **out);
/** Star colouring of a symmetric pattern: fewer products give a Hessian than a Jacobian (arrowhead:
 * 2, tridiagonal: 3). colour_of_column: n. Errors: USAGE if the pattern is not symmetric. */
SAROS_API saros_status saros_sparsity_colour_star(saros_sparsity *pattern, int *colours,
                                                  int *colour_of_column);
/** The Hessian of a scalar y by x as a value of the graph, (nonzeros) in the order of *pattern,
 * which is found: both triangles, by one product batched over the colours of a star colouring. It
 * differentiates like any value. */
SAROS_API saros_value saros_sparse_hessian(saros_value y, saros_value x, saros_sparsity **pattern);

/** A Jacobian ready to be evaluated: its pattern, with the whole diagonal, and compiled values.
 *
 *      saros_jacobian_make(y, x, 1, &x, NULL, &j);
 *      saros_jacobian_values(j, &at, values);          // in the order of
 * saros_jacobian_sparsity(j)
 *
 *  Where all rows between x and y are pointwise or move and add elements (stencils, gathers), each
 * entry is computed by itself: no products with seeds, coefficients that depend on nothing are one
 * number. Else (or with `coloured`) by one product for each colour of the columns. Solvers that
 * take one (snes, cvode, root) evaluate it in place. */
typedef struct saros_jacobian saros_jacobian;

typedef struct saros_jacobian_options {
    bool coloured;    /**< by products even where entries can be computed one by one */
    const char *name; /**< for messages and profiles; NULL: "jacobian" */
} saros_jacobian_options;

/** dy/dx, y and x f64 of n elements each, as a function of `input`, which covers all that y uses.
 * Appends to the graph. Errors: SHAPE, TYPE; those of building and compiling. */
SAROS_API saros_status saros_jacobian_make(saros_value y, saros_value x, int inputs,
                                           const saros_value *input,
                                           const saros_jacobian_options *options,
                                           saros_jacobian **out);
/** The Hessian of a scalar y by x, as the Jacobian of its gradient: symmetric pattern, both
 * triangles. `coloured`: by one product batched over the colours of a star colouring. Appends to
 * the graph. */
SAROS_API saros_status saros_hessian_make(saros_value y, saros_value x, int inputs,
                                          const saros_value *input,
                                          const saros_jacobian_options *options,
                                          saros_jacobian **out);
/** From a pattern and (in[0 … inputs-1], v) -> J v, which is retained. At the first evaluation one
 * product J v is compared: USAGE, naming a row, if the pattern misses an entry. */
SAROS_API saros_status saros_jacobian_wrap(saros_sparsity *pattern, const saros_function *jvp,
                                           int inputs, saros_jacobian **out);
SAROS_API saros_jacobian *saros_jacobian_retain(saros_jacobian *jacobian);
SAROS_API void saros_jacobian_release(saros_jacobian *jacobian);
/** Borrowed. */
SAROS_API saros_sparsity *saros_jacobian_sparsity(const saros_jacobian *jacobian);
/** Arrays computed for one evaluation: the coefficients that differ from entry to entry, or one
 * product for each colour. */
SAROS_API int saros_jacobian_arrays(const saros_jacobian *jacobian);
/** Values at `in`, in the order of the pattern. */
SAROS_API saros_status saros_jacobian_values(saros_jacobian *jacobian, saros_tensor *const *in,
                                             double *values);

/** Values of J in the pattern's order. `jvp` maps in[0 … inputs-1], v to J v; v is appended as the
 * last input. */
SAROS_API saros_status saros_sparse_jacobian(saros_sparsity *pattern, const saros_function *jvp,
                                             int inputs, saros_tensor *const *in, double *values);

#endif
