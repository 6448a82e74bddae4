/** Copies between tensors of any strides and dtypes.
 *
 *  Axes of extent 1 are dropped and neighbouring axes merged where both sides allow it, so that
 * most copies are one run. Equal dtypes move bits; different ones go through a block of doubles or
 * of int64, which every dtype reaches exactly or by one rounding. Floats to integers truncate and
 * saturate, NaN gives 0; to bool: not zero. */
#include <string.h>

#include "nest_impl.h"

enum {
    BLOCK = 256,
    SHORT = 1024,   /* elements of a row that is not worth looking at twice */
    LARGE = 1 << 16 /* bytes from which a copy is a nest: tiles, threads, stores past the caches */
};

typedef struct walk {
    int rank;
    int64_t extent[SAROS_MAX_RANK], to[SAROS_MAX_RANK], from[SAROS_MAX_RANK];
} walk;

static walk collapse(int rank, const int64_t *shape, const int64_t *to, const int64_t *from) {
    walk w = {.rank = 0};
    for (int a = 0; a < rank; ++a) {
        if (shape[a] == 1) continue;
        int last = w.rank - 1;
        if (last >= 0 && w.to[last] == to[a] * shape[a] && w.from[last] == from[a] * shape[a]) {
            w.extent[last] *= shape[a];
            w.to[last] = to[a];
            w.from[last] = from[a];
        } else {
            w.extent[w.rank] = shape[a];
            w.to[w.rank] = to[a];
            w.from[w.rank++] = from[a];
        }
    }
    if (w.rank == 0) {
        w.rank = 1;
        w.extent[0] = w.to[0] = w.from[0] = 1;
    }
    return w;
}

static void move_8(int64_t n, uint64_t *to, int64_t ts, const uint64_t *from, int64_t fs) {
    if (ts == 1 && fs == 1)
        memmove(to, from, (size_t)n * 8);
    else if (ts == 1)
        for (int64_t i = 0; i < n; ++i) to[i] = from[i * fs];
    else
        for (int64_t i = 0; i < n; ++i) to[i * ts] = from[i * fs];
}
static void move_4(int64_t n, uint32_t *to, int64_t ts, const uint32_t *from, int64_t fs) {
    if (ts == 1 && fs == 1)
        memmove(to, from, (size_t)n * 4);
    else
        for (int64_t i = 0; i < n; ++i) to[i * ts] = from[i * fs];
}
static void move_1(int64_t n, uint8_t *to, int64_t ts, const uint8_t *from, int64_t fs) {
    if (ts == 1 && fs == 1)
        memmove(to, from, (size_t)n);
    else
        for (int64_t i = 0; i < n; ++i) to[i * ts] = from[i * fs];
}

/** Exact integers of any integer dtype. */
static void load_integers(int64_t n, saros_dtype dtype, const void *from, int64_t fs,
                          int64_t *block) {
    const int64_t *i64 = from;
    const int32_t *i32 = from;
    const uint8_t *b = from;
    if (dtype == SAROS_I64)
        for (int64_t i = 0; i < n; ++i) block[i] = i64[i * fs];
    else if (dtype == SAROS_I32)
        for (int64_t i = 0; i < n; ++i) block[i] = i32[i * fs];
    else
        for (int64_t i = 0; i < n; ++i) block[i] = b[i * fs];
}

static void load_floats(int64_t n, saros_dtype dtype, const void *from, int64_t fs, double *block) {
    const double *f64 = from;
    const float *f32 = from;
    if (dtype == SAROS_F64)
        for (int64_t i = 0; i < n; ++i) block[i] = f64[i * fs];
    else
        for (int64_t i = 0; i < n; ++i) block[i] = (double)f32[i * fs];
}

static void store_integers(int64_t n, const int64_t *block, saros_dtype dtype, void *to,
                           int64_t ts) {
    double *f64 = to;
    float *f32 = to;
    int64_t *i64 = to;
    int32_t *i32 = to;
    uint8_t *b = to;
    switch (dtype) {
    case SAROS_F64:
        for (int64_t i = 0; i < n; ++i) f64[i * ts] = (double)block[i];
        break;
    case SAROS_F32:
        for (int64_t i = 0; i < n; ++i) f32[i * ts] = (float)block[i];
        break;
    case SAROS_I64:
        for (int64_t i = 0; i < n; ++i) i64[i * ts] = block[i];
        break;
    case SAROS_I32:
        for (int64_t i = 0; i < n; ++i) i32[i * ts] = (int32_t)(uint32_t)(uint64_t)block[i];
        break;
    default:
        for (int64_t i = 0; i < n; ++i) b[i * ts] = block[i] != 0;
    }
}

static int64_t saturate(double x, double low, double high) {
    if (!(x == x)) return 0;
    /* `high` is 2^31-1 or the double 2^63, itself out of range. */
    if (x >= high) return high > 2147483647.0 ? INT64_MAX : 2147483647;
    if (x <= low) return low < -2147483648.0 ? INT64_MIN : -2147483647 - 1;
    return (int64_t)x;
}

