/** States of a loop held for its reverse sweep, in memory and in a file. */
#ifndef SAROS_REGION_STATES_IMPL_H
#define SAROS_REGION_STATES_IMPL_H

#include <stdatomic.h>

#include "region_loop_impl.h"

/** State k is the carries before iteration position[k]; state 0, before the first one, is not held
 * here. */
typedef struct saros_states {
    int64_t most;  /**< at once, state 0 among them */
    int64_t disk;  /**< states 1 … disk are in the file, the others in memory */
    int64_t bytes; /**< of one state, every carry padded to 64 bytes */
    int64_t top;   /**< the last one that is held */
    int64_t *position;
    char *memory;
    char *buffer; /**< to read a state from the file, and to write one */
    int64_t read; /**< state in the first buffer, or 0 */
    int file;     /**< -1: none */
    const char *folder;
    atomic_bool taken; /**< by a sweep, which moves them */
} saros_states;

/** How far to advance before the next of s states is stored, n > 1 iterations to reverse. */
int64_t saros_states_stride(int64_t n, int64_t s);
/** Room for the states of a loop of n iterations, `bytes` each, as `view` asks for. */
saros_status saros_states_make(const saros_loop_view *view, int64_t n, int64_t bytes,
                               saros_states **out);
void saros_states_release(saros_states *states);
/** Where the carries of state k > 0 are to be written; then saros_states_keep. */
char *saros_states_room(saros_states *states, int64_t k);
saros_status saros_states_keep(saros_states *states, int64_t k);
/** The carries of state k > 0, until the next is read from the file. */
saros_status saros_states_find(saros_states *states, int64_t k, char **out);

/** The states as an opaque value, which owns them, also on failure. */
saros_status saros_states_wrap(saros_states *states, saros_tensor **out);
saros_states *saros_states_of(const saros_tensor *tensor);

static inline int64_t saros_padded(int64_t bytes) {
    return (bytes + 63) & ~(int64_t)63;
}

#endif
