/** Fusion: groups of pointwise nodes of one shape become kernels.
 *
 *  1. Copy of the body in which elementary functions are expanded (expand.c).
 *  2. In id order a fusible node joins the latest group among its operands that allows it, else it
 * begins one. Groups are atomic, so a node may not join a group from which a path leads to it
 * through other nodes: a walk backwards over groups and single nodes looks for such a path.
 *  3. Second copy, operands first: a group is emitted as one node, once all that it reads is there.
 * Groups of one operation and of few elements stay as they are.
 */
#include <string.h>

#include "graph_impl.h"
#include "kernel/kernel_impl.h"
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

enum { FEW = 32 }; /* elements below which a group is not worth code of its own */

/** Vertices: groups and records outside of groups; a record's vertex is its group's first record.
 */
typedef struct fusion {
    const saros_body *body;
    const saros_graph *from;
    saros_graph *to;
    bool *live;
    int32_t *vertex; /**< per record: first record of its group, itself if alone */
    int32_t *next;   /**< per record: next member of the group, -1: last */
    int32_t *tail;   /**< per vertex: last member */
    int32_t *size;   /**< per vertex: operations; 0: no group */
    int32_t *loads;  /**< per vertex: values it loads, at most */
    int32_t *reader; /**< per vertex: oldest record outside that reads it */
    int32_t *group;  /**< vertices that are or were groups */
    int32_t groups;
    int32_t *loader; /**< per value: vertex that was last to load it */
    int32_t *after;  /**< per record: ordered record that must come first, -1 */
    int32_t *stamp;  /**< per vertex: last walk that met it */
    int32_t *stack;  /**< vertices of a walk */
    int32_t *map;    /**< value of `from` -> value of `to` */
    bool *done;      /**< per vertex: emitted */
    bool *outside;   /**< per value: read outside of its group */
    int32_t *number; /**< per value: operand number in the kernel being made */
    saros_value *in; /**< operands of the node being made */
    saros_value *out;
    int32_t tick;
    void *memory;
} fusion;

/* ---- groups ---- */

static const saros_type *type_of(const fusion *f, int32_t n) {
    return f->from->type[saros_graph_at(f->from, n)->output];
}

static bool fusible(const fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    if (!(r->row->flags & SAROS_POINTWISE) || r->operands < 1 || r->operands > 3) return false;
    const saros_type *type = type_of(f, n);
    if (saros_type_count(type) < FEW || type->split) return false;
    saros_dtype first = f->from->type[r->operand[0]]->dtype;
    if (r->operands == 3 && first == SAROS_BOOL) first = type->dtype; /* where */
    return saros_kernel_can(r->row, first, type->dtype);
}

