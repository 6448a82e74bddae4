/** Inside of the pool: how many threads there should be. */
#ifndef SAROS_POOL_IMPL_H
#define SAROS_POOL_IMPL_H

#include <stdbool.h>
#include <time.h>

#include "saros/pool.h"

/** Threads that share work. Errors: USAGE naming SAROS_THREADS if its value is none. */
saros_status saros_threads_know(int *threads);
/** Whether they may wait by spinning: ranks on this node times threads fit its cores. */
bool saros_threads_may_spin(void);

static inline int64_t saros_pool_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- pool.c ---- */

typedef enum saros_pool_way {
    SAROS_POOL_ALONE,
    SAROS_POOL_UNITS, /**< threads take task after task */
    SAROS_POOL_RANGES /**< each thread takes a range of tasks at once */
} saros_pool_way;

/** Runs tasks in a given way; `shared`: the pool took part. */
saros_status saros_pool_run_now(int64_t tasks, saros_pool_task *task, void *user,
                                saros_pool_way way, bool *shared);
/** Whether this thread may share a run: there are others, and it is in no task. */
bool saros_pool_can_share(void);
/** Whether a worker looks for work. */
bool saros_pool_is_awake(void);

/* ---- pool_share.c ---- */

/** saros_pool_run for work that takes about `nanoseconds` on one thread. What takes less than to
 * wake a worker is shared while such runs follow one another closely, so that workers look for the
 * next one. Each thread gets one range of tasks, the same in every run of as many. Where runs
 * turn out to be quicker alone, none but long ones is shared for a while. */
saros_status saros_pool_run_small(int64_t tasks, saros_pool_task *task, void *user,
                                  double nanoseconds);

/** saros_pool_run for work of less than a microsecond on the rows of an array: shared if the run
 * before was and has just ended, because then each thread has its rows in its own cache. */
saros_status saros_pool_run_after(int64_t tasks, saros_pool_task *task, void *user);

/** Whether this thread is inside a task while others may be, too. */
bool saros_pool_is_shared(void);

enum { SAROS_MOST_THREADS = 1024 };

#endif
