/** Sampling a trained network on nodes and times: what makes it a solution like any other.
 *
 *  Nodes are those of the grid method: ends included on a bounded axis, the upper end left out on a
 * periodic one. Fields are laid out (t, z, y, x).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pinn_impl.h"
#include "saros/memory.h"

static saros_status make_nodes(const saros_ansatz *ansatz, const saros_pinn_options *options,
                               int axis, saros_tensor **out) {
    int64_t cells = options->cells[axis] ? options->cells[axis] : options->cells[0];
    if (!cells) cells = 128;
    const int64_t count = ansatz->periodic[axis] ? cells : cells + 1;
    const saros_status status = saros_tensor_make(SAROS_F64, 1, &count, out);
    if (status != SAROS_OK) return status;
    const double lo = ansatz->lo[axis], hi = ansatz->hi[axis];
    double *x = saros_tensor_data(*out);
    for (int64_t i = 0; i < count; ++i)
        x[i] = i == cells ? hi : lo + (hi - lo) * ((double)i / (double)cells);
    return SAROS_OK;
}

static saros_status make_times(const saros_task *task, const saros_pinn_options *options,
                               saros_tensor **out) {
    const double *list = options->times.list;
    int64_t count = options->times.count ? options->times.count : 2, skip = 0;
    if (count < 1 || (!list && count < 2))
        return saros_fail(SAROS_ERR_USAGE, "times", "2 gives the start and the end",
                          "%lld output times", (long long)count);
    const double slack = 1e-12 * (task->end - task->start);
    for (int64_t k = 0; list && k < count; ++k)
        if (!(list[k] >= task->start - slack && list[k] <= task->end + slack) ||
            (k && !(list[k] > list[k - 1])))
            return saros_fail(SAROS_ERR_DOMAIN, "times", "list ascending times of the domain",
                              "t = %g does not ascend in [%g, %g]", list[k], task->start,
                              task->end);
    const char *keep = task->common->keep;
    if (keep && !strcmp(keep, "last")) skip = count - 1;
    const int64_t kept = count - skip;
    const saros_status status = saros_tensor_make(SAROS_F64, 1, &kept, out);
    if (status != SAROS_OK) return status;
    double *t = saros_tensor_data(*out);
    for (int64_t k = skip; k < count; ++k)
        t[k - skip] = list             ? list[k]
                      : k == count - 1 ? task->end
                                       : task->start + (task->end - task->start) *
                                                           ((double)k / (double)(count - 1));
    return SAROS_OK;
}

saros_status saros_node_points(int axes, saros_tensor *const *axis, saros_tensor **coordinate) {
    int64_t points = 1, inner = 1;
    for (int a = 0; a < axes; ++a) points *= saros_tensor_count(axis[a]);
    for (int a = 0; a < axes; ++a) {
        const int64_t n = saros_tensor_count(axis[a]);
        const saros_status status = saros_tensor_make(SAROS_F64, 1, &points, &coordinate[a]);
        if (status != SAROS_OK) return status;
        const double *node = saros_tensor_const_data(axis[a]);
        double *x = saros_tensor_data(coordinate[a]);
        for (int64_t i = 0; i < points; ++i) x[i] = node[i / inner % n];
        inner *= n;
    }
    return SAROS_OK;
}

saros_status saros_sample_axes(const saros_task *task, const saros_pinn_options *options,
                               const saros_ansatz *ansatz, saros_tensor **axis) {
    for (int a = 0; a < task->axes; ++a) {
        const saros_status status = make_nodes(ansatz, options, a, &axis[a]);
        if (status != SAROS_OK) return status;
    }
    return task->transient ? make_times(task, options, &axis[task->axes]) : SAROS_OK;
}

/** Flat values (points) in the shape of the fields. */
static saros_status shape_field(int axes, saros_tensor *const *axis, saros_tensor *flat,
                                saros_tensor **out) {
    int64_t shape[SAROS_AXES];
    for (int a = 0; a < axes; ++a) shape[axes - 1 - a] = saros_tensor_count(axis[a]);
    return saros_tensor_view(flat, axes, shape, NULL, 0, out);
}

/** The body whose outputs are the unknowns. */
static saros_status unknowns_body(const saros_ansatz *ansatz, saros_body **out) {
    saros_status status = SAROS_OK;
    saros_graph *outer = NULL, *inner = NULL;
    saros_value unknown[16];
    const saros_body *like = saros_problem_equation(ansatz->problem);
    SAROS_TRY(saros_graph_make(&outer));
    inner = saros_body_open(outer);
    if (!inner) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < saros_body_inputs(like); ++k) {
        const saros_type type = *saros_value_type(saros_body_input(like, k));
        const saros_value input = saros_input(inner, &type, NULL);
        if (k < ansatz->unknowns) unknown[k] = input;
    }
    saros_graph *closing = inner;
    inner = NULL;
    SAROS_TRY(saros_body_close(closing, ansatz->unknowns, unknown, out, NULL));
