/* The table of benchmarks: what the machine can do, then what the library makes of it. */
#include "bench_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Calls in a row until they take 2 ms, then the best such batch within 200 ms. */
double bench_seconds(bench_fn *run, void *user) {
    int64_t calls = 1;
    double best = INFINITY, spent = 0;
    run(user);
    while (spent < 0.2) {
        const double began = now();
        for (int64_t k = 0; k < calls; ++k) run(user);
        const double took = now() - began;
        spent += took;
        if (took < 2e-3)
            calls *= 2;
        else if (took / (double)calls < best)
            best = took / (double)calls;
    }
    return best;
}

void bench_row(const char *what, double value, const char *unit) {
    printf("%-52s %10.4g %s\n", what, value, unit);
    fflush(stdout);
}

void bench_check(saros_status status) {
    if (status == SAROS_OK) return;
    fprintf(stderr, "%s: %s\n", saros_error_last()->where, saros_error_last()->message);
    exit(1);
}

int main(void) {
    printf("saros %s, %s, %s%s%s\n\n", SAROS_VERSION, SAROS_BUILD_COMPILER, SAROS_BUILD_TYPE,
           SAROS_BUILD_ARCH[0] ? ", -march=" : "", SAROS_BUILD_ARCH);
    bench_memory();
    bench_arithmetic();
    bench_operations();
    bench_graph();
    return 0;
}
