/** reshape, permute, broadcast: the same elements seen in another shape.
 *  All are views where the strides allow it; only a reshape of an array with gaps copies.
 */
#include "primitives/build_impl.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

/* ---- reshape: words are the new extents ---- */

/** Where split axis a of `in` is found in `out`: the same extent after the same number of elements;
 * the leading axis may also be merged with those that follow. */
static bool split_follows(const saros_type *in, int a, saros_type *out) {
    int64_t before = 1, seen = 1;
    for (int k = 0; k < a; ++k) before *= in->shape[k];
    for (int k = 0; k < out->rank; ++k) {
        bool merges = before == 1 && in->shape[a] > 0 && out->shape[k] % in->shape[a] == 0;
        if (seen == before && (out->shape[k] == in->shape[a] || merges)) {
            out->split |= UINT32_C(1) << k;
            return true;
        }
        seen *= out->shape[k];
    }
    return false;
}

static saros_status reshape_type(saros_typing *t) {
    const saros_type *in = &t->operand[0];
    saros_type *out = &t->output[0];
    char from[96], to[96];
    *out = saros_type_make(in->dtype, t->attributes->words, t->attributes->word);
    out->split = in->split & SAROS_SPLIT_PART;
    if (saros_type_count(in) != saros_type_count(out))
        return saros_fail(SAROS_ERR_SHAPE, "saros_reshape", NULL,
                          "shape %s has %lld elements, %s would have %lld",
                          saros_shape_text(in, from, sizeof from), (long long)saros_type_count(in),
                          saros_shape_text(out, to, sizeof to), (long long)saros_type_count(out));
    for (int a = 0; a < in->rank; ++a)
        if (in->split >> a & 1 && !split_follows(in, a, out))
            return saros_fail(SAROS_ERR_UNSUPPORTED, "saros_reshape", NULL,
                              "axis %d is cut over ranks and does not survive %s to %s", a,
                              saros_shape_text(in, from, sizeof from),
                              saros_shape_text(out, to, sizeof to));
    return SAROS_OK;
}

/** Strides of `out` over the elements of `in`: axes are matched in groups of equal size, and a
 * group of `in` must be without gaps. */
static bool reshape_view(const saros_attributes *attributes, const saros_tensor *in,
                         const saros_type *out, int64_t *strides, int64_t *offset) {
    (void)attributes;
    const int64_t *shape = saros_tensor_shape(in), *step = saros_tensor_strides(in);
    int rank = saros_tensor_rank(in), a = 0, b = 0;
    *offset = 0;
    if (saros_tensor_is_contiguous(in) || saros_type_count(out) == 0) {
        saros_strides_fill(out->rank, out->shape, strides);
        return true;
    }
    while (a < rank && b < out->rank) {
        int first = a;
        int64_t have = shape[a++], want = out->shape[b], run;
        int begin = b++;
        while (have != want) {
            if (have < want)
                have *= shape[a++];
            else
                want *= out->shape[b++];
        }
        while (a < rank && b == out->rank && shape[a] == 1) ++a;
        int last = -1; /* the group's innermost axis that counts */
        for (int k = a - 1; k >= first; --k) {
            if (shape[k] == 1) continue;
            if (last >= 0 && step[k] != run) return false;
            if (last < 0) last = k;
            run = step[k] * shape[k];
        }
        int64_t stride = last >= 0 ? step[last] : 1;
        for (int k = b - 1; k >= begin; --k) {
            strides[k] = stride;
            stride *= out->shape[k];
        }
    }
    for (; b < out->rank; ++b) strides[b] = 1;
    return true;
}

static saros_status reshape_evaluate(const saros_evaluation *e) {
    const saros_tensor *in = e->in[0];
    int64_t strides[SAROS_MAX_RANK];
    saros_strides_fill(in->rank, in->shape, strides);
    saros_copy_strided(in->rank, in->shape, in->dtype, saros_tensor_data(e->out[0]), strides,
                       in->dtype, in->data, in->strides);
    return SAROS_OK;
}

static saros_value reshape_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    saros_type type = *saros_value_type(rule->in[0]);
    return saros_reshape(*ct, type.rank, type.shape);
}

static void reshape_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                          const bool *batched, saros_value *out, bool *out_batched) {
    (void)batched;
    int64_t shape[SAROS_MAX_RANK + 1] = {size};
    for (int a = 0; a < rule->attributes.words; ++a) shape[a + 1] = rule->attributes.word[a];
    out[0] = saros_reshape(in[0], rule->attributes.words + 1, shape);
    out_batched[0] = true;
}

const saros_primitive saros_row_reshape = {
    .name = "reshape",
    .doc = "the same elements, in row-major order, in another shape",
    .operands = 1,
    .outputs = 1,
    .type = reshape_type,
    .evaluate = reshape_evaluate,
    .view = reshape_view,
    .linear_in = {0x1},
    .transpose = reshape_transpose,
    .batch = reshape_batch,
    .axes = &saros_axes_reshape,
};

/** Fills the one extent given as -1. */
static void infer_extent(saros_value x, int rank, int64_t *shape) {
    int64_t known = 1, unknown = -1;
    for (int a = 0; a < rank; ++a) {
        if (shape[a] >= 0)
            known *= shape[a];
        else if (unknown < 0)
            unknown = a;
    }
    int64_t count = saros_type_count(saros_value_type(x));
    if (unknown >= 0 && known > 0 && count % known == 0) shape[unknown] = count / known;
}

