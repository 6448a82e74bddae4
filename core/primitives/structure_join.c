/** concat, stack (reshape and concat), iota. */
#include <string.h>

#include "pool_impl.h"
#include "primitives/build_impl.h"
#include "saros/memory.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

enum {
    PARTS = 4, /* of rows whose ends are joined, as of small kernels */
    ROWS = 32  /* fewer are not */
};

/* ---- concat: word axis ---- */

static saros_status concat_type(saros_typing *t) {
    int axis = (int)t->attributes->word[0];
    saros_type *out = &t->output[0];
    *out = t->operand[0];
    saros_status status = saros_axis_whole("saros_concat", out, axis);
    for (int k = 1; status == SAROS_OK && k < t->operands; ++k) {
        saros_type like = t->operand[k];
        uint32_t split = saros_split_join(out->split, like.split);
        char first[96], other[96];
        if (like.rank == out->rank) like.shape[axis] = out->shape[axis];
        like.split = out->split;
        if (!saros_type_equal(&like, out))
            return saros_fail(SAROS_ERR_SHAPE, "saros_concat", "extents but one must be equal",
                              "operand 0 is %s, operand %d is %s, joined along axis %d",
                              saros_type_text(&t->operand[0], first, sizeof first), k,
                              saros_type_text(&t->operand[k], other, sizeof other), axis);
        out->shape[axis] += t->operand[k].shape[axis];
        out->split = split;
        status = saros_axis_whole("saros_concat", &t->operand[k], axis);
    }
    return status;
}

/** Rows first … end - 1 of all operands, those along axis 0, which is not the joined one; or all.
 */
static void join_rows(const saros_evaluation *e, int64_t first, int64_t end) {
    const saros_tensor *out = e->out[0];
    const int axis = (int)e->attributes->word[0];
    const int64_t bytes = (int64_t)saros_dtype_bytes(out->dtype);
    char *to = out->data;
    for (int k = 0; k < e->ins; ++k) {
        const saros_tensor *in = e->in[k];
        int64_t shape[SAROS_MAX_RANK];
        if (in->count == 0) continue;
        memcpy(shape, in->shape, sizeof shape);
        if (axis > 0) shape[0] = end - first;
        if (!saros_is_window(in, out, to))
            saros_copy_strided(in->rank, shape, out->dtype, to + first * out->strides[0] * bytes,
                               out->strides, in->dtype,
                               (const char *)in->data +
                                   first * in->strides[0] * (int64_t)saros_dtype_bytes(in->dtype),
                               in->strides);
        to += in->shape[axis] * out->strides[axis] * bytes;
    }
}

static saros_status join_part(void *user, int64_t task) {
    const saros_evaluation *e = user;
    const int64_t rows = e->out[0]->shape[0];
    join_rows(e, rows * task / PARTS, rows * (task + 1) / PARTS);
    return SAROS_OK;
}

/** Ghosts at the ends of rows: a line of memory each, which is in the cache of whoever made the
 * row. */
static bool is_thin(const saros_evaluation *e) {
    const saros_tensor *out = e->out[0];
    const int axis = (int)e->attributes->word[0];
    int64_t copied = 0;
    if (axis == 0 || out->shape[0] < ROWS || out->count < 16 * out->shape[0]) return false;
    for (int k = 0; k < e->ins; ++k)
        if (e->in[k]->shape[axis] * 8 < out->shape[axis]) copied += e->in[k]->count;
    return copied > 0 && copied < 16 * out->shape[0];
}

static saros_status concat_evaluate(const saros_evaluation *e) {
    if (is_thin(e)) return saros_pool_run_after(PARTS, join_part, (void *)(uintptr_t)e);
    join_rows(e, 0, e->out[0]->shape[0]);
    return SAROS_OK;
}

static bool concat_window(const saros_attributes *attributes, int operands,
                          const saros_type *const *operand, int k, int64_t *start) {
    int axis = (int)attributes->word[0];
    (void)operands;
    for (int a = 0; a < operand[0]->rank; ++a) start[a] = 0;
    for (int j = 0; j < k; ++j) start[axis] += operand[j]->shape[axis];
    return true;
}

static saros_value concat_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    int axis = (int)rule->attributes.word[0];
    int64_t first = 0;
    for (int k = 0; k < operand; ++k) first += saros_value_type(rule->in[k])->shape[axis];
    int64_t extent = saros_value_type(rule->in[operand])->shape[axis];
    return saros_slice(*ct, axis, first, first + extent, 1);
}

static void concat_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                         const bool *batched, saros_value *out, bool *out_batched) {
    saros_value *x = saros_allocate((size_t)rule->ins * sizeof *x);
    out_batched[0] = true;
    if (!x) {
        out[0] = saros_poison(rule->graph);
        return;
    }
    for (int k = 0; k < rule->ins; ++k)
        x[k] = batched[k] ? in[k] : saros_broadcast_leading(in[k], size);
    out[0] = saros_concat(rule->ins, x, (int)rule->attributes.word[0] + 1);
    saros_release(x);
}

