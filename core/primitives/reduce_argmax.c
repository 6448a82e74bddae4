/** argmax along one axis: i64, the lowest index among equals, the first NaN if there is one. */
#include "primitives/reduce_impl.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

static saros_status argmax_type(saros_typing *t) {
    const saros_type *in = &t->operand[0];
    int64_t axis = t->attributes->word[0];
    saros_status status = saros_axis_whole("saros_argmax", in, axis);
    if (status != SAROS_OK) return status;
    if (in->dtype >= SAROS_BOOL)
        return saros_fail(SAROS_ERR_TYPE, "saros_argmax", NULL, "numbers are needed, not %s",
                          saros_dtype_name(in->dtype));
    if (in->shape[axis] == 0)
        return saros_fail(SAROS_ERR_SHAPE, "saros_argmax", NULL, "axis %lld has no elements",
                          (long long)axis);
    status = saros_reduce_type("saros_argmax", in, INT64_C(1) << axis, &t->output[0]);
    t->output[0].dtype = SAROS_I64;
    return status;
}

static int64_t best_f64(int64_t n, int64_t step, const double *x) {
    int64_t best = 0;
    for (int64_t i = 0; i < n; ++i) {
        double a = x[i * step];
        if (a != a) return i;
        if (a > x[best * step]) best = i;
    }
    return best;
}
static int64_t best_f32(int64_t n, int64_t step, const float *x) {
    int64_t best = 0;
    for (int64_t i = 0; i < n; ++i) {
        float a = x[i * step];
        if (a != a) return i;
        if (a > x[best * step]) best = i;
    }
    return best;
}
static int64_t best_i64(int64_t n, int64_t step, const int64_t *x) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i)
        if (x[i * step] > x[best * step]) best = i;
    return best;
}
static int64_t best_i32(int64_t n, int64_t step, const int32_t *x) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i)
        if (x[i * step] > x[best * step]) best = i;
    return best;
}

static saros_status argmax_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *x = NULL;
    int64_t *y = e->out[0]->data, outer = 1, inner = 1;
    int axis = (int)e->attributes->word[0];
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &x));
    for (int a = 0; a < axis; ++a) outer *= x->shape[a];
    for (int a = axis + 1; a < x->rank; ++a) inner *= x->shape[a];
    int64_t n = x->shape[axis];
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t j = 0; j < inner; ++j) {
            int64_t at = o * n * inner + j;
            int64_t *to = &y[o * inner + j];
            if (x->dtype == SAROS_F64) *to = best_f64(n, inner, (const double *)x->data + at);
            if (x->dtype == SAROS_F32) *to = best_f32(n, inner, (const float *)x->data + at);
            if (x->dtype == SAROS_I64) *to = best_i64(n, inner, (const int64_t *)x->data + at);
            if (x->dtype == SAROS_I32) *to = best_i32(n, inner, (const int32_t *)x->data + at);
        }
done:
    saros_tensor_release(x);
    return status;
}

static void argmax_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                         const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    out[0] = saros_argmax(in[0], (int)rule->attributes.word[0] + 1);
    out_batched[0] = true;
}

const saros_primitive saros_row_argmax = {
    .name = "argmax",
    .doc = "index of the largest element along one axis, the lowest of equals",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_CONSTANT,
    .type = argmax_type,
    .evaluate = argmax_evaluate,
    .batch = argmax_batch,
    .axes = &saros_axes_argmax,
};

saros_value saros_argmax(saros_value x, int axis) {
    saros_value bad;
    if (saros_operands_bad("saros_argmax", 1, &x, &bad)) return bad;
    if (saros_axis_resolve("saros_argmax", saros_value_rank(x), &axis) != SAROS_OK)
        return saros_poison(x.graph);
    return saros_build_words(&saros_row_argmax, 1, (int64_t[]){axis}, 1, &x);
}
