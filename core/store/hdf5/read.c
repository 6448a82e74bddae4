/* Reading a file: tensors, texts, and which datasets are variables. Files of others are read as
 * well as our own: any float or integer width, texts of fixed or variable length. */
#include "hdf5_impl.h"

#include <errno.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"

struct saros_store_reader {
    hid_t file;
    char *path;
    char **name; /**< of the variables; filled when first asked for */
    int names;
};

static void forget_names(saros_store_reader *reader) {
    for (int k = 0; k < reader->names; ++k) saros_release(reader->name[k]);
    saros_release(reader->name);
    reader->name = NULL;
    reader->names = 0;
}

static void reader_free(saros_store_reader *reader) {
    forget_names(reader);
    if (reader->file >= 0) H5Fclose(reader->file);
    saros_release(reader->path);
    saros_release(reader);
}

saros_status saros_store_open(const char *path, saros_store_reader **out) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_open";
    if (access(path, R_OK) != 0)
        return saros_fail(SAROS_ERR_IO, where, NULL, "cannot read %s: %s", path, strerror(errno));
    saros_store_reader *reader = saros_allocate_zero(1, sizeof *reader);
    if (!reader) return SAROS_ERR_MEMORY;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    reader->file = H5I_INVALID_HID;
    if (!(reader->path = saros_string_copy(path))) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    if (H5Fis_hdf5(path) <= 0) {
        status = saros_fail(SAROS_ERR_IO, where, NULL, "%s is not an HDF5 file", path);
        goto done;
    }
    hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access_list, H5F_CLOSE_STRONG);
    reader->file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
    saros_hdf5_close(access_list);
    SAROS_TRY(saros_hdf5_check(reader->file, where, path, "opening"));
    *out = reader;
    reader = NULL;
done:
    if (reader) reader_free(reader);
    saros_hdf5_leave(&scope);
    return status;
}

void saros_store_close(saros_store_reader *reader) {
    if (!reader) return;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    reader_free(reader);
    saros_hdf5_leave(&scope);
}

hid_t saros_store_reader_file(const saros_store_reader *reader) {
    return reader->file;
}

static saros_status missing(const saros_store_reader *reader, const char *where,
                            const char *place) {
    return saros_fail(SAROS_ERR_IO, where, "saros inspect lists what is in it", "%s has no %s",
                      reader->path, place);
}

/* The dtype that holds a file's numbers without loss; -1 if none does. */
static int dtype_of(hid_t type) {
    const size_t bytes = H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_FLOAT:
        return bytes <= 4 ? SAROS_F32 : SAROS_F64;
    case H5T_INTEGER:
        return bytes < 4 || (bytes == 4 && H5Tget_sign(type) == H5T_SGN_2) ? SAROS_I32 : SAROS_I64;
    case H5T_ENUM:
        return bytes == 1 && H5Tget_nmembers(type) == 2 ? SAROS_BOOL : -1;
    default:
        return -1;
    }
}

static saros_status read_numbers(hid_t data, const char *path, const char *place,
                                 saros_tensor **out) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_read";
    hid_t type = H5Dget_type(data), space = H5Dget_space(data), memory = H5I_INVALID_HID;
    saros_tensor *tensor = NULL;
    hsize_t extent[H5S_MAX_RANK];
    int64_t shape[SAROS_MAX_RANK];
    const int rank = H5Sget_simple_extent_dims(space, extent, NULL), dtype = dtype_of(type);
    if (dtype < 0 || rank > SAROS_MAX_RANK || H5Sget_simple_extent_type(space) == H5S_NULL) {
        status = saros_fail(SAROS_ERR_TYPE, where, NULL,
                            "%s in %s is not an array of numbers of rank 0 to %d", place, path,
                            SAROS_MAX_RANK);
        goto done;
    }
    SAROS_TRY(saros_hdf5_check(rank, where, path, place));
    for (int a = 0; a < rank; ++a) shape[a] = (int64_t)extent[a];
    SAROS_TRY(saros_tensor_make((saros_dtype)dtype, rank, shape, &tensor));
    memory = saros_hdf5_type((saros_dtype)dtype);
    SAROS_TRY(saros_hdf5_check(
        H5Dread(data, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, saros_tensor_data(tensor)), where,
        path, place));
    *out = tensor;
    tensor = NULL;
done:
    saros_tensor_release(tensor);
    saros_hdf5_close(memory);
    saros_hdf5_close(space);
    saros_hdf5_close(type);
    return status;
}

saros_status saros_store_read(saros_store_reader *reader, const char *path_in_file,
                              saros_tensor **out) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_read";
    hid_t data = H5I_INVALID_HID;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    if (!saros_hdf5_has(reader->file, path_in_file)) {
        status = missing(reader, where, path_in_file);
        goto done;
    }
    SAROS_TRY(saros_hdf5_check(data = H5Dopen2(reader->file, path_in_file, H5P_DEFAULT), where,
                               reader->path, path_in_file));
    SAROS_TRY(read_numbers(data, reader->path, path_in_file, out));
done:
    saros_hdf5_close(data);
    saros_hdf5_leave(&scope);
    return status;
}

/* Reads a string or a whole number from a dataset or attribute through `get`, into memory of the
 * allocator. */
typedef herr_t read_fn(hid_t from, hid_t type, void *to);
static herr_t read_attribute(hid_t from, hid_t type, void *to) {
    return H5Aread(from, type, to);
}
static herr_t read_dataset(hid_t from, hid_t type, void *to) {
    return H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
}

