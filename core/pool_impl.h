/** Inside of the pool: how many threads there should be. */
#ifndef SAROS_POOL_IMPL_H
#define SAROS_POOL_IMPL_H

#include <stdbool.h>

#include "saros/status.h"

/** Threads by the rule of pool.h. Errors: USAGE naming SAROS_THREADS if its value is none. */
saros_status saros_threads_count(int *threads);
/** Whether threads may wait by spinning: ranks on this node times `threads` fit its cores. */
bool saros_threads_may_spin(int threads);

/** Whether this thread is inside a task while others may be, too. */
bool saros_pool_is_shared(void);

enum { SAROS_MOST_THREADS = 1024 };

#endif
