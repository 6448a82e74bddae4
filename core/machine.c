/** What the machine can do at most: multiply-adds on registers, and bytes from memory.
 *
 *  The first is a loop of independent chains s = a s + b, enough of them to hide the latency of a
 * multiply-add and few enough to stay in registers; how many depends on the machine, so two counts
 * are tried. The second is the triad of STREAM (McCalpin 1995), a = b + s c, with plain stores,
 * counting three arrays. All threads of the pool take part, and the best of several runs counts,
 * because noise only takes away.
 *  Not here: caches between registers and memory. */
#include <math.h>
#include <pthread.h>
#include <time.h>

#include "primitives/pointwise_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"
#include "saros/profile.h"

enum { FEW = 48, MANY = 96, ROUNDS = 400000, REPEATS = 6 };
static const int64_t triad_count = 4 << 20; /* of each array; 96 MB in all */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- multiply-adds ---- */

SAROS_FAST_FMA static void chains_few(double *state) {
    double s[FEW];
    for (int k = 0; k < FEW; ++k) s[k] = state[k];
    for (int i = 0; i < ROUNDS; ++i)
        for (int k = 0; k < FEW; ++k) s[k] = fma(s[k], 0.999999, 1e-6);
    for (int k = 0; k < FEW; ++k) state[k] = s[k];
}

SAROS_FAST_FMA static void chains_many(double *state) {
    double s[MANY];
    for (int k = 0; k < MANY; ++k) s[k] = state[k];
    for (int i = 0; i < ROUNDS; ++i)
        for (int k = 0; k < MANY; ++k) s[k] = fma(s[k], 0.999999, 1e-6);
    for (int k = 0; k < MANY; ++k) state[k] = s[k];
}

static saros_status run_few(void *user, int64_t task) {
    double state[FEW] = {(double)task};
    chains_few(state);
    ((volatile double *)user)[task] = state[0];
    return SAROS_OK;
}
static saros_status run_many(void *user, int64_t task) {
    double state[MANY] = {(double)task};
    chains_many(state);
    ((volatile double *)user)[task] = state[0];
    return SAROS_OK;
}

/* ---- memory ---- */

typedef struct triad {
    double *a, *b, *c;
    int64_t parts;
} triad;

SAROS_FAST static void triad_run(double *restrict a, const double *restrict b,
                                 const double *restrict c, int64_t n) {
    for (int64_t i = 0; i < n; ++i) a[i] = b[i] + 3.0 * c[i];
}

static saros_status fill_part(void *user, int64_t task) {
    const triad *t = user;
    for (int64_t i = task * triad_count / t->parts; i < (task + 1) * triad_count / t->parts; ++i) {
        t->a[i] = 0;
        t->b[i] = 1;
        t->c[i] = 2;
    }
    return SAROS_OK;
}

static saros_status run_part(void *user, int64_t task) {
    const triad *t = user;
    const int64_t from = task * triad_count / t->parts;
    const int64_t to = (task + 1) * triad_count / t->parts;
    triad_run(t->a + from, t->b + from, t->c + from, to - from);
    return SAROS_OK;
}

/** Shortest of several runs of one task a thread. */
static saros_status shortest(int64_t tasks, saros_pool_task *task, void *user, double *out) {
    *out = INFINITY;
    for (int k = 0; k < REPEATS; ++k) {
        const double begin = seconds();
        const saros_status status = saros_pool_run(tasks, task, user);
        if (status != SAROS_OK) return status;
        *out = fmin(*out, seconds() - begin);
    }
    return SAROS_OK;
}

static saros_status measure(int threads, saros_machine *out) {
    saros_status status = SAROS_OK;
    double few, many, bytes;
    double *memory = saros_allocate(3 * (size_t)triad_count * sizeof *memory);
    double *results = saros_allocate((size_t)threads * sizeof *results);
    if (!memory || !results) SAROS_TRY(SAROS_ERR_MEMORY);
    triad t = {memory, memory + triad_count, memory + 2 * triad_count, threads};
    SAROS_TRY(shortest(threads, run_few, results, &few));
    SAROS_TRY(shortest(threads, run_many, results, &many));
    SAROS_TRY(saros_pool_run(threads, fill_part, &t));
    SAROS_TRY(shortest(threads, run_part, &t, &bytes));
    *out = (saros_machine){.threads = threads,
                           .operations = 2.0 * ROUNDS * threads * fmax(FEW / few, MANY / many),
                           .bytes = 3.0 * sizeof(double) * (double)triad_count / bytes};
done:
    saros_release(memory);
    saros_release(results);
    return status;
}

saros_status saros_machine_measure(saros_machine *out) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static saros_machine known;
    const int threads = saros_threads();
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&lock);
    if (known.threads != threads) status = measure(threads, &known);
    if (status == SAROS_OK) *out = known;
    pthread_mutex_unlock(&lock);
    return status;
}
