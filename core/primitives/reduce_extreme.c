/** max, min, argmax, logsumexp.
 *
 *  NaN propagates. The derivative goes to one element, the lowest index among equals: `selection`
 * is its mask, built with argmax over the reduced axes. Of no elements the maximum is -infinity,
 * the minimum +infinity; argmax of none is an error.
 */
#include <float.h>
#include <math.h>

#include "primitives/operations_impl.h"
#include "primitives/pointwise_impl.h"
#include "primitives/reduce_impl.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

/* ---- kernels: y[j] is the extreme of x[0 … n-1][j] ---- */

#define REAL double
#define LANES 8
#define BEFORE >=
#define NEUTRAL -INFINITY
#define RUN_EXTREME run_max_f64
#define EXTREME max_f64
#include "primitives/reduce_extreme_impl.h"

#define REAL float
#define LANES 16
#define BEFORE >=
#define NEUTRAL -INFINITY
#define RUN_EXTREME run_max_f32
#define EXTREME max_f32
#include "primitives/reduce_extreme_impl.h"

static void max_i64(const saros_layers *l) {
    const int64_t *x = l->x;
    int64_t *y = l->y;
    for (int64_t o = 0; o < l->outer; ++o, y += l->inner) {
        for (int64_t j = 0; j < l->inner; ++j) y[j] = INT64_MIN;
        for (int64_t i = 0; i < l->n; ++i, x += l->inner)
            for (int64_t j = 0; j < l->inner; ++j) y[j] = y[j] >= x[j] ? y[j] : x[j];
    }
}
static void max_i32(const saros_layers *l) {
    const int32_t *x = l->x;
    int32_t *y = l->y;
    for (int64_t o = 0; o < l->outer; ++o, y += l->inner) {
        for (int64_t j = 0; j < l->inner; ++j) y[j] = INT32_MIN;
        for (int64_t i = 0; i < l->n; ++i, x += l->inner)
            for (int64_t j = 0; j < l->inner; ++j) y[j] = y[j] >= x[j] ? y[j] : x[j];
    }
}
const saros_reducers saros_max_reducers = {max_f64, max_f32, max_i64, max_i32, NULL};

static saros_status max_evaluate(const saros_evaluation *e) {
    return saros_reduce_run(e, &saros_max_reducers);
}

#define REAL double
#define LANES 8
#define BEFORE <=
#define NEUTRAL INFINITY
#define RUN_EXTREME run_min_f64
#define EXTREME min_f64
#include "primitives/reduce_extreme_impl.h"

#define REAL float
#define LANES 16
#define BEFORE <=
#define NEUTRAL INFINITY
#define RUN_EXTREME run_min_f32
#define EXTREME min_f32
#include "primitives/reduce_extreme_impl.h"

static void min_i64(const saros_layers *l) {
    const int64_t *x = l->x;
    int64_t *y = l->y;
    for (int64_t o = 0; o < l->outer; ++o, y += l->inner) {
        for (int64_t j = 0; j < l->inner; ++j) y[j] = INT64_MAX;
        for (int64_t i = 0; i < l->n; ++i, x += l->inner)
            for (int64_t j = 0; j < l->inner; ++j) y[j] = y[j] <= x[j] ? y[j] : x[j];
    }
}
static void min_i32(const saros_layers *l) {
    const int32_t *x = l->x;
    int32_t *y = l->y;
    for (int64_t o = 0; o < l->outer; ++o, y += l->inner) {
        for (int64_t j = 0; j < l->inner; ++j) y[j] = INT32_MAX;
        for (int64_t i = 0; i < l->n; ++i, x += l->inner)
            for (int64_t j = 0; j < l->inner; ++j) y[j] = y[j] <= x[j] ? y[j] : x[j];
    }
}
const saros_reducers saros_min_reducers = {min_f64, min_f32, min_i64, min_i32, NULL};

static saros_status min_evaluate(const saros_evaluation *e) {
    return saros_reduce_run(e, &saros_min_reducers);
}

/* ---- rules of max and min ---- */

static saros_status extreme_type(saros_typing *t) {
    const saros_type *in = &t->operand[0];
    if (in->dtype == SAROS_BOOL || in->dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, t->row->name, NULL, "numbers are needed, not %s",
                          saros_dtype_name(in->dtype));
    if (in->split & (uint32_t)t->attributes->word[0])
        return saros_fail(SAROS_ERR_UNSUPPORTED, t->row->name, NULL,
                          "a reduced axis is cut over ranks");
    return saros_reduce_type(t->row->name, in, t->attributes->word[0], &t->output[0]);
}

