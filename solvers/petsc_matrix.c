/** Patterns as matrices of PETSc (AIJ, serial), whose values are then written in place. */
#include "petsc_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"

static PetscErrorCode matrix_make(const saros_sparsity *p, const PetscInt *row, Mat *out) {
    PetscInt n = (PetscInt)p->n;
    PetscCall(MatCreate(PETSC_COMM_SELF, out));
    PetscCall(MatSetSizes(*out, n, n, n, n));
    PetscCall(MatSetType(*out, MATSEQAIJ));
    return MatSeqAIJSetPreallocationCSR(*out, row, row + n + 1, NULL);
}

saros_status saros_petsc_matrix(saros_petsc *scope, const saros_sparsity *p, Mat *out) {
    if (p->n > PETSC_MAX_INT || p->nonzeros > PETSC_MAX_INT)
        return saros_fail(SAROS_ERR_DOMAIN, "PETSc", "solve matrix-free",
                          "%lld entries are too many for this PETSc", (long long)p->nonzeros);
    PetscInt *row = saros_allocate((size_t)(p->n + 1 + p->nonzeros) * sizeof *row);
    if (!row) return SAROS_ERR_MEMORY;
    for (int64_t i = 0; i <= p->n; ++i) row[i] = (PetscInt)p->row[i];
    for (int64_t k = 0; k < p->nonzeros; ++k) row[p->n + 1 + k] = (PetscInt)p->column[k];
    saros_status status = saros_petsc_check(scope, matrix_make(p, row, out));
    saros_release(row);
    return status;
}
