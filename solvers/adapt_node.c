/** Steps chosen inside a graph: a foreign call that runs saros_adapt with the numbers in force when
 * the function runs. saros_march replays what it found in the same run, so a gradient is that of
 * the numbers computed, and the choice itself takes no part in it. */
#include <string.h>

#include "root_impl.h"
#include "saros/adapt.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/region.h"
#include "saros/stop.h"

typedef struct node {
    const saros_integrator *integrator;
    saros_adapt_options options; /* max_steps: extent of `h` */
    saros_function *step;
} node;

static void node_release(void *user) {
    node *c = user;
    if (!c) return;
    saros_function_release(c->step);
    saros_release(c);
}

/* in: y0, times, what the step captures */
static saros_status node_type(void *user, int ins, const saros_type *in, int outs,
                              saros_type *out) {
    (void)ins;
    (void)outs;
    const node *c = user;
    const int64_t shape[2] = {in[1].shape[0] - 1, c->options.max_steps};
    out[0] = saros_type_make(SAROS_I64, 1, shape);
    out[1] = saros_type_make(SAROS_F64, 2, shape);
    return SAROS_OK;
}

static bool stop(double t, void *user) {
    (void)t;
    (void)user;
    return saros_stop_requested();
}

static saros_status node_apply(void *user, int ins, saros_tensor *const *in, int outs,
                               saros_tensor **out) {
    (void)outs;
    const node *c = user;
    const int64_t most = c->options.max_steps;
    saros_steps steps = {0};
    saros_status status =
        saros_adapt(c->step, c->integrator, ins - 2, in + 2, in[0], (int)saros_tensor_count(in[1]),
                    saros_tensor_const_data(in[1]), &c->options, NULL, stop, NULL, &steps, NULL);
    if (status == SAROS_OK) {
        int64_t *count = saros_tensor_data(out[0]);
        double *h = saros_tensor_data(out[1]);
        const double *from = steps.h;
        memset(h, 0, (size_t)saros_tensor_count(out[1]) * sizeof *h);
        for (int64_t j = 0; j < steps.intervals; from += count[j++], h += most) {
            count[j] = steps.count[j];
            memcpy(h, from, (size_t)count[j] * sizeof *h);
        }
    }
    saros_steps_clear(&steps);
    return status;
}

static const saros_call_class node_class = {
    .name = "adapt", .pure = true, .type = node_type, .apply = node_apply, .release = node_release};

/* ---- building ---- */

static saros_status check(const saros_march_spec *spec, const saros_adapt_options *options) {
    static const char *const where = "saros_adapt_steps";
    const saros_type times = *saros_value_type(spec->times), y = *saros_value_type(spec->y0);
    if (y.dtype != SAROS_F64 || y.rank != 1)
        return saros_fail(SAROS_ERR_TYPE, where, NULL, "y0 must be f64 of rank 1");
    if (times.dtype != SAROS_F64 || times.rank != 1 || times.shape[0] < 2)
        return saros_fail(SAROS_ERR_SHAPE, where, "the start and at least one output time",
                          "times must be f64 of rank 1, at least two");
    if (options->event || options->events)
        return saros_fail(SAROS_ERR_UNSUPPORTED, where, "saros_march_events",
                          "how many events there are is not known before the run");
    return SAROS_OK;
}

/* (t, h, y, captures…) -> (next, error) */
static saros_status trace_step(saros_graph *graph, const saros_march_spec *spec, saros_body **body,
                               saros_value **capture) {
    saros_graph *inner = saros_body_open(graph);
    const saros_type scalar = saros_type_scalar(SAROS_F64), state = *saros_value_type(spec->y0);
    saros_value out[2];
    if (!inner) return SAROS_ERR_MEMORY;
    saros_value t = saros_input(inner, &scalar, "t"), h = saros_input(inner, &scalar, "h");
    saros_march_spec one = *spec;
    one.y0 = saros_input(inner, &state, "y");
    saros_march_step(inner, &one, t, h, &out[0], &out[1]);
    saros_status status = saros_graph_status(inner);
    if (status == SAROS_OK) return saros_body_close(inner, 2, out, body, capture);
    saros_graph_release(inner);
    return status;
}

void saros_adapt_steps(saros_graph *graph, const saros_march_spec *spec,
                       const saros_adapt_options *options, saros_value *count, saros_value *h) {
    saros_status status = SAROS_OK;
    saros_body *body = NULL;
    saros_value *capture = NULL, *operand = NULL, out[2];
    node *c = NULL;
    int ins;
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(check(spec, options));
    SAROS_TRY(trace_step(graph, spec, &body, &capture));
    ins = 2 + saros_body_captures(body);
    operand = saros_values_make(ins);
    c = operand ? saros_allocate_zero(1, sizeof *c) : NULL;
    if (!c) SAROS_TRY(SAROS_ERR_MEMORY);
    c->integrator = spec->integrator;
    c->options = *options;
    c->options.max_steps = spec->bound;
    SAROS_TRY(saros_compile_body(body, &(saros_compile_options){.name = "step"}, &c->step));
    operand[0] = spec->y0;
    operand[1] = spec->times;
    for (int k = 2; k < ins; ++k) operand[k] = capture[k - 2];
    for (int k = 0; k < ins; ++k)
        if (saros_dtype_is_float(saros_value_dtype(operand[k])))
            operand[k] = saros_stop_gradient(operand[k]);
    saros_call(graph, &node_class, c, ins, operand, 2, out);
    c = NULL;
done:
    node_release(c);
    saros_body_release(body);
    saros_release(capture);
    saros_release(operand);
    *count = status ? saros_poison(graph) : out[0];
    *h = status ? *count : out[1];
}
