/** slice, pad, reverse along one axis. slice and pad transpose to each other, reverse to itself.
 * None of them crosses ranks: along a cut axis they are an error
 * (neighbours are the business of `extend`).
 */
#include "primitives/build_impl.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

saros_status saros_axis_whole(const char *where, const saros_type *type, int64_t axis) {
    if (axis < 0 || axis >= type->rank)
        return saros_fail(SAROS_ERR_DOMAIN, where, NULL, "axis %lld of a value of rank %d",
                          (long long)axis, type->rank);
    if (type->split >> axis & 1)
        return saros_fail(SAROS_ERR_UNSUPPORTED, where, NULL,
                          "axis %lld is cut over ranks; this operation needs it whole",
                          (long long)axis);
    return SAROS_OK;
}

/** Words of a one-axis row with the axis moved by a new leading axis. */
static void batch_axis(const saros_rule *rule, const saros_value *in, saros_value *out,
                       bool *out_batched) {
    int64_t word[8];
    for (int k = 0; k < rule->attributes.words; ++k) word[k] = rule->attributes.word[k];
    word[0] += 1;
    out[0] = saros_build_words(rule->row, rule->attributes.words, word, rule->ins, in);
    out_batched[0] = true;
}

/* ---- slice: words axis, first, last, step ---- */

static saros_status slice_type(saros_typing *t) {
    const int64_t *w = t->attributes->word;
    const saros_type *in = &t->operand[0];
    saros_status status = saros_axis_whole("saros_slice", in, w[0]);
    if (status != SAROS_OK) return status;
    if (w[1] < 0 || w[2] < w[1] || w[2] > in->shape[w[0]] || w[3] < 1)
        return saros_fail(SAROS_ERR_DOMAIN, "saros_slice", "0 <= first <= last <= extent, step > 0",
                          "[%lld:%lld:%lld] of extent %lld", (long long)w[1], (long long)w[2],
                          (long long)w[3], (long long)in->shape[w[0]]);
    t->output[0] = *in;
    t->output[0].shape[w[0]] = (w[2] - w[1] + w[3] - 1) / w[3];
    return SAROS_OK;
}

static bool slice_view(const saros_attributes *attributes, const saros_tensor *in,
                       const saros_type *out, int64_t *strides, int64_t *offset) {
    const int64_t *w = attributes->word, *step = saros_tensor_strides(in);
    for (int a = 0; a < out->rank; ++a) strides[a] = step[a];
    strides[w[0]] *= w[3];
    *offset = saros_type_count(out) ? w[1] * step[w[0]] : 0;
    return true;
}

static saros_value slice_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    const int64_t *w = rule->attributes.word;
    int axis = (int)w[0];
    int64_t extent = saros_value_type(rule->in[0])->shape[axis];
    int64_t count = saros_value_type(rule->out[0])->shape[axis];
    int64_t low = count ? w[1] : extent, covered = count ? (count - 1) * w[3] + 1 : 0;
    return saros_pad(*ct, axis, low, extent - low - covered, w[3] - 1, 0.0);
}

static void slice_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                        const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    batch_axis(rule, in, out, out_batched);
}

const saros_primitive saros_row_slice = {
    .name = "slice",
    .doc = "x[first:last:step] along one axis",
    .operands = 1,
    .outputs = 1,
    .type = slice_type,
    .evaluate = saros_evaluate_view,
    .view = slice_view,
    .linear_in = {0x1},
    .transpose = slice_transpose,
    .batch = slice_batch,
    .axes = &saros_axes_other,
};

saros_value saros_slice(saros_value x, int axis, int64_t first, int64_t last, int64_t step) {
    saros_value bad;
    if (saros_operands_bad("saros_slice", 1, &x, &bad)) return bad;
    if (saros_axis_resolve("saros_slice", saros_value_rank(x), &axis) != SAROS_OK)
        return saros_poison(x.graph);
    if (first == 0 && step == 1 && last == saros_value_type(x)->shape[axis]) return x;
    return saros_build_words(&saros_row_slice, 4, (int64_t[]){axis, first, last, step}, 1, &x);
}

