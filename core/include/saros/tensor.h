/** Tensor: concrete data. dtype, device, shape, strides (in elements, row-major by default),
 * refcounted storage.
 *
 *      saros_tensor *t = NULL;
 *      SAROS_TRY(saros_tensor_make(SAROS_F64, 2, (int64_t[]){3, 4}, &t));
 *      double *x = saros_tensor_data(t);            // 12 uninitialised values
 *      saros_tensor_release(t);
 *
 *  There is no complex dtype: a transform gives the pair (re, im). Tensors are immutable once
 * shared.
 */
#ifndef SAROS_TENSOR_H
#define SAROS_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "saros/status.h"

#define SAROS_MAX_RANK 8

/** X(name, script name, C type, bytes) */
#define SAROS_DTYPE_LIST(X)                                                                        \
    X(F64, "f64", double, 8)                                                                       \
    X(F32, "f32", float, 4)                                                                        \
    X(I64, "i64", int64_t, 8)                                                                      \
    X(I32, "i32", int32_t, 4)                                                                      \
    X(BOOL, "bool", uint8_t, 1)

typedef enum saros_dtype {
#define SAROS_DTYPE_ENUM(name, text, type, bytes) SAROS_##name,
    SAROS_DTYPE_LIST(SAROS_DTYPE_ENUM)
#undef SAROS_DTYPE_ENUM
        SAROS_OPAQUE, /**< a run-time object: factorisation, plan, trajectory, foreign call */
    SAROS_DTYPE_COUNT
} saros_dtype;

/** In `split`: the numbers differ from rank to rank though no axis is cut (a part of a sum, a
 * shared scalar after saros_spread). Never together with axis bits. */
#define SAROS_SPLIT_PART (UINT32_C(1) << 31)

typedef enum saros_device { SAROS_CPU, SAROS_CUDA } saros_device;

/** Type of a value and of a tensor. `split`: bit a set if axis a is cut over ranks (0: the same
 * numbers on every rank). */
typedef struct saros_type {
    saros_dtype dtype;
    int rank;
    int64_t shape[SAROS_MAX_RANK];
    uint32_t split;
} saros_type;

typedef struct saros_tensor saros_tensor;

/** Who frees memory handed to saros_tensor_wrap. */
typedef enum saros_ownership {
    SAROS_BORROW, /**< the caller keeps it alive longer than the tensor */
    SAROS_TAKE    /**< `release(data, user)` is called with the last reference */
} saros_ownership;

/** What an opaque tensor holds. */
typedef struct saros_opaque_class {
    const char *name;
    void (*release)(void *payload);
} saros_opaque_class;

/* ---- types ---- */
SAROS_API const char *saros_dtype_name(saros_dtype dtype);
SAROS_API size_t saros_dtype_bytes(saros_dtype dtype);
/** true for f64 and f32: the dtypes that carry tangents. */
SAROS_API bool saros_dtype_is_float(saros_dtype dtype);
/** NumPy promotion of two dtypes (bool < i32 < i64 < f32 < f64, i64 with f32 gives f64). */
SAROS_API saros_dtype saros_dtype_promote(saros_dtype a, saros_dtype b);
SAROS_API saros_type saros_type_make(saros_dtype dtype, int rank, const int64_t *shape);
SAROS_API saros_type saros_type_scalar(saros_dtype dtype);
SAROS_API int64_t saros_type_count(const saros_type *type); /**< number of elements */
SAROS_API bool saros_type_equal(const saros_type *a, const saros_type *b);
/** "f64[3,4]" into `text`; returns `text`. */
SAROS_API const char *saros_type_text(const saros_type *type, char *text, size_t bytes);

/* ---- make and free ---- */
/** Uninitialised row-major tensor. Errors: MEMORY; SHAPE for a negative extent or rank above
 * SAROS_MAX_RANK. */
SAROS_API saros_status saros_tensor_make(saros_dtype dtype, int rank, const int64_t *shape,
                                         saros_tensor **out);
SAROS_API saros_status saros_tensor_zeros(saros_dtype dtype, int rank, const int64_t *shape,
                                          saros_tensor **out);
/** Rank-0 tensor of `value` converted to `dtype`. */
SAROS_API saros_status saros_tensor_scalar(saros_dtype dtype, double value, saros_tensor **out);
/** New tensor with a copy of row-major `data` (of `dtype`). */
SAROS_API saros_status saros_tensor_from(saros_dtype dtype, int rank, const int64_t *shape,
                                         const void *data, saros_tensor **out);
/** Wraps the caller's array without copy. @param strides in elements, NULL for row-major;
 *  @param release NULL with SAROS_BORROW. */
SAROS_API saros_status saros_tensor_wrap(saros_dtype dtype, int rank, const int64_t *shape,
                                         const int64_t *strides, void *data,
                                         saros_ownership ownership,
                                         void (*release)(void *data, void *user), void *user,
                                         saros_tensor **out);
/** View of `base` (shares and retains its storage). @param offset in elements from base's first
 * element. */
SAROS_API saros_status saros_tensor_view(saros_tensor *base, int rank, const int64_t *shape,
                                         const int64_t *strides, int64_t offset,
                                         saros_tensor **out);
/** Rank-0 opaque tensor that owns `payload`; on failure payload is released. */
SAROS_API saros_status saros_tensor_opaque(const saros_opaque_class *class_, void *payload,
                                           saros_tensor **out);
SAROS_API saros_tensor *saros_tensor_retain(saros_tensor *tensor);
SAROS_API void saros_tensor_release(saros_tensor *tensor);

/* ---- read ---- */
SAROS_API saros_dtype saros_tensor_dtype(const saros_tensor *tensor);
SAROS_API saros_device saros_tensor_device(const saros_tensor *tensor);
SAROS_API int saros_tensor_rank(const saros_tensor *tensor);
SAROS_API const int64_t *saros_tensor_shape(const saros_tensor *tensor);
SAROS_API const int64_t *saros_tensor_strides(const saros_tensor *tensor);
SAROS_API saros_type saros_tensor_type(const saros_tensor *tensor);
SAROS_API int64_t saros_tensor_count(const saros_tensor *tensor);
SAROS_API bool
saros_tensor_is_contiguous(const saros_tensor *tensor); /**< row-major without gaps */
/** First element. The mutable form is for the tensor's maker, before it is shared. */
SAROS_API void *saros_tensor_data(saros_tensor *tensor);
SAROS_API const void *saros_tensor_const_data(const saros_tensor *tensor);
/** Element of a one-element tensor as a double. Errors: SHAPE. */
SAROS_API saros_status saros_tensor_item(const saros_tensor *tensor, double *out);
/** Element at `index` (rank entries, 0-based) as a double. Errors: DOMAIN. */
SAROS_API saros_status saros_tensor_get(const saros_tensor *tensor, const int64_t *index,
                                        double *out);
/** Payload of an opaque tensor of `class_`, or NULL if it is of another class. */
SAROS_API void *saros_tensor_payload(const saros_tensor *tensor, const saros_opaque_class *class_);

/* ---- do ---- */
/** `tensor` itself (retained) if row-major, else a row-major copy. */
SAROS_API saros_status saros_tensor_contiguous(saros_tensor *tensor, saros_tensor **out);
/** Row-major copy, converted to `dtype`. */
SAROS_API saros_status saros_tensor_cast(const saros_tensor *tensor, saros_dtype dtype,
                                         saros_tensor **out);
/** Copies elements of `from` (any strides, any dtype) into `to` of the same shape. Errors: SHAPE.
 */
SAROS_API saros_status saros_tensor_assign(saros_tensor *to, const saros_tensor *from);

#endif
