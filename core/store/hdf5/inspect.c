/* A file as a readable tree: names, shapes, smallest and largest value, how many NaN, texts and
 * attributes.
 *
 * Links to an object shown before (the VTK view) are shown as links. Datasets are read in blocks of
 * leading rows, so a result larger than memory can be looked at. */
#include "hdf5_impl.h"
#include "../summary_impl.h"

#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saros/memory.h"

enum { max_depth = 32, max_seen = 1024, block_elements = 1 << 20 };

typedef struct inspection {
    FILE *to;
    int depth;
    struct {
        haddr_t address;
        char path[256];
    } seen[max_seen];
    int seen_count;
    char path[1024]; /**< of the group being listed, "" for the root */
} inspection;

static void indent(const inspection *self) {
    fprintf(self->to, "%*s", 2 * self->depth, "");
}

/* Reads rows [first, first+rows) of the leading axis (everything at rank 0). */
static herr_t read_rows(hid_t data, hid_t space, int rank, const hsize_t *extent, hsize_t first,
                        hsize_t rows, double *value) {
    if (rank == 0) return H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
    hsize_t start[H5S_MAX_RANK] = {first}, count[H5S_MAX_RANK];
    memcpy(count, extent, (size_t)rank * sizeof *count);
    count[0] = rows;
    hid_t memory = H5Screate_simple(rank, count, NULL);
    herr_t code = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    if (code >= 0) code = H5Dread(data, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, value);
    saros_hdf5_close(memory);
    return code;
}

static void print_summary(inspection *self, hid_t data, hid_t space, int rank,
                          const hsize_t *extent) {
    hsize_t row = 1;
    for (int a = 1; a < rank; ++a) row *= extent[a];
    const hsize_t total = rank ? extent[0] : 1;
    if (row == 0 || total == 0) return;
    hsize_t rows = row >= block_elements ? 1 : block_elements / row;
    if (rows > total) rows = total;
    double *value = saros_allocate((size_t)(rows * row) * sizeof *value);
    saros_summary summary = SAROS_SUMMARY_EMPTY;
    herr_t code = value ? 0 : -1;
    for (hsize_t first = 0; first < total && code >= 0; first += rows) {
        hsize_t now = total - first < rows ? total - first : rows;
        code = read_rows(data, space, rank, extent, first, now, value);
        if (code >= 0) saros_summarise(value, (size_t)(now * row), &summary);
    }
    saros_release(value);
    if (code < 0) {
        fputs("  cannot be read", self->to);
        return;
    }
    saros_summary_print(&summary, self->to);
}

static const char *type_word(hid_t type) {
    const size_t bytes = H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_FLOAT:
        return bytes == 4 ? "f32" : bytes == 8 ? "f64" : "float";
    case H5T_INTEGER:
        return bytes == 4 ? "i32" : bytes == 8 ? "i64" : "integer";
    case H5T_ENUM:
        return "bool";
    case H5T_STRING:
        return "text";
    default:
        return "other";
    }
}

/* The first line of a text, cut at 60 characters. */
static void print_text(inspection *self, const char *text) {
    size_t length = strcspn(text, "\n");
    int cut = length > 60 || text[length] != '\0';
    fprintf(self->to, "\"%.*s\"%s", (int)(length > 60 ? 60 : length), text, cut ? " …" : "");
}

static herr_t print_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user) {
    inspection *self = user;
    (void)info;
    static const char *const ours[] = {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"};
    for (size_t k = 0; k < sizeof ours / sizeof *ours; ++k)
        if (strcmp(name, ours[k]) == 0) return 0; /* bookkeeping of dimension scales */
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) return 0;
    char *text = saros_hdf5_read_text(attribute, 1);
    hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
    double value[9];
    hssize_t count = H5Sget_simple_extent_npoints(space);
    indent(self);
    fprintf(self->to, "@%s = ", name);
    if (text && H5Tget_class(type) == H5T_STRING) {
        print_text(self, text);
    } else if (count >= 1 && count <= 9 && H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0) {
        for (hssize_t k = 0; k < count; ++k) fprintf(self->to, "%s%.10g", k ? " " : "", value[k]);
    } else {
        fprintf(self->to, "%s[%lld]", type_word(type), (long long)count);
    }
    fputc('\n', self->to);
    saros_hdf5_close(type);
    saros_hdf5_close(space);
    saros_hdf5_close(attribute);
    saros_release(text);
    return 0;
}

