/** Inside of the row of fused groups: its payload, and what kernel_row.c and kernel_boxes.c share.
 */
#ifndef SAROS_KERNEL_ROW_IMPL_H
#define SAROS_KERNEL_ROW_IMPL_H

#include "kernel/kernel_impl.h"

/** A kernel and its code. */
typedef struct saros_loaded {
    saros_fused kernel;
    saros_cover *cover;       /**< of loads in parts; NULL: operands are the loads */
    saros_kernel_taker taker; /**< row NULL: none */
    int operations;
    saros_kernel_codes codes;
} saros_loaded;

/** Index space and operands of one evaluation; `type` is its full shape. Loads in parts are left
 * out. */
void saros_loaded_nest(const saros_evaluation *e, const saros_loaded *l, const saros_type *type,
                       saros_nest *nest);
/** Operand k of a nest of known rank; it stands still along `axes`. */
void saros_nest_operand(saros_nest *nest, int k, const saros_tensor *tensor, uint32_t axes);
/** Nanoseconds of an element on one core; notes whether it is better left to one. */
double saros_loaded_cost(saros_nest *nest, const saros_loaded *l);
/** Evaluates a kernel that has a cover. */
saros_status saros_kernel_run_boxes(const saros_evaluation *e, saros_loaded *l,
                                    const saros_type *type);

#endif
