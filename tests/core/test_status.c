/** The error record: texts are copied and cut, parked errors come back, threads are apart. */
#include "saros_check.h"

#include <pthread.h>
#include <string.h>

#include "saros/memory.h"

START_TEST(an_error_keeps_status_place_message_and_hint) {
    ck_fails(saros_fail(SAROS_ERR_SHAPE, "here", "do that", "got %d, needed %d", 3, 4),
             SAROS_ERR_SHAPE);
    const saros_error *error = saros_error_last();
    ck_assert_int_eq(error->status, SAROS_ERR_SHAPE);
    ck_assert_str_eq(error->where, "here");
    ck_assert_str_eq(error->message, "got 3, needed 4");
    ck_assert_str_eq(error->hint, "do that");
    ck_assert_str_eq(error->file, "");
    saros_error_clear();
    ck_assert_int_eq(saros_error_last()->status, SAROS_OK);
}
END_TEST

START_TEST(the_first_location_stays_and_frames_add_up) {
    saros_fail(SAROS_ERR_NAN, "log", NULL, "nan");
    saros_error_locate("a.lua", 7);
    saros_error_locate("b.lua", 8);
    saros_error_frame("in %s", "step");
    saros_error_frame("in loop");
    ck_assert_str_eq(saros_error_last()->file, "a.lua");
    ck_assert_int_eq(saros_error_last()->line, 7);
    ck_assert_str_eq(saros_error_last()->trace, "in step\nin loop");
    ck_assert_str_eq(saros_error_last()->hint, "");
}
END_TEST

START_TEST(long_texts_are_cut_and_a_message_may_quote_the_last_one) {
    char text[6000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    saros_fail(SAROS_ERR_USAGE, text, text, "%s", text);
    ck_assert_uint_lt(strlen(saros_error_last()->message), 2048);
    ck_assert_uint_gt(strlen(saros_error_last()->message), 2000);
    for (int k = 0; k < 100; ++k) saros_error_frame("%s", text);
    ck_assert_uint_lt(strlen(saros_error_last()->trace), 5000);
    saros_fail(SAROS_ERR_USAGE, "inner", NULL, "inner text");
    saros_fail(SAROS_ERR_SHAPE, "outer", saros_error_last()->message, "outer: %s",
               saros_error_last()->message);
    ck_assert_str_eq(saros_error_last()->message, "outer: inner text");
    ck_assert_str_eq(saros_error_last()->hint, "inner text");
}
END_TEST

START_TEST(a_parked_error_survives_other_errors) {
    saros_fail(SAROS_ERR_DOMAIN, "x", "hint", "outside");
    saros_error_locate("f.lua", 3);
    saros_error_copy *parked = saros_error_park();
    saros_fail(SAROS_ERR_IO, "y", NULL, "other");
    ck_assert_int_eq(saros_error_unpark(parked), SAROS_ERR_DOMAIN);
    ck_assert_str_eq(saros_error_last()->message, "outside");
    ck_assert_int_eq(saros_error_last()->line, 3);
    ck_assert_int_eq(saros_error_unpark(NULL), SAROS_OK);
    saros_error_clear();
    ck_assert_ptr_null(saros_error_park());
}
END_TEST

static void *no_memory(size_t bytes, void *user) {
    (void)bytes, (void)user;
    return NULL;
}
static void no_release(void *memory, size_t bytes, void *user) {
    (void)memory, (void)bytes, (void)user;
}

START_TEST(parking_without_memory_still_gives_an_error) {
    saros_allocator_set(&(saros_allocator){no_memory, no_release, NULL});
    saros_fail(SAROS_ERR_DOMAIN, "x", NULL, "outside");
    saros_error_copy *parked = saros_error_park();
    ck_assert_ptr_nonnull(parked);
    ck_assert_int_eq(saros_error_unpark(parked), SAROS_ERR_MEMORY);
    saros_allocator_set(NULL);
}
END_TEST

static void *fail_elsewhere(void *unused) {
    saros_fail(SAROS_ERR_IO, "thread", NULL, "its own");
    return unused;
}

START_TEST(each_thread_has_its_own_record) {
    saros_fail(SAROS_ERR_TYPE, "main", NULL, "mine");
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert_str_eq(saros_error_last()->message, "mine");
}
END_TEST

START_TEST(every_status_has_a_kind_and_a_meaning) {
    for (int k = 0; k < SAROS_STATUS_COUNT; ++k) {
        ck_assert_uint_gt(strlen(saros_status_kind((saros_status)k)), 1);
        ck_assert_uint_gt(strlen(saros_status_meaning((saros_status)k)), 3);
    }
    ck_assert_str_eq(saros_status_kind(SAROS_ERR_UNSUPPORTED), "usage");
    ck_assert_str_eq(saros_status_kind((saros_status)99), "internal");
}
END_TEST

START_TEST(the_nearest_name_is_near_or_none) {
    const char *const names[] = {"order", "cells", "tolerance", "method"};
    ck_assert_str_eq(saros_nearest_name("ordr", names, 4), "order");
    ck_assert_str_eq(saros_nearest_name("tolerence", names, 4), "tolerance");
    ck_assert_str_eq(saros_nearest_name("cell", names, 4), "cells");
    ck_assert_ptr_null(saros_nearest_name("viscosity", names, 4));
    ck_assert_ptr_null(saros_nearest_name("x", names, 4));
}
END_TEST

START_TEST(memory_is_aligned_counted_and_refused_when_absurd) {
    int64_t held = saros_memory_held();
    char *a = saros_allocate(100), *b = saros_allocate_zero(10, 8), *c = saros_allocate(0);
    ck_assert_uint_eq((uintptr_t)a % 64, 0);
    ck_assert_uint_eq((uintptr_t)b % 64, 0);
    ck_assert_ptr_nonnull(c);
    for (int k = 0; k < 80; ++k) ck_assert_int_eq(b[k], 0);
    ck_assert_int_ge(saros_memory_held() - held, 180);
    memset(a, 7, 100);
    a = saros_reallocate(a, 5000);
    for (int k = 0; k < 100; ++k) ck_assert_int_eq(a[k], 7);
    saros_release(a);
    saros_release(b);
    saros_release(c);
    saros_release(NULL);
    ck_assert_int_eq(saros_memory_held(), held);
    ck_assert_ptr_null(saros_allocate(SIZE_MAX));
    ck_assert_int_eq(saros_error_last()->status, SAROS_ERR_MEMORY);
    ck_assert_ptr_null(saros_allocate_zero(SIZE_MAX / 2, 4));
}
END_TEST

SAROS_TEST_MAIN("core/status", an_error_keeps_status_place_message_and_hint,
                the_first_location_stays_and_frames_add_up,
                long_texts_are_cut_and_a_message_may_quote_the_last_one,
                a_parked_error_survives_other_errors, parking_without_memory_still_gives_an_error,
                each_thread_has_its_own_record, every_status_has_a_kind_and_a_meaning,
                the_nearest_name_is_near_or_none, memory_is_aligned_counted_and_refused_when_absurd)
