/** Safetensors: a list of named tensors and a map of texts in one file; the format of weights.
 *
 *      saros_named_tensor w[] = {{"layer0.weight", a}, {"layer0.bias", b}};
 *      saros_text_entry about[] = {{"architecture", "mlp"}};
 *      SAROS_TRY(saros_safetensors_write("net.safetensors", false, 2, w, 1, about));
 *      SAROS_TRY(saros_safetensors_open("net.safetensors", &file));
 *      saros_tensor *a = saros_safetensors_find(file, "layer0.weight");      // borrowed
 *
 *  Format: eight bytes with the little-endian length of a JSON header, the header (dtype, shape and
 * offsets of each tensor, texts under __metadata__), the raw row-major data without holes
 *  (huggingface.co/docs/safetensors, "Format"). Nothing in a file is believed: every length, offset
 * and size is checked against the bytes that are there.
 */
#ifndef SAROS_SAFETENSORS_H
#define SAROS_SAFETENSORS_H

#include "saros/tensor.h"

typedef struct saros_named_tensor {
    const char *name;
    saros_tensor *tensor;
} saros_named_tensor;

typedef struct saros_text_entry {
    const char *key, *value;
} saros_text_entry;

/** Contents of a file; tensors and texts live as long as it does. */
typedef struct saros_safetensors saros_safetensors;

/** Writes NAME.tmp, syncs, renames and syncs the folder: a reader sees the old file or the new one,
 * never a part. An existing file is an error unless `overwrite`. Errors: IO naming the path; TYPE
 * for an opaque tensor; USAGE for two equal names. */
SAROS_API saros_status saros_safetensors_write(const char *path, bool overwrite, int tensors,
                                               const saros_named_tensor *tensor, int texts,
                                               const saros_text_entry *text);
/** Reads a whole file. Errors: IO naming the path and what is wrong in it; TYPE for an element type
 * saros has not. */
SAROS_API saros_status saros_safetensors_open(const char *path, saros_safetensors **out);
/** The same from memory; `name` stands for the path in messages. `data` is copied. */
SAROS_API saros_status saros_safetensors_parse(const void *data, size_t bytes, const char *name,
                                               saros_safetensors **out);
SAROS_API void saros_safetensors_close(saros_safetensors *file);

/** Number of tensors, in the order of their data. */
SAROS_API int saros_safetensors_count(const saros_safetensors *file);
SAROS_API const char *saros_safetensors_name(const saros_safetensors *file, int k);
SAROS_API saros_tensor *saros_safetensors_tensor(const saros_safetensors *file, int k);
/** Borrowed tensor `name`, or NULL. */
SAROS_API saros_tensor *saros_safetensors_find(const saros_safetensors *file, const char *name);
/** Number of texts of the metadata, and the k-th. */
SAROS_API int saros_safetensors_texts(const saros_safetensors *file);
SAROS_API saros_text_entry saros_safetensors_text_at(const saros_safetensors *file, int k);
/** Text under `key`, or NULL. */
SAROS_API const char *saros_safetensors_text(const saros_safetensors *file, const char *key);
/** Readable listing (texts; names, types, min, max, NaN count) to release with saros_release. */
SAROS_API saros_status saros_safetensors_inspect(const char *path, char **out);

#endif
