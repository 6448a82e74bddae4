/** Runs a piece of work once for each of its allocations, which fails: the answer is
 * SAROS_ERR_MEMORY (or right all the same, where less memory only costs time), and all memory is
 * given back. */
#ifndef TESTS_SOLVERS_MEMORY_FAILURE_H
#define TESTS_SOLVERS_MEMORY_FAILURE_H

#include "saros_check.h"

#include <stdbool.h>

#include "saros/memory.h"

static int64_t countdown; /* allocations until the one that fails; negative: none */

static void *allocate(size_t bytes, void *user) {
    (void)user;
    if (countdown >= 0 && countdown-- == 0) return NULL;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
static void release(void *memory, size_t bytes, void *user) {
    (void)bytes;
    (void)user;
    free(memory);
}

static void fail_each(saros_status (*run)(void), const char *name) {
    countdown = -1;
    ck_ok(run()); /* caches fill */
    ck_ok(run());
    int64_t held = saros_memory_held();
    for (int64_t k = 0;; ++k) {
        countdown = k;
        saros_status status = run();
        bool reached = countdown < 0;
        countdown = -1;
        ck_assert_msg(status == SAROS_OK || (reached && status == SAROS_ERR_MEMORY),
                      "%s, allocation %lld gives %s: %s", name, (long long)k,
                      saros_status_kind(status), saros_error_last()->message);
        if (!reached) break;
        ck_assert_msg(saros_memory_held() <= held, "%s, allocation %lld leaks", name, (long long)k);
    }
}

#endif
