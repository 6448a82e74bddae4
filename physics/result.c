/** Result files: what a run writes besides its fields.
 *
 *  A file knows the nodes, the fields and the parameters; `/provenance` keeps what else a solution
 * needs to be read again (result_load.c): the unknowns among the variables, the names of the
 * parameters, the domain, the periodic axes, the order of the scheme. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "grid/interpolate_impl.h"
#include "grid/record_impl.h"
#include "saros/memory.h"
#include "solution_impl.h"
#include "task_impl.h"

static const char *field_name(const saros_problem *p, int k) {
    return k < p->unknowns ? p->unknown[k] : p->observable_name[k - p->unknowns];
}

/** Scales in the order t, z, y, x. */
static int make_scales(const saros_problem *p, saros_tensor *const *node, int axes, bool transient,
                       saros_store_scale scale[SAROS_AXES]) {
    int n = 0;
    if (transient) scale[n++] = (saros_store_scale){"t", "", "time", 0, NULL};
    for (int a = axes - 1; a >= 0; --a)
        scale[n++] =
            (saros_store_scale){p->axis[a].name, "", p->axis[a].name, saros_tensor_count(node[a]),
                                saros_tensor_const_data(node[a])};
    return n;
}

saros_status saros_result_create(const saros_problem *problem, const saros_solve_options *common,
                                 saros_tensor *const *node, int axes, bool transient,
                                 saros_store **out) {
    saros_status status = SAROS_OK;
    saros_store *store = NULL;
    saros_store_scale scale[SAROS_AXES];
    int scales = make_scales(problem, node, axes, transient, scale);
    SAROS_TRY(
        saros_store_create(common->save, common->overwrite, problem->name, scales, scale, &store));
    for (int k = 0; k < problem->unknowns + problem->observables; ++k)
        SAROS_TRY(saros_store_variable(store, field_name(problem, k), "", field_name(problem, k)));
    if (common->script) {
        char digest[65];
        saros_sha256(common->script, strlen(common->script), digest);
        SAROS_TRY(saros_store_note(store, "script", common->script));
        SAROS_TRY(saros_store_note(store, "sha256", digest));
    }
    if (common->command) SAROS_TRY(saros_store_note(store, "command", common->command));
    *out = store;
    store = NULL;
done:
    saros_store_abandon(store);
    return status;
}

/** Appends to a text of `room` bytes; false once it is full. */
static bool append(char *text, size_t room, size_t *used, const char *format, ...)
    SAROS_PRINTF(4, 5);
static bool append(char *text, size_t room, size_t *used, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text + *used, room - *used, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= room - *used) return false;
    *used += (size_t)n;
    return true;
}

/** The names a reader needs: "unknowns", "parameters", "periodic", "domain". */
static saros_status describe_problem(saros_store *store, const saros_task *task, int64_t order) {
    const saros_problem *p = task->problem;
    char text[4][1024] = {"", "", "", ""};
    static const char *const name[4] = {"unknowns", "parameters", "periodic", "domain"};
    size_t used[4] = {0}, room = sizeof text[0];
    bool fits = true;
    for (int k = 0; k < p->unknowns; ++k)
        fits &= append(text[0], room, &used[0], "%s ", p->unknown[k]);
    for (int k = 0; k < p->parameters; ++k)
        if (task->parameter[k])
            fits &= append(text[1], room, &used[1], "%s ", p->parameter[k].name);
    for (int a = 0; a < p->axes; ++a) {
        if (saros_problem_condition(p, a, 0, 0, NULL, NULL, NULL) == SAROS_PERIODIC)
            fits &= append(text[2], room, &used[2], "%s ", p->axis[a].name);
        fits &= append(text[3], room, &used[3], "%s %.17g %.17g ", p->axis[a].name,
                       task->axis[a].lo, task->axis[a].hi);
    }
    if (p->transient)
        fits &= append(text[3], room, &used[3], "t %.17g %.17g ", task->start, task->end);
    if (!fits)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "save", "use shorter names",
                          "the names of %s do not fit into %zu bytes", p->name, room);
    saros_status status = saros_store_note(store, "problem", p->name);
    for (int k = 0; k < 4 && status == SAROS_OK; ++k)
        status = saros_store_note(store, name[k], text[k]);
    snprintf(text[0], room, "%lld", (long long)order);
    return status == SAROS_OK ? saros_store_note(store, "order", text[0]) : status;
}

