/** Line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, 2nd
 * ed., algorithms 3.5 and 3.6, cubic interpolation 3.59):
 *
 *      f(a) <= f(0) + c1 a f'(0),   |f'(a)| <= c2 |f'(0)|,   c1 = 1e-4, c2 = 0.9.
 *
 *  Near the minimum f(a) - f(0) drowns in rounding; there the first condition may be replaced by
 * one on slopes, f'(a) <= (2 c1 - 1) f'(0), if f(a) <= f(0) (1 + 1e-10) (Hager and Zhang 2005,
 * "approximate Wolfe"). A trial whose loss is not finite counts as too long.
 */
#include <math.h>

#include "train_impl.h"

static const double c1 = 1e-4, c2 = 0.9;
enum { MOST_TRIALS = 25 };

typedef struct trial {
    double a, f, slope;
} trial;

static saros_status try_step(saros_training *training, const double *d, double a, trial *out) {
    const int64_t n = training->objective->n;
    const double *w = training->w;
    double *x = training->other_w;
    for (int64_t i = 0; i < n; ++i) x[i] = w[i] + a * d[i];
    *out = (trial){.a = a};
    const saros_status status = saros_training_evaluate(training, x, &out->f, training->other_g);
    if (status != SAROS_OK) return status;
    out->slope = saros_vector_dot(n, training->other_g, d);
    if (!isfinite(out->f) || !isfinite(out->slope)) {
        out->f = INFINITY;
        out->slope = INFINITY;
    }
    return SAROS_OK;
}

static bool is_decrease(const trial *start, const trial *t) {
    return t->f <= start->f + c1 * t->a * start->slope;
}

static bool is_accepted(const trial *start, const trial *t) {
    if (is_decrease(start, t)) return fabs(t->slope) <= -c2 * start->slope;
    return t->f <= start->f + 1e-10 * fabs(start->f) && t->slope >= c2 * start->slope &&
           t->slope <= (2 * c1 - 1) * start->slope;
}

/** Minimum of the cubic through both trials, kept a tenth of the interval away from its ends. */
static double between(const trial *lo, const trial *hi) {
    const double width = hi->a - lo->a;
    double a = lo->a + 0.5 * width;
    if (isfinite(hi->f)) {
        const double p = lo->slope + hi->slope - 3 * (lo->f - hi->f) / (lo->a - hi->a);
        const double root = p * p - lo->slope * hi->slope;
        if (root >= 0) {
            const double q = width > 0 ? sqrt(root) : -sqrt(root);
            const double cubic =
                hi->a - width * (hi->slope + q - p) / (hi->slope - lo->slope + 2 * q);
            if (isfinite(cubic)) a = cubic;
        }
    } else {
        a = lo->a + 0.1 * width;
    }
    const double first = lo->a + 0.1 * width, last = hi->a - 0.1 * width;
    return width > 0 ? fmin(fmax(a, first), last) : fmax(fmin(a, first), last);
}

static void accept(saros_training *training, const trial *t, double *step) {
    double *w = training->w, *g = training->g;
    training->w = training->other_w;
    training->g = training->other_g;
    training->other_w = w;
    training->other_g = g;
    training->loss = t->f;
    *step = t->a;
}

saros_status saros_line_search(saros_training *training, const double *d, double slope,
                               double first, double *step) {
    const trial start = {0, training->loss, slope};
    trial lo = start, hi = {0}, now;
    bool bracketed = false;
    double a = first;
    *step = 0;
    for (int k = 0; k < MOST_TRIALS; ++k) {
        const saros_status status = try_step(training, d, a, &now);
        if (status != SAROS_OK) return status;
        if (is_accepted(&start, &now)) {
            accept(training, &now, step);
            return SAROS_OK;
        }
        if (!is_decrease(&start, &now) || now.f >= lo.f) {
            hi = now;
            bracketed = true;
        } else {
            /* A lower point: the minimum lies where the slope leads from it. */
            if (bracketed ? now.slope * (hi.a - lo.a) >= 0 : now.slope >= 0) hi = lo;
            bracketed = bracketed || now.slope >= 0;
            lo = now;
        }
        if (bracketed && fabs(hi.a - lo.a) <= 1e-15 * fabs(hi.a + lo.a)) break;
        a = bracketed ? between(&lo, &hi) : 2.5 * a;
    }
    if (lo.a > 0 &&
        lo.f < start.f) { /* decrease without the curvature condition: better than none */
        const saros_status status = try_step(training, d, lo.a, &now);
        if (status != SAROS_OK) return status;
        accept(training, &now, step);
    }
    return SAROS_OK;
}
