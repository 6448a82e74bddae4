/** The pool: every task once, on any number of threads, whoever calls. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool_impl.h"
#include "saros_check.h"

enum { TASKS = 1000 };

typedef struct counts {
    atomic_int done[TASKS];
} counts;

static saros_status count_task(void *user, int64_t task) {
    atomic_fetch_add(&((counts *)user)->done[task], 1);
    return SAROS_OK;
}

/** Runs `tasks` tasks and says whether each was done once and none beyond. */
static bool each_once(int64_t tasks) {
    counts c = {0};
    if (saros_pool_run(tasks, count_task, &c) != SAROS_OK) return false;
    for (int64_t k = 0; k < TASKS; ++k)
        if (c.done[k] != (k < tasks)) return false;
    return true;
}

START_TEST(every_task_runs_once_on_any_number_of_threads) {
    static const int threads[] = {1, 2, 4, 3, 7, 2};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; ++t) {
        ck_ok(saros_threads_set(threads[t]));
        ck_assert_int_eq(saros_threads(), threads[t]);
        for (int64_t tasks = 0; tasks < 10; ++tasks) ck_assert(each_once(tasks));
        for (int k = 0; k < 200; ++k) ck_assert(each_once(TASKS - k));
    }
}
END_TEST

/** Who ran each task, and how often. */
typedef struct owners {
    counts c;
    pthread_t of[TASKS];
} owners;

static saros_status own_task(void *user, int64_t task) {
    owners *o = user;
    o->of[task] = pthread_self();
    return count_task(&o->c, task);
}

/** In ranges: part p of n threads runs from begin(p) to begin(p + 1) on one thread. */
static bool one_thread_a_range(const owners *o, int64_t tasks, int threads) {
    const int64_t parts = tasks < threads ? tasks : threads;
    for (int64_t p = 0; p < parts; ++p)
        for (int64_t k = tasks * p / parts; k < tasks * (p + 1) / parts; ++k)
            if (!pthread_equal(o->of[k], o->of[tasks * p / parts])) return false;
    return pthread_equal(o->of[0], pthread_self());
}

START_TEST(each_range_is_run_once_and_by_one_thread_awake_or_asleep) {
    static owners o;
    for (int threads = 1; threads <= 4; ++threads) {
        ck_ok(saros_threads_set(threads));
        for (int64_t tasks = 1; tasks < 200; tasks += 1 + tasks / 4) {
            bool shared;
            memset(&o, 0, sizeof o);
            ck_ok(saros_pool_run_now(tasks, own_task, &o, SAROS_POOL_RANGES, &shared));
            ck_assert(shared == (tasks > 1 && threads > 1));
            for (int64_t k = 0; k < TASKS; ++k) ck_assert_int_eq(o.c.done[k], k < tasks);
            ck_assert(one_thread_a_range(&o, tasks, threads));
            if (tasks % 3 == 0) usleep(300); /* workers sleep */
        }
    }
}
END_TEST

START_TEST(a_run_after_one_that_was_not_shared_is_not_either) {
    static owners o;
    bool shared;
    ck_ok(saros_threads_set(4));
    for (int k = 0; k < 10; ++k) {
        ck_ok(saros_pool_run_small(4, own_task, &o, 1)); /* far apart: alone */
        memset(&o, 0, sizeof o);
        ck_ok(saros_pool_run_after(100, own_task, &o));
        for (int t = 0; t < 100; ++t) {
            ck_assert_int_eq(o.c.done[t], 1);
            ck_assert(pthread_equal(o.of[t], pthread_self()));
        }
        usleep(1000);
    }
    memset(&o, 0, sizeof o);
    ck_ok(saros_pool_run(8, own_task, &o));
    ck_ok(saros_pool_run_after(8, own_task, &o));
    for (int t = 0; t < 8; ++t) ck_assert_int_eq(o.c.done[t], 2);
    ck_ok(saros_pool_run_now(3, own_task, &o, SAROS_POOL_ALONE, &shared));
    ck_assert(!shared);
}
END_TEST

START_TEST(workers_that_fell_asleep_come_back) {
    ck_ok(saros_threads_set(4));
    for (int k = 0; k < 20; ++k) {
        ck_assert(each_once(64));
        usleep(1000); /* far longer than anybody spins */
    }
}
END_TEST

/** Ends only when `need` tasks are under way at once. */
typedef struct meeting {
    atomic_int here;
    int need;
} meeting;

