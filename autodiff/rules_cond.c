/** Rules of `cond`: each branch is differentiated in a body of its own, and the new cond runs the
 * derivative of the branch that was chosen. Where one branch gives a derivative and the other none,
 * the other gives zeros.
 *
 *  Operands of the node: mask, captures of `then`, captures of `otherwise`; a branch's inputs are
 *  its captures. */
#include "node_impl.h"
#include "region_impl.h"
#include "walk_impl.h"

#include "saros/memory.h"

/** One branch while its derivative is built. */
typedef struct branch {
    saros_body *body;
    int first, ins; /**< its operands of the node */
    ad_region region;
    saros_value *in, *out; /**< in the new body */
    saros_value *result;   /**< derivatives of its own, in the new body */
    saros_body *derived;
} branch;

static saros_status branch_open(branch *b, const saros_rule *rule, saros_body *body, int first,
                                int ins, int results) {
    *b = (branch){.body = body, .first = first, .ins = ins};
    b->in = ad_values(ins + rule->outs + results);
    if (!b->in) return SAROS_ERR_MEMORY;
    b->out = b->in + ins;
    b->result = b->out + rule->outs;
    ad_region_open(&b->region, rule->graph);
    for (int k = 0; k < ins; ++k) {
        saros_type type = ad_body_type(body, k);
        b->in[k] = ad_region_declare(&b->region, &type, rule->in[first + k]);
    }
    return b->region.status;
}

static void branch_free(branch *b) {
    saros_body_release(b->derived);
    ad_region_free(&b->region);
    saros_release(b->in);
}

static saros_status branches_open(branch b[2], const saros_rule *rule, int results) {
    saros_cond_view view = saros_cond_read(&rule->attributes);
    saros_status status = branch_open(&b[0], rule, view.then, 1, view.then_captures, results);
    if (status != SAROS_OK) return status;
    return branch_open(&b[1], rule, view.otherwise, 1 + view.then_captures, view.else_captures,
                       results);
}

/** Hands result k of both branches to the bodies if either has one. */
static void join(branch b[2], int k, const saros_type *type) {
    if (saros_is_none(b[0].result[k]) && saros_is_none(b[1].result[k])) return;
    for (int s = 0; s < 2; ++s) {
        saros_value v = b[s].result[k];
        if (saros_is_none(v)) v = saros_splat(b[s].region.inner, type, 0);
        ad_region_result(&b[s].region, ad_as_part(v, type));
    }
}

/** Closes both branches and appends the cond; `out` is an array to release. */
static saros_status append(branch b[2], const saros_rule *rule, saros_value **out) {
    saros_status status = SAROS_OK;
    for (int s = 0; s < 2; ++s) SAROS_TRY(ad_region_close(&b[s].region, &b[s].derived));
    if (!(*out = ad_values(b[0].region.results))) SAROS_TRY(SAROS_ERR_MEMORY);
    saros_cond_body(rule->in[0], b[0].derived, b[0].region.operands, b[0].region.operand,
                    b[1].derived, b[1].region.operands, b[1].region.operand, *out);
done:
    return status;
}

/* ---- forward ---- */

static saros_status branch_jet(branch *b, const saros_rule *rule, int order,
                               const saros_value *series) {
    saros_value *given = ad_values(b->ins * order);
    if (!given) return SAROS_ERR_MEMORY;
    for (int k = 0; k < b->ins; ++k) {
        saros_type type = ad_body_type(b->body, k);
        for (int j = 0; j < order; ++j) {
            saros_value v = series[(b->first + k) * (order + 1) + j + 1];
            if (!saros_is_none(v)) given[k * order + j] = ad_region_declare(&b->region, &type, v);
        }
    }
    if (b->region.status == SAROS_OK) {
        saros_inline(b->region.inner, b->body, b->in, b->out);
        ad_jet(rule->outs, b->out, b->ins, b->in, order, given, b->result);
    }
    saros_release(given);
    return b->region.status;
}

void ad_cond_jet(const saros_rule *rule, int order, const saros_value *series,
                 saros_value *out_series) {
    branch b[2] = {{0}, {0}};
    saros_value *out = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(branches_open(b, rule, rule->outs * order));
    for (int s = 0; s < 2; ++s) SAROS_TRY(branch_jet(&b[s], rule, order, series));
    for (int m = 0; m < rule->outs; ++m) {
        saros_type type = *saros_value_type(b[0].out[m]);
        for (int j = 0; j < order; ++j) join(b, m * order + j, &type);
    }
    if (b[0].region.results) SAROS_TRY(append(b, rule, &out));
    for (int m = 0, from = 0; m < rule->outs; ++m)
        for (int j = 0; j < order; ++j)
            if (!saros_is_none(b[0].result[m * order + j]) ||
                !saros_is_none(b[1].result[m * order + j]))
                out_series[m * (order + 1) + j + 1] = out[from++];
done:
    if (status != SAROS_OK)
        ad_fill(rule->outs * (order + 1), out_series, saros_poison(rule->graph));
    saros_release(out);
    for (int s = 0; s < 2; ++s) branch_free(&b[s]);
}

void ad_cond_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent) {
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
    ad_cond_jet(rule, 1, series, out);
    for (int m = 0; m < outs; ++m) out_tangent[m] = out[2 * m + 1];
    saros_release(series);
}

/* ---- reverse ---- */

/** result[first + k - 1]: gradient of operand first + k of the node. */
static saros_status branch_vjp(branch *b, const saros_rule *rule, const saros_value *cotangent,
                               const bool *wanted) {
    saros_value *ct = ad_values(rule->outs + b->ins);
    if (!ct) return SAROS_ERR_MEMORY;
    saros_value *in = ct + rule->outs;
    for (int m = 0; m < rule->outs; ++m) {
        if (saros_is_none(cotangent[m])) continue;
        saros_type type = *saros_value_type(saros_body_output(b->body, m));
        ct[m] = ad_region_declare(&b->region, &type, cotangent[m]);
    }
    for (int k = 0; k < b->ins; ++k)
        if (wanted[b->first + k]) in[k] = b->in[k];
    if (b->region.status == SAROS_OK) {
        saros_inline(b->region.inner, b->body, b->in, b->out);
        ad_vjp(rule->outs, b->out, ct, b->ins, in, b->result + b->first - 1);
    }
    saros_release(ct);
    return b->region.status;
}

void ad_cond_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                 saros_value *gradient) {
    branch b[2] = {{0}, {0}};
    saros_value *out = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(branches_open(b, rule, rule->ins));
    for (int s = 0; s < 2; ++s) SAROS_TRY(branch_vjp(&b[s], rule, cotangent, wanted));
    for (int k = 1; k < rule->ins; ++k) {
        saros_type type = *saros_value_type(rule->in[k]);
        join(b, k - 1, &type);
    }
    if (b[0].region.results) SAROS_TRY(append(b, rule, &out));
    for (int k = 1, from = 0; k < rule->ins; ++k)
        if (!saros_is_none(b[0].result[k - 1]) || !saros_is_none(b[1].result[k - 1]))
            gradient[k] = out[from++];
done:
    if (status != SAROS_OK) ad_fill(rule->ins, gradient, saros_poison(rule->graph));
    saros_release(out);
    for (int s = 0; s < 2; ++s) branch_free(&b[s]);
}
