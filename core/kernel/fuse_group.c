/** Which pointwise nodes of one shape become one kernel.
 *
 *  In id order a fusible node joins the latest group among its operands that allows it, else one
 * that loads the same values, else it begins one; then the groups of its operands are merged, at
 * the end those that load a value in common. Groups are atomic, so a node may not join a group from
 * which a path leads to it through other nodes: a walk backwards over groups and single nodes looks
 * for such a path. */
#include <string.h>

#include "kernel/fuse_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/rows.h"

enum { OPEN = 8 }; /* short groups to which another may be added */

bool saros_fuse_reduces(const saros_primitive *row) {
    return row == &saros_row_sum || row == &saros_row_max || row == &saros_row_min;
}

static bool takes(const saros_graph_record *r) {
    return r->row->take && r->operands > 0;
}

const saros_type *saros_fuse_type(const saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    const bool ends = saros_fuse_reduces(r->row) || takes(r);
    return f->from->type[ends ? r->operand[0] : r->output];
}

static bool fusible(const saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    const saros_type *type = saros_fuse_type(f, n);
    if (r->operands < 1 || saros_type_count(type) < f->few || type->split) return false;
    if (saros_fuse_reduces(r->row)) return !saros_graph_splat(f->from, r->operand[0]);
    if (takes(r)) return r->operands <= SAROS_KERNEL_LOADS;
    if (!(r->row->flags & SAROS_POINTWISE) || r->operands > 3) return false;
    saros_dtype first = f->from->type[r->operand[0]]->dtype;
    if (r->operands == 3 && first == SAROS_BOOL) first = type->dtype; /* where */
    return saros_kernel_can(r->row, first, type->dtype);
}

static bool same_shape(const saros_type *a, const saros_type *b) {
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

/** Pushes the vertices that record `n` reads, `group` excepted. */
static int32_t push_operands(const saros_fusion *f, int32_t n, int32_t group, int32_t depth) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    for (int32_t k = 0; k <= r->operands; ++k) {
        int32_t m = k < r->operands ? f->from->owner[r->operand[k]] : f->after[n];
        if (m < 0 || f->vertex[m] == group) continue;
        int32_t v = f->vertex[m];
        if (f->stamp[v] == f->tick) continue;
        f->stamp[v] = f->tick;
        f->stack[depth++] = v;
    }
    return depth;
}

/** A record such that no vertex whose last member is older can read, through any number of others,
 * what is not older than `group`: no group has a reader before it and a member from it on. */
static int32_t horizon(const saros_fusion *f, int32_t group) {
    int32_t limit = group;
    for (bool moved = true; moved;) {
        moved = false;
        for (int32_t k = 0; k < f->groups; ++k) {
            int32_t v = f->group[k];
            if (f->reader[v] >= limit || f->tail[v] < limit) continue;
            limit = f->reader[v];
            moved = true;
        }
    }
    return limit;
}

/** Whether a way leads from `group` to what is on the stack. */
static bool reaches(saros_fusion *f, int32_t group, int32_t depth) {
    const int32_t limit = depth > 0 ? horizon(f, group) : 0;
    while (depth > 0) {
        int32_t v = f->stack[--depth];
        if (f->tail[v] < limit) continue;
        for (int32_t m = v; m >= 0; m = f->next[m]) {
            const saros_graph_record *r = saros_graph_at(f->from, m);
            for (int32_t k = 0; k < r->operands; ++k)
                if (f->vertex[f->from->owner[r->operand[k]]] == group) return true;
            depth = push_operands(f, m, group, depth);
        }
    }
    return false;
}

/** Whether `n` may join `group`: no way from the group to `n` through others. */
static bool may_join(saros_fusion *f, int32_t n, int32_t group) {
    f->tick++;
    return !reaches(f, group, push_operands(f, n, group, 0));
}

