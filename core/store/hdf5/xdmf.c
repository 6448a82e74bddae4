/* NAME.xdmf beside NAME.h5: the same data described for older versions of ParaView and VisIt (XDMF
 * 3, xdmf.org).
 *
 * A rectilinear grid whose coordinates are the scales of the file; one grid per time level, each a
 * hyperslab of the variables. XDMF has grids in two and three dimensions: a line becomes a plane
 * grid with one row. */
#include "hdf5_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "saros/memory.h"

char *saros_store_xdmf_path(const char *path) {
    const size_t length = strlen(path);
    char *beside = saros_allocate(length + 6);
    if (!beside) return NULL;
    size_t stem = length > 3 && strcmp(path + length - 3, ".h5") == 0 ? length - 3 : length;
    memcpy(beside, path, stem);
    memcpy(beside + stem, ".xdmf", 6);
    return beside;
}

static void put_escaped(FILE *to, const char *text) {
    for (; *text; ++text) {
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            fputc(*text, to);
        }
    }
}

/* "file.h5:/name" */
static void put_place(FILE *to, const saros_store *store, const char *name) {
    const char *slash = strrchr(store->path, '/');
    put_escaped(to, slash ? slash + 1 : store->path);
    fputs(":/", to);
    put_escaped(to, name);
}

/* "ny nx" of the space axes, with a leading row where there is one axis. */
static void put_extents(FILE *to, const saros_store *store) {
    if (store->scales - store->timed == 1) fputs("1 ", to);
    for (int a = store->timed; a < store->scales; ++a)
        fprintf(to, "%lld%s", (long long)store->extent[a], a + 1 < store->scales ? " " : "");
}

static void put_grid(FILE *to, const saros_store *store) {
    const int axes = store->scales - store->timed;
    fprintf(to, "<Topology TopologyType=\"%s\" Dimensions=\"",
            axes < 3 ? "2DRectMesh" : "3DRectMesh");
    put_extents(to, store);
    fprintf(to, "\"/>\n<Geometry GeometryType=\"%s\">\n", axes < 3 ? "VXVY" : "VXVYVZ");
    for (int a = store->scales - 1; a >= store->timed; --a) {
        fprintf(
            to,
            "<DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"%lld\">",
            (long long)store->extent[a]);
        put_place(to, store, store->scale[a].name);
        fputs("</DataItem>\n", to);
    }
    if (axes == 1) fputs("<DataItem Format=\"XML\" Dimensions=\"1\">0</DataItem>\n", to);
    fputs("</Geometry>\n", to);
}

/* start, stride and count of one level, as three rows of a table */
static void put_slab(FILE *to, const saros_store *store, int64_t level) {
    fprintf(to, "<DataItem Dimensions=\"3 %d\" Format=\"XML\">%lld", store->scales,
            (long long)level);
    for (int a = 1; a < store->scales; ++a) fputs(" 0", to);
    for (int a = 0; a < store->scales; ++a) fputs(" 1", to);
    fputs(" 1", to);
    for (int a = 1; a < store->scales; ++a) fprintf(to, " %lld", (long long)store->extent[a]);
    fputs("</DataItem>\n", to);
}

static void put_variable(FILE *to, const saros_store *store, const char *name, int64_t level) {
    fputs("<Attribute AttributeType=\"Scalar\" Center=\"Node\" Name=\"", to);
    put_escaped(to, name);
    fputs("\">\n", to);
    if (store->timed) {
        fputs("<DataItem ItemType=\"HyperSlab\" Dimensions=\"", to);
        put_extents(to, store);
        fputs("\">\n", to);
        put_slab(to, store, level);
    }
    fputs("<DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"", to);
    if (store->timed) {
        fprintf(to, "%lld", (long long)store->levels);
        for (int a = 1; a < store->scales; ++a) fprintf(to, " %lld", (long long)store->extent[a]);
    } else {
        put_extents(to, store);
    }
    fputs("\">", to);
    put_place(to, store, name);
    fputs("</DataItem>\n", to);
    if (store->timed) fputs("</DataItem>\n", to);
    fputs("</Attribute>\n", to);
}

static void put_document(FILE *to, const saros_store *store, const double *times) {
    const int64_t levels = store->timed ? store->levels : 1;
    fputs("<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\">\n<Domain>\n", to);
    if (store->timed)
        fputs("<Grid Name=\"series\" GridType=\"Collection\" CollectionType=\"Temporal\">\n", to);
    for (int64_t level = 0; level < levels; ++level) {
        fputs("<Grid Name=\"grid\" GridType=\"Uniform\">\n", to);
        if (store->timed) fprintf(to, "<Time Value=\"%.17g\"/>\n", times[level]);
        put_grid(to, store);
        for (int k = 0; k < store->variables; ++k)
            put_variable(to, store, store->variable[k].name, level);
        fputs("</Grid>\n", to);
    }
    if (store->timed) fputs("</Grid>\n", to);
    fputs("</Domain>\n</Xdmf>\n", to);
}

saros_status saros_store_write_xdmf(const saros_store *store) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_finish";
    const int axes = store->scales - store->timed;
    if (axes < 1 || axes > 3 || !store->variables) return SAROS_OK;
    char *path = saros_store_xdmf_path(store->path);
    double *times = saros_allocate((size_t)store->levels * sizeof *times);
    FILE *to = NULL;
    if (!path || !times) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    if (store->timed)
        SAROS_TRY(saros_hdf5_check(
            H5Dread(store->scale[0].id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, times),
            where, store->path, "times"));
    if (!(to = fopen(path, "w"))) {
        status =
            saros_fail(SAROS_ERR_IO, where, NULL, "cannot create %s: %s", path, strerror(errno));
        goto done;
    }
    put_document(to, store, times);
    int bad = ferror(to);
    if (fclose(to) || bad)
        status =
            saros_fail(SAROS_ERR_IO, where, NULL, "cannot write %s: %s", path, strerror(errno));
done:
    saros_release(times);
    saros_release(path);
    return status;
}
