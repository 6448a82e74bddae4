/** Inlining: the nodes of a body copied into another graph, its inputs replaced by values there;
 * and its inverse, extraction of part of a graph into a body.
 *
 *  Copies what the outputs need and what is ordered, in id order, through the ordinary append, so
 * that copies merge and fold. Fences of the body become new fences; a loop that contains another
 * follows it. */
#include "graph_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/region.h"
#include "region_impl.h"

typedef struct copying {
    saros_graph *to;
    const saros_graph *from;
    int32_t *map;   /* value of `from` -> value of `to`, -1 not yet */
    int32_t *fence; /* fence of `from` -> fence of `to`, 0 not yet */
    int32_t *ids;   /* operands of the node being copied */
    bool *live;     /* per record */
} copying;

/** From the records already marked back to what they need, values that have a place in `map`
 * excepted; `ordered`: ordered records are live too. */
static void mark_live(copying *c, bool ordered) {
    for (int32_t n = c->from->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(c->from, n);
        saros_attributes attributes = saros_record_attributes(r);
        if (ordered && saros_node_is_ordered(r->row, &attributes)) c->live[n] = true;
        if (!c->live[n]) continue;
        for (int32_t k = 0; k < r->operands; ++k)
            if (c->map[r->operand[k]] < 0) c->live[c->from->owner[r->operand[k]]] = true;
    }
}

static int32_t append_copy(copying *c, const saros_graph_record *r) {
    int64_t word[SAROS_LOOP_WORDS];
    saros_attributes attributes = saros_record_attributes(r);
    if (r->row == &saros_row_loop && r->word[SAROS_LOOP_CONTAINS] >= 0) {
        memcpy(word, r->word, sizeof word);
        word[SAROS_LOOP_CONTAINS] = c->map[r->word[SAROS_LOOP_CONTAINS]];
        attributes.word = word;
    }
    for (int32_t k = 0; k < r->operands; ++k) c->ids[k] = c->map[r->operand[k]];
    int32_t outside = c->to->fence;
    if (r->fence) {
        if (!c->fence[r->fence]) c->fence[r->fence] = ++c->to->fences;
        c->to->fence = c->fence[r->fence];
    }
    int32_t id = saros_graph_append(c->to, r->row, &attributes, r->operands, c->ids);
    c->to->fence = outside;
    return id;
}

static saros_status copy_nodes(copying *c) {
    const char *file = c->to->file;
    int line = c->to->line;
    saros_status status = SAROS_OK;
    for (int32_t n = 0; n < c->from->records && status == SAROS_OK; ++n) {
        const saros_graph_record *r = saros_graph_at(c->from, n);
        if (!c->live[n]) continue;
        if (r->row == &saros_row_input) {
            if (c->map[r->output] < 0)
                c->map[r->output] =
                    saros_graph_resolve(c->to, (saros_value){(saros_graph *)c->from, r->output});
            if (c->map[r->output] < 0) status = saros_error_last()->status;
            continue;
        }
        if (r->file[0]) saros_graph_locate(c->to, r->file, r->line);
        int32_t id = append_copy(c, r);
        if (id < 0) {
            saros_error_locate(c->to->file, c->to->line);
            status = saros_error_last()->status;
        }
        for (int32_t k = 0; k < r->outputs; ++k) {
            int32_t *to = &c->map[r->output + k];
            if (*to < 0) *to = id < 0 ? -1 : id + k;
        }
    }
    c->to->file = file;
    c->to->line = line;
    return status;
}

static saros_status map_inputs(copying *c, const saros_body *body, const saros_value *input) {
    for (int k = 0; k < body->inputs; ++k) {
        int32_t id = saros_graph_resolve(c->to, input[k]);
        if (id < 0) return saros_error_last()->status;
        saros_type got = *c->to->type[id], needed = *c->from->type[body->input[k]];
        /* Split may differ: a body traced for one rank's part serves the whole too. */
        got.split = needed.split;
        if (!saros_type_equal(&got, &needed)) {
            char a[128], b[128];
            return saros_fail(
                SAROS_ERR_SHAPE, "saros_inline", NULL, "input %d of the body got %s, needed %s",
                k + 1, saros_type_text(&got, a, sizeof a), saros_type_text(&needed, b, sizeof b));
        }
        c->map[body->input[k]] = id;
    }
    return SAROS_OK;
}