static void print_dataset(inspection *self, hid_t data) {
    hid_t type = H5Dget_type(data), space = H5Dget_space(data);
    hsize_t extent[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_dims(space, extent, NULL);
    fprintf(self->to, "  %s[", type_word(type));
    for (int a = 0; a < rank; ++a)
        fprintf(self->to, "%s%llu", a ? "," : "", (unsigned long long)extent[a]);
    fputc(']', self->to);
    if (H5Tget_class(type) == H5T_STRING) {
        char *text = saros_hdf5_read_text(data, 0);
        fputs("  ", self->to);
        if (text) print_text(self, text);
        saros_release(text);
    } else if (rank >= 0 && H5Tget_class(type) != H5T_ENUM) {
        print_summary(self, data, space, rank, extent);
    }
    fputc('\n', self->to);
    saros_hdf5_close(space);
    saros_hdf5_close(type);
}

/* The path under which an object was shown before, or NULL, remembering it. */
static const char *shown_before(inspection *self, haddr_t address, const char *path) {
    for (int k = 0; k < self->seen_count; ++k)
        if (self->seen[k].address == address) return self->seen[k].path;
    if (self->seen_count < max_seen) {
        self->seen[self->seen_count].address = address;
        snprintf(self->seen[self->seen_count].path, sizeof self->seen->path, "%.255s", path);
        self->seen_count += 1;
    }
    return NULL;
}

static void print_children(inspection *self, hid_t group);

static herr_t print_link(hid_t group, const char *name, const H5L_info_t *info, void *user) {
    inspection *self = user;
    (void)info;
    H5O_info_t object;
    const size_t parent = strlen(self->path);
    hid_t id = H5Oopen(group, name, H5P_DEFAULT);
    if (id < 0 || H5Oget_info2(id, &object, H5O_INFO_BASIC) < 0) {
        saros_hdf5_close(id);
        indent(self);
        fprintf(self->to, "%s  (leads nowhere)\n", name);
        return 0;
    }
    snprintf(self->path + parent, sizeof self->path - parent, "/%s", name);
    const char *before = shown_before(self, object.addr, self->path);
    indent(self);
    fputs(name, self->to);
    if (before) {
        fprintf(self->to, " -> %s\n", before);
    } else {
        if (object.type == H5O_TYPE_DATASET)
            print_dataset(self, id);
        else
            fputs("/\n", self->to);
        self->depth += 1;
        H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, NULL, print_attribute, self);
        if (object.type == H5O_TYPE_GROUP && self->depth < max_depth) print_children(self, id);
        self->depth -= 1;
    }
    self->path[parent] = '\0';
    saros_hdf5_close(id);
    return 0;
}

static void print_children(inspection *self, hid_t group) {
    hid_t list = H5Gget_create_plist(group);
    unsigned order = 0;
    H5Pget_link_creation_order(list, &order);
    saros_hdf5_close(list);
    H5Literate(group, order & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME,
               H5_ITER_INC, NULL, print_link, self);
}

saros_status saros_store_inspect(const char *path, char **out) {
    saros_status status = SAROS_OK;
    const char *where = "saros_store_inspect";
    saros_store_reader *reader = NULL;
    char *text = NULL, *copy = NULL;
    size_t bytes = 0;
    SAROS_TRY(saros_store_open(path, &reader));
    inspection *self = saros_allocate_zero(1, sizeof *self);
    FILE *to = self ? open_memstream(&text, &bytes) : NULL;
    if (!to) {
        status = saros_fail(SAROS_ERR_MEMORY, where, NULL, "no memory for the listing of %s", path);
    } else {
        saros_hdf5_scope scope;
        saros_hdf5_enter(&scope);
        hid_t root = H5Gopen2(saros_store_reader_file(reader), "/", H5P_DEFAULT);
        self->to = to;
        H5Aiterate2(root, H5_INDEX_NAME, H5_ITER_INC, NULL, print_attribute, self);
        print_children(self, root);
        saros_hdf5_close(root);
        saros_hdf5_leave(&scope);
        if (fclose(to) != 0 || !(copy = saros_string_copy(text)))
            status =
                saros_fail(SAROS_ERR_MEMORY, where, NULL, "no memory for the listing of %s", path);
        else
            *out = copy;
    }
    free(text);
    saros_release(self);
done:
    saros_store_close(reader);
    return status;
}
