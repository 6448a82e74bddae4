/** A Krylov solver of PETSc made: the matrix or the shell, KSP, its preconditioner and options.
 *
 *  GMRES with ILU(0), without a matrix alone, unless options say otherwise. The preconditioner is
 * made with the first solve and serves A^T too.
 *
 *  Serial: one process solves the whole system.
 */
#include <math.h>
#include <string.h>

#include "krylov_object_impl.h"
#include "saros/function.h"
#include "saros/memory.h"

/* ---- the operator without a matrix ---- */

static PetscErrorCode shell_apply(Mat a, Vec v, Vec out, bool transposed) {
    saros_krylov *k = NULL;
    const PetscScalar *along;
    PetscScalar *to;
    saros_tensor *result = NULL, **last;
    PetscCall(MatShellGetContext(a, &k));
    PetscCall(VecGetArrayRead(v, &along));
    PetscCall(VecGetArrayWrite(out, &to));
    last = &k->operand[k->call->ins];
    saros_status status = saros_petsc_borrow(along, k->n, last);
    if (status == SAROS_OK) status = saros_petsc_borrow(to, k->n, &result);
    if (status == SAROS_OK)
        status = saros_function_call(k->call->product[transposed], k->operand, &result, NULL);
    saros_tensor_release(*last);
    saros_tensor_release(result);
    *last = NULL;
    PetscCall(VecRestoreArrayWrite(out, &to));
    PetscCall(VecRestoreArrayRead(v, &along));
    return status ? saros_petsc_park(k->scope) : 0;
}

static PetscErrorCode shell_product(Mat a, Vec v, Vec out) {
    return shell_apply(a, v, out, false);
}
static PetscErrorCode shell_transposed(Mat a, Vec v, Vec out) {
    return shell_apply(a, v, out, true);
}

/* ---- making ---- */

static saros_status pattern_take(saros_krylov *k, saros_sparsity *pattern) {
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_sparsity_with_diagonal(pattern, &k->pattern));
    if (k->pattern != pattern)
        SAROS_TRY(saros_sparsity_positions(pattern, k->pattern, &k->position));
    k->taken = pattern->nonzeros;
done:
    return status;
}

static PetscErrorCode shell_make(saros_krylov *k) {
    PetscInt n = (PetscInt)k->n;
    PetscCall(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, k, &k->a));
    PetscCall(MatShellSetOperation(k->a, MATOP_MULT, (void (*)(void))(uintptr_t)shell_product));
    return MatShellSetOperation(k->a, MATOP_MULT_TRANSPOSE,
                                (void (*)(void))(uintptr_t)shell_transposed);
}

static PetscErrorCode objects_make(saros_krylov *k) {
    PC pc;
    if (!k->pattern) PetscCall(shell_make(k));
    PetscCall(VecCreateSeq(PETSC_COMM_SELF, (PetscInt)k->n, &k->x));
    PetscCall(VecDuplicate(k->x, &k->rhs));
    PetscCall(VecDuplicate(k->x, &k->step));
    PetscCall(KSPCreate(PETSC_COMM_SELF, &k->ksp));
    PetscCall(PetscObjectSetOptions((PetscObject)k->ksp, k->options));
    PetscCall(KSPSetType(k->ksp, KSPGMRES));
    PetscCall(KSPSetOperators(k->ksp, k->a, k->a));
    PetscCall(KSPGetPC(k->ksp, &pc));
    PetscCall(PetscObjectSetOptions((PetscObject)pc, k->options));
    return PCSetType(pc, k->pattern ? PCILU : PCNONE);
}

/* The residual itself is watched where that costs nothing, so that one call of PETSc does. */
static PetscErrorCode norm_choose(saros_krylov *k) {
    static const char *const able[] = {KSPGMRES, KSPFGMRES, KSPCG, KSPBCGS};
    PetscBool given = PETSC_FALSE, side = PETSC_FALSE;
    KSPType type;
    PetscCall(PetscOptionsHasName(k->options, NULL, "-ksp_norm_type", &given));
    PetscCall(PetscOptionsHasName(k->options, NULL, "-ksp_pc_side", &side));
    PetscCall(KSPGetType(k->ksp, &type));
    for (size_t i = 0; !given && !side && i < sizeof able / sizeof *able; ++i)
        if (strcmp(type, able[i]) == 0)
            PetscCall(KSPSetNormType(k->ksp, KSP_NORM_UNPRECONDITIONED));
    return 0;
}

