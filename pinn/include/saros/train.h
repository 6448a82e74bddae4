/** Training: first- and second-order methods on a flat vector of weights with one compiled step
 * function.
 *
 *  Adam (Kingma and Ba 2015), L-BFGS with a strong Wolfe line search (Nocedal and Wright,
 * algorithms 3.5, 3.6, 7.5), self-scaled BFGS for small nets. Each says why it stopped.
 */
#ifndef SAROS_TRAIN_H
#define SAROS_TRAIN_H

#include "saros/function.h"
#include "saros/options.h"

typedef struct saros_optimiser {
    const char *method;   /**< adam, lbfgs, bfgs */
    int64_t steps;        /**< 0: 1000 */
    double lr;            /**< adam: 0: 1e-3 */
    const char *schedule; /**< adam: constant (default), exponential, cosine */
    int64_t memory;       /**< lbfgs pairs; 0: 50 */
    double tolerance;     /**< stop when |gradient|_inf falls below; 0: 1e-12 */
} saros_optimiser;
SAROS_API_DATA const saros_option_table saros_optimiser_table;

typedef struct saros_train_info {
    int64_t iterations, evaluations;
    double loss, gradient_norm;
    bool converged;
    const char *reason; /**< "gradient below tolerance", "step limit", "line search found no
                           decrease", "stopped"… */
    int64_t history_count;
    double *history; /**< loss per iteration; release with saros_release */
} saros_train_info;

typedef bool (*saros_train_progress_fn)(int64_t iteration, double loss, void *user);

/** Runs the list of optimisers one after the other. @param objective (w, extra…) -> (loss,
 * gradient); `w` f64 or f32 (n).
 *  @param target loss at which to stop (0: none). Errors: NAN if the loss is not finite, with the
 * iteration; STOPPED. */
SAROS_API saros_status saros_train(const saros_function *objective, int extras,
                                   saros_tensor *const *extra, saros_tensor *start,
                                   const saros_option_list *optimisers, double target,
                                   saros_train_progress_fn progress, void *user,
                                   saros_tensor **solution, saros_train_info *info);

#endif
