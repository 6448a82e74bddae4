/** A run of CVODES as a foreign call of the graph: the rate is traced once, and compiled with the
 * derivatives that CVODES asks for: products with its Jacobian, tangents, pull-backs by state and
 * parameters. The operands are y0 and what the rate captures. */
#include <string.h>

#include "root_impl.h"
#include "saros/continuous.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/region.h"
#include "saros/stop.h"

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

/* ---- the functions ---- */

/* A copy of the rate with its inputs t, y, p… declared anew; `in` has room for as many again. */
typedef struct draft {
    saros_graph *graph;
    saros_value *in, f;
    int ins;
} draft;

static saros_status draft_open(saros_body *body, draft *d) {
    *d = (draft){.ins = saros_body_inputs(body)};
    d->in = saros_values_make(2 * d->ins);
    if (!d->in) return SAROS_ERR_MEMORY;
    saros_status status = saros_graph_make(&d->graph);
    for (int k = 0; k < d->ins && status == SAROS_OK; ++k) {
        saros_type type = *saros_value_type(saros_body_input(body, k));
        d->in[k] = saros_input(d->graph, &type, saros_value_name(saros_body_input(body, k)));
    }
    if (status == SAROS_OK) saros_inline(d->graph, body, d->in, &d->f);
    return status;
}

static void draft_free(draft *d) {
    saros_graph_release(d->graph);
    saros_release(d->in);
}

static bool moves(saros_value v) {
    return saros_value_dtype(v) == SAROS_F64;
}

/* (t, y, p…, v) -> f_y v;  with `all` (t, y, p…, v, w…) -> f_y v + f_p w */
static saros_status compile_tangent(saros_body *body, bool all, saros_function **out) {
    draft d;
    saros_status status = SAROS_OK;
    saros_value *along = saros_values_make(saros_body_inputs(body)), product;
    SAROS_TRY(draft_open(body, &d));
    if (!along) SAROS_TRY(SAROS_ERR_MEMORY);
    int ins = d.ins;
    for (int k = 1; k < (all ? d.ins : 2); ++k) {
        if (!moves(d.in[k])) continue;
        saros_type type = *saros_value_type(d.in[k]);
        along[k] = d.in[ins++] = saros_input(d.graph, &type, NULL);
    }
    saros_jvp(1, &d.f, d.ins, d.in, along, &product);
    product = saros_instantiate(product, d.f);
    status = saros_compile(d.graph, ins, d.in, 1, &product,
                           &(saros_compile_options){.name = all ? "tangent" : "product"}, out);
done:
    saros_release(along);
    draft_free(&d);
    return status;
}

/* All of `n` values end to end. */
static saros_value end_to_end(int n, saros_value *value) {
    for (int k = 0; k < n; ++k) {
        int64_t count = saros_type_count(saros_value_type(value[k]));
        value[k] = saros_reshape(value[k], 1, &count);
    }
    return saros_concat(n, value, 0);
}

/* (t, y, p…, l) -> f_y^T l, or f_p^T l for all p that are f64, end to end. */
static saros_status compile_pull(saros_body *body, bool parameters, saros_function **out) {
    draft d;
    saros_status status = SAROS_OK;
    const int ins = saros_body_inputs(body);
    saros_value *by = saros_values_make(2 * ins), *gradient = by ? by + ins : NULL, result;
    int count = 0;
    SAROS_TRY(draft_open(body, &d));
    if (!by) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = parameters ? 2 : 1; k < (parameters ? ins : 2); ++k)
        if (moves(d.in[k])) by[count++] = d.in[k];
    if (!count) goto done;
    saros_type state = *saros_value_type(d.f);
    saros_value l = d.in[ins] = saros_input(d.graph, &state, "l");
    saros_vjp(1, &d.f, &l, count, by, gradient);
    for (int k = 0; k < count; ++k) gradient[k] = saros_instantiate(gradient[k], by[k]);
    result = parameters ? end_to_end(count, gradient) : gradient[0];
    status = saros_compile(d.graph, ins + 1, d.in, 1, &result,
                           &(saros_compile_options){.name = "pull-back"}, out);
done:
    saros_release(by);
    draft_free(&d);
    return status;
}

static saros_status compile_all(node *c, saros_body *body) {
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_compile_body(body, &(saros_compile_options){.name = "rate"}, &c->rate));
    SAROS_TRY(compile_tangent(body, false, &c->jvp));
    SAROS_TRY(compile_tangent(body, true, &c->tangent));
    SAROS_TRY(compile_pull(body, false, &c->adjoint));
    SAROS_TRY(compile_pull(body, true, &c->pull));
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

static bool stop(double t, void *user) {
    (void)t;
    (void)user;
    return saros_stop_requested();
}

/* Rows of the result, in turn. */
typedef struct rows {
    double *next;
    double start;
} rows;

static saros_status take_row(rows *to, double t, saros_tensor *y) {
    const int64_t n = saros_tensor_count(y);
    if (t <= to->start) return SAROS_OK;
    memcpy(to->next, saros_tensor_const_data(y), (size_t)n * sizeof *to->next);
    to->next += n;
    return SAROS_OK;
}

