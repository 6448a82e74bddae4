/** The point: names looked up, derivatives written as markers, everything rank 0.
 *
 *  A wrong name records an error with the nearest name and poisons the graph; the function that
 * asked goes on and the error surfaces when its body is closed. */
#include <stdio.h>
#include <string.h>

#include "problem_impl.h"
#include "saros/primitive.h"

saros_graph *saros_point_graph(saros_point *s) {
    return s->graph;
}

static saros_value unknown_name(saros_point *s, const char *what, const char *name,
                                const char *const *names, int n) {
    char list[256] = "", hint[340];
    size_t used = 0;
    for (int k = 0; k < n && used + 2 < sizeof list; ++k)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", k ? ", " : "", names[k]);
    const char *near = n ? saros_nearest_name(name, names, n) : NULL;
    if (near)
        snprintf(hint, sizeof hint, "did you mean %s? There are: %s", near, list);
    else
        snprintf(hint, sizeof hint, n ? "there are: %s" : "there are none", list);
    saros_fail(SAROS_ERR_USAGE, s->role, hint, "no %s is called '%s'", what, name);
    return saros_poison(s->graph);
}

saros_value saros_get(saros_point *s, const char *unknown) {
    const saros_problem *p = s->problem;
    int k = saros_unknown_index(p, unknown);
    if (k < 0) return unknown_name(s, "unknown", unknown, p->unknown, p->unknowns);
    return s->input[k];
}

static saros_value no_axis(saros_point *s, const char *text) {
    char axes[16], hint[80];
    snprintf(hint, sizeof hint, "the axes of %s are: %s", s->problem->name,
             saros_axis_list(s->problem, axes));
    saros_fail(SAROS_ERR_USAGE, s->role, hint, "no axis is called '%s'", text);
    return saros_poison(s->graph);
}

saros_value saros_coord(saros_point *s, const char *axis) {
    const saros_problem *p = s->problem;
    int a = axis[0] && !axis[1] ? saros_axis_index(p, axis[0]) : -1;
    if (a < 0) return no_axis(s, axis);
    saros_inputs in = saros_problem_inputs(p);
    return s->input[a == SAROS_TIME_AXIS ? in.time : in.unknowns + a];
}

/* ---- parameters ---- */

static saros_value call_parameter(saros_point *s, const saros_parameter *parameter) {
    if (s->depth >= s->problem->parameters) {
        saros_fail(SAROS_ERR_USAGE, s->role, "parameter functions may use others, not themselves",
                   "parameter '%s' is defined by itself", parameter->name);
        return saros_poison(s->graph);
    }
    saros_value out = SAROS_NONE;
    s->depth++;
    saros_status status = parameter->function(s, parameter->user, &out);
    s->depth--;
    if (status != SAROS_OK) return saros_poison(s->graph);
    if (!saros_is_none(out)) return out;
    saros_fail(SAROS_ERR_USAGE, s->role, "return one value", "parameter '%s' gave no value",
               parameter->name);
    return saros_poison(s->graph);
}

saros_value saros_param(saros_point *s, const char *name) {
    const saros_problem *p = s->problem;
    int k = saros_parameter_index(p, name);
    if (k >= 0 && p->parameter[k].function) return call_parameter(s, &p->parameter[k]);
    if (k >= 0) return s->input[saros_parameter_input(p, k)];
    const char *names[64];
    int n = p->parameters < 64 ? p->parameters : 64;
    for (int i = 0; i < n; ++i) names[i] = p->parameter[i].name;
    return unknown_name(s, "parameter", name, names, n);
}

/* ---- derivatives ---- */

/** d(expression, axis), mixed derivatives in one order (axes ascend outward, t outermost), so that
 * u.xy and u.yx are one value. */
static saros_value mark(saros_point *s, saros_value expression, int axis) {
    double number;
    if (saros_is_none(expression) || saros_is_poisoned(expression)) return saros_poison(s->graph);
    if (saros_value_is_splat(expression, &number)) return saros_scalar(s->graph, SAROS_F64, 0);
    if (expression.graph == s->graph) {
        saros_node node = saros_graph_node(s->graph, expression.id, NULL);
        if (node.row == &saros_row_derivative && node.attributes.word[0] > axis) {
            int outer = (int)node.attributes.word[0];
            saros_value inner = {s->graph, node.operand[0]};
            return mark(s, mark(s, inner, axis), outer);
        }
    }
    int64_t word = axis;
    saros_attributes attributes = {.word = &word, .words = 1};
    return saros_build(s->graph, &saros_row_derivative, &attributes, 1, &expression);
}

/** Outward normal derivative: the boundary is a side of the box, so it is plus or minus one axis.
 */
static saros_value normal_derivative(saros_point *s, saros_value q) {
    if (s->axis < 0) {
        saros_fail(SAROS_ERR_USAGE, s->role, "use an axis letter",
                   "the normal derivative 'n' exists only in boundary conditions");
        return saros_poison(s->graph);
    }
    saros_value d = mark(s, q, s->axis);
    return s->side ? d : saros_neg(d);
}

saros_value saros_d_of(saros_point *s, saros_value expression, const char *axes) {
    if (!axes[0]) return no_axis(s, axes);
    for (const char *c = axes; *c; ++c) {
        if (*c == 'n') {
            expression = normal_derivative(s, expression);
            continue;
        }
        int a = saros_axis_index(s->problem, *c);
        if (a < 0) return no_axis(s, axes);
        expression = mark(s, expression, a);
    }
    return expression;
}

saros_value saros_d(saros_point *s, const char *unknown, const char *axes) {
    return saros_d_of(s, saros_get(s, unknown), axes);
}

saros_value saros_normal(saros_point *s, const char *axis) {
    int a = axis[0] && !axis[1] ? saros_axis_index(s->problem, axis[0]) : -1;
    if (a < 0 || a == SAROS_TIME_AXIS) return no_axis(s, axis);
    if (s->axis >= 0) {
        double sign = s->side ? 1 : -1;
        return saros_scalar(s->graph, SAROS_F64, a == s->axis ? sign : 0);
    }
    saros_fail(SAROS_ERR_USAGE, s->role, "use it in a boundary condition",
               "there is no normal inside the domain");
    return saros_poison(s->graph);
}

saros_value saros_div_flux(saros_point *s, int n, const saros_value *flux) {
    if (n != s->problem->axes || n == 0) {
        saros_fail(SAROS_ERR_USAGE, s->role, "give one component per space axis, in order",
                   "div got %d components of the flux, needed %d", n, s->problem->axes);
        return saros_poison(s->graph);
    }
    saros_value sum = mark(s, flux[0], 0);
    for (int a = 1; a < n; ++a) sum = saros_add(sum, mark(s, flux[a], a));
    return sum;
}

saros_value saros_lap(saros_point *s, saros_value q) {
    if (s->problem->axes == 0) return no_axis(s, "x");
    saros_value sum = mark(s, mark(s, q, 0), 0);
    for (int a = 1; a < s->problem->axes; ++a) sum = saros_add(sum, mark(s, mark(s, q, a), a));
    return sum;
}

int saros_point_axes(saros_point *s, const char **names) {
    for (int a = 0; names && a < s->problem->axes; ++a) names[a] = s->problem->axis[a].name;
    return s->problem->axes;
}
