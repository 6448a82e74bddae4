/** How trained weights follow the parameters: the implicit function theorem at the minimum of the
 * loss.
 *
 *  Training ends where the residuals nearly vanish, so the Hessian of the loss is that of Gauss and
 * Newton, and dw/dp is the least squares solution of the linearised problem
 *
 *      min over S of sum_i q_i | (dr_i/dw) S + dr_i/dp |^2 + lambda |S|^2,
 *
 *  i.e. the same network basis solves the equation of the sensitivity. Normal equations, summed
 * block by block; lambda is 1e-14 times the largest diagonal entry. To keep the basis from fitting
 * the points alone, there are four times as many points as in training, and at least four per
 * weight. Rows dr_i/dw come from reverse mode of one point, batched over a block.
 */
#include <math.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "sensitivity_impl.h"

enum { BLOCK = 128 };

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

/** Function (w, p…, points (rows, …), A, B) -> (A + J^T J, B + J^T R) of one block of a term. */
static saros_status compile_block(const point_rows *self, int64_t rows, saros_function **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_body *body = NULL;
    const int numbers = self->ansatz->parameters, first = 2 + numbers;
    const int outputs = saros_body_outputs(self->term->expansion.body);
    const int64_t n = self->n, columns = self->ansatz->coordinates + 1;
    const saros_type weights = saros_type_make(self->ansatz->dtype, 1, &n);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    const saros_type points = saros_type_make(SAROS_F64, 2, (int64_t[]){rows, columns});
    const saros_type square = saros_type_make(SAROS_F64, 2, (int64_t[]){n, n});
    const saros_type right = saros_type_make(SAROS_F64, 2, (int64_t[]){n, numbers});
    saros_value in[4 + 64], found[128], sum[2];
    bool batched[2 + 64] = {false};
    SAROS_TRY(saros_graph_make(&graph));
    SAROS_TRY(build_point(self, graph, &body));
    in[0] = saros_input(graph, &weights, "weights");
    for (int k = 0; k < numbers; ++k) in[1 + k] = saros_input(graph, &scalar, NULL);
    in[1 + numbers] = saros_input(graph, &points, "points");
    sum[0] = in[first] = saros_input(graph, &square, "A");
    sum[1] = in[first + 1] = saros_input(graph, &right, "B");
    batched[1 + numbers] = true;
    saros_vmap(graph, body, rows, in, batched, found);
    SAROS_TRY(saros_graph_status(graph));
    for (int k = 0; k < outputs; ++k) {
        const saros_value transposed = saros_transpose(found[2 * k]);
        sum[0] = saros_add(sum[0], saros_matmul(transposed, found[2 * k]));
        sum[1] = saros_add(sum[1], saros_matmul(transposed, found[2 * k + 1]));
    }
    SAROS_TRY(saros_compile(graph, first + 2, in, 2, sum,
                            &(saros_compile_options){.name = "sensitivity"}, out));
done:
    saros_body_release(body);
    saros_graph_release(graph);
    return status;
}

/** Rows first … of a term's points; beyond the end the last one with weight 0. */
static saros_status cut_block(const saros_term *term, int64_t first, int64_t rows,
                              saros_tensor **out) {
    const int64_t columns = saros_tensor_shape(term->points)[1];
    const saros_status status = saros_tensor_make(SAROS_F64, 2, (int64_t[]){rows, columns}, out);
    if (status != SAROS_OK) return status;
    const double *from = saros_tensor_const_data(term->points);
    double *to = saros_tensor_data(*out);
    for (int64_t i = 0; i < rows; ++i, to += columns) {
        const int64_t row = first + i < term->count ? first + i : term->count - 1;
        memcpy(to, from + row * columns, (size_t)columns * sizeof *to);
        if (first + i >= term->count) to[columns - 1] = 0;
    }
    return SAROS_OK;
}

/** Adds all blocks of a term to sum[0] = J^T J and sum[1] = J^T R. */
static saros_status add_term(const point_rows *self, saros_tensor *weights,
                             saros_tensor *const *number, saros_tensor *sum[2]) {
    saros_status status = SAROS_OK;
    saros_function *function = NULL;
    const int numbers = self->ansatz->parameters;
    const int64_t rows = self->term->count < BLOCK ? self->term->count : BLOCK;
    saros_tensor *in[4 + 64] = {weights}, *points = NULL;
    SAROS_TRY(compile_block(self, rows, &function));
    memcpy(&in[1], number, (size_t)numbers * sizeof *in);
    for (int64_t at = 0; at < self->term->count; at += rows) {
        saros_tensor *out[2] = {NULL, NULL};
        SAROS_TRY(cut_block(self->term, at, rows, &points));
        in[1 + numbers] = points;
        in[2 + numbers] = sum[0];
        in[3 + numbers] = sum[1];
        SAROS_TRY(saros_function_call(function, in, out, NULL));
        for (int k = 0; k < 2; ++k) {
            saros_tensor_release(sum[k]);
            sum[k] = out[k];
        }
        saros_tensor_release(points);
        points = NULL;
    }
done:
    saros_tensor_release(points);
    saros_function_release(function);
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
    saros_tensor *sum[2] = {NULL, NULL};
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
    SAROS_TRY(saros_tensor_zeros(SAROS_F64, 2, (int64_t[]){n, n}, &sum[0]));
    SAROS_TRY(saros_tensor_zeros(SAROS_F64, 2, (int64_t[]){n, ansatz->parameters}, &sum[1]));
    for (int k = 0; k < terms.count; ++k) {
        const point_rows rows = {.ansatz = ansatz, .term = &terms.term[k], .n = n};
        SAROS_TRY(add_term(&rows, weights, number, sum));
    }
    SAROS_TRY(solve_normal(sum[0], sum[1], out));
done:
    saros_terms_clear(&terms);
    saros_tensor_release(sum[0]);
    saros_tensor_release(sum[1]);
    return status;
}
