/* What a call costs beside its arithmetic, and what the arithmetic costs: one element and a hundred
 * thousand. */
#include "bench_impl.h"

#include <saros/rows.h>
#include <stdio.h>

typedef struct eager {
    const saros_primitive *row;
    saros_tensor *in[2];
    int ins;
} eager;

static void apply(void *user) {
    eager *e = user;
    saros_tensor *out = NULL;
    bench_check(saros_apply(e->row, NULL, e->ins, e->in, &out));
    saros_tensor_release(out);
}

static double eager_seconds(const saros_primitive *row, int ins, int64_t n) {
    eager e = {row, {NULL, NULL}, ins};
    for (int k = 0; k < 2; ++k) {
        bench_check(saros_tensor_make(SAROS_F64, 1, &n, &e.in[k]));
        double *x = saros_tensor_data(e.in[k]);
        for (int64_t i = 0; i < n; ++i) x[i] = 0.5 + 1e-6 * (double)i;
    }
    const double seconds = bench_seconds(apply, &e);
    for (int k = 0; k < 2; ++k) saros_tensor_release(e.in[k]);
    return seconds;
}

/* A chain of twelve operations on n elements: the heat-like update of the pointwise part of a step.
 */
static saros_value chain(saros_value x, int length) {
    for (int k = 0; k < length; k += 2)
        x = saros_mul(saros_add(x, saros_like(x, 0.25)), saros_like(x, 0.5));
    return x;
}

typedef struct call {
    saros_function *function;
    saros_tensor *in[1], *out[1];
} call;

static void run(void *user) {
    call *c = user;
    bench_check(saros_function_call(c->function, c->in, c->out, NULL));
}

static double chain_seconds(const char *backend, int length, int64_t n) {
    call c = {0};
    saros_graph *graph;
    bench_check(saros_graph_make(&graph));
    const saros_type type = saros_type_make(SAROS_F64, 1, &n);
    const saros_value in = saros_input(graph, &type, "x"), out = chain(in, length);
    const saros_compile_options options = {.backend = backend};
    bench_check(saros_compile(graph, 1, &in, 1, &out, &options, &c.function));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &n, &c.in[0]));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &n, &c.out[0]));
    const double seconds = bench_seconds(run, &c);
    saros_tensor_release(c.in[0]);
    saros_tensor_release(c.out[0]);
    saros_function_release(c.function);
    saros_graph_release(graph);
    return seconds;
}

void bench_operations(void) {
    const int64_t many = 100000;
    bench_row("eager add, 1 element", 1e9 * eager_seconds(&saros_row_add, 2, 1), "ns");
    bench_row("eager add, 100000 elements",
              1e9 * eager_seconds(&saros_row_add, 2, many) / (double)many, "ns per element");
    bench_row("eager exp, 100000 elements",
              1e9 * eager_seconds(&saros_row_exp, 1, many) / (double)many, "ns per element");
    bench_row("eager tanh, 100000 elements",
              1e9 * eager_seconds(&saros_row_tanh, 1, many) / (double)many, "ns per element");
    const double two = chain_seconds("reference", 2, 1), twelve = chain_seconds("reference", 12, 1);
    bench_row("function of 2 operations, 1 element", 1e9 * two, "ns");
    bench_row("each further operation, 1 element", 1e8 * (twelve - two), "ns");
    bench_row("12 operations, 100000 elements, reference",
              1e9 * chain_seconds("reference", 12, many) / (double)many, "ns per element");
    if (SAROS_HAVE_LLVM)
        bench_row("12 operations, 100000 elements, compiled",
                  1e9 * chain_seconds("cpu", 12, many) / (double)many, "ns per element");
}
