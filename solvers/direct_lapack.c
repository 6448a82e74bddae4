/** LU with partial pivoting by LAPACK: band storage (dgbtrf) and full storage (dgetrf).
 *
 *  Band storage, by columns: a_ij stands at row lower+upper+i-j of column j, the first `lower` rows
 * being room for fill-in (LAPACK Users' Guide, 5.3.3). A row of full storage is filled as a column,
 * so that what dgetrf sees is A^T and the two solves change places.
 */
#include "direct_impl.h"

#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/pool.h"

extern void dgbtrf_(const int *m, const int *n, const int *kl, const int *ku, double *ab,
                    const int *ldab, int *pivot, int *info);
extern void dgbtrs_(const char *trans, const int *n, const int *kl, const int *ku, const int *nrhs,
                    const double *ab, const int *ldab, const int *pivot, double *b, const int *ldb,
                    int *info, size_t trans_length);
extern void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivot, int *info);
extern void dgetrs_(const char *trans, const int *n, const int *nrhs, const double *a,
                    const int *lda, const int *pivot, double *b, const int *ldb, int *info,
                    size_t trans_length);

/* Factors, then the row interchanges. */
typedef struct lapack_factor {
    double *a;
    int *pivot;
} lapack_factor;

static void factor_release(void *numbers) {
    lapack_factor *f = numbers;
    saros_release(f->a);
    saros_release(f->pivot);
    saros_release(f);
}

static lapack_factor *factor_make(int64_t n, int64_t height) {
    lapack_factor *f = saros_allocate_zero(1, sizeof *f);
    if (!f) return NULL;
    f->a = saros_allocate((size_t)(n * height) * sizeof *f->a);
    f->pivot = saros_allocate((size_t)n * sizeof *f->pivot);
    if (f->a && f->pivot) return f;
    factor_release(f);
    return NULL;
}

/* min over max of the diagonal of U, the elements first, first + step, … */
static double pivot_ratio(const double *first, int64_t step, int64_t n) {
    double least = INFINITY, most = 0;
    for (int64_t j = 0; j < n; ++j) {
        double u = fabs(first[j * step]);
        if (!(u >= least)) least = u;
        if (!(u <= most)) most = u;
    }
    return n ? least / most : 1;
}

static saros_status lapack_check(const char *routine, int info) {
    if (info >= 0) return SAROS_OK;
    return saros_fail(SAROS_ERR_INTERNAL, routine, NULL, "argument %d is wrong", -info);
}

static saros_status band_factorise(saros_sparsity *pattern, void *analysis, const double *values,
                                   void **numbers, double *pivots) {
    (void)analysis;
    int64_t size = saros_sparsity_size(pattern), lower, upper;
    saros_sparsity_bandwidth(pattern, &lower, &upper);
    int n = (int)size, kl = (int)lower, ku = (int)upper, height = 2 * kl + ku + 1, info = 0;
    if (!*numbers && !(*numbers = factor_make(size, height))) return SAROS_ERR_MEMORY;
    lapack_factor *f = *numbers;
    memset(f->a, 0, (size_t)(size * height) * sizeof *f->a);
    const int64_t *row = saros_sparsity_rows(pattern), *column = saros_sparsity_columns(pattern);
    for (int64_t i = 0; i < size; ++i)
        for (int64_t k = row[i]; k < row[i + 1]; ++k)
            f->a[column[k] * height + lower + upper + i - column[k]] = values[k];
    saros_blas_begin();
    dgbtrf_(&n, &n, &kl, &ku, f->a, &height, f->pivot, &info);
    saros_blas_end();
    *pivots = info > 0 ? 0 : pivot_ratio(f->a + kl + ku, height, size);
    return lapack_check("dgbtrf", info);
}

static saros_status band_solve(saros_sparsity *pattern, void *analysis, void *numbers,
                               bool transposed, int64_t columns, double *b) {
    (void)analysis;
    const lapack_factor *f = numbers;
    int64_t lower, upper;
    saros_sparsity_bandwidth(pattern, &lower, &upper);
    int n = (int)saros_sparsity_size(pattern), kl = (int)lower, ku = (int)upper;
    int height = 2 * kl + ku + 1, many = (int)columns, info = 0;
    saros_blas_begin();
    dgbtrs_(transposed ? "T" : "N", &n, &kl, &ku, &many, f->a, &height, f->pivot, b, &n, &info, 1);
    saros_blas_end();
    return lapack_check("dgbtrs", info);
}

static saros_status dense_factorise(saros_sparsity *pattern, void *analysis, const double *values,
                                    void **numbers, double *pivots) {
    (void)analysis;
    int64_t size = saros_sparsity_size(pattern);
    int n = (int)size, info = 0;
    if (!*numbers && !(*numbers = factor_make(size, size))) return SAROS_ERR_MEMORY;
    lapack_factor *f = *numbers;
    memset(f->a, 0, (size_t)(size * size) * sizeof *f->a);
    const int64_t *row = saros_sparsity_rows(pattern), *column = saros_sparsity_columns(pattern);
    for (int64_t i = 0; i < size; ++i)
        for (int64_t k = row[i]; k < row[i + 1]; ++k) f->a[i * size + column[k]] = values[k];
    saros_blas_begin();
    dgetrf_(&n, &n, f->a, &n, f->pivot, &info);
    saros_blas_end();
    *pivots = info > 0 ? 0 : pivot_ratio(f->a, size + 1, size);
    return lapack_check("dgetrf", info);
}

static saros_status dense_solve(saros_sparsity *pattern, void *analysis, void *numbers,
                                bool transposed, int64_t columns, double *b) {
    (void)analysis;
    const lapack_factor *f = numbers;
    int n = (int)saros_sparsity_size(pattern), many = (int)columns, info = 0;
    saros_blas_begin();
    dgetrs_(transposed ? "N" : "T", &n, &many, f->a, &n, f->pivot, b, &n, &info, 1);
    saros_blas_end();
    return lapack_check("dgetrs", info);
}

const saros_direct_method saros_direct_band = {
    .name = "banded LU",
    .factorise = band_factorise,
    .solve = band_solve,
    .numbers_release = factor_release,
};

const saros_direct_method saros_direct_dense = {
    .name = "dense LU",
    .factorise = dense_factorise,
    .solve = dense_solve,
    .numbers_release = factor_release,
};
