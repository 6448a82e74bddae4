/** The grid's solve inside a graph: steps as a loop, or an implicit root if steady. Adaptive steps
 * are chosen once, before, for the parameters in force, and replayed; or, where parameters are
 * values of the graph, in every run. What is kept are the fields on all nodes at each output time;
 * everything an objective reads comes from them. Its gradient is that of the numbers computed
 * (discrete), but for bdf and adams, which integrate the adjoint's equation (continuous). */
#include <math.h>

#include "../solution_impl.h"
#include "grid_impl.h"
#include "interpolate_impl.h"
#include "saros/adapt.h"
#include "saros/continuous.h"
#include "saros/memory.h"

typedef struct traced_state {
    saros_grid_stepping step; /* first */
    const saros_task *task;   /* of the traced solution, which outlives this */
    const saros_grid_program *program;
    saros_graph *graph;
    int times;          /* 0 if steady */
    double *time;       /* all output times */
    bool *listed;       /* those of the `times` option */
    saros_value *input; /* parameters, first coordinates, spacings */
    saros_value *field; /* per unknown: (times, nodes…), or (nodes…) if steady */
    double h[3];
    saros_traced_info info;
} traced_state;

static void release_state(void *state) {
    traced_state *s = state;
    if (!s) return;
    saros_release(s->time);
    saros_release(s->listed);
    saros_release(s->input);
    saros_release(s);
}

/* ---- times ---- */

/** The union of the asked times and those of the option. */
static saros_status merge_times(traced_state *s, const saros_asked_times *asked) {
    saros_output_times own;
    saros_status status = saros_grid_times(s->task, &own);
    if (status != SAROS_OK) return status;
    size_t room = (size_t)(own.count + asked->count);
    s->time = saros_allocate(room * sizeof *s->time);
    s->listed = saros_allocate(room * sizeof *s->listed);
    double slack = 1e-12 * (s->task->end - s->task->start);
    int i = 0, j = 0;
    while (s->time && s->listed && (i < own.count || j < asked->count)) {
        bool from_own =
            i < own.count && (j >= asked->count || own.time[i] <= asked->time[j] + slack);
        bool from_asked = j < asked->count && (!from_own || asked->time[j] <= own.time[i] + slack);
        s->listed[s->times] = from_own && !(i == 0 && own.skip_first);
        s->time[s->times++] = from_own ? own.time[i] : asked->time[j];
        i += from_own;
        j += from_asked;
    }
    saros_release(own.time);
    return s->time && s->listed ? SAROS_OK : SAROS_ERR_MEMORY;
}

static int time_index(const traced_state *s, double t) {
    double slack = 1e-10 * (s->task->end - s->task->start);
    for (int k = 0; k < s->times; ++k)
        if (fabs(s->time[k] - t) <= slack) return k;
    saros_fail(SAROS_ERR_DOMAIN, "objective", "list it in times",
               "t = %g is not an output time of this solve", t);
    return -1;
}

/* ---- the solve ---- */

/** Unknowns on all nodes. */
static saros_status build_fields(saros_graph *graph, saros_value t, saros_value y, void *user,
                                 saros_value *kept) {
    const traced_state *s = user;
    const saros_problem *p = s->task->problem;
    saros_grid_values values = s->step.values;
    values.t = t;
    saros_value *all = saros_allocate((size_t)(p->unknowns + p->observables) * sizeof *all);
    if (!all) return SAROS_ERR_MEMORY;
    saros_grid_fields(&s->program->plan, graph, &values, y, all);
    for (int k = 0; k < p->unknowns; ++k) kept[k] = all[k];
    saros_release(all);
    return SAROS_OK;
}

static saros_status build_residual(saros_graph *graph, saros_value x, void *user,
                                   saros_value *residual) {
    const traced_state *s = user;
    *residual = saros_grid_residual(&s->program->plan, graph, &s->step.values, x);
    return SAROS_OK;
}

static saros_status constant_state(const traced_state *s, const saros_solution *from,
                                   saros_value *out) {
    saros_tensor *state = NULL;
    saros_status status = saros_grid_state_from(s->task, s->program, from, &state);
    if (status == SAROS_OK) *out = saros_constant(s->graph, state);
    saros_tensor_release(state);
    return status;
}

