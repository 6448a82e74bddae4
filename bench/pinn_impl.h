/* The network rows, and those that need a process of their own. */
#ifndef SAROS_BENCH_PINN_IMPL_H
#define SAROS_BENCH_PINN_IMPL_H

#include "bench_impl.h"

typedef struct bench_pinn_size {
    int64_t width, points;
    saros_dtype dtype;
} bench_pinn_size;

/** Prints the seconds before the first step: problem, trace, derivatives, compilation. */
void bench_pinn_start(void);
/** Trains shortly on so many points: the caller looks at the memory. */
void bench_pinn_memory(int64_t points);
/** Writes weights and losses of the rows to a folder, for programs that do the same work. */
void bench_pinn_export(const char *folder);

#endif
