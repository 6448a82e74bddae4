/** Krylov methods of PETSc behind implicit nodes: a matrix or a product, solved with and
 * transposed.
 *
 *  What the options say is kept with the setup of a node; a saros_krylov holds the numbers of one
 * operator, as saros_direct does, and its preconditioner serves A and A^T.
 */
#ifndef SAROS_KRYLOV_IMPL_H
#define SAROS_KRYLOV_IMPL_H

#include "saros/linear.h"

typedef struct saros_krylov saros_krylov;

/** Which solve it is: its tolerance, and how its failure is told. */
typedef enum saros_solve_role {
    SAROS_SOLVE_ITSELF,
    SAROS_SOLVE_DERIVATIVE,
    SAROS_SOLVE_TRANSPOSED,
    SAROS_SOLVE_ROLES
} saros_solve_role;

/** Options with every default in place; owns its text. */
typedef struct saros_krylov_plan {
    char *petsc;
    bool matrix_free;
    saros_krylov_tolerance of[SAROS_SOLVE_ROLES];
} saros_krylov_plan;

/** `rtol`: of the solve itself where the options give none. */
saros_status saros_krylov_plan_make(const saros_krylov_options *options, double rtol,
                                    saros_krylov_plan **out);
saros_status saros_krylov_plan_copy(const saros_krylov_plan *plan, saros_krylov_plan **out);
bool saros_krylov_plan_equal(const saros_krylov_plan *a, const saros_krylov_plan *b);
void saros_krylov_plan_release(saros_krylov_plan *plan);

/** One solve: whose, and without a matrix the products (in…, v) -> A v and A^T v. */
typedef struct saros_krylov_call {
    const char *name;
    saros_solve_role role;
    bool transposed;
    const saros_function *product[2];
    int ins;
    saros_tensor *const *in;
} saros_krylov_call;

/** For operators of order n that are block diagonal of `lanes` alike (each converges by itself).
 * @param pattern NULL without a matrix. */
saros_status saros_krylov_make(const saros_krylov_plan *plan, saros_sparsity *pattern, int64_t n,
                               int64_t lanes, saros_krylov **out);
void saros_krylov_release(saros_krylov *krylov);
/** Takes the values of a matrix, in the order of the pattern. Errors: NAN. */
saros_status saros_krylov_take(saros_krylov *krylov, const double *values);
/** In place: each of `columns` runs of n in `b` becomes A^{-1} b or A^{-T} b. */
saros_status saros_krylov_solve(saros_krylov *krylov, const saros_krylov_call *call,
                                int64_t columns, double *b);

#endif
