/* Reading safetensors: the header, then the data, which must follow it without holes or overlaps to
 * the last byte. */
#include "safetensors_impl.h"
#include "summary_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saros/memory.h"

static const char *const where = "saros_safetensors_open";

void saros_safetensors_close(saros_safetensors *file) {
    if (!file) return;
    for (int k = 0; k < file->count; ++k) {
        saros_tensor_release(file->entry[k].tensor);
        saros_release(file->entry[k].name);
    }
    for (int k = 0; k < file->texts; ++k) {
        saros_release((char *)file->text[k].key);
        saros_release((char *)file->text[k].value);
    }
    saros_release(file->entry);
    saros_release(file->text);
    saros_release(file);
}

static int by_offset(const void *a, const void *b) {
    const saros_safetensors_entry *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x->last < y->last ? -1 : x->last > y->last; /* empty ones first */
}

/* Sorted by place, each tensor must begin where the one before ends, and the last end with the
 * data. */
static saros_status check_cover(saros_safetensors *file, uint64_t bytes, const char *path) {
    uint64_t next = 0;
    if (file->count) qsort(file->entry, (size_t)file->count, sizeof *file->entry, by_offset);
    for (int k = 0; k < file->count; ++k) {
        if (file->entry[k].first != next)
            return saros_fail(SAROS_ERR_IO, where, NULL,
                              "%s: %s begins at byte %llu of the data, needed %llu", path,
                              file->entry[k].name, (unsigned long long)file->entry[k].first,
                              (unsigned long long)next);
        next = file->entry[k].last;
    }
    if (next == bytes) return SAROS_OK;
    return saros_fail(SAROS_ERR_IO, where, next > bytes ? "the file may be cut short" : NULL,
                      "%s has %llu bytes of data, its header tells of %llu", path,
                      (unsigned long long)bytes, (unsigned long long)next);
}

static saros_status fill(saros_safetensors_entry *entry, const uint8_t *data, const char *path) {
    saros_tensor *tensor = NULL;
    const uint64_t bytes = entry->last - entry->first;
    saros_status status =
        saros_tensor_make(entry->type.dtype, entry->type.rank, entry->type.shape, &tensor);
    if (status != SAROS_OK) return status;
    if (entry->type.dtype == SAROS_BOOL)
        for (uint64_t i = 0; i < bytes; ++i)
            if (data[i] > 1) {
                saros_tensor_release(tensor);
                return saros_fail(SAROS_ERR_IO, where, NULL, "%s: %s holds a boolean that is %d",
                                  path, entry->name, data[i]);
            }
    if (bytes) memcpy(saros_tensor_data(tensor), data, (size_t)bytes);
    entry->tensor = tensor;
    return SAROS_OK;
}

saros_status saros_safetensors_parse(const void *data, size_t bytes, const char *name,
                                     saros_safetensors **out) {
    saros_status status = SAROS_OK;
    const uint8_t *byte = data;
    uint64_t header = 0;
    if (bytes < 8)
        return saros_fail(SAROS_ERR_IO, where, NULL, "%s has %zu bytes, needed 8 or more", name,
                          bytes);
    for (int k = 0; k < 8; ++k) header |= (uint64_t)byte[k] << 8 * k;
    if (header > SAROS_SAFETENSORS_MAX_HEADER || header > bytes - 8)
        return saros_fail(SAROS_ERR_IO, where, "is it a safetensors file, and is it whole?",
                          "%s announces a header of %llu bytes, %zu follow", name,
                          (unsigned long long)header, bytes - 8);
    saros_safetensors *file = saros_allocate_zero(1, sizeof *file);
    if (!file) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_safetensors_header((const char *)byte + 8, (size_t)header, name, file));
    SAROS_TRY(check_cover(file, bytes - 8 - header, name));
    for (int k = 0; k < file->count; ++k)
        SAROS_TRY(fill(&file->entry[k], byte + 8 + header + file->entry[k].first, name));
    *out = file;
    file = NULL;
done:
    saros_safetensors_close(file);
    return status;
}

