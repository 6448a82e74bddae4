/** Stages: in which sweep over its class a value is made.
 *
 *  A record that carries a class is made row by row in a sweep; one that ends it gives its result
 * when the sweep is over. The stage of a record is the largest of its operands', one more where an
 * operand is needed whole that a sweep makes; so every stage is one sweep per class, with what
 * lies outside of the classes computed in between.
 *  A value made in an earlier sweep that a later one needs row by row is stored if a row of it is
 * narrow or if it is stored anyway; else the later sweep makes it anew from what that takes.
 *  The sum of two results of one stage is itself a sum over blocks, so one accumulator serves.
 */
#include "primitives/build_impl.h"
#include "rows/rows_impl.h"

enum { NARROW = 64 }; /* bytes of a row up to which a value is stored for a later sweep */

/** What the class of record n becomes in it: an axis of its outputs, or how it ends. */
static int destination(saros_rows_plan *p, int32_t n, const saros_typing *t) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    if (p->role[n] == SAROS_ROWS_CARRIED) return p->axis_of[r->output];
    for (int32_t k = 0; k < r->operands; ++k) {
        if (p->class_of[r->operand[k]] != p->sweep[n]) continue;
        const int to = saros_axis_to(t, k, p->axis_of[r->operand[k]]);
        if (to <= SAROS_AXIS_ENDED) return to;
    }
    return SAROS_AXIS_WHOLE;
}

int saros_rows_axis(saros_rows_plan *p, int32_t n, int k) {
    const saros_typing *t = saros_rows_typing(p, n);
    const int wanted = destination(p, n, t);
    for (int a = 0; a < t->operand[k].rank; ++a)
        if (saros_axis_to(t, k, a) == wanted) return a;
    return -1;
}

/* ---- roles ---- */

/** Whether some axis of an operand goes to axis `to`. */
static bool is_reached(const saros_typing *t, int to) {
    for (int k = 0; k < t->operands; ++k)
        for (int a = 0; a < t->operand[k].rank; ++a)
            if (saros_axis_to(t, k, a) == to) return true;
    return false;
}

static bool is_part(const saros_rows_plan *p, int32_t id, int stage) {
    const int32_t n = p->graph->owner[id];
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    const bool sums =
        p->role[n] == SAROS_ROWS_JOINED || (p->role[n] == SAROS_ROWS_ENDED && !r->row->axes->join);
    return sums && p->uses[id] == 1 && p->stage[n] == stage;
}

static saros_rows_role role_of(saros_rows_plan *p, int32_t n) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    if (!r->operands || !r->outputs) return SAROS_ROWS_OUTSIDE;
    const saros_typing *t = saros_rows_typing(p, n);
    const int class_ = p->class_of[r->output];
    if (class_ >= 0) {
        for (int32_t m = 1; m < r->outputs; ++m)
            if (p->class_of[r->output + m] != class_ ||
                p->axis_of[r->output + m] != p->axis_of[r->output])
                return SAROS_ROWS_OUTSIDE;
        p->sweep[n] = (int8_t)class_;
        return is_reached(t, p->axis_of[r->output]) ? SAROS_ROWS_CARRIED : SAROS_ROWS_OUTSIDE;
    }
    for (int32_t k = 0; k < r->operands; ++k) {
        const int32_t id = r->operand[k];
        if (p->class_of[id] < 0 || saros_axis_to(t, k, p->axis_of[id]) > SAROS_AXIS_ENDED) continue;
        p->sweep[n] = p->class_of[id];
        return SAROS_ROWS_ENDED;
    }
    if (r->row != &saros_row_add || r->operand[0] == r->operand[1]) return SAROS_ROWS_OUTSIDE;
    const int stage = p->stage[p->graph->owner[r->operand[0]]];
    const bool joins = is_part(p, r->operand[0], stage) && is_part(p, r->operand[1], stage);
    return joins ? SAROS_ROWS_JOINED : SAROS_ROWS_OUTSIDE;
}

/** The first stage in which `id` can be read whole. */
static int available(const saros_rows_plan *p, int32_t id) {
    return p->stage[p->graph->owner[id]] + saros_rows_swept(p, id);
}