done:
    saros_graph_release(inner);
    saros_graph_release(outer);
    return status;
}

/** Fields of unknowns, then observables, sampled on the nodes. */
static saros_status sample_fields(saros_network_state *state, int observables,
                                  saros_tensor *const *axis, saros_tensor **field) {
    saros_status status = SAROS_OK;
    const saros_ansatz *ansatz = saros_network_state_ansatz(state);
    const int axes = ansatz->coordinates;
    saros_tensor *point[SAROS_AXES] = {NULL}, *flat[16] = {NULL};
    saros_body *body = NULL;
    SAROS_TRY(saros_node_points(axes, axis, point));
    SAROS_TRY(unknowns_body(ansatz, &body));
    SAROS_TRY(saros_network_evaluate(state, body, point, flat));
    for (int k = 0; k < ansatz->unknowns; ++k)
        SAROS_TRY(shape_field(axes, axis, flat[k], &field[k]));
    for (int k = 0; k < observables; ++k) {
        saros_tensor_release(flat[0]);
        flat[0] = NULL;
        SAROS_TRY(saros_network_evaluate(state, saros_problem_observable(ansatz->problem, k), point,
                                         flat));
        SAROS_TRY(shape_field(axes, axis, flat[0], &field[ansatz->unknowns + k]));
    }
done:
    for (int k = 0; k < 16; ++k) saros_tensor_release(flat[k]);
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(point[a]);
    saros_body_release(body);
    return status;
}

static saros_info make_info(const saros_pinn_run *run, const saros_pinn_options *options,
                            const char *reason, const saros_series *history) {
    const saros_train_info *info = &run->info;
    return (saros_info){.method = "network",
                        .reason = reason,
                        .steps = info->iterations,
                        .evaluations = info->evaluations,
                        .iterations = info->iterations,
                        .residual = sqrt(info->loss),
                        .loss = info->loss,
                        .seconds = run->seconds,
                        .converged = info->converged || !(options->tolerance > 0),
                        .series = 1,
                        .history = history};
}

saros_status saros_pinn_solution(const saros_task *task, saros_tensor *const *number,
                                 saros_pinn_run *run, saros_solution **out) {
    saros_status status = SAROS_OK;
    const saros_pinn_options *options = task->options;
    const int observables = saros_problem_observables(task->problem, NULL);
    const int unknowns = run->ansatz.unknowns, axes = task->axes;
    char hard[400], reason[480];
    saros_network_state *state = NULL;
    saros_tensor *axis[SAROS_AXES] = {NULL};
    saros_tensor **field = saros_allocate_zero((size_t)(unknowns + observables), sizeof *field);
    if (!field) return SAROS_ERR_MEMORY;
    saros_ansatz_describe(&run->ansatz, hard, sizeof hard);
    (void)snprintf(reason, sizeof reason, "%s; exact conditions: %s", run->info.reason, hard);
    const saros_series loss = {"loss", run->info.history_count, run->info.history};
    const saros_info info = make_info(run, options, reason, &loss);
    SAROS_TRY(saros_network_state_make(number, run, &state));
    const saros_ansatz *ansatz = saros_network_state_ansatz(state);
    SAROS_TRY(saros_sample_axes(task, options, ansatz, axis));
    SAROS_TRY(sample_fields(state, observables, axis, field));
    saros_tensor *time = task->transient ? axis[axes] : NULL;
    saros_solution *made = NULL;
    status =
        saros_solution_make(task, &saros_network_class, state, time, axis, field, &info, &made);
    state = NULL; /* taken over, as are axes and fields */
    memset(axis, 0, sizeof axis);
    memset(field, 0, (size_t)(unknowns + observables) * sizeof *field);
    if (status == SAROS_OK && task->common->save)
        status = saros_solution_save(made, task->common->save, task->common->overwrite,
                                     task->common->script, task->common->command);
    if (status == SAROS_OK)
        *out = made;
    else
        saros_solution_release(made);
done:
    saros_network_state_release(state);
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(axis[a]);
    for (int k = 0; k < unknowns + observables; ++k) saros_tensor_release(field[k]);
    saros_release(field);
    return status;
}
