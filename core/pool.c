/** The pool: threads that share the tasks of one run at a time.
 *
 *  A run cuts its tasks into as many ranges as threads may take part, the same cut for every run of
 * as many tasks, so a thread meets the same part of an array in run after run and finds it in its
 * caches. A range is one word, first and last unit that nobody has taken. Its thread takes from the
 * front; whoever is out of units takes from the far end of the others', so that a thread which
 * sleeps or lost its core costs nothing but its help.
 *
 *  To take a unit is all there is of joining a run: the run cannot end before whoever took
 * one has reported it, and until then what describes the run stays. So a worker that is awake
 * learns of a run, takes its part and finds what to do in one line of memory, and reports with one
 * subtraction.
 *
 *  Who waits looks again and again for a short time (a sleeping thread takes about as long to
 * wake), then sleeps. Workers are made when first needed and end with the process; a child of fork
 * has none and makes its own. A child made inside a task must not return from it. Not here: which
 * runs are worth sharing (pool_share.c), and how work is cut into tasks, which must not depend on
 * the number of threads. */
#include "saros/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "pool_impl.h"
#include "status_impl.h"

enum {
    SPIN_NANOSECONDS = 50000,
    LINES = 128,  /* bytes that processors move together: two lines */
    MOMENT = 1000 /* nanoseconds that the last unit is left to a thread that is awake */
};

/** Of one thread; the caller of a run is number 0. */
typedef struct part {
    /* what a worker looks at, and what it finds there */
    _Alignas(LINES) atomic_uint_fast64_t range; /* first unit, end << 32, WHOLE; or LEAVE */
    saros_pool_task *task;
    void *user;
    int64_t tasks, per_unit;
    int parts;
    /* written when it falls asleep and wakes */
    _Alignas(LINES) atomic_bool sleeps;
    pthread_cond_t start;
    pthread_t thread;
} part;

/** A range that is not divided, and one that tells a worker to end. */
static const uint64_t WHOLE = UINT64_C(1) << 63, LEAVE = UINT64_MAX;

static struct {
    atomic_bool held;     /* a run is under way, or the process ends */
    int workers, up;      /* made; those of them that have begun */
    pthread_mutex_t lock; /* sleep, and the error of a run */
    pthread_cond_t end;
    atomic_int awake; /* workers */
    int64_t failed;   /* lowest failing task; `tasks` if none */
    saros_status status;
    saros_error_copy *error;
    _Alignas(LINES) atomic_int_fast64_t unreported; /* units */
    atomic_bool caller_sleeps;
    part part[SAROS_MOST_THREADS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .end = PTHREAD_COND_INITIALIZER};

static _Thread_local int inside_tasks; /* runs of several tasks this thread is in */

/* ---- ranges ---- */

static uint64_t make_range(int64_t first, int64_t end) {
    return (uint64_t)first | (uint64_t)end << 32;
}
/** Whether a thread takes all of it at once. */
static bool is_whole(uint64_t range) {
    return range >> 63;
}
static int64_t range_first(uint64_t range) {
    return (int64_t)(range & UINT32_MAX);
}
static int64_t range_end(uint64_t range) {
    return (int64_t)(range >> 32 & INT32_MAX);
}
static bool has_units(uint64_t range) {
    return range_first(range) < range_end(range);
}

/** Takes what a thread runs at a stretch of p's range, a unit or all of it; an empty range if
 * nothing is left. */
static uint64_t take(part *p, bool front) {
    uint64_t range = atomic_load_explicit(&p->range, memory_order_relaxed);
    while (has_units(range)) {
        const int64_t first = range_first(range), end = range_end(range);
        const uint64_t left = is_whole(range) ? 0
                              : front         ? make_range(first + 1, end)
                                              : make_range(first, end - 1);
        if (!atomic_compare_exchange_weak(&p->range, &range, left)) continue;
        return is_whole(range) ? range
               : front         ? make_range(first, first + 1)
                               : make_range(end - 1, end);
    }
    return 0;
}

/* ---- waiting ---- */

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/** LEAVE counts as work: its first unit is not before its end, but both are the largest. */
static bool is_wanted(part *p) {
    const uint64_t range = atomic_load(&p->range);
    return range == LEAVE || has_units(range);
}
static bool is_reported(part *p) {
    (void)p;
    return atomic_load(&pool.unreported) == 0;
}

/** Looks for `is_so` for a short time, if cores are free for that. */
static bool spin(bool (*is_so)(part *p), part *p) {
    if (!saros_threads_may_spin()) return is_so(p);
    const int64_t until = saros_pool_clock() + SPIN_NANOSECONDS;
    do {
        for (int k = 0; k < 32; ++k) {
            if (is_so(p)) return true;
            relax();
        }
    } while (saros_pool_clock() < until);
    return is_so(p);
}

/** A worker that was woken looks again for a while: the run that woke it may be over, but others
 * follow small ones. */
static void await_range(part *own) {
    while (!spin(is_wanted, own)) {
        pthread_mutex_lock(&pool.lock);
        atomic_store(&own->sleeps, true);
        atomic_fetch_sub(&pool.awake, 1);
        if (!is_wanted(own)) pthread_cond_wait(&own->start, &pool.lock);
        atomic_fetch_add(&pool.awake, 1);
        atomic_store(&own->sleeps, false);
        pthread_mutex_unlock(&pool.lock);
    }
}

static void await_workers(void) {
    if (spin(is_reported, NULL)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_sleeps, true);
    while (!is_reported(NULL)) pthread_cond_wait(&pool.end, &pool.lock);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.lock);
}

