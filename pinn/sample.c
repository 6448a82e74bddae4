/** Points in the unit cube: sobol (sobol.c), uniform, grid.
 *
 *  uniform and the shift of sobol come from the library's counter-based generator through a
 * compiled graph, so that a seed means the same points everywhere. grid: midpoints of a lattice
 * with as many cells along every axis as are needed for n points, of which n are taken evenly, so
 * that no part of the cube is left out.
 */
#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/pinn.h"
#include "sample_impl.h"

static saros_status uniform_points(int64_t seed, int64_t n, int d, saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    saros_tensor *points = NULL;
    const saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){n, d});
    SAROS_TRY(saros_graph_make(&graph));
    const saros_value numbers = saros_random_uniform(saros_random_key(graph, seed), &type);
    SAROS_TRY(saros_compile(graph, 0, NULL, 1, &numbers, NULL, &function));
    SAROS_TRY(saros_function_call(function, NULL, &points, NULL));
    *out = points;
done:
    saros_function_release(function);
    saros_graph_release(graph);
    return status;
}

static saros_status sobol(int64_t seed, int64_t n, int d, saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_tensor *word = NULL, *points = NULL;
    uint32_t *shift = NULL;
    SAROS_TRY(uniform_points(seed, 1, d, &word));
    shift = saros_allocate((size_t)d * sizeof *shift);
    if (!shift) SAROS_TRY(SAROS_ERR_MEMORY);
    const double *unit = saros_tensor_const_data(word);
    for (int k = 0; k < d; ++k) shift[k] = (uint32_t)(unit[k] * 4294967296.0);
    SAROS_TRY(saros_tensor_make(SAROS_F64, 2, (int64_t[]){n, d}, &points));
    SAROS_TRY(saros_sobol_points(shift, n, d, saros_tensor_data(points)));
    *out = points;
    points = NULL;
done:
    saros_release(shift);
    saros_tensor_release(points);
    saros_tensor_release(word);
    return status;
}

static saros_status grid(int64_t n, int d, saros_tensor **out) {
    const saros_status status = saros_tensor_make(SAROS_F64, 2, (int64_t[]){n, d}, out);
    if (status != SAROS_OK) return status;
    int64_t side = (int64_t)ceil(pow((double)n, 1.0 / d) - 1e-9), total = 1;
    for (int k = 0; k < d; ++k) total *= side;
    double *x = saros_tensor_data(*out);
    for (int64_t i = 0; i < n; ++i) {
        int64_t cell = (int64_t)((double)i * (double)total / (double)n);
        for (int k = d - 1; k >= 0; --k) {
            x[i * d + k] = ((double)(cell % side) + 0.5) / (double)side;
            cell /= side;
        }
    }
    return SAROS_OK;
}

saros_status saros_sample(const char *sampler, int64_t seed, int64_t n, int d, saros_tensor **out) {
    static const char *const names[] = {"sobol", "uniform", "grid"};
    if (n < 0 || d < 1)
        return saros_fail(SAROS_ERR_DOMAIN, "saros_sample", NULL, "%lld points in %d dimensions",
                          (long long)n, d);
    if (!sampler || !strcmp(sampler, "sobol")) return sobol(seed, n, d, out);
    if (!strcmp(sampler, "uniform")) return uniform_points(seed, n, d, out);
    if (!strcmp(sampler, "grid")) return grid(n, d, out);
    const char *near = saros_nearest_name(sampler, names, 3);
    return saros_fail(SAROS_ERR_USAGE, "saros_sample", "sobol, uniform or grid",
                      "no sampler is called \"%s\"%s%s%s", sampler, near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}
