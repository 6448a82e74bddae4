/** Inside of sparse Jacobians: the pattern as its files see it, and patterns made from patterns.
 *
 *  Colouring and the analysis of the direct solver are made on first demand under the lock and
 * never change afterwards. `entry` lists the nonzeros colour by colour, so that decompressing one
 * product J v touches each of its nonzeros once.
 */
#ifndef SAROS_SPARSE_IMPL_H
#define SAROS_SPARSE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "saros/sparse.h"

typedef struct saros_colouring {
    int colours;
    int *of_column;       /**< n */
    int64_t *column_from; /**< colours+1: where a colour starts in `column` */
    int64_t *column;      /**< n: columns, colour by colour */
    int64_t *entry_from;  /**< colours+1: where a colour starts in `entry` */
    int64_t *entry;       /**< nonzeros: positions in the values */
    int64_t *entry_row;   /**< nonzeros: their rows */
} saros_colouring;

struct saros_sparsity {
    atomic_int references;
    int64_t n, nonzeros, lower, upper;
    int64_t *row, *column; /**< one block: row owns it */
    pthread_mutex_t lock;
    saros_colouring *colouring;               /**< NULL until asked for */
    const struct saros_direct_method *method; /**< NULL until asked for */
    void *analysis;                           /**< of the method */
};

/** The colouring, made on first demand. */
saros_status saros_sparsity_colouring(saros_sparsity *pattern, const saros_colouring **out);
/** A colouring with fewer than `below` colours by a linear form of the position (colour_lattice.c),
 * if one is found; else nothing is changed. */
saros_status saros_colouring_lattice(const saros_sparsity *pattern, int below, int *of_column,
                                     int *colours);
/** A star colouring of a symmetric pattern with its whole diagonal (colour_star.c). */
saros_status saros_colouring_star(const saros_sparsity *pattern, int *of_column, int *colours);
/** Where entry k lies among the products (colours, n): from[k]. */
saros_status saros_colouring_star_entries(const saros_sparsity *pattern, const int *of_column,
                                          int colours, int64_t *from);
/** Values of the symmetric Jacobian of `gradient` by a star colouring of `pattern`, appended. */
saros_status saros_symmetric_values(saros_value gradient, saros_value x,
                                    const saros_sparsity *pattern, saros_value *values,
                                    int *colours);
/** What the pattern and its transpose share, with the whole diagonal. */
saros_status saros_sparsity_symmetric(saros_sparsity *pattern, saros_sparsity **out);
void saros_colouring_release(saros_colouring *colouring);
/** The pattern with its whole diagonal; `pattern` itself (retained) if it has it. */
saros_status saros_sparsity_with_diagonal(saros_sparsity *pattern, saros_sparsity **out);
/** Where the entries of `part` lie among those of `whole`, which holds them all; release with
 * saros_release. */
saros_status saros_sparsity_positions(const saros_sparsity *part, const saros_sparsity *whole,
                                      int64_t **position);
/** Block diagonal of `copies` of the pattern. */
saros_status saros_sparsity_repeat(saros_sparsity *pattern, int64_t copies, saros_sparsity **out);
/** 4 eps | |A| |x| |: the residual that rounding x alone would leave. */
double saros_sparse_rounding(const saros_sparsity *pattern, const double *values, const double *x);
/** Compares `values` with one product J v, v without zeros. Errors: USAGE if the pattern misses an
 * entry of the Jacobian, naming a row. */
saros_status saros_sparse_verify(const saros_sparsity *pattern, const saros_function *jvp,
                                 int inputs, saros_tensor *const *in, const double *values);

#endif
