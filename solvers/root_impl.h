/** Inside of the implicit nodes: what root, root_factor and root_solve share.
 *
 *  Operands that F reads (captures, denoted p) are trailing operands of every node:
 *      root(guess, p…) -> x             bodies: F(x, p…), its product J(x, p…, v), scales of J
 *      root_factor(x, p…) -> factor     bodies: product, scales;  J = dF/dx at x, factorised
 *      root_solve(factor, b, x, p…)     body: the product;  J^{-1} b or J^{-T} b, b of shape (n) or
 * (k,n) The setup hangs on all three as their attribute tensor. A forward run has no root_factor:
 * only the rules of differentiation build it, at the solution.
 */
#ifndef SAROS_ROOT_IMPL_H
#define SAROS_ROOT_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "compression_impl.h"
#include "direct_impl.h"
#include "saros/root.h"
#include "sparse_impl.h"

/** Payload of the attribute tensor: the same for all derivatives of one root. */
typedef struct saros_root_setup {
    saros_sparsity *pattern;
    saros_compression *entries; /**< values entry by entry; NULL: by coloured products */
    saros_body *scales;         /**< x, p… -> what `entries` is made from; NULL without */
    char *name;
    atomic_bool verified; /**< the pattern was compared with a product once */
    pthread_mutex_t lock;
    saros_tensor *repeated; /**< setup of the last batched form, of `copies` lanes */
    int64_t copies;
} saros_root_setup;

/** Words of the row root. */
enum { ROOT_RTOL, ROOT_ATOL, ROOT_ITERATIONS, ROOT_WORDS };

extern const saros_primitive saros_row_root, saros_row_root_factor, saros_row_root_solve;

/** The body of F, and what it captures (to release). */
saros_status saros_root_trace(saros_value guess, saros_residual_fn residual, void *user,
                              saros_body **body, saros_value **capture);
/** Setup of F by the name and the sparsity of the options; without one it is found in the graph. */
saros_status saros_root_setup_for(saros_graph *graph, saros_body *residual,
                                  const saros_root_options *options, saros_tensor **setup);
saros_status saros_root_setup_make(saros_sparsity *pattern, const char *name, saros_tensor **out);
saros_root_setup *saros_root_setup_of(const saros_attributes *attributes);
/** Values of J at x: `body` holds the product and, where the setup has entries, their scales. The
 * first time the pattern is verified. */
saros_status saros_root_jacobian(saros_root_setup *setup, saros_function *const *body, int ins,
                                 saros_tensor *const *in, double *values);

/** root_solve with the operands of `in`: x, p…. Makes the factor node too. */
saros_value saros_root_solve(saros_graph *graph, saros_body *product, saros_tensor *setup,
                             bool transposed, saros_value b, int ins, const saros_value *in);

/** Derivatives of a body of one output at `in`, appended to `graph`. All inputs are held
 * independent; tangent and cotangent entries may be SAROS_NONE. */
saros_value saros_body_push(saros_graph *graph, saros_body *body, const saros_value *in,
                            const saros_value *tangent);
void saros_body_pull(saros_graph *graph, saros_body *body, const saros_value *in,
                     saros_value cotangent, const bool *wanted, saros_value *gradient);
/** Body (inputs…, v) -> (d body / d input 0) v. */
saros_status saros_body_product(saros_graph *graph, saros_body *body, saros_body **out);
/** Entries of d body / d input 0 in `pattern` (NULL: their own) and the body (inputs…) -> scales;
 * both NULL where entries cannot be had or do not pay. `found` (may be NULL) receives the pattern
 * of the graph in any case. */
saros_status saros_body_entries(saros_graph *graph, saros_body *body, saros_sparsity *pattern,
                                saros_compression **entries, saros_body **scales,
                                saros_sparsity **found);
/** From a product body (x, p…, v) -> J v the body (x, p…, w) -> J^T w. */
saros_status saros_body_transpose(saros_graph *graph, saros_body *product, saros_body **out);
/** Body over lanes: inputs with batched[k] get a leading axis of extent `size`, those with flat[k]
 * (of rank 1; `flat` may be NULL) carry it end to end instead, the output too if flat[0]. */
saros_status saros_body_batch(saros_graph *graph, saros_body *body, int64_t size,
                              const bool *batched, const bool *flat, saros_body **out);
/** Array of n values, SAROS_NONE each. */
saros_value *saros_values_make(int n);

void saros_root_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent);
void saros_root_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                    saros_value *gradient);
void saros_root_solve_jvp(const saros_rule *rule, const saros_value *tangent,
                          saros_value *out_tangent);
void saros_root_solve_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                          saros_value *gradient);
void saros_root_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                      const bool *batched, saros_value *out, bool *out_batched);
void saros_root_factor_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                             const bool *batched, saros_value *out, bool *out_batched);
void saros_root_solve_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                            const bool *batched, saros_value *out, bool *out_batched);

#endif