saros_value saros_reshape(saros_value x, int rank, const int64_t *shape) {
    saros_value bad;
    if (saros_operands_bad("saros_reshape", 1, &x, &bad)) return bad;
    if (rank < 0 || rank > SAROS_MAX_RANK) {
        saros_fail(SAROS_ERR_SHAPE, "saros_reshape", NULL, "rank %d, at most %d is possible", rank,
                   SAROS_MAX_RANK);
        return saros_poison(x.graph);
    }
    int64_t extent[SAROS_MAX_RANK];
    for (int a = 0; a < rank; ++a) extent[a] = shape[a];
    infer_extent(x, rank, extent);
    for (int a = 0; a < rank; ++a)
        if (extent[a] < 0) {
            saros_fail(SAROS_ERR_SHAPE, "saros_reshape", "one extent may be -1: what is left",
                       "extent %lld of axis %d does not fit", (long long)shape[a], a);
            return saros_poison(x.graph);
        }
    saros_node node = saros_graph_node(x.graph, x.id, NULL);
    if (node.row == &saros_row_reshape) x.id = node.operand[0];
    saros_type type = *saros_value_type(x), like = type;
    like.rank = rank;
    for (int a = 0; a < rank; ++a) like.shape[a] = extent[a];
    if (saros_type_equal(&type, &like)) return x;
    return saros_build_words(&saros_row_reshape, rank, extent, 1, &x);
}

/* ---- permute: axis k of the result is axis word[k] of x ---- */

static saros_status permute_type(saros_typing *t) {
    const saros_type *in = &t->operand[0];
    saros_type *out = &t->output[0];
    *out = *in;
    out->split = in->split & SAROS_SPLIT_PART;
    uint32_t seen = 0;
    for (int a = 0; a < in->rank; ++a) {
        int64_t from = t->attributes->word[a];
        if (from < 0 || from >= in->rank || seen >> from & 1)
            return saros_fail(SAROS_ERR_SHAPE, "saros_permute", "name every axis once",
                              "axes are no permutation of 0 … %d", in->rank - 1);
        seen |= UINT32_C(1) << from;
        out->shape[a] = in->shape[from];
        if (in->split >> from & 1) out->split |= UINT32_C(1) << a;
    }
    return SAROS_OK;
}

static bool permute_view(const saros_attributes *attributes, const saros_tensor *in,
                         const saros_type *out, int64_t *strides, int64_t *offset) {
    for (int a = 0; a < out->rank; ++a) strides[a] = saros_tensor_strides(in)[attributes->word[a]];
    *offset = 0;
    return true;
}

static saros_value permute_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    int axes[SAROS_MAX_RANK];
    for (int a = 0; a < rule->attributes.words; ++a) axes[rule->attributes.word[a]] = a;
    return saros_permute(*ct, axes);
}

static void permute_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                          const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)batched;
    int axes[SAROS_MAX_RANK + 1] = {0};
    for (int a = 0; a < rule->attributes.words; ++a)
        axes[a + 1] = (int)rule->attributes.word[a] + 1;
    out[0] = saros_permute(in[0], axes);
    out_batched[0] = true;
}

const saros_primitive saros_row_permute = {
    .name = "permute",
    .doc = "axes in another order",
    .operands = 1,
    .outputs = 1,
    .type = permute_type,
    .evaluate = saros_evaluate_view,
    .view = permute_view,
    .linear_in = {0x1},
    .transpose = permute_transpose,
    .batch = permute_batch,
    .axes = &saros_axes_permute,
};

saros_value saros_permute(saros_value x, const int *axes) {
    saros_value bad;
    if (saros_operands_bad("saros_permute", 1, &x, &bad)) return bad;
    int rank = saros_value_rank(x);
    int64_t word[SAROS_MAX_RANK];
    bool moves = false;
    for (int a = 0; a < rank; ++a) {
        int from = axes[a];
        if (saros_axis_resolve("saros_permute", rank, &from) != SAROS_OK)
            return saros_poison(x.graph);
        word[a] = from;
    }
    saros_node node = saros_graph_node(x.graph, x.id, NULL);
    if (node.row == &saros_row_permute) {
        x.id = node.operand[0];
        for (int a = 0; a < rank; ++a) word[a] = node.attributes.word[word[a]];
    }
    for (int a = 0; a < rank; ++a) moves |= word[a] != a;
    return moves ? saros_build_words(&saros_row_permute, rank, word, 1, &x) : x;
}

saros_value saros_transpose(saros_value x) {
    saros_value bad;
    if (saros_operands_bad("saros_transpose", 1, &x, &bad)) return bad;
    int rank = saros_value_rank(x), axes[SAROS_MAX_RANK];
    if (rank < 2) {
        saros_fail(SAROS_ERR_SHAPE, "saros_transpose", NULL, "rank %d, at least 2 is needed", rank);
        return saros_poison(x.graph);
    }
    for (int a = 0; a < rank; ++a) axes[a] = a;
    axes[rank - 1] = rank - 2;
    axes[rank - 2] = rank - 1;
    return saros_permute(x, axes);
}
