/** Lowering of markers to differences.
 *
 *  Every node is evaluated where it is asked for. A marker d(q, a) at nodes becomes
 *      q free of d/da:      a centred difference of q;
 *      q = d(p, a), p free: the compact second difference of p;
 *      otherwise:           q evaluated at faces midway (the flux), differenced back;
 * and at faces a staggered difference, so that a flux k(x) u.x sees k at the face itself and the
 * compact slope of u. All differences of a flux telescope: the scheme is conservative. Products of
 * unknowns at faces use their interpolation to the order of the scheme; so do parameter fields
 * (arithmetic mean at order 2). Functions of the coordinates are evaluated where they stand.
 *
 *  Order 4 flux forms read seven points, compact ones five. Time markers become the explicit rate.
 */
#include "lower_impl.h"

#include "saros/memory.h"
#include "saros/primitive.h"
#include "stencil_impl.h"

typedef struct known {
    int32_t id;
    int next; /* of the same id, -1 ends */
    saros_place place;
    saros_value value;
} known;

struct saros_evaluator {
    saros_evaluator *next;
    const saros_body *body;
    saros_graph *graph;
    int *input; /* by id: index among the body's inputs, -1 */
    int *along; /* by id: axes with a marker at or below, as bits */
    int *head;  /* by id: latest known entry */
    known *entry;
    int entries, room;
};

static saros_value fail(saros_lowering *l) {
    if (l->status == SAROS_OK) l->status = saros_error_last()->status;
    return saros_poison(l->graph);
}

/* ---- what is known ---- */

static saros_evaluator *make_evaluator(const saros_body *body) {
    saros_evaluator *e = saros_allocate_zero(1, sizeof *e);
    if (!e) return NULL;
    e->body = body;
    e->graph = saros_body_graph(body);
    size_t count = (size_t)saros_graph_count(e->graph);
    e->input = saros_allocate(3 * count * sizeof *e->input);
    if (!e->input) {
        saros_release(e);
        return NULL;
    }
    e->along = e->input + count;
    e->head = e->along + count;
    for (int32_t id = 0; id < (int32_t)count; ++id) {
        saros_node node = saros_graph_node(e->graph, id, NULL);
        e->input[id] = e->head[id] = -1;
        e->along[id] = 0;
        for (int k = 0; k < node.operands; ++k) e->along[id] |= e->along[node.operand[k]];
        if (node.row == &saros_row_derivative) e->along[id] |= 1 << node.attributes.word[0];
    }
    for (int k = 0; k < saros_body_inputs(body); ++k) e->input[saros_body_input(body, k).id] = k;
    return e;
}

static saros_evaluator *find_evaluator(saros_lowering *l, const saros_body *body) {
    for (saros_evaluator *e = l->evaluators; e; e = e->next)
        if (e->body == body) return e;
    saros_evaluator *e = make_evaluator(body);
    if (!e) return NULL;
    e->next = l->evaluators;
    l->evaluators = e;
    return e;
}

void saros_lowering_end(saros_lowering *l) {
    while (l->evaluators) {
        saros_evaluator *next = l->evaluators->next;
        saros_release(l->evaluators->input);
        saros_release(l->evaluators->entry);
        saros_release(l->evaluators);
        l->evaluators = next;
    }
}

static bool same_place(const saros_grid_plan *plan, const saros_place *a, const saros_place *b) {
    for (int k = 0; k < plan->axes; ++k)
        if (a->lo[k] != b->lo[k] || a->hi[k] != b->hi[k]) return false;
    return true;
}

static const known *find_known(const saros_lowering *l, const saros_evaluator *e, int32_t id,
                               const saros_place *place) {
    for (int k = e->head[id]; k >= 0; k = e->entry[k].next)
        if (same_place(l->plan, &e->entry[k].place, place)) return &e->entry[k];
    return NULL;
}

