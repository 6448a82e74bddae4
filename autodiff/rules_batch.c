/** Batching of loop, of cond, and of rows that bring no batched form.
 *
 *  loop: which carries are batched is a fix-point over the body. Stacked values carry the batch
 * axis behind the axis of iterations inside the loop and before it outside. Where n itself is
 * batched, the loop runs to the largest n and a lane that is done keeps its carry and stacks zeros.
 * So it is where lanes end early, each in its own time; whether any goes on is a carry before the
 * others.
 *
 *  Foreign calls and the like: a loop over the lanes.
 *
 *  cond: an unbatched mask keeps the cond, with batched branches; under a batched mask both
 * branches run and `where` selects. */
#include "loop_impl.h"

#include <string.h>

#include "saros/memory.h"

typedef struct batched_loop {
    const saros_rule *rule;
    ad_loop loop;
    int64_t size;
    const saros_value *in;
    bool *flag;           /**< per body input, then per body output */
    saros_value *inside;  /**< body inputs in the new body, then outputs */
    saros_value n, lanes; /**< trip count of the loop; per lane, or NONE */
    bool apart;           /**< lanes end early, each in its own time */
} batched_loop;

/** Axes 0 and 1 swapped. */
static saros_value swap_leading(saros_value v) {
    int axes[SAROS_MAX_RANK];
    for (int a = 0; a < saros_value_rank(v); ++a) axes[a] = a < 2 ? 1 - a : a;
    return saros_permute(v, axes);
}

static saros_value declare(batched_loop *b, ad_region *region, int k) {
    saros_value operand = b->in[k];
    if (k < b->loop.input) { /* a carry raised to batched starts from copies of one value */
        bool given = saros_value_rank(operand) > ad_body_type(b->loop.view.body, k).rank;
        if (b->flag[k] && !given) operand = ad_lead(operand, b->size);
    } else if (k < b->loop.capture && b->flag[k]) {
        operand = swap_leading(operand);
    }
    bool sliced = k >= b->loop.input && k < b->loop.capture;
    saros_type type = sliced ? ad_slice_type(operand) : *saros_value_type(operand);
    return ad_region_declare(region, &type, operand);
}

/** v where the lane still runs, else `other`; both with a leading axis. */
static saros_value where_running(saros_value running, saros_value v, saros_value other) {
    saros_type type = *saros_value_type(v);
    int axes[1] = {0};
    return saros_where(saros_broadcast(running, type.rank, type.shape, axes), v, other);
}

/** Whether any lane of a mask is set. */
static saros_value any_lane(saros_value mask) {
    saros_value count = saros_sum(saros_cast(mask, SAROS_I64), saros_all_axes(mask));
    return saros_gt(count, saros_like(count, 0));
}

/** The lanes that run this iteration, NONE: all do. */
static saros_value running_lanes(const batched_loop *b) {
    saros_value running = SAROS_NONE;
    if (!saros_is_none(b->lanes)) running = saros_lt(b->inside[0], b->lanes);
    if (!b->apart) return running;
    saros_value go = b->inside[b->loop.carry];
    return saros_is_none(running) ? go : saros_and(running, go);
}

