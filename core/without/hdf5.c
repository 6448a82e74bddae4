/* The store of a build without HDF5: every call says so. */
#include "saros/store.h"

static saros_status absent(const char *where) {
    return saros_fail(SAROS_ERR_UNSUPPORTED, where, "configure again with HDF5 installed",
                      "result files are not in this build: HDF5 was not found");
}

saros_status saros_store_create(const char *path, bool overwrite, const char *title, int scales,
                                const saros_store_scale *scale, saros_store **out) {
    (void)path, (void)overwrite, (void)title, (void)scales, (void)scale, (void)out;
    return absent("saros_store_create");
}

saros_status saros_store_variable(saros_store *store, const char *name, const char *units,
                                  const char *long_name) {
    (void)store, (void)name, (void)units, (void)long_name;
    return absent("saros_store_variable");
}

saros_status saros_store_append(saros_store *store, double t, int variables,
                                saros_tensor *const *tensor) {
    (void)store, (void)t, (void)variables, (void)tensor;
    return absent("saros_store_append");
}

saros_status saros_store_note(saros_store *store, const char *name, const char *text) {
    (void)store, (void)name, (void)text;
    return absent("saros_store_note");
}

saros_status saros_store_series(saros_store *store, const char *name, int64_t count,
                                const double *value) {
    (void)store, (void)name, (void)count, (void)value;
    return absent("saros_store_series");
}

saros_status saros_store_dataset(saros_store *store, const char *path_in_file,
                                 saros_tensor *tensor) {
    (void)store, (void)path_in_file, (void)tensor;
    return absent("saros_store_dataset");
}

saros_status saros_store_finish(saros_store *store) {
    (void)store;
    return absent("saros_store_finish");
}

void saros_store_abandon(saros_store *store) {
    (void)store;
}

saros_status saros_store_open(const char *path, saros_store_reader **out) {
    (void)path, (void)out;
    return absent("saros_store_open");
}

void saros_store_close(saros_store_reader *reader) {
    (void)reader;
}

saros_status saros_store_read(saros_store_reader *reader, const char *path_in_file,
                              saros_tensor **out) {
    (void)reader, (void)path_in_file, (void)out;
    return absent("saros_store_read");
}

saros_status saros_store_text(saros_store_reader *reader, const char *path_in_file, char **out) {
    (void)reader, (void)path_in_file, (void)out;
    return absent("saros_store_text");
}

saros_status saros_store_inspect(const char *path, char **out) {
    (void)path, (void)out;
    return absent("saros_store_inspect");
}

saros_status saros_store_variables(saros_store_reader *reader, int *count, const char ***names) {
    (void)reader, (void)count, (void)names;
    return absent("saros_store_variables");
}
