/** Whether a derivative by a value that is computed from others says what its caller thinks.
 *
 *  Values to differentiate by are held to be independent, so what the result owes to their
 * ancestors by other ways does not count. Equal nodes are one and algebra folds while a graph is
 * built
 *  (-(-x) is x), hence nobody sees which ways there are: in v = -x, y = sin(-v) the result does not
 *  hang on v at all. Such a derivative is refused; saros_alias gives a value an identity that
 * nothing looks through, and what is computed from the alias hangs on it.
 *
 *  Refused: an input of the graph feeds both a value of `in` that is neither an input nor an alias,
 *  and the result by a way that meets no value of `in`. */
#include "node_impl.h"
#include "walk_impl.h"

#include "saros/memory.h"
#include "saros/rows.h"

enum { STOP = 1, RESULT = 2, ANCESTOR = 4 };

static bool carries(saros_graph *graph, int32_t id) {
    return saros_dtype_is_float(saros_value_dtype((saros_value){graph, id}));
}

/** Whether nothing can be folded into the value or be found through it. */
static bool has_identity(saros_value v) {
    saros_node node = saros_graph_node(v.graph, v.id, NULL);
    return node.operands == 0 || (node.row->flags & SAROS_DISTINCT);
}

static void spread(saros_graph *graph, int32_t id, uint8_t *mark, uint8_t bit) {
    saros_node node = saros_graph_node(graph, id, NULL);
    if (node.row->flags & SAROS_CONSTANT) return;
    for (int k = 0; k < node.operands; ++k)
        if (carries(graph, node.operand[k])) mark[node.operand[k]] |= bit;
}

/** An input of both kinds, or -1. */
static int32_t shared_input(saros_graph *graph, int32_t count, uint8_t *mark) {
    for (int32_t id = count; id-- > 0;) {
        uint8_t bits = mark[id] & (RESULT | ANCESTOR);
        if (!bits || (mark[id] & STOP)) continue;
        saros_node node = saros_graph_node(graph, id, NULL);
        if (bits == (RESULT | ANCESTOR) && node.row == &saros_row_input) return id;
        if (bits & RESULT) spread(graph, id, mark, RESULT);
        if (bits & ANCESTOR) spread(graph, id, mark, ANCESTOR);
    }
    return -1;
}

static saros_status refuse(const char *where, int k, saros_value shared) {
    const char *name = saros_value_name(shared);
    return saros_fail(SAROS_ERR_USAGE, where,
                      "differentiate by saros_alias(value), and compute from the alias what shall "
                      "hang on it; or differentiate by the input",
                      "value %d to differentiate by is computed from input %s%s%s, on which the "
                      "result depends by other ways too",
                      k, name[0] ? "'" : "", name[0] ? name : "of the graph", name[0] ? "'" : "");
}

saros_status ad_independent(const char *where, int outs, const saros_value *out, int ins,
                            const saros_value *in) {
    saros_graph *graph = saros_graph_of(ins, in);
    int derived = -1;
    int32_t count = 0;
    for (int k = 0; k < ins; ++k) {
        if (saros_is_none(in[k]) || in[k].id < 0 || in[k].graph != graph) continue;
        if (!has_identity(in[k]) && carries(graph, in[k].id)) derived = k;
        if (in[k].id >= count) count = in[k].id + 1;
    }
    if (derived < 0) return SAROS_OK;
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == graph && out[k].id >= count) count = out[k].id + 1;
    uint8_t *mark = saros_allocate_zero((size_t)count, 1);
    if (!mark) return SAROS_ERR_MEMORY;
    for (int k = 0; k < ins; ++k)
        if (!saros_is_none(in[k]) && in[k].id >= 0 && in[k].graph == graph) mark[in[k].id] |= STOP;
    for (int k = 0; k < ins; ++k)
        if (!saros_is_none(in[k]) && in[k].id >= 0 && in[k].graph == graph && !has_identity(in[k]))
            spread(graph, in[k].id, mark, ANCESTOR);
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == graph && out[k].id >= 0) mark[out[k].id] |= RESULT;
    int32_t shared = shared_input(graph, count, mark);
    saros_release(mark);
    return shared < 0 ? SAROS_OK : refuse(where, derived, (saros_value){graph, shared});
}