/** Whether a way leads from `from` to `to` through others. */
static bool apart(saros_fusion *f, int32_t from, int32_t to) {
    int32_t depth = 0;
    f->stamp[to] = ++f->tick;
    for (int32_t m = to; m >= 0; m = f->next[m]) depth = push_operands(f, m, from, depth);
    return !reaches(f, from, depth);
}

/** Joins group `b` to the older group `a`; members stay in order. */
static void merge(saros_fusion *f, int32_t a, int32_t b) {
    for (int32_t m = b; m >= 0; m = f->next[m]) f->vertex[m] = a;
    f->size[a] += f->size[b];
    f->loads[a] += f->loads[b];
    f->axes[a] |= f->axes[b];
    if (f->reader[b] < f->reader[a]) f->reader[a] = f->reader[b];
    f->reader[b] = INT32_MAX;
    f->tail[a] = f->tail[a] > f->tail[b] ? f->tail[a] : f->tail[b];
    for (int32_t m = a; b >= 0;) {
        int32_t after = f->next[m];
        if (after < 0 || after > b) {
            f->next[m] = b;
            b = after;
        }
        m = f->next[m];
    }
}

static void note_reads(saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    for (int32_t k = 0; k <= r->operands; ++k) {
        int32_t m = k < r->operands ? f->from->owner[r->operand[k]] : f->after[n];
        if (m < 0 || f->vertex[m] == f->vertex[n]) continue;
        if (f->reader[f->vertex[m]] > n) f->reader[f->vertex[m]] = n;
    }
}

static void count_loads(saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    int32_t v = f->vertex[n];
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t id = r->operand[k];
        if (f->vertex[f->from->owner[id]] == v || f->loader[id] == v + 1) continue;
        if (saros_graph_splat(f->from, id)) continue;
        f->loader[id] = v + 1;
        f->loads[v]++;
    }
}

int32_t saros_fuse_axes(const saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    if (takes(r)) return SAROS_FUSE_TAKEN;
    return saros_fuse_reduces(r->row) ? (int32_t)r->word[0] : 0;
}

static bool fits(const saros_fusion *f, int32_t group, int32_t n, int32_t operations, int32_t loads,
                 int32_t axes) {
    if (axes && f->axes[group] && (axes != f->axes[group] || axes == SAROS_FUSE_TAKEN))
        return false;
    return f->size[group] + operations <= SAROS_KERNEL_OPERATIONS &&
           f->loads[group] + loads <= SAROS_KERNEL_LOADS &&
           same_shape(saros_fuse_type(f, group), saros_fuse_type(f, n));
}

/** Merges the groups of the operands of `n` with its own where that closes no cycle. */
static void merge_operands(saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t own = f->vertex[n], other = f->vertex[f->from->owner[r->operand[k]]];
        if (other == own || f->size[other] == 0) continue;
        if (!fits(f, own, other, f->size[other], f->loads[other], f->axes[other])) continue;
        if (!apart(f, own, other) || !apart(f, other, own)) continue;
        merge(f, own < other ? own : other, own < other ? other : own);
    }
}

/** Whether a load of the value is hardly one: a number or a row that is repeated. */
static bool is_light(const saros_fusion *f, int32_t id) {
    return saros_graph_splat(f->from, id) ||
           saros_graph_maker(f->from, id)->row == &saros_row_broadcast;
}

/** A group to join: the latest among those that make operands of `n`, else one that loads the same
 * values; -1 if there is none. */
static int32_t candidate(saros_fusion *f, int32_t n, bool sibling) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    int32_t best = -1;
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t m = sibling ? f->loader[r->operand[k]] - 1 : f->from->owner[r->operand[k]];
        if (m < 0 || (sibling && is_light(f, r->operand[k]))) continue;
        int32_t v = f->vertex[m];
        if (f->size[v] > 0 && v > best && f->number[v] != n) best = v;
    }
    if (best >= 0) f->number[best] = n; /* tried */
    return best;
}

