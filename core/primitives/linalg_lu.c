/** lu and lu_solve: LU with partial pivoting by LAPACK getrf, kept as an opaque factor.
 *
 *  A row-major matrix is its transpose in LAPACK's eyes: the factor is that of A^T, and A x = b is
 * solved as its transposed system. lu itself has no tangent; all derivatives are those of x(A, b):
 *      x' = A^{-1} (b' - A' x),   b̄ = A^{-T} x̄,   Ā = -b̄ x^T,
 *      x_k = A^{-1} (b_k - sum_{j=1..k} A_j x_{k-j}),
 * with the same factor for all. A pivot that is exactly zero is an error naming it.
 */
#include <string.h>

#include "primitives/linalg_impl.h"
#include "primitives/operations_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"

typedef struct lu_factor {
    saros_dtype dtype;
    int n;
    int64_t count; /* matrices */
    void *lu;      /* count matrices, column-major factors of the transposes */
    int *pivot;
} lu_factor;

static void lu_release(void *payload) {
    lu_factor *f = payload;
    if (!f) return;
    saros_release(f->lu);
    saros_release(f->pivot);
    saros_release(f);
}

static const saros_opaque_class lu_class = {.name = "LU factor", .release = lu_release};

/* ---- lu ---- */

static saros_status lu_type(saros_typing *t) {
    t->output[0] = saros_type_scalar(SAROS_OPAQUE);
    t->output[0].split = t->operand[0].split ? SAROS_SPLIT_PART : 0;
    return saros_linalg_square("saros_lu", &t->operand[0]);
}

static saros_status lu_make(const saros_tensor *a, lu_factor **out) {
    saros_type type = saros_tensor_type(a);
    size_t cells = (size_t)a->count * saros_dtype_bytes(a->dtype);
    lu_factor *f = saros_allocate_zero(1, sizeof *f);
    if (!f) return SAROS_ERR_MEMORY;
    f->dtype = a->dtype;
    f->n = (int)type.shape[type.rank - 1];
    f->count = saros_linalg_count(&type);
    f->lu = saros_allocate(cells);
    f->pivot = saros_allocate((size_t)(f->count * f->n) * sizeof *f->pivot);
    if (!f->lu || !f->pivot) {
        lu_release(f);
        return SAROS_ERR_MEMORY;
    }
    memcpy(f->lu, a->data, cells);
    *out = f;
    return SAROS_OK;
}

static saros_status lu_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *a = NULL;
    lu_factor *f = NULL;
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &a));
    SAROS_TRY(lu_make(a, &f));
    int64_t cells = (int64_t)f->n * f->n;
    for (int64_t m = 0; m < f->count && f->n > 0; ++m) {
        int info = 0, *pivot = f->pivot + m * f->n;
        saros_blas_begin();
        if (f->dtype == SAROS_F64)
            dgetrf_(&f->n, &f->n, (double *)f->lu + m * cells, &f->n, pivot, &info);
        else
            sgetrf_(&f->n, &f->n, (float *)f->lu + m * cells, &f->n, pivot, &info);
        saros_blas_end();
        if (info != 0)
            SAROS_TRY(saros_fail(SAROS_ERR_DOMAIN, "saros_lu",
                                 "check the equations: one depends on the others",
                                 "the matrix is singular: pivot %d of %d is zero", info, f->n));
    }
    status = saros_tensor_opaque(&lu_class, f, &e->out[0]); /* ends f also when it fails */
    f = NULL;
done:
    lu_release(f);
    saros_tensor_release(a);
    return status;
}

/** A stack gives one factor of all its matrices. */
static void lu_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                     const bool *batched, saros_value *out, bool *out_batched) {
    (void)rule, (void)size, (void)batched;
    out[0] = saros_lu(in[0]);
    out_batched[0] = true;
}

const saros_primitive saros_row_lu = {
    .name = "lu",
    .doc = "LU factor of a square matrix, for lu_solve",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_CONSTANT,
    .type = lu_type,
    .evaluate = lu_evaluate,
    .operations = saros_count_lu,
    .batch = lu_batch,
};

saros_value saros_lu(saros_value a) {
    saros_value bad;
    if (saros_operands_bad("saros_lu", 1, &a, &bad)) return bad;
    a = saros_linalg_float(a);
    return saros_build_words(&saros_row_lu, 0, NULL, 1, &a);
}

/* ---- lu_solve: operands factor, a, b; word transposed ---- */

static saros_status lu_solve_type(saros_typing *t) {
    t->output[0] = t->operand[2];
    if (t->operand[0].dtype != SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, "saros_lu_solve", "make it with saros_lu",
                          "operand 0 is no factor");
    t->output[0].split = saros_split_join(t->operand[1].split, t->operand[2].split);
    return saros_linalg_sides("saros_lu_solve", &t->operand[1], &t->operand[2]);
}

/** (rows, columns) row-major into (columns, rows). */
static void transpose(size_t bytes, int64_t rows, int64_t columns, const void *from, void *to) {
    const char *x = from;
    char *y = to;
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            memcpy(y + (size_t)(j * rows + i) * bytes, x + (size_t)(i * columns + j) * bytes,
                   bytes);
}

