/** Windows: values that are made where they will be read as a part of another.
 *
 *  A row with the column `window` (concat, pad) says that its result holds an operand as a box. If
 * the operand's maker can write there, the operand becomes a view of the result and the row copies
 * nothing. So the points of a grid lie inside the arrays that hold their ghosts.
 *
 *  Values that hold each other are a family, with boxes in common coordinates: containers nest, and
 * a value may lie in several (ghosts along x in one, along y in another), as long as these meet
 * nowhere else. The family lies in one array, its bounding box, which may be none of its values.
 *
 *  The carry of a loop may be a member too: then the loop keeps it as a window of the family's
 * array (saros_layout), in which the body fills what is around it, and the body writes the next
 * value into a like window. Inputs of other functions and outputs keep their layout, as do values
 * that rows read which want them row-major. */
#include <string.h>

#include "compile_impl.h"
#include "region_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

enum {
    MOST_PARTS = 64,
    LINE = 8,
    LONG_ROW = 64 /* rows from here on begin at multiples of LINE elements */
};

static const saros_graph_record *maker(const saros_compiler *c, int32_t id) {
    return saros_graph_maker(c->graph, id);
}
static saros_member *member_of(const saros_compiler *c, int32_t id) {
    return c->member_of[id] < 0 ? NULL : &c->member[c->member_of[id]];
}
static saros_family *family_of(const saros_compiler *c, int32_t id) {
    return &c->family[c->member[c->member_of[id]].family];
}

void saros_member_strides(const saros_compiler *c, const saros_member *m, int64_t *strides,
                          int64_t *offset) {
    const saros_type *type = c->graph->type[m->value];
    const saros_family *f = &c->family[m->family];
    int64_t shape[SAROS_MAX_RANK], step[SAROS_MAX_RANK];
    for (int a = 0; a < f->rank; ++a) shape[a] = f->hi[a] - f->lo[a];
    saros_strides_fill(f->rank, shape, step);
    *offset = 0;
    for (int a = 0; a < f->rank; ++a) *offset += (m->lo[a] - f->lo[a]) * step[a];
    saros_strides_fill(type->rank, type->shape, strides);
    if (!m->reshaped) memcpy(strides, step, sizeof(int64_t) * (size_t)f->rank);
}

void saros_window_strides(const saros_compiler *c, int32_t id, int64_t *strides, int64_t *offset) {
    const saros_type *type = c->graph->type[id];
    const saros_member *m = member_of(c, id);
    *offset = 0;
    if (m) {
        saros_member_strides(c, m, strides, offset);
    } else if (c->follows[id] >= 0) {
        memcpy(strides, c->f->carry[c->follows[id]].strides, sizeof(int64_t) * (size_t)type->rank);
    } else {
        saros_strides_fill(type->rank, type->shape, strides);
    }
}

/* ---- families ---- */

static void box_of(const saros_compiler *c, const saros_member *m, int64_t *hi) {
    for (int a = 0; a < c->family[m->family].rank; ++a)
        hi[a] = m->lo[a] + c->graph->type[m->value]->shape[a];
}

static void add_member(saros_compiler *c, int32_t id, int32_t family, const int64_t *lo) {
    saros_family *f = &c->family[family];
    saros_member *m = &c->member[c->members];
    *m = (saros_member){.value = id, .family = family, .next = f->first};
    memcpy(m->lo, lo, sizeof m->lo);
    f->first = c->member_of[id] = c->members++;
}

/** The family of container `id`, a new one if it has none or lies in one in another shape. */
static void begin_family(saros_compiler *c, int32_t id, bool fixed) {
    static const int64_t origin[SAROS_MAX_RANK] = {0};
    const saros_type *type = c->graph->type[id];
    int32_t within = c->member_of[id];
    if (within >= 0 && !c->member[within].reshaped) return;
    saros_family *f = &c->family[c->families];
    *f = (saros_family){.rank = type->rank,
                        .first = -1,
                        .carry = -1,
                        .inner = -1,
                        .slot = -1,
                        .fixed = fixed || within >= 0,
                        .within = within};
    memcpy(f->hi, type->shape, sizeof f->hi);
    add_member(c, id, c->families++, origin);
}

/** Whether members a and b, shifted by `shift`, meet nowhere but in box (lo, hi), in b's
 * coordinates. */
static bool meet_inside(const saros_compiler *c, const saros_member *a, const saros_member *b,
                        const int64_t *shift, const int64_t *lo, const int64_t *hi) {
    int64_t a_hi[SAROS_MAX_RANK], b_hi[SAROS_MAX_RANK];
    bool inside = true;
    box_of(c, a, a_hi);
    box_of(c, b, b_hi);
    for (int axis = 0; axis < c->family[a->family].rank; ++axis) {
        int64_t a_first = a->lo[axis] + shift[axis], a_last = a_hi[axis] + shift[axis];
        int64_t first = a_first > b->lo[axis] ? a_first : b->lo[axis];
        int64_t last = a_last < b_hi[axis] ? a_last : b_hi[axis];
        if (first >= last) return true;
        inside &= first >= lo[axis] && last <= hi[axis];
    }
    return inside;
}

