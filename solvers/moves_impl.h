/** Rows whose elements are sums of elements of their operands: where these come from. */
#ifndef SAROS_MOVES_IMPL_H
#define SAROS_MOVES_IMPL_H

#include "saros/graph.h"

/** Element e of the result reads source[start[e]] … source[start[e + 1] - 1]: elements of the
 * operands, numbered one operand after the other. */
typedef struct saros_moves {
    int64_t count, *start;
    int32_t *source;
    double *weight; /**< of each source; NULL: all 1 */
    bool
        sums; /**< the result is the weighted sum of its sources; else only some function of them */
} saros_moves;

/** Fills `out`, to be cleared by saros_moves_clear, and says whether the node is such a row:
 * slices, pads, shifts, permutations, gathers and scatters with a constant index, sums, weighted
 * sums along an axis; extremes too, with `sums` false. */
saros_status saros_moves_find(saros_graph *graph, const saros_node *node, saros_moves *out,
                              bool *found);
void saros_moves_clear(saros_moves *moves);

#endif
