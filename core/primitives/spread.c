/** spread and allreduce: between values that are the same on all ranks and values that are not.
 *
 *  spread: the same numbers, from now on regarded as this rank's part; no communication. allreduce:
 * the sum over ranks of what each holds. With x̄ the sum over ranks of all cotangents, the transpose
 * of one is the other. Without a communicator there is one rank and both are the identity.
 */
#include "primitives/build_impl.h"
#include "saros/function.h"

static bool identity_view(const saros_attributes *attributes, const saros_tensor *in,
                          const saros_type *out, int64_t *strides, int64_t *offset) {
    (void)attributes;
    for (int a = 0; a < out->rank; ++a) strides[a] = saros_tensor_strides(in)[a];
    *offset = 0;
    return true;
}

static saros_status spread_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    if (t->operand[0].split == 0) t->output[0].split = SAROS_SPLIT_PART;
    return SAROS_OK;
}

static saros_value spread_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)rule, (void)operand;
    return saros_allreduce(*ct);
}

/** The row on a batched operand is the row: both act on elements. */
static void same_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                       const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    out[0] = saros_build(rule->graph, rule->row, &rule->attributes, 1, in);
    out_batched[0] = true;
}

const saros_primitive saros_row_spread = {
    .name = "spread",
    .doc = "the same numbers on all ranks, seen as each rank's part",
    .operands = 1,
    .outputs = 1,
    .type = spread_type,
    .evaluate = saros_evaluate_view,
    .view = identity_view,
    .linear_in = {0x1},
    .transpose = spread_transpose,
    .batch = same_batch,
};

saros_value saros_spread(saros_value x) {
    saros_value bad;
    if (saros_operands_bad("saros_spread", 1, &x, &bad)) return bad;
    return saros_value_type(x)->split ? x : saros_build_words(&saros_row_spread, 0, NULL, 1, &x);
}

static saros_status allreduce_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    t->output[0].split = 0;
    if (t->operand[0].dtype >= SAROS_BOOL)
        return saros_fail(SAROS_ERR_TYPE, "saros_allreduce", NULL, "%s has no sum",
                          saros_dtype_name(t->operand[0].dtype));
    return SAROS_OK;
}

static saros_status allreduce_evaluate(const saros_evaluation *e) {
    const saros_communicator *c = e->communicator;
    saros_status status = saros_tensor_assign(e->out[0], e->in[0]);
    if (status != SAROS_OK || !c || c->ranks == 1) return status;
    return c->allreduce(c, saros_tensor_dtype(e->out[0]), saros_tensor_count(e->out[0]),
                        saros_tensor_data(e->out[0]));
}

/** An operand that is the same on all ranks is spread without a word; so its parts are summed. */
static saros_value allreduce_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    saros_value part = saros_spread(*ct);
    return saros_value_type(rule->in[operand])->split ? part : saros_allreduce(part);
}

const saros_primitive saros_row_allreduce = {
    .name = "allreduce",
    .doc = "sum over ranks, the same numbers on each",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_ORDERED,
    .type = allreduce_type,
    .evaluate = allreduce_evaluate,
    .linear_in = {0x1},
    .transpose = allreduce_transpose,
    .batch = same_batch,
};

saros_value saros_allreduce(saros_value x) {
    saros_value bad;
    if (saros_operands_bad("saros_allreduce", 1, &x, &bad)) return bad;
    return saros_build_words(&saros_row_allreduce, 0, NULL, 1, &x);
}
