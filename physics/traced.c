/** Traced solutions: what every method shares.
 *
 *  The times an objective asks for become output times, so they must be known before the solve is
 * built. The objective is therefore run twice: a dry run answers integrals and points with inputs
 * that stand for them and records the times; the second run sees the solve. */
#include "traced_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/ops.h"
#include "solution_impl.h"

/* ---- times ---- */

static saros_status add_time(saros_traced *s, double t) {
    saros_time_list *list = &s->asked;
    double slack = 1e-12 * (s->task.end - s->task.start);
    if (!(t >= s->task.start - slack && t <= s->task.end + slack))
        return saros_fail(SAROS_ERR_DOMAIN, "objective", NULL, "t = %g lies outside [%g, %g]", t,
                          s->task.start, s->task.end);
    int at = 0;
    while (at < list->count && list->time[at] < t - slack) at++;
    if (at < list->count && fabs(list->time[at] - t) <= slack) return SAROS_OK;
    if (list->count == list->room) {
        int room = list->room ? 2 * list->room : 16;
        double *larger = saros_reallocate(list->time, (size_t)room * sizeof *larger);
        if (!larger) return SAROS_ERR_MEMORY;
        list->time = larger;
        list->room = room;
    }
    memmove(list->time + at + 1, list->time + at, (size_t)(list->count - at) * sizeof *list->time);
    list->time[at] = t;
    list->count++;
    return SAROS_OK;
}

/* ---- make and free ---- */

saros_status saros_method_traces(const saros_method *method, const char *what) {
    if (method->trace) return SAROS_OK;
    return saros_fail(SAROS_ERR_UNSUPPORTED, what, "use method grid",
                      "method %s cannot be differentiated in this build", method->name);
}

saros_status saros_traced_make(saros_task *task, const saros_method *method, saros_graph *graph,
                               const saros_value *parameter, bool dry, const saros_time_list *asked,
                               saros_traced **out) {
    saros_status status = SAROS_OK;
    saros_traced *s = saros_allocate_zero(1, sizeof *s);
    if (!s) {
        saros_task_clear(task);
        return SAROS_ERR_MEMORY;
    }
    s->task = *task;
    s->method = method;
    s->graph = saros_graph_retain(graph);
    s->dry = dry;
    int n = s->task.problem->parameters;
    s->parameter = saros_allocate((size_t)n * sizeof *s->parameter);
    if (!s->parameter) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < n; ++k) s->parameter[k] = parameter[k];
    if (s->task.transient) {
        SAROS_TRY(add_time(s, s->task.start));
        SAROS_TRY(add_time(s, s->task.end));
    }
    for (int k = 0; asked && k < asked->count; ++k) SAROS_TRY(add_time(s, asked->time[k]));
    *out = s;
    s = NULL;
done:
    saros_traced_release(s);
    return status;
}

void saros_traced_release(saros_traced *s) {
    if (!s) return;
    if (s->solved && s->class_->release) s->class_->release(s->state);
    saros_graph_release(s->graph);
    saros_release(s->parameter);
    saros_release(s->asked.time);
    saros_task_clear(&s->task);
    saros_release(s);
}

/** Builds the solve once something needs it. */
static saros_status need_solve(saros_traced *s) {
    if (s->solved) return SAROS_OK;
    saros_asked_times asked = {s->asked.count, s->asked.time};
    saros_status status =
        s->method->trace(&s->task, s->graph, s->parameter, &asked, &s->class_, &s->state);
    s->solved = status == SAROS_OK;
    return status;
}

/* ---- what an objective reads ---- */

saros_graph *saros_traced_graph(saros_traced *solution) {
    return solution->graph;
}

/** A value that stands for another in a dry run. */
static saros_value stand_in(saros_traced *s, const saros_type *type) {
    return saros_input(s->graph, type, "asked");
}

static saros_value integral(saros_traced *s, saros_body *body, double t) {
    saros_type scalar = saros_type_scalar(SAROS_F64);
    if (s->dry) {
        if (s->task.transient && add_time(s, t) != SAROS_OK) return saros_poison(s->graph);
        return stand_in(s, &scalar);
    }
    if (need_solve(s) != SAROS_OK) return saros_poison(s->graph);
    return s->class_->integral(s, s->state, body, t);
}

saros_value saros_traced_integral(saros_traced *solution, saros_point_fn expression, void *user,
                                  double t) {
    saros_body *body = NULL;
    saros_trace trace = {
        solution->task.problem, "integral", -1, 0, expression, user, 1, "one value"};
    if (isnan(t)) t = solution->task.end;
    if (saros_point_trace(&trace, &body) != SAROS_OK) return saros_poison(solution->graph);
    saros_value v = integral(solution, body, t);
    saros_body_release(body);
    return v;
}

