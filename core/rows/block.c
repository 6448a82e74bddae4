/** The body of one sweep: the records of one class and stage on a block of rows.
 *
 *  Records are copied in their order with the class's axis cut to the block. What is made from
 * nothing is made for the block; constants are constants there too; everything else comes in as an
 * input: blocks of values that are in memory, whole values. Results are added to accumulators, one
 * after the other, so that a product of matrices goes into its accumulator at once.
 */
#include <string.h>

#include "primitives/build_impl.h"
#include "region_impl.h"
#include "rewrite_impl.h"
#include "rows/rows_impl.h"
#include "saros/memory.h"

/* ---- lists ---- */

static void note(int32_t *list, int *count, int32_t id) {
    for (int k = 0; k < *count; ++k)
        if (list[k] == id) return;
    list[(*count)++] = id;
}

static void note_whole(const saros_rows_plan *p, saros_rows_sweep *s, int32_t id) {
    if (saros_graph_maker(p->graph, id)->row != &saros_row_constant) note(s->whole, &s->wholes, id);
}

/** Whether record n is in the sweep, with a part of class `class_` if it is a result. */
static bool takes_part(const saros_rows_plan *p, const saros_rows_sweep *s, int32_t n) {
    if (!(p->bodies[n] >> s->stage & 1)) return false;
    if (p->role[n] == SAROS_ROWS_CARRIED) return p->sweep[n] == s->class_;
    return p->parts[n] >> s->class_ & 1;
}

static void list_operands(saros_rows_plan *p, saros_rows_sweep *s, int32_t n) {
    const saros_graph *g = p->graph;
    const saros_graph_record *r = saros_graph_at(g, n);
    for (int32_t k = 0; k < r->operands; ++k) {
        const int32_t id = r->operand[k];
        const int a = saros_rows_axis(p, n, k);
        if (a < 0) {
            note_whole(p, s, id);
        } else if (p->made[id] >> a & 1) {
            const saros_graph_record *maker = saros_graph_maker(g, id);
            for (int32_t j = 0; j < maker->operands; ++j) note_whole(p, s, maker->operand[j]);
        } else if (saros_rows_read(p, id, s->stage)) {
            note(s->read, &s->reads, id);
        }
    }
}

/** Results that no other result of the sweep takes in, and values that are stored. */
static void list_results(const saros_rows_plan *p, saros_rows_sweep *s, int32_t n,
                         const bool *inner) {
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    if (p->role[n] != SAROS_ROWS_CARRIED && !inner[n])
        s->accumulator[s->accumulators++] = r->output;
    for (int32_t m = 0; p->role[n] == SAROS_ROWS_CARRIED && m < r->outputs; ++m)
        if (p->stored[r->output + m] && p->stage[n] == s->stage)
            s->store[s->stores++] = r->output + m;
}

saros_status saros_rows_sweep_make(saros_rows_plan *p, int class_, int stage,
                                   saros_rows_sweep *out) {
    const saros_graph *g = p->graph;
    const size_t values = (size_t)g->values + 1;
    bool *inner = saros_allocate_zero((size_t)g->records + 1, sizeof *inner);
    saros_rows_sweep s = {.class_ = class_, .stage = stage};
    s.accumulator = saros_allocate(4 * values * sizeof *s.accumulator);
    if (!inner || !s.accumulator) {
        saros_release(inner);
        saros_release(s.accumulator);
        return SAROS_ERR_MEMORY;
    }
    s.read = s.accumulator + values;
    s.whole = s.read + values;
    s.store = s.whole + values;
    for (int32_t n = g->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (p->bodies[n] >> stage & 1 && p->role[n] == SAROS_ROWS_JOINED)
            inner[g->owner[r->operand[0]]] = inner[g->owner[r->operand[1]]] = true;
    }
    for (int32_t n = 0; n < g->records; ++n) {
        if (!takes_part(p, &s, n)) continue;
        if (p->role[n] != SAROS_ROWS_JOINED) list_operands(p, &s, n);
        list_results(p, &s, n, inner);
    }
    saros_release(inner);
    *out = s;
    return SAROS_OK;
}

void saros_rows_sweep_clear(saros_rows_sweep *s) {
    saros_release(s->accumulator);
    *s = (saros_rows_sweep){0};
}

/* ---- body ---- */

typedef struct block {
    saros_rows_plan *plan;
    const saros_rows_sweep *sweep;
    saros_graph *to;
    int64_t extent;
    saros_value first; /* index of the first row */
    int32_t *map;      /* value of the plan's graph -> its block in `to` */
    int32_t *all;      /* the same, for values that are there whole */
    saros_value *in;
} block;

/** Type of `id` with its class's axis cut to the block. */
static saros_type cut_type(const block *b, int32_t id) {
    saros_type type = *b->plan->graph->type[id];
    type.shape[(int)b->plan->axis_of[id]] = b->extent;
    return type;
}

