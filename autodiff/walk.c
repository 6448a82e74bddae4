/** The pass that finds what lies between `in` and `out`, and copies of nodes for the rules.
 *
 *  A value depends on `in` if a chain of rows that carry tangents leads to it: rows flagged
 *  constant and values that are not floats end the chain, and values of `in` begin it anew (they
 *  are held to be independent). Only nodes that also reach `out` are visited afterwards. */
#include "walk_impl.h"

#include <string.h>

#include "saros/memory.h"

saros_value ad_poisoned(int n, const saros_value *values) {
    for (int k = 0; k < n; ++k)
        if (saros_is_poisoned(values[k])) return values[k];
    return SAROS_NONE;
}

void ad_fill(int n, saros_value *values, saros_value v) {
    for (int k = 0; k < n; ++k) values[k] = v;
}

saros_value ad_sum(saros_value a, saros_value b) {
    if (saros_is_none(a)) return b;
    return saros_is_none(b) ? a : saros_add(a, b);
}

saros_value saros_instantiate(saros_value v, saros_value like) {
    return saros_is_none(v) ? saros_zeros_like(like) : v;
}

saros_status ad_check_type(const char *where, const char *what, int k, saros_value v,
                           saros_value like) {
    if (saros_is_none(v)) return SAROS_OK;
    saros_type got = *saros_value_type(v), need = *saros_value_type(like);
    if (need.split) got.split = need.split; /* parts may be cut otherwise, or happen to be equal */
    if (saros_type_equal(&got, &need)) return SAROS_OK;
    char a[128], b[128];
    return saros_fail(SAROS_ERR_SHAPE, where, "a tangent or cotangent has the type of its value",
                      "%s %d has type %s, its value has type %s", what, k,
                      saros_type_text(&got, a, sizeof a), saros_type_text(&need, b, sizeof b));
}

static bool carries_tangent(saros_graph *graph, int32_t id) {
    return saros_dtype_is_float(saros_value_dtype((saros_value){graph, id}));
}

/* ---- regions ---- */

static saros_status mark_forward(saros_graph *graph, int32_t first, int32_t last, uint8_t *mark);

saros_status ad_body_activity(saros_body *body, const bool *in, bool *out) {
    saros_graph *graph = saros_body_graph(body);
    int32_t count = saros_graph_count(graph);
    uint8_t *mark = saros_allocate_zero((size_t)count + 1, 1);
    if (!mark) return SAROS_ERR_MEMORY;
    for (int k = 0; k < saros_body_inputs(body); ++k)
        if (in[k]) mark[saros_body_input(body, k).id] |= AD_DEPENDS;
    saros_status status = mark_forward(graph, 0, count, mark);
    for (int k = 0; status == SAROS_OK && k < saros_body_outputs(body); ++k)
        out[k] = (mark[saros_body_output(body, k).id] & AD_DEPENDS) != 0;
    saros_release(mark);
    return status;
}

saros_status ad_loop_activity(const saros_loop_view *view, bool *carry, const bool *slice,
                              const bool *capture, bool *kept) {
    size_t ins = (size_t)(1 + view->carries + view->inputs + view->captures);
    size_t outs = (size_t)(view->carries + view->kept + view->states);
    bool *in = saros_allocate_zero(ins + outs, sizeof *in);
    if (!in) return SAROS_ERR_MEMORY;
    bool *out = in + ins;
    for (int k = 0; k < view->inputs; ++k) in[1 + view->carries + k] = slice[k];
    for (int k = 0; k < view->captures; ++k) in[1 + view->carries + view->inputs + k] = capture[k];
    saros_status status = SAROS_OK;
    for (bool grows = true; grows && status == SAROS_OK;) {
        grows = false;
        for (int k = 0; k < view->carries; ++k) in[1 + k] = carry[k];
        status = ad_body_activity(view->body, in, out);
        for (int k = 0; status == SAROS_OK && k < view->carries; ++k)
            if (out[k] && !carry[k]) carry[k] = grows = true;
    }
    for (int k = 0; status == SAROS_OK && k < view->kept + view->states; ++k)
        kept[k] = out[view->carries + k];
    saros_release(in);
    return status;
}

/** Activity of a region's outputs, through its bodies. `operand` and `out` are flags. */
static saros_status region_activity(const saros_node *node, bool *operand, bool *out) {
    if (node->row == &saros_row_loop) {
        saros_loop_view view = saros_loop_read(&node->attributes);
        bool *carry = operand + 1, *slice = carry + view.carries, *capture = slice + view.inputs;
        saros_status status = ad_loop_activity(&view, carry, slice, capture, out + view.carries);
        for (int k = 0; k < view.carries; ++k) out[k] = carry[k];
        return status;
    }
    saros_cond_view view = saros_cond_read(&node->attributes);
    bool *other = saros_allocate_zero((size_t)node->outputs + 1, sizeof *other);
    if (!other) return SAROS_ERR_MEMORY;
    saros_status status = ad_body_activity(view.then, operand + 1, out);
    if (status == SAROS_OK)
        status = ad_body_activity(view.otherwise, operand + 1 + view.then_captures, other);
    for (int k = 0; k < node->outputs; ++k) out[k] = out[k] || other[k];
    saros_release(other);
    return status;
}

