/** Inside of the pool: how many threads there should be. */
#ifndef SAROS_POOL_IMPL_H
#define SAROS_POOL_IMPL_H

#include <stdbool.h>

#include "saros/pool.h"

/** Threads by the rule of pool.h. Errors: USAGE naming SAROS_THREADS if its value is none. */
saros_status saros_threads_count(int *threads);
/** Whether threads may wait by spinning: ranks on this node times `threads` fit its cores. */
bool saros_threads_may_spin(int threads);

/** saros_pool_run for work of a few microseconds, `nanoseconds` in all on one thread: less than it
 * takes to wake a worker. It is shared while such runs follow one another closely, so that workers
 * look for the next one, and as long as that is quicker; else it runs on the spot. */
saros_status saros_pool_run_small(int64_t tasks, saros_pool_task *task, void *user,
                                  double nanoseconds);

/** Whether this thread is inside a task while others may be, too. */
bool saros_pool_is_shared(void);

enum { SAROS_MOST_THREADS = 1024 };

#endif