static int stage_of(saros_rows_plan *p, int32_t n) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    int stage = 0;
    for (int32_t k = 0; k < r->operands; ++k) {
        const int32_t id = r->operand[k];
        int needed = available(p, id);
        if (p->role[n] == SAROS_ROWS_JOINED ||
            (p->role[n] != SAROS_ROWS_OUTSIDE && saros_rows_swept(p, id) &&
             saros_rows_axis(p, n, k) >= 0))
            needed = p->stage[p->graph->owner[id]];
        if (needed > stage) stage = needed;
    }
    return stage;
}

static void find_roles(saros_rows_plan *p) {
    for (int32_t n = 0; n < p->graph->records; ++n) {
        const saros_graph_record *r = saros_graph_at(p->graph, n);
        for (int32_t k = 0; p->live[n] && k < r->operands; ++k) p->uses[r->operand[k]]++;
    }
    for (int k = 0; k < p->body->outputs; ++k) p->uses[p->body->output[k]]++;
    for (int32_t n = 0; n < p->graph->records; ++n) {
        const saros_graph_record *r = saros_graph_at(p->graph, n);
        if (!p->live[n]) continue;
        p->role[n] = (uint8_t)role_of(p, n);
        const int stage = stage_of(p, n);
        p->stage[n] = (uint8_t)stage;
        if (p->role[n] == SAROS_ROWS_ENDED) p->parts[n] = UINT32_C(1) << p->sweep[n];
        for (int k = 0; p->role[n] == SAROS_ROWS_JOINED && k < 2; ++k)
            p->parts[n] |= p->parts[p->graph->owner[r->operand[k]]];
        if (stage >= p->stages) p->stages = stage + 1;
        if (stage < SAROS_ROWS_STAGES - 1) continue;
        p->classes = 0;
        return;
    }
}

/* ---- what is stored, what is made anew ---- */

/** Values that somebody reads whole. */
static void store_wanted(saros_rows_plan *p) {
    for (int k = 0; k < p->body->outputs; ++k) p->stored[p->body->output[k]] = true;
    for (int32_t n = 0; n < p->graph->records; ++n) {
        const saros_graph_record *r = saros_graph_at(p->graph, n);
        for (int32_t k = 0; p->live[n] && k < r->operands; ++k) {
            const int32_t id = r->operand[k];
            if (p->role[p->graph->owner[id]] != SAROS_ROWS_CARRIED) continue;
            if (p->role[n] == SAROS_ROWS_OUTSIDE || saros_rows_axis(p, n, k) < 0)
                p->stored[id] = true;
        }
    }
}

static bool is_narrow(const saros_rows_plan *p, int32_t id) {
    const saros_type *type = p->graph->type[id];
    const int64_t bytes = saros_type_count(type) * (int64_t)saros_dtype_bytes(type->dtype);
    return bytes <= NARROW * p->rows[(int)p->class_of[id]];
}

static bool is_root(const saros_rows_plan *p, int32_t n, int stage) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    if (p->stage[n] != stage || p->role[n] == SAROS_ROWS_OUTSIDE) return false;
    if (p->role[n] != SAROS_ROWS_CARRIED) return true;
    for (int32_t m = 0; m < r->outputs; ++m)
        if (p->stored[r->output + m]) return true;
    return false;
}

/** Marks what the sweep of `stage` makes, from its results back. */
static void mark_sweep(saros_rows_plan *p, int stage) {
    const uint32_t bit = UINT32_C(1) << stage;
    for (int32_t n = p->graph->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(p->graph, n);
        if (!p->live[n] || !(p->bodies[n] & bit || is_root(p, n, stage))) continue;
        p->bodies[n] |= bit;
        for (int32_t k = 0; k < r->operands; ++k) {
            const int32_t id = r->operand[k], m = p->graph->owner[id];
            if (p->role[m] == SAROS_ROWS_OUTSIDE) continue;
            if (p->role[n] != SAROS_ROWS_JOINED &&
                (p->role[m] != SAROS_ROWS_CARRIED || saros_rows_axis(p, n, k) < 0))
                continue;
            if (p->stage[m] < stage && (p->stored[id] || is_narrow(p, id)))
                p->stored[id] = true;
            else
                p->bodies[m] |= bit;
        }
    }
}

void saros_rows_stages(saros_rows_plan *p) {
    find_roles(p);
    if (!p->classes) return;
    store_wanted(p);
    for (int stage = p->stages - 1; stage >= 0; --stage) mark_sweep(p, stage);
}
