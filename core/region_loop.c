/** loop: carry[j+1], kept[j] = body(i, carry[j], input[i], captures) for j = 0 … n-1, i = j or, in
 * reverse, n-1-j.
 *
 *  Early ends: no iteration begins once carry 0 is false.
 *
 *  Operands: n, carry…, inputs…, captures…; words: region_impl.h. Outputs: carry…, kept…, states…,
 * what it leaves for its reverse sweep. The folder of states is the tensor of the attributes.
 * Building and typing are here, running in region_loop_run.c, derivatives in autodiff. */
#include "region_impl.h"

#include <string.h>

#include "graph_impl.h"
#include "primitives/build_impl.h"
#include "saros/memory.h"
#include "region_loop_impl.h"

static void release_folder(void *payload) {
    saros_release(payload);
}

static const saros_opaque_class folder_class = {.name = "folder of states",
                                                .release = release_folder};

saros_status saros_loop_place(const saros_loop_parts *parts, saros_tensor **out) {
    *out = parts->place ? saros_tensor_retain(parts->place) : NULL;
    if (parts->place || !parts->folder || !parts->disk) return SAROS_OK;
    char *copy = saros_string_copy(parts->folder);
    return copy ? saros_tensor_opaque(&folder_class, copy, out) : SAROS_ERR_MEMORY;
}

saros_loop_view saros_loop_read(const saros_attributes *attributes) {
    const int64_t *w = attributes->word;
    return (saros_loop_view){.bound = w[SAROS_LOOP_BOUND],
                             .every = w[SAROS_LOOP_EVERY],
                             .snapshots = w[SAROS_LOOP_SNAPSHOTS],
                             .disk = w[SAROS_LOOP_DISK],
                             .folder = attributes->tensor
                                           ? saros_tensor_payload(attributes->tensor, &folder_class)
                                           : NULL,
                             .place = attributes->tensor,
                             .leaves = w[SAROS_LOOP_LEAVES] != 0,
                             .reverse = w[SAROS_LOOP_REVERSE] != 0,
                             .early = w[SAROS_LOOP_EARLY] != 0,
                             .carries = (int)w[SAROS_LOOP_CARRIES],
                             .inputs = (int)w[SAROS_LOOP_INPUTS],
                             .captures = (int)w[SAROS_LOOP_CAPTURES],
                             .kept = (int)w[SAROS_LOOP_KEPT],
                             .states = (int)w[SAROS_LOOP_STATES],
                             .body = attributes->bodies ? attributes->body[0] : NULL};
}

/* ---- type ---- */

static saros_status mismatch(const char *what, int k, const saros_type *got,
                             const saros_type *needed) {
    char a[128], b[128];
    return saros_fail(SAROS_ERR_SHAPE, "loop",
                      "a loop keeps the types of its carry; cast or reshape inside the body",
                      "%s %d is %s, needed %s", what, k + 1, saros_type_text(got, a, sizeof a),
                      saros_type_text(needed, b, sizeof b));
}

static saros_status check_early(const saros_typing *typing, const saros_loop_view *v) {
    char text[128];
    const saros_type *go = &typing->operand[1];
    if (!v->early || (v->carries && !v->reverse && go->dtype == SAROS_BOOL && go->rank == 0))
        return SAROS_OK;
    if (!v->carries || v->reverse)
        return saros_fail(SAROS_ERR_USAGE, "loop", NULL,
                          "a loop that ends early goes forward and has a carry");
    return saros_fail(SAROS_ERR_TYPE, "loop", "carry 0 says whether to go on",
                      "carry 1 is %s, needed bool", saros_type_text(go, text, sizeof text));
}

