/** Standard errors of fitted parameters.
 *
 *  With U = du(x_i)/dp on the data points, du/dp = (du/dw)(dw/dp) + partial u/partial p along
 * solutions of the equation (sensitivity.c), the covariance is sigma^2 (U^T U)^-1; without sigma
 * the data's variance is estimated as |u - d|^2 / (n - parameters). The error of the network itself
 * is not in it.
 */
#include <math.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "sensitivity_impl.h"

/** Function (w, dw, p…, dp…, points) -> (u - d, du), both (points, unknowns with data). */
static saros_status compile_tangent(const saros_ansatz *ansatz, const saros_term *term,
                                    saros_function **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    const int numbers = ansatz->parameters, coordinates = ansatz->coordinates;
    const int targets = term->targets, ins = 1 + numbers;
    const int64_t n = saros_network_size(&ansatz->network), one[2] = {term->count, 1};
    const saros_type weights = saros_type_make(ansatz->dtype, 1, &n);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    const saros_type points = saros_tensor_type(term->points);
    saros_value in[3 + 2 * 64], primal[65], tangent[65], x[SAROS_AXES], value[16], column[2][16];
    SAROS_TRY(saros_graph_make(&graph));
    for (int k = 0; k < 2 * ins; ++k) in[k] = saros_input(graph, k < 2 ? &weights : &scalar, NULL);
    in[2 * ins] = saros_input(graph, &points, "points");
    for (int k = 0; k < ins; ++k) {
        primal[k] = k ? in[1 + k] : in[0];
        tangent[k] = k ? in[1 + numbers + k] : in[1];
    }
    for (int k = 0; k < coordinates; ++k)
        x[k] = saros_reshape(saros_slice(in[2 * ins], 1, k, k + 1, 1), 1, one);
    saros_network_lower(ansatz, primal[0], x, &primal[1], 1, &term->expansion, value);
    SAROS_TRY(saros_graph_status(graph));
    for (int k = 0; k < targets; ++k) {
        saros_value moved;
        const int64_t at = coordinates + k;
        saros_jvp(1, &value[k], ins, primal, tangent, &moved);
        column[0][k] =
            saros_sub(saros_reshape(value[k], 2, one), saros_slice(in[2 * ins], 1, at, at + 1, 1));
        column[1][k] = saros_reshape(saros_instantiate(moved, value[k]), 2, one);
    }
    const saros_value result[2] = {saros_concat(targets, column[0], 1),
                                   saros_concat(targets, column[1], 1)};
    SAROS_TRY(saros_compile(graph, 2 * ins + 1, in, 2, result, NULL, out));
done:
    saros_graph_release(graph);
    return status;
}

/** Column `j` of a matrix (n, columns) as the tangent of the weights, in their dtype. */
static saros_status take_column(const saros_tensor *matrix, int64_t j, saros_dtype dtype,
                                saros_tensor **out) {
    const int64_t *shape = saros_tensor_shape(matrix);
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_make(SAROS_F64, 1, shape, &wide);
    if (status != SAROS_OK) return status;
    const double *from = saros_tensor_const_data(matrix);
    double *to = saros_tensor_data(wide);
    for (int64_t i = 0; i < shape[0]; ++i) to[i] = from[i * shape[1] + j];
    status = saros_tensor_cast(wide, dtype, out);
    saros_tensor_release(wide);
    return status;
}

/** Inverse of a symmetric positive matrix (n, n), n small, by Gauss and Jordan; false: singular. */
static bool invert(int n, double *a, double *inverse) {
    for (int i = 0; i < n * n; ++i) inverse[i] = i / n == i % n;
    for (int i = 0; i < n; ++i) {
        const double pivot = a[i * n + i];
        if (!(pivot > 0)) return false;
        for (int k = 0; k < n; ++k) {
            a[i * n + k] /= pivot;
            inverse[i * n + k] /= pivot;
        }
        for (int j = 0; j < n; ++j) {
            const double factor = a[j * n + i];
            for (int k = 0; k < n && j != i; ++k) {
                a[j * n + k] -= factor * a[i * n + k];
                inverse[j * n + k] -= factor * inverse[i * n + k];
            }
        }
    }
    return true;
}

static saros_status fill_errors(int trained, const saros_tensor *misfit, saros_tensor *const *slope,
                                double sigma, double *out) {
    const int64_t count = saros_tensor_count(misfit);
    const double *r = saros_tensor_const_data(misfit);
    double normal[16 * 16], inverse[16 * 16], sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += r[i] * r[i];
    for (int a = 0; a < trained; ++a)
        for (int b = 0; b < trained; ++b)
            normal[a * trained + b] = saros_vector_dot(count, saros_tensor_const_data(slope[a]),
                                                       saros_tensor_const_data(slope[b]));
    const double freedom = count > trained ? (double)(count - trained) : 1;
    const double variance = sigma > 0 ? sigma * sigma : sum / freedom;
    const bool regular = invert(trained, normal, inverse);
    for (int k = 0; k < trained; ++k)
        out[k] = regular ? sqrt(variance * inverse[k * trained + k]) : INFINITY;
    return SAROS_OK;
}

saros_status saros_pinn_fit_errors(const saros_pinn_run *run, const saros_pinn_options *options,
                                   const saros_fit_data *data, saros_tensor *const *number,
                                   int trained, const saros_trained *parameter, double *out) {
    saros_status status = SAROS_OK;
    const saros_ansatz *ansatz = &run->ansatz;
    const int numbers = ansatz->parameters, ins = 1 + numbers;
    saros_term term = {0};
    saros_function *function = NULL;
    saros_tensor *in[3 + 2 * 64] = {NULL}, *sensitivity = NULL, *zero = NULL, *one = NULL;
    saros_tensor *misfit = NULL, *slope[16] = {NULL};
    SAROS_TRY(saros_data_term(ansatz, data, 1, &term));
    SAROS_TRY(saros_pinn_sensitivity(ansatz, options, run->weights, number, &sensitivity));
    SAROS_TRY(compile_tangent(ansatz, &term, &function));
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0, &zero));
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 1, &one));
    for (int k = 0; k < trained; ++k) {
        saros_tensor *found[2] = {NULL, NULL};
        const int which = parameter[k].parameter;
        in[0] = run->weights;
        SAROS_TRY(take_column(sensitivity, which, ansatz->dtype, &in[1]));
        for (int j = 0; j < numbers; ++j) {
            in[2 + j] = number[j];
            in[2 + numbers + j] = j == which ? one : zero;
        }
        in[2 * ins] = term.points;
        status = saros_function_call(function, in, found, NULL);
        saros_tensor_release(in[1]);
        if (status != SAROS_OK) goto done;
        saros_tensor_release(misfit);
        misfit = found[0];
        slope[k] = found[1];
    }
    SAROS_TRY(fill_errors(trained, misfit, slope, data->sigma, out));
done:
    for (int k = 0; k < 16; ++k) saros_tensor_release(slope[k]);
    saros_tensor_release(misfit);
    saros_tensor_release(zero);
    saros_tensor_release(one);
    saros_tensor_release(sensitivity);
    saros_function_release(function);
    saros_tensor_release(term.points);
    saros_expansion_clear(&term.expansion);
    return status;
}
