/** Resolving a call: domain and parameters replaced, defaults filled in. */
#include "task_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "saros/memory.h"

static saros_status replace_domain(saros_task *task) {
    for (const saros_axis *row = task->common->domain; row && row->name; ++row) {
        if (!(row->lo < row->hi) || !isfinite(row->lo) || !isfinite(row->hi))
            return saros_fail(SAROS_ERR_DOMAIN, "domain", "the first end is the lower one",
                              "axis %s runs from %g to %g", row->name, row->lo, row->hi);
        int a = row->name[0] && !row->name[1] ? saros_axis_index(task->problem, row->name[0]) : -1;
        if (a < 0) {
            char axes[16], hint[60];
            snprintf(hint, sizeof hint, "its axes are: %s", saros_axis_list(task->problem, axes));
            return saros_fail(SAROS_ERR_USAGE, "domain", hint, "%s has no axis '%s'",
                              task->problem->name, row->name);
        }
        if (a == SAROS_TIME_AXIS) {
            task->start = row->lo;
            task->end = row->hi;
        } else {
            task->axis[a].lo = row->lo;
            task->axis[a].hi = row->hi;
        }
    }
    return SAROS_OK;
}

/** The parameter of a problem as a tensor: a number, or the field in f64. */
static saros_status parameter_tensor(const saros_parameter *p, saros_tensor **out) {
    if (!p->field) return saros_tensor_scalar(SAROS_F64, p->value, out);
    return saros_tensor_cast(p->field, SAROS_F64, out);
}

static saros_status no_parameter(const saros_problem *p, const char *name) {
    const char *names[64];
    int n = p->parameters < 64 ? p->parameters : 64;
    for (int k = 0; k < n; ++k) names[k] = p->parameter[k].name;
    const char *near = n ? saros_nearest_name(name, names, n) : NULL;
    char hint[120] = "";
    if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
    return saros_fail(SAROS_ERR_USAGE, "parameters", hint, "%s has no parameter '%s'", p->name,
                      name);
}

static saros_status replace_parameters(saros_task *task) {
    const saros_problem *p = task->problem;
    for (const saros_parameter *row = task->common->parameters; row && row->name; ++row) {
        int k = saros_parameter_index(p, row->name);
        if (k < 0) return no_parameter(p, row->name);
        const saros_parameter *own = &p->parameter[k];
        if (own->function || row->function || !own->field != !row->field)
            return saros_fail(SAROS_ERR_USAGE, "parameters",
                              "numbers replace numbers and fields replace fields",
                              "parameter '%s' is of another kind in the problem", row->name);
        saros_tensor *value = NULL;
        saros_status status = parameter_tensor(row, &value);
        if (status != SAROS_OK) return status;
        saros_tensor_release(task->parameter[k]);
        task->parameter[k] = value;
    }
    return SAROS_OK;
}

saros_status saros_task_resolve(saros_problem *problem, const saros_method *method,
                                const void *method_options, const saros_solve_options *options,
                                saros_task *out) {
    static const saros_solve_options none;
    *out = (saros_task){.problem = saros_problem_retain(problem),
                        .options = method_options,
                        .common = options ? options : &none,
                        .axes = problem->axes,
                        .transient = problem->transient,
                        .start = problem->start,
                        .end = problem->end};
    if (!method_options) {
        out->options = out->default_options =
            saros_allocate_zero(1, method->options ? method->options->bytes : 1);
        if (!out->options) return SAROS_ERR_MEMORY;
    }
    for (int a = 0; a < problem->axes; ++a) out->axis[a] = problem->axis[a];
    out->parameter = saros_allocate_zero((size_t)problem->parameters + 1, sizeof *out->parameter);
    if (!out->parameter) return SAROS_ERR_MEMORY;
    for (int k = 0; k < problem->parameters; ++k) {
        if (problem->parameter[k].function) continue;
        saros_status status = parameter_tensor(&problem->parameter[k], &out->parameter[k]);
        if (status != SAROS_OK) return status;
    }
    saros_status status = replace_domain(out);
    return status == SAROS_OK ? replace_parameters(out) : status;
}

void saros_task_clear(saros_task *task) {
    for (int k = 0; task->parameter && k < task->problem->parameters; ++k)
        saros_tensor_release(task->parameter[k]);
    saros_release(task->parameter);
    saros_release(task->default_options);
    saros_problem_release(task->problem);
    *task = (saros_task){0};
}
