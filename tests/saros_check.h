/** What every Check program of the project shares: a main from a list of tests, and comparisons
 * that print both numbers.
 *
 *      START_TEST(sum_of_ones_is_count) { … } END_TEST
 *      SAROS_TEST_MAIN("core/sum", sum_of_ones_is_count, …)
 */
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

/** Runs the tests (each: const TTest *) and returns main's exit status. */
static inline int saros_check_run(const char *name, const TTest *const *tests, int count) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    for (int k = 0; k < count; ++k) tcase_add_test(tcase, tests[k]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#define SAROS_TEST_MAIN(name, ...)                                                                 \
    int main(void) {                                                                               \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return saros_check_run(name, tests, (int)(sizeof tests / sizeof *tests));                  \
    }

#endif
