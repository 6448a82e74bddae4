/** Tables of the axes of core's rows (axes.c), and their reading with the default of pointwise
 * rows. */
#ifndef SAROS_ROWS_AXES_IMPL_H
#define SAROS_ROWS_AXES_IMPL_H

#include "saros/primitive.h"

extern const saros_axes saros_axes_reshape, saros_axes_permute, saros_axes_broadcast,
    saros_axes_iota, saros_axes_constant, saros_axes_sum, saros_axes_max, saros_axes_min,
    saros_axes_argmax, saros_axes_dot, saros_axes_pack, saros_axes_gather, saros_axes_scatter;
/** Rows that act along the axis of word 0, or along the last one, and leave the others alone. */
extern const saros_axes saros_axes_other, saros_axes_last;

/** Where an axis of an operand goes: column `to`. */
int saros_axis_to(const saros_typing *typing, int operand, int axis);
/** Whether an axis of the outputs is made from nothing: column `made`. */
bool saros_axis_made(const saros_typing *typing, int axis);
/** The node on operands that are cut: column `cut`. */
saros_value saros_axis_cut(const saros_rule *rule, int axis, int64_t extent, saros_value first);

#endif
