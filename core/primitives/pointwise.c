/** The driver of pointwise rows: from operands of any strides to kernels on contiguous runs.
 *
 *  Axes are collapsed as far as all operands allow. If everything is contiguous, one call of the
 * kernel does all. Otherwise the index space is cut into blocks; an operand whose elements lie
 * contiguous in a block is read in place, another is copied into a buffer that stays in first-level
 * cache. A broadcast operand repeats with a period: blocks are whole periods, so its buffer is
 * filled once. Serial; threads belong to the compiled backend.
 */
#include "primitives/pointwise_impl.h"

#include <string.h>

enum {
    BLOCK = 512,   /* elements of a buffer: three of them and the output fit 32 kB */
    LONG_ROW = 128 /* rows from here on are blocks of their own */
};

/** One operand over the collapsed axes. */
typedef struct operand {
    const char *data;
    int64_t bytes; /* of an element */
    int64_t stride[SAROS_MAX_RANK];
    int64_t period;   /* elements after which it repeats; 0: never */
    bool contiguous;  /* over the whole index space */
    const char *held; /* address whose elements the buffer holds; NULL: none */
    int64_t held_count;
    _Alignas(64) char buffer[BLOCK * 8];
} operand;

/** The collapsed index space. */
typedef struct space {
    int rank;
    int64_t extent[SAROS_MAX_RANK];
    int64_t count, row, block; /* elements in all, in the last axis, in a block */
} space;

static bool mergeable(int n, const operand *x, int axis, const saros_evaluation *e, int next,
                      int64_t extent) {
    for (int k = 0; k < n; ++k)
        if (x[k].stride[axis] != saros_tensor_strides(e->in[k])[next] * extent) return false;
    return true;
}

static void collapse(const saros_evaluation *e, space *s, operand *x) {
    const int64_t *shape = saros_tensor_shape(e->out[0]);
    s->rank = 0;
    s->count = 1;
    for (int a = 0; a < saros_tensor_rank(e->out[0]); ++a) {
        s->count *= shape[a];
        if (shape[a] == 1) continue;
        if (s->rank && mergeable(e->ins, x, s->rank - 1, e, a, shape[a])) {
            s->extent[s->rank - 1] *= shape[a];
        } else {
            s->extent[s->rank++] = shape[a];
        }
        for (int k = 0; k < e->ins; ++k)
            x[k].stride[s->rank - 1] = saros_tensor_strides(e->in[k])[a];
    }
    if (s->rank == 0) {
        s->extent[s->rank++] = 1;
        for (int k = 0; k < e->ins; ++k) x[k].stride[0] = 1;
    }
    s->row = s->extent[s->rank - 1];
}

static void classify(const space *s, operand *x) {
    int64_t inner = 1;
    x->contiguous = true;
    x->period = 0;
    x->held = NULL;
    for (int a = s->rank - 1; a >= 0; --a) {
        x->contiguous &= x->stride[a] == inner;
        inner *= s->extent[a];
    }
    x->period = s->count;
    for (int a = 0; a < s->rank && x->stride[a] == 0; ++a) x->period /= s->extent[a];
    if (x->period == s->count) x->period = 0;
}

static void choose_block(space *s, int n, const operand *x) {
    int64_t unit = s->row;
    for (int k = 0; k < n; ++k)
        if (x[k].period > unit && x[k].period <= BLOCK) unit = x[k].period;
    s->block = unit <= BLOCK ? BLOCK / unit * unit : BLOCK;
}

/** A panel of `rows` rows of n elements, `outer` and `stride` apart, to contiguous memory. */
static void copy_8(uint64_t *to, const uint64_t *from, int64_t rows, int64_t n, int64_t outer,
                   int64_t stride) {
    for (int64_t r = 0; r < rows; ++r, from += outer, to += n) {
        if (stride == 0) {
            for (int64_t i = 0; i < n; ++i) to[i] = *from;
        } else if (stride == 1) {
            for (int64_t i = 0; i < n; ++i) to[i] = from[i];
        } else {
            for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
        }
    }
}
static void copy_4(uint32_t *to, const uint32_t *from, int64_t rows, int64_t n, int64_t outer,
                   int64_t stride) {
    for (int64_t r = 0; r < rows; ++r, from += outer, to += n) {
        if (stride == 0) {
            for (int64_t i = 0; i < n; ++i) to[i] = *from;
        } else if (stride == 1) {
            for (int64_t i = 0; i < n; ++i) to[i] = from[i];
        } else {
            for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
        }
    }
}
static void copy_1(uint8_t *to, const uint8_t *from, int64_t rows, int64_t n, int64_t outer,
                   int64_t stride) {
    for (int64_t r = 0; r < rows; ++r, from += outer, to += n)
        for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
}
static void copy_panel(void *to, const void *from, int64_t rows, int64_t n, int64_t outer,
                       int64_t stride, int64_t bytes) {
    if (bytes == 8)
        copy_8(to, from, rows, n, outer, stride);
    else if (bytes == 4)
        copy_4(to, from, rows, n, outer, stride);
    else
        copy_1(to, from, rows, n, outer, stride);
}