static void store_floats(int64_t n, const double *block, saros_dtype dtype, void *to, int64_t ts) {
    double *f64 = to;
    float *f32 = to;
    int64_t *i64 = to;
    int32_t *i32 = to;
    uint8_t *b = to;
    switch (dtype) {
    case SAROS_F64:
        for (int64_t i = 0; i < n; ++i) f64[i * ts] = block[i];
        break;
    case SAROS_F32:
        for (int64_t i = 0; i < n; ++i) f32[i * ts] = (float)block[i];
        break;
    case SAROS_I64:
        for (int64_t i = 0; i < n; ++i) i64[i * ts] = saturate(block[i], -0x1p63, 0x1p63);
        break;
    case SAROS_I32:
        for (int64_t i = 0; i < n; ++i)
            i32[i * ts] = (int32_t)saturate(block[i], -2147483648.0, 2147483647.0);
        break;
    default:
        for (int64_t i = 0; i < n; ++i) b[i * ts] = block[i] != 0.0;
    }
}

static void convert_run(int64_t n, saros_dtype to_dtype, char *to, int64_t ts,
                        saros_dtype from_dtype, const char *from, int64_t fs) {
    int64_t to_bytes = (int64_t)saros_dtype_bytes(to_dtype);
    int64_t from_bytes = (int64_t)saros_dtype_bytes(from_dtype);
    union {
        double floats[BLOCK];
        int64_t integers[BLOCK];
    } block;
    for (int64_t start = 0; start < n; start += BLOCK) {
        int64_t count = n - start < BLOCK ? n - start : BLOCK;
        char *target = to + start * ts * to_bytes;
        const char *source = from + start * fs * from_bytes;
        if (saros_dtype_is_float(from_dtype)) {
            load_floats(count, from_dtype, source, fs, block.floats);
            store_floats(count, block.floats, to_dtype, target, ts);
        } else {
            load_integers(count, from_dtype, source, fs, block.integers);
            store_integers(count, block.integers, to_dtype, target, ts);
        }
    }
}

static void copy_run(int64_t n, saros_dtype to_dtype, void *to, int64_t ts, saros_dtype from_dtype,
                     const void *from, int64_t fs) {
    if (to_dtype != from_dtype)
        convert_run(n, to_dtype, to, ts, from_dtype, from, fs);
    else if (saros_dtype_bytes(to_dtype) == 8)
        move_8(n, to, ts, from, fs);
    else if (saros_dtype_bytes(to_dtype) == 4)
        move_4(n, to, ts, from, fs);
    else
        move_1(n, to, ts, from, fs);
}

/** The copy as a nest, if it is large, moves bits and has rows to write. */
static bool copy_large(int rank, const int64_t *shape, saros_dtype dtype, void *to,
                       const int64_t *to_strides, const void *from, const int64_t *from_strides) {
    const int64_t bytes = (int64_t)saros_dtype_bytes(dtype);
    int64_t size = bytes, last = rank - 1;
    for (int a = 0; a < rank; ++a) size *= shape[a];
    while (last > 0 && shape[last] == 1) --last;
    if (size < LARGE || to_strides[last] != 1) return false;
    saros_nest s;
    s.rank = rank;
    s.ins = s.outs = 1;
    s.reduces = s.taken = 0;
    s.taker = NULL;
    s.nanoseconds = 2 * (double)bytes / 30;
    s.base[0] = (char *)(uintptr_t)from;
    s.base[1] = to;
    s.bytes[0] = s.bytes[1] = (int)bytes;
    for (int a = 0; a < rank; ++a) {
        s.extent[a] = shape[a];
        s.reduced[a] = false;
        s.stride[0][a] = bytes * from_strides[a];
        s.stride[1][a] = bytes * to_strides[a];
    }
    return saros_nest_plan(&s) && saros_nest_run(&s, NULL) == SAROS_OK;
}

void saros_copy_strided(int rank, const int64_t *shape, saros_dtype to_dtype, void *to,
                        const int64_t *to_strides, saros_dtype from_dtype, const void *from,
                        const int64_t *from_strides) {
    for (int a = 0; a < rank; ++a)
        if (shape[a] == 0) return;
    if (rank == 1 && to_dtype == from_dtype && to_strides[0] == 1 && from_strides[0] == 1 &&
        shape[0] < SHORT) { /* what loops keep of small carries */
        memmove(to, from, (size_t)shape[0] * saros_dtype_bytes(to_dtype));
        return;
    }
    if (to_dtype == from_dtype &&
        copy_large(rank, shape, to_dtype, to, to_strides, from, from_strides))
        return;
    walk w = collapse(rank, shape, to_strides, from_strides);
    int64_t to_bytes = (int64_t)saros_dtype_bytes(to_dtype);
    int64_t from_bytes = (int64_t)saros_dtype_bytes(from_dtype);
    int inner = w.rank - 1;
    int64_t index[SAROS_MAX_RANK] = {0};
    char *target = to;
    const char *source = from;
    for (;;) {
        copy_run(w.extent[inner], to_dtype, target, w.to[inner], from_dtype, source, w.from[inner]);
        int a = inner - 1;
        for (; a >= 0; --a) {
            target += w.to[a] * to_bytes;
            source += w.from[a] * from_bytes;
            if (++index[a] < w.extent[a]) break;
            target -= w.extent[a] * w.to[a] * to_bytes;
            source -= w.extent[a] * w.from[a] * from_bytes;
            index[a] = 0;
        }
        if (a < 0) return;
    }
}