static saros_status mark_region(saros_graph *graph, const saros_node *node, int32_t first,
                                uint8_t *mark) {
    size_t ins = (size_t)node->operands, outs = (size_t)node->outputs;
    bool *operand = saros_allocate_zero(ins + outs, sizeof *operand);
    if (!operand) return SAROS_ERR_MEMORY;
    bool *out = operand + ins;
    for (int k = 0; k < node->operands; ++k)
        operand[k] = node->operand[k] >= first && (mark[node->operand[k] - first] & AD_DEPENDS);
    saros_status status = region_activity(node, operand, out);
    for (int k = 0; status == SAROS_OK && k < node->outputs; ++k)
        if (out[k] && carries_tangent(graph, node->output + k))
            mark[node->output + k - first] |= AD_DEPENDS;
    saros_release(operand);
    return status;
}

/* ---- passes ---- */

static bool any_marked(const saros_node *node, int32_t first, const uint8_t *mark) {
    for (int k = 0; k < node->operands; ++k)
        if (node->operand[k] >= first && (mark[node->operand[k] - first] & AD_DEPENDS)) return true;
    return false;
}

/** Spreads AD_DEPENDS from operands to outputs, in order of ids. */
static saros_status mark_forward(saros_graph *graph, int32_t first, int32_t last, uint8_t *mark) {
    for (int32_t id = first; id < last; ++id) {
        int k;
        saros_node node = saros_graph_node(graph, id, &k);
        if (k != 0 || (node.row->flags & SAROS_CONSTANT) || !any_marked(&node, first, mark))
            continue;
        if (node.row == &saros_row_loop || node.row == &saros_row_cond) {
            saros_status status = mark_region(graph, &node, first, mark);
            if (status != SAROS_OK) return status;
            continue;
        }
        for (int m = 0; m < node.outputs; ++m)
            if (id + m < last && carries_tangent(graph, id + m)) mark[id + m - first] |= AD_DEPENDS;
    }
    return SAROS_OK;
}

/** Spreads AD_REACHES from outputs to operands, backwards, and not past seeds. */
static void mark_backward(const ad_walk *walk) {
    for (int32_t id = walk->last; id-- > walk->first;) {
        uint8_t mark = walk->mark[id - walk->first];
        if (!(mark & AD_REACHES) || !(mark & AD_DEPENDS) || (mark & AD_SEED)) continue;
        saros_node node = saros_graph_node(walk->graph, id, NULL);
        for (int k = 0; k < node.operands; ++k)
            if (node.operand[k] >= walk->first)
                walk->mark[node.operand[k] - walk->first] |= AD_REACHES;
    }
}

static saros_status check_graphs(const ad_walk *walk, int outs, const saros_value *out, int ins,
                                 const saros_value *in) {
    static const char hint[] = "inside a body, differentiate with respect to saros_alias(x) made "
                               "in that body, or to a carry or an input";
    for (int k = 0; k < ins; ++k)
        if (!saros_is_none(in[k]) && in[k].graph != walk->graph)
            return saros_fail(SAROS_ERR_UNSUPPORTED, "autodiff", hint,
                              "input %d of the derivative lives in another graph than the others",
                              k);
    for (int k = 0; k < outs; ++k)
        if (!saros_is_none(out[k]) && out[k].graph != walk->graph &&
            saros_graph_of(2, (saros_value[]){{walk->graph, 0}, out[k]}) == out[k].graph)
            return saros_fail(SAROS_ERR_UNSUPPORTED, "autodiff", hint,
                              "output %d lives inside a body, the values it is differentiated by "
                              "outside",
                              k);
    return SAROS_OK;
}