/** Address of element `first` and its index in `index`. */
static const char *locate(const space *s, const operand *x, int64_t first, int64_t *index) {
    int64_t offset = 0;
    for (int a = s->rank - 1; a >= 0; --a) {
        index[a] = first % s->extent[a];
        first /= s->extent[a];
        offset += index[a] * x->stride[a];
    }
    return x->data + offset * x->bytes;
}

/** Copies `n` elements, whole rows, from `from` on: a panel of rows at a time. */
static void copy_rows(const space *s, operand *x, const char *from, int64_t *index, int64_t n) {
    int last = s->rank - 1, above = last - 1;
    int64_t outer = above >= 0 ? x->stride[above] : 0;
    for (int64_t done = 0; done < n;) {
        int64_t rows = (n - done) / s->row;
        if (above >= 0 && rows > s->extent[above] - index[above])
            rows = s->extent[above] - index[above];
        copy_panel(x->buffer + done * x->bytes, from, rows, s->row, outer, x->stride[last],
                   x->bytes);
        done += rows * s->row;
        from += rows * outer * x->bytes;
        if (above < 0) return;
        index[above] += rows;
        for (int a = above; a > 0 && index[a] == s->extent[a]; --a) {
            from += (x->stride[a - 1] - x->stride[a] * s->extent[a]) * x->bytes;
            index[a] = 0;
            ++index[a - 1];
        }
    }
}

/** Contiguous elements first … first+n-1 of x: in place or in its buffer. */
static const char *load(const space *s, operand *x, int64_t first, int64_t n) {
    int64_t index[SAROS_MAX_RANK];
    int last = s->rank - 1;
    if (x->contiguous) return x->data + first * x->bytes;
    bool repeats = s->row < LONG_ROW && x->period && s->block % x->period == 0;
    if (repeats && x->held && x->held_count >= n) return x->buffer;
    const char *from = locate(s, x, first, index);
    if (s->row >= LONG_ROW) {
        if (x->stride[last] == 1) return from;
        if (x->stride[last] != 0) {
            copy_panel(x->buffer, from, 1, n, 0, x->stride[last], x->bytes);
        } else if (x->held != from || x->held_count < n) {
            copy_panel(x->buffer, from, 1, n, 0, 0, x->bytes);
            x->held = from;
            x->held_count = n;
        }
        return x->buffer;
    }
    copy_rows(s, x, from, index, n);
    x->held = from;
    x->held_count = n;
    return x->buffer;
}

static saros_kernel *choose(const saros_kernels *kernels, saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return kernels->f64;
    case SAROS_F32:
        return kernels->f32;
    case SAROS_I64:
        return kernels->i64;
    case SAROS_I32:
        return kernels->i32;
    case SAROS_BOOL:
        return kernels->mask;
    default:
        return NULL;
    }
}

static void run_blocks(const saros_evaluation *e, saros_kernel *kernel, space *s, operand *x) {
    char *out = saros_tensor_data(e->out[0]);
    int64_t bytes = (int64_t)saros_dtype_bytes(saros_tensor_dtype(e->out[0]));
    saros_run run = {.word = e->attributes ? e->attributes->word : NULL, .row = e->row};
    bool contiguous = true;
    for (int k = 0; k < e->ins; ++k) contiguous &= x[k].contiguous;
    choose_block(s, e->ins, x);
    for (int64_t first = 0; first < s->count; first += run.n) {
        run.n = s->count - first;
        if (!contiguous && run.n > s->block) run.n = s->block;
        if (!contiguous && s->row >= LONG_ROW && run.n > s->row - first % s->row)
            run.n = s->row - first % s->row;
        run.out = out + first * bytes;
        for (int k = 0; k < e->ins; ++k) run.in[k] = load(s, &x[k], first, run.n);
        kernel(&run);
    }
}

saros_status saros_pointwise_run(const saros_evaluation *e, const saros_kernels *kernels) {
    saros_kernel *kernel = choose(kernels, saros_tensor_dtype(e->in[e->ins - 1]));
    if (!kernel)
        return saros_fail(SAROS_ERR_TYPE, e->row->name, NULL, "no kernel for %s",
                          saros_dtype_name(saros_tensor_dtype(e->in[e->ins - 1])));
    space s = {0};
    operand x[SAROS_POINTWISE_MAX];
    for (int k = 0; k < e->ins; ++k) {
        x[k].data = saros_tensor_const_data(e->in[k]);
        x[k].bytes = (int64_t)saros_dtype_bytes(saros_tensor_dtype(e->in[k]));
    }
    collapse(e, &s, x);
    if (s.count == 0) return SAROS_OK;
    for (int k = 0; k < e->ins; ++k) classify(&s, &x[k]);
    run_blocks(e, kernel, &s, x);
    return SAROS_OK;
}
