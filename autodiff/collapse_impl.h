/** One pass over the graph with a fixed set of streams per value: what the collapsed operators
 * share. Stream 0 … d-1 of every value are its derivatives along d directions, the last is the
 * operator; what lies between is the operator's own. */
#ifndef SAROS_COLLAPSE_IMPL_H
#define SAROS_COLLAPSE_IMPL_H

#include "node_impl.h"

/** One node: streams of its operands in `in`, of its outputs in `out` (NONE at first), `stride`
 * each. */
typedef struct ad_collapse {
    const saros_rule *rule;
    int d, stride;
    int sum; /**< stream that the operator makes of others, or -1 */
    const saros_value *in;
    saros_value *out, *scratch; /**< room for 3 (ins + outs) values */
    bool *moving;               /**< per operand: has a first derivative */
    int count, last;            /**< operands that move; the last of them */
} ad_collapse;

/** Fills `out`; false: the operator has no form for this node. */
typedef bool (*ad_collapse_fn)(const ad_collapse *node);

/** The last stream of y when x starts with the directions `seed`; NONE if a node was refused. */
saros_value ad_collapse_pass(saros_value y, saros_value x, int d, const saros_value *seed,
                             int stride, int sum, ad_collapse_fn node);
/** Every stream but `sum` by the jvp of the node. */
void ad_collapse_first_order(const ad_collapse *node);
/** out[stream] of output m += weight term; the term may be NONE. */
void ad_collapse_add(const ad_collapse *node, int m, int stream, double weight, saros_value term);
/** Adds f(A, B) to the sums of the outputs, A and B being streams a and b of the operands of two
 * sets in which the row is bilinear. */
void ad_collapse_term(const ad_collapse *node, const saros_operand_set set[2], int a, int b,
                      saros_value *sum);
/** Adds weight f(A, B) to a stream. */
void ad_collapse_cross(const ad_collapse *node, const saros_operand_set set[2], int a, int b,
                       int stream, double weight);
/** x (n,d) and y (n) or (n,k) as the operators want them. */
saros_status ad_collapse_check(const char *where, saros_value y, saros_value x);
/** The numbers `row` in every row of x. */
saros_value ad_collapse_row(saros_value x, const double *row);
/** Unit vectors of every axis in every row of x: d values to release; NULL with the error recorded.
 */
saros_value *ad_collapse_axes(saros_value x);

#endif
