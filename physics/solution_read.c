/** Reading a solution anywhere: at, evaluate, integral, error. */
#include <math.h>

#include "saros/memory.h"
#include "solution_impl.h"

/* ---- evaluation ---- */

static saros_status identity(saros_point *s, void *user, saros_value *out) {
    (void)user;
    for (int k = 0; k < s->problem->unknowns; ++k) out[k] = s->input[k];
    return SAROS_OK;
}

saros_status saros_identity_body(const saros_problem *problem, saros_body **out) {
    saros_trace trace = {problem, "at", -1, 0, identity, NULL, problem->unknowns, "the unknowns"};
    return saros_point_trace(&trace, out);
}

saros_status saros_solution_values(saros_solution *solution, saros_body *expression,
                                   saros_tensor *const *coordinate, saros_tensor **value) {
    int64_t points =
        solution->axes + solution->transient > 0 ? saros_tensor_count(coordinate[0]) : 1;
    return solution->class_->evaluate(solution, solution->state, expression, (int)points,
                                      coordinate, value);
}

static double first_time(const saros_solution *s) {
    return s->transient ? ((const double *)saros_tensor_const_data(s->time))[0] : 0;
}
static double last_time(const saros_solution *s) {
    if (!s->transient) return 0;
    return ((const double *)saros_tensor_const_data(s->time))[saros_tensor_count(s->time) - 1];
}

/** Outputs of a body at any coordinates, in the shape they broadcast to. */
static saros_status evaluate_body(saros_solution *solution, saros_body *body,
                                  saros_tensor *const *coordinate, saros_tensor **value) {
    saros_status status = SAROS_OK;
    saros_tensor *flat[SAROS_AXES] = {NULL};
    saros_type shape;
    int outputs = saros_body_outputs(body), made = 0;
    saros_tensor **values = saros_allocate_zero((size_t)(2 * outputs), sizeof *values);
    if (!values) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_points_flatten(solution->problem, solution->axis, first_time(solution),
                                   last_time(solution), coordinate, &shape, flat));
    SAROS_TRY(saros_solution_values(solution, body, flat, values));
    for (; made < outputs; ++made)
        SAROS_TRY(saros_tensor_view(values[made], shape.rank, shape.shape, NULL, 0,
                                    &values[outputs + made]));
    for (int k = 0; k < outputs; ++k) value[k] = values[outputs + k];
    made = 0;
done:
    for (int k = 0; k < made; ++k) saros_tensor_release(values[outputs + k]);
    for (int k = 0; k < outputs; ++k) saros_tensor_release(values[k]);
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(flat[a]);
    saros_release(values);
    return status;
}

saros_status saros_solution_at(saros_solution *solution, saros_tensor *const *coordinate,
                               saros_tensor **value) {
    saros_body *body = NULL;
    saros_status status = saros_identity_body(solution->problem, &body);
    if (status == SAROS_OK) status = evaluate_body(solution, body, coordinate, value);
    saros_body_release(body);
    return status;
}

static saros_status trace_expression(const saros_problem *problem, saros_point_fn expression,
                                     void *user, int outputs, saros_body **out) {
    saros_trace trace = {problem,    "evaluate", -1,      0,
                         expression, user,       outputs, "one value per output"};
    return saros_point_trace(&trace, out);
}

saros_status saros_solution_evaluate(saros_solution *solution, saros_point_fn expression,
                                     void *user, int outputs, saros_tensor *const *coordinate,
                                     saros_tensor **value) {
    saros_body *body = NULL;
    saros_status status = trace_expression(solution->problem, expression, user, outputs, &body);
    if (status == SAROS_OK) status = evaluate_body(solution, body, coordinate, value);
    saros_body_release(body);
    return status;
}

/* ---- integrals ---- */

/** Weights of a solution's nodes. */
static saros_status node_weights(const saros_solution *s, saros_tensor **out) {
    int64_t nodes[3];
    bool periodic[3];
    double h[3];
    for (int a = 0; a < s->axes; ++a) {
        nodes[a] = saros_tensor_count(s->node[a]);
        periodic[a] =
            saros_problem_condition(s->problem, a, 0, 0, NULL, NULL, NULL) == SAROS_PERIODIC;
        int64_t cells = periodic[a] ? nodes[a] : nodes[a] - 1;
        h[a] = (s->axis[a].hi - s->axis[a].lo) / (double)(cells ? cells : 1);
    }
    return saros_quadrature_product(s->axes, nodes, periodic, h, out);
}

static saros_status check_time(const saros_solution *s, double *t) {
    if (!s->transient) return SAROS_OK;
    double first = first_time(s), last = last_time(s), slack = 1e-10 * (fabs(first) + fabs(last));
    if (isnan(*t)) *t = last;
    if (*t >= first - slack && *t <= last + slack) return SAROS_OK;
    return saros_fail(SAROS_ERR_DOMAIN, "solution", NULL, "t = %g lies outside [%g, %g]", *t, first,
                      last);
}

