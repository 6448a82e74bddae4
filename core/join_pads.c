/** Sums of windows that do not overlap: what slices of one value leave behind in a gradient.
 *
 *      pad(x, low, high) + pad(y, low', high') -> pad(concat(x, 0, y))
 *
 *  One copy of every piece instead of arrays full of zeros added up. On all backends alike; the one
 * bit it changes is the sign of -0, which + 0 would have lost.
 */
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

/** Entries low … low + extent - 1 of an axis are x, the others 0. */
typedef struct window {
    saros_value x;
    int64_t low, extent;
} window;

static bool is_zero(saros_value v) {
    const saros_graph_record *r = saros_graph_splat(v.graph, v.id);
    return r && r->word[r->words - 1] == 0; /* the bits of +0.0 */
}

static int64_t extent_of(saros_value v, int axis) {
    return saros_value_type(v)->shape[axis];
}

/** A value made of pieces: what a pad pads, or a concat as a whole. */
typedef struct padded {
    int axis;
    int64_t low; /* of the first piece */
    int pieces;
    const int32_t *piece;
} padded;

static bool read_padded(saros_value v, padded *p) {
    const saros_graph_record *r = saros_graph_maker(v.graph, v.id);
    if (r->row != &saros_row_pad && r->row != &saros_row_concat) return false;
    *p = (padded){.axis = (int)r->word[0], .pieces = 1, .piece = r->operand};
    if (r->row == &saros_row_pad) {
        if (r->word[3] != 0 || !is_zero((saros_value){v.graph, r->operand[1]})) return false;
        p->low = r->word[1];
        r = saros_graph_maker(v.graph, r->operand[0]);
    }
    if (r->row != &saros_row_concat || r->word[0] != p->axis) return true;
    p->pieces = r->operands;
    p->piece = r->operand;
    return true;
}

/** Windows of a padded value, in order; returns their number. */
static int list_windows(saros_graph *graph, const padded *p, window *out) {
    int64_t low = p->low;
    int n = 0;
    for (int k = 0; k < p->pieces; ++k) {
        const saros_value x = {graph, p->piece[k]};
        const int64_t extent = extent_of(x, p->axis);
        if (!is_zero(x)) out[n++] = (window){x, low, extent};
        low += extent;
    }
    return n;
}

/** Merges a and b into `out`; false if two of them overlap. */
static bool merge(const window *a, int as, const window *b, int bs, window *out) {
    int64_t end = 0;
    for (int i = 0, j = 0; i < as || j < bs; ++out) {
        *out = j == bs || (i < as && a[i].low <= b[j].low) ? a[i++] : b[j++];
        if (out->low < end) return false;
        end = out->low + out->extent;
    }
    return true;
}

/** The windows end to end, zeros where there is none in between, and around them. */
static saros_value build(const window *w, int n, int axis, int64_t whole, saros_value *piece) {
    int64_t end = w[0].low;
    int pieces = 0;
    for (int k = 0; k < n; ++k) {
        if (w[k].low > end) {
            saros_type zeros = *saros_value_type(w[k].x);
            zeros.shape[axis] = w[k].low - end;
            piece[pieces++] = saros_splat(w[k].x.graph, &zeros, 0);
        }
        piece[pieces++] = w[k].x;
        end = w[k].low + w[k].extent;
    }
    return saros_pad(saros_concat(pieces, piece, axis), axis, w[0].low, whole - end, 0, 0);
}

saros_value saros_join_pads(const saros_primitive *row, const saros_value *in) {
    padded a, b;
    if (row != &saros_row_add || in[0].id < 0 || in[1].id < 0) return SAROS_NONE;
    if (!read_padded(in[0], &a) || !read_padded(in[1], &b) || a.axis != b.axis) return SAROS_NONE;
    saros_graph *graph = in[0].graph;
    const size_t most = (size_t)(a.pieces + b.pieces);
    window *room = saros_allocate(2 * most * sizeof *room);
    saros_value *piece = saros_allocate(2 * most * sizeof *piece), sum = SAROS_NONE;
    if (room && piece) {
        const int as = list_windows(graph, &a, room), bs = list_windows(graph, &b, room + as);
        if (as && bs && merge(room, as, room + as, bs, room + most))
            sum = build(room + most, as + bs, a.axis, extent_of(in[0], a.axis), piece);
    }
    saros_release(room);
    saros_release(piece);
    return sum;
}