static saros_status check_counts(const saros_typing *typing, const saros_loop_view *v) {
    const saros_type *n = &typing->operand[0];
    if (v->disk < 0 || (v->disk > 0 && !v->folder))
        return saros_fail(SAROS_ERR_USAGE, "loop", "name the folder, and how many states",
                          "%lld states on disk, in folder %s", (long long)v->disk,
                          v->folder ? v->folder : "(none)");
    if (v->bound < 0 || v->every < 1 || v->snapshots < 0)
        return saros_fail(SAROS_ERR_USAGE, "loop", NULL,
                          "bound %lld, every %lld and states %lld, needed at least 0, 1 and 0",
                          (long long)v->bound, (long long)v->every, (long long)v->snapshots);
    if (n->dtype != SAROS_I64 || n->rank != 0) {
        char text[128];
        return saros_fail(SAROS_ERR_TYPE, "loop", NULL, "n is %s, needed i64",
                          saros_type_text(n, text, sizeof text));
    }
    int inputs = 1 + v->carries + v->inputs + v->captures;
    int outputs = v->carries + v->kept + v->states;
    if (typing->operands != inputs || saros_body_inputs(v->body) != inputs ||
        saros_body_outputs(v->body) != outputs)
        return saros_fail(SAROS_ERR_USAGE, "loop", NULL,
                          "the body has %d inputs and %d outputs, needed %d and %d",
                          saros_body_inputs(v->body), saros_body_outputs(v->body), inputs, outputs);
    outputs += v->leaves;
    if (outputs > SAROS_MAX_OUTPUTS)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "loop", "join arrays of the carry",
                          "%d outputs, at most %d fit", outputs, SAROS_MAX_OUTPUTS);
    return SAROS_OK;
}

/** Type of one step's slice of an input; false if it has no leading axis of extent `bound`. */
static bool slice_type(const saros_type *whole, int64_t bound, saros_type *slice) {
    if (whole->rank < 1 || whole->shape[0] != bound || whole->dtype == SAROS_OPAQUE) return false;
    *slice = *whole;
    slice->rank--;
    memmove(slice->shape, whole->shape + 1, (size_t)slice->rank * sizeof *slice->shape);
    slice->split = saros_split_shift(whole->split, 0, -1);
    return true;
}

static saros_status check_inputs(const saros_typing *typing, const saros_loop_view *v) {
    saros_type index = saros_type_scalar(SAROS_I64);
    for (int k = 0; k < typing->operands; ++k) {
        saros_type needed = *saros_value_type(saros_body_input(v->body, k));
        saros_type got = k ? typing->operand[k] : index;
        bool carry = k >= 1 && k <= v->carries,
             sliced = k > v->carries && !carry && k <= v->carries + v->inputs;
        if (sliced && k && !slice_type(&typing->operand[k], v->bound, &got)) {
            char text[128];
            return saros_fail(SAROS_ERR_SHAPE, "loop", NULL,
                              "input %d is %s, needed a leading axis of %lld", k - v->carries,
                              saros_type_text(&typing->operand[k], text, sizeof text),
                              (long long)v->bound);
        }
        if (carry && got.dtype == SAROS_OPAQUE)
            return saros_fail(SAROS_ERR_UNSUPPORTED, "loop", "make it inside the body",
                              "carry %d is opaque", k);
        if (!saros_region_fits(&got, &needed)) return mismatch("operand", k, &got, &needed);
    }
    return SAROS_OK;
}

saros_status saros_loop_stack_type(const saros_type *one, int64_t rows, int k, saros_type *out) {
    if (one->rank + 1 > SAROS_MAX_RANK || one->dtype == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "loop", NULL,
                          "kept value %d is opaque or has rank %d: it cannot be stacked", k + 1,
                          one->rank);
    *out = *one;
    out->rank++;
    out->shape[0] = rows;
    memcpy(out->shape + 1, one->shape, (size_t)one->rank * sizeof *one->shape);
    out->split = saros_split_shift(one->split, 0, 1);
    return SAROS_OK;
}

saros_status saros_loop_type(saros_typing *typing) {
    saros_loop_view v = saros_loop_read(typing->attributes);
    saros_status status = check_counts(typing, &v);
    if (status == SAROS_OK) status = check_early(typing, &v);
    if (status == SAROS_OK) status = check_inputs(typing, &v);
    for (int k = 0; status == SAROS_OK && k < v.carries; ++k) {
        const saros_type *next = saros_value_type(saros_body_output(v.body, k));
        typing->output[k] = typing->operand[1 + k];
        if (!saros_region_fits(next, &typing->output[k]))
            status = mismatch("next value of carry", k, next, &typing->output[k]);
    }
    typing->outputs = v.carries + v.kept + v.states;
    for (int k = v.carries; status == SAROS_OK && k < typing->outputs; ++k) {
        const saros_type *one = saros_value_type(saros_body_output(v.body, k));
        int64_t rows = k < v.carries + v.kept ? v.bound / v.every : v.bound;
        status = saros_loop_stack_type(one, rows, k - v.carries, &typing->output[k]);
    }
    if (v.leaves) typing->output[typing->outputs++] = saros_type_scalar(SAROS_OPAQUE);
    return status;
}