static void wake(part *p) {
    if (!atomic_load(&p->sleeps)) return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&p->start);
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

/** Runs a range and returns its units. */
static int64_t run_range(const part *run, uint64_t range) {
    const int64_t first = range_first(range), end = range_end(range);
    const int64_t last = end * run->per_unit;
    for (int64_t task = first * run->per_unit; task < last && task < run->tasks; ++task) {
        const saros_status status = run->task(run->user, task);
        if (status != SAROS_OK) keep_error(task, status);
    }
    return end - first;
}

/** The last unit of a thread that is awake is left to it for a moment: it has that part of the
 * arrays in its cache. */
static uint64_t help(part *p) {
    const uint64_t range = atomic_load_explicit(&p->range, memory_order_relaxed);
    const bool last = is_whole(range) || range_end(range) - range_first(range) == 1;
    if (has_units(range) && last && !atomic_load(&p->sleeps)) {
        const int64_t until = saros_pool_clock() + MOMENT;
        while (atomic_load_explicit(&p->range, memory_order_relaxed) == range &&
               saros_pool_clock() < until)
            relax();
    }
    return take(p, false);
}

/** Runs what is left of the own range, then of the others', and returns how many units. */
static int64_t work(int own, const part *run) {
    int64_t done = 0;
    uint64_t range;
    while (has_units(range = take(&pool.part[own], true))) done += run_range(run, range);
    for (int k = 1; k < run->parts; ++k)
        while (has_units(range = help(&pool.part[(own + k) % run->parts])))
            done += run_range(run, range);
    return done;
}

static void report(int64_t units) {
    if (atomic_fetch_sub(&pool.unreported, units) != units || !atomic_load(&pool.caller_sleeps))
        return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&pool.end);
    pthread_mutex_unlock(&pool.lock);
}

