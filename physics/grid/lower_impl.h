/** Lowering: from the physics graph (rank 0) to values on the locations of a grid. */
#ifndef SAROS_GRID_LOWER_IMPL_H
#define SAROS_GRID_LOWER_IMPL_H

#include "plan_impl.h"
#include "saros/ops.h"

typedef struct saros_evaluator saros_evaluator;

/** One lowering: a graph with time, geometry, parameters and state, and what is known so far.
 */
typedef struct saros_lowering {
    const saros_grid_plan *plan;
    saros_graph *graph;
    saros_value t;                /**< scalar; SAROS_NONE if steady */
    const saros_value *lo, *h;    /**< per axis, scalars */
    const saros_value *parameter; /**< number parameters and fields, in the order of the inputs */
    const saros_value *own;       /**< own points of each unknown */
    saros_evaluator *evaluators;  /**< one per body */
    saros_status status;          /**< first error outside the graph: memory */
} saros_lowering;

/** Value of an output of a body at a place: full or partly broadcast shape of the place, or rank 0
 * where it does not vary. Errors poison. */
saros_value saros_lower(saros_lowering *l, const saros_body *body, int output,
                        const saros_place *place);
/** As saros_lower, broadcast to the place's shape. */
saros_value saros_lower_full(saros_lowering *l, const saros_body *body, int output,
                             const saros_place *place);
/** d(unknown k, t) at a place, from an explicit form: outputs rest, then masses. */
saros_value saros_lower_rate(saros_lowering *l, const saros_body *form, int unknown,
                             const saros_place *place);
/** Unknown k (or, from `unknowns` on, the field parameter of that input) at a place. */
saros_value saros_lower_field(saros_lowering *l, int input, const saros_place *place);
/** `v` over the place's shape. */
saros_value saros_place_fill(const saros_lowering *l, saros_value v, const saros_place *place);
/** Frees what the lowering knows (not the graph). */
void saros_lowering_end(saros_lowering *l);

#endif