static saros_status walk_open(ad_walk *walk, int outs, const saros_value *out, int ins,
                              const saros_value *in) {
    if (!walk->graph) return SAROS_OK; /* no input: nothing depends */
    saros_status status = check_graphs(walk, outs, out, ins, in);
    if (status != SAROS_OK) return status;
    int32_t first = INT32_MAX, last = 0;
    for (int k = 0; k < ins; ++k)
        if (!saros_is_none(in[k]) && in[k].id < first) first = in[k].id;
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == walk->graph && out[k].id >= last) last = out[k].id + 1;
    if (first >= last) first = last; /* nothing between */
    walk->first = first;
    walk->last = last;
    walk->mark = saros_allocate_zero((size_t)(last - first) + 1, 1);
    if (!walk->mark) return SAROS_ERR_MEMORY;
    for (int k = 0; k < ins; ++k)
        if (!saros_is_none(in[k]) && in[k].id < last && carries_tangent(walk->graph, in[k].id))
            walk->mark[in[k].id - first] |= AD_SEED | AD_DEPENDS;
    status = mark_forward(walk->graph, first, last, walk->mark);
    for (int k = 0; k < outs; ++k)
        if (out[k].graph == walk->graph && out[k].id >= first)
            walk->mark[out[k].id - first] |= AD_REACHES;
    mark_backward(walk);
    return status;
}

/** Innermost graph of three lists. */
static saros_graph *innermost(int outs, const saros_value *out, int ins, const saros_value *in,
                              int extras, const saros_value *extra) {
    saros_value of[3] = {{saros_graph_of(outs, out), 0},
                         {saros_graph_of(ins, in), 0},
                         {saros_graph_of(extras, extra), 0}};
    return saros_graph_of(3, of);
}

saros_value ad_walk_begin(ad_walk *walk, int outs, const saros_value *out, int ins,
                          const saros_value *in, int extras, const saros_value *extra) {
    *walk = (ad_walk){0};
    saros_value bad = ad_poisoned(outs, out);
    if (saros_is_none(bad)) bad = ad_poisoned(ins, in);
    if (saros_is_none(bad)) bad = ad_poisoned(extras, extra);
    if (!saros_is_none(bad)) return bad;
    walk->into = innermost(outs, out, ins, in, extras, extra);
    walk->graph = saros_graph_of(ins, in);
    if (walk_open(walk, outs, out, ins, in) == SAROS_OK) return SAROS_NONE;
    ad_walk_close(walk);
    return saros_poison(walk->into);
}

void ad_walk_close(ad_walk *walk) {
    saros_release(walk->mark);
    walk->mark = NULL;
}

bool ad_walk_visits(const ad_walk *walk, int32_t id) {
    int k;
    saros_node node = saros_graph_node(walk->graph, id, &k);
    if (k != 0) return false;
    for (int32_t m = node.output; m < node.output + node.outputs; ++m)
        if (ad_active(walk, m) && !ad_seed(walk, m)) return true;
    return false;
}

/* ---- frames ---- */

saros_status ad_frame_load(ad_frame *frame, const ad_walk *walk, int32_t id, int per) {
    saros_node node = saros_graph_node(walk->graph, id, NULL);
    const saros_attributes *from = &node.attributes;
    size_t ins = (size_t)node.operands, outs = (size_t)node.outputs, slots = (ins + outs);
    size_t bytes = slots * (1 + (size_t)per) * sizeof(saros_value) +
                   (size_t)from->words * sizeof(int64_t) +
                   (size_t)from->bodies * sizeof(saros_body *) + ins + 1;
    if (bytes > frame->bytes) {
        void *memory = saros_reallocate(frame->memory, 2 * bytes);
        if (!memory) return SAROS_ERR_MEMORY;
        frame->memory = memory;
        frame->bytes = 2 * bytes;
    }
    memset(frame->memory, 0, bytes);
    saros_value *in = frame->memory, *out = in + ins;
    frame->in_slot = out + outs;
    frame->out_slot = frame->in_slot + ins * (size_t)per;
    int64_t *word = (int64_t *)(frame->out_slot + outs * (size_t)per);
    saros_body **body = (saros_body **)(word + from->words);
    frame->wanted = (bool *)(body + from->bodies);
    for (size_t k = 0; k < ins; ++k) in[k] = (saros_value){walk->graph, node.operand[k]};
    for (size_t k = 0; k < outs; ++k) out[k] = (saros_value){walk->graph, node.output + (int32_t)k};
    ad_fill((int)slots * per, frame->in_slot, SAROS_NONE);
    if (from->words) memcpy(word, from->word, (size_t)from->words * sizeof *word);
    if (from->bodies) memcpy(body, from->body, (size_t)from->bodies * sizeof(saros_body *));
    frame->rule = (saros_rule){.graph = walk->into,
                               .row = node.row,
                               .attributes = {.word = word,
                                              .words = from->words,
                                              .body = body,
                                              .bodies = from->bodies,
                                              .tensor = from->tensor},
                               .ins = node.operands,
                               .outs = node.outputs,
                               .in = in,
                               .out = out};
    return SAROS_OK;
}

void ad_frame_free(ad_frame *frame) {
    saros_release(frame->memory);
    *frame = (ad_frame){0};
}
