/** What a reverse sweep keeps besides states: results of costly rows.
 *
 *  A transposed step computes its step anew. Where that takes an iteration to convergence, as a
 * root does, the sweep would cost as much as the run before it even turns round. So the results
 * of such rows (SAROS_COSTLY) that hang on no cotangent are taken out of the transposed step: the
 * loop that keeps states stacks them too, and the step gets them as inputs.
 *
 *  Only for sweeps that keep all states; where states are computed again, so are these. */
#include "loop_impl.h"

#include "saros/memory.h"

enum { HANGS = 1, NEEDED = 2 }; /* on a cotangent; by what is computed from it */

/** Marks what hangs on inputs of the body from `known` on. */
static void mark_hanging(const saros_body *step, int known, uint8_t *mark) {
    const saros_graph *graph = saros_body_graph(step);
    for (int k = known; k < saros_body_inputs(step); ++k)
        mark[saros_body_input(step, k).id] |= HANGS;
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        saros_node node = saros_graph_node(graph, id, NULL);
        for (int k = 0; k < node.operands; ++k) mark[id] |= mark[node.operand[k]] & HANGS;
    }
}

static bool is_costly(const saros_graph *graph, int32_t id, uint8_t mark) {
    saros_value v = {(saros_graph *)(uintptr_t)graph, id};
    return (saros_graph_node(graph, id, NULL).row->flags & SAROS_COSTLY) && !(mark & HANGS) &&
           saros_dtype_is_float(saros_value_dtype(v));
}

/** The costly results that the step needs, in the order of their ids; returns their number. */
static int find_costly(const saros_body *step, uint8_t *mark, saros_value *found) {
    saros_graph *graph = saros_body_graph(step);
    int count = 0;
    for (int m = 0; m < saros_body_outputs(step); ++m)
        mark[saros_body_output(step, m).id] |= NEEDED;
    for (int32_t id = saros_graph_count(graph); id-- > 0;) {
        if (!(mark[id] & NEEDED)) continue;
        if (is_costly(graph, id, mark[id])) {
            found[count++] = (saros_value){graph, id};
            continue;
        }
        saros_node node = saros_graph_node(graph, id, NULL);
        for (int k = 0; k < node.operands; ++k) mark[node.operand[k]] |= NEEDED;
    }
    return count;
}

/** `in` and `out` of the body of a step. */
static void list_ends(const saros_body *step, saros_value *in, saros_value *out) {
    for (int k = 0; k < saros_body_inputs(step); ++k) in[k] = saros_body_input(step, k);
    for (int m = 0; m < saros_body_outputs(step); ++m) out[m] = saros_body_output(step, m);
}

saros_status ad_split_costly(int known, saros_body **step, saros_body **kept) {
    saros_graph *graph = saros_body_graph(*step);
    const int ins = saros_body_inputs(*step), outs = saros_body_outputs(*step);
    const int32_t values = saros_graph_count(graph);
    saros_body *rest = NULL, *taken = NULL;
    saros_status status = SAROS_OK;
    uint8_t *mark = saros_allocate_zero((size_t)values, 1);
    saros_value *in = ad_values(ins + outs + values);
    if (!mark || !in) SAROS_TRY(SAROS_ERR_MEMORY);
    saros_value *found = in + ins, *out = found + values; /* inputs and what is found in a row */
    list_ends(*step, in, out);
    mark_hanging(*step, known, mark);
    int count = saros_body_captures(*step) ? 0 : find_costly(*step, mark, found);
    if (!count) goto done;
    SAROS_TRY(saros_body_extract(graph, known, in, count, found, &taken, NULL));
    SAROS_TRY(saros_body_extract(graph, ins + count, in, outs, out, &rest, NULL));
    saros_body_release(*step);
    *step = rest;
    *kept = taken;
    taken = NULL;
done:
    saros_body_release(taken);
    saros_release(mark);
    saros_release(in);
    return status;
}
