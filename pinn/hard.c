/** Which conditions hold exactly.
 *
 *  The interpolant A of the ansatz meets all given values only if they agree where they meet (the
 * initial value at a face, two faces at an edge). Whether they do is measured: A minus the given
 * value on points of every face and of the start; conditions that A misses are dropped, until those
 * left are met. What is dropped becomes a term of the loss.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ansatz_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/pinn.h"

enum { PROBES = 64, MOST_CONDITIONS = 16 * 7 };

/** A condition to check, by the flag that turns it on. */
typedef struct probe {
    bool *flag;
    int unknown, fixed; /* coordinate held */
    int side;           /* of the face, -1: the start */
} probe;

static int list_probes(const saros_ansatz *ansatz, probe *list) {
    int count = 0;
    for (int k = 0; k < ansatz->unknowns; ++k) {
        saros_hard *hard = &ansatz->hard[k];
        if (hard->initial) list[count++] = (probe){&hard->initial, k, ansatz->axes, -1};
        for (int axis = 0; axis < ansatz->axes; ++axis)
            for (int side = 0; side < 2; ++side)
                if (hard->face[axis][side])
                    list[count++] = (probe){&hard->face[axis][side], k, axis, side};
    }
    return count;
}

/** Given value and A minus it on the condition's face. */
static void build_probe(const saros_ansatz *ansatz, const probe *p, const saros_value *column,
                        const saros_value *parameter, saros_value *given, saros_value *gap) {
    saros_value at[SAROS_AXES], value[16];
    memcpy(at, column, (size_t)ansatz->coordinates * sizeof *at);
    const double edge = p->side == 1 ? ansatz->hi[p->fixed] : ansatz->lo[p->fixed];
    at[p->fixed] = saros_splat(column[0].graph, saros_value_type(column[0]), edge);
    saros_body *body = saros_problem_initial(ansatz->problem);
    if (p->side >= 0) {
        double a, b;
        (void)saros_problem_condition(ansatz->problem, p->fixed, p->side, p->unknown, &body, &a,
                                      &b);
    }
    saros_ansatz_values(ansatz, body, at, parameter, value);
    *given = value[p->side >= 0 ? 0 : p->unknown];
    const saros_value a = saros_ansatz_lift(ansatz, p->unknown, at, parameter);
    *gap = saros_is_none(a) ? saros_neg(*given) : saros_sub(a, *given);
}

static double largest(const saros_tensor *tensor) {
    const double *x = saros_tensor_const_data(tensor);
    double found = 0;
    for (int i = 0; i < PROBES; ++i) found = isfinite(x[i]) ? fmax(found, fabs(x[i])) : INFINITY;
    return found;
}

/** Points (PROBES, coordinates) spread over the domain. */
static saros_status probe_points(const saros_ansatz *ansatz, saros_tensor **out) {
    const int d = ansatz->coordinates;
    const saros_status status = saros_sample("sobol", 0, PROBES, d, out);
    if (status != SAROS_OK) return status;
    double *x = saros_tensor_data(*out);
    for (int i = 0; i < PROBES * d; ++i)
        x[i] = ansatz->lo[i % d] + (ansatz->hi[i % d] - ansatz->lo[i % d]) * x[i];
    return SAROS_OK;
}

/** Compiles and runs all probes: out[2 k] given values, out[2 k + 1] gaps. */
static saros_status run_probes(const saros_ansatz *ansatz, int count, const probe *list,
                               saros_tensor *const *parameter, saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    saros_tensor *in[65] = {NULL};
    saros_value input[65], column[SAROS_AXES], value[2 * MOST_CONDITIONS];
    const int64_t n = PROBES;
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    SAROS_TRY(probe_points(ansatz, &in[0]));
    SAROS_TRY(saros_graph_make(&graph));
    const saros_type type = saros_tensor_type(in[0]);
    input[0] = saros_input(graph, &type, "points");
    for (int k = 0; k < ansatz->coordinates; ++k)
        column[k] = saros_reshape(saros_slice(input[0], 1, k, k + 1, 1), 1, &n);
    for (int k = 0; k < ansatz->parameters; ++k) {
        input[k + 1] = saros_input(graph, &scalar, NULL);
        in[k + 1] = parameter[k];
    }
    for (int k = 0; k < count; ++k)
        build_probe(ansatz, &list[k], column, &input[1], &value[2 * k], &value[2 * k + 1]);
    SAROS_TRY(
        saros_compile(graph, 1 + ansatz->parameters, input, 2 * count, value, NULL, &function));
    SAROS_TRY(saros_function_call(function, in, out, NULL));
done:
    saros_function_release(function);
    saros_graph_release(graph);
    saros_tensor_release(in[0]);
    return status;
}

saros_status saros_ansatz_settle(saros_ansatz *ansatz, saros_tensor *const *parameter) {
    probe list[MOST_CONDITIONS];
    bool dropped = true;
    while (dropped) {
        saros_tensor *out[2 * MOST_CONDITIONS] = {NULL};
        const int count = list_probes(ansatz, list);
        dropped = false;
        if (count == 0) return SAROS_OK;
        const saros_status status = run_probes(ansatz, count, list, parameter, out);
        if (status != SAROS_OK) return status;
        for (int k = 0; k < count; ++k) {
            if (!(largest(out[2 * k + 1]) <= 1e-9 * (1 + largest(out[2 * k])))) {
                *list[k].flag = false;
                dropped = true;
            }
            saros_tensor_release(out[2 * k]);
            saros_tensor_release(out[2 * k + 1]);
        }
    }
    return SAROS_OK;
}

void saros_ansatz_describe(const saros_ansatz *ansatz, char *text, size_t bytes) {
    const char *const *names;
    const saros_axis *axes;
    size_t used = 0;
    (void)saros_problem_unknowns(ansatz->problem, &names);
    (void)saros_problem_space_axes(ansatz->problem, &axes);
    text[0] = '\0';
    for (int k = 0; k < ansatz->unknowns; ++k) {
        char line[120];
        size_t end = 0;
        const saros_hard *hard = &ansatz->hard[k];
        if (hard->initial) end += (size_t)snprintf(line, sizeof line, " initial");
        for (int face = 0; face < 2 * ansatz->axes && end < sizeof line; ++face)
            if (hard->face[face / 2][face % 2])
                end += (size_t)snprintf(line + end, sizeof line - end, " %s.%s",
                                        axes[face / 2].name, face % 2 ? "hi" : "lo");
        if (end && used < bytes)
            used += (size_t)snprintf(text + used, bytes - used, "%s%s:%s", used ? "; " : "",
                                     names[k], line);
    }
    if (!used) (void)snprintf(text, bytes, "none");
}
