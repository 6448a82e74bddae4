/** Structure: shapes, parts, joining, indexing. Axes and indices count from 1 here and from 0
 * below. */
#include "script_op_impl.h"

#include <string.h>

static int build_reshape(const script_op_call *call, saros_value *out) {
    const saros_type type = *saros_value_type(call->value[0]);
    const script_static *s = &call->fixed[0];
    int64_t shape[SAROS_MAX_RANK], known = 1;
    int open = -1;
    for (int k = 0; k < s->count; ++k) {
        shape[k] = s->word[k];
        if (shape[k] == -1 && open < 0)
            open = k;
        else
            known *= shape[k];
    }
    if (open >= 0) {
        int64_t count = saros_type_count(&type);
        if (known <= 0 || count % known)
            return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL,
                                  "%lld elements do not divide by %lld", (long long)count,
                                  (long long)known);
        shape[open] = count / known;
    }
    out[0] = saros_reshape(call->value[0], s->count, shape);
    return 1;
}

static int build_transpose(const script_op_call *call, saros_value *out) {
    const script_static *s = &call->fixed[0];
    int axes[SAROS_MAX_RANK], rank = saros_value_rank(call->value[0]);
    if (!s->given || s->count == 0) {
        out[0] = saros_transpose(call->value[0]);
        return 1;
    }
    unsigned seen = 0;
    if (s->count != rank)
        return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL, "%d axes named for a value with %d",
                              s->count, rank);
    for (int k = 0; k < rank; ++k) {
        int64_t axis = s->word[k] > 0 ? s->word[k] - 1 : s->word[k] + rank;
        if (axis < 0 || axis >= rank || seen >> axis & 1)
            return script_op_fail(call, out, SAROS_ERR_SHAPE, "name each axis once, counted from 1",
                                  "axis %lld cannot stand here", (long long)s->word[k]);
        seen |= 1u << axis;
        axes[k] = (int)axis;
    }
    out[0] = saros_permute(call->value[0], axes);
    return 1;
}

static int build_broadcast(const script_op_call *call, saros_value *out) {
    out[0] = saros_broadcast(call->value[0], call->fixed[0].count, call->fixed[0].word, NULL);
    return 1;
}

/** first … last, both included, 1-based, negative from the end. */
static int build_slice(const script_op_call *call, saros_value *out) {
    saros_value x = call->value[0];
    int axis = script_op_axis(call, 0, x, 1);
    if (axis < 0) {
        out[0] = saros_poison(call->graph);
        return 1;
    }
    int64_t n = saros_value_type(x)->shape[axis], first = call->fixed[1].word[0];
    int64_t last = call->fixed[2].given ? call->fixed[2].word[0] : n;
    int64_t step = call->fixed[3].given ? call->fixed[3].word[0] : 1;
    int64_t from = first > 0 ? first - 1 : first + n, to = last >= 0 ? last : last + n + 1;
    if (first == 0 || from < 0 || to > n || from > to || step < 1)
        return script_op_fail(call, out, SAROS_ERR_DOMAIN,
                              "both ends are included; indices count from 1",
                              "cells %lld to %lld of an axis of %lld", (long long)first,
                              (long long)last, (long long)n);
    out[0] = saros_slice(x, axis, from, to, step);
    return 1;
}

static int build_pad(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 2, call->value[0], 1);
    double fill = call->fixed[3].given ? saros_from_bits(call->fixed[3].word[0]) : 0;
    out[0] = saros_pad(call->value[0], axis < 0 ? 0 : axis, call->fixed[0].word[0],
                       call->fixed[1].word[0], 0, fill);
    return 1;
}

static int build_shift(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 1, call->value[0], 1);
    saros_edge edge = call->fixed[2].given ? (saros_edge)call->fixed[2].word[0] : SAROS_EDGE_ZERO;
    out[0] = saros_shift(call->value[0], axis < 0 ? 0 : axis, call->fixed[0].word[0], edge);
    return 1;
}

static int build_reverse(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 0, call->value[0], 1);
    out[0] = saros_reverse(call->value[0], axis < 0 ? 0 : axis);
    return 1;
}

static void promote_all(const script_op_call *call) {
    saros_dtype dtype = saros_value_dtype(call->value[0]);
    for (int k = 1; k < call->values; ++k)
        dtype = saros_dtype_promote(dtype, saros_value_dtype(call->value[k]));
    for (int k = 0; k < call->values; ++k)
        if (saros_value_dtype(call->value[k]) != dtype)
            call->value[k] = saros_cast(call->value[k], dtype);
}

static int build_concat(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 0, call->value[0], 1);
    promote_all(call);
    out[0] = axis < 0 ? saros_poison(call->graph) : saros_concat(call->values, call->value, axis);
    return 1;
}

static int build_stack(const script_op_call *call, saros_value *out) {
    int64_t axis = call->fixed[0].given ? call->fixed[0].word[0] : 1,
            rank = saros_value_rank(call->value[0]) + 1;
    int64_t zero = axis > 0 ? axis - 1 : axis + rank;
    if (axis == 0 || zero < 0 || zero >= rank)
        return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL,
                              "axis %lld of a result with %lld axes", (long long)axis,
                              (long long)rank);
    promote_all(call);
    out[0] = saros_stack(call->values, call->value, (int)zero);
    return 1;
}

/** 1-based or negative indices as 0-based i64. */
static saros_value zero_based(saros_value index, int64_t n) {
    saros_value i = saros_cast(index, SAROS_I64);
    saros_value one = saros_like(i, 1);
    return saros_where(saros_lt(i, one), saros_add(i, saros_like(i, (double)n)), saros_sub(i, one));
}

