/** Classes of axes: which axes of which values run along together.
 *
 *  Axes are numbered over all values and joined (union-find) where a row says that one goes to the
 * other, or that two of them end in one sum: by provenance, never by extent. An axis made from
 * nothing (broadcast, constant, iota) is joined with none, for a block can make its own part of it;
 * so a number spread over two batches of equal size does not tie them together.
 *  A class can be cut if no value has two axes of it, and is worth it if what is computed along it,
 * products of matrices among it, does not fit into cache. A value is cut along one class: the one
 * with more bytes wins.
 */
#include <string.h>

#include "primitives/build_impl.h"
#include "rewrite_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"

enum {
    LEAST_ROWS = 128,      /* two blocks */
    LEAST_BYTES = 1 << 20, /* below it is in cache anyway */
    BLOCK = 64,            /* rows of a block, at least */
    BLOCK_STEP = 16,       /* lanes of the widest vectors */
    NARROW_ROW = 256       /* bytes up to which blocks are twice as long */
};

/* ---- reading ---- */

const saros_typing *saros_rows_typing(saros_rows_plan *p, int32_t n) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    saros_attributes *attributes = (saros_attributes *)(p->type + SAROS_MAX_OUTPUTS);
    saros_type *operand = (saros_type *)(attributes + 1);
    *attributes = saros_record_attributes(r);
    for (int32_t k = 0; k < r->outputs; ++k) p->type[k] = *p->graph->type[r->output + k];
    for (int32_t k = 0; k < r->operands; ++k) operand[k] = *p->graph->type[r->operand[k]];
    p->typing = (saros_typing){r->row, attributes, r->operands, operand, r->outputs, p->type};
    return &p->typing;
}

static int32_t root_of(const saros_rows_plan *p, int32_t axis) {
    while (p->parent[axis] != axis) {
        p->parent[axis] = p->parent[p->parent[axis]];
        axis = p->parent[axis];
    }
    return axis;
}

static void unite(const saros_rows_plan *p, int32_t a, int32_t b) {
    a = root_of(p, a);
    b = root_of(p, b);
    p->parent[a > b ? a : b] = a > b ? b : a;
}

/* ---- joining ---- */

static void join_record(saros_rows_plan *p, int32_t n) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    if (!r->row->axes && !(r->row->flags & SAROS_POINTWISE)) return;
    const saros_typing *t = saros_rows_typing(p, n);
    int32_t ended[SAROS_MAX_RANK];
    for (int j = 0; j < SAROS_MAX_RANK; ++j) ended[j] = -1;
    for (int32_t m = 0; m < r->outputs; ++m)
        for (int b = 0; b < t->output[m].rank; ++b)
            if (saros_axis_made(t, b)) p->made[r->output + m] |= (uint8_t)(1u << b);
    for (int32_t k = 0; k < r->operands; ++k)
        for (int a = 0; a < t->operand[k].rank; ++a) {
            if (p->made[r->operand[k]] >> a & 1) continue;
            const int32_t axis = p->first[r->operand[k]] + a;
            const int to = saros_axis_to(t, k, a);
            for (int32_t m = 0; to >= 0 && m < r->outputs; ++m)
                unite(p, axis, p->first[r->output + m] + to);
            if (to > SAROS_AXIS_ENDED) continue;
            int32_t *with = &ended[SAROS_AXIS_ENDED - to];
            if (*with >= 0) unite(p, axis, *with);
            *with = axis;
        }
}

/* ---- choosing ---- */

/** Per axis number, for roots. */
typedef struct candidate {
    double bytes, width; /* in all; of the widest row */
    int64_t rows;
    bool heavy, barred;
} candidate;

/** Rows for whose results a cut saves memory traffic that no fusion does. */
static bool is_heavy(const saros_primitive *row) {
    return row == &saros_row_dot || row == &saros_row_rfft || row == &saros_row_irfft ||
           row == &saros_row_fft;
}

static void weigh_axis(const saros_rows_plan *p, candidate *c, int32_t id, int a, bool heavy,
                       double bytes) {
    if (p->made[id] >> a & 1) return;
    candidate *of = &c[root_of(p, p->first[id] + a)];
    const saros_type *type = p->graph->type[id];
    of->rows = type->shape[a];
    of->bytes += bytes;
    if (bytes > of->width * (double)of->rows) of->width = bytes / (double)of->rows;
    of->heavy |= heavy;
    for (int b = 0; b < a; ++b)
        if (!(p->made[id] >> b & 1) && root_of(p, p->first[id] + b) == root_of(p, p->first[id] + a))
            of->barred = true;
}

static void weigh(saros_rows_plan *p, candidate *c) {
    for (int32_t n = 0; n < p->graph->records; ++n) {
        const saros_graph_record *r = saros_graph_at(p->graph, n);
        if (!p->live[n]) continue;
        const bool heavy = is_heavy(r->row), counts = r->operands && !r->row->view;
        for (int32_t m = 0; m < r->outputs; ++m) {
            const saros_type *type = p->graph->type[r->output + m];
            const double bytes =
                (double)saros_type_count(type) * (double)saros_dtype_bytes(type->dtype);
            for (int a = 0; a < type->rank; ++a)
                weigh_axis(p, c, r->output + m, a, heavy, counts ? bytes : 0);
        }
        for (int32_t k = 0; heavy && k < r->operands; ++k)
            for (int a = 0; a < p->graph->type[r->operand[k]]->rank; ++a)
                weigh_axis(p, c, r->operand[k], a, true, 0);
    }
    for (int k = 0; k < p->body->outputs; ++k) { /* results are in memory anyway */
        const int32_t id = p->body->output[k];
        const saros_type *type = p->graph->type[id];
        for (int a = 0; a < type->rank; ++a)
            if (!(p->made[id] >> a & 1))
                c[root_of(p, p->first[id] + a)].bytes -=
                    (double)saros_type_count(type) * (double)saros_dtype_bytes(type->dtype);
    }
}

