/** Reverse rule of `loop`: the forward loop once more, keeping what each step reads, then
 * the loop of transposed steps run the other way.
 *
 *  One transposed step is a body of its own: (index, carry at the start of the step, slices,
 *  captures, cotangents of next and kept) -> (cotangents of carry, gradients of slices and of
 *  captures). It computes the step anew and transposes it; which carries it really reads is seen
 *  from its graph, and only these are kept as states. The reversed loop carries the cotangents and
 *  the sums of the capture gradients and stacks the slice gradients.
 *
 *  A loop that ends early is repeated with a count among its carries, and the steps that it counts
 * are transposed.
 *
 *  All states are kept, and memory grows with n, unless the loop says how many the sweep may hold,
 *  or they do not fit: then the loop leaves some of the states that it passes, and the transposed
 *  steps are run by loop_reverse. Steps and
 * sums are the same and in the same order, so the gradients are equal in every bit. The result is
 * loops again and differentiates again. */
#include "loop_impl.h"

#include "saros/memory.h"

typedef struct reverse_loop {
    const saros_rule *rule;
    const saros_value *cotangent;
    const bool *wanted;
    ad_loop loop;
    bool *depends; /**< per body input: carries a tangent from a wanted operand */
    bool *live;    /**< per carry: its cotangent is carried */
    bool *reads;   /**< per body input: the transposed step reads it */
    saros_body *step;
    saros_value *feed;     /**< per step input: its value in the body under construction */
    saros_value *gradient; /**< per body input: its gradient in the step, NONE if there is none */
    saros_value *state;    /**< per carry that is read: stacked, outside */
    saros_value n;         /**< iterations that the loop ran */
    saros_value left;      /**< states that the loop leaves for loop_reverse */
    bool recomputes;       /**< states come from loop_reverse */
    saros_body *costly;    /**< body inputs -> results that are kept too, or NULL */
    saros_value *kept;     /**< these, stacked, outside */
    saros_value *room;     /**< of `feed`, `gradient` and `state` at first */
} reverse_loop;

static int costly_results(const reverse_loop *r) {
    return r->costly ? saros_body_outputs(r->costly) : 0;
}

static bool is_state(const reverse_loop *r, int m) {
    return m >= r->loop.view.carries + r->loop.view.kept;
}
static bool has_cotangent(const reverse_loop *r, int m) {
    const saros_loop_view *view = &r->loop.view;
    if (m < view->carries) return r->live[m];
    bool empty = !is_state(r, m) && view->bound < view->every; /* kept, but without rows */
    return !empty && !saros_is_none(r->cotangent[m]);
}

/** Raises `live` to the fix-point: a carry has a cotangent if it has one at the end, or if a step
 * leads from it to something that has one. */
static saros_status find_live(reverse_loop *r) {
    const ad_loop *loop = &r->loop;
    int carries = loop->view.carries;
    size_t outs = (size_t)loop->outs;
    bool *from = saros_allocate_zero((size_t)loop->ins + (size_t)carries * outs + 1, 1);
    if (!from) return SAROS_ERR_MEMORY;
    bool *reach = from + loop->ins; /* [carry][body output] */
    saros_status status = SAROS_OK;
    for (int c = 0; c < carries && status == SAROS_OK; ++c) {
        if (!r->depends[loop->carry + c]) continue;
        r->live[c] = !saros_is_none(r->cotangent[c]);
        from[loop->carry + c] = true;
        status = ad_body_activity(loop->view.body, from, reach + (size_t)c * outs);
        from[loop->carry + c] = false;
    }
    for (bool grows = true; grows && status == SAROS_OK;) {
        grows = false;
        for (int c = 0; c < carries; ++c)
            for (int m = 0; m < loop->outs && r->depends[loop->carry + c] && !r->live[c]; ++m)
                if (reach[(size_t)c * outs + (size_t)m] && has_cotangent(r, m))
                    r->live[c] = grows = true;
    }
    saros_release(from);
    return status;
}

static saros_status reverse_open(reverse_loop *r) {
    const ad_loop *loop = &r->loop;
    int ins = loop->ins, outs = loop->outs;
    r->depends = saros_allocate_zero((size_t)(3 * ins + 2 * outs) + 1, sizeof(bool));
    r->feed = r->room = ad_values(3 * ins + outs);
    if (!r->depends || !r->room) return SAROS_ERR_MEMORY;
    r->reads = r->depends + ins + outs; /* between them the flags of kept outputs */
    r->live = r->reads + ins + outs;
    r->gradient = r->feed + ins + outs;
    r->state = r->gradient + ins;
    for (int k = 1; k < ins; ++k) r->depends[k] = r->wanted[k];
    saros_status status =
        ad_loop_activity(&loop->view, r->depends + loop->carry, r->depends + loop->input,
                         r->depends + loop->capture, r->depends + ins);
    return status == SAROS_OK ? find_live(r) : status;
}

