/** Derivatives of closed bodies, as bodies: what the rules of implicit nodes are made of.
 *
 *  A derivative is built in a graph of its own, where the inputs are independent by construction,
 * and inlined with the actual operands; hash-consing merges what the copies share.
 */
#include "root_impl.h"
#include "saros/memory.h"

saros_value *saros_values_make(int n) {
    saros_value *values = saros_allocate(((size_t)n + 1) * sizeof *values);
    for (int k = 0; values && k < n; ++k) values[k] = SAROS_NONE;
    return values;
}

/* A graph with copies of a body's inputs and its output. `x` has room for `extra` more. */
typedef struct draft {
    saros_graph *graph;
    saros_value *x, y;
    int ins;
} draft;

static saros_status draft_open(saros_graph *outer, saros_body *body, int extra, draft *d) {
    d->ins = saros_body_inputs(body);
    d->graph = saros_body_open(outer);
    d->x = saros_values_make(d->ins + extra);
    if (!d->graph || !d->x) return SAROS_ERR_MEMORY;
    for (int k = 0; k < d->ins; ++k) {
        saros_type type = *saros_value_type(saros_body_input(body, k));
        d->x[k] = saros_input(d->graph, &type, saros_value_name(saros_body_input(body, k)));
    }
    saros_inline(d->graph, body, d->x, &d->y);
    return saros_graph_status(d->graph);
}

static saros_value draft_declare(draft *d, saros_value like) {
    saros_type type = *saros_value_type(like);
    return saros_input(d->graph, &type, NULL);
}

static saros_status draft_close(draft *d, int outs, const saros_value *out, saros_body **body) {
    saros_graph *graph = d->graph;
    d->graph = NULL; /* consumed, also on failure */
    return saros_body_close(graph, outs, out, body, NULL);
}

static void draft_free(draft *d) {
    saros_graph_release(d->graph);
    saros_release(d->x);
}

saros_status saros_body_product(saros_graph *graph, saros_body *body, saros_body **out) {
    draft d = {0};
    saros_status status = SAROS_OK;
    saros_value v, product;
    SAROS_TRY(draft_open(graph, body, 0, &d));
    v = draft_declare(&d, d.x[0]);
    saros_jvp(1, &d.y, 1, &d.x[0], &v, &product);
    product = saros_instantiate(product, d.y);
    SAROS_TRY(draft_close(&d, 1, &product, out));
done:
    draft_free(&d);
    return status;
}

saros_status saros_body_of_product(saros_graph *graph, saros_body *body, saros_body **out) {
    draft d = {0};
    saros_status status = SAROS_OK;
    saros_value x, y;
    SAROS_TRY(draft_open(graph, body, 0, &d));
    x = d.x[0];
    d.x[0] = draft_declare(&d, x);
    saros_inline(d.graph, body, d.x, &y);
    SAROS_TRY(draft_close(&d, 1, &y, out));
done:
    draft_free(&d);
    return status;
}

saros_status saros_body_entries(saros_graph *graph, saros_body *body, saros_sparsity *pattern,
                                saros_body **entries, saros_sparsity **found) {
    draft d = {0};
    saros_status status = SAROS_OK;
    saros_compression *c = NULL;
    SAROS_TRY(draft_open(graph, body, 0, &d));
    SAROS_TRY(saros_compression_find(d.y, d.x[0], pattern, &c));
    if (found && c)
        *found = saros_sparsity_retain(c->pattern);
    else if (found)
        SAROS_TRY(saros_sparsity_detect(d.y, d.x[0], found));
    if (c) {
        const saros_value values = saros_compression_build(d.graph, c);
        c = NULL;
        SAROS_TRY(draft_close(&d, 1, &values, entries));
    }
done:
    draft_free(&d);
    saros_compression_release(c);
    return status;
}

