/** From a function of the point to a body: the function runs once on rank-0 inputs, and what it
 * built is checked to be pointwise, for only then can every method evaluate it wherever it likes.
 */
#include <stdio.h>

#include "problem_impl.h"
#include "saros/memory.h"
#include "saros/primitive.h"
#include "saros/region.h"

saros_inputs saros_problem_inputs(const saros_problem *problem) {
    saros_inputs in = {.unknowns = problem->unknowns, .axes = problem->axes, .time = -1};
    in.count = in.unknowns + in.axes;
    if (problem->transient) in.time = in.count++;
    for (int k = 0; k < problem->parameters; ++k) in.parameters += !problem->parameter[k].function;
    in.count += in.parameters;
    return in;
}

saros_status saros_point_open(const saros_problem *problem, saros_graph *outer, saros_graph **inner,
                              saros_value *input) {
    saros_graph *graph = saros_body_open(outer);
    if (!graph) return SAROS_ERR_MEMORY;
    saros_type scalar = saros_type_scalar(SAROS_F64);
    int n = 0;
    for (int k = 0; k < problem->unknowns; ++k)
        input[n++] = saros_input(graph, &scalar, problem->unknown[k]);
    for (int a = 0; a < problem->axes; ++a)
        input[n++] = saros_input(graph, &scalar, problem->axis[a].name);
    if (problem->transient) input[n++] = saros_input(graph, &scalar, "t");
    for (int k = 0; k < problem->parameters; ++k)
        if (!problem->parameter[k].function)
            input[n++] = saros_input(graph, &scalar, problem->parameter[k].name);
    *inner = graph;
    return SAROS_OK;
}

int saros_body_input_index(const saros_body *body, int32_t id) {
    for (int k = 0; k < saros_body_inputs(body); ++k)
        if (saros_body_input(body, k).id == id) return k;
    return -1;
}

/* ---- checks ---- */

static saros_status check_node(const saros_trace *trace, const saros_node *node,
                               const saros_type *type) {
    if (type->rank != 0) {
        char text[64];
        saros_fail(SAROS_ERR_SHAPE, trace->role, "work on values of one point",
                   "'%s' gives %s; an equation works on values of one point", node->row->name,
                   saros_type_text(type, text, sizeof text));
        saros_error_locate(node->file, node->line);
        return SAROS_ERR_SHAPE;
    }
    bool leaf = node->operands == 0;
    if (leaf || node->row->flags & SAROS_POINTWISE || node->row == &saros_row_derivative)
        return SAROS_OK;
    saros_fail(SAROS_ERR_USAGE, trace->role,
               "sums and means over the domain are taken of a solution, by its integral",
               "'%s' is not a pointwise operation", node->row->name);
    saros_error_locate(node->file, node->line);
    return SAROS_ERR_USAGE;
}

saros_status saros_body_live(const saros_body *body, bool **out) {
    saros_graph *graph = saros_body_graph(body);
    int32_t count = saros_graph_count(graph);
    bool *live = saros_allocate_zero((size_t)count, sizeof *live);
    if (!live) return SAROS_ERR_MEMORY;
    for (int k = 0; k < saros_body_outputs(body); ++k) live[saros_body_output(body, k).id] = true;
    for (int32_t id = count - 1; id >= 0; --id) {
        if (!live[id]) continue;
        saros_node node = saros_graph_node(graph, id, NULL);
        for (int k = 0; k < node.operands; ++k) live[node.operand[k]] = true;
    }
    *out = live;
    return SAROS_OK;
}

/** Every node the outputs use is a leaf, a pointwise row or a marker, and rank 0. */
static saros_status check_body(const saros_trace *trace, const saros_body *body) {
    saros_graph *graph = saros_body_graph(body);
    bool *live = NULL;
    saros_status status = saros_body_live(body, &live);
    for (int32_t id = 0; status == SAROS_OK && id < saros_graph_count(graph); ++id) {
        if (!live[id]) continue;
        saros_node node = saros_graph_node(graph, id, NULL);
        status = check_node(trace, &node, saros_value_type((saros_value){graph, id}));
    }
    saros_release(live);
    return status;
}

/** The outputs as f64 scalars. */
static saros_status take_outputs(const saros_trace *trace, saros_graph *graph, saros_value *out) {
    for (int k = 0; k < trace->outputs; ++k) {
        if (saros_is_none(out[k]))
            return saros_fail(SAROS_ERR_USAGE, trace->role, NULL, "value %d of %d is missing (%s)",
                              k + 1, trace->outputs, trace->each);
        if (saros_is_poisoned(out[k])) continue;
        const saros_type *type = saros_value_type(out[k]);
        if (type->dtype == SAROS_BOOL || type->dtype == SAROS_OPAQUE)
            return saros_fail(SAROS_ERR_TYPE, trace->role, "use saros_where to choose by a mask",
                              "value %d is of dtype %s, needed a number", k + 1,
                              saros_dtype_name(type->dtype));
        if (type->rank == 0 && type->dtype != SAROS_F64) out[k] = saros_cast(out[k], SAROS_F64);
        if (out[k].graph == graph) continue;
        /* A constant of another graph is brought in by a node of this one. */
        double number;
        if (saros_value_is_splat(out[k], &number)) out[k] = saros_scalar(graph, SAROS_F64, number);
    }
    return SAROS_OK;
}

/* ---- tracing ---- */

static saros_status run(const saros_trace *trace, saros_graph *outer, saros_body **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_body *body = NULL;
    saros_inputs in = saros_problem_inputs(trace->problem);
    saros_value *input = saros_allocate_zero((size_t)in.count, sizeof *input);
    saros_value *value = saros_allocate_zero((size_t)trace->outputs, sizeof *value);
    if (!input || !value) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    for (int k = 0; k < trace->outputs; ++k) value[k] = SAROS_NONE;
    SAROS_TRY(saros_point_open(trace->problem, outer, &graph, input));
    saros_point point = {trace->problem, graph, input, trace->role, trace->axis, trace->side, 0};
    SAROS_TRY(trace->function(&point, trace->user, value));
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(take_outputs(trace, graph, value));
    saros_graph *closing = graph;
    graph = NULL;
    SAROS_TRY(saros_body_close(closing, trace->outputs, value, &body, NULL));
    SAROS_TRY(check_body(trace, body));
    *out = body;
    body = NULL;
done:
    saros_body_release(body);
    saros_graph_release(graph);
    saros_release(input);
    saros_release(value);
    return status;
}

saros_status saros_point_trace(const saros_trace *trace, saros_body **out) {
    saros_graph *outer = NULL;
    saros_status status = saros_graph_make(&outer);
    if (status == SAROS_OK) status = run(trace, outer, out);
    saros_graph_release(outer);
    return status;
}

static saros_status number(saros_point *s, void *user, saros_value *out) {
    out[0] = saros_scalar(s->graph, SAROS_F64, *(const double *)user);
    return SAROS_OK;
}

saros_status saros_point_constant(const saros_problem *problem, double value, saros_body **out) {
    saros_trace trace = {problem, "constant", -1, 0, number, &value, 1, "one value"};
    return saros_point_trace(&trace, out);
}