/* ---- pad: words axis, low, high, interior; operands x and the scalar fill ---- */

static saros_status pad_type(saros_typing *t) {
    const int64_t *w = t->attributes->word;
    const saros_type *in = &t->operand[0], *fill = &t->operand[1];
    saros_status status = saros_axis_whole("saros_pad", in, w[0]);
    if (status != SAROS_OK) return status;
    if (w[1] < 0 || w[2] < 0 || w[3] < 0)
        return saros_fail(SAROS_ERR_DOMAIN, "saros_pad", "use slice to remove cells",
                          "low %lld, high %lld, interior %lld; none may be negative",
                          (long long)w[1], (long long)w[2], (long long)w[3]);
    if (fill->rank != 0 || fill->dtype != in->dtype)
        return saros_fail(SAROS_ERR_TYPE, "saros_pad", NULL,
                          "fill must be a scalar of the operand's dtype");
    int64_t n = in->shape[w[0]];
    t->output[0] = *in;
    t->output[0].split = saros_split_join(in->split, fill->split);
    t->output[0].shape[w[0]] = w[1] + w[2] + (n ? n + (n - 1) * w[3] : 0);
    return SAROS_OK;
}

static saros_status pad_evaluate(const saros_evaluation *e) {
    const int64_t *w = e->attributes->word;
    const saros_tensor *in = e->in[0], *fill = e->in[1];
    saros_tensor *out = e->out[0];
    int64_t none[SAROS_MAX_RANK] = {0}, strides[SAROS_MAX_RANK];
    int axis = (int)w[0];
    int64_t step = out->strides[axis] * (int64_t)saros_dtype_bytes(out->dtype);
    char *inside = (char *)out->data + w[1] * step;
    bool gaps = w[3] > 0 || in->count == 0; /* else only the ends are filled */
    for (int end = 0; end < (gaps ? 1 : 2); ++end) {
        int64_t shape[SAROS_MAX_RANK], first = end ? w[1] + in->shape[axis] : 0;
        for (int a = 0; a < out->rank; ++a) shape[a] = out->shape[a];
        if (!gaps) shape[axis] = w[1 + end];
        saros_copy_strided(out->rank, shape, out->dtype, (char *)out->data + first * step,
                           out->strides, fill->dtype, fill->data, none);
    }
    for (int a = 0; a < out->rank; ++a) strides[a] = out->strides[a];
    strides[axis] *= w[3] + 1;
    if (in->count && (gaps || !saros_is_window(in, out, inside)))
        saros_copy_strided(in->rank, in->shape, out->dtype, inside, strides, in->dtype, in->data,
                           in->strides);
    return SAROS_OK;
}

static bool pad_window(const saros_attributes *attributes, int operands,
                       const saros_type *const *operand, int k, int64_t *start) {
    const int64_t *w = attributes->word;
    (void)operands;
    for (int a = 0; a < operand[0]->rank; ++a) start[a] = 0;
    start[w[0]] = w[1];
    return k == 0 && w[3] == 0;
}

static saros_value pad_inside(const saros_rule *rule, saros_value ct) {
    const int64_t *w = rule->attributes.word;
    int64_t n = saros_value_type(rule->in[0])->shape[w[0]];
    int64_t covered = n ? (n - 1) * (w[3] + 1) + 1 : 0;
    return saros_slice(ct, (int)w[0], w[1], w[1] + covered, w[3] + 1);
}

static saros_value pad_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    saros_value inside = pad_inside(rule, *ct);
    if (operand == 0) return inside;
    return saros_sub(saros_sum_local(*ct, saros_all_axes(*ct)),
                     saros_sum_local(inside, saros_all_axes(inside)));
}

