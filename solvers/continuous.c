/** Equations of continuous runs: traced once, and functions made from them. */
#include "continuous_impl.h"

#include <string.h>

#include "root_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/stop.h"

static bool moves(saros_value v) {
    return saros_value_dtype(v) == SAROS_F64;
}

/* ---- tracing ---- */

static saros_status check_start(const saros_equation *of) {
    const saros_type *y = saros_value_type(of->y0);
    if (y->dtype != SAROS_F64 || y->rank != 1)
        return saros_fail(SAROS_ERR_TYPE, of->where, NULL, "y0 must be f64 of rank 1");
    if (of->times < 2)
        return saros_fail(SAROS_ERR_USAGE, of->where, NULL,
                          "wanted the start and at least one output time");
    return SAROS_OK;
}

static saros_status trace_body(saros_graph *graph, const saros_equation *of, saros_body **body,
                               saros_value **capture) {
    static const char *const name[] = {"t", "y", "rate"};
    saros_graph *inner = saros_body_open(graph);
    saros_type scalar = saros_type_scalar(SAROS_F64), state = *saros_value_type(of->y0);
    saros_value in[3], out = SAROS_NONE;
    if (!inner) return SAROS_ERR_MEMORY;
    for (int k = 0; k < of->leading; ++k) in[k] = saros_input(inner, k ? &state : &scalar, name[k]);
    saros_status status = of->build(inner, in, of->spec, &out);
    if (status == SAROS_OK) status = saros_graph_status(inner);
    if (status) {
        saros_graph_release(inner);
        return status;
    }
    const saros_type got = *saros_value_type(out);
    if (!saros_type_equal(&got, &state)) {
        char a[96], b[96];
        saros_graph_release(inner);
        return saros_fail(SAROS_ERR_SHAPE, of->where, "give one per unknown",
                          "the equation is %s, the state is %s", saros_type_text(&got, a, sizeof a),
                          saros_type_text(&state, b, sizeof b));
    }
    return saros_body_close(inner, 1, &out, body, capture);
}

static saros_status check_captures(const char *where, int n, const saros_value *p) {
    for (int k = 0; k < n; ++k)
        if (saros_dtype_is_float(saros_value_dtype(p[k])) && !moves(p[k]))
            return saros_fail(SAROS_ERR_TYPE, where, "cast it to f64",
                              "parameter %d of the equation is %s", k,
                              saros_dtype_name(saros_value_dtype(p[k])));
    return SAROS_OK;
}

saros_status saros_equation_trace(saros_graph *graph, const saros_equation *of, saros_body **body,
                                  saros_value **operand, int *count) {
    saros_value *capture = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(check_start(of));
    SAROS_TRY(trace_body(graph, of, body, &capture));
    *count = 1 + saros_body_captures(*body);
    SAROS_TRY(check_captures(of->where, *count - 1, capture));
    *operand = saros_values_make(*count);
    if (!*operand) SAROS_TRY(SAROS_ERR_MEMORY);
    (*operand)[0] = of->y0;
    memcpy(*operand + 1, capture, (size_t)(*count - 1) * sizeof **operand);
done:
    saros_release(capture);
    return status;
}

/* ---- functions ---- */

saros_status saros_draft_open(saros_body *body, saros_draft *d) {
    *d = (saros_draft){.ins = saros_body_inputs(body)};
    d->in = saros_values_make(2 * d->ins + 2);
    if (!d->in) return SAROS_ERR_MEMORY;
    saros_status status = saros_graph_make(&d->graph);
    for (int k = 0; k < d->ins && status == SAROS_OK; ++k) {
        saros_type type = *saros_value_type(saros_body_input(body, k));
        d->in[k] = saros_input(d->graph, &type, saros_value_name(saros_body_input(body, k)));
    }
    if (status) return status;
    saros_inline(d->graph, body, d->in, &d->f);
    return saros_graph_status(d->graph);
}

void saros_draft_close(saros_draft *d) {
    saros_graph_release(d->graph);
    saros_release(d->in);
}

