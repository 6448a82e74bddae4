/** The rows that products of matrices are lowered to: pack and accumulate. */
#include "gemm/lower_impl.h"
#include "primitives/dot_impl.h"
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

/** 2 m n k: the sum goes into the last addition. */
static int64_t accumulate_operations(const saros_evaluation *e) {
    const saros_dot_side a = saros_dot_read(e->attributes->word, 0, e->in[1]->rank);
    int64_t k = 1;
    for (int i = 0; i < a.contracts; ++i) k *= e->in[1]->shape[a.contract[i]];
    return 2 * k * e->out[0]->count;
}

const saros_primitive saros_row_accumulate = {
    .name = "accumulate",
    .doc = "a sum and a contraction, in the sum's memory",
    .operands = 3,
    .outputs = 1,
    .flags = SAROS_IN_PLACE,
    .type = accumulate_type,
    .evaluate = accumulate_evaluate,
    .operations = accumulate_operations,
};
