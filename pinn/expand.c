/** Expansion: the markers d(e, axis) of a physics body removed by the chain rule.
 *
 *  With the unknowns and the derivatives seen so far as independent leaves, d(e, axis) is the
 * tangent of e when each leaf moves by its own derivative along axis (a new leaf) and the
 * coordinate of that axis by 1. What is left is pointwise in leaves D^alpha u_k, whatever
 * expression stood inside a marker; lower_network.c supplies the leaves.
 */
#include <string.h>

#include "lower_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/region.h"

/** An expansion in the making. */
typedef struct expander {
    saros_graph *graph;
    int unknowns, coordinates, axes;
    saros_value input[64]; /* of the source body */
    int leaves, room;
    saros_leaf *leaf;   /* the unknowns themselves, then their derivatives */
    saros_value *value; /* of each leaf */
} expander;

static saros_status add_leaf(expander *e, const saros_leaf *leaf, saros_value value) {
    if (e->leaves == e->room) {
        const int room = 2 * e->room + 16;
        saros_leaf *leaves = saros_reallocate(e->leaf, (size_t)room * sizeof *leaves);
        if (leaves) e->leaf = leaves;
        saros_value *values = saros_reallocate(e->value, (size_t)room * sizeof *values);
        if (values) e->value = values;
        if (!leaves || !values) return SAROS_ERR_MEMORY;
        e->room = room;
    }
    e->leaf[e->leaves] = *leaf;
    e->value[e->leaves++] = value;
    return SAROS_OK;
}

/** The leaf one derivative further along `axis`, made if new. */
static saros_status derived_leaf(expander *e, int of, int axis, saros_value *out) {
    saros_leaf leaf = e->leaf[of];
    ++leaf.order[axis];
    for (int k = 0; k < e->leaves; ++k)
        if (!memcmp(&e->leaf[k], &leaf, sizeof leaf)) {
            *out = e->value[k];
            return SAROS_OK;
        }
    const saros_type type = saros_type_scalar(SAROS_F64);
    *out = saros_input(e->graph, &type, NULL);
    return add_leaf(e, &leaf, *out);
}

/** d(inside, axis): the tangent when all leaves and the coordinate move along the axis. */
static saros_status expand_marker(expander *e, saros_value inside, int axis, saros_value *out) {
    saros_status status = SAROS_OK;
    const int leaves = e->leaves;
    const size_t count = (size_t)leaves + 1;
    saros_value *in = saros_allocate(2 * count * sizeof *in), *tangent = in ? in + count : NULL;
    bool *depends = saros_allocate(count * sizeof *depends);
    int ins = 0;
    if (!in || !depends) SAROS_TRY(SAROS_ERR_MEMORY);
    memcpy(in, e->value, (size_t)leaves * sizeof *in);
    saros_depends(1, &inside, leaves, in, depends);
    for (int k = 0; k < leaves; ++k) {
        if (!depends[k]) continue;
        SAROS_TRY(derived_leaf(e, k, axis, &tangent[ins]));
        in[ins++] = e->value[k];
    }
    const int coordinate = axis == SAROS_TIME_AXIS ? e->axes : axis;
    if (coordinate < e->coordinates) {
        in[ins] = e->input[e->unknowns + coordinate];
        tangent[ins++] = saros_like(inside, 1);
    }
    saros_jvp(1, &inside, ins, in, tangent, out);
    *out = saros_instantiate(*out, inside);
done:
    saros_release(in);
    saros_release(depends);
    return status;
}

/** Copies the nodes of the source with markers expanded; `map` by value id. */
static saros_status expand_nodes(expander *e, const saros_graph *source, saros_value *map) {
    const int32_t count = saros_graph_count(source);
    saros_value operand[64];
    for (int32_t id = 0; id < count;) {
        const saros_node node = saros_graph_node(source, id, NULL);
        if (node.operands > 64)
            return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                              "%s with %d operands in an equation", node.row->name, node.operands);
        for (int k = 0; k < node.operands; ++k) operand[k] = map[node.operand[k]];
        saros_graph_locate(e->graph, node.file, node.line);
        if (node.row == &saros_row_derivative) {
            const saros_status status =
                expand_marker(e, operand[0], (int)node.attributes.word[0], &map[id]);
            if (status != SAROS_OK) return status;
        } else if (node.row != &saros_row_input) {
            map[id] = saros_build(e->graph, node.row, &node.attributes, node.operands, operand);
            for (int k = 1; k < node.outputs; ++k) map[id + k] = saros_output(map[id], k);
        }
        id += node.outputs;
    }
    return SAROS_OK;
}

static saros_status expand_inputs(expander *e, const saros_body *source, saros_value *map) {
    saros_status status = SAROS_OK;
    const int inputs = saros_body_inputs(source);
    if (inputs > 64)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "%d unknowns, coordinates and parameters, at most 64", inputs);
    for (int k = 0; k < inputs; ++k) {
        const saros_value old = saros_body_input(source, k);
        const saros_type type = *saros_value_type(old);
        e->input[k] = map[old.id] = saros_input(e->graph, &type, saros_value_name(old));
        if (k < e->unknowns) SAROS_TRY(add_leaf(e, &(saros_leaf){.unknown = k}, e->input[k]));
    }
done:
    return status;
}

saros_status saros_expand(const saros_body *source, int unknowns, int coordinates, int axes,
                          saros_expansion *out) {
    saros_status status = SAROS_OK;
    const saros_graph *from = saros_body_graph(source);
    const int outputs = saros_body_outputs(source);
    saros_graph *outer = NULL;
    saros_body *body = NULL;
    expander e = {.unknowns = unknowns, .coordinates = coordinates, .axes = axes};
    saros_value *map = saros_allocate((size_t)saros_graph_count(from) * sizeof *map);
    saros_value *output = saros_allocate((size_t)outputs * sizeof *output);
    if (!map || !output) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_graph_make(&outer));
    e.graph = saros_body_open(outer);
    if (!e.graph) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(expand_inputs(&e, source, map));
    SAROS_TRY(expand_nodes(&e, from, map));
    for (int k = 0; k < outputs; ++k) output[k] = map[saros_body_output(source, k).id];
    saros_graph *closing = e.graph;
    e.graph = NULL;
    SAROS_TRY(saros_body_close(closing, outputs, output, &body, NULL));
    const int derivatives = e.leaves - unknowns;
    memmove(e.leaf, e.leaf + unknowns, (size_t)derivatives * sizeof *e.leaf);
    *out = (saros_expansion){.body = body, .leaves = derivatives, .leaf = e.leaf};
    e.leaf = NULL;
done:
    saros_graph_release(e.graph);
    saros_graph_release(outer);
    saros_release(e.leaf);
    saros_release(e.value);
    saros_release(map);
    saros_release(output);
    return status;
}

void saros_expansion_clear(saros_expansion *expansion) {
    saros_body_release(expansion->body);
    saros_release(expansion->leaf);
    *expansion = (saros_expansion){0};
}