/** Value `part`, a member of one family, is also the box at `lo` of another one: makes them one if
 * they fit. */
static void join_families(saros_compiler *c, int32_t part, int32_t other, const int64_t *lo) {
    saros_member *x = member_of(c, part);
    saros_family *to = &c->family[x->family], *from = &c->family[other];
    int64_t shift[SAROS_MAX_RANK] = {0}, hi[SAROS_MAX_RANK];
    if (to == from || to->fixed || from->fixed || (to->carry >= 0 && from->carry >= 0)) return;
    for (int a = 0; a < to->rank; ++a) shift[a] = x->lo[a] - lo[a];
    box_of(c, x, hi);
    for (int32_t i = from->first; i >= 0; i = c->member[i].next)
        for (int32_t j = to->first; j >= 0; j = c->member[j].next)
            if (!meet_inside(c, &c->member[i], &c->member[j], shift, x->lo, hi)) return;
    int32_t i = from->first, next;
    for (; i >= 0; i = next) {
        saros_member *m = &c->member[i];
        next = m->next;
        for (int a = 0; a < to->rank; ++a) m->lo[a] += shift[a];
        m->family = x->family;
        m->next = to->first;
        to->first = i;
    }
    for (int a = 0; a < to->rank; ++a) {
        int64_t low = from->lo[a] + shift[a], high = from->hi[a] + shift[a];
        if (low < to->lo[a]) to->lo[a] = low;
        if (high > to->hi[a]) to->hi[a] = high;
    }
    if (from->carry >= 0) to->carry = from->carry;
    if (to->inner < 0) to->inner = from->inner;
    from->first = -1;
}

/* ---- what may be a window ---- */

enum { FREE, READ_DENSE, OUTPUT };

/** Whether row `r` reads operands of any strides as fast as row-major ones. */
static bool reads_any(const saros_graph_record *r) {
    return r->row->flags & (SAROS_POINTWISE | SAROS_STRIDED) || r->row == &saros_row_slice ||
           r->row->window;
}

/** Which values are to be row-major: outputs, and what other rows read. */
static void mark_rigid(const saros_compiler *c, const int32_t *output, uint8_t *rigid) {
    const saros_graph *g = c->graph;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; c->live[n] && k < r->operands; ++k)
            if (!reads_any(r)) rigid[r->operand[k]] = READ_DENSE;
    }
    for (int k = 0; k < c->f->outputs; ++k)
        if (maker(c, output[k])->row != &saros_row_input) /* these are copied anyway */
            rigid[output[k]] = OUTPUT;
}

/** Whether the elements of the part follow one another, those of the whole doing so. */
static bool has_no_gaps(const saros_type *part, const saros_type *whole) {
    int first = 0;
    while (first < part->rank && part->shape[first] == 1) ++first;
    for (int a = first + 1; a < part->rank; ++a)
        if (part->shape[a] != whole->shape[a]) return false;
    return true;
}

static bool is_carry(const saros_compiler *c, const int32_t *input, int32_t id) {
    for (int k = 0; k < c->f->carries; ++k)
        if (input[1 + k] == id) return true;
    return false;
}

/** Whether `id` can lie with gaps between its rows. */
static bool may_have_gaps(const saros_compiler *c, int32_t id, const int32_t *input,
                          const uint8_t *rigid) {
    const saros_type *type = c->graph->type[id];
    const saros_graph_record *r = maker(c, id);
    if (rigid[id] != FREE || type->rank == 0 || type->shape[type->rank - 1] == 1) return false;
    return r->row == &saros_row_input ? is_carry(c, input, id) : r->row->flags & SAROS_STRIDED;
}

/** A part without gaps of a container that has all of its array, perhaps seen through reshapes: its
 * maker need not know of strides. */
static void try_dense(saros_compiler *c, int32_t id, int32_t family, const int64_t *lo,
                      const uint8_t *rigid) {
    bool reshaped = false;
    for (; maker(c, id)->row == &saros_row_reshape; reshaped = true) id = maker(c, id)->operand[0];
    const saros_graph_record *r = maker(c, id);
    bool makes = !r->row->view && r->row != &saros_row_constant && r->row != &saros_row_input &&
                 r->row != &saros_row_loop;
    if (!makes || c->member_of[id] >= 0 || rigid[id] == OUTPUT) return;
    add_member(c, id, family, lo);
    member_of(c, id)->reshaped = reshaped;
    c->family[family].fixed = true;
}

