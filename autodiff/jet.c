/** Taylor mode: one pass over the nodes between `in` and `out`, on normalised coefficients
 * u_k = u^(k)/k!. Absent coefficients (SAROS_NONE) cost nothing: a dot emits one dot for each
 * nonzero stream, and jets along several directions share their primal by hash-consing.
 *
 *  A row's own recurrence comes first. Otherwise, with v = f(u):
 *  - linear in all that moves:   v_k = f(u_k);
 *  - bilinear in two sets:       v_k = sum_{j=0..k} f(u_j, w_{k-j})   (Cauchy);
 *  - pointwise with partials p:  v_k = sum over operands sum_{j=1..k} (j/k) u_j p_{k-j},
 *    the series of p coming from a jet of p's own subgraph, one order lower;
 *  - any other row with a jvp F(u, u'): v_{k} = F_{k-1}/k along the curve (u, u'), likewise.
 *  The last two hold to any order because f's own coefficients below k are known when k is made
 *  (Griewank and Walther, Evaluating Derivatives, chapter 13). */
#include "node_impl.h"
#include "walk_impl.h"

#include <string.h>

#include "saros/memory.h"

/** Whether operand k has a coefficient. */
static bool moves(const saros_value *series, int order, int k) {
    for (int j = 1; j <= order; ++j)
        if (!saros_is_none(series[k * (order + 1) + j])) return true;
    return false;
}

bool ad_multilinear(const saros_rule *rule, const bool *moving, saros_operand_set set[2],
                    int *sets) {
    bool used[3] = {false, false, false};
    for (int k = 0; k < rule->ins; ++k) {
        if (!moving[k]) continue;
        int s = ad_linear_set(rule->row, k);
        if (s < 0) return false;
        used[s] = true;
    }
    *sets = 0;
    for (int s = 0; s < 3; ++s)
        if (used[s]) {
            if (*sets == 2) return false;
            set[(*sets)++] = rule->row->linear_in[s];
        }
    return true;
}

/** Coefficient k of a row linear in all that moves, by its own jvp: y_k = f'(u) u_k. */
static void jet_by_jvp(const saros_rule *rule, int order, int k, const saros_value *series,
                       saros_value *out_series) {
    const int stride = order + 1;
    saros_value *t = saros_allocate((size_t)(rule->ins + rule->outs) * sizeof *t);
    if (!t) {
        ad_fill(rule->outs * stride, out_series, saros_poison(rule->graph));
        return;
    }
    bool any = false;
    for (int i = 0; i < rule->ins; ++i) {
        t[i] = series[i * stride + k];
        any = any || !saros_is_none(t[i]);
    }
    ad_fill(rule->outs, t + rule->ins, SAROS_NONE);
    if (any) ad_node_jvp(rule, t, t + rule->ins);
    for (int m = 0; m < rule->outs; ++m) out_series[m * stride + k] = t[rule->ins + m];
    saros_release(t);
}

static void jet_bilinear(const saros_rule *rule, int order, const saros_value *series,
                         const saros_operand_set *set, saros_value *out_series) {
    const int stride = order + 1;
    saros_value *in = saros_allocate((size_t)rule->ins * sizeof *in);
    if (!in) {
        ad_fill(rule->outs * stride, out_series, saros_poison(rule->graph));
        return;
    }
    for (int k = 1; k <= order; ++k) {
        for (int j = 0; j <= k; ++j) {
            memcpy(in, rule->in, (size_t)rule->ins * sizeof *in);
            if (ad_substitute(rule, set[0], series + j, stride, in) &&
                ad_substitute(rule, set[1], series + k - j, stride, in))
                ad_append(rule, in, out_series + k, stride);
        }
    }
    saros_release(in);
}

static saros_value scaled(double weight, saros_value v) {
    return weight == 1 ? v : saros_mul(saros_like(v, weight), v);
}

/** Arguments of an inner jet: curves through values, coefficient j at series[k*order + j-1]. */
typedef struct curve {
    saros_value *in, *series, *result;
    int ins, order;
} curve;

static bool curve_open(curve *c, int most, int outs, int order) {
    size_t need = (size_t)most * (size_t)(order + 1) + (size_t)outs * (size_t)order;
    *c = (curve){.in = saros_allocate((need + 1) * sizeof(saros_value)), .order = order};
    if (!c->in) return false;
    c->series = c->in + most;
    c->result = c->series + (size_t)most * (size_t)order;
    return true;
}

/** Adds `through` with coefficients weight(j) * from[j+shift], j = 1 … order. */
static void curve_add(curve *c, saros_value through, const saros_value *from, int shift,
                      int known) {
    for (int j = 1; j <= c->order; ++j) {
        saros_value v = j + shift <= known ? from[j + shift] : SAROS_NONE;
        if (shift && !saros_is_none(v)) v = scaled(j + 1, v);
        c->series[c->ins * c->order + j - 1] = v;
    }
    c->in[c->ins++] = through;
}

