/** A run of CVODES as a foreign call of the graph: the rate is traced once, and compiled with the
 * derivatives that CVODES asks for: products with its Jacobian, tangents, pull-backs by state and
 * parameters. The operands are y0 and what the rate captures. */
#include <string.h>

#include "continuous_impl.h"
#include "saros/memory.h"

typedef struct node {
    int times;
    double *time;
    saros_cvode_options options;
    saros_function *rate, *jvp, *tangent, *adjoint, *pull;
} node;

static void node_release(void *user) {
    node *c = user;
    if (!c) return;
    saros_function_release(c->rate);
    saros_function_release(c->jvp);
    saros_function_release(c->tangent);
    saros_function_release(c->adjoint);
    saros_function_release(c->pull);
    saros_sparsity_release(c->options.sparsity);
    saros_jacobian_release(c->options.jacobian);
    saros_release(c->time);
    saros_release(c);
}

static saros_cvode_functions functions_of(const node *c) {
    return (saros_cvode_functions){c->rate, c->jvp, c->tangent, c->adjoint, c->pull};
}

static saros_status compile_all(node *c, saros_body *body) {
    const int ins = saros_body_inputs(body);
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_compile_body(body, &(saros_compile_options){.name = "rate"}, &c->rate));
    SAROS_TRY(saros_draft_tangent(body, 2, &c->jvp));
    SAROS_TRY(saros_draft_tangent(body, ins, &c->tangent));
    SAROS_TRY(saros_draft_pull(body, 1, 2, &c->adjoint));
    SAROS_TRY(saros_draft_pull(body, 2, ins, &c->pull));
done:
    return status;
}

/* ---- the call ---- */

static saros_status node_type(void *user, int ins, const saros_type *in, int outs,
                              saros_type *out) {
    (void)ins;
    (void)outs;
    const node *c = user;
    out[0] = saros_type_make(SAROS_F64, 2, (int64_t[]){c->times - 1, in[0].shape[0]});
    return SAROS_OK;
}

static saros_status take(double t, saros_tensor *y, void *user) {
    saros_rows_take(user, t, y);
    return SAROS_OK;
}

static saros_status node_apply(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    (void)outs;
    const node *c = user;
    saros_rows to = {saros_tensor_data(out[0]), c->time[0]};
    return saros_cvode_solve(c->rate, c->options.adams ? NULL : c->jvp, ins - 1, in + 1, in[0],
                             c->times, c->time, &c->options, take, saros_stop_asked, &to, NULL);
}

static saros_status node_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **out) {
    (void)outs;
    const node *c = user;
    const saros_cvode_functions f = functions_of(c);
    saros_rows to = {saros_tensor_data(out[0]), c->time[0]};
    return saros_cvode_forward(&f, ins - 1, in + 1, in[0], 1, in + ins, c->times, c->time,
                               &c->options, saros_rows_tangent, saros_stop_asked, &to, NULL);
}

static saros_status node_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **gradient) {
    (void)outs;
    const node *c = user;
    const saros_cvode_functions f = functions_of(c);
    saros_tensor **of = saros_gradients_floating(ins, gradient);
    if (!of) return SAROS_ERR_MEMORY;
    saros_status status =
        saros_cvode_gradient(&f, ins - 1, in + 1, in[0], c->times, c->time, &c->options, in[ins],
                             of, saros_stop_asked, NULL, NULL);
    saros_release(of);
    return status;
}

static const saros_call_class node_class = {.name = "cvode",
                                            .pure = true,
                                            .type = node_type,
                                            .apply = node_apply,
                                            .apply_jvp = node_jvp,
                                            .apply_vjp = node_vjp,
                                            .release = node_release};

/* ---- building ---- */

static saros_status node_make(const saros_cvode_march_spec *spec, saros_body *body, node **out) {
    saros_status status = SAROS_OK;
    node *c = saros_allocate_zero(1, sizeof *c);
    if (!c) return SAROS_ERR_MEMORY;
    c->times = spec->times;
    c->options = spec->options;
    saros_sparsity_retain(c->options.sparsity);
    saros_jacobian_retain(c->options.jacobian);
    c->time = saros_allocate((size_t)spec->times * sizeof *c->time);
    if (!c->time) SAROS_TRY(SAROS_ERR_MEMORY);
    memcpy(c->time, spec->time, (size_t)spec->times * sizeof *c->time);
    SAROS_TRY(compile_all(c, body));
    *out = c;
    c = NULL;
done:
    node_release(c);
    return status;
}

static saros_status build(saros_graph *graph, const saros_value *in, const void *of,
                          saros_value *out) {
    const saros_cvode_march_spec *spec = of;
    return spec->rate(graph, in[0], in[1], spec->user, out);
}

saros_value saros_cvode_march(saros_graph *graph, const saros_cvode_march_spec *spec) {
    const saros_equation of = {"saros_cvode_march", 2, spec->y0, spec->times, build, spec};
    saros_status status = SAROS_OK;
    saros_body *body = NULL;
    saros_value *operand = NULL, kept = SAROS_NONE;
    node *c = NULL;
    int count = 0;
    SAROS_TRY(saros_equation_trace(graph, &of, &body, &operand, &count));
    SAROS_TRY(node_make(spec, body, &c));
    saros_call(graph, &node_class, c, count, operand, 1, &kept);
done:
    saros_body_release(body);
    saros_release(operand);
    return status ? saros_poison(graph) : kept;
}