static saros_status integrate(saros_solution *s, saros_body *body, double t, double *out) {
    saros_status status = SAROS_OK;
    saros_tensor *point[SAROS_AXES] = {NULL}, *weight = NULL, *value = NULL;
    SAROS_TRY(node_weights(s, &weight));
    SAROS_TRY(saros_solution_points(s, 1, &t, point));
    SAROS_TRY(saros_solution_values(s, body, point, &value));
    const double *w = saros_tensor_const_data(weight), *v = saros_tensor_const_data(value);
    double sum = 0;
    for (int64_t i = 0; i < saros_tensor_count(weight); ++i) sum += w[i] * v[i];
    *out = sum;
done:
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(point[a]);
    saros_tensor_release(weight);
    saros_tensor_release(value);
    return status;
}

saros_status saros_solution_integral(saros_solution *solution, saros_point_fn expression,
                                     void *user, double t, double *out) {
    saros_body *body = NULL;
    saros_status status = check_time(solution, &t);
    if (status == SAROS_OK)
        status = trace_expression(solution->problem, expression, user, 1, &body);
    if (status == SAROS_OK && solution->class_->integral)
        status = solution->class_->integral(solution, solution->state, body, t, out);
    else if (status == SAROS_OK)
        status = integrate(solution, body, t, out);
    saros_body_release(body);
    return status;
}

/* ---- errors ---- */

/** |a - b| / |b| of each unknown over weighted points; weights repeat every `nodes`. */
static saros_status compare(const saros_problem *p, int64_t points, const saros_tensor *weight,
                            saros_tensor *const *a, saros_tensor *const *b, double *out) {
    const double *w = saros_tensor_const_data(weight);
    int64_t nodes = saros_tensor_count(weight);
    for (int k = 0; k < p->unknowns; ++k) {
        const double *x = saros_tensor_const_data(a[k]), *y = saros_tensor_const_data(b[k]);
        double difference = 0, size = 0;
        for (int64_t i = 0; i < points; ++i) {
            double d = x[i] - y[i];
            difference += w[i % nodes] * d * d;
            size += w[i % nodes] * y[i] * y[i];
        }
        if (size == 0)
            return saros_fail(SAROS_ERR_DOMAIN, "error", "compare at a time where it is not",
                              "the reference of %s is zero, so the relative error has no value",
                              p->unknown[k]);
        out[k] = sqrt(difference / size);
    }
    return SAROS_OK;
}

static saros_status error_of(saros_solution *s, saros_solution *other, saros_body *reference,
                             double t, double *out) {
    saros_status status = SAROS_OK;
    int unknowns = s->problem->unknowns, times = 1;
    const double *time = &t;
    saros_tensor *point[SAROS_AXES] = {NULL}, *weight = NULL;
    saros_body *own = NULL;
    saros_tensor **value = saros_allocate_zero((size_t)(2 * unknowns), sizeof *value);
    if (!value) return SAROS_ERR_MEMORY;
    if (s->transient && isnan(t)) {
        times = (int)saros_tensor_count(s->time);
        time = saros_tensor_const_data(s->time);
    } else {
        SAROS_TRY(check_time(s, &t));
    }
    SAROS_TRY(node_weights(s, &weight));
    SAROS_TRY(saros_solution_points(s, times, time, point));
    SAROS_TRY(saros_identity_body(s->problem, &own));
    SAROS_TRY(saros_solution_values(s, own, point, value));
    if (reference)
        SAROS_TRY(saros_solution_values(s, reference, point, value + unknowns));
    else
        SAROS_TRY(saros_solution_at(other, point, value + unknowns));
    SAROS_TRY(compare(s->problem, saros_tensor_count(weight) * times, weight, value,
                      value + unknowns, out));
done:
    for (int k = 0; k < 2 * unknowns; ++k) saros_tensor_release(value[k]);
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(point[a]);
    saros_tensor_release(weight);
    saros_body_release(own);
    saros_release(value);
    return status;
}

saros_status saros_solution_error(saros_solution *solution, saros_solution *reference, double t,
                                  double *out) {
    const saros_problem *a = solution->problem, *b = reference->problem;
    bool same = a->unknowns == b->unknowns && a->axes == b->axes && a->transient == b->transient;
    if (!same)
        return saros_fail(SAROS_ERR_USAGE, "error", "compare solutions of one problem",
                          "%s and %s have different unknowns or axes", a->name, b->name);
    return error_of(solution, reference, NULL, t, out);
}

saros_status saros_solution_error_against(saros_solution *solution, saros_point_fn reference,
                                          void *user, double t, double *out) {
    saros_body *body = NULL;
    saros_status status =
        trace_expression(solution->problem, reference, user, solution->problem->unknowns, &body);
    if (status == SAROS_OK) status = error_of(solution, NULL, body, t, out);
    saros_body_release(body);
    return status;
}
