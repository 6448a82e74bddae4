/* Writing a result file: root attributes, scales, variables that grow along time, notes, series.
 *
 * Time is always extensible, even when its levels are known beforehand, so a run that is cut short
 * leaves exactly the levels it reached, with @complete = 0. Variables are chunked one level a chunk
 * and flushed at every level. The VTK view of the same data and the XDMF file are made when the
 * file is finished (finish.c). */
#include "hdf5_impl.h"

#include <errno.h>
#include <hdf5_hl.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "saros/config.h"
#include "saros/memory.h"

static const char *const format_version = "1.0";

void saros_store_now(char text[32]) {
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void saros_store_free(saros_store *store) {
    for (int k = 0; k < store->variables; ++k) {
        saros_hdf5_close(store->variable[k].id);
        saros_release(store->variable[k].name);
    }
    for (int k = 0; k < store->scales; ++k) {
        saros_hdf5_close(store->scale[k].id);
        saros_release(store->scale[k].name);
    }
    if (store->file >= 0) H5Fclose(store->file);
    saros_release(store->variable);
    saros_release(store->path);
    saros_release(store);
}

/* A name of a dataset at the root: not empty, no path. */
static saros_status check_name(const char *where, const char *name) {
    if (name && name[0] && !strchr(name, '/') && strcmp(name, ".") != 0) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, where, NULL,
                      "got the name \"%s\", needed one without '/' that is not empty",
                      name ? name : "");
}

static saros_status put_scalar_text(hid_t file, const char *place, const char *text,
                                    const char *path) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_note";
    hid_t type = saros_hdf5_text_type(strlen(text) + 1), space = H5Screate(H5S_SCALAR);
    hid_t links = saros_hdf5_link_properties(), data = H5I_INVALID_HID;
    SAROS_TRY(saros_hdf5_check(
        data = H5Dcreate2(file, place, type, space, links, H5P_DEFAULT, H5P_DEFAULT), where, path,
        place));
    SAROS_TRY(saros_hdf5_check(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text), where,
                               path, place));
done:
    saros_hdf5_close(data);
    saros_hdf5_close(links);
    saros_hdf5_close(space);
    saros_hdf5_close(type);
    return status;
}

saros_status saros_store_put_note(saros_store *store, const char *name, const char *text) {
    saros_status status = SAROS_OK;
    char place[256];
    SAROS_TRY(check_name("saros_store_note", name));
    snprintf(place, sizeof place, "/provenance/%s", name);
    if (saros_hdf5_has(store->file, place)) {
        return saros_fail(SAROS_ERR_USAGE, "saros_store_note", NULL, "%s is in %s already", place,
                          store->path);
    }
    SAROS_TRY(put_scalar_text(store->file, place, text, store->path));
done:
    return status;
}

/* Space axes are equally spaced if every step is, to round-off of the coordinates. */
static void measure_axis(saros_store *store, int k, const saros_store_scale *scale) {
    store->origin[k] = scale->value[0];
    store->spacing[k] = 1;
    if (scale->count < 2) return;
    double step = (scale->value[scale->count - 1] - scale->value[0]) / (double)(scale->count - 1);
    store->spacing[k] = step;
    for (int64_t i = 1; i < scale->count; ++i) {
        double off = scale->value[i] - (scale->value[0] + (double)i * step);
        if (fabs(off) > 1e-9 * fabs(step)) store->uniform = 0;
    }
    if (!(step > 0)) store->uniform = 0;
}

static herr_t describe_scale(hid_t id, const saros_store_scale *scale, int is_time) {
    const char letter[2] = {(char)(is_time                 ? 'T'
                                   : scale->name[0] >= 'a' ? scale->name[0] - 32
                                                           : scale->name[0]),
                            0};
    if (H5DSset_scale(id, scale->name) < 0) return -1;
    if (saros_hdf5_put_text(id, "units", scale->units ? scale->units : "1") < 0) return -1;
    if (saros_hdf5_put_text(id, "long_name", scale->long_name ? scale->long_name : scale->name) < 0)
        return -1;
    return strchr("TXYZ", letter[0]) ? saros_hdf5_put_text(id, "axis", letter) : 0;
}