static int build_gather(const script_op_call *call, saros_value *out) {
    int axis = script_op_axis(call, 0, call->value[0], 1);
    if (axis < 0) {
        out[0] = saros_poison(call->graph);
        return 1;
    }
    int64_t n = saros_value_type(call->value[0])->shape[axis];
    out[0] = saros_gather(call->value[0], zero_based(call->value[1], n), axis);
    return 1;
}

static int build_scatter_add(const script_op_call *call, saros_value *out) {
    int64_t extent = call->fixed[0].word[0];
    int axis = script_op_axis(call, 1, call->value[0], 1);
    out[0] = axis < 0 ? saros_poison(call->graph)
                      : saros_scatter_add(call->value[0], zero_based(call->value[1], extent), axis,
                                          extent);
    return 1;
}

/** i-th number along `axis` of x's shape. */
static saros_value counter(const script_op_call *call, const saros_type *like, int axis) {
    saros_type type = saros_type_make(SAROS_I64, like->rank, like->shape);
    return saros_iota(call->graph, &type, axis);
}

/** x with v at an index of the first axis, or at {i, j, …} of the first axes. */
static int build_put(const script_op_call *call, saros_value *out) {
    saros_value x = call->value[0], index = call->value[1], v = call->value[2];
    const saros_type type = *saros_value_type(x);
    int64_t axes = saros_value_rank(index) == 0 ? 1 : saros_value_type(index)->shape[0];
    if (saros_value_rank(index) > 1 || axes > type.rank || axes < 1)
        return script_op_fail(call, out, SAROS_ERR_SHAPE, "t:put(i, v) or t:put({i, j}, v)",
                              "%lld indices for a tensor with %d axes", (long long)axes, type.rank);
    saros_value mask = SAROS_NONE;
    for (int a = 0; a < (int)axes; ++a) {
        saros_value i = saros_value_rank(index) == 0
                            ? index
                            : saros_reshape(saros_slice(index, 0, a, a + 1, 1), 0, NULL);
        saros_value here = saros_eq(counter(call, &type, a), zero_based(i, type.shape[a]));
        mask = saros_is_none(mask) ? here : saros_and(mask, here);
    }
    if (saros_value_dtype(v) != type.dtype) v = saros_cast(v, type.dtype);
    out[0] = saros_where(mask, v, x);
    return 1;
}

static int build_diag(const script_op_call *call, saros_value *out) {
    saros_value x = call->value[0];
    const saros_type type = *saros_value_type(x);
    if (type.rank == 1) {
        int64_t shape[2] = {type.shape[0], type.shape[0]};
        saros_type square = saros_type_make(type.dtype, 2, shape);
        saros_value mask = saros_eq(counter(call, &square, 0), counter(call, &square, 1));
        out[0] = saros_where(mask, saros_broadcast(x, 2, shape, NULL),
                             saros_splat(call->graph, &square, 0));
    } else if (type.rank == 2) {
        saros_value mask = saros_eq(counter(call, &type, 0), counter(call, &type, 1));
        int64_t n = type.shape[0] < type.shape[1] ? type.shape[0] : type.shape[1];
        out[0] = saros_slice(saros_sum(saros_where(mask, x, saros_zeros_like(x)), 2u), 0, 0, n, 1);
    } else {
        return script_op_fail(call, out, SAROS_ERR_SHAPE, NULL,
                              "takes a vector or a matrix, got rank %d", type.rank);
    }
    return 1;
}

static const script_op rows[] = {
    {"reshape", "vl", "x, shape", NULL, "the same elements in another shape; one extent may be -1",
     0, NULL, NULL, build_reshape},
    {"transpose", "vl?", "x, axes?", "permute",
     "axes in another order; without a list the last two swap", 0, NULL, NULL, build_transpose},
    {"broadcast", "vl", "x, shape", NULL, "x stretched to a shape, aligned at the last axis", 0,
     NULL, NULL, build_broadcast},
    {"slice", "vaii?i?", "x, axis, first, last?, step?", NULL,
     "cells first … last of an axis, both included", 0, NULL, NULL, build_slice},
    {"pad", "viia?x?", "x, before, after, axis?, fill?", NULL,
     "cells of fill (0) before and after along an axis", 0, NULL, NULL, build_pad},
    {"shift", "via?w?", "x, by, axis?, edge?", NULL,
     "y[i] = x[i-by]; from outside come zeros, or \"wrap\"", 0, NULL, NULL, build_shift},
    {"reverse", "va?", "x, axis?", NULL, "order of an axis (default 1) reversed", 0, NULL, NULL,
     build_reverse},
    {"concat", "Ta?", "tensors, axis?", NULL, "tensors side by side along an axis (default 1)", 0,
     NULL, NULL, build_concat},
    {"stack", "Ta?", "tensors, axis?", "concat reshape", "tensors along a new axis (default 1)", 0,
     NULL, NULL, build_stack},
    {"gather", "vva?", "x, index, axis?", NULL,
     "parts of x along an axis (default 1) at the indices of a tensor",
     SCRIPT_APART_1 | SCRIPT_INDEX_AXIS, NULL, NULL, build_gather},
    {"scatter_add", "vvia?", "x, index, extent, axis?", NULL,
     "zeros of an extent with the parts of x added at the indices",
     SCRIPT_APART_1 | SCRIPT_INDEX_EXTENT, NULL, NULL, build_scatter_add},
    {"put", "vvv", "x, index, v", "where iota eq", "x with v at an index, or at {i, j, …}",
     SCRIPT_APART_1 | SCRIPT_INDEX_EACH, NULL, NULL, build_put},
    {"diag", "v", "x", "where iota",
     "matrix with a vector on its diagonal, or the diagonal of a matrix", 0, NULL, NULL,
     build_diag},
};

const script_op_list script_shape_ops = {rows, (int)(sizeof rows / sizeof *rows)};
