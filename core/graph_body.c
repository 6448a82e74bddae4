/** Bodies: graphs inside a graph, opened, closed, captured into and copied out.
 *
 *  Using a value of an enclosing graph adds an input that stands for it, through every level
 * between (the parent captures first); a constant is built again instead. Capturing is memoised per
 * graph. A closed body is immutable; equality is by structure, from a hash taken at closing. */
#include "graph_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/region.h"

/* ---- capture ---- */

static int32_t *memo_entry(const saros_graph *graph, int32_t outer) {
    uint32_t at = (uint32_t)outer * 2654435769u & (graph->memo_slots - 1);
    while (graph->memo[2 * at] && graph->memo[2 * at] != outer + 1)
        at = (at + 1) & (graph->memo_slots - 1);
    return &graph->memo[2 * at];
}

static bool grow_memo(saros_graph *graph) {
    if ((uint32_t)graph->captures * 2 < graph->memo_slots) return true;
    uint32_t old_slots = graph->memo_slots;
    int32_t *old = graph->memo;
    uint32_t slots = old_slots ? old_slots * 2 : 16;
    int32_t *memo = saros_allocate_zero((size_t)slots * 2, sizeof *memo);
    if (!memo) return false;
    graph->memo = memo;
    graph->memo_slots = slots;
    for (uint32_t k = 0; k < old_slots; ++k) {
        if (!old[2 * k]) continue;
        int32_t *entry = memo_entry(graph, old[2 * k] - 1);
        entry[0] = old[2 * k];
        entry[1] = old[2 * k + 1];
    }
    saros_release(old);
    return true;
}

int32_t saros_graph_capture(saros_graph *graph, saros_value value) {
    saros_graph *outer = graph->outer;
    if (value.graph != outer) {
        value.id = saros_graph_capture(outer, value);
        value.graph = outer;
        if (value.id < 0) return -1;
    }
    const saros_graph_record *r = saros_graph_maker(outer, value.id);
    if (r->row == &saros_row_constant) {
        saros_attributes attributes = saros_record_attributes(r);
        return saros_graph_append(graph, r->row, &attributes, 0, NULL);
    }
    if (!grow_memo(graph)) return -1;
    int32_t *entry = memo_entry(graph, value.id);
    if (entry[0]) return entry[1];
    int32_t id =
        saros_graph_declare(graph, outer->type[value.id], saros_value_name(value), value.id);
    if (id < 0) return -1;
    entry[0] = value.id + 1;
    entry[1] = id;
    graph->captures++;
    return id;
}

/* ---- open and close ---- */

saros_graph *saros_body_open(saros_graph *outer) {
    saros_graph *inner = NULL;
    if (saros_graph_make(&inner) != SAROS_OK) {
        saros_poison(outer);
        return NULL;
    }
    inner->outer = outer;
    saros_graph_locate(inner, outer->file, outer->line);
    return inner;
}

static uint64_t hash_graph(const saros_graph *graph) {
    uint64_t hash = (uint64_t)graph->records;
    for (int32_t k = 0; k < graph->records; ++k) {
        const saros_graph_record *r = saros_graph_at(graph, k);
        hash = saros_hash_mix(hash, r->hash);
    }
    return hash;
}

static saros_body *make_body(saros_graph *inner, int outputs, const int32_t *output) {
    size_t ids = (size_t)(inner->inputs + outputs);
    saros_body *body = saros_allocate(sizeof *body + ids * sizeof(int32_t));
    if (!body) return NULL;
    atomic_init(&body->references, 1);
    body->graph = inner;
    body->inputs = inner->inputs;
    body->captures = inner->captures;
    body->outputs = outputs;
    body->input = (int32_t *)(body + 1);
    body->output = body->input + inner->inputs;
    int32_t declared = 0, captured = inner->inputs - inner->captures;
    for (int32_t k = 0; k < inner->inputs; ++k) {
        int32_t at = inner->input[k].outer < 0 ? declared++ : captured++;
        body->input[at] = inner->input[k].id;
    }
    if (outputs) memcpy(body->output, output, (size_t)outputs * sizeof *output);
    body->hash = hash_graph(inner);
    for (int k = 0; k < body->inputs + outputs; ++k)
        body->hash = saros_hash_mix(body->hash, (uint64_t)(uint32_t)body->input[k]);
    return body;
}

