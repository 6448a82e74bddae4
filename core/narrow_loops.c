/** What comes into a loop repeated and leaves it summed is repeated and summed inside.
 *
 *  A number that meets arrays in the body of a loop is captured as an array, the same element
 * everywhere (`broadcast`), and its gradient is an array, to which every iteration adds and which
 * is summed behind the loop. Here
 *
 *      loop(… broadcast(c))  ->  loop(… c), with the broadcast, a header, in its body;
 *      sum(loop(carry 0, carry + g))  ->  loop(carry 0, carry + sum(g)),
 *
 *  so that an iteration neither reads nor writes those arrays. Terms of g that stand behind
 * different numbers of windows are made in different kernels: they are summed apart, each where it
 * is made.
 *
 *  Loops and loop_reverse alike, on all backends; loops of one iteration stay as they are. */
#include <string.h>

#include "primitives/build_impl.h"
#include "region_impl.h"
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

enum { MOST_TERMS = 16 };

/** What becomes of an input of a body. */
typedef struct change {
    const saros_graph_record *source; /* the broadcast that fed it, or NULL */
    const saros_type *type;           /* of what that repeats */
    uint32_t axes;                    /* over which this carry is summed; 0: it is not */
} change;

/** A body of a loop; input k > 0 is fed by operand `first` + k - 1, without those that the sweep
 * feeds. */
typedef struct part {
    const saros_body *body;
    int first, carries, fed, inputs, captures;
    change *change; /* per input of the body */
    bool changes;
} part;

typedef struct narrowing {
    const saros_graph *graph;
    saros_graph *to;
    bool *live;
    int32_t *map;
    uint32_t *summed; /* per value: the axes over which all that read it sum it, 0: they do not */
    saros_value *in;
} narrowing;

/** A body while it is copied. */
typedef struct copying {
    const part *part;
    saros_graph *to;
    bool *live;
    int32_t *map, *uses, *level; /* level: windows and other structure on the way, per record */
    saros_value *in;
} copying;

/* ---- bodies ---- */

static saros_status open_copy(copying *c, const part *p) {
    const saros_graph *g = p->body->graph;
    const size_t values = (size_t)g->values + 1, records = (size_t)g->records + 1;
    *c = (copying){.part = p};
    c->live = saros_allocate_zero(records, sizeof *c->live);
    c->map = saros_allocate_zero(2 * values + records, sizeof *c->map);
    c->in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *c->in);
    if (!c->live || !c->map || !c->in) return SAROS_ERR_MEMORY;
    c->uses = c->map + values;
    c->level = c->uses + values;
    saros_status status = saros_rewrite_mark(p->body, c->live);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; c->live[n] && k < r->operands; ++k) {
            const int32_t before = c->level[g->owner[r->operand[k]]] +
                                   !(r->row->flags & SAROS_POINTWISE || r->row->view);
            if (before > c->level[n]) c->level[n] = before;
            c->uses[r->operand[k]]++;
        }
    }
    for (int k = 0; k < p->body->outputs; ++k) c->uses[p->body->output[k]]++;
    for (int32_t k = 0; k < g->values; ++k) c->map[k] = -1;
    return status;
}

static void close_copy(copying *c) {
    saros_graph_release(c->to);
    saros_release(c->live);
    saros_release(c->map);
    saros_release(c->in);
}

/** The operand that carry k is added to, -1 if its next value is no such sum or it is read
 * elsewhere. */
static int32_t added_to(const copying *c, int k) {
    const saros_body *body = c->part->body;
    const int32_t in = body->input[1 + k], out = body->output[k];
    const saros_graph_record *r = saros_graph_maker(body->graph, out);
    if (r->row != &saros_row_add || c->uses[in] != 1 || c->uses[out] != 1) return -1;
    if (r->operand[0] == in) return r->operand[1];
    return r->operand[1] == in ? r->operand[0] : -1;
}

