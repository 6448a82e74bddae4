/** The pool: workers that claim tasks of one run at a time from a counter.
 *
 *  A run publishes `seats`, the number of workers that may join. A worker joins by taking a seat
 * and counting itself inside, in one atomic step; the caller, out of tasks, takes the free seats
 * away and waits until nobody is inside. What describes the run is written only while there is no
 * seat and nobody inside, so whoever is inside reads it safely.
 *
 *  Who waits looks again and again for a short time (a sleeping thread takes about as long to
 * wake), then sleeps. Workers are made when first needed and end with the process; a child of fork
 * has none and makes its own. A child made inside a task must not return from it. Not here: how
 * work is cut into tasks, which must not depend on the number of threads. */
#include "saros/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "pool_impl.h"
#include "status_impl.h"

enum {
    SPIN_NANOSECONDS = 50000,
    SEAT = 1 << 16,
    CLOSE = 10000, /* nanoseconds between small runs that follow one another closely */
    STREAK = 16,   /* such runs until a worker is woken for them */
    WAKE = 100000, /* nanoseconds that it may take to wake one */
    PAUSE = 1000   /* runs on the spot after one that was slower than alone */
};

static struct {
    atomic_bool held;   /* a run is under way, or the process ends */
    atomic_int threads; /* 0: not known yet */
    atomic_bool may_spin;
    atomic_int_fast32_t state; /* SEAT * free seats + workers inside */
    atomic_int sleeping, spinning;
    atomic_bool caller_sleeps, closing;
    pthread_mutex_t lock; /* sleep, and the error of a run */
    pthread_cond_t start, end;
    int workers, up; /* made; those of them that have begun */
    pthread_t worker[SAROS_MOST_THREADS];
    /* the run */
    saros_pool_task *task;
    void *user;
    int64_t tasks;
    int parts; /* threads of the run: each has a range of tasks of its own, then helps the others */
    struct {
        _Alignas(64) atomic_int_fast64_t next;
    } part[SAROS_MOST_THREADS];
    int64_t failed; /* lowest failing task; `tasks` if none */
    saros_status status;
    saros_error_copy *error;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .start = PTHREAD_COND_INITIALIZER,
          .end = PTHREAD_COND_INITIALIZER};

static _Thread_local int inside_tasks; /* runs of several tasks this thread is in */

/** What this thread knows of its runs. */
static _Thread_local struct {
    int64_t end; /* of the last one that was small or shared */
    int streak;  /* small runs that followed closely; negative: a pause */
} small;

/* ---- waiting ---- */

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool has_seat(void) {
    return atomic_load(&pool.state) >= SEAT || atomic_load(&pool.closing);
}
static bool is_left(void) {
    return atomic_load(&pool.state) == 0;
}

/** Looks for `is_so` for a short time, if cores are free for that. */
static bool spin(bool (*is_so)(void)) {
    if (!atomic_load(&pool.may_spin)) return is_so();
    const int64_t until = nanoseconds() + SPIN_NANOSECONDS;
    do {
        for (int k = 0; k < 32; ++k) {
            if (is_so()) return true;
            relax();
        }
    } while (nanoseconds() < until);
    return is_so();
}

/** A worker that was woken looks again for a while: the run that woke it may be over, but others
 * follow small ones. */
static void await_seat(void) {
    for (;;) {
        atomic_fetch_add(&pool.spinning, 1);
        const bool found = spin(has_seat);
        atomic_fetch_sub(&pool.spinning, 1);
        if (found) return;
        pthread_mutex_lock(&pool.lock);
        atomic_fetch_add(&pool.sleeping, 1);
        if (!has_seat()) pthread_cond_wait(&pool.start, &pool.lock);
        atomic_fetch_sub(&pool.sleeping, 1);
        pthread_mutex_unlock(&pool.lock);
    }
}

static void await_workers(void) {
    if (spin(is_left)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_sleeps, true);
    while (!is_left()) pthread_cond_wait(&pool.end, &pool.lock);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.lock);
}

/* ---- tasks ---- */

static void keep_error(int64_t task, saros_status status) {
    saros_error_copy *error = saros_error_park();
    pthread_mutex_lock(&pool.lock);
    if (task < pool.failed) {
        saros_error_copy *old = pool.error;
        pool.failed = task;
        pool.status = status;
        pool.error = error;
        error = old;
    }
    pthread_mutex_unlock(&pool.lock);
    saros_error_drop(error);
}

