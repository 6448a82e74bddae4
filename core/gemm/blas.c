/** A product by BLAS, which is column-major: c^T = b^T a^T. Vectors go to its product of a matrix
 * and a vector. */
#include <stddef.h>

#include "gemm/gemm_impl.h"
#include "saros/pool.h"

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

/** y = matrix x in the column-major words of BLAS. */
typedef struct gemv {
    const char *trans;
    const void *matrix, *x;
    int m, n, lead, step;
} gemv;

/** Of one column of c, or else of one row. */
static gemv as_gemv(const saros_gemm *g) {
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k;
    if (n == 1)
        return (gemv){g->a_columns ? "N" : "T",
                      g->a,
                      g->b,
                      g->a_columns ? m : k,
                      g->a_columns ? k : m,
                      (int)g->lda,
                      g->b_columns ? 1 : (int)g->ldb};
    return (gemv){g->b_columns ? "T" : "N",
                  g->b,
                  g->a,
                  g->b_columns ? k : n,
                  g->b_columns ? n : k,
                  (int)g->ldb,
                  g->a_columns ? (int)g->lda : 1};
}

static void blas_f64(const saros_gemm *g) {
    const double one = 1, beta = g->add;
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k;
    const int lda = (int)g->lda, ldb = (int)g->ldb, ldc = (int)g->ldc, adjacent = 1;
    if (m > 1 && (n > 1 || ldc > 1)) {
        dgemm_(g->b_columns ? "T" : "N", g->a_columns ? "T" : "N", &n, &m, &k, &one, g->b, &ldb,
               g->a, &lda, &beta, g->c, &ldc, 1, 1);
        return;
    }
    const gemv v = as_gemv(g);
    dgemv_(v.trans, &v.m, &v.n, &one, v.matrix, &v.lead, v.x, &v.step, &beta, g->c, &adjacent, 1);
}

static void blas_f32(const saros_gemm *g) {
    const float one = 1, beta = g->add;
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k;
    const int lda = (int)g->lda, ldb = (int)g->ldb, ldc = (int)g->ldc, adjacent = 1;
    if (m > 1 && (n > 1 || ldc > 1)) {
        sgemm_(g->b_columns ? "T" : "N", g->a_columns ? "T" : "N", &n, &m, &k, &one, g->b, &ldb,
               g->a, &lda, &beta, g->c, &ldc, 1, 1);
        return;
    }
    const gemv v = as_gemv(g);
    sgemv_(v.trans, &v.m, &v.n, &one, v.matrix, &v.lead, v.x, &v.step, &beta, g->c, &adjacent, 1);
}

void saros_gemm_blas(const saros_gemm *g) {
    saros_blas_begin();
    if (g->dtype == SAROS_F64)
        blas_f64(g);
    else
        blas_f32(g);
    saros_blas_end();
}