static saros_value *list_captures(const saros_graph *inner) {
    saros_value *list = saros_allocate((size_t)inner->captures * sizeof *list);
    int32_t n = 0;
    for (int32_t k = 0; list && k < inner->inputs; ++k)
        if (inner->input[k].outer >= 0)
            list[n++] = (saros_value){inner->outer, inner->input[k].outer};
    return list;
}

saros_status saros_body_close(saros_graph *inner, int outputs, const saros_value *output,
                              saros_body **out, saros_value **outer_captures) {
    saros_status status = SAROS_OK;
    saros_value *list = NULL;
    int32_t *ids = NULL;
    SAROS_TRY(saros_graph_status(inner));
    ids = saros_allocate((size_t)outputs * sizeof *ids);
    if (!ids) status = SAROS_ERR_MEMORY;
    for (int k = 0; status == SAROS_OK && k < outputs; ++k) {
        ids[k] = saros_graph_resolve(inner, output[k]);
        if (ids[k] >= 0) continue;
        saros_error_locate(inner->file, inner->line);
        status = saros_error_last()->status;
    }
    if (status != SAROS_OK) goto done;
    if (outer_captures && !(list = list_captures(inner))) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    saros_body *body = make_body(inner, outputs, ids);
    if (!body) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    inner->outer = NULL;
    inner = NULL;
    if (outer_captures) *outer_captures = list;
    list = NULL;
    *out = body;
done:
    saros_release(ids);
    saros_release(list);
    saros_graph_release(inner);
    return status;
}

saros_body *saros_body_retain(saros_body *body) {
    if (body) atomic_fetch_add_explicit(&body->references, 1, memory_order_relaxed);
    return body;
}

void saros_body_release(saros_body *body) {
    if (!body || atomic_fetch_sub_explicit(&body->references, 1, memory_order_acq_rel) != 1) return;
    saros_graph_release(body->graph);
    saros_release(body);
}

/* ---- read ---- */

int saros_body_inputs(const saros_body *body) {
    return body->inputs;
}
int saros_body_captures(const saros_body *body) {
    return body->captures;
}
int saros_body_outputs(const saros_body *body) {
    return body->outputs;
}
saros_graph *saros_body_graph(const saros_body *body) {
    return body->graph;
}

saros_value saros_body_input(const saros_body *body, int k) {
    return (saros_value){body->graph, body->input[k]};
}
saros_value saros_body_output(const saros_body *body, int k) {
    return (saros_value){body->graph, body->output[k]};
}

static bool same_record(const saros_graph_record *a, const saros_graph_record *b) {
    if (a->row != b->row || a->hash != b->hash || a->operands != b->operands ||
        a->outputs != b->outputs || a->output != b->output || a->fence != b->fence)
        return false;
    if (a->operands && memcmp(a->operand, b->operand, (size_t)a->operands * sizeof(int32_t)) != 0)
        return false;
    saros_attributes left = saros_record_attributes(a), right = saros_record_attributes(b);
    return saros_attributes_equal(&left, &right);
}

bool saros_body_equal(const saros_body *a, const saros_body *b) {
    if (a == b) return true;
    if (a->hash != b->hash || a->inputs != b->inputs || a->captures != b->captures ||
        a->outputs != b->outputs || a->graph->records != b->graph->records)
        return false;
    if (memcmp(a->input, b->input, (size_t)(a->inputs + a->outputs) * sizeof(int32_t)) != 0)
        return false;
    for (int32_t k = 0; k < a->graph->records; ++k)
        if (!same_record(saros_graph_at(a->graph, k), saros_graph_at(b->graph, k))) return false;
    return true;
}
