/** Direct solution of sparse systems: choice of method, row scaling, singularity.
 *
 *  With D = diag(1 / max_j |a_ij|) the scaled matrix B = D A is factorised: A x = b becomes B x = D
 * b, and A^T x = b becomes B^T y = b, x = D y. The ratio of the pivots of B then tells a matrix
 * that is singular to working precision from one that is only badly scaled.
 *
 *  Does not refine iteratively and does not reorder to reduce a bandwidth.
 */
#include "direct_impl.h"

#include <float.h>
#include <math.h>
#include <pthread.h>

#include "saros/memory.h"
#include "sparse_impl.h"

struct saros_direct {
    saros_sparsity *pattern;
    pthread_mutex_t lock; /**< KLU solves in workspace of the factorisation */
    void *numbers;
    double *scale;  /**< n */
    double *scaled; /**< nonzeros, in the same block */
    bool ready;
};

/* A band that is mostly zeros costs more than a sparse factorisation that skips them. */
static const saros_direct_method *method_choose(const saros_sparsity *pattern) {
    int64_t n = pattern->n, nonzeros = pattern->nonzeros;
    if (4 * nonzeros >= n * n) return &saros_direct_dense;
    if ((pattern->lower + pattern->upper + 1) * n <= 4 * nonzeros)
        return pattern->lower + pattern->upper <= SAROS_NARROW ? &saros_direct_narrow
                                                               : &saros_direct_band;
    return &saros_direct_klu;
}

static saros_status pattern_analyse(saros_sparsity *pattern) {
    if (pattern->n > INT32_MAX / 2)
        return saros_fail(SAROS_ERR_DOMAIN, "direct solver", "use an iterative method",
                          "%lld unknowns are too many for a direct factorisation",
                          (long long)pattern->n);
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&pattern->lock);
    if (!pattern->method) {
        const saros_direct_method *method = method_choose(pattern);
        if (method->analyse) status = method->analyse(pattern, &pattern->analysis);
        if (status == SAROS_OK) pattern->method = method;
    }
    pthread_mutex_unlock(&pattern->lock);
    return status;
}

saros_status saros_direct_make(saros_sparsity *pattern, saros_direct **out) {
    saros_status status = pattern_analyse(pattern);
    if (status) return status;
    saros_direct *direct = saros_allocate_zero(1, sizeof *direct);
    if (!direct) return SAROS_ERR_MEMORY;
    direct->scale =
        saros_allocate((size_t)(pattern->n + pattern->nonzeros) * sizeof *direct->scale);
    if (!direct->scale) {
        saros_release(direct);
        return SAROS_ERR_MEMORY;
    }
    direct->scaled = direct->scale + pattern->n;
    direct->pattern = saros_sparsity_retain(pattern);
    pthread_mutex_init(&direct->lock, NULL);
    *out = direct;
    return SAROS_OK;
}

void saros_direct_release(saros_direct *direct) {
    if (!direct) return;
    if (direct->numbers) direct->pattern->method->numbers_release(direct->numbers);
    pthread_mutex_destroy(&direct->lock);
    saros_sparsity_release(direct->pattern);
    saros_release(direct->scale);
    saros_release(direct);
}

saros_sparsity *saros_direct_pattern(const saros_direct *direct) {
    return direct->pattern;
}
const char *saros_direct_name(const saros_direct *direct) {
    return direct->pattern->method->name;
}

static saros_status matrix_is_singular(int64_t n, const char *why) {
    return saros_fail(SAROS_ERR_DOMAIN, "direct solver",
                      "is an unknown fixed by no equation, or known only up to a constant?",
                      "the matrix of order %lld is singular: %s", (long long)n, why);
}

/* Fills scale and scaled. */
static saros_status rows_scale(saros_direct *direct, const double *values) {
    int64_t n = direct->pattern->n;
    const int64_t *row = direct->pattern->row;
    for (int64_t i = 0; i < n; ++i) {
        double largest = 0, sum = 0;
        for (int64_t k = row[i]; k < row[i + 1]; ++k) {
            double size = fabs(values[k]);
            largest = size > largest ? size : largest;
            sum += size; /* the maximum drops NaN, a sum keeps it */
        }
        if (!isfinite(sum))
            return saros_fail(SAROS_ERR_NAN, "direct solver", NULL,
                              "row %lld of the matrix holds a value that is not finite",
                              (long long)i);
        if (largest == 0) return matrix_is_singular(n, "a row is zero");
        direct->scale[i] = 1 / largest;
        for (int64_t k = row[i]; k < row[i + 1]; ++k)
            direct->scaled[k] = values[k] * direct->scale[i];
    }
    return SAROS_OK;
}

saros_status saros_direct_factorise(saros_direct *direct, const double *values) {
    saros_sparsity *pattern = direct->pattern;
    double pivots = 1;
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&direct->lock);
    direct->ready = pattern->n == 0;
    if (direct->ready) goto done;
    SAROS_TRY(rows_scale(direct, values));
    SAROS_TRY(pattern->method->factorise(pattern, pattern->analysis, direct->scaled,
                                         &direct->numbers, &pivots));
    /* written so that NaN fails too */
    if (!(pivots > 8 * DBL_EPSILON)) {
        status = matrix_is_singular(pattern->n,
                                    pivots == 0 ? "a pivot is zero" : "a pivot is round-off");
        goto done;
    }
    direct->ready = true;
done:
    pthread_mutex_unlock(&direct->lock);
    return status;
}

static void columns_scale(const saros_direct *direct, int64_t columns, double *b) {
    int64_t n = direct->pattern->n;
    for (int64_t c = 0; c < columns; ++c)
        for (int64_t i = 0; i < n; ++i) b[c * n + i] *= direct->scale[i];
}

saros_status saros_direct_solve(saros_direct *direct, bool transposed, int64_t columns, double *b) {
    saros_sparsity *pattern = direct->pattern;
    if (!direct->ready)
        return saros_fail(SAROS_ERR_INTERNAL, "direct solver", NULL,
                          "the matrix has not been factorised");
    if (pattern->n == 0 || columns == 0) return SAROS_OK;
    if (!transposed) columns_scale(direct, columns, b);
    pthread_mutex_lock(&direct->lock);
    saros_status status =
        pattern->method->solve(pattern, pattern->analysis, direct->numbers, transposed, columns, b);
    pthread_mutex_unlock(&direct->lock);
    if (transposed) columns_scale(direct, columns, b);
    return status;
}
