/** Assembling the values of a grid: each is a lowering of one of the problem's bodies. */
#include "assemble_impl.h"

#include "lower_impl.h"
#include "saros/memory.h"

static saros_lowering begin(const saros_grid_plan *plan, saros_graph *graph,
                            const saros_grid_values *values, const saros_value *own) {
    return (saros_lowering){.plan = plan,
                            .graph = graph,
                            .t = values->t,
                            .lo = values->lo,
                            .h = values->h,
                            .parameter = values->parameter,
                            .own = own};
}

/** Ends a lowering; a failure outside the graph (memory) poisons it. */
static void end(saros_lowering *l) {
    if (l->status != SAROS_OK && saros_graph_status(l->graph) == SAROS_OK) saros_poison(l->graph);
    saros_lowering_end(l);
}

static saros_value *values_of(const saros_grid_plan *plan, saros_graph *graph) {
    saros_value *v = saros_allocate((size_t)(2 * plan->unknowns) * sizeof *v);
    if (!v) saros_poison(graph);
    return v;
}

saros_value saros_grid_rate(const saros_grid_plan *plan, saros_graph *graph,
                            const saros_grid_values *values, const saros_body *form,
                            saros_value state) {
    saros_value *own = values_of(plan, graph);
    if (!own) return saros_poison(graph);
    saros_value *rate = own + plan->unknowns;
    saros_grid_unpack(plan, state, own);
    saros_lowering l = begin(plan, graph, values, own);
    for (int k = 0; k < plan->unknowns; ++k)
        rate[k] = saros_place_fill(&l, saros_lower_rate(&l, form, k, &plan->own[k]), &plan->own[k]);
    saros_value packed = saros_grid_pack(plan, graph, rate);
    end(&l);
    saros_release(own);
    return packed;
}

saros_value saros_grid_residual(const saros_grid_plan *plan, saros_graph *graph,
                                const saros_grid_values *values, saros_value state) {
    saros_value *own = values_of(plan, graph);
    if (!own) return saros_poison(graph);
    saros_value *row = own + plan->unknowns;
    saros_grid_unpack(plan, state, own);
    saros_lowering l = begin(plan, graph, values, own);
    for (int k = 0; k < plan->unknowns; ++k)
        row[k] = saros_lower_full(&l, plan->problem->equation, k, &plan->own[k]);
    saros_value packed = saros_grid_pack(plan, graph, row);
    end(&l);
    saros_release(own);
    return packed;
}

saros_value saros_grid_start(const saros_grid_plan *plan, saros_graph *graph,
                             const saros_grid_values *values) {
    saros_value *start = values_of(plan, graph);
    if (!start) return saros_poison(graph);
    saros_lowering l = begin(plan, graph, values, NULL);
    for (int k = 0; k < plan->unknowns; ++k)
        start[k] = saros_lower_full(&l, plan->problem->initial, k, &plan->own[k]);
    saros_value packed = saros_grid_pack(plan, graph, start);
    end(&l);
    saros_release(start);
    return packed;
}

/** A field on all nodes at the own points of unknown k. */
static saros_value restrict_field(const saros_grid_plan *plan, saros_value field, int k) {
    const saros_place *own = &plan->own[k];
    for (int a = 0; a < plan->axes; ++a) {
        int64_t first = -own->lo[a] / 2;
        field = saros_slice(field, plan->axes - 1 - a, first,
                            first + saros_place_extent(plan, own, a), 1);
    }
    return field;
}

saros_value saros_grid_restrict(const saros_grid_plan *plan, saros_graph *graph,
                                const saros_value *field) {
    saros_value *own = values_of(plan, graph);
    if (!own) return saros_poison(graph);
    for (int k = 0; k < plan->unknowns; ++k) own[k] = restrict_field(plan, field[k], k);
    saros_value packed = saros_grid_pack(plan, graph, own);
    saros_release(own);
    return packed;
}

void saros_grid_fields(const saros_grid_plan *plan, saros_graph *graph,
                       const saros_grid_values *values, saros_value state, saros_value *out) {
    const saros_problem *p = plan->problem;
    saros_value *own = values_of(plan, graph);
    for (int k = 0; k < p->unknowns + p->observables; ++k) out[k] = SAROS_NONE;
    if (!own) return;
    saros_grid_unpack(plan, state, own);
    saros_lowering l = begin(plan, graph, values, own);
    saros_place nodes = saros_place_nodes();
    for (int k = 0; k < p->unknowns; ++k) out[k] = saros_lower_field(&l, k, &nodes);
    for (int k = 0; k < p->observables; ++k)
        out[p->unknowns + k] = saros_lower_full(&l, p->observable[k], 0, &nodes);
    end(&l);
    saros_release(own);
}

void saros_grid_expression(const saros_grid_plan *plan, saros_graph *graph,
                           const saros_grid_values *values, const saros_value *field,
                           const saros_body *body, saros_value *out) {
    saros_value *own = values_of(plan, graph);
    for (int k = 0; k < saros_body_outputs(body); ++k) out[k] = SAROS_NONE;
    if (!own) return;
    for (int k = 0; k < plan->unknowns; ++k) own[k] = restrict_field(plan, field[k], k);
    saros_lowering l = begin(plan, graph, values, own);
    saros_place nodes = saros_place_nodes();
    for (int k = 0; k < saros_body_outputs(body); ++k)
        out[k] = saros_lower_full(&l, body, k, &nodes);
    end(&l);
    saros_release(own);
}
