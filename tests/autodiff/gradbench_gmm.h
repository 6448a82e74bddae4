/** GradBench's Gaussian mixture (github.com/gradbench/gradbench, after ADBench: Srajer, Kukelova,
 * Fitzgibbon, Optimization Methods and Software 33, 2018): logarithm of the posterior of K
 * Gaussians in D dimensions at N points, with a Wishart prior on their precisions.
 *
 *      sum_i log sum_k exp(alpha_k + sum q_k - 1/2 |L_k (x_i - mu_k)|^2) - N log sum_k exp alpha_k
 *      + 1/2 gamma^2 |L|^2 - m sum q + constants,        L_k lower, its diagonal exp(q_k) */
#ifndef SAROS_TESTS_GRADBENCH_GMM_H
#define SAROS_TESTS_GRADBENCH_GMM_H

#include <math.h>

#include "saros/memory.h"
#include "saros/ops.h"

typedef struct gmm {
    int64_t points, d, parts;
    double gamma;
    int64_t wishart;
} gmm;

static inline int64_t gmm_below(const gmm *g) {
    return g->d * (g->d - 1) / 2;
}

/** Constant terms: of the density, and of the Wishart prior (its multivariate gamma function). */
static inline double gmm_constant(const gmm *g) {
    const double pi = acos(-1), d = (double)g->d, n = (double)(g->d + g->wishart + 1);
    double log_gamma = 0.25 * d * (d - 1) * log(pi);
    for (int64_t j = 1; j <= g->d; ++j) log_gamma += lgamma(0.5 * n + 0.5 * (double)(1 - j));
    double prior = n * d * (log(g->gamma) - 0.5 * log(2)) - log_gamma;
    return -0.5 * (double)g->points * d * log(2 * pi) - (double)g->parts * prior;
}

/** Types of what gmm_value takes: weights (K), means (K,D), logarithms of the diagonals (K,D),
 * entries below them row by row (K, D(D-1)/2), points (N,D). */
enum { GMM_MOVING = 4, GMM_INS };
static inline void gmm_types(const gmm *g, saros_type type[GMM_INS]) {
    type[0] = saros_type_make(SAROS_F64, 1, &g->parts);
    type[1] = type[2] = saros_type_make(SAROS_F64, 2, (int64_t[]){g->parts, g->d});
    type[3] = saros_type_make(SAROS_F64, 2, (int64_t[]){g->parts, gmm_below(g)});
    type[4] = saros_type_make(SAROS_F64, 2, (int64_t[]){g->points, g->d});
}

/** Lower factors (K,D,D) from their diagonals and what stands below. */
static inline saros_value gmm_factors(const gmm *g, saros_value diagonal, saros_value below) {
    const int64_t d = g->d, shape[2] = {d, d};
    int64_t *place = saros_allocate((size_t)(d * d) * sizeof *place), next = 0;
    double *unit = saros_allocate_zero((size_t)(d * d), sizeof *unit);
    saros_tensor *where = NULL, *eye = NULL;
    saros_value lower = SAROS_NONE;
    for (int64_t a = 0; place && unit && a < d; ++a) {
        for (int64_t b = 0; b < d; ++b) place[a * d + b] = b < a ? next++ : gmm_below(g);
        unit[a * d + a] = 1;
    }
    if (place && unit && saros_tensor_from(SAROS_I64, 2, shape, place, &where) == SAROS_OK &&
        saros_tensor_from(SAROS_F64, 2, shape, unit, &eye) == SAROS_OK) {
        saros_value padded = saros_pad(below, 1, 0, 1, 0, 0);
        lower = saros_gather(padded, saros_constant(below.graph, where), 1);
        saros_value column = saros_reshape(diagonal, 3, (int64_t[]){g->parts, d, 1});
        lower = saros_add(lower, saros_mul(column, saros_constant(below.graph, eye)));
    }
    saros_tensor_release(where);
    saros_tensor_release(eye);
    saros_release(place);
    saros_release(unit);
    return saros_is_none(lower) ? saros_poison(below.graph) : lower;
}

static inline saros_value gmm_value(const gmm *g, const saros_value in[GMM_INS]) {
    saros_value alpha = in[0], mean = in[1], q = in[2], l = in[3];
    saros_value x = saros_reshape(in[4], 3, (int64_t[]){g->points, 1, g->d});
    saros_value scale = saros_exp(q), apart = saros_sub(x, mean); /* (N,K,D) */
    saros_value moved = saros_dot_general(gmm_factors(g, scale, l), apart, 1, (int[]){2},
                                          (int[]){2}, 1, (int[]){0}, (int[]){1}); /* (K,D,N) */
    saros_value half = saros_mul(saros_like(x, 0.5), saros_sum(saros_mul(moved, moved), 2));
    saros_value own = saros_add(alpha, saros_sum(q, 2));
    saros_value exponent = saros_sub(saros_reshape(own, 2, (int64_t[]){g->parts, 1}), half);
    saros_value y = saros_sum(saros_logsumexp(exponent, 1), 1);
    y = saros_sub(y, saros_mul(saros_like(y, (double)g->points), saros_logsumexp(alpha, 1)));
    saros_value size =
        saros_add(saros_sum(saros_mul(scale, scale), 3), saros_sum(saros_mul(l, l), 3));
    y = saros_add(y, saros_mul(saros_like(y, 0.5 * g->gamma * g->gamma), size));
    y = saros_sub(y, saros_mul(saros_like(y, (double)g->wishart), saros_sum(q, 3)));
    return saros_add(y, saros_like(y, gmm_constant(g)));
}

#endif
