/* The operator rows, and those that need a process of their own. */
#ifndef SAROS_BENCH_OPERATORS_IMPL_H
#define SAROS_BENCH_OPERATORS_IMPL_H

#include "bench_impl.h"

/** Computes the parameter gradient of the mean squared Laplacian once, "collapsed" or "nested", or
 * only some products of one stream ("none"); hidden layers are at most so wide. The caller looks at
 * the memory. */
void bench_operators_memory(const char *how, int64_t width);
/** Writes weights, points and sums of squared results of the rows to a folder, for programs that do
 * the same work. */
void bench_operators_export(const char *folder);

#endif
