/** Arithmetic on Taylor coefficients in which SAROS_NONE is zero: what the `jet` columns are made
 * of. Emits nothing for zeros and no multiplication by 1 or -1. A series of order K has entries
 * 0 … K, normalised: u_k = u^(k)/k!.
 */
#ifndef SAROS_SERIES_IMPL_H
#define SAROS_SERIES_IMPL_H

#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/primitive.h"

saros_value saros_series_add(saros_value a, saros_value b);
saros_value saros_series_sub(saros_value a, saros_value b);
saros_value saros_series_multiply(saros_value a, saros_value b);
saros_value saros_series_scale(double factor, saros_value a);
/** *sum += factor * a * b */
void saros_series_accumulate(saros_value *sum, double factor, saros_value a, saros_value b);
/** sum_{j=0..k} u_j w_{k-j} */
saros_value saros_series_product(int k, const saros_value *u, const saros_value *w);
/** factor (1/k) sum_{j=1..k} j u_j c_{k-j}: coefficient k of v where v' = factor c(u) u'. */
saros_value saros_series_chain(int k, double factor, const saros_value *u, const saros_value *c);
/** v with v' = first p u' and p' = second v u' (sin and cos, sinh and cosh); v_0 is rule's output,
 * p_0 is `partner`. */
void saros_series_pair(const saros_rule *rule, int order, const saros_value *u, saros_value partner,
                       double first, double second, saros_value *v);
/** v with v' = (c + sign v^2) u' (tan, tanh); `slope` is the value of the bracket. */
void saros_series_riccati(const saros_rule *rule, int order, const saros_value *u,
                          saros_value slope, double sign, saros_value *v);
/** v with v' = (v - v^2) u' (sigmoid); `slope` is the value of the bracket. */
void saros_series_logistic(const saros_rule *rule, int order, const saros_value *u,
                           saros_value slope, saros_value *v);
/** out = u^n, n >= 0, by repeated squaring. */
void saros_series_power(int order, const saros_value *u, uint64_t n, saros_value *out);

#endif
