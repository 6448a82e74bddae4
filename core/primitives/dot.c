/** Evaluation of batched contractions.
 *
 *  Each operand is seen as [batch][rows][k]; axes of a role are merged into one stride where the
 * layout allows it, else the operand is copied. f64 and f32 go to BLAS, transposed operands without
 * a copy; contractions over up to four elements, for which BLAS has more overhead than work, and
 * integers are plain loops.
 */
#include "primitives/dot_impl.h"

#include <limits.h>
#include <string.h>

#include "primitives/pointwise_impl.h"
#include "saros/pool.h"
#include "tensor_impl.h"

enum {
    SHORT = 4, /* contractions up to this length are plain loops */
    TILE = 128 /* columns at a time in them */
};

void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc, size_t, size_t);
void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc, size_t, size_t);
void dgemv_(const char *trans, const int *m, const int *n, const double *alpha, const double *a,
            const int *lda, const double *x, const int *incx, const double *beta, double *y,
            const int *incy, size_t);
void sgemv_(const char *trans, const int *m, const int *n, const float *alpha, const float *a,
            const int *lda, const float *x, const int *incx, const float *beta, float *y,
            const int *incy, size_t);

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
    bool k_inner; /* for BLAS: elements of a row are adjacent; else elements of a column */
    int64_t lead; /* for BLAS: distance of rows or columns */
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

