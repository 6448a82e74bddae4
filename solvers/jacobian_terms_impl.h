/** Jacobians as sums of terms: dy/dx = sum over t of diag(scale_t) S_t, where S_t picks one element
 * of x for each of y, or none. */
#ifndef SAROS_JACOBIAN_TERMS_IMPL_H
#define SAROS_JACOBIAN_TERMS_IMPL_H

#include "saros/graph.h"

typedef struct saros_jacobian_term {
    const int32_t *column; /**< per element of the piece: element of x, or -1 */
    saros_value scale;     /**< rank 0: the same for all of the piece; else of its type */
} saros_jacobian_term;

/** A value of which y is put together: its elements begin at `first`, pieces laid end to end. */
typedef struct saros_jacobian_piece {
    int64_t first;
    int count;
    saros_jacobian_term *of;
} saros_jacobian_piece;

typedef struct saros_jacobian_terms {
    int64_t rows;                /**< elements of y */
    int pieces, count;           /**< count: terms of all */
    saros_jacobian_piece *piece; /**< and one more, with `first` the end */
    int32_t *element;            /**< per row: element of the pieces */
    void *maps;                  /**< owns the columns */
} saros_jacobian_terms;

/** The terms of dy/dx, y and x f64; scales are appended to the graph. `found` is false, and there
 * is nothing to clear, where a row between is none that can be followed (jacobian_terms.c) or the
 * terms become too many. */
saros_status saros_jacobian_terms_find(saros_value y, saros_value x, saros_jacobian_terms *out,
                                       bool *found);
void saros_jacobian_terms_clear(saros_jacobian_terms *terms);

#endif
