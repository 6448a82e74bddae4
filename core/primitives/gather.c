/** gather and scatter_add, each the transpose of the other in its first operand.
 *
 *  gather: word axis; that axis of the table is replaced by the axes of the index. scatter_add:
 * words axis, extent; rows of the update are added to zeros, in index order, so that sums are
 * repeatable. Indices out of range are clamped in both.
 */
#include <string.h>

#include "primitives/build_impl.h"
#include "saros/pool.h"
#include "tensor_impl.h"
#include "rows/axes_impl.h"

/* ---- shapes ---- */

static saros_status check_index(const char *where, const saros_type *index) {
    if (index->dtype != SAROS_I64 && index->dtype != SAROS_I32)
        return saros_fail(SAROS_ERR_TYPE, where, NULL, "the index is %s; i64 or i32 is needed",
                          saros_dtype_name(index->dtype));
    return SAROS_OK;
}

static saros_status gather_type(saros_typing *t) {
    const saros_type *table = &t->operand[0], *index = &t->operand[1];
    int axis = (int)t->attributes->word[0];
    saros_type *out = &t->output[0];
    saros_status status = saros_axis_whole("saros_gather", table, axis);
    if (status == SAROS_OK) status = check_index("saros_gather", index);
    if (status != SAROS_OK) return status;
    if (table->rank - 1 + index->rank > SAROS_MAX_RANK)
        return saros_fail(SAROS_ERR_SHAPE, "saros_gather", NULL, "the result has rank %d",
                          table->rank - 1 + index->rank);
    if (table->shape[axis] == 0 && saros_type_count(index) > 0)
        return saros_fail(SAROS_ERR_SHAPE, "saros_gather", NULL, "axis %d of the table is empty",
                          axis);
    *out = saros_type_make(table->dtype, 0, NULL);
    for (int a = 0; a < axis; ++a) out->shape[out->rank++] = table->shape[a];
    for (int a = 0; a < index->rank; ++a) out->shape[out->rank++] = index->shape[a];
    for (int a = axis + 1; a < table->rank; ++a) out->shape[out->rank++] = table->shape[a];
    uint32_t own = table->split & ~SAROS_SPLIT_PART, of_index = index->split & ~SAROS_SPLIT_PART;
    out->split = saros_split_join(
        saros_split_shift(own & ~(UINT32_C(1) << axis), axis, index->rank - 1), of_index << axis);
    out->split = saros_split_join(out->split, (table->split | index->split) & SAROS_SPLIT_PART);
    return SAROS_OK;
}

static saros_status scatter_type(saros_typing *t) {
    const saros_type *update = &t->operand[0], *index = &t->operand[1];
    int axis = (int)t->attributes->word[0], n = index->rank;
    int64_t extent = t->attributes->word[1];
    saros_type *out = &t->output[0];
    char a[96], b[96];
    saros_status status = check_index("saros_scatter_add", index);
    if (status != SAROS_OK) return status;
    bool fits = axis >= 0 && axis + n <= update->rank;
    for (int k = 0; fits && k < n; ++k) fits = update->shape[axis + k] == index->shape[k];
    if (!fits || update->dtype >= SAROS_BOOL)
        return saros_fail(SAROS_ERR_SHAPE, "saros_scatter_add", NULL,
                          "update %s does not have the axes of index %s at axis %d",
                          saros_type_text(update, a, sizeof a), saros_type_text(index, b, sizeof b),
                          axis);
    if (extent < 0 || (extent == 0 && saros_type_count(index) > 0))
        return saros_fail(SAROS_ERR_SHAPE, "saros_scatter_add", NULL, "extent %lld",
                          (long long)extent);
    *out = saros_type_make(update->dtype, 0, NULL);
    for (int k = 0; k < axis; ++k) {
        out->split |= update->split & UINT32_C(1) << k;
        out->shape[out->rank++] = update->shape[k];
    }
    out->shape[out->rank++] = extent;
    for (int k = axis + n; k < update->rank; ++k) {
        if (update->split >> k & 1) out->split |= UINT32_C(1) << out->rank;
        out->shape[out->rank++] = update->shape[k];
    }
    if (!out->split && (update->split || index->split)) out->split = SAROS_SPLIT_PART;
    return SAROS_OK;
}

