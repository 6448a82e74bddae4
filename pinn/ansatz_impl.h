/** Inside of the network method: unknowns as a network inside exact conditions. */
#ifndef SAROS_ANSATZ_IMPL_H
#define SAROS_ANSATZ_IMPL_H

#include "saros/method.h"
#include "saros/network.h"

/** Which conditions of an unknown hold exactly. */
typedef struct saros_hard {
    bool initial;
    bool face[3][2]; /**< [axis][0 lo, 1 hi] */
} saros_hard;

/** u_k = A_k + D_k N_k; see ansatz.c. Coordinates are the space axes, then t if transient. */
typedef struct saros_ansatz {
    saros_problem *problem; /**< retained */
    saros_network network;
    saros_dtype dtype; /**< of the weights and the inside of the network; all else is f64 */
    int unknowns, axes, coordinates, parameters;
    double lo[SAROS_AXES], hi[SAROS_AXES]; /**< of the coordinates */
    bool periodic[SAROS_AXES];
    saros_hard *hard; /**< one per unknown */
} saros_ansatz;

/** Reads domain and conditions of the task; with `hard`, conditions that can hold exactly do.
 *  @param parameter tensors of the number parameters, in order. Errors: UNSUPPORTED for a
 * parameter that is a field; those of the network's options. */
saros_status saros_ansatz_make(const saros_task *task, const saros_network_options *options,
                               saros_dtype dtype, bool hard, saros_ansatz *out);
void saros_ansatz_clear(saros_ansatz *ansatz);
/** Unknowns (n) at coordinates (n). */
void saros_ansatz_apply(const saros_ansatz *ansatz, saros_value weights,
                        const saros_value *coordinate, const saros_value *parameter,
                        saros_value *unknown);
/** A_k (n), or SAROS_NONE where it is zero. */
saros_value saros_ansatz_lift(const saros_ansatz *ansatz, int k, const saros_value *coordinate,
                              const saros_value *parameter);
/** Outputs of a body without markers and unknowns (initial, conditions) at points: (n) each. */
void saros_ansatz_values(const saros_ansatz *ansatz, const saros_body *body,
                         const saros_value *coordinate, const saros_value *parameter,
                         saros_value *out);
/** Clears the flags of conditions that A cannot meet because the data disagree where they meet. */
saros_status saros_ansatz_settle(saros_ansatz *ansatz, saros_tensor *const *parameter);
/** "u: initial, x.lo, x.hi; v: x.lo" into `text`, "none" if there is none. */
void saros_ansatz_describe(const saros_ansatz *ansatz, char *text, size_t bytes);

#endif
