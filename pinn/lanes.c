/** A few threads that run the tasks of one training step.
 *
 *  Tasks are claimed from a counter; what a task computes must not depend on who runs it, so
 * results are the same on any number of threads. Errors are parked with their task and the first in
 * order is given to the caller. One run at a time; no nesting.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lanes_impl.h"
#include "saros/memory.h"

struct saros_lanes {
    int threads; /* beside the caller */
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t start, end;
    int64_t round; /* counts runs; workers wait for the next */
    int busy;      /* workers still in this round */
    bool closing;
    saros_lane_task *task;
    void *user;
    int tasks;
    atomic_int next;
    int failed; /* lowest failing task; `tasks` if none */
    saros_error_copy *error;
};

static int positive(const char *name) {
    const char *text = getenv(name);
    const long value = text ? strtol(text, NULL, 10) : 0;
    return value > 0 && value < 1024 ? (int)value : 0;
}

static int thread_count(void) {
    cpu_set_t set;
    int count = positive("SAROS_THREADS");
    if (!count) count = positive("OMP_NUM_THREADS");
    if (!count && sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

static void keep_error(saros_lanes *lanes, int task) {
    saros_error_copy *error = saros_error_park();
    pthread_mutex_lock(&lanes->lock);
    if (task < lanes->failed) {
        saros_error_copy *old = lanes->error;
        lanes->failed = task;
        lanes->error = error;
        error = old;
    }
    pthread_mutex_unlock(&lanes->lock);
    if (error) (void)saros_error_unpark(error);
}

static void work(saros_lanes *lanes) {
    for (;;) {
        const int task = atomic_fetch_add(&lanes->next, 1);
        if (task >= lanes->tasks) return;
        if (lanes->task(lanes->user, task) != SAROS_OK) keep_error(lanes, task);
    }
}

static void *worker(void *argument) {
    saros_lanes *lanes = argument;
    int64_t round = 0;
    pthread_mutex_lock(&lanes->lock);
    for (;;) {
        while (lanes->round == round && !lanes->closing)
            pthread_cond_wait(&lanes->start, &lanes->lock);
        if (lanes->closing) break;
        round = lanes->round;
        pthread_mutex_unlock(&lanes->lock);
        work(lanes);
        pthread_mutex_lock(&lanes->lock);
        if (--lanes->busy == 0) pthread_cond_signal(&lanes->end);
    }
    pthread_mutex_unlock(&lanes->lock);
    return NULL;
}

saros_status saros_lanes_make(int tasks, saros_lanes **out) {
    int count = thread_count();
    if (count > tasks) count = tasks;
    if (count < 1) count = 1;
    saros_lanes *lanes = saros_allocate_zero(1, sizeof *lanes);
    if (!lanes) return SAROS_ERR_MEMORY;
    lanes->thread = saros_allocate((size_t)count * sizeof *lanes->thread);
    if (!lanes->thread) {
        saros_release(lanes);
        return SAROS_ERR_MEMORY;
    }
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->start, NULL);
    pthread_cond_init(&lanes->end, NULL);
    /* A thread that cannot be made is one fewer to help: the caller does all work if need be. */
    while (lanes->threads < count - 1 &&
           !pthread_create(&lanes->thread[lanes->threads], NULL, worker, lanes))
        ++lanes->threads;
    *out = lanes;
    return SAROS_OK;
}

void saros_lanes_release(saros_lanes *lanes) {
    if (!lanes) return;
    pthread_mutex_lock(&lanes->lock);
    lanes->closing = true;
    pthread_cond_broadcast(&lanes->start);
    pthread_mutex_unlock(&lanes->lock);
    for (int k = 0; k < lanes->threads; ++k) pthread_join(lanes->thread[k], NULL);
    pthread_cond_destroy(&lanes->end);
    pthread_cond_destroy(&lanes->start);
    pthread_mutex_destroy(&lanes->lock);
    saros_release(lanes->thread);
    saros_release(lanes);
}

saros_status saros_lanes_run(saros_lanes *lanes, int tasks, saros_lane_task *task, void *user) {
    pthread_mutex_lock(&lanes->lock);
    lanes->task = task;
    lanes->user = user;
    lanes->tasks = lanes->failed = tasks;
    lanes->error = NULL;
    atomic_store(&lanes->next, 0);
    lanes->busy = lanes->threads;
    ++lanes->round;
    pthread_cond_broadcast(&lanes->start);
    pthread_mutex_unlock(&lanes->lock);
    work(lanes);
    pthread_mutex_lock(&lanes->lock);
    while (lanes->busy > 0) pthread_cond_wait(&lanes->end, &lanes->lock);
    pthread_mutex_unlock(&lanes->lock);
    saros_error_copy *error = lanes->error;
    lanes->error = NULL;
    if (lanes->failed == tasks) return SAROS_OK;
    return error ? saros_error_unpark(error) : SAROS_ERR_MEMORY; /* no room to park */
}