static saros_status meet(void *user, int64_t task) {
    meeting *m = user;
    (void)task;
    atomic_fetch_add(&m->here, 1);
    while (atomic_load(&m->here) < m->need) usleep(10);
    return SAROS_OK;
}

START_TEST(tasks_run_at_the_same_time) {
    ck_ok(saros_threads_set(4));
    for (int k = 2; k <= 4; ++k) {
        meeting m = {.need = k};
        ck_ok(saros_pool_run(k, meet, &m));
    }
}
END_TEST

/** A run inside a task: in order, on the thread of the task. */
typedef struct order {
    pthread_t thread;
    int64_t next;
    bool wrong;
} order;

static saros_status in_order(void *user, int64_t task) {
    order *o = user;
    if (task != o->next++ || !pthread_equal(o->thread, pthread_self())) o->wrong = true;
    return SAROS_OK;
}

static saros_status nest(void *user, int64_t task) {
    order o = {.thread = pthread_self()};
    saros_status status = saros_pool_run(50, in_order, &o);
    if (o.wrong || o.next != 50)
        return saros_fail(SAROS_ERR_INTERNAL, "nest", NULL, "task %d out of order", (int)task);
    return status == SAROS_OK ? count_task(user, task) : status;
}

START_TEST(a_run_inside_a_task_is_serial) {
    for (int threads = 1; threads <= 4; threads *= 2)
        for (saros_pool_way way = SAROS_POOL_ALONE; way <= SAROS_POOL_RANGES; ++way) {
            counts c = {0};
            bool shared;
            ck_ok(saros_threads_set(threads));
            ck_ok(saros_pool_run_now(TASKS, nest, &c, way, &shared));
            for (int k = 0; k < TASKS; ++k) ck_assert_int_eq(c.done[k], 1);
        }
}
END_TEST

static saros_status fail_some(void *user, int64_t task) {
    count_task(user, task);
    if (task % 100 != 37) return SAROS_OK;
    return saros_fail(task == 37 ? SAROS_ERR_DOMAIN : SAROS_ERR_IO, "fail_some", NULL, "task %d",
                      (int)task);
}

static saros_status fail_silently(void *user, int64_t task) {
    (void)user;
    return task == 5 ? SAROS_RETRY : SAROS_OK;
}

START_TEST(the_error_of_the_lowest_task_comes_back_and_all_tasks_run) {
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        for (int round = 0; round < 20; ++round) {
            counts c = {0};
            bool shared;
            const saros_pool_way way = round % 3 == 0 ? SAROS_POOL_RANGES : SAROS_POOL_UNITS;
            ck_fails(saros_pool_run_now(TASKS, fail_some, &c, way, &shared), SAROS_ERR_DOMAIN);
            ck_assert_str_eq(saros_error_last()->message, "task 37");
            for (int k = 0; k < TASKS; ++k) ck_assert_int_eq(c.done[k], 1);
        }
        ck_fails(saros_pool_run(10, fail_silently, NULL), SAROS_RETRY);
        ck_assert(each_once(100));
    }
}
END_TEST

static void *run_often(void *good) {
    for (int k = 0; k < 300; ++k)
        if (!each_once(k % 90)) *(bool *)good = false;
    return NULL;
}

/** Close runs and runs after a rest, those that are called slow too: 1 ns is too little for any. */
START_TEST(small_runs_do_every_task_once_however_they_are_shared) {
    for (int threads = 1; threads <= 4; threads *= 2) {
        ck_ok(saros_threads_set(threads));
        for (int round = 0; round < 400; ++round) {
            const int64_t tasks = 1 + round % 5; /* of all lengths: 1 ns to a second */
            counts c = {0};
            const double alone = pow(10, round % 10);
            ck_ok(saros_pool_run_small(tasks, count_task, &c, alone));
            for (int64_t k = 0; k < 6; ++k) ck_assert_int_eq(c.done[k], k < tasks);
            if (round % 100 == 0) usleep(200);
        }
        ck_fails(saros_pool_run_small(10, fail_silently, NULL, 1), SAROS_RETRY);
    }
}
END_TEST

START_TEST(two_callers_at_once_both_get_their_work_done) {
    bool good[2] = {true, true};
    pthread_t thread;
    ck_ok(saros_threads_set(3));
    ck_assert_int_eq(pthread_create(&thread, NULL, run_often, &good[0]), 0);
    run_often(&good[1]);
    pthread_join(thread, NULL);
    ck_assert(good[0] && good[1]);
}
END_TEST

