/** Evaluation of batched contractions.
 *
 *  Each operand is seen as [batch][rows][k]; axes of a role are merged into one stride where the
 * layout allows it, else the operand is copied. f64 and f32 are products of matrices (gemm/),
 * transposed operands without a copy; integers are plain loops.
 */
#include "primitives/dot_impl.h"

#include <limits.h>
#include <string.h>

#include "gemm/gemm_impl.h"
#include "tensor_impl.h"

saros_dot_side saros_dot_read(const int64_t *word, int which, int rank) {
    saros_dot_side side = {.contracts = (int)word[0], .batches = (int)word[1]};
    const int64_t *contract = word + 2 + which * side.contracts;
    const int64_t *batch = word + 2 + 2 * side.contracts + which * side.batches;
    uint32_t taken = 0;
    for (int k = 0; k < side.contracts; ++k)
        taken |= UINT32_C(1) << (side.contract[k] = (int)contract[k]);
    for (int k = 0; k < side.batches; ++k) taken |= UINT32_C(1) << (side.batch[k] = (int)batch[k]);
    for (int a = 0; a < rank; ++a)
        if (!(taken >> a & 1)) side.free[side.frees++] = a;
    return side;
}

/** One operand as [batch…][rows][k]. */
typedef struct matrix {
    const char *data;
    int batches;
    int64_t batch_extent[SAROS_MAX_RANK], batch_stride[SAROS_MAX_RANK];
    int64_t rows, row_stride, k, k_stride;
    bool k_inner; /* elements of a row are adjacent; else elements of a column */
    int64_t lead; /* distance of rows or columns */
} matrix;

/** Merges axes into one of extent *n and stride *stride; false if the layout does not allow it. */
static bool merge(int axes, const int64_t *shape, const int64_t *strides, int64_t *n,
                  int64_t *stride) {
    *n = 1;
    *stride = 1;
    for (int a = axes - 1; a >= 0; --a) {
        if (shape[a] == 1) continue;
        if (*n == 1)
            *stride = strides[a];
        else if (strides[a] != *stride * *n)
            return false;
        *n *= shape[a];
    }
    return true;
}

/** Finds the form in which products take the matrix; false: none. */
static bool fits_gemm(matrix *m) {
    m->k_inner = (m->k_stride == 1 || m->k <= 1) && (m->rows <= 1 || m->row_stride >= m->k);
    if (m->k_inner) {
        m->lead = m->rows <= 1 ? m->k : m->row_stride;
    } else {
        bool other = (m->row_stride == 1 || m->rows <= 1) && m->k_stride >= m->rows;
        if (!other) return false;
        m->lead = m->k_stride;
    }
    if (m->lead < 1) m->lead = 1;
    return m->lead <= INT_MAX && m->rows <= INT_MAX && m->k <= INT_MAX;
}

/** Axes in the order batch, free, contracted; returns their number. */
static int axes_in_order(const saros_dot_side *side, int *order) {
    int n = 0;
    for (int k = 0; k < side->batches; ++k) order[n++] = side->batch[k];
    for (int k = 0; k < side->frees; ++k) order[n++] = side->free[k];
    for (int k = 0; k < side->contracts; ++k) order[n++] = side->contract[k];
    return n;
}

/** False if the layout needs a copy. */
static bool read_matrix(const saros_tensor *t, const int *order, const saros_dot_side *side,
                        matrix *m) {
    int64_t shape[SAROS_MAX_RANK], strides[SAROS_MAX_RANK];
    for (int a = 0; a < t->rank; ++a) {
        shape[a] = t->shape[order[a]];
        strides[a] = t->strides[order[a]];
    }
    m->data = t->data;
    m->batches = side->batches;
    for (int k = 0; k < side->batches; ++k) {
        m->batch_extent[k] = shape[k];
        m->batch_stride[k] = strides[k];
    }
    int free = side->batches, contract = free + side->frees;
    return merge(side->frees, shape + free, strides + free, &m->rows, &m->row_stride) &&
           merge(side->contracts, shape + contract, strides + contract, &m->k, &m->k_stride) &&
           fits_gemm(m);
}

