/* The HDF5 store: what is written is read back, here, by h5dump and by h5py; what goes wrong is
 * told. */
#include "saros/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saros/config.h"
#include "saros/memory.h"
#include "saros_check.h"

/* FIPS 180-4 examples: the empty message, "abc", and one of 56 bytes, which needs a second block
 * for its length. */
START_TEST(sha256_agrees_with_the_standard) {
    char digest[65];
    saros_sha256("", 0, digest);
    ck_assert_str_eq(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    saros_sha256("abc", 3, digest);
    ck_assert_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    saros_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
    ck_assert_str_eq(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

#if SAROS_HAVE_HDF5
enum { nt = 3, nx = 5 };

static char folder[] = "/tmp/saros-store-XXXXXX";
static char path[64];

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/saros-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/u.h5", folder);
}

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* u(t,x) = 100 t + x on three levels and five nodes */
static saros_status write_levels(saros_store *store, int levels) {
    saros_status status = SAROS_OK;
    saros_tensor *u = NULL;
    for (int k = 0; k < levels; ++k) {
        double value[nx];
        for (int i = 0; i < nx; ++i) value[i] = 100.0 * k + i;
        SAROS_TRY(saros_tensor_from(SAROS_F64, 1, (int64_t[]){nx}, value, &u));
        SAROS_TRY(saros_store_append(store, 0.5 * k, 1, &u));
        saros_tensor_release(u);
        u = NULL;
    }
done:
    saros_tensor_release(u);
    return status;
}

static saros_store *create(int64_t announced) {
    static const double x[nx] = {-1, -0.5, 0, 0.5, 1};
    const saros_store_scale scale[] = {{"t", "s", "time", announced, NULL},
                                       {"x", "m", "position", nx, x}};
    saros_store *store = NULL;
    ck_ok(saros_store_create(path, false, "a <title>", 2, scale, &store));
    ck_ok(saros_store_variable(store, "u", "m/s", "velocity"));
    return store;
}

static void write_file(void) {
    saros_store *store = create(nt);
    const double loss[] = {3, 2, 1};
    ck_ok(saros_store_note(store, "script", "print('hello')\n"));
    ck_ok(write_levels(store, nt));
    ck_ok(saros_store_series(store, "loss", 2, loss));
    ck_ok(saros_store_series(store, "loss", 1, loss + 2));
    ck_ok(saros_store_finish(store));
}

static void ck_text(saros_store_reader *reader, const char *place, const char *want) {
    char *text = NULL;
    ck_ok(saros_store_text(reader, place, &text));
    ck_assert_str_eq(text, want);
    saros_release(text);
}

START_TEST(levels_are_read_back) {
    make_folder();
    write_file();
    saros_store_reader *reader;
    saros_tensor *u, *t, *loss;
    ck_ok(saros_store_open(path, &reader));
    ck_ok(saros_store_read(reader, "/u", &u));
    ck_assert_int_eq(saros_tensor_rank(u), 2);
    for (int64_t k = 0; k < nt; ++k)
        for (int64_t i = 0; i < nx; ++i) {
            double got;
            ck_ok(saros_tensor_get(u, (int64_t[]){k, i}, &got));
            ck_near(got, 100.0 * (double)k + (double)i, 0);
        }
    ck_ok(saros_store_read(reader, "t", &t));
    ck_near(((const double *)saros_tensor_const_data(t))[2], 1.0, 0);
    ck_ok(saros_store_read(reader, "/history/loss", &loss));
    ck_assert_int_eq(saros_tensor_count(loss), 3);
    ck_near(((const double *)saros_tensor_const_data(loss))[2], 1.0, 0);
    saros_tensor_release(u);
    saros_tensor_release(t);
    saros_tensor_release(loss);
    saros_store_close(reader);
    remove_folder();
}
END_TEST

START_TEST(texts_and_attributes_are_read_back) {
    make_folder();
    write_file();
    saros_store_reader *reader;
    ck_ok(saros_store_open(path, &reader));
    ck_text(reader, "@title", "a <title>");
    ck_text(reader, "/@Conventions", "CF-1.8");
    ck_text(reader, "/@complete", "1");
    ck_text(reader, "/u@units", "m/s");
    ck_text(reader, "/x@axis", "X");
    ck_text(reader, "/provenance/script", "print('hello')\n");
    ck_text(reader, "/VTKHDF@Type", "ImageData");
    char *text = NULL;
    ck_fails(saros_store_text(reader, "/u@nothing", &text), SAROS_ERR_IO);
    ck_fails(saros_store_text(reader, "/u", &text), SAROS_ERR_TYPE);
    saros_tensor *none = NULL;
    ck_fails(saros_store_read(reader, "/a/b", &none), SAROS_ERR_IO);
    ck_fails(saros_store_read(reader, "/provenance/script", &none), SAROS_ERR_TYPE);
    ck_assert_ptr_null(none);
    saros_store_close(reader);
    remove_folder();
}
END_TEST

START_TEST(variables_are_listed_in_order_without_scales) {
    make_folder();
    const double x[] = {0, 1};
    const saros_store_scale scale[] = {{"x", NULL, NULL, 2, x}};
    saros_store *store;
    ck_ok(saros_store_create(path, false, NULL, 1, scale, &store));
    ck_ok(saros_store_variable(store, "v", NULL, NULL));
    ck_ok(saros_store_variable(store, "a", NULL, NULL));
    saros_tensor *v[2];
    ck_ok(saros_tensor_zeros(SAROS_F32, 1, (int64_t[]){2}, &v[0]));
    ck_ok(saros_tensor_zeros(SAROS_BOOL, 1, (int64_t[]){2}, &v[1]));
    ck_ok(saros_store_append(store, 0, 2, v));
    ck_fails(saros_store_append(store, 0, 2, v), SAROS_ERR_USAGE);
    ck_ok(saros_store_finish(store));
    saros_store_reader *reader;
    const char **name;
    int count;
    ck_ok(saros_store_open(path, &reader));
    ck_ok(saros_store_variables(reader, &count, &name));
    ck_assert_int_eq(count, 2);
    ck_assert_str_eq(name[0], "v");
    ck_assert_str_eq(name[1], "a");
    saros_release(name);
    saros_store_close(reader);
    saros_tensor_release(v[0]);
    saros_tensor_release(v[1]);
    remove_folder();
}
END_TEST

START_TEST(datasets_of_every_dtype_round_trip) {
    make_folder();
    saros_store *store = create(0);
    saros_store_reader *reader;
    char place[64];
    for (int d = SAROS_F64; d <= SAROS_BOOL; ++d) {
        saros_tensor *number, *pair, *column;
        ck_ok(saros_tensor_scalar(SAROS_F64, 1, &number));
        ck_ok(saros_tensor_zeros((saros_dtype)d, 2, (int64_t[]){2, 3}, &pair));
        ck_ok(saros_tensor_assign(pair, pair));
        /* a strided view: the second column */
        ck_ok(saros_tensor_view(pair, 1, (int64_t[]){2}, (int64_t[]){3}, 1, &column));
        saros_tensor *one;
        ck_ok(saros_tensor_cast(number, (saros_dtype)d, &one));
        snprintf(place, sizeof place, "/parameters/%s", saros_dtype_name((saros_dtype)d));
        ck_ok(saros_store_dataset(store, place, one));
        ck_fails(saros_store_dataset(store, place, one), SAROS_ERR_USAGE);
        snprintf(place, sizeof place, "/parameters/column_%s", saros_dtype_name((saros_dtype)d));
        ck_ok(saros_store_dataset(store, place, column));
        saros_tensor_release(number);
        saros_tensor_release(pair);
        saros_tensor_release(column);
        saros_tensor_release(one);
    }
    ck_ok(saros_store_finish(store));
    ck_ok(saros_store_open(path, &reader));
    for (int d = SAROS_F64; d <= SAROS_BOOL; ++d) {
        saros_tensor *got;
        double value;
        snprintf(place, sizeof place, "/parameters/%s", saros_dtype_name((saros_dtype)d));
        ck_ok(saros_store_read(reader, place, &got));
        ck_assert_int_eq(saros_tensor_dtype(got), d);
        ck_ok(saros_tensor_item(got, &value));
        ck_near(value, 1, 0);
        saros_tensor_release(got);
    }
    saros_store_close(reader);
    remove_folder();
}
END_TEST

START_TEST(an_abandoned_file_keeps_its_levels_and_is_incomplete) {
    make_folder();
    saros_store *store = create(nt);
    ck_ok(write_levels(store, 2));
    saros_store_abandon(store);
    saros_store_reader *reader;
    saros_tensor *u;
    ck_ok(saros_store_open(path, &reader));
    ck_text(reader, "@complete", "0");
    ck_ok(saros_store_read(reader, "u", &u));
    ck_assert_int_eq(saros_tensor_shape(u)[0], 2);
    saros_tensor_release(u);
    saros_store_close(reader);
    saros_store_abandon(NULL);
    remove_folder();
}
END_TEST

START_TEST(missing_levels_cannot_be_finished) {
    make_folder();
    saros_store *store = create(nt);
    ck_ok(write_levels(store, 2));
    ck_fails(saros_store_finish(store), SAROS_ERR_USAGE);
    remove_folder();
}
END_TEST

START_TEST(wrong_shapes_and_names_are_refused) {
    make_folder();
    saros_store *store = create(nt);
    saros_tensor *wrong;
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, (int64_t[]){nx + 1}, &wrong));
    ck_fails(saros_store_append(store, 0, 1, &wrong), SAROS_ERR_SHAPE);
    ck_fails(saros_store_append(store, 0, 0, NULL), SAROS_ERR_USAGE);
    ck_fails(saros_store_variable(store, "a/b", NULL, NULL), SAROS_ERR_USAGE);
    ck_fails(saros_store_variable(store, "u", NULL, NULL), SAROS_ERR_IO);
    saros_store_abandon(store);
    saros_tensor_release(wrong);
    remove_folder();
}
END_TEST

