/** Folding while building: constants, and algebra that holds bit for bit.
 *
 *  - a POINTWISE row of splats is the splat of the row's own value on scalars;
 *  - a row with a `view` column rearranges elements, so of a splat it is a splat;
 *  - an operand equal to the row's unit leaves the other one (x*1, x/1, x-0);
 *  - an involution of itself (neg neg x).
 * Nothing else: x*0 keeps its NaN, x+0 its sign of zero. */
#include "graph_impl.h"
#include "saros/region.h"
#include "tensor_impl.h"

enum { MOST_OPERANDS = 8 };

static bool all_splats(const saros_graph *graph, int operands, const int32_t *operand) {
    for (int k = 0; k < operands; ++k)
        if (!saros_graph_splat(graph, operand[k])) return false;
    return true;
}

static int32_t fold_pointwise(saros_graph *graph, const saros_primitive *row,
                              const saros_attributes *attributes, int operands,
                              const int32_t *operand, const saros_type *output) {
    int64_t cell[MOST_OPERANDS], result = 0;
    saros_tensor header[MOST_OPERANDS], out_header, *in[MOST_OPERANDS], *out[1] = {&out_header};
    for (int k = 0; k < operands; ++k) {
        const saros_graph_record *r = saros_graph_splat(graph, operand[k]);
        saros_dtype dtype = (saros_dtype)r->word[0];
        saros_element_from_word(dtype, r->word[r->words - 1], &cell[k]);
        saros_tensor_embed(&header[k], dtype, 0, NULL, NULL, &cell[k]);
        in[k] = &header[k];
    }
    saros_tensor_embed(&out_header, output->dtype, 0, NULL, NULL, &result);
    saros_evaluation evaluation = {row, attributes, operands, 1, in, out, NULL, NULL};
    /* A row may refuse the numbers; then it says so when the program runs. */
    if (row->evaluate(&evaluation) != SAROS_OK) return -1;
    return saros_graph_splat_word(graph, output, saros_word_from_element(output->dtype, &result));
}

static int32_t drop_unit(const saros_graph *graph, const saros_primitive *row,
                         const int32_t *operand, const saros_type *output) {
    for (int k = 0; k < 2; ++k) {
        if (!(row->unit_operands >> k & 1)) continue;
        const saros_graph_record *r = saros_graph_splat(graph, operand[k]);
        if (!r) continue;
        int64_t word = r->word[r->words - 1];
        int64_t unit = saros_dtype_is_float((saros_dtype)r->word[0]) ? saros_bits(row->unit)
                                                                     : (int64_t)row->unit;
        if (word == unit && saros_type_equal(graph->type[operand[1 - k]], output))
            return operand[1 - k];
    }
    return -1;
}

int32_t saros_graph_fold(saros_graph *graph, const saros_primitive *row,
                         const saros_attributes *attributes, int operands, const int32_t *operand,
                         const saros_type *output) {
    if (row->unit_operands && operands == 2) {
        int32_t other = drop_unit(graph, row, operand, output);
        if (other >= 0) return other;
    }
    if (row->flags & SAROS_INVOLUTION && operands == 1) {
        const saros_graph_record *inner = saros_graph_maker(graph, operand[0]);
        if (inner->row == row) return inner->operand[0];
    }
    bool pointwise = row->flags & SAROS_POINTWISE && operands <= MOST_OPERANDS;
    bool rearranges = row->view && operands == 1;
    if ((!pointwise && !rearranges) || output->dtype == SAROS_OPAQUE) return -1;
    if (!all_splats(graph, operands, operand)) return -1;
    if (pointwise) return fold_pointwise(graph, row, attributes, operands, operand, output);
    const saros_graph_record *r = saros_graph_splat(graph, operand[0]);
    if ((saros_dtype)r->word[0] != output->dtype) return -1;
    return saros_graph_splat_word(graph, output, r->word[r->words - 1]);
}