const saros_primitive saros_row_loop = {
    .name = "loop",
    .doc = "Runs a body n times over a carry, with per-step inputs and kept outputs.",
    .operands = -2,
    .flags = SAROS_REGION,
    .type = saros_loop_type,
    .evaluate = saros_loop_evaluate};

/* ---- build ---- */

void saros_loop_words(const saros_loop_parts *parts, int64_t *word) {
    word[SAROS_LOOP_BOUND] = parts->bound;
    word[SAROS_LOOP_EVERY] = parts->every ? parts->every : 1;
    word[SAROS_LOOP_REVERSE] = parts->reverse;
    word[SAROS_LOOP_EARLY] = parts->early;
    word[SAROS_LOOP_SNAPSHOTS] = parts->states;
    word[SAROS_LOOP_CARRIES] = parts->carries;
    word[SAROS_LOOP_INPUTS] = parts->inputs;
    word[SAROS_LOOP_CAPTURES] = parts->captures;
    word[SAROS_LOOP_KEPT] = saros_body_outputs(parts->body) - parts->carries - parts->stacked;
    word[SAROS_LOOP_STATES] = parts->stacked;
    word[SAROS_LOOP_CONTAINS] = -1;
    word[SAROS_LOOP_DISK] = parts->disk;
    word[SAROS_LOOP_LEAVES] = parts->leaves;
}

saros_value *saros_loop_operands(const saros_loop_parts *parts, saros_value *operand) {
    for (int k = 0; k < parts->carries; ++k) *operand++ = parts->carry[k];
    for (int k = 0; k < parts->inputs; ++k) *operand++ = parts->input[k];
    for (int k = 0; k < parts->captures; ++k) *operand++ = parts->capture[k];
    return operand;
}

void saros_loop_append(saros_graph *graph, const saros_loop_parts *parts, saros_value *out) {
    int operands = 1 + parts->carries + parts->inputs + parts->captures;
    int outputs = saros_body_outputs(parts->body) + parts->leaves;
    saros_body *body = parts->body;
    saros_tensor *place = NULL;
    saros_value *operand = saros_allocate((size_t)operands * sizeof *operand);
    if (!operand || saros_loop_place(parts, &place) != SAROS_OK) {
        saros_release(operand);
        saros_poison_all(graph, outputs, out);
        return;
    }
    int64_t word[SAROS_LOOP_WORDS];
    operand[0] = parts->n;
    saros_loop_operands(parts, operand + 1);
    saros_loop_words(parts, word);
    if (parts->contains.graph == graph && parts->contains.id >= 0)
        word[SAROS_LOOP_CONTAINS] = saros_graph_node(graph, parts->contains.id, NULL).output;
    saros_attributes attributes = {
        .word = word, .words = SAROS_LOOP_WORDS, .body = &body, .bodies = 1, .tensor = place};
    saros_build_all(graph, &saros_row_loop, &attributes, operands, operand, outputs, out);
    saros_tensor_release(place);
    saros_release(operand);
}

void saros_loop_body(saros_graph *graph, saros_body *body, saros_value n, int64_t bound,
                     int64_t every, bool reverse, int carries, const saros_value *carry, int inputs,
                     const saros_value *input, int captures, const saros_value *capture,
                     saros_value *out) {
    saros_loop_append(graph,
                      &(saros_loop_parts){.body = body,
                                          .n = n,
                                          .bound = bound,
                                          .every = every,
                                          .reverse = reverse,
                                          .carries = carries,
                                          .inputs = inputs,
                                          .captures = captures,
                                          .carry = carry,
                                          .input = input,
                                          .capture = capture},
                      out);
}

/** Opens the body, lets the caller fill it, closes it. `value` has room for the body's declared
 * inputs and then its outputs. */
