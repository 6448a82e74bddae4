/** Transposed stencils as stencils.
 *
 *  The transpose of a slice is a pad: what shifted slices of one array leave behind in a gradient
 * is a sum of arrays that are zero around a window, of which ghosts are then cut off and added to
 * where they came from. This pass gathers instead of scattering:
 *
 *      sum_k pad(x_k, low_k)  and slices and pads of it
 *          -> sum_k slice(concat(before_k, x_k, behind_k), low'_k),
 *
 *  where before and behind are the few entries that arrive from elsewhere, for instance x_k's own
 * other end where the axis is periodic, or zeros. Each x_k is kept once, with its ghosts around it,
 * and the sum is one pointwise row. Windows that do not overlap (the weights of a network that lie
 * in one vector) become one concat.
 *
 *  A sum along the way is written as pieces: entries from … from + extent - 1 of an axis of x are
 * added at entry `to`. Slices clip pieces, pads move them, sums join their lists; a value is made
 * of its pieces when something else asks for it (join_windows_sum.c). The sign of -0 is lost where
 * 0 would be added.
 *
 *  Not here: windows along two axes at once, steps, numbers of ranks. */
#include <string.h>

#include "join_windows_impl.h"
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

/** What a value of the body is, where that is more than one whole piece. */
typedef struct form {
    saros_piece *piece; /**< NULL: the value itself */
    int pieces;
    bool pending; /**< not made yet */
} form;

typedef struct joining {
    const saros_graph *graph;
    saros_graph *to;
    bool *live;
    int32_t *map, *uses;
    form *form;
    saros_value *in;
    saros_status status;
} joining;

static int64_t extent_of(saros_value v, int axis) {
    return saros_value_type(v)->shape[axis];
}

static bool is_zero(const saros_graph *g, int32_t id) {
    const saros_graph_record *r = saros_graph_splat(g, id);
    return r && r->word[r->words - 1] == 0; /* the bits of +0.0 */
}

/** The value of the new graph that stands for `id`. */
static saros_value value_of(joining *s, int32_t id) {
    form *f = &s->form[id];
    if (f->pending) {
        const saros_graph_record *r = saros_graph_maker(s->graph, id);
        saros_graph_locate(s->to, r->file, r->line);
        s->to->fence = r->fence;
        saros_value sum = SAROS_NONE;
        saros_status status =
            saros_pieces_sum(s->to, s->graph->type[id], f->pieces, f->piece, &sum);
        if (status != SAROS_OK) s->status = status;
        s->map[id] = sum.id;
        s->to->fence = 0;
        f->pending = false;
    }
    return (saros_value){s->to, s->map[id]};
}

/* ---- pieces of values ---- */

/** The pieces of an operand; `own` is room for one. What others use too is one whole piece. */
static form pieces_of(joining *s, int32_t id, saros_piece *own) {
    if (s->form[id].piece && s->uses[id] == 1) return s->form[id];
    *own = (saros_piece){.x = value_of(s, id), .axis = SAROS_PIECE_WHOLE};
    return (form){.piece = own, .pieces = 1};
}

static bool only_along(const form *f, int axis) {
    for (int k = 0; k < f->pieces; ++k)
        if (f->piece[k].axis != SAROS_PIECE_WHOLE && f->piece[k].axis != axis) return false;
    return true;
}

static form *begin(joining *s, int32_t id, int pieces) {
    form *f = &s->form[id];
    f->piece = saros_allocate(((size_t)pieces + 1) * sizeof *f->piece);
    if (!f->piece) {
        s->status = SAROS_ERR_MEMORY;
        return NULL;
    }
    f->pending = true;
    if (s->to->fences < saros_graph_maker(s->graph, id)->fence)
        s->to->fences = saros_graph_maker(s->graph, id)->fence;
    return f;
}

static bool join_pad(joining *s, const saros_graph_record *r) {
    const int64_t *w = r->word;
    const int axis = (int)w[0];
    saros_piece own;
    if (w[3] != 0 || !is_zero(s->graph, r->operand[1])) return false;
    form x = pieces_of(s, r->operand[0], &own);
    if (!only_along(&x, axis)) {
        own = (saros_piece){.x = value_of(s, r->operand[0]), .axis = SAROS_PIECE_WHOLE};
        x = (form){.piece = &own, .pieces = 1};
    }
    form *f = begin(s, r->output, x.pieces);
    for (int k = 0; f && k < x.pieces; ++k) {
        saros_piece p = x.piece[k];
        if (p.axis == SAROS_PIECE_WHOLE) p = (saros_piece){p.x, axis, 0, 0, extent_of(p.x, axis)};
        p.to += w[1];
        f->piece[f->pieces++] = p;
    }
    return f;
}

