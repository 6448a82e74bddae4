/** Addresses of the rows of core, for passes that recognise them: `node.row == &saros_row_mul`.
 *  Rows of regions and leaves stand in region.h. The list with all of them: saros_core_primitives.
 */
#ifndef SAROS_ROWS_H
#define SAROS_ROWS_H

#include "saros/primitive.h"

/* pointwise */
SAROS_API_DATA const saros_primitive saros_row_add, saros_row_sub, saros_row_mul, saros_row_div,
    saros_row_fma, saros_row_neg, saros_row_pow, saros_row_power;
SAROS_API_DATA const saros_primitive saros_row_abs, saros_row_sign, saros_row_floor,
    saros_row_round, saros_row_maximum, saros_row_minimum;
SAROS_API_DATA const saros_primitive saros_row_sqrt, saros_row_exp, saros_row_expm1,
    saros_row_log, saros_row_log1p, saros_row_erf;
SAROS_API_DATA const saros_primitive saros_row_sin, saros_row_cos, saros_row_tan, saros_row_asin,
    saros_row_acos, saros_row_atan, saros_row_atan2, saros_row_sinh, saros_row_cosh;
SAROS_API_DATA const saros_primitive saros_row_tanh, saros_row_sigmoid, saros_row_softplus,
    saros_row_relu;
SAROS_API_DATA const saros_primitive saros_row_eq, saros_row_ne, saros_row_lt, saros_row_le,
    saros_row_and, saros_row_or, saros_row_not;
SAROS_API_DATA const saros_primitive saros_row_where, saros_row_cast, saros_row_stop_gradient,
    saros_row_alias;
/* ranks */
SAROS_API_DATA const saros_primitive saros_row_spread, saros_row_allreduce;
/* structure */
SAROS_API_DATA const saros_primitive saros_row_reshape, saros_row_permute, saros_row_broadcast,
    saros_row_slice, saros_row_pad, saros_row_shift, saros_row_reverse, saros_row_concat,
    saros_row_gather, saros_row_scatter_add, saros_row_iota;
/* reductions and contraction */
SAROS_API_DATA const saros_primitive saros_row_sum, saros_row_max, saros_row_min,
    saros_row_argmax, saros_row_cumsum, saros_row_dot;
/* random */
SAROS_API_DATA const saros_primitive saros_row_random_fold, saros_row_random_uniform,
    saros_row_random_normal;
/* transforms */
SAROS_API_DATA const saros_primitive saros_row_rfft, saros_row_irfft, saros_row_fft;
/* dense linear algebra */
SAROS_API_DATA const saros_primitive saros_row_lu, saros_row_lu_solve, saros_row_cholesky,
    saros_row_triangular_solve, saros_row_eigh, saros_row_det;

#endif