/* Whole file into memory; read to its end, so that its size is never taken on trust. */
static saros_status read_file(const char *path, uint8_t **out, size_t *bytes) {
    FILE *from = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, room = 0;
    if (!from)
        return saros_fail(SAROS_ERR_IO, where, NULL, "cannot read %s: %s", path, strerror(errno));
    for (;;) {
        if (size == room) {
            room = room ? 2 * room : 1 << 16;
            uint8_t *grown = saros_reallocate(data, room);
            if (!grown) {
                saros_release(data);
                fclose(from);
                return SAROS_ERR_MEMORY;
            }
            data = grown;
        }
        size_t got = fread(data + size, 1, room - size, from);
        size += got;
        if (got == 0) break;
    }
    const int bad = ferror(from);
    fclose(from);
    if (bad) {
        saros_release(data);
        return saros_fail(SAROS_ERR_IO, where, NULL, "cannot read %s: %s", path, strerror(errno));
    }
    *out = data;
    *bytes = size;
    return SAROS_OK;
}

saros_status saros_safetensors_open(const char *path, saros_safetensors **out) {
    uint8_t *data = NULL;
    size_t bytes = 0;
    saros_status status = read_file(path, &data, &bytes);
    if (status == SAROS_OK) status = saros_safetensors_parse(data, bytes, path, out);
    saros_release(data);
    return status;
}

int saros_safetensors_count(const saros_safetensors *file) {
    return file->count;
}

const char *saros_safetensors_name(const saros_safetensors *file, int k) {
    return file->entry[k].name;
}

saros_tensor *saros_safetensors_tensor(const saros_safetensors *file, int k) {
    return file->entry[k].tensor;
}

saros_tensor *saros_safetensors_find(const saros_safetensors *file, const char *name) {
    for (int k = 0; k < file->count; ++k)
        if (strcmp(file->entry[k].name, name) == 0) return file->entry[k].tensor;
    return NULL;
}

int saros_safetensors_texts(const saros_safetensors *file) {
    return file->texts;
}

saros_text_entry saros_safetensors_text_at(const saros_safetensors *file, int k) {
    return file->text[k];
}

const char *saros_safetensors_text(const saros_safetensors *file, const char *key) {
    for (int k = 0; k < file->texts; ++k)
        if (strcmp(file->text[k].key, key) == 0) return file->text[k].value;
    return NULL;
}

static saros_status list_tensor(FILE *to, const saros_safetensors_entry *entry) {
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_cast(entry->tensor, SAROS_F64, &wide);
    if (status != SAROS_OK) return status;
    char text[128];
    saros_summary summary = SAROS_SUMMARY_EMPTY;
    saros_summarise(saros_tensor_const_data(wide), (size_t)saros_tensor_count(wide), &summary);
    fprintf(to, "%s  %s", entry->name, saros_type_text(&entry->type, text, sizeof text));
    saros_summary_print(&summary, to);
    fputc('\n', to);
    saros_tensor_release(wide);
    return SAROS_OK;
}

saros_status saros_safetensors_inspect(const char *path, char **out) {
    saros_status status = SAROS_OK;
    saros_safetensors *file = NULL;
    char *text = NULL, *copy = NULL;
    size_t bytes = 0;
    FILE *to = NULL;
    SAROS_TRY(saros_safetensors_open(path, &file));
    if (!(to = open_memstream(&text, &bytes))) {
        status = saros_fail(SAROS_ERR_MEMORY, "saros_safetensors_inspect", NULL, "out of memory");
        goto done;
    }
    for (int k = 0; k < file->texts; ++k)
        fprintf(to, "@%s = %s\n", file->text[k].key, file->text[k].value);
    for (int k = 0; k < file->count && status == SAROS_OK; ++k)
        status = list_tensor(to, &file->entry[k]);
    if (fclose(to) != 0 && status == SAROS_OK)
        status = saros_fail(SAROS_ERR_MEMORY, "saros_safetensors_inspect", NULL, "out of memory");
    if (status == SAROS_OK && !(copy = saros_string_copy(text))) status = SAROS_ERR_MEMORY;
    if (status == SAROS_OK) *out = copy;
done:
    free(text);
    saros_safetensors_close(file);
    return status;
}
