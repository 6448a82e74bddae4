/** What windows of cheap values are computed from: the first half of push_windows.c.
 *
 *  f is followed from x towards its operands, the newest first. Each set of values met on the way
 * would do as arrays; it costs 2 for each that is stored for this alone, 1 for each that others
 * read too, 1 for each that has no ghosts yet, and 1 for each window of it. What several such x
 * are made of is shared by them. The cheapest set is taken, x itself if none is cheaper. */
#include "push_windows_impl.h"

#include <string.h>

#include "saros/rows.h"

enum { MOST_STEPS = 12 };

static const saros_graph_record *maker(const saros_pushing *s, int32_t id) {
    return saros_graph_maker(s->graph, id);
}

static int64_t extent_of(const saros_pushing *s, int32_t id, int axis) {
    return s->graph->type[id]->shape[axis];
}

/* ---- concats ---- */

static bool is_slice(const saros_graph_record *r, int axis) {
    return r->row == &saros_row_slice && r->word[0] == axis && r->word[3] == 1;
}

/** Reads the concat of record n; false if it is another one. */
static bool read_around(const saros_pushing *s, int32_t n, saros_around *out) {
    const saros_graph_record *r = saros_graph_at(s->graph, n);
    if (r->row != &saros_row_concat || r->operands > 3 || s->graph->type[r->output]->split)
        return false;
    const int axis = (int)r->word[0];
    for (int32_t main = 0; main < r->operands; ++main) {
        const int32_t x = r->operand[main];
        if (main > 1 || r->operands - main > 2) continue;
        *out = (saros_around){.record = n, .x = x, .first = -1, .axis = axis};
        bool fits = true;
        for (int32_t k = 0; k < r->operands && fits; ++k) {
            const saros_graph_record *part = maker(s, r->operand[k]);
            if (k == main) continue;
            fits = is_slice(part, axis) && part->operand[0] == x;
            if (fits)
                *(k < main ? &out->left : &out->right) =
                    (saros_stretch){x, part->word[1], part->word[2]};
        }
        if (fits) return true;
    }
    return false;
}

/* ---- windows of windows ---- */

static bool put(saros_stretch *list, int *count, saros_stretch one) {
    saros_stretch *before = *count ? &list[*count - 1] : NULL;
    if (before && before->id == one.id && before->last == one.first) {
        before->last = one.last;
        return true;
    }
    if (*count == SAROS_PUSH_ENTRIES) return false;
    list[(*count)++] = one;
    return true;
}

/** Adds what stands at a stretch, seen through slices and concats along the axis. */
static bool trace(const saros_pushing *s, int axis, saros_stretch at, saros_stretch *list,
                  int *count) {
    const saros_graph_record *r = maker(s, at.id);
    if (is_slice(r, axis))
        return trace(s, axis,
                     (saros_stretch){r->operand[0], at.first + r->word[1], at.last + r->word[1]},
                     list, count);
    if (r->row != &saros_row_concat || r->word[0] != axis) return put(list, count, at);
    int64_t start = 0;
    for (int32_t k = 0; k < r->operands; ++k) {
        const int64_t end = start + extent_of(s, r->operand[k], axis);
        const int64_t first = at.first > start ? at.first : start,
                      last = at.last < end ? at.last : end;
        if (first < last &&
            !trace(s, axis, (saros_stretch){r->operand[k], first - start, last - start}, list,
                   count))
            return false;
        start = end;
    }
    return true;
}

int saros_push_list(const saros_pushing *s, const saros_around *c, int32_t id, int64_t first,
                    int64_t last, saros_stretch *list) {
    const int64_t n = extent_of(s, c->x, c->axis);
    const saros_stretch part[] = {
        {id, c->left.first, c->left.last}, {id, 0, n}, {id, c->right.first, c->right.last}};
    int64_t start = 0;
    int count = 0;
    for (int k = 0; k < 3; ++k) {
        const int64_t end = start + saros_stretch_length(&part[k]);
        const int64_t from = first > start ? first : start, to = last < end ? last : end;
        if (from < to &&
            !trace(s, c->axis,
                   (saros_stretch){id, part[k].first + from - start, part[k].first + to - start},
                   list, &count))
            return 0;
        start = end;
    }
    return count;
}

const saros_around *saros_push_find(const saros_pushing *s, const saros_around *by, int count,
                                    const saros_stretch *list, int64_t *start) {
    for (const saros_around *c = s->all; c < by && count == 2; ++c) {
        const int64_t n = extent_of(s, list[0].id, by->axis), left = saros_stretch_length(&c->left);
        if (c->x != list[0].id || c->x != list[1].id || c->axis != by->axis || c->sets) continue;
        *start = left + list[0].first;
        if (list[0].last == n && list[1].first == c->right.first && list[1].last <= c->right.last)
            return c;
        *start = list[0].first - c->left.first;
        if (list[1].first == 0 && list[0].last == c->left.last && list[0].first >= c->left.first)
            return c;
    }
    return NULL;
}

bool saros_push_still(const saros_pushing *s, int32_t id, int axis) {
    const saros_graph_record *r = maker(s, id);
    if (saros_graph_splat(s->graph, id)) return true;
    if (r->row != &saros_row_broadcast) return false;
    const int64_t *to = r->word + 1 + r->word[0];
    const saros_type *from = s->graph->type[r->operand[0]];
    for (int a = 0; a < from->rank; ++a)
        if (to[a] == axis && from->shape[a] != 1) return false;
    return true;
}

