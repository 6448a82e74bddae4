/** Forward mode: one pass over the nodes between `in` and `out`, in order.
 *
 *  For a node y = f(x_1 … x_n) with linear sets S and partials p_k = dy/dx_k,
 *      y' = sum over S of f(x with x_S replaced by x_S') + sum over the other k of p_k x_k'.
 *  Absent tangents stay absent; the symbolic zero is the only one that annihilates. */
#include "node_impl.h"
#include "walk_impl.h"

#include <string.h>

#include "saros/memory.h"

/** Whether some operand of the set, not all, has no tangent. */
static bool is_partly_absent(const saros_rule *rule, saros_operand_set set,
                             const saros_value *tangent) {
    bool present = false, absent = false;
    for (int k = 0; k < rule->ins; ++k) {
        if (!ad_in_set(set, k)) continue;
        present |= !saros_is_none(tangent[k]);
        absent |= saros_is_none(tangent[k]);
    }
    return present && absent;
}

/** The term of a linear set of a pointwise row, whose Jacobian is diagonal, its own transpose: what
 * is absent leaves no zeros behind that kernels would add and store. */
static void diagonal_terms(const saros_rule *rule, saros_operand_set set,
                           const saros_value *tangent, saros_value *out_tangent) {
    for (int k = 0; k < rule->ins; ++k)
        if (ad_in_set(set, k) && !saros_is_none(tangent[k]))
            *out_tangent = ad_sum(*out_tangent, rule->row->transpose(rule, k, &tangent[k]));
}

/** Terms of the linear sets; NULL memory poisons. */
static void linear_terms(const saros_rule *rule, const saros_value *tangent,
                         saros_value *out_tangent) {
    saros_value *in = saros_allocate((size_t)rule->ins * sizeof *in);
    if (!in) {
        ad_fill(rule->outs, out_tangent, saros_poison(rule->graph));
        return;
    }
    for (int s = 0; s < 3 && rule->row->linear_in[s]; ++s) {
        const saros_operand_set set = rule->row->linear_in[s];
        if (rule->row->flags & SAROS_POINTWISE && rule->row->transpose &&
            is_partly_absent(rule, set, tangent)) {
            diagonal_terms(rule, set, tangent, out_tangent);
            continue;
        }
        memcpy(in, rule->in, (size_t)rule->ins * sizeof *in);
        if (ad_substitute(rule, set, tangent, 1, in)) ad_append(rule, in, out_tangent, 1);
    }
    saros_release(in);
}

void ad_node_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent) {
    saros_primitive row = ad_columns(rule->row);
    if (row.jvp) {
        row.jvp(rule, tangent, out_tangent);
        return;
    }
    for (int k = 0; k < rule->ins; ++k)
        if (!saros_is_none(tangent[k]) && ad_linear_set(&row, k) < 0 && !row.partial) {
            ad_missing(rule, "saros_jvp", k, rule->outs, out_tangent);
            return;
        }
    if (row.linear_in[0]) linear_terms(rule, tangent, out_tangent);
    for (int k = 0; k < rule->ins; ++k) {
        if (saros_is_none(tangent[k]) || ad_linear_set(&row, k) >= 0) continue;
        saros_value partial = row.partial(rule, k);
        if (!saros_is_none(partial))
            out_tangent[0] = ad_sum(out_tangent[0], saros_mul(partial, tangent[k]));
    }
}

/** Walks; on failure the error is recorded and `*bad` is a poisoned value. */
static saros_status walk_jvp(const ad_walk *walk, saros_value *of, saros_value *bad) {
    ad_frame frame = {0};
    saros_status status = SAROS_OK;
    for (int32_t id = walk->first; id < walk->last; ++id) {
        if (!ad_walk_visits(walk, id)) continue;
        SAROS_TRY(ad_frame_load(&frame, walk, id, 1));
        const saros_rule *rule = &frame.rule;
        bool any = false;
        for (int k = 0; k < rule->ins; ++k) {
            int32_t from = rule->in[k].id;
            if (!ad_active(walk, from)) continue;
            frame.in_slot[k] = of[from - walk->first];
            any = any || !saros_is_none(frame.in_slot[k]);
        }
        if (!any) continue;
        ad_node_jvp(rule, frame.in_slot, frame.out_slot);
        *bad = ad_poisoned(rule->outs, frame.out_slot);
        if (!saros_is_none(*bad)) break;
        for (int m = 0; m < rule->outs; ++m)
            if (ad_active(walk, id + m) && !ad_seed(walk, id + m)) {
                of[id + m - walk->first] = frame.out_slot[m];
                SAROS_TRY(ad_check_type(rule->row->name, "tangent of output", m, frame.out_slot[m],
                                        rule->out[m]));
            }
    }
done:
    ad_frame_free(&frame);
    return status;
}

void ad_jvp(int outs, const saros_value *out, int ins, const saros_value *in,
            const saros_value *tangent, saros_value *out_tangent) {
    ad_fill(outs, out_tangent, SAROS_NONE);
    ad_walk walk;
    saros_value bad = ad_walk_begin(&walk, outs, out, ins, in, ins, tangent);
    saros_value *of = NULL;
    saros_status status = SAROS_OK;
    if (!saros_is_none(bad)) goto done;
    of = saros_allocate_zero((size_t)(walk.last - walk.first) + 1, sizeof *of);
    if (!of) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < ins; ++k) {
        SAROS_TRY(ad_check_type("saros_jvp", "tangent", k, tangent[k], in[k]));
        if (!saros_is_none(in[k]) && ad_active(&walk, in[k].id))
            of[in[k].id - walk.first] = ad_sum(of[in[k].id - walk.first], tangent[k]);
    }
    SAROS_TRY(walk_jvp(&walk, of, &bad));
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == walk.graph && ad_active(&walk, out[k].id))
            out_tangent[k] = of[out[k].id - walk.first];
done:
    if (status != SAROS_OK) bad = saros_poison(walk.into);
    if (saros_is_poisoned(bad)) ad_fill(outs, out_tangent, bad);
    saros_release(of);
    ad_walk_close(&walk);
}

void saros_jvp(int outs, const saros_value *out, int ins, const saros_value *in,
               const saros_value *tangent, saros_value *out_tangent) {
    if (ad_independent("saros_jvp", outs, out, ins, in) == SAROS_OK)
        ad_jvp(outs, out, ins, in, tangent, out_tangent);
    else
        ad_fill(outs, out_tangent, saros_poison(saros_graph_of(ins, in)));
}

void saros_node_jvp(saros_value out, const saros_value *tangent, saros_value *out_tangent) {
    ad_walk walk = {.graph = out.graph, .into = out.graph};
    ad_frame frame = {0};
    if (saros_is_poisoned(out)) {
        out_tangent[0] = out;
    } else if (ad_frame_load(&frame, &walk, out.id, 1) != SAROS_OK) {
        out_tangent[0] = saros_poison(out.graph);
    } else {
        memcpy(frame.in_slot, tangent, (size_t)frame.rule.ins * sizeof *tangent);
        ad_node_jvp(&frame.rule, frame.in_slot, frame.out_slot);
        memcpy(out_tangent, frame.out_slot, (size_t)frame.rule.outs * sizeof *out_tangent);
    }
    ad_frame_free(&frame);
}
