/** Loads in parts: what extended arrays would be copied for.
 *
 *  A joined array (concat) is made in place where the makers of its parts can write into it
 * (compile_window.c). Where its largest part lies elsewhere already (an input, a part of a packed
 * state, an output of the function) it would be a copy, with the ghosts around. If kernels alone
 * read it, whole or by slices, it is not made at all: each load becomes the parts it is of, and
 * the kernel runs over boxes in which every load is one of them (cover.c). Parts are joined arrays
 * themselves in turn, as with ghosts along two axes.
 */
#include <string.h>

#include "kernel/fuse_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

enum {
    LARGE = 16384, /* elements from which a copy costs more than the boxes */
    WIDE = 128,    /* elements of a row from which two boxes of single elements cost less */
    MOST_JOINED = 8
};

static const saros_graph_record *maker(const saros_fusion *f, int32_t id) {
    return saros_graph_maker(f->from, id);
}

static bool is_large(const saros_type *type) {
    return type->rank > 0 && saros_type_count(type) >= LARGE && type->shape[type->rank - 1] >= WIDE;
}

static bool is_plain_slice(const saros_graph_record *r) {
    return r->row == &saros_row_slice && r->word[3] == 1;
}

/** Whether the elements of a slice follow one another where those of its operand do. */
static bool has_no_gaps(const saros_fusion *f, const saros_graph_record *slice) {
    const saros_type *whole = f->from->type[slice->operand[0]];
    for (int a = 0; a < (int)slice->word[0]; ++a)
        if (whole->shape[a] != 1) return false;
    return true;
}

/** Whether the value is there without a copy, with rows that are contiguous, and nothing can make
 * it inside of another. */
static bool lies_elsewhere(const saros_fusion *f, int32_t id) {
    bool reshaped = false, view = false;
    for (;;) {
        const saros_graph_record *r = maker(f, id);
        if (r->row == &saros_row_reshape)
            reshaped = true;
        else if (is_plain_slice(r) && (!reshaped || has_no_gaps(f, r)))
            view = true;
        else if (r->row->view && r->operands > 0)
            return false;
        else
            break;
        view = true;
        id = r->operand[0];
    }
    const int32_t n = f->from->owner[id];
    const saros_graph_record *r = saros_graph_at(f->from, n);
    if (view) return true;
    if (r->row == &saros_row_input) return !f->carried[id];
    return f->stored[id] || (f->size[f->vertex[n]] == 0 && !(r->row->flags & SAROS_STRIDED));
}

/** Whether record n joins arrays of which one, by far the largest, lies elsewhere. */
static bool joins_around(const saros_fusion *f, const saros_graph_record *r) {
    if (r->row != &saros_row_concat || r->operands > MOST_JOINED) return false;
    const saros_type *type = f->from->type[r->output];
    int32_t best = r->operand[0];
    if (!is_large(type) || f->stored[r->output]) return false;
    for (int32_t k = 1; k < r->operands; ++k)
        if (saros_type_count(f->from->type[r->operand[k]]) > saros_type_count(f->from->type[best]))
            best = r->operand[k];
    if (saros_type_count(f->from->type[best]) < saros_type_count(type) / 4 * 3) return false;
    return f->parted[f->from->owner[best]] || lies_elsewhere(f, best);
}

/** Whether record n takes operands in parts: a member of a large group. */
static bool takes_parts(const saros_fusion *f, int32_t n) {
    const int32_t v = f->vertex[n];
    return f->size[v] > 0 && f->axes[v] <= 0 && is_large(saros_fuse_type(f, v));
}

void saros_fuse_mark_parted(saros_fusion *f) {
    const saros_graph *g = f->from;
    for (int k = 0; k < f->body->outputs; ++k) f->stored[f->body->output[k]] = true;
    for (int k = 1; k <= f->carries; ++k) f->carried[f->body->input[k]] = true;
    for (int32_t n = 0; n < g->records; ++n)
        f->parted[n] = f->live[n] && joins_around(f, saros_graph_at(g, n));
    for (int32_t n = g->records - 1; n >= 0; --n) { /* readers before what they read */
        const saros_graph_record *r = saros_graph_at(g, n);
        if (!f->live[n]) continue;
        f->parted[n] &= !f->read_whole[n];
        if (takes_parts(f, n) || f->parted[n] || (is_plain_slice(r) && !f->read_whole[n])) continue;
        for (int32_t k = 0; k < r->operands; ++k) f->read_whole[g->owner[r->operand[k]]] = true;
    }
}

