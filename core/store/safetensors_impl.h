/* What reader and writer of safetensors share: the parsed header. */
#ifndef SAROS_SAFETENSORS_IMPL_H
#define SAROS_SAFETENSORS_IMPL_H

#include "saros/safetensors.h"

/** The format's own limit, against files that announce absurd headers. */
#define SAROS_SAFETENSORS_MAX_HEADER ((uint64_t)100 << 20)

typedef struct saros_safetensors_entry {
    char *name;
    saros_type type;
    uint64_t first, last; /**< bytes of the data, last exclusive */
    saros_tensor *tensor; /**< set once the data is read */
} saros_safetensors_entry;

struct saros_safetensors {
    int count, texts;
    saros_safetensors_entry *entry;
    saros_text_entry *text;
};

/** Name of a dtype in the format ("F64"), or NULL. */
const char *saros_safetensors_dtype(saros_dtype dtype);
/** Parses `bytes` of JSON into `file` (empty at first). Sizes agree with shapes; offsets are not
 * yet checked against the data. */
saros_status saros_safetensors_header(const char *json, size_t bytes, const char *path,
                                      saros_safetensors *file);

#endif
