/** What the builders and shape rules of core share: operand checks, axes, error texts. */
#ifndef SAROS_BUILD_IMPL_H
#define SAROS_BUILD_IMPL_H

#include "graph_impl.h"
#include "saros/ops.h"
#include "saros/rows.h"

/** Whether an operand is poisoned or absent; then *out is what the builder has to return. */
bool saros_operands_bad(const char *where, int n, const saros_value *x, saros_value *out);
/** "(3,4)" of a shape into `text`; returns `text`. */
const char *saros_shape_text(const saros_type *type, char *text, size_t bytes);
/** Axis counted from the front. Errors: DOMAIN. */
saros_status saros_axis_resolve(const char *where, int rank, int *axis);
/** Errors: DOMAIN if there is no such axis, UNSUPPORTED if it is cut over ranks. */
saros_status saros_axis_whole(const char *where, const saros_type *type, int64_t axis);
/** Appends row(x) with `words` attribute words. */
saros_value saros_build_words(const saros_primitive *row, int words, const int64_t *word, int n,
                              const saros_value *x);
/** Splits of operands joined: an axis mask, or SAROS_SPLIT_PART alone if no axis carries it. */
uint32_t saros_split_join(uint32_t a, uint32_t b);
/** Spreads every x that is the same on all ranks if another one is split. */
void saros_split_unify(int n, saros_value *x);
/** Bits above `axis` moved by `by` places (axes appear or vanish at `axis`). */
uint32_t saros_split_shift(uint32_t split, int axis, int by);
/** Copies `in` elementwise to the output: column `evaluate` of rows that have a `view`. */
saros_status saros_evaluate_view(const saros_evaluation *evaluation);
/** x moved so that axis `from` becomes axis `to`. */
saros_value saros_move_axis(saros_value x, int from, int to);
/** x with a new leading axis of extent `size`, every entry x. */
saros_value saros_broadcast_leading(saros_value x, int64_t size);
/** Sum over `axes` of what this rank holds: saros_sum without the sum over ranks. */
saros_value saros_sum_local(saros_value x, uint32_t axes);
/** i64 scalar constant. */
saros_value saros_index(saros_graph *graph, int64_t i);

#endif
