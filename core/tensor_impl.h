/** Inside of a tensor: a header (type, strides, first element) over refcounted storage.
 *
 *  Headers are cheap and may be embedded (the frames of functions hold one per value and move its
 * `data` from call to call); such headers are never freed by release because their owner holds a
 * reference. A tensor without storage borrows its memory from its owner.
 */
#ifndef SAROS_TENSOR_IMPL_H
#define SAROS_TENSOR_IMPL_H

#include <stdatomic.h>

#include "saros/tensor.h"

/** Memory that several tensors share. */
typedef struct saros_storage {
    atomic_int references;
    void *data;
    void (*release)(void *data, void *user); /**< NULL: borrowed */
    void *user;
} saros_storage;

struct saros_tensor {
    atomic_int references;
    saros_dtype dtype;
    int rank;
    bool contiguous; /**< row-major without gaps */
    saros_device device;
    int64_t count;
    int64_t shape[SAROS_MAX_RANK];
    int64_t strides[SAROS_MAX_RANK];
    void *data;
    saros_storage *storage; /**< NULL: memory of the owner, or opaque */
    const saros_opaque_class *opaque;
    void *payload;
};

/** Fills an embedded header: one reference, row-major strides if `strides` is NULL, no storage. */
void saros_tensor_embed(saros_tensor *tensor, saros_dtype dtype, int rank, const int64_t *shape,
                        const int64_t *strides, void *data);
/** Whether `strides` are those of a row-major array without gaps. */
bool saros_strides_contiguous(int rank, const int64_t *shape, const int64_t *strides);
/** Row-major strides of `shape`. */
void saros_strides_fill(int rank, const int64_t *shape, int64_t *strides);
/** Copies elements between arrays of any strides and dtypes (not opaque). */
void saros_copy_strided(int rank, const int64_t *shape, saros_dtype to_dtype, void *to,
                        const int64_t *to_strides, saros_dtype from_dtype, const void *from,
                        const int64_t *from_strides);

/** Whether `in` lies in the memory of `out` as the box that begins at `first`. */
bool saros_is_window(const saros_tensor *in, const saros_tensor *out, const void *first);
/** Whether the address ranges of two tensors meet. */
bool saros_tensor_overlap(const saros_tensor *a, const saros_tensor *b);

#endif
