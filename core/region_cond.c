/** cond: one of two bodies, chosen by a bool scalar; only the chosen one runs.
 *
 *  Operands: mask, captures of the first body, captures of the second. Derivatives are in autodiff.
 */
#include "function_impl.h"
#include "region_impl.h"
#include "saros/memory.h"

saros_cond_view saros_cond_read(const saros_attributes *attributes) {
    const int64_t *w = attributes->word;
    return (saros_cond_view){.then = attributes->bodies > 0 ? attributes->body[0] : NULL,
                             .otherwise = attributes->bodies > 1 ? attributes->body[1] : NULL,
                             .then_captures = (int)w[SAROS_COND_THEN],
                             .else_captures = (int)w[SAROS_COND_ELSE],
                             .outputs = (int)w[SAROS_COND_OUTPUTS]};
}

static saros_status check_branch(const saros_typing *typing, const saros_body *body, int first,
                                 int captures, int outputs) {
    if (saros_body_inputs(body) != captures || saros_body_outputs(body) != outputs)
        return saros_fail(SAROS_ERR_USAGE, "cond", "both branches give the same number of values",
                          "a branch has %d inputs and %d outputs, needed %d and %d",
                          saros_body_inputs(body), saros_body_outputs(body), captures, outputs);
    for (int k = 0; k < captures; ++k) {
        const saros_type *got = &typing->operand[first + k];
        const saros_type *needed = saros_value_type(saros_body_input(body, k));
        char a[128], b[128];
        if (!saros_region_fits(got, needed))
            return saros_fail(SAROS_ERR_SHAPE, "cond", NULL, "operand %d is %s, needed %s",
                              first + k, saros_type_text(got, a, sizeof a),
                              saros_type_text(needed, b, sizeof b));
    }
    return SAROS_OK;
}

static saros_status cond_type(saros_typing *typing) {
    saros_cond_view v = saros_cond_read(typing->attributes);
    const saros_type *mask = &typing->operand[0];
    char a[128], b[128];
    if (mask->dtype != SAROS_BOOL || mask->rank != 0)
        return saros_fail(SAROS_ERR_TYPE, "cond", "use where for a mask of many elements",
                          "the mask is %s, needed bool", saros_type_text(mask, a, sizeof a));
    if (typing->operands != 1 + v.then_captures + v.else_captures)
        return saros_fail(SAROS_ERR_USAGE, "cond", NULL, "got %d operands, needed %d",
                          typing->operands, 1 + v.then_captures + v.else_captures);
    saros_status status = check_branch(typing, v.then, 1, v.then_captures, v.outputs);
    if (status == SAROS_OK)
        status = check_branch(typing, v.otherwise, 1 + v.then_captures, v.else_captures, v.outputs);
    typing->outputs = v.outputs;
    for (int k = 0; status == SAROS_OK && k < v.outputs && k < SAROS_MAX_OUTPUTS; ++k) {
        typing->output[k] = *saros_value_type(saros_body_output(v.then, k));
        const saros_type *other = saros_value_type(saros_body_output(v.otherwise, k));
        if (typing->output[k].dtype == SAROS_OPAQUE)
            status = saros_fail(SAROS_ERR_UNSUPPORTED, "cond", "use the object inside the branch",
                                "output %d is opaque", k + 1);
        else if (!saros_region_fits(&typing->output[k], other))
            status = saros_fail(SAROS_ERR_SHAPE, "cond", "both branches give equal types",
                                "output %d is %s in one branch and %s in the other", k + 1,
                                saros_type_text(&typing->output[k], a, sizeof a),
                                saros_type_text(other, b, sizeof b));
    }
    return status;
}

static saros_status cond_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_cond_view v = saros_cond_read(e->attributes);
    bool chosen = *(const uint8_t *)saros_tensor_const_data(e->in[0]) != 0;
    int first = chosen ? 1 : 1 + v.then_captures;
    int captures = chosen ? v.then_captures : v.else_captures;
    saros_dense in = {0};
    saros_frame *frame = saros_frame_borrow(e->body[chosen ? 0 : 1], e->communicator);
    if (!frame) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_dense_make(captures, e->in + first, &in));
    for (int k = 0; k < captures; ++k) saros_frame_bind(frame, k, in.tensor[k]);
    for (int k = 0; k < v.outputs; ++k) saros_frame_move_output(frame, k, e->out[k]->data);
    SAROS_TRY(saros_frame_run(frame));
done:
    saros_frame_return(frame);
    saros_dense_free(&in);
    return status;
}

const saros_primitive saros_row_cond = {.name = "cond",
                                        .doc = "Runs one of two bodies, chosen by a bool scalar.",
                                        .operands = -2,
                                        .flags = SAROS_REGION,
                                        .type = cond_type,
                                        .evaluate = cond_evaluate};

/* ---- build ---- */

void saros_cond_body(saros_value mask, saros_body *then, int then_captures,
                     const saros_value *then_capture, saros_body *otherwise, int else_captures,
                     const saros_value *else_capture, saros_value *out) {
    int operands = 1 + then_captures + else_captures, outputs = saros_body_outputs(then);
    saros_value *operand = saros_allocate((size_t)operands * sizeof *operand);
    if (!operand) {
        saros_poison_all(mask.graph, outputs, out);
        return;
    }
    operand[0] = mask;
    for (int k = 0; k < then_captures; ++k) operand[1 + k] = then_capture[k];
    for (int k = 0; k < else_captures; ++k) operand[1 + then_captures + k] = else_capture[k];
    int64_t word[SAROS_COND_WORDS] = {then_captures, else_captures, outputs};
    saros_body *bodies[2] = {then, otherwise};
    saros_attributes attributes = {
        .word = word, .words = SAROS_COND_WORDS, .body = bodies, .bodies = 2};
    saros_build_all(saros_graph_of(operands, operand), &saros_row_cond, &attributes, operands,
                    operand, outputs, out);
    saros_release(operand);
}

static saros_status build_branch(saros_graph *graph, saros_branch_fn branch, void *user,
                                 int outputs, saros_body **body, saros_value **captures) {
    saros_value *value = saros_allocate((size_t)outputs * sizeof *value);
    saros_graph *inner = value ? saros_body_open(graph) : NULL;
    saros_status status = SAROS_ERR_MEMORY;
    if (!inner) goto done;
    for (int k = 0; k < outputs; ++k) value[k] = SAROS_NONE;
    status = branch(inner, user, value);
    if (status == SAROS_OK) {
        status = saros_body_close(inner, outputs, value, body, captures);
    } else {
        saros_graph_release(inner);
    }
done:
    saros_release(value);
    return status;
}

void saros_cond(saros_value mask, saros_branch_fn then, void *then_user, saros_branch_fn otherwise,
                void *otherwise_user, int outputs, saros_value *out) {
    saros_body *body[2] = {NULL, NULL};
    saros_value *captures[2] = {NULL, NULL};
    saros_graph *graph = mask.graph;
    if (saros_is_poisoned(mask)) {
        for (int k = 0; k < outputs; ++k) out[k] = mask;
        return;
    }
    if (build_branch(graph, then, then_user, outputs, &body[0], &captures[0]) == SAROS_OK &&
        build_branch(graph, otherwise, otherwise_user, outputs, &body[1], &captures[1]) == SAROS_OK)
        saros_cond_body(mask, body[0], saros_body_captures(body[0]), captures[0], body[1],
                        saros_body_captures(body[1]), captures[1], out);
    else
        saros_poison_all(graph, outputs, out);
    for (int k = 0; k < 2; ++k) {
        saros_body_release(body[k]);
        saros_release(captures[k]);
    }
}
