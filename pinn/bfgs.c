/** Self-scaled Broyden method with a dense inverse Hessian: for small nets far more accurate than
 * limited memory (Urban, Stefanou and Pons 2025; update of Al-Baali and Khalfan 2005).
 *
 *  With s = w' - w, y = g' - g, u = H y:
 *
 *      H' = (1/tau) (H - u u^T / y.u + phi v v^T) + s s^T / y.s,   v = sqrt(y.u) (s / y.s - u /
 * y.u)
 *
 *  phi and tau from b = s.B s / y.s and h = y.u / y.s; B s = -step g needs no B. Written in s and u
 * this is H' = a H + c_uu u u^T + c_us (s u^T + u s^T) + c_ss s s^T. Since H g is known from the
 * last direction, one product H g' gives both u and the next direction, and the update of one
 * iteration is applied in the same sweep over H as the product of the next: H (its lower triangle,
 * by rows) is read and written once an iteration. Threads share the sweep by lanes of rows, cut by
 * n alone, each with its own part of the product; parts are added in the order of the lanes.
 *
 *  The scaling tau <= 1 makes directions long: accepted steps are about a half, and a first trial
 * of 1 costs most searches a second evaluation. The first trial is 1.3 times an average of the
 * steps accepted lately, at most 1.
 *
 *  H is kept when the points are drawn anew: the curvature of the new loss is close to the old
 * one's.
 */
#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/pool.h"
#include "train_impl.h"
#include "vector_impl.h"

/** Above this H would take more than 400 MB. */
enum { MOST_WEIGHTS = 10000 };
/** Rows of a lane on average, and the most lanes there are. */
enum { LANE_ROWS = 128, MOST_LANES = 16 };

/** Coefficients of the update that H still waits for. */
typedef struct update {
    double a, uu, us, ss;
} update;

typedef struct inverse_hessian {
    int64_t n;
    double *h;      /* lower triangle, row i starts at i (i + 1) / 2 */
    double *s, *u;  /* of the waiting update */
    double *d, *hg; /* direction; H g */
    double *part;   /* of H g, one a lane */
    int64_t lanes;
    update waiting;
    double usual; /* length of the first trial of a search */
    bool fresh;   /* H is a multiple of the identity */
} inverse_hessian;

static saros_status hessian_make(inverse_hessian *m, int64_t n) {
    *m = (inverse_hessian){.n = n};
    if (n > MOST_WEIGHTS)
        return saros_fail(SAROS_ERR_DOMAIN, "bfgs", "use lbfgs, or a smaller network",
                          "%lld weights need a dense matrix of %.1f GB; at most %d are taken",
                          (long long)n, (double)n * (double)n * 4e-9, (int)MOST_WEIGHTS);
    const size_t size = (size_t)n;
    m->lanes = n < LANE_ROWS ? 1 : n > LANE_ROWS * MOST_LANES ? MOST_LANES : n / LANE_ROWS;
    m->h = saros_allocate((size * (size + 1) / 2 + (4 + (size_t)m->lanes) * size) * sizeof(double));
    if (!m->h) return SAROS_ERR_MEMORY;
    m->s = m->h + size * (size + 1) / 2;
    m->u = m->s + n;
    m->d = m->u + n;
    m->hg = m->d + n;
    m->part = m->hg + n;
    return SAROS_OK;
}

static void hessian_reset(inverse_hessian *m, double scale) {
    const size_t size = (size_t)m->n;
    memset(m->h, 0, size * (size + 1) / 2 * sizeof(double));
    for (int64_t i = 0; i < m->n; ++i) m->h[i * (i + 1) / 2 + i] = scale;
    memset(m->s, 0, 2 * size * sizeof(double));
    m->waiting = (update){.a = 1};
    m->usual = 1;
    m->fresh = true;
}

