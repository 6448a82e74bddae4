/** Recording outputs: each state becomes fields on nodes, written in place into the history,
 * checked to be finite, and appended to the result file. */
#include "record_impl.h"

#include <math.h>
#include <string.h>

#include "interpolate_impl.h"
#include "saros/memory.h"

static int field_count(const saros_problem *p) {
    return p->unknowns + p->observables;
}

/** Coordinates of the nodes of an axis. */
static saros_status make_nodes(const saros_task *task, const saros_grid_plan *plan, int axis,
                               saros_tensor **out) {
    int64_t n = plan->nodes[axis], cells = plan->periodic[axis] ? n : n - 1;
    saros_status status = saros_tensor_make(SAROS_F64, 1, &n, out);
    if (status != SAROS_OK) return status;
    double lo = task->axis[axis].lo, span = task->axis[axis].hi - lo, *x = saros_tensor_data(*out);
    for (int64_t i = 0; i < n; ++i)
        x[i] = i == cells ? task->axis[axis].hi : lo + span * ((double)i / (double)cells);
    return SAROS_OK;
}

static saros_status make_all_nodes(const saros_task *task, const saros_grid_plan *plan,
                                   saros_tensor *node[3]) {
    saros_status status = SAROS_OK;
    for (int a = 0; a < 3; ++a) node[a] = NULL;
    for (int a = 0; a < plan->axes && status == SAROS_OK; ++a)
        status = make_nodes(task, plan, a, &node[a]);
    for (int a = 0; a < plan->axes && status != SAROS_OK; ++a) saros_tensor_release(node[a]);
    return status;
}

static saros_status open_file(saros_recorder *r) {
    const saros_task *task = r->task;
    if (!task->common->save) return SAROS_OK;
    saros_tensor *node[3];
    saros_status status = make_all_nodes(task, &r->program->plan, node);
    if (status != SAROS_OK) return status;
    status = saros_result_create(task->problem, task->common, node, task->axes, task->transient,
                                 &r->store);
    for (int a = 0; a < task->axes; ++a) saros_tensor_release(node[a]);
    return status;
}

saros_status saros_recorder_open(const saros_task *task, const saros_grid_program *program,
                                 saros_tensor *const *argument, int64_t rows, saros_recorder *out) {
    saros_status status = SAROS_OK;
    *out = (saros_recorder){.task = task, .program = program, .argument = argument};
    const char *keep = task->common->keep;
    if (keep && strcmp(keep, "all") != 0 && strcmp(keep, "last") != 0)
        return saros_fail(SAROS_ERR_USAGE, "solve", "keep is \"all\" or \"last\"", "keep = '%s'",
                          keep);
    out->last_only = keep && strcmp(keep, "last") == 0;
    out->rows = out->last_only ? 1 : rows;
    int64_t shape[SAROS_MAX_RANK], *space = shape + task->transient;
    saros_place nodes = saros_place_nodes();
    int rank = saros_place_shape(&program->plan, &nodes, space) + task->transient;
    if (task->transient) shape[0] = out->rows;
    out->field = saros_allocate_zero((size_t)field_count(task->problem), sizeof *out->field);
    if (!out->field) return SAROS_ERR_MEMORY;
    for (int k = 0; k < field_count(task->problem); ++k)
        SAROS_TRY(saros_tensor_zeros(SAROS_F64, rank, shape, &out->field[k]));
    if (task->transient) SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &out->rows, &out->time));
    SAROS_TRY(open_file(out));
done:
    if (status != SAROS_OK) saros_recorder_close(out);
    return status;
}

