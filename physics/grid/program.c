/** Compiling the programs of a grid: each is one graph with everything that may change between runs
 * as an input. */
#include "program_impl.h"

#include <stdio.h>

#include "saros/autodiff.h"
#include "saros/memory.h"

typedef struct recipe {
    const saros_task *task;
    const int64_t *cells;
    int64_t order;
} recipe;

void saros_grid_cells(const saros_task *task, int64_t cells[3]) {
    const saros_grid_options *o = task->options;
    for (int a = 0; a < 3; ++a) {
        cells[a] = o->cells[a] ? o->cells[a] : o->cells[0];
        if (!cells[a]) cells[a] = 128;
    }
}

void saros_grid_declare(const saros_grid_plan *plan, saros_graph *graph, saros_value *input,
                        saros_grid_values *values) {
    const saros_problem *p = plan->problem;
    saros_type scalar = saros_type_scalar(SAROS_F64), field = {.dtype = SAROS_F64};
    saros_place nodes = saros_place_nodes();
    field.rank = saros_place_shape(plan, &nodes, field.shape);
    int n = 0;
    values->parameter = input;
    for (int k = 0; k < p->parameters; ++k)
        if (!p->parameter[k].function)
            input[n++] =
                saros_input(graph, p->parameter[k].field ? &field : &scalar, p->parameter[k].name);
    values->lo = input + n;
    for (int a = 0; a < plan->axes; ++a) input[n++] = saros_input(graph, &scalar, "lo");
    values->h = input + n;
    for (int a = 0; a < plan->axes; ++a) input[n++] = saros_input(graph, &scalar, "h");
}

saros_status saros_grid_arguments(const saros_task *task, const saros_grid_plan *plan,
                                  saros_tensor **out) {
    saros_status status = SAROS_OK;
    const saros_problem *p = task->problem;
    int n = 0;
    for (int k = 0; k < p->parameters; ++k)
        if (!p->parameter[k].function) out[n++] = saros_tensor_retain(task->parameter[k]);
    for (int a = 0; a < plan->axes; ++a)
        SAROS_TRY(saros_tensor_scalar(SAROS_F64, task->axis[a].lo, &out[n++]));
    for (int a = 0; a < plan->axes; ++a) {
        double cells = (double)(plan->periodic[a] ? plan->nodes[a] : plan->nodes[a] - 1);
        double h = (task->axis[a].hi - task->axis[a].lo) / cells;
        SAROS_TRY(saros_tensor_scalar(SAROS_F64, h, &out[n++]));
    }
done:
    if (status != SAROS_OK)
        for (int k = 0; k < n; ++k) {
            saros_tensor_release(out[k]);
            out[k] = NULL;
        }
    return status;
}

/* ---- one function at a time ---- */

typedef enum what { START, RATE, JVP, FIELDS, RESTRICT } what;

static int build_restrict(const saros_grid_plan *plan, saros_graph *graph, saros_value *input,
                          int *inputs, saros_value *output) {
    saros_type field = {.dtype = SAROS_F64};
    saros_place nodes = saros_place_nodes();
    field.rank = saros_place_shape(plan, &nodes, field.shape);
    for (int k = 0; k < plan->unknowns; ++k)
        input[k] = saros_input(graph, &field, plan->problem->unknown[k]);
    *inputs = plan->unknowns;
    output[0] = saros_grid_restrict(plan, graph, input);
    return 1;
}

/** Builds outputs of `kind`; returns their number. */
static int build(saros_grid_program *program, what kind, saros_graph *graph, saros_value *input,
                 int *inputs, saros_value *output) {
    const saros_grid_plan *plan = &program->plan;
    const saros_problem *p = plan->problem;
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_type state = saros_type_make(SAROS_F64, 1, &plan->size);
    saros_grid_values values = {.t = SAROS_NONE};
    saros_value y = SAROS_NONE;
    int n = 0;
    if (kind == RESTRICT) return build_restrict(plan, graph, input, inputs, output);
    if (p->transient) values.t = input[n++] = saros_input(graph, &scalar, "t");
    if (kind != START) y = input[n++] = saros_input(graph, &state, "state");
    saros_grid_declare(plan, graph, input + n, &values);
    n += program->parameters;
    *inputs = n;
    if (kind == FIELDS) {
        saros_grid_fields(plan, graph, &values, y, output);
        return p->unknowns + p->observables;
    }
    if (kind == START)
        output[0] = saros_grid_start(plan, graph, &values);
    else
        output[0] = p->transient ? saros_grid_rate(plan, graph, &values, p->inspection.rate, y)
                                 : saros_grid_residual(plan, graph, &values, y);
    if (kind != JVP) return 1;
    saros_value v = input[(*inputs)++] = saros_input(graph, &state, "v"), product = SAROS_NONE;
    if (!saros_is_poisoned(output[0])) saros_jvp(1, output, 1, &y, &v, &product);
    output[0] = saros_instantiate(product, y);
    return 1;
}

