/** Foreign code for the table of examples, in both forms of derivative: y = a a b, elementwise. */
#ifndef SAROS_TESTS_FOREIGN_EXAMPLE_H
#define SAROS_TESTS_FOREIGN_EXAMPLE_H

#include "saros/ops.h"
#include "saros/region.h"

static saros_status foreign_type(void *user, int ins, const saros_type *in, int outs,
                                 saros_type *out) {
    (void)user;
    (void)ins;
    (void)outs;
    out[0] = in[0];
    return SAROS_OK;
}
/** out = weights: [0] a^2 b, of products of the operands given by `terms`. */
static saros_status foreign_fill(saros_tensor *out, int factors, saros_tensor *const *factor,
                                 double scale, bool add) {
    int64_t n = saros_tensor_count(out);
    for (int64_t i = 0; i < n; ++i) {
        double product = scale;
        for (int k = 0; k < factors; ++k) {
            const void *data = saros_tensor_const_data(factor[k]);
            product *= saros_tensor_dtype(out) == SAROS_F64 ? ((const double *)data)[i]
                                                            : (double)((const float *)data)[i];
        }
        if (saros_tensor_dtype(out) == SAROS_F64) {
            double *y = saros_tensor_data(out);
            y[i] = product + (add ? y[i] : 0);
        } else {
            float *y = saros_tensor_data(out);
            y[i] = (float)product + (add ? y[i] : 0);
        }
    }
    return SAROS_OK;
}
static saros_status foreign_apply(void *user, int ins, saros_tensor *const *in, int outs,
                                  saros_tensor **out) {
    (void)user;
    (void)ins;
    (void)outs;
    return foreign_fill(out[0], 3, (saros_tensor *[]){in[0], in[0], in[1]}, 1, false);
}
static saros_status foreign_jvp(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **out) {
    (void)user;
    (void)ins;
    (void)outs;
    foreign_fill(out[0], 3, (saros_tensor *[]){in[0], in[2], in[1]}, 2, false);
    return foreign_fill(out[0], 3, (saros_tensor *[]){in[0], in[0], in[3]}, 1, true);
}
static saros_status foreign_vjp(void *user, int ins, saros_tensor *const *in, int outs,
                                saros_tensor **gradient) {
    (void)user;
    (void)ins;
    (void)outs;
    foreign_fill(gradient[0], 3, (saros_tensor *[]){in[0], in[1], in[2]}, 2, false);
    return foreign_fill(gradient[1], 3, (saros_tensor *[]){in[0], in[0], in[2]}, 1, false);
}
static saros_status foreign_build_jvp(void *user, saros_graph *graph, int ins,
                                      const saros_value *in, const saros_value *out,
                                      const saros_value *tangent, saros_value *out_tangent) {
    (void)user;
    (void)graph;
    (void)ins;
    (void)out;
    saros_value twice = saros_mul(saros_like(in[0], 2), saros_mul(in[0], in[1]));
    out_tangent[0] =
        saros_add(saros_mul(twice, tangent[0]), saros_mul(saros_mul(in[0], in[0]), tangent[1]));
    return SAROS_OK;
}
static saros_status foreign_build_vjp(void *user, saros_graph *graph, int ins,
                                      const saros_value *in, const saros_value *out,
                                      const saros_value *cotangent, saros_value *gradient) {
    (void)user;
    (void)graph;
    (void)ins;
    (void)out;
    saros_value twice = saros_mul(saros_like(in[0], 2), saros_mul(in[0], in[1]));
    gradient[0] = saros_mul(twice, cotangent[0]);
    gradient[1] = saros_mul(saros_mul(in[0], in[0]), cotangent[0]);
    return SAROS_OK;
}
static const saros_call_class foreign_numeric = {.name = "cube",
                                                 .pure = true,
                                                 .type = foreign_type,
                                                 .apply = foreign_apply,
                                                 .apply_jvp = foreign_jvp,
                                                 .apply_vjp = foreign_vjp};
static const saros_call_class foreign_builder = {.name = "cube",
                                                 .pure = true,
                                                 .type = foreign_type,
                                                 .apply = foreign_apply,
                                                 .build_jvp = foreign_build_jvp,
                                                 .build_vjp = foreign_build_vjp};

#endif