static saros_status trace_steady(traced_state *s) {
    const saros_task *task = s->task;
    const saros_grid_options *o = task->options;
    saros_type type = saros_type_make(SAROS_F64, 1, &s->program->plan.size);
    saros_value guess = saros_splat(s->graph, &type, 0);
    const saros_solution *from = task->common->guess ? task->common->guess : task->common->initial;
    if (from) {
        saros_status status = constant_state(s, from, &guess);
        if (status != SAROS_OK) return status;
    }
    const saros_krylov_options krylov = {.petsc = o->linear};
    saros_root_options options = {.rtol = o->rtol,
                                  .atol = o->atol,
                                  .krylov = o->linear ? &krylov : NULL,
                                  .name = task->problem->name};
    saros_value x = saros_root(guess, build_residual, s, &options);
    return build_fields(s->graph, SAROS_NONE, x, s, s->field);
}

static saros_status start_value(traced_state *s, saros_value *y0) {
    if (s->task->common->initial) return constant_state(s, s->task->common->initial, y0);
    saros_grid_values values = s->step.values;
    values.t = saros_scalar(s->graph, SAROS_F64, s->task->start);
    *y0 = saros_grid_start(&s->program->plan, s->graph, &values);
    return SAROS_OK;
}

/** Fields at the times after the start. */
static saros_status trace_march(traced_state *s, saros_value y0) {
    int64_t count = s->times;
    saros_status status = SAROS_OK;
    saros_tensor *times = NULL;
    saros_grid_schedule plan = {0};
    saros_value final;
    SAROS_TRY(saros_tensor_from(SAROS_F64, 1, &count, s->time, &times));
    SAROS_TRY(saros_grid_schedule_make(s->task, s->program, s->times, s->time, &plan));
    s->info = plan.info;
    s->step.by = plan.by;
    saros_march_spec spec = {.integrator = plan.by.integrator,
                             .y0 = y0,
                             .times = saros_constant(s->graph, times),
                             .bound = plan.most,
                             .rate = saros_grid_build_rate,
                             .explicit_rate =
                                 plan.by.explicit_form ? saros_grid_build_explicit : NULL,
                             .observed = s->task->problem->unknowns,
                             .observe = build_fields,
                             .user = s};
    if (plan.counts) {
        spec.steps = saros_constant(s->graph, plan.counts);
        if (plan.h) spec.h = saros_constant(s->graph, plan.h);
    } else {
        const saros_grid_options *o = s->task->options;
        const saros_adapt_options by = {.rtol = o->rtol, .atol = o->atol};
        saros_adapt_steps(s->graph, &spec, &by, &spec.steps, &spec.h);
    }
    saros_march(s->graph, &spec, &final, s->field);
done:
    saros_tensor_release(times);
    saros_grid_schedule_clear(&plan);
    return status;
}

/* inputs: time, state */
static saros_status build_kept(saros_graph *graph, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    (void)index;
    (void)carry;
    (void)next;
    return build_fields(graph, input[0], input[1], user, kept);
}

/** The same of a run of CVODES, whose sensitivities are continuous. */
static saros_status trace_cvode(traced_state *s, saros_value y0) {
    const int64_t count = s->times - 1;
    saros_tensor *times = NULL;
    saros_cvode_options options;
    saros_status status = saros_grid_cvode_options(s->task, s->program, &options);
    if (status == SAROS_OK) status = saros_tensor_from(SAROS_F64, 1, &count, s->time + 1, &times);
    if (status) return status;
    if (options.jacobian) options.sparsity = saros_jacobian_sparsity(options.jacobian);
    s->step.by.form = s->task->problem->inspection.rate;
    options.jacobian = NULL; /* its inputs are those of the program, not what the rate captures */
    const saros_cvode_march_spec spec = {.y0 = y0,
                                         .times = s->times,
                                         .time = s->time,
                                         .rate = saros_grid_build_rate,
                                         .user = s,
                                         .options = options};
    const saros_value input[2] = {saros_constant(s->graph, times),
                                  saros_cvode_march(s->graph, &spec)};
    s->info = (saros_traced_info){.integrator = spec.options.adams ? "adams" : "bdf",
                                  .gradient = "continuous"};
    saros_loop(s->graph,
               &(saros_loop_spec){.n = saros_scalar(s->graph, SAROS_I64, (double)count),
                                  .bound = count,
                                  .inputs = 2,
                                  .input = input,
                                  .kept = s->task->problem->unknowns,
                                  .build = build_kept,
                                  .user = s},
               NULL, s->field);
    saros_tensor_release(times);
    return saros_graph_status(s->graph);
}

