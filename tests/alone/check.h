/** Stands in for the library Check where only a compiler is at hand (a build of core and autodiff
 * on a machine without packages): the part of its interface that the project's tests use, in one
 * header.
 *
 *  Each test runs in a process of its own, so a crash fails that test alone. Failures and the
 * closing line read as Check's do. No time limits, fixtures or tags: ctest limits the time of a
 * program.
 */
#ifndef SAROS_ALONE_CHECK_H
#define SAROS_ALONE_CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct TTest {
    const char *name;
    void (*run)(int);
} TTest;

enum { alone_most = 512 };

/* Suite, case and runner are one list here. */
typedef struct Suite {
    const char *name;
    const TTest *test[alone_most];
    int first[alone_most], last[alone_most]; /**< loop tests: _i from first to last-1 */
    int tests, failed;
    struct Suite *next; /**< of a suite: its cases, the last one first */
} Suite;
typedef Suite TCase;
typedef Suite SRunner;

enum print_output { CK_ENV, CK_NORMAL };

#define START_TEST(test_name)                                                                      \
    static void test_name##_fn(int _i);                                                            \
    static const TTest test_name##_ttest = {#test_name, test_name##_fn};                           \
    static const TTest *const test_name = &test_name##_ttest;                                      \
    static void test_name##_fn(int _i) {                                                           \
        (void)_i;
#define END_TEST }

static inline Suite *suite_create(const char *name) {
    Suite *suite = calloc(1, sizeof *suite);
    if (suite) suite->name = name;
    return suite;
}
static inline TCase *tcase_create(const char *name) {
    return suite_create(name);
}
static inline void suite_add_tcase(Suite *suite, TCase *tcase) {
    tcase->next = suite->next;
    suite->next = tcase;
}
static inline void tcase_add_loop_test(TCase *tcase, const TTest *test, int first, int last) {
    if (tcase->tests == alone_most) abort();
    tcase->first[tcase->tests] = first;
    tcase->last[tcase->tests] = last;
    tcase->test[tcase->tests++] = test;
}
static inline void tcase_add_test(TCase *tcase, const TTest *test) {
    tcase_add_loop_test(tcase, test, 0, 1);
}
static inline void tcase_set_timeout(TCase *tcase, double seconds) {
    (void)tcase, (void)seconds;
}
static inline SRunner *srunner_create(Suite *suite) {
    return suite;
}
static inline int srunner_ntests_failed(const SRunner *runner) {
    return runner->failed;
}
static inline void srunner_free(SRunner *runner) {
    while (runner) {
        Suite *next = runner->next;
        free(runner);
        runner = next;
    }
}

/** Runs a test in a child; whether it passed. */
static inline bool run_alone(const TTest *test, int i) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        test->run(i);
        exit(0);
    }
    int ended = 0;
    if (child < 0 || waitpid(child, &ended, 0) < 0) abort();
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return true;
    const bool told = WIFEXITED(ended) && WEXITSTATUS(ended) == 1;
    printf("%s:%s:%d: %s\n", told ? "F" : "E", test->name, i,
           told ? "failed as said above" : "ended early");
    return false;
}

static inline void srunner_run_all(SRunner *runner, enum print_output how) {
    int checks = 0;
    (void)how;
    printf("Running suite(s): %s\n", runner->name);
    for (const TCase *c = runner->next; c; c = c->next)
        for (int k = 0; k < c->tests; ++k)
            for (int i = c->first[k]; i < c->last[k]; ++i, ++checks)
                runner->failed += !run_alone(c->test[k], i);
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
           checks ? 100 * (checks - runner->failed) / checks : 100, checks, runner->failed);
}

#define ck_abort_msg(...)                                                                          \
    do {                                                                                           \
        printf("%s:%d: ", __FILE__, __LINE__);                                                     \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        fflush(stdout);                                                                            \
        _exit(1);                                                                                  \
    } while (0)
#define ck_assert_msg(condition, ...)                                                              \
    do {                                                                                           \
        if (!(condition)) ck_abort_msg(__VA_ARGS__);                                               \
    } while (0)
#define ck_assert(condition) ck_assert_msg(condition, "%s", "Assertion '" #condition "' failed")

#define ALONE_COMPARE(type, format, a, op, b)                                                      \
    do {                                                                                           \
        const type alone_a = (a), alone_b = (b);                                                   \
        ck_assert_msg(alone_a op alone_b, "'%s': %s = " format ", %s = " format,                   \
                      #a " " #op " " #b, #a, alone_a, #b, alone_b);                                \
    } while (0)
#define ck_assert_int_eq(a, b) ALONE_COMPARE(intmax_t, "%jd", a, ==, b)
#define ck_assert_int_ne(a, b) ALONE_COMPARE(intmax_t, "%jd", a, !=, b)
#define ck_assert_int_lt(a, b) ALONE_COMPARE(intmax_t, "%jd", a, <, b)
#define ck_assert_int_le(a, b) ALONE_COMPARE(intmax_t, "%jd", a, <=, b)
#define ck_assert_int_gt(a, b) ALONE_COMPARE(intmax_t, "%jd", a, >, b)
#define ck_assert_int_ge(a, b) ALONE_COMPARE(intmax_t, "%jd", a, >=, b)
#define ck_assert_uint_eq(a, b) ALONE_COMPARE(uintmax_t, "%ju", a, ==, b)
#define ck_assert_uint_ne(a, b) ALONE_COMPARE(uintmax_t, "%ju", a, !=, b)
#define ck_assert_uint_lt(a, b) ALONE_COMPARE(uintmax_t, "%ju", a, <, b)
#define ck_assert_uint_le(a, b) ALONE_COMPARE(uintmax_t, "%ju", a, <=, b)
#define ck_assert_uint_gt(a, b) ALONE_COMPARE(uintmax_t, "%ju", a, >, b)
#define ck_assert_uint_ge(a, b) ALONE_COMPARE(uintmax_t, "%ju", a, >=, b)
#define ck_assert_double_eq(a, b) ALONE_COMPARE(double, "%.17g", a, ==, b)
#define ck_assert_double_ne(a, b) ALONE_COMPARE(double, "%.17g", a, !=, b)
#define ck_assert_double_lt(a, b) ALONE_COMPARE(double, "%.17g", a, <, b)
#define ck_assert_double_le(a, b) ALONE_COMPARE(double, "%.17g", a, <=, b)
#define ck_assert_double_gt(a, b) ALONE_COMPARE(double, "%.17g", a, >, b)
#define ck_assert_double_ge(a, b) ALONE_COMPARE(double, "%.17g", a, >=, b)
#define ck_assert_double_nan(a) ck_assert(isnan(a))
#define ck_assert_double_finite(a) ck_assert(isfinite(a))
#define ck_assert_double_eq_tol(a, b, tolerance) ck_assert(fabs((a) - (b)) < (tolerance))
#define ck_assert_ptr_eq(a, b) ck_assert((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_ne(a, b) ck_assert((const void *)(a) != (const void *)(b))
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_str_eq(a, b)                                                                     \
    ck_assert_msg(strcmp(a, b) == 0, "%s is \"%s\", wanted \"%s\"", #a, (a), (b))
#define ck_assert_str_ne(a, b) ck_assert(strcmp(a, b) != 0)
#define ck_assert_mem_eq(a, b, bytes) ck_assert(memcmp(a, b, bytes) == 0)

#endif
