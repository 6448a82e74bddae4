/* What the benchmarks share: timing and the rows of the table. */
#ifndef SAROS_BENCH_IMPL_H
#define SAROS_BENCH_IMPL_H

#include <saros/saros.h>

typedef void bench_fn(void *user);

/** Seconds of one call of `run`: the best of many, each long enough to time. The best, because
 * noise only adds. */
double bench_seconds(bench_fn *run, void *user);
/** Prints a row. */
void bench_row(const char *what, double value, const char *unit);
/** Ends the program with the recorded error unless `status` is OK. */
void bench_check(saros_status status);

void bench_memory(void);
void bench_arithmetic(void);
void bench_operations(void);
void bench_graph(void);

#endif
