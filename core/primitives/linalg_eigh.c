/** eigh: eigenvalues w, ascending, and orthonormal eigenvectors (columns of v) of (A + A^T)/2, by
 * LAPACK syevd. The sign of a vector is fixed: its largest component is positive.
 *
 *  With B = V^T A' V and F_ij = 1/(w_j - w_i) off the diagonal, 0 on it: w' = diag B, V' = V (F∘B),
 * Ā = sym(V (diag w̄ + F∘(V^T V̄)) V^T). Taylor coefficients: V = V_0 C, from B C = C W and C^T C =
 * 1, order by order, R = B_k + sum_{j=1..k-1} (B_j C_{k-j} - C_j W_{k-j}),  W_k = diag R, C_k =
 * F∘R, with diagonal -1/2 diag sum_{j=1..k-1} C_j^T C_{k-j}. Vectors of equal eigenvalues have no
 * derivative, and what a function that does not depend on their choice owes to them is 0/0: both
 * are NaN, unless nothing at all comes through the pair.
 */
#include <math.h>

#include "primitives/linalg_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"

static saros_status eigh_type(saros_typing *t) {
    t->output[0] = t->output[1] = t->operand[0];
    t->output[0].rank -= t->operand[0].rank > 0;
    return saros_linalg_square("saros_eigh", &t->operand[0]);
}

/** Column j of LAPACK's vectors (row j here) into column j of row-major v, signed. */
static void place_vectors(saros_dtype dtype, int64_t n, const void *from, void *to) {
    for (int64_t j = 0; j < n; ++j) {
        double largest = 0.0, sign = 1.0;
        for (int pass = 0; pass < 2; ++pass)
            for (int64_t i = 0; i < n; ++i) {
                double x = dtype == SAROS_F64 ? ((const double *)from)[j * n + i]
                                              : (double)((const float *)from)[j * n + i];
                if (pass == 0 && fabs(x) > largest) {
                    largest = fabs(x);
                    sign = x < 0.0 ? -1.0 : 1.0;
                }
                if (pass == 0) continue;
                if (dtype == SAROS_F64)
                    ((double *)to)[i * n + j] = sign * x;
                else
                    ((float *)to)[i * n + j] = (float)(sign * x);
            }
    }
}

/** Overwrites the symmetric matrix by its eigenvectors in rows. */
static saros_status decompose(saros_dtype dtype, int n, void *matrix, void *w) {
    int info = 0, lwork = 1 + 6 * n + 2 * n * n, liwork = 3 + 5 * n;
    void *work = saros_allocate((size_t)lwork * sizeof(double));
    int *iwork = saros_allocate((size_t)liwork * sizeof *iwork);
    saros_status status = work && iwork ? SAROS_OK : SAROS_ERR_MEMORY;
    saros_blas_begin();
    if (status == SAROS_OK && dtype == SAROS_F64)
        dsyevd_("V", "U", &n, matrix, &n, w, work, &lwork, iwork, &liwork, &info, 1, 1);
    else if (status == SAROS_OK)
        ssyevd_("V", "U", &n, matrix, &n, w, work, &lwork, iwork, &liwork, &info, 1, 1);
    saros_blas_end();
    if (info != 0)
        status = saros_fail(SAROS_ERR_NOT_CONVERGED, "saros_eigh", NULL,
                            "eigenvalue %d of %d did not converge", info, n);
    saros_release(work);
    saros_release(iwork);
    return status;
}

static saros_status eigh_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *a = NULL, *w = e->out[0], *v = e->out[1];
    char *matrix = NULL;
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &a));
    saros_type type = saros_tensor_type(a);
    int64_t n = type.shape[type.rank - 1];
    size_t bytes = saros_dtype_bytes(a->dtype);
    if (n > 16000)
        SAROS_TRY(saros_fail(SAROS_ERR_UNSUPPORTED, "saros_eigh", NULL,
                             "n = %lld; dense eigenvectors go up to 16000", (long long)n));
    matrix = saros_allocate((size_t)(n * n) * bytes);
    if (!matrix) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int64_t m = 0; n > 0 && m < saros_linalg_count(&type); ++m) {
        size_t at = (size_t)(m * n * n) * bytes;
        saros_linalg_symmetrise(a->dtype, n, (const char *)a->data + at, matrix);
        SAROS_TRY(decompose(a->dtype, (int)n, matrix, (char *)w->data + (size_t)(m * n) * bytes));
        place_vectors(a->dtype, n, matrix, (char *)v->data + at);
    }
done:
    saros_release(matrix);
    saros_tensor_release(a);
    return status;
}