const saros_primitive saros_row_concat = {
    .name = "concat",
    .doc = "values joined along one axis",
    .operands = -2,
    .outputs = 1,
    .flags = SAROS_STRIDED,
    .type = concat_type,
    .evaluate = concat_evaluate,
    .window = concat_window,
    .linear_in = {~(saros_operand_set)0},
    .transpose = concat_transpose,
    .batch = concat_batch,
    .axes = &saros_axes_other,
};

/** Copies of x with one dtype and one split; with a new axis at `axis` if `stacked`. */
static saros_value join(const char *where, int n, const saros_value *x, int axis, bool stacked) {
    saros_value bad;
    if (n < 1) {
        saros_fail(SAROS_ERR_USAGE, where, NULL, "%d values, at least one is needed", n);
        return SAROS_NONE;
    }
    if (saros_operands_bad(where, n, x, &bad)) return bad;
    saros_graph *graph = saros_graph_of(n, x);
    if (saros_axis_resolve(where, saros_value_rank(x[0]) + stacked, &axis) != SAROS_OK)
        return saros_poison(graph);
    saros_value *y = saros_allocate((size_t)n * sizeof *y);
    if (!y) return saros_poison(graph);
    saros_dtype dtype = saros_value_dtype(x[0]);
    for (int k = 1; k < n; ++k) dtype = saros_dtype_promote(dtype, saros_value_dtype(x[k]));
    for (int k = 0; k < n; ++k) {
        y[k] = saros_cast(x[k], dtype);
        if (!stacked) continue;
        saros_type type = *saros_value_type(y[k]);
        int64_t shape[SAROS_MAX_RANK + 1];
        int at = axis > type.rank ? type.rank : axis;
        for (int a = 0; a <= type.rank; ++a)
            shape[a] = a < at ? type.shape[a] : a == at ? 1 : type.shape[a - 1];
        y[k] = saros_reshape(y[k], type.rank + 1, shape);
    }
    saros_split_unify(n, y);
    saros_value joined =
        n == 1 ? y[0] : saros_build_words(&saros_row_concat, 1, (int64_t[]){axis}, n, y);
    saros_release(y);
    return joined;
}

saros_value saros_concat(int n, const saros_value *x, int axis) {
    return join("saros_concat", n, x, axis, false);
}

saros_value saros_stack(int n, const saros_value *x, int axis) {
    return join("saros_stack", n, x, axis, true);
}

/* ---- iota: words type, axis ---- */

static saros_status iota_type(saros_typing *t) {
    int words = saros_type_from_words(t->attributes->word, &t->output[0]);
    if (t->output[0].dtype >= SAROS_BOOL)
        return saros_fail(SAROS_ERR_TYPE, "saros_iota", NULL, "%s does not count",
                          saros_dtype_name(t->output[0].dtype));
    return saros_axis_whole("saros_iota", &t->output[0], t->attributes->word[words]);
}

static saros_status iota_evaluate(const saros_evaluation *e) {
    saros_tensor *out = e->out[0], *count = NULL;
    saros_status status = SAROS_OK;
    int axis = (int)e->attributes->word[e->attributes->words - 1];
    int64_t n = out->shape[axis], strides[SAROS_MAX_RANK] = {0};
    SAROS_TRY(saros_tensor_make(SAROS_I64, 1, &n, &count));
    int64_t *i64 = saros_tensor_data(count);
    for (int64_t i = 0; i < n; ++i) i64[i] = i;
    strides[axis] = 1;
    if (out->count)
        saros_copy_strided(out->rank, out->shape, out->dtype, out->data, out->strides, SAROS_I64,
                           i64, strides);
done:
    saros_tensor_release(count);
    return status;
}

static void iota_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                       const bool *batched, saros_value *out, bool *out_batched) {
    (void)size, (void)in, (void)batched;
    out[0] = saros_build(rule->graph, rule->row, &rule->attributes, 0, NULL);
    out_batched[0] = false;
}

const saros_primitive saros_row_iota = {
    .name = "iota",
    .doc = "0, 1, 2 … along one axis",
    .operands = 0,
    .outputs = 1,
    .flags = SAROS_CONSTANT,
    .type = iota_type,
    .evaluate = iota_evaluate,
    .batch = iota_batch,
    .axes = &saros_axes_iota,
};

saros_value saros_iota(saros_graph *graph, const saros_type *type, int axis) {
    if (saros_axis_resolve("saros_iota", type->rank, &axis) != SAROS_OK) return saros_poison(graph);
    int64_t word[SAROS_TYPE_WORDS + 1];
    int words = saros_words_from_type(type, word);
    word[words] = axis;
    saros_attributes attributes = {.word = word, .words = words + 1};
    return saros_build(graph, &saros_row_iota, &attributes, 0, NULL);
}
