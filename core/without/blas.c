/* The four BLAS routines that contractions call, for a build without BLAS: plain loops whose inner
 * one runs along a column, so that the compiler can vectorise it. Column-major; alpha is 1 and
 * beta 0 or 1, which is all that is asked for. An order of magnitude slower than a BLAS. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc, size_t la, size_t lb);
void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc, size_t la, size_t lb);
void dgemv_(const char *trans, const int *m, const int *n, const double *alpha, const double *a,
            const int *lda, const double *x, const int *incx, const double *beta, double *y,
            const int *incy, size_t la);
void sgemv_(const char *trans, const int *m, const int *n, const float *alpha, const float *a,
            const int *lda, const float *x, const int *incx, const float *beta, float *y,
            const int *incy, size_t la);

/** c = op(a) op(b), c (rows, columns), contracted over `inner`. */
typedef struct sizes {
    int64_t rows, columns, inner;
    int64_t lda, ldb, ldc;
    char ta, tb;
    bool add;
} sizes;

static void product_f64(const sizes *s, const double *a, const double *b, double *c) {
    for (int64_t j = 0; j < s->columns; ++j) {
        double *restrict y = c + j * s->ldc;
        for (int64_t i = 0; i < s->rows && !s->add; ++i) y[i] = 0;
        for (int64_t l = 0; l < s->inner; ++l) {
            const double factor = s->tb == 'N' ? b[l + j * s->ldb] : b[j + l * s->ldb];
            if (s->ta == 'N')
                for (int64_t i = 0; i < s->rows; ++i) y[i] += a[i + l * s->lda] * factor;
            else
                for (int64_t i = 0; i < s->rows; ++i) y[i] += a[l + i * s->lda] * factor;
        }
    }
}

static void product_f32(const sizes *s, const float *a, const float *b, float *c) {
    for (int64_t j = 0; j < s->columns; ++j) {
        float *restrict y = c + j * s->ldc;
        for (int64_t i = 0; i < s->rows && !s->add; ++i) y[i] = 0;
        for (int64_t l = 0; l < s->inner; ++l) {
            const float factor = s->tb == 'N' ? b[l + j * s->ldb] : b[j + l * s->ldb];
            if (s->ta == 'N')
                for (int64_t i = 0; i < s->rows; ++i) y[i] += a[i + l * s->lda] * factor;
            else
                for (int64_t i = 0; i < s->rows; ++i) y[i] += a[l + i * s->lda] * factor;
        }
    }
}

/* A vector with stride `incx` is a transposed matrix of one row. */
static sizes vector_sizes(char trans, int m, int n, int lda, int incx, bool add) {
    const int rows = trans == 'N' ? m : n, inner = trans == 'N' ? n : m;
    return (sizes){rows, 1, inner, lda, incx, rows, trans, 'T', add};
}

void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc, size_t la, size_t lb) {
    (void)alpha, (void)la, (void)lb;
    product_f64(&(sizes){*m, *n, *k, *lda, *ldb, *ldc, *ta, *tb, *beta != 0}, a, b, c);
}

void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc, size_t la, size_t lb) {
    (void)alpha, (void)la, (void)lb;
    product_f32(&(sizes){*m, *n, *k, *lda, *ldb, *ldc, *ta, *tb, *beta != 0}, a, b, c);
}

void dgemv_(const char *trans, const int *m, const int *n, const double *alpha, const double *a,
            const int *lda, const double *x, const int *incx, const double *beta, double *y,
            const int *incy, size_t la) {
    (void)alpha, (void)incy, (void)la;
    const sizes s = vector_sizes(*trans, *m, *n, *lda, *incx, *beta != 0);
    product_f64(&s, a, x, y);
}

void sgemv_(const char *trans, const int *m, const int *n, const float *alpha, const float *a,
            const int *lda, const float *x, const int *incx, const float *beta, float *y,
            const int *incy, size_t la) {
    (void)alpha, (void)incy, (void)la;
    const sizes s = vector_sizes(*trans, *m, *n, *lda, *incx, *beta != 0);
    product_f32(&s, a, x, y);
}