/** First task of part p. */
static int64_t part_begin(int p) {
    return pool.tasks / pool.parts * p + pool.tasks % pool.parts * p / pool.parts;
}

/** Tasks of the own range first: thread `own` meets the same tasks in every run of the same size,
 * and so what it left in its cache. */
static void work(int own) {
    for (int k = 0; k < pool.parts; ++k) {
        const int p = (own + k) % pool.parts;
        const int64_t end = part_begin(p + 1);
        for (;;) {
            const int64_t task = atomic_fetch_add(&pool.part[p].next, 1);
            if (task >= end) break;
            const saros_status status = pool.task(pool.user, task);
            if (status != SAROS_OK) keep_error(task, status);
        }
    }
}

static bool join_run(void) {
    int_fast32_t state = atomic_load(&pool.state);
    while (state >= SEAT)
        if (atomic_compare_exchange_weak(&pool.state, &state, state - SEAT + 1)) return true;
    return false;
}

static void leave_run(void) {
    if (atomic_fetch_sub(&pool.state, 1) != 1 || !atomic_load(&pool.caller_sleeps)) return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&pool.end);
    pthread_mutex_unlock(&pool.lock);
}

static void *worker(void *number) {
    const int own = (int)(intptr_t)number;
    inside_tasks = 1;
    pthread_mutex_lock(&pool.lock);
    ++pool.up;
    pthread_cond_signal(&pool.end);
    pthread_mutex_unlock(&pool.lock);
    for (;;) {
        await_seat();
        if (atomic_load(&pool.closing)) return NULL;
        if (!join_run()) continue;
        work(own);
        leave_run();
    }
}

/* ---- the life of workers ---- */

static void before_fork(void) {
    pthread_mutex_lock(&pool.lock);
}
static void in_parent(void) {
    pthread_mutex_unlock(&pool.lock);
}
/** No thread but this one came along, so nobody sleeps, spins or runs. */
static void in_child(void) {
    pthread_mutex_unlock(&pool.lock);
    pool.start = pool.end = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool.workers = pool.up = 0;
    atomic_store(&pool.sleeping, 0);
    atomic_store(&pool.spinning, 0);
    atomic_store(&pool.caller_sleeps, false);
    atomic_store(&pool.state, 0);
    atomic_store(&pool.held, false);
}

static void prepare_fork(void) {
    pthread_atfork(before_fork, in_parent, in_child);
}

/** Makes workers up to `wanted` and waits until they have begun: a thread that is being started
 * holds locks and memory of the C library, which must not be cut off by a fork or an exit. One that
 * cannot be made is one fewer to help. Signals of the process are not theirs, those that a fault of
 * their own raises are. */
static int start_workers(int wanted) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF};
    if (pool.workers >= wanted) return wanted;
    pthread_once(&once, prepare_fork);
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t k = 0; k < sizeof faults / sizeof *faults; ++k) sigdelset(&blocked, faults[k]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    while (pool.workers < wanted && !pthread_create(&pool.worker[pool.workers], NULL, worker,
                                                    (void *)(intptr_t)(pool.workers + 1)))
        ++pool.workers;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&pool.lock);
    while (pool.up < pool.workers) pthread_cond_wait(&pool.end, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    return pool.workers;
}

/** At the end of the process. Whoever still runs tasks, or ends the process from inside of one, is
 * not waited for. */
__attribute__((destructor)) static void end_workers(void) {
    if (atomic_exchange(&pool.held, true)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.closing, true);
    pthread_cond_broadcast(&pool.start);
    pthread_mutex_unlock(&pool.lock);
    for (int k = 0; k < pool.workers; ++k) pthread_join(pool.worker[k], NULL);
    pool.workers = 0;
}

/* ---- runs ---- */

static saros_status run_serially(int64_t tasks, saros_pool_task *task, void *user) {
    saros_status status = SAROS_OK;
    saros_error_copy *error = NULL;
    inside_tasks += tasks > 1; /* a run of one task is a plain call */
    for (int64_t k = 0; k < tasks; ++k) {
        const saros_status one = task(user, k);
        if (one == SAROS_OK || status != SAROS_OK) continue;
        status = one;
        if (k < tasks - 1) error = saros_error_park();
    }
    inside_tasks -= tasks > 1;
    (void)saros_error_unpark(error);
    return status;
}