/** Builds the body with the flags as they are; *grew if another carry turns out to be batched. */
static saros_status build(batched_loop *b, ad_region *region, ad_loop_plan *plan, bool *grew) {
    const ad_loop *loop = &b->loop;
    saros_value *out = b->inside + loop->ins;
    bool *out_flag = b->flag + loop->ins;
    ad_region_open(region, b->rule->graph);
    b->inside[0] = ad_loop_index(region);
    b->apart = loop->view.early && b->flag[loop->carry];
    if (b->apart) {
        saros_type mask = saros_type_scalar(SAROS_BOOL);
        ad_region_declare(region, &mask, any_lane(b->in[loop->carry]));
    }
    for (int k = 1; k < loop->ins; ++k) b->inside[k] = declare(b, region, k);
    if (region->status != SAROS_OK) return region->status;
    saros_status status =
        ad_batch_body(region->inner, loop->view.body, b->size, b->inside, b->flag, out, out_flag);
    if (status != SAROS_OK) return status;
    *grew = false;
    saros_value running = running_lanes(b);
    for (int m = 0; m < loop->outs; ++m) {
        bool carry = m < loop->view.carries, *flag = carry ? &b->flag[loop->carry + m] : NULL;
        bool want = out_flag[m] || !saros_is_none(running) || (carry && *flag);
        if (want && !out_flag[m]) out[m] = ad_lead(out[m], b->size);
        out_flag[m] = want;
        if (carry && want && !*flag) *flag = *grew = true;
        if (*grew) continue;
        if (!saros_is_none(running))
            out[m] = where_running(running, out[m],
                                   carry ? b->inside[loop->carry + m] : saros_zeros_like(out[m]));
        if (m == 0 && b->apart) ad_region_result(region, any_lane(out[0]));
        ad_region_result(region, out[m]);
    }
    *plan = (ad_loop_plan){.carries = loop->view.carries + b->apart,
                           .inputs = loop->view.inputs,
                           .states = loop->view.states,
                           .every = loop->view.every,
                           .snapshots = loop->view.snapshots,
                           .reverse = loop->view.reverse,
                           .early = loop->view.early,
                           .leaves = loop->view.leaves};
    return region->status;
}

void ad_loop_batch(const saros_rule *rule, int64_t size, const saros_value *in, const bool *batched,
                   saros_value *out, bool *out_batched) {
    batched_loop b = {.rule = rule, .loop = ad_loop_read(rule), .size = size, .in = in};
    ad_region region = {0};
    ad_loop_plan plan = {0};
    saros_value *end = NULL;
    saros_status status = SAROS_OK;
    b.flag = saros_allocate_zero((size_t)(b.loop.ins + rule->outs) + 1, sizeof *b.flag);
    b.inside = ad_values(b.loop.ins + b.loop.outs);
    if (!b.flag || !b.inside) SAROS_TRY(SAROS_ERR_MEMORY);
    memcpy(b.flag + 1, batched + 1, (size_t)(b.loop.ins - 1));
    b.n = batched[0] ? saros_max(in[0], 1) : in[0];
    b.lanes = batched[0] ? in[0] : SAROS_NONE;
    for (bool grew = true; grew;) {
        ad_region_free(&region);
        SAROS_TRY(build(&b, &region, &plan, &grew));
    }
    SAROS_TRY(ad_loop_append(&b.loop, b.n, &region, &plan, &end));
    for (int m = 0; m < rule->outs; ++m) {
        out_batched[m] = b.flag[b.loop.ins + m];
        bool stacked = m >= b.loop.view.carries;
        saros_value v = end[m + b.apart];
        out[m] = stacked && out_batched[m] ? swap_leading(v) : v;
    }
done:
    if (status != SAROS_OK) ad_fill(rule->outs, out, saros_poison(rule->graph));
    saros_release(end);
    ad_region_free(&region);
    saros_release(b.inside);
    saros_release(b.flag);
}

/* ---- cond ---- */

/** Both branches in the graph itself, selected by `where`. */
static saros_status batch_both(const saros_rule *rule, const saros_cond_view *view, int64_t size,
                               const saros_value *in, const bool *batched, saros_value *out,
                               bool *out_batched) {
    saros_value *other = ad_values(rule->outs);
    bool *flag = saros_allocate_zero((size_t)rule->outs + 1, sizeof *flag);
    saros_status status = SAROS_OK;
    if (!other || !flag) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(ad_batch_body(rule->graph, view->then, size, in + 1, batched + 1, out, out_batched));
    SAROS_TRY(ad_batch_body(rule->graph, view->otherwise, size, in + 1 + view->then_captures,
                            batched + 1 + view->then_captures, other, flag));
    for (int m = 0; m < rule->outs; ++m) {
        saros_value then = out_batched[m] ? out[m] : ad_lead(out[m], size);
        saros_value otherwise = flag[m] ? other[m] : ad_lead(other[m], size);
        out[m] = where_running(in[0], then, otherwise);
        out_batched[m] = true;
    }
done:
    saros_release(flag);
    saros_release(other);
    return status;
}

