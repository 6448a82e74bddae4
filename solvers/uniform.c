/** Values whose elements are all the same number by construction: a splat, and what pointwise rows,
 * views and broadcasts make of such, rebuilt on scalars. Numbers in a constant are not looked at.
 */
#include "uniform_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/primitive.h"

/** For a value made by a node: rebuilt on scalars where all operands are uniform. */
static saros_value of_node(saros_uniforms *known, saros_value v) {
    saros_node node = saros_graph_node(v.graph, v.id, NULL);
    saros_value scalar[3];
    if (node.operands < 1 || node.operands > 3) return SAROS_NONE;
    bool pointwise = node.row->flags & SAROS_POINTWISE, same = node.row->view && node.operands == 1;
    if (!pointwise && !same && node.row != &saros_row_broadcast) return SAROS_NONE;
    if (node.row->flags & SAROS_DISTINCT) return SAROS_NONE;
    int32_t operand[3]; /* building moves the node */
    memcpy(operand, node.operand, (size_t)node.operands * sizeof *operand);
    int operands = node.operands;
    for (int k = 0; k < operands; ++k) {
        scalar[k] = saros_uniform(known, (saros_value){v.graph, operand[k]});
        if (saros_is_none(scalar[k]) || saros_is_poisoned(scalar[k])) return scalar[k];
    }
    if (!pointwise) return scalar[0];
    node = saros_graph_node(v.graph, v.id, NULL);
    return saros_build(v.graph, node.row, &node.attributes, operands, scalar);
}

static saros_status make_room(saros_uniforms *known, int32_t id) {
    if (id < known->room) return SAROS_OK;
    int32_t room = 2 * id + 64;
    int32_t *larger = saros_reallocate(known->of, (size_t)room * sizeof *larger);
    if (!larger) return SAROS_ERR_MEMORY;
    memset(larger + known->room, 0, (size_t)(room - known->room) * sizeof *larger);
    known->of = larger;
    known->room = room;
    return SAROS_OK;
}

saros_value saros_uniform(saros_uniforms *known, saros_value v) {
    double number;
    if (saros_value_rank(v) == 0) return v;
    if (saros_value_is_splat(v, &number))
        return saros_scalar(v.graph, saros_value_dtype(v), number);
    if (make_room(known, v.id) != SAROS_OK) return saros_poison(v.graph);
    if (known->of[v.id] > 0) return (saros_value){v.graph, known->of[v.id] - 1};
    if (known->of[v.id] < 0) return SAROS_NONE;
    saros_value scalar = of_node(known, v);
    if (!saros_is_poisoned(scalar)) known->of[v.id] = saros_is_none(scalar) ? -1 : scalar.id + 1;
    return scalar;
}
