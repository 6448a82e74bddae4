/** How trained weights follow the parameters: the implicit function theorem at the minimum of the
 * loss.
 *
 *  Training ends where the residuals nearly vanish, so the Hessian of the loss is that of Gauss and
 * Newton, and dw/dp is the least squares solution of the linearised problem
 *
 *      min over S of sum_i q_i | (dr_i/dw) S + dr_i/dp |^2 + lambda |S|^2,
 *
 *  i.e. the same network basis solves the equation of the sensitivity. Normal equations, summed
 * over the points; lambda is 1e-14 times the largest diagonal entry. To keep the basis from fitting
 * the points alone, there are four times as many points as in training, and at least four per
 * weight. Rows dr_i/dw come from reverse mode of one point, batched over all.
 */
#include <math.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "sensitivity_impl.h"

/** What the body of one point is built for. */
typedef struct point_rows {
    const saros_ansatz *ansatz;
    const saros_term *term;
    int64_t n;
} point_rows;

/** Body (w, p…, row of points) -> per residual: dr/dw (n), then dr/dp (parameters). */
static saros_status build_point(const point_rows *self, saros_graph *outer, saros_body **out) {
    saros_status status = SAROS_OK;
    const saros_ansatz *ansatz = self->ansatz;
    const int numbers = ansatz->parameters;
    const int outputs = saros_body_outputs(self->term->expansion.body);
    const int64_t one = 1, columns = ansatz->coordinates + 1;
    const saros_type weights = saros_type_make(ansatz->dtype, 1, &self->n);
    const saros_type row = saros_type_make(SAROS_F64, 1, &columns);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_value in[1 + 64], x[SAROS_AXES], residual[64], found[65], result[128];
    saros_graph *inner = saros_body_open(outer);
    if (!inner) return SAROS_ERR_MEMORY;
    in[0] = saros_input(inner, &weights, "weights");
    for (int k = 0; k < numbers; ++k) in[1 + k] = saros_input(inner, &scalar, NULL);
    const saros_value point = saros_input(inner, &row, "point");
    for (int k = 0; k < ansatz->coordinates; ++k) x[k] = saros_slice(point, 0, k, k + 1, 1);
    saros_network_lower(ansatz, in[0], x, &in[1], 1, &self->term->expansion, residual);
    const saros_value q = saros_slice(point, 0, columns - 1, columns, 1);
    for (int k = 0; k < outputs && saros_graph_status(inner) == SAROS_OK; ++k) {
        const saros_value weight = saros_sqrt(saros_mul(saros_like(q, self->term->weight), q));
        const saros_value r = saros_reshape(saros_mul(weight, residual[k]), 0, NULL);
        saros_value slope[64];
        saros_vjp(1, &r, NULL, 1 + numbers, in, found);
        for (int j = 0; j < numbers; ++j)
            slope[j] = saros_reshape(saros_instantiate(found[1 + j], in[1 + j]), 1, &one);
        result[2 * k] = saros_cast(saros_instantiate(found[0], in[0]), SAROS_F64);
        result[2 * k + 1] = saros_concat(numbers, slope, 0);
    }
    SAROS_TRY(saros_graph_status(inner));
    saros_graph *closing = inner;
    inner = NULL;
    status = saros_body_close(closing, 2 * outputs, result, out, NULL);
done:
    saros_graph_release(inner);
    return status;
}

/** Adds what a term's points give to sum[0] = J^T J and sum[1] = J^T R (SAROS_NONE: 0). */
static saros_status add_term(const point_rows *self, const saros_value *in, int points,
                             saros_value *sum) {
    saros_status status = SAROS_OK;
    saros_body *body = NULL;
    saros_value operand[2 + 64], found[128];
    bool batched[2 + 64] = {false};
    const int numbers = self->ansatz->parameters;
    saros_graph *graph = in[0].graph;
    SAROS_TRY(build_point(self, graph, &body));
    memcpy(operand, in, (size_t)(1 + numbers) * sizeof *in);
    operand[1 + numbers] = in[points];
    batched[1 + numbers] = true;
    saros_vmap(graph, body, self->term->count, operand, batched, found);
    SAROS_TRY(saros_graph_status(graph));
    for (int k = 0; k < saros_body_outputs(self->term->expansion.body); ++k) {
        const saros_value transposed = saros_transpose(found[2 * k]);
        for (int j = 0; j < 2; ++j) {
            const saros_value part = saros_matmul(transposed, found[2 * k + j]);
            sum[j] = saros_is_none(sum[j]) ? part : saros_add(sum[j], part);
        }
    }
done:
    saros_body_release(body);
    return status;
}