/** A batched fill differs from entry to entry: pad with 0, then choose where the cells are new. */
static void pad_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                      const bool *batched, saros_value *out, bool *out_batched) {
    const int64_t *w = rule->attributes.word;
    saros_value x = batched[0] ? in[0] : saros_broadcast_leading(in[0], size);
    out_batched[0] = true;
    if (!batched[1]) {
        batch_axis(rule, (saros_value[]){x, in[1]}, out, out_batched);
        return;
    }
    saros_type type = *saros_value_type(x);
    saros_value zero = saros_like(x, 0.0);
    type.dtype = SAROS_BOOL;
    int64_t word[] = {w[0] + 1, w[1], w[2], w[3]};
    saros_value old =
        saros_build_words(rule->row, 4, word, 2,
                          (saros_value[]){saros_splat(rule->graph, &type, 1.0),
                                          saros_scalar(rule->graph, SAROS_BOOL, 0.0)});
    saros_value padded = saros_build_words(rule->row, 4, word, 2, (saros_value[]){x, zero});
    type = *saros_value_type(padded);
    saros_value fill = saros_broadcast(in[1], type.rank, type.shape, (int[]){0});
    out[0] = saros_where(old, padded, fill);
}

const saros_primitive saros_row_pad = {
    .name = "pad",
    .doc = "x with cells of a scalar before, after and between its elements along one axis",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_STRIDED,
    .type = pad_type,
    .evaluate = pad_evaluate,
    .window = pad_window,
    .linear_in = {0x3},
    .transpose = pad_transpose,
    .batch = pad_batch,
    .axes = &saros_axes_other,
};

saros_value saros_pad(saros_value x, int axis, int64_t low, int64_t high, int64_t interior,
                      double fill) {
    saros_value bad;
    if (saros_operands_bad("saros_pad", 1, &x, &bad)) return bad;
    if (saros_axis_resolve("saros_pad", saros_value_rank(x), &axis) != SAROS_OK)
        return saros_poison(x.graph);
    if (low == 0 && high == 0 && interior == 0) return x;
    saros_value operand[] = {x, saros_like(x, fill)};
    saros_split_unify(2, operand);
    return saros_build_words(&saros_row_pad, 4, (int64_t[]){axis, low, high, interior}, 2, operand);
}

/* ---- reverse: word axis ---- */

static saros_status reverse_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    return saros_axis_whole("saros_reverse", &t->operand[0], t->attributes->word[0]);
}

static bool reverse_view(const saros_attributes *attributes, const saros_tensor *in,
                         const saros_type *out, int64_t *strides, int64_t *offset) {
    int axis = (int)attributes->word[0];
    for (int a = 0; a < out->rank; ++a) strides[a] = saros_tensor_strides(in)[a];
    *offset = saros_type_count(out) ? (out->shape[axis] - 1) * strides[axis] : 0;
    strides[axis] = -strides[axis];
    return true;
}

static saros_value reverse_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    return saros_reverse(*ct, (int)rule->attributes.word[0]);
}

const saros_primitive saros_row_reverse = {
    .name = "reverse",
    .doc = "elements in the opposite order along one axis",
    .operands = 1,
    .outputs = 1,
    .type = reverse_type,
    .evaluate = saros_evaluate_view,
    .view = reverse_view,
    .linear_in = {0x1},
    .transpose = reverse_transpose,
    .batch = slice_batch,
    .axes = &saros_axes_other,
};

saros_value saros_reverse(saros_value x, int axis) {
    saros_value bad;
    if (saros_operands_bad("saros_reverse", 1, &x, &bad)) return bad;
    if (saros_axis_resolve("saros_reverse", saros_value_rank(x), &axis) != SAROS_OK)
        return saros_poison(x.graph);
    return saros_build_words(&saros_row_reverse, 1, (int64_t[]){axis}, 1, &x);
}
