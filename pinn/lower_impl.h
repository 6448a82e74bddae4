/** Inside of the network method: from a body of the physics graph to values on a batch of points.
 */
#ifndef SAROS_LOWER_IMPL_H
#define SAROS_LOWER_IMPL_H

#include "ansatz_impl.h"

/** A derivative of an unknown: order[a] times along axis a (SAROS_TIME_AXIS: t). */
typedef struct saros_leaf {
    int unknown;
    int order[SAROS_AXES];
} saros_leaf;

/** A physics body without markers: inputs are those of the source, then `leaves` derivatives. */
typedef struct saros_expansion {
    saros_body *body;
    int leaves;
    saros_leaf *leaf;
} saros_expansion;

/** Removes the markers of `source` (inputs of the equation, of which `unknowns` unknowns and
 * `coordinates` coordinates come first) by the chain rule. Errors: those of differentiation. */
saros_status saros_expand(const saros_body *source, int unknowns, int coordinates, int axes,
                          saros_expansion *out);
void saros_expansion_clear(saros_expansion *expansion);

/** Outputs of the expansions, one after the other, at points. @param coordinate columns f64 (n)
 * @param parameter scalars @param out (n) each. Errors poison the graph. */
void saros_network_lower(const saros_ansatz *ansatz, saros_value weights,
                         const saros_value *coordinate, const saros_value *parameter,
                         int expansions, const saros_expansion *expansion, saros_value *out);

#endif
