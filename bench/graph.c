/* What recording costs: a value of a graph, one found again, a derivative, a compilation. */
#include "bench_impl.h"

enum { operations = 1000 };

static saros_value build(saros_graph *graph, saros_value *input) {
    const saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){16});
    saros_value x = *input = saros_input(graph, &type, "x"), y = x;
    for (int k = 0; k < operations; k += 2) y = saros_mul(saros_sin(y), x);
    return y;
}

static void build_new(void *user) {
    (void)user;
    saros_graph *graph;
    saros_value input;
    bench_check(saros_graph_make(&graph));
    build(graph, &input);
    bench_check(saros_graph_status(graph));
    saros_graph_release(graph);
}

typedef struct made {
    saros_graph *graph;
    saros_value input, output;
} made;

static void build_again(void *user) {
    made *m = user;
    saros_value y = m->input;
    for (int k = 0; k < operations; k += 2) y = saros_mul(saros_sin(y), m->input);
}

static void build_and_differentiate(void *user) {
    (void)user;
    saros_graph *graph;
    saros_value input, gradient;
    bench_check(saros_graph_make(&graph));
    saros_value y = saros_sum(build(graph, &input), 1);
    saros_vjp(1, &y, NULL, 1, &input, &gradient);
    bench_check(saros_graph_status(graph));
    saros_graph_release(graph);
}

static void compile(void *user) {
    made *m = user;
    saros_function *function = NULL;
    bench_check(saros_compile(m->graph, 1, &m->input, 1, &m->output, NULL, &function));
    saros_function_release(function);
}

void bench_graph(void) {
    made m;
    const double fresh = bench_seconds(build_new, NULL);
    bench_check(saros_graph_make(&m.graph));
    m.output = build(m.graph, &m.input);
    bench_row("graph: a new value", 1e9 * fresh / operations, "ns");
    bench_row("graph: a value found again", 1e9 * bench_seconds(build_again, &m) / operations,
              "ns");
    bench_row("graph: reverse mode, per operation",
              1e9 * (bench_seconds(build_and_differentiate, NULL) - fresh) / operations, "ns");
    bench_row("graph: compilation, per operation", 1e9 * bench_seconds(compile, &m) / operations,
              "ns");
    saros_graph_release(m.graph);
}
