/** Where the elements of a result come from, for rows that move and add elements.
 *
 *      one source      the row is run on tensors of element numbers: whatever it does to these it
 *                      does to the elements (slices, pads, shifts, gathers, …)
 *      sum, max, min   all elements along the reduced axes
 *      scatter_add     the updates of each index
 *      weigh           the nodes with a weight that is not zero
 *
 *  Indices must be constants. */
#include "moves_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/function.h"
#include "weigh_impl.h"

void saros_moves_clear(saros_moves *moves) {
    saros_release(moves->start);
    saros_release(moves->source);
    saros_release(moves->weight);
    *moves = (saros_moves){0};
}

static saros_type type_of(saros_graph *graph, int32_t id) {
    return *saros_value_type((saros_value){graph, id});
}

static saros_status make(int64_t count, int64_t sources, saros_moves *out) {
    *out = (saros_moves){.count = count,
                         .start = saros_allocate_zero((size_t)count + 2, sizeof *out->start),
                         .source = saros_allocate((size_t)(sources + 1) * sizeof *out->source),
                         .sums = true};
    if (out->start && out->source) return SAROS_OK;
    saros_moves_clear(out);
    return SAROS_ERR_MEMORY;
}

/* ---- one source ---- */

/** Labels of elements start here, far above the numbers that rows fill in. */
static const double first_label = 0x1p40;

/** The index of a gather or scatter: the constant's tensor, or NULL. */
static saros_status index_tensor(saros_graph *graph, int32_t id, saros_tensor **out) {
    saros_node node = saros_graph_node(graph, id, NULL);
    saros_type type = type_of(graph, id);
    double value;
    *out = NULL;
    if (node.row != &saros_row_constant) return SAROS_OK;
    if (node.attributes.tensor) {
        *out = saros_tensor_retain(node.attributes.tensor);
        return SAROS_OK;
    }
    if (!saros_value_is_splat((saros_value){graph, id}, &value)) return SAROS_OK;
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_make(SAROS_F64, type.rank, type.shape, &wide);
    for (int64_t k = 0; status == SAROS_OK && k < saros_type_count(&type); ++k)
        ((double *)saros_tensor_data(wide))[k] = value;
    if (status == SAROS_OK) status = saros_tensor_cast(wide, type.dtype, out);
    saros_tensor_release(wide);
    return status;
}

/** Labels of elements `from`, `from`+1, … in the shape of a value. */
static saros_status numbers(const saros_type *type, int64_t from, saros_tensor **out) {
    saros_status status = saros_tensor_make(SAROS_F64, type->rank, type->shape, out);
    for (int64_t k = 0; status == SAROS_OK && k < saros_type_count(type); ++k)
        ((double *)saros_tensor_data(*out))[k] = first_label + (double)(from + k);
    return status;
}

/** A label is the element it stands for; anything else is what the row fills in. */
static saros_status read_labels(const saros_tensor *label, saros_moves *out) {
    int64_t count = saros_tensor_count(label), at = 0;
    const double *of = saros_tensor_const_data(label);
    saros_status status = make(count, count, out);
    for (int64_t e = 0; e < count && status == SAROS_OK; ++e) {
        if (of[e] >= first_label) out->source[at++] = (int32_t)(of[e] - first_label);
        out->start[e + 1] = at;
    }
    return status;
}

static saros_status labelled(saros_graph *graph, const saros_node *node, saros_moves *out,
                             bool *found) {
    saros_status status = SAROS_OK;
    saros_tensor *label = NULL, *whole = NULL;
    saros_tensor **in = saros_allocate_zero((size_t)node->operands, sizeof *in);
    int64_t from = 0;
    *found = true;
    if (!in) return SAROS_ERR_MEMORY;
    for (int k = 0; k < node->operands && *found; ++k) {
        saros_type type = type_of(graph, node->operand[k]);
        if (k == 1 && node->row == &saros_row_gather) {
            SAROS_TRY(index_tensor(graph, node->operand[k], &in[k]));
            *found = in[k] != NULL;
        } else {
            SAROS_TRY(numbers(&type, from, &in[k]));
        }
        from += saros_type_count(&type);
    }
    if (!*found) goto done;
    SAROS_TRY(saros_apply(node->row, &node->attributes, node->operands, in, &label));
    SAROS_TRY(saros_tensor_contiguous(label, &whole));
    status = read_labels(whole, out);
done:
    for (int k = 0; k < node->operands; ++k) saros_tensor_release(in[k]);
    saros_release(in);
    saros_tensor_release(label);
    saros_tensor_release(whole);
    return status;
}

/* ---- several sources ---- */

/** From the element that each source goes into (to[e], counted in start[to + 1]) to lists. */
static saros_status group(int64_t count, int64_t sources, const int64_t *to, saros_moves *out) {
    saros_status status = make(count, sources, out);
    if (status) return status;
    /* start[k + 1] is moved along while k is filled, and ends as the start of k + 1 */
    for (int64_t e = 0; e < sources; ++e) out->start[to[e] + 2]++;
    for (int64_t k = 0; k < count; ++k) out->start[k + 2] += out->start[k + 1];
    for (int64_t e = 0; e < sources; ++e) out->source[out->start[to[e] + 1]++] = (int32_t)e;
    return SAROS_OK;
}

