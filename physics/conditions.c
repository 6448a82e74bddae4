/** Boundary conditions: from the list of a specification to one condition per axis, side and
 * unknown, traced; and whether they are those the equation needs.
 *
 *  Along a bounded axis an unknown whose highest derivative is p takes p conditions over both
 * sides, summed over the unknowns (a system of first order may have all of them on one unknown).
 * Every side must be spoken of: `free` says that a side has none. Several conditions for one
 * unknown on one side (orders above 2) are not in this build. */
#include <stdio.h>

#include "problem_impl.h"
#include "saros/memory.h"

static const char *const side_name[2] = {"lo", "hi"};

static saros_status fail_row(const saros_problem *p, saros_status code, const saros_condition *row,
                             const char *hint, const char *what) {
    return saros_fail(code, "problem", hint, "%s: condition on %s%s%s%s%s: %s", p->name, row->axis,
                      row->side ? "." : "", row->side ? row->side : "", row->unknown ? " of " : "",
                      row->unknown ? row->unknown : "", what);
}

/** Range of sides and unknowns a row speaks of. */
typedef struct reach {
    int axis, first_side, last_side, first, last;
} reach;

static saros_status find_reach(const saros_problem *p, const saros_condition *row, reach *out) {
    int axis = row->axis && row->axis[0] && !row->axis[1] ? saros_axis_index(p, row->axis[0]) : -1;
    if (axis < 0 || axis == SAROS_TIME_AXIS) {
        char axes[16], hint[60];
        snprintf(hint, sizeof hint, "the axes are: %s", saros_axis_list(p, axes));
        return saros_fail(SAROS_ERR_USAGE, "problem", hint,
                          "%s has a condition on '%s', which is no space axis of it", p->name,
                          row->axis ? row->axis : "");
    }
    *out = (reach){axis, 0, 1, 0, p->unknowns - 1};
    if (row->side) {
        bool lo = row->side[0] == 'l' && row->side[1] == 'o' && !row->side[2];
        bool hi = row->side[0] == 'h' && row->side[1] == 'i' && !row->side[2];
        if (!lo && !hi)
            return fail_row(p, SAROS_ERR_USAGE, row, "sides are lo and hi", "no such side");
        out->first_side = out->last_side = hi;
    }
    if (row->unknown) {
        out->first = out->last = saros_unknown_index(p, row->unknown);
        if (out->first < 0)
            return fail_row(p, SAROS_ERR_USAGE, row,
                            saros_nearest_name(row->unknown, p->unknown, p->unknowns),
                            "no such unknown");
    }
    return SAROS_OK;
}

static saros_status check_row(const saros_problem *p, const saros_condition *row) {
    if (row->kind < SAROS_DIRICHLET || row->kind > SAROS_RESIDUAL)
        return fail_row(p, SAROS_ERR_USAGE, row, NULL, "no such kind");
    if (row->kind == SAROS_PERIODIC && (row->side || row->unknown))
        return fail_row(p, SAROS_ERR_USAGE, row, "give it for the axis alone",
                        "periodic holds for both sides and all unknowns");
    if (row->kind == SAROS_RESIDUAL && !row->function)
        return fail_row(p, SAROS_ERR_USAGE, row, "give its function", "a residual has no function");
    if (row->kind == SAROS_RESIDUAL && !row->unknown && p->unknowns > 1)
        return fail_row(p, SAROS_ERR_USAGE, row, "give one per unknown",
                        "a residual belongs to one unknown");
    if (row->kind == SAROS_ROBIN && row->b == 0)
        return fail_row(p, SAROS_ERR_USAGE, row, "without the slope it is dirichlet(v/a)",
                        "robin needs b other than 0");
    return SAROS_OK;
}

static saros_status trace_value(saros_problem *p, const saros_condition *row, int side, int axis,
                                int unknown, saros_body **out) {
    if (row->kind == SAROS_PERIODIC || row->kind == SAROS_FREE) return SAROS_OK;
    if (!row->function) return saros_point_constant(p, row->value, out);
    char role[120];
    snprintf(role, sizeof role, "condition of %s at %s.%s", p->unknown[unknown], p->axis[axis].name,
             side_name[side]);
    saros_trace trace = {p, role, axis, side, row->function, row->user, 1, "one value"};
    return saros_point_trace(&trace, out);
}

static saros_status take_row(saros_problem *p, const saros_condition *row) {
    reach r = {0};
    saros_status status = find_reach(p, row, &r);
    if (status == SAROS_OK) status = check_row(p, row);
    for (int side = r.first_side; status == SAROS_OK && side <= r.last_side; ++side)
        for (int j = r.first; status == SAROS_OK && j <= r.last; ++j) {
            saros_side_condition *c = saros_condition_at(p, r.axis, side, j);
            if (c->kind)
                return fail_row(p, SAROS_ERR_UNSUPPORTED, row, "give one condition",
                                "a second condition for one unknown on one side is not in this "
                                "build");
            status = trace_value(p, row, side, r.axis, j, &c->value);
            if (status != SAROS_OK) break;
            c->kind = row->kind;
            c->a = row->a;
            c->b = row->b;
        }
    return status;
}

saros_status saros_conditions_trace(saros_problem *problem, const saros_condition *list) {
    size_t n = (size_t)(problem->axes * 2 * problem->unknowns);
    problem->condition = saros_allocate_zero(n, sizeof *problem->condition);
    if (!problem->condition) return SAROS_ERR_MEMORY;
    for (const saros_condition *row = list; row && row->kind; ++row) {
        saros_status status = take_row(problem, row);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

/* ---- what the equation needs ---- */

static saros_status check_axis(const saros_problem *p, int axis) {
    int needed = 0, given = 0;
    for (int j = 0; j < p->unknowns; ++j) {
        int order = p->inspection.order[j * (SAROS_TIME_AXIS + 1) + axis];
        saros_side_condition *lo = saros_condition_at(p, axis, 0, j);
        if (lo->kind == SAROS_PERIODIC) return SAROS_OK;
        needed += order;
        for (int side = 0; side < 2; ++side) {
            saros_side_condition *c = saros_condition_at(p, axis, side, j);
            if (!c->kind && order > 0)
                return saros_fail(SAROS_ERR_USAGE, "problem",
                                  "give dirichlet, neumann, robin or periodic, or free for none",
                                  "%s has no condition for %s at %s.%s", p->name, p->unknown[j],
                                  p->axis[axis].name, side_name[side]);
            if (!c->kind) c->kind = SAROS_FREE;
            if (order > 0) given += c->kind != SAROS_FREE;
        }
        if (order > 2)
            return saros_fail(SAROS_ERR_UNSUPPORTED, "problem", "make the axis periodic",
                              "%s: order %d of %s along the bounded axis %s needs several "
                              "conditions on a side, which is not in this build",
                              p->name, order, p->unknown[j], p->axis[axis].name);
    }
    if (given == needed) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "problem",
                      given > needed ? "let a side be free" : "replace free by a condition",
                      "%s takes %d condition%s along %s (the order of its derivatives), got %d",
                      p->name, needed, needed == 1 ? "" : "s", p->axis[axis].name, given);
}

saros_status saros_conditions_check(const saros_problem *problem) {
    saros_status status = SAROS_OK;
    for (int a = 0; status == SAROS_OK && a < problem->axes; ++a) status = check_axis(problem, a);
    return status;
}
