/** Windows of what is computed point by point, computed from windows.
 *
 *  A stencil reads x with copies of its own entries around it (a periodic axis, a reflection)
 * through slices. Where x = f(a, b, …) is a few operations on arrays,
 *
 *      slice(around(f(a, b))) = f(slice(around(a)), slice(around(b))),
 *
 *  and the right side is the cheaper one if it leaves fewer arrays to be stored and loaded: in a
 * transposed stencil the products of one cotangent k with each neighbour, which would all be
 * stored with ghosts, become products of windows of k with the neighbours themselves, for windows
 * of windows fall together: of u among its ghosts, the left neighbours of the right ones are u.
 *
 *  Which a, b are taken is the business of push_windows_choose.c.
 *
 *  Operations are the same on the same numbers, so only what contraction finds changes. Not here:
 * ghosts of zeros or of other values, steps. */
#include "push_windows_impl.h"

#include <string.h>

#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

static const saros_graph_record *maker(const saros_pushing *s, int32_t id) {
    return saros_graph_maker(s->graph, id);
}

static int64_t extent_of(const saros_pushing *s, int32_t id, int axis) {
    return s->graph->type[id]->shape[axis];
}

/* ---- building ---- */

static saros_value new_value(const saros_pushing *s, int32_t id) {
    return (saros_value){s->to, s->map[id]};
}

/** Widens the sides of c by those of others that are pushed alike. */
static saros_around widened(const saros_pushing *s, const saros_around *c) {
    saros_around w = *c;
    const int64_t n = extent_of(s, c->x, c->axis);
    for (int32_t k = 0; k < s->count; ++k) {
        const saros_around *o = &s->all[k];
        if (!o->sets || o->axis != c->axis || extent_of(s, o->x, o->axis) != n) continue;
        if (saros_stretch_length(&o->left) > saros_stretch_length(&w.left) &&
            (!saros_stretch_length(&w.left) || o->left.last == w.left.last))
            w.left = o->left;
        if (saros_stretch_length(&o->right) > saros_stretch_length(&w.right) &&
            (!saros_stretch_length(&w.right) || o->right.first == w.right.first))
            w.right = o->right;
    }
    return w;
}

static saros_value ghosts(const saros_around *w, saros_value v, const saros_stretch *side) {
    return saros_slice(v, w->axis, side->first, side->last, 1);
}

/** Window first … last-1 of c around a member of its set. */
static saros_value window_of(const saros_pushing *s, const saros_around *c, int32_t id,
                             int64_t first, int64_t last) {
    const saros_around w = widened(s, c);
    const saros_value v = new_value(s, id);
    const int64_t shift = saros_stretch_length(&w.left) - saros_stretch_length(&c->left);
    saros_value part[3];
    int parts = 0;
    if (saros_stretch_length(&w.left)) part[parts++] = ghosts(&w, v, &w.left);
    part[parts++] = v;
    if (saros_stretch_length(&w.right)) part[parts++] = ghosts(&w, v, &w.right);
    return saros_slice(saros_concat(parts, part, w.axis), w.axis, first + shift, last + shift, 1);
}

/** The same of a value whose windows are at hand. */
static saros_value free_window(const saros_pushing *s, const saros_around *c, int32_t id,
                               int64_t first, int64_t last) {
    saros_stretch list[SAROS_PUSH_ENTRIES];
    saros_value part[SAROS_PUSH_ENTRIES];
    int64_t start;
    if (saros_push_still(s, id, c->axis)) {
        saros_type type = *s->graph->type[id];
        const saros_graph_record *r = maker(s, id);
        type.shape[c->axis] = last - first;
        if (last - first == s->graph->type[id]->shape[c->axis]) return new_value(s, id);
        if (saros_graph_splat(s->graph, id))
            return (saros_value){s->to,
                                 saros_graph_splat_word(s->to, &type, r->word[r->words - 1])};
        return saros_slice(new_value(s, id), c->axis, 0, last - first, 1);
    }
    const int count = saros_push_list(s, c, id, first, last, list);
    const saros_around *other = saros_push_find(s, c, count, list, &start);
    if (other)
        return saros_slice(new_value(s, saros_graph_at(s->graph, other->record)->output), c->axis,
                           start, start + last - first, 1);
    for (int k = 0; k < count; ++k)
        part[k] = saros_slice(new_value(s, list[k].id), c->axis, list[k].first, list[k].last, 1);
    return count ? saros_concat(count, part, c->axis) : saros_poison(s->to);
}

