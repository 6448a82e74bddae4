/** Plan of a grid: nodes, sides, own points, packing.
 *
 *  Nodes of a bounded axis are cells + 1, ends included, of a periodic axis `cells`. Every
 * condition becomes a u + b du/dn = v; a residual is split into that form, so it must be affine in
 * the unknown and its normal derivative and free of everything else that is unknown. */
#include "plan_impl.h"

#include <stdio.h>

#include "affine_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/primitive.h"

static const char *const side_name[2] = {"lo", "hi"};

static saros_status refuse(const saros_grid_plan *plan, int axis, int side, int unknown,
                           const char *hint, const char *why) {
    const saros_problem *p = plan->problem;
    return saros_fail(SAROS_ERR_UNSUPPORTED, "grid", hint, "%s: the condition of %s at %s.%s %s",
                      p->name, p->unknown[unknown], p->axis[axis].name, side_name[side], why);
}

/** Values on the boundary are known beforehand: no unknown, no derivative. */
static saros_status check_known(const saros_grid_plan *plan, int axis, int side, int unknown,
                                const saros_body *body) {
    bool *live = NULL;
    saros_status status = saros_body_live(body, &live);
    if (status != SAROS_OK) return status;
    bool bad = false;
    for (int k = 0; k < plan->unknowns; ++k) bad |= live[saros_body_input(body, k).id];
    for (int32_t id = 0; id < saros_graph_count(saros_body_graph(body)); ++id)
        if (live[id])
            bad |= saros_graph_node(saros_body_graph(body), id, NULL).row == &saros_row_derivative;
    saros_release(live);
    if (!bad) return SAROS_OK;
    return refuse(plan, axis, side, unknown,
                  "the grid takes a u + b du/dn = v with a, b, v functions of x, t and parameters",
                  "is not linear in the unknown and its normal derivative alone");
}

/** Id of d(unknown, axis) in a body, -1 if it is not there. */
static int32_t find_slope(const saros_body *body, int unknown, int axis) {
    saros_graph *graph = saros_body_graph(body);
    int32_t u = saros_body_input(body, unknown).id;
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        saros_node node = saros_graph_node(graph, id, NULL);
        if (node.row == &saros_row_derivative && node.attributes.word[0] == axis &&
            node.operand[0] == u)
            return id;
    }
    return -1;
}

static saros_status split_residual(const saros_grid_plan *plan, int axis, int side, int unknown,
                                   const saros_body *residual, saros_grid_side *out) {
    int32_t target[2] = {saros_body_input(residual, unknown).id,
                         find_slope(residual, unknown, axis)};
    saros_affine split = {0};
    saros_status status = saros_affine_split(residual, 2, target, &split);
    if (status == SAROS_ERR_UNSUPPORTED)
        return refuse(plan, axis, side, unknown, "the grid takes a u + b du/dn = v",
                      "is not linear in the unknown and its normal derivative");
    if (status != SAROS_OK) return status;
    out->body = split.body;
    out->split = true;
    out->has_a = split.depends[0];
    out->has_b = split.depends[1];
    out->given = !out->has_b;
    saros_release(split.depends);
    if (out->has_a || out->has_b) return SAROS_OK;
    return refuse(plan, axis, side, unknown, "let it contain the unknown",
                  "does not contain the unknown or its normal derivative");
}

static saros_status plan_side(const saros_grid_plan *plan, int axis, int side, int unknown,
                              saros_grid_side *out) {
    saros_body *value = NULL;
    double a, b;
    saros_condition_kind kind =
        saros_problem_condition(plan->problem, axis, side, unknown, &value, &a, &b);
    *out = (saros_grid_side){.kind = SAROS_SIDE_CONDITION};
    switch (kind) {
    case SAROS_PERIODIC:
        out->kind = SAROS_SIDE_PERIODIC;
        return SAROS_OK;
    case SAROS_FREE:
        out->kind = SAROS_SIDE_FREE;
        return SAROS_OK;
    case SAROS_FLUX:
        return refuse(plan, axis, side, unknown, "write it as a residual of u and u.n",
                      "is a flux condition, which is not in this build of the grid");
    case SAROS_RESIDUAL: {
        saros_status status = split_residual(plan, axis, side, unknown, value, out);
        return status == SAROS_OK ? check_known(plan, axis, side, unknown, out->body) : status;
    }
    case SAROS_DIRICHLET:
        out->given = out->has_a = true;
        out->a = 1;
        break;
    case SAROS_NEUMANN:
        out->has_b = true;
        out->b = 1;
        break;
    case SAROS_ROBIN:
        out->has_a = a != 0;
        out->has_b = true;
        out->a = a;
        out->b = b;
        break;
    }
    out->body = saros_body_retain(value);
    return check_known(plan, axis, side, unknown, value);
}

static bool same_own(const saros_grid_plan *plan, int j) {
    for (int a = 0; a < plan->axes; ++a)
        if (plan->own[j].lo[a] != plan->own[0].lo[a] || plan->own[j].hi[a] != plan->own[0].hi[a])
            return false;
    return true;
}

