/** What a loop computes anew in each iteration though it is the same in all goes before the loop.
 *
 *  A record of a body is invariant if it depends on captures and constants alone. Invariant records
 * are copied in front of the loop, and what the others read of them becomes a further capture.
 * Headers over captured values (rows with a `view` column: broadcasts, slices) stay inside: they
 * cost nothing there, and an array in their place would be read from memory. A body is contracted
 * before it is taken apart, so that its products round as they do elsewhere. Bodies of bodies come
 * first.
 *
 *  A loop of no iterations computes its invariants all the same; one of at most one iteration keeps
 * them: it has nothing to gain, and may be there to compute them late (checkpoints). */
#include <string.h>

#include "region_impl.h"
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

/** One body taken apart; arrays per record or value of its graph. */
typedef struct parting {
    const saros_body *body;
    const saros_graph *from;
    bool *live, *same, *inside,
        *before;          /**< per record: invariant; copied into the body, before it */
    bool *fed;            /**< per value: a capture of its own */
    int32_t *map, *outer; /**< per value: in the new body, before the loop */
    saros_value *in;
    void *memory;
} parting;

static saros_status open_parting(parting *p, const saros_body *body) {
    const saros_graph *g = body->graph;
    size_t records = (size_t)g->records + 1, values = (size_t)g->values + 1;
    size_t operands = (size_t)saros_rewrite_operands(g);
    *p = (parting){.body = body, .from = g};
    p->memory = saros_allocate_zero(1, operands * sizeof(saros_value) +
                                           2 * values * sizeof(int32_t) + 4 * records + values);
    if (!p->memory) return SAROS_ERR_MEMORY;
    p->in = p->memory;
    p->map = (int32_t *)(p->in + operands);
    p->outer = p->map + values;
    p->live = (bool *)(p->outer + values);
    p->same = p->live + records;
    p->inside = p->same + records;
    p->before = p->inside + records;
    p->fed = p->before + records;
    for (int32_t k = 0; k < g->values; ++k) p->map[k] = p->outer[k] = -1;
    return saros_rewrite_mark(body, p->live);
}

/** Marks invariant records; inputs from `captures` on are. */
static void mark_same(const parting *p, int captures) {
    const saros_graph *g = p->from;
    for (int k = captures; k < p->body->inputs; ++k) p->same[g->owner[p->body->input[k]]] = true;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        saros_attributes attributes = saros_record_attributes(r);
        if (!p->live[n] || r->row == &saros_row_input) continue;
        bool same = !saros_node_is_ordered(r->row, &attributes);
        for (int32_t k = 0; k < r->operands; ++k) same &= p->same[g->owner[r->operand[k]]];
        p->same[n] = same;
    }
}

/** Value `id` is read in the body: its record goes there, or it is fed. */
static void read_inside(const parting *p, int32_t id) {
    const saros_graph_record *r = saros_graph_maker(p->from, id);
    int32_t n = p->from->owner[id];
    bool leaf = r->row == &saros_row_input || r->row == &saros_row_constant;
    if (!p->same[n] || leaf || (r->row->view && r->operands > 0))
        p->inside[n] = true;
    else
        p->fed[id] = p->before[n] = true;
}

/** From the last record to the first; returns how many values are fed. */
static int mark_parts(const parting *p) {
    const saros_graph *g = p->from;
    int fed = 0;
    for (int k = 0; k < p->body->outputs; ++k) read_inside(p, p->body->output[k]);
    for (int32_t n = g->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (p->live[n] && !p->same[n]) p->inside[n] = true;
        for (int32_t k = 0; k < r->operands; ++k) {
            if (p->inside[n]) read_inside(p, r->operand[k]);
            if (p->before[n]) p->before[g->owner[r->operand[k]]] = true;
        }
    }
    for (int32_t id = 0; id < g->values; ++id) fed += p->fed[id];
    return fed;
}

/** The new body: the old inputs, then what is fed. */
static saros_status build_inside(const parting *p, saros_body **out) {
    const saros_graph *g = p->from;
    saros_graph *to = NULL;
    saros_status status = saros_graph_make(&to);
    if (status != SAROS_OK) return status;
    saros_rewrite_declare(p->body, to, p->map);
    for (int32_t id = 0; id < g->values; ++id)
        if (p->fed[id]) p->map[id] = saros_input(to, g->type[id], "").id;
    for (int32_t n = 0; n < g->records; ++n)
        if (p->inside[n] && saros_graph_at(g, n)->row != &saros_row_input)
            saros_rewrite_copy(to, saros_graph_at(g, n), p->map, p->in, NULL);
    return saros_rewrite_close(p->body, to, p->map, out);
}

