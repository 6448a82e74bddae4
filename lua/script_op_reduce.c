/** Reductions and contractions. */
#include "script_op_impl.h"

/** A mask is counted, not or-ed. */
static saros_value countable(saros_value x) {
    return saros_value_dtype(x) == SAROS_BOOL ? saros_cast(x, SAROS_I64) : x;
}

static int build_sum(const script_op_call *call, saros_value *out) {
    saros_value x = countable(call->value[0]);
    out[0] = saros_sum(x, script_op_axes(call, 0, x));
    return 1;
}

static int build_mean(const script_op_call *call, saros_value *out) {
    out[0] = saros_mean(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_max(const script_op_call *call, saros_value *out) {
    out[0] = saros_max(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_min(const script_op_call *call, saros_value *out) {
    out[0] = saros_min(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_norm(const script_op_call *call, saros_value *out) {
    saros_value x = call->value[0];
    out[0] = saros_sqrt(saros_sum(saros_mul(x, x), script_op_axes(call, 0, x)));
    return 1;
}

static int build_logsumexp(const script_op_call *call, saros_value *out) {
    out[0] = saros_logsumexp(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_prod(const script_op_call *call, saros_value *out) {
    out[0] = saros_prod(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_any(const script_op_call *call, saros_value *out) {
    out[0] = saros_any(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_all(const script_op_call *call, saros_value *out) {
    out[0] = saros_all(call->value[0], script_op_axes(call, 0, call->value[0]));
    return 1;
}

static int build_argmax(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 0, call->value[0], 1);
    out[0] = saros_argmax(call->value[0], axis < 0 ? 0 : axis);
    out[0] = saros_add(out[0], saros_like(out[0], 1));
    return 1;
}

static int build_argmin(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 0, call->value[0], 1);
    out[0] = saros_argmax(saros_neg(call->value[0]), axis < 0 ? 0 : axis);
    out[0] = saros_add(out[0], saros_like(out[0], 1));
    return 1;
}

static int build_cumsum(const script_op_call *call, saros_value *out) {
    saros_value x = countable(call->value[0]);
    int axis = script_op_axis(call, 0, x, -1);
    out[0] = saros_cumsum(x, axis < 0 ? 0 : axis, false);
    return 1;
}

/** Trapezoidal rule: `x` is the spacing or the nodes along the axis. */
static int build_trapz(const script_op_call *call, saros_value *out) {
    saros_value y = call->value[0], x = call->value[1];
    int axis = script_op_axis(call, 0, y, -1);
    if (axis < 0) {
        out[0] = saros_poison(call->graph);
        return 1;
    }
    int64_t n = saros_value_type(y)->shape[axis];
    if (n < 2)
        return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL, "needs two points, got %lld",
                              (long long)n);
    saros_value two = saros_add(saros_slice(y, axis, 1, n, 1), saros_slice(y, axis, 0, n - 1, 1));
    saros_value step = saros_is_none(x) ? saros_like(y, 1) : x;
    if (saros_value_rank(step) == 1) {
        int64_t m = saros_value_type(step)->shape[0], shape[SAROS_MAX_RANK];
        if (m != n)
            return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL, "%lld nodes for %lld values",
                                  (long long)m, (long long)n);
        step = saros_sub(saros_slice(step, 0, 1, n, 1), saros_slice(step, 0, 0, n - 1, 1));
        int rank = saros_value_rank(y) - axis;
        for (int a = 0; a < rank; ++a) shape[a] = a == 0 ? n - 1 : 1;
        step = saros_reshape(step, rank, shape);
    }
    out[0] = saros_mul(saros_sum(saros_mul(two, step), 1u << axis), saros_like(y, 0.5));
    return 1;
}

static int build_dot(const script_op_call *call, saros_value *out) {
    saros_value a = call->value[0], b = call->value[1];
    if (saros_value_rank(a) != 1 || saros_value_rank(b) != 1)
        return script_op_fail(call, out, SAROS_ERR_SHAPE, "saros.matmul multiplies matrices",
                              "takes two vectors, got ranks %d and %d", saros_value_rank(a),
                              saros_value_rank(b));
    out[0] = saros_matmul(a, b);
    return 1;
}

/** Component k of a value whose last axis has three. */
static saros_value component(saros_value x, int64_t k) {
    return saros_slice(x, -1, k % 3, k % 3 + 1, 1);
}

static int build_cross(const script_op_call *call, saros_value *out) {
    saros_value part[3];
    for (int k = 0; k < 2; ++k) {
        const saros_type *type = saros_value_type(call->value[k]);
        if (type->rank == 0 || type->shape[type->rank - 1] != 3)
            return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL,
                                  "the last axis of both arguments must have 3 entries");
    }
    saros_value a = call->value[0], b = call->value[1];
    for (int k = 0; k < 3; ++k)
        part[k] = saros_sub(saros_mul(component(a, k + 1), component(b, k + 2)),
                            saros_mul(component(a, k + 2), component(b, k + 1)));
    out[0] = saros_concat(3, part, -1);
    return 1;
}

#define F SCRIPT_FLOAT
#define R SCRIPT_REDUCES
static const script_op rows[] = {
    {"sum", "vA?", "x, axis?", NULL, "sum over an axis, a table of axes or everything", R, NULL,
     NULL, build_sum},
    {"mean", "vA?", "x, axis?", "sum", "mean over an axis, a table of axes or everything", F | R,
     NULL, NULL, build_mean},
    {"max", "vA?", "x, axis?", NULL,
     "largest element; NaN stays; a tie takes the first one's derivative", R, NULL, NULL,
     build_max},
    {"min", "vA?", "x, axis?", NULL, "smallest element; NaN stays", R, NULL, NULL, build_min},
    {"norm", "vA?", "x, axis?", "sum sqrt", "square root of the sum of squares", F | R, NULL, NULL,
     build_norm},
    {"logsumexp", "vA?", "x, axis?", NULL, "log of the sum of exponentials, safe from overflow",
     F | R, NULL, NULL, build_logsumexp},
    {"prod", "vA?", "x, axis?", "mul", "product over an axis, a table of axes or everything", R,
     NULL, NULL, build_prod},
    {"any", "vA?", "x, axis?", "sum", "whether any entry holds (or is not 0)", R, NULL, NULL,
     build_any},
    {"all", "vA?", "x, axis?", "sum", "whether every entry holds (or is not 0)", R, NULL, NULL,
     build_all},
    {"argmax", "va?", "x, axis?", NULL, "index of the largest element along an axis (default 1)", R,
     NULL, NULL, build_argmax},
    {"argmin", "va?", "x, axis?", "argmax",
     "index of the smallest element along an axis (default 1)", R, NULL, NULL, build_argmin},
    {"cumsum", "va?", "x, axis?", NULL, "running sum along an axis (default the last)", R, NULL,
     NULL, build_cumsum},
    {"trapz", "vv?a?", "y, x?, axis?", "sum",
     "trapezoidal integral along an axis (default the last); x: spacing or nodes", F | R, NULL,
     NULL, build_trapz},
    {"matmul", "vv", "a, b", "dot", "matrix product; leading axes are batches", 0, NULL,
     saros_matmul, NULL},
    {"dot", "vv", "a, b", NULL, "inner product of two vectors", 0, NULL, NULL, build_dot},
    {"cross", "vv", "a, b", NULL, "cross product along the last axis of 3", 0, NULL, NULL,
     build_cross},
};
#undef F
#undef R

const script_op_list script_reduce_ops = {rows, (int)(sizeof rows / sizeof *rows)};