/** Fields at all times: the start, then what the run keeps. */
static saros_status trace_transient(traced_state *s) {
    const saros_problem *p = s->task->problem;
    saros_status status = SAROS_OK;
    saros_value y0, *start = saros_allocate((size_t)p->unknowns * sizeof *start);
    if (!start) return SAROS_ERR_MEMORY;
    SAROS_TRY(start_value(s, &y0));
    SAROS_TRY(saros_grid_is_cvode(s->task->options, "sdirk") ? trace_cvode(s, y0)
                                                             : trace_march(s, y0));
    saros_value t0 = saros_scalar(s->graph, SAROS_F64, s->task->start);
    SAROS_TRY(build_fields(s->graph, t0, y0, s, start));
    for (int k = 0; k < p->unknowns; ++k) {
        saros_value first = saros_stack(1, &start[k], 0);
        s->field[k] = saros_concat(2, (saros_value[]){first, s->field[k]}, 0);
    }
done:
    saros_release(start);
    return status;
}

/* ---- what an objective reads ---- */

/** Field of unknown k at output j, nodes only. */
static saros_value field_at(const traced_state *s, int k, int j) {
    if (!s->times) return s->field[k];
    int64_t shape[3];
    saros_place nodes = saros_place_nodes();
    int rank = saros_place_shape(&s->program->plan, &nodes, shape);
    return saros_reshape(saros_slice(s->field[k], 0, j, j + 1, 1), rank, shape);
}

static saros_value integral(saros_traced *solution, void *state, saros_body *expression, double t) {
    (void)solution;
    traced_state *s = state;
    const saros_grid_plan *plan = &s->program->plan;
    saros_tensor *weights = NULL;
    int j = s->times ? time_index(s, t) : 0;
    if (j < 0 || saros_quadrature_product(plan->axes, plan->nodes, plan->periodic, s->h, &weights))
        return saros_poison(s->graph);
    saros_value *field = saros_allocate((size_t)plan->unknowns * sizeof *field), v;
    if (!field) {
        saros_tensor_release(weights);
        return saros_poison(s->graph);
    }
    for (int k = 0; k < plan->unknowns; ++k) field[k] = field_at(s, k, j);
    saros_grid_values values = s->step.values;
    if (s->times) values.t = saros_scalar(s->graph, SAROS_F64, s->time[j]);
    saros_grid_expression(plan, s->graph, &values, field, expression, &v);
    saros_value flat = saros_is_none(v) ? saros_poison(s->graph)
                                        : saros_reshape(v, 1, saros_tensor_shape(weights));
    v = saros_sum(saros_mul(flat, saros_constant(s->graph, weights)), 1);
    saros_release(field);
    saros_tensor_release(weights);
    return v;
}

/** Index and weight of one point's taps in a flat (times, nodes…) field. */
static int64_t point_taps(const traced_state *s, saros_tensor *const *coordinate, int64_t point,
                          int64_t width, int64_t *index, double *weight) {
    const saros_grid_plan *plan = &s->program->plan;
    saros_taps taps[3];
    int64_t base = 0, n = 0;
    for (int a = 0; a < 3; ++a) taps[a] = (saros_taps){.count = 1, .weight = {1}};
    for (int a = 0; a < plan->axes; ++a) {
        double x = ((const double *)saros_tensor_const_data(coordinate[a]))[point];
        saros_taps_space(s->task->axis[a].lo, s->h[a], plan->nodes[a], plan->periodic[a],
                         plan->order + 2, x, &taps[a]);
    }
    if (s->times) {
        double t = ((const double *)saros_tensor_const_data(coordinate[plan->axes]))[point];
        base = time_index(s, t);
        if (base < 0) return -1;
    }
    for (int z = 0; z < taps[2].count; ++z)
        for (int y = 0; y < taps[1].count; ++y)
            for (int x = 0; x < taps[0].count; ++x, ++n) {
                int64_t at = base;
                const int64_t tap[3] = {taps[0].index[x], taps[1].index[y], taps[2].index[z]};
                for (int a = plan->axes - 1; a >= 0; --a) at = at * plan->nodes[a] + tap[a];
                index[n] = at;
                weight[n] = taps[0].weight[x] * taps[1].weight[y] * taps[2].weight[z];
            }
    for (; n < width; ++n) {
        index[n] = index[0];
        weight[n] = 0;
    }
    return n;
}

