/** The pass of the collapsed operators: see collapse_impl.h. */
#include "collapse_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "walk_impl.h"

void ad_collapse_first_order(const ad_collapse *c) {
    const saros_rule *rule = c->rule;
    saros_value *tangent = c->scratch, *result = tangent + rule->ins;
    for (int i = 0; i < c->stride; ++i) {
        bool any = false;
        if (i == c->sum) continue;
        for (int k = 0; k < rule->ins; ++k) {
            tangent[k] = c->in[k * c->stride + i];
            any = any || !saros_is_none(tangent[k]);
        }
        ad_fill(rule->outs, result, SAROS_NONE);
        if (any) ad_node_jvp(rule, tangent, result);
        for (int m = 0; m < rule->outs; ++m) c->out[m * c->stride + i] = result[m];
    }
}

void ad_collapse_add(const ad_collapse *c, int m, int stream, double weight, saros_value term) {
    if (saros_is_none(term)) return;
    if (weight != 1) term = saros_mul(saros_like(term, weight), term);
    saros_value *slot = &c->out[m * c->stride + stream];
    *slot = ad_sum(*slot, term);
}

void ad_collapse_term(const ad_collapse *c, const saros_operand_set set[2], int a, int b,
                      saros_value *sum) {
    saros_value *in = c->scratch;
    memcpy(in, c->rule->in, (size_t)c->rule->ins * sizeof *in);
    if (ad_substitute(c->rule, set[0], c->in + a, c->stride, in) &&
        ad_substitute(c->rule, set[1], c->in + b, c->stride, in))
        ad_append(c->rule, in, sum, 1);
}

void ad_collapse_cross(const ad_collapse *c, const saros_operand_set set[2], int a, int b,
                       int stream, double weight) {
    saros_value *term = c->scratch + c->rule->ins;
    ad_fill(c->rule->outs, term, SAROS_NONE);
    ad_collapse_term(c, set, a, b, term);
    for (int m = 0; m < c->rule->outs; ++m) ad_collapse_add(c, m, stream, weight, term[m]);
}

/* ---- the pass ---- */

static bool moves(const ad_collapse *c, int k) {
    for (int i = 0; i < c->d; ++i)
        if (!saros_is_none(c->in[k * c->stride + i])) return true;
    return false;
}

static saros_status run_node(ad_collapse *c, ad_collapse_fn node, bool *done) {
    const saros_rule *rule = c->rule;
    size_t values = 3 * (size_t)(rule->ins + rule->outs);
    c->scratch = saros_allocate(values * sizeof *c->scratch + (size_t)rule->ins + 1);
    if (!c->scratch) return SAROS_ERR_MEMORY;
    c->moving = (bool *)(c->scratch + values);
    for (int k = 0; k < rule->ins; ++k)
        if ((c->moving[k] = moves(c, k))) {
            ++c->count;
            c->last = k;
        }
    *done = node(c);
    saros_release(c->scratch);
    return SAROS_OK;
}

/** Fills the streams of all values between; stops where a node is refused or poisoned. */
static saros_status run_nodes(const ad_walk *walk, int d, int stride, int sum, ad_collapse_fn node,
                              saros_value *of, saros_value *bad, bool *done) {
    ad_frame frame = {0};
    saros_status status = SAROS_OK;
    size_t bytes = (size_t)stride * sizeof *of;
    for (int32_t id = walk->first; id < walk->last && *done; ++id) {
        if (!ad_walk_visits(walk, id)) continue;
        SAROS_TRY(ad_frame_load(&frame, walk, id, stride));
        const saros_rule *rule = &frame.rule;
        for (int k = 0; k < rule->ins; ++k)
            if (ad_active(walk, rule->in[k].id))
                memcpy(frame.in_slot + k * stride, of + (rule->in[k].id - walk->first) * stride,
                       bytes);
        ad_collapse c = {.rule = rule,
                         .d = d,
                         .stride = stride,
                         .sum = sum,
                         .in = frame.in_slot,
                         .out = frame.out_slot};
        SAROS_TRY(run_node(&c, node, done));
        *bad = ad_poisoned(rule->outs * stride, frame.out_slot);
        if (!saros_is_none(*bad)) break;
        for (int m = 0; m < rule->outs; ++m)
            if (ad_active(walk, id + m))
                memcpy(of + (id + m - walk->first) * stride, frame.out_slot + m * stride, bytes);
    }
done:
    ad_frame_free(&frame);
    return status;
}

saros_value ad_collapse_pass(saros_value y, saros_value x, int d, const saros_value *seed,
                             int stride, int sum, ad_collapse_fn node) {
    ad_walk walk;
    saros_value bad = ad_walk_begin(&walk, 1, &y, 1, &x, d, seed), result = SAROS_NONE, *of = NULL;
    saros_status status = SAROS_OK;
    bool done = true;
    if (!saros_is_none(bad)) return bad;
    size_t count = ((size_t)(walk.last - walk.first) + 1) * (size_t)stride;
    if (!(of = saros_allocate_zero(count, sizeof *of))) SAROS_TRY(SAROS_ERR_MEMORY);
    if (walk.last > walk.first && ad_active(&walk, x.id)) {
        memcpy(of + (x.id - walk.first) * stride, seed, (size_t)d * sizeof *seed);
        SAROS_TRY(run_nodes(&walk, d, stride, sum, node, of, &bad, &done));
        result = of[(y.id - walk.first) * stride + stride - 1];
    }
    result = saros_is_poisoned(bad) ? bad : done ? saros_instantiate(result, y) : SAROS_NONE;
done:
    if (status != SAROS_OK) result = saros_poison(walk.into);
    saros_release(of);
    ad_walk_close(&walk);
    return result;
}

/* ---- arguments ---- */

saros_status ad_collapse_check(const char *where, saros_value y, saros_value x) {
    saros_type of = *saros_value_type(y), in = *saros_value_type(x);
    if (in.rank == 2 && of.rank >= 1 && of.rank <= 2 && of.shape[0] == in.shape[0])
        return ad_independent(where, 1, &y, 1, &x);
    char a[128], b[128];
    return saros_fail(SAROS_ERR_SHAPE, where, "x is (n,d), y is (n) or (n,k)",
                      "got y of type %s and x of type %s", saros_type_text(&of, a, sizeof a),
                      saros_type_text(&in, b, sizeof b));
}

saros_value ad_collapse_row(saros_value x, const double *row) {
    saros_type type = *saros_value_type(x);
    saros_tensor *wide = NULL, *cast = NULL;
    saros_status status = saros_tensor_from(SAROS_F64, 1, &type.shape[1], row, &wide);
    if (status == SAROS_OK) status = saros_tensor_cast(wide, type.dtype, &cast);
    saros_value v = status == SAROS_OK
                        ? saros_broadcast(saros_constant(x.graph, cast), 2, type.shape, NULL)
                        : saros_poison(x.graph);
    saros_tensor_release(wide);
    saros_tensor_release(cast);
    return v;
}

saros_value *ad_collapse_axes(saros_value x) {
    int d = (int)saros_value_type(x)->shape[1];
    saros_value *axes = saros_allocate(((size_t)d + 1) * sizeof *axes);
    double *unit = saros_allocate_zero((size_t)d + 1, sizeof *unit);
    for (int i = 0; axes && unit && i < d; ++i) {
        unit[i] = 1;
        axes[i] = ad_collapse_row(x, unit);
        unit[i] = 0;
    }
    if (!unit) {
        saros_release(axes);
        axes = NULL;
    }
    saros_release(unit);
    return axes;
}