saros_status saros_draft_tangent(saros_body *body, int end, saros_function **out) {
    saros_draft d;
    saros_status status = SAROS_OK;
    saros_value *along = saros_values_make(saros_body_inputs(body)), product;
    SAROS_TRY(saros_draft_open(body, &d));
    if (!along) SAROS_TRY(SAROS_ERR_MEMORY);
    int ins = d.ins;
    for (int k = 1; k < end; ++k) {
        if (!moves(d.in[k])) continue;
        saros_type type = *saros_value_type(d.in[k]);
        along[k] = d.in[ins++] = saros_input(d.graph, &type, NULL);
    }
    saros_jvp(1, &d.f, d.ins, d.in, along, &product);
    product = saros_instantiate(product, d.f);
    status = saros_compile(d.graph, ins, d.in, 1, &product,
                           &(saros_compile_options){.name = "tangent"}, out);
done:
    saros_release(along);
    saros_draft_close(&d);
    return status;
}

/* All of `n` values end to end. */
static saros_value end_to_end(int n, saros_value *value) {
    for (int k = 0; k < n; ++k) {
        int64_t count = saros_type_count(saros_value_type(value[k]));
        value[k] = saros_reshape(value[k], 1, &count);
    }
    return n == 1 ? value[0] : saros_concat(n, value, 0);
}

saros_status saros_draft_pull(saros_body *body, int from, int end, saros_function **out) {
    saros_draft d;
    saros_status status = SAROS_OK;
    const int ins = saros_body_inputs(body);
    saros_value *by = saros_values_make(2 * ins), *gradient = by ? by + ins : NULL, result;
    int count = 0;
    SAROS_TRY(saros_draft_open(body, &d));
    if (!by) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = from; k < end; ++k)
        if (moves(d.in[k])) by[count++] = d.in[k];
    if (!count) goto done;
    saros_type state = *saros_value_type(d.f);
    saros_value l = d.in[ins] = saros_input(d.graph, &state, "l");
    saros_vjp(1, &d.f, &l, count, by, gradient);
    for (int k = 0; k < count; ++k) gradient[k] = saros_instantiate(gradient[k], by[k]);
    result = end_to_end(count, gradient);
    status = saros_compile(d.graph, ins + 1, d.in, 1, &result,
                           &(saros_compile_options){.name = "pull-back"}, out);
done:
    saros_release(by);
    saros_draft_close(&d);
    return status;
}

/* ---- the call ---- */

void saros_rows_take(saros_rows *to, double t, saros_tensor *y) {
    const int64_t n = saros_tensor_count(y);
    if (t <= to->start) return;
    memcpy(to->next, saros_tensor_const_data(y), (size_t)n * sizeof *to->next);
    to->next += n;
}

saros_status saros_rows_state(double t, saros_tensor *y, int directions,
                              saros_tensor *const *tangent, void *rows) {
    (void)directions;
    (void)tangent;
    saros_rows_take(rows, t, y);
    return SAROS_OK;
}

saros_status saros_rows_tangent(double t, saros_tensor *y, int directions,
                                saros_tensor *const *tangent, void *rows) {
    (void)y;
    (void)directions;
    saros_rows_take(rows, t, tangent[0]);
    return SAROS_OK;
}

bool saros_stop_asked(double t, void *user) {
    (void)t;
    (void)user;
    return saros_stop_requested();
}

saros_tensor **saros_gradients_floating(int count, saros_tensor *const *gradient) {
    saros_tensor **of = saros_allocate((size_t)count * sizeof *of);
    if (!of) return NULL;
    for (int k = 0; k < count; ++k) {
        of[k] = saros_tensor_dtype(gradient[k]) == SAROS_F64 ? gradient[k] : NULL;
        if (!of[k]) /* of an index or a mask: nobody reads it, but it is to be defined */
            memset(saros_tensor_data(gradient[k]), 0,
                   (size_t)saros_tensor_count(gradient[k]) *
                       saros_dtype_bytes(saros_tensor_dtype(gradient[k])));
    }
    return of;
}
