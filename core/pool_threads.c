/** How many threads: what the user says, else a fair share of the cores.
 *
 *  The share is the cores of the affinity mask divided by the ranks that the starter of parallel
 * programs put on this node, which it tells in the environment; core knows no MPI. */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool_impl.h"
#include "saros/pool.h"

static atomic_int known; /* 0: not yet */
static atomic_bool may_spin;

/** The number a text begins with, up to `end`; 0 if it does not begin with one from 1 to `most`. */
static int leading_number(const char *text, long most, char **end) {
    errno = 0;
    const long value = strtol(text, end, 10);
    return *end != text && !errno && value >= 1 && value <= most ? (int)value : 0;
}

static int cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    const long online = sysconf(_SC_NPROCESSORS_ONLN); /* more cores than the set has bits */
    return online > 0 ? (int)online : 1;
}

static int ranks_on_node(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                        "MV2_COMM_WORLD_LOCAL_SIZE", "PMI_LOCAL_SIZE",
                                        "SLURM_NTASKS_PER_NODE"};
    for (size_t k = 0; k < sizeof names / sizeof *names; ++k) {
        char *end;
        const char *text = getenv(names[k]);
        const int ranks = text ? leading_number(text, 1 << 20, &end) : 0;
        if (ranks) return ranks;
    }
    return 1;
}

/** Threads by the rule of pool.h. */
static saros_status count_threads(int *threads) {
    char *end;
    const char *text = getenv("SAROS_THREADS");
    if (text) {
        const int value = leading_number(text, SAROS_MOST_THREADS, &end);
        if (!value || *end)
            return saros_fail(SAROS_ERR_USAGE, "SAROS_THREADS",
                              "set it to the number of threads, or unset it",
                              "SAROS_THREADS is \"%s\", needed a whole number from 1 to %d", text,
                              SAROS_MOST_THREADS);
        *threads = value;
        return SAROS_OK;
    }
    /* OpenMP's own variable may hold a list for nested levels, of which the first counts. A value
     * that is none is its runtime's to complain about. */
    text = getenv("OMP_NUM_THREADS");
    const int level = text ? leading_number(text, SAROS_MOST_THREADS, &end) : 0;
    const int share = cores() / ranks_on_node();
    *threads = level                        ? level
               : share < 1                  ? 1
               : share > SAROS_MOST_THREADS ? SAROS_MOST_THREADS
                                            : share;
    return SAROS_OK;
}

saros_status saros_threads_know(int *threads) {
    saros_status status = SAROS_OK;
    *threads = atomic_load(&known);
    if (!*threads && (status = saros_threads_set(0)) == SAROS_OK) *threads = atomic_load(&known);
    return status;
}

int saros_threads(void) {
    int threads;
    return saros_threads_know(&threads) == SAROS_OK ? threads : 1;
}

saros_status saros_threads_set(int threads) {
    if (threads < 0 || threads > SAROS_MOST_THREADS)
        return saros_fail(SAROS_ERR_USAGE, "saros_threads_set", "0 for the default",
                          "%d threads, needed 0 to %d", threads, SAROS_MOST_THREADS);
    saros_status status = threads ? SAROS_OK : count_threads(&threads);
    if (status != SAROS_OK) return status;
    atomic_store(&may_spin, (int64_t)threads * ranks_on_node() <= cores());
    atomic_store(&known, threads);
    return SAROS_OK;
}

bool saros_threads_may_spin(void) {
    return atomic_load(&may_spin);
}
