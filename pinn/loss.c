/** The loss and its gradient as one compiled function of all points.
 *
 *      L(w) = sum_terms weight sum_i q_i |r(x_i; w)|^2
 *
 *  The function holds ansatz, jets, residuals and the reverse sweep; weights, parameters and points
 * are its inputs. The compiler cuts it along the points of each term: it needs the memory of a few
 * blocks beside the points themselves, and its threads share them.
 *  Trained parameters follow the weights in the vector as theta, p = p(theta) free: start + s
 * theta, one bound: min + (start - min) e^theta, two: a logistic curve between them.
 */
#include <math.h>
#include <string.h>

#include "objective_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"

/* ---- trained parameters ---- */
static bool has_bounds(const saros_trained *p) {
    return p->min < p->max;
}

double saros_trained_value(const saros_trained *p, double theta) {
    const bool below = has_bounds(p) && isfinite(p->min), above = has_bounds(p) && isfinite(p->max);
    if (below && above) {
        const double ratio = (p->max - p->start) / (p->start - p->min);
        return p->min + (p->max - p->min) / (1 + ratio * exp(-theta));
    }
    if (below) return p->min + (p->start - p->min) * exp(theta);
    if (above) return p->max - (p->max - p->start) * exp(theta);
    return p->start + (p->start != 0 ? fabs(p->start) : 1) * theta;
}

/** The same in the graph. */
static saros_value trained_value(const saros_trained *p, saros_value theta) {
    const bool below = has_bounds(p) && isfinite(p->min), above = has_bounds(p) && isfinite(p->max);
    const saros_value one = saros_like(theta, 1);
    if (below && above) {
        const double ratio = (p->max - p->start) / (p->start - p->min);
        const saros_value low =
            saros_add(one, saros_mul(saros_like(theta, ratio), saros_exp(saros_neg(theta))));
        return saros_add(saros_like(theta, p->min),
                         saros_div(saros_like(theta, p->max - p->min), low));
    }
    if (below || above) {
        const double edge = below ? p->min : p->max;
        return saros_add(saros_like(theta, edge),
                         saros_mul(saros_like(theta, p->start - edge), saros_exp(theta)));
    }
    const double scale = p->start != 0 ? fabs(p->start) : 1;
    return saros_add(saros_like(theta, p->start), saros_mul(saros_like(theta, scale), theta));
}

/* ---- graph ---- */
static int columns_of(const saros_loss *loss, int term) {
    return loss->ansatz->coordinates + loss->terms->term[term].targets + 1;
}

static saros_value column(saros_value points, int64_t k) {
    const int64_t n = saros_value_type(points)->shape[0];
    return saros_reshape(saros_slice(points, 1, k, k + 1, 1), 1, &n);
}

/** Declares w and parameters; the next input is the one after them. */
static int declare(const saros_loss *loss, saros_graph *graph, saros_value *in,
                   saros_value *parameter) {
    const int numbers = loss->ansatz->parameters;
    const saros_type w = saros_type_make(loss->ansatz->dtype, 1, &loss->step.n);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    in[0] = saros_input(graph, &w, "weights");
    for (int k = 0; k < numbers; ++k) parameter[k] = in[1 + k] = saros_input(graph, &scalar, NULL);
    for (int k = 0; k < loss->trained; ++k) {
        const int64_t at = loss->step.n - loss->trained + k;
        const saros_value theta = saros_reshape(saros_slice(in[0], 0, at, at + 1, 1), 0, NULL);
        parameter[loss->parameter[k].parameter] =
            trained_value(&loss->parameter[k], saros_cast(theta, SAROS_F64));
    }
    return 1 + numbers;
}

static saros_value declare_points(saros_graph *graph, int64_t rows, int columns) {
    const saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){rows, columns});
    return saros_input(graph, &type, "points");
}

/** Squares of a term's residuals summed over its outputs: (rows). */
static saros_value squares(const saros_loss *loss, int term, saros_value w,
                           const saros_value *parameter, saros_value points) {
    const saros_term *t = &loss->terms->term[term];
    const int coordinates = loss->ansatz->coordinates;
    const int outputs = saros_body_outputs(t->expansion.body);
    saros_value x[SAROS_AXES], residual[64], sum = SAROS_NONE;
    for (int k = 0; k < coordinates; ++k) x[k] = column(points, k);
    saros_network_lower(loss->ansatz, w, x, parameter, 1, &t->expansion, residual);
    if (saros_graph_status(w.graph) != SAROS_OK) return saros_poison(w.graph);
    for (int k = 0; k < outputs; ++k) {
        saros_value r = residual[k];
        if (t->targets) r = saros_sub(r, column(points, coordinates + k));
        const saros_value square = saros_mul(r, r);
        sum = k ? saros_add(sum, square) : square;
    }
    return sum;
}