static saros_value remember(saros_lowering *l, saros_evaluator *e, int32_t id,
                            const saros_place *place, saros_value value) {
    if (e->entries == e->room) {
        int room = e->room ? 2 * e->room : 64;
        known *larger = saros_reallocate(e->entry, (size_t)room * sizeof *larger);
        if (!larger) return fail(l);
        e->entry = larger;
        e->room = room;
    }
    e->entry[e->entries] = (known){id, e->head[id], *place, value};
    e->head[id] = e->entries++;
    return value;
}

/* ---- leaves ---- */

static saros_place widen(saros_place place, int axis, int half_steps) {
    place.lo[axis] += half_steps;
    place.hi[axis] += half_steps;
    return place;
}

static saros_value coordinate(const saros_lowering *l, int axis, const saros_place *place) {
    const saros_grid_plan *plan = l->plan;
    saros_type type = {.dtype = SAROS_F64, .rank = plan->axes};
    int at = plan->axes - 1 - axis;
    for (int k = 0; k < type.rank; ++k) type.shape[k] = 1;
    type.shape[at] = saros_place_extent(plan, place, axis);
    saros_value index = saros_iota(l->graph, &type, at);
    index = saros_add(index, saros_like(index, -0.5 * (double)place->lo[axis]));
    return saros_add(l->lo[axis], saros_mul(l->h[axis], index));
}

/** An unknown or a field: at faces the mean of nodes to the order, at nodes what extend gives. */
static saros_value field(saros_lowering *l, int input, const saros_place *place) {
    const saros_grid_plan *plan = l->plan;
    for (int a = 0; a < plan->axes; ++a) {
        if (place->lo[a] % 2 == 0) continue;
        const saros_stencil *mean = saros_stencil_find(SAROS_MEAN, plan->order);
        saros_place wide = widen(*place, a, mean->reach);
        saros_value q = field(l, input, &wide);
        return saros_stencil_apply(mean, q, plan->axes - 1 - a, saros_place_extent(plan, place, a),
                                   l->h[a]);
    }
    return saros_lower_field(l, input, place);
}

static saros_value leaf(saros_lowering *l, int input, const saros_place *place) {
    saros_inputs in = saros_problem_inputs(l->plan->problem);
    if (input < in.unknowns) return field(l, input, place);
    if (input < in.unknowns + in.axes) return coordinate(l, input - in.unknowns, place);
    if (input == in.time) return l->t;
    saros_value p = l->parameter[input - (in.count - in.parameters)];
    return saros_value_rank(p) == 0 ? p : field(l, input, place);
}

/* ---- nodes ---- */

static saros_value evaluate(saros_lowering *l, saros_evaluator *e, int32_t id,
                            const saros_place *place);

/** The row on operands stretched to one shape. */
static saros_value rebuild(saros_lowering *l, const saros_node *node, saros_value *operand) {
    int rank = 0;
    int64_t shape[SAROS_MAX_RANK];
    for (int k = 0; k < node->operands; ++k) {
        const saros_type *type = saros_value_type(operand[k]);
        if (type->rank == 0) continue;
        for (int i = 0; i < type->rank; ++i)
            if (!rank || shape[i] == 1) shape[i] = type->shape[i];
        rank = type->rank;
    }
    for (int k = 0; rank && k < node->operands; ++k)
        operand[k] = saros_broadcast(operand[k], rank, shape, NULL);
    saros_graph_locate(l->graph, node->file, node->line);
    return saros_build(l->graph, node->row, &node->attributes, node->operands, operand);
}

static saros_value pointwise(saros_lowering *l, saros_evaluator *e, int32_t id,
                             const saros_place *place) {
    saros_node node = saros_graph_node(e->graph, id, NULL);
    saros_value few[8], *operand = few;
    if (node.operands > 8 && !(operand = saros_allocate((size_t)node.operands * sizeof *operand)))
        return fail(l);
    for (int k = 0; k < node.operands; ++k) operand[k] = evaluate(l, e, node.operand[k], place);
    saros_value v = rebuild(l, &node, operand);
    if (operand != few) saros_release(operand);
    return v;
}