/* ---- the parts of a load ---- */

typedef struct parting {
    saros_fusion *f;
    int load, parts;
    saros_kernel_part *part;
    saros_value *value; /* of the graph being made */
    bool full;
} parting;

/** Value `id` in the box from lo to hi of the index space; `shift` leads to its own indices. */
static void add_part(parting *p, int32_t id, const int64_t *lo, const int64_t *hi,
                     const int64_t *shift) {
    const int rank = p->f->from->type[id]->rank;
    saros_value v = {p->f->to, p->f->map[id]};
    if (p->parts == SAROS_KERNEL_PARTS) p->full = true;
    if (p->full) return;
    for (int a = 0; a < rank; ++a) v = saros_slice(v, a, lo[a] + shift[a], hi[a] + shift[a], 1);
    saros_kernel_part *part = &p->part[p->parts];
    *part = (saros_kernel_part){.load = p->load};
    memcpy(part->lo, lo, (size_t)rank * sizeof *lo);
    memcpy(part->hi, hi, (size_t)rank * sizeof *hi);
    p->value[p->parts++] = v;
}

/** Whether the value is made of parts, perhaps seen through slices. */
static bool is_parted(const saros_fusion *f, int32_t id) {
    while (is_plain_slice(maker(f, id))) id = maker(f, id)->operand[0];
    return f->parted[f->from->owner[id]];
}

static void take_apart(parting *p, int32_t id, const int64_t *lo, const int64_t *hi,
                       const int64_t *shift) {
    const saros_graph *g = p->f->from;
    const saros_graph_record *r = maker(p->f, id);
    int64_t from[SAROS_MAX_RANK], to[SAROS_MAX_RANK], moved[SAROS_MAX_RANK];
    if (!is_parted(p->f, id)) {
        add_part(p, id, lo, hi, shift);
        return;
    }
    memcpy(from, lo, sizeof from);
    memcpy(to, hi, sizeof to);
    memcpy(moved, shift, sizeof moved);
    const int axis = (int)r->word[0];
    if (r->row == &saros_row_slice) {
        moved[axis] += r->word[1];
        take_apart(p, r->operand[0], lo, hi, moved);
        return;
    }
    for (int32_t k = 0; k < r->operands; ++k) { /* of a join, one after the other */
        const int64_t extent = g->type[r->operand[k]]->shape[axis], begin = -moved[axis];
        from[axis] = lo[axis] > begin ? lo[axis] : begin;
        to[axis] = hi[axis] < begin + extent ? hi[axis] : begin + extent;
        if (from[axis] < to[axis]) take_apart(p, r->operand[k], from, to, moved);
        moved[axis] -= extent;
    }
}

saros_status saros_fuse_parts(saros_fusion *f, int32_t v, int loads, const int32_t *load,
                              saros_value *operand, saros_cover **out) {
    saros_kernel_part part[SAROS_KERNEL_PARTS];
    static const int64_t origin[SAROS_MAX_RANK] = {0};
    const saros_type *type = saros_fuse_type(f, v);
    parting p = {.f = f, .part = part, .value = operand};
    bool any = false;
    *out = NULL;
    for (int k = 0; k < loads; ++k) any |= is_parted(f, load[k]);
    if (!any || !takes_parts(f, v)) return SAROS_OK;
    for (p.load = 0; p.load < loads; ++p.load) {
        int64_t hi[SAROS_MAX_RANK] = {0};
        memcpy(hi, type->shape, (size_t)type->rank * sizeof *hi);
        take_apart(&p, load[p.load], origin, hi, origin);
    }
    return p.full ? SAROS_OK : saros_cover_make(p.parts, part, type, out);
}
