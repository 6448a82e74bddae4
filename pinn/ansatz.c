/** The ansatz: unknowns as one network inside conditions that hold exactly.
 *
 *      u_k(x, t) = A_k(x, t) + D_k(x, t) N_k(features(x, t))
 *
 *  Features: each bounded axis scaled to [-1, 1]; a periodic axis becomes cos and sin of
 * 2 pi (x - lo)/L, so u is exactly periodic and smooth. D_k vanishes where a condition holds
 * exactly: the product of tau = (t - start)/(end - start) for the initial value and of 4 xi (1 -
 * xi), xi or 1 - xi per axis with xi = (x - lo)/L, for faces with a given value. A_k takes the
 * given values there by transfinite interpolation (Gordon and Hall 1973): from the initial value
 * (or zero), axis by axis
 *
 *      A <- A + (1 - xi) (g_lo - A at lo) + xi (g_hi - A at hi).
 *
 *  Axis after axis this keeps what was met before if the data agree where conditions meet; where
 * they do not, hard.c drops conditions, which then become terms of the loss. Coordinates, A and D
 * are f64; the network computes in the dtype of its weights.
 */
#include <math.h>
#include <string.h>

#include "ansatz_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"

static saros_status read_parameters(const saros_task *task, int *count) {
    const saros_parameter *parameter;
    const int parameters = saros_problem_parameters(task->problem, &parameter);
    *count = 0;
    for (int k = 0; k < parameters; ++k) {
        if (parameter[k].function) continue; /* traced into the bodies */
        if (parameter[k].field || (task->parameter[k] && saros_tensor_rank(task->parameter[k]) > 0))
            return saros_fail(SAROS_ERR_UNSUPPORTED, "network method",
                              "give the parameter as a function of the coordinates",
                              "parameter \"%s\" is a field of grid nodes; the network method has "
                              "no nodes: not in this build",
                              parameter[k].name);
        ++*count;
    }
    return SAROS_OK;
}

/** Whether the value of a condition can be taken exactly: it must not read the unknowns. */
static bool is_given(const saros_body *value, int unknowns) {
    saros_value unknown[16], output = saros_body_output(value, 0);
    bool depends[16];
    if (unknowns > 16) return false;
    for (int k = 0; k < unknowns; ++k) unknown[k] = saros_body_input(value, k);
    saros_depends(1, &output, unknowns, unknown, depends);
    for (int k = 0; k < unknowns; ++k)
        if (depends[k]) return false;
    return true;
}

static void read_conditions(saros_ansatz *ansatz, bool hard) {
    for (int axis = 0; axis < ansatz->axes; ++axis)
        for (int side = 0; side < 2; ++side)
            for (int k = 0; k < ansatz->unknowns; ++k) {
                saros_body *value = NULL;
                double a, b;
                const saros_condition_kind kind =
                    saros_problem_condition(ansatz->problem, axis, side, k, &value, &a, &b);
                if (kind == SAROS_PERIODIC) ansatz->periodic[axis] = true;
                ansatz->hard[k].face[axis][side] =
                    hard && kind == SAROS_DIRICHLET && is_given(value, ansatz->unknowns);
            }
    for (int k = 0; k < ansatz->unknowns; ++k)
        ansatz->hard[k].initial = hard && ansatz->coordinates > ansatz->axes;
}

saros_status saros_ansatz_make(const saros_task *task, const saros_network_options *options,
                               saros_dtype dtype, bool hard, saros_ansatz *out) {
    saros_status status = SAROS_OK;
    saros_ansatz made = {.dtype = dtype, .axes = task->axes};
    made.coordinates = task->axes + (task->transient ? 1 : 0);
    made.unknowns = saros_problem_unknowns(task->problem, NULL);
    made.problem = saros_problem_retain(task->problem);
    for (int k = 0; k < task->axes; ++k) {
        made.lo[k] = task->axis[k].lo;
        made.hi[k] = task->axis[k].hi;
    }
    if (task->transient) {
        made.lo[task->axes] = task->start;
        made.hi[task->axes] = task->end;
    }
    SAROS_TRY(read_parameters(task, &made.parameters));
    made.hard = saros_allocate_zero((size_t)made.unknowns, sizeof *made.hard);
    if (!made.hard) SAROS_TRY(SAROS_ERR_MEMORY);
    read_conditions(&made, hard);
    saros_network_options sized = *options;
    sized.inputs = made.coordinates;
    sized.outputs = made.unknowns;
    for (int k = 0; k < made.axes; ++k) sized.inputs += made.periodic[k];
    SAROS_TRY(saros_network_make(&sized, &made.network));
    *out = made;
    return SAROS_OK;
done:
    saros_ansatz_clear(&made);
    return status;
}

void saros_ansatz_clear(saros_ansatz *ansatz) {
    saros_problem_release(ansatz->problem);
    saros_release(ansatz->hard);
    *ansatz = (saros_ansatz){0};
}

/** scale (c - from): exact where scale is 1 or from is 0. */
static saros_value affine(saros_value c, double from, double scale) {
    return saros_mul(saros_sub(c, saros_like(c, from)), saros_like(c, scale));
}

/** xi in [0, 1] of a coordinate. */
static saros_value unit(const saros_ansatz *ansatz, int axis, saros_value c) {
    return affine(c, ansatz->lo[axis], 1 / (ansatz->hi[axis] - ansatz->lo[axis]));
}