bool saros_push_free(const saros_pushing *s, const saros_around *c, int32_t id) {
    saros_stretch list[SAROS_PUSH_ENTRIES];
    int64_t start;
    if (saros_push_still(s, id, c->axis)) return true;
    if (maker(s, id)->row != &saros_row_slice) return false;
    for (int32_t n = c->first; n >= 0; n = s->next[n]) {
        const int64_t *w = saros_graph_at(s->graph, n)->word;
        const int count = saros_push_list(s, c, id, w[1], w[2], list);
        if (count != 1 && !saros_push_find(s, c, count, list, &start)) return false;
    }
    return true;
}

/* ---- the cheapest set ---- */

static bool is_step(const saros_pushing *s, int32_t id) {
    static const saros_primitive *const rows[] = {&saros_row_add, &saros_row_sub, &saros_row_mul,
                                                  &saros_row_neg, &saros_row_fma};
    const saros_graph_record *r = maker(s, id);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; ++k)
        if (r->row == rows[k]) return true;
    return false;
}

static bool has_ghosts(const saros_pushing *s, int32_t id, int axis) {
    for (int32_t k = 0; k < s->count; ++k)
        if (s->all[k].x == id && s->all[k].axis == axis && !s->all[k].sets) return true;
    return false;
}

static double cost_of(const saros_pushing *s, const saros_around *c, int32_t id) {
    const int shared = s->reached[id] ? s->reached[id] : 1;
    const saros_primitive *row = maker(s, id)->row;
    const bool stored = !(row->flags & SAROS_POINTWISE) && row != &saros_row_slice,
               others = id != c->x && row != &saros_row_slice && s->uses[id] > shared;
    const double kept = stored ? 0 : others ? 1 : 2;
    return kept / shared + (id == c->x || !has_ghosts(s, id, c->axis)) + c->windows;
}

static double cost_of_set(const saros_pushing *s, const saros_around *c, int count,
                          const int32_t *set) {
    double cost = 0;
    for (int k = 0; k < count; ++k) cost += cost_of(s, c, set[k]);
    return cost;
}

/** Replaces the newest value of the set that is an operation by its operands; false: none is, or
 * they are too many. */
static bool expand(const saros_pushing *s, const saros_around *c, int *count, int32_t *set) {
    int at = -1;
    for (int k = 0; k < *count; ++k)
        if (is_step(s, set[k]) && (at < 0 || set[k] > set[at])) at = k;
    if (at < 0) return false;
    const saros_graph_record *r = maker(s, set[at]);
    set[at] = set[--*count];
    for (int32_t k = 0; k < r->operands; ++k) {
        bool known = saros_push_free(s, c, r->operand[k]);
        for (int j = 0; j < *count; ++j) known |= set[j] == r->operand[k];
        if (known) continue;
        if (*count == SAROS_PUSH_SET) return false;
        set[(*count)++] = r->operand[k];
    }
    return true;
}

static void note_reached(saros_pushing *s, const saros_around *c) {
    int32_t set[SAROS_PUSH_SET] = {c->x}, seen[MOST_STEPS * SAROS_PUSH_SET];
    int count = 1, met = 0;
    for (int step = 0; step < MOST_STEPS; ++step) {
        for (int k = 0; k < count; ++k) {
            bool known = false;
            for (int j = 0; j < met; ++j) known |= seen[j] == set[k];
            if (!known) s->reached[seen[met++] = set[k]]++;
        }
        if (!expand(s, c, &count, set)) return;
    }
}

static void choose(const saros_pushing *s, saros_around *c) {
    int32_t set[SAROS_PUSH_SET] = {c->x};
    int count = 1;
    double least = cost_of(s, c, c->x);
    for (int step = 1; step <= MOST_STEPS && expand(s, c, &count, set); ++step) {
        bool given = true;
        for (int k = 0; k < count; ++k) given &= maker(s, set[k])->row == &saros_row_input;
        const double cost = cost_of_set(s, c, count, set);
        if (!count || cost > least || (cost == least && !given)) continue;
        least = cost;
        c->sets = count;
        memcpy(c->set, set, (size_t)count * sizeof *set);
    }
}

/** Lists the concats that windows alone read. */
static void list_all(saros_pushing *s, const saros_body *body) {
    const saros_graph *g = s->graph;
    for (int32_t n = 0; n < g->records; ++n) {
        saros_around c;
        if (s->live[n] && read_around(s, n, &c)) {
            s->found[n] = s->count;
            s->all[s->count++] = c;
        }
    }
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; s->live[n] && k < r->operands; ++k) {
            const int32_t c = s->found[g->owner[r->operand[k]]];
            if (c < 0) continue;
            if (!is_slice(r, s->all[c].axis)) {
                s->all[c].windows = INT16_MIN;
                continue;
            }
            s->all[c].windows++;
            s->next[n] = s->all[c].first;
            s->all[c].first = n;
        }
    }
    for (int k = 0; k < body->outputs; ++k)
        if (s->found[g->owner[body->output[k]]] >= 0)
            s->all[s->found[g->owner[body->output[k]]]].windows = INT16_MIN;
}

bool saros_push_choose(saros_pushing *s, const saros_body *body) {
    bool any = false;
    list_all(s, body);
    for (int32_t k = 0; k < s->count; ++k)
        if (s->all[k].windows > 0 && is_step(s, s->all[k].x)) note_reached(s, &s->all[k]);
    for (int32_t k = 0; k < s->count; ++k)
        if (s->all[k].windows > 0 && is_step(s, s->all[k].x)) {
            choose(s, &s->all[k]);
            any |= s->all[k].sets > 0;
        }
    return any;
}