/** Coefficient k of a pointwise row whose only moving operands have partials. */
static saros_value pointwise_coefficient(const saros_rule *rule, int order, int k,
                                         const saros_value *series, const saros_value *partial,
                                         const saros_value *out_series) {
    const int stride = order + 1;
    saros_value sum = SAROS_NONE;
    curve c;
    if (!curve_open(&c, rule->ins + 1, rule->ins, k - 1)) return saros_poison(rule->graph);
    for (int i = 0; i < rule->ins; ++i)
        if (moves(series, order, i)) curve_add(&c, rule->in[i], series + i * stride, 0, k - 1);
    curve_add(&c, rule->out[0], out_series, 0, k - 1);
    if (k > 1) ad_jet(rule->ins, partial, c.ins, c.in, k - 1, c.series, c.result);
    for (int i = 0; i < rule->ins; ++i) {
        if (saros_is_none(partial[i])) continue;
        for (int j = 1; j <= k; ++j) {
            saros_value u = series[i * stride + j];
            saros_value p = j == k ? partial[i] : c.result[i * (k - 1) + k - j - 1];
            if (saros_is_none(u) || saros_is_none(p)) continue;
            sum = ad_sum(sum, scaled((double)j / k, saros_mul(p, u)));
        }
    }
    saros_release(c.in);
    return sum;
}

static bool jet_pointwise(const saros_rule *rule, const saros_primitive *row, int order,
                          const saros_value *series, saros_value *out_series) {
    if (!row->partial || rule->outs != 1) return false;
    for (int k = 0; k < rule->ins; ++k)
        if (moves(series, order, k) && ad_linear_set(row, k) >= 0) return false;
    saros_value *partial = saros_allocate((size_t)rule->ins * sizeof *partial);
    if (!partial) {
        ad_fill(order + 1, out_series, saros_poison(rule->graph));
        return true;
    }
    for (int k = 0; k < rule->ins; ++k)
        partial[k] = moves(series, order, k) ? row->partial(rule, k) : SAROS_NONE;
    for (int k = 1; k <= order; ++k)
        out_series[k] = pointwise_coefficient(rule, order, k, series, partial, out_series);
    saros_release(partial);
    return true;
}

/** Coefficients 2 … order from a jet of the row's jvp F(u, w) at w = u'. Each w has an identity of
 * its own (alias), so that it is not taken for another value of the graph. */
static void jet_of_jvp(const saros_rule *rule, int order, const saros_value *series,
                       saros_value *out_series) {
    const int stride = order + 1, ins = rule->ins, outs = rule->outs;
    saros_value *w = saros_allocate((size_t)(ins + outs) * sizeof *w);
    if (!w) {
        ad_fill(outs * stride, out_series, saros_poison(rule->graph));
        return;
    }
    saros_value *f = w + ins;
    for (int i = 0; i < ins; ++i)
        w[i] = moves(series, order, i)
                   ? saros_alias(saros_instantiate(series[i * stride + 1], rule->in[i]))
                   : SAROS_NONE;
    ad_fill(outs, f, SAROS_NONE);
    ad_node_jvp(rule, w, f);
    for (int k = 2; k <= order; ++k) {
        curve c;
        if (!curve_open(&c, 2 * ins + outs, outs, k - 1)) {
            ad_fill(outs * stride, out_series, saros_poison(rule->graph));
            break;
        }
        for (int i = 0; i < ins; ++i) {
            if (saros_is_none(w[i])) continue;
            curve_add(&c, rule->in[i], series + i * stride, 0, order);
            curve_add(&c, w[i], series + i * stride, 1, order);
        }
        for (int m = 0; m < outs; ++m)
            if (ad_is_float(rule->out[m]))
                curve_add(&c, rule->out[m], out_series + m * stride, 0, k - 1);
        ad_jet(outs, f, c.ins, c.in, k - 1, c.series, c.result);
        for (int m = 0; m < outs; ++m) {
            saros_value v = c.result[m * (k - 1) + k - 2];
            if (!saros_is_none(v)) out_series[m * stride + k] = scaled(1.0 / k, v);
        }
        saros_release(c.in);
    }
    saros_release(w);
}

