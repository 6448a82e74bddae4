/** Finite-difference stencils of orders 2 and 4 on an equidistant axis. */
#ifndef SAROS_GRID_STENCIL_IMPL_H
#define SAROS_GRID_STENCIL_IMPL_H

#include "saros/ops.h"

/** What a stencil approximates. */
typedef enum saros_stencil_kind {
    SAROS_CENTRED,   /**< first derivative at a location from locations whole steps away */
    SAROS_STAGGERED, /**< first derivative from locations half-steps away */
    SAROS_SECOND,    /**< second derivative, compact */
    SAROS_MEAN       /**< value from locations half-steps away */
} saros_stencil_kind;

typedef struct saros_stencil {
    int points, reach; /**< reach: half-steps of the outermost point */
    int power;         /**< of 1/h */
    int offset[5];     /**< half-steps, ascending, symmetric */
    double weight[5];
} saros_stencil;

const saros_stencil *saros_stencil_find(saros_stencil_kind kind, int order);
/** Applies along tensor axis `axis`: q has `extent + reach` locations there (or 1 if it does not
 * vary), the result `extent`. @param h spacing, scalar. */
saros_value saros_stencil_apply(const saros_stencil *stencil, saros_value q, int axis,
                                int64_t extent, saros_value h);

#endif
