/* Adding to an open result file: time levels, notes, series, datasets of any shape. */
#include "hdf5_impl.h"

#include <string.h>

#include "saros/memory.h"

/* Writes `count` numbers at the end of a one-dimensional dataset. */
static herr_t extend_series(hid_t data, hsize_t count, const double *value) {
    hid_t space = H5Dget_space(data), memory = H5I_INVALID_HID, target = H5I_INVALID_HID;
    hsize_t old = 0;
    herr_t code = H5Sget_simple_extent_dims(space, &old, NULL) == 1 ? 0 : -1;
    hsize_t now = old + count;
    if (code >= 0) code = H5Dset_extent(data, &now);
    if (code >= 0) {
        target = H5Dget_space(data);
        memory = H5Screate_simple(1, &count, NULL);
        code = H5Sselect_hyperslab(target, H5S_SELECT_SET, &old, NULL, &count, NULL);
    }
    if (code >= 0) code = H5Dwrite(data, H5T_NATIVE_DOUBLE, memory, target, H5P_DEFAULT, value);
    saros_hdf5_close(memory);
    saros_hdf5_close(target);
    saros_hdf5_close(space);
    return code;
}

/* The tensor of one level must have the extents of the space axes. */
static saros_status check_level(const saros_store *store, int k, const saros_tensor *tensor) {
    const char *where = "saros_store_append";
    saros_type got = saros_tensor_type(tensor), need = got;
    need.rank = store->scales - store->timed;
    for (int a = 0; a < need.rank; ++a) need.shape[a] = store->extent[a + store->timed];
    char got_text[128], need_text[128];
    if (!saros_type_equal(&got, &need))
        return saros_fail(SAROS_ERR_SHAPE, where, NULL, "%s: got %s, needed %s",
                          store->variable[k].name, saros_type_text(&got, got_text, sizeof got_text),
                          saros_type_text(&need, need_text, sizeof need_text));
    if (got.dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, where, NULL, "%s: an opaque tensor has no numbers",
                          store->variable[k].name);
    return SAROS_OK;
}

/* Writes one level of one variable; HDF5 converts to the f64 of the file. */
static herr_t write_level(const saros_store *store, hid_t data, const saros_tensor *tensor) {
    const int rank = store->scales, first = store->timed;
    hsize_t start[SAROS_MAX_RANK] = {0}, count[SAROS_MAX_RANK], whole[SAROS_MAX_RANK];
    for (int a = 0; a < rank; ++a) count[a] = whole[a] = (hsize_t)store->extent[a];
    if (first) {
        start[0] = (hsize_t)store->levels;
        count[0] = 1;
        whole[0] = start[0] + 1;
        if (H5Dset_extent(data, whole) < 0) return -1;
    }
    hid_t target = H5Dget_space(data), memory = H5Screate_simple(rank, count, NULL);
    saros_dtype dtype = saros_tensor_dtype(tensor);
    /* HDF5 does not convert its enumerations to numbers; the bytes 0 and 1 are numbers already. */
    hid_t type = dtype == SAROS_BOOL ? H5Tcopy(H5T_NATIVE_UINT8) : saros_hdf5_type(dtype);
    herr_t code = H5Sselect_hyperslab(target, H5S_SELECT_SET, start, NULL, count, NULL);
    if (code >= 0)
        code = H5Dwrite(data, type, memory, target, H5P_DEFAULT, saros_tensor_const_data(tensor));
    saros_hdf5_close(type);
    saros_hdf5_close(memory);
    saros_hdf5_close(target);
    return code;
}

