/** Inside of a Krylov solver: what its making and its solving share. */
#ifndef SAROS_KRYLOV_OBJECT_IMPL_H
#define SAROS_KRYLOV_OBJECT_IMPL_H

#include <petscksp.h>

#include "krylov_impl.h"
#include "petsc_impl.h"
#include "sparse_impl.h"

struct saros_krylov {
    saros_krylov_tolerance of[SAROS_SOLVE_ROLES];
    int64_t n, lanes;
    saros_sparsity *pattern;       /**< of the matrix, with its whole diagonal; NULL: matrix-free */
    int64_t *position;             /**< in it of the values taken; NULL: they are its own */
    int64_t taken;                 /**< values taken */
    double *sizes, *norm, *target; /**< n; lanes each */
    PetscOptions options;
    bool read; /**< no option was left unread */
    KSP ksp;
    Mat a;
    Vec x, rhs, step;
    /* of the solve that runs */
    saros_petsc *scope;
    const saros_krylov_call *call;
    saros_tensor **operand; /**< in…, v */
};

#endif