/** The terms of which value `id` is the sum, in order; no more than fit. */
static int list_terms(const copying *c, int32_t id, int32_t *term) {
    const saros_graph *g = c->part->body->graph;
    int count = 1;
    term[0] = id;
    for (int at = 0; at < count;) {
        const saros_graph_record *r = saros_graph_maker(g, term[at]);
        if (r->row != &saros_row_add || c->uses[term[at]] != 1 || count == MOST_TERMS) {
            ++at;
            continue;
        }
        memmove(term + at + 2, term + at + 1, (size_t)(count - at - 1) * sizeof *term);
        term[at] = r->operand[0];
        term[at + 1] = r->operand[1];
        ++count;
    }
    return count;
}

static saros_value sum_of(const copying *c, int32_t id, uint32_t axes) {
    const saros_graph *g = c->part->body->graph;
    int32_t term[MOST_TERMS];
    const int terms = list_terms(c, id, term);
    saros_value all = SAROS_NONE;
    for (int first = 0; first < terms; ++first) {
        if (term[first] < 0) continue;
        const int32_t level = c->level[g->owner[term[first]]];
        saros_value one = SAROS_NONE;
        for (int k = first; k < terms; ++k) {
            if (term[k] < 0 || c->level[g->owner[term[k]]] != level) continue;
            const saros_value v = {c->to, c->map[term[k]]};
            one = saros_is_none(one) ? v : saros_add(one, v);
            term[k] = -1;
        }
        one = saros_sum_local(one, axes);
        all = saros_is_none(all) ? one : saros_add(all, one);
    }
    return all;
}

static saros_type without_axes(const saros_type *type, uint32_t axes) {
    saros_type less = *type;
    less.rank = 0;
    for (int a = 0; a < type->rank; ++a)
        if (!(axes >> a & 1)) less.shape[less.rank++] = type->shape[a];
    return less;
}

static void declare_inputs(copying *c) {
    const part *p = c->part;
    const saros_graph *g = p->body->graph;
    for (int k = 0; k < p->body->inputs; ++k) {
        const int32_t id = p->body->input[k];
        const change *to = &p->change[k];
        const saros_type type = to->source ? *to->type : without_axes(g->type[id], to->axes);
        saros_value v =
            saros_input(c->to, &type, saros_value_name((saros_value){p->body->graph, id}));
        if (to->source) {
            const saros_attributes attributes = saros_record_attributes(to->source);
            v = saros_build(c->to, to->source->row, &attributes, 1, &v);
        }
        c->map[id] = v.id;
    }
}

/** The carry of which record n is the next value, and which is summed; or -1. */
static int summed_carry(const copying *c, int32_t n) {
    const part *p = c->part;
    for (int k = 0; k < p->carries; ++k)
        if (p->change[1 + k].axes && p->body->graph->owner[p->body->output[k]] == n) return k;
    return -1;
}

static saros_status copy_body(const part *p, saros_body **out) {
    const saros_graph *g = p->body->graph;
    copying c;
    saros_status status = SAROS_OK;
    SAROS_TRY(open_copy(&c, p));
    SAROS_TRY(saros_graph_make(&c.to));
    declare_inputs(&c);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (!c.live[n] || r->row == &saros_row_input) continue;
        const int k = summed_carry(&c, n);
        if (k < 0) {
            saros_rewrite_copy(c.to, r, c.map, c.in, NULL);
            continue;
        }
        const saros_value carry = {c.to, c.map[p->body->input[1 + k]]};
        c.map[r->output] = saros_add(carry, sum_of(&c, added_to(&c, k), p->change[1 + k].axes)).id;
    }
    status = saros_rewrite_close(p->body, c.to, c.map, out);
    c.to = NULL;
done:
    close_copy(&c);
    return status;
}

/* ---- loops ---- */

/** The parts of a loop: one body, or the two of loop_reverse. */
static int read_parts(const saros_graph_record *r, part *p) {
    int parts = r->row == &saros_row_loop ? 1 : r->row == &saros_row_loop_reverse ? 2 : 0;
    int first = 1;
    for (int b = 0; b < parts; ++b) {
        const int64_t *w = r->word + b * SAROS_LOOP_WORDS;
        if (w[SAROS_LOOP_BOUND] <= 1) return 0;
        p[b] = (part){.body = r->body[b],
                      .first = first,
                      .carries = (int)w[SAROS_LOOP_CARRIES],
                      .fed = b ? p[0].carries : 0,
                      .inputs = (int)w[SAROS_LOOP_INPUTS],
                      .captures = (int)w[SAROS_LOOP_CAPTURES]};
        first += p[b].carries + p[b].inputs + p[b].captures - p[b].fed;
    }
    return parts;
}

