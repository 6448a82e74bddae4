/** broadcast: elements repeated along new or stretched axes, always a view.
 *  Words: rank, extents, then the axis of the result for each axis of the operand.
 */
#include "primitives/build_impl.h"
#include "rows/axes_impl.h"

static saros_status broadcast_type(saros_typing *t) {
    const saros_type *in = &t->operand[0];
    const int64_t *word = t->attributes->word;
    int rank = (int)word[0];
    saros_type *out = &t->output[0];
    *out = saros_type_make(in->dtype, rank, word + 1);
    out->split = in->split & SAROS_SPLIT_PART;
    for (int a = 0; a < in->rank; ++a) {
        int64_t to = word[1 + rank + a];
        char from[96], target[96];
        if (in->shape[a] != out->shape[to] && in->shape[a] != 1)
            return saros_fail(SAROS_ERR_SHAPE, "saros_broadcast",
                              "extents must be equal, or 1 to be stretched",
                              "shape %s does not broadcast to %s: axis %d against axis %lld",
                              saros_shape_text(in, from, sizeof from),
                              saros_shape_text(out, target, sizeof target), a, (long long)to);
        if (in->split >> a & 1) out->split |= UINT32_C(1) << to;
    }
    return SAROS_OK;
}

static bool broadcast_view(const saros_attributes *attributes, const saros_tensor *in,
                           const saros_type *out, int64_t *strides, int64_t *offset) {
    for (int a = 0; a < out->rank; ++a) strides[a] = 0;
    for (int a = 0; a < saros_tensor_rank(in); ++a)
        if (saros_tensor_shape(in)[a] != 1)
            strides[attributes->word[1 + out->rank + a]] = saros_tensor_strides(in)[a];
    *offset = 0;
    return true;
}

/** Sums over what was repeated. */
static saros_value broadcast_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    saros_type in = *saros_value_type(rule->in[0]), out = *saros_value_type(rule->out[0]);
    const int64_t *to = rule->attributes.word + 1 + out.rank;
    uint32_t axes = out.rank ? (UINT32_C(1) << out.rank) - 1 : 0;
    for (int a = 0; a < in.rank; ++a)
        if (in.shape[a] == out.shape[to[a]]) axes &= ~(UINT32_C(1) << to[a]);
    return saros_reshape(saros_sum_local(*ct, axes), in.rank, in.shape);
}

static void broadcast_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                            const bool *batched, saros_value *out, bool *out_batched) {
    (void)batched;
    const int64_t *word = rule->attributes.word;
    int rank = (int)word[0], operand_rank = saros_value_rank(in[0]) - 1;
    int64_t shape[SAROS_MAX_RANK + 1] = {size};
    int axes[SAROS_MAX_RANK + 1] = {0};
    for (int a = 0; a < rank; ++a) shape[a + 1] = word[1 + a];
    for (int a = 0; a < operand_rank; ++a) axes[a + 1] = (int)word[1 + rank + a] + 1;
    out[0] = saros_broadcast(in[0], rank + 1, shape, axes);
    out_batched[0] = true;
}

const saros_primitive saros_row_broadcast = {
    .name = "broadcast",
    .doc = "elements repeated along new axes and axes of extent 1",
    .operands = 1,
    .outputs = 1,
    .type = broadcast_type,
    .evaluate = saros_evaluate_view,
    .view = broadcast_view,
    .linear_in = {0x1},
    .transpose = broadcast_transpose,
    .batch = broadcast_batch,
    .axes = &saros_axes_broadcast,
};

static saros_status check_axes(saros_value x, int rank, const int64_t *shape, const int *axes) {
    int have = saros_value_rank(x), above = -1;
    if (rank < 0 || rank > SAROS_MAX_RANK || (!axes && have > rank))
        return saros_fail(SAROS_ERR_SHAPE, "saros_broadcast", NULL,
                          "from rank %d to rank %d (at most %d is possible)", have, rank,
                          SAROS_MAX_RANK);
    for (int a = 0; a < rank; ++a)
        if (shape[a] < 0)
            return saros_fail(SAROS_ERR_SHAPE, "saros_broadcast", NULL, "extent %lld of axis %d",
                              (long long)shape[a], a);
    for (int a = 0; axes && a < have; ++a) {
        if (axes[a] <= above || axes[a] >= rank)
            return saros_fail(SAROS_ERR_SHAPE, "saros_broadcast",
                              "axes must increase; permute first for another order",
                              "axis %d of the operand to axis %d of %d", a, axes[a], rank);
        above = axes[a];
    }
    return SAROS_OK;
}

saros_value saros_broadcast(saros_value x, int rank, const int64_t *shape, const int *axes) {
    saros_value bad;
    if (saros_operands_bad("saros_broadcast", 1, &x, &bad)) return bad;
    if (check_axes(x, rank, shape, axes) != SAROS_OK) return saros_poison(x.graph);
    const saros_type *type = saros_value_type(x);
    bool same = type->rank == rank;
    for (int a = 0; same && a < rank; ++a) same = type->shape[a] == shape[a];
    if (same) return x;
    int64_t word[1 + 2 * SAROS_MAX_RANK] = {rank};
    int have = type->rank;
    for (int a = 0; a < rank; ++a) word[1 + a] = shape[a];
    for (int a = 0; a < have; ++a) word[1 + rank + a] = axes ? axes[a] : rank - have + a;
    return saros_build_words(&saros_row_broadcast, 1 + rank + have, word, 1, &x);
}
