/** Direct solution of sparse systems: one object for banded, dense and general patterns.
 *
 *  What follows from the pattern alone (the method, for KLU the ordering) is kept with the pattern
 * and shared by any number of factorisations, also of several threads. A factorisation holds the
 * numbers of one matrix and solves with it and with its transpose.
 */
#ifndef SAROS_DIRECT_IMPL_H
#define SAROS_DIRECT_IMPL_H

#include "saros/sparse.h"

typedef struct saros_direct saros_direct;

/** A way to factorise. `numbers` is its own; values are row-scaled, in the order of the pattern. */
typedef struct saros_direct_method {
    const char *name;
    /** What follows from the pattern; may be NULL. */
    saros_status (*analyse)(saros_sparsity *pattern, void **analysis);
    void (*analysis_release)(void *analysis);
    /** Factorises anew; `*numbers` is NULL at first. `*pivots` receives min |u_ii| / max |u_ii|, 0
     * if exactly singular. */
    saros_status (*factorise)(saros_sparsity *pattern, void *analysis, const double *values,
                              void **numbers, double *pivots);
    saros_status (*solve)(saros_sparsity *pattern, void *analysis, void *numbers, bool transposed,
                          int64_t columns, double *b);
    void (*numbers_release)(void *numbers);
} saros_direct_method;

/** Entries beside the diagonal up to which plain loops are faster than LAPACK. */
enum { SAROS_NARROW = 16 };

extern const saros_direct_method saros_direct_narrow, saros_direct_band, saros_direct_dense,
    saros_direct_klu;

/** An empty factorisation for matrices of `pattern`; chooses the method and analyses if that has
 * not been done. */
saros_status saros_direct_make(saros_sparsity *pattern, saros_direct **out);
void saros_direct_release(saros_direct *direct);
saros_sparsity *saros_direct_pattern(const saros_direct *direct);
/** "banded LU", "dense LU" or "KLU". */
const char *saros_direct_name(const saros_direct *direct);
/** Errors: NAN if a value is not finite; DOMAIN if the matrix is singular to working precision. */
saros_status saros_direct_factorise(saros_direct *direct, const double *values);
/** In place: each of `columns` runs of n in `b` becomes A^{-1} b or A^{-T} b. */
saros_status saros_direct_solve(saros_direct *direct, bool transposed, int64_t columns, double *b);

#endif
