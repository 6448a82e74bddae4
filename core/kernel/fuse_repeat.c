/** Values that groups make again instead of loading them.
 *
 *  What a group stores for another one costs a store and a load; where it is a few operations away
 * from what the other group loads anyway, it is made there again, in the same order and so with the
 * same bits: of y = tanh(x), 1 - y^2 for the reverse sweep. A network's reverse kernels read a
 * third less that way, and as much less of its forward ones lives in cache until then. Values in id
 * order, so that what was repeated serves what follows. A value that something else needs in memory
 * is repeated where this adds no load; any other one in all groups that read it, if they load no
 * more values for it than are saved, or else where it adds none. Operands that one row repeats
 * (broadcasts) are no loads to count. Groups stay free of cycles: a repeated value's operands were
 * made before it. */
#include <string.h>

#include "kernel/fuse_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

enum {
    MOST_STEPS = 4,   /* operations that make one value again */
    MOST_READERS = 16 /* groups that may read it */
};

typedef struct repeating {
    saros_fusion *f;
    int32_t *members; /**< per vertex: operations, repeated ones among them */
    int32_t *loads;   /**< per vertex: values it loads */
    int32_t *loaded;  /**< pairs (vertex, value) in a hash table; -1: free */
    size_t mask;
    int32_t *first; /**< per value, one more: its first use */
    int32_t *use;   /**< records that read it */
    bool *kept;     /**< per value: in memory when its group has run */
} repeating;

/** What it takes to make a value again in a group. */
typedef struct recipe {
    int32_t record[MOST_STEPS], load[2 * MOST_STEPS + 1];
    int steps, loads, heavy; /* heavy: arrays loaded whole that the group does not load yet */
} recipe;

/* ---- what a group has ---- */

static size_t slot_of(const repeating *x, int32_t v, int32_t id) {
    uint64_t key = (uint64_t)(uint32_t)v << 32 | (uint32_t)id;
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & x->mask;
    while (x->loaded[2 * at] >= 0 && (x->loaded[2 * at] != v || x->loaded[2 * at + 1] != id))
        at = (at + 1) & x->mask;
    return 2 * at;
}

static bool is_loaded(const repeating *x, int32_t v, int32_t id) {
    return x->loaded[slot_of(x, v, id)] >= 0;
}

/** The value in whose memory `id` lies, or most of it: behind views, in the middle of ghosts. */
static int32_t memory_of(const saros_graph *g, int32_t id) {
    for (;;) {
        const saros_graph_record *r = saros_graph_maker(g, id);
        if (r->operands == 0 || !(r->row->view || r->row == &saros_row_concat)) return id;
        int32_t most = r->operand[0];
        for (int32_t k = 1; k < r->operands; ++k)
            if (saros_type_count(g->type[r->operand[k]]) > saros_type_count(g->type[most]))
                most = r->operand[k];
        id = most;
    }
}

/** The entry of the table that says that group v loads from the memory of value `id`. */
static int32_t memory_entry(const repeating *x, int32_t id) {
    return x->f->from->values + memory_of(x->f->from, id);
}

static bool note(const repeating *x, int32_t v, int32_t id) {
    const size_t at = slot_of(x, v, id);
    if (x->loaded[at] >= 0) return false;
    x->loaded[at] = v;
    x->loaded[at + 1] = id;
    return true;
}

static void note_load(const repeating *x, int32_t v, int32_t id) {
    if (!note(x, v, id)) return;
    note(x, v, memory_entry(x, id));
    x->loads[v]++;
}

bool saros_fuse_repeats(const saros_fusion *f, int32_t v, int32_t n) {
    for (int32_t e = f->repeat[v]; e >= 0; e = f->entry[e].next)
        if (f->entry[e].record == n) return true;
    return false;
}

static bool has(const repeating *x, int32_t v, int32_t id) {
    const saros_fusion *f = x->f;
    const int32_t n = f->from->owner[id];
    return f->vertex[n] == v || saros_graph_splat(f->from, id) || is_loaded(x, v, id) ||
           saros_fuse_repeats(f, v, n);
}