/** Declares the step's inputs: those of the body, then one cotangent per output that has one. */
static void step_inputs(reverse_loop *r, ad_region *region, saros_value *ct) {
    for (int k = 0; k < r->loop.ins; ++k) {
        saros_type type = ad_body_type(r->loop.view.body, k);
        r->feed[k] = ad_region_declare(region, &type, SAROS_NONE);
    }
    for (int m = 0; m < r->loop.outs; ++m) {
        ct[m] = SAROS_NONE;
        if (!has_cotangent(r, m)) continue;
        saros_type type = *saros_value_type(saros_body_output(r->loop.view.body, m));
        ct[m] = ad_region_declare(region, &type, SAROS_NONE);
    }
}

/** Which of the body's inputs the finished step reads. */
static saros_status find_reads(reverse_loop *r) {
    int outs = saros_body_outputs(r->step);
    saros_value *in = ad_values(r->loop.ins + outs);
    if (!in) return SAROS_ERR_MEMORY;
    saros_value *out = in + r->loop.ins;
    for (int k = 0; k < r->loop.ins; ++k) in[k] = saros_body_input(r->step, k);
    for (int m = 0; m < outs; ++m) out[m] = saros_body_output(r->step, m);
    saros_depends(outs, out, r->loop.ins, in, r->reads);
    saros_release(in);
    return SAROS_OK;
}

/** Makes the transposed step; afterwards gradient[k] is non-NONE where the step gives one. */
static saros_status make_step(reverse_loop *r) {
    const ad_loop *loop = &r->loop;
    saros_value *ct = ad_values(2 * loop->outs + loop->ins);
    if (!ct) return SAROS_ERR_MEMORY;
    saros_value *out = ct + loop->outs, *in = out + loop->outs;
    saros_status status = SAROS_OK;
    ad_region region = {0};
    ad_region_open(&region, r->rule->graph);
    step_inputs(r, &region, ct);
    SAROS_TRY(region.status);
    saros_inline(region.inner, loop->view.body, r->feed, out);
    for (int k = 0; k < loop->ins; ++k) {
        bool carry = k >= loop->carry && k < loop->input;
        if (carry ? r->live[k - loop->carry] : r->depends[k]) in[k] = r->feed[k];
    }
    ad_vjp(loop->outs, out, ct, loop->ins, in, r->gradient);
    for (int k = loop->carry; k < loop->ins; ++k) {
        saros_type type = ad_body_type(loop->view.body, k);
        if (k < loop->input && r->live[k - loop->carry])
            r->gradient[k] = saros_instantiate(r->gradient[k], r->feed[k]);
        r->gradient[k] = ad_as_part(r->gradient[k], &type);
        if (!saros_is_none(r->gradient[k])) ad_region_result(&region, r->gradient[k]);
    }
    SAROS_TRY(ad_region_close(&region, &r->step));
    status = find_reads(r);
done:
    ad_region_free(&region);
    saros_release(ct);
    return status;
}

/** Takes out of the step what is better kept than computed again, if all of it fits with all
 * states; decides how many states are held. */
static saros_status split_step(reverse_loop *r) {
    saros_body *whole = saros_body_retain(r->step);
    const bool repeats = r->loop.view.bound > 1; /* one iteration may be there to compute late */
    int64_t bytes = 0;
    saros_status status = SAROS_OK;
    SAROS_TRY(ad_split_costly(repeats ? r->loop.capture : 0, r->loop.ins, &r->step, &r->costly));
    for (int k = 0; k < costly_results(r); ++k)
        bytes += ad_bytes_of(saros_body_output(r->costly, k));
    SAROS_TRY(find_reads(r));
    r->loop.view.snapshots = ad_loop_states(&r->loop, r->reads, bytes);
    r->recomputes = ad_loop_recomputes(&r->loop, r->reads);
    if (!r->costly) goto done;
    if (r->recomputes) {
        saros_body_release(r->step);
        saros_body_release(r->costly);
        r->step = saros_body_retain(whole);
        r->costly = NULL;
        SAROS_TRY(find_reads(r));
        goto done;
    }
    const int room = saros_body_inputs(r->step), more = costly_results(r);
    r->kept = ad_values(more + room);
    if (!r->kept) SAROS_TRY(SAROS_ERR_MEMORY);
    r->feed = r->kept + more;
done:
    saros_body_release(whole);
    return status;
}