/** Function (w, p…, points…) -> (J^T J, J^T R) of all terms. */
static saros_status compile_normal(const saros_ansatz *ansatz, const saros_terms *terms, int64_t n,
                                   saros_function **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    const int first = 1 + ansatz->parameters;
    const int64_t columns = ansatz->coordinates + 1;
    const saros_type weights = saros_type_make(ansatz->dtype, 1, &n);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_value in[1 + 64 + SAROS_MOST_TERMS], sum[2] = {SAROS_NONE, SAROS_NONE};
    SAROS_TRY(saros_graph_make(&graph));
    in[0] = saros_input(graph, &weights, "weights");
    for (int k = 1; k < first; ++k) in[k] = saros_input(graph, &scalar, NULL);
    for (int k = 0; k < terms->count; ++k) {
        const saros_term *term = &terms->term[k];
        const saros_type points = saros_type_make(SAROS_F64, 2, (int64_t[]){term->count, columns});
        const point_rows rows = {.ansatz = ansatz, .term = term, .n = n};
        in[first + k] = saros_input(graph, &points, "points");
        SAROS_TRY(add_term(&rows, in, first + k, sum));
    }
    SAROS_TRY(saros_compile(graph, first + terms->count, in, 2, sum,
                            &(saros_compile_options){.name = "sensitivity"}, out));
done:
    saros_graph_release(graph);
    return status;
}

/** S = -(A + lambda I)^-1 B. */
static saros_status solve_normal(saros_tensor *a, saros_tensor *b, saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    saros_tensor *in[2] = {a, b}, *made = NULL;
    const int64_t n = saros_tensor_shape(a)[0];
    double *entry = saros_tensor_data(a), largest = 0;
    for (int64_t i = 0; i < n; ++i) largest = fmax(largest, entry[i * n + i]);
    for (int64_t i = 0; i < n; ++i) entry[i * n + i] += 1e-14 * largest;
    const saros_type type[2] = {saros_tensor_type(a), saros_tensor_type(b)};
    SAROS_TRY(saros_graph_make(&graph));
    const saros_value v[2] = {saros_input(graph, &type[0], "A"), saros_input(graph, &type[1], "B")};
    const saros_value s = saros_neg(saros_solve(v[0], v[1]));
    SAROS_TRY(saros_compile(graph, 2, v, 1, &s, NULL, &function));
    SAROS_TRY(saros_function_call(function, in, &made, NULL));
    *out = made;
done:
    saros_function_release(function);
    saros_graph_release(graph);
    return status;
}

saros_status saros_pinn_sensitivity(const saros_ansatz *ansatz, const saros_pinn_options *options,
                                    saros_tensor *weights, saros_tensor *const *number,
                                    saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_terms terms = {0};
    saros_function *function = NULL;
    saros_tensor *in[1 + 64 + SAROS_MOST_TERMS] = {weights}, *sum[2] = {NULL, NULL};
    saros_pinn_options denser = *options;
    const int64_t n = saros_network_size(&ansatz->network);
    const int64_t points = options->points.interior ? options->points.interior : 4000;
    if (n > SAROS_SENSITIVE_WEIGHTS)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "gradient by network",
                          "a smaller network, or method=\"grid\"",
                          "%lld weights need a dense matrix; at most %d in this build",
                          (long long)n, (int)SAROS_SENSITIVE_WEIGHTS);
    denser.points.interior = points > 4 * n ? points : 4 * n;
    SAROS_TRY(saros_terms_make(ansatz, &denser, NULL, &terms));
    SAROS_TRY(compile_normal(ansatz, &terms, n, &function));
    memcpy(&in[1], number, (size_t)ansatz->parameters * sizeof *in);
    for (int k = 0; k < terms.count; ++k) in[1 + ansatz->parameters + k] = terms.term[k].points;
    SAROS_TRY(saros_function_call(function, in, sum, NULL));
    SAROS_TRY(solve_normal(sum[0], sum[1], out));
done:
    saros_terms_clear(&terms);
    saros_function_release(function);
    saros_tensor_release(sum[0]);
    saros_tensor_release(sum[1]);
    return status;
}