static saros_status compile_step(saros_loss *loss) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value in[1 + 64 + SAROS_MOST_TERMS], parameter[64], out[2];
    const int terms = loss->terms->count;
    SAROS_TRY(saros_graph_make(&graph));
    const int first = declare(loss, graph, in, parameter);
    out[0] = saros_scalar(graph, SAROS_F64, 0);
    for (int k = 0; k < terms; ++k) {
        const int columns = columns_of(loss, k);
        const saros_value points = declare_points(graph, loss->terms->term[k].count, columns);
        const saros_value q = column(points, columns - 1);
        in[first + k] = points;
        const saros_value sum =
            saros_sum(saros_mul(q, squares(loss, k, in[0], parameter, points)), 1);
        const saros_value term = saros_mul(saros_like(sum, loss->terms->term[k].weight), sum);
        out[0] = k ? saros_add(out[0], term) : term;
    }
    saros_vjp(1, &out[0], NULL, 1, &in[0], &out[1]);
    out[1] = saros_instantiate(out[1], in[0]);
    SAROS_TRY(saros_compile(graph, first + terms, in, 2, out,
                            &(saros_compile_options){.name = "training step"}, &loss->function));
done:
    saros_graph_release(graph);
    return status;
}

static saros_status compile_residual(saros_loss *loss) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value in[1 + 64 + 1], parameter[64];
    SAROS_TRY(saros_graph_make(&graph));
    const int first = declare(loss, graph, in, parameter);
    in[first] = declare_points(graph, SAROS_CANDIDATES * loss->terms->term[0].count,
                               loss->ansatz->coordinates);
    const saros_value size = saros_sqrt(squares(loss, 0, in[0], parameter, in[first]));
    SAROS_TRY(saros_compile(graph, first + 1, in, 1, &size,
                            &(saros_compile_options){.name = "residual"}, &loss->residual));
done:
    saros_graph_release(graph);
    return status;
}

/* ---- make and free ---- */
static saros_status make_tensors(saros_loss *loss, saros_tensor *const *number) {
    saros_status status = SAROS_OK;
    saros_function_objective *step = &loss->step;
    saros_tensor **points = &step->in[1 + loss->ansatz->parameters];
    SAROS_TRY(saros_tensor_make(loss->ansatz->dtype, 1, &step->n, &step->in[0]));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 0, NULL, &step->out[0]));
    SAROS_TRY(saros_tensor_make(loss->ansatz->dtype, 1, &step->n, &step->out[1]));
    for (int k = 0; k < loss->ansatz->parameters; ++k)
        step->in[1 + k] = saros_tensor_retain(number[k]);
    /* The equation's points may be drawn anew: they are our own. */
    SAROS_TRY(saros_tensor_cast(loss->terms->term[0].points, SAROS_F64, &points[0]));
    for (int k = 1; k < loss->terms->count; ++k)
        points[k] = saros_tensor_retain(loss->terms->term[k].points);
done:
    return status;
}

saros_status saros_loss_make(const saros_ansatz *ansatz, const saros_terms *terms,
                             const saros_pinn_options *options, saros_tensor *const *number,
                             int trained, const saros_trained *parameter, saros_loss *out) {
    saros_status status = SAROS_OK;
    saros_loss made = {.ansatz = ansatz,
                       .terms = terms,
                       .options = options,
                       .trained = trained,
                       .parameter = parameter};
    if (ansatz->parameters > 62 - SAROS_MOST_TERMS)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "%d parameters, at most %d", ansatz->parameters, 62 - SAROS_MOST_TERMS);
    made.step.n = saros_network_size(&ansatz->network) + trained;
    SAROS_TRY(make_tensors(&made, number));
    SAROS_TRY(compile_step(&made));
    made.step.function = made.function;
    if (options->resample >= 0) SAROS_TRY(compile_residual(&made));
    *out = made;
    return SAROS_OK;
done:
    saros_loss_clear(&made);
    return status;
}

void saros_loss_clear(saros_loss *loss) {
    saros_function_release(loss->function);
    saros_function_release(loss->residual);
    for (int k = 0; k < 64; ++k) saros_tensor_release(loss->step.in[k]);
    for (int k = 0; k < 2; ++k) saros_tensor_release(loss->step.out[k]);
    *loss = (saros_loss){0};
}

/* ---- objective ---- */
static saros_status evaluate(void *user, const double *w, double *value, double *gradient) {
    saros_loss *loss = user;
    return saros_function_evaluate(&loss->step, w, value, gradient);
}

static saros_status renew(void *user, int64_t iteration, const double *w, bool *changed) {
    saros_loss *loss = user;
    const int64_t every = loss->options->resample ? loss->options->resample : 250;
    *changed = loss->residual && iteration - loss->renewed >= every;
    if (!*changed) return SAROS_OK;
    loss->renewed = iteration;
    const saros_status status = saros_function_weights(&loss->step, w);
    return status == SAROS_OK ? saros_loss_resample(loss, iteration) : status;
}

saros_objective saros_loss_objective(saros_loss *loss) {
    return (saros_objective){.n = loss->step.n, .evaluate = evaluate, .renew = renew, .user = loss};
}
