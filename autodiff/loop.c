/** Loops made from regions: see loop_impl.h. */
#include "loop_impl.h"

#include "saros/memory.h"

ad_loop ad_loop_read(const saros_rule *rule) {
    ad_loop loop = {.view = saros_loop_read(&rule->attributes), .n = rule->in[0], .carry = 1};
    loop.input = loop.carry + loop.view.carries;
    loop.capture = loop.input + loop.view.inputs;
    loop.ins = loop.capture + loop.view.captures;
    loop.outs = loop.view.carries + loop.view.kept + loop.view.states;
    return loop;
}

saros_value ad_loop_index(const ad_region *region) {
    saros_type type = saros_type_scalar(SAROS_I64);
    return region->inner ? saros_input(region->inner, &type, "i") : SAROS_NONE;
}

/** `body` without its last `states` outputs. */
static saros_status without_states(saros_graph *graph, saros_body *body, int states,
                                   saros_body **out) {
    int ins = saros_body_inputs(body), outs = saros_body_outputs(body);
    saros_value *in = ad_values(ins + outs), *result = in + ins;
    ad_region region = {0};
    saros_status status = in ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) return status;
    ad_region_open(&region, graph);
    for (int k = 0; k < ins; ++k) {
        saros_type type = ad_body_type(body, k);
        in[k] = ad_region_declare(&region, &type, SAROS_NONE);
    }
    SAROS_TRY(region.status);
    saros_inline(region.inner, body, in, result);
    for (int k = 0; k < outs - states; ++k) ad_region_result(&region, result[k]);
    status = ad_region_close(&region, out);
done:
    ad_region_free(&region);
    saros_release(in);
    return status;
}

saros_status ad_loop_append(const ad_loop *loop, saros_value n, ad_region *region,
                            const ad_loop_plan *plan, saros_value **out) {
    saros_body *body = NULL, *base = NULL;
    saros_value *values = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(ad_region_close(region, &body));
    if (!(values = ad_values(region->results))) SAROS_TRY(SAROS_ERR_MEMORY);
    if (plan->states) SAROS_TRY(without_states(region->outer, body, plan->states, &base));
    const saros_value *carry = region->operand, *input = carry + plan->carries;
    saros_loop_body(region->outer, base ? base : body, n, loop->view.bound, plan->every,
                    plan->reverse, plan->carries, carry, plan->inputs, input,
                    region->operands - plan->carries - plan->inputs, input + plan->inputs, values);
    if (plan->states && !saros_is_poisoned(values[0]))
        saros_loop_augment(values[0], body, plan->states, values);
    *out = values;
    values = NULL;
done:
    saros_release(values);
    saros_body_release(base);
    saros_body_release(body);
    return status;
}
