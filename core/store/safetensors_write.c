/* Writing safetensors. Wider elements come first, so every tensor is aligned to its element; the
 * header is padded with spaces to a multiple of eight. The file appears under its name only when it
 * is whole and on the disk. */
#include "safetensors_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

static const char *const where = "saros_safetensors_write";

static void put_string(FILE *to, const char *text) {
    fputc('"', to);
    for (; *text; ++text) {
        const unsigned char sign = (unsigned char)*text;
        if (sign == '"' || sign == '\\')
            fprintf(to, "\\%c", sign);
        else if (sign < 0x20)
            fprintf(to, "\\u%04x", sign);
        else
            fputc(sign, to);
    }
    fputc('"', to);
}

static void put_texts(FILE *to, int texts, const saros_text_entry *text) {
    fputs("\"__metadata__\":{", to);
    for (int k = 0; k < texts; ++k) {
        if (k) fputc(',', to);
        put_string(to, text[k].key);
        fputc(':', to);
        put_string(to, text[k].value);
    }
    fputc('}', to);
}

static int64_t put_tensor(FILE *to, const saros_named_tensor *one, int64_t first) {
    const saros_type type = saros_tensor_type(one->tensor);
    const int64_t last = first + saros_type_count(&type) * (int64_t)saros_dtype_bytes(type.dtype);
    put_string(to, one->name);
    fprintf(to, ":{\"dtype\":\"%s\",\"shape\":[", saros_safetensors_dtype(type.dtype));
    for (int a = 0; a < type.rank; ++a)
        fprintf(to, "%s%lld", a ? "," : "", (long long)type.shape[a]);
    fprintf(to, "],\"data_offsets\":[%lld,%lld]}", (long long)first, (long long)last);
    return last;
}

/* The tensors in the order of the file: `order[k]` is the k-th. */
static void widest_first(int tensors, const saros_named_tensor *tensor, int *order) {
    int next = 0;
    for (size_t bytes = 8; bytes > 0; --bytes)
        for (int k = 0; k < tensors; ++k)
            if (saros_dtype_bytes(saros_tensor_dtype(tensor[k].tensor)) == bytes) order[next++] = k;
}

static saros_status write_data(FILE *to, saros_tensor *tensor) {
    saros_tensor *dense = NULL;
    saros_status status = saros_tensor_contiguous(tensor, &dense);
    if (status != SAROS_OK) return status;
    const size_t count = (size_t)saros_tensor_count(dense);
    if (count)
        fwrite(saros_tensor_const_data(dense), saros_dtype_bytes(saros_tensor_dtype(dense)), count,
               to);
    saros_tensor_release(dense);
    return SAROS_OK;
}

static saros_status write_all(FILE *to, int tensors, const saros_named_tensor *tensor,
                              const int *order, int texts, const saros_text_entry *text) {
    saros_status status = SAROS_OK;
    char *header = NULL;
    size_t bytes = 0;
    int64_t next = 0;
    FILE *json = open_memstream(&header, &bytes);
    if (!json) return saros_fail(SAROS_ERR_MEMORY, where, NULL, "out of memory");
    fputc('{', json);
    if (texts) put_texts(json, texts, text);
    for (int k = 0; k < tensors; ++k) {
        if (k || texts) fputc(',', json);
        next = put_tensor(json, &tensor[order[k]], next);
    }
    fputc('}', json);
    while (ftello(json) % 8) fputc(' ', json);
    if (fclose(json) != 0) {
        status = saros_fail(SAROS_ERR_MEMORY, where, NULL, "out of memory");
        goto done;
    }
    const uint64_t length = bytes;
    fwrite(&length, sizeof length, 1, to);
    fwrite(header, 1, bytes, to);
    for (int k = 0; k < tensors; ++k) SAROS_TRY(write_data(to, tensor[order[k]].tensor));
done:
    free(header);
    return status;
}

static saros_status check(int tensors, const saros_named_tensor *tensor, const char *path,
                          bool overwrite) {
    for (int k = 0; k < tensors; ++k) {
        if (!saros_safetensors_dtype(saros_tensor_dtype(tensor[k].tensor)))
            return saros_fail(SAROS_ERR_TYPE, where, NULL, "%s: an opaque tensor has no numbers",
                              tensor[k].name);
        for (int j = 0; j < k; ++j)
            if (strcmp(tensor[j].name, tensor[k].name) == 0)
                return saros_fail(SAROS_ERR_USAGE, where, NULL, "two tensors are called %s",
                                  tensor[k].name);
    }
    if (!overwrite && access(path, F_OK) == 0)
        return saros_fail(SAROS_ERR_IO, where, "choose another name or ask for overwriting",
                          "%s exists already", path);
    return SAROS_OK;
}

/* The rename is on the disk once the folder is. */
static void sync_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    int id = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (id < 0) return;
    fsync(id);
    close(id);
}

saros_status saros_safetensors_write(const char *path, bool overwrite, int tensors,
                                     const saros_named_tensor *tensor, int texts,
                                     const saros_text_entry *text) {
    saros_status status = SAROS_OK;
    FILE *to = NULL;
    const size_t length = strlen(path);
    char *beside = saros_allocate(length + 5);
    int *order = saros_allocate((size_t)(tensors + 1) * sizeof *order);
    if (!beside || !order) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(check(tensors, tensor, path, overwrite));
    widest_first(tensors, tensor, order);
    memcpy(beside, path, length);
    memcpy(beside + length, ".tmp", 5);
    if (!(to = fopen(beside, "wb"))) {
        status =
            saros_fail(SAROS_ERR_IO, where, NULL, "cannot create %s: %s", beside, strerror(errno));
        goto done;
    }
    SAROS_TRY(write_all(to, tensors, tensor, order, texts, text));
    int bad = fflush(to) != 0 || ferror(to) || fsync(fileno(to)) != 0;
    bad = fclose(to) != 0 || bad;
    to = NULL;
    if (bad || rename(beside, path) != 0) {
        status =
            saros_fail(SAROS_ERR_IO, where, NULL, "cannot write %s: %s", path, strerror(errno));
        unlink(beside);
        goto done;
    }
    sync_folder(path);
done:
    if (to) {
        fclose(to);
        unlink(beside);
    }
    saros_release(order);
    saros_release(beside);
    return status;
}