static saros_status lu_solve_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *b = NULL, *x = e->out[0];
    const lu_factor *f = saros_tensor_payload(e->in[0], &lu_class);
    saros_type a = saros_tensor_type(e->in[1]);
    int n = (int)a.shape[a.rank - 1], info = 0;
    int k = x->rank == a.rank ? (int)x->shape[x->rank - 1] : 1;
    size_t bytes = saros_dtype_bytes(x->dtype);
    char *work = NULL;
    if (!f || f->n != n || f->count != saros_linalg_count(&a) || f->dtype != a.dtype)
        return saros_fail(SAROS_ERR_TYPE, "saros_lu_solve", "make it with saros_lu(a)",
                          "the factor is not one of this matrix");
    if (x->count == 0) return SAROS_OK;
    SAROS_TRY(saros_tensor_contiguous(e->in[2], &b));
    work = saros_allocate((size_t)n * (size_t)k * bytes);
    if (!work) SAROS_TRY(SAROS_ERR_MEMORY);
    const char *trans = e->attributes->word[0] ? "N" : "T";
    for (int64_t m = 0; m < f->count; ++m) {
        size_t at = (size_t)(m * n * k) * bytes;
        transpose(bytes, n, k, (const char *)b->data + at, work);
        const int *pivot = f->pivot + m * n;
        saros_blas_begin();
        if (f->dtype == SAROS_F64)
            dgetrs_(trans, &n, &k, (const double *)f->lu + m * n * n, &n, pivot, (void *)work, &n,
                    &info, 1);
        else
            sgetrs_(trans, &n, &k, (const float *)f->lu + m * n * n, &n, pivot, (void *)work, &n,
                    &info, 1);
        saros_blas_end();
        transpose(bytes, k, n, work, (char *)x->data + at);
    }
done:
    saros_release(work);
    saros_tensor_release(b);
    return status;
}

static saros_value solve_again(const saros_rule *rule, saros_value b, bool flip) {
    bool transposed = (rule->attributes.word[0] != 0) != flip;
    return saros_is_none(b) ? b : saros_lu_solve(rule->in[0], rule->in[1], b, transposed);
}

static saros_value apply_none(const saros_rule *rule, saros_value a, saros_value x) {
    if (saros_is_none(a) || saros_is_none(x)) return SAROS_NONE;
    return saros_linalg_apply(a, x, rule->attributes.word[0]);
}

static void lu_solve_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    out[0] = solve_again(rule, saros_series_sub(t[2], apply_none(rule, t[1], rule->out[0])), false);
}

static void lu_solve_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                         saros_value *gradient) {
    saros_value b = solve_again(rule, ct[0], true), x = rule->out[0];
    if (wanted[2]) gradient[2] = b;
    if (!wanted[1]) return;
    if (saros_value_rank(x) < saros_value_rank(rule->in[1])) {
        saros_type type = *saros_value_type(x);
        type.shape[type.rank] = 1;
        x = saros_reshape(x, type.rank + 1, type.shape);
        b = saros_reshape(b, type.rank + 1, type.shape);
    }
    bool transposed = rule->attributes.word[0];
    gradient[1] = saros_neg(transposed ? saros_linalg_outer(x, b) : saros_linalg_outer(b, x));
}

static void lu_solve_jet(const saros_rule *rule, int order, const saros_value *series,
                         saros_value *x) {
    const saros_value *a = series + (order + 1), *b = series + 2 * (order + 1);
    x[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) {
        saros_value right = b[k];
        for (int j = 1; j <= k; ++j)
            right = saros_series_sub(right, apply_none(rule, a[j], x[k - j]));
        x[k] = solve_again(rule, right, false);
    }
}

static void lu_solve_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                           const bool *batched, saros_value *out, bool *out_batched) {
    bool transposed = rule->attributes.word[0];
    out_batched[0] = true;
    if (!batched[0] && !batched[1]) {
        saros_type shape;
        saros_value b = saros_linalg_fold(in[2], in[1], &shape);
        out[0] = saros_linalg_unfold(saros_lu_solve(in[0], in[1], b, transposed), &shape);
        return;
    }
    saros_value a = batched[1] ? in[1] : saros_broadcast_leading(in[1], size);
    saros_value b = batched[2] ? in[2] : saros_broadcast_leading(in[2], size);
    out[0] = saros_lu_solve(batched[0] ? in[0] : saros_lu(a), a, b, transposed);
}

const saros_primitive saros_row_lu_solve = {
    .name = "lu_solve",
    .doc = "x with a x = b, or a^T x = b, from the LU factor of a",
    .operands = 3,
    .outputs = 1,
    .type = lu_solve_type,
    .evaluate = lu_solve_evaluate,
    .operations = saros_count_lu_solve,
    .jvp = lu_solve_jvp,
    .vjp = lu_solve_vjp,
    .jet = lu_solve_jet,
    .batch = lu_solve_batch,
};

saros_value saros_lu_solve(saros_value factor, saros_value a, saros_value b, bool transposed) {
    saros_value x[] = {factor, a, b}, bad;
    if (saros_operands_bad("saros_lu_solve", 3, x, &bad)) return bad;
    x[1] = saros_linalg_float(a);
    x[2] = saros_cast(b, saros_value_dtype(x[1]));
    saros_split_unify(2, x + 1);
    return saros_build_words(&saros_row_lu_solve, 1, (int64_t[]){transposed}, 3, x);
}

saros_value saros_solve(saros_value a, saros_value b) {
    saros_value x[] = {a, b}, bad;
    if (saros_operands_bad("saros_solve", 2, x, &bad)) return bad;
    saros_dtype dtype = saros_dtype_promote(saros_value_dtype(a), saros_value_dtype(b));
    for (int k = 0; k < 2; ++k) x[k] = saros_linalg_float(saros_cast(x[k], dtype));
    return saros_lu_solve(saros_lu(x[0]), x[0], x[1], false);
}
