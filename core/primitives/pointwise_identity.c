/** cast, stop_gradient, alias: the same numbers in another dtype or with another meaning; and the
 * constants made from a value, saros_like and saros_zeros_like.
 */
#include "primitives/build_impl.h"
#include "primitives/pointwise_impl.h"

/* ---- cast ---- */
static saros_status cast_type(saros_typing *t) {
    t->output[0] = t->operand[0];
    t->output[0].dtype = (saros_dtype)t->attributes->word[0];
    if (t->operand[0].dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, "saros_cast", NULL, "an opaque value has no elements");
    return SAROS_OK;
}
static saros_status cast_evaluate(const saros_evaluation *e) {
    return saros_tensor_assign(e->out[0], e->in[0]);
}
static saros_value cast_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    return saros_cast(*ct, saros_value_dtype(rule->in[0]));
}
const saros_primitive saros_row_cast = {
    .name = "cast",
    .doc = "the same numbers in another dtype; floats to integers truncate",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE,
    .type = cast_type,
    .evaluate = cast_evaluate,
    .linear_in = {0x1},
    .transpose = cast_transpose,
};
/** The operand of x if x is a cast that lost nothing and came from `dtype`. */
static bool came_from(saros_value x, saros_dtype dtype, saros_value *out) {

    saros_node node = saros_graph_node(x.graph, x.id, NULL);
    if (node.row != &saros_row_cast) return false;
    *out = (saros_value){x.graph, node.operand[0]};
    saros_dtype through = saros_value_dtype(x);
    return saros_value_dtype(*out) == dtype && saros_dtype_promote(dtype, through) == through &&
           saros_dtype_bytes(dtype) < saros_dtype_bytes(through);
}
saros_value saros_cast(saros_value x, saros_dtype dtype) {
    saros_value source;
    if (saros_operands_bad("saros_cast", 1, &x, &source)) return source;
    if ((int)dtype < 0 || dtype >= SAROS_OPAQUE) {
        saros_fail(SAROS_ERR_TYPE, "saros_cast", NULL, "%d is no dtype of arrays", (int)dtype);
        return saros_poison(x.graph);
    }
    if (saros_value_dtype(x) == dtype) return x;
    if (came_from(x, dtype, &source)) return source;
    return saros_build_words(&saros_row_cast, 1, (int64_t[]){(int64_t)dtype}, 1, &x);
}

/* ---- stop_gradient, alias ---- */
static bool identity_view(const saros_attributes *attributes, const saros_tensor *in,
                          const saros_type *out, int64_t *strides, int64_t *offset) {
    (void)attributes;
    for (int a = 0; a < out->rank; ++a) strides[a] = saros_tensor_strides(in)[a];
    *offset = 0;
    return true;
}
static saros_value identity_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)rule, (void)operand;
    return *ct;
}
const saros_primitive saros_row_stop_gradient = {
    .name = "stop_gradient",
    .doc = "identity whose tangent is zero",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = saros_type_any,
    .evaluate = saros_evaluate_view,
    .view = identity_view,
};
saros_value saros_stop_gradient(saros_value x) {
    return saros_unary_build(&saros_row_stop_gradient, SAROS_PROMOTE_NONE, x);
}

const saros_primitive saros_row_alias = {
    .name = "alias",
    .doc = "identity that is never merged: the argument of a derivative",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_DISTINCT,
    .type = saros_type_any,
    .evaluate = saros_evaluate_view,
    .view = identity_view,
    .linear_in = {0x1},
    .transpose = identity_transpose,
};
saros_value saros_alias(saros_value x) {
    return saros_unary_build(&saros_row_alias, SAROS_PROMOTE_NONE, x);
}

/* ---- constants like a value ---- */
saros_value saros_like(saros_value x, double number) {
    saros_value bad;
    if (saros_operands_bad("saros_like", 1, &x, &bad)) return bad;
    return saros_scalar(x.graph, saros_value_dtype(x), number);
}
saros_value saros_zeros_like(saros_value x) {
    saros_value bad;
    if (saros_operands_bad("saros_zeros_like", 1, &x, &bad)) return bad;
    saros_type type = *saros_value_type(x);
    return saros_splat(x.graph, &type, 0.0);
}