/* ---- recipes ---- */

/** Operations that take no longer than to load what they make. */
static bool is_cheap(const saros_fusion *f, int32_t n) {
    static const saros_primitive *const cheap[] = {
        &saros_row_add, &saros_row_sub,     &saros_row_mul,     &saros_row_fma,   &saros_row_neg,
        &saros_row_abs, &saros_row_maximum, &saros_row_minimum, &saros_row_where, &saros_row_lt,
        &saros_row_le,  &saros_row_eq,      &saros_row_ne};
    const saros_graph_record *r = saros_graph_at(f->from, n);
    if (f->size[f->vertex[n]] == 0) return false;
    for (size_t k = 0; k < sizeof cheap / sizeof *cheap; ++k)
        if (r->row == cheap[k]) return true;
    return false;
}

/** Whether the value is a row or a number that is read again and again. */
static bool is_light(const saros_graph *g, int32_t id) {
    const saros_graph_record *r = saros_graph_maker(g, id);
    return r->row == &saros_row_broadcast;
}

/** Adds what value `id` takes in group v; false: too much. Depth: at most MOST_STEPS. */
static bool add_steps(const repeating *x, int32_t v, int32_t id, recipe *to) {
    const saros_fusion *f = x->f;
    const int32_t n = f->from->owner[id];
    const saros_graph_record *r = saros_graph_at(f->from, n);
    for (int k = 0; k < to->steps; ++k)
        if (to->record[k] == n) return true;
    if (!is_cheap(f, n) || to->steps == MOST_STEPS) return false;
    to->record[to->steps++] = n;
    for (int32_t k = 0; k < r->operands; ++k) {
        const int32_t operand = r->operand[k];
        if (has(x, v, operand)) continue;
        if (!x->kept[operand]) {
            if (!add_steps(x, v, operand, to)) return false;
            continue;
        }
        const int32_t memory = memory_entry(x, operand);
        bool known = false, near = is_light(f->from, operand) || is_loaded(x, v, memory);
        for (int j = 0; j < to->loads; ++j) {
            known |= to->load[j] == operand;
            near |= memory_entry(x, to->load[j]) == memory;
        }
        if (known) continue;
        if (to->loads == 2 * MOST_STEPS) return false;
        to->load[to->loads++] = operand;
        to->heavy += !near;
    }
    return true;
}

static bool find_recipe(const repeating *x, int32_t v, int32_t id, recipe *out) {
    *out = (recipe){0};
    return x->f->size[v] > 1 && add_steps(x, v, id, out) &&
           x->members[v] + out->steps <= SAROS_KERNEL_OPERATIONS &&
           x->loads[v] + out->loads <= SAROS_KERNEL_LOADS;
}

static void put_entry(const repeating *x, int32_t v, int32_t n) {
    saros_fusion *f = x->f;
    int32_t *link = &f->repeat[v];
    while (*link >= 0 && f->entry[*link].record < n) link = &f->entry[*link].next;
    f->entry[f->entries] = (saros_fusion_entry){n, *link};
    *link = f->entries++;
    x->members[v]++;
}

/** Repeats the recipe in group v, if there is room for its entries. */
static void follow(const repeating *x, int32_t v, const recipe *r) {
    for (int k = 0; k < r->steps; ++k) put_entry(x, v, r->record[k]);
    for (int k = 0; k < r->loads; ++k) note_load(x, v, r->load[k]);
}

/* ---- values ---- */

/** Groups that read value `id` of another group; *fixed: something else needs it in memory. -1: too
 * many. */