static bool same_shape(const saros_type *a, const saros_type *b) {
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

/** Pushes the vertices that record `n` reads, `group` excepted. */
static int32_t push_operands(const fusion *f, int32_t n, int32_t group, int32_t depth) {
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
static int32_t horizon(const fusion *f, int32_t group) {
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
static bool reaches(fusion *f, int32_t group, int32_t depth) {
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
static bool may_join(fusion *f, int32_t n, int32_t group) {
    f->tick++;
    return !reaches(f, group, push_operands(f, n, group, 0));
}

/** Whether a way leads from `from` to `to` through others. */
static bool apart(fusion *f, int32_t from, int32_t to) {
    int32_t depth = 0;
    f->stamp[to] = ++f->tick;
    for (int32_t m = to; m >= 0; m = f->next[m]) depth = push_operands(f, m, from, depth);
    return !reaches(f, from, depth);
}

/** Joins group `b` to the older group `a`; members stay in order. */
static void merge(fusion *f, int32_t a, int32_t b) {
    for (int32_t m = b; m >= 0; m = f->next[m]) f->vertex[m] = a;
    f->size[a] += f->size[b];
    f->loads[a] += f->loads[b];
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

static void note_reads(fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    for (int32_t k = 0; k <= r->operands; ++k) {
        int32_t m = k < r->operands ? f->from->owner[r->operand[k]] : f->after[n];
        if (m < 0 || f->vertex[m] == f->vertex[n]) continue;
        if (f->reader[f->vertex[m]] > n) f->reader[f->vertex[m]] = n;
    }
}

static void count_loads(fusion *f, int32_t n) {
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

static bool fits(const fusion *f, int32_t group, int32_t n, int32_t operations, int32_t loads) {
    return f->size[group] + operations <= SAROS_KERNEL_OPERATIONS &&
           f->loads[group] + loads <= SAROS_KERNEL_LOADS &&
           same_shape(type_of(f, group), type_of(f, n));
}

/** Merges the groups of the operands of `n` with its own where that closes no cycle. */
static void merge_operands(fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t own = f->vertex[n], other = f->vertex[f->from->owner[r->operand[k]]];
        if (other == own || f->size[other] == 0) continue;
        if (!fits(f, own, other, f->size[other], f->loads[other])) continue;
        if (!apart(f, own, other) || !apart(f, other, own)) continue;
        merge(f, own < other ? own : other, own < other ? other : own);
    }
}

/** A group to join: the latest among those that make operands of `n`, else one that loads the same
 * values; -1 if there is none. */
static int32_t candidate(fusion *f, int32_t n, bool sibling) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    int32_t best = -1;
    for (int32_t k = 0; k < r->operands; ++k) {
        int32_t m = sibling ? f->loader[r->operand[k]] - 1 : f->from->owner[r->operand[k]];
        if (m < 0) continue;
        int32_t v = f->vertex[m];
        if (f->size[v] > 0 && v > best && f->number[v] != n) best = v;
    }
    if (best >= 0) f->number[best] = n; /* tried */
    return best;
}

static void join(fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    bool joined = false;
    for (int pass = 0; pass < 2 && !joined; ++pass) {
        int32_t v;
        while (!joined && (v = candidate(f, n, pass == 1)) >= 0) {
            if (!fits(f, v, n, 1, r->operands) || !may_join(f, n, v)) continue;
            f->next[f->tail[v]] = n;
            f->tail[v] = n;
            f->vertex[n] = v;
            joined = true;
        }
    }
    if (!joined) f->group[f->groups++] = n;
    f->size[f->vertex[n]]++;
    note_reads(f, n);
    count_loads(f, n);
    if (joined) merge_operands(f, n);
}

static void group(fusion *f) {
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
}

/* ---- second copy: groups become kernels ---- */

static void mark_outside(fusion *f) {
    const saros_graph *g = f->from;
    for (int k = 0; k < f->body->outputs; ++k) f->outside[f->body->output[k]] = true;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; f->live[n] && k < r->operands; ++k)
            if (f->vertex[g->owner[r->operand[k]]] != f->vertex[n])
                f->outside[r->operand[k]] = true;
    }
}

static void emit_alone(fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    if (r->row == &saros_row_input) return;
    saros_rewrite_copy(f->to, r, f->map, f->in, NULL);
}

/** Loads of the group in order of first use; false if there are too many. */
static bool gather_loads(fusion *f, int32_t v, saros_fused *kernel) {
    const saros_graph *g = f->from;
    for (int32_t n = v; n >= 0; n = f->next[n]) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; k < r->operands; ++k) {
            int32_t id = r->operand[k];
            if (f->vertex[g->owner[id]] == v || saros_graph_splat(g, id)) continue;
            bool known = f->number[id] >= 0 && f->number[id] < kernel->ins &&
                         saros_same(f->in[f->number[id]], (saros_value){f->to, f->map[id]});
            if (known) continue;
            if (kernel->ins == SAROS_KERNEL_LOADS) return false;
            f->in[kernel->ins] = (saros_value){f->to, f->map[id]};
            kernel->in[kernel->ins] = g->type[id]->dtype;
            f->number[id] = kernel->ins++;
        }
    }
    return true;
}

static int constant_operand(saros_fused *kernel, const saros_type *type, int64_t word) {
    for (int k = 0; k < kernel->operations; ++k) {
        const saros_fused_operation *o = &kernel->operation[k];
        if (!o->row && o->dtype == type->dtype && o->word == word) return kernel->ins + k;
    }
    kernel->operation[kernel->operations] =
        (saros_fused_operation){.dtype = type->dtype, .word = word};
    return kernel->ins + kernel->operations++;
}

/** Operations of the group; false if there are too many constants or stores. */
static bool gather_operations(fusion *f, int32_t v, saros_fused *kernel, int32_t *stored) {
    const saros_graph *g = f->from;
    const int room = (int)(sizeof kernel->operation / sizeof *kernel->operation);
    for (int32_t n = v; n >= 0; n = f->next[n]) {
        const saros_graph_record *r = saros_graph_at(g, n);
        saros_fused_operation o = {.row = r->row,
                                   .operands = r->operands,
                                   .dtype = g->type[r->output]->dtype,
                                   .word = r->words ? r->word[0] : 0};
        if (kernel->operations + r->operands + 1 > room) return false;
        for (int32_t k = 0; k < r->operands; ++k) {
            const saros_graph_record *splat = saros_graph_splat(g, r->operand[k]);
            o.operand[k] = splat ? constant_operand(kernel, g->type[r->operand[k]],
                                                    splat->word[splat->words - 1])
                                 : f->number[r->operand[k]];
        }
        f->number[r->output] = kernel->ins + kernel->operations;
        kernel->operation[kernel->operations++] = o;
        if (!f->outside[r->output]) continue;
        if (kernel->outs == SAROS_KERNEL_STORES) return false;
        stored[kernel->outs] = r->output;
        kernel->out[kernel->outs++] = f->number[r->output];
    }
    return true;
}

