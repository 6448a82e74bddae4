/** cumsum: y[i] = x[0] + … + x[i] along one axis, or from the other end; words axis, reverse.
 * Summed in that order. Its transpose is the sum from the opposite end.
 */
#include <string.h>

#include "primitives/build_impl.h"
#include "primitives/operations_impl.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

static saros_status cumsum_type(saros_typing *t) {
    saros_dtype dtype = t->operand[0].dtype;
    if (dtype != SAROS_I64 && !saros_dtype_is_float(dtype))
        return saros_fail(SAROS_ERR_TYPE, "saros_cumsum", NULL, "f64, f32 or i64 is needed, not %s",
                          saros_dtype_name(dtype));
    t->output[0] = t->operand[0];
    return saros_axis_whole("saros_cumsum", &t->operand[0], t->attributes->word[0]);
}

/** Layer `to` = layer `from` + layer `x`, `inner` elements each. */
static void add_layer(saros_dtype dtype, int64_t inner, void *to, const void *from, const void *x) {
    if (dtype == SAROS_F64)
        for (int64_t j = 0; j < inner; ++j)
            ((double *)to)[j] = ((const double *)from)[j] + ((const double *)x)[j];
    if (dtype == SAROS_F32)
        for (int64_t j = 0; j < inner; ++j)
            ((float *)to)[j] = ((const float *)from)[j] + ((const float *)x)[j];
    if (dtype == SAROS_I64)
        for (int64_t j = 0; j < inner; ++j)
            ((uint64_t *)to)[j] = ((const uint64_t *)from)[j] + ((const uint64_t *)x)[j];
}

static saros_status cumsum_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *x = NULL;
    int axis = (int)e->attributes->word[0];
    int64_t outer = 1, inner = 1, n = e->in[0]->shape[axis];
    if (e->out[0]->count == 0) return SAROS_OK;
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &x));
    for (int a = 0; a < axis; ++a) outer *= x->shape[a];
    for (int a = axis + 1; a < x->rank; ++a) inner *= x->shape[a];
    int64_t layer = inner * (int64_t)saros_dtype_bytes(x->dtype);
    int64_t first = e->attributes->word[1] ? n - 1 : 0, step = e->attributes->word[1] ? -1 : 1;
    for (int64_t o = 0; o < outer; ++o) {
        const char *in = (const char *)x->data + (o * n + first) * layer;
        char *out = (char *)e->out[0]->data + (o * n + first) * layer;
        if (out != in) memcpy(out, in, (size_t)layer); /* equal: in place */
        for (int64_t i = 1; i < n; ++i) {
            in += step * layer;
            out += step * layer;
            add_layer(x->dtype, inner, out, out - step * layer, in);
        }
    }
done:
    saros_tensor_release(x);
    return status;
}

static saros_value cumsum_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    return saros_cumsum(*ct, (int)rule->attributes.word[0], !rule->attributes.word[1]);
}

static void cumsum_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                         const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    out[0] = saros_cumsum(in[0], (int)rule->attributes.word[0] + 1, rule->attributes.word[1]);
    out_batched[0] = true;
}

const saros_primitive saros_row_cumsum = {
    .name = "cumsum",
    .doc = "running sum along one axis",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_IN_PLACE,
    .type = cumsum_type,
    .evaluate = cumsum_evaluate,
    .operations = saros_count_reduced,
    .linear_in = {0x1},
    .transpose = cumsum_transpose,
    .batch = cumsum_batch,
    .axes = &saros_axes_other,
};

saros_value saros_cumsum(saros_value x, int axis, bool reverse) {
    saros_value bad;
    if (saros_operands_bad("saros_cumsum", 1, &x, &bad)) return bad;
    if (saros_axis_resolve("saros_cumsum", saros_value_rank(x), &axis) != SAROS_OK)
        return saros_poison(x.graph);
    if (!saros_dtype_is_float(saros_value_dtype(x))) x = saros_cast(x, SAROS_I64);
    return saros_build_words(&saros_row_cumsum, 2, (int64_t[]){axis, reverse}, 1, &x);
}