static void *worker(void *number) {
    const int own = (int)(intptr_t)number;
    part *mine = &pool.part[own];
    inside_tasks = 1;
    pthread_mutex_lock(&pool.lock);
    ++pool.up;
    atomic_fetch_add(&pool.awake, 1);
    pthread_cond_signal(&pool.end);
    pthread_mutex_unlock(&pool.lock);
    for (;;) {
        await_range(mine);
        if (atomic_load(&mine->range) == LEAVE) return NULL;
        const uint64_t range = take(mine, true);
        if (!has_units(range)) continue;
        const int64_t done = run_range(mine, range);
        /* where each has one range, the caller looks after the others' */
        report(is_whole(range) ? done : done + work(own, mine));
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
    pool.end = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    for (int k = 0; k <= pool.workers; ++k) atomic_store(&pool.part[k].range, 0);
    pool.workers = pool.up = 0;
    atomic_store(&pool.awake, 0);
    atomic_store(&pool.caller_sleeps, false);
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
    while (pool.workers < wanted) {
        part *next = &pool.part[pool.workers + 1];
        next->start = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
        atomic_store(&next->sleeps, false);
        if (pthread_create(&next->thread, NULL, worker, (void *)(intptr_t)(pool.workers + 1)))
            break;
        ++pool.workers;
    }
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
    for (int k = 1; k <= pool.workers; ++k) {
        atomic_store(&pool.part[k].range, LEAVE);
        wake(&pool.part[k]);
    }
    for (int k = 1; k <= pool.workers; ++k) pthread_join(pool.part[k].thread, NULL);
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

/** Hands out the ranges, but for the first one, and wakes whose worker sleeps. Returns what of the
 * first range the caller is to begin with. */
static uint64_t open_ranges(int64_t units, const part *run, uint64_t whole) {
    uint64_t begin = 0;
    for (int p = 0; p < run->parts; ++p) {
        part *to = &pool.part[p];
        const int64_t parts = run->parts, each = units / parts, more = units % parts;
        const int64_t first = each * p + more * p / parts;
        const int64_t end = each * (p + 1) + more * (p + 1) / parts;
        to->task = run->task;
        to->user = run->user;
        to->tasks = run->tasks;
        to->per_unit = run->per_unit;
        to->parts = run->parts;
        if (p == 0) begin = make_range(0, whole ? end : 1);
        atomic_store_explicit(
            &to->range, p > 0 ? make_range(first, end) | whole : make_range(whole ? end : 1, end),
            memory_order_release);
    }
    for (int p = 1; p < run->parts; ++p) wake(&pool.part[p]);
    return begin;
}

/** The caller and `workers` workers; `whole`: each gets one range. */
static saros_status run_shared(int workers, int64_t tasks, saros_pool_task *task, void *user,
                               bool whole) {
    part run = {.task = task, .user = user, .tasks = tasks, .parts = workers + 1};
    run.per_unit = 1 + tasks / INT32_MAX;
    const int64_t units = (tasks + run.per_unit - 1) / run.per_unit;
    pool.failed = tasks;
    pool.status = SAROS_OK;
    pool.error = NULL;
    atomic_store_explicit(&pool.unreported, units, memory_order_relaxed);
    ++inside_tasks;
    const int64_t begun = run_range(&run, open_ranges(units, &run, whole ? WHOLE : 0));
    /* whoever fell asleep while the ranges were on their way */
    atomic_thread_fence(memory_order_seq_cst);
    for (int p = 1; p <= workers; ++p) wake(&pool.part[p]);
    report(begun + work(0, &run));
    --inside_tasks;
    await_workers();
    const saros_status status = pool.status;
    saros_error_copy *error = pool.error;
    pool.error = NULL;
    atomic_store_explicit(&pool.held, false, memory_order_release);
    (void)saros_error_unpark(error);
    return status;
}

saros_status saros_pool_run_now(int64_t tasks, saros_pool_task *task, void *user,
                                saros_pool_way way, bool *shared) {
    int threads;
    const saros_status status = saros_threads_know(&threads);
    *shared = false;
    if (status != SAROS_OK) return status;
    if (way == SAROS_POOL_ALONE || tasks < 2 || threads < 2 || inside_tasks ||
        atomic_exchange(&pool.held, true))
        return run_serially(tasks, task, user);
    *shared = true;
    return run_shared(start_workers(tasks < threads ? (int)tasks - 1 : threads - 1), tasks, task,
                      user, way == SAROS_POOL_RANGES);
}

bool saros_pool_can_share(void) {
    int threads;
    return saros_threads_know(&threads) == SAROS_OK && threads > 1 && !inside_tasks;
}

bool saros_pool_is_awake(void) {
    return atomic_load(&pool.awake) > 0;
}

bool saros_pool_is_shared(void) {
    return inside_tasks > 0 && saros_threads() > 1;
}
