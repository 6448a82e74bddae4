/** call: foreign code as a node. The class and its user data live in an opaque tensor that the
 * nodes hold; which callback a node runs stands in its words.
 *
 *  Derivatives: by the builders if there are any (these nest); else by a further call node that
 * runs apply_jvp or apply_vjp, whose own derivative is an error naming the call. */
#include <string.h>

#include "function_impl.h"
#include "region_impl.h"
#include "saros/memory.h"

enum { FORM_APPLY, FORM_JVP, FORM_VJP };

typedef struct payload {
    const saros_call_class *class_;
    void *user;
} payload;

static void release_payload(void *memory) {
    payload *p = memory;
    if (p->class_->release) p->class_->release(p->user);
    saros_release(p);
}

static const saros_opaque_class payload_class = {"call", release_payload};

static const payload *payload_of(const saros_attributes *attributes) {
    return saros_tensor_payload(attributes->tensor, &payload_class);
}

static saros_status call_type(saros_typing *typing) {
    const payload *p = payload_of(typing->attributes);
    int64_t form = typing->attributes->word[SAROS_CALL_FORM];
    int outs = (int)typing->attributes->word[SAROS_CALL_OUTPUTS];
    int ins = typing->operands;
    if (form == FORM_JVP) ins /= 2;
    if (form == FORM_VJP) {
        ins -= outs;
        typing->outputs = ins;
        if (ins > SAROS_MAX_OUTPUTS) return SAROS_OK; /* saros_build reports the count */
        memcpy(typing->output, typing->operand, (size_t)ins * sizeof *typing->output);
        return SAROS_OK;
    }
    typing->outputs = outs;
    if (outs > SAROS_MAX_OUTPUTS) return SAROS_OK;
    saros_status status = p->class_->type(p->user, ins, typing->operand, outs, typing->output);
    if (status != SAROS_OK) saros_error_frame("in the call '%s'", p->class_->name);
    return status;
}

static saros_status call_evaluate(const saros_evaluation *e) {
    const payload *p = payload_of(e->attributes);
    const saros_call_class *c = p->class_;
    int outs = (int)e->attributes->word[SAROS_CALL_OUTPUTS];
    saros_dense in = {0};
    saros_status status = saros_dense_make(e->ins, e->in, &in);
    if (status != SAROS_OK) return status;
    switch (e->attributes->word[SAROS_CALL_FORM]) {
    case FORM_APPLY:
        status = c->apply(p->user, e->ins, in.tensor, outs, e->out);
        break;
    case FORM_JVP:
        status = c->apply_jvp(p->user, e->ins / 2, in.tensor, outs, e->out);
        break;
    default:
        status = c->apply_vjp(p->user, e->ins - outs, in.tensor, outs, e->out);
    }
    saros_dense_free(&in);
    if (status != SAROS_OK) saros_error_frame("in the call '%s'", c->name);
    return status;
}

/* ---- derivatives ---- */

/** One value per entry: zeros where there is none. */
static saros_value *filled(saros_graph *graph, int n, const saros_value *value,
                           const saros_value *like) {
    saros_value *full = saros_allocate((size_t)n * sizeof *full);
    for (int k = 0; full && k < n; ++k) {
        saros_type type = *saros_value_type(like[k]);
        full[k] = saros_is_none(value[k]) ? saros_splat(graph, &type, 0.0) : value[k];
    }
    return full;
}

/** A node of the numeric form: operands are the primals, then `second`. */
static void build_form(const saros_rule *rule, int64_t form, int seconds, const saros_value *second,
                       int outs, saros_value *out) {
    saros_value *operand = saros_allocate((size_t)(rule->ins + seconds) * sizeof *operand);
    if (!operand) {
        saros_poison_all(rule->graph, outs, out);
        return;
    }
    for (int k = 0; k < rule->ins; ++k) operand[k] = rule->in[k];
    for (int k = 0; k < seconds; ++k) operand[rule->ins + k] = second[k];
    int64_t word[SAROS_CALL_WORDS];
    memcpy(word, rule->attributes.word, sizeof word);
    word[SAROS_CALL_FORM] = form;
    saros_attributes attributes = rule->attributes;
    attributes.word = word;
    saros_build_all(rule->graph, &saros_row_call, &attributes, rule->ins + seconds, operand, outs,
                    out);
    saros_release(operand);
}