static saros_status add_times_of(saros_traced *s, const saros_tensor *times) {
    const double *t = saros_tensor_const_data(times);
    for (int64_t i = 0; i < saros_tensor_count(times); ++i) {
        saros_status status = add_time(s, t[i]);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

static int find_unknown(saros_traced *s, const char *name) {
    const saros_problem *p = s->task.problem;
    int k = saros_unknown_index(p, name);
    if (k >= 0) return k;
    const char *near = saros_nearest_name(name, p->unknown, p->unknowns);
    char hint[100] = "";
    if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
    saros_fail(SAROS_ERR_USAGE, "objective", hint, "%s has no unknown '%s'", p->name, name);
    return -1;
}

saros_value saros_traced_at(saros_traced *s, const char *name, saros_tensor *const *coordinate) {
    const saros_task *task = &s->task;
    saros_tensor *flat[SAROS_AXES] = {NULL};
    saros_type shape;
    int unknown = find_unknown(s, name);
    saros_value v = SAROS_NONE;
    if (unknown < 0) return saros_poison(s->graph);
    if (saros_points_flatten(task->problem, task->axis, task->start, task->end, coordinate, &shape,
                             flat) != SAROS_OK)
        return saros_poison(s->graph);
    if (s->dry) {
        bool ok = !task->transient || add_times_of(s, flat[task->axes]) == SAROS_OK;
        v = ok ? stand_in(s, &shape) : saros_poison(s->graph);
    } else {
        v = need_solve(s) == SAROS_OK ? s->class_->at(s, s->state, unknown, flat)
                                      : saros_poison(s->graph);
        v = saros_reshape(v, shape.rank, shape.shape);
    }
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(flat[a]);
    return v;
}

saros_value saros_traced_field(saros_traced *s, const char *name) {
    int unknown = find_unknown(s, name);
    if (unknown < 0 || need_solve(s) != SAROS_OK) return saros_poison(s->graph);
    return s->class_->field(s, s->state, unknown);
}

saros_value saros_traced_parameter(saros_traced *s, const char *name) {
    int k = saros_parameter_index(s->task.problem, name);
    if (k >= 0 && !saros_is_none(s->parameter[k])) return s->parameter[k];
    saros_fail(SAROS_ERR_USAGE, "objective", NULL, "%s has no number or field parameter '%s'",
               s->task.problem->name, name);
    return saros_poison(s->graph);
}

/* ---- inside a graph of the caller ---- */

/** Values given by name, constants for the others. */
static saros_status bind(saros_task *task, saros_graph *graph, const char *const *names,
                         const saros_value *values, saros_value *parameter) {
    const saros_problem *p = task->problem;
    for (int k = 0; k < p->parameters; ++k)
        parameter[k] = task->parameter[k] ? saros_constant(graph, task->parameter[k]) : SAROS_NONE;
    for (int i = 0; names && names[i]; ++i) {
        int k = saros_parameter_index(p, names[i]);
        if (k < 0 || !task->parameter[k])
            return saros_fail(SAROS_ERR_USAGE, "trace", NULL,
                              "%s has no number or field parameter '%s'", p->name, names[i]);
        saros_type want = saros_tensor_type(task->parameter[k]);
        const saros_type *got = saros_value_type(values[i]);
        char a[64], b[64];
        if (!saros_is_poisoned(values[i]) && !saros_type_equal(got, &want))
            return saros_fail(SAROS_ERR_SHAPE, "trace", NULL, "parameter '%s' is %s, needed %s",
                              names[i], saros_type_text(got, a, sizeof a),
                              saros_type_text(&want, b, sizeof b));
        parameter[k] = values[i];
        bool number = false;
        for (const saros_parameter *row = task->common->parameters; row && row->name; ++row)
            number |= strcmp(row->name, names[i]) == 0;
        task->open |= !number;
    }
    return SAROS_OK;
}

saros_status saros_problem_trace(saros_problem *problem, const saros_method *method,
                                 const void *method_options, const saros_solve_options *options,
                                 saros_graph *graph, const char *const *names,
                                 const saros_value *values, saros_traced **out) {
    saros_task task = {0};
    saros_traced *traced = NULL;
    saros_status status = saros_method_traces(method, "trace");
    saros_value *parameter = saros_allocate((size_t)(problem->parameters + 1) * sizeof *parameter);
    if (status == SAROS_OK && !parameter) status = SAROS_ERR_MEMORY;
    if (status == SAROS_OK)
        status = saros_task_resolve(problem, method, method_options, options, &task);
    if (status == SAROS_OK) status = bind(&task, graph, names, values, parameter);
    if (status == SAROS_OK) {
        status = saros_traced_make(&task, method, graph, parameter, false, NULL, &traced);
        task = (saros_task){0};
    }
    /* the caller's options may end with this call, so the solve is built now */
    if (status == SAROS_OK) status = need_solve(traced);
    if (status == SAROS_OK)
        *out = traced;
    else
        saros_traced_release(traced);
    if (task.problem) saros_task_clear(&task);
    saros_release(parameter);
    return status;
}
