/** Helpers of builders and shape rules (build_impl.h).
 *
 *  Split: bit a says that axis a is cut over ranks. A value without cut axes that still differs
 * from rank to rank carries SAROS_SPLIT_PART. Where such values meet values that are the same on
 * all ranks, the latter pass through `spread`: no communication forward, an allreduce in reverse.
 */
#include "primitives/build_impl.h"

#include <stdio.h>

bool saros_operands_bad(const char *where, int n, const saros_value *x, saros_value *out) {
    for (int k = 0; k < n; ++k) {
        if (saros_is_poisoned(x[k])) {
            *out = x[k];
            return true;
        }
    }
    for (int k = 0; k < n; ++k) {
        if (saros_is_none(x[k])) {
            saros_graph *graph = saros_graph_of(n, x);
            saros_fail(SAROS_ERR_USAGE, where, "pass a value of a graph",
                       "operand %d is no value (SAROS_NONE)", k);
            *out = graph ? saros_poison(graph) : SAROS_NONE;
            return true;
        }
    }
    return false;
}

const char *saros_shape_text(const saros_type *type, char *text, size_t bytes) {
    size_t used = 0;
    text[0] = '\0';
    for (int a = 0; a < type->rank && used < bytes; ++a)
        used += (size_t)snprintf(text + used, bytes - used, "%s%lld", a ? "," : "(",
                                 (long long)type->shape[a]);
    if (used < bytes) snprintf(text + used, bytes - used, "%s", type->rank ? ")" : "()");
    return text;
}

saros_status saros_axis_resolve(const char *where, int rank, int *axis) {
    if (*axis < -rank || *axis >= rank)
        return saros_fail(SAROS_ERR_DOMAIN, where, "axes count from 0; -1 is the last one",
                          "axis %d of a value of rank %d", *axis, rank);
    if (*axis < 0) *axis += rank;
    return SAROS_OK;
}

saros_value saros_build_words(const saros_primitive *row, int words, const int64_t *word, int n,
                              const saros_value *x) {
    saros_attributes attributes = {.word = word, .words = words};
    return saros_build(saros_graph_of(n, x), row, &attributes, n, x);
}

uint32_t saros_split_join(uint32_t a, uint32_t b) {
    uint32_t join = a | b, axes = join & ~SAROS_SPLIT_PART;
    return axes ? axes : join;
}

void saros_split_unify(int n, saros_value *x) {
    bool any = false;
    for (int k = 0; k < n; ++k) any |= saros_value_type(x[k])->split != 0;
    for (int k = 0; any && k < n; ++k)
        if (saros_value_type(x[k])->split == 0) x[k] = saros_spread(x[k]);
}

uint32_t saros_split_shift(uint32_t split, int axis, int by) {
    uint32_t part = split & SAROS_SPLIT_PART, axes = split & ~SAROS_SPLIT_PART;
    uint32_t below = axes & ((UINT32_C(1) << axis) - 1), above = axes & ~below;
    return part | below | (by >= 0 ? above << by : above >> -by);
}

saros_status saros_evaluate_view(const saros_evaluation *e) {
    saros_tensor *view = NULL;
    int64_t strides[SAROS_MAX_RANK], offset = 0;
    saros_type type = saros_tensor_type(e->out[0]);
    if (!e->row->view(e->attributes, e->in[0], &type, strides, &offset))
        return saros_fail(SAROS_ERR_INTERNAL, e->row->name, NULL, "no view of this operand");
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_tensor_view(e->in[0], type.rank, type.shape, strides, offset, &view));
    SAROS_TRY(saros_tensor_assign(e->out[0], view));
done:
    saros_tensor_release(view);
    return status;
}

saros_value saros_move_axis(saros_value x, int from, int to) {
    int rank = saros_value_rank(x), axes[SAROS_MAX_RANK], next = 0;
    for (int a = 0; a < rank; ++a) {
        if (a == to) {
            axes[a] = from;
            continue;
        }
        if (next == from) ++next;
        axes[a] = next++;
    }
    return saros_permute(x, axes);
}

saros_value saros_broadcast_leading(saros_value x, int64_t size) {
    saros_type type = *saros_value_type(x);
    int64_t shape[SAROS_MAX_RANK + 1] = {size};
    int axes[SAROS_MAX_RANK];
    for (int a = 0; a < type.rank; ++a) {
        shape[a + 1] = type.shape[a];
        axes[a] = a + 1;
    }
    return saros_broadcast(x, type.rank + 1, shape, axes);
}

saros_value saros_index(saros_graph *graph, int64_t i) {
    saros_tensor *tensor = NULL;
    if (saros_tensor_from(SAROS_I64, 0, NULL, &i, &tensor) != SAROS_OK) return saros_poison(graph);
    saros_value value = saros_constant(graph, tensor);
    saros_tensor_release(tensor);
    return value;
}