/** Declares the inputs of the loop that keeps; gives the count among its carries, or SAROS_NONE. */
static saros_value keep_inputs(const reverse_loop *r, ad_region *region, saros_value *in) {
    const ad_loop *loop = &r->loop;
    saros_value count = SAROS_NONE;
    in[0] = ad_loop_index(region);
    for (int k = 1; k <= loop->ins; ++k) {
        if (k == loop->input && loop->view.early) {
            saros_value zero = saros_scalar(region->outer, SAROS_I64, 0);
            count = ad_region_declare(region, saros_value_type(zero), zero);
        }
        if (k == loop->ins) break;
        saros_type type = ad_body_type(loop->view.body, k);
        in[k] = ad_region_declare(region, &type, r->rule->in[k]);
    }
    return count;
}

/** Results of the body with the inputs `in`; `out` has room for its outputs, then for the costly
 * ones. */
static void keep_results(const reverse_loop *r, ad_region *region, const saros_value *in,
                         saros_value count, saros_value *out) {
    const ad_loop *loop = &r->loop;
    saros_inline(region->inner, loop->view.body, in, out);
    for (int m = 0; m <= loop->outs; ++m) {
        if (m == loop->view.carries && !saros_is_none(count))
            ad_region_result(region, saros_add(count, saros_like(count, 1)));
        if (m < loop->outs) ad_region_result(region, out[m]);
    }
    for (int c = 0; !r->recomputes && c < loop->view.carries; ++c)
        if (r->reads[loop->carry + c]) ad_region_result(region, in[loop->carry + c]);
    if (!r->costly) return;
    out += loop->outs;
    saros_inline(region->inner, r->costly, in, out);
    for (int k = 0; k < costly_results(r); ++k) ad_region_result(region, out[k]);
}

/** Appends the loop that also keeps, and counts where it may end early; state[c] is the stack of
 * carry c at the start of each step. */
static saros_status keep_states(reverse_loop *r) {
    const ad_loop *loop = &r->loop;
    const int carries = loop->view.carries, early = loop->view.early, more = costly_results(r);
    int kept = more;
    for (int c = 0; c < carries; ++c) kept += !r->recomputes && r->reads[loop->carry + c];
    if (!kept && !early && !r->recomputes) return SAROS_OK;
    saros_value *in = ad_values(loop->ins + loop->outs + more), *end = NULL;
    if (!in) return SAROS_ERR_MEMORY;
    ad_loop_plan plan = {.carries = carries + early,
                         .inputs = loop->view.inputs,
                         .states = loop->view.states + kept,
                         .every = loop->view.every,
                         .snapshots = loop->view.snapshots,
                         .reverse = loop->view.reverse,
                         .early = loop->view.early,
                         .leaves = r->recomputes,
                         .contains = r->rule->out[0]};
    ad_region region = {0};
    saros_status status = SAROS_OK;
    ad_region_open(&region, loop->n.graph);
    saros_value count = keep_inputs(r, &region, in);
    SAROS_TRY(region.status);
    keep_results(r, &region, in, count, in + loop->ins);
    SAROS_TRY(ad_loop_append(loop, loop->n, &region, &plan, &end));
    if (early) r->n = end[carries];
    int m = loop->outs + early;
    for (int c = 0; kept && c < carries; ++c)
        if (!r->recomputes && r->reads[loop->carry + c]) r->state[c] = end[m++];
    for (int k = 0; k < more; ++k) r->kept[k] = end[m++];
    if (r->recomputes) r->left = end[m];
done:
    saros_release(end);
    ad_region_free(&region);
    saros_release(in);
    return status;
}

/** Cotangent of stacked output m with one row for each iteration (kept ones: zeros between). */
static saros_value each_iteration(const reverse_loop *r, int m) {
    saros_value ct = r->cotangent[m];
    int64_t every = r->loop.view.every, bound = r->loop.view.bound, rows = bound / every;
    if (every == 1 || is_state(r, m)) return ct;
    return saros_pad(ct, 0, every - 1, bound - rows * every, every - 1, 0);
}

