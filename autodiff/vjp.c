/** Reverse mode: one pass backwards over the nodes between `in` and `out`; each node's cotangents
 * are summed once, then transposed.
 *
 *  For a node y = f(x_1 … x_n): gradient of x_k is the row's transpose in a linear operand, and
 *  p_k * cotangent for a partial p_k.
 *
 *  A cotangent not selected by `where` stays zero behind it: where(m, c, 0) p becomes
 *  where(m, c p, 0), so an infinite p that was not selected does no harm (no 0*inf). The masks are
 *  carried through pointwise nodes, not through sums and other structure. */
#include "node_impl.h"
#include "walk_impl.h"

#include "saros/memory.h"
#include "saros/rows.h"

enum { MASKS = 8 };

/** where(m, c, 0) or where(m, 0, c), taken apart. */
typedef struct masked {
    saros_value mask[MASKS];
    bool when[MASKS]; /**< selected where the mask has this value */
    int masks;
    saros_value value;
} masked;

static bool is_zero(saros_value v) {
    double number;
    return saros_value_is_splat(v, &number) && number == 0;
}

static masked unmask(saros_value v) {
    masked m = {.value = v};
    while (m.masks < MASKS && !saros_is_none(m.value) && !saros_is_poisoned(m.value)) {
        saros_node node = saros_graph_node(m.value.graph, m.value.id, NULL);
        if (node.row != &saros_row_where) break;
        saros_graph *graph = m.value.graph;
        saros_value then = {graph, node.operand[1]}, otherwise = {graph, node.operand[2]};
        bool when = is_zero(otherwise);
        if (!when && !is_zero(then)) break;
        m.mask[m.masks] = (saros_value){graph, node.operand[0]};
        m.when[m.masks++] = when;
        m.value = when ? then : otherwise;
    }
    return m;
}

static saros_value remask(const masked *m, saros_value v) {
    if (saros_is_none(v) || saros_is_poisoned(v)) return v;
    for (int k = m->masks; k-- > 0;) {
        saros_value zero = saros_zeros_like(v);
        v = m->when[k] ? saros_where(m->mask[k], v, zero) : saros_where(m->mask[k], zero, v);
    }
    return v;
}

/** a + b; masked alike, they stay masked. */
static saros_value accumulate(saros_value a, saros_value b) {
    if (saros_is_none(a) || saros_is_none(b)) return ad_sum(a, b);
    masked m = unmask(a), n = unmask(b);
    bool alike = m.masks > 0 && m.masks == n.masks;
    for (int k = 0; alike && k < m.masks; ++k)
        alike = saros_same(m.mask[k], n.mask[k]) && m.when[k] == n.when[k];
    return alike ? remask(&m, saros_add(m.value, n.value)) : saros_add(a, b);
}

/** Transposes and partials of a row without a vjp column. */
static void derived(const saros_rule *rule, const saros_primitive *row,
                    const saros_value *cotangent, const bool *wanted, saros_value *gradient) {
    for (int k = 0; k < rule->ins; ++k) {
        if (!wanted[k]) continue;
        if (ad_linear_set(row, k) >= 0 && row->transpose) {
            gradient[k] = row->transpose(rule, k, cotangent);
        } else if (ad_linear_set(row, k) < 0 && row->partial) {
            saros_value partial = row->partial(rule, k);
            if (!saros_is_none(partial)) gradient[k] = saros_mul(partial, cotangent[0]);
        } else {
            ad_missing(rule, "saros_vjp", k, rule->ins, gradient);
            return;
        }
    }
}

void ad_node_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                 saros_value *gradient) {
    saros_primitive row = ad_columns(rule->row);
    if (!(row.flags & SAROS_POINTWISE) || rule->outs != 1) {
        if (row.vjp)
            row.vjp(rule, cotangent, wanted, gradient);
        else
            derived(rule, &row, cotangent, wanted, gradient);
        return;
    }
    masked m = unmask(cotangent[0]);
    if (row.vjp)
        row.vjp(rule, &m.value, wanted, gradient);
    else
        derived(rule, &row, &m.value, wanted, gradient);
    for (int k = 0; k < rule->ins; ++k)
        if (wanted[k]) gradient[k] = remask(&m, gradient[k]);
}

