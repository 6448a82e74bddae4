/** Which runs are shared, and how.
 *
 *  To hand a run over and to hear of its end takes a fraction of a microsecond from a worker that
 * is awake and fifty from one that sleeps; arrays that another core wrote come at a few bytes a
 * nanosecond. So what is long is always shared; what is shorter than it takes to wake a worker is
 * shared while such runs follow one another closely; and every thread gets the same range of every
 * array. Where that turns out to be slower than alone, it is given up for a while, altogether: if
 * only some kernels ran alone, arrays would move all the time.
 *
 *  What is measured here decides who computes, never what. */
#include <string.h>

#include "pool_impl.h"

/** Nanoseconds: of work on one thread, or between runs. */
enum {
    SMALL = 20000,   /* shared only with workers that are awake */
    LONG = 100000,   /* from here on shared always */
    CLOSE = 10000,   /* from run to run of those that follow one another closely */
    LOSS = 1000000,  /* that sharing may lose until */
    REST = 50000000, /* for so long it is given up */
    STREAK = 16,     /* close runs until a worker is woken for them */
    SETTLED = 200,   /* runs alone until they tell how long they take */
    AFTER = 500,     /* what saros_pool_run_after runs takes alone, about */
    KINDS = 128      /* of runs whose time is known, a power of two */
};

/** What this thread knows of its runs. */
static _Thread_local struct {
    int64_t end;  /* of the last one */
    int64_t rest; /* until then only long ones are shared */
    int streak;   /* small ones that followed closely */
    bool shared;  /* the last one was */
    int settled;  /* not shared ones since the last that was */
    double loss;  /* that shared ones took longer than alone, less what they gained */
    struct {
        double estimate, alone; /* and what it was, near the least */
    } kind[KINDS];
} mine;

saros_status saros_pool_run(int64_t tasks, saros_pool_task *task, void *user) {
    bool shared;
    const saros_status status = saros_pool_run_now(tasks, task, user, SAROS_POOL_UNITS, &shared);
    if (!shared) return status;
    mine.shared = true;
    mine.end = saros_pool_clock();
    return status;
}

static bool is_to_share(int64_t now, double alone, bool awake) {
    const bool close = now - mine.end < CLOSE;
    mine.streak = close ? mine.streak + 1 : 0;
    if (now < mine.rest) return false;
    if (alone >= SMALL) return true;
    return saros_threads_may_spin() && mine.streak >= STREAK &&
           (awake || mine.streak % STREAK == 0);
}

/** What is known of runs with this estimate, which tells kernels apart. */
static double *time_alone(double estimate) {
    uint64_t bits;
    memcpy(&bits, &estimate, sizeof bits);
    const size_t k = (size_t)(bits * UINT64_C(0x9e3779b97f4a7c15) >> 57) % KINDS;
    if (mine.kind[k].estimate < estimate || mine.kind[k].estimate > estimate) {
        mine.kind[k].estimate = estimate;
        mine.kind[k].alone = estimate;
    }
    return &mine.kind[k].alone;
}

/** What disturbs a run makes it longer. The first ones after others that were shared fetch their
 * arrays from other caches. */
static void learn(double took, double estimate) {
    if (++mine.settled < SETTLED) return;
    mine.settled = SETTLED;
    double *alone = time_alone(estimate);
    *alone += (took - *alone) / (took < *alone ? 4 : 256);
}

/** A worker may lose its core to others, or cores be far apart. The first shared runs move arrays
 * too, which pays later. */
static void count_loss(double took, double alone) {
    mine.loss += took - alone;
    if (mine.loss < 0) mine.loss = 0;
    if (mine.loss < LOSS) return;
    mine.loss = 0;
    mine.rest = mine.end + REST;
}

saros_status saros_pool_run_small(int64_t tasks, saros_pool_task *task, void *user, double alone) {
    /* looking at the clock takes as long as a tenth of the smallest kernels */
    if (tasks < 2 || !saros_pool_can_share() || alone >= LONG)
        return saros_pool_run(tasks, task, user);
    const int64_t start = saros_pool_clock();
    const bool awake = saros_pool_is_awake();
    const saros_pool_way way = !is_to_share(start, alone, awake) ? SAROS_POOL_ALONE
                               : awake || alone < SMALL          ? SAROS_POOL_RANGES
                                                                 : SAROS_POOL_UNITS;
    const saros_status status = saros_pool_run_now(tasks, task, user, way, &mine.shared);
    mine.end = saros_pool_clock();
    if (mine.shared) mine.settled = 0;
    if (!mine.shared)
        learn((double)(mine.end - start), alone);
    else if (awake)
        count_loss((double)(mine.end - start), *time_alone(alone));
    return status;
}

saros_status saros_pool_run_after(int64_t tasks, saros_pool_task *task, void *user) {
    const int64_t start = mine.shared ? saros_pool_clock() : 0;
    const bool follows = mine.shared && start - mine.end < CLOSE;
    bool shared;
    const saros_status status = saros_pool_run_now(
        tasks, task, user, follows ? SAROS_POOL_RANGES : SAROS_POOL_ALONE, &shared);
    if (!shared) return status;
    mine.end = saros_pool_clock();
    count_loss((double)(mine.end - start), AFTER);
    return status;
}
