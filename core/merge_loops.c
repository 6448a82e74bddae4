/** Loops that contain other loops run in their place.
 *
 *  Differentiation writes loops that repeat a loop of the graph and do more in each iteration: keep
 * what the reverse sweep reads, carry tangents (saros_loop_parts.contains). Carries, inputs,
 * captures, kept values and states of the repeated loop are the first of each kind. Where both are
 * live the larger one gives the outputs of both, so that the iterations run once.
 *
 *  The larger loop then has to stand before the first use of the smaller one, with all that feeds
 * it: records are ordered anew, operands first, otherwise as they were. A loop that feeds, by
 * whatever way, the one that would run in its place keeps running itself. */
#include <string.h>

#include "region_impl.h"
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

typedef struct merging {
    const saros_graph *graph;
    bool *live, *done, *seen;
    int32_t *target; /**< per record: the record that runs in its place, or -1 */
    int32_t *stack;  /**< of records to visit */
} merging;

static const int64_t *words_of(const saros_graph *g, int32_t n) {
    const saros_graph_record *r = saros_graph_at(g, n);
    return r->row == &saros_row_loop ? r->word : NULL;
}

/** The record of the loop that loop n says it contains, or -1. */
static int32_t contained(const saros_graph *g, int32_t n) {
    const int64_t *word = words_of(g, n);
    if (!word || word[SAROS_LOOP_CONTAINS] < 0) return -1;
    int64_t first = word[SAROS_LOOP_CONTAINS];
    return first < saros_graph_at(g, n)->output ? g->owner[first] : -1;
}

/** Where output k of the smaller loop stands among those of the larger one: what they leave stands
 * last. */
static int32_t output_of(const int64_t *small, const int64_t *large, int32_t k) {
    int64_t last = small[SAROS_LOOP_CARRIES] + small[SAROS_LOOP_KEPT] + small[SAROS_LOOP_STATES];
    if (k == last)
        return (int32_t)(large[SAROS_LOOP_CARRIES] + large[SAROS_LOOP_KEPT] +
                         large[SAROS_LOOP_STATES]);
    if (k < small[SAROS_LOOP_CARRIES]) return k;
    k -= (int32_t)small[SAROS_LOOP_CARRIES];
    if (k < small[SAROS_LOOP_KEPT]) return (int32_t)large[SAROS_LOOP_CARRIES] + k;
    k -= (int32_t)small[SAROS_LOOP_KEPT];
    return (int32_t)(large[SAROS_LOOP_CARRIES] + large[SAROS_LOOP_KEPT]) + k;
}

/** Whether loop n has the operands and outputs of loop m as the first ones of each kind. */
static bool contains(const saros_graph *g, int32_t n, int32_t m) {
    static const int same[] = {SAROS_LOOP_BOUND, SAROS_LOOP_EVERY, SAROS_LOOP_REVERSE,
                               SAROS_LOOP_EARLY};
    static const int left[] = {SAROS_LOOP_LEAVES, SAROS_LOOP_CARRIES, SAROS_LOOP_SNAPSHOTS,
                               SAROS_LOOP_DISK};
    static const int fed[] = {SAROS_LOOP_CARRIES, SAROS_LOOP_INPUTS, SAROS_LOOP_CAPTURES};
    const saros_graph_record *large = saros_graph_at(g, n), *small = saros_graph_at(g, m);
    const int64_t *a = words_of(g, n), *b = words_of(g, m);
    if (!a || !b || large->operand[0] != small->operand[0]) return false;
    for (size_t k = 0; k < sizeof same / sizeof *same; ++k)
        if (a[same[k]] != b[same[k]]) return false;
    const int32_t *x = large->operand + 1, *y = small->operand + 1;
    for (size_t k = 0; k < sizeof fed / sizeof *fed; x += a[fed[k]], y += b[fed[k]], ++k)
        if (a[fed[k]] < b[fed[k]] || memcmp(x, y, (size_t)b[fed[k]] * sizeof *x) != 0) return false;
    if (a[SAROS_LOOP_KEPT] < b[SAROS_LOOP_KEPT] || a[SAROS_LOOP_STATES] < b[SAROS_LOOP_STATES])
        return false;
    for (size_t k = 0; b[SAROS_LOOP_LEAVES] && k < sizeof left / sizeof *left; ++k)
        if (a[left[k]] != b[left[k]]) return false;
    for (int32_t k = 0; k < small->outputs; ++k)
        if (!saros_type_equal(g->type[small->output + k],
                              g->type[large->output + output_of(b, a, k)]))
            return false;
    return true;
}

static bool is_ordered(const saros_graph *g, int32_t n) {
    const saros_graph_record *r = saros_graph_at(g, n);
    saros_attributes attributes = saros_record_attributes(r);
    return g->ordered && saros_node_is_ordered(r->row, &attributes);
}

/** Whether `n` may run in the place of `m`: nothing that feeds n needs m, and nothing ordered would
 * move. */
