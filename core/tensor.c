/** Tensors: making, sharing and reading headers over refcounted storage.
 *
 *  A tensor that owns memory is one block: header, storage record, data. The block lives as long as
 * its storage record is referenced; views keep the record, not the header. Copies between layouts
 * and dtypes are in tensor_copy.c. */
#include "tensor_impl.h"

#include <stddef.h>
#include <string.h>

#include "saros/memory.h"

typedef struct block {
    _Alignas(64) saros_tensor tensor; /* sizeof block keeps the data behind it aligned */
    saros_storage storage;
} block;

void saros_strides_fill(int rank, const int64_t *shape, int64_t *strides) {
    int64_t stride = 1;
    for (int a = rank - 1; a >= 0; --a) {
        strides[a] = stride;
        stride *= shape[a];
    }
}

bool saros_strides_contiguous(int rank, const int64_t *shape, const int64_t *strides) {
    int64_t stride = 1;
    bool dense = true;
    for (int a = rank - 1; a >= 0; --a) {
        if (shape[a] == 0) return true;
        if (shape[a] != 1 && strides[a] != stride) dense = false;
        stride *= shape[a];
    }
    return dense;
}

void saros_tensor_embed(saros_tensor *tensor, saros_dtype dtype, int rank, const int64_t *shape,
                        const int64_t *strides, void *data) {
    memset(tensor, 0, sizeof *tensor);
    atomic_init(&tensor->references, 1);
    tensor->dtype = dtype;
    tensor->rank = rank;
    tensor->count = 1;
    for (int a = 0; a < rank; ++a) {
        tensor->shape[a] = shape[a];
        tensor->count *= shape[a];
    }
    if (strides)
        memcpy(tensor->strides, strides, (size_t)rank * sizeof *strides);
    else
        saros_strides_fill(rank, shape, tensor->strides);
    tensor->contiguous = !strides || saros_strides_contiguous(rank, shape, strides);
    tensor->data = data;
}

static saros_status check_shape(const char *where, saros_dtype dtype, int rank,
                                const int64_t *shape) {
    if ((unsigned)dtype >= SAROS_DTYPE_COUNT || dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, where, "use f64, f32, i64, i32 or bool",
                          "%s is not an element type", saros_dtype_name(dtype));
    if (rank < 0 || rank > SAROS_MAX_RANK)
        return saros_fail(SAROS_ERR_SHAPE, where, NULL, "rank %d, needed 0 to %d", rank,
                          SAROS_MAX_RANK);
    int64_t count = 1;
    for (int a = 0; a < rank; ++a) {
        if (shape[a] < 0)
            return saros_fail(SAROS_ERR_SHAPE, where, NULL, "axis %d has the negative extent %lld",
                              a, (long long)shape[a]);
        if (__builtin_mul_overflow(count, shape[a], &count) || count > INT64_MAX / 16)
            return saros_fail(SAROS_ERR_SHAPE, where, NULL, "the number of elements overflows");
    }
    return SAROS_OK;
}

static void release_block(void *data, void *user) {
    (void)data;
    saros_release(user);
}

saros_status saros_tensor_make(saros_dtype dtype, int rank, const int64_t *shape,
                               saros_tensor **out) {
    saros_status status = check_shape("saros_tensor_make", dtype, rank, shape);
    if (status != SAROS_OK) return status;
    int64_t count = 1;
    for (int a = 0; a < rank; ++a) count *= shape[a];
    block *memory = saros_allocate(sizeof(block) + (size_t)count * saros_dtype_bytes(dtype));
    if (!memory) return SAROS_ERR_MEMORY;
    saros_tensor_embed(&memory->tensor, dtype, rank, shape, NULL, memory + 1);
    memory->storage = (saros_storage){.data = memory + 1, .release = release_block, .user = memory};
    atomic_init(&memory->storage.references, 1);
    memory->tensor.storage = &memory->storage;
    *out = &memory->tensor;
    return SAROS_OK;
}

saros_status saros_tensor_zeros(saros_dtype dtype, int rank, const int64_t *shape,
                                saros_tensor **out) {
    saros_tensor *tensor = NULL;
    saros_status status = saros_tensor_make(dtype, rank, shape, &tensor);
    if (status != SAROS_OK) return status;
    memset(tensor->data, 0, (size_t)tensor->count * saros_dtype_bytes(dtype));
    *out = tensor;
    return SAROS_OK;
}

saros_status saros_tensor_scalar(saros_dtype dtype, double value, saros_tensor **out) {
    saros_tensor *tensor = NULL;
    saros_status status = saros_tensor_make(dtype, 0, NULL, &tensor);
    if (status != SAROS_OK) return status;
    saros_copy_strided(0, NULL, dtype, tensor->data, NULL, SAROS_F64, &value, NULL);
    *out = tensor;
    return SAROS_OK;
}