saros_status saros_body_transpose(saros_graph *graph, saros_body *product, saros_body **out) {
    draft d = {0};
    saros_status status = SAROS_OK;
    saros_value result;
    saros_body *pulled = NULL;
    /* (x, p…, v, w) -> J^T w, which does not depend on v */
    SAROS_TRY(draft_open(graph, product, 1, &d));
    d.x[d.ins] = draft_declare(&d, d.y);
    saros_vjp(1, &d.y, &d.x[d.ins], 1, &d.x[d.ins - 1], &result);
    result = saros_instantiate(result, d.x[d.ins - 1]);
    SAROS_TRY(draft_close(&d, 1, &result, &pulled));
    draft_free(&d);
    d = (draft){0};
    /* (x, p…, w): any v serves */
    SAROS_TRY(draft_open(graph, product, 1, &d));
    d.x[d.ins] = d.x[d.ins - 1];
    saros_inline(d.graph, pulled, d.x, &result);
    SAROS_TRY(draft_close(&d, 1, &result, out));
done:
    draft_free(&d);
    saros_body_release(pulled);
    return status;
}

saros_value saros_body_push(saros_graph *graph, saros_body *body, const saros_value *in,
                            const saros_value *tangent) {
    int ins = saros_body_inputs(body), moving = 0;
    draft d = {0};
    saros_status status = SAROS_OK;
    saros_value result = SAROS_NONE, derivative;
    saros_body *pushed = NULL;
    saros_value *along = saros_values_make(ins), *feed = saros_values_make(2 * ins);
    if (!along || !feed) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(draft_open(graph, body, 0, &d));
    for (int k = 0; k < ins; ++k) {
        feed[k] = in[k];
        if (saros_is_none(tangent[k])) continue;
        along[k] = draft_declare(&d, d.x[k]);
        feed[ins + moving++] = tangent[k];
    }
    saros_jvp(1, &d.y, ins, d.x, along, &derivative);
    if (saros_is_none(derivative)) goto done;
    SAROS_TRY(draft_close(&d, 1, &derivative, &pushed));
    saros_inline(graph, pushed, feed, &result);
done:
    draft_free(&d);
    saros_release(along);
    saros_release(feed);
    saros_body_release(pushed);
    return status ? saros_poison(graph) : result;
}

/* Fills `gradient` of the graph of `d` and closes with those that exist; they come first in `made`.
 */
static saros_status pull_close(draft *d, saros_value w, const bool *wanted, saros_value *gradient,
                               saros_value *made, int *count, saros_body **out) {
    int asked = 0;
    saros_value *of = made; /* inputs asked for, then replaced by their gradients */
    for (int k = 0; k < d->ins; ++k)
        if (wanted[k]) of[asked++] = d->x[k];
    saros_vjp(1, &d->y, &w, asked, of, gradient);
    *count = 0;
    for (int k = 0; k < asked; ++k)
        if (!saros_is_none(gradient[k])) made[(*count)++] = gradient[k];
    return *count ? draft_close(d, *count, made, out) : SAROS_OK;
}

void saros_body_pull(saros_graph *graph, saros_body *body, const saros_value *in,
                     saros_value cotangent, const bool *wanted, saros_value *gradient) {
    int ins = saros_body_inputs(body), count = 0;
    draft d = {0};
    saros_status status = SAROS_OK;
    saros_body *pulled = NULL;
    saros_value *inner = saros_values_make(ins), *made = saros_values_make(ins);
    saros_value *feed = saros_values_make(ins + 1);
    for (int k = 0; k < ins; ++k) gradient[k] = SAROS_NONE;
    if (!inner || !made || !feed) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(draft_open(graph, body, 0, &d));
    saros_value w = draft_declare(&d, d.y);
    SAROS_TRY(pull_close(&d, w, wanted, inner, made, &count, &pulled));
    if (!count) goto done;
    for (int k = 0; k < ins; ++k) feed[k] = in[k];
    feed[ins] = cotangent;
    saros_inline(graph, pulled, feed, made);
    for (int k = 0, asked = 0, at = 0; k < ins; ++k)
        if (wanted[k] && !saros_is_none(inner[asked++])) gradient[k] = made[at++];
done:
    draft_free(&d);
    saros_release(inner);
    saros_release(made);
    saros_release(feed);
    saros_body_release(pulled);
    for (int k = 0; status && k < ins; ++k)
        if (wanted[k]) gradient[k] = saros_poison(graph);
}
