/** L-BFGS: the direction -H g from the last pairs s = w' - w, y = g' - g by the two-loop recursion
 * (Nocedal and Wright, algorithm 7.4, H0 = (s.y / y.y) I) with the strong Wolfe search
 * (algorithm 7.5).
 *
 *  Pairs are dropped when the points are drawn anew, for they describe another function. A search
 * that fails is tried once more from steepest descent before the method gives up.
 */
#include <math.h>

#include "saros/memory.h"
#include "train_impl.h"

/** Ring of pairs: pair k lives in row k % room. */
typedef struct pairs {
    int64_t n, room, count;
    double *s, *y, *inverse; /* inverse[k] = 1 / (s.y) */
    double *alpha;
} pairs;

static saros_status pairs_make(pairs *p, int64_t n, int64_t room) {
    const size_t rows = (size_t)room;
    *p = (pairs){.n = n, .room = room};
    p->s = saros_allocate((2 * (size_t)n + 2) * rows * sizeof(double));
    if (!p->s) return SAROS_ERR_MEMORY;
    p->y = p->s + n * room;
    p->inverse = p->y + n * room;
    p->alpha = p->inverse + room;
    return SAROS_OK;
}

static void pairs_add(pairs *p, double step, const double *d, const double *g, const double *old) {
    const int64_t row = p->count % p->room;
    double *s = p->s + row * p->n, *y = p->y + row * p->n;
    for (int64_t i = 0; i < p->n; ++i) {
        s[i] = step * d[i];
        y[i] = g[i] - old[i];
    }
    const double sy = saros_vector_dot(p->n, s, y), yy = saros_vector_dot(p->n, y, y);
    if (!(sy > 1e-16 * yy)) return; /* no curvature in this pair: H would lose its sign */
    p->inverse[row] = 1 / sy;
    ++p->count;
}

static void direction(pairs *p, const double *g, double *d) {
    const int64_t n = p->n, first = p->count > p->room ? p->count - p->room : 0;
    for (int64_t i = 0; i < n; ++i) d[i] = -g[i];
    for (int64_t k = p->count - 1; k >= first; --k) {
        const int64_t row = k % p->room;
        const double *s = p->s + row * n, *y = p->y + row * n;
        const double alpha = p->inverse[row] * saros_vector_dot(n, s, d);
        p->alpha[row] = alpha;
        for (int64_t i = 0; i < n; ++i) d[i] -= alpha * y[i];
    }
    if (p->count > first) {
        const int64_t row = (p->count - 1) % p->room;
        const double *y = p->y + row * n;
        const double scale = 1 / (p->inverse[row] * saros_vector_dot(n, y, y));
        for (int64_t i = 0; i < n; ++i) d[i] *= scale;
    }
    for (int64_t k = first; k < p->count; ++k) {
        const int64_t row = k % p->room;
        const double *s = p->s + row * n, *y = p->y + row * n;
        const double beta = p->inverse[row] * saros_vector_dot(n, y, d);
        for (int64_t i = 0; i < n; ++i) d[i] += (p->alpha[row] - beta) * s[i];
    }
}

saros_status saros_lbfgs_run(saros_training *training, const saros_optimiser *options,
                             int64_t steps, bool *over) {
    const int64_t n = training->objective->n;
    saros_status status = SAROS_OK;
    pairs p = {0};
    double *d = saros_allocate((size_t)n * sizeof *d);
    if (!d) return SAROS_ERR_MEMORY;
    SAROS_TRY(pairs_make(&p, n, options->memory > 0 ? options->memory : 50));
    for (int64_t k = 0; k < steps && !*over; ++k) {
        bool changed;
        double step;
        SAROS_TRY(saros_training_renew(training, &changed));
        if (changed) p.count = 0;
        for (;;) {
            direction(&p, training->g, d);
            const double slope = saros_vector_dot(n, training->g, d);
            const double first = p.count ? 1 : fmin(1, 1 / saros_vector_largest(n, training->g));
            step = 0;
            if (slope < 0) SAROS_TRY(saros_line_search(training, d, slope, first, &step));
            if (step > 0 || p.count == 0) break;
            p.count = 0;
        }
        if (!(step > 0)) {
            training->info->reason = "line search found no decrease";
            break;
        }
        ++training->info->iterations;
        pairs_add(&p, step, d, training->g, training->other_g);
        SAROS_TRY(saros_training_book(training, options->tolerance, over));
    }
done:
    saros_release(p.s);
    saros_release(d);
    return status;
}
