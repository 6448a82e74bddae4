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

/** Takes `count` of the candidates x (total, d) to (count, d + 1) at equal steps of the cumulated
 * probability. */
static void take(int d, int64_t total, const double *x, const double *size, int64_t count,
                 double *to) {
    double sum = 0, passed = 0;
    for (int64_t i = 0; i < total; ++i) sum += size[i];
    /* The residual may vanish or blow up: then all candidates are equal. */
    const bool equal = !isfinite(sum) || sum <= 0;
    const double mean = sum / (double)total;
    const double step = (double)count / (2.0 * (double)total);
    int64_t taken = 0;
    for (int64_t i = 0; i < total; ++i) {
        passed += step * ((equal ? 1 : size[i] / mean) + 1);
        const bool last = i == total - 1;
        for (; taken < count && (last || passed > (double)taken + 0.5); ++taken, to += d + 1) {
            memcpy(to, x + i * d, (size_t)d * sizeof *to);
            to[d] = 1 / (double)count;
        }
    }
}

saros_status saros_loss_resample(saros_loss *loss, int64_t iteration) {
    saros_status status = SAROS_OK;
    const int64_t count = loss->terms->term[0].count, total = SAROS_CANDIDATES * count;
    const int d = loss->ansatz->coordinates, points = 1 + loss->ansatz->parameters;
    saros_tensor *in[64], *size = NULL;
    const int64_t seed = loss->options->seed + iteration + SAROS_MOST_TERMS;
    memcpy(in, loss->step.in, (size_t)points * sizeof *in);
    in[points] = NULL;
    SAROS_TRY(
        saros_domain_points(loss->ansatz, loss->options->sampler, seed, total, -1, 0, &in[points]));
    SAROS_TRY(saros_function_call(loss->residual, in, &size, NULL));
    take(d, total, saros_tensor_const_data(in[points]), saros_tensor_const_data(size), count,
         saros_tensor_data(loss->step.in[points]));
done:
    saros_tensor_release(in[points]);
    saros_tensor_release(size);
    return status;
}
