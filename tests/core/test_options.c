/** Option tables: names, kinds, ranges, choices. */
#include "saros_check.h"

#include <string.h>

#include "saros/options.h"

typedef struct demo {
    double tolerance;
    int64_t steps;
    int verbose;
    const char *method;
    int64_t cells[SAROS_AXES];
    saros_times output;
} demo;

static const saros_option rows[] = {
    {"tolerance", SAROS_OPTION_NUMBER, offsetof(demo, tolerance), "1e-8", 1e-15, 1, NULL, "",
     "relative tolerance", NULL},
    {"steps", SAROS_OPTION_INTEGER, offsetof(demo, steps), "100", 1, 1e9, NULL, "", "steps", NULL},
    {"verbose", SAROS_OPTION_FLAG, offsetof(demo, verbose), "false", 0, 0, NULL, "", "talk", NULL},
    {"method", SAROS_OPTION_TEXT, offsetof(demo, method), "rk4", 0, 0, "euler rk4 bdf", "",
     "integrator", NULL},
    {"cells", SAROS_OPTION_AXES, offsetof(demo, cells), "64", 1, 1e9, NULL, "", "cells by axis",
     NULL},
    {"output", SAROS_OPTION_TIMES, offsetof(demo, output), "10", 1, 1e9, NULL, "", "output times",
     NULL},
};
static const saros_option_table table = {"demo", sizeof(demo), rows, 6, -1};

START_TEST(values_reach_their_fields) {
    demo d = {0};
    ck_ok(saros_option_set_number(&table, &d, "tolerance", 1e-6));
    ck_ok(saros_option_set_number(&table, &d, "steps", 12));
    ck_ok(saros_option_set_number(&table, &d, "verbose", 0));
    ck_ok(saros_option_set_text(&table, &d, "method", "bdf"));
    ck_ok(saros_option_set_number(&table, &d, "cells", 32));
    ck_ok(saros_option_set_number(&table, &d, "output", 5));
    ck_assert_double_eq(d.tolerance, 1e-6);
    ck_assert_int_eq(d.steps, 12);
    ck_assert_int_eq(d.verbose, -1);
    ck_assert_str_eq(d.method, "bdf");
    ck_assert_int_eq(d.cells[0], 32);
    ck_assert_int_eq(d.cells[2], 32);
    ck_assert_int_eq(d.cells[3], 0);
    ck_assert_int_eq(d.output.count, 5);
}
END_TEST

START_TEST(a_misspelt_name_is_told_the_nearest_and_all) {
    demo d = {0};
    ck_fails(saros_option_set_number(&table, &d, "tolerence", 1), SAROS_ERR_USAGE);
    const saros_error *error = saros_error_last();
    ck_assert_ptr_nonnull(strstr(error->message, "tolerence"));
    ck_assert_ptr_nonnull(strstr(error->hint, "did you mean 'tolerance'"));
    ck_assert_ptr_nonnull(strstr(error->hint, "cells"));
    ck_assert_ptr_null(saros_option_find(&table, "zzzzzzzzz"));
    ck_assert_ptr_null(strstr(saros_error_last()->hint, "did you mean"));
}
END_TEST

START_TEST(wrong_kinds_ranges_and_choices_are_refused) {
    demo d = {0};
    ck_fails(saros_option_set_number(&table, &d, "steps", 1.5), SAROS_ERR_TYPE);
    ck_fails(saros_option_set_number(&table, &d, "steps", 0), SAROS_ERR_DOMAIN);
    ck_fails(saros_option_set_number(&table, &d, "tolerance", NAN), SAROS_ERR_DOMAIN);
    ck_fails(saros_option_set_number(&table, &d, "method", 3), SAROS_ERR_TYPE);
    ck_fails(saros_option_set_text(&table, &d, "steps", "many"), SAROS_ERR_TYPE);
    ck_fails(saros_option_set_text(&table, &d, "method", "rk"), SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "euler rk4 bdf"));
    ck_assert_int_eq(d.steps, 0);
    ck_assert_ptr_null(d.method);
}
END_TEST

SAROS_TEST_MAIN("core/options", values_reach_their_fields,
                a_misspelt_name_is_told_the_nearest_and_all,
                wrong_kinds_ranges_and_choices_are_refused)
