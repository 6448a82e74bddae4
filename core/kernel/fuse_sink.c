/** Members that move to the group that reads them.
 *
 *  Grouping puts a node to its operands. Where these are stored anyway and the node is read by one
 * other group alone, it is cheaper there: that group loads the operands, often does so already,
 * instead of a result that was stored for it. So the pointwise terms of a Runge-Kutta stage go to
 * the stage's stencil, not to the kernel of the stage before. A node moves if this adds no more
 * loads and stores than the two it saves; groups stay free of cycles, for there is a way from the
 * old group to the new one already. Nodes are taken from the last to the first, so that chains
 * follow. */
#include <string.h>

#include "kernel/fuse_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"

enum { NOBODY = -1, SEVERAL = -2 };

typedef struct sink {
    saros_fusion *f;
    int32_t *label;  /**< per record: its group (a record that was of it), -1: none */
    int32_t *reader; /**< per value: the one group that reads it, NOBODY, SEVERAL */
    int32_t *first;  /**< per value, one more: first entry of `use` */
    int32_t *use;    /**< records that read the value */
    int32_t *size;   /**< per group: operations */
    int32_t *latest; /**< per group: its members from the last on */
    int32_t *before; /**< per record: the member before it in that list, -1: none */
} sink;

static void list_uses(sink *s) {
    const saros_graph *g = s->f->from;
    for (int pass = 0; pass < 2; ++pass) {
        for (int32_t n = 0; n < g->records; ++n) {
            const saros_graph_record *r = saros_graph_at(g, n);
            for (int32_t k = 0; s->f->live[n] && k < r->operands; ++k) {
                int32_t id = r->operand[k];
                if (pass) s->use[s->first[id]] = n;
                s->first[id]++;
            }
        }
        for (int32_t id = g->values, sum = 0; pass == 0 && id >= 0;
             --id) { /* ends, then counted down */
            int32_t count = s->first[id];
            s->first[id] = sum;
            sum += count;
        }
    }
}

/** Whether the value is in memory after its group has run, `but` for record n's sake. */
static bool is_stored(const sink *s, int32_t id, int32_t n) {
    const saros_graph *g = s->f->from;
    int32_t own = s->label[g->owner[id]];
    if (own < 0) return true;
    for (int k = 0; k < s->f->body->outputs; ++k)
        if (s->f->body->output[k] == id) return true;
    int32_t from = id < g->values - 1 ? s->first[id + 1] : 0;
    for (int32_t u = from; u < s->first[id]; ++u)
        if (s->use[u] != n && s->label[s->use[u]] != own) return true;
    return false;
}

/** Values that group `to` loads, up to the most it may; `has`: whether value `id` is among them for
 * a member other than through record n. */
static int32_t count_loads(const sink *s, int32_t to, int32_t n, int32_t id, bool *has) {
    const saros_graph *g = s->f->from;
    int32_t seen[SAROS_KERNEL_LOADS + 1], count = 0;
    *has = false;
    for (int32_t m = s->latest[to]; m >= 0; m = s->before[m]) {
        const saros_graph_record *r = saros_graph_at(g, m);
        for (int32_t k = 0; k < r->operands; ++k) {
            int32_t x = r->operand[k], known = 0;
            if (s->label[g->owner[x]] == to || g->owner[x] == n || saros_graph_splat(g, x))
                continue;
            *has |= x == id;
            while (known < count && seen[known] != x) ++known;
            if (known < count) continue;
            if (count == SAROS_KERNEL_LOADS) return count + 1;
            seen[count++] = x;
        }
    }
    return count;
}

/** Whether record n is to go to group `to`. */
static bool worth_it(const sink *s, int32_t n, int32_t to) {
    const saros_graph *g = s->f->from;
    const saros_graph_record *r = saros_graph_at(g, n);
    const saros_type *a = saros_fuse_type(s->f, n), *b = saros_fuse_type(s->f, s->latest[to]);
    if (a->rank != b->rank || memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) != 0 ||
        s->size[to] + 1 > SAROS_KERNEL_OPERATIONS)
        return false;
    int32_t added = 0, loads = 0;
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t id = r->operand[k];
        bool has, again = false;
        for (int32_t j = 0; j < k; ++j) again |= r->operand[j] == id;
        if (again || saros_graph_splat(g, id)) continue;
        int32_t held = count_loads(s, to, n, id, &has);
        loads += !has;
        added += !has + !is_stored(s, id, n);
        if (held + loads > SAROS_KERNEL_LOADS) return false;
    }
    return added <= 2;
}