/** Opens seats and wakes as many sleepers as those who look for a seat do not fill. */
static void open_seats(int seats) {
    atomic_store(&pool.state, (int_fast32_t)seats * SEAT);
    int wake = seats - atomic_load(&pool.spinning);
    const int sleeping = atomic_load(&pool.sleeping);
    if (wake > sleeping) wake = sleeping;
    if (wake <= 0) return;
    pthread_mutex_lock(&pool.lock);
    for (int k = 0; k < wake; ++k) pthread_cond_signal(&pool.start);
    pthread_mutex_unlock(&pool.lock);
}

static saros_status run_shared(int seats, int64_t tasks, saros_pool_task *task, void *user) {
    pool.task = task;
    pool.user = user;
    pool.tasks = pool.failed = tasks;
    pool.status = SAROS_OK;
    pool.error = NULL;
    pool.parts = seats + 1;
    for (int p = 0; p < pool.parts; ++p) atomic_store(&pool.part[p].next, part_begin(p));
    open_seats(seats);
    ++inside_tasks;
    work(0);
    --inside_tasks;
    int_fast32_t state = atomic_load(&pool.state);
    while (!atomic_compare_exchange_weak(&pool.state, &state, state % SEAT)) {
    }
    await_workers();
    const saros_status status = pool.status;
    saros_error_copy *error = pool.error;
    pool.error = NULL;
    atomic_store(&pool.held, false);
    (void)saros_error_unpark(error);
    return status;
}

static saros_status know_threads(int *threads) {
    saros_status status = SAROS_OK;
    *threads = atomic_load(&pool.threads);
    if (!*threads && (status = saros_threads_set(0)) == SAROS_OK)
        *threads = atomic_load(&pool.threads);
    return status;
}

/** Whether a small run is to be shared: workers are awake, or it is time to wake them. */
static bool share_small(int threads) {
    if (threads < 2 || inside_tasks || !atomic_load(&pool.may_spin)) return false;
    const bool close = nanoseconds() - small.end < CLOSE;
    small.streak = close || small.streak < 0 ? small.streak + 1 : 0;
    if (small.streak < STREAK) return false;
    if (atomic_load(&pool.spinning) > 0) return true;
    return small.streak % STREAK == 0;
}

saros_status saros_pool_run_small(int64_t tasks, saros_pool_task *task, void *user,
                                  double nanoseconds_alone) {
    int threads;
    saros_status status = know_threads(&threads);
    if (status != SAROS_OK) return status;
    if (tasks < 2 || !share_small(threads)) {
        status = run_serially(tasks, task, user);
        if (threads > 1 && !inside_tasks) small.end = nanoseconds();
        return status;
    }
    const int64_t start = nanoseconds(), grace = atomic_load(&pool.spinning) ? CLOSE : WAKE;
    status = saros_pool_run(tasks, task, user);
    small.end = nanoseconds();
    /* a worker lost its core: others need it more */
    if ((double)(small.end - start) > 4 * nanoseconds_alone + (double)grace) small.streak = -PAUSE;
    return status;
}

saros_status saros_pool_run(int64_t tasks, saros_pool_task *task, void *user) {
    int threads;
    const saros_status status = know_threads(&threads);
    if (status != SAROS_OK) return status;
    if (tasks < 2 || threads < 2 || inside_tasks || atomic_exchange(&pool.held, true))
        return run_serially(tasks, task, user);
    const int seats = start_workers(tasks < threads ? (int)tasks - 1 : threads - 1);
    const saros_status all = run_shared(seats, tasks, task, user);
    small.end = nanoseconds();
    return all;
}

bool saros_pool_is_shared(void) {
    return inside_tasks > 0 && atomic_load(&pool.threads) > 1;
}

int saros_threads(void) {
    int threads;
    return know_threads(&threads) == SAROS_OK ? threads : 1;
}

saros_status saros_threads_set(int threads) {
    if (threads < 0 || threads > SAROS_MOST_THREADS)
        return saros_fail(SAROS_ERR_USAGE, "saros_threads_set", "0 for the default",
                          "%d threads, needed 0 to %d", threads, SAROS_MOST_THREADS);
    saros_status status = threads ? SAROS_OK : saros_threads_count(&threads);
    if (status != SAROS_OK) return status;
    atomic_store(&pool.may_spin, saros_threads_may_spin(threads));
    atomic_store(&pool.threads, threads);
    return SAROS_OK;
}