static saros_status check_finite(const saros_recorder *r, saros_tensor *const *view, double t) {
    const saros_problem *p = r->task->problem;
    for (int k = 0; k < field_count(p); ++k) {
        const double *v = saros_tensor_const_data(view[k]);
        const char *name = k < p->unknowns ? p->unknown[k] : p->observable_name[k - p->unknowns];
        for (int64_t i = 0; i < saros_tensor_count(view[k]); ++i)
            if (!isfinite(v[i]))
                return saros_fail(SAROS_ERR_NAN, "solve", "use smaller steps or a finer grid",
                                  r->task->transient ? "%s is not finite at t = %g"
                                                     : "%s is not finite",
                                  name, t);
    }
    return SAROS_OK;
}

/** Views of the history's current row. */
static saros_status row_views(const saros_recorder *r, saros_tensor **view) {
    int64_t shape[3], count;
    saros_place nodes = saros_place_nodes();
    int rank = saros_place_shape(&r->program->plan, &nodes, shape);
    count = saros_place_count(&r->program->plan, &nodes);
    for (int k = 0; k < field_count(r->task->problem); ++k) {
        saros_status status =
            saros_tensor_view(r->field[k], rank, shape, NULL, r->row * count, &view[k]);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

saros_status saros_recorder_take(saros_recorder *r, double t, saros_tensor *state) {
    saros_status status = SAROS_OK;
    const saros_problem *p = r->task->problem;
    int fields = field_count(p), inputs = r->program->parameters + 2, n = 0;
    saros_tensor *time = NULL;
    saros_tensor **in = saros_allocate_zero((size_t)(inputs + fields), sizeof *in);
    if (!in) return SAROS_ERR_MEMORY;
    saros_tensor **view = in + inputs;
    if (r->last_only) r->row = 0;
    if (p->transient) {
        SAROS_TRY(saros_tensor_scalar(SAROS_F64, t, &time));
        in[n++] = time;
        ((double *)saros_tensor_data(r->time))[r->row] = t;
    }
    in[n++] = state;
    for (int k = 0; k < r->program->parameters; ++k) in[n++] = r->argument[k];
    SAROS_TRY(row_views(r, view));
    SAROS_TRY(saros_function_call(r->program->fields, in, view, NULL));
    SAROS_TRY(check_finite(r, view, t));
    if (r->store) SAROS_TRY(saros_store_append(r->store, t, fields, view));
    r->row++;
done:
    for (int k = 0; k < fields; ++k) saros_tensor_release(view[k]);
    saros_tensor_release(time);
    saros_release(in);
    return status;
}

saros_status saros_recorder_finish(saros_recorder *r, const saros_info *info,
                                   saros_solution **out) {
    saros_status status = SAROS_OK;
    const saros_grid_plan *plan = &r->program->plan;
    saros_solution *solution = NULL;
    int64_t cells[3];
    void *state = NULL;
    saros_tensor *node[3];
    for (int a = 0; a < 3; ++a) cells[a] = plan->nodes[a] - !plan->periodic[a];
    if (r->store) {
        SAROS_TRY(saros_result_describe(r->store, r->task, plan->order, info));
        saros_store *store = r->store;
        r->store = NULL;
        SAROS_TRY(saros_store_finish(store));
    }
    SAROS_TRY(make_all_nodes(r->task, plan, node));
    status = saros_grid_state_make(r->task->problem, cells, plan->order, &state);
    if (status != SAROS_OK) {
        for (int a = 0; a < plan->axes; ++a) saros_tensor_release(node[a]);
        goto done;
    }
    saros_tensor **field = r->field, *time = r->time;
    r->field = NULL;
    r->time = NULL;
    status = saros_solution_make(r->task, &saros_grid_solution_class, state, time, node, field,
                                 info, &solution);
    saros_release(field);
    if (status == SAROS_OK) *out = solution;
done:
    saros_recorder_close(r);
    return status;
}

void saros_recorder_close(saros_recorder *r) {
    for (int k = 0; r->field && k < field_count(r->task->problem); ++k)
        saros_tensor_release(r->field[k]);
    saros_release(r->field);
    saros_tensor_release(r->time);
    saros_store_abandon(r->store);
    r->field = NULL;
    r->time = NULL;
    r->store = NULL;
}
