/** What every Check program of the project shares: a main from a list of tests, and comparisons
 * that print both numbers.
 *
 *      START_TEST(sum_of_ones_is_count) { … } END_TEST
 *      SAROS_TEST_MAIN("core/sum", sum_of_ones_is_count, …)
 *      SAROS_TEST_LOOPS("core/sum", {sum_of_ones_is_count, 1}, {sum_of_each_size, SIZES}, …)
 *
 *  In the second form a test runs so many times, with _i from 0 on. */
#ifndef SAROS_CHECK_H
#define SAROS_CHECK_H

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "saros/status.h"

#define ck_ok(call)                                                                                \
    do {                                                                                           \
        saros_status ck_status_ = (call);                                                          \
        ck_assert_msg(ck_status_ == SAROS_OK, "%s: %s: %s", #call, saros_error_last()->where,      \
                      saros_error_last()->message);                                                \
    } while (0)
#define ck_fails(call, code)                                                                       \
    do {                                                                                           \
        saros_status ck_status_ = (call);                                                          \
        ck_assert_msg(ck_status_ == (code), "%s gave %s, wanted %s", #call,                        \
                      saros_status_kind(ck_status_), saros_status_kind(code));                     \
    } while (0)
/** |a-b| <= tolerance * max(1, |b|) */
#define ck_near(a, b, tolerance)                                                                   \
    do {                                                                                           \
        double ck_a_ = (a), ck_b_ = (b), ck_t_ = (tolerance)*fmax(1.0, fabs(ck_b_));               \
        ck_assert_msg(fabs(ck_a_ - ck_b_) <= ck_t_, "%s = %.15g, wanted %s = %.15g within %.2g",   \
                      #a, ck_a_, #b, ck_b_, ck_t_);                                                \
    } while (0)

/** A test that runs so many times. */
typedef struct saros_check_test {
    const TTest *test;
    int times;
} saros_check_test;

static inline int saros_check_suite(const char *name, TCase *tcase) {
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
/** Runs the tests (each: const TTest *) and returns main's exit status. */
static inline int saros_check_run(const char *name, const TTest *const *tests, int count) {
    TCase *tcase = tcase_create(name);
    for (int k = 0; k < count; ++k) tcase_add_test(tcase, tests[k]);
    return saros_check_suite(name, tcase);
}
static inline int saros_check_loops(const char *name, const saros_check_test *tests, int count) {
    TCase *tcase = tcase_create(name);
    for (int k = 0; k < count; ++k) tcase_add_loop_test(tcase, tests[k].test, 0, tests[k].times);
    return saros_check_suite(name, tcase);
}
#define SAROS_TEST_LOOPS(name, ...)                                                                \
    int main(void) {                                                                               \
        const saros_check_test tests[] = {__VA_ARGS__};                                            \
        return saros_check_loops(name, tests, (int)(sizeof tests / sizeof *tests));                \
    }
#define SAROS_TEST_MAIN(name, ...)                                                                 \
    int main(void) {                                                                               \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return saros_check_run(name, tests, (int)(sizeof tests / sizeof *tests));                  \
    }

#endif
