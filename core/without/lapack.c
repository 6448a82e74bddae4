/* The LAPACK and BLAS routines of the linear algebra rows, for a build without LAPACK: textbook
 * forms, unblocked (Golub and Van Loan, Matrix Computations, 4th ed.: LU with partial pivoting 3.4,
 * Cholesky 4.2, cyclic Jacobi 8.5). Column-major as LAPACK. Both element types share the code: sums
 * are taken in f64. For matrices of some hundreds. */
#include <math.h>
#include <stdbool.h>

#include "primitives/linalg_impl.h"

/** A column-major matrix of either element type. */
typedef struct dense {
    void *data;
    bool wide; /**< f64, else f32 */
    int64_t lead;
} dense;

static double get(const dense *a, int64_t i, int64_t j) {
    const int64_t at = i + j * a->lead;
    return a->wide ? ((const double *)a->data)[at] : (double)((const float *)a->data)[at];
}

static void set(const dense *a, int64_t i, int64_t j, double value) {
    const int64_t at = i + j * a->lead;
    if (a->wide)
        ((double *)a->data)[at] = value;
    else
        ((float *)a->data)[at] = (float)value;
}

static void swap_rows(const dense *a, int64_t columns, int64_t i, int64_t k) {
    for (int64_t j = 0; i != k && j < columns; ++j) {
        const double held = get(a, i, j);
        set(a, i, j, get(a, k, j));
        set(a, k, j, held);
    }
}

/* ---- LU ---- */

static void lu(const dense *a, int64_t n, int *pivot, int *info) {
    *info = 0;
    for (int64_t k = 0; k < n; ++k) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; ++i)
            if (fabs(get(a, i, k)) > fabs(get(a, best, k))) best = i;
        pivot[k] = (int)best + 1;
        swap_rows(a, n, k, best);
        const double head = get(a, k, k);
        if (head == 0 && *info == 0) *info = (int)k + 1;
        if (head == 0) continue;
        for (int64_t i = k + 1; i < n; ++i) set(a, i, k, get(a, i, k) / head);
        for (int64_t j = k + 1; j < n; ++j)
            for (int64_t i = k + 1; i < n; ++i)
                set(a, i, j, get(a, i, j) - get(a, i, k) * get(a, k, j));
    }
}

/* Solves with a triangle of `a`, or its transpose, in one column of b; forward from the first
 * unknown or backward. */
static void triangle(const dense *a, int64_t n, bool transposed, bool forward, bool unit,
                     const dense *b, int64_t column) {
    for (int64_t s = 0; s < n; ++s) {
        const int64_t i = forward ? s : n - 1 - s;
        double sum = get(b, i, column);
        for (int64_t j = forward ? 0 : i + 1; j < (forward ? i : n); ++j)
            sum -= (transposed ? get(a, j, i) : get(a, i, j)) * get(b, j, column);
        set(b, i, column, unit ? sum : sum / get(a, i, i));
    }
}

static void lu_solve(char trans, const dense *a, int64_t n, const int *pivot, const dense *b,
                     int64_t columns) {
    const bool transposed = trans != 'N';
    for (int64_t k = 0; !transposed && k < n; ++k) swap_rows(b, columns, k, pivot[k] - 1);
    for (int64_t c = 0; c < columns; ++c) {
        triangle(a, n, transposed, true, !transposed, b, c);
        triangle(a, n, transposed, false, transposed, b, c);
    }
    for (int64_t k = n - 1; transposed && k >= 0; --k) swap_rows(b, columns, k, pivot[k] - 1);
}

/* ---- Cholesky: a = u^T u in the upper triangle ---- */

static void cholesky(const dense *a, int64_t n, int *info) {
    *info = 0;
    for (int64_t j = 0; j < n; ++j)
        for (int64_t i = j; i < n; ++i) {
            double sum = get(a, j, i);
            for (int64_t k = 0; k < j; ++k) sum -= get(a, k, j) * get(a, k, i);
            if (i == j && !(sum > 0)) {
                *info = (int)j + 1;
                return;
            }
            set(a, j, i, i == j ? sqrt(sum) : sum / get(a, j, j));
        }
}

/* ---- symmetric eigenvalues ---- */

/* Rotates rows and columns p and q of s so that s(p,q) vanishes, and columns of v along. */
static void rotate(double *s, double *v, int64_t n, int64_t p, int64_t q) {
    const double apq = s[p + q * n];
    if (apq == 0) return;
    const double tau = (s[q + q * n] - s[p + p * n]) / (2 * apq);
    const double t = copysign(1, tau) / (fabs(tau) + hypot(1, tau)), c = 1 / hypot(1, t), d = t * c;
    for (int64_t k = 0; k < n; ++k) {
        const double kp = s[k + p * n], kq = s[k + q * n];
        s[k + p * n] = c * kp - d * kq;
        s[k + q * n] = d * kp + c * kq;
    }
    for (int64_t k = 0; k < n; ++k) {
        const double pk = s[p + k * n], qk = s[q + k * n], vp = v[k + p * n], vq = v[k + q * n];
        s[p + k * n] = c * pk - d * qk;
        s[q + k * n] = d * pk + c * qk;
        v[k + p * n] = c * vp - d * vq;
        v[k + q * n] = d * vp + c * vq;
    }
}

