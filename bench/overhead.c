/* What work costs beside its arithmetic: values of a graph, compilation, eager operations. */
#include "bench_impl.h"

/* ---- graph ---- */
enum { OPERATIONS = 1000 };

static saros_value build(saros_value x) {
    saros_value y = x;
    for (int k = 0; k < OPERATIONS; k += 2) y = saros_mul(saros_sin(y), x);
    return y;
}

static saros_value vector_input(saros_graph *graph, int64_t n) {
    const saros_type type = saros_type_make(SAROS_F64, 1, &n);
    return saros_input(graph, &type, "x");
}

static void build_new(void *user) {
    saros_graph *graph;
    (void)user;
    bench_check(saros_graph_make(&graph));
    build(vector_input(graph, 16));
    bench_check(saros_graph_status(graph));
    saros_graph_release(graph);
}

static void build_again(void *user) {
    build(*(saros_value *)user);
}

static void build_and_differentiate(void *user) {
    saros_graph *graph;
    saros_value gradient;
    (void)user;
    bench_check(saros_graph_make(&graph));
    const saros_value x = vector_input(graph, 16), y = saros_sum(build(x), 1);
    saros_vjp(1, &y, NULL, 1, &x, &gradient);
    bench_check(saros_graph_status(graph));
    saros_graph_release(graph);
}

static void graph_rows(void) {
    saros_graph *graph;
    bench_check(saros_graph_make(&graph));
    saros_value x = vector_input(graph, 16);
    build(x);
    bench_compare(&(bench_case){
        .name = "building a value", .run = build_new, .calls = OPERATIONS, .goal = 100e-9});
    bench_compare(&(bench_case){
        .name = "a value found again", .run = build_again, .user = &x, .calls = OPERATIONS});
    bench_compare(&(bench_case){
        .name = "value and its derivative", .run = build_and_differentiate, .calls = OPERATIONS});
    saros_graph_release(graph);
}

/* ---- compilation ---- */
enum { FUSED = 150 };

/* A chain of FUSED operations like no other: which ones says `bits`, so that no kernel made before
 * serves. */
static saros_value unique_chain(saros_value x, saros_value y, uint32_t bits) {
    saros_value z = x;
    for (int k = 0; k < FUSED; ++k) {
        const saros_value other = k % 2 ? x : y;
        z = bits >> k % 16 & 1 ? saros_sub(z, other)
            : k % 3            ? saros_maximum(z, other)
                               : saros_add(z, other);
    }
    return z;
}

/* Compiles and calls once. */
static double first_call(uint32_t bits) {
    saros_graph *graph;
    saros_function *function;
    const int64_t n = 4096;
    saros_tensor *in[] = {bench_tensor(SAROS_F64, 1, &n), bench_tensor(SAROS_F64, 1, &n)},
                 *out[] = {NULL};
    bench_check(saros_graph_make(&graph));
    const saros_value input[] = {vector_input(graph, n), vector_input(graph, n)};
    const saros_value z = unique_chain(input[0], input[1], bits);
    const double began = bench_now();
    bench_check(saros_compile(graph, 2, input, 1, &z, NULL, &function));
    bench_check(saros_function_call(function, in, out, NULL));
    const double took = bench_now() - began;
    for (int k = 0; k < 2; ++k) saros_tensor_release(in[k]);
    saros_tensor_release(out[0]);
    saros_function_release(function);
    saros_graph_release(graph);
    return took;
}

static void compile_row(void) {
    enum { SAMPLES = 15 };
    double seconds[SAMPLES];
    if (!bench_wanted("first call of 150 operations")) return;
    (void)first_call(0);
    for (uint32_t k = 0; k < SAMPLES; ++k) seconds[k] = first_call(k + 1);
    bench_samples(&(bench_case){.name = "first call of 150 operations", .goal = 5e-3}, SAMPLES,
                  seconds, 0, NULL);
}

/* ---- eager and compiled calls on little ---- */
typedef struct eager {
    saros_tensor *in[2];
} eager;

static void eager_add(void *user) {
    eager *e = user;
    saros_tensor *out = NULL;
    bench_check(saros_apply(&saros_row_add, NULL, 2, e->in, &out));
    saros_tensor_release(out);
}

static void call_rows(void) {
    eager e;
    bench_call call;
    saros_graph *graph;
    const int64_t n = 16;
    for (int k = 0; k < 2; ++k) e.in[k] = bench_tensor(SAROS_F64, 1, &n);
    bench_compare(
        &(bench_case){.name = "eager add from C", .run = eager_add, .user = &e, .goal = 1e-6});
    for (int k = 0; k < 2; ++k) saros_tensor_release(e.in[k]);
    bench_check(saros_graph_make(&graph));
    const saros_value x = vector_input(graph, n), y = saros_add(saros_mul(x, x), saros_like(x, 1));
    bench_call_make(graph, 1, &x, 1, &y, &call);
    bench_compare(
        &(bench_case){.name = "call of a small function", .run = bench_call_run, .user = &call});
    bench_call_clear(&call);
}

void bench_overhead(void) {
    graph_rows();
    compile_row();
    call_rows();
}
