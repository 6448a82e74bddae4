/* Memory bandwidth of one core, after J. D. McCalpin's STREAM: copy a = b, triad a = b + s c. Bytes
 * counted as STREAM does, without the read that a write causes. */
#include "bench_impl.h"

#include <stdio.h>

typedef struct arrays {
    int64_t n;
    double *a, *b, *c;
} arrays;

static void copy(void *user) {
    const arrays *x = user;
    double *restrict a = x->a;
    const double *restrict b = x->b;
    for (int64_t i = 0; i < x->n; ++i) a[i] = b[i];
    __asm__ volatile("" ::: "memory"); /* the next call may not be merged with this one */
}

static void triad(void *user) {
    const arrays *x = user;
    double *restrict a = x->a;
    const double *restrict b = x->b, *restrict c = x->c;
    for (int64_t i = 0; i < x->n; ++i) a[i] = b[i] + 3.0 * c[i];
    __asm__ volatile("" ::: "memory");
}

static void measure(const char *where, int64_t n) {
    char what[64];
    arrays x = {n, saros_allocate_zero((size_t)n, 8), saros_allocate_zero((size_t)n, 8),
                saros_allocate_zero((size_t)n, 8)};
    if (x.a && x.b && x.c) {
        for (int64_t i = 0; i < n; ++i) x.b[i] = x.c[i] = 1;
        snprintf(what, sizeof what, "copy, %s", where);
        bench_row(what, 16e-9 * (double)n / bench_seconds(copy, &x), "GB/s");
        snprintf(what, sizeof what, "triad, %s", where);
        bench_row(what, 24e-9 * (double)n / bench_seconds(triad, &x), "GB/s");
    }
    saros_release(x.a);
    saros_release(x.b);
    saros_release(x.c);
}

void bench_memory(void) {
    measure("arrays of 8 kB", 1 << 10);
    measure("arrays of 256 kB", 1 << 15);
    measure("arrays of 64 MB", 1 << 23);
}
