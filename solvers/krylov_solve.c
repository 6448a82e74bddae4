/** Linear solves by PETSc's KSP.
 *
 *  Whatever norm a method of PETSc watches, what counts here is the residual b - A x computed from
 * x: PETSc is called again on it, x growing by what it gives, until every lane has
 *
 *      |b - A x| <= max(rtol |b|, atol, 4 eps | |A| |x| |)
 *
 *  or a call lowers it by less than half. A method that broke down begins anew so. The last, what
 * rounding x alone would leave, needs a matrix, and counts only below 1e-6 |b|: beyond, x has run
 * along the kernel of a singular matrix. The right-hand side of a lane is scaled to norm 1, so that
 * the sum PETSc sees counts lanes alike.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "krylov_object_impl.h"
#include "saros/memory.h"

/* How far a column has come. */
typedef struct progress {
    int iterations, active; /**< lanes that are not there yet */
    double worst;           /**< residual over target, of the lane that is farthest from it */
    double reduction;       /**< target over residual, the same lane */
    double residual, size;  /**< of that lane, and its |b| */
} progress;

static double norm_of(int64_t n, const double *v) {
    double largest = 0, sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        double size = fabs(v[i]);
        if (!(size <= largest)) largest = size; /* takes NaN too */
    }
    if (largest == 0 || !isfinite(largest)) return largest;
    for (int64_t i = 0; i < n; ++i) sum += (v[i] / largest) * (v[i] / largest);
    return largest * sqrt(sum);
}

/* sizes = |A| |x| or |A|^T |x| */
static PetscErrorCode sizes_find(saros_krylov *k) {
    const PetscScalar *a, *x;
    bool transposed = k->call->transposed;
    PetscCall(MatSeqAIJGetArrayRead(k->a, &a));
    PetscCall(VecGetArrayRead(k->x, &x));
    memset(k->sizes, 0, (size_t)k->n * sizeof *k->sizes);
    for (int64_t i = 0; i < k->n; ++i)
        for (int64_t e = k->pattern->row[i]; e < k->pattern->row[i + 1]; ++e) {
            int64_t j = k->pattern->column[e];
            k->sizes[transposed ? j : i] += fabs(a[e] * x[transposed ? i : j]);
        }
    PetscCall(VecRestoreArrayRead(k->x, &x));
    return MatSeqAIJRestoreArrayRead(k->a, &a);
}

/* rhs = b - A x, and its norms. */
static PetscErrorCode residual_find(saros_krylov *k, const double *b, bool first) {
    PetscScalar *r;
    int64_t wide = k->n / k->lanes;
    if (!first)
        PetscCall(k->call->transposed ? MatMultTranspose(k->a, k->x, k->rhs)
                                      : MatMult(k->a, k->x, k->rhs));
    PetscCall(VecGetArray(k->rhs, &r));
    for (int64_t i = 0; i < k->n; ++i) r[i] = first ? b[i] : b[i] - r[i];
    for (int64_t l = 0; l < k->lanes; ++l) k->norm[l] = norm_of(wide, r + l * wide);
    return VecRestoreArray(k->rhs, &r);
}

/* Which lanes are there; those get norm 0. */
static PetscErrorCode residual_judge(saros_krylov *k, const double *b, bool first, progress *at) {
    int64_t wide = k->n / k->lanes;
    bool sized = first || !k->pattern;
    at->active = 0;
    at->worst = 0;
    for (int64_t l = 0; l < k->lanes; ++l) {
        double ratio = k->norm[l] / k->target[l], norm = k->norm[l];
        if (norm <= k->target[l]) {
            k->norm[l] = 0;
            continue;
        }
        if (!sized) PetscCall(sizes_find(k));
        sized = true;
        double size = norm_of(wide, b + l * wide);
        double rounding =
            first || !k->pattern ? 0 : 4 * DBL_EPSILON * norm_of(wide, k->sizes + l * wide);
        if (norm <= rounding && rounding <= 1e-6 * size) {
            k->norm[l] = 0;
            continue;
        }
        at->active++;
        if (ratio <= at->worst || isnan(at->worst)) continue;
        at->worst = ratio;
        at->residual = norm;
        at->size = size;
    }
    at->reduction = 1 / at->worst;
    return 0;
}