/* ---- evaluation ---- */

/** Index as i64, clamped to 0 … extent-1. */
static saros_status read_index(const saros_tensor *index, int64_t extent, saros_tensor **out) {
    saros_status status = saros_tensor_cast(index, SAROS_I64, out);
    if (status != SAROS_OK) return status;
    int64_t *i = (*out)->data;
    for (int64_t k = 0; k < (*out)->count; ++k)
        i[k] = i[k] < 0 ? 0 : i[k] >= extent ? extent - 1 : i[k];
    return SAROS_OK;
}

static int64_t product(int first, int last, const int64_t *shape) {
    int64_t n = 1;
    for (int a = first; a < last; ++a) n *= shape[a];
    return n;
}

/* A gather cut into runs of rows, each read once: no copy of the index, which is clamped here. */
typedef struct gathering {
    const char *from;
    char *to;
    const int64_t *index;
    int64_t extent, count, rows; /* of the axis; of the index; of the result */
    size_t row;                  /* bytes of one */
} gathering;

enum { ROWS_AT_ONCE = 8192 };

static int64_t clamped(int64_t i, int64_t extent) {
    return i < 0 ? 0 : i >= extent ? extent - 1 : i;
}

/* Rows first … last-1 of one slice; numbers of one word are moved as such. */
static void gather_slice(const gathering *g, const char *from, const int64_t *index, int64_t n,
                         char *to) {
    const uint64_t *from8 = (const void *)from;
    const uint32_t *from4 = (const void *)from;
    uint64_t *to8 = (void *)to;
    uint32_t *to4 = (void *)to;
    if (g->row == sizeof *to8)
        for (int64_t k = 0; k < n; ++k) to8[k] = from8[clamped(index[k], g->extent)];
    else if (g->row == sizeof *to4)
        for (int64_t k = 0; k < n; ++k) to4[k] = from4[clamped(index[k], g->extent)];
    else
        for (int64_t k = 0; k < n; ++k)
            memcpy(to + (size_t)k * g->row, from + (size_t)clamped(index[k], g->extent) * g->row,
                   g->row);
}

static saros_status gather_run(void *user, int64_t task) {
    const gathering *g = user;
    int64_t at = task * ROWS_AT_ONCE, end = at + ROWS_AT_ONCE;
    if (end > g->rows) end = g->rows;
    while (at < end) {
        int64_t slice = at / g->count, k = at % g->count;
        int64_t n = g->count - k < end - at ? g->count - k : end - at;
        gather_slice(g, g->from + (size_t)(slice * g->extent) * g->row, g->index + k, n,
                     g->to + (size_t)at * g->row);
        at += n;
    }
    return SAROS_OK;
}

static saros_status gather_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *table = NULL, *index = NULL;
    int axis = (int)e->attributes->word[0];
    if (e->out[0]->count == 0) return SAROS_OK;
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &table));
    if (e->in[1]->dtype == SAROS_I64)
        SAROS_TRY(saros_tensor_contiguous(e->in[1], &index));
    else
        SAROS_TRY(saros_tensor_cast(e->in[1], SAROS_I64, &index));
    gathering g = {.from = table->data,
                   .to = e->out[0]->data,
                   .index = index->data,
                   .extent = table->shape[axis],
                   .count = index->count,
                   .rows = product(0, axis, table->shape) * index->count};
    g.row = (size_t)product(axis + 1, table->rank, table->shape) * saros_dtype_bytes(table->dtype);
    status = saros_pool_run((g.rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, gather_run, &g);
done:
    saros_tensor_release(table);
    saros_tensor_release(index);
    return status;
}