static void refuse(const saros_rule *rule, const char *mode, int n, saros_value *out) {
    const payload *p = payload_of(&rule->attributes);
    bool second = rule->attributes.word[SAROS_CALL_FORM] != FORM_APPLY;
    saros_fail(SAROS_ERR_UNSUPPORTED, p->class_->name,
               second ? "give the call builders of its derivatives"
                      : "give the call that derivative, numeric or as a builder",
               second ? "a numeric derivative of the call '%s' cannot be differentiated again (%s)"
                      : "the call '%s' has no %s derivative",
               p->class_->name, mode);
    saros_poison_all(rule->graph, n, out);
}

static void call_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent) {
    const payload *p = payload_of(&rule->attributes);
    bool primal = rule->attributes.word[SAROS_CALL_FORM] == FORM_APPLY;
    if (!primal || (!p->class_->build_jvp && !p->class_->apply_jvp)) {
        refuse(rule, "forward", rule->outs, out_tangent);
        return;
    }
    saros_value *full = filled(rule->graph, rule->ins, tangent, rule->in);
    if (!full)
        saros_poison_all(rule->graph, rule->outs, out_tangent);
    else if (!p->class_->build_jvp)
        build_form(rule, FORM_JVP, rule->ins, full, rule->outs, out_tangent);
    else if (p->class_->build_jvp(p->user, rule->graph, rule->ins, rule->in, rule->out, full,
                                  out_tangent) != SAROS_OK)
        saros_poison_all(rule->graph, rule->outs, out_tangent);
    saros_release(full);
}

static void call_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                     saros_value *gradient) {
    const payload *p = payload_of(&rule->attributes);
    bool primal = rule->attributes.word[SAROS_CALL_FORM] == FORM_APPLY;
    if (!primal || (!p->class_->build_vjp && !p->class_->apply_vjp)) {
        refuse(rule, "reverse", rule->ins, gradient);
        return;
    }
    saros_value *full = filled(rule->graph, rule->outs, cotangent, rule->out);
    if (!full)
        saros_poison_all(rule->graph, rule->ins, gradient);
    else if (!p->class_->build_vjp)
        build_form(rule, FORM_VJP, rule->outs, full, rule->ins, gradient);
    else if (p->class_->build_vjp(p->user, rule->graph, rule->ins, rule->in, rule->out, full,
                                  gradient) != SAROS_OK)
        saros_poison_all(rule->graph, rule->ins, gradient);
    for (int k = 0; k < rule->ins; ++k)
        if (!wanted[k] || !saros_dtype_is_float(saros_value_dtype(rule->in[k])))
            gradient[k] = SAROS_NONE;
    saros_release(full);
}

const saros_primitive saros_row_call = {.name = "call",
                                        .doc = "Foreign code with derivatives of its own.",
                                        .operands = -1,
                                        .type = call_type,
                                        .evaluate = call_evaluate,
                                        .jvp = call_jvp,
                                        .vjp = call_vjp};

void saros_call(saros_graph *graph, const saros_call_class *class_, void *user, int ins,
                const saros_value *in, int outs, saros_value *out) {
    payload *p = saros_allocate(sizeof *p);
    saros_tensor *holder = NULL;
    if (!p && class_->release) class_->release(user);
    if (p) {
        *p = (payload){class_, user};
        if (saros_tensor_opaque(&payload_class, p, &holder) != SAROS_OK) holder = NULL;
    }
    if (!holder) {
        saros_poison_all(graph, outs, out);
        return;
    }
    int64_t word[SAROS_CALL_WORDS] = {FORM_APPLY, outs, !class_->pure};
    saros_attributes attributes = {.word = word, .words = SAROS_CALL_WORDS, .tensor = holder};
    saros_build_all(graph, &saros_row_call, &attributes, ins, in, outs, out);
    saros_tensor_release(holder);
}
