/* Ending a result file: the VTK view, the XDMF file, @complete = 1 last, then synced to the disk.
 *
 * VTKHDF 2.0, type ImageData (docs.vtk.org, "VTKHDF file format"): point data are hard links to the
 * variables, whose axes are (t,) z, y, x already; Steps/Values is a copy of the times, because a
 * link to a dimension scale would make other readers see two. Only an equally spaced grid is an
 * image: other grids get no such group. */
#include "hdf5_impl.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"

/* @Type must be ASCII, padded with zeros, without a terminator. */
static herr_t put_image_type(hid_t group) {
    static const char text[] = "ImageData";
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, sizeof text - 1);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    hid_t attribute = H5Acreate2(group, "Type", type, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t code = attribute < 0 ? -1 : H5Awrite(attribute, type, text);
    saros_hdf5_close(attribute);
    saros_hdf5_close(space);
    saros_hdf5_close(type);
    return code;
}

static herr_t put_geometry(const saros_store *store, hid_t group) {
    const int64_t version[2] = {2, 0};
    int64_t extent[6] = {0};
    double origin[3] = {0}, spacing[3] = {1, 1, 1};
    const double direction[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    for (int a = store->timed; a < store->scales; ++a) {
        int k = store->scales - 1 - a; /* the last axis of the file is VTK's first */
        extent[2 * k + 1] = store->extent[a] - 1;
        origin[k] = store->origin[a];
        spacing[k] = store->spacing[a];
    }
    if (saros_hdf5_put_numbers(group, "Version", H5T_NATIVE_INT64, 2, version) < 0) return -1;
    if (put_image_type(group) < 0) return -1;
    if (saros_hdf5_put_numbers(group, "WholeExtent", H5T_NATIVE_INT64, 6, extent) < 0) return -1;
    if (saros_hdf5_put_numbers(group, "Origin", H5T_NATIVE_DOUBLE, 3, origin) < 0) return -1;
    if (saros_hdf5_put_numbers(group, "Spacing", H5T_NATIVE_DOUBLE, 3, spacing) < 0) return -1;
    return saros_hdf5_put_numbers(group, "Direction", H5T_NATIVE_DOUBLE, 9, direction);
}

static herr_t put_points(const saros_store *store, hid_t group) {
    hid_t points = H5Gcreate2(group, "PointData", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    herr_t code = points < 0 ? -1 : 0;
    for (int k = 0; k < store->variables && code >= 0; ++k)
        code = H5Lcreate_hard(store->file, store->variable[k].name, points, store->variable[k].name,
                              H5P_DEFAULT, H5P_DEFAULT);
    saros_hdf5_close(points);
    return code;
}

static herr_t put_steps(const saros_store *store, hid_t group) {
    const hsize_t levels = (hsize_t)store->levels;
    double *times = saros_allocate((size_t)levels * sizeof *times);
    if (!times) return -1;
    hid_t steps = H5Gcreate2(group, "Steps", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &levels, NULL), values = H5I_INVALID_HID;
    herr_t code = steps < 0 ? -1 : 0;
    if (code >= 0)
        code = H5Dread(store->scale[0].id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, times);
    if (code >= 0)
        code = saros_hdf5_put_numbers(steps, "NSteps", H5T_NATIVE_INT64, 0, &store->levels);
    if (code >= 0) {
        values = H5Dcreate2(steps, "Values", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT,
                            H5P_DEFAULT);
        code = values < 0
                   ? -1
                   : H5Dwrite(values, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, times);
    }
    saros_hdf5_close(values);
    saros_hdf5_close(space);
    saros_hdf5_close(steps);
    saros_release(times);
    return code;
}

saros_status saros_store_write_vtkhdf(const saros_store *store) {
    const int space_axes = store->scales - store->timed;
    if (!store->uniform || space_axes < 1 || space_axes > 3 || !store->variables) return SAROS_OK;
    hid_t group = H5Gcreate2(store->file, "VTKHDF", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    herr_t code = group < 0 ? -1 : put_geometry(store, group);
    if (code >= 0) code = put_points(store, group);
    if (code >= 0 && store->timed) code = put_steps(store, group);
    saros_hdf5_close(group);
    return saros_hdf5_check(code, "saros_store_finish", store->path, "/VTKHDF");
}

/* Every output that was announced must be there before the file may call itself complete. */
static saros_status check_levels(const saros_store *store) {
    const int64_t need = store->timed ? store->extent[0] : 1;
    if (!need || store->levels == need || !store->variables) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "saros_store_finish", NULL,
                      "%s has %lld outputs, %lld were announced", store->path,
                      (long long)store->levels, (long long)need);
}

static saros_status set_complete(const saros_store *store) {
    const int yes = 1;
    hid_t attribute = H5Aopen(store->file, "complete", H5P_DEFAULT);
    herr_t code = attribute < 0 ? -1 : H5Awrite(attribute, H5T_NATIVE_INT, &yes);
    saros_hdf5_close(attribute);
    return saros_hdf5_check(code, "saros_store_finish", store->path, "@complete");
}

static void sync_to_disk(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    fsync(file);
    close(file);
}

saros_status saros_store_finish(saros_store *store) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_finish";
    char now[32], *path = NULL;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    SAROS_TRY(check_levels(store));
    saros_store_now(now);
    SAROS_TRY(saros_store_put_note(store, "end", now));
    SAROS_TRY(saros_store_write_vtkhdf(store));
    SAROS_TRY(saros_store_write_xdmf(store));
    SAROS_TRY(
        saros_hdf5_check(H5Fflush(store->file, H5F_SCOPE_LOCAL), where, store->path, "flushing"));
    SAROS_TRY(set_complete(store));
    if (!(path = saros_string_copy(store->path))) status = SAROS_ERR_MEMORY;
done:
    saros_store_free(store);
    if (status == SAROS_OK) sync_to_disk(path);
    saros_release(path);
    saros_hdf5_leave(&scope);
    return status;
}

void saros_store_abandon(saros_store *store) {
    if (!store) return;
    saros_hdf5_scope scope;
    saros_hdf5_enter(&scope);
    saros_store_free(store);
    saros_hdf5_leave(&scope);
}