/** Rows of a block: one that divides `rows`, if there is. */
static int64_t block_of(const candidate *c) {
    const int64_t least = c->width > NARROW_ROW ? BLOCK : 2 * BLOCK;
    for (int64_t block = least; block <= 2 * least; block += BLOCK_STEP)
        if (c->rows % block == 0) return block;
    return least;
}

/** Gives the values of the class of `root` to class k; bars the other classes they are in. */
static void take(saros_rows_plan *p, candidate *c, int32_t root, int k) {
    c[root].barred = true;
    for (int32_t id = 0; id < p->graph->values; ++id) {
        const int rank = p->graph->type[id]->rank;
        if (!p->live[p->graph->owner[id]]) continue;
        for (int a = 0; a < rank; ++a) {
            if (p->made[id] >> a & 1 || root_of(p, p->first[id] + a) != root) continue;
            p->class_of[id] = (int8_t)k;
            p->axis_of[id] = (int8_t)a;
        }
        for (int a = 0; p->class_of[id] == k && a < rank; ++a)
            c[root_of(p, p->first[id] + a)].barred = true;
    }
    p->rows[k] = c[root].rows;
    p->block[k] = block_of(&c[root]);
}

static void choose(saros_rows_plan *p, candidate *c, int32_t axes) {
    while (p->classes < SAROS_ROWS_CLASSES) {
        int32_t best = -1;
        for (int32_t k = 0; k < axes; ++k)
            if (p->parent[k] == k && c[k].heavy && !c[k].barred && c[k].rows >= LEAST_ROWS &&
                c[k].bytes >= LEAST_BYTES && (best < 0 || c[k].bytes > c[best].bytes))
                best = k;
        if (best < 0) return;
        take(p, c, best, p->classes++);
    }
}

/* ---- plan ---- */

static saros_status allocate(saros_rows_plan *p, int32_t axes) {
    const size_t records = (size_t)p->graph->records + 1, values = (size_t)p->graph->values + 1;
    const size_t operands = (size_t)saros_rewrite_operands(p->graph);
    const size_t types = (SAROS_MAX_OUTPUTS + operands) * sizeof(saros_type);
    p->memory =
        saros_allocate_zero(1, types + sizeof(saros_attributes) +
                                   (2 * values + (size_t)axes + 2 * records) * sizeof(int32_t) +
                                   4 * records + 4 * values);
    if (!p->memory) return SAROS_ERR_MEMORY;
    p->type = p->memory;
    p->first = (int32_t *)((char *)p->memory + types + sizeof(saros_attributes));
    p->uses = p->first + values;
    p->parent = p->uses + values;
    p->parts = (uint32_t *)(p->parent + axes);
    p->bodies = p->parts + records;
    p->live = (bool *)(p->bodies + records);
    p->role = (uint8_t *)(p->live + records);
    p->stage = p->role + records;
    p->sweep = (int8_t *)(p->stage + records);
    p->class_of = p->sweep + records;
    p->axis_of = p->class_of + values;
    p->made = (uint8_t *)(p->axis_of + values);
    p->stored = (bool *)(p->made + values);
    memset(p->class_of, -1, values);
    return SAROS_OK;
}

void saros_rows_plan_clear(saros_rows_plan *p) {
    saros_release(p->memory);
    *p = (saros_rows_plan){0};
}

/** Whether anything can come of it: a cheap look before the arrays are made. */
static bool is_hopeful(const saros_graph *g) {
    bool heavy = false;
    if (g->ordered) return false;
    for (int32_t n = 0; n < g->records; ++n) heavy |= is_heavy(saros_graph_at(g, n)->row);
    for (int32_t id = 0; heavy && id < g->values; ++id)
        if (g->type[id]->split) return false;
    return heavy;
}

saros_status saros_rows_classes(const saros_body *body, saros_rows_plan *out) {
    saros_rows_plan p = {.body = body, .graph = body->graph};
    const saros_graph *g = body->graph;
    saros_status status = SAROS_OK;
    candidate *c = NULL;
    int32_t axes = 0;
    *out = p;
    if (!is_hopeful(g)) return SAROS_OK;
    for (int32_t id = 0; id < g->values; ++id) axes += g->type[id]->rank;
    SAROS_TRY(allocate(&p, axes));
    c = saros_allocate_zero((size_t)axes + 1, sizeof *c);
    if (!c) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_rewrite_mark(body, p.live));
    for (int32_t id = 0, at = 0; id < g->values; at += g->type[id++]->rank) p.first[id] = at;
    for (int32_t k = 0; k < axes; ++k) p.parent[k] = k;
    for (int32_t n = 0; n < g->records; ++n)
        if (p.live[n]) join_record(&p, n);
    weigh(&p, c);
    choose(&p, c, axes);
    *out = p;
    p.memory = NULL;
done:
    saros_release(c);
    saros_rows_plan_clear(&p);
    return status;
}