/** Operand k of container record r, which begins at `start` of it. */
static void try_window(saros_compiler *c, const saros_graph_record *r, int32_t k,
                       const int64_t *start, const int32_t *input, const uint8_t *rigid) {
    int32_t id = r->operand[k], whole = r->output;
    const saros_type *type = c->graph->type[whole];
    int64_t lo[SAROS_MAX_RANK] = {0};
    begin_family(c, whole, rigid[whole] != FREE);
    int32_t family = member_of(c, whole)->family;
    saros_family *f = &c->family[family];
    bool all = true;
    for (int a = 0; a < type->rank; ++a) {
        lo[a] = member_of(c, whole)->lo[a] + start[a];
        all &= f->hi[a] - f->lo[a] == type->shape[a];
    }
    if (may_have_gaps(c, id, input, rigid)) {
        bool carry = maker(c, id)->row == &saros_row_input;
        if (c->member_of[id] >= 0)
            join_families(c, id, family, lo);
        else if (!carry || (f->carry < 0 && rigid[whole] != OUTPUT)) {
            add_member(c, id, family, lo);
            if (carry) f->carry = id;
            f->inner = id;
        }
    } else if (all && has_no_gaps(c->graph->type[id], type)) {
        try_dense(c, id, family, lo, rigid);
    }
}

static void try_record(saros_compiler *c, const saros_graph_record *r, const int32_t *input,
                       const uint8_t *rigid) {
    const saros_type *operand[MOST_PARTS];
    saros_attributes attributes = saros_record_attributes(r);
    int64_t start[SAROS_MAX_RANK];
    if (r->operands > MOST_PARTS) return;
    for (int32_t k = 0; k < r->operands; ++k) operand[k] = c->graph->type[r->operand[k]];
    for (int32_t k = 0; k < r->operands; ++k)
        if (saros_type_count(operand[k]) > 0 &&
            r->row->window(&attributes, r->operands, operand, k, start))
            try_window(c, r, k, start, input, rigid);
}

/* ---- layouts ---- */

/** Long rows of a family's array begin where vectors do, those of its inner part too. */
static void align_rows(const saros_compiler *c, saros_family *f) {
    int last = f->rank - 1;
    if (f->fixed || f->first < 0 || f->inner < 0 || f->rank < 2) return;
    if (f->hi[last] - f->lo[last] < LONG_ROW) return;
    int64_t before = member_of(c, f->inner)->lo[last] - f->lo[last];
    f->lo[last] -= (LINE - before % LINE) % LINE;
    f->hi[last] += (LINE - (f->hi[last] - f->lo[last]) % LINE) % LINE;
}

/** The next value of a carry goes into a window like that of the carry, if its maker can. */
static void lay_out(saros_compiler *c, int k, const int32_t *input, const int32_t *output) {
    int32_t next = output[k];
    if (c->member_of[input[1 + k]] < 0) return;
    const saros_family *f = family_of(c, input[1 + k]);
    saros_layout *layout = &c->f->carry[k];
    layout->bytes = (int64_t)saros_dtype_bytes(c->graph->type[next]->dtype);
    saros_window_strides(c, input[1 + k], layout->strides, &layout->before);
    layout->before *= layout->bytes;
    for (int a = 0; a < f->rank; ++a) layout->bytes *= f->hi[a] - f->lo[a];
    bool first = c->member_of[next] < 0 && c->follows[next] < 0;
    for (int j = 0; j < k; ++j) first &= output[j] != next;
    const saros_primitive *row = maker(c, next)->row;
    if (first && row->flags & SAROS_STRIDED) c->follows[next] = k;
}

saros_status saros_find_windows(saros_compiler *c, const int32_t *input, const int32_t *output) {
    const saros_graph *g = c->graph;
    size_t parts = 0;
    for (int32_t n = 0; n < g->records; ++n)
        if (c->live[n] && saros_graph_at(g, n)->row->window)
            parts += (size_t)saros_graph_at(g, n)->operands + 1;
    if (!parts) return SAROS_OK;
    uint8_t *rigid = saros_allocate_zero((size_t)g->values + 1, sizeof *rigid);
    c->member = saros_allocate(parts * sizeof *c->member);
    c->family = saros_allocate(parts * sizeof *c->family);
    if (rigid && c->member && c->family) {
        mark_rigid(c, output, rigid);
        for (int32_t n = g->records - 1; n >= 0; --n) /* a container before its parts */
            if (c->live[n] && saros_graph_at(g, n)->row->window)
                try_record(c, saros_graph_at(g, n), input, rigid);
        for (int32_t k = 0; k < c->families; ++k) align_rows(c, &c->family[k]);
        for (int k = 0; k < c->f->carries; ++k) lay_out(c, k, input, output);
    }
    saros_release(rigid);
    return c->member && c->family && rigid ? SAROS_OK : SAROS_ERR_MEMORY;
}