static int32_t most_operands(const saros_graph *graph) {
    int32_t most = 1;
    for (int32_t n = 0; n < graph->records; ++n)
        if (saros_graph_at(graph, n)->operands > most) most = saros_graph_at(graph, n)->operands;
    return most;
}

static saros_status copying_open(copying *c, saros_graph *to, const saros_graph *from) {
    *c = (copying){.to = to, .from = from};
    c->map = saros_allocate((size_t)from->values * sizeof *c->map);
    c->fence = saros_allocate_zero((size_t)from->fences + 1, sizeof *c->fence);
    c->ids = saros_allocate((size_t)most_operands(from) * sizeof *c->ids);
    c->live = saros_allocate_zero((size_t)from->records, sizeof *c->live);
    if (!c->map || !c->fence || !c->ids || !c->live) return SAROS_ERR_MEMORY;
    for (int32_t k = 0; k < from->values; ++k) c->map[k] = -1;
    return SAROS_OK;
}

static void copying_close(copying *c) {
    saros_release(c->map);
    saros_release(c->fence);
    saros_release(c->ids);
    saros_release(c->live);
}

static saros_status inline_body(saros_graph *graph, const saros_body *body,
                                const saros_value *input, saros_value *output) {
    copying c;
    saros_status status;
    SAROS_TRY(copying_open(&c, graph, body->graph));
    SAROS_TRY(map_inputs(&c, body, input));
    for (int k = 0; k < body->outputs; ++k)
        if (c.map[body->output[k]] < 0) c.live[c.from->owner[body->output[k]]] = true;
    mark_live(&c, true);
    SAROS_TRY(copy_nodes(&c));
    for (int k = 0; k < body->outputs; ++k)
        output[k] = (saros_value){graph, c.map[body->output[k]]};
done:
    copying_close(&c);
    return status;
}

void saros_inline(saros_graph *graph, const saros_body *body, const saros_value *input,
                  saros_value *output) {
    if (!graph) return;
    if (inline_body(graph, body, input, output) == SAROS_OK) return;
    saros_value poisoned = saros_poison(graph);
    for (int k = 0; k < body->outputs; ++k) output[k] = poisoned;
}

/** Copies what `output` needs beyond `input` into `inner`; `result` receives its values there. */
static saros_status extract(saros_graph *graph, saros_graph *inner, int inputs,
                            const saros_value *input, int outputs, const saros_value *output,
                            saros_value *result) {
    copying c = {0};
    saros_status status;
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(copying_open(&c, inner, graph));
    for (int k = 0; k < inputs; ++k) {
        saros_value v = input[k];
        if (v.graph != graph) {
            status = saros_fail(SAROS_ERR_USAGE, "saros_body_extract", NULL,
                                "input %d is no value of the graph", k);
            goto done;
        }
        saros_value in = saros_input(inner, graph->type[v.id], saros_value_name(v));
        SAROS_TRY(saros_graph_status(inner));
        c.map[v.id] = in.id;
    }
    for (int k = 0; k < outputs; ++k)
        if (output[k].graph == graph && c.map[output[k].id] < 0)
            c.live[graph->owner[output[k].id]] = true;
    mark_live(&c, false);
    SAROS_TRY(copy_nodes(&c));
    for (int k = 0; k < outputs; ++k)
        result[k] =
            output[k].graph == graph ? (saros_value){inner, c.map[output[k].id]} : output[k];
done:
    copying_close(&c);
    return status;
}

saros_status saros_body_extract(saros_graph *graph, int inputs, const saros_value *input,
                                int outputs, const saros_value *output, saros_body **out,
                                saros_value **outer_captures) {
    saros_graph *inner = saros_body_open(graph);
    if (!inner) return saros_error_last()->status;
    saros_value *result = saros_allocate(((size_t)outputs + 1) * sizeof *result);
    saros_status status = result ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status == SAROS_OK) status = extract(graph, inner, inputs, input, outputs, output, result);
    if (status == SAROS_OK)
        status = saros_body_close(inner, outputs, result, out, outer_captures);
    else
        saros_graph_release(inner);
    saros_release(result);
    return status;
}
