/** What an evaluation costs: floating operations by its row, bytes by the shapes of its operands.
 */
#include "profile_impl.h"
#include "saros/rows.h"

/** Bytes of the elements there are: an axis along which a tensor stands still counts once. */
static int64_t footprint(const saros_tensor *t) {
    if (!t || t->dtype == SAROS_OPAQUE) return 0;
    int64_t count = 1;
    for (int a = 0; a < t->rank; ++a) count *= t->strides[a] || !t->shape[a] ? t->shape[a] : 1;
    return count * (int64_t)saros_dtype_bytes(t->dtype);
}

/** Rows that move numbers and compute none. */
static bool moves_only(const saros_primitive *row) {
    return row == &saros_row_where || row == &saros_row_cast || row == &saros_row_alias ||
           row == &saros_row_stop_gradient;
}

void saros_evaluation_cost(const saros_evaluation *e, int64_t *operations, int64_t *bytes) {
    *operations = *bytes = 0;
    if (e->row->flags & SAROS_REGION) return; /* its bodies are recorded themselves */
    for (int k = 0; k < e->ins; ++k) *bytes += footprint(e->in[k]);
    for (int k = 0; k < e->outs; ++k) *bytes += footprint(e->out[k]);
    const saros_tensor *out = e->outs ? e->out[0] : NULL;
    if (e->row->operations)
        *operations = e->row->operations(e);
    else if (e->row->flags & SAROS_POINTWISE && out && saros_dtype_is_float(out->dtype) &&
             !moves_only(e->row))
        *operations = out->count;
}
