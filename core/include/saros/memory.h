/** The one allocator record through which all host memory of the library goes.
 *  Tests replace it to make the n-th allocation fail; programs replace it to account for memory. */
#ifndef SAROS_MEMORY_H
#define SAROS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "saros/export.h"

typedef struct saros_allocator {
    void *(*allocate)(size_t bytes, void *user); /**< 64-byte aligned, or NULL */
    void (*release)(void *memory, size_t bytes, void *user);
    void *user;
} saros_allocator;

/** Replaces the allocator; NULL restores the default. Only while the library holds no memory or the
 * new one can release the old's. */
SAROS_API void saros_allocator_set(const saros_allocator *allocator);

/** `bytes` of 64-byte aligned memory, or NULL with SAROS_ERR_MEMORY recorded. Zero bytes give a
 * valid pointer. */
SAROS_API void *saros_allocate(size_t bytes);
/** As saros_allocate, filled with zeros. */
SAROS_API void *saros_allocate_zero(size_t count, size_t size);
/** Grows or shrinks; `memory` may be NULL; on failure NULL and `memory` is kept. */
SAROS_API void *saros_reallocate(void *memory, size_t bytes);
/** Ends a block made by the calls above; NULL allowed. */
SAROS_API void saros_release(void *memory);
/** Copy of a string, or NULL with the error recorded. */
SAROS_API char *saros_string_copy(const char *text);
/** Bytes now held by the library on this process (all threads). */
SAROS_API int64_t saros_memory_held(void);
/** Bytes that could be taken now without swapping, by the machine and the control groups of the
 * process; SAROS_MEMORY (bytes, or with K, M or G behind) overrides. */
SAROS_API int64_t saros_memory_free(void);

#endif