/** One row of the sweep: h = a h + p s + q u; returns h.x and adds h x_i to out. */
static inline double sweep_row(int64_t count, double *restrict h, double a, double p, double q,
                               double x_i, const double *restrict s, const double *restrict u,
                               const double *restrict x, double *restrict out) {
    double lane[8] = {0};
    int64_t j = 0;
    for (; j + 8 <= count; j += 8)
        for (int k = 0; k < 8; ++k) {
            const double value = a * h[j + k] + (p * s[j + k] + q * u[j + k]);
            h[j + k] = value;
            lane[k] += value * x[j + k];
            out[j + k] += value * x_i;
        }
    for (int k = 0; j < count; ++j, ++k) {
        const double value = a * h[j] + (p * s[j] + q * u[j]);
        h[j] = value;
        lane[k] += value * x[j];
        out[j] += value * x_i;
    }
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/** First row of a lane: lanes have equal areas of the triangle. */
static int64_t first_row(const inverse_hessian *m, int64_t lane) {
    return (int64_t)((double)m->n * sqrt((double)lane / (double)m->lanes));
}

/** Rows first … last-1 of the sweep; their part of H g, `last` numbers, into `part`. */
SAROS_WIDE static void sweep_rows(const inverse_hessian *m, const double *g, int64_t first,
                                  int64_t last, double *part) {
    const update c = m->waiting;
    memset(part, 0, (size_t)last * sizeof(double));
    for (int64_t i = first; i < last; ++i) {
        double *row = m->h + i * (i + 1) / 2;
        const double p = c.ss * m->s[i] + c.us * m->u[i], q = c.us * m->s[i] + c.uu * m->u[i];
        const double off = sweep_row(i, row, c.a, p, q, g[i], m->s, m->u, g, part);
        row[i] = c.a * row[i] + (p * m->s[i] + q * m->u[i]);
        part[i] += off + row[i] * g[i];
    }
}

typedef struct sweep {
    const inverse_hessian *m;
    const double *g;
} sweep;

static saros_status sweep_lane(void *user, int64_t lane) {
    const sweep *x = user;
    sweep_rows(x->m, x->g, first_row(x->m, lane), first_row(x->m, lane + 1),
               x->m->part + lane * x->m->n);
    return SAROS_OK;
}

/** Applies the waiting update to H and computes hg = H g in one sweep. */
static saros_status hessian_sweep(inverse_hessian *m, const double *g) {
    sweep x = {m, g};
    const saros_status status = saros_pool_run(m->lanes, sweep_lane, &x);
    if (status != SAROS_OK) return status;
    memset(m->hg, 0, (size_t)m->n * sizeof(double));
    for (int64_t lane = 0; lane < m->lanes; ++lane) {
        const double *part = m->part + lane * m->n;
        for (int64_t i = 0; i < first_row(m, lane + 1); ++i) m->hg[i] += part[i];
    }
    m->waiting = (update){.a = 1};
    return SAROS_OK;
}

static saros_status hessian_aim(inverse_hessian *m, const double *g) {
    const saros_status status = hessian_sweep(m, g);
    for (int64_t i = 0; i < m->n; ++i) m->d[i] = -m->hg[i];
    return status;
}

/** phi and tau of the self-scaled family (Al-Baali and Khalfan 2005; Urban et al. 2025). For n = 1
 * the exponent -1/(n-1) has no meaning and its factor is 1. */
static void self_scaling(int64_t n, double b, double h, double *phi, double *tau) {
    const double a = fmax(b * h - 1, 1e-16), c = sqrt(a / (a + 1)); /* b h >= 1 but for rounding */
    const double rho = fmin(1, h * (1 - c));
    const double low = (rho - 1) / a, high = 1 / rho;
    const double theta = fmax(low, fmin(high, (1 - b) / b));
    const double sigma = 1 + a * theta, power = n > 1 ? pow(sigma, -1 / (double)(n - 1)) : 1;
    const double first = fmin(1, 1 / b);
    *phi = (1 - theta) / sigma;
    *tau = theta > 0 ? first * fmin(power, 1 / theta) : fmin(first * power, sigma);
}

/** Books the accepted step and turns d into -H' g. The last direction was d = -H old. */
static saros_status hessian_update(inverse_hessian *m, double step, const double *g,
                                   const double *old) {
    const int64_t n = m->n;
    double *s = m->s, *u = m->u, *d = m->d;
    double ys = 0, yy = 0, yu = 0, b = 0, phi, tau;
    for (int64_t i = 0; i < n; ++i) {
        const double y = g[i] - old[i];
        ys += step * d[i] * y;
        yy += y * y;
    }
    if (!(ys > 1e-16 * yy)) /* no curvature in this pair: H would lose its sign */
        return hessian_aim(m, g);
    if (m->fresh) { /* first scale: Nocedal and Wright 6.20 */
        const double scale = ys / yy;
        hessian_reset(m, scale);
        for (int64_t i = 0; i < n; ++i) d[i] *= scale;
        step /= scale;
    }
    m->fresh = false;
    const saros_status status = hessian_sweep(m, g);
    if (status != SAROS_OK) return status;
    for (int64_t i = 0; i < n; ++i) {
        s[i] = step * d[i];
        u[i] = m->hg[i] + d[i];
        yu += (g[i] - old[i]) * u[i];
        b -= step * s[i] * old[i];
    }
    self_scaling(n, b / ys, yu / ys, &phi, &tau);
    m->waiting = (update){.a = 1 / tau,
                          .uu = (phi - 1) / (tau * yu),
                          .us = -phi / (tau * ys),
                          .ss = phi * yu / (tau * ys * ys) + 1 / ys};
    const double ug = saros_vector_dot(n, u, g), sg = saros_vector_dot(n, s, g);
    const double along_u = m->waiting.uu * ug + m->waiting.us * sg;
    const double along_s = m->waiting.us * ug + m->waiting.ss * sg;
    for (int64_t i = 0; i < n; ++i)
        d[i] = -(m->waiting.a * m->hg[i] + along_u * u[i] + along_s * s[i]);
    return SAROS_OK;
}

/** Searches along d, from steepest descent if d is no descent or leads nowhere; *step 0: stuck. */
static saros_status hessian_search(inverse_hessian *m, saros_training *training, double *step) {
    for (;;) {
        const double slope = saros_vector_dot(m->n, training->g, m->d);
        const double first =
            m->fresh ? fmin(1, 1 / saros_vector_largest(m->n, training->g)) : m->usual;
        *step = 0;
        if (slope < 0) {
            const saros_status status = saros_line_search(training, m->d, slope, first, step);
            if (status != SAROS_OK) return status;
        }
        if (*step > 0 && !m->fresh) m->usual = fmin(1, 0.8 * m->usual + 0.26 * *step);
        if (*step > 0 || m->fresh) return SAROS_OK;
        hessian_reset(m, 1);
        const saros_status status = hessian_aim(m, training->g);
        if (status != SAROS_OK) return status;
    }
}

saros_status saros_bfgs_run(saros_training *training, const saros_optimiser *options, int64_t steps,
                            bool *over) {
    saros_status status = SAROS_OK;
    inverse_hessian m = {0};
    SAROS_TRY(hessian_make(&m, training->objective->n));
    hessian_reset(&m, 1);
    SAROS_TRY(hessian_aim(&m, training->g));
    for (int64_t k = 0; k < steps && !*over; ++k) {
        bool changed;
        double step;
        SAROS_TRY(saros_training_renew(training, &changed));
        if (changed) SAROS_TRY(hessian_aim(&m, training->g));
        SAROS_TRY(hessian_search(&m, training, &step));
        if (!(step > 0)) {
            training->info->reason = "line search found no decrease";
            break;
        }
        ++training->info->iterations;
        SAROS_TRY(saros_training_book(training, options->tolerance, over));
        if (!*over) SAROS_TRY(hessian_update(&m, step, training->g, training->other_g));
    }
done:
    saros_release(m.h);
    return status;
}