/** Declares operands of the reversed loop in their order and feeds the step's inputs. */
static void feed_step(reverse_loop *r, ad_region *region, ad_loop_plan *plan, saros_value *sum) {
    const ad_loop *loop = &r->loop;
    const saros_rule *rule = r->rule;
    saros_value *ct = r->feed + loop->ins;
    r->feed[0] = ad_loop_index(region);
    for (int c = 0, t = 0; c < loop->view.carries; ++c) {
        if (!r->live[c]) continue;
        saros_value end = saros_instantiate(r->cotangent[c], rule->out[c]);
        saros_type type = *saros_value_type(rule->out[c]);
        ct[t++] = ad_region_declare(region, &type, end);
    }
    for (int k = loop->capture; k < loop->ins; ++k) {
        if (saros_is_none(r->gradient[k])) continue;
        saros_type type = ad_body_type(loop->view.body, k);
        sum[k] = ad_region_declare(region, &type, saros_zeros_like(rule->in[k]));
    }
    plan->carries = region->operands;
    for (int k = loop->carry; k < loop->capture; ++k) {
        bool fed = r->recomputes && k < loop->input;
        if (!fed && !r->reads[k]) continue;
        saros_value stack = fed               ? SAROS_NONE
                            : k < loop->input ? r->state[k - loop->carry]
                                              : rule->in[k];
        saros_type type = fed ? ad_body_type(loop->view.body, k) : ad_slice_type(stack);
        r->feed[k] = ad_region_declare(region, &type, stack);
    }
    int t = 0;
    for (int m = 0; m < loop->outs; ++m) {
        if (!has_cotangent(r, m)) continue;
        if (m >= loop->view.carries) {
            saros_value stack = each_iteration(r, m);
            saros_type type = ad_slice_type(stack);
            ct[t] = ad_region_declare(region, &type, stack);
        }
        ++t;
    }
    for (int k = 0; k < costly_results(r); ++k) {
        saros_type type = ad_slice_type(r->kept[k]);
        r->feed[loop->ins + t + k] = ad_region_declare(region, &type, r->kept[k]);
    }
    plan->inputs = region->operands - plan->carries;
    for (int k = loop->capture; k < loop->ins; ++k) {
        if (!r->reads[k]) continue;
        saros_type type = ad_body_type(loop->view.body, k);
        r->feed[k] = ad_region_declare(region, &type, rule->in[k]);
    }
}

/** What the step does not read may be anything: zeros. */
static void feed_unread(reverse_loop *r, saros_graph *inner) {
    for (int k = 1; k < r->loop.ins; ++k) {
        if (r->reads[k] || (r->recomputes && k < r->loop.input)) continue;
        saros_type type = ad_body_type(r->loop.view.body, k);
        r->feed[k] = saros_splat(inner, &type, 0);
    }
}

static saros_status reversed(reverse_loop *r, saros_value *gradient) {
    const ad_loop *loop = &r->loop;
    int outs = saros_body_outputs(r->step), live = 0;
    saros_value *sum = ad_values(loop->ins + outs);
    if (!sum) return SAROS_ERR_MEMORY;
    saros_value *out = sum + loop->ins, *end = NULL;
    ad_loop_plan plan = {.every = 1, .reverse = !loop->view.reverse};
    ad_region region = {0};
    saros_status status = SAROS_OK;
    ad_region_open(&region, r->rule->graph);
    feed_step(r, &region, &plan, sum);
    SAROS_TRY(region.status);
    feed_unread(r, region.inner);
    saros_inline(region.inner, r->step, r->feed, out);
    const saros_value *from = out;
    for (int c = 0; c < loop->view.carries; ++c)
        if (r->live[c]) ad_region_result(&region, out[live++]);
    from += live;
    for (int k = loop->input; k < loop->capture; ++k)
        if (!saros_is_none(r->gradient[k])) ++from;
    for (int k = loop->capture; k < loop->ins; ++k)
        if (!saros_is_none(r->gradient[k])) ad_region_result(&region, saros_add(sum[k], *from++));
    from = out + live;
    for (int k = loop->input; k < loop->capture; ++k)
        if (!saros_is_none(r->gradient[k])) ad_region_result(&region, *from++);
    if (r->recomputes)
        SAROS_TRY(ad_loop_append_reverse(loop, r->n, r->rule, &region, &plan, r->left, &end));
    else
        SAROS_TRY(ad_loop_append(loop, r->n, &region, &plan, &end));
    const saros_value *next = end;
    for (int k = loop->carry; k < loop->input; ++k)
        if (r->live[k - loop->carry]) gradient[k] = *next++;
    for (int k = loop->capture; k < loop->ins; ++k)
        if (!saros_is_none(r->gradient[k])) gradient[k] = *next++;
    for (int k = loop->input; k < loop->capture; ++k)
        if (!saros_is_none(r->gradient[k])) gradient[k] = *next++;
done:
    ad_region_free(&region);
    saros_release(end);
    saros_release(sum);
    return status;
}

void ad_loop_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                 saros_value *gradient) {
    reverse_loop r = {
        .rule = rule, .cotangent = cotangent, .wanted = wanted, .loop = ad_loop_read(rule)};
    r.n = r.loop.n;
    saros_status status = SAROS_OK;
    SAROS_TRY(reverse_open(&r));
    SAROS_TRY(make_step(&r));
    if (!saros_body_outputs(r.step)) goto done;
    SAROS_TRY(split_step(&r));
    SAROS_TRY(keep_states(&r));
    SAROS_TRY(reversed(&r, gradient));
done:
    if (status != SAROS_OK) ad_fill(rule->ins, gradient, saros_poison(rule->graph));
    for (int k = 0; k < rule->ins; ++k)
        if (!wanted[k]) gradient[k] = SAROS_NONE;
    saros_body_release(r.step);
    saros_body_release(r.costly);
    saros_release(r.kept);
    saros_release(r.room);
    saros_release(r.depends);
}