START_TEST(a_child_of_fork_has_a_pool_of_its_own) {
    ck_ok(saros_threads_set(3));
    ck_assert(each_once(TASKS));
    for (int round = 0; round < 3; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            meeting m = {.need = 3};
            const bool good = each_once(TASKS) && saros_pool_run(3, meet, &m) == SAROS_OK;
            exit(good ? 0 : 1); /* ends the child's workers too */
        }
        int code;
        ck_assert_int_eq(waitpid(child, &code, 0), child);
        ck_assert(WIFEXITED(code) && WEXITSTATUS(code) == 0);
        ck_assert(each_once(TASKS));
    }
}
END_TEST

START_TEST(the_number_comes_from_the_environment) {
    static const char *const wrong[] = {"", "x", "0", "-2", "4x", "1025", "99999999999999999999"};
    ck_assert_int_eq(setenv("OMP_NUM_THREADS", "3,2", 1), 0);
    ck_assert_int_eq(unsetenv("SAROS_THREADS"), 0);
    ck_ok(saros_threads_set(0));
    ck_assert_int_eq(saros_threads(), 3);
    ck_assert_int_eq(setenv("SAROS_THREADS", "5", 1), 0);
    ck_assert_int_eq(saros_threads(), 3); /* read when asked for */
    ck_ok(saros_threads_set(0));
    ck_assert_int_eq(saros_threads(), 5);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; ++k) {
        ck_assert_int_eq(setenv("SAROS_THREADS", wrong[k], 1), 0);
        ck_fails(saros_threads_set(0), SAROS_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "SAROS_THREADS"));
        ck_assert_int_eq(saros_threads(), 5);
    }
}
END_TEST

START_TEST(ranks_share_the_cores_of_a_node) {
    ck_assert_int_eq(unsetenv("SAROS_THREADS"), 0);
    ck_assert_int_eq(unsetenv("OMP_NUM_THREADS"), 0);
    ck_ok(saros_threads_set(0));
    const int cores = saros_threads();
    ck_assert_int_ge(cores, 1);
    ck_assert_int_eq(setenv("SLURM_NTASKS_PER_NODE", "2", 1), 0);
    ck_ok(saros_threads_set(0));
    ck_assert_int_eq(saros_threads(), cores / 2 > 0 ? cores / 2 : 1);
    ck_assert_int_eq(setenv("OMPI_COMM_WORLD_LOCAL_SIZE", "100000", 1), 0);
    ck_ok(saros_threads_set(0));
    ck_assert_int_eq(saros_threads(), 1);
}
END_TEST

START_TEST(a_wrong_number_is_told_by_the_first_run) {
    ck_assert_int_eq(setenv("SAROS_THREADS", "many", 1), 0); /* nobody has asked yet: Check forks */
    counts c = {0};
    for (int k = 0; k < 2; ++k) {
        ck_fails(saros_pool_run(3, count_task, &c), SAROS_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "\"many\""));
        ck_assert_int_eq(c.done[0], 0);
    }
    ck_fails(saros_threads_set(-1), SAROS_ERR_USAGE);
    ck_fails(saros_threads_set(1025), SAROS_ERR_USAGE);
    ck_ok(saros_threads_set(2)); /* what the program says goes before */
    ck_assert(each_once(TASKS));
}
END_TEST

static saros_status leave(void *user, int64_t task) {
    (void)user;
    if (task == 3) exit(7);
    usleep(100);
    return SAROS_OK;
}

START_TEST(a_task_may_end_the_process) {
    const pid_t child = fork();
    if (child == 0) {
        (void)saros_threads_set(4);
        (void)saros_pool_run(8, leave, NULL);
        exit(1);
    }
    int code;
    ck_assert_int_eq(waitpid(child, &code, 0), child);
    ck_assert(WIFEXITED(code) && WEXITSTATUS(code) == 7);
}
END_TEST

SAROS_TEST_MAIN("core/pool", every_task_runs_once_on_any_number_of_threads,
                each_range_is_run_once_and_by_one_thread_awake_or_asleep,
                a_run_after_one_that_was_not_shared_is_not_either,
                workers_that_fell_asleep_come_back, tasks_run_at_the_same_time,
                a_run_inside_a_task_is_serial,
                the_error_of_the_lowest_task_comes_back_and_all_tasks_run,
                small_runs_do_every_task_once_however_they_are_shared,
                two_callers_at_once_both_get_their_work_done, a_child_of_fork_has_a_pool_of_its_own,
                the_number_comes_from_the_environment, ranks_share_the_cores_of_a_node,
                a_wrong_number_is_told_by_the_first_run, a_task_may_end_the_process)
