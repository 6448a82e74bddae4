/** Calls into PETSc: started on demand, one thread at a time, errors into our record.
 *
 *      saros_petsc scope;
 *      SAROS_TRY(saros_petsc_enter(&scope));
 *      if (!(status = saros_petsc_check(&scope, SNESSolve(snes, NULL, x)))) …
 *      saros_petsc_leave(&scope);
 */
#ifndef SAROS_PETSC_IMPL_H
#define SAROS_PETSC_IMPL_H

#include <petscmat.h>

#include "saros/sparse.h"

/** One call of ours that calls PETSc. */
typedef struct saros_petsc {
    PetscOptions options;     /**< private; NULL until saros_petsc_options */
    saros_error_copy *parked; /**< failure of a callback of ours */
    char message[600];        /**< first thing PETSc complained about */
} saros_petsc;

/** Starts PETSc if need be and takes it for this thread until saros_petsc_leave. A thread may enter
 * again from within (a callback that solves). */
saros_status saros_petsc_enter(saros_petsc *scope);
/** Ends what enter began, options included. NULL scope->options allowed. */
void saros_petsc_leave(saros_petsc *scope);

/** SAROS_OK for 0; else the parked failure of a callback, or PETSc's own words. */
saros_status saros_petsc_check(saros_petsc *scope, PetscErrorCode code);
/** Inside callbacks: parks the recorded failure; gives the code to return to PETSc. */
PetscErrorCode saros_petsc_park(saros_petsc *scope);

/** Options from pairs "name value name value …" (NULL: none), to be set on objects. Errors: USAGE
 * for half a pair, and for options that would print. */
saros_status saros_petsc_options(saros_petsc *scope, const char *pairs);
/** Errors: USAGE if option `name` asks for a type that `list` does not have, with the nearest one.
 * (PETSc's own check leaks.) */
saros_status saros_petsc_options_type(saros_petsc *scope, const char *name, PetscFunctionList list);
/** Errors: USAGE naming the first option that no object has read. */
saros_status saros_petsc_options_read(saros_petsc *scope);

/** A serial AIJ matrix of zeros in `pattern`. Errors: DOMAIN, too many entries for its integers. */
saros_status saros_petsc_matrix(saros_petsc *scope, const saros_sparsity *pattern, Mat *out);

/** Tensor over `count` numbers of a caller who outlives it. */
saros_status saros_petsc_borrow(const double *data, int64_t count, saros_tensor **out);

#endif
