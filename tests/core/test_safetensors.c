/* Safetensors: round trip, atomic writing, and a reader that survives whatever it is given. */
#include "saros/safetensors.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saros/memory.h"
#include "saros_check.h"

static char folder[] = "/tmp/saros-weights-XXXXXX";
static char path[64];

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/saros-weights-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.safetensors", folder);
}

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* A mask, a matrix, an empty and a scalar tensor, with texts that need escaping. */
static void write_file(bool overwrite, saros_status want) {
    const double matrix[] = {1, 2, 3, 4, 5, 6};
    const uint8_t mask[] = {1, 0, 1};
    saros_named_tensor w[4] = {
        {"mask", NULL}, {"layer\"0\".weight", NULL}, {"none", NULL}, {"n", NULL}};
    const saros_text_entry text[] = {{"architecture", "mlp\n\"tanh\" \\ ü"}, {"width", "32"}};
    ck_ok(saros_tensor_from(SAROS_BOOL, 1, (int64_t[]){3}, mask, &w[0].tensor));
    ck_ok(saros_tensor_from(SAROS_F64, 2, (int64_t[]){2, 3}, matrix, &w[1].tensor));
    ck_ok(saros_tensor_zeros(SAROS_F32, 2, (int64_t[]){0, 4}, &w[2].tensor));
    ck_ok(saros_tensor_scalar(SAROS_I64, 7, &w[3].tensor));
    ck_fails(saros_safetensors_write(path, overwrite, 4, w, 2, text), want);
    for (int k = 0; k < 4; ++k) saros_tensor_release(w[k].tensor);
}

START_TEST(tensors_and_texts_round_trip) {
    make_folder();
    write_file(false, SAROS_OK);
    saros_safetensors *file;
    ck_ok(saros_safetensors_open(path, &file));
    ck_assert_int_eq(saros_safetensors_count(file), 4);
    const saros_tensor *w = saros_safetensors_find(file, "layer\"0\".weight");
    ck_assert_ptr_nonnull(w);
    ck_assert_int_eq(saros_tensor_shape(w)[1], 3);
    ck_near(((const double *)saros_tensor_const_data(w))[5], 6, 0);
    const saros_tensor *mask = saros_safetensors_find(file, "mask");
    ck_assert_int_eq(saros_tensor_dtype(mask), SAROS_BOOL);
    ck_assert_int_eq(((const uint8_t *)saros_tensor_const_data(mask))[2], 1);
    ck_assert_int_eq(saros_tensor_count(saros_safetensors_find(file, "none")), 0);
    double seven;
    ck_ok(saros_tensor_item(saros_safetensors_find(file, "n"), &seven));
    ck_near(seven, 7, 0);
    ck_assert_str_eq(saros_safetensors_text(file, "architecture"), "mlp\n\"tanh\" \\ ü");
    ck_assert_int_eq(saros_safetensors_texts(file), 2);
    ck_assert_ptr_null(saros_safetensors_text(file, "depth"));
    ck_assert_ptr_null(saros_safetensors_find(file, "depth"));
    saros_safetensors_close(file);
    remove_folder();
}
END_TEST

START_TEST(nothing_is_left_beside_and_nothing_overwritten_unasked) {
    make_folder();
    write_file(false, SAROS_OK);
    write_file(false, SAROS_ERR_IO);
    write_file(true, SAROS_OK);
    char beside[96];
    snprintf(beside, sizeof beside, "%s.tmp", path);
    ck_assert_int_ne(access(beside, F_OK), 0);
    remove_folder();
    write_file(false, SAROS_ERR_IO); /* the folder is gone */
}
END_TEST

START_TEST(equal_names_are_refused) {
    make_folder();
    saros_named_tensor w[2] = {{"a", NULL}, {"a", NULL}};
    ck_ok(saros_tensor_scalar(SAROS_F64, 1, &w[0].tensor));
    w[1].tensor = w[0].tensor;
    ck_fails(saros_safetensors_write(path, false, 2, w, 0, NULL), SAROS_ERR_USAGE);
    ck_assert_int_ne(access(path, F_OK), 0);
    saros_tensor_release(w[0].tensor);
    remove_folder();
}
END_TEST

static saros_status parse(const char *json, const void *data, size_t bytes) {
    uint8_t file[1024];
    const uint64_t length = strlen(json);
    memcpy(file, &length, 8);
    memcpy(file + 8, json, length);
    if (bytes) memcpy(file + 8 + length, data, bytes);
    saros_safetensors *parsed = NULL;
    saros_status status = saros_safetensors_parse(file, 8 + length + bytes, "test", &parsed);
    ck_assert((parsed != NULL) == (status == SAROS_OK));
    saros_safetensors_close(parsed);
    return status;
}

