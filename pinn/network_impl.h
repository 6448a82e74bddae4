/** Inside of the network. */
#ifndef SAROS_NETWORK_IMPL_H
#define SAROS_NETWORK_IMPL_H

#include "saros/network.h"

/** Where layer `k` (0 … layers) begins in the flat vector, and the shape (in, out) of its W; b
 * follows W. */
int64_t saros_network_layer(const saros_network *network, int64_t k, int64_t shape[2]);

#endif
