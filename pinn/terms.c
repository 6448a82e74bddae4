/** The terms of the loss: the equation inside, conditions on faces and at the start that the ansatz
 * does not meet exactly, data.
 *
 *  Every term is a physics body whose outputs are residuals, so that one mechanism lowers them all:
 * a condition becomes u - v, n.grad u - v, a u + b n.grad u - v, written with the marker of the
 * physics graph. Points carry a quadrature weight (1/count: the loss is a mean square) beside their
 * coordinates.
 */
#include <string.h>

#include "saros/memory.h"
#include "saros/region.h"
#include "terms_impl.h"

/* ---- bodies ---- */
/** A graph with the inputs of the equation. */
static saros_status open_inputs(const saros_body *like, saros_graph **outer, saros_graph **inner,
                                saros_value *input) {
    saros_status status = SAROS_OK;
    const int inputs = saros_body_inputs(like);
    if (inputs > 64)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "%d unknowns, coordinates and parameters, at most 64", inputs);
    SAROS_TRY(saros_graph_make(outer));
    *inner = saros_body_open(*outer);
    if (!*inner) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < inputs; ++k) {
        const saros_type type = *saros_value_type(saros_body_input(like, k));
        input[k] = saros_input(*inner, &type, saros_value_name(saros_body_input(like, k)));
    }
done:
    return status;
}

/** Closes the graph and expands what was built in it into `out`. */
static saros_status close_expanded(const saros_ansatz *ansatz, saros_graph *inner, int outputs,
                                   const saros_value *output, saros_expansion *out) {
    saros_body *body = NULL;
    saros_status status = saros_body_close(inner, outputs, output, &body, NULL);
    if (status == SAROS_OK)
        status = saros_expand(body, ansatz->unknowns, ansatz->coordinates, ansatz->axes, out);
    saros_body_release(body);
    return status;
}

/** Residual of the condition of unknown `k` on a face; SAROS_NONE if there is none to weigh. */
static saros_status face_residual(const saros_ansatz *ansatz, int axis, int side, int k,
                                  saros_graph *graph, const saros_value *input, saros_value *out) {
    saros_body *body = NULL;
    double a = 0, b = 0;
    saros_value v;
    const saros_condition_kind kind =
        saros_problem_condition(ansatz->problem, axis, side, k, &body, &a, &b);
    *out = SAROS_NONE;
    if (ansatz->hard[k].face[axis][side] || !body || kind == SAROS_PERIODIC || kind == SAROS_FREE)
        return SAROS_OK;
    if (kind == SAROS_FLUX)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method",
                          "give the flux as a residual in u and its derivatives",
                          "a flux condition for a network is not in this build");
    saros_inline(graph, body, input, &v);
    if (kind == SAROS_RESIDUAL) {
        *out = v;
        return SAROS_OK;
    }
    const int64_t word = axis;
    const saros_value slope = saros_build(
        graph, &saros_row_derivative, &(saros_attributes){.word = &word, .words = 1}, 1, &input[k]);
    const saros_value normal = side ? slope : saros_neg(slope);
    saros_value left = input[k];
    if (kind == SAROS_NEUMANN) left = normal;
    if (kind == SAROS_ROBIN)
        left =
            saros_add(saros_mul(saros_like(left, a), left), saros_mul(saros_like(left, b), normal));
    *out = saros_sub(left, v);
    return SAROS_OK;
}

static saros_status face_expansion(const saros_ansatz *ansatz, int axis, int side,
                                   saros_expansion *out) {
    saros_status status = SAROS_OK;
    saros_graph *outer = NULL, *inner = NULL;
    saros_value input[64], residual[16];
    int count = 0;
    SAROS_TRY(open_inputs(saros_problem_equation(ansatz->problem), &outer, &inner, input));
    for (int k = 0; k < ansatz->unknowns; ++k) {
        SAROS_TRY(face_residual(ansatz, axis, side, k, inner, input, &residual[count]));
        if (!saros_is_none(residual[count])) ++count;
    }
    if (count) {
        saros_graph *closing = inner;
        inner = NULL;
        SAROS_TRY(close_expanded(ansatz, closing, count, residual, out));
    }
done:
    saros_graph_release(inner);
    saros_graph_release(outer);
    return status;
}

