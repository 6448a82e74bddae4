/** The pass: a copy of a body in which each stage's sweeps are one node `rows`.
 *
 *  Stage by stage: what lies outside of the classes in id order, then the stage's sweeps over all
 * classes in one node. A body stands in it twice where its blocks do not fill the rows evenly: for
 * whole blocks and for the last one.
 */
#include <string.h>

#include "rewrite_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

typedef struct pass {
    saros_rows_plan plan;
    saros_graph *to;
    int32_t *map;    /* value of the plan's graph -> value of `to` */
    saros_value *in; /* operands of the node being made */
} pass;

/** One node: its sweeps, attributes and operands. */
typedef struct node {
    int classes, accumulators, bodies, operands;
    saros_rows_sweep sweep[SAROS_ROWS_CLASSES];
    int32_t *accumulator; /* values in the plan's graph */
    int64_t *word;
    int words;
    saros_body *body[2 * SAROS_ROWS_CLASSES];
    saros_value *operand;
} node;

static void clear_node(node *n) {
    for (int c = 0; c < n->classes; ++c) saros_rows_sweep_clear(&n->sweep[c]);
    for (int b = 0; b < n->bodies; ++b) saros_body_release(n->body[b]);
    saros_release(n->word);
    saros_release(n->operand);
    saros_release(n->accumulator);
}

static saros_status list_sweeps(pass *p, int stage, node *n) {
    for (int c = 0; c < p->plan.classes; ++c) {
        saros_rows_sweep *s = &n->sweep[n->classes];
        const saros_status status = saros_rows_sweep_make(&p->plan, c, stage, s);
        if (status != SAROS_OK) return status;
        if (s->accumulators + s->stores > 0)
            n->classes++;
        else
            saros_rows_sweep_clear(s);
    }
    return SAROS_OK;
}

/** Place of accumulator `id` in the node's list. */
static int place_of(node *n, int32_t id) {
    int at = 0;
    while (at < n->accumulators && n->accumulator[at] != id) ++at;
    if (at == n->accumulators) n->accumulator[n->accumulators++] = id;
    return at;
}

static saros_rows_join join_of(const saros_rows_plan *p, int32_t id) {
    const saros_primitive *row = saros_graph_maker(p->graph, id)->row;
    return row == &saros_row_max   ? SAROS_ROWS_MAX
           : row == &saros_row_min ? SAROS_ROWS_MIN
                                   : SAROS_ROWS_SUM;
}

static void put_class(const pass *p, node *n, const saros_rows_sweep *s) {
    int64_t *word = n->word;
    const int64_t rows = p->plan.rows[s->class_];
    word[n->words++] = rows;
    word[n->words++] = p->plan.block[s->class_];
    word[n->words++] = s->accumulators;
    word[n->words++] = s->reads;
    word[n->words++] = s->wholes;
    word[n->words++] = s->stores;
    for (int k = 0; k < s->accumulators; ++k) word[n->words++] = place_of(n, s->accumulator[k]);
    for (int k = 0; k < s->reads; ++k) word[n->words++] = p->plan.axis_of[s->read[k]];
    for (int k = 0; k < s->stores; ++k) word[n->words++] = p->plan.axis_of[s->store[k]];
    for (int k = 0; k < s->reads; ++k)
        n->operand[n->operands++] = (saros_value){p->to, p->map[s->read[k]]};
    for (int k = 0; k < s->wholes; ++k)
        n->operand[n->operands++] = (saros_value){p->to, p->map[s->whole[k]]};
}

static saros_status describe(pass *p, int stage, node *n) {
    size_t lists = 0;
    for (int c = 0; c < n->classes; ++c) {
        const saros_rows_sweep *s = &n->sweep[c];
        lists += (size_t)(s->accumulators + s->reads + s->wholes + s->stores);
    }
    const size_t words = SAROS_ROWS_HEAD + 6 * (size_t)n->classes + 2 * lists;
    n->word = saros_allocate(words * sizeof *n->word);
    n->operand = saros_allocate((lists + 1) * sizeof *n->operand);
    n->accumulator = saros_allocate((lists + 1) * sizeof *n->accumulator);
    if (!n->word || !n->operand || !n->accumulator) return SAROS_ERR_MEMORY;
    for (int c = 0; c < n->classes; ++c)
        for (int k = 0; k < n->sweep[c].accumulators; ++k)
            (void)place_of(n, n->sweep[c].accumulator[k]);
    n->word[SAROS_ROWS_STAGE] = stage;
    n->word[SAROS_ROWS_COUNT] = n->classes;
    n->word[SAROS_ROWS_ACCUMULATORS] = n->accumulators;
    n->words = SAROS_ROWS_HEAD;
    for (int k = 0; k < n->accumulators; ++k)
        n->word[n->words++] = join_of(&p->plan, n->accumulator[k]);
    for (int c = 0; c < n->classes; ++c) put_class(p, n, &n->sweep[c]);
    return SAROS_OK;
}