/** Window first … last-1 of c with `id` in the place of its x. Depth: at most MOST_STEPS. */
static saros_value push(const saros_pushing *s, const saros_around *c, int32_t id, int64_t first,
                        int64_t last) {
    for (int k = 0; k < c->sets; ++k)
        if (c->set[k] == id) return window_of(s, c, id, first, last);
    if (id != c->x && saros_push_free(s, c, id)) return free_window(s, c, id, first, last);
    const saros_graph_record *r = maker(s, id);
    const saros_attributes attributes = saros_record_attributes(r);
    saros_value in[3];
    for (int32_t k = 0; k < r->operands; ++k) in[k] = push(s, c, r->operand[k], first, last);
    return saros_build(s->to, r->row, &attributes, r->operands, in);
}

/* ---- the pass ---- */

static saros_status open(saros_pushing *s, const saros_body *body) {
    const saros_graph *g = s->graph = body->graph;
    const size_t values = (size_t)g->values + 1, records = (size_t)g->records + 1;
    s->live = saros_allocate_zero(records, sizeof *s->live);
    s->map = saros_allocate_zero(3 * values + 2 * records, sizeof *s->map);
    s->all = saros_allocate(records * sizeof *s->all);
    s->in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *s->in);
    if (!s->live || !s->map || !s->all || !s->in) return SAROS_ERR_MEMORY;
    s->uses = s->map + values;
    s->reached = s->uses + values;
    s->found = s->reached + values;
    s->next = s->found + records;
    for (int32_t n = 0; n < g->records; ++n) s->found[n] = s->next[n] = -1;
    for (int32_t k = 0; k < g->values; ++k) s->map[k] = -1;
    saros_status status = saros_rewrite_mark(body, s->live);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; s->live[n] && k < r->operands; ++k) s->uses[r->operand[k]]++;
    }
    for (int k = 0; k < body->outputs; ++k) s->uses[body->output[k]]++;
    return status;
}

/** Record n of the body: a concat that is pushed is left out, its windows are built. */
static void copy(saros_pushing *s, int32_t n) {
    const saros_graph_record *r = saros_graph_at(s->graph, n);
    if (s->found[n] >= 0 && s->all[s->found[n]].sets) return;
    const int32_t of = r->row == &saros_row_slice ? s->found[s->graph->owner[r->operand[0]]] : -1;
    if (of < 0 || !s->all[of].sets) {
        saros_rewrite_copy(s->to, r, s->map, s->in, NULL);
        return;
    }
    const saros_around *c = &s->all[of];
    const saros_graph_record *made = maker(s, c->x);
    saros_graph_locate(s->to, made->file, made->line);
    s->to->fence = made->fence;
    if (s->to->fences < made->fence) s->to->fences = made->fence;
    s->map[r->output] = push(s, c, c->x, r->word[1], r->word[2]).id;
    s->to->fence = 0;
}

saros_status saros_push_windows(const saros_body *body, saros_body **out) {
    const saros_graph *g = body->graph;
    saros_pushing s = {0};
    bool any = false;
    saros_status status = SAROS_OK;
    *out = NULL;
    for (int32_t n = 0; n < g->records && !any; ++n)
        any = saros_graph_at(g, n)->row == &saros_row_concat;
    if (!any) return SAROS_OK;
    SAROS_TRY(open(&s, body));
    if (!saros_push_choose(&s, body)) goto done;
    SAROS_TRY(saros_graph_make(&s.to));
    saros_rewrite_declare(body, s.to, s.map);
    for (int32_t n = 0; n < g->records; ++n)
        if (s.live[n] && saros_graph_at(g, n)->row != &saros_row_input) copy(&s, n);
    status = saros_rewrite_close(body, s.to, s.map, out);
    s.to = NULL;
done:
    saros_graph_release(s.to);
    saros_release(s.live);
    saros_release(s.map);
    saros_release(s.all);
    saros_release(s.in);
    return status;
}
