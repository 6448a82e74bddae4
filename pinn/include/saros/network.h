/** Networks as plain values: an MLP is a list of weight values and a rule to apply it.
 *
 *  Used by the network method, as a term of an equation, and by scripts.
 */
#ifndef SAROS_NETWORK_H
#define SAROS_NETWORK_H

#include "saros/autodiff.h"
#include "saros/options.h"

typedef struct saros_network_options {
    int64_t layers, width;   /**< hidden; 0: 4, 32 */
    const char *activation;  /**< tanh (default), sin, sigmoid, softplus, relu */
    int64_t inputs, outputs; /**< set by the method; scripts may set them */
} saros_network_options;
SAROS_API_DATA const saros_option_table saros_network_table;

/** Architecture: refcount-free plain description resolved from options. */
typedef struct saros_network {
    int64_t layers, width, inputs, outputs;
    saros_unary_fn *activation;
    const char *activation_name;
} saros_network;

SAROS_API saros_status saros_network_make(const saros_network_options *options, saros_network *out);
/** Number of weights as one flat vector; the flat vector is the unit of training, saving and
 * differentiating. */
SAROS_API int64_t saros_network_size(const saros_network *network);
/** Glorot-normal start from `seed`: f64 or f32 (size). */
SAROS_API saros_status saros_network_start(const saros_network *network, int64_t seed,
                                           saros_dtype dtype, saros_tensor **out);
/** y (n, outputs) from x (n, inputs) and the flat weights. */
SAROS_API saros_value saros_network_apply(const saros_network *network, saros_value weights,
                                          saros_value x);
/** Weights with the architecture in the metadata (safetensors); loads alone in a fresh process. */
SAROS_API saros_status saros_network_save(const saros_network *network, saros_tensor *weights,
                                          const char *path, bool overwrite);
SAROS_API saros_status saros_network_load(const char *path, saros_network *network,
                                          saros_tensor **weights);

#endif