/** The stencil of marker `id` at nodes or faces, and the node it is applied to. */
static const saros_stencil *choose(const saros_evaluator *e, int order, int axis, int32_t inner,
                                   bool at_faces, int32_t *target) {
    int bit = 1 << axis;
    *target = inner;
    if (!(e->along[inner] & bit))
        return saros_stencil_find(at_faces ? SAROS_STAGGERED : SAROS_CENTRED, order);
    saros_node node = saros_graph_node(e->graph, inner, NULL);
    bool second = node.row == &saros_row_derivative && node.attributes.word[0] == axis;
    if (!at_faces && second && !(e->along[node.operand[0]] & bit)) {
        *target = node.operand[0];
        return saros_stencil_find(SAROS_SECOND, order);
    }
    return saros_stencil_find(SAROS_STAGGERED, order);
}

saros_value saros_lower_rate(saros_lowering *l, const saros_body *form, int unknown,
                             const saros_place *place) {
    saros_value rest = saros_lower(l, form, unknown, place);
    saros_value mass = saros_lower(l, form, l->plan->unknowns + unknown, place);
    return saros_div(saros_neg(rest), mass);
}

static saros_value time_marker(saros_lowering *l, const saros_evaluator *e, int32_t inner,
                               const saros_place *place) {
    int k = e->input[inner];
    const saros_body *form = l->plan->problem->inspection.rate;
    if (form && e->body != form && k >= 0 && k < l->plan->unknowns)
        return saros_lower_rate(l, form, k, place);
    saros_fail(SAROS_ERR_UNSUPPORTED, "grid", "use time derivatives of unknowns",
               "this time derivative is not in this build of the grid");
    return fail(l);
}

static saros_value marker(saros_lowering *l, saros_evaluator *e, const saros_node *node,
                          const saros_place *place) {
    const saros_grid_plan *plan = l->plan;
    int axis = (int)node->attributes.word[0];
    int32_t inner = node->operand[0], target;
    if (axis == SAROS_TIME_AXIS) return time_marker(l, e, inner, place);
    const saros_stencil *s = choose(e, plan->order, axis, inner, place->lo[axis] % 2 != 0, &target);
    saros_place wide = widen(*place, axis, s->reach);
    saros_value q = evaluate(l, e, target, &wide);
    return saros_stencil_apply(s, q, plan->axes - 1 - axis, saros_place_extent(plan, place, axis),
                               l->h[axis]);
}

static saros_value evaluate(saros_lowering *l, saros_evaluator *e, int32_t id,
                            const saros_place *place) {
    const known *k = find_known(l, e, id, place);
    if (k) return k->value;
    saros_node node = saros_graph_node(e->graph, id, NULL);
    saros_value v;
    if (e->input[id] >= 0)
        v = leaf(l, e->input[id], place);
    else if (node.row == &saros_row_derivative)
        v = marker(l, e, &node, place);
    else if (node.operands)
        v = pointwise(l, e, id, place);
    else
        v = saros_build(l->graph, node.row, &node.attributes, 0, NULL);
    return remember(l, e, id, place, v);
}

saros_value saros_lower(saros_lowering *l, const saros_body *body, int output,
                        const saros_place *place) {
    saros_evaluator *e = find_evaluator(l, body);
    if (!e) return fail(l);
    return evaluate(l, e, saros_body_output(body, output).id, place);
}

saros_value saros_place_fill(const saros_lowering *l, saros_value v, const saros_place *place) {
    int64_t shape[3];
    int rank = saros_place_shape(l->plan, place, shape);
    return saros_broadcast(v, rank, shape, NULL);
}

saros_value saros_lower_full(saros_lowering *l, const saros_body *body, int output,
                             const saros_place *place) {
    return saros_place_fill(l, saros_lower(l, body, output, place), place);
}
