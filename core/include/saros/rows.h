/** The rows of core, one line each: their addresses, for passes that recognise them
 * (`node.row == &saros_row_mul`), and the list behind saros_core_primitives. */
#ifndef SAROS_ROWS_H
#define SAROS_ROWS_H

#include "saros/primitive.h"

/** Elementary functions of one real variable: X(name, low, high) stands for the row saros_row_name,
 * the operation saros_name (ops.h), the Lua function and its checks, with operands from [low,
 * high], where the function is smooth. */
#define SAROS_ELEMENTARY_ROWS(X)                                                                   \
    X(sqrt, 0.7, 2)                                                                                \
    X(exp, -1, 1)                                                                                  \
    X(expm1, -1, 1)                                                                                \
    X(exp2, -1, 1)                                                                                 \
    X(log, 0.7, 2)                                                                                 \
    X(log1p, -0.3, 1)                                                                              \
    X(log2, 0.7, 2)                                                                                \
    X(sin, -2, 2)                                                                                  \
    X(cos, -2, 2)                                                                                  \
    X(tan, -1, 1)                                                                                  \
    X(asin, -0.6, 0.6)                                                                             \
    X(acos, -0.6, 0.6)                                                                             \
    X(atan, -2, 2)                                                                                 \
    X(sinh, -1, 1)                                                                                 \
    X(cosh, -1, 1)                                                                                 \
    X(asinh, -2, 2)                                                                                \
    X(acosh, 1.3, 3)                                                                               \
    X(atanh, -0.6, 0.6)                                                                            \
    X(tanh, -2, 2)                                                                                 \
    X(erf, -1, 1)                                                                                  \
    X(sigmoid, -2, 2)                                                                              \
    X(softplus, -2, 2)

#define SAROS_CORE_ROWS(X)                                                                         \
    /* pointwise */                                                                                \
    X(saros_row_add)                                                                               \
    X(saros_row_sub)                                                                               \
    X(saros_row_mul)                                                                               \
    X(saros_row_div)                                                                               \
    X(saros_row_fma)                                                                               \
    X(saros_row_neg)                                                                               \
    X(saros_row_pow)                                                                               \
    X(saros_row_power)                                                                             \
    X(saros_row_abs)                                                                               \
    X(saros_row_sign)                                                                              \
    X(saros_row_floor)                                                                             \
    X(saros_row_round)                                                                             \
    X(saros_row_maximum)                                                                           \
    X(saros_row_minimum)                                                                           \
    X(saros_row_atan2)                                                                             \
    X(saros_row_relu)                                                                              \
    X(saros_row_eq)                                                                                \
    X(saros_row_ne)                                                                                \
    X(saros_row_lt)                                                                                \
    X(saros_row_le)                                                                                \
    X(saros_row_and)                                                                               \
    X(saros_row_or)                                                                                \
    X(saros_row_not)                                                                               \
    X(saros_row_where)                                                                             \
    X(saros_row_cast)                                                                              \
    X(saros_row_stop_gradient)                                                                     \
    X(saros_row_alias)                                                                             \
    /* ranks */                                                                                    \
    X(saros_row_spread)                                                                            \
    X(saros_row_allreduce)                                                                         \
    /* structure */                                                                                \
    X(saros_row_reshape)                                                                           \
    X(saros_row_permute)                                                                           \
    X(saros_row_broadcast)                                                                         \
    X(saros_row_slice)                                                                             \
    X(saros_row_pad)                                                                               \
    X(saros_row_shift)                                                                             \
    X(saros_row_reverse)                                                                           \
    X(saros_row_concat)                                                                            \
    X(saros_row_gather)                                                                            \
    X(saros_row_scatter_add)                                                                       \
    X(saros_row_iota)                                                                              \
    /* reductions and contraction */                                                               \
    X(saros_row_sum)                                                                               \
    X(saros_row_max)                                                                               \
    X(saros_row_min)                                                                               \
    X(saros_row_argmax)                                                                            \
    X(saros_row_cumsum)                                                                            \
    X(saros_row_dot)                                                                               \
    /* random */                                                                                   \
    X(saros_row_random_fold)                                                                       \
    X(saros_row_random_uniform)                                                                    \
    X(saros_row_random_normal)                                                                     \
    /* transforms */                                                                               \
    X(saros_row_rfft)                                                                              \
    X(saros_row_irfft)                                                                             \
    X(saros_row_fft)                                                                               \
    /* dense linear algebra */                                                                     \
    X(saros_row_lu)                                                                                \
    X(saros_row_lu_solve)                                                                          \
    X(saros_row_cholesky)                                                                          \
    X(saros_row_triangular_solve)                                                                  \
    X(saros_row_eigh)                                                                              \
    X(saros_row_det)                                                                               \
    /* regions and leaves */                                                                       \
    X(saros_row_input)                                                                             \
    X(saros_row_constant)                                                                          \
    X(saros_row_loop)                                                                              \
    X(saros_row_loop_reverse)                                                                      \
    X(saros_row_cond)                                                                              \
    X(saros_row_call)

#define SAROS_ROW_DECLARE(row) SAROS_API_DATA const saros_primitive row;
SAROS_CORE_ROWS(SAROS_ROW_DECLARE)
#undef SAROS_ROW_DECLARE
#define SAROS_ROW_DECLARE(name, low, high) SAROS_API_DATA const saros_primitive saros_row_##name;
SAROS_ELEMENTARY_ROWS(SAROS_ROW_DECLARE)
#undef SAROS_ROW_DECLARE

#endif