/** Rows multilinear in all that moves; false if the row is not. */
static bool jet_multilinear(const saros_rule *rule, int order, const saros_value *series,
                            saros_value *out_series) {
    saros_operand_set set[2];
    int sets;
    bool *moving = saros_allocate((size_t)rule->ins + 1);
    if (!moving) {
        ad_fill(rule->outs * (order + 1), out_series, saros_poison(rule->graph));
        return true;
    }
    for (int k = 0; k < rule->ins; ++k) moving[k] = moves(series, order, k);
    bool can = ad_multilinear(rule, moving, set, &sets);
    saros_release(moving);
    if (can && sets == 2) jet_bilinear(rule, order, series, set, out_series);
    for (int k = 1; can && sets == 1 && k <= order; ++k)
        jet_by_jvp(rule, order, k, series, out_series);
    return can;
}

void ad_node_jet(const saros_rule *rule, int order, const saros_value *series,
                 saros_value *out_series) {
    saros_primitive row = ad_columns(rule->row);
    if (row.jet) {
        row.jet(rule, order, series, out_series);
        return;
    }
    if (jet_multilinear(rule, order, series, out_series) ||
        jet_pointwise(rule, &row, order, series, out_series))
        return;
    jet_by_jvp(rule, order, 1, series, out_series);
    if (order > 1 && saros_is_none(ad_poisoned(rule->outs * (order + 1), out_series)))
        jet_of_jvp(rule, order, series, out_series);
}

static saros_status walk_jet(const ad_walk *walk, int order, saros_value *of, saros_value *bad) {
    const int stride = order + 1;
    ad_frame frame = {0};
    saros_status status = SAROS_OK;
    for (int32_t id = walk->first; id < walk->last; ++id) {
        if (!ad_walk_visits(walk, id)) continue;
        SAROS_TRY(ad_frame_load(&frame, walk, id, stride));
        const saros_rule *rule = &frame.rule;
        bool any = false;
        for (int k = 0; k < rule->ins; ++k) {
            frame.in_slot[k * stride] = rule->in[k];
            int32_t from = rule->in[k].id;
            if (!ad_active(walk, from)) continue;
            for (int j = 1; j <= order; ++j)
                frame.in_slot[k * stride + j] = of[(from - walk->first) * order + j - 1];
            any = any || moves(frame.in_slot, order, k);
        }
        if (!any) continue;
        for (int m = 0; m < rule->outs; ++m) frame.out_slot[m * stride] = rule->out[m];
        ad_node_jet(rule, order, frame.in_slot, frame.out_slot);
        *bad = ad_poisoned(rule->outs * stride, frame.out_slot);
        if (!saros_is_none(*bad)) break;
        for (int m = 0; m < rule->outs; ++m) {
            if (!ad_active(walk, id + m) || ad_seed(walk, id + m)) continue;
            for (int j = 1; j <= order; ++j) {
                saros_value v = frame.out_slot[m * stride + j];
                SAROS_TRY(ad_check_type(rule->row->name, "series of output", m, v, rule->out[m]));
                of[(id + m - walk->first) * order + j - 1] = v;
            }
        }
    }
done:
    ad_frame_free(&frame);
    return status;
}

void ad_jet(int outs, const saros_value *out, int ins, const saros_value *in, int order,
            const saros_value *series, saros_value *out_series) {
    ad_fill(outs * order, out_series, SAROS_NONE);
    ad_walk walk;
    saros_value bad = ad_walk_begin(&walk, outs, out, ins, in, ins * order, series);
    saros_value *of = NULL;
    saros_status status = SAROS_OK;
    if (!saros_is_none(bad) || order < 1) goto done;
    of = saros_allocate_zero((size_t)(walk.last - walk.first) * (size_t)order + 1, sizeof *of);
    if (!of) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < ins; ++k) {
        if (saros_is_none(in[k]) || !ad_active(&walk, in[k].id)) continue;
        for (int j = 0; j < order; ++j) {
            saros_value v = series[k * order + j];
            SAROS_TRY(ad_check_type("saros_jet", "series of input", k, v, in[k]));
            saros_value *slot = &of[(in[k].id - walk.first) * order + j];
            *slot = ad_sum(*slot, v);
        }
    }
    SAROS_TRY(walk_jet(&walk, order, of, &bad));
    for (int k = 0; k < outs; ++k)
        for (int j = 0; j < order; ++j)
            if (out[k].graph == walk.graph && ad_active(&walk, out[k].id))
                out_series[k * order + j] = of[(out[k].id - walk.first) * order + j];
done:
    if (status != SAROS_OK) bad = saros_poison(walk.into);
    if (saros_is_poisoned(bad)) ad_fill(outs * order, out_series, bad);
    saros_release(of);
    ad_walk_close(&walk);
}

void saros_jet(int outs, const saros_value *out, int ins, const saros_value *in, int order,
               const saros_value *series, saros_value *out_series) {
    if (ad_independent("saros_jet", outs, out, ins, in) == SAROS_OK)
        ad_jet(outs, out, ins, in, order, series, out_series);
    else
        ad_fill(outs * order, out_series, saros_poison(saros_graph_of(ins, in)));
}