/* A step from the residual: x grows by the solution for it, lane by lane scaled to 1. */
static PetscErrorCode step_take(saros_krylov *k, const saros_krylov_tolerance *tolerance,
                                progress *at, KSPConvergedReason *reason) {
    PetscScalar *r, *x;
    const PetscScalar *d;
    PetscInt used = 0;
    int64_t wide = k->n / k->lanes;
    double rtol = fmax(0.5 * at->reduction / sqrt(at->active), 1e-14);
    PetscCall(VecGetArray(k->rhs, &r));
    for (int64_t i = 0; i < k->n; ++i) {
        double norm = k->norm[i / wide];
        r[i] = norm > 0 ? r[i] / norm : 0;
    }
    PetscCall(VecRestoreArray(k->rhs, &r));
    int64_t left = tolerance->max_iterations - at->iterations;
    PetscCall(KSPSetTolerances(k->ksp, rtol, 1e-300, PETSC_DEFAULT,
                               left < PETSC_MAX_INT ? (PetscInt)left : PETSC_MAX_INT));
    PetscCall(k->call->transposed ? KSPSolveTranspose(k->ksp, k->rhs, k->step)
                                  : KSPSolve(k->ksp, k->rhs, k->step));
    PetscCall(KSPGetConvergedReason(k->ksp, reason));
    PetscCall(KSPGetIterationNumber(k->ksp, &used));
    at->iterations += (int)used;
    PetscCall(VecGetArray(k->x, &x));
    PetscCall(VecGetArrayRead(k->step, &d));
    for (int64_t i = 0; i < k->n; ++i) x[i] += k->norm[i / wide] * d[i];
    PetscCall(VecRestoreArrayRead(k->step, &d));
    return VecRestoreArray(k->x, &x);
}

static saros_status not_converged(const saros_krylov *k, const progress *at, const char *why) {
    static const char *const role[] = {"the solve", "the derivative", "the transposed derivative"};
    const saros_krylov_call *call = k->call;
    bool finite = isfinite(at->residual);
    return saros_fail(finite ? SAROS_ERR_NOT_CONVERGED : SAROS_ERR_NAN, call->name,
                      "another ksp_type or pc_type, more iterations, or a direct solve",
                      "%s did not converge: %s after %d iterations, residual %.3g of %.3g",
                      role[call->role], why, at->iterations, at->residual, at->size);
}

/* b becomes the solution. */
static saros_status column_solve(saros_krylov *k, double *b) {
    const saros_krylov_tolerance *tolerance = &k->of[k->call->role];
    int64_t wide = k->n / k->lanes;
    KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
    saros_status status = SAROS_OK;
    progress at = {0};
    const PetscScalar *x;
    for (int64_t l = 0; l < k->lanes; ++l)
        k->target[l] = fmax(tolerance->rtol * norm_of(wide, b + l * wide), tolerance->atol);
    SAROS_TRY(saros_petsc_check(k->scope, VecZeroEntries(k->x)));
    for (bool first = true;; first = false) {
        double before = at.worst;
        SAROS_TRY(saros_petsc_check(k->scope, residual_find(k, b, first)));
        SAROS_TRY(saros_petsc_check(k->scope, residual_judge(k, b, first, &at)));
        if (at.active == 0) break;
        if (!isfinite(at.worst)) return not_converged(k, &at, "a value is not finite");
        bool lower = first || at.worst <= before / 2;
        bool broken = reason == KSP_DIVERGED_BREAKDOWN || reason == KSP_DIVERGED_BREAKDOWN_BICG;
        if (reason < 0 && !(broken && lower))
            return not_converged(k, &at, KSPConvergedReasons[reason]);
        if (!lower) return not_converged(k, &at, "stagnation");
        if (at.iterations >= tolerance->max_iterations)
            return not_converged(k, &at, KSPConvergedReasons[KSP_DIVERGED_ITS]);
        SAROS_TRY(saros_petsc_check(k->scope, step_take(k, tolerance, &at, &reason)));
    }
    SAROS_TRY(saros_petsc_check(k->scope, VecGetArrayRead(k->x, &x)));
    memcpy(b, x, (size_t)k->n * sizeof *b);
    status = saros_petsc_check(k->scope, VecRestoreArrayRead(k->x, &x));
done:
    return status;
}

/* Options are read as late as in the first solve; one nobody read explains more than its outcome.
 */
static saros_status options_read(saros_krylov *k, saros_status status) {
    if (k->read) return status;
    k->scope->options = k->options;
    saros_status unread = saros_petsc_options_read(k->scope);
    k->scope->options = NULL;
    k->read = unread == SAROS_OK;
    return unread ? unread : status;
}

saros_status saros_krylov_solve(saros_krylov *k, const saros_krylov_call *call, int64_t columns,
                                double *b) {
    saros_petsc scope;
    if (k->n == 0 || columns == 0) return SAROS_OK;
    saros_tensor **operand = saros_allocate_zero((size_t)call->ins + 1, sizeof *operand);
    if (!operand) return SAROS_ERR_MEMORY;
    saros_status status = saros_petsc_enter(&scope);
    if (status) {
        saros_release(operand);
        return status;
    }
    if (call->ins) memcpy(operand, call->in, (size_t)call->ins * sizeof *operand);
    k->scope = &scope;
    k->call = call;
    k->operand = operand;
    for (int64_t c = 0; c < columns && status == SAROS_OK; ++c) {
        status = column_solve(k, b + c * k->n);
        if (c == 0) status = options_read(k, status);
    }
    k->scope = NULL;
    k->call = NULL;
    k->operand = NULL;
    saros_petsc_leave(&scope);
    saros_release(operand);
    return status;
}
