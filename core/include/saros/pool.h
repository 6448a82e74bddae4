/** Pool: the threads of this process that share the work of one call.
 *
 *  One pool for everything: kernels over large arrays, tiles of matrix products, lanes of row
 * regions. Its size: saros_threads_set > SAROS_THREADS > OMP_NUM_THREADS > cores of the affinity
 * mask divided by the ranks on this node. What a task computes must not depend on who runs it or
 * when, so results are the same bits on any number of threads.
 */
#ifndef SAROS_POOL_H
#define SAROS_POOL_H

#include <stdint.h>

#include "saros/export.h"
#include "saros/status.h"

/** One task. Errors are recorded on the thread that runs it and handed to the caller of
 * saros_pool_run. */
typedef saros_status saros_pool_task(void *user, int64_t task);

/** Runs tasks 0 … tasks-1, each once, on the caller and the pool; returns when all are done. All
 * tasks run even if one fails; the error of the lowest failing task is the caller's. A call from
 * inside a task, or while another thread holds the pool, runs its tasks in order on the spot (a run
 * of one task is a plain call, and no task in this sense). Errors: USAGE if SAROS_THREADS is needed
 * and is no number from 1 to 1024; those of the tasks. */
SAROS_API saros_status saros_pool_run(int64_t tasks, saros_pool_task *task, void *user);

/** Threads that share work, the caller included; 1 while SAROS_THREADS has a wrong value. */
SAROS_API int saros_threads(void);
/** Sets their number from now on; 0: by the rule above, the environment read anew. Errors: USAGE if
 * negative or above 1024, or for a wrong SAROS_THREADS. */
SAROS_API saros_status saros_threads_set(int threads);

/** Between the two, which nest and may run on several threads at once, the linear algebra library
 * (OpenBLAS) uses no threads of its own. The library does this around its own calls; a program that
 * leaves all threads to the pool calls begin once at its start. */
SAROS_API void saros_blas_begin(void);
SAROS_API void saros_blas_end(void);

#endif
