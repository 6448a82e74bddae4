/** triangular_solve: L X = B or L^T X = B with L lower; what stands above its diagonal is not read.
 *
 *  BLAS trsm on the row-major arrays as they are: X^T L^T = B^T. Derivatives as those of lu_solve,
 * with the lower part of L' and of L̄ only.
 */
#include <string.h>

#include "primitives/linalg_impl.h"
#include "primitives/operations_impl.h"

static saros_status triangular_type(saros_typing *t) {
    t->output[0] = t->operand[1];
    t->output[0].split = saros_split_join(t->operand[0].split, t->operand[1].split);
    return saros_linalg_sides("saros_triangular_solve", &t->operand[0], &t->operand[1]);
}

static saros_status check_diagonal(const saros_tensor *l, int64_t first, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        int64_t at = first + i * n + i;
        double d = l->dtype == SAROS_F64 ? ((const double *)l->data)[at]
                                         : (double)((const float *)l->data)[at];
        if (d == 0.0)
            return saros_fail(SAROS_ERR_DOMAIN, "saros_triangular_solve", NULL,
                              "the matrix is singular: pivot %lld of %lld is zero",
                              (long long)i + 1, (long long)n);
    }
    return SAROS_OK;
}

static saros_status triangular_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *l = NULL, *x = e->out[0];
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &l));
    SAROS_TRY(saros_tensor_assign(x, e->in[1]));
    saros_type type = saros_tensor_type(l);
    int n = (int)type.shape[type.rank - 1];
    int k = x->rank == l->rank ? (int)x->shape[x->rank - 1] : 1;
    const char *trans = e->attributes->word[0] ? "T" : "N";
    const double one = 1.0;
    const float one_f = 1.0F;
    if (x->count == 0) goto done;
    for (int64_t m = 0; m < saros_linalg_count(&type); ++m) {
        int64_t at = m * n * n, side = m * n * k;
        SAROS_TRY(check_diagonal(l, at, n));
        if (l->dtype == SAROS_F64)
            dtrsm_("R", "U", trans, "N", &k, &n, &one, (const double *)l->data + at, &n,
                   (double *)x->data + side, &k, 1, 1, 1, 1);
        else
            strsm_("R", "U", trans, "N", &k, &n, &one_f, (const float *)l->data + at, &n,
                   (float *)x->data + side, &k, 1, 1, 1, 1);
    }
done:
    saros_tensor_release(l);
    return status;
}

static saros_value solve_again(const saros_rule *rule, saros_value b, bool flip) {
    bool transposed = (rule->attributes.word[0] != 0) != flip;
    return saros_is_none(b) ? b : saros_triangular_solve(rule->in[0], b, transposed);
}

static saros_value apply_none(const saros_rule *rule, saros_value l, saros_value x) {
    if (saros_is_none(l) || saros_is_none(x)) return SAROS_NONE;
    return saros_linalg_apply(saros_linalg_part(l, SAROS_BELOW_OR_ON), x, rule->attributes.word[0]);
}

static void triangular_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    out[0] = solve_again(rule, saros_series_sub(t[1], apply_none(rule, t[0], rule->out[0])), false);
}

static void triangular_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                           saros_value *gradient) {
    saros_value b = solve_again(rule, ct[0], true), x = rule->out[0];
    if (wanted[1]) gradient[1] = b;
    if (!wanted[0]) return;
    if (saros_value_rank(x) < saros_value_rank(rule->in[0])) {
        saros_type type = *saros_value_type(x);
        type.shape[type.rank] = 1;
        x = saros_reshape(x, type.rank + 1, type.shape);
        b = saros_reshape(b, type.rank + 1, type.shape);
    }
    saros_value outer =
        rule->attributes.word[0] ? saros_linalg_outer(x, b) : saros_linalg_outer(b, x);
    gradient[0] = saros_neg(saros_linalg_part(outer, SAROS_BELOW_OR_ON));
}

static void triangular_jet(const saros_rule *rule, int order, const saros_value *series,
                           saros_value *x) {
    const saros_value *l = series, *b = series + order + 1;
    x[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) {
        saros_value right = b[k];
        for (int j = 1; j <= k; ++j)
            right = saros_series_sub(right, apply_none(rule, l[j], x[k - j]));
        x[k] = solve_again(rule, right, false);
    }
}

static void triangular_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                             const bool *batched, saros_value *out, bool *out_batched) {
    if (batched[0]) {
        saros_linalg_batch(rule, size, in, batched, out, out_batched);
        return;
    }
    saros_type shape;
    saros_value b = saros_linalg_fold(in[1], in[0], &shape);
    out[0] =
        saros_linalg_unfold(saros_triangular_solve(in[0], b, rule->attributes.word[0]), &shape);
    out_batched[0] = true;
}

const saros_primitive saros_row_triangular_solve = {
    .name = "triangular_solve",
    .doc = "x with l x = b, or l^T x = b, for a lower triangular l",
    .operands = 2,
    .outputs = 1,
    .type = triangular_type,
    .evaluate = triangular_evaluate,
    .operations = saros_count_triangular,
    .jvp = triangular_jvp,
    .vjp = triangular_vjp,
    .jet = triangular_jet,
    .batch = triangular_batch,
};

saros_value saros_triangular_solve(saros_value l, saros_value b, bool transposed) {
    saros_value x[] = {l, b}, bad;
    if (saros_operands_bad("saros_triangular_solve", 2, x, &bad)) return bad;
    saros_dtype dtype = saros_dtype_promote(saros_value_dtype(l), saros_value_dtype(b));
    for (int k = 0; k < 2; ++k) x[k] = saros_linalg_float(saros_cast(x[k], dtype));
    saros_split_unify(2, x);
    return saros_build_words(&saros_row_triangular_solve, 1, (int64_t[]){transposed}, 2, x);
}