/** Element of the result that element `flat` of `in` goes into. */
static int64_t reduced(const saros_type *in, uint32_t axes, int64_t flat) {
    int64_t to = 0, extent = 1;
    for (int a = in->rank - 1; a >= 0; --a) {
        int64_t at = flat % in->shape[a];
        flat /= in->shape[a];
        if (axes >> a & 1) continue;
        to += at * extent;
        extent *= in->shape[a];
    }
    return to;
}

static saros_status reduction(saros_graph *graph, const saros_node *node, saros_moves *out) {
    saros_type in = type_of(graph, node->operand[0]), type = type_of(graph, node->output);
    int64_t from = saros_type_count(&in);
    int64_t *to = saros_allocate((size_t)(from + 1) * sizeof *to);
    if (!to) return SAROS_ERR_MEMORY;
    for (int64_t e = 0; e < from; ++e) to[e] = reduced(&in, (uint32_t)node->attributes.word[0], e);
    saros_status status = group(saros_type_count(&type), from, to, out);
    saros_release(to);
    if (status == SAROS_OK) out->sums = node->row == &saros_row_sum;
    return status;
}

/** Updates lie as (outer, index, inner), sums as (outer, extent, inner); indices are clamped. */
static saros_status scatter(saros_graph *graph, const saros_node *node, saros_moves *out,
                            bool *found) {
    saros_type update = type_of(graph, node->operand[0]), type = type_of(graph, node->output);
    saros_tensor *index = NULL, *wide = NULL, *whole = NULL;
    int axis = (int)node->attributes.word[0];
    int64_t inner = 1, outer = 1, picks, extent = type.shape[axis];
    saros_status status = index_tensor(graph, node->operand[1], &index);
    *found = status == SAROS_OK && index != NULL;
    if (!*found) return status;
    for (int a = 0; a < axis; ++a) outer *= type.shape[a];
    for (int a = axis + 1; a < type.rank; ++a) inner *= type.shape[a];
    picks = saros_tensor_count(index);
    int64_t from = saros_type_count(&update);
    int64_t *to = saros_allocate((size_t)(from + 1) * sizeof *to);
    if (!to) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_tensor_cast(index, SAROS_I64, &wide));
    SAROS_TRY(saros_tensor_contiguous(wide, &whole));
    const int64_t *at = saros_tensor_const_data(whole);
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t p = 0; p < picks; ++p) {
            int64_t row = at[p] < 0 ? 0 : at[p] >= extent ? extent - 1 : at[p];
            for (int64_t i = 0; i < inner; ++i)
                to[(o * picks + p) * inner + i] = (o * extent + row) * inner + i;
        }
    status = group(saros_type_count(&type), from, to, out);
done:
    saros_release(to);
    saros_tensor_release(index);
    saros_tensor_release(wide);
    saros_tensor_release(whole);
    return status;
}

static saros_status weighed(saros_graph *graph, const saros_node *node, saros_moves *out) {
    saros_type in = type_of(graph, node->operand[0]), type = type_of(graph, node->output);
    int axis;
    int64_t rows, columns, inner = 1, at = 0;
    saros_weigh_read(&node->attributes, &axis, &rows, &columns);
    for (int a = axis + 1; a < in.rank; ++a) inner *= in.shape[a];
    int64_t count = saros_type_count(&type);
    saros_status status = make(count, count * columns, out);
    if (status) return status;
    out->weight = saros_allocate((size_t)(count * columns + 1) * sizeof *out->weight);
    if (!out->weight) {
        saros_moves_clear(out);
        return SAROS_ERR_MEMORY;
    }
    for (int64_t e = 0; e < count; ++e) {
        int64_t i = e % inner, k = e / inner % rows, o = e / inner / rows;
        for (int64_t j = 0; j < columns; ++j) {
            double m = saros_weigh_number(&node->attributes, k, j);
            if (m == 0) continue;
            out->source[at] = (int32_t)((o * columns + j) * inner + i);
            out->weight[at++] = m;
        }
        out->start[e + 1] = at;
    }
    return SAROS_OK;
}

/* ---- */

static bool has_one_source(const saros_primitive *row) {
    const saros_primitive *const rows[] = {
        &saros_row_reshape, &saros_row_permute, &saros_row_broadcast,
        &saros_row_slice,   &saros_row_pad,     &saros_row_shift,
        &saros_row_reverse, &saros_row_concat,  &saros_row_gather};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; ++k)
        if (row == rows[k]) return true;
    return false;
}

saros_status saros_moves_find(saros_graph *graph, const saros_node *node, saros_moves *out,
                              bool *found) {
    int64_t all = 0;
    *out = (saros_moves){0};
    for (int k = 0; k < node->operands; ++k) {
        saros_type type = type_of(graph, node->operand[k]);
        all += saros_type_count(&type);
    }
    *found = all < INT32_MAX;
    if (!*found) return SAROS_OK;
    if (has_one_source(node->row)) return labelled(graph, node, out, found);
    if (node->row == &saros_row_sum || node->row == &saros_row_max || node->row == &saros_row_min)
        return reduction(graph, node, out);
    if (node->row == &saros_row_scatter_add) return scatter(graph, node, out, found);
    if (node->row == &saros_row_weigh) return weighed(graph, node, out);
    *found = false;
    return SAROS_OK;
}
