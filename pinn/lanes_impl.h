/** Inside of training: a few threads that run the tasks of one step. */
#ifndef SAROS_LANES_IMPL_H
#define SAROS_LANES_IMPL_H

#include <stdbool.h>

#include "saros/status.h"

typedef struct saros_lanes saros_lanes;
typedef saros_status saros_lane_task(void *user, int task);

/** Threads for at most `tasks` tasks: SAROS_THREADS, else OMP_NUM_THREADS, else the processors of
 * the affinity mask. */
saros_status saros_lanes_make(int tasks, saros_lanes **out);
void saros_lanes_release(saros_lanes *lanes);
/** Runs task(user, 0 … tasks-1), in any order, the caller helping; returns when all are done. The
 * first error in order of tasks is this thread's error. */
saros_status saros_lanes_run(saros_lanes *lanes, int tasks, saros_lane_task *task, void *user);

#endif
