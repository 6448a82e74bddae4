/** Forward rules of `loop`: jvp and jet. The loop of the series is again a loop, whose carry also
 * holds the Taylor coefficients of those carries that move; which ones move is a fix-point over the
 * body. jvp is the jet of order 1.
 *
 *  The new loop contains the original one: where both are needed, it alone runs.
 *  Operands of the new loop: n; carries, coefficients of moving carries; inputs, coefficients of
 *  moving inputs; captures, coefficients of moving captures. Kept outputs likewise. */
#include "loop_impl.h"

#include "saros/memory.h"

/** Everything about one rule application; arrays over the body's inputs (0 is the index). */
typedef struct series_loop {
    const saros_rule *rule;
    int order;
    const saros_value *series; /**< layout of the jet column */
    ad_loop loop;
    bool *moves;         /**< per body input, then per kept output */
    saros_value *inside; /**< body inputs in the new body */
    saros_value *given;  /**< their coefficients, [k*order + j-1] */
    saros_value *next;   /**< body outputs */
    saros_value *result; /**< their coefficients */
    ad_region region;
    ad_loop_plan plan;
} series_loop;

static saros_status series_open(series_loop *s) {
    const ad_loop *loop = &s->loop;
    s->moves = saros_allocate_zero((size_t)(loop->ins + loop->outs), sizeof(bool));
    s->inside = ad_values((loop->ins + loop->outs) * (s->order + 1));
    if (!s->moves || !s->inside) return SAROS_ERR_MEMORY;
    s->given = s->inside + loop->ins;
    s->next = s->given + loop->ins * s->order;
    s->result = s->next + loop->outs;
    for (int k = 1; k < loop->ins; ++k)
        for (int j = 1; j <= s->order; ++j)
            s->moves[k] = s->moves[k] || !saros_is_none(s->series[k * (s->order + 1) + j]);
    return ad_loop_activity(&loop->view, s->moves + loop->carry, s->moves + loop->input,
                            s->moves + loop->capture, s->moves + loop->ins);
}

/** Declares body inputs first … last-1 and their coefficients; carries that move get all of them.
 */
static void declare(series_loop *s, int first, int last, bool sliced, bool all) {
    const saros_rule *rule = s->rule;
    for (int k = first; k < last; ++k) {
        saros_type type = sliced ? ad_slice_type(rule->in[k]) : ad_body_type(s->loop.view.body, k);
        s->inside[k] = ad_region_declare(&s->region, &type, rule->in[k]);
    }
    for (int k = first; k < last; ++k)
        for (int j = 1; s->moves[k] && j <= s->order; ++j) {
            saros_value v = s->series[k * (s->order + 1) + j];
            if (all) v = saros_instantiate(v, rule->in[k]);
            if (saros_is_none(v)) continue;
            saros_type type = *saros_value_type(s->inside[k]);
            s->given[k * s->order + j - 1] = ad_region_declare(&s->region, &type, v);
        }
}

static void declare_all(series_loop *s) {
    const ad_loop *loop = &s->loop;
    ad_region_open(&s->region, s->rule->graph);
    s->inside[0] = ad_loop_index(&s->region);
    declare(s, loop->carry, loop->input, false, true);
    s->plan.carries = s->region.operands;
    declare(s, loop->input, loop->capture, true, false);
    s->plan.inputs = s->region.operands - s->plan.carries;
    declare(s, loop->capture, loop->ins, false, false);
}

/** Body outputs first … last-1, then those of their coefficients that exist; carries that move have
 * all. */
static void results(series_loop *s, int first, int last) {
    for (int m = first; m < last; ++m) ad_region_result(&s->region, s->next[m]);
    for (int m = first; m < last; ++m)
        for (int j = 0; j < s->order; ++j) {
            saros_value *v = &s->result[m * s->order + j];
            if (m < s->loop.view.carries && s->moves[s->loop.carry + m]) {
                saros_type type = ad_body_type(s->loop.view.body, s->loop.carry + m);
                *v = ad_as_part(saros_instantiate(*v, s->next[m]), &type);
            }
            if (!saros_is_none(*v)) ad_region_result(&s->region, *v);
        }
}

static void results_all(series_loop *s) {
    const saros_loop_view *view = &s->loop.view;
    saros_inline(s->region.inner, view->body, s->inside, s->next);
    ad_jet(s->loop.outs, s->next, s->loop.ins, s->inside, s->order, s->given, s->result);
    results(s, 0, view->carries);
    results(s, view->carries, view->carries + view->kept);
    int before = s->region.results;
    results(s, view->carries + view->kept, s->loop.outs);
    s->plan.states = s->region.results - before;
    s->plan.every = view->every;
    s->plan.snapshots = view->snapshots;
    s->plan.reverse = view->reverse;
    s->plan.early = view->early;
    s->plan.contains = s->rule->out[0];
}

/** Coefficients of outputs first … last-1, which stand behind these outputs in `from`; returns what
 * follows. */
static const saros_value *unpack(const series_loop *s, int first, int last, const saros_value *from,
                                 saros_value *out_series) {
    from += last - first;
    for (int m = first; m < last; ++m)
        for (int j = 1; j <= s->order; ++j)
            if (!saros_is_none(s->result[m * s->order + j - 1]))
                out_series[m * (s->order + 1) + j] = *from++;
    return from;
}

void ad_loop_jet(const saros_rule *rule, int order, const saros_value *series,
                 saros_value *out_series) {
    series_loop s = {.rule = rule, .order = order, .series = series, .loop = ad_loop_read(rule)};
    saros_value *out = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(series_open(&s));
    declare_all(&s);
    SAROS_TRY(s.region.status);
    results_all(&s);
    SAROS_TRY(ad_loop_append(&s.loop, s.loop.n, &s.region, &s.plan, &out));
    const saros_loop_view *view = &s.loop.view;
    const saros_value *from = unpack(&s, 0, view->carries, out, out_series);
    from = unpack(&s, view->carries, view->carries + view->kept, from, out_series);
    unpack(&s, view->carries + view->kept, s.loop.outs, from, out_series);
done:
    if (status != SAROS_OK)
        ad_fill(rule->outs * (order + 1), out_series, saros_poison(rule->graph));
    saros_release(out);
    ad_region_free(&s.region);
    saros_release(s.inside);
    saros_release(s.moves);
}

void ad_loop_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent) {
    int ins = rule->ins, outs = rule->outs;
    saros_value *series = ad_values(2 * (ins + outs));
    if (!series) {
        ad_fill(outs, out_tangent, saros_poison(rule->graph));
        return;
    }
    saros_value *out = series + 2 * ins;
    for (int k = 0; k < ins; ++k) {
        series[2 * k] = rule->in[k];
        series[2 * k + 1] = tangent[k];
    }
    ad_loop_jet(rule, 1, series, out);
    for (int m = 0; m < outs; ++m) out_tangent[m] = out[2 * m + 1];
    saros_release(series);
}
