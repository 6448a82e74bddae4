/** extend: the one place that knows neighbours. Own points plus ghosts, from the periodic image or
 * the boundary conditions (later: from the neighbour rank). Everything a grid derivative reads
 * comes from here; its transpose adds.
 *
 *  Nodes of a bounded axis are x_0 … x_n (ends included), of a periodic axis x_0 … x_{n-1}. A side
 * with a pure value condition (b = 0) has its end node *given*: it is not an own point, extend puts
 * it back. All other sides own their end node.
 */
#ifndef SAROS_EXTEND_H
#define SAROS_EXTEND_H

#include "saros/ops.h"

typedef enum saros_side_kind {
    SAROS_SIDE_PERIODIC,  /**< both sides of the axis */
    SAROS_SIDE_CONDITION, /**< a u + b du/dn = v, n the outward normal */
    SAROS_SIDE_FREE       /**< no condition: ghosts by extrapolation */
} saros_side_kind;

typedef struct saros_side {
    saros_side_kind kind;
    bool given;       /**< value condition: the end node is not an own point */
    saros_value a, b; /**< scalars or the side's shape; b SAROS_NONE for a value condition, a
                         SAROS_NONE for a pure slope */
    saros_value v;    /**< scalar, or the shape of u without `axis` */
} saros_side;

/** Own points of an axis with `nodes` nodes between these sides. */
SAROS_API int64_t saros_extend_own(int64_t nodes, const saros_side *lo, const saros_side *hi);

/** u on its own points -> u on all nodes plus `width` ghosts on either side (extent nodes + 2 width
 * along `axis`). Ghosts come from a polynomial through the nearest nodes that satisfies the side's
 * condition, of the degree with which a stencil of that order is stable and keeps its order:
 * `order` with a slope, order - 1 (at least 2) through a given value or without condition.
 * @param h node spacing, scalar value. Poisoned with SHAPE if the axis has too few nodes for the
 * order. */
SAROS_API saros_value saros_extend(saros_value u, int axis, int64_t width, int order, saros_value h,
                                   const saros_side *lo, const saros_side *hi);

#endif
