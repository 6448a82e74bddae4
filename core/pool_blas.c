/** The threads of the linear algebra library: none beside ours, while our calls run.
 *
 *  OpenBLAS has threads of its own and one setting for the whole process; whoever comes first saves
 * it and sets one thread, whoever leaves last restores it. Other libraries of the kind do not know
 * the calls, and then there is nothing to do. */
#include <pthread.h>

#include "saros/pool.h"

extern int openblas_get_num_threads(void) __attribute__((weak));
extern void openblas_set_num_threads(int threads) __attribute__((weak));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users, before;

void saros_blas_begin(void) {
    if (!openblas_get_num_threads || !openblas_set_num_threads) return;
    pthread_mutex_lock(&lock);
    if (users++ == 0 && (before = openblas_get_num_threads()) > 1) openblas_set_num_threads(1);
    pthread_mutex_unlock(&lock);
}

void saros_blas_end(void) {
    if (!openblas_get_num_threads || !openblas_set_num_threads) return;
    pthread_mutex_lock(&lock);
    if (--users == 0 && before > 1) openblas_set_num_threads(before);
    pthread_mutex_unlock(&lock);
}