/** F∘x; NaN between equal eigenvalues where x is not zero. */
static saros_value over_gaps(saros_value w, saros_value x) {
    saros_type type = *saros_value_type(x);
    int row[SAROS_MAX_RANK], column[SAROS_MAX_RANK];
    for (int a = 0; a < type.rank - 1; ++a) row[a] = column[a] = a;
    column[type.rank - 2] = type.rank - 1;
    saros_value gap = saros_sub(saros_broadcast(w, type.rank, type.shape, column),
                                saros_broadcast(w, type.rank, type.shape, row));
    saros_value beside = saros_sub(x, saros_linalg_part(x, SAROS_ON));
    saros_value zero = saros_zeros_like(x), none = saros_eq(gap, saros_like(gap, 0.0));
    saros_value ratio = saros_div(x, saros_where(none, saros_like(gap, 1.0), gap));
    saros_value equal = saros_where(saros_eq(beside, zero), zero, saros_like(x, NAN));
    return saros_where(none, equal, ratio);
}

/** V^T X V of the symmetric part of X */
static saros_value in_basis(saros_value v, saros_value x) {
    if (saros_is_none(x)) return x;
    return saros_matmul(saros_matmul(saros_transpose(v), saros_linalg_symmetric(x)), v);
}

static void eigh_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    saros_value w = rule->out[0], v = rule->out[1], b = in_basis(v, t[0]);
    out[0] = saros_linalg_diagonal(b);
    out[1] = saros_matmul(v, over_gaps(w, b));
}

static void eigh_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                     saros_value *gradient) {
    saros_value w = rule->out[0], v = rule->out[1], inner = SAROS_NONE;
    if (!wanted[0]) return;
    if (!saros_is_none(ct[0])) inner = saros_linalg_spread_diagonal(ct[0]);
    if (!saros_is_none(ct[1]))
        inner = saros_series_add(inner, over_gaps(w, saros_matmul(saros_transpose(v), ct[1])));
    if (saros_is_none(inner)) return;
    gradient[0] = saros_linalg_symmetric(saros_matmul(saros_matmul(v, inner), saros_transpose(v)));
}

static saros_value matmul_none(saros_value a, saros_value b) {
    return saros_is_none(a) || saros_is_none(b) ? SAROS_NONE : saros_matmul(a, b);
}

/** Order k from the lower ones; c and w are coefficients in the basis, w as diagonal matrices. */
static void eigh_order(const saros_rule *rule, int k, const saros_value *b, saros_value *c,
                       saros_value *w) {
    saros_value right = b[k], norm = SAROS_NONE;
    for (int j = 1; j < k; ++j) {
        right = saros_series_add(right, matmul_none(b[j], c[k - j]));
        right = saros_series_sub(right, matmul_none(c[j], w[k - j]));
        if (!saros_is_none(c[j]))
            norm = saros_series_add(norm, matmul_none(saros_transpose(c[j]), c[k - j]));
    }
    w[k] = c[k] = SAROS_NONE;
    if (!saros_is_none(right)) {
        w[k] = saros_linalg_part(right, SAROS_ON);
        c[k] = over_gaps(rule->out[0], right);
    }
    if (!saros_is_none(norm))
        c[k] = saros_series_sub(
            c[k], saros_mul(saros_like(norm, 0.5), saros_linalg_part(norm, SAROS_ON)));
}

static void eigh_jet(const saros_rule *rule, int order, const saros_value *a, saros_value *out) {
    size_t count = (size_t)order + 1;
    saros_value *b = saros_allocate(3 * count * sizeof *b);
    saros_value *c = b ? b + count : NULL, *w = b ? c + count : NULL;
    saros_value v = rule->out[1];
    out[0] = rule->out[0];
    out[count] = v;
    for (int k = 1; k <= order; ++k) {
        if (!b) {
            out[k] = out[count + (size_t)k] = saros_poison(rule->graph);
            continue;
        }
        b[k] = in_basis(v, a[k]);
        eigh_order(rule, k, b, c, w);
        out[k] = saros_is_none(w[k])
                     ? w[k]
                     : saros_sum_local(w[k], UINT32_C(1) << (saros_value_rank(v) - 1));
        out[count + (size_t)k] = matmul_none(v, c[k]);
    }
    saros_release(b);
}

const saros_primitive saros_row_eigh = {
    .name = "eigh",
    .doc = "eigenvalues (ascending) and eigenvectors (columns) of the symmetric part of a",
    .operands = 1,
    .outputs = 2,
    .type = eigh_type,
    .evaluate = eigh_evaluate,
    .jvp = eigh_jvp,
    .vjp = eigh_vjp,
    .jet = eigh_jet,
    .batch = saros_linalg_batch,
};

void saros_eigh(saros_value a, saros_value *w, saros_value *v) {
    saros_value bad;
    if (saros_operands_bad("saros_eigh", 1, &a, &bad)) {
        *w = *v = bad;
        return;
    }
    a = saros_linalg_float(a);
    *w = saros_build_words(&saros_row_eigh, 0, NULL, 1, &a);
    *v = saros_output(*w, 1);
}