static void move(sink *s, int32_t n, int32_t to) {
    int32_t own = s->label[n], *link = &s->latest[own];
    while (*link != n) link = &s->before[*link];
    *link = s->before[n];
    s->size[own]--;
    s->size[to]++;
    s->label[n] = to;
    link = &s->latest[to];
    while (*link > n) link = &s->before[*link];
    s->before[n] = *link;
    *link = n;
}

static void consider(sink *s, int32_t n) {
    const saros_graph_record *r = saros_graph_at(s->f->from, n);
    int32_t to = s->reader[r->output];
    if (s->label[n] >= 0 && r->row->flags & SAROS_POINTWISE && to >= 0 && to != s->label[n] &&
        worth_it(s, n, to))
        move(s, n, to);
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t *reader = &s->reader[r->operand[k]];
        if (s->label[n] < 0 || (*reader != NOBODY && *reader != s->label[n]))
            *reader = SEVERAL;
        else
            *reader = s->label[n];
    }
}

/** The groups as the labels say, in the form of saros_fuse_group; loads, readers and the list of
 * groups are no longer needed. */
static void rebuild(sink *s) {
    saros_fusion *f = s->f;
    for (int32_t n = 0; n < f->from->records; ++n) {
        f->vertex[n] = f->tail[n] = n;
        f->next[n] = -1;
        f->size[n] = f->axes[n] = 0;
    }
    for (int32_t n = 0; n < f->from->records; ++n) s->before[n] = -1; /* per label: its vertex */
    for (int32_t n = 0; n < f->from->records; ++n) {
        if (s->label[n] < 0) continue;
        int32_t *vertex = &s->before[s->label[n]];
        if (*vertex < 0) *vertex = n;
        f->vertex[n] = *vertex;
        if (*vertex != n) f->next[f->tail[*vertex]] = n;
        f->tail[*vertex] = n;
        f->size[*vertex]++;
        f->axes[*vertex] |= saros_fuse_axes(f, n);
    }
}

saros_status saros_fuse_sink(saros_fusion *f) {
    const saros_graph *g = f->from;
    size_t records = (size_t)g->records + 1, values = (size_t)g->values + 1, uses = 0;
    for (int32_t n = 0; n < g->records; ++n) uses += (size_t)saros_graph_at(g, n)->operands;
    int32_t *memory = saros_allocate_zero(4 * records + 2 * values + uses, sizeof *memory);
    if (!memory) return SAROS_ERR_MEMORY;
    sink s = {.f = f, .label = memory, .size = memory + records, .latest = memory + 2 * records};
    s.before = memory + 3 * records;
    s.reader = memory + 4 * records;
    s.first = s.reader + values;
    s.use = s.first + values;
    list_uses(&s);
    for (int32_t id = 0; id < g->values; ++id) s.reader[id] = NOBODY;
    for (int k = 0; k < f->body->outputs; ++k) s.reader[f->body->output[k]] = SEVERAL;
    for (int32_t n = 0; n < g->records; ++n) s.latest[n] = -1;
    for (int32_t n = 0; n < g->records; ++n) {
        s.label[n] = f->live[n] && f->size[f->vertex[n]] > 0 ? f->vertex[n] : -1;
        if (s.label[n] < 0) continue;
        s.size[s.label[n]]++;
        s.before[n] = s.latest[s.label[n]];
        s.latest[s.label[n]] = n;
    }
    for (int32_t n = g->records - 1; n >= 0; --n)
        if (f->live[n]) consider(&s, n);
    rebuild(&s);
    saros_release(memory);
    return SAROS_OK;
}