/* Sum of squares off the diagonal, against that of all. */
static bool is_diagonal(const double *s, int64_t n) {
    double off = 0, all = 0;
    for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < n; ++i) {
            all += s[i + j * n] * s[i + j * n];
            if (i != j) off += s[i + j * n] * s[i + j * n];
        }
    return off <= 1e-31 * all;
}

/* `work`: 2 n^2 of f64. Values ascend; vectors become the columns of a. */
static void eigen(const dense *a, int64_t n, const dense *w, double *work, int *info) {
    double *s = work, *v = work + n * n;
    for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < n; ++i) {
            s[i + j * n] = i < j ? get(a, i, j) : get(a, j, i);
            v[i + j * n] = i == j;
        }
    int sweeps = 0;
    for (; sweeps < 60 && !is_diagonal(s, n); ++sweeps)
        for (int64_t p = 0; p < n; ++p)
            for (int64_t q = p + 1; q < n; ++q) rotate(s, v, n, p, q);
    *info = sweeps == 60 ? (int)n : 0;
    for (int64_t k = 0; k < n; ++k) { /* the k-th smallest, by counting those before it */
        int64_t rank = 0;
        for (int64_t j = 0; j < n; ++j)
            rank += s[j + j * n] < s[k + k * n] || (s[j + j * n] == s[k + k * n] && j < k);
        set(w, rank, 0, s[k + k * n]);
        for (int64_t i = 0; i < n; ++i) set(a, i, rank, v[i + k * n]);
    }
}

/* ---- x op(a) = b for the upper triangle a, in place of b (rows, n) ---- */

static void right_triangle(char trans, const dense *a, int64_t n, const dense *b, int64_t rows) {
    for (int64_t s = 0; s < n; ++s) {
        const int64_t j = trans == 'N' ? s : n - 1 - s;
        for (int64_t i = trans == 'N' ? 0 : j + 1; i < (trans == 'N' ? j : n); ++i)
            for (int64_t r = 0; r < rows; ++r)
                set(b, r, j,
                    get(b, r, j) - get(b, r, i) * (trans == 'N' ? get(a, i, j) : get(a, j, i)));
        for (int64_t r = 0; r < rows; ++r) set(b, r, j, get(b, r, j) / get(a, j, j));
    }
}

/* ---- the names of LAPACK and BLAS ---- */

void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivot, int *info) {
    (void)m;
    lu(&(dense){a, true, *lda}, *n, pivot, info);
}
void sgetrf_(const int *m, const int *n, float *a, const int *lda, int *pivot, int *info) {
    (void)m;
    lu(&(dense){a, false, *lda}, *n, pivot, info);
}
void dgetrs_(const char *trans, const int *n, const int *columns, const double *a, const int *lda,
             const int *pivot, double *b, const int *ldb, int *info, size_t lt) {
    (void)lt;
    *info = 0;
    lu_solve(*trans, &(dense){(double *)a, true, *lda}, *n, pivot, &(dense){b, true, *ldb},
             *columns);
}
void sgetrs_(const char *trans, const int *n, const int *columns, const float *a, const int *lda,
             const int *pivot, float *b, const int *ldb, int *info, size_t lt) {
    (void)lt;
    *info = 0;
    lu_solve(*trans, &(dense){(float *)a, false, *lda}, *n, pivot, &(dense){b, false, *ldb},
             *columns);
}
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t lu_) {
    (void)uplo, (void)lu_;
    cholesky(&(dense){a, true, *lda}, *n, info);
}
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t lu_) {
    (void)uplo, (void)lu_;
    cholesky(&(dense){a, false, *lda}, *n, info);
}
void dsyevd_(const char *job, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t lj,
             size_t lu_) {
    (void)job, (void)uplo, (void)lwork, (void)iwork, (void)liwork, (void)lj, (void)lu_;
    eigen(&(dense){a, true, *lda}, *n, &(dense){w, true, *n}, work, info);
}
/* Here `work` must hold *lwork numbers of f64, which is what the row that calls it allocates. */
void ssyevd_(const char *job, const char *uplo, const int *n, float *a, const int *lda, float *w,
             float *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t lj,
             size_t lu_) {
    (void)job, (void)uplo, (void)lwork, (void)iwork, (void)liwork, (void)lj, (void)lu_;
    eigen(&(dense){a, false, *lda}, *n, &(dense){w, false, *n}, (void *)work, info);
}
void dtrsm_(const char *side, const char *uplo, const char *trans, const char *diagonal,
            const int *m, const int *n, const double *alpha, const double *a, const int *lda,
            double *b, const int *ldb, size_t ls, size_t lu_, size_t lt, size_t ld) {
    (void)side, (void)uplo, (void)diagonal, (void)alpha, (void)ls, (void)lu_, (void)lt, (void)ld;
    right_triangle(*trans, &(dense){(double *)a, true, *lda}, *n, &(dense){b, true, *ldb}, *m);
}
void strsm_(const char *side, const char *uplo, const char *trans, const char *diagonal,
            const int *m, const int *n, const float *alpha, const float *a, const int *lda,
            float *b, const int *ldb, size_t ls, size_t lu_, size_t lt, size_t ld) {
    (void)side, (void)uplo, (void)diagonal, (void)alpha, (void)ls, (void)lu_, (void)lt, (void)ld;
    right_triangle(*trans, &(dense){(float *)a, false, *lda}, *n, &(dense){b, false, *ldb}, *m);
}