static bool may_replace(merging *s, int32_t n, int32_t m) {
    const saros_graph *g = s->graph;
    int32_t top = 0;
    memset(s->seen, 0, (size_t)g->records * sizeof *s->seen);
    s->stack[top++] = n;
    s->seen[n] = true;
    while (top) {
        int32_t at = s->stack[--top];
        if (at > m && at != n && is_ordered(g, at)) return false;
        const saros_graph_record *r = saros_graph_at(g, at);
        for (int32_t k = 0; k < r->operands; ++k) {
            int32_t from = g->owner[r->operand[k]];
            if (from == m) return false;
            if (s->target[from] >= 0) from = s->target[from];
            if (s->seen[from]) continue;
            s->seen[from] = true;
            s->stack[top++] = from;
        }
    }
    return true;
}

/** Fills `target`; false if no loop is replaced. */
static bool find_targets(merging *s) {
    bool any = false;
    for (int32_t n = s->graph->records; n-- > 0;) {
        if (!s->live[n]) continue;
        int32_t by = s->target[n] >= 0 ? s->target[n] : n;
        for (int32_t m = contained(s->graph, n); m >= 0; m = contained(s->graph, m)) {
            if (!s->live[m] || s->target[m] >= 0 || !contains(s->graph, by, m)) continue;
            if (!may_replace(s, by, m)) continue;
            s->target[m] = by;
            any = true;
        }
    }
    return any;
}

/** Pushes what has to be there before record n; false if all is. */
static bool wait_for(merging *s, int32_t n, int32_t *top) {
    const saros_graph_record *r = saros_graph_at(s->graph, n);
    int32_t before = *top;
    if (s->target[n] >= 0) {
        if (!s->done[s->target[n]]) s->stack[(*top)++] = s->target[n];
        return *top > before;
    }
    for (int32_t k = r->operands; k-- > 0;) { /* the first operand first */
        int32_t from = s->graph->owner[r->operand[k]];
        if (!s->done[from]) s->stack[(*top)++] = from;
    }
    return *top > before;
}

static void copy_record(const merging *s, int32_t n, saros_graph *to, int32_t *map,
                        saros_value *in) {
    const saros_graph *g = s->graph;
    const saros_graph_record *r = saros_graph_at(g, n);
    if (r->row == &saros_row_input) return;
    if (s->target[n] < 0) {
        saros_rewrite_copy(to, r, map, in, NULL);
        return;
    }
    const saros_graph_record *by = saros_graph_at(g, s->target[n]);
    for (int32_t k = 0; k < r->outputs; ++k)
        map[r->output + k] = map[by->output + output_of(r->word, by->word, k)];
}

static void copy_all(merging *s, saros_graph *to, int32_t *map, saros_value *in) {
    for (int32_t n = 0; n < s->graph->records; ++n) {
        if (!s->live[n] || s->done[n]) continue;
        int32_t top = 0;
        s->stack[top++] = n;
        while (top) {
            int32_t at = s->stack[top - 1];
            if (!s->done[at] && wait_for(s, at, &top)) continue;
            --top;
            if (!s->done[at]) copy_record(s, at, to, map, in);
            s->done[at] = true;
        }
    }
}

static saros_status merging_open(merging *s, const saros_body *body) {
    const saros_graph *g = body->graph;
    size_t n = (size_t)g->records + 1, pushes = 2 * n;
    for (int32_t k = 0; k < g->records; ++k) pushes += (size_t)saros_graph_at(g, k)->operands;
    *s = (merging){.graph = g};
    s->live = saros_allocate_zero(3 * n, sizeof *s->live);
    s->target = saros_allocate((n + pushes) * sizeof *s->target);
    if (!s->live || !s->target) return SAROS_ERR_MEMORY;
    s->done = s->live + n;
    s->seen = s->done + n;
    s->stack = s->target + n;
    for (size_t k = 0; k < n; ++k) s->target[k] = -1;
    return saros_rewrite_mark(body, s->live);
}

saros_status saros_merge_loops(const saros_body *body, saros_body **out) {
    const saros_graph *g = body->graph;
    bool any = false;
    for (int32_t n = 0; n < g->records && !any; ++n) any = contained(g, n) >= 0;
    *out = NULL;
    if (!any) return SAROS_OK;
    merging s;
    saros_graph *to = NULL;
    int32_t *map = NULL;
    saros_value *in = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(merging_open(&s, body));
    if (!find_targets(&s)) goto done;
    map = saros_allocate((size_t)g->values * sizeof *map + 1);
    in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *in);
    if (!map || !in) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_graph_make(&to));
    for (int32_t k = 0; k < g->values; ++k) map[k] = -1;
    saros_rewrite_declare(body, to, map);
    copy_all(&s, to, map, in);
    status = saros_rewrite_close(body, to, map, out);
    to = NULL;
done:
    saros_graph_release(to);
    saros_release(map);
    saros_release(in);
    saros_release(s.live);
    saros_release(s.target);
    return status;
}
