/** Axes of a contraction: how dot.c (evaluation) and dot_rules.c (building, derivatives) read the
 * words of a node. Words: number of contracted pairs, of batch pairs, then contracted axes of a, of
 * b, batch axes of a, of b. Result axes: batch, free axes of a, free axes of b, in their order.
 */
#ifndef SAROS_DOT_IMPL_H
#define SAROS_DOT_IMPL_H

#include "primitives/build_impl.h"

/** The axes of one operand by their role. */
typedef struct saros_dot_side {
    int batches, frees, contracts;
    int batch[SAROS_MAX_RANK], free[SAROS_MAX_RANK], contract[SAROS_MAX_RANK];
} saros_dot_side;

/** Reads the words for operand `which` (0 or 1) of rank `rank`. */
saros_dot_side saros_dot_read(const int64_t *word, int which, int rank);
/** out += the contraction of a and b that the words of a dot say. Floats. */
saros_status saros_dot_add(const int64_t *word, saros_tensor *a, saros_tensor *b,
                           saros_tensor *out);
saros_status saros_dot_evaluate(const saros_evaluation *evaluation);

#endif
