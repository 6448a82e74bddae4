/** Random rows: Philox 4x32-10 against the known answers published with Random123 (kat_vectors of
 * D. E. Shaw Research), ranges, moments, and that an element depends on key and index alone. */
#include "core/primitive_run.h"

static saros_value build_fold(saros_graph *g, const saros_value *x) {
    (void)g;
    return saros_random_fold(x[0], x[1]);
}

/** The block of a counter (i, key[1]) under key[0], as four words. */
static void philox_block(const int64_t *key, int64_t i, uint32_t *word) {
    saros_tensor *in[2] = {NULL, NULL};
    ck_ok(saros_tensor_from(SAROS_I64, 1, SHAPE(2), key, &in[0]));
    ck_ok(saros_tensor_from(SAROS_I64, 0, NULL, &i, &in[1]));
    saros_tensor *y = run(build_fold, 2, in);
    const uint64_t *half = saros_tensor_const_data(y);
    for (int k = 0; k < 4; ++k) word[k] = (uint32_t)(half[k / 2] >> (32 * (k % 2)));
    run_release(2, in);
    saros_tensor_release(y);
}

START_TEST(philox_gives_the_published_answers) {
    static const struct {
        int64_t key[2], i;
        uint32_t wanted[4];
    } known[] = {
        {{0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{-1, -1}, -1, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        /* digits of pi: counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 */
        {{INT64_C(0x299f31d0a4093822), INT64_C(0x0370734413198a2e)},
         (int64_t)UINT64_C(0x85a308d3243f6a88),
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    uint32_t word[4];
    philox_block(known[_i].key, known[_i].i, word);
    for (int k = 0; k < 4; ++k) ck_assert_uint_eq(word[k], known[_i].wanted[k]);
}
END_TEST

static saros_dtype dtype_now;
static int64_t count_now, seed_now;
static bool normal_now;
static saros_value build_draw(saros_graph *g, const saros_value *x) {
    (void)x;
    saros_type type = saros_type_make(dtype_now, 1, &count_now);
    saros_value key = saros_random_key(g, seed_now);
    return normal_now ? saros_random_normal(key, &type) : saros_random_uniform(key, &type);
}
static saros_tensor *draw(saros_dtype dtype, int64_t n, int64_t seed, bool normal) {
    dtype_now = dtype;
    count_now = n;
    seed_now = seed;
    normal_now = normal;
    return run(build_draw, 0, NULL);
}

START_TEST(uniform_numbers_fill_the_unit_interval) {
    for (int dtype = SAROS_F64; dtype <= SAROS_F32; ++dtype) {
        const int64_t n = 100000;
        saros_tensor *y = draw((saros_dtype)dtype, n, 11, false);
        double mean = 0, square = 0;
        for (int64_t i = 0; i < n; ++i) {
            double u = run_item(y, i);
            ck_assert(u >= 0 && u < 1);
            mean += u / (double)n;
            square += u * u / (double)n;
        }
        ck_near(mean, 0.5, 5 * sqrt(1.0 / 12 / (double)n)); /* five standard errors */
        ck_near(square, 1.0 / 3, 5 * sqrt(4.0 / 45 / (double)n));
        saros_tensor_release(y);
    }
}
END_TEST

START_TEST(normal_numbers_have_normal_moments) {
    const int64_t n = 100000;
    saros_tensor *y = draw(SAROS_F64, n, 12, true);
    double moment[5] = {0}, previous = 0, correlation = 0;
    for (int64_t i = 0; i < n; ++i) {
        double z = run_item(y, i);
        for (int k = 1; k < 5; ++k) moment[k] += pow(z, k) / (double)n;
        correlation += z * previous / (double)n;
        previous = z;
    }
    double error = 5 / sqrt((double)n);
    ck_near(moment[1], 0, error);
    ck_near(moment[2], 1, sqrt(2) * error);
    ck_near(moment[3], 0, sqrt(15) * error);
    ck_assert_double_lt(fabs(moment[4] - 3), sqrt(96) * error);
    ck_near(correlation, 0, error);
    saros_tensor_release(y);
}
END_TEST

START_TEST(an_element_depends_on_key_and_index_alone) {
    for (int normal = 0; normal < 2; ++normal) {
        saros_tensor *few = draw(SAROS_F64, 10, 5, normal), *many = draw(SAROS_F64, 90, 5, normal);
        saros_tensor *other = draw(SAROS_F64, 10, 6, normal);
        for (int64_t i = 0; i < 10; ++i) {
            ck_assert(run_item(few, i) == run_item(many, i));
            ck_assert(run_item(few, i) != run_item(other, i));
        }
        saros_tensor_release(few);
        saros_tensor_release(many);
        saros_tensor_release(other);
    }
}
END_TEST

static saros_value build_bad_key(saros_graph *g, const saros_value *x) {
    (void)g;
    saros_type type = saros_type_scalar(SAROS_F64);
    return saros_random_uniform(x[0], &type);
}
START_TEST(a_number_is_no_key) {
    saros_type type = saros_type_scalar(SAROS_I64);
    ck_assert_str_eq(run_message(build_bad_key, 1, &type, SAROS_ERR_TYPE), "i64 is no random key");
}
END_TEST

SAROS_TEST_LOOPS("core/primitive_random", {philox_gives_the_published_answers, 3},
                 {uniform_numbers_fill_the_unit_interval, 1},
                 {normal_numbers_have_normal_moments, 1},
                 {an_element_depends_on_key_and_index_alone, 1}, {a_number_is_no_key, 1})
