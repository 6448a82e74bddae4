/** sin, cos, tan of arguments too large for the inline reduction: rows that take the C library's
 *  value where |x| is beyond SAROS_FAR and the inline one elsewhere. Kernels branch around them
 *  (emit_far.c), so they cost nothing while no argument of a vector is that large. The functions of
 *  long double are used for f64: glibc's double ones lose up to 8 ulp where a huge argument comes
 *  closest to a multiple of pi/2.
 */
#include <math.h>

#include "kernel/kernel_impl.h"
#include "primitives/pointwise_impl.h"

/** y[i] = exact(x[i]) where x is far. */
static void replace_f64(int64_t n, const double *x, double *y, long double (*exact)(long double)) {
    for (int64_t i = 0; i < n; ++i)
        if (fabs(x[i]) > SAROS_FAR_F64) y[i] = (double)exact((long double)x[i]);
}
static void replace_f32(int64_t n, const float *x, float *y, double (*exact)(double)) {
    for (int64_t i = 0; i < n; ++i)
        if (fabsf(x[i]) > SAROS_FAR_F32) y[i] = (float)exact((double)x[i]);
}

static void far_sin_f64(int64_t n, const void *x, void *y) {
    replace_f64(n, x, y, sinl);
}
static void far_sin_f32(int64_t n, const void *x, void *y) {
    replace_f32(n, x, y, sin);
}
static void far_cos_f64(int64_t n, const void *x, void *y) {
    replace_f64(n, x, y, cosl);
}
static void far_cos_f32(int64_t n, const void *x, void *y) {
    replace_f32(n, x, y, cos);
}
static void far_tan_f64(int64_t n, const void *x, void *y) {
    replace_f64(n, x, y, tanl);
}
static void far_tan_f32(int64_t n, const void *x, void *y) {
    replace_f32(n, x, y, tan);
}

const saros_far_function saros_far_functions[SAROS_FAR_FUNCTIONS] = {
    {&saros_row_far_sin, SAROS_F64, "far_sin_f64", far_sin_f64},
    {&saros_row_far_sin, SAROS_F32, "far_sin_f32", far_sin_f32},
    {&saros_row_far_cos, SAROS_F64, "far_cos_f64", far_cos_f64},
    {&saros_row_far_cos, SAROS_F32, "far_cos_f32", far_cos_f32},
    {&saros_row_far_tan, SAROS_F64, "far_tan_f64", far_tan_f64},
    {&saros_row_far_tan, SAROS_F32, "far_tan_f32", far_tan_f32},
};

/** Alone, outside of a kernel: the inline values, then the far ones among them. */
static saros_status far_evaluate(const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    saros_tensor *x = NULL;
    saros_dtype dtype = saros_tensor_dtype(e->out[0]);
    SAROS_TRY(saros_tensor_contiguous(e->in[0], &x));
    SAROS_TRY(saros_tensor_assign(e->out[0], e->in[1]));
    for (int k = 0; k < SAROS_FAR_FUNCTIONS; ++k)
        if (saros_far_functions[k].row == e->row && saros_far_functions[k].dtype == dtype)
            saros_far_functions[k].replace(saros_tensor_count(x), saros_tensor_const_data(x),
                                           saros_tensor_data(e->out[0]));
done:
    saros_tensor_release(x);
    return status;
}

const saros_primitive saros_row_far_sin =
    SAROS_EXPANSION_ROW("far_sin", "sin x where |x| is large, else the other operand", 2,
                        saros_type_float, far_evaluate);
const saros_primitive saros_row_far_cos =
    SAROS_EXPANSION_ROW("far_cos", "cos x where |x| is large, else the other operand", 2,
                        saros_type_float, far_evaluate);
const saros_primitive saros_row_far_tan =
    SAROS_EXPANSION_ROW("far_tan", "tan x where |x| is large, else the other operand", 2,
                        saros_type_float, far_evaluate);
