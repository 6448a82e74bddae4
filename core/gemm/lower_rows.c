/** The rows that products of matrices are lowered to: pack and accumulate. */
#include "gemm/lower_impl.h"
#include "primitives/dot_impl.h"
#include "primitives/operations_impl.h"
#include "rows/axes_impl.h"
#include "tensor_impl.h"

/* ---- pack ---- */

static saros_status pack_type(saros_typing *t) {
    const int first = (int)t->attributes->word[0];
    t->output[0] = t->operand[0];
    for (int a = 0; a < 2; ++a)
        t->output[0].shape[a] = t->operand[0].shape[a == 0 ? first : 1 - first];
    return SAROS_OK;
}

static saros_status pack_evaluate(const saros_evaluation *e) {
    const saros_tensor *in = e->in[0], *out = e->out[0];
    const int first = (int)e->attributes->word[0];
    const int64_t strides[2] = {in->strides[first], in->strides[1 - first]};
    saros_copy_strided(2, out->shape, out->dtype, out->data, out->strides, in->dtype, in->data,
                       strides);
    return SAROS_OK;
}

const saros_primitive saros_row_pack = {
    .name = "pack",
    .doc = "a matrix copied row-major, for products with it",
    .operands = 1,
    .outputs = 1,
    .type = pack_type,
    .evaluate = pack_evaluate,
    .axes = &saros_axes_pack,
};

/* ---- accumulate ---- */

static saros_status accumulate_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    return SAROS_OK;
}

static saros_status accumulate_evaluate(const saros_evaluation *e) {
    const saros_tensor *sum = e->in[0], *out = e->out[0];
    if (out->data != sum->data)
        saros_copy_strided(out->rank, out->shape, out->dtype, out->data, out->strides, sum->dtype,
                           sum->data, sum->strides);
    return saros_dot_add(e->attributes->word, e->in[1], e->in[2], e->out[0]);
}

const saros_primitive saros_row_accumulate = {
    .name = "accumulate",
    .doc = "a sum and a contraction, in the sum's memory",
    .operands = 3,
    .outputs = 1,
    .flags = SAROS_IN_PLACE,
    .type = accumulate_type,
    .evaluate = accumulate_evaluate,
    .operations = saros_count_dot,
};