/** The loop `r` of another graph appended to `to` with its invariants before it. */
static void append_parted(saros_graph *to, const saros_graph_record *r, int32_t *map,
                          const parting *p, saros_body *body, int fed) {
    const saros_graph *g = p->from;
    int captures = r->operands - (int)r->word[SAROS_LOOP_CAPTURES];
    for (int32_t k = captures; k < r->operands; ++k)
        p->outer[p->body->input[k]] = map[r->operand[k]];
    for (int32_t n = 0; n < g->records; ++n)
        if (p->before[n] && saros_graph_at(g, n)->row != &saros_row_input) {
            saros_graph_record fenced = *saros_graph_at(g, n);
            fenced.fence = r->fence; /* what is computed once more is not merged with the first */
            saros_rewrite_copy(to, &fenced, p->outer, p->in, NULL);
        }
    int64_t word[SAROS_LOOP_WORDS];
    saros_value *in = saros_allocate((size_t)(r->operands + fed) * sizeof *in);
    saros_value v = {to, -1};
    if (in) {
        int n = r->operands;
        for (int32_t k = 0; k < n; ++k) in[k] = (saros_value){to, map[r->operand[k]]};
        for (int32_t id = 0; id < g->values; ++id)
            if (p->fed[id]) in[n++] = (saros_value){to, p->outer[id]};
        memcpy(word, r->word, sizeof word);
        word[SAROS_LOOP_CAPTURES] += fed;
        word[SAROS_LOOP_CONTAINS] = -1;
        saros_graph_locate(to, r->file, r->line);
        to->fence = r->fence;
        v = saros_build(to, r->row,
                        &(saros_attributes){.word = word,
                                            .words = SAROS_LOOP_WORDS,
                                            .body = &body,
                                            .bodies = 1,
                                            .tensor = r->tensor},
                        n, in);
        to->fence = 0;
    } else {
        saros_poison(to);
    }
    for (int32_t k = 0; k < r->outputs; ++k) map[r->output + k] = v.id < 0 ? -1 : v.id + k;
    saros_release(in);
}

static saros_status part_loop(saros_graph *to, const saros_graph_record *r, int32_t *map,
                              saros_value *in) {
    saros_body *contracted = NULL, *parted = NULL, *inside = NULL;
    parting p = {0};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_simplify(r->body[0], &contracted));
    SAROS_TRY(saros_hoist(contracted, &parted));
    SAROS_TRY(open_parting(&p, parted ? parted : contracted));
    mark_same(&p, r->operands - (int)r->word[SAROS_LOOP_CAPTURES]);
    int fed = mark_parts(&p);
    if (fed == 0 && !parted) {
        saros_rewrite_copy(to, r, map, in, NULL);
    } else {
        SAROS_TRY(build_inside(&p, &inside));
        append_parted(to, r, map, &p, inside, fed);
    }
done:
    saros_release(p.memory);
    saros_body_release(inside);
    saros_body_release(parted);
    saros_body_release(contracted);
    return status;
}

saros_status saros_hoist(const saros_body *body, saros_body **out) {
    const saros_graph *g = body->graph;
    saros_status status = SAROS_OK;
    saros_graph *to = NULL;
    parting p = {0};
    bool any = false;
    *out = NULL;
    for (int32_t n = 0; n < g->records; ++n) any |= saros_graph_at(g, n)->row == &saros_row_loop;
    if (!any) return SAROS_OK;
    SAROS_TRY(open_parting(&p, body));
    SAROS_TRY(saros_graph_make(&to));
    saros_rewrite_declare(body, to, p.map);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (!p.live[n] || r->row == &saros_row_input) continue;
        if (r->row == &saros_row_loop && r->word[SAROS_LOOP_BOUND] > 1)
            SAROS_TRY(part_loop(to, r, p.map, p.in));
        else
            saros_rewrite_copy(to, r, p.map, p.in, NULL);
    }
    status = saros_rewrite_close(body, to, p.map, out);
    to = NULL;
done:
    saros_graph_release(to);
    saros_release(p.memory);
    return status;
}
