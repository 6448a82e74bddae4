/** Helpers of dense linear algebra (linalg_impl.h). */
#include "primitives/linalg_impl.h"

#include <limits.h>

/* ---- shapes ---- */

saros_status saros_linalg_square(const char *where, const saros_type *x) {
    char text[96];
    bool square = x->rank >= 2 && x->shape[x->rank - 1] == x->shape[x->rank - 2] &&
                  x->shape[x->rank - 1] <= INT_MAX;
    if (!square || !saros_dtype_is_float(x->dtype))
        return saros_fail(SAROS_ERR_SHAPE, where, NULL, "%s is no square matrix of f64 or f32",
                          saros_type_text(x, text, sizeof text));
    saros_status status = saros_axis_whole(where, x, x->rank - 1);
    return status == SAROS_OK ? saros_axis_whole(where, x, x->rank - 2) : status;
}

saros_status saros_linalg_sides(const char *where, const saros_type *a, const saros_type *b) {
    char text_a[96], text_b[96];
    saros_status status = saros_linalg_square(where, a);
    if (status != SAROS_OK) return status;
    bool fits = a->dtype == b->dtype && (b->rank == a->rank || b->rank == a->rank - 1);
    for (int k = 0; fits && k < a->rank - 1; ++k) fits = a->shape[k] == b->shape[k];
    if (!fits)
        return saros_fail(SAROS_ERR_SHAPE, where, "b is (n) or (n,k) for a of (n,n)",
                          "matrix %s and right-hand side %s",
                          saros_type_text(a, text_a, sizeof text_a),
                          saros_type_text(b, text_b, sizeof text_b));
    return saros_axis_whole(where, b, a->rank - 2);
}

int64_t saros_linalg_count(const saros_type *a) {
    int64_t count = 1;
    for (int k = 0; k < a->rank - 2; ++k) count *= a->shape[k];
    return count;
}

/* ---- values ---- */

saros_value saros_linalg_float(saros_value x) {
    return saros_dtype_is_float(saros_value_dtype(x)) ? x : saros_cast(x, SAROS_F64);
}

/** x with a last axis of extent 1 more (or less). */
static saros_value with_column(saros_value x, int more) {
    saros_type type = *saros_value_type(x);
    type.shape[type.rank] = 1;
    return saros_reshape(x, type.rank + more, type.shape);
}

saros_value saros_linalg_apply(saros_value a, saros_value x, bool transposed) {
    bool vector = saros_value_rank(x) == saros_value_rank(a) - 1;
    if (transposed) a = saros_transpose(a);
    if (vector) x = with_column(x, 1);
    saros_value y = saros_matmul(a, x);
    return vector ? with_column(y, -1) : y;
}

saros_value saros_linalg_outer(saros_value x, saros_value y) {
    return saros_matmul(x, saros_transpose(y));
}

saros_value saros_linalg_symmetric(saros_value a) {
    return saros_mul(saros_like(a, 0.5), saros_add(a, saros_transpose(a)));
}

saros_value saros_linalg_part(saros_value a, saros_triangle part) {
    saros_type type = *saros_value_type(a), index = type;
    index.dtype = SAROS_I64;
    index.split = 0;
    saros_value row = saros_iota(a.graph, &index, type.rank - 2);
    saros_value column = saros_iota(a.graph, &index, type.rank - 1);
    saros_value mask = part == SAROS_ON      ? saros_eq(row, column)
                       : part == SAROS_BELOW ? saros_lt(column, row)
                                             : saros_le(column, row);
    return saros_where(mask, a, saros_zeros_like(a));
}

saros_value saros_linalg_diagonal(saros_value a) {
    return saros_sum_local(saros_linalg_part(a, SAROS_ON), UINT32_C(1)
                                                               << (saros_value_rank(a) - 1));
}

saros_value saros_linalg_spread_diagonal(saros_value d) {
    saros_type type = *saros_value_type(d);
    int axes[SAROS_MAX_RANK];
    for (int a = 0; a < type.rank; ++a) axes[a] = a;
    type.shape[type.rank] = type.shape[type.rank - 1];
    return saros_linalg_part(saros_broadcast(d, type.rank + 1, type.shape, axes), SAROS_ON);
}

/* ---- batches ---- */

saros_value saros_linalg_fold(saros_value b, saros_value a, saros_type *shape) {
    int columns = saros_value_rank(a) - 1; /* axes of b before its columns */
    saros_value moved = saros_move_axis(b, 0, saros_value_rank(b) - 1);
    *shape = *saros_value_type(moved);
    saros_type flat = *shape;
    flat.rank = columns + 1;
    flat.shape[columns] = 1;
    for (int k = columns; k < shape->rank; ++k) flat.shape[columns] *= shape->shape[k];
    return saros_reshape(moved, flat.rank, flat.shape);
}

saros_value saros_linalg_unfold(saros_value x, const saros_type *shape) {
    return saros_move_axis(saros_reshape(x, shape->rank, shape->shape), shape->rank - 1, 0);
}

void saros_linalg_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                        const bool *batched, saros_value *out, bool *out_batched) {
    saros_value x[4];
    for (int k = 0; k < rule->ins; ++k)
        x[k] = batched[k] ? in[k] : saros_broadcast_leading(in[k], size);
    saros_value first = saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, x);
    for (int k = 0; k < rule->outs; ++k) {
        out[k] = saros_output(first, k);
        out_batched[k] = true;
    }
}

/* ---- data ---- */

void saros_linalg_symmetrise(saros_dtype dtype, int64_t n, const void *from, void *to) {
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j <= i; ++j) {
            if (dtype == SAROS_F64) {
                const double *x = from;
                double *y = to;
                y[i * n + j] = y[j * n + i] = 0.5 * (x[i * n + j] + x[j * n + i]);
            } else {
                const float *x = from;
                float *y = to;
                y[i * n + j] = y[j * n + i] = 0.5F * (x[i * n + j] + x[j * n + i]);
            }
        }
}
