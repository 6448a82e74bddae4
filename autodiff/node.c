/** What the rules of single nodes share: the columns of a row (those of loop and cond come from
 * this floor, because they need differentiation itself) and substitution into linear operands. */
#include "node_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "walk_impl.h"

saros_primitive ad_columns(const saros_primitive *row) {
    saros_primitive columns = *row;
    if (row == &saros_row_loop) {
        columns.jvp = ad_loop_jvp;
        columns.vjp = ad_loop_vjp;
        columns.jet = ad_loop_jet;
        columns.batch = ad_loop_batch;
    } else if (row == &saros_row_loop_reverse) {
        columns.jvp = ad_loop_reverse_jvp;
        columns.vjp = ad_loop_reverse_vjp;
        columns.jet = ad_loop_reverse_jet;
        columns.batch = ad_loop_reverse_batch;
    } else if (row == &saros_row_cond) {
        columns.jvp = ad_cond_jvp;
        columns.vjp = ad_cond_vjp;
        columns.jet = ad_cond_jet;
        columns.batch = ad_cond_batch;
    }
    return columns;
}

int ad_linear_set(const saros_primitive *row, int operand) {
    for (int s = 0; s < 3; ++s)
        if (ad_in_set(row->linear_in[s], operand)) return s;
    return -1;
}

bool ad_is_float(saros_value v) {
    return saros_dtype_is_float(saros_value_dtype(v));
}

bool ad_substitute(const saros_rule *rule, saros_operand_set set, const saros_value *from,
                   int stride, saros_value *to) {
    bool any = false;
    for (int k = 0; k < rule->ins; ++k)
        any = any || (ad_in_set(set, k) && !saros_is_none(from[k * stride]));
    for (int k = 0; any && k < rule->ins; ++k)
        if (ad_in_set(set, k)) to[k] = saros_instantiate(from[k * stride], rule->in[k]);
    return any;
}

void ad_append(const saros_rule *rule, const saros_value *in, saros_value *out, int stride) {
    saros_value first = saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, in);
    for (int m = 0; m < rule->outs; ++m) {
        if (!ad_is_float(rule->out[m])) continue;
        out[m * stride] = ad_sum(out[m * stride], saros_output(first, m));
    }
}

void ad_missing(const saros_rule *rule, const char *mode, int operand, int count,
                saros_value *values) {
    saros_fail(SAROS_ERR_UNSUPPORTED, mode,
               "give its row a differentiation column, or hold it fixed with saros_stop_gradient",
               "no derivative rule for '%s' in operand %d", rule->row->name, operand);
    ad_fill(count, values, saros_poison(rule->graph));
}