/** The operand of the node that feeds capture k of the part; *input: the input of the body. */
static int capture_operand(const part *p, int k, int *input) {
    *input = 1 + p->carries + p->inputs + k;
    return p->first + p->carries + p->inputs - p->fed + k;
}

static void find_repeated(const narrowing *s, const saros_graph_record *r, part *p) {
    for (int k = 0; k < p->captures; ++k) {
        int input;
        const saros_graph_record *source =
            saros_graph_maker(s->graph, r->operand[capture_operand(p, k, &input)]);
        if (source->row != &saros_row_broadcast || s->graph->type[source->output]->split) continue;
        p->change[input].source = source;
        p->change[input].type = s->graph->type[source->operand[0]];
        p->changes = true;
    }
}

/** Carries that begin at 0, are only added to, and are summed behind the loop. */
static saros_status find_summed(const narrowing *s, const saros_graph_record *r, part *p) {
    const saros_graph *g = s->graph;
    copying c;
    saros_status status = open_copy(&c, p);
    for (int k = 0; k < p->carries && status == SAROS_OK; ++k) {
        const saros_graph_record *zero = saros_graph_splat(g, r->operand[p->first + k]);
        const uint32_t axes = s->summed[r->output + k];
        if (!axes || !zero || zero->word[zero->words - 1] != 0 || added_to(&c, k) < 0) continue;
        if (g->type[r->output + k]->split) continue;
        p->change[1 + k].axes = axes;
        p->changes = true;
    }
    close_copy(&c);
    return status;
}

static void build_loop(const narrowing *s, const saros_graph_record *r, int parts, const part *p,
                       saros_body *const *body) {
    saros_value *in = s->in;
    int64_t word[2 * SAROS_LOOP_WORDS];
    for (int32_t k = 0; k < r->operands; ++k) in[k] = (saros_value){s->to, s->map[r->operand[k]]};
    for (int b = 0; b < parts; ++b) {
        for (int k = 0; k < p[b].captures; ++k) {
            int input, at = capture_operand(&p[b], k, &input);
            const saros_graph_record *source = p[b].change[input].source;
            if (source) in[at] = (saros_value){s->to, s->map[source->operand[0]]};
        }
        for (int k = 0; k < p[b].carries; ++k) {
            const uint32_t axes = p[b].change[1 + k].axes;
            if (!axes) continue;
            const saros_type type = without_axes(s->graph->type[r->operand[p[b].first + k]], axes);
            in[p[b].first + k] = saros_splat(s->to, &type, 0);
        }
    }
    memcpy(word, r->word, (size_t)r->words * sizeof *word);
    word[SAROS_LOOP_CONTAINS] = -1;
    saros_graph_locate(s->to, r->file, r->line);
    s->to->fence = r->fence;
    if (s->to->fences < r->fence) s->to->fences = r->fence;
    const saros_attributes attributes = {
        .word = word, .words = r->words, .body = body, .bodies = parts, .tensor = r->tensor};
    const saros_value v = saros_build(s->to, r->row, &attributes, r->operands, in);
    s->to->fence = 0;
    for (int32_t k = 0; k < r->outputs; ++k) s->map[r->output + k] = v.id < 0 ? -1 : v.id + k;
}

