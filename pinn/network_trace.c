/** Traced solutions of the network method: the trained weights are one node of the graph
 * (network_call.c); everything read from the solution is the network's own graph on these weights.
 *
 *  Integrals: Gauss-Legendre with four points on every fourth cell of a bounded axis, equal weights
 * on a periodic one.
 */
#include <string.h>

#include "saros/memory.h"
#include "sensitivity_impl.h"

typedef struct traced_state {
    saros_graph *graph;
    saros_ansatz ansatz;
    saros_value weights, number[64];
    int64_t cells[SAROS_AXES];
    saros_tensor *axis[SAROS_AXES]; /* nodes and times of the field */
} traced_state;

static void release_state(void *user) {
    traced_state *self = user;
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(self->axis[a]);
    saros_ansatz_clear(&self->ansatz);
    saros_release(self);
}

/** Output 0 of a body at flat points (points), as a value. */
static saros_value evaluate(const traced_state *self, const saros_body *body,
                            saros_tensor *const *coordinate) {
    const saros_ansatz *ansatz = &self->ansatz;
    saros_expansion expansion;
    saros_value x[SAROS_AXES], out[64];
    if (saros_body_outputs(body) > 64 || saros_expand(body, ansatz->unknowns, ansatz->coordinates,
                                                      ansatz->axes, &expansion) != SAROS_OK)
        return saros_poison(self->graph);
    for (int a = 0; a < ansatz->coordinates; ++a) x[a] = saros_constant(self->graph, coordinate[a]);
    out[0] = SAROS_NONE;
    saros_network_lower(ansatz, self->weights, x, self->number, 1, &expansion, out);
    saros_expansion_clear(&expansion);
    return saros_is_none(out[0]) ? saros_poison(self->graph) : out[0];
}

static void quadrature_axis(const traced_state *self, int a, int64_t *count, double *node,
                            double *weight) {
    static const double gauss[4] = {-0.861136311594052575, -0.339981043584856265,
                                    0.339981043584856265, 0.861136311594052575};
    static const double share[4] = {0.347854845137453857, 0.652145154862546143,
                                    0.652145154862546143, 0.347854845137453857};
    const double lo = self->ansatz.lo[a], length = self->ansatz.hi[a] - lo;
    const int64_t panels = self->ansatz.periodic[a] ? self->cells[a] : (self->cells[a] + 3) / 4;
    const double h = length / (double)panels;
    *count = self->ansatz.periodic[a] ? panels : 4 * panels;
    for (int64_t i = 0; node && i < *count; ++i) {
        const bool periodic = self->ansatz.periodic[a];
        node[i] =
            periodic ? lo + h * (double)i : lo + h * ((double)(i / 4) + 0.5 * (1 + gauss[i % 4]));
        weight[i] = periodic ? h : 0.5 * h * share[i % 4];
    }
}

/** Flat quadrature points over the domain at t, and their weights last. */
static saros_status quadrature(const traced_state *self, double t, saros_tensor **point) {
    saros_status status = SAROS_OK;
    const int axes = self->ansatz.axes, columns = self->ansatz.coordinates;
    int64_t count[3], points = 1, inner = 1;
    double *room = NULL;
    for (int a = 0; a < axes; ++a) {
        quadrature_axis(self, a, &count[a], NULL, NULL);
        points *= count[a];
    }
    for (int a = 0; a <= columns; ++a)
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &points, &point[a]));
    double *w = saros_tensor_data(point[columns]);
    for (int64_t i = 0; i < points; ++i) w[i] = 1;
    for (int a = 0; a < axes; ++a) {
        double *x = saros_tensor_data(point[a]);
        saros_release(room);
        room = saros_allocate(2 * (size_t)count[a] * sizeof *room);
        if (!room) SAROS_TRY(SAROS_ERR_MEMORY);
        quadrature_axis(self, a, &count[a], room, room + count[a]);
        for (int64_t i = 0; i < points; ++i) {
            x[i] = room[i / inner % count[a]];
            w[i] *= room[count[a] + i / inner % count[a]];
        }
        inner *= count[a];
    }
    if (columns > axes) {
        double *time = saros_tensor_data(point[axes]);
        for (int64_t i = 0; i < points; ++i) time[i] = t;
    }
done:
    saros_release(room);
    return status;
}

static saros_value traced_integral(saros_traced *solution, void *state, saros_body *expression,
                                   double t) {
    const traced_state *self = state;
    saros_tensor *point[SAROS_AXES + 1] = {NULL};
    saros_value sum;
    (void)solution;
    if (quadrature(self, t, point) == SAROS_OK) {
        const saros_value v = evaluate(self, expression, point);
        sum = saros_sum(saros_mul(saros_constant(self->graph, point[self->ansatz.coordinates]), v),
                        1);
    } else {
        sum = saros_poison(self->graph);
    }
    for (int a = 0; a <= SAROS_AXES; ++a) saros_tensor_release(point[a]);
    return sum;
}

/** u_k at flat points. */
static saros_value unknown_at(const traced_state *self, int k, saros_tensor *const *coordinate) {
    saros_value x[SAROS_AXES], unknown[16];
    for (int a = 0; a < self->ansatz.coordinates; ++a)
        x[a] = saros_constant(self->graph, coordinate[a]);
    saros_ansatz_apply(&self->ansatz, self->weights, x, self->number, unknown);
    return unknown[k];
}

static saros_value traced_at(saros_traced *solution, void *state, int unknown,
                             saros_tensor *const *coordinate) {
    (void)solution;
    return unknown_at(state, unknown, coordinate);
}

static saros_value traced_field(saros_traced *solution, void *state, int unknown) {
    const traced_state *self = state;
    const int axes = self->ansatz.coordinates;
    saros_tensor *point[SAROS_AXES] = {NULL};
    int64_t shape[SAROS_AXES];
    saros_value value;
    (void)solution;
    for (int a = 0; a < axes; ++a) shape[axes - 1 - a] = saros_tensor_count(self->axis[a]);
    if (saros_node_points(axes, self->axis, point) == SAROS_OK)
        value = saros_reshape(unknown_at(self, unknown, point), axes, shape);
    else
        value = saros_poison(self->graph);
    for (int a = 0; a < axes; ++a) saros_tensor_release(point[a]);
    return value;
}

static const saros_traced_class network_traced = {
    .integral = traced_integral, .at = traced_at, .field = traced_field, .release = release_state};

saros_status saros_pinn_trace(const saros_task *task, saros_graph *graph,
                              const saros_value *parameter, const saros_asked_times *asked,
                              const saros_traced_class **class_, void **state) {
    saros_status status = SAROS_OK;
    saros_tensor *number[64];
    const saros_parameter *list;
    const int parameters = saros_problem_parameters(task->problem, &list);
    int numbers = 0;
    (void)asked; /* a network is defined at all times */
    traced_state *self = saros_allocate_zero(1, sizeof *self);
    if (!self) return SAROS_ERR_MEMORY;
    self->graph = graph;
    saros_pinn_numbers(task, number);
    SAROS_TRY(saros_pinn_ansatz(task, number, &self->ansatz));
    SAROS_TRY(saros_sample_axes(task, task->options, &self->ansatz, self->axis));
    for (int a = 0; a < task->axes; ++a) self->cells[a] = saros_tensor_count(self->axis[a]);
    for (int k = 0; k < parameters; ++k)
        if (!list[k].function) self->number[numbers++] = parameter[k];
    SAROS_TRY(saros_pinn_call(task, number, graph, numbers, self->number, &self->weights));
    *class_ = &network_traced;
    *state = self;
    self = NULL;
done:
    if (self) release_state(self);
    return status;
}