START_TEST(files_are_not_overwritten_unless_asked) {
    make_folder();
    write_file();
    const double x[] = {0, 1};
    const saros_store_scale scale[] = {{"x", NULL, NULL, 2, x}};
    saros_store *store = NULL;
    ck_fails(saros_store_create(path, false, NULL, 1, scale, &store), SAROS_ERR_IO);
    ck_assert_ptr_null(store);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, path));
    ck_ok(saros_store_create(path, true, NULL, 1, scale, &store));
    saros_store_abandon(store);
    remove_folder();
}
END_TEST

START_TEST(a_missing_folder_is_told) {
    const double x[] = {0, 1};
    const saros_store_scale scale[] = {{"x", NULL, NULL, 2, x}};
    saros_store *store = NULL;
    ck_fails(saros_store_create("/tmp/saros-no-such-folder/u.h5", false, NULL, 1, scale, &store),
             SAROS_ERR_IO);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "No such file"));
}
END_TEST

START_TEST(damaged_and_foreign_files_are_refused) {
    make_folder();
    write_file();
    saros_store_reader *reader = NULL;
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(truncate(path, info.st_size / 2), 0);
    ck_fails(saros_store_open(path, &reader), SAROS_ERR_IO);
    ck_assert_int_eq(truncate(path, 3), 0);
    ck_fails(saros_store_open(path, &reader), SAROS_ERR_IO);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "not an HDF5 file"));
    ck_fails(saros_store_open("/tmp/saros-no-such-file.h5", &reader), SAROS_ERR_IO);
    ck_assert_ptr_null(reader);
    remove_folder();
}
END_TEST

