/** Residual-adaptive points (Wu, Zhu, Tan, Kartha and Lu 2023, "RAD" with k = 1): of four times as
 * many candidates as points, point x is taken with probability proportional to
 *
 *      |r(x)| / mean |r| + 1,
 *
 *  so that half of the points follow the residual and half stay spread over the domain. The draw is
 * systematic: candidates stand in the low-discrepancy order of the sampler, and points are taken at
 * equal steps of the cumulated probability. A candidate may be taken twice.
 */
#include <math.h>
#include <string.h>

#include "objective_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"

enum { CANDIDATES = 4 };

/** A slice of candidates evaluated by one task. */
typedef struct survey {
    saros_loss *loss;
    const double *x; /* (total, coordinates) */
    double *size;    /* |r| */
    int64_t total, rows;
} survey;

static saros_status survey_block(void *user, int64_t block) {
    survey *s = user;
    saros_loss *loss = s->loss;
    saros_status status = SAROS_OK;
    const int d = loss->ansatz->coordinates, numbers = loss->ansatz->parameters;
    saros_tensor *points = NULL, *out = NULL, *in[64];
    const int64_t first = block * s->rows;
    SAROS_TRY(saros_tensor_make(SAROS_F64, 2, (int64_t[]){s->rows, d + 1}, &points));
    double *to = saros_tensor_data(points);
    for (int64_t i = 0; i < s->rows; ++i, to += d + 1) {
        memcpy(to, s->x + (first + i) % s->total * d, (size_t)d * sizeof *to);
        to[d] = 0;
    }
    in[0] = loss->w;
    memcpy(&in[1], loss->number, (size_t)numbers * sizeof *in);
    in[1 + numbers] = points;
    SAROS_TRY(saros_function_call(loss->residual, in, &out, NULL));
    const int64_t count = s->total - first < s->rows ? s->total - first : s->rows;
    memcpy(s->size + first, saros_tensor_const_data(out), (size_t)count * sizeof *s->size);
done:
    saros_tensor_release(points);
    saros_tensor_release(out);
    return status;
}

/** Takes `count` of the candidates at equal steps of the cumulated probability. */
static void take(saros_loss *loss, const survey *s, int64_t count) {
    const int d = loss->ansatz->coordinates;
    double sum = 0, passed = 0, row[SAROS_AXES + 1];
    for (int64_t i = 0; i < s->total; ++i) sum += s->size[i];
    /* The residual may vanish or blow up: then all candidates are equal. */
    const bool equal = !isfinite(sum) || sum <= 0;
    const double mean = sum / (double)s->total;
    const double step = (double)count / (2.0 * (double)s->total);
    int64_t taken = 0;
    row[d] = 1 / (double)count;
    for (int64_t i = 0; i < s->total; ++i) {
        passed += step * ((equal ? 1 : s->size[i] / mean) + 1);
        const bool last = i == s->total - 1;
        memcpy(row, s->x + i * d, (size_t)d * sizeof *row);
        while (taken < count && (last || passed > (double)taken + 0.5))
            saros_loss_put(loss, 0, taken++, row);
    }
}

saros_status saros_loss_resample(saros_loss *loss, int64_t iteration) {
    saros_status status = SAROS_OK;
    const saros_term *term = &loss->terms->term[0];
    survey s = {.loss = loss, .total = CANDIDATES * term->count};
    saros_tensor *candidates = NULL;
    const int64_t seed = loss->options->seed + iteration + SAROS_MOST_TERMS;
    SAROS_TRY(saros_domain_points(loss->ansatz, loss->options->sampler, seed, s.total, -1, 0,
                                  &candidates));
    s.x = saros_tensor_const_data(candidates);
    s.size = saros_allocate((size_t)s.total * sizeof *s.size);
    if (!s.size) SAROS_TRY(SAROS_ERR_MEMORY);
    s.rows = saros_function_output_type(loss->residual, 0)->shape[0];
    SAROS_TRY(saros_pool_run((s.total + s.rows - 1) / s.rows, survey_block, &s));
    take(loss, &s, term->count);
done:
    saros_release(s.size);
    saros_tensor_release(candidates);
    return status;
}
