/** Differentiation, graph to graph: takes values, appends values; nests in any order; compile
 * afterwards.
 *
 *      saros_value g;                                            // dJ/dnu
 *      saros_vjp(1, &J, NULL, 1, &nu, &g);
 *
 *  Derivatives are with respect to values, not names: everything between `in` and `out` is
 * differentiated, `in` values are held to be independent. A value of `in` that is computed from
 * inputs on which `out` depends by other ways too is refused: equal nodes are one and algebra
 * folds, so those ways are not what was written; saros_alias makes it a value of its own.
 * SAROS_NONE stands for a zero tangent or cotangent, in arguments and in results. Errors (a row
 * without a rule, a numeric call differentiated twice, a tangent of another shape than its value)
 * poison the results and the graph. All of `in` belong to one graph; inside a body, differentiate
 * by values of the body (saros_alias(x) gives an enclosing x a place in it).
 */
#ifndef SAROS_AUTODIFF_H
#define SAROS_AUTODIFF_H

#include "saros/function.h"
#include "saros/ops.h"
#include "saros/region.h"

/** Forward mode: out_tangent = (d out / d in) tangent. */
SAROS_API void saros_jvp(int outs, const saros_value *out, int ins, const saros_value *in,
                         const saros_value *tangent, saros_value *out_tangent);
/** Forward mode through one node, whose first output is `out`: its operands are held independent,
 * `tangent` has one entry for each and out_tangent one for each output. */
SAROS_API void saros_node_jvp(saros_value out, const saros_value *tangent,
                              saros_value *out_tangent);
/** Reverse mode: gradient = (d out / d in)^T cotangent. `cotangent` NULL: ones (for scalars;
 * an error otherwise). gradient entries may be SAROS_NONE; see saros_instantiate. */
SAROS_API void saros_vjp(int outs, const saros_value *out, const saros_value *cotangent, int ins,
                         const saros_value *in, saros_value *gradient);
/** Taylor mode: normalised coefficients 1 … order of out along the curve whose coefficients 1 …
 * order of in are given. series[k*order + j-1] is coefficient j of in[k]; out_series likewise. */
SAROS_API void saros_jet(int outs, const saros_value *out, int ins, const saros_value *in,
                         int order, const saros_value *series, saros_value *out_series);
/** `v`, or zeros of `like`'s type if v is SAROS_NONE. */
SAROS_API saros_value saros_instantiate(saros_value v, saros_value like);

/** dy/dx, of the shape of y followed by that of x, by products with the unit vectors of the smaller
 * of the two, batched. Errors (poison): SHAPE, more than SAROS_MAX_RANK axes; TYPE. */
SAROS_API saros_value saros_dense_jacobian(saros_value y, saros_value x);
/** J v for each row of v, (k, x's shape), batched: (k, y's shape). What does not hang on v is
 * computed once. */
SAROS_API saros_value saros_jacobian_products(saros_value y, saros_value x, saros_value v);
/** Second derivatives of a scalar y: (x's shape, x's shape), forward over reverse mode. A product
 * H v alone is saros_jvp of what saros_vjp gives. */
SAROS_API saros_value saros_hessian(saros_value y, saros_value x);

/** Laplacian, row by row: y = f(x) with x (n,d), y (n) or (n,k), rows independent; result of y's
 * type. Collapsed Taylor mode: d+2 streams. */
SAROS_API saros_value saros_laplacian(saros_value y, saros_value x);
/** sum_ij (sigma sigma^T)_ij d_i d_j y, x and y as above; sigma (d,r), or (n,d,r) where it differs
 * from row to row, is held fixed. r+2 streams. */
SAROS_API saros_value saros_second_order(saros_value y, saros_value x, saros_value sigma);
/** Laplacian of the Laplacian, x and y as above. Up to d = 5 one pass with 2+2d+d(d+1)/2 streams,
 * else (and where a row between has no rule for it) two nested Laplacians. */
SAROS_API saros_value saros_biharmonic(saros_value y, saros_value x);

/** coefficient d^power[0]/dx_1 … of an operator, of order at most 16. */
typedef struct saros_operator_term {
    double coefficient;
    const int *power; /**< one per column of x */
} saros_operator_term;
/** Sum of the terms applied to y, row by row, x and y as above. One jet for each direction of the
 * polarisation identity (operator.c): d of them for pure derivatives, (a+1)(b+1) - 1 less multiples
 * for d_i^a d_j^b. */
SAROS_API saros_value saros_operator(saros_value y, saros_value x, int terms,
                                     const saros_operator_term *term);
/** Unbiased estimate of the Laplacian from `directions` random directions drawn from `key`, the
 * same in every row; x and y as above. directions+2 streams, whatever d is; exact where the
 * Hessian of a row is diagonal. */
SAROS_API saros_value saros_laplacian_estimate(saros_value y, saros_value x, saros_value key,
                                               int64_t directions);

/** Builds results from `in` inside `body`. */
typedef saros_status (*saros_part_fn)(saros_graph *body, const saros_value *in, void *user,
                                      saros_value *out);
/** Values that the reverse sweep computes again instead of keeping what led to them. `build` gets
 * the place of `in` in a body of its own. Derivatives are the same. */
SAROS_API void saros_checkpoint(saros_graph *graph, saros_part_fn build, void *user, int ins,
                                const saros_value *in, int outs, saros_value *out);
/** From a finished body, whose first input is an i64 scalar (0) and whose others are captures. */
SAROS_API void saros_checkpoint_body(saros_graph *graph, saros_body *body, int captures,
                                     const saros_value *capture, saros_value *out);

/** Batched copy of a body: inputs with batched[k] get a leading axis of extent `size`; all outputs
 * carry it. */
SAROS_API void saros_vmap(saros_graph *graph, const saros_body *body, int64_t size,
                          const saros_value *in, const bool *batched, saros_value *out);

/** Whether any of `out` is computed from each of `in`, by whatever rows and dtypes. */
SAROS_API void saros_depends(int outs, const saros_value *out, int ins, const saros_value *in,
                             bool *depends);

/** What saros_check_gradient found. */
typedef struct saros_gradient_report {
    double rate[3]; /**< Taylor-remainder rates of order 0, 1, 2: about 1, 2, 3 (or the remainder is
                       at round-off); [2] is NaN where there is no second derivative */
    double dot_error;    /**< |<Jv,w> - <v,J^T w>| relative */
    double jvp_error;    /**< forward mode against central differences, relative */
    double memory_error; /**< gradient with few against with all states of loops, relative; 0 where
                            there are none */
    bool passed;
} saros_gradient_report;

/** Checks the derivatives of scalar or tensor `out` with respect to `in` at the point `at` (one
 * tensor per compiled input of the list `input`, which must contain every `in`) and at one beside
 * it, along random directions from `seed`; the report has the worse of both. Errors: USAGE if
 * nothing depends; NAN: a derivative is not finite; a failed check is SAROS_ERR_DOMAIN with the
 * numbers in the message, the report being filled all the same. */
SAROS_API saros_status saros_check_gradient(saros_value out, int ins, const saros_value *in,
                                            int inputs, const saros_value *input,
                                            saros_tensor *const *at, int64_t seed,
                                            saros_gradient_report *report);

#endif
