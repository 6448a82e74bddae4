/** cholesky: lower L with L L^T = (A + A^T)/2, by LAPACK potrf.
 *
 *  With P(X) the lower part of X with half its diagonal, and everywhere the symmetric part of A:
 *      L' = L P(L^{-1} A' L^{-T}),
 *      Ā = sym(L^{-T} P(L^T L̄) L^{-1})
 * (Murray, Differentiation of the Cholesky decomposition, arXiv:1602.07527), and coefficient k of
 * L(t) solves the same equation with A_k - sum_{j=1..k-1} L_j L_{k-j}^T for A'.
 */
#include "primitives/linalg_impl.h"
#include "primitives/operations_impl.h"
#include "saros/pool.h"

static saros_status cholesky_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    return saros_linalg_square("saros_cholesky", &t->operand[0]);
}

static void clear_above(saros_dtype dtype, int64_t n, void *l) {
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = i + 1; j < n; ++j) {
            if (dtype == SAROS_F64)
                ((double *)l)[i * n + j] = 0.0;
            else
                ((float *)l)[i * n + j] = 0.0F;
        }
}

static saros_status cholesky_evaluate(const saros_evaluation *e) {
    saros_tensor *l = e->out[0];
    saros_status status = saros_tensor_assign(l, e->in[0]);
    saros_type type = saros_tensor_type(l);
    int n = (int)type.shape[type.rank - 1], info = 0;
    size_t bytes = saros_dtype_bytes(l->dtype);
    for (int64_t m = 0; status == SAROS_OK && n > 0 && m < saros_linalg_count(&type); ++m) {
        void *matrix = (char *)l->data + (size_t)(m * n * n) * bytes;
        saros_linalg_symmetrise(l->dtype, n, matrix, matrix);
        /* the upper factor of LAPACK's columns is the lower one of our rows */
        saros_blas_begin();
        if (l->dtype == SAROS_F64)
            dpotrf_("U", &n, matrix, &n, &info, 1);
        else
            spotrf_("U", &n, matrix, &n, &info, 1);
        saros_blas_end();
        if (info != 0)
            status = saros_fail(SAROS_ERR_DOMAIN, "saros_cholesky", NULL,
                                "the matrix is not positive definite: pivot %d of %d is not "
                                "positive",
                                info, n);
        clear_above(l->dtype, n, matrix);
    }
    return status;
}

/** P(x) */
static saros_value half_lower(saros_value x) {
    return saros_sub(saros_linalg_part(x, SAROS_BELOW_OR_ON),
                     saros_mul(saros_like(x, 0.5), saros_linalg_part(x, SAROS_ON)));
}

/** L^{-1} X L^{-T} for symmetric X: solve, transpose, solve. */
static saros_value both_sides(saros_value l, saros_value x, bool transposed) {
    saros_value once = saros_triangular_solve(l, x, transposed);
    return saros_triangular_solve(l, saros_transpose(once), transposed);
}

static saros_value tangent(const saros_rule *rule, saros_value symmetric) {
    saros_value l = rule->out[0];
    if (saros_is_none(symmetric)) return symmetric;
    return saros_matmul(l, half_lower(both_sides(l, symmetric, false)));
}

static void cholesky_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    out[0] = tangent(rule, saros_linalg_symmetric(t[0]));
}

static void cholesky_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                         saros_value *gradient) {
    saros_value l = rule->out[0];
    if (!wanted[0]) return;
    saros_value p = half_lower(saros_matmul(saros_transpose(l), ct[0]));
    /* sym(L^{-T} P L^{-1}) = L^{-T} sym(P) L^{-1} */
    gradient[0] = both_sides(l, saros_linalg_symmetric(p), true);
}

static void cholesky_jet(const saros_rule *rule, int order, const saros_value *a, saros_value *l) {
    l[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) {
        saros_value right = saros_is_none(a[k]) ? a[k] : saros_linalg_symmetric(a[k]);
        for (int j = 1; j < k; ++j)
            if (!saros_is_none(l[j]) && !saros_is_none(l[k - j]))
                right = saros_series_sub(right, saros_matmul(l[j], saros_transpose(l[k - j])));
        l[k] = tangent(rule, right);
    }
}

const saros_primitive saros_row_cholesky = {
    .name = "cholesky",
    .doc = "lower Cholesky factor of the symmetric part of a",
    .operands = 1,
    .outputs = 1,
    .type = cholesky_type,
    .evaluate = cholesky_evaluate,
    .operations = saros_count_cholesky,
    .jvp = cholesky_jvp,
    .vjp = cholesky_vjp,
    .jet = cholesky_jet,
    .batch = saros_linalg_batch,
};

saros_value saros_cholesky(saros_value a) {
    saros_value bad;
    if (saros_operands_bad("saros_cholesky", 1, &a, &bad)) return bad;
    a = saros_linalg_float(a);
    return saros_build_words(&saros_row_cholesky, 0, NULL, 1, &a);
}