static saros_status add_scale(saros_store *store, const saros_store_scale *scale) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_create";
    const int k = store->scales, is_time = store->timed && k == 0;
    hid_t space = H5I_INVALID_HID, list = H5Pcreate(H5P_DATASET_CREATE);
    SAROS_TRY(check_name(where, scale->name));
    if (!is_time && (scale->count < 1 || !scale->value)) {
        status =
            saros_fail(SAROS_ERR_USAGE, where, NULL, "axis %s has no coordinates", scale->name);
        goto done;
    }
    store->scale[k].id = H5I_INVALID_HID;
    if (!(store->scale[k].name = saros_string_copy(scale->name))) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    store->scales = k + 1;
    store->extent[k] = scale->count;
    if (!is_time) measure_axis(store, k, scale);

    hsize_t now = is_time ? 0 : (hsize_t)scale->count, most = is_time ? H5S_UNLIMITED : now;
    const hsize_t chunk = 256;
    if (is_time) H5Pset_chunk(list, 1, &chunk);
    SAROS_TRY(saros_hdf5_check(space = H5Screate_simple(1, &now, &most), where, store->path,
                               scale->name));
    SAROS_TRY(saros_hdf5_check(store->scale[k].id =
                                   H5Dcreate2(store->file, scale->name, H5T_NATIVE_DOUBLE, space,
                                              H5P_DEFAULT, list, H5P_DEFAULT),
                               where, store->path, scale->name));
    if (!is_time)
        SAROS_TRY(saros_hdf5_check(H5Dwrite(store->scale[k].id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL,
                                            H5P_DEFAULT, scale->value),
                                   where, store->path, scale->name));
    SAROS_TRY(saros_hdf5_check(describe_scale(store->scale[k].id, scale, is_time), where,
                               store->path, scale->name));
done:
    saros_hdf5_close(space);
    saros_hdf5_close(list);
    return status;
}

/* Neither the result nor the XDMF file beside it may be there already; the folder must be. */
static saros_status check_free(const char *path) {
    const char *where = "saros_store_create";
    saros_status status = SAROS_OK;
    char *beside = saros_store_xdmf_path(path);
    if (!beside) return SAROS_ERR_MEMORY;
    const char *const both[] = {path, beside};
    for (int k = 0; k < 2 && status == SAROS_OK; ++k)
        if (access(both[k], F_OK) == 0)
            status = saros_fail(SAROS_ERR_IO, where, "choose another name or ask for overwriting",
                                "%s exists already", both[k]);
    saros_release(beside);
    return status;
}

/* The file itself. Links keep their order of creation, so variables read back in the order they
 * were declared. */
static saros_status create_file(saros_store *store, int overwrite) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_create", *path = store->path;
    hid_t create = H5Pcreate(H5P_FILE_CREATE), open = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_fclose_degree(open, H5F_CLOSE_STRONG);
    errno = 0;
    store->file = H5Fcreate(path, overwrite ? H5F_ACC_TRUNC : H5F_ACC_EXCL, create, open);
    if (store->file < 0)
        status = saros_fail(SAROS_ERR_IO, where, errno == ENOENT ? "make the folder first" : NULL,
                            "cannot create %s: %s", path,
                            errno ? strerror(errno) : "HDF5 refused, the file may be in use");
    saros_hdf5_close(create);
    saros_hdf5_close(open);
    return status;
}

static saros_status put_root(saros_store *store, const char *title) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_create", *path = store->path;
    const int not_yet = 0;
    char host[256] = "unknown", now[32];
    SAROS_TRY(saros_hdf5_check(saros_hdf5_put_text(store->file, "Conventions", "CF-1.8"), where,
                               path, "@Conventions"));
    SAROS_TRY(saros_hdf5_check(saros_hdf5_put_text(store->file, "saros_format", format_version),
                               where, path, "@saros_format"));
    SAROS_TRY(saros_hdf5_check(
        saros_hdf5_put_numbers(store->file, "complete", H5T_NATIVE_INT, 0, &not_yet), where, path,
        "@complete"));
    SAROS_TRY(saros_hdf5_check(saros_hdf5_put_text(store->file, "title", title ? title : ""), where,
                               path, "@title"));
    gethostname(host, sizeof host - 1);
    saros_store_now(now);
    SAROS_TRY(saros_store_put_note(store, "saros_version", SAROS_VERSION));
    SAROS_TRY(saros_store_put_note(store, "host", host));
    SAROS_TRY(saros_store_put_note(store, "start", now));
