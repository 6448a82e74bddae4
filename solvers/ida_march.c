/** A run of IDAS as a foreign call of the graph: the residual is traced once, and compiled with
 * what IDAS asks for: the Jacobian, tangents, the adjoint's residual and pull-backs. Which unknowns
 * are differential is read off the pattern of F_y'. The operands are y0, a first guess of y' and
 * what the residual captures. */
#include <math.h>
#include <string.h>

#include "continuous_impl.h"
#include "root_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"

typedef struct node {
    int times;
    double *time;
    saros_ida_options options;
    saros_tensor *differential;
    saros_function *residual, *tangent, *adjoint, *back, *pull;
} node;

static void node_release(void *user) {
    node *c = user;
    if (!c) return;
    saros_function_release(c->residual);
    saros_function_release(c->tangent);
    saros_function_release(c->adjoint);
    saros_function_release(c->back);
    saros_function_release(c->pull);
    saros_tensor_release(c->differential);
    saros_jacobian_release(c->options.jacobian);
    saros_release(c->time);
    saros_release(c);
}

/* ---- the functions ---- */

/* Columns of F_y' with entries. */
static saros_status find_differential(saros_body *body, saros_tensor **out) {
    saros_draft d;
    saros_sparsity *pattern = NULL;
    saros_tensor *found = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_draft_open(body, &d));
    SAROS_TRY(saros_sparsity_detect(d.f, d.in[2], &pattern));
    SAROS_TRY(saros_tensor_zeros(SAROS_BOOL, 1, saros_value_type(d.f)->shape, &found));
    bool *to = saros_tensor_data(found);
    for (int64_t k = 0; k < pattern->nonzeros; ++k) to[pattern->column[k]] = true;
    *out = found;
done:
    saros_sparsity_release(pattern);
    saros_draft_close(&d);
    return status;
}

/* F(t, y + a x, y' + b x) by x, at x = 0. */
static saros_status make_jacobian(saros_body *body, saros_jacobian **out) {
    saros_draft d;
    saros_status status = SAROS_OK;
    saros_value shifted = SAROS_NONE, held[2];
    SAROS_TRY(saros_draft_open(body, &d));
    const saros_type state = *saros_value_type(d.f);
    saros_value *more = d.in + d.ins; /* a, b, x */
    for (int k = 0; k < 3; ++k) more[k] = saros_input(d.graph, &state, NULL);
    for (int k = 0; k < 2; ++k) {
        held[k] = d.in[1 + k];
        d.in[1 + k] = saros_add(held[k], saros_mul(more[k], more[2]));
    }
    saros_inline(d.graph, body, d.in, &shifted);
    for (int k = 0; k < 2; ++k) d.in[1 + k] = held[k];
    SAROS_TRY(saros_jacobian_make(shifted, more[2], d.ins + 3, d.in, NULL, out));
done:
    saros_draft_close(&d);
    return status;
}

/* (t, y, y', p…, l) -> F_y^T l, F_y'^T l */
static saros_status compile_back(saros_body *body, saros_function **out) {
    saros_draft d;
    saros_status status = SAROS_OK;
    saros_value pulled[2];
    SAROS_TRY(saros_draft_open(body, &d));
    const saros_type state = *saros_value_type(d.f);
    d.in[d.ins] = saros_input(d.graph, &state, "l");
    saros_vjp(1, &d.f, &d.in[d.ins], 2, &d.in[1], pulled);
    for (int k = 0; k < 2; ++k) pulled[k] = saros_instantiate(pulled[k], d.f);
    status = saros_compile(d.graph, d.ins + 1, d.in, 2, pulled,
                           &(saros_compile_options){.name = "pull-back"}, out);
done:
    saros_draft_close(&d);
    return status;
}

/* (t, y, y', p…, l, l') -> (F_y'^T l)' - F_y^T l, the first differentiated along the solution; NULL
 * if F_y' hangs on y', where that takes y''. */
