/* Bratu's problem by the library and by hand: what both share. */
#ifndef SAROS_BRATU_IMPL_H
#define SAROS_BRATU_IMPL_H

#include "bench_impl.h"

#define BRATU_LAMBDA 6.0
#define BRATU_RTOL 1e-8

/** Interior nodes n x n, u = 0 beyond. */
typedef struct bench_bratu_run {
    int64_t n;
    bench_call residual, product; /* (x) and (x, v) */
    saros_sparsity *pattern;
    saros_tensor *start, *end, *by_hand;
} bench_bratu_run;

/** Operands of the loops by hand: x, v (of the product alone), result. */
typedef struct bench_bratu_loop {
    int64_t n;
    const double *x, *v;
    double *out;
} bench_bratu_loop;

/** e^x of n numbers, n a multiple of a vector. */
void bench_bratu_exp(const double *x, int64_t n, double *out);
/** The residual of x (n n) in a graph. */
saros_value bench_bratu_graph(saros_value x, int64_t n);
/** Rows first … last-1; each a bench_part of a bench_bratu_loop. */
void bench_bratu_residual(void *loop, int64_t first, int64_t last);
void bench_bratu_product(void *loop, int64_t first, int64_t last);
/** The plain C program, from `start` to `by_hand`; a bench_fn of a bench_bratu_run. */
void bench_bratu_plain(void *run);

#endif
