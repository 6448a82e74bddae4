/** Building of pointwise nodes: promotion of dtypes, broadcasting of shapes (NumPy's rules), and
 * the shape rules that check the result. Rows themselves only ever see equal shapes.
 */
#include <stdio.h>

#include "primitives/build_impl.h"
#include "primitives/pointwise_impl.h"

/* ---- shape rules ---- */

static saros_status mismatch(const saros_typing *t, int k, const char *what) {
    char name[64], first[96], other[96];
    snprintf(name, sizeof name, "saros_%s", t->row->name);
    saros_type_text(&t->operand[0], first, sizeof first);
    saros_type_text(&t->operand[k], other, sizeof other);
    return saros_fail(SAROS_ERR_TYPE, name, NULL, "%s: operand 0 is %s, operand %d is %s", what,
                      first, k, other);
}

/** Operands from `first` on share a dtype, all share shape; output 0 gets it. */
static saros_status same(saros_typing *t, int first) {
    t->output[0] = t->operand[first];
    t->output[0].split = t->operand[0].split;
    for (int k = 0; k < t->operands; ++k) {
        saros_type like = t->operand[k];
        like.split = t->output[0].split;
        if (k < first) like.dtype = t->output[0].dtype;
        if (!saros_type_equal(&like, &t->output[0])) return mismatch(t, k, "operands differ");
        t->output[0].split = saros_split_join(t->output[0].split, t->operand[k].split);
    }
    return SAROS_OK;
}

saros_status saros_type_any(saros_typing *t) {
    return same(t, 0);
}

saros_status saros_type_number(saros_typing *t) {
    if (t->operand[0].dtype >= SAROS_BOOL) return mismatch(t, 0, "numbers are needed");
    return same(t, 0);
}

saros_status saros_type_float(saros_typing *t) {
    if (!saros_dtype_is_float(t->operand[0].dtype)) return mismatch(t, 0, "f64 or f32 is needed");
    return same(t, 0);
}

saros_status saros_type_compare(saros_typing *t) {
    saros_status status = same(t, 0);
    t->output[0].dtype = SAROS_BOOL;
    return status;
}

saros_status saros_type_mask(saros_typing *t) {
    if (t->operand[0].dtype != SAROS_BOOL) return mismatch(t, 0, "masks (bool) are needed");
    return same(t, 0);
}

/* ---- building ---- */

static saros_dtype promoted(saros_promotion promotion, int first, int n, const saros_value *x) {
    saros_dtype dtype = saros_value_dtype(x[first]);
    for (int k = first + 1; k < n; ++k) dtype = saros_dtype_promote(dtype, saros_value_dtype(x[k]));
    if (promotion == SAROS_PROMOTE_NUMBER && dtype == SAROS_BOOL) dtype = SAROS_I64;
    if (promotion == SAROS_PROMOTE_FLOAT && !saros_dtype_is_float(dtype)) dtype = SAROS_F64;
    return dtype;
}

/** Common shape of the operands into `out`; false if there is none. */
static bool broadcast_shape(int n, const saros_value *x, saros_type *out) {
    out->rank = 0;
    for (int k = 0; k < n; ++k)
        if (saros_value_rank(x[k]) > out->rank) out->rank = saros_value_rank(x[k]);
    for (int a = 0; a < out->rank; ++a) out->shape[a] = 1;
    for (int k = 0; k < n; ++k) {
        const saros_type *type = saros_value_type(x[k]);
        int64_t *shape = out->shape + (out->rank - type->rank);
        for (int a = 0; a < type->rank; ++a) {
            if (shape[a] == 1)
                shape[a] = type->shape[a];
            else if (type->shape[a] != 1 && type->shape[a] != shape[a])
                return false;
        }
    }
    return true;
}

static saros_value no_broadcast(const saros_primitive *row, int n, const saros_value *x) {
    char where[64];
    snprintf(where, sizeof where, "saros_%s", row->name);
    char text[SAROS_POINTWISE_MAX * 128] = "", shape[120];
    size_t used = 0;
    for (int k = 0; k < n; ++k)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", k ? " and " : "",
                                 saros_shape_text(saros_value_type(x[k]), shape, sizeof shape));
    saros_fail(SAROS_ERR_SHAPE, where, "aligned at the last axis, extents must be equal or 1",
               "shapes %s do not broadcast", text);
    return saros_poison(saros_graph_of(n, x));
}