done:
    return status;
}

saros_status saros_store_create(const char *path, bool overwrite, const char *title, int scales,
                                const saros_store_scale *scale, saros_store **out) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_create";
    if (scales < 1 || scales > SAROS_MAX_RANK)
        return saros_fail(SAROS_ERR_USAGE, where, NULL, "got %d axes, needed 1 to %d", scales,
                          SAROS_MAX_RANK);
    saros_store *store = saros_allocate_zero(1, sizeof *store);
    if (!store) return SAROS_ERR_MEMORY;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    store->file = H5I_INVALID_HID;
    store->uniform = 1;
    store->timed = scale[0].name && strcmp(scale[0].name, "t") == 0;
    if (!(store->path = saros_string_copy(path))) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    if (!overwrite) SAROS_TRY(check_free(path));
    SAROS_TRY(create_file(store, overwrite));
    for (int k = 0; k < scales; ++k) SAROS_TRY(add_scale(store, &scale[k]));
    SAROS_TRY(put_root(store, title));
    *out = store;
    store = NULL;
done:
    if (store) saros_store_free(store);
    saros_hdf5_leave(&scope);
    return status;
}

/* Dataset over all axes: one chunk a time level, NaN where nothing was written. */
static hid_t create_variable(saros_store *store, const char *name) {
    hsize_t now[SAROS_MAX_RANK], most[SAROS_MAX_RANK], chunk[SAROS_MAX_RANK];
    for (int k = 0; k < store->scales; ++k) {
        int is_time = store->timed && k == 0;
        now[k] = is_time ? 0 : (hsize_t)store->extent[k];
        most[k] = is_time ? H5S_UNLIMITED : now[k];
        chunk[k] = is_time ? 1 : now[k];
    }
    const double nan_value = NAN;
    hid_t space = H5Screate_simple(store->scales, now, most), list = H5Pcreate(H5P_DATASET_CREATE);
    if (store->timed) H5Pset_chunk(list, store->scales, chunk);
    H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &nan_value);
    hid_t id =
        H5Dcreate2(store->file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    saros_hdf5_close(list);
    saros_hdf5_close(space);
    return id;
}

saros_status saros_store_variable(saros_store *store, const char *name, const char *units,
                                  const char *long_name) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_variable";
    SAROS_TRY(check_name(where, name));
    if (store->levels)
        return saros_fail(SAROS_ERR_USAGE, where, "declare all variables first",
                          "%s was declared after the first output", name);
    saros_store_column *grown =
        saros_reallocate(store->variable, (size_t)(store->variables + 1) * sizeof *store->variable);
    if (!grown) return SAROS_ERR_MEMORY;
    store->variable = grown;
    saros_store_column *column = &grown[store->variables];
    *column = (saros_store_column){saros_string_copy(name), H5I_INVALID_HID};
    if (!column->name) return SAROS_ERR_MEMORY;
    store->variables += 1;

    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    status = saros_hdf5_check(column->id = create_variable(store, name), where, store->path, name);
    for (int k = 0; k < store->scales && status == SAROS_OK; ++k)
        status = saros_hdf5_check(H5DSattach_scale(column->id, store->scale[k].id, (unsigned)k),
                                  where, store->path, name);
    if (status == SAROS_OK)
        status = saros_hdf5_check(saros_hdf5_put_text(column->id, "units", units ? units : "1"),
                                  where, store->path, name);
    if (status == SAROS_OK)
        status = saros_hdf5_check(
            saros_hdf5_put_text(column->id, "long_name", long_name ? long_name : name), where,
            store->path, name);
    saros_hdf5_leave(&scope);
done:
    return status;
}
