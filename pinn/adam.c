/** Adam: steps along bias-corrected averages of gradient and squared gradient (Kingma and Ba 2015,
 * algorithm 1), beta = (0.9, 0.999), epsilon = 1e-8.
 *
 *  The step size follows a schedule over the steps of this optimiser: constant, exponential (to
 * lr/100 at the end), cosine (to 0). The moments stay when the points are drawn anew.
 */
#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "train_impl.h"
#include "vector_impl.h"

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

static saros_status step_size(const saros_optimiser *options, int64_t k, int64_t steps,
                              double *out) {
    const char *schedule = options->schedule ? options->schedule : "constant";
    const double lr = options->lr > 0 ? options->lr : 1e-3;
    const double part = (double)k / (double)steps;
    if (!strcmp(schedule, "constant"))
        *out = lr;
    else if (!strcmp(schedule, "exponential"))
        *out = lr * pow(0.01, part);
    else if (!strcmp(schedule, "cosine"))
        *out = 0.5 * lr * (1 + cos(acos(-1.0) * part));
    else
        return saros_fail(SAROS_ERR_USAGE, "adam", "constant, exponential or cosine",
                          "no schedule is called \"%s\"", schedule);
    return SAROS_OK;
}

/** One step of every weight; scale1 and scale2 take the bias out of moment and square. */
SAROS_WIDE static void step(int64_t n, double lr, double scale1, double scale2,
                            const double *restrict g, double *restrict moment,
                            double *restrict square, double *restrict w) {
    for (int64_t i = 0; i < n; ++i) {
        moment[i] = beta1 * moment[i] + (1 - beta1) * g[i];
        square[i] = beta2 * square[i] + (1 - beta2) * g[i] * g[i];
        w[i] -= lr * (moment[i] * scale1) / (sqrt(square[i] * scale2) + epsilon);
    }
}

saros_status saros_adam_run(saros_training *training, const saros_optimiser *options, int64_t steps,
                            bool *over) {
    const int64_t n = training->objective->n;
    saros_status status = SAROS_OK;
    double power1 = 1, power2 = 1;
    double *moment = saros_allocate_zero(2 * (size_t)n, sizeof *moment);
    if (!moment) return SAROS_ERR_MEMORY;
    double *square = moment + n;
    for (int64_t k = 0; k < steps && !*over; ++k) {
        bool changed;
        double lr = 0;
        SAROS_TRY(saros_training_renew(training, &changed));
        SAROS_TRY(step_size(options, k, steps, &lr));
        power1 *= beta1;
        power2 *= beta2;
        step(n, lr, 1 / (1 - power1), 1 / (1 - power2), training->g, moment, square, training->w);
        ++training->info->iterations;
        SAROS_TRY(saros_training_evaluate(training, training->w, &training->loss, training->g));
        SAROS_TRY(saros_training_book(training, options->tolerance, over));
    }
done:
    saros_release(moment);
    return status;
}