static saros_status plan_sides(saros_grid_plan *plan) {
    for (int a = 0; a < plan->axes; ++a)
        for (int side = 0; side < 2; ++side)
            for (int j = 0; j < plan->unknowns; ++j) {
                saros_grid_side *s = &plan->side[(a * 2 + side) * plan->unknowns + j];
                saros_status status = plan_side(plan, a, side, j, s);
                if (status != SAROS_OK) return status;
                int64_t half = s->given ? -2 : 0;
                *(side ? &plan->own[j].hi[a] : &plan->own[j].lo[a]) = half;
            }
    plan->interleaved = plan->axes < 2; /* for narrow bands; fields that are apart run faster */
    for (int j = 0; j < plan->unknowns; ++j) {
        plan->size += saros_place_count(plan, &plan->own[j]);
        plan->interleaved &= same_own(plan, j);
    }
    return SAROS_OK;
}

saros_status saros_grid_plan_make(saros_problem *problem, const int64_t *cells, int64_t order,
                                  saros_grid_plan *out) {
    if (order != 2 && order != 4)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "grid", "use order 2 or 4",
                          "order %lld is not in this build", (long long)order);
    saros_grid_plan plan = {.problem = problem,
                            .axes = problem->axes,
                            .unknowns = problem->unknowns,
                            .order = (int)order};
    for (int a = 0; a < plan.axes; ++a) {
        if (cells[a] < 2 * order)
            return saros_fail(SAROS_ERR_USAGE, "grid", "use more cells",
                              "order %lld needs at least %lld cells along %s, got %lld",
                              (long long)order, (long long)(2 * order), problem->axis[a].name,
                              (long long)cells[a]);
        plan.periodic[a] =
            saros_problem_condition(problem, a, 0, 0, NULL, NULL, NULL) == SAROS_PERIODIC;
        plan.nodes[a] = plan.periodic[a] ? cells[a] : cells[a] + 1;
    }
    size_t unknowns = (size_t)plan.unknowns;
    plan.side = saros_allocate_zero((size_t)plan.axes * 2 * unknowns, sizeof *plan.side);
    plan.own = saros_allocate_zero(unknowns, sizeof *plan.own);
    saros_status status = plan.side && plan.own ? plan_sides(&plan) : SAROS_ERR_MEMORY;
    if (status == SAROS_OK)
        *out = plan;
    else
        saros_grid_plan_clear(&plan);
    return status;
}

void saros_grid_plan_clear(saros_grid_plan *plan) {
    for (int k = 0; plan->side && k < plan->axes * 2 * plan->unknowns; ++k)
        saros_body_release(plan->side[k].body);
    saros_release(plan->side);
    saros_release(plan->own);
    *plan = (saros_grid_plan){0};
}

int saros_place_shape(const saros_grid_plan *plan, const saros_place *place, int64_t shape[3]) {
    for (int a = 0; a < plan->axes; ++a)
        shape[plan->axes - 1 - a] = saros_place_extent(plan, place, a);
    return plan->axes;
}

int64_t saros_place_count(const saros_grid_plan *plan, const saros_place *place) {
    int64_t count = 1;
    for (int a = 0; a < plan->axes; ++a) count *= saros_place_extent(plan, place, a);
    return count;
}

/* ---- packing ---- */

void saros_grid_unpack(const saros_grid_plan *plan, saros_value state, saros_value *own) {
    int64_t shape[SAROS_MAX_RANK], first = 0;
    if (plan->interleaved && plan->unknowns > 1) {
        int rank = saros_place_shape(plan, &plan->own[0], shape);
        shape[rank] = plan->unknowns;
        saros_value all = saros_reshape(state, rank + 1, shape);
        for (int j = 0; j < plan->unknowns; ++j)
            own[j] = saros_reshape(saros_slice(all, rank, j, j + 1, 1), rank, shape);
        return;
    }
    for (int j = 0; j < plan->unknowns; ++j) {
        int rank = saros_place_shape(plan, &plan->own[j], shape);
        int64_t count = saros_place_count(plan, &plan->own[j]);
        own[j] = saros_reshape(saros_slice(state, 0, first, first + count, 1), rank, shape);
        first += count;
    }
}

saros_value saros_grid_pack(const saros_grid_plan *plan, saros_graph *graph,
                            const saros_value *own) {
    saros_value *part = saros_allocate((size_t)plan->unknowns * sizeof *part);
    if (!part) return saros_poison(graph);
    bool stacked = plan->interleaved && plan->unknowns > 1;
    for (int j = 0; j < plan->unknowns; ++j) {
        int64_t shape[SAROS_MAX_RANK], count = saros_place_count(plan, &plan->own[j]);
        int rank = saros_place_shape(plan, &plan->own[j], shape);
        shape[rank] = 1;
        part[j] =
            stacked ? saros_reshape(own[j], rank + 1, shape) : saros_reshape(own[j], 1, &count);
    }
    saros_value all = part[0];
    if (plan->unknowns > 1) all = saros_concat(plan->unknowns, part, stacked ? plan->axes : 0);
    saros_release(part);
    return stacked ? saros_reshape(all, 1, &plan->size) : all;
}
