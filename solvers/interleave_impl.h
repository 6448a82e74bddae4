/** Arrays written side by side: the inner loops of compress.c. */
#ifndef SAROS_INTERLEAVE_IMPL_H
#define SAROS_INTERLEAVE_IMPL_H

#include <stdint.h>

/** Numbers `step` apart; step 0: the same one again and again. */
typedef struct saros_numbers {
    const double *from;
    int64_t step;
} saros_numbers;

/** Four arrays that go side by side to `to` of each period: `from` step 0 means four equal numbers,
 * else it is 1. */
typedef struct saros_quad {
    const double *from[4];
    int64_t step[4], to;
} saros_quad;

/** to[j width + q.to + k] = number j of q.from[k], for all quads; count is a multiple of four. */
void saros_interleave_quads(int n, const saros_quad *quad, int64_t width, int64_t count,
                            double *to);
/** to[j width + k] = number j of a[k], for j < count and k < n. */
void saros_interleave(int n, const saros_numbers *a, int64_t width, int64_t count, double *to);
/** to[j width] += number j of a. */
void saros_interleave_add(saros_numbers a, int64_t width, int64_t count, double *to);

#endif
