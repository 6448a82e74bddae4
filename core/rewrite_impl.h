/** Copies of a body in which nodes are rewritten: what the passes of the compiler share.
 *
 *  A body is read as a window on a graph: the ids of inputs and outputs. The graph may hold more
 * than the body needs.
 */
#ifndef SAROS_REWRITE_IMPL_H
#define SAROS_REWRITE_IMPL_H

#include "graph_impl.h"

/** What stands for `row` of `in`, appended to the graph of `in`; SAROS_NONE: the row itself. Asked
 * for pointwise rows only. */
typedef saros_value saros_rewrite_rule(const saros_primitive *row, const saros_value *in);

/** The copy of `body` in which `rule` has been applied to every live pointwise node, in id order.
 */
saros_status saros_rewrite(const saros_body *body, saros_rewrite_rule *rule, saros_body **out);

/** a*b + c and its relatives in one rounding (contract.c). */
saros_value saros_contract(const saros_primitive *row, const saros_value *in);

/** The copy of `body` in which loops that others contain are gone (merge_loops.c); NULL where there
 * is nothing to do. */
saros_status saros_merge_loops(const saros_body *body, saros_body **out);

/** The copy of `body` in which loops repeat and sum inside what they are given repeated and give to
 * be summed (narrow_loops.c); NULL where there is nothing to do. */
saros_status saros_narrow_loops(const saros_body *body, saros_body **out);

/** The copy of `body` in which sums of pads, the transposes of stencils, are slices of arrays with
 * ghosts (join_windows.c); NULL where there is nothing to do. */
saros_status saros_join_windows(const saros_body *body, saros_body **out);

/** The copy of `body` in which windows of cheap values are computed from windows (push_windows.c);
 * NULL where there is nothing to do. */
saros_status saros_push_windows(const saros_body *body, saros_body **out);

/** The copy of `body` after merge_loops, narrow_loops, join_windows, push_windows and contraction,
 * in this order: what every body goes through first, on all backends alike, so that its sums round
 * the same everywhere. */
saros_status saros_simplify(const saros_body *body, saros_body **out);

/** The copy of `body`, which is contracted, with invariants of loops before them (hoist.c); NULL if
 * it has no loops. */
saros_status saros_hoist(const saros_body *body, saros_body **out);

/* ---- for passes that order nodes themselves ---- */

/** Marks the records that the outputs need and ordered ones, unless these hang on an input that
 * the body does not have. USAGE: an output needs such an input. */
saros_status saros_rewrite_mark(const saros_body *body, bool *live);
/** Declares the inputs of `body` in `to`; `map` leads from its values to those of `to`. */
void saros_rewrite_declare(const saros_body *body, saros_graph *to, int32_t *map);
/** Appends the copy of `r`, or what `rule` (may be NULL) makes of it, and notes it in `map`; `in`
 * has room for its operands. */
void saros_rewrite_copy(saros_graph *to, const saros_graph_record *r, int32_t *map, saros_value *in,
                        saros_rewrite_rule *rule);
/** Closes `to` (consumed) with the outputs of `body` led through `map`. */
saros_status saros_rewrite_close(const saros_body *body, saros_graph *to, const int32_t *map,
                                 saros_body **out);
/** Most operands of a node, at least 1. */
int32_t saros_rewrite_operands(const saros_graph *graph);

#endif