/** Reads operand t, from a row-major copy with axes in order where its own layout does not do. */
static saros_status prepare(saros_tensor *t, const saros_dot_side *side, matrix *m,
                            saros_tensor **copy) {
    static const int same[SAROS_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    saros_status status = SAROS_OK;
    saros_tensor *view = NULL;
    int order[SAROS_MAX_RANK], n = axes_in_order(side, order);
    int64_t shape[SAROS_MAX_RANK], strides[SAROS_MAX_RANK];
    if (read_matrix(t, order, side, m)) return SAROS_OK;
    for (int a = 0; a < n; ++a) {
        shape[a] = t->shape[order[a]];
        strides[a] = t->strides[order[a]];
    }
    SAROS_TRY(saros_tensor_view(t, n, shape, strides, 0, &view));
    SAROS_TRY(saros_tensor_contiguous(view, copy));
    if (!read_matrix(*copy, same, side, m))
        status = saros_fail(SAROS_ERR_UNSUPPORTED, "saros_dot_general", NULL, "an extent above %d",
                            INT_MAX);
done:
    saros_tensor_release(view);
    return status;
}

/* ---- one product y[rows of a][rows of b] ---- */

typedef saros_status product(const matrix *a, const matrix *b, void *y, bool add);

static saros_status multiply(saros_dtype dtype, const matrix *a, const matrix *b, void *y,
                             bool add) {
    const saros_gemm g = {.dtype = dtype,
                          .m = a->rows,
                          .n = b->rows,
                          .k = a->k,
                          .a = a->data,
                          .b = b->data,
                          .c = y,
                          .lda = a->lead,
                          .ldb = b->lead,
                          .ldc = b->rows,
                          .a_columns = !a->k_inner,
                          .b_columns = b->k_inner,
                          .add = add};
    return saros_gemm_run(&g);
}

static saros_status gemm_f64(const matrix *a, const matrix *b, void *y, bool add) {
    return multiply(SAROS_F64, a, b, y, add);
}
static saros_status gemm_f32(const matrix *a, const matrix *b, void *y, bool add) {
    return multiply(SAROS_F32, a, b, y, add);
}

static saros_status loops_i64(const matrix *a, const matrix *b, void *to, bool add) {
    const uint64_t *x = (const void *)a->data, *w = (const void *)b->data;
    uint64_t *y = to;
    for (int64_t i = 0; i < a->rows; ++i)
        for (int64_t j = 0; j < b->rows; ++j) {
            uint64_t sum = add ? *y : 0;
            for (int64_t k = 0; k < a->k; ++k)
                sum +=
                    x[i * a->row_stride + k * a->k_stride] * w[j * b->row_stride + k * b->k_stride];
            *y++ = sum;
        }
    return SAROS_OK;
}
static saros_status loops_i32(const matrix *a, const matrix *b, void *to, bool add) {
    const uint32_t *x = (const void *)a->data, *w = (const void *)b->data;
    uint32_t *y = to;
    for (int64_t i = 0; i < a->rows; ++i)
        for (int64_t j = 0; j < b->rows; ++j) {
            uint32_t sum = add ? *y : 0;
            for (int64_t k = 0; k < a->k; ++k)
                sum +=
                    x[i * a->row_stride + k * a->k_stride] * w[j * b->row_stride + k * b->k_stride];
            *y++ = sum;
        }
    return SAROS_OK;
}

static product *choose(saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return gemm_f64;
    case SAROS_F32:
        return gemm_f32;
    case SAROS_I64:
        return loops_i64;
    default:
        return loops_i32;
    }
}

/** Walks the batch axes, last one fastest. */
static saros_status run_batches(matrix *a, matrix *b, char *y, int64_t bytes, int64_t count,
                                product *run, bool add) {
    int64_t index[SAROS_MAX_RANK] = {0}, cell = a->rows * b->rows * bytes;
    for (int64_t i = 0; i < count; ++i, y += cell) {
        const saros_status status = run(a, b, y, add);
        if (status != SAROS_OK) return status;
        for (int k = a->batches - 1; k >= 0; --k) {
            int64_t wrap = ++index[k] < a->batch_extent[k] ? 0 : a->batch_extent[k];
            a->data += a->batch_stride[k] * bytes * (1 - wrap);
            b->data += b->batch_stride[k] * bytes * (1 - wrap);
            if (!wrap) break;
            index[k] = 0;
        }
    }
    return SAROS_OK;
}

static saros_status contract(const int64_t *word, saros_tensor *x, saros_tensor *w, saros_tensor *y,
                             bool add) {
    saros_status status = SAROS_OK;
    saros_tensor *copy[2] = {NULL, NULL};
    saros_dot_side side_a = saros_dot_read(word, 0, x->rank);
    saros_dot_side side_b = saros_dot_read(word, 1, w->rank);
    matrix a, b;
    int64_t bytes = (int64_t)saros_dtype_bytes(y->dtype), count = 1, k = 1;
    for (int i = 0; i < side_a.contracts; ++i) k *= x->shape[side_a.contract[i]];
    if (y->count == 0) return SAROS_OK;
    if (k == 0) {
        if (!add) memset(y->data, 0, (size_t)(y->count * bytes));
        return SAROS_OK;
    }
    SAROS_TRY(prepare(x, &side_a, &a, &copy[0]));
    SAROS_TRY(prepare(w, &side_b, &b, &copy[1]));
    for (int i = 0; i < a.batches; ++i) count *= a.batch_extent[i];
    SAROS_TRY(run_batches(&a, &b, y->data, bytes, count, choose(y->dtype), add));
done:
    saros_tensor_release(copy[0]);
    saros_tensor_release(copy[1]);
    return status;
}

saros_status saros_dot_evaluate(const saros_evaluation *e) {
    return contract(e->attributes->word, e->in[0], e->in[1], e->out[0], false);
}

saros_status saros_dot_add(const int64_t *word, saros_tensor *a, saros_tensor *b,
                           saros_tensor *out) {
    return contract(word, a, b, out, true);
}
