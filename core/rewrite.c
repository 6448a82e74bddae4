/** Copies of a body with nodes rewritten: see rewrite_impl.h. */
#include "rewrite_impl.h"

#include <string.h>

#include "region_impl.h"
#include "saros/memory.h"
#include "saros/region.h"
#include "saros/rows.h"

/** Live ordered records: those whose inputs are all here; a record hangs on what its operands do.
 * `missing` is per record. */
static void mark_ordered(const saros_body *body, bool *live, bool *missing) {
    const saros_graph *g = body->graph;
    for (int32_t n = 0; n < g->records; ++n)
        missing[n] = saros_graph_at(g, n)->row == &saros_row_input;
    for (int k = 0; k < body->inputs; ++k) missing[g->owner[body->input[k]]] = false;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; k < r->operands; ++k) missing[n] |= missing[g->owner[r->operand[k]]];
        saros_attributes attributes = saros_record_attributes(r);
        if (g->ordered && !missing[n] && saros_node_is_ordered(r->row, &attributes)) live[n] = true;
    }
}

saros_status saros_rewrite_mark(const saros_body *body, bool *live) {
    const saros_graph *g = body->graph;
    bool *missing = saros_allocate((size_t)g->records + 1);
    if (!missing) return SAROS_ERR_MEMORY;
    saros_status status = SAROS_OK;
    mark_ordered(body, live, missing);
    for (int k = 0; k < body->outputs; ++k) live[g->owner[body->output[k]]] = true;
    for (int32_t n = g->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (!live[n]) continue;
        if (r->row == &saros_row_input && missing[n]) {
            const char *name = saros_value_name((saros_value){body->graph, r->output});
            status = saros_fail(SAROS_ERR_USAGE, "saros_compile", "add it to the inputs",
                                "input %s%s%s (value %d) is used but is not among the inputs",
                                name[0] ? "'" : "", name, name[0] ? "'" : "", r->output);
            break;
        }
        for (int32_t k = 0; k < r->operands; ++k) live[g->owner[r->operand[k]]] = true;
    }
    saros_release(missing);
    return status;
}

void saros_rewrite_declare(const saros_body *body, saros_graph *to, int32_t *map) {
    for (int k = 0; k < body->inputs; ++k) {
        int32_t id = body->input[k];
        const char *name = saros_value_name((saros_value){body->graph, id});
        map[id] = saros_input(to, body->graph->type[id], name).id;
    }
}

void saros_rewrite_copy(saros_graph *to, const saros_graph_record *r, int32_t *map, saros_value *in,
                        saros_rewrite_rule *rule) {
    int64_t word[SAROS_LOOP_WORDS];
    saros_attributes attributes = saros_record_attributes(r);
    for (int32_t k = 0; k < r->operands; ++k) in[k] = (saros_value){to, map[r->operand[k]]};
    if (r->row == &saros_row_loop && r->word[SAROS_LOOP_CONTAINS] >= 0) {
        memcpy(word, r->word, sizeof word);
        word[SAROS_LOOP_CONTAINS] = map[r->word[SAROS_LOOP_CONTAINS]];
        attributes.word = word;
    }
    saros_graph_locate(to, r->file, r->line);
    to->fence = r->fence;
    if (to->fences < r->fence) to->fences = r->fence;
    saros_value v = SAROS_NONE;
    if (rule && r->row->flags & SAROS_POINTWISE) v = rule(r->row, in);
    if (saros_is_none(v)) v = saros_build(to, r->row, &attributes, r->operands, in);
    to->fence = 0;
    for (int32_t k = 0; k < r->outputs; ++k) map[r->output + k] = v.id < 0 ? -1 : v.id + k;
}

int32_t saros_rewrite_operands(const saros_graph *g) {
    int32_t most = 1;
    for (int32_t n = 0; n < g->records; ++n)
        if (saros_graph_at(g, n)->operands > most) most = saros_graph_at(g, n)->operands;
    return most;
}

saros_status saros_rewrite_close(const saros_body *body, saros_graph *to, const int32_t *map,
                                 saros_body **out) {
    saros_status status = SAROS_ERR_MEMORY;
    saros_value *output = saros_allocate((size_t)body->outputs * sizeof *output + 1);
    if (!output) goto done;
    for (int k = 0; k < body->outputs; ++k) output[k] = (saros_value){to, map[body->output[k]]};
    status = saros_body_close(to, body->outputs, output, out, NULL);
    to = NULL;
done:
    saros_release(output);
    saros_graph_release(to);
    return status;
}

saros_status saros_rewrite(const saros_body *body, saros_rewrite_rule *rule, saros_body **out) {
    const saros_graph *g = body->graph;
    saros_status status = SAROS_ERR_MEMORY;
    saros_graph *to = NULL;
    bool *live = saros_allocate_zero((size_t)g->records + 1, sizeof *live);
    int32_t *map = saros_allocate((size_t)g->values * sizeof *map + 1);
    saros_value *in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *in);
    if (saros_graph_make(&to) != SAROS_OK || !live || !map || !in) goto done;
    SAROS_TRY(saros_rewrite_mark(body, live));
    for (int32_t k = 0; k < g->values; ++k) map[k] = -1;
    saros_rewrite_declare(body, to, map);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (live[n] && r->row != &saros_row_input) saros_rewrite_copy(to, r, map, in, rule);
    }
    status = saros_rewrite_close(body, to, map, out);
    to = NULL;
done:
    saros_graph_release(to);
    saros_release(live);
    saros_release(map);
    saros_release(in);
    return status;
}

saros_status saros_simplify(const saros_body *body, saros_body **out) {
    saros_body *merged = NULL, *narrowed = NULL, *joined = NULL, *pushed = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_merge_loops(body, &merged));
    if (merged) body = merged;
    SAROS_TRY(saros_narrow_loops(body, &narrowed));
    if (narrowed) body = narrowed;
    SAROS_TRY(saros_join_windows(body, &joined));
    if (joined) body = joined;
    SAROS_TRY(saros_push_windows(body, &pushed));
    status = saros_rewrite(pushed ? pushed : body, saros_contract, out);
done:
    saros_body_release(merged);
    saros_body_release(narrowed);
    saros_body_release(joined);
    saros_body_release(pushed);
    return status;
}
