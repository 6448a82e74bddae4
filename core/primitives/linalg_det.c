/** det by LU. With X = A^{-1} A': det' = det tr X, Ā = det A^{-T} d̄; Taylor coefficients from
 * A X = A' and d' = d tr X:
 *      X_k = A_0^{-1} ((k+1) A_{k+1} - sum_{j=1..k} A_j X_{k-j}),
 *      d_k = (1/k) sum_{j=0..k-1} d_j tr X_{k-1-j}.
 * The value is right for singular matrices, the derivative is an error there.
 */
#include "primitives/linalg_impl.h"
#include "primitives/operations_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"

static saros_status det_type(saros_typing *t) {
    saros_status status = saros_linalg_square("saros_det", &t->operand[0]);
    t->output[0] = t->operand[0];
    if (status == SAROS_OK) t->output[0].rank -= 2;
    return status;
}

/** Product of the pivots with the sign of the row exchanges; overwrites the matrix. */
static double determinant(saros_dtype dtype, int n, void *matrix, int *pivot) {
    int info = 0;
    double det = 1.0;
    saros_blas_begin();
    if (dtype == SAROS_F64)
        dgetrf_(&n, &n, matrix, &n, pivot, &info);
    else
        sgetrf_(&n, &n, matrix, &n, pivot, &info);
    saros_blas_end();
    for (int i = 0; i < n; ++i) {
        int64_t at = (int64_t)i * n + i;
        det *= dtype == SAROS_F64 ? ((double *)matrix)[at] : (double)((float *)matrix)[at];
        if (pivot[i] != i + 1) det = -det;
    }
    return det;
}

static saros_status det_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *copy = NULL;
    int *pivot = NULL;
    saros_type type = saros_tensor_type(e->in[0]);
    int n = (int)type.shape[type.rank - 1];
    SAROS_TRY(saros_tensor_cast(e->in[0], type.dtype, &copy));
    pivot = saros_allocate((size_t)(n ? n : 1) * sizeof *pivot);
    if (!pivot) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int64_t m = 0; m < saros_linalg_count(&type); ++m) {
        size_t at = (size_t)(m * n * n) * saros_dtype_bytes(type.dtype);
        double det = n ? determinant(type.dtype, n, (char *)copy->data + at, pivot) : 1.0;
        if (type.dtype == SAROS_F64)
            ((double *)e->out[0]->data)[m] = det;
        else
            ((float *)e->out[0]->data)[m] = (float)det;
    }
done:
    saros_release(pivot);
    saros_tensor_release(copy);
    return status;
}

static saros_value solve(const saros_rule *rule, saros_value b, bool transposed) {
    saros_value a = rule->in[0];
    return saros_lu_solve(saros_lu(a), a, b, transposed);
}

static saros_value trace(saros_value x) {
    saros_value d = saros_linalg_diagonal(x);
    return saros_sum_local(d, UINT32_C(1) << (saros_value_rank(d) - 1));
}

static void det_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    out[0] = saros_mul(rule->out[0], trace(solve(rule, t[0], false)));
}

static void det_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                    saros_value *gradient) {
    if (!wanted[0]) return;
    saros_type type = *saros_value_type(rule->in[0]);
    int axes[SAROS_MAX_RANK];
    for (int a = 0; a < type.rank; ++a) axes[a] = a;
    saros_value scale = saros_mul(ct[0], rule->out[0]);
    scale = saros_broadcast(scale, type.rank - 1, type.shape, axes); /* (…, n) */
    gradient[0] = solve(rule, saros_linalg_spread_diagonal(scale), true);
}

static void det_jet(const saros_rule *rule, int order, const saros_value *a, saros_value *d) {
    size_t count = (size_t)order + 1;
    saros_value *x = saros_allocate(2 * count * sizeof *x), *traces = x ? x + count : NULL;
    d[0] = rule->out[0];
    for (int k = 0; k < order; ++k) {
        if (!x) {
            d[k + 1] = saros_poison(rule->graph);
            continue;
        }
        saros_value right = saros_series_scale(k + 1, a[k + 1]);
        for (int j = 1; j <= k; ++j)
            if (!saros_is_none(a[j]) && !saros_is_none(x[k - j]))
                right = saros_series_sub(right, saros_matmul(a[j], x[k - j]));
        x[k] = saros_is_none(right) ? right : solve(rule, right, false);
        traces[k] = saros_is_none(x[k]) ? x[k] : trace(x[k]);
        d[k + 1] = SAROS_NONE;
        for (int j = 0; j <= k; ++j)
            saros_series_accumulate(&d[k + 1], 1.0 / (k + 1), d[j], traces[k - j]);
    }
    saros_release(x);
}

const saros_primitive saros_row_det = {
    .name = "det",
    .doc = "determinant",
    .operands = 1,
    .outputs = 1,
    .type = det_type,
    .evaluate = det_evaluate,
    .operations = saros_count_lu,
    .jvp = det_jvp,
    .vjp = det_vjp,
    .jet = det_jet,
    .batch = saros_linalg_batch,
};

saros_value saros_det(saros_value a) {
    saros_value bad;
    if (saros_operands_bad("saros_det", 1, &a, &bad)) return bad;
    a = saros_linalg_float(a);
    return saros_build_words(&saros_row_det, 0, NULL, 1, &a);
}
