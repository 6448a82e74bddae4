/* The Brusselator by the library and by hand: what both share. */
#ifndef SAROS_BRUSSELATOR_IMPL_H
#define SAROS_BRUSSELATOR_IMPL_H

#include "bench_impl.h"

#define BR_A 1.0
#define BR_B 3.4
#define BR_ALPHA 0.002
#define BR_END 0.25
#define BR_RTOL 1e-6
#define BR_ATOL 1e-9

typedef struct bench_brusselator_run {
    int64_t n;
    bench_call rate, product; /* (t, y) and (t, y, v) */
    saros_tensor *start, *end, *by_hand;
    int64_t steps, plain_steps; /* of the last runs */
} bench_brusselator_run;

/** Operands of the loops by hand: y, v (of the product alone), result. */
typedef struct bench_reaction {
    int64_t n;
    const double *y, *v;
    double *out;
} bench_reaction;

/** Rows first … last-1; each a bench_part of a bench_reaction. */
void bench_brusselator_rate(void *reaction, int64_t first, int64_t last);
void bench_brusselator_product(void *reaction, int64_t first, int64_t last);
/** The plain C program, from `start` to `by_hand`; a bench_fn of a bench_brusselator_run. */
void bench_brusselator_plain(void *run);

#endif