static void emit_group(fusion *f, int32_t v) {
    saros_fused kernel = {0};
    int32_t stored[SAROS_KERNEL_STORES];
    if (f->size[v] < 2 || !gather_loads(f, v, &kernel) ||
        !gather_operations(f, v, &kernel, stored)) {
        for (int32_t n = v; n >= 0; n = f->next[n]) emit_alone(f, n);
        return;
    }
    const saros_graph_record *last = saros_graph_at(f->from, f->tail[v]);
    saros_graph_locate(f->to, last->file, last->line);
    saros_kernel_build(f->to, &kernel, type_of(f, v), f->in, f->out);
    for (int m = 0; m < kernel.outs; ++m) f->map[stored[m]] = f->out[m].id;
}

/** Emits vertex `v` after all that it reads, by a walk with a stack of its own. */
static void emit_from(fusion *f, int32_t v) {
    int32_t depth = 0;
    f->stack[depth++] = v;
    while (depth > 0) {
        int32_t at = f->stack[depth - 1], before = depth;
        if (f->done[at]) {
            depth--;
            continue;
        }
        for (int32_t n = at; n >= 0 && depth == before; n = f->next[n]) {
            const saros_graph_record *r = saros_graph_at(f->from, n);
            for (int32_t k = 0; k <= r->operands; ++k) {
                int32_t m = k < r->operands ? f->from->owner[r->operand[k]] : f->after[n];
                if (m < 0 || f->vertex[m] == at || f->done[f->vertex[m]]) continue;
                f->stack[depth++] = f->vertex[m];
                break;
            }
        }
        if (depth > before) continue;
        if (f->size[at] > 0)
            emit_group(f, at);
        else
            emit_alone(f, at);
        f->done[at] = true;
        depth--;
    }
}

static saros_status open_fusion(fusion *f, const saros_body *body) {
    const saros_graph *g = body->graph;
    size_t records = (size_t)g->records + 1, values = (size_t)g->values + 1;
    size_t operands = (size_t)saros_rewrite_operands(g) + SAROS_KERNEL_LOADS;
    *f = (fusion){.body = body, .from = g};
    f->memory = saros_allocate_zero(1, (operands + SAROS_KERNEL_STORES) * sizeof(saros_value) +
                                           (11 * records + 3 * values) * sizeof(int32_t) +
                                           2 * records + values);
    if (saros_graph_make(&f->to) != SAROS_OK || !f->memory) return SAROS_ERR_MEMORY;
    f->in = f->memory;
    f->out = f->in + operands;
    f->vertex = (int32_t *)(f->out + SAROS_KERNEL_STORES);
    f->next = f->vertex + records;
    f->tail = f->next + records;
    f->size = f->tail + records;
    f->loads = f->size + records;
    f->after = f->loads + records;
    f->stamp = f->after + records;
    f->reader = f->stamp + records;
    f->group = f->reader + records;
    f->stack = f->group + records;  /* a walk holds each vertex at most once */
    f->number = f->stack + records; /* per record while grouping, per value afterwards */
    f->loader = f->number + records + values;
    f->map = f->loader + values;
    f->live = (bool *)(f->map + values);
    f->done = f->live + records;
    f->outside = f->done + records;
    return SAROS_OK;
}

saros_status saros_kernel_fuse(const saros_body *body, saros_body **out) {
    saros_body *expanded = NULL;
    fusion f = {0};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_rewrite(body, saros_kernel_expand, &expanded));
    SAROS_TRY(open_fusion(&f, expanded));
    SAROS_TRY(saros_rewrite_mark(expanded, f.live));
    group(&f);
    mark_outside(&f);
    for (int32_t k = 0; k < f.from->values; ++k) f.number[k] = f.map[k] = -1;
    saros_rewrite_declare(expanded, f.to, f.map);
    for (int32_t n = 0; n < f.from->records; ++n)
        if (f.live[n] && !f.done[f.vertex[n]]) emit_from(&f, f.vertex[n]);
    status = saros_rewrite_close(expanded, f.to, f.map, out);
    f.to = NULL;
done:
    saros_graph_release(f.to);
    saros_release(f.memory);
    saros_body_release(expanded);
    return status;
}
