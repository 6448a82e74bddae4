/** Fields at nodes: own points where they suffice, `extend` beyond them, axis after axis.
 *
 *  The later axis reads the extended points of the earlier ones, so at a corner its condition wins
 * over an earlier condition and a given value over a slope. Boundary values are evaluated along the
 * side, ghosts included. A parameter field has no condition: its ghosts are extrapolated. */
#include "lower_impl.h"

/** The place `at` shrunk to the end node of a side. */
static saros_place side_place(const saros_grid_plan *plan, saros_place at, int axis, int side) {
    int64_t all = -2 * (plan->nodes[axis] - 1);
    at.lo[axis] = side ? all : 0;
    at.hi[axis] = side ? 0 : all;
    return at;
}

/** Output of a side's body: a scalar, or the side's shape (without `axis`). */
static saros_value side_value(saros_lowering *l, const saros_grid_side *s, int output,
                              const saros_place *place, int axis) {
    saros_value v = saros_lower(l, s->body, output, place);
    if (saros_value_rank(v) == 0) return v;
    v = saros_place_fill(l, v, place);
    int64_t shape[3], rest[3];
    int rank = saros_place_shape(l->plan, place, shape), n = 0;
    for (int k = 0; k < rank; ++k)
        if (k != l->plan->axes - 1 - axis) rest[n++] = shape[k];
    return saros_reshape(v, n, rest);
}

static saros_side make_side(saros_lowering *l, int axis, int side, int unknown,
                            const saros_place *at) {
    const saros_grid_plan *plan = l->plan;
    if (unknown < 0)
        return (saros_side){.kind = plan->periodic[axis] ? SAROS_SIDE_PERIODIC : SAROS_SIDE_FREE,
                            .a = SAROS_NONE,
                            .b = SAROS_NONE,
                            .v = SAROS_NONE};
    const saros_grid_side *s = saros_grid_side_at(plan, axis, side, unknown);
    saros_side out = {.kind = s->kind, .given = s->given};
    out.a = out.b = out.v = SAROS_NONE;
    if (s->kind != SAROS_SIDE_CONDITION) return out;
    saros_place place = side_place(plan, *at, axis, side);
    out.v = side_value(l, s, 0, &place, axis);
    if (s->split) {
        out.v = saros_neg(out.v);
        if (s->has_a) out.a = side_value(l, s, 1, &place, axis);
        if (s->has_b) out.b = side_value(l, s, 2, &place, axis);
        if (s->has_b && !side) out.b = saros_neg(out.b);
    } else {
        if (s->has_a) out.a = saros_scalar(l->graph, SAROS_F64, s->a);
        if (s->has_b) out.b = saros_scalar(l->graph, SAROS_F64, s->b);
    }
    return out;
}

saros_value saros_lower_field(saros_lowering *l, int input, const saros_place *place) {
    const saros_grid_plan *plan = l->plan;
    int unknown = input < plan->unknowns ? input : -1;
    saros_inputs in = saros_problem_inputs(plan->problem);
    saros_value v =
        unknown >= 0 ? l->own[unknown] : l->parameter[input - (in.count - in.parameters)];
    saros_place at = unknown >= 0 ? plan->own[unknown] : saros_place_nodes();
    for (int a = 0; a < plan->axes; ++a) {
        int axis = plan->axes - 1 - a;
        if (place->lo[a] > at.lo[a] || place->hi[a] > at.hi[a]) {
            int64_t half = place->lo[a] > place->hi[a] ? place->lo[a] : place->hi[a];
            if (half < 0) half = 0;
            saros_side lo = make_side(l, a, 0, unknown, &at), hi = make_side(l, a, 1, unknown, &at);
            v = saros_extend(v, axis, half / 2, plan->order, l->h[a], &lo, &hi);
            at.lo[a] = at.hi[a] = half;
        }
        int64_t first = (at.lo[a] - place->lo[a]) / 2, n = saros_place_extent(plan, place, a);
        v = saros_slice(v, axis, first, first + n, 1);
        at.lo[a] = place->lo[a];
        at.hi[a] = place->hi[a];
    }
    return v;
}