/** Whether the operands are values of one graph, of one type as they are: nothing to promote, to
 * broadcast or to report. Types are interned, so equal ones are one. */
static bool as_they_are(saros_promotion promotion, int n, const saros_value *x) {
    saros_graph *graph = x[0].graph;
    if (!graph || x[0].id < 0) return false;
    const saros_type *type = graph->type[x[0].id];
    for (int k = 1; k < n; ++k)
        if (x[k].graph != graph || x[k].id < 0 || graph->type[x[k].id] != type) return false;
    if (promotion == SAROS_PROMOTE_FLOAT) return saros_dtype_is_float(type->dtype);
    return type->dtype < (promotion == SAROS_PROMOTE_NUMBER ? SAROS_BOOL : SAROS_OPAQUE);
}

/** The operand in the shape of `type`; a splat at once as the splat it would be folded to. */
static saros_value in_shape(saros_value x, const saros_type *type) {
    const saros_graph_record *splat = x.id < 0 ? NULL : saros_graph_splat(x.graph, x.id);
    if (!splat || x.graph->type[x.id]->split)
        return saros_broadcast(x, type->rank, type->shape, NULL);
    saros_type full = *type;
    full.dtype = x.graph->type[x.id]->dtype;
    int32_t id = saros_graph_splat_word(x.graph, &full, splat->word[splat->words - 1]);
    return id < 0 ? saros_poison(x.graph) : (saros_value){x.graph, id};
}

/** The error of operands that are poisoned, absent or no arrays. */
static saros_value refused(const saros_primitive *row, int n, const saros_value *x) {
    char where[64];
    saros_value bad;
    snprintf(where, sizeof where, "saros_%s", row->name);
    if (saros_operands_bad(where, n, x, &bad)) return bad;
    int k = 0;
    while (k < n - 1 && saros_value_dtype(x[k]) != SAROS_OPAQUE) ++k;
    saros_fail(SAROS_ERR_TYPE, where, NULL, "operand %d is opaque, no array", k);
    return saros_poison(saros_graph_of(n, x));
}

/** The general case of saros_pointwise_build. */
static saros_value build_joined(const saros_primitive *row, saros_promotion promotion, int first,
                                int n, const saros_value *x) {
    saros_value operand[SAROS_POINTWISE_MAX];
    saros_type type = {0};
    for (int k = 0; k < n; ++k) {
        if (x[k].id < 0 || saros_value_dtype(x[k]) == SAROS_OPAQUE) return refused(row, n, x);
        operand[k] = x[k];
    }
    if (!broadcast_shape(n, x, &type)) return no_broadcast(row, n, x);
    if (promotion != SAROS_PROMOTE_NONE) {
        saros_dtype dtype = promoted(promotion, first, n, x);
        for (int k = first; k < n; ++k) operand[k] = saros_cast(operand[k], dtype);
    }
    saros_split_unify(n, operand);
    for (int k = 0; k < n; ++k) operand[k] = in_shape(operand[k], &type);
    return saros_build_words(row, 0, NULL, n, operand);
}

saros_value saros_pointwise_build(const saros_primitive *row, saros_promotion promotion, int first,
                                  int n, const saros_value *x) {
    if (as_they_are(promotion, n, x)) return saros_build(x[0].graph, row, NULL, n, x);
    return build_joined(row, promotion, first, n, x);
}

saros_value saros_unary_build(const saros_primitive *row, saros_promotion promotion,
                              saros_value x) {
    return saros_pointwise_build(row, promotion, 0, 1, &x);
}

saros_value saros_binary_build(const saros_primitive *row, saros_promotion promotion, saros_value a,
                               saros_value b) {
    return saros_pointwise_build(row, promotion, 0, 2, (saros_value[]){a, b});
}