static saros_status take(double t, saros_tensor *y, void *user) {
    return take_row(user, t, y);
}

static saros_status node_apply(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    (void)outs;
    const node *c = user;
    rows to = {saros_tensor_data(out[0]), c->time[0]};
    return saros_cvode_solve(c->rate, c->options.adams ? NULL : c->jvp, ins - 1, in + 1, in[0],
                             c->times, c->time, &c->options, take, stop, &to, NULL);
}

static saros_status take_tangent(double t, saros_tensor *y, int directions,
                                 saros_tensor *const *tangent, void *user) {
    (void)y;
    (void)directions;
    return take_row(user, t, tangent[0]);
}

static saros_status node_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **out) {
    (void)outs;
    const node *c = user;
    const saros_cvode_functions f = functions_of(c);
    rows to = {saros_tensor_data(out[0]), c->time[0]};
    return saros_cvode_forward(&f, ins - 1, in + 1, in[0], 1, in + ins, c->times, c->time,
                               &c->options, take_tangent, stop, &to, NULL);
}

static saros_status node_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                             saros_tensor **gradient) {
    (void)outs;
    const node *c = user;
    const saros_cvode_functions f = functions_of(c);
    saros_tensor **of = saros_allocate((size_t)ins * sizeof *of);
    if (!of) return SAROS_ERR_MEMORY;
    for (int k = 0; k < ins; ++k) {
        of[k] = saros_tensor_dtype(gradient[k]) == SAROS_F64 ? gradient[k] : NULL;
        if (!of[k]) /* of an index or a mask: nobody reads it, but it is to be defined */
            memset(saros_tensor_data(gradient[k]), 0,
                   (size_t)saros_tensor_count(gradient[k]) *
                       saros_dtype_bytes(saros_tensor_dtype(gradient[k])));
    }
    saros_status status = saros_cvode_gradient(&f, ins - 1, in + 1, in[0], c->times, c->time,
                                               &c->options, in[ins], of, stop, NULL, NULL);
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

static saros_status march_check(const saros_cvode_march_spec *spec) {
    const saros_type *y = saros_value_type(spec->y0);
    if (y->dtype != SAROS_F64 || y->rank != 1)
        return saros_fail(SAROS_ERR_TYPE, "saros_cvode_march", NULL, "y0 must be f64 of rank 1");
    if (spec->times < 2)
        return saros_fail(SAROS_ERR_USAGE, "saros_cvode_march", NULL,
                          "wanted the start and at least one output time");
    return SAROS_OK;
}

static saros_status trace_rate(saros_graph *graph, const saros_cvode_march_spec *spec,
                               saros_body **body, saros_value **capture) {
    saros_graph *inner = saros_body_open(graph);
    saros_type scalar = saros_type_scalar(SAROS_F64), state = *saros_value_type(spec->y0);
    saros_value rate = SAROS_NONE;
    if (!inner) return SAROS_ERR_MEMORY;
    saros_value t = saros_input(inner, &scalar, "t"), y = saros_input(inner, &state, "y");
    saros_status status = spec->rate(inner, t, y, spec->user, &rate);
    if (status == SAROS_OK) status = saros_graph_status(inner);
    if (status) {
        saros_graph_release(inner);
        return status;
    }
    const saros_type got = *saros_value_type(rate);
    if (!saros_type_equal(&got, &state)) {
        char a[96], b[96];
        saros_graph_release(inner);
        return saros_fail(SAROS_ERR_SHAPE, "saros_cvode_march", "give one rate per unknown",
                          "the rate is %s, the state is %s", saros_type_text(&got, a, sizeof a),
                          saros_type_text(&state, b, sizeof b));
    }
    return saros_body_close(inner, 1, &rate, body, capture);
}

static saros_status check_parameters(int n, const saros_value *p) {
    for (int k = 0; k < n; ++k)
        if (saros_dtype_is_float(saros_value_dtype(p[k])) && !moves(p[k]))
            return saros_fail(SAROS_ERR_TYPE, "saros_cvode_march", "cast it to f64",
                              "parameter %d of the rate is %s", k,
                              saros_dtype_name(saros_value_dtype(p[k])));
    return SAROS_OK;
}

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

saros_value saros_cvode_march(saros_graph *graph, const saros_cvode_march_spec *spec) {
    saros_status status = SAROS_OK;
    saros_body *body = NULL;
    saros_value *capture = NULL, *operand = NULL, kept = SAROS_NONE;
    node *c = NULL;
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(march_check(spec));
    SAROS_TRY(trace_rate(graph, spec, &body, &capture));
    const int parameters = saros_body_captures(body);
    SAROS_TRY(check_parameters(parameters, capture));
    operand = saros_values_make(parameters + 1);
    if (!operand) SAROS_TRY(SAROS_ERR_MEMORY);
    operand[0] = spec->y0;
    memcpy(operand + 1, capture, (size_t)parameters * sizeof *operand);
    SAROS_TRY(node_make(spec, body, &c));
    saros_call(graph, &node_class, c, parameters + 1, operand, 1, &kept);
done:
    saros_body_release(body);
    saros_release(capture);
    saros_release(operand);
    return status ? saros_poison(graph) : kept;
}