static void declare(block *b, saros_value *accumulator) {
    const saros_graph *g = b->plan->graph;
    const saros_rows_sweep *s = b->sweep;
    const saros_type index = saros_type_scalar(SAROS_I64);
    b->first = saros_input(b->to, &index, "first row");
    for (int k = 0; k < s->accumulators; ++k)
        accumulator[k] = saros_input(b->to, g->type[s->accumulator[k]], NULL);
    for (int k = 0; k < s->reads; ++k) {
        const saros_type type = cut_type(b, s->read[k]);
        b->map[s->read[k]] = saros_input(b->to, &type, NULL).id;
    }
    for (int k = 0; k < s->wholes; ++k)
        b->all[s->whole[k]] = saros_input(b->to, g->type[s->whole[k]], NULL).id;
}

static saros_value whole(block *b, int32_t id) {
    const saros_graph_record *r = saros_graph_maker(b->plan->graph, id);
    if (r->row != &saros_row_constant) return (saros_value){b->to, b->all[id]};
    const saros_attributes attributes = saros_record_attributes(r);
    return saros_build(b->to, r->row, &attributes, 0, NULL);
}

/** The value's maker once more, for this block. */
static saros_value make_part(block *b, int32_t id, int axis) {
    const saros_graph_record *r = saros_graph_maker(b->plan->graph, id);
    saros_value in[SAROS_MAX_RANK];
    for (int32_t k = 0; k < r->operands && k < SAROS_MAX_RANK; ++k) in[k] = whole(b, r->operand[k]);
    const saros_rule rule = {.graph = b->to,
                             .row = r->row,
                             .attributes = saros_record_attributes(r),
                             .ins = r->operands,
                             .in = in};
    return saros_axis_cut(&rule, axis, b->extent, b->first);
}

static void copy_record(block *b, int32_t n) {
    saros_rows_plan *p = b->plan;
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    for (int32_t k = 0; k < r->operands; ++k) {
        const int32_t id = r->operand[k];
        const int a = saros_rows_axis(p, n, k);
        b->in[k] = a < 0                  ? whole(b, id)
                   : p->made[id] >> a & 1 ? make_part(b, id, a)
                                          : (saros_value){b->to, b->map[id]};
    }
    const saros_rule rule = {.graph = b->to,
                             .row = r->row,
                             .attributes = saros_record_attributes(r),
                             .ins = r->operands,
                             .in = b->in};
    saros_graph_locate(b->to, r->file, r->line);
    b->to->fence = r->fence;
    if (b->to->fences < r->fence) b->to->fences = r->fence;
    const saros_value v = p->role[n] == SAROS_ROWS_CARRIED
                              ? saros_axis_cut(&rule, p->axis_of[r->output], b->extent, b->first)
                              : saros_build(b->to, r->row, &rule.attributes, r->operands, b->in);
    b->to->fence = 0;
    for (int32_t k = 0; k < r->outputs; ++k) b->map[r->output + k] = v.id < 0 ? -1 : v.id + k;
}

/** sum + the parts of result `id` that this class gives. Depth: sums of sums. */
static saros_value accumulate(const block *b, saros_value sum, int32_t id) {
    const saros_rows_plan *p = b->plan;
    const int32_t n = p->graph->owner[id];
    const saros_graph_record *r = saros_graph_at(p->graph, n);
    if (!(p->parts[n] >> b->sweep->class_ & 1)) return sum;
    if (p->role[n] == SAROS_ROWS_JOINED)
        return accumulate(b, accumulate(b, sum, r->operand[0]), r->operand[1]);
    const saros_value part = {b->to, b->map[id]};
    return r->row->axes->join ? r->row->axes->join(sum, part) : saros_add(sum, part);
}

static saros_status fill(block *b, saros_value *accumulator, saros_body **out) {
    const saros_rows_sweep *s = b->sweep;
    saros_rows_plan *p = b->plan;
    declare(b, accumulator);
    for (int32_t n = 0; n < p->graph->records; ++n)
        if (p->role[n] != SAROS_ROWS_JOINED && takes_part(p, s, n)) copy_record(b, n);
    for (int k = 0; k < s->accumulators; ++k)
        accumulator[k] = accumulate(b, accumulator[k], s->accumulator[k]);
    for (int k = 0; k < s->stores; ++k)
        accumulator[s->accumulators + k] = (saros_value){b->to, b->map[s->store[k]]};
    const saros_status status =
        saros_body_close(b->to, s->accumulators + s->stores, accumulator, out, NULL);
    b->to = NULL;
    return status;
}

saros_status saros_rows_body(saros_rows_plan *p, const saros_rows_sweep *s, int64_t extent,
                             saros_body **out) {
    const size_t results = (size_t)(s->accumulators + s->stores);
    const size_t operands = (size_t)saros_rewrite_operands(p->graph);
    block b = {.plan = p, .sweep = s, .extent = extent};
    saros_status status = SAROS_ERR_MEMORY;
    saros_value *room = saros_allocate((operands + results) * sizeof *room);
    b.map = saros_allocate(2 * (size_t)p->graph->values * sizeof *b.map + 1);
    if (saros_graph_make(&b.to) == SAROS_OK && room && b.map) {
        b.all = b.map + p->graph->values;
        for (int32_t k = 0; k < 2 * p->graph->values; ++k) b.map[k] = -1;
        b.in = room;
        status = fill(&b, room + operands, out);
    }
    saros_graph_release(b.to);
    saros_release(room);
    saros_release(b.map);
    return status;
}