static void add_row(saros_dtype dtype, int64_t n, void *to, const void *from) {
    double *f64 = to;
    float *f32 = to;
    uint64_t *i64 = to;
    uint32_t *i32 = to;
    if (dtype == SAROS_F64)
        for (int64_t j = 0; j < n; ++j) f64[j] += ((const double *)from)[j];
    if (dtype == SAROS_F32)
        for (int64_t j = 0; j < n; ++j) f32[j] += ((const float *)from)[j];
    if (dtype == SAROS_I64)
        for (int64_t j = 0; j < n; ++j) i64[j] += ((const uint64_t *)from)[j];
    if (dtype == SAROS_I32)
        for (int64_t j = 0; j < n; ++j) i32[j] += ((const uint32_t *)from)[j];
}

static saros_status scatter_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *update = NULL, *index = NULL, *y = e->out[0];
    int axis = (int)e->attributes->word[0];
    int64_t extent = e->attributes->word[1], bytes = (int64_t)saros_dtype_bytes(y->dtype);
    memset(y->data, 0, (size_t)(y->count * bytes));
    if (e->in[0]->count == 0) return SAROS_OK;
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &update));
    SAROS_TRY(read_index(e->in[1], extent, &index));
    int64_t outer = product(0, axis, y->shape), inner = product(axis + 1, y->rank, y->shape);
    const int64_t *i = index->data;
    const char *from = update->data;
    char *to = y->data;
    for (int64_t o = 0; o < outer; ++o, to += extent * inner * bytes)
        for (int64_t k = 0; k < index->count; ++k, from += inner * bytes)
            add_row(y->dtype, inner, to + i[k] * inner * bytes, from);
done:
    saros_tensor_release(update);
    saros_tensor_release(index);
    return status;
}

/* ---- derivatives and batches ---- */

static saros_value scatter_local(saros_value update, saros_value index, int axis, int64_t extent) {
    return saros_build_words(&saros_row_scatter_add, 2, (int64_t[]){axis, extent}, 2,
                             (saros_value[]){update, index});
}

static saros_value gather_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    int axis = (int)rule->attributes.word[0];
    return scatter_local(*ct, rule->in[1], axis, saros_value_type(rule->in[0])->shape[axis]);
}

static saros_value scatter_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    (void)operand;
    return saros_gather(*ct, rule->in[1], (int)rule->attributes.word[0]);
}

/** Index into tables of `extent` rows laid end to end; `index` has the leading batch axis. */
static saros_value flat_index(saros_value index, int64_t extent) {
    saros_graph *graph = index.graph;
    index = saros_cast(index, SAROS_I64);
    saros_type type = *saros_value_type(index);
    saros_value clamped =
        saros_minimum(saros_maximum(index, saros_index(graph, 0)), saros_index(graph, extent - 1));
    return saros_add(clamped, saros_mul(saros_iota(graph, &type, 0), saros_index(graph, extent)));
}

/** x with its axes 0 and 1 merged. */
static saros_value merge_leading(saros_value x) {
    saros_type type = *saros_value_type(x);
    type.shape[1] *= type.shape[0];
    return saros_reshape(x, type.rank - 1, type.shape + 1);
}

static void gather_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                         const bool *batched, saros_value *out, bool *out_batched) {
    (void)size;
    int axis = (int)rule->attributes.word[0];
    out_batched[0] = true;
    if (!batched[1]) {
        out[0] = saros_gather(in[0], in[1], axis + 1);
    } else if (!batched[0]) {
        out[0] = saros_move_axis(saros_gather(in[0], in[1], axis), axis, 0);
    } else {
        int64_t extent = saros_value_type(in[0])->shape[axis + 1];
        saros_value tables = merge_leading(saros_move_axis(in[0], axis + 1, 1));
        out[0] = saros_gather(tables, flat_index(in[1], extent), 0);
        /* (size, index…, rest…): the index axes go behind the first `axis` axes of the rest */
        int order[SAROS_MAX_RANK], n = 0, index = saros_value_rank(in[1]) - 1;
        int rank = saros_value_rank(out[0]);
        order[n++] = 0;
        for (int a = 0; a < axis; ++a) order[n++] = 1 + index + a;
        for (int a = 0; a < index; ++a) order[n++] = 1 + a;
        for (int a = 1 + index + axis; a < rank; ++a) order[n++] = a;
        out[0] = saros_permute(out[0], order);
    }
}