static saros_status ksp_make(saros_krylov *k, const char *petsc) {
    saros_petsc scope;
    saros_status status = saros_petsc_enter(&scope);
    if (status) return status;
    SAROS_TRY(saros_petsc_options(&scope, petsc));
    k->options = scope.options;
    if (k->pattern) SAROS_TRY(saros_petsc_matrix(&scope, k->pattern, &k->a));
    SAROS_TRY(saros_petsc_check(&scope, objects_make(k)));
    SAROS_TRY(saros_petsc_options_type(&scope, "ksp_type", KSPList));
    SAROS_TRY(saros_petsc_options_type(&scope, "pc_type", PCList));
    SAROS_TRY(saros_petsc_check(&scope, KSPSetFromOptions(k->ksp)));
    SAROS_TRY(saros_petsc_check(&scope, norm_choose(k)));
done:
    if (k->options) scope.options = NULL; /* kept: PETSc reads some as late as in the solve */
    saros_petsc_leave(&scope);
    return status;
}

saros_status saros_krylov_make(const saros_krylov_plan *plan, saros_sparsity *pattern, int64_t n,
                               int64_t lanes, saros_krylov **out) {
    saros_status status = SAROS_OK;
    saros_krylov *k = saros_allocate_zero(1, sizeof *k);
    if (!k) return SAROS_ERR_MEMORY;
    memcpy(k->of, plan->of, sizeof k->of);
    k->n = n;
    k->lanes = lanes;
    if (n > PETSC_MAX_INT)
        SAROS_TRY(saros_fail(SAROS_ERR_DOMAIN, "krylov", NULL,
                             "%lld unknowns are too many for this PETSc", (long long)n));
    k->sizes = saros_allocate((size_t)(n + 2 * lanes) * sizeof *k->sizes);
    if (!k->sizes) SAROS_TRY(SAROS_ERR_MEMORY);
    k->norm = k->sizes + n;
    k->target = k->norm + lanes;
    if (pattern) SAROS_TRY(pattern_take(k, pattern));
    SAROS_TRY(ksp_make(k, plan->petsc));
    *out = k;
    k = NULL;
done:
    saros_krylov_release(k);
    return status;
}

void saros_krylov_release(saros_krylov *k) {
    if (!k) return;
    saros_petsc scope;
    PetscBool over = PETSC_FALSE;
    /* objects that outlive PETSc went with it */
    if (k->options && PetscFinalized(&over) == 0 && !over &&
        saros_petsc_enter(&scope) == SAROS_OK) {
        KSPDestroy(&k->ksp);
        MatDestroy(&k->a);
        VecDestroy(&k->x);
        VecDestroy(&k->rhs);
        VecDestroy(&k->step);
        scope.options = k->options;
        saros_petsc_leave(&scope);
    }
    saros_sparsity_release(k->pattern);
    saros_release(k->position);
    saros_release(k->sizes);
    saros_release(k);
}

static PetscErrorCode values_put(saros_krylov *k, const double *values, bool *finite) {
    PetscScalar *to;
    double sum = 0;
    PetscCall(MatSeqAIJGetArrayWrite(k->a, &to));
    if (k->position) memset(to, 0, (size_t)k->pattern->nonzeros * sizeof *to);
    for (int64_t e = 0; e < k->taken; ++e) {
        to[k->position ? k->position[e] : e] = values[e];
        sum += fabs(values[e]); /* the sum keeps NaN */
    }
    *finite = isfinite(sum);
    PetscCall(MatSeqAIJRestoreArrayWrite(k->a, &to));
    PetscCall(MatAssemblyBegin(k->a, MAT_FINAL_ASSEMBLY));
    return MatAssemblyEnd(k->a, MAT_FINAL_ASSEMBLY);
}

saros_status saros_krylov_take(saros_krylov *k, const double *values) {
    saros_petsc scope;
    bool finite = true;
    saros_status status = saros_petsc_enter(&scope);
    if (status) return status;
    status = saros_petsc_check(&scope, values_put(k, values, &finite));
    saros_petsc_leave(&scope);
    if (status == SAROS_OK && !finite)
        status = saros_fail(SAROS_ERR_NAN, "krylov", NULL,
                            "the matrix holds a value that is not finite");
    return status;
}