/** Hands the gradients of one node on to its operands. */
static saros_status pass_on(const ad_walk *walk, const ad_frame *frame, saros_value *of) {
    const saros_rule *rule = &frame->rule;
    for (int k = 0; k < rule->ins; ++k) {
        if (!frame->wanted[k] || saros_is_none(frame->in_slot[k])) continue;
        saros_status status = ad_check_type(rule->row->name, "gradient of operand", k,
                                            frame->in_slot[k], rule->in[k]);
        if (status != SAROS_OK) return status;
        saros_value *slot = &of[rule->in[k].id - walk->first];
        *slot = accumulate(*slot, frame->in_slot[k]);
    }
    return SAROS_OK;
}

static saros_status walk_vjp(const ad_walk *walk, saros_value *of, saros_value *bad) {
    ad_frame frame = {0};
    saros_status status = SAROS_OK;
    for (int32_t id = walk->last; id-- > walk->first;) {
        if (!ad_walk_visits(walk, id)) continue;
        SAROS_TRY(ad_frame_load(&frame, walk, id, 1));
        const saros_rule *rule = &frame.rule;
        bool any = false;
        for (int m = 0; m < rule->outs; ++m)
            if (ad_active(walk, id + m) && !ad_seed(walk, id + m)) {
                frame.out_slot[m] = of[id + m - walk->first];
                any = any || !saros_is_none(frame.out_slot[m]);
            }
        if (!any) continue;
        for (int k = 0; k < rule->ins; ++k) frame.wanted[k] = ad_active(walk, rule->in[k].id);
        ad_node_vjp(rule, frame.out_slot, frame.wanted, frame.in_slot);
        *bad = ad_poisoned(rule->ins, frame.in_slot);
        if (!saros_is_none(*bad)) break;
        SAROS_TRY(pass_on(walk, &frame, of));
    }
done:
    ad_frame_free(&frame);
    return status;
}

/** Cotangents of the outputs into their slots; ones for scalars where none are given. */
static saros_status seed(const ad_walk *walk, int outs, const saros_value *out,
                         const saros_value *cotangent, saros_value *of) {
    for (int k = 0; k < outs; ++k) {
        if (out[k].graph != walk->graph || !ad_active(walk, out[k].id)) continue;
        saros_type type = *saros_value_type(out[k]);
        if (!cotangent && saros_type_count(&type) != 1)
            return saros_fail(SAROS_ERR_SHAPE, "saros_vjp",
                              "sum it first, or give a cotangent of its shape",
                              "output %d is not a scalar and has no cotangent", k);
        saros_value c = cotangent ? cotangent[k] : saros_splat(walk->into, &type, 1);
        saros_status status = ad_check_type("saros_vjp", "cotangent", k, c, out[k]);
        if (status != SAROS_OK) return status;
        saros_value *slot = &of[out[k].id - walk->first];
        *slot = accumulate(*slot, c);
    }
    return SAROS_OK;
}

void ad_vjp(int outs, const saros_value *out, const saros_value *cotangent, int ins,
            const saros_value *in, saros_value *gradient) {
    ad_fill(ins, gradient, SAROS_NONE);
    ad_walk walk;
    saros_value bad = ad_walk_begin(&walk, outs, out, ins, in, cotangent ? outs : 0, cotangent);
    saros_value *of = NULL;
    saros_status status = SAROS_OK;
    if (!saros_is_none(bad)) goto done;
    of = saros_allocate_zero((size_t)(walk.last - walk.first) + 1, sizeof *of);
    if (!of) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(seed(&walk, outs, out, cotangent, of));
    SAROS_TRY(walk_vjp(&walk, of, &bad));
    for (int k = 0; k < ins; ++k)
        if (!saros_is_none(in[k]) && ad_active(&walk, in[k].id))
            gradient[k] = of[in[k].id - walk.first];
done:
    if (status != SAROS_OK) bad = saros_poison(walk.into);
    if (saros_is_poisoned(bad)) ad_fill(ins, gradient, bad);
    saros_release(of);
    ad_walk_close(&walk);
}

void saros_vjp(int outs, const saros_value *out, const saros_value *cotangent, int ins,
               const saros_value *in, saros_value *gradient) {
    if (ad_independent("saros_vjp", outs, out, ins, in) == SAROS_OK)
        ad_vjp(outs, out, cotangent, ins, in, gradient);
    else
        ad_fill(ins, gradient, saros_poison(saros_graph_of(ins, in)));
}