/** u_k of the unknowns listed, or u_k - u0_k. */
static saros_status unknown_expansion(const saros_ansatz *ansatz, bool minus_start, int count,
                                      const int *unknown, saros_expansion *out) {
    saros_status status = SAROS_OK;
    saros_graph *outer = NULL, *inner = NULL;
    saros_value input[64], start[16], residual[16];
    SAROS_TRY(open_inputs(saros_problem_equation(ansatz->problem), &outer, &inner, input));
    if (minus_start) saros_inline(inner, saros_problem_initial(ansatz->problem), input, start);
    for (int k = 0; k < count; ++k) {
        residual[k] = input[unknown[k]];
        if (minus_start) residual[k] = saros_sub(residual[k], start[unknown[k]]);
    }
    saros_graph *closing = inner;
    inner = NULL;
    SAROS_TRY(close_expanded(ansatz, closing, count, residual, out));
done:
    saros_graph_release(inner);
    saros_graph_release(outer);
    return status;
}

/* ---- points ---- */
saros_status saros_domain_points(const saros_ansatz *ansatz, const char *sampler, int64_t seed,
                                 int64_t n, int fixed, double at, saros_tensor **out) {
    saros_status status = SAROS_OK;
    const int d = ansatz->coordinates, drawn = d - (fixed >= 0);
    saros_tensor *unit = NULL, *points = NULL;
    if (drawn > 0) SAROS_TRY(saros_sample(sampler, seed, n, drawn, &unit));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 2, (int64_t[]){n, d}, &points));
    double *x = saros_tensor_data(points);
    const double *u = unit ? saros_tensor_const_data(unit) : NULL;
    for (int64_t i = 0; i < n; ++i)
        for (int k = 0; k < d; ++k)
            *x++ = k == fixed ? at : ansatz->lo[k] + (ansatz->hi[k] - ansatz->lo[k]) * *u++;
    *out = points;
    points = NULL;
done:
    saros_tensor_release(points);
    saros_tensor_release(unit);
    return status;
}

/** Draws the points of a term with equal quadrature weights. */
static saros_status draw_term(const saros_ansatz *ansatz, const char *sampler, int64_t seed,
                              saros_term *term) {
    saros_status status = SAROS_OK;
    const int d = ansatz->coordinates;
    saros_tensor *x = NULL;
    if (term->fixed >= 0 && d == 1) term->count = 1; /* the face is a point */
    SAROS_TRY(saros_domain_points(ansatz, sampler, seed, term->count, term->fixed, term->at, &x));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 2, (int64_t[]){term->count, d + 1}, &term->points));
    const double *from = saros_tensor_const_data(x);
    double *to = saros_tensor_data(term->points);
    for (int64_t i = 0; i < term->count; ++i, to += d + 1, from += d) {
        memcpy(to, from, (size_t)d * sizeof *to);
        to[d] = 1 / (double)term->count;
    }
done:
    saros_tensor_release(x);
    return status;
}

/* ---- data ---- */
static saros_status copy_column(const saros_tensor *from, int64_t count, double *to, int stride) {
    if (!from || saros_tensor_rank(from) != 1 || saros_tensor_shape(from)[0] != count)
        return saros_fail(SAROS_ERR_SHAPE, "saros_problem_fit", NULL,
                          "coordinates and values of the data must be vectors of one length");
    for (int64_t i = 0; i < count; ++i) {
        const saros_status status = saros_tensor_get(from, &i, &to[i * stride]);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

saros_status saros_data_term(const saros_ansatz *ansatz, const saros_fit_data *data, double weight,
                             saros_term *term) {
    saros_status status = SAROS_OK;
    int unknown[16];
    const char *const *names;
    const int unknowns = saros_problem_unknowns(ansatz->problem, &names);
    if (data->unknowns < 1 || data->unknowns > 16 || !data->coordinate[0])
        return saros_fail(SAROS_ERR_USAGE, "saros_problem_fit", NULL, "no data to fit");
    for (int k = 0; k < data->unknowns; ++k) {
        for (unknown[k] = 0; unknown[k] < unknowns; ++unknown[k])
            if (!strcmp(names[unknown[k]], data->unknown[k])) break;
        if (unknown[k] == unknowns)
            return saros_fail(SAROS_ERR_USAGE, "saros_problem_fit", NULL,
                              "the data are of \"%s\", which is no unknown", data->unknown[k]);
    }
    const int d = ansatz->coordinates, columns = d + data->unknowns + 1;
    *term = (saros_term){.fixed = -1, .weight = weight, .targets = data->unknowns};
    term->count = saros_tensor_count(data->coordinate[0]);
    SAROS_TRY(unknown_expansion(ansatz, false, data->unknowns, unknown, &term->expansion));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 2, (int64_t[]){term->count, columns}, &term->points));
    double *x = saros_tensor_data(term->points);
    for (int k = 0; k < d; ++k)
        SAROS_TRY(copy_column(data->coordinate[k], term->count, x + k, columns));
    for (int k = 0; k < data->unknowns; ++k)
        SAROS_TRY(copy_column(data->value[k], term->count, x + d + k, columns));
    for (int64_t i = 0; i < term->count; ++i)
        x[i * columns + columns - 1] = 1 / (double)term->count;
done:
    return status;
}

