/** Inside of the implicit nodes: what root, root_factor and root_solve share. A linear solve is a
 * root_solve whose operator does not depend on x, which is 0.
 *
 *  Operands that F reads (captures, denoted p) are trailing operands of every node:
 *      root(guess, p…) -> x             bodies: F(x, p…), its product J(x, p…, v), values of J
 *      root_factor(x, p…) -> factor     bodies: product, values;  J = dF/dx at x, factorised
 *      root_solve(factor, b, x, p…)     body: the product, and its transpose where there is no
 *                                       matrix;  J^{-1} b or J^{-T} b, b of shape (n) or (k,n)
 *
 *  The setup hangs on all three as their attribute tensor. A forward run of a root has no
 * root_factor: only the rules of differentiation build it, at the solution.
 */
#ifndef SAROS_ROOT_IMPL_H
#define SAROS_ROOT_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "compression_impl.h"
#include "direct_impl.h"
#include "krylov_impl.h"
#include "saros/root.h"
#include "sparse_impl.h"

/** Payload of the attribute tensor: the same for all derivatives of one root. */
typedef struct saros_root_setup {
    saros_sparsity *pattern;   /**< NULL: there is no matrix */
    saros_krylov_plan *krylov; /**< NULL: solved directly */
    int64_t lanes;             /**< systems alike on the diagonal, of batched forms */
    saros_sparsity *given;     /**< `pattern` if the options gave it (borrowed: it is retained) */
    bool linear;               /**< of a linear solve: the product must be linear in v */
    saros_body *entries;       /**< x, p… -> values entry by entry; NULL: by coloured products */
    char *name;
    atomic_bool verified; /**< pattern and linearity were compared with products once */
    pthread_mutex_t lock;
    saros_tensor *repeated; /**< setup of the last batched form, of `copies` lanes */
    int64_t copies;
} saros_root_setup;

/** Words of the row root, and of root_solve. */
enum { ROOT_RTOL, ROOT_ATOL, ROOT_ITERATIONS, ROOT_WORDS };
enum { SOLVE_TRANSPOSED, SOLVE_ROLE, SOLVE_WORDS };

extern const saros_primitive saros_row_root, saros_row_root_factor, saros_row_root_solve;

/** The body of F, and what it captures (to release). */
saros_status saros_root_trace(saros_value guess, saros_residual_fn residual, void *user,
                              saros_body **body, saros_value **capture);
/** Setup of F by name, sparsity and solver of the options; without a sparsity it is found in the
 * graph. */
saros_status saros_root_setup_for(saros_graph *graph, saros_body *residual,
                                  const saros_root_options *options, saros_tensor **setup);
/** The same of a linear solve, `residual` its product. */
saros_status saros_root_setup_linear(saros_graph *graph, saros_body *residual,
                                     const saros_root_options *options, saros_tensor **setup);
/** Whether a setup is that of a linear solve with these options. */
bool saros_root_setup_serves(const saros_root_setup *setup, const saros_root_options *options);
/** A setup with the solver and the name of another; `pattern` may be NULL. */
saros_status saros_root_setup_like(const saros_root_setup *like, saros_sparsity *pattern,
                                   int64_t lanes, saros_tensor **out);
saros_root_setup *saros_root_setup_of(const saros_attributes *attributes);
/** What J at a point is solved with: factors of a matrix, or a Krylov method. */
typedef struct saros_root_matrix saros_root_matrix;
saros_status saros_root_matrix_make(saros_root_setup *setup, int64_t n, saros_root_matrix **out);
void saros_root_matrix_release(saros_root_matrix *matrix);
/** J at in[0] = x: `body` holds the product and, where the setup has entries, their values. The
 * first time the pattern is verified. Without a matrix nothing is computed. */
saros_status saros_root_matrix_take(saros_root_matrix *matrix, saros_function *const *body, int ins,
                                    saros_tensor *const *in);
/** 4 eps | |J| |x| |: the residual that rounding x alone would leave; 0 without a matrix. */
double saros_root_matrix_rounding(const saros_root_matrix *matrix, const double *x);
/** In place. `call` needs products only without a matrix; its name is that of the setup. */
saros_status saros_root_matrix_solve(saros_root_matrix *matrix, saros_krylov_call call,
                                     int64_t columns, double *b);

/** root_solve with the operands of `in`: x, p…. Makes the factor node too. `role` tells transposed
 * solves from derivatives by itself. */
saros_value saros_root_solve(saros_graph *graph, saros_body *product, saros_tensor *setup,
                             saros_solve_role role, bool transposed, saros_value b, int ins,
                             const saros_value *in);

/** Derivatives of a body of one output at `in`, appended to `graph`. All inputs are held
 * independent; tangent and cotangent entries may be SAROS_NONE. */
saros_value saros_body_push(saros_graph *graph, saros_body *body, const saros_value *in,
                            const saros_value *tangent);
void saros_body_pull(saros_graph *graph, saros_body *body, const saros_value *in,
                     saros_value cotangent, const bool *wanted, saros_value *gradient);
/** From a body (v, p…) -> A v the body (x, p…, v) -> A v, which does not look at x. */
saros_status saros_body_of_product(saros_graph *graph, saros_body *body, saros_body **out);
/** Body (inputs…, v) -> (d body / d input 0) v. */
saros_status saros_body_product(saros_graph *graph, saros_body *body, saros_body **out);
/** The body (inputs…) -> values of d body / d input 0 in `pattern` (NULL: their own); NULL where
 * they cannot be had entry by entry or that does not pay. `found` (may be NULL) receives the
 * pattern of the graph in any case. */
saros_status saros_body_entries(saros_graph *graph, saros_body *body, saros_sparsity *pattern,
                                saros_body **entries, saros_sparsity **found);
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
