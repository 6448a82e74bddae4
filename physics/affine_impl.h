/** Splitting pointwise values into a part linear in chosen values and a rest. */
#ifndef SAROS_AFFINE_IMPL_H
#define SAROS_AFFINE_IMPL_H

#include "saros/graph.h"

/** A split of outputs r_k = sum_j c_kj q_j + rest_k. */
typedef struct saros_affine {
    saros_body *body; /**< inputs of the source; outputs rest_k, then c_kj at outputs + k * targets
                         + j; constants 0 where absent */
    bool *depends;    /**< [k * targets + j]; release with saros_release */
} saros_affine;

/** @param target ids of the values q_j in the body's graph (held independent of one another).
 *  Errors: UNSUPPORTED naming the row that is not affine in them. */
saros_status saros_affine_split(const saros_body *source, int targets, const int32_t *target,
                                saros_affine *out);

#endif
