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

/** `body` with its first `outs` outputs alone. */
static saros_status leading(saros_graph *graph, saros_body *body, int outs, saros_body **out) {
    int ins = saros_body_inputs(body);
    saros_value *in = ad_values(ins + saros_body_outputs(body)), *result = in ? in + ins : NULL;
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
    for (int k = 0; k < outs; ++k) ad_region_result(&region, result[k]);
    status = ad_region_close(&region, out);
done:
    ad_region_free(&region);
    saros_release(in);
    return status;
}

static saros_loop_parts parts_of(const ad_loop *loop, saros_value n, const ad_region *region,
                                 const ad_loop_plan *plan, saros_body *body) {
    const saros_value *carry = region->operand, *input = carry + plan->carries;
    return (saros_loop_parts){.body = body,
                              .n = n,
                              .bound = loop->view.bound,
                              .every = plan->every,
                              .states = plan->snapshots,
                              .disk = plan->snapshots ? loop->view.disk : 0,
                              .place = plan->snapshots ? loop->view.place : NULL,
                              .leaves = plan->leaves,
                              .reverse = plan->reverse,
                              .early = plan->early,
                              .carries = plan->carries,
                              .inputs = plan->inputs,
                              .captures = region->operands - plan->carries - plan->inputs,
                              .carry = carry,
                              .input = input,
                              .capture = input + plan->inputs,
                              .stacked = plan->states,
                              .contains = plan->contains};
}

saros_status ad_loop_append(const ad_loop *loop, saros_value n, ad_region *region,
                            const ad_loop_plan *plan, saros_value **out) {
    saros_body *body = NULL;
    saros_value *values = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(ad_region_close(region, &body));
    if (!(values = ad_values(region->results + plan->leaves))) SAROS_TRY(SAROS_ERR_MEMORY);
    saros_loop_parts parts = parts_of(loop, n, region, plan, body);
    saros_loop_append(region->outer, &parts, values);
    *out = values;
    values = NULL;
done:
    saros_release(values);
    saros_body_release(body);
    return status;
}

saros_status ad_loop_append_reverse(const ad_loop *loop, saros_value n, const saros_rule *rule,
                                    ad_region *region, const ad_loop_plan *plan, saros_value left,
                                    saros_value **out) {
    const saros_loop_view *view = &loop->view;
    saros_body *body = NULL, *advance = NULL;
    saros_value *values = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(ad_region_close(region, &body));
    if (!(values = ad_values(region->results))) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(leading(region->outer, view->body, view->carries, &advance));
    saros_loop_parts backward = parts_of(loop, n, region, plan, body);
    backward.inputs -= view->carries; /* the states, which the sweep feeds itself */
    backward.input += view->carries;
    saros_loop_reverse(region->outer,
                       &(saros_loop_parts){.body = advance,
                                           .n = n,
                                           .bound = view->bound,
                                           .states = view->snapshots,
                                           .disk = view->disk,
                                           .place = view->place,
                                           .leaves = true,
                                           .reverse = view->reverse,
                                           .carries = view->carries,
                                           .inputs = view->inputs,
                                           .captures = view->captures,
                                           .carry = rule->in + loop->carry,
                                           .input = rule->in + loop->input,
                                           .capture = rule->in + loop->capture},
                       &backward, left, values);
    *out = values;
    values = NULL;
done:
    saros_release(values);
    saros_body_release(advance);
    saros_body_release(body);
    return status;
}
