/** Derivatives of one node: a row's own column where it has one, else derived from `linear_in`,
 * `transpose` and `partial`. Failures poison the results. */
#ifndef SAROS_AUTODIFF_NODE_IMPL_H
#define SAROS_AUTODIFF_NODE_IMPL_H

#include "saros/autodiff.h"
#include "saros/region.h"

/** A row with the columns that regions get from this floor. */
saros_primitive ad_columns(const saros_primitive *row);

static inline bool ad_in_set(saros_operand_set set, int operand) {
    return (set >> (operand < 63 ? operand : 63)) & 1;
}
/** Index of the linear set that holds `operand`, or -1. */
int ad_linear_set(const saros_primitive *row, int operand);
/** Whether operand k of the rule is of a dtype that carries tangents. */
bool ad_is_float(saros_value v);

/** Operands of `set` in `to` become from[k*stride], zeros where that is NONE. False (and nothing
 * done) if all are NONE. */
bool ad_substitute(const saros_rule *rule, saros_operand_set set, const saros_value *from,
                   int stride, saros_value *to);
/** Appends the node with operands `in` and adds its float outputs to
 * out[m*stride]. */
void ad_append(const saros_rule *rule, const saros_value *in, saros_value *out, int stride);
/** Records that `row` has no rule and poisons `outs` values. */
void ad_missing(const saros_rule *rule, const char *mode, int operand, int count,
                saros_value *values);

/** tangent: one per operand; out_tangent: NONE at first. */
void ad_node_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent);
/** gradient: one per operand, NONE at first. */
void ad_node_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                 saros_value *gradient);
/** series and out_series in the layout of the row's column; coefficients 0 filled by the caller. */
void ad_node_jet(const saros_rule *rule, int order, const saros_value *series,
                 saros_value *out_series);

/** saros_jvp, saros_vjp and saros_jet for rules, which know what their values hang on. */
void ad_jvp(int outs, const saros_value *out, int ins, const saros_value *in,
            const saros_value *tangent, saros_value *out_tangent);
void ad_vjp(int outs, const saros_value *out, const saros_value *cotangent, int ins,
            const saros_value *in, saros_value *gradient);
void ad_jet(int outs, const saros_value *out, int ins, const saros_value *in, int order,
            const saros_value *series, saros_value *out_series);
/** Refuses `in` that are computed from what the result depends on by other ways (independent.c). */
saros_status ad_independent(const char *where, int outs, const saros_value *out, int ins,
                            const saros_value *in);

/** Whether the row is multilinear, in at most two sets, in the operands that move; gives the sets.
 */
bool ad_multilinear(const saros_rule *rule, const bool *moving, saros_operand_set set[2],
                    int *sets);

/** Copies `body` into `graph`, batched where needed; out_batched tells which outputs carry the
 * axis. */
saros_status ad_batch_body(saros_graph *graph, saros_body *body, int64_t size,
                           const saros_value *in, const bool *batched, saros_value *out,
                           bool *out_batched);
/** `v` with a leading axis of extent `size`. */
saros_value ad_lead(saros_value v, int64_t size);

/* ---- rules of regions ---- */
void ad_loop_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent);
void ad_loop_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                 saros_value *gradient);
void ad_loop_jet(const saros_rule *rule, int order, const saros_value *series,
                 saros_value *out_series);
void ad_loop_batch(const saros_rule *rule, int64_t size, const saros_value *in, const bool *batched,
                   saros_value *out, bool *out_batched);
void ad_loop_reverse_jvp(const saros_rule *rule, const saros_value *tangent,
                         saros_value *out_tangent);
void ad_loop_reverse_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                         saros_value *gradient);
void ad_loop_reverse_jet(const saros_rule *rule, int order, const saros_value *series,
                         saros_value *out_series);
void ad_loop_reverse_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                           const bool *batched, saros_value *out, bool *out_batched);
void ad_cond_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent);
void ad_cond_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                 saros_value *gradient);
void ad_cond_jet(const saros_rule *rule, int order, const saros_value *series,
                 saros_value *out_series);
void ad_cond_batch(const saros_rule *rule, int64_t size, const saros_value *in, const bool *batched,
                   saros_value *out, bool *out_batched);
/** Any row, lane by lane. */
void ad_lanes_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                    const bool *batched, saros_value *out, bool *out_batched);

#endif
