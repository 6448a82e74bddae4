/** Solution: fields on nodes with what made them. How they are read between the nodes is the
 * method's (saros_solution_class); integral and error are quadrature of what it gives. */
#include "solution_impl.h"

#include <stdio.h>
#include <string.h>

#include "saros/memory.h"

/* ---- info ---- */

static saros_status copy_text(const char **text) {
    if (!*text) return SAROS_OK;
    *text = saros_string_copy(*text);
    return *text ? SAROS_OK : SAROS_ERR_MEMORY;
}

static saros_status copy_series(const saros_info *info, saros_info *out) {
    saros_series *series = saros_allocate_zero((size_t)info->series + 1, sizeof *series);
    if (!series) return SAROS_ERR_MEMORY;
    out->history = series;
    out->series = info->series;
    for (int k = 0; k < info->series; ++k) {
        const saros_series *from = &info->history[k];
        double *value = saros_allocate((size_t)from->count * sizeof *value + 1);
        series[k] = (saros_series){from->name, from->count, value};
        if (value && from->count) memcpy(value, from->value, (size_t)from->count * sizeof *value);
        if (!value || copy_text(&series[k].name) != SAROS_OK) return SAROS_ERR_MEMORY;
    }
    return SAROS_OK;
}

saros_status saros_info_copy(const saros_info *info, saros_info *out) {
    saros_info copy = *info;
    copy.history = NULL;
    copy.series = 0;
    const char **text[] = {&copy.method, &copy.integrator, &copy.gradient, &copy.reason,
                           &copy.linear_solver};
    saros_status status = SAROS_OK;
    for (int k = 0; k < 5; ++k) {
        saros_status one = copy_text(text[k]);
        if (one != SAROS_OK) status = one;
    }
    if (status == SAROS_OK) status = copy_series(info, &copy);
    if (status == SAROS_OK)
        *out = copy;
    else
        saros_info_clear(&copy);
    return status;
}

void saros_info_clear(saros_info *info) {
    const char *text[] = {info->method, info->integrator, info->gradient, info->reason,
                          info->linear_solver};
    for (int k = 0; k < 5; ++k) saros_release((void *)(uintptr_t)text[k]);
    for (int k = 0; k < info->series; ++k) {
        saros_release((void *)(uintptr_t)info->history[k].name);
        saros_release((void *)(uintptr_t)info->history[k].value);
    }
    saros_release((void *)(uintptr_t)info->history);
    *info = (saros_info){0};
}

/* ---- make and free ---- */

int saros_solution_fields(const saros_solution *solution) {
    return solution->problem->unknowns + solution->problem->observables;
}

const char *saros_solution_field_name(const saros_solution *solution, int k) {
    const saros_problem *p = solution->problem;
    return k < p->unknowns ? p->unknown[k] : p->observable_name[k - p->unknowns];
}

saros_status saros_solution_make(const saros_task *task, const saros_solution_class *class_,
                                 void *state, saros_tensor *time, saros_tensor *const *node,
                                 saros_tensor *const *field, const saros_info *info,
                                 saros_solution **out) {
    const saros_problem *p = task->problem;
    int fields = p->unknowns + p->observables;
    saros_solution *s = saros_allocate_zero(1, sizeof *s);
    saros_tensor **list = saros_allocate_zero((size_t)(fields + p->parameters), sizeof *list);
    if (!s || !list) {
        saros_release(s);
        saros_release(list);
        if (class_->release) class_->release(state);
        saros_tensor_release(time);
        for (int a = 0; a < task->axes; ++a) saros_tensor_release(node[a]);
        for (int k = 0; k < fields; ++k) saros_tensor_release(field[k]);
        return SAROS_ERR_MEMORY;
    }
    atomic_init(&s->references, 1);
    s->problem = saros_problem_retain(task->problem);
    s->class_ = class_;
    s->state = state;
    s->axes = task->axes;
    s->transient = task->transient;
    s->start = task->start;
    s->end = task->end;
    s->time = time;
    s->field = list;
    s->parameter = list + fields;
    for (int a = 0; a < s->axes; ++a) {
        s->axis[a] = task->axis[a];
        s->axis[a].name = p->axis[a].name;
        s->node[a] = node[a];
    }
    for (int k = 0; k < fields; ++k) s->field[k] = field[k];
    for (int k = 0; k < p->parameters; ++k)
        s->parameter[k] = saros_tensor_retain(task->parameter[k]);
    saros_status status = saros_info_copy(info, &s->info);
    if (status == SAROS_OK)
        *out = s;
    else
        saros_solution_release(s);
    return status;
}

saros_solution *saros_solution_retain(saros_solution *solution) {
    if (solution) atomic_fetch_add_explicit(&solution->references, 1, memory_order_relaxed);
    return solution;
}

void saros_solution_release(saros_solution *s) {
    if (!s || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1) return;
    if (s->class_->release) s->class_->release(s->state);
    for (int k = 0; k < saros_solution_fields(s); ++k) saros_tensor_release(s->field[k]);
    for (int k = 0; k < s->problem->parameters; ++k) saros_tensor_release(s->parameter[k]);
    saros_release(s->field);
    saros_tensor_release(s->time);
    for (int a = 0; a < s->axes; ++a) saros_tensor_release(s->node[a]);
    saros_info_clear(&s->info);
    saros_problem_release(s->problem);
    saros_release(s);
}

/* ---- read ---- */

saros_problem *saros_solution_problem(const saros_solution *solution) {
    return solution->problem;
}

const void *saros_solution_state(const saros_solution *solution,
                                 const saros_solution_class *class_) {
    return solution->class_ == class_ ? solution->state : NULL;
}

const saros_info *saros_solution_info(const saros_solution *solution) {
    return &solution->info;
}

static saros_tensor *no_name(const saros_solution *s, const char *what, const char *name, int count,
                             const char *const *names) {
    char hint[120] = "";
    const char *near = count ? saros_nearest_name(name, names, count) : NULL;
    if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
    saros_fail(SAROS_ERR_USAGE, "solution", hint, "%s has no %s '%s'", s->problem->name, what,
               name);
    return NULL;
}

saros_tensor *saros_solution_field(saros_solution *solution, const char *name) {
    const char *names[64];
    int n = saros_solution_fields(solution);
    for (int k = 0; k < n; ++k) {
        if (k < 64) names[k] = saros_solution_field_name(solution, k);
        if (strcmp(saros_solution_field_name(solution, k), name) == 0) return solution->field[k];
    }
    return no_name(solution, "field", name, n < 64 ? n : 64, names);
}

saros_tensor *saros_solution_axis(saros_solution *solution, const char *axis) {
    const char *names[SAROS_AXES];
    for (int a = 0; a < solution->axes; ++a) {
        names[a] = solution->axis[a].name;
        if (strcmp(names[a], axis) == 0) return solution->node[a];
    }
    if (solution->transient && strcmp(axis, "t") == 0) return solution->time;
    return no_name(solution, "axis", axis, solution->axes, names);
}

saros_tensor *saros_solution_parameter(saros_solution *solution, const char *name) {
    int k = saros_parameter_index(solution->problem, name);
    if (k >= 0 && solution->parameter[k]) return solution->parameter[k];
    return no_name(solution, k < 0 ? "parameter" : "number or field for the parameter function",
                   name, 0, NULL);
}