/** Finds the form in which BLAS takes the matrix; false: none. */
static bool fits_blas(matrix *m) {
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
           fits_blas(m);
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

typedef void product(const matrix *a, const matrix *b, void *y);

static void gemm_f64(const matrix *a, const matrix *b, void *y) {
    const double one = 1.0, zero = 0.0;
    int m = (int)a->rows, n = (int)b->rows, k = (int)a->k, step = 1;
    int lda = (int)a->lead, ldb = (int)b->lead, xa = (int)a->k_stride, xb = (int)b->k_stride;
    const void *x = a->data, *w = b->data;
    if (n == 1) /* row-major y^T = b^T a^T is what column-major BLAS computes */
        dgemv_(a->k_inner ? "T" : "N", a->k_inner ? &k : &m, a->k_inner ? &m : &k, &one, x, &lda, w,
               &xb, &zero, y, &step, 1);
    else if (m == 1)
        dgemv_(b->k_inner ? "T" : "N", b->k_inner ? &k : &n, b->k_inner ? &n : &k, &one, w, &ldb, x,
               &xa, &zero, y, &step, 1);
    else
        dgemm_(b->k_inner ? "T" : "N", a->k_inner ? "N" : "T", &n, &m, &k, &one, w, &ldb, x, &lda,
               &zero, y, &n, 1, 1);
}
static void gemm_f32(const matrix *a, const matrix *b, void *y) {
    const float one = 1.0F, zero = 0.0F;
    int m = (int)a->rows, n = (int)b->rows, k = (int)a->k, step = 1;
    int lda = (int)a->lead, ldb = (int)b->lead, xa = (int)a->k_stride, xb = (int)b->k_stride;
    const void *x = a->data, *w = b->data;
    if (n == 1)
        sgemv_(a->k_inner ? "T" : "N", a->k_inner ? &k : &m, a->k_inner ? &m : &k, &one, x, &lda, w,
               &xb, &zero, y, &step, 1);
    else if (m == 1)
        sgemv_(b->k_inner ? "T" : "N", b->k_inner ? &k : &n, b->k_inner ? &n : &k, &one, w, &ldb, x,
               &xa, &zero, y, &step, 1);
    else
        sgemm_(b->k_inner ? "T" : "N", a->k_inner ? "N" : "T", &n, &m, &k, &one, w, &ldb, x, &lda,
               &zero, y, &n, 1, 1);
}

SAROS_FAST static void short_f64(const matrix *a, const matrix *b, void *to) {
    double tile[SHORT][TILE], *y = to;
    const double *x = (const void *)a->data, *w = (const void *)b->data;
    int64_t n = b->rows;
    for (int64_t first = 0; first < n; first += TILE) {
        int64_t m = n - first < TILE ? n - first : TILE;
        for (int64_t k = 0; k < SHORT; ++k)
            for (int64_t j = 0; j < m; ++j)
                tile[k][j] = k < a->k ? w[(first + j) * b->row_stride + k * b->k_stride] : 0.0;
        for (int64_t i = 0; i < a->rows; ++i) {
            const double *row = x + i * a->row_stride;
            double *out = y + i * n + first, factor[SHORT] = {0.0};
            for (int64_t k = 0; k < a->k; ++k) factor[k] = row[k * a->k_stride];
            if (a->k == 1)
                for (int64_t j = 0; j < m; ++j) out[j] = factor[0] * tile[0][j];
            else if (a->k == 2)
                for (int64_t j = 0; j < m; ++j)
                    out[j] = factor[0] * tile[0][j] + factor[1] * tile[1][j];
            else if (a->k == 3)
                for (int64_t j = 0; j < m; ++j)
                    out[j] =
                        factor[0] * tile[0][j] + factor[1] * tile[1][j] + factor[2] * tile[2][j];
            else
                for (int64_t j = 0; j < m; ++j)
                    out[j] = factor[0] * tile[0][j] + factor[1] * tile[1][j] +
                             factor[2] * tile[2][j] + factor[3] * tile[3][j];
        }
    }
}
SAROS_FAST static void short_f32(const matrix *a, const matrix *b, void *to) {
    float tile[SHORT][TILE], *y = to;
    const float *x = (const void *)a->data, *w = (const void *)b->data;
    int64_t n = b->rows;
    for (int64_t first = 0; first < n; first += TILE) {
        int64_t m = n - first < TILE ? n - first : TILE;
        for (int64_t k = 0; k < SHORT; ++k)
            for (int64_t j = 0; j < m; ++j)
                tile[k][j] = k < a->k ? w[(first + j) * b->row_stride + k * b->k_stride] : 0.0F;
        for (int64_t i = 0; i < a->rows; ++i) {
            const float *row = x + i * a->row_stride;
            float *out = y + i * n + first, factor[SHORT] = {0.0F};
            for (int64_t k = 0; k < a->k; ++k) factor[k] = row[k * a->k_stride];
            if (a->k == 1)
                for (int64_t j = 0; j < m; ++j) out[j] = factor[0] * tile[0][j];
            else if (a->k == 2)
                for (int64_t j = 0; j < m; ++j)
                    out[j] = factor[0] * tile[0][j] + factor[1] * tile[1][j];
            else if (a->k == 3)
                for (int64_t j = 0; j < m; ++j)
                    out[j] =
                        factor[0] * tile[0][j] + factor[1] * tile[1][j] + factor[2] * tile[2][j];
            else
                for (int64_t j = 0; j < m; ++j)
                    out[j] = factor[0] * tile[0][j] + factor[1] * tile[1][j] +
                             factor[2] * tile[2][j] + factor[3] * tile[3][j];
        }
    }
}

static void loops_i64(const matrix *a, const matrix *b, void *to) {
    const uint64_t *x = (const void *)a->data, *w = (const void *)b->data;
    uint64_t *y = to;
    for (int64_t i = 0; i < a->rows; ++i)
        for (int64_t j = 0; j < b->rows; ++j) {
            uint64_t sum = 0;
            for (int64_t k = 0; k < a->k; ++k)
                sum +=
                    x[i * a->row_stride + k * a->k_stride] * w[j * b->row_stride + k * b->k_stride];
            *y++ = sum;
        }
}
static void loops_i32(const matrix *a, const matrix *b, void *to) {
    const uint32_t *x = (const void *)a->data, *w = (const void *)b->data;
    uint32_t *y = to;
    for (int64_t i = 0; i < a->rows; ++i)
        for (int64_t j = 0; j < b->rows; ++j) {
            uint32_t sum = 0;
            for (int64_t k = 0; k < a->k; ++k)
                sum +=
                    x[i * a->row_stride + k * a->k_stride] * w[j * b->row_stride + k * b->k_stride];
            *y++ = sum;
        }
}

static product *choose(saros_dtype dtype, int64_t k) {
    switch (dtype) {
    case SAROS_F64:
        return k <= SHORT ? short_f64 : gemm_f64;
    case SAROS_F32:
        return k <= SHORT ? short_f32 : gemm_f32;
    case SAROS_I64:
        return loops_i64;
    default:
        return loops_i32;
    }
}

/** Walks the batch axes, last one fastest. */
static void run_batches(matrix *a, matrix *b, char *y, int64_t bytes, int64_t count,
                        product *multiply) {
    int64_t index[SAROS_MAX_RANK] = {0}, cell = a->rows * b->rows * bytes;
    for (int64_t i = 0; i < count; ++i, y += cell) {
        multiply(a, b, y);
        for (int k = a->batches - 1; k >= 0; --k) {
            int64_t wrap = ++index[k] < a->batch_extent[k] ? 0 : a->batch_extent[k];
            a->data += a->batch_stride[k] * bytes * (1 - wrap);
            b->data += b->batch_stride[k] * bytes * (1 - wrap);
            if (!wrap) break;
            index[k] = 0;
        }
    }
}

saros_status saros_dot_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *copy[2] = {NULL, NULL}, *y = e->out[0];
    const int64_t *word = e->attributes->word;
    saros_dot_side side_a = saros_dot_read(word, 0, e->in[0]->rank);
    saros_dot_side side_b = saros_dot_read(word, 1, e->in[1]->rank);
    matrix a, b;
    int64_t bytes = (int64_t)saros_dtype_bytes(y->dtype), count = 1, k = 1;
    for (int i = 0; i < side_a.contracts; ++i) k *= e->in[0]->shape[side_a.contract[i]];
    if (y->count == 0) return SAROS_OK;
    if (k == 0) {
        memset(y->data, 0, (size_t)(y->count * bytes));
        return SAROS_OK;
    }
    SAROS_TRY(prepare(e->in[0], &side_a, &a, &copy[0]));
    SAROS_TRY(prepare(e->in[1], &side_b, &b, &copy[1]));
    for (int i = 0; i < a.batches; ++i) count *= a.batch_extent[i];
    saros_blas_begin();
    run_batches(&a, &b, y->data, bytes, count, choose(y->dtype, k));
    saros_blas_end();
done:
    saros_tensor_release(copy[0]);
    saros_tensor_release(copy[1]);
    return status;
}