START_TEST(headers_of_the_format_are_accepted) {
    const double one = 1;
    ck_ok(parse("{}", NULL, 0));
    ck_ok(parse(" {\"__metadata__\" : {} } ", NULL, 0));
    ck_ok(
        parse("{\"\\u00e9\\ud83c\\udf19\":{\"shape\":[],\"data_offsets\":[0,8],\"dtype\":\"F64\"}}",
              &one, 8));
}
END_TEST

START_TEST(headers_that_lie_are_refused) {
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{}}",
        "{\"a\"}",
        "{\"a\":1}",
        "{,}",
        "{\"a\":{}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[8,0]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[8,16]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[-1],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[01],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1.0],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
        "\"a\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[8,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"a\\u0000\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"\\ud800\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"__metadata__\":{\"k\":1}}",
        "{\"__metadata__\":{\"k\"}}",
        "{\"__metadata__\":[]}",
        "{\"a\\",
        "{\"a\\u12",
        "{\"a"};
    const double one = 1;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; ++k)
        ck_assert_msg(parse(bad[k], &one, 8) == SAROS_ERR_IO, "accepted: %s", bad[k]);
    ck_fails(parse("{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}", &one, 8),
             SAROS_ERR_TYPE);
    ck_fails(parse("{\"a\":{\"dtype\":\"BOOL\",\"shape\":[8],\"data_offsets\":[0,8]}}", &one, 8),
             SAROS_ERR_IO);
}
END_TEST

static uint8_t *slurp(size_t *bytes) {
    FILE *from = fopen(path, "rb");
    uint8_t *data = malloc(1 << 16);
    ck_assert(from && data);
    *bytes = fread(data, 1, 1 << 16, from);
    fclose(from);
    return data;
}

/* Every truncation is refused; a flipped bit in the header gives an error or a file that keeps the
 * format's promises. The sanitizers watch. */
START_TEST(damaged_files_are_refused_or_still_sound) {
    make_folder();
    write_file(false, SAROS_OK);
    size_t bytes;
    uint8_t *data = slurp(&bytes);
    saros_safetensors *file = NULL;
    for (size_t cut = 0; cut < bytes; ++cut) {
        uint8_t *part = malloc(cut + 1); /* its own block, so that a read beyond the cut is seen */
        memcpy(part, data, cut);
        ck_fails(saros_safetensors_parse(part, cut, "cut", &file), SAROS_ERR_IO);
        free(part);
    }
    int refused = 0, trials = 0;
    unsigned long state = 1;
    for (size_t at = 0; at < bytes; ++at)
        for (int bit = 0; bit < 8; ++bit, ++trials) {
            state = state * 6364136223846793005UL + 1442695040888963407UL;
            const size_t second = (size_t)(state >> 33) % bytes;
            data[at] = (uint8_t)(data[at] ^ 1 << bit);
            if (bit & 1) data[second] ^= 0x10;
            if (saros_safetensors_parse(data, bytes, "flipped", &file) == SAROS_OK) {
                for (int k = 0; k < saros_safetensors_count(file); ++k)
                    ck_assert_ptr_nonnull(saros_safetensors_tensor(file, k));
                saros_safetensors_close(file);
                file = NULL;
            } else {
                ++refused;
            }
            data[at] = (uint8_t)(data[at] ^ 1 << bit);
            if (bit & 1) data[second] ^= 0x10;
        }
    ck_assert_int_gt(refused, trials / 4);
    free(data);
    remove_folder();
}
END_TEST

START_TEST(listing_names_tensors_and_texts) {
    make_folder();
    write_file(false, SAROS_OK);
    char *text;
    ck_ok(saros_safetensors_inspect(path, &text));
    ck_assert_ptr_nonnull(strstr(text, "layer\"0\".weight  f64[2,3]  min 1  max 6"));
    ck_assert_ptr_nonnull(strstr(text, "@width = 32"));
    saros_release(text);
    ck_fails(saros_safetensors_inspect("/tmp/saros-no-such-file", &text), SAROS_ERR_IO);
    remove_folder();
}
END_TEST

START_TEST(the_python_package_reads_the_file) {
    if (system("/usr/bin/python3 -c 'import safetensors.numpy' 2>/dev/null") != 0) {
        fprintf(stderr, "skipped: python's safetensors is not installed\n");
        return;
    }
    make_folder();
    write_file(false, SAROS_OK);
    setenv("FILE", path, 1);
    ck_assert_int_eq(system("/usr/bin/python3 -c 'import os, safetensors.numpy as s; "
                            "d = s.load_file(os.environ[\"FILE\"]); "
                            "assert d[\"layer\\\"0\\\".weight\"][1, 2] == 6 and d[\"n\"] == 7'"),
                     0);
    remove_folder();
}
END_TEST

SAROS_TEST_MAIN("core/safetensors", tensors_and_texts_round_trip,
                nothing_is_left_beside_and_nothing_overwritten_unasked, equal_names_are_refused,
                headers_of_the_format_are_accepted, headers_that_lie_are_refused,
                damaged_files_are_refused_or_still_sound, listing_names_tensors_and_texts,
                the_python_package_reads_the_file)