saros_status saros_tensor_assign(saros_tensor *to, const saros_tensor *from) {
    bool same = to->rank == from->rank;
    for (int a = 0; same && a < to->rank; ++a) same = to->shape[a] == from->shape[a];
    if (!same) {
        saros_type a = saros_tensor_type(to), b = saros_tensor_type(from);
        char needed[128], got[128];
        return saros_fail(SAROS_ERR_SHAPE, "saros_tensor_assign", NULL, "got %s, needed %s",
                          saros_type_text(&b, got, sizeof got),
                          saros_type_text(&a, needed, sizeof needed));
    }
    if (to->dtype == SAROS_OPAQUE || from->dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, "saros_tensor_assign", NULL,
                          "an opaque object has no elements to copy");
    saros_copy_strided(to->rank, to->shape, to->dtype, to->data, to->strides, from->dtype,
                       from->data, from->strides);
    return SAROS_OK;
}

saros_status saros_tensor_cast(const saros_tensor *tensor, saros_dtype dtype, saros_tensor **out) {
    saros_tensor *copy = NULL;
    saros_status status = saros_tensor_make(dtype, tensor->rank, tensor->shape, &copy);
    if (status != SAROS_OK) return status;
    status = saros_tensor_assign(copy, tensor);
    if (status != SAROS_OK) {
        saros_tensor_release(copy);
        return status;
    }
    *out = copy;
    return SAROS_OK;
}

saros_status saros_tensor_contiguous(saros_tensor *tensor, saros_tensor **out) {
    if (!tensor->contiguous) return saros_tensor_cast(tensor, tensor->dtype, out);
    *out = saros_tensor_retain(tensor);
    return SAROS_OK;
}

static double element(const saros_tensor *tensor, int64_t offset) {
    double value;
    const char *data = tensor->data;
    saros_copy_strided(0, NULL, SAROS_F64, &value, NULL, tensor->dtype,
                       data + offset * (int64_t)saros_dtype_bytes(tensor->dtype), NULL);
    return value;
}

saros_status saros_tensor_item(const saros_tensor *tensor, double *out) {
    if (tensor->count != 1 || tensor->dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_SHAPE, "saros_tensor_item", "reduce it or index it first",
                          "got %lld elements, needed 1",
                          tensor->dtype == SAROS_OPAQUE ? 0LL : (long long)tensor->count);
    *out = element(tensor, 0);
    return SAROS_OK;
}

saros_status saros_tensor_get(const saros_tensor *tensor, const int64_t *index, double *out) {
    if (tensor->dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_DOMAIN, "saros_tensor_get", NULL,
                          "an opaque object has no elements");
    int64_t offset = 0;
    for (int a = 0; a < tensor->rank; ++a) {
        if (index[a] < 0 || index[a] >= tensor->shape[a])
            return saros_fail(SAROS_ERR_DOMAIN, "saros_tensor_get", NULL,
                              "index %lld on axis %d, needed 0 to %lld", (long long)index[a], a,
                              (long long)tensor->shape[a] - 1);
        offset += index[a] * tensor->strides[a];
    }
    *out = element(tensor, offset);
    return SAROS_OK;
}

/** Lowest byte of a tensor and the one after its highest. */
static void span(const saros_tensor *t, const char **low, const char **high) {
    int64_t size = (int64_t)saros_dtype_bytes(t->dtype), down = 0, up = t->count > 0;
    for (int a = 0; a < t->rank && t->count > 0; ++a) {
        int64_t reach = (t->shape[a] - 1) * t->strides[a];
        if (reach < 0)
            down += reach;
        else
            up += reach;
    }
    *low = (const char *)t->data + down * size;
    *high = (const char *)t->data + up * size;
}

bool saros_is_window(const saros_tensor *in, const saros_tensor *out, const void *first) {
    if (in->data != first || in->rank != out->rank || in->dtype != out->dtype) return false;
    for (int a = 0; a < in->rank; ++a)
        if (in->shape[a] > 1 && in->strides[a] != out->strides[a]) return false;
    return true;
}

bool saros_tensor_overlap(const saros_tensor *a, const saros_tensor *b) {
    const char *a_low, *a_high, *b_low, *b_high;
    span(a, &a_low, &a_high);
    span(b, &b_low, &b_high);
    return a_low < b_high && b_low < a_high;
}