static saros_status build_body(saros_graph *graph, const saros_loop_spec *spec, saros_value *value,
                               saros_body **body, saros_value **captures) {
    saros_status status = SAROS_OK;
    int outputs = spec->carries + spec->kept;
    saros_value *in = value, *next = value + 1 + spec->carries + spec->inputs;
    saros_graph *inner = saros_body_open(graph);
    if (!inner) return SAROS_ERR_MEMORY;
    saros_type type = saros_type_scalar(SAROS_I64);
    in[0] = saros_input(inner, &type, "index");
    for (int k = 0; k < spec->carries; ++k) {
        type = *saros_value_type(spec->carry[k]);
        in[1 + k] = saros_input(inner, &type, saros_value_name(spec->carry[k]));
    }
    for (int k = 0; k < spec->inputs; ++k) {
        if (!slice_type(saros_value_type(spec->input[k]), spec->bound, &type)) {
            status = saros_fail(SAROS_ERR_SHAPE, "loop", NULL,
                                "input %d has no leading axis of extent %lld", k + 1,
                                (long long)spec->bound);
            goto done;
        }
        in[1 + spec->carries + k] = saros_input(inner, &type, saros_value_name(spec->input[k]));
    }
    for (int k = 0; k < outputs; ++k) next[k] = SAROS_NONE;
    SAROS_TRY(spec->build(inner, in[0], in + 1, in + 1 + spec->carries, spec->user, next,
                          next + spec->carries));
    for (int k = 0; k < spec->carries; ++k) { /* what is cut over ranks stays cut the same way */
        saros_type got = *saros_value_type(next[k]);
        type = *saros_value_type(spec->carry[k]);
        if (got.split == type.split || next[k].id < 0) continue;
        status = mismatch("next value of carry", k, &got, &type);
        goto done;
    }
    status = saros_body_close(inner, outputs, next, body, captures);
    inner = NULL;
done:
    if (inner) saros_error_locate(inner->file, inner->line);
    saros_graph_release(inner);
    return status;
}

/** Poisoned operands say what is wrong better than the body built on them would. */
static bool has_poison(saros_graph *graph, const saros_loop_spec *spec) {
    int poisoned = saros_is_poisoned(spec->n) ? 1 : 0;
    saros_value bad = spec->n;
    for (int k = 0; k < spec->carries + spec->inputs; ++k) {
        saros_value v = k < spec->carries ? spec->carry[k] : spec->input[k - spec->carries];
        if (!saros_is_poisoned(v) || poisoned++) continue;
        bad = v;
    }
    if (poisoned && bad.graph != graph) saros_graph_status(bad.graph);
    return poisoned > 0;
}

void saros_loop(saros_graph *graph, const saros_loop_spec *spec, saros_value *final,
                saros_value *stacked) {
    int outputs = spec->carries + spec->kept, inputs = 1 + spec->carries + spec->inputs;
    saros_body *body = NULL;
    saros_value *captures = NULL, *value = NULL;
    saros_value poisoned = {graph, -1};
    bool done = false;
    if (!has_poison(graph, spec))
        value = saros_allocate((size_t)(inputs + outputs) * sizeof *value);
    if (value && build_body(graph, spec, value, &body, &captures) == SAROS_OK) {
        saros_loop_append(graph,
                          &(saros_loop_parts){.body = body,
                                              .n = spec->n,
                                              .bound = spec->bound,
                                              .every = spec->every,
                                              .states = spec->states,
                                              .disk = spec->disk,
                                              .folder = spec->folder,
                                              .reverse = spec->reverse,
                                              .early = spec->early,
                                              .carries = spec->carries,
                                              .inputs = spec->inputs,
                                              .captures = saros_body_captures(body),
                                              .carry = spec->carry,
                                              .input = spec->input,
                                              .capture = captures},
                          value);
        done = true;
    } else {
        poisoned = saros_poison(graph);
    }
    for (int k = 0; k < outputs; ++k) {
        saros_value v = done ? value[k] : poisoned;
        if (k < spec->carries)
            final[k] = v;
        else
            stacked[k - spec->carries] = v;
    }
    saros_body_release(body);
    saros_release(captures);
    saros_release(value);
}
