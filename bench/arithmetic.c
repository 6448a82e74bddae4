/* The most multiply-adds one core does, on values that stay in registers; and what matmul reaches
 * of it. */
#include "bench_impl.h"

#include <math.h>

enum { lanes = 64, rounds = 1000 };

/* Enough independent sums to hide the latency of an addition on any vector width. */
static void multiply_add(void *user) {
    double *state = user, sum[lanes];
    const double a = 0.999999, b = 1e-6;
    for (int k = 0; k < lanes; ++k) sum[k] = state[k];
    for (int i = 0; i < rounds; ++i)
        for (int k = 0; k < lanes; ++k) sum[k] = fma(sum[k], a, b);
    for (int k = 0; k < lanes; ++k) state[k] = sum[k];
    __asm__ volatile("" ::: "memory");
}

static void multiply_then_add(void *user) {
    double *state = user, sum[lanes];
    for (int k = 0; k < lanes; ++k) sum[k] = state[k];
    for (int i = 0; i < rounds; ++i)
        for (int k = 0; k < lanes; ++k) sum[k] = sum[k] * 0.999999 + 1e-6;
    for (int k = 0; k < lanes; ++k) state[k] = sum[k];
    __asm__ volatile("" ::: "memory");
}

typedef struct call {
    saros_function *function;
    saros_tensor *in[2], *out[1];
} call;

static void run(void *user) {
    call *c = user;
    bench_check(saros_function_call(c->function, c->in, c->out, NULL));
}

static void measure_matmul(const char *what, int64_t m, int64_t k, int64_t n) {
    call c = {0};
    saros_graph *graph;
    bench_check(saros_graph_make(&graph));
    const saros_type a = saros_type_make(SAROS_F64, 2, (int64_t[]){m, k});
    const saros_type b = saros_type_make(SAROS_F64, 2, (int64_t[]){k, n});
    const saros_value in[] = {saros_input(graph, &a, "a"), saros_input(graph, &b, "b")};
    const saros_value out = saros_matmul(in[0], in[1]);
    bench_check(saros_compile(graph, 2, in, 1, &out, NULL, &c.function));
    bench_check(saros_tensor_zeros(SAROS_F64, 2, a.shape, &c.in[0]));
    bench_check(saros_tensor_zeros(SAROS_F64, 2, b.shape, &c.in[1]));
    bench_check(saros_tensor_zeros(SAROS_F64, 2, (int64_t[]){m, n}, &c.out[0]));
    bench_row(what, 2e-9 * (double)(m * k * n) / bench_seconds(run, &c), "Gflop/s");
    for (int j = 0; j < 2; ++j) saros_tensor_release(c.in[j]);
    saros_tensor_release(c.out[0]);
    saros_function_release(c.function);
    saros_graph_release(graph);
}

void bench_arithmetic(void) {
    double state[lanes] = {0};
    const double operations = 2e-9 * lanes * rounds;
    bench_row("fma in registers, f64", operations / bench_seconds(multiply_add, state), "Gflop/s");
    bench_row("multiply, then add, in registers, f64",
              operations / bench_seconds(multiply_then_add, state), "Gflop/s");
    measure_matmul("matmul 512 x 512 x 512, f64", 512, 512, 512);
    measure_matmul("matmul 8000 x 32 x 32, f64", 8000, 32, 32);
}