saros_status saros_result_describe(saros_store *store, const saros_task *task, int64_t order,
                                   const saros_info *info) {
    const saros_problem *p = task->problem;
    saros_status status = SAROS_OK;
    char text[320];
    SAROS_TRY(describe_problem(store, task, order));
    snprintf(text, sizeof text,
             "method=%s integrator=%s steps=%lld evaluations=%lld iterations=%lld residual=%.6g "
             "seconds=%.3f converged=%d",
             info->method ? info->method : "", info->integrator ? info->integrator : "",
             (long long)info->steps, (long long)info->evaluations, (long long)info->iterations,
             info->residual, info->seconds, info->converged);
    SAROS_TRY(saros_store_note(store, "info", text));
    for (int k = 0; k < p->parameters; ++k) {
        if (!task->parameter[k]) continue;
        snprintf(text, sizeof text, "/parameters/%s", p->parameter[k].name);
        SAROS_TRY(saros_store_dataset(store, text, task->parameter[k]));
    }
    for (int k = 0; k < info->series; ++k)
        SAROS_TRY(saros_store_series(store, info->history[k].name, info->history[k].count,
                                     info->history[k].value));
done:
    return status;
}

/* ---- save ---- */

/** Field k at output `row`, a view of `rank` space axes. */
static saros_status row_view(const saros_solution *s, int k, int64_t row, saros_tensor **out) {
    const int64_t *shape = saros_tensor_shape(s->field[k]) + s->transient;
    int64_t count = 1;
    for (int a = 0; a < s->axes; ++a) count *= shape[a];
    return saros_tensor_view(s->field[k], s->axes, shape, NULL, row * count, out);
}

saros_status saros_solution_save(saros_solution *s, const char *path, bool overwrite,
                                 const char *script, const char *command) {
    saros_status status = SAROS_OK;
    saros_solve_options common = {
        .save = path, .overwrite = overwrite, .script = script, .command = command};
    saros_task task = {.problem = s->problem, .common = &common, .axes = s->axes};
    task.parameter = s->parameter;
    for (int a = 0; a < s->axes; ++a) task.axis[a] = s->axis[a];
    task.transient = s->transient;
    task.start = s->start;
    task.end = s->end;
    int fields = saros_solution_fields(s);
    int64_t rows = s->transient ? saros_tensor_count(s->time) : 1;
    saros_store *store = NULL;
    saros_tensor **view = saros_allocate_zero((size_t)fields, sizeof *view);
    if (!view) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_result_create(s->problem, &common, s->node, s->axes, s->transient, &store));
    for (int64_t row = 0; row < rows; ++row) {
        for (int k = 0; k < fields; ++k) SAROS_TRY(row_view(s, k, row, &view[k]));
        double t = s->transient ? ((const double *)saros_tensor_const_data(s->time))[row] : 0;
        SAROS_TRY(saros_store_append(store, t, fields, view));
        for (int k = 0; k < fields; ++k) {
            saros_tensor_release(view[k]);
            view[k] = NULL;
        }
    }
    bool grid = s->class_ == &saros_grid_solution_class;
    SAROS_TRY(
        saros_result_describe(store, &task, grid ? saros_grid_state_order(s->state) : 4, &s->info));
    saros_store *finished = store;
    store = NULL;
    SAROS_TRY(saros_store_finish(finished));
done:
    for (int k = 0; k < fields; ++k) saros_tensor_release(view[k]);
    saros_release(view);
    saros_store_abandon(store);
    return status;
}
