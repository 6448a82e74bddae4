/* Sparse Jacobians by the library and by hand: what both share. */
#ifndef SAROS_JACOBIAN_IMPL_H
#define SAROS_JACOBIAN_IMPL_H

#include "bench_impl.h"

#define REACTION_A 0.9
#define REACTION_B 1.2
#define BANDED_C 0.1

/** Diffusion of species s, times the squared number of nodes an axis. */
static inline double reaction_diffusion(int s) {
    return 1e-3 * (1 + s);
}

/** Operands of a loop by hand: state, and the values in the order of the rows. */
typedef struct bench_jacobian_loop {
    int64_t n; /**< nodes along an axis */
    const double *x;
    double *value;
} bench_jacobian_loop;

/** Grid rows (of the banded system: rows) first … last-1; each a bench_part of a
 * bench_jacobian_loop. */
void bench_jacobian_bratu(void *loop, int64_t first, int64_t last);
void bench_jacobian_reaction(void *loop, int64_t first, int64_t last);
void bench_jacobian_banded(void *loop, int64_t first, int64_t last);

#endif
