/** Rules of `loop_reverse`: it is written out as the two loops it stands for, the first keeping all
 * its carries, and these differentiate.
 *
 *  The values are the same; the memory of what is derived from a reverse sweep grows with n,
 * however few states the sweep itself was given. */
#include "loop_impl.h"

#include "saros/memory.h"

/** The forward loop with its carries stacked behind those at the end. */
static saros_status keep_carries(saros_graph *graph, const saros_loop_view *view,
                                 const saros_value *in, saros_value *out) {
    int ins = 1 + view->carries + view->inputs + view->captures;
    saros_value *inside = ad_values(ins + view->carries);
    if (!inside) return SAROS_ERR_MEMORY;
    saros_value *next = inside + ins;
    saros_body *body = NULL;
    ad_region region = {0};
    saros_status status = SAROS_OK;
    ad_region_open(&region, graph);
    for (int k = 0; k < ins; ++k) {
        saros_type type = ad_body_type(view->body, k);
        inside[k] = ad_region_declare(&region, &type, SAROS_NONE);
    }
    SAROS_TRY(region.status);
    saros_inline(region.inner, view->body, inside, next);
    for (int k = 0; k < view->carries; ++k) ad_region_result(&region, next[k]);
    for (int k = 0; k < view->carries; ++k) ad_region_result(&region, inside[1 + k]);
    SAROS_TRY(ad_region_close(&region, &body));
    saros_loop_body(graph, body, in[0], view->bound, 1, view->reverse, view->carries, in + 1,
                    view->inputs, in + 1 + view->carries, view->captures,
                    in + 1 + view->carries + view->inputs, out);
done:
    saros_body_release(body);
    ad_region_free(&region);
    saros_release(inside);
    return status;
}

/** The node with operands `in` as two loops. */
static saros_status write_out(saros_graph *graph, const saros_rule *rule, const saros_value *in,
                              saros_value *out) {
    saros_loop_view f, b;
    saros_loop_reverse_read(&rule->attributes, &f, &b);
    saros_value *kept = ad_values(2 * f.carries + b.inputs);
    if (!kept) return SAROS_ERR_MEMORY;
    saros_value *stack = kept + f.carries;
    const saros_value *carry = in + 1 + f.carries + f.inputs + f.captures;
    const saros_value *given = carry + b.carries;
    int rest = b.inputs - f.carries;
    saros_status status = keep_carries(graph, &f, in, kept);
    for (int k = 0; k < rest; ++k) stack[f.carries + k] = given[k];
    if (status == SAROS_OK)
        saros_loop_body(graph, b.body, in[0], b.bound, b.every, b.reverse, b.carries, carry,
                        b.inputs, stack, b.captures, given + rest, out);
    saros_release(kept);
    return status;
}

/** Written out on fresh names of the operands; `by` has those that carry tangents. NULL: failed. */
static saros_value *independent(const saros_rule *rule, saros_value **by) {
    saros_value *in = ad_values(2 * rule->ins + rule->outs);
    if (!in) return NULL;
    saros_value *out = in + 2 * rule->ins;
    *by = in + rule->ins;
    for (int k = 0; k < rule->ins; ++k) {
        in[k] = rule->in[k];
        if (!ad_is_float(in[k])) continue;
        in[k] = saros_build(rule->graph, &saros_row_alias, NULL, 1, &rule->in[k]);
        (*by)[k] = in[k];
    }
    if (write_out(rule->graph, rule, in, out) == SAROS_OK) return in;
    saros_release(in);
    return NULL;
}

void ad_loop_reverse_jvp(const saros_rule *rule, const saros_value *tangent,
                         saros_value *out_tangent) {
    saros_value *by, *memory = independent(rule, &by);
    if (!memory) {
        ad_fill(rule->outs, out_tangent, saros_poison(rule->graph));
        return;
    }
    ad_jvp(rule->outs, memory + 2 * rule->ins, rule->ins, by, tangent, out_tangent);
    saros_release(memory);
}

void ad_loop_reverse_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                         saros_value *gradient) {
    saros_value *by, *memory = independent(rule, &by);
    if (!memory) {
        ad_fill(rule->ins, gradient, saros_poison(rule->graph));
        return;
    }
    for (int k = 0; k < rule->ins; ++k)
        if (!wanted[k]) by[k] = SAROS_NONE;
    ad_vjp(rule->outs, memory + 2 * rule->ins, cotangent, rule->ins, by, gradient);
    saros_release(memory);
}

void ad_loop_reverse_jet(const saros_rule *rule, int order, const saros_value *series,
                         saros_value *out_series) {
    saros_value *by, *memory = independent(rule, &by);
    saros_value *given = ad_values(order * (rule->ins + rule->outs));
    saros_value *result = given + order * rule->ins;
    if (!memory || !given) {
        ad_fill(rule->outs * (order + 1), out_series, saros_poison(rule->graph));
        goto done;
    }
    for (int k = 0; k < rule->ins; ++k)
        for (int j = 0; j < order; ++j) given[k * order + j] = series[k * (order + 1) + j + 1];
    ad_jet(rule->outs, memory + 2 * rule->ins, rule->ins, by, order, given, result);
    for (int m = 0; m < rule->outs; ++m)
        for (int j = 0; j < order; ++j) out_series[m * (order + 1) + j + 1] = result[m * order + j];
done:
    saros_release(given);
    saros_release(memory);
}

void ad_loop_reverse_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                           const bool *batched, saros_value *out, bool *out_batched) {
    saros_value *inside = ad_values(rule->ins + rule->outs),
                *result = inside ? inside + rule->ins : NULL;
    saros_body *body = NULL;
    ad_region region = {0};
    saros_status status = inside ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) goto done;
    ad_region_open(&region, rule->graph);
    saros_loop_view f, b;
    saros_loop_reverse_read(&rule->attributes, &f, &b);
    for (int k = 0; k < rule->ins - f.leaves; ++k) {
        saros_type type = batched[k] ? ad_slice_type(in[k]) : *saros_value_type(in[k]);
        inside[k] = ad_region_declare(&region, &type, in[k]);
    }
    SAROS_TRY(region.status);
    SAROS_TRY(write_out(region.inner, rule, inside, result));
    for (int m = 0; m < rule->outs; ++m) ad_region_result(&region, result[m]);
    SAROS_TRY(ad_region_close(&region, &body));
    SAROS_TRY(ad_batch_body(rule->graph, body, size, region.operand, batched, out, out_batched));
done:
    if (status != SAROS_OK) ad_fill(rule->outs, out, saros_poison(rule->graph));
    saros_body_release(body);
    ad_region_free(&region);
    saros_release(inside);
}
