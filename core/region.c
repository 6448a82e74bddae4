/** What the regions share: nodes of several outputs, poisoned results, row-major operands. */
#include <string.h>

#include "region_impl.h"
#include "saros/memory.h"

bool saros_region_fits(const saros_type *got, const saros_type *needed) {
    saros_type like = *got;
    if (like.split && needed->split) like.split = needed->split;
    return saros_type_equal(&like, needed);
}

void saros_poison_all(saros_graph *graph, int n, saros_value *out) {
    saros_value poisoned = saros_poison(graph);
    for (int k = 0; k < n; ++k) out[k] = poisoned;
}

void saros_build_all(saros_graph *graph, const saros_primitive *row,
                     const saros_attributes *attributes, int operands, const saros_value *operand,
                     int n, saros_value *out) {
    saros_value first = saros_build(graph, row, attributes, operands, operand);
    for (int k = 0; k < n; ++k) out[k] = saros_output(first, k);
}

void saros_dense_free(saros_dense *dense) {
    for (int k = 0; k < dense->count; ++k) saros_tensor_release(dense->tensor[k]);
    saros_release(dense->tensor);
    *dense = (saros_dense){0};
}

saros_status saros_dense_make(int count, saros_tensor *const *in, saros_dense *out) {
    *out = (saros_dense){.tensor = saros_allocate((size_t)count * sizeof(saros_tensor *))};
    if (!out->tensor) return SAROS_ERR_MEMORY;
    for (; out->count < count; ++out->count) {
        saros_status status = saros_tensor_contiguous(in[out->count], &out->tensor[out->count]);
        if (status != SAROS_OK) {
            saros_dense_free(out);
            return status;
        }
    }
    return SAROS_OK;
}
