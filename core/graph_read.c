/** Reading a graph: nodes, types and names; places and fences of the nodes to come. */
#include <string.h>

#include "graph_impl.h"
#include "saros/memory.h"

static const saros_type no_type = {.dtype = SAROS_F64};

saros_value saros_output(saros_value first, int k) {
    if (first.id >= 0) first.id += k;
    return first;
}

saros_graph *saros_graph_of(int n, const saros_value *values) {
    saros_graph *innermost = NULL;
    for (int k = 0; k < n; ++k) {
        saros_graph *graph = values[k].graph;
        if (!graph || graph == innermost) continue;
        /* `graph` wins if the one so far encloses it; unrelated ones are reported by saros_build.
         */
        const saros_graph *g = graph;
        while (g && g != innermost) g = g->outer;
        if (g == innermost) innermost = graph;
    }
    return innermost;
}

const saros_type *saros_value_type(saros_value value) {
    return value.graph && value.id >= 0 ? value.graph->type[value.id] : &no_type;
}

saros_dtype saros_value_dtype(saros_value value) {
    return saros_value_type(value)->dtype;
}
int saros_value_rank(saros_value value) {
    return saros_value_type(value)->rank;
}

saros_node saros_graph_node(const saros_graph *graph, int32_t id, int *k) {
    const saros_graph_record *r = saros_graph_maker(graph, id);
    if (k) *k = id - r->output;
    return (saros_node){.row = r->row,
                        .attributes = saros_record_attributes(r),
                        .operand = r->operand,
                        .operands = r->operands,
                        .output = r->output,
                        .outputs = r->outputs,
                        .fence = r->fence,
                        .file = r->file,
                        .line = r->line};
}

int32_t saros_graph_count(const saros_graph *graph) {
    return graph->values;
}

const char *saros_value_name(saros_value value) {
    if (!value.graph || value.id < 0) return "";
    const saros_graph *graph = value.graph;
    int32_t low = 0, high = graph->inputs; /* ids of inputs ascend */
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (graph->input[middle].id < value.id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < graph->inputs && graph->input[low].id == value.id ? graph->input[low].name : "";
}

void saros_graph_locate(saros_graph *graph, const char *file, int line) {
    graph->line = line;
    if (!file) file = "";
    if (strcmp(graph->file, file) == 0) return;
    /* Scripts are few and come in runs; a copy per change of file is enough. */
    size_t bytes = strlen(file) + 1;
    char *copy = saros_graph_take(graph, bytes);
    graph->file = copy ? memcpy(copy, file, bytes) : "";
}

void saros_graph_fence_push(saros_graph *graph) {
    int32_t room = (int32_t)(sizeof graph->fence_stack / sizeof *graph->fence_stack);
    /* Deeper fences than the stack holds return to its last one: still apart from the outside. */
    if (graph->depth_of_fences < room) graph->fence_stack[graph->depth_of_fences] = graph->fence;
    graph->depth_of_fences++;
    graph->fence = ++graph->fences;
}

void saros_graph_fence_pop(saros_graph *graph) {
    int32_t room = (int32_t)(sizeof graph->fence_stack / sizeof *graph->fence_stack);
    if (graph->depth_of_fences == 0) return;
    int32_t level = --graph->depth_of_fences;
    graph->fence = level < room ? graph->fence_stack[level] : graph->fence_stack[room - 1];
}
