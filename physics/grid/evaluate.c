/** A solution on a grid read anywhere: the expression is lowered on the nodes of the outputs that
 * are needed, then interpolated in space and time. */
#include <math.h>

#include "../solution_impl.h"
#include "interpolate_impl.h"
#include "program_impl.h"
#include "saros/memory.h"

typedef struct grid_state {
    saros_grid_plan plan;
} grid_state;

static void release_state(void *state) {
    grid_state *s = state;
    saros_grid_plan_clear(&s->plan);
    saros_release(s);
}

saros_status saros_grid_state_make(saros_problem *problem, const int64_t *cells, int64_t order,
                                   void **out) {
    grid_state *state = saros_allocate_zero(1, sizeof *state);
    if (!state) return SAROS_ERR_MEMORY;
    saros_status status = saros_grid_plan_make(problem, cells, order, &state->plan);
    if (status == SAROS_OK)
        *out = state;
    else
        saros_release(state);
    return status;
}

int64_t saros_grid_state_order(const void *state) {
    const grid_state *s = state;
    return s->plan.order;
}

/* ---- an expression on nodes ---- */

typedef struct sampler {
    const saros_solution *solution;
    const saros_grid_plan *plan;
    saros_body *body;
    int outputs, arguments;
    saros_function *function; /* NULL: the outputs are unknowns, read as they are */
    saros_tensor **argument;  /* t, fields, parameters… */
    int64_t nodes, rows;
    const double **row; /* [time * outputs + k], NULL: not sampled yet */
    saros_tensor **held;
} sampler;

static bool only_unknowns(const saros_body *body, int unknowns) {
    for (int k = 0; k < saros_body_outputs(body); ++k) {
        int input = saros_body_input_index(body, saros_body_output(body, k).id);
        if (input < 0 || input >= unknowns) return false;
    }
    return true;
}

static saros_status compile_sampler(sampler *s) {
    saros_status status = SAROS_OK;
    const saros_problem *p = s->plan->problem;
    saros_graph *graph = NULL;
    int parameters = s->arguments - p->unknowns - p->transient, n = 0;
    size_t room = (size_t)(s->arguments + s->outputs);
    saros_value *input = saros_allocate(room * sizeof *input);
    if (!input) return SAROS_ERR_MEMORY;
    saros_value *output = input + s->arguments;
    SAROS_TRY(saros_graph_make(&graph));
    saros_type scalar = saros_type_scalar(SAROS_F64), field = {.dtype = SAROS_F64};
    saros_place nodes = saros_place_nodes();
    field.rank = saros_place_shape(s->plan, &nodes, field.shape);
    saros_grid_values values = {.t = SAROS_NONE};
    if (p->transient) values.t = input[n++] = saros_input(graph, &scalar, "t");
    saros_value *fields = input + n;
    for (int k = 0; k < p->unknowns; ++k) input[n++] = saros_input(graph, &field, p->unknown[k]);
    saros_grid_declare(s->plan, graph, input + n, &values);
    saros_grid_expression(s->plan, graph, &values, fields, s->body, output);
    SAROS_TRY(saros_graph_status(graph));
    saros_compile_options options = {.name = "evaluate"};
    SAROS_TRY(
        saros_compile(graph, n + parameters, input, s->outputs, output, &options, &s->function));
done:
    saros_graph_release(graph);
    saros_release(input);
    return status;
}

/** The parameters of the solution as a task's. */
static saros_task task_of(const saros_solution *s) {
    saros_task task = {.problem = s->problem, .axes = s->axes, .parameter = s->parameter};
    for (int a = 0; a < s->axes; ++a) task.axis[a] = s->axis[a];
    return task;
}

static saros_status open_sampler(sampler *s) {
    const saros_problem *p = s->plan->problem;
    saros_place nodes = saros_place_nodes();
    s->nodes = saros_place_count(s->plan, &nodes);
    s->rows = s->solution->transient ? saros_tensor_count(s->solution->time) : 1;
    size_t cells = (size_t)(s->rows * s->outputs);
    s->row = saros_allocate_zero(cells, sizeof *s->row);
    s->held = saros_allocate_zero(cells, sizeof *s->held);
    s->arguments = p->transient + p->unknowns + saros_problem_inputs(p).parameters + 2 * p->axes;
    s->argument = saros_allocate_zero((size_t)s->arguments, sizeof *s->argument);
    if (!s->row || !s->held || !s->argument) return SAROS_ERR_MEMORY;
    if (only_unknowns(s->body, p->unknowns)) return SAROS_OK;
    saros_task task = task_of(s->solution);
    saros_status status =
        saros_grid_arguments(&task, s->plan, s->argument + p->transient + p->unknowns);
    return status == SAROS_OK ? compile_sampler(s) : status;
}

static void close_sampler(sampler *s) {
    for (int64_t k = 0; s->held && k < s->rows * s->outputs; ++k) saros_tensor_release(s->held[k]);
    for (int k = 0; s->argument && k < s->arguments; ++k) saros_tensor_release(s->argument[k]);
    saros_release(s->row);
    saros_release(s->held);
    saros_release(s->argument);
    saros_function_release(s->function);
}