static saros_status check_append(const saros_store *store, int variables,
                                 saros_tensor *const *tensor) {
    const char *where = "saros_store_append";
    const int64_t most = store->timed ? store->extent[0] : 1;
    if (variables != store->variables)
        return saros_fail(SAROS_ERR_USAGE, where, NULL, "got %d tensors, needed %d", variables,
                          store->variables);
    if (most && store->levels >= most)
        return saros_fail(SAROS_ERR_USAGE, where, NULL, "%s has its %lld outputs already",
                          store->path, (long long)most);
    for (int k = 0; k < variables; ++k) {
        saros_status status = check_level(store, k, tensor[k]);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

saros_status saros_store_append(saros_store *store, double t, int variables,
                                saros_tensor *const *tensor) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_append";
    saros_tensor *dense = NULL;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    SAROS_TRY(check_append(store, variables, tensor));
    for (int k = 0; k < variables; ++k) {
        SAROS_TRY(saros_tensor_contiguous(tensor[k], &dense));
        SAROS_TRY(saros_hdf5_check(write_level(store, store->variable[k].id, dense), where,
                                   store->path, store->variable[k].name));
        saros_tensor_release(dense);
        dense = NULL;
    }
    /* Time last: a level whose time stands in the file is there in full. */
    if (store->timed)
        SAROS_TRY(saros_hdf5_check(extend_series(store->scale[0].id, 1, &t), where, store->path,
                                   store->scale[0].name));
    store->levels += 1;
    SAROS_TRY(
        saros_hdf5_check(H5Fflush(store->file, H5F_SCOPE_LOCAL), where, store->path, "flushing"));
done:
    saros_tensor_release(dense);
    saros_hdf5_leave(&scope);
    return status;
}

saros_status saros_store_note(saros_store *store, const char *name, const char *text) {
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    saros_status status = saros_store_put_note(store, name, text);
    saros_hdf5_leave(&scope);
    return status;
}

static hid_t open_series(hid_t file, const char *place) {
    if (saros_hdf5_has(file, place)) return H5Dopen2(file, place, H5P_DEFAULT);
    const hsize_t none = 0, most = H5S_UNLIMITED, chunk = 256;
    hid_t space = H5Screate_simple(1, &none, &most), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = saros_hdf5_link_properties();
    H5Pset_chunk(list, 1, &chunk);
    hid_t data = H5Dcreate2(file, place, H5T_NATIVE_DOUBLE, space, links, list, H5P_DEFAULT);
    saros_hdf5_close(links);
    saros_hdf5_close(list);
    saros_hdf5_close(space);
    return data;
}

saros_status saros_store_series(saros_store *store, const char *name, int64_t count,
                                const double *value) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_series";
    if (!name || !name[0] || strchr(name, '/') || count < 0)
        return saros_fail(SAROS_ERR_USAGE, where, NULL,
                          "got \"%s\" of length %lld, needed a name without '/'", name ? name : "",
                          (long long)count);
    char place[256];
    snprintf(place, sizeof place, "/history/%s", name);
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    hid_t data = open_series(store->file, place);
    SAROS_TRY(saros_hdf5_check(data, where, store->path, place));
    SAROS_TRY(saros_hdf5_check(count ? extend_series(data, (hsize_t)count, value) : 0, where,
                               store->path, place));
done:
    saros_hdf5_close(data);
    saros_hdf5_leave(&scope);
    return status;
}

saros_status saros_store_dataset(saros_store *store, const char *path_in_file,
                                 saros_tensor *tensor) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_dataset";
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, links = H5I_INVALID_HID,
          data = H5I_INVALID_HID;
    saros_tensor *dense = NULL;
    hsize_t shape[SAROS_MAX_RANK];
    const int rank = saros_tensor_rank(tensor);
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    if (saros_tensor_dtype(tensor) == SAROS_OPAQUE) {
        status = saros_fail(SAROS_ERR_TYPE, where, NULL, "%s: an opaque tensor has no numbers",
                            path_in_file);
        goto done;
    }
    if (saros_hdf5_has(store->file, path_in_file)) {
        status = saros_fail(SAROS_ERR_USAGE, where, NULL, "%s is in %s already", path_in_file,
                            store->path);
        goto done;
    }
    SAROS_TRY(saros_tensor_contiguous(tensor, &dense));
    for (int a = 0; a < rank; ++a) shape[a] = (hsize_t)saros_tensor_shape(dense)[a];
    type = saros_hdf5_type(saros_tensor_dtype(dense));
    space = rank ? H5Screate_simple(rank, shape, NULL) : H5Screate(H5S_SCALAR);
    links = saros_hdf5_link_properties();
    SAROS_TRY(saros_hdf5_check(
        data = H5Dcreate2(store->file, path_in_file, type, space, links, H5P_DEFAULT, H5P_DEFAULT),
        where, store->path, path_in_file));
    SAROS_TRY(saros_hdf5_check(
        H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, saros_tensor_const_data(dense)), where,
        store->path, path_in_file));
done:
    saros_tensor_release(dense);
    saros_hdf5_close(data);
    saros_hdf5_close(links);
    saros_hdf5_close(space);
    saros_hdf5_close(type);
    saros_hdf5_leave(&scope);
    return status;
}