static void scatter_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                          const bool *batched, saros_value *out, bool *out_batched) {
    int axis = (int)rule->attributes.word[0], index = saros_value_rank(rule->in[1]);
    int64_t extent = rule->attributes.word[1];
    out_batched[0] = true;
    if (!batched[1]) {
        out[0] = scatter_local(in[0], in[1], axis + 1, extent);
        return;
    }
    saros_value update = batched[0] ? in[0] : saros_broadcast_leading(in[0], size);
    int order[SAROS_MAX_RANK], n = 0, rank = saros_value_rank(update);
    order[n++] = 0;
    for (int a = 0; a < index; ++a) order[n++] = 1 + axis + a;
    for (int a = 0; a < axis; ++a) order[n++] = 1 + a;
    for (int a = 1 + axis + index; a < rank; ++a) order[n++] = a;
    saros_value sum =
        scatter_local(saros_permute(update, order), flat_index(in[1], extent), 0, size * extent);
    saros_type type = *saros_value_type(sum);
    int64_t shape[SAROS_MAX_RANK + 1] = {size, extent};
    for (int a = 1; a < type.rank; ++a) shape[a + 1] = type.shape[a];
    out[0] = saros_move_axis(saros_reshape(sum, type.rank + 1, shape), 1, axis + 1);
}

const saros_primitive saros_row_gather = {
    .name = "gather",
    .doc = "rows of a table along one axis, by index; out of range is clamped",
    .operands = 2,
    .outputs = 1,
    .type = gather_type,
    .evaluate = gather_evaluate,
    .linear_in = {0x1},
    .transpose = gather_transpose,
    .batch = gather_batch,
    .axes = &saros_axes_gather,
};
const saros_primitive saros_row_scatter_add = {
    .name = "scatter_add",
    .doc = "zeros plus rows added at an index along one axis",
    .operands = 2,
    .outputs = 1,
    .type = scatter_type,
    .evaluate = scatter_evaluate,
    .linear_in = {0x1},
    .transpose = scatter_transpose,
    .batch = scatter_batch,
    .axes = &saros_axes_scatter,
};

saros_value saros_gather(saros_value table, saros_value index, int axis) {
    saros_value x[] = {table, index}, bad;
    if (saros_operands_bad("saros_gather", 2, x, &bad)) return bad;
    if (saros_axis_resolve("saros_gather", saros_value_rank(table), &axis) != SAROS_OK)
        return saros_poison(saros_graph_of(2, x));
    saros_split_unify(2, x);
    return saros_build_words(&saros_row_gather, 1, (int64_t[]){axis}, 2, x);
}

saros_value saros_scatter_add(saros_value update, saros_value index, int axis, int64_t extent) {
    saros_value x[] = {update, index}, bad;
    if (saros_operands_bad("saros_scatter_add", 2, x, &bad)) return bad;
    int rank = saros_value_rank(update) - saros_value_rank(index) + 1;
    if (saros_axis_resolve("saros_scatter_add", rank, &axis) != SAROS_OK)
        return saros_poison(saros_graph_of(2, x));
    saros_split_unify(2, x);
    uint32_t cut = 0;
    for (int k = 0; k < saros_value_rank(index); ++k) cut |= UINT32_C(1) << (axis + k);
    bool summed = saros_value_type(x[0])->split & cut;
    saros_value sum = scatter_local(x[0], x[1], axis, extent);
    return summed ? saros_allreduce(sum) : sum;
}