static saros_status make_bodies(pass *p, node *n) {
    saros_status status = SAROS_OK;
    for (int c = 0; c < n->classes; ++c) {
        const int class_ = n->sweep[c].class_;
        const int64_t rows = p->plan.rows[class_], block = p->plan.block[class_];
        SAROS_TRY(saros_rows_body(&p->plan, &n->sweep[c], block, &n->body[n->bodies]));
        n->bodies++;
        if (rows % block == 0) continue;
        SAROS_TRY(saros_rows_body(&p->plan, &n->sweep[c], rows % block, &n->body[n->bodies]));
        n->bodies++;
    }
done:
    return status;
}

/** Appends the node of a stage. `*fits`: false if it has more outputs than a node can have. */
static saros_status add_node(pass *p, int stage, bool *fits) {
    node n = {0};
    saros_status status = SAROS_OK;
    SAROS_TRY(list_sweeps(p, stage, &n));
    if (n.classes == 0) goto done;
    SAROS_TRY(describe(p, stage, &n));
    int outputs = n.accumulators + 1;
    for (int c = 0; c < n.classes; ++c) outputs += n.sweep[c].stores;
    *fits = outputs <= SAROS_MAX_OUTPUTS;
    if (!*fits) goto done;
    SAROS_TRY(make_bodies(p, &n));
    const saros_attributes attributes = {
        .word = n.word, .words = n.words, .body = n.body, .bodies = n.bodies};
    const saros_value v = saros_build(p->to, &saros_row_rows, &attributes, n.operands, n.operand);
    SAROS_TRY(saros_graph_status(p->to));
    SAROS_TRY(saros_rows_record(&attributes));
    int32_t id = v.id;
    for (int k = 0; k < n.accumulators; ++k) p->map[n.accumulator[k]] = id++;
    for (int c = 0; c < n.classes; ++c)
        for (int k = 0; k < n.sweep[c].stores; ++k) p->map[n.sweep[c].store[k]] = id++;
done:
    clear_node(&n);
    return status;
}

/** Appends everything; `*fits` as in add_node. */
static saros_status copy(pass *p, bool *fits) {
    const saros_graph *g = p->plan.graph;
    saros_rewrite_declare(p->plan.body, p->to, p->map);
    for (int stage = 0; stage < p->plan.stages && *fits; ++stage) {
        for (int32_t n = 0; n < g->records; ++n) {
            const saros_graph_record *r = saros_graph_at(g, n);
            if (p->plan.live[n] && p->plan.role[n] == SAROS_ROWS_OUTSIDE &&
                p->plan.stage[n] == stage && r->row != &saros_row_input)
                saros_rewrite_copy(p->to, r, p->map, p->in, NULL);
        }
        const saros_status status = add_node(p, stage, fits);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

saros_status saros_rows_pass(const saros_body *body, saros_body **out) {
    const saros_graph *g = body->graph;
    pass p = {0};
    saros_status status = SAROS_OK;
    bool fits = true;
    *out = NULL;
    SAROS_TRY(saros_rows_classes(body, &p.plan));
    if (p.plan.classes) saros_rows_stages(&p.plan);
    if (!p.plan.classes) goto done;
    p.map = saros_allocate((size_t)g->values * sizeof *p.map + 1);
    p.in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *p.in);
    if (!p.map || !p.in) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int32_t k = 0; k < g->values; ++k) p.map[k] = -1;
    SAROS_TRY(saros_graph_make(&p.to));
    SAROS_TRY(copy(&p, &fits));
    if (!fits) goto done;
    status = saros_rewrite_close(body, p.to, p.map, out);
    p.to = NULL;
done:
    saros_graph_release(p.to);
    saros_release(p.map);
    saros_release(p.in);
    saros_rows_plan_clear(&p.plan);
    return status;
}