saros_status saros_tensor_from(saros_dtype dtype, int rank, const int64_t *shape, const void *data,
                               saros_tensor **out) {
    saros_tensor *tensor = NULL;
    saros_status status = saros_tensor_make(dtype, rank, shape, &tensor);
    if (status != SAROS_OK) return status;
    if (tensor->count) memcpy(tensor->data, data, (size_t)tensor->count * saros_dtype_bytes(dtype));
    *out = tensor;
    return SAROS_OK;
}

/** The caller's release, kept beside the header it belongs to. */
typedef struct wrapped {
    block block;
    void (*release)(void *data, void *user);
    void *user;
} wrapped;

static void release_wrapped(void *data, void *user) {
    wrapped *memory = user;
    if (memory->release) memory->release(data, memory->user);
    saros_release(memory);
}

saros_status saros_tensor_wrap(saros_dtype dtype, int rank, const int64_t *shape,
                               const int64_t *strides, void *data, saros_ownership ownership,
                               void (*release)(void *data, void *user), void *user,
                               saros_tensor **out) {
    saros_status status = check_shape("saros_tensor_wrap", dtype, rank, shape);
    if (status != SAROS_OK) return status;
    wrapped *memory = saros_allocate(sizeof *memory);
    if (!memory) return SAROS_ERR_MEMORY;
    saros_tensor *tensor = &memory->block.tensor;
    saros_tensor_embed(tensor, dtype, rank, shape, strides, data);
    memory->release = ownership == SAROS_TAKE ? release : NULL;
    memory->user = user;
    memory->block.storage =
        (saros_storage){.data = data, .release = release_wrapped, .user = memory};
    atomic_init(&memory->block.storage.references, 1);
    tensor->storage = &memory->block.storage;
    *out = tensor;
    return SAROS_OK;
}

saros_status saros_tensor_view(saros_tensor *base, int rank, const int64_t *shape,
                               const int64_t *strides, int64_t offset, saros_tensor **out) {
    saros_status status = check_shape("saros_tensor_view", base->dtype, rank, shape);
    if (status != SAROS_OK) return status;
    saros_tensor *tensor = saros_allocate(sizeof *tensor);
    if (!tensor) return SAROS_ERR_MEMORY;
    char *data = base->data;
    saros_tensor_embed(tensor, base->dtype, rank, shape, strides,
                       data + offset * (int64_t)saros_dtype_bytes(base->dtype));
    tensor->device = base->device;
    tensor->storage = base->storage;
    if (tensor->storage)
        atomic_fetch_add_explicit(&tensor->storage->references, 1, memory_order_relaxed);
    *out = tensor;
    return SAROS_OK;
}

saros_status saros_tensor_opaque(const saros_opaque_class *class_, void *payload,
                                 saros_tensor **out) {
    saros_tensor *tensor = saros_allocate(sizeof *tensor);
    if (!tensor) {
        if (class_->release) class_->release(payload);
        return SAROS_ERR_MEMORY;
    }
    saros_tensor_embed(tensor, SAROS_OPAQUE, 0, NULL, NULL, NULL);
    tensor->opaque = class_;
    tensor->payload = payload;
    *out = tensor;
    return SAROS_OK;
}

saros_tensor *saros_tensor_retain(saros_tensor *tensor) {
    if (tensor) atomic_fetch_add_explicit(&tensor->references, 1, memory_order_relaxed);
    return tensor;
}

void saros_tensor_release(saros_tensor *tensor) {
    if (!tensor) return;
    if (atomic_fetch_sub_explicit(&tensor->references, 1, memory_order_acq_rel) != 1) return;
    saros_storage *storage = tensor->storage;
    bool own_block = storage == &((block *)(void *)tensor)->storage;
    if (tensor->opaque && tensor->opaque->release) tensor->opaque->release(tensor->payload);
    if (!own_block) saros_release(tensor);
    if (storage && atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel) == 1)
        storage->release(storage->data, storage->user);
}

/* ---- read ---- */

saros_dtype saros_tensor_dtype(const saros_tensor *tensor) {
    return tensor->dtype;
}
saros_device saros_tensor_device(const saros_tensor *tensor) {
    return tensor->device;
}
int saros_tensor_rank(const saros_tensor *tensor) {
    return tensor->rank;
}
const int64_t *saros_tensor_shape(const saros_tensor *tensor) {
    return tensor->shape;
}
const int64_t *saros_tensor_strides(const saros_tensor *tensor) {
    return tensor->strides;
}
int64_t saros_tensor_count(const saros_tensor *tensor) {
    return tensor->count;
}
bool saros_tensor_is_contiguous(const saros_tensor *tensor) {
    return tensor->contiguous;
}
void *saros_tensor_data(saros_tensor *tensor) {
    return tensor->data;
}
const void *saros_tensor_const_data(const saros_tensor *tensor) {
    return tensor->data;
}

saros_type saros_tensor_type(const saros_tensor *tensor) {
    return saros_type_make(tensor->dtype, tensor->rank, tensor->shape);
}

void *saros_tensor_payload(const saros_tensor *tensor, const saros_opaque_class *class_) {
    return tensor->opaque == class_ ? tensor->payload : NULL;
}
