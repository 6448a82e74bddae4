/** Inside of the network method: the loss as an objective of training. */
#ifndef SAROS_OBJECTIVE_IMPL_H
#define SAROS_OBJECTIVE_IMPL_H

#include "terms_impl.h"
#include "train_impl.h"

/** A parameter trained along with the weights: p(theta), theta = 0 at the start. */
typedef struct saros_trained {
    int parameter; /**< among the number parameters */
    double start, min, max;
} saros_trained;

typedef struct saros_loss {
    const saros_ansatz *ansatz;
    const saros_terms *terms;
    const saros_pinn_options *options;
    int trained;
    const saros_trained *parameter; /**< those trained */
    saros_function_objective step;  /**< (w, p…, points…) -> (loss, gradient); all owned */
    saros_function *function;       /**< that of the step */
    saros_function *residual;       /**< (w, p…, candidates) -> |r| (rows) of the equation */
    int64_t renewed;                /**< iteration of the last drawing */
} saros_loss;

/** Compiles the training step.
 *  @param number values of the number parameters; @param trained those that are trained. */
saros_status saros_loss_make(const saros_ansatz *ansatz, const saros_terms *terms,
                             const saros_pinn_options *options, saros_tensor *const *number,
                             int trained, const saros_trained *parameter, saros_loss *out);
void saros_loss_clear(saros_loss *loss);
/** The loss as an objective; `user` is the saros_loss. */
saros_objective saros_loss_objective(saros_loss *loss);
/** p(theta) as a number. */
double saros_trained_value(const saros_trained *parameter, double theta);

enum { SAROS_CANDIDATES = 4 }; /**< per point drawn anew */
/** Draws the equation's points anew where the residual is large; see resample.c. */
saros_status saros_loss_resample(saros_loss *loss, int64_t iteration);

#endif
