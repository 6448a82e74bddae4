/** Inside of training: the point a method stands on, its objective, and what methods share.
 *
 *  Methods work on f64 vectors whatever the objective computes in; they are plain loops over
 * `saros_training` and end either because the training is over (`*over`) or because their own steps
 * are used up.
 */
#ifndef SAROS_TRAIN_IMPL_H
#define SAROS_TRAIN_IMPL_H

#include "saros/train.h"

/** What is minimised. */
typedef struct saros_objective {
    int64_t n;
    /** Loss and gradient at `w`; a loss that is not finite is no error of this call. */
    saros_status (*evaluate)(void *user, const double *w, double *loss, double *gradient);
    /** Called before each iteration; may change the objective (other points) and says so. NULL:
     * never. */
    saros_status (*renew)(void *user, int64_t iteration, const double *w, bool *changed);
    void *user;
} saros_objective;

/** A training in progress. `w`, `g`, `loss` are the point reached; `other_w`, `other_g` are room
 * for a trial and hold the point before it once the trial is accepted. */
typedef struct saros_training {
    const saros_objective *objective;
    double *w, *g, *other_w, *other_g;
    double loss;
    double target;
    saros_train_progress_fn progress;
    void *user;
    int64_t history_room;
    saros_train_info *info;
} saros_training;

/** Runs the list of optimisers from `w` (n) and leaves the end there. As saros_train. */
saros_status saros_train_objective(const saros_objective *objective, double *w,
                                   const saros_option_list *optimisers, double target,
                                   saros_train_progress_fn progress, void *user,
                                   saros_train_info *info);

/** Evaluates at `w` into `loss`, `gradient`; counts. */
saros_status saros_training_evaluate(saros_training *training, const double *w, double *loss,
                                     double *gradient);
/** Books an iteration: history, progress, gradient norm; `*over` once the target or the tolerance
 * is reached. Errors: NAN naming the iteration, STOPPED. */
saros_status saros_training_book(saros_training *training, double tolerance, bool *over);
/** Lets the objective change; then the loss and gradient at `w` are computed anew. */
saros_status saros_training_renew(saros_training *training, bool *changed);

/** Strong Wolfe search along `d` from the point reached, `slope` = g.d < 0, first trial `first`.
 *  On success the training stands on the new point and *step is the length taken; no decrease
 * found: *step is 0 and the training has not moved. */
saros_status saros_line_search(saros_training *training, const double *d, double slope,
                               double first, double *step);

/* The methods; `*over`: the whole training is over. */
typedef saros_status saros_train_method(saros_training *training, const saros_optimiser *options,
                                        int64_t steps, bool *over);
saros_train_method saros_adam_run, saros_lbfgs_run, saros_bfgs_run;

/** Sums in eight interleaved parts, added in a fixed order, so that they vectorise and repeat. */
double saros_vector_dot(int64_t n, const double *a, const double *b);
double saros_vector_largest(int64_t n, const double *a); /**< max |a_i| */

/** A compiled (w, extra…) -> (loss, gradient) as an objective, `user` of saros_function_evaluate.
 */
typedef struct saros_function_objective {
    const saros_function *function;
    saros_tensor *in[64]; /**< w in the function's dtype, extras */
    saros_tensor *out[2]; /**< loss, gradient */
    int64_t n;            /**< length of w */
} saros_function_objective;
/** Sets the weights alone. */
saros_status saros_function_weights(saros_function_objective *objective, const double *w);
saros_status saros_function_evaluate(void *user, const double *w, double *loss, double *gradient);

#endif