/* ---- all terms ---- */
static saros_status initial_term(const saros_ansatz *ansatz, const saros_pinn_options *options,
                                 saros_terms *terms) {
    int chosen[16], count = 0;
    for (int k = 0; k < ansatz->unknowns; ++k)
        if (!ansatz->hard[k].initial) chosen[count++] = k;
    if (ansatz->coordinates == ansatz->axes || count == 0) return SAROS_OK;
    saros_term *term = &terms->term[terms->count++];
    *term = (saros_term){.fixed = ansatz->axes,
                         .at = ansatz->lo[ansatz->axes],
                         .count = options->points.initial ? options->points.initial : 200,
                         .weight = options->weights.initial > 0 ? options->weights.initial : 1};
    return unknown_expansion(ansatz, true, count, chosen, &term->expansion);
}

static saros_status face_terms(const saros_ansatz *ansatz, const saros_pinn_options *options,
                               saros_terms *terms) {
    for (int axis = 0; axis < ansatz->axes; ++axis)
        for (int side = 0; side < 2; ++side) {
            saros_expansion expansion = {0};
            const saros_status status = face_expansion(ansatz, axis, side, &expansion);
            if (status != SAROS_OK) return status;
            if (!expansion.body) continue;
            terms->term[terms->count++] = (saros_term){
                .expansion = expansion,
                .fixed = axis,
                .at = side ? ansatz->hi[axis] : ansatz->lo[axis],
                .count = options->points.boundary ? options->points.boundary : 200,
                .weight = options->weights.boundary > 0 ? options->weights.boundary : 1};
        }
    return SAROS_OK;
}

saros_status saros_terms_make(const saros_ansatz *ansatz, const saros_pinn_options *options,
                              const saros_fit_data *data, saros_terms *out) {
    saros_status status = SAROS_OK;
    saros_terms made = {.count = 1};
    made.term[0] =
        (saros_term){.fixed = -1,
                     .count = options->points.interior ? options->points.interior : 4000,
                     .weight = options->weights.equation > 0 ? options->weights.equation : 1};
    SAROS_TRY(saros_expand(saros_problem_equation(ansatz->problem), ansatz->unknowns,
                           ansatz->coordinates, ansatz->axes, &made.term[0].expansion));
    SAROS_TRY(face_terms(ansatz, options, &made));
    SAROS_TRY(initial_term(ansatz, options, &made));
    for (int k = 0; k < made.count; ++k)
        SAROS_TRY(draw_term(ansatz, options->sampler, options->seed + k, &made.term[k]));
    if (data) {
        const double weight = options->weights.data > 0 ? options->weights.data : 1;
        SAROS_TRY(saros_data_term(ansatz, data, weight, &made.term[made.count++]));
    }
    *out = made;
    return SAROS_OK;
done:
    saros_terms_clear(&made);
    return status;
}

void saros_terms_clear(saros_terms *terms) {
    for (int k = 0; k < terms->count; ++k) {
        saros_expansion_clear(&terms->term[k].expansion);
        saros_tensor_release(terms->term[k].points);
    }
    *terms = (saros_terms){0};
}