/** A branch's batched body, all outputs with the axis. */
static saros_status batch_branch(const saros_rule *rule, saros_body *body, int64_t size, int first,
                                 const saros_value *in, const bool *batched, ad_region *region,
                                 saros_body **derived) {
    int ins = saros_body_inputs(body);
    saros_value *inside = ad_values(ins + rule->outs), *out = inside ? inside + ins : NULL;
    bool *flag = saros_allocate_zero((size_t)rule->outs + 1, sizeof *flag);
    saros_status status = SAROS_OK;
    if (!inside || !flag) SAROS_TRY(SAROS_ERR_MEMORY);
    ad_region_open(region, rule->graph);
    for (int k = 0; k < ins; ++k) {
        saros_type type = *saros_value_type(in[first + k]);
        inside[k] = ad_region_declare(region, &type, in[first + k]);
    }
    SAROS_TRY(region->status);
    SAROS_TRY(ad_batch_body(region->inner, body, size, inside, batched + first, out, flag));
    for (int m = 0; m < rule->outs; ++m)
        ad_region_result(region, flag[m] ? out[m] : ad_lead(out[m], size));
    SAROS_TRY(ad_region_close(region, derived));
done:
    saros_release(flag);
    saros_release(inside);
    return status;
}

void ad_cond_batch(const saros_rule *rule, int64_t size, const saros_value *in, const bool *batched,
                   saros_value *out, bool *out_batched) {
    saros_cond_view view = saros_cond_read(&rule->attributes);
    ad_region region[2] = {{0}, {0}};
    saros_body *body[2] = {NULL, NULL};
    saros_status status = SAROS_OK;
    if (batched[0]) {
        SAROS_TRY(batch_both(rule, &view, size, in, batched, out, out_batched));
    } else {
        SAROS_TRY(batch_branch(rule, view.then, size, 1, in, batched, &region[0], &body[0]));
        SAROS_TRY(batch_branch(rule, view.otherwise, size, 1 + view.then_captures, in, batched,
                               &region[1], &body[1]));
        saros_cond_body(in[0], body[0], region[0].operands, region[0].operand, body[1],
                        region[1].operands, region[1].operand, out);
        for (int m = 0; m < rule->outs; ++m) out_batched[m] = true;
    }
done:
    if (status != SAROS_OK) ad_fill(rule->outs, out, saros_poison(rule->graph));
    for (int s = 0; s < 2; ++s) {
        saros_body_release(body[s]);
        ad_region_free(&region[s]);
    }
}

/* ---- rows without a batched form ---- */

void ad_lanes_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                    const bool *batched, saros_value *out, bool *out_batched) {
    ad_loop lanes = {.view = {.bound = size}};
    ad_loop_plan plan = {.every = 1};
    ad_region region = {0};
    saros_value *inside = ad_values(rule->ins), *end = NULL;
    saros_status status = inside ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) goto done;
    ad_region_open(&region, rule->graph);
    ad_loop_index(&region);
    for (int sliced = 1; sliced >= 0; --sliced)
        for (int k = 0; k < rule->ins; ++k) {
            if (batched[k] != (sliced == 1)) continue;
            saros_type type = sliced ? ad_slice_type(in[k]) : *saros_value_type(in[k]);
            inside[k] = ad_region_declare(&region, &type, in[k]);
            plan.inputs += sliced;
        }
    SAROS_TRY(region.status);
    saros_value first = saros_build(region.inner, rule->row, &rule->attributes, rule->ins, inside);
    for (int m = 0; m < rule->outs; ++m) ad_region_result(&region, saros_output(first, m));
    saros_value n = saros_scalar(rule->graph, SAROS_I64, (double)size);
    SAROS_TRY(ad_loop_append(&lanes, n, &region, &plan, &end));
    for (int m = 0; m < rule->outs; ++m) {
        out[m] = end[m];
        out_batched[m] = true;
    }
done:
    if (status != SAROS_OK) ad_fill(rule->outs, out, saros_poison(rule->graph));
    saros_release(end);
    ad_region_free(&region);
    saros_release(inside);
}
