/** Inlining: the nodes of a body copied into another graph, its inputs replaced by values there.
 *
 *  Copies what the outputs need and what is ordered, in id order, through the ordinary append, so
 * that copies merge and fold. Fences of the body become new fences; an augmented loop's word
 * follows its loop. */
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

static void mark_live(copying *c, const saros_body *body) {
    for (int k = 0; k < body->outputs; ++k) c->live[c->from->owner[body->output[k]]] = true;
    for (int32_t n = c->from->records - 1; n >= 0; --n) {
        const saros_graph_record *r = &c->from->record[n];
        saros_attributes attributes = saros_record_attributes(r);
        if (saros_node_is_ordered(r->row, &attributes)) c->live[n] = true;
        if (!c->live[n]) continue;
        for (int32_t k = 0; k < r->operands; ++k) c->live[c->from->owner[r->operand[k]]] = true;
    }
}

static int32_t append_copy(copying *c, const saros_graph_record *r) {
    int64_t word[SAROS_LOOP_WORDS];
    saros_attributes attributes = saros_record_attributes(r);
    if (r->row == &saros_row_loop && r->word[SAROS_LOOP_AUGMENTS] >= 0) {
        memcpy(word, r->word, sizeof word);
        word[SAROS_LOOP_AUGMENTS] = c->map[r->word[SAROS_LOOP_AUGMENTS]];
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
        const saros_graph_record *r = &c->from->record[n];
        if (!c->live[n] || r->row == &saros_row_input) continue;
        if (r->file[0]) saros_graph_locate(c->to, r->file, r->line);
        int32_t id = append_copy(c, r);
        if (id < 0) {
            saros_error_locate(c->to->file, c->to->line);
            status = saros_error_last()->status;
        }
        for (int32_t k = 0; k < r->outputs; ++k) c->map[r->output + k] = id < 0 ? -1 : id + k;
    }
    c->to->file = file;
    c->to->line = line;
    return status;
}

static saros_status map_inputs(copying *c, const saros_body *body, const saros_value *input) {
    for (int k = 0; k < body->inputs; ++k) {
        int32_t id = saros_graph_resolve(c->to, input[k]);
        if (id < 0) return saros_error_last()->status;
        saros_type got = c->to->type[id], needed = c->from->type[body->input[k]];
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
        if (graph->record[n].operands > most) most = graph->record[n].operands;
    return most;
}

static saros_status inline_body(saros_graph *graph, const saros_body *body,
                                const saros_value *input, saros_value *output) {
    const saros_graph *from = body->graph;
    saros_status status = SAROS_ERR_MEMORY;
    copying c = {.to = graph, .from = from};
    c.map = saros_allocate((size_t)from->values * sizeof *c.map);
    c.fence = saros_allocate_zero((size_t)from->fences + 1, sizeof *c.fence);
    c.ids = saros_allocate((size_t)most_operands(from) * sizeof *c.ids);
    c.live = saros_allocate_zero((size_t)from->records, sizeof *c.live);
    if (!c.map || !c.fence || !c.ids || !c.live) goto done;
    for (int32_t k = 0; k < from->values; ++k) c.map[k] = -1;
    SAROS_TRY(map_inputs(&c, body, input));
    mark_live(&c, body);
    SAROS_TRY(copy_nodes(&c));
    for (int k = 0; k < body->outputs; ++k)
        output[k] = (saros_value){graph, c.map[body->output[k]]};
done:
    saros_release(c.map);
    saros_release(c.fence);
    saros_release(c.ids);
    saros_release(c.live);
    return status;
}

void saros_inline(saros_graph *graph, const saros_body *body, const saros_value *input,
                  saros_value *output) {
    if (!graph) return;
    if (inline_body(graph, body, input, output) == SAROS_OK) return;
    saros_value poisoned = saros_poison(graph);
    for (int k = 0; k < body->outputs; ++k) output[k] = poisoned;
}