START_TEST(inspection_shows_shapes_ranges_and_nan) {
    make_folder();
    saros_store *store = create(1);
    saros_tensor *u;
    const double value[nx] = {1, NAN, -2, 3, 0};
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){nx}, value, &u));
    ck_ok(saros_store_append(store, 0, 1, &u));
    ck_ok(saros_store_finish(store));
    char *text = NULL;
    ck_ok(saros_store_inspect(path, &text));
    ck_assert_ptr_nonnull(strstr(text, "u  f64[1,5]  min -2  max 3  NaN 1"));
    ck_assert_ptr_nonnull(strstr(text, "@complete = 1"));
    ck_assert_msg(strstr(text, "u -> /u") != NULL, "%s", text);
    saros_release(text);
    saros_tensor_release(u);
    remove_folder();
}
END_TEST

/* Exit status of a shell command with $FILE set; -1 if it did not end by itself. */
static int shell(const char *command) {
    setenv("FILE", path, 1);
    int code = system(command);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

START_TEST(h5dump_reads_the_file) {
    if (shell("command -v h5dump >/dev/null") != 0) {
        fprintf(stderr, "skipped: h5dump is not installed\n");
        return;
    }
    make_folder();
    write_file();
    ck_assert_int_eq(shell("h5dump \"$FILE\" >/dev/null"), 0);
    ck_assert_int_eq(shell("h5dump -d /VTKHDF/PointData/u \"$FILE\" | grep -q '200, 201, 202'"), 0);
    remove_folder();
}
END_TEST

START_TEST(h5py_sees_levels_scales_and_completion) {
    if (shell("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
        fprintf(stderr, "skipped: h5py is not installed\n");
        return;
    }
    make_folder();
    write_file();
    ck_assert_int_eq(
        shell("/usr/bin/python3 - <<'END'\n"
              "import h5py, os\n"
              "f = h5py.File(os.environ['FILE'], 'r')\n"
              "u = f['u']\n"
              "assert u.shape == (3, 5) and u[2, 4] == 204\n"
              "assert u.chunks == (1, 5)\n"
              "assert [list(d.keys()) for d in u.dims] == [['t'], ['x']]\n"
              "assert list(f['t'][:]) == [0, 0.5, 1] and f['x'].attrs['axis'] == b'X'\n"
              "assert f.attrs['complete'] == 1\n"
              "v = f['VTKHDF']\n"
              "assert v['PointData/u'] == u and v['Steps'].attrs['NSteps'] == 3\n"
              "assert list(v['Steps/Values'][:]) == [0, 0.5, 1]\n"
              "assert v['Steps/Values'] != f['t']\n"
              "assert list(v.attrs['WholeExtent']) == [0, 4, 0, 0, 0, 0]\n"
              "assert list(v.attrs['Spacing']) == [0.5, 1, 1]\n"
              "END"),
        0);
    remove_folder();
}
END_TEST

START_TEST(xdmf_is_written_beside_and_is_xml) {
    make_folder();
    write_file();
    ck_assert_int_eq(shell("grep -q 'u.h5:/u' \"${FILE%.h5}.xdmf\""), 0);
    if (shell("command -v /usr/bin/python3 >/dev/null") == 0)
        ck_assert_int_eq(shell("/usr/bin/python3 -c 'import os, xml.dom.minidom as m; "
                               "d = m.parse(os.environ[\"FILE\"][:-3] + \".xdmf\"); "
                               "assert len(d.getElementsByTagName(\"Time\")) == 3'"),
                         0);
    remove_folder();
}
END_TEST

SAROS_TEST_MAIN("core/store", levels_are_read_back, texts_and_attributes_are_read_back,
                variables_are_listed_in_order_without_scales, datasets_of_every_dtype_round_trip,
                an_abandoned_file_keeps_its_levels_and_is_incomplete,
                missing_levels_cannot_be_finished, wrong_shapes_and_names_are_refused,
                files_are_not_overwritten_unless_asked, a_missing_folder_is_told,
                damaged_and_foreign_files_are_refused, inspection_shows_shapes_ranges_and_nan,
                h5dump_reads_the_file, h5py_sees_levels_scales_and_completion,
                xdmf_is_written_beside_and_is_xml, sha256_agrees_with_the_standard)
#else
START_TEST(a_build_without_hdf5_says_so) {
    saros_store_reader *reader = NULL;
    ck_fails(saros_store_open("/tmp/any.h5", &reader), SAROS_ERR_UNSUPPORTED);
}
END_TEST
SAROS_TEST_MAIN("core/store", a_build_without_hdf5_says_so, sha256_agrees_with_the_standard)
#endif