static bool join_slice(joining *s, const saros_graph_record *r) {
    const int64_t *w = r->word;
    const int axis = (int)w[0];
    const form *x = &s->form[r->operand[0]];
    if (!x->piece || w[3] != 1 || !only_along(x, axis)) return false;
    form *f = begin(s, r->output, x->pieces);
    for (int k = 0; f && k < x->pieces; ++k) {
        saros_piece p = x->piece[k];
        if (p.axis == SAROS_PIECE_WHOLE) {
            p.x = saros_slice(p.x, axis, w[1], w[2], 1);
        } else {
            int64_t first = p.to > w[1] ? p.to : w[1];
            int64_t last = p.to + p.extent < w[2] ? p.to + p.extent : w[2];
            if (first >= last) continue;
            p = (saros_piece){p.x, axis, p.from + first - p.to, first - w[1], last - first};
        }
        f->piece[f->pieces++] = p;
    }
    return f;
}

static bool join_add(joining *s, const saros_graph_record *r) {
    const int32_t a = r->operand[0], b = r->operand[1];
    saros_piece own[2];
    if (a == b || (!s->form[a].piece && !s->form[b].piece)) return false;
    form x = pieces_of(s, a, &own[0]), y = pieces_of(s, b, &own[1]);
    if ((x.piece == &own[0] && y.piece == &own[1]) || x.pieces + y.pieces > SAROS_PIECES)
        return false;
    form *f = begin(s, r->output, x.pieces + y.pieces);
    if (!f) return true;
    memcpy(f->piece, x.piece, (size_t)x.pieces * sizeof *f->piece);
    memcpy(f->piece + x.pieces, y.piece, (size_t)y.pieces * sizeof *f->piece);
    f->pieces = x.pieces + y.pieces;
    return true;
}

/* ---- the pass ---- */

static bool join(joining *s, const saros_graph_record *r) {
    const saros_type *type = r->outputs == 1 ? s->graph->type[r->output] : NULL;
    if (!type || type->split || !saros_dtype_is_float(type->dtype)) return false;
    if (r->row == &saros_row_pad) return join_pad(s, r);
    if (r->row == &saros_row_slice) return join_slice(s, r);
    return r->row == &saros_row_add && join_add(s, r);
}

static saros_status open(joining *s, const saros_body *body) {
    const saros_graph *g = s->graph = body->graph;
    size_t values = (size_t)g->values + 1;
    s->live = saros_allocate_zero((size_t)g->records + 1, sizeof *s->live);
    s->map = saros_allocate(values * sizeof *s->map);
    s->uses = saros_allocate_zero(values, sizeof *s->uses);
    s->form = saros_allocate_zero(values, sizeof *s->form);
    s->in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *s->in);
    if (!s->live || !s->map || !s->uses || !s->form || !s->in) return SAROS_ERR_MEMORY;
    saros_status status = saros_rewrite_mark(body, s->live);
    if (status == SAROS_OK) status = saros_graph_make(&s->to);
    if (status != SAROS_OK) return status;
    for (int32_t k = 0; k < g->values; ++k) s->map[k] = -1;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; s->live[n] && k < r->operands; ++k) s->uses[r->operand[k]]++;
    }
    for (int k = 0; k < body->outputs; ++k) s->uses[body->output[k]]++;
    saros_rewrite_declare(body, s->to, s->map);
    return SAROS_OK;
}

static void end(joining *s) {
    for (int32_t k = 0; s->form && k < s->graph->values; ++k) saros_release(s->form[k].piece);
    saros_graph_release(s->to);
    saros_release(s->live);
    saros_release(s->map);
    saros_release(s->uses);
    saros_release(s->form);
    saros_release(s->in);
    saros_release(s);
}

saros_status saros_join_windows(const saros_body *body, saros_body **out) {
    const saros_graph *g = body->graph;
    bool any = false;
    for (int32_t n = 0; n < g->records && !any; ++n)
        any = saros_graph_at(g, n)->row == &saros_row_pad;
    *out = NULL;
    if (!any) return SAROS_OK;
    joining *s = saros_allocate_zero(1, sizeof *s);
    if (!s) return SAROS_ERR_MEMORY;
    saros_status status = SAROS_OK;
    SAROS_TRY(open(s, body));
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (!s->live[n] || r->row == &saros_row_input || join(s, r)) continue;
        for (int32_t k = 0; k < r->operands; ++k) value_of(s, r->operand[k]);
        saros_rewrite_copy(s->to, r, s->map, s->in, NULL);
    }
    for (int k = 0; k < body->outputs; ++k) value_of(s, body->output[k]);
    SAROS_TRY(s->status);
    status = saros_rewrite_close(body, s->to, s->map, out);
    s->to = NULL;
done:
    end(s);
    return status;
}