/** Appends the loop of record `r`; *done: it is another one now. */
static saros_status narrow(const narrowing *s, const saros_graph_record *r, bool *done) {
    part p[2];
    saros_body *made[2] = {NULL, NULL}, *body[2];
    saros_status status = SAROS_OK;
    const int parts = read_parts(r, p);
    *done = false;
    for (int b = 0; b < parts; ++b) p[b].change = NULL;
    for (int b = 0; b < parts; ++b) {
        p[b].change = saros_allocate_zero((size_t)p[b].body->inputs, sizeof *p[b].change);
        if (!p[b].change) SAROS_TRY(SAROS_ERR_MEMORY);
        find_repeated(s, r, &p[b]);
        if (b == parts - 1) SAROS_TRY(find_summed(s, r, &p[b]));
        if (p[b].changes) SAROS_TRY(copy_body(&p[b], &made[b]));
        *done |= p[b].changes;
        body[b] = made[b] ? made[b] : r->body[b];
    }
    if (*done) build_loop(s, r, parts, p, body);
done:
    for (int b = 0; b < parts; ++b) {
        saros_release(p[b].change);
        saros_body_release(made[b]);
    }
    return status;
}

/* ---- the pass ---- */

/** Fills `summed`: all that read the value sum it over the same axes. */
static void mark_summed(narrowing *s, const saros_body *body) {
    static const uint32_t NEVER = 0, FREE = UINT32_MAX;
    const saros_graph *g = s->graph;
    for (int32_t k = 0; k < g->values; ++k) s->summed[k] = FREE;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; s->live[n] && k < r->operands; ++k) {
            uint32_t *axes = &s->summed[r->operand[k]];
            const uint32_t own = r->row == &saros_row_sum ? (uint32_t)r->word[0] : NEVER;
            *axes = *axes == FREE || *axes == own ? own : NEVER;
        }
    }
    for (int k = 0; k < body->outputs; ++k) s->summed[body->output[k]] = NEVER;
    for (int32_t k = 0; k < g->values; ++k)
        if (s->summed[k] == FREE) s->summed[k] = NEVER;
}

/** Whether record n is the sum of a carry that is summed inside now. */
static bool is_done(const narrowing *s, const saros_graph_record *r) {
    if (r->row != &saros_row_sum) return false;
    const int32_t id = r->operand[0], to = s->map[id];
    return to >= 0 && s->to->type[to]->rank < s->graph->type[id]->rank;
}

static saros_status open(narrowing *s, const saros_body *body) {
    const saros_graph *g = s->graph = body->graph;
    const size_t values = (size_t)g->values + 1;
    s->live = saros_allocate_zero((size_t)g->records + 1, sizeof *s->live);
    s->map = saros_allocate(values * sizeof *s->map);
    s->summed = saros_allocate(values * sizeof *s->summed);
    s->in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *s->in);
    if (!s->live || !s->map || !s->summed || !s->in) return SAROS_ERR_MEMORY;
    for (int32_t k = 0; k < g->values; ++k) s->map[k] = -1;
    saros_status status = saros_rewrite_mark(body, s->live);
    if (status == SAROS_OK) mark_summed(s, body);
    return status == SAROS_OK ? saros_graph_make(&s->to) : status;
}

saros_status saros_narrow_loops(const saros_body *body, saros_body **out) {
    const saros_graph *g = body->graph;
    narrowing s = {0};
    bool any = false, changed = false;
    saros_status status = SAROS_OK;
    part p[2];
    *out = NULL;
    for (int32_t n = 0; n < g->records && !any; ++n) any = read_parts(saros_graph_at(g, n), p) > 0;
    if (!any) return SAROS_OK;
    SAROS_TRY(open(&s, body));
    saros_rewrite_declare(body, s.to, s.map);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        bool done = false;
        if (!s.live[n] || r->row == &saros_row_input) continue;
        if (read_parts(r, p)) SAROS_TRY(narrow(&s, r, &done));
        changed |= done;
        if (is_done(&s, r))
            s.map[r->output] = s.map[r->operand[0]];
        else if (!done)
            saros_rewrite_copy(s.to, r, s.map, s.in, NULL);
    }
    if (changed) {
        status = saros_rewrite_close(body, s.to, s.map, out);
        s.to = NULL;
    } else {
        status = saros_graph_status(s.to);
    }
done:
    saros_graph_release(s.to);
    saros_release(s.live);
    saros_release(s.map);
    saros_release(s.summed);
    saros_release(s.in);
    return status;
}
