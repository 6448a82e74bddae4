/** The request to stop: one flag of the process. */
#include "saros/stop.h"

#include <stdatomic.h>

static atomic_bool requested; /* lock-free, so that a signal handler may set it */

void saros_stop(void) {
    atomic_store_explicit(&requested, true, memory_order_relaxed);
}
void saros_stop_clear(void) {
    atomic_store_explicit(&requested, false, memory_order_relaxed);
}
bool saros_stop_requested(void) {
    return atomic_load_explicit(&requested, memory_order_relaxed);
}
