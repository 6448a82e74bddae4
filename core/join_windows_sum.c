/** Sums of windows as arrays: the second half of join_windows.c.
 *
 *  Pieces are put together first fit, in order, to terms in which none overlap, so that the result
 * is the same on all backends. In a term the largest piece stays where it is; what is left and
 * right of it, pieces or zeros, stands around it in one array, of which the term is a slice. Terms
 * around the same value share the array where one has more of the same than the other: the
 * neighbours on both sides and at all distances are slices of one array with ghosts. */
#include "join_windows_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"

/** What stands on one side of the value: the entries of y that end (left) or begin (right) at
 * `edge`; zeros if y is SAROS_NONE. */
typedef struct side {
    saros_value y;
    int64_t edge, extent;
} side;

/** Entries start … start + n - 1 of x, counted from its first one, with what is around it. */
typedef struct term {
    const saros_piece *piece; /**< sorted by `to` */
    int pieces, main, axis;
    saros_value x;
    int64_t start;
    bool simple; /**< the sides are as they say; else several pieces are there */
    side left, right;
} term;

static saros_value zeros(saros_value x, int axis, int64_t extent) {
    saros_type type = *saros_value_type(x);
    type.shape[axis] = extent;
    return saros_splat(x.graph, &type, 0);
}

/** Entries first … last-1 of sorted pieces as parts of a concat; returns their number. */
static int parts_between(const saros_piece *p, int n, saros_value like, int axis, int64_t first,
                         int64_t last, saros_value *part) {
    int parts = 0;
    for (int k = 0; k < n; ++k) {
        if (p[k].to > first) part[parts++] = zeros(like, axis, p[k].to - first);
        part[parts++] = saros_slice(p[k].x, axis, p[k].from, p[k].from + p[k].extent, 1);
        first = p[k].to + p[k].extent;
    }
    if (last > first) part[parts++] = zeros(like, axis, last - first);
    return parts;
}

/** What the pieces p say of entries first … last-1; false: they are several. */
static bool read_side(const saros_piece *p, int n, int64_t first, int64_t last, bool left,
                      side *out) {
    *out = (side){SAROS_NONE, 0, last - first};
    if (n == 0) return true;
    if (n > 1 || p->to != first || p->extent != last - first) return false;
    *out = (side){p->x, left ? p->from + p->extent : p->from, p->extent};
    return true;
}

/** Reads a term of n entries that is not whole. What stands where main's own value would is in the
 * way: that part of the value is cut off. */
static void read_term(term *t, int64_t n) {
    const saros_piece *p = t->piece, *m;
    for (int k = 1; k < t->pieces; ++k)
        if (p[k].extent > p[t->main].extent) t->main = k;
    m = &p[t->main];
    t->axis = m->axis;
    int64_t first = m->from, last = m->from + m->extent,
            end = saros_value_type(m->x)->shape[t->axis];
    int64_t behind = n - m->to - m->extent;
    bool cut_left = m->to > 0 && first > 0, cut_right = behind > 0 && last < end;
    t->x = saros_slice(m->x, t->axis, cut_left ? first : 0, cut_right ? last : end, 1);
    t->start = (cut_left ? 0 : first) - m->to;
    t->simple = read_side(p, t->main, 0, m->to, true, &t->left);
    t->simple &= read_side(m + 1, t->pieces - t->main - 1, n - behind, n, false, &t->right);
}

/** Whether one side begins as the other does. */
static bool agrees(const side *a, const side *b) {
    if (!a->extent || !b->extent) return true;
    return a->y.id == b->y.id && (a->y.id < 0 || a->edge == b->edge);
}

/** Widens the sides of t by what other terms around the same value have there. */
static void share(term *t, const term *all, int terms) {
    for (int k = 0; k < terms; ++k) {
        const term *o = &all[k];
        if (!o->simple || o->x.id != t->x.id || o->axis != t->axis) continue;
        if (!agrees(&t->left, &o->left) || !agrees(&t->right, &o->right)) continue;
        if (o->left.extent > t->left.extent) t->left = o->left;
        if (o->right.extent > t->right.extent) t->right = o->right;
    }
}

