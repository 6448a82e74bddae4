/* Sparse Jacobians by hand: each loop writes the values of its rows one after the other, columns
 * ascending, and knows without a table where a row begins. */
#include "jacobian_impl.h"

#include "bratu_impl.h"

/* Five points, zero around: 3 entries at corners, 4 along sides. A line of n nodes has 5 n - 2
 * entries, the first and last one n fewer. */
void bench_jacobian_bratu(void *user, int64_t first, int64_t last) {
    const bench_jacobian_loop *l = user;
    const int64_t n = l->n;
    const double scale = (double)((n + 1) * (n + 1));
    double diagonal[1 << 12];
    for (int64_t i = first; i < last; ++i) {
        double *to = l->value + i * (5 * n - 2) - (i > 0 ? n : 0);
        const bool up = i > 0, down = i < n - 1;
        bench_bratu_exp(l->x + i * n, n, diagonal);
        for (int64_t j = 0; j < n; ++j) diagonal[j] = BRATU_LAMBDA * diagonal[j] - 4 * scale;
        if (up && down) {
            to[0] = to[2] = to[3] = scale;
            to[1] = diagonal[0];
            to += 4;
            for (int64_t j = 1; j < n - 1; ++j, to += 5) {
                to[0] = to[1] = to[3] = to[4] = scale;
                to[2] = diagonal[j];
            }
            to[0] = to[1] = to[3] = scale;
            to[2] = diagonal[n - 1];
            continue;
        }
        for (int64_t j = 0; j < n; ++j) {
            if (up) *to++ = scale;
            if (j > 0) *to++ = scale;
            *to++ = diagonal[j];
            if (j < n - 1) *to++ = scale;
            if (down) *to++ = scale;
        }
    }
}

/* Row of species s at a node that is not at an edge: neighbours before, the node's three species,
 * neighbours after. */
static inline void reaction_row(const double *u, int s, double d, double *to) {
    const double a = u[(s + 1) % 3], b = u[(s + 2) % 3];
    to[0] = to[1] = to[5] = to[6] = d;
    to[2 + s] = 1 - 2 * u[s] - REACTION_A * a - REACTION_B * b - 4 * d;
    to[2 + (s + 1) % 3] = -REACTION_A * u[s];
    to[2 + (s + 2) % 3] = -REACTION_B * u[s];
}

/* Periodic: at edges the neighbours stand elsewhere in the row, in the order of their columns. */
static void reaction_edge(const double *u, int64_t i, int64_t j, int64_t n, int s, double d,
                          double *to) {
    const int64_t near[4] = {(i + n - 1) % n * n + j, i * n + (j + n - 1) % n, i * n + (j + 1) % n,
                             (i + 1) % n * n + j};
    double row[7];
    int at = 0, before = 0;
    reaction_row(u, s, d, row);
    for (int k = 0; k < 4; ++k) before += near[k] < i * n + j;
    for (int k = 0; k < before; ++k) to[at++] = d;
    for (int k = 0; k < 3; ++k) to[at++] = row[2 + k];
    while (at < 7) to[at++] = d;
}

void bench_jacobian_reaction(void *user, int64_t first, int64_t last) {
    const bench_jacobian_loop *l = user;
    const int64_t n = l->n;
    double d[3];
    for (int s = 0; s < 3; ++s) d[s] = reaction_diffusion(s) * (double)(n * n);
    for (int64_t i = first; i < last; ++i) {
        const double *u = l->x + 3 * i * n;
        double *to = l->value + 21 * i * n;
        for (int64_t j = 0; j < n; ++j, u += 3, to += 21)
            for (int s = 0; s < 3; ++s)
                if (i > 0 && i < n - 1 && j > 0 && j < n - 1)
                    reaction_row(u, s, d[s], to + 7 * s);
                else
                    reaction_edge(u, i, j, n, s, d[s], to + 7 * s);
    }
}

/* The rows at the ends miss what lies outside: 3, 4 entries. */
static void banded_end(const bench_jacobian_loop *l, int64_t i, double *to) {
    const double *x = l->x;
    const int64_t n = l->n;
    const double a = i > 1 ? x[i - 2] : 0, b = i > 0 ? x[i - 1] : 0, c = i < n - 1 ? x[i + 1] : 0,
                 d = i < n - 2 ? x[i + 2] : 0;
    if (i > 1) *to++ = -b;
    if (i > 0) *to++ = c - a;
    *to++ = -1 + BANDED_C * d;
    if (i < n - 1) *to++ = b;
    if (i < n - 2) *to++ = BANDED_C * x[i];
}

void bench_jacobian_banded(void *user, int64_t first, int64_t last) {
    const bench_jacobian_loop *l = user;
    const int64_t n = l->n, end = last < n - 2 ? last : n - 2;
    const double *x = l->x;
    int64_t i = first;
    for (; i < 2; ++i) banded_end(l, i, l->value + 3 * i);
    for (double *to = l->value + 5 * i - 3; i < end; ++i, to += 5) {
        to[0] = -x[i - 1];
        to[1] = x[i + 1] - x[i - 2];
        to[2] = -1 + BANDED_C * x[i + 2];
        to[3] = x[i - 1];
        to[4] = BANDED_C * x[i];
    }
    for (; i < last; ++i) banded_end(l, i, l->value + 5 * i - 3 - (i == n - 1));
}