static saros_status compile(saros_grid_program *program, what kind, saros_function **out) {
    static const char *const name[] = {"start", "rate", "jvp", "fields", "restrict"};
    const saros_problem *p = program->plan.problem;
    size_t most = (size_t)(program->parameters + p->unknowns + p->observables + 4);
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value *input = saros_allocate(2 * most * sizeof *input);
    if (!input) return SAROS_ERR_MEMORY;
    saros_value *output = input + most;
    SAROS_TRY(saros_graph_make(&graph));
    int inputs = 0, outputs = build(program, kind, graph, input, &inputs, output);
    SAROS_TRY(saros_graph_status(graph));
    saros_compile_options options = {.name = name[kind]};
    SAROS_TRY(saros_compile(graph, inputs, input, outputs, output, &options, out));
done:
    saros_graph_release(graph);
    saros_release(input);
    return status;
}

/* ---- the whole program ---- */

static void release_program(void *payload) {
    saros_grid_program *program = payload;
    if (!program) return;
    saros_function_release(program->start);
    saros_function_release(program->rate);
    saros_function_release(program->jvp);
    saros_function_release(program->fields);
    saros_function_release(program->restrict_);
    saros_grid_plan_clear(&program->plan);
    saros_release(program);
}

static saros_status make_program(const void *how, void **payload) {
    const recipe *r = how;
    saros_status status = SAROS_OK;
    saros_grid_program *program = saros_allocate_zero(1, sizeof *program);
    if (!program) return SAROS_ERR_MEMORY;
    saros_problem *p = r->task->problem;
    SAROS_TRY(saros_grid_plan_make(p, r->cells, r->order, &program->plan));
    program->parameters = saros_problem_inputs(p).parameters + 2 * p->axes;
    if (p->transient) SAROS_TRY(compile(program, START, &program->start));
    SAROS_TRY(compile(program, RATE, &program->rate));
    SAROS_TRY(compile(program, JVP, &program->jvp));
    SAROS_TRY(compile(program, FIELDS, &program->fields));
    SAROS_TRY(compile(program, RESTRICT, &program->restrict_));
    *payload = program;
    program = NULL;
done:
    release_program(program);
    return status;
}

saros_status saros_grid_program_get(const saros_task *task, const int64_t *cells, int64_t order,
                                    const saros_grid_program **out) {
    const saros_problem *p = task->problem;
    char key[128];
    int used = snprintf(key, sizeof key, "grid %lld", (long long)order);
    for (int a = 0; a < p->axes; ++a)
        used += snprintf(key + used, sizeof key - (size_t)used, " %lld", (long long)cells[a]);
    recipe r = {task, cells, order};
    void *payload = NULL;
    saros_status status =
        saros_problem_cached(task->problem, key, make_program, &r, release_program, &payload);
    if (status == SAROS_OK) *out = payload;
    return status;
}

/* ---- the Jacobian, where a solver asks for it ---- */

static void release_jacobian(void *payload) {
    saros_jacobian_release(payload);
}

static saros_status make_jacobian(const void *how, void **payload) {
    saros_grid_program *program = (saros_grid_program *)(uintptr_t)how;
    const saros_problem *p = program->plan.problem;
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_jacobian *made = NULL;
    saros_value rate, *input = saros_allocate((size_t)(program->parameters + 3) * sizeof *input);
    if (!input) return SAROS_ERR_MEMORY;
    int inputs = 0;
    SAROS_TRY(saros_graph_make(&graph));
    build(program, RATE, graph, input, &inputs, &rate);
    SAROS_TRY(saros_jacobian_make(rate, input[p->transient], inputs, input, NULL, &made));
    *payload = made;
done:
    saros_graph_release(graph);
    saros_release(input);
    return status;
}

saros_status saros_grid_jacobian_get(const saros_task *task, const saros_grid_program *program,
                                     saros_jacobian **out) {
    const saros_grid_plan *plan = &program->plan;
    char key[128];
    int used = snprintf(key, sizeof key, "jacobian %d", plan->order);
    for (int a = 0; a < plan->axes; ++a)
        used += snprintf(key + used, sizeof key - (size_t)used, " %lld", (long long)plan->nodes[a]);
    void *payload = NULL;
    saros_status status = saros_problem_cached(task->problem, key, make_jacobian, program,
                                               release_jacobian, &payload);
    if (status == SAROS_OK) *out = payload;
    return status;
}
