/** Pieces: a value as its parts and where each of its elements lies in them. */
#include "pieces_impl.h"

#include <string.h>

#include "moves_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"

enum { MOST_PIECES = 64 };

void saros_pieces_clear(saros_pieces *pieces) {
    saros_release(pieces->id);
    saros_release(pieces->element);
    *pieces = (saros_pieces){0};
}

static int64_t size_of(saros_graph *graph, int32_t id) {
    return saros_type_count(saros_value_type((saros_value){graph, id}));
}

/** The operands of piece k, made by `node`, in its place. */
static saros_status replace(saros_graph *graph, saros_pieces *p, int64_t elements, int k,
                            const saros_node *node, const saros_moves *moves) {
    int more = node->operands - 1;
    int64_t first = 0, size = size_of(graph, p->id[k]), inner = 0;
    int32_t *id = saros_reallocate(p->id, (size_t)(p->count + more) * sizeof *id);
    if (!id) return SAROS_ERR_MEMORY;
    p->id = id;
    for (int before = 0; before < k; ++before) first += size_of(graph, id[before]);
    for (int o = 0; o < node->operands; ++o) inner += size_of(graph, node->operand[o]);
    for (int64_t i = 0; i < elements; ++i) {
        int64_t at = p->element[i] - first;
        if (at >= size)
            p->element[i] += (int32_t)(inner - size);
        else if (at >= 0)
            p->element[i] = (int32_t)first + moves->source[moves->start[at]];
    }
    memmove(id + k + more + 1, id + k + 1, (size_t)(p->count - k - 1) * sizeof *id);
    for (int o = 0; o <= more; ++o) id[k + o] = node->operand[o];
    p->count += more;
    return SAROS_OK;
}

static bool arranges(const saros_primitive *row) {
    return row == &saros_row_reshape || row == &saros_row_permute || row == &saros_row_concat ||
           row == &saros_row_reverse;
}

saros_status saros_pieces_find(saros_value y, saros_pieces *out) {
    saros_status status = SAROS_OK;
    saros_moves moves = {0};
    int64_t n = size_of(y.graph, y.id);
    out->id = saros_allocate(sizeof *out->id);
    out->element = saros_allocate((size_t)(n + 1) * sizeof *out->element);
    if (!out->id || !out->element) return SAROS_ERR_MEMORY;
    out->id[0] = y.id;
    out->count = 1;
    for (int64_t i = 0; i < n; ++i) out->element[i] = (int32_t)i;
    for (int k = 0; k < out->count;) {
        saros_node node = saros_graph_node(y.graph, out->id[k], NULL);
        bool found = arranges(node.row) && out->count + node.operands <= MOST_PIECES;
        if (found) SAROS_TRY(saros_moves_find(y.graph, &node, &moves, &found));
        if (found)
            SAROS_TRY(replace(y.graph, out, n, k, &node, &moves));
        else
            ++k;
        saros_moves_clear(&moves);
    }
done:
    saros_moves_clear(&moves);
    return status;
}