/* HDF5 does not convert between character sets: the text is read in the set it has (ASCII is UTF-8
 * too). */
static char *read_fixed_text(hid_t from, read_fn *get, size_t bytes, H5T_cset_t set) {
    char *text = saros_allocate_zero(bytes + 1, 1);
    hid_t type = text ? saros_hdf5_text_type(bytes + 1) : H5I_INVALID_HID;
    if (type >= 0) H5Tset_cset(type, set);
    if (text && (type < 0 || get(from, type, text) < 0)) {
        saros_release(text);
        text = NULL;
    }
    saros_hdf5_close(type);
    return text;
}

static char *read_variable_text(hid_t from, read_fn *get, H5T_cset_t set) {
    char *words = NULL, *text = NULL;
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, set);
    if (get(from, type, &words) >= 0) text = saros_string_copy(words ? words : "");
    if (words) H5free_memory(words);
    saros_hdf5_close(type);
    return text;
}

char *saros_hdf5_read_text(hid_t from, int is_attribute) {
    read_fn *get = is_attribute ? read_attribute : read_dataset;
    hid_t type = is_attribute ? H5Aget_type(from) : H5Dget_type(from);
    hid_t space = is_attribute ? H5Aget_space(from) : H5Dget_space(from);
    char *text = NULL, number[32];
    if (H5Sget_simple_extent_npoints(space) == 1) {
        int64_t whole;
        if (H5Tget_class(type) == H5T_STRING)
            text = H5Tis_variable_str(type) > 0
                       ? read_variable_text(from, get, H5Tget_cset(type))
                       : read_fixed_text(from, get, H5Tget_size(type), H5Tget_cset(type));
        else if (H5Tget_class(type) == H5T_INTEGER && get(from, H5T_NATIVE_INT64, &whole) >= 0) {
            snprintf(number, sizeof number, "%lld", (long long)whole);
            text = saros_string_copy(number);
        }
    }
    saros_hdf5_close(space);
    saros_hdf5_close(type);
    return text;
}

saros_status saros_store_text(saros_store_reader *reader, const char *path_in_file, char **out) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_text", *at = strchr(path_in_file, '@');
    char object[1024];
    hid_t from = H5I_INVALID_HID;
    const size_t length = at ? (size_t)(at - path_in_file) : strlen(path_in_file);
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    snprintf(object, sizeof object, "%.*s", (int)length, path_in_file);
    if (length == 0) snprintf(object, sizeof object, "/");
    const int at_root = strcmp(object, "/") == 0;
    if (length >= sizeof object || (!at_root && !saros_hdf5_has(reader->file, object)) ||
        (at && H5Aexists_by_name(reader->file, object, at + 1, H5P_DEFAULT) <= 0) ||
        (!at && at_root)) {
        status = missing(reader, where, path_in_file);
        goto done;
    }
    from = at ? H5Aopen_by_name(reader->file, object, at + 1, H5P_DEFAULT, H5P_DEFAULT)
              : H5Dopen2(reader->file, object, H5P_DEFAULT);
    SAROS_TRY(saros_hdf5_check(from, where, reader->path, path_in_file));
    char *text = saros_hdf5_read_text(from, at != NULL);
    if (!text) {
        status = saros_fail(SAROS_ERR_TYPE, where, NULL, "%s in %s is not one text", path_in_file,
                            reader->path);
        goto done;
    }
    *out = text;
done:
    saros_hdf5_close(from);
    saros_hdf5_leave(&scope);
    return status;
}

/* A variable is a dataset at the root with scales attached that is no scale itself. */
static herr_t collect_variable(hid_t root, const char *name, const H5L_info_t *info, void *user) {
    saros_store_reader *reader = user;
    (void)info;
    H5O_info_t object;
    if (H5Oget_info_by_name2(root, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
        object.type != H5O_TYPE_DATASET)
        return 0;
    hid_t data = H5Dopen2(root, name, H5P_DEFAULT);
    if (data < 0) return 0;
    int is_variable = H5DSis_scale(data) <= 0 && H5Aexists(data, "DIMENSION_LIST") > 0;
    saros_hdf5_close(data);
    if (!is_variable) return 0;
    char **grown = saros_reallocate(reader->name, (size_t)(reader->names + 1) * sizeof *grown);
    if (!grown) return -1;
    reader->name = grown;
    if (!(grown[reader->names] = saros_string_copy(name))) return -1;
    reader->names += 1;
    return 0;
}

saros_status saros_store_variables(saros_store_reader *reader, int *count, const char ***names) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_variables";
    const char **list = NULL;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    forget_names(reader);
    /* Creation order, where the file kept it. */
    herr_t code =
        H5Literate(reader->file, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, collect_variable, reader);
    if (code < 0 && reader->names == 0)
        code = H5Literate(reader->file, H5_INDEX_NAME, H5_ITER_INC, NULL, collect_variable, reader);
    SAROS_TRY(saros_hdf5_check(code, where, reader->path, "listing"));
    if (!(list = saros_allocate((size_t)(reader->names + 1) * sizeof *list))) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    for (int k = 0; k < reader->names; ++k) list[k] = reader->name[k];
    *count = reader->names;
    *names = list;
done:
    saros_hdf5_leave(&scope);
    return status;
}