/** A view of the field of unknown k at output `row`. */
static saros_status field_at(const sampler *s, int k, int64_t row, saros_tensor **out) {
    int64_t shape[3];
    saros_place nodes = saros_place_nodes();
    int rank = saros_place_shape(s->plan, &nodes, shape);
    return saros_tensor_view(s->solution->field[k], rank, shape, NULL, row * s->nodes, out);
}

static saros_status sample(sampler *s, int64_t row) {
    if (s->row[row * s->outputs]) return SAROS_OK;
    saros_status status = SAROS_OK;
    const saros_problem *p = s->plan->problem;
    for (int k = 0; !s->function && k < s->outputs; ++k) {
        int unknown = saros_body_input_index(s->body, saros_body_output(s->body, k).id);
        const double *all = saros_tensor_const_data(s->solution->field[unknown]);
        s->row[row * s->outputs + k] = all + row * s->nodes;
    }
    if (!s->function) return SAROS_OK;
    int n = 0;
    for (int k = 0; k < p->transient + p->unknowns; ++k) {
        saros_tensor_release(s->argument[k]);
        s->argument[k] = NULL;
    }
    if (p->transient) {
        double t = ((const double *)saros_tensor_const_data(s->solution->time))[row];
        SAROS_TRY(saros_tensor_scalar(SAROS_F64, t, &s->argument[n++]));
    }
    for (int k = 0; k < p->unknowns; ++k) SAROS_TRY(field_at(s, k, row, &s->argument[n++]));
    saros_tensor **out = s->held + row * s->outputs;
    SAROS_TRY(saros_function_call(s->function, s->argument, out, NULL));
    for (int k = 0; k < s->outputs; ++k)
        s->row[row * s->outputs + k] = saros_tensor_const_data(out[k]);
done:
    return status;
}

/* ---- interpolation ---- */

static double weigh(const sampler *s, const double *value, const saros_taps *taps) {
    const saros_grid_plan *plan = s->plan;
    double sum = 0;
    for (int z = 0; z < taps[2].count; ++z)
        for (int y = 0; y < taps[1].count; ++y) {
            int64_t base = taps[2].index[z] * (plan->axes > 1 ? plan->nodes[1] : 1);
            base = (base + taps[1].index[y]) * (plan->axes > 0 ? plan->nodes[0] : 1);
            double line = 0;
            for (int x = 0; x < taps[0].count; ++x)
                line += taps[0].weight[x] * value[base + taps[0].index[x]];
            sum += taps[2].weight[z] * taps[1].weight[y] * line;
        }
    return sum;
}

static saros_status interpolate(sampler *s, int64_t point, saros_tensor *const *coordinate,
                                double *const *out) {
    const saros_solution *solution = s->solution;
    const saros_grid_plan *plan = s->plan;
    saros_taps space[3], time = {.count = 1, .weight = {1}};
    for (int a = 0; a < 3; ++a) space[a] = (saros_taps){.count = 1, .weight = {1}};
    for (int a = 0; a < plan->axes; ++a) {
        double x = ((const double *)saros_tensor_const_data(coordinate[a]))[point];
        const saros_axis *axis = &solution->axis[a];
        int64_t cells = plan->periodic[a] ? plan->nodes[a] : plan->nodes[a] - 1;
        saros_taps_space(axis->lo, (axis->hi - axis->lo) / (double)cells, plan->nodes[a],
                         plan->periodic[a], plan->order + 2, x, &space[a]);
    }
    saros_status status = SAROS_OK;
    if (solution->transient) {
        double t = ((const double *)saros_tensor_const_data(coordinate[plan->axes]))[point];
        SAROS_TRY(saros_taps_time(saros_tensor_const_data(solution->time), s->rows, t, &time));
    }
    for (int k = 0; k < s->outputs; ++k) out[k][point] = 0;
    for (int i = 0; i < time.count; ++i) {
        SAROS_TRY(sample(s, time.index[i]));
        for (int k = 0; k < s->outputs; ++k)
            out[k][point] +=
                time.weight[i] * weigh(s, s->row[time.index[i] * s->outputs + k], space);
    }
done:
    return status;
}

static saros_status evaluate(const saros_solution *solution, const void *state,
                             saros_body *expression, int points, saros_tensor *const *coordinate,
                             saros_tensor **value) {
    const grid_state *grid = state;
    sampler s = {.solution = solution,
                 .plan = &grid->plan,
                 .body = expression,
                 .outputs = saros_body_outputs(expression)};
    saros_status status = SAROS_OK;
    int made = 0;
    int64_t count = points;
    double **out = saros_allocate_zero((size_t)s.outputs, sizeof *out);
    if (!out) return SAROS_ERR_MEMORY;
    SAROS_TRY(open_sampler(&s));
    for (; made < s.outputs; ++made) {
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &count, &value[made]));
        out[made] = saros_tensor_data(value[made]);
    }
    for (int64_t i = 0; i < count; ++i) SAROS_TRY(interpolate(&s, i, coordinate, out));
    made = 0;
done:
    for (int k = 0; k < made && status != SAROS_OK; ++k) {
        saros_tensor_release(value[k]);
        value[k] = NULL;
    }
    close_sampler(&s);
    saros_release(out);
    return status;
}

const saros_solution_class saros_grid_solution_class = {.evaluate = evaluate,
                                                        .release = release_state};