static saros_value at(saros_traced *solution, void *state, int unknown,
                      saros_tensor *const *coordinate) {
    (void)solution;
    traced_state *s = state;
    const saros_grid_plan *plan = &s->program->plan;
    int64_t width = 1, shape[2] = {1, 1};
    for (int a = 0; a < plan->axes; ++a) width *= plan->order + 2;
    if (plan->axes || s->times) shape[0] = saros_tensor_count(coordinate[0]);
    shape[1] = width;
    saros_tensor *index = NULL, *weight = NULL;
    saros_value v = SAROS_NONE;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_tensor_make(SAROS_I64, 2, shape, &index));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 2, shape, &weight));
    for (int64_t i = 0; i < shape[0]; ++i)
        if (point_taps(s, coordinate, i, width, (int64_t *)saros_tensor_data(index) + i * width,
                       (double *)saros_tensor_data(weight) + i * width) < 0)
            goto done;
    int64_t all = saros_type_count(saros_value_type(s->field[unknown]));
    saros_value flat = saros_reshape(s->field[unknown], 1, &all);
    saros_value taps = saros_gather(flat, saros_constant(s->graph, index), 0);
    v = saros_sum(saros_mul(taps, saros_constant(s->graph, weight)), 2);
done:
    saros_tensor_release(index);
    saros_tensor_release(weight);
    return saros_is_none(v) ? saros_poison(s->graph) : v;
}

/** The field at the times of the option. */
static saros_value field(saros_traced *solution, void *state, int unknown) {
    (void)solution;
    traced_state *s = state;
    saros_value all = s->field[unknown];
    if (!s->times) return all;
    saros_value *row = saros_allocate((size_t)s->times * sizeof *row);
    if (!row) return saros_poison(s->graph);
    int n = 0;
    for (int j = 0; j < s->times; ++j)
        if (s->listed[j]) row[n++] = saros_slice(all, 0, j, j + 1, 1);
    if (n < s->times) all = n ? saros_concat(n, row, 0) : saros_slice(all, 0, 0, 0, 1);
    saros_release(row);
    return all;
}

static void describe(const void *state, saros_traced_info *info) {
    const traced_state *s = state;
    *info = s->info;
}

static const saros_traced_class traced_class = {
    .integral = integral, .at = at, .field = field, .describe = describe, .release = release_state};

/* ---- making it ---- */

/** Parameters as given, geometry as constants of the task. */
static saros_status fill_values(traced_state *s, const saros_value *parameter) {
    const saros_task *task = s->task;
    const saros_grid_plan *plan = &s->program->plan;
    const saros_problem *p = task->problem;
    size_t room = (size_t)(s->program->parameters + p->unknowns);
    s->input = saros_allocate(room * sizeof *s->input);
    if (!s->input) return SAROS_ERR_MEMORY;
    s->field = s->input + s->program->parameters;
    int n = 0;
    s->step.values = (saros_grid_values){.t = SAROS_NONE, .parameter = s->input};
    for (int k = 0; k < p->parameters; ++k)
        if (!p->parameter[k].function) s->input[n++] = parameter[k];
    s->step.values.lo = s->input + n;
    for (int a = 0; a < plan->axes; ++a)
        s->input[n++] = saros_scalar(s->graph, SAROS_F64, task->axis[a].lo);
    s->step.values.h = s->input + n;
    for (int a = 0; a < plan->axes; ++a) {
        int64_t cells = plan->nodes[a] - !plan->periodic[a];
        s->h[a] = (task->axis[a].hi - task->axis[a].lo) / (double)cells;
        s->input[n++] = saros_scalar(s->graph, SAROS_F64, s->h[a]);
    }
    return SAROS_OK;
}

saros_status saros_grid_trace(const saros_task *task, saros_graph *graph,
                              const saros_value *parameter, const saros_asked_times *asked,
                              const saros_traced_class **class_, void **state) {
    const saros_grid_options *o = task->options;
    int64_t cells[3];
    saros_status status = SAROS_OK;
    traced_state *s = saros_allocate_zero(1, sizeof *s);
    if (!s) return SAROS_ERR_MEMORY;
    s->task = task;
    s->graph = graph;
    saros_grid_cells(task, cells);
    if (task->transient) SAROS_TRY(saros_grid_check_form(task->problem));
    SAROS_TRY(saros_grid_program_get(task, cells, o->order ? o->order : 2, &s->program));
    s->step.plan = &s->program->plan;
    SAROS_TRY(fill_values(s, parameter));
    if (task->transient) SAROS_TRY(merge_times(s, asked));
    SAROS_TRY(task->transient ? trace_transient(s) : trace_steady(s));
    SAROS_TRY(saros_graph_status(graph));
    *class_ = &traced_class;
    *state = s;
    s = NULL;
done:
    release_state(s);
    return status;
}
