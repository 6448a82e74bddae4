/** shift: y[i] = x[i - by] along one axis; what comes from outside is 0 or wraps around.
 *  Words: axis, by, edge. Its transpose is the shift by -by with the same edge.
 */
#include "primitives/build_impl.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

static saros_status shift_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    return saros_axis_whole("saros_shift", &t->operand[0], t->attributes->word[0]);
}

/** Copies `count` layers of `in` from layer `from` on to layer `to` of `out`. */
static void copy_layers(const saros_tensor *in, int64_t from, saros_tensor *out, int64_t to,
                        int64_t count, int axis) {
    int64_t shape[SAROS_MAX_RANK], bytes = (int64_t)saros_dtype_bytes(in->dtype);
    for (int a = 0; a < in->rank; ++a) shape[a] = in->shape[a];
    shape[axis] = count;
    if (count == 0 || in->count == 0) return;
    saros_copy_strided(in->rank, shape, out->dtype,
                       (char *)out->data + to * out->strides[axis] * bytes, out->strides, in->dtype,
                       (const char *)in->data + from * in->strides[axis] * bytes, in->strides);
}

static void zero_layers(saros_tensor *out, int64_t to, int64_t count, int axis) {
    static const int64_t zero = 0; /* the bits of 0 in every dtype */
    int64_t none[SAROS_MAX_RANK] = {0}, shape[SAROS_MAX_RANK];
    for (int a = 0; a < out->rank; ++a) shape[a] = out->shape[a];
    shape[axis] = count;
    if (count == 0 || out->count == 0) return;
    int64_t offset = to * out->strides[axis] * (int64_t)saros_dtype_bytes(out->dtype);
    saros_copy_strided(out->rank, shape, out->dtype, (char *)out->data + offset, out->strides,
                       out->dtype, &zero, none);
}

static saros_status shift_evaluate(const saros_evaluation *e) {
    const int64_t *w = e->attributes->word;
    int axis = (int)w[0];
    int64_t n = e->in[0]->shape[axis], by = w[1];
    if (n == 0) return SAROS_OK;
    if (w[2] == SAROS_EDGE_WRAP) {
        by = (by % n + n) % n;
        copy_layers(e->in[0], 0, e->out[0], by, n - by, axis);
        copy_layers(e->in[0], n - by, e->out[0], 0, by, axis);
        return SAROS_OK;
    }
    int64_t moved = by < -n || by > n ? n : by < 0 ? -by : by;
    copy_layers(e->in[0], by < 0 ? moved : 0, e->out[0], by < 0 ? 0 : moved, n - moved, axis);
    zero_layers(e->out[0], by < 0 ? n - moved : 0, moved, axis);
    return SAROS_OK;
}

static saros_value shift_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    const int64_t *w = rule->attributes.word;
    return saros_shift(*ct, (int)w[0], -w[1], (saros_edge)w[2]);
}

static void shift_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                        const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    const int64_t *w = rule->attributes.word;
    out[0] = saros_shift(in[0], (int)w[0] + 1, w[1], (saros_edge)w[2]);
    out_batched[0] = true;
}

const saros_primitive saros_row_shift = {
    .name = "shift",
    .doc = "y[i] = x[i - by] along one axis; from outside comes 0, or the other end",
    .operands = 1,
    .outputs = 1,
    .type = shift_type,
    .evaluate = shift_evaluate,
    .linear_in = {0x1},
    .transpose = shift_transpose,
    .batch = shift_batch,
    .axes = &saros_axes_other,
};

saros_value saros_shift(saros_value x, int axis, int64_t by, saros_edge edge) {
    saros_value bad;
    if (saros_operands_bad("saros_shift", 1, &x, &bad)) return bad;
    if (saros_axis_resolve("saros_shift", saros_value_rank(x), &axis) != SAROS_OK)
        return saros_poison(x.graph);
    if (by == 0) return x;
    return saros_build_words(&saros_row_shift, 3, (int64_t[]){axis, by, (int64_t)edge}, 1, &x);
}
