/** Plain reachability: whether a value is computed from another, by whatever rows and dtypes. (The
 * modes of differentiation use the finer pass of walk.c, which ends at what carries no tangent.) */
#include "saros/autodiff.h"
#include "saros/memory.h"

/** Marks, backwards from `last`, all that the marked values are computed from. */
static void mark_sources(const saros_graph *graph, int32_t last, uint8_t *mark) {
    for (int32_t id = last; id-- > 0;) {
        if (!mark[id]) continue;
        saros_node node = saros_graph_node(graph, id, NULL);
        for (int k = 0; k < node.operands; ++k) mark[node.operand[k]] = 1;
    }
}

void saros_depends(int outs, const saros_value *out, int ins, const saros_value *in,
                   bool *depends) {
    for (int k = 0; k < ins; ++k) depends[k] = false;
    saros_graph *graph = saros_graph_of(ins, in);
    if (!graph) return;
    int32_t last = 0;
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == graph && out[k].id >= last) last = out[k].id + 1;
    uint8_t *mark = saros_allocate_zero((size_t)last + 1, 1);
    if (!mark) { /* what cannot be excluded is possible */
        for (int k = 0; k < ins; ++k) depends[k] = true;
        return;
    }
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == graph && out[k].id >= 0) mark[out[k].id] = 1;
    mark_sources(graph, last, mark);
    for (int k = 0; k < ins; ++k)
        depends[k] = in[k].graph == graph && in[k].id >= 0 && in[k].id < last && mark[in[k].id];
    saros_release(mark);
}