/** Mask, of x's shape, of the element that each maximum over `axes` takes. */
static saros_value selection(const saros_rule *rule) {
    saros_value x = rule->in[0];
    uint32_t axes = (uint32_t)rule->attributes.word[0];
    saros_type type = *saros_value_type(x);
    int order[SAROS_MAX_RANK], back[SAROS_MAX_RANK], kept = 0;
    for (int a = 0; a < type.rank; ++a)
        if (!(axes >> a & 1)) order[kept++] = a;
    for (int a = 0, k = kept; a < type.rank; ++a)
        if (axes >> a & 1) order[k++] = a;
    for (int a = 0; a < type.rank; ++a) back[order[a]] = a;
    if (rule->row == &saros_row_min) x = saros_neg(x);
    saros_value moved = saros_permute(x, order);
    saros_type moved_type = *saros_value_type(moved), flat = moved_type;
    flat.rank = kept + 1;
    flat.shape[kept] = 1;
    for (int a = kept; a < type.rank; ++a) flat.shape[kept] *= moved_type.shape[a];
    saros_value best = saros_argmax(saros_reshape(moved, flat.rank, flat.shape), kept);
    flat.dtype = SAROS_I64;
    saros_value place = saros_iota(rule->graph, &flat, kept);
    saros_value mask = saros_eq(place, saros_reduce_expand(best, place, UINT32_C(1) << kept));
    return saros_permute(saros_reshape(mask, moved_type.rank, moved_type.shape), back);
}

/** What stands at the selected elements of t. */
static saros_value selected(const saros_rule *rule, saros_value mask, saros_value t) {
    if (saros_is_none(t)) return t;
    return saros_sum_local(saros_where(mask, t, saros_zeros_like(t)),
                           (uint32_t)rule->attributes.word[0]);
}

static void extreme_jvp(const saros_rule *rule, const saros_value *t, saros_value *out) {
    out[0] = selected(rule, selection(rule), t[0]);
}

static void extreme_vjp(const saros_rule *rule, const saros_value *ct, const bool *wanted,
                        saros_value *gradient) {
    if (!wanted[0]) return;
    saros_value all = saros_reduce_expand(*ct, rule->in[0], (uint32_t)rule->attributes.word[0]);
    gradient[0] = saros_where(selection(rule), all, saros_zeros_like(all));
}

static void extreme_jet(const saros_rule *rule, int order, const saros_value *u, saros_value *v) {
    saros_value mask = selection(rule);
    v[0] = rule->out[0];
    for (int k = 1; k <= order; ++k) v[k] = selected(rule, mask, u[k]);
}

static void extreme_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                          const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    int64_t axes = saros_reduce_batched((uint32_t)rule->attributes.word[0]);
    out[0] = saros_build_words(rule->row, 1, &axes, 1, in);
    out_batched[0] = true;
}

const saros_primitive saros_row_max = {
    .name = "max",
    .doc = "largest element over axes; NaN propagates",
    .operands = 1,
    .outputs = 1,
    .type = extreme_type,
    .evaluate = max_evaluate,
    .operations = saros_count_reduced,
    .jvp = extreme_jvp,
    .vjp = extreme_vjp,
    .jet = extreme_jet,
    .batch = extreme_batch,
    .axes = &saros_axes_max,
};
const saros_primitive saros_row_min = {
    .name = "min",
    .doc = "smallest element over axes; NaN propagates",
    .operands = 1,
    .outputs = 1,
    .type = extreme_type,
    .evaluate = min_evaluate,
    .operations = saros_count_reduced,
    .jvp = extreme_jvp,
    .vjp = extreme_vjp,
    .jet = extreme_jet,
    .batch = extreme_batch,
    .axes = &saros_axes_min,
};

static saros_value build_extreme(const saros_primitive *row, const char *where, saros_value x,
                                 uint32_t axes) {
    saros_value bad;
    if (saros_operands_bad(where, 1, &x, &bad)) return bad;
    if (saros_reduce_axes(where, x, axes) != SAROS_OK) return saros_poison(x.graph);
    return axes ? saros_build_words(row, 1, (int64_t[]){axes}, 1, &x) : x;
}
saros_value saros_max(saros_value x, uint32_t axes) {
    return build_extreme(&saros_row_max, "saros_max", x, axes);
}
saros_value saros_min(saros_value x, uint32_t axes) {
    return build_extreme(&saros_row_min, "saros_min", x, axes);
}

/** log sum exp(x - m) + m, m the maximum (0 where it is infinite), held fixed in derivatives: it
 * cancels. */
saros_value saros_logsumexp(saros_value x, uint32_t axes) {
    saros_value bad;
    if (saros_operands_bad("saros_logsumexp", 1, &x, &bad)) return bad;
    if (!saros_dtype_is_float(saros_value_dtype(x))) x = saros_cast(x, SAROS_F64);
    saros_value top = saros_stop_gradient(saros_max(x, axes));
    if (saros_operands_bad("saros_logsumexp", 1, &top, &bad)) return bad;
    saros_value finite =
        saros_le(saros_abs(top),
                 saros_like(top, saros_value_dtype(x) == SAROS_F64 ? DBL_MAX : (double)FLT_MAX));
    saros_value shift = saros_where(finite, top, saros_like(top, 0.0));
    saros_value rest = saros_exp(saros_sub(x, saros_reduce_expand(shift, x, axes)));
    return saros_add(saros_log(saros_sum(rest, axes)), shift);
}