static saros_value features(const saros_ansatz *ansatz, const saros_value *coordinate) {
    const double pi = acos(-1.0);
    saros_value column[2 * SAROS_AXES];
    int count = 0;
    for (int k = 0; k < ansatz->coordinates; ++k) {
        const double lo = ansatz->lo[k], length = ansatz->hi[k] - lo;
        if (ansatz->periodic[k]) {
            const saros_value phase = affine(coordinate[k], lo, 2 * pi / length);
            column[count++] = saros_cos(phase);
            column[count++] = saros_sin(phase);
        } else {
            column[count++] = affine(coordinate[k], lo + 0.5 * length, 2 / length);
        }
    }
    return saros_cast(saros_stack(count, column, 1), ansatz->dtype);
}

void saros_ansatz_values(const saros_ansatz *ansatz, const saros_body *body,
                         const saros_value *coordinate, const saros_value *parameter,
                         saros_value *out) {
    const int inputs = saros_body_inputs(body), first = ansatz->unknowns;
    const int last = first + ansatz->coordinates;
    saros_graph *graph = coordinate[0].graph;
    saros_value in[64];
    bool batched[64];
    if (inputs > 64) {
        (void)saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                         "%d unknowns, coordinates and parameters, at most 64", inputs);
        out[0] = saros_poison(graph);
        return;
    }
    for (int k = 0; k < inputs; ++k) {
        batched[k] = k >= first && k < last;
        in[k] = k < first  ? saros_scalar(graph, SAROS_F64, 0)
                : k < last ? coordinate[k - first]
                           : parameter[k - last];
    }
    saros_vmap(graph, body, saros_value_type(coordinate[0])->shape[0], in, batched, out);
}

/** a + scale b with SAROS_NONE as zero. */
static saros_value add_scaled(saros_value a, saros_value scale, saros_value b) {
    double constant;
    if (saros_is_none(b) || (saros_value_is_splat(b, &constant) && constant == 0)) return a;
    const saros_value term = saros_mul(scale, b);
    return saros_is_none(a) ? term : saros_add(a, term);
}

static saros_value minus(saros_value a, saros_value b) {
    return saros_is_none(b) ? a : saros_sub(a, b);
}

/** A_k after the first `axes` axes. */
static saros_value lift(const saros_ansatz *ansatz, int k, int axes, const saros_value *coordinate,
                        const saros_value *parameter) {
    const saros_hard *hard = &ansatz->hard[k];
    if (axes == 0) {
        saros_value start[16];
        if (!hard->initial) return SAROS_NONE;
        saros_ansatz_values(ansatz, saros_problem_initial(ansatz->problem), coordinate, parameter,
                            start);
        return start[k];
    }
    const int axis = axes - 1;
    saros_value a = lift(ansatz, k, axis, coordinate, parameter);
    const saros_value xi = unit(ansatz, axis, coordinate[axis]), one = saros_like(xi, 1);
    saros_value sum = a, at[SAROS_AXES];
    memcpy(at, coordinate, (size_t)ansatz->coordinates * sizeof *at);
    for (int side = 0; side < 2; ++side) {
        if (!hard->face[axis][side]) continue;
        saros_body *body = NULL;
        saros_value given;
        double ca, cb;
        (void)saros_problem_condition(ansatz->problem, axis, side, k, &body, &ca, &cb);
        at[axis] =
            saros_splat(xi.graph, saros_value_type(xi), side ? ansatz->hi[axis] : ansatz->lo[axis]);
        saros_ansatz_values(ansatz, body, at, parameter, &given);
        const saros_value gap = minus(given, lift(ansatz, k, axis, at, parameter));
        const bool both = hard->face[axis][!side];
        sum = add_scaled(sum, !both ? one : side ? xi : saros_sub(one, xi), gap);
    }
    return sum;
}

saros_value saros_ansatz_lift(const saros_ansatz *ansatz, int k, const saros_value *coordinate,
                              const saros_value *parameter) {
    return lift(ansatz, k, ansatz->axes, coordinate, parameter);
}

/** D_k n. */
static saros_value masked(const saros_ansatz *ansatz, int k, const saros_value *coordinate,
                          saros_value n) {
    const saros_hard *hard = &ansatz->hard[k];
    saros_value d = SAROS_NONE;
    for (int axis = 0; axis < ansatz->axes; ++axis) {
        const saros_value xi = unit(ansatz, axis, coordinate[axis]), one = saros_like(xi, 1);
        const bool lo = hard->face[axis][0], hi = hard->face[axis][1];
        saros_value factor = lo ? xi : saros_sub(one, xi);
        if (!lo && !hi) continue;
        if (lo && hi) factor = saros_mul(saros_like(xi, 4), saros_mul(xi, saros_sub(one, xi)));
        d = saros_is_none(d) ? factor : saros_mul(d, factor);
    }
    if (hard->initial) {
        const saros_value tau = unit(ansatz, ansatz->axes, coordinate[ansatz->axes]);
        d = saros_is_none(d) ? tau : saros_mul(d, tau);
    }
    return saros_is_none(d) ? n : saros_mul(d, n);
}

void saros_ansatz_apply(const saros_ansatz *ansatz, saros_value weights,
                        const saros_value *coordinate, const saros_value *parameter,
                        saros_value *unknown) {
    const saros_value y =
        saros_network_apply(&ansatz->network, weights, features(ansatz, coordinate));
    const int64_t n = saros_value_type(coordinate[0])->shape[0];
    for (int k = 0; k < ansatz->unknowns; ++k) {
        const saros_value column = saros_reshape(saros_slice(y, 1, k, k + 1, 1), 1, &n);
        const saros_value inside = masked(ansatz, k, coordinate, saros_cast(column, SAROS_F64));
        const saros_value a = saros_ansatz_lift(ansatz, k, coordinate, parameter);
        unknown[k] = saros_is_none(a) ? inside : saros_add(a, inside);
    }
}
