/** The end of a fit: standard errors, and whether an iteration that gave up was there.
 *
 *  With R = d((u - d)/sigma)/dw by forward mode, one column a parameter, the covariance is
 * variance * (R^T R)^-1. */
#include <math.h>

#include "fit_impl.h"
#include "saros/memory.h"

/** Diagonal of the inverse of a symmetric positive definite matrix (n, n), by Cholesky in place;
 * false if it is not. */
static bool inverse_diagonal(int n, double *a, double *diagonal) {
    for (int j = 0; j < n; ++j)
        for (int i = j; i < n; ++i) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
            if (i == j && !(sum > 0)) return false;
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
    for (int c = 0; c < n; ++c) {
        double column[SAROS_FIT_MOST] = {0};
        diagonal[c] = 0;
        for (int i = c; i < n; ++i) {
            double sum = i == c;
            for (int k = c; k < i; ++k) sum -= a[i * n + k] * column[k];
            column[i] = sum / a[i * n + i];
            diagonal[c] += column[i] * column[i];
        }
    }
    return true;
}

/** Column k of R. */
static saros_status sensitivity(const saros_fit *f, const saros_fit_program *c, saros_tensor *w,
                                int k, saros_tensor **out) {
    int64_t n = f->unknowns;
    saros_tensor *v = NULL;
    saros_tensor **in = saros_allocate((size_t)(c->constants + 2) * sizeof *in);
    if (!in) return SAROS_ERR_MEMORY;
    saros_status status = saros_tensor_zeros(SAROS_F64, 1, &n, &v);
    if (status == SAROS_OK) {
        ((double *)saros_tensor_data(v))[k] = 1;
        in[0] = w;
        for (int i = 0; i < c->constants; ++i) in[1 + i] = c->constant[i];
        in[1 + c->constants] = v;
        status = saros_function_call(c->product, in, out, NULL);
    }
    saros_tensor_release(v);
    saros_release(in);
    return status;
}

saros_status saros_fit_errors(const saros_fit *f, const saros_fit_program *c, saros_tensor *w,
                              double J, double *noise, double *out) {
    saros_status status = SAROS_OK;
    int n = f->unknowns;
    saros_tensor *column[SAROS_FIT_MOST] = {NULL};
    double *matrix = saros_allocate((size_t)(n * n) * sizeof *matrix);
    if (!matrix) return SAROS_ERR_MEMORY;
    for (int k = 0; k < n; ++k) SAROS_TRY(sensitivity(f, c, w, k, &column[k]));
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const double *a = saros_tensor_const_data(column[i]);
            const double *b = saros_tensor_const_data(column[j]);
            double sum = 0;
            for (int64_t k = 0; k < f->points; ++k) sum += a[k] * b[k];
            matrix[i * n + j] = sum;
        }
    double variance = 1;
    if (!(f->data->sigma > 0))
        variance = f->points > n ? 2 * J / (double)(f->points - n) : INFINITY;
    bool determined = inverse_diagonal(n, matrix, out);
    *noise = variance;
    for (int k = 0; k < n; ++k) out[k] = determined ? sqrt(variance * out[k]) : INFINITY;
done:
    for (int k = 0; k < n; ++k) saros_tensor_release(column[k]);
    saros_release(matrix);
    return status;
}

/** An iteration that gave up is good enough if what is left of the step is below a hundredth of the
 * standard errors e: by Cauchy and Schwarz |step_k| <= e_k sum_j e_j |g_j| / variance. */
saros_status saros_fit_check_end(const saros_fit *f, const saros_fit_program *c, saros_tensor *w,
                                 const saros_minimise_info *found, double variance,
                                 const double *standard_error) {
    if (found->converged) return SAROS_OK;
    saros_tensor *out[2] = {NULL}, **in = saros_allocate((size_t)(c->constants + 1) * sizeof *in);
    if (!in) return SAROS_ERR_MEMORY;
    in[0] = w;
    for (int i = 0; i < c->constants; ++i) in[1 + i] = c->constant[i];
    saros_status status = saros_function_call(c->objective, in, out, NULL);
    double left = 0;
    for (int k = 0; status == SAROS_OK && k < f->unknowns; ++k)
        left += standard_error[k] * fabs(((const double *)saros_tensor_const_data(out[1]))[k]);
    if (status == SAROS_OK && !(left / variance < 0.01))
        status = saros_fail(SAROS_ERR_NOT_CONVERGED, "fit", "start nearer, or give bounds",
                            "%s after %d iterations, misfit %.6g", found->reason, found->iterations,
                            found->value);
    saros_tensor_release(out[0]);
    saros_tensor_release(out[1]);
    saros_release(in);
    return status;
}
