/** Contraction: a product that feeds a sum becomes fma, rounded once.
 *
 *  All backends run the contracted program and none contracts by itself, so that they agree bit for
 * bit, however they group operations:
 *      a*b + c -> fma(a, b, c),   a*b - c -> fma(a, b, -c),   c - a*b -> fma(-a, b, c).
 *  Of two products the older one goes in; the product stays where it has other uses. m + m and
 * m - m are exact as they stand. Integers are exact anyway and stay, bodies of loops are contracted
 * when they are compiled themselves.
 */
#include "rewrite_impl.h"
#include "saros/ops.h"
#include "saros/rows.h"

static const saros_graph_record *product(saros_value v) {
    const saros_graph_record *r = saros_graph_maker(v.graph, v.id);
    return r->row == &saros_row_mul ? r : NULL;
}

saros_value saros_contract(const saros_primitive *row, const saros_value *in) {
    if (row != &saros_row_add && row != &saros_row_sub) return SAROS_NONE;
    if (in[0].id < 0 || in[1].id < 0 || in[0].id == in[1].id) return SAROS_NONE;
    if (!saros_dtype_is_float(saros_value_dtype(in[0]))) return SAROS_NONE;
    const saros_graph_record *first = product(in[0]), *second = product(in[1]);
    if (!first && !second) return SAROS_NONE;
    int k = first && (!second || in[0].id < in[1].id) ? 0 : 1;
    const saros_graph_record *r = k == 0 ? first : second;
    saros_value a = {in[0].graph, r->operand[0]}, b = {in[0].graph, r->operand[1]};
    saros_value c = in[1 - k];
    if (row == &saros_row_add) return saros_fma(a, b, c);
    if (k == 0) return saros_fma(a, b, saros_neg(c));
    /* A constant takes the sign at no cost. */
    if (saros_graph_splat(b.graph, b.id)) return saros_fma(a, saros_neg(b), c);
    return saros_fma(saros_neg(a), b, c);
}
