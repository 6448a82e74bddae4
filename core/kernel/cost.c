/** Floating operations of a kernel: those of its arithmetic, for every element of its index space.
 *
 *  Elementary functions are not seen here: they were expanded into sums and products before. */
#include "graph_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/rows.h"

/** Of x^n by squaring, and the division where n is negative. */
static int64_t multiplications(int64_t n) {
    int64_t count = n < 0;
    for (uint64_t m = n < 0 ? -(uint64_t)n : (uint64_t)n; m > 1; m >>= 1) count += m & 1 ? 2 : 1;
    return count;
}

static int64_t of_one(const saros_fused_operation *o) {
    static const saros_primitive *const counted[] = {
        &saros_row_add, &saros_row_sub,  &saros_row_mul,     &saros_row_div,
        &saros_row_neg, &saros_row_sqrt, &saros_row_maximum, &saros_row_minimum};
    if (!o->row || !saros_dtype_is_float(o->dtype)) return 0;
    if (o->row == &saros_row_fma) return 2;
    if (o->row == &saros_row_power) return multiplications(o->word);
    for (size_t k = 0; k < sizeof counted / sizeof *counted; ++k)
        if (o->row == counted[k]) return 1;
    return 0;
}

int64_t saros_kernel_cost(const saros_evaluation *e) {
    const saros_fused *kernel = saros_kernel_of(e->attributes->tensor);
    saros_type type;
    int64_t each = 0;
    for (int k = 0; k < kernel->operations; ++k) each += of_one(&kernel->operation[k]);
    for (int k = 0; k < kernel->outs; ++k)
        each += kernel->reduce[k] && saros_dtype_is_float(saros_tensor_dtype(e->out[k]));
    saros_type_from_words(e->attributes->word, &type);
    return each * saros_type_count(&type);
}
