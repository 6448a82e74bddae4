/** Checkpoints: values computed again in the reverse sweep instead of kept.
 *
 *  A checkpointed part is a loop of one iteration whose results are its kept values. What a loop
 * keeps for reverse mode is its carry, and here is none: the transposed step computes the part anew
 * from its captures, once its cotangents are there. Bodies are closed graphs, so nothing in them
 * merges with the forward part, and all modes nest as they do for loops. */
#include "saros/autodiff.h"

#include "loop_impl.h"
#include "saros/memory.h"

/** `stacked` with its first axis, of extent one, taken off. */
static saros_value only_row(saros_value stacked) {
    if (saros_is_poisoned(stacked)) return stacked;
    saros_type type = *saros_value_type(stacked);
    return saros_reshape(stacked, type.rank - 1, type.shape + 1);
}

void saros_checkpoint_body(saros_graph *graph, saros_body *body, int captures,
                           const saros_value *capture, saros_value *out) {
    saros_loop_append(graph,
                      &(saros_loop_parts){.body = body,
                                          .n = saros_scalar(graph, SAROS_I64, 1),
                                          .bound = 1,
                                          .every = 1,
                                          .captures = captures,
                                          .capture = capture},
                      out);
    for (int k = 0; k < saros_body_outputs(body); ++k) out[k] = only_row(out[k]);
}

/** Names results that were made of outer values alone: those would not be computed again. */
static saros_status check_inside(const saros_graph *inner, int outputs, const saros_value *out) {
    for (int k = 0; k < outputs; ++k)
        if (!saros_is_none(out[k]) && out[k].graph != inner)
            return saros_fail(SAROS_ERR_USAGE, "saros_checkpoint",
                              "compute from the values that the part is given",
                              "result %d was computed outside of the part", k);
    return SAROS_OK;
}

void saros_checkpoint(saros_graph *graph, saros_part_fn build, void *user, int ins,
                      const saros_value *in, int outs, saros_value *out) {
    saros_value *inside = ad_values(ins + outs), *result = inside ? inside + ins : NULL;
    saros_value bad = ad_poisoned(ins, in);
    saros_body *body = NULL;
    ad_region region = {0};
    saros_status status = inside ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK || !saros_is_none(bad)) goto done;
    ad_region_open(&region, graph);
    ad_loop_index(&region);
    for (int k = 0; k < ins; ++k) {
        saros_type type = *saros_value_type(in[k]);
        inside[k] = ad_region_declare(&region, &type, in[k]);
    }
    SAROS_TRY(region.status);
    SAROS_TRY(build(region.inner, inside, user, result));
    SAROS_TRY(check_inside(region.inner, outs, result));
    for (int k = 0; k < outs; ++k) ad_region_result(&region, result[k]);
    SAROS_TRY(ad_region_close(&region, &body));
    saros_checkpoint_body(graph, body, region.operands, region.operand, out);
done:
    if (status != SAROS_OK) bad = saros_poison(graph);
    if (!saros_is_none(bad)) ad_fill(outs, out, bad);
    saros_body_release(body);
    ad_region_free(&region);
    saros_release(inside);
}
