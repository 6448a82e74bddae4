/** Quadrature on equidistant nodes.
 *
 *  Bounded axes: Gregory's rule of order 4, the trapezoidal rule with end weights 3/8, 7/6, 23/24
 * (Abramowitz and Stegun 25.4.7 to third differences), whose weights are positive. Periodic axes:
 * equal weights, which is of every order. */
#include "saros/memory.h"
#include "solution_impl.h"

static const double closed[5][5] = {{1},
                                    {1. / 2, 1. / 2},
                                    {1. / 3, 4. / 3, 1. / 3},
                                    {3. / 8, 9. / 8, 9. / 8, 3. / 8},
                                    {14. / 45, 64. / 45, 24. / 45, 64. / 45, 14. / 45}};

void saros_quadrature_weights(int64_t nodes, bool periodic, double *weight) {
    static const double ends[3] = {3. / 8, 7. / 6, 23. / 24};
    for (int64_t i = 0; i < nodes; ++i) weight[i] = 1;
    if (periodic) return;
    for (int64_t i = 0; i < nodes && nodes < 6; ++i) weight[i] = closed[nodes - 1][i];
    for (int64_t i = 0; i < 3 && nodes >= 6; ++i) weight[i] = weight[nodes - 1 - i] = ends[i];
}

saros_status saros_quadrature_product(int axes, const int64_t *nodes, const bool *periodic,
                                      const double *h, saros_tensor **out) {
    int64_t count = 1, inner = 1;
    for (int a = 0; a < axes; ++a) count *= nodes[a];
    saros_tensor *product = NULL;
    saros_status status = saros_tensor_make(SAROS_F64, 1, &count, &product);
    if (status != SAROS_OK) return status;
    double *w = saros_tensor_data(product);
    for (int64_t i = 0; i < count; ++i) w[i] = 1;
    for (int a = 0; a < axes; ++a) {
        double *one = saros_allocate((size_t)nodes[a] * sizeof *one);
        if (!one) {
            saros_tensor_release(product);
            return SAROS_ERR_MEMORY;
        }
        saros_quadrature_weights(nodes[a], periodic[a], one);
        for (int64_t i = 0; i < count; ++i) w[i] *= h[a] * one[i / inner % nodes[a]];
        inner *= nodes[a];
        saros_release(one);
    }
    *out = product;
    return SAROS_OK;
}
