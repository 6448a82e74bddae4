/** From a plan to values in a graph: rate, residual, start, fields, expressions. */
#ifndef SAROS_GRID_ASSEMBLE_IMPL_H
#define SAROS_GRID_ASSEMBLE_IMPL_H

#include "plan_impl.h"

/** What everything on a grid is a function of, besides the state. */
typedef struct saros_grid_values {
    saros_value t;                /**< scalar; SAROS_NONE if steady */
    const saros_value *parameter; /**< number parameters and fields, as the problem's inputs */
    const saros_value *lo, *h;    /**< first coordinate and spacing per axis, scalars */
} saros_grid_values;

/** dy/dt of the packed state, from the explicit form: that of the inspection or a part of it
 * (terms_impl.h). */
saros_value saros_grid_rate(const saros_grid_plan *plan, saros_graph *graph,
                            const saros_grid_values *values, const saros_body *form,
                            saros_value state);
/** Residuals at own points, packed (steady problems). */
saros_value saros_grid_residual(const saros_grid_plan *plan, saros_graph *graph,
                                const saros_grid_values *values, saros_value state);
/** Packed initial state. */
saros_value saros_grid_start(const saros_grid_plan *plan, saros_graph *graph,
                             const saros_grid_values *values);
/** Packed state from fields on all nodes. */
saros_value saros_grid_restrict(const saros_grid_plan *plan, saros_graph *graph,
                                const saros_value *field);
/** Unknowns, then observables, on all nodes. */
void saros_grid_fields(const saros_grid_plan *plan, saros_graph *graph,
                       const saros_grid_values *values, saros_value state, saros_value *out);
/** Outputs of a body on all nodes, from fields of the unknowns on all nodes. */
void saros_grid_expression(const saros_grid_plan *plan, saros_graph *graph,
                           const saros_grid_values *values, const saros_value *field,
                           const saros_body *body, saros_value *out);

#endif