static saros_status compile_adjoint(saros_body *body, saros_function **out) {
    saros_draft d;
    saros_status status = SAROS_OK;
    saros_value pulled[2], bent = SAROS_NONE, along[3], moved = SAROS_NONE;
    SAROS_TRY(saros_draft_open(body, &d));
    const saros_type state = *saros_value_type(d.f);
    saros_value *l = d.in + d.ins;
    for (int k = 0; k < 2; ++k) l[k] = saros_input(d.graph, &state, NULL);
    saros_vjp(1, &d.f, l, 2, &d.in[1], pulled);
    for (int k = 0; k < 2; ++k) pulled[k] = saros_instantiate(pulled[k], d.f);
    saros_jvp(1, &pulled[1], 1, &d.in[2], &l[1], &bent);
    SAROS_TRY(saros_graph_status(d.graph));
    if (!saros_is_none(bent)) goto done;
    along[0] = saros_like(d.in[0], 1);
    along[1] = d.in[2];
    along[2] = l[1];
    saros_jvp(1, &pulled[1], 3, (saros_value[]){d.in[0], d.in[1], l[0]}, along, &moved);
    moved = saros_sub(saros_instantiate(moved, d.f), pulled[0]);
    status = saros_compile(d.graph, d.ins + 2, d.in, 1, &moved,
                           &(saros_compile_options){.name = "adjoint"}, out);
done:
    saros_draft_close(&d);
    return status;
}

static saros_status compile_all(node *c, saros_body *body) {
    const int ins = saros_body_inputs(body);
    saros_status status = SAROS_OK;
    SAROS_TRY(find_differential(body, &c->differential));
    SAROS_TRY(saros_compile_body(body, &(saros_compile_options){.name = "residual"}, &c->residual));
    SAROS_TRY(make_jacobian(body, &c->options.jacobian));
    SAROS_TRY(saros_draft_tangent(body, ins, &c->tangent));
    SAROS_TRY(compile_back(body, &c->back));
    SAROS_TRY(compile_adjoint(body, &c->adjoint));
    SAROS_TRY(saros_draft_pull(body, 3, ins, &c->pull));
done:
    return status;
}

/* ---- the call ---- */

static saros_status node_type(void *user, int ins, const saros_type *in, int outs,
                              saros_type *out) {
    (void)ins;
    (void)outs;
    const node *c = user;
    out[0] = saros_type_make(SAROS_F64, 2, (int64_t[]){c->times, in[0].shape[0]});
    return SAROS_OK;
}

static saros_ida_problem problem_of(const node *c, int ins, saros_tensor *const *in) {
    return (saros_ida_problem){.residual = c->residual,
                               .tangent = c->tangent,
                               .adjoint = c->adjoint,
                               .back = c->back,
                               .pull = c->pull,
                               .parameters = ins - 1,
                               .parameter = in + 1,
                               .y0 = in[0],
                               .differential = c->differential,
                               .times = c->times,
                               .time = c->time};
}

static saros_status node_apply(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    (void)outs;
    const node *c = user;
    const saros_ida_problem problem = problem_of(c, ins, in);
    saros_rows to = {saros_tensor_data(out[0]), -INFINITY};
    return saros_ida_solve(&problem, &c->options, saros_rows_state, saros_stop_asked, &to, NULL);
}

static saros_status node_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **out) {
    (void)outs;
    const node *c = user;
    saros_ida_problem problem = problem_of(c, ins, in);
    problem.directions = 1;
    problem.along = in + ins;
    saros_rows to = {saros_tensor_data(out[0]), -INFINITY};
    return saros_ida_solve(&problem, &c->options, saros_rows_tangent, saros_stop_asked, &to, NULL);
}

static saros_status node_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **gradient) {
    (void)outs;
    const node *c = user;
    const saros_ida_problem problem = problem_of(c, ins, in);
    saros_tensor **of = saros_gradients_floating(ins, gradient);
    if (!of) return SAROS_ERR_MEMORY;
    saros_status status =
        saros_ida_gradient(&problem, &c->options, in[ins], of, saros_stop_asked, NULL, NULL);
    saros_release(of);
    return status;
}

static const saros_call_class node_class = {.name = "ida",
                                            .pure = true,
                                            .type = node_type,
                                            .apply = node_apply,
                                            .apply_jvp = node_jvp,
                                            .apply_vjp = node_vjp,
                                            .release = node_release};

/* ---- building ---- */

static saros_status node_make(const saros_ida_march_spec *spec, saros_body *body, node **out) {
    saros_status status = SAROS_OK;
    node *c = saros_allocate_zero(1, sizeof *c);
    if (!c) return SAROS_ERR_MEMORY;
    c->times = spec->times;
    c->options = spec->options;
    c->options.sparsity = NULL; /* found in the graph */
    c->options.jacobian = NULL;
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
    const saros_ida_march_spec *spec = of;
    return spec->residual(graph, in[0], in[1], in[2], spec->user, out);
}

saros_value saros_ida_march(saros_graph *graph, const saros_ida_march_spec *spec) {
    const saros_equation of = {"saros_ida_march", 3, spec->y0, spec->times, build, spec};
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