/** Operands of n that group v does not make. */
static int32_t new_loads(const saros_fusion *f, int32_t v, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    int32_t count = 0;
    for (int32_t k = 0; k < r->operands; ++k)
        count += f->vertex[f->from->owner[r->operand[k]]] != v;
    return count;
}

static void join(saros_fusion *f, int32_t n) {
    bool joined = false;
    for (int pass = 0; pass < 2 && !joined; ++pass) {
        int32_t v;
        while (!joined && (v = candidate(f, n, pass == 1)) >= 0) {
            if (!fits(f, v, n, 1, new_loads(f, v, n), saros_fuse_axes(f, n)) || !may_join(f, n, v))
                continue;
            f->next[f->tail[v]] = n;
            f->tail[v] = n;
            f->vertex[n] = v;
            joined = true;
        }
    }
    if (!joined) f->group[f->groups++] = n;
    f->size[f->vertex[n]]++;
    f->axes[f->vertex[n]] |= saros_fuse_axes(f, n);
    note_reads(f, n);
    count_loads(f, n);
    if (joined) merge_operands(f, n);
}

/** Merges groups that load a value in common and do not depend on one another. */
static void merge_siblings(saros_fusion *f) {
    for (int32_t id = 0; id < f->from->values; ++id) f->loader[id] = 0;
    for (int32_t n = 0; n < f->from->records; ++n) {
        const saros_graph_record *r = saros_graph_at(f->from, n);
        for (int32_t k = 0; f->live[n] && f->size[f->vertex[n]] > 0 && k < r->operands; ++k) {
            int32_t id = r->operand[k], own = f->vertex[n];
            if (f->vertex[f->from->owner[id]] == own || is_light(f, id)) continue;
            int32_t other = f->loader[id] ? f->vertex[f->loader[id] - 1] : own;
            f->loader[id] = n + 1;
            if (other == own || f->size[own] + f->size[other] > SAROS_KERNEL_OPERATIONS ||
                !fits(f, own, other, f->size[other], f->loads[other], f->axes[other]) ||
                !apart(f, own, other) || !apart(f, other, own))
                continue;
            merge(f, own < other ? own : other, own < other ? other : own);
        }
    }
}

/** Merges groups of few elements that have nothing in common but their shape: what such a kernel
 * costs is its call. */
static void merge_short(saros_fusion *f) {
    int32_t open[OPEN], count = 0;
    for (int32_t g = 0; g < f->groups; ++g) {
        const int32_t own = f->group[g];
        bool merged = false;
        if (f->vertex[own] != own || saros_type_count(saros_fuse_type(f, own)) > SAROS_KERNEL_SHORT)
            continue;
        for (int32_t k = 0; k < (count < OPEN ? count : OPEN) && !merged; ++k) {
            const int32_t other = open[k];
            merged = f->size[own] + f->size[other] <= SAROS_KERNEL_OPERATIONS &&
                     fits(f, other, own, f->size[own], f->loads[own], f->axes[own]) &&
                     apart(f, own, other) && apart(f, other, own);
            if (merged) merge(f, other, own);
        }
        if (!merged) open[count++ % OPEN] = own;
    }
}

void saros_fuse_group(saros_fusion *f) {
    int32_t ordered = -1;
    for (int32_t n = 0; n < f->from->records; ++n) {
        const saros_graph_record *r = saros_graph_at(f->from, n);
        f->vertex[n] = f->tail[n] = n;
        f->next[n] = f->after[n] = f->number[n] = -1;
        f->size[n] = 0;
        f->reader[n] = INT32_MAX;
        if (!f->live[n]) continue;
        saros_attributes attributes = saros_record_attributes(r);
        if (saros_node_is_ordered(r->row, &attributes)) {
            f->after[n] = ordered;
            ordered = n;
        }
        if (f->after[n] < 0 && ordered != n && fusible(f, n))
            join(f, n);
        else
            note_reads(f, n);
    }
    merge_siblings(f);
    merge_short(f);
}