static saros_value side_value(const side *s, saros_value like, int axis, bool left) {
    if (s->y.id < 0) return zeros(like, axis, s->extent);
    return saros_slice(s->y, axis, left ? s->edge - s->extent : s->edge,
                       left ? s->edge : s->edge + s->extent, 1);
}

static saros_value make_term(const term *given, const term *all, int terms, int64_t n,
                             saros_value *part) {
    term t = *given;
    int parts = 0;
    if (t.axis == SAROS_PIECE_WHOLE) return t.piece->x;
    const saros_piece *m = &t.piece[t.main];
    int64_t left = m->to;
    if (t.simple) {
        share(&t, all, terms);
        left = t.left.extent;
        if (left) part[parts++] = side_value(&t.left, t.x, t.axis, true);
        part[parts++] = t.x;
        if (t.right.extent) part[parts++] = side_value(&t.right, t.x, t.axis, false);
    } else {
        parts = parts_between(t.piece, t.main, t.x, t.axis, 0, left, part);
        part[parts++] = t.x;
        parts += parts_between(m + 1, t.pieces - t.main - 1, t.x, t.axis, m->to + m->extent, n,
                               part + parts);
    }
    int64_t first = left + t.start;
    return saros_slice(saros_concat(parts, part, t.axis), t.axis, first, first + n, 1);
}

static bool fits(const saros_piece *in, int count, const saros_piece *p) {
    if (p->axis == SAROS_PIECE_WHOLE || in->axis != p->axis) return false;
    for (int k = 0; k < count; ++k)
        if (p->to < in[k].to + in[k].extent && in[k].to < p->to + p->extent) return false;
    return true;
}

/** Sorts the pieces into terms in `room`; returns the number of terms. */
static int make_terms(int pieces, const saros_piece *piece, bool *done, saros_piece *room,
                      term *out) {
    int terms = 0;
    for (int k = 0; k < pieces; ++k) {
        if (done[k]) continue;
        int count = 0;
        for (int j = k; j < pieces; ++j) {
            if (done[j] || (count && !fits(room, count, &piece[j]))) continue;
            int at = count++;
            for (; at > 0 && room[at - 1].to > piece[j].to; --at) room[at] = room[at - 1];
            room[at] = piece[j];
            done[j] = true;
        }
        out[terms++] = (term){.piece = room, .pieces = count, .axis = room->axis};
        room += count;
    }
    return terms;
}

saros_status saros_pieces_sum(saros_graph *graph, const saros_type *type, int pieces,
                              const saros_piece *piece, saros_value *out) {
    size_t n = (size_t)pieces;
    saros_piece *room = saros_allocate(n * sizeof *room + 1);
    term *all = saros_allocate(n * sizeof *all + 1);
    saros_value *part = saros_allocate((2 * n + 1) * sizeof *part);
    bool *done = saros_allocate_zero(n + 1, sizeof *done);
    saros_status status = room && all && part && done ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status == SAROS_OK) {
        int terms = make_terms(pieces, piece, done, room, all);
        *out = terms ? SAROS_NONE : saros_splat(graph, type, 0);
        for (int k = 0; k < terms; ++k)
            if (all[k].axis != SAROS_PIECE_WHOLE) read_term(&all[k], type->shape[all[k].axis]);
        for (int k = 0; k < terms; ++k) {
            int axis = all[k].axis;
            int64_t extent = axis == SAROS_PIECE_WHOLE ? 0 : type->shape[axis];
            saros_value one = make_term(&all[k], all, terms, extent, part);
            *out = k ? saros_add(*out, one) : one;
        }
    }
    saros_release(room);
    saros_release(all);
    saros_release(part);
    saros_release(done);
    return status;
}