static int list_readers(const repeating *x, int32_t id, int32_t *reader, bool *fixed) {
    const saros_fusion *f = x->f;
    const int32_t own = f->vertex[f->from->owner[id]];
    int count = 0;
    *fixed = x->kept[id]; /* an output */
    for (int32_t u = x->first[id]; u < x->first[id + 1]; ++u) {
        const int32_t v = f->vertex[x->use[u]];
        bool known = v == own;
        *fixed |= f->size[v] == 0;
        for (int k = 0; k < count; ++k) known |= reader[k] == v;
        if (known || f->size[v] == 0) continue;
        if (count == MOST_READERS) return -1;
        reader[count++] = v;
    }
    return count;
}

static void consider(repeating *x, int32_t id) {
    saros_fusion *f = x->f;
    int32_t reader[MOST_READERS];
    recipe way[MOST_READERS];
    bool fixed, can[MOST_READERS], all = true;
    const int readers = list_readers(x, id, reader, &fixed);
    int heavy = 0;
    x->kept[id] = fixed || readers != 0;
    if (readers < 1 || f->entries + readers * MOST_STEPS > f->room) return;
    for (int k = 0; k < readers; ++k) {
        can[k] = find_recipe(x, reader[k], id, &way[k]);
        all &= can[k];
        heavy += way[k].heavy;
    }
    all &= !fixed && heavy <= readers;
    for (int k = 0; k < readers; ++k)
        if (can[k] && (all || way[k].heavy == 0)) follow(x, reader[k], &way[k]);
    if (all) x->kept[id] = false;
}

/* ---- lists ---- */

static void list_uses(repeating *x) {
    const saros_fusion *f = x->f;
    const saros_graph *g = f->from;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; f->live[n] && k < r->operands; ++k) x->first[r->operand[k] + 1]++;
    }
    for (int32_t id = 0; id < g->values; ++id) x->first[id + 1] += x->first[id];
    const int32_t total = x->first[g->values];
    for (int32_t n = g->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; f->live[n] && k < r->operands; ++k)
            x->use[--x->first[r->operand[k] + 1]] = n;
    }
    memmove(x->first, x->first + 1, (size_t)g->values * sizeof *x->first);
    x->first[g->values] = total;
}

static void list_loads(repeating *x) {
    const saros_fusion *f = x->f;
    const saros_graph *g = f->from;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        const int32_t v = f->vertex[n];
        x->members[v] += f->live[n] && f->size[v] > 0;
        for (int32_t k = 0; f->live[n] && f->size[v] > 0 && k < r->operands; ++k)
            if (f->vertex[g->owner[r->operand[k]]] != v && !saros_graph_splat(g, r->operand[k]))
                note_load(x, v, r->operand[k]);
    }
}

saros_status saros_fuse_repeat(saros_fusion *f) {
    const saros_graph *g = f->from;
    const size_t records = (size_t)g->records, values = (size_t)g->values;
    repeating x = {.f = f};
    size_t uses = 0;
    for (int32_t n = 0; n < g->records; ++n) uses += (size_t)saros_graph_at(g, n)->operands;
    for (x.mask = 63; x.mask < 4 * (uses + 3 * (size_t)f->room);) x.mask = 2 * x.mask + 1;
    const size_t table = 2 * (x.mask + 1);
    int32_t *memory = saros_allocate_zero(
        1, (2 * records + values + 2 + uses + table) * sizeof *memory + values + 1);
    if (!memory) return SAROS_ERR_MEMORY;
    x.members = memory;
    x.loads = x.members + records;
    x.first = x.loads + records;
    x.use = x.first + values + 2;
    x.loaded = x.use + uses;
    x.kept = (bool *)(x.loaded + table);
    memset(x.loaded, -1, table * sizeof *x.loaded);
    list_uses(&x);
    list_loads(&x);
    for (int k = 0; k < f->body->outputs; ++k) x.kept[f->body->output[k]] = true;
    for (int32_t id = 0; id < g->values; ++id) {
        const int32_t n = g->owner[id];
        if (f->size[f->vertex[n]] > 0 && f->live[n])
            consider(&x, id);
        else
            x.kept[id] = true;
    }
    saros_release(memory);
    return SAROS_OK;
}
