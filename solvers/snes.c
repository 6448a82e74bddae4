/** SNES on functions: Newton's method and its kin with PETSc's linear solvers.
 *
 *  Default: line-search Newton, LU by UMFPACK; matrix-free: GMRES. The Jacobian is an AIJ matrix
 * whose values a saros_jacobian writes in place. Convergence is PETSc's test on |F|, and, with a
 * matrix, |F| <= 4 eps | |J| |x| |: the residual that rounding x alone leaves.
 *
 *  Serial: one process solves the whole system.
 */
#include "saros/nonlinear.h"

#include <math.h>
#include <petscsnes.h>
#include <string.h>

#include "petsc_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"

typedef struct steady {
    saros_petsc scope;
    const saros_function *residual, *jvp;
    const saros_snes_options *options;
    saros_tensor **operand; /* x, parameters, and room for v */
    int operands;           /* without v */
    int64_t n;
    saros_jacobian *entries; /* NULL: matrix-free */
    double *base;            /* matrix-free: where J is taken */
    SNES snes;
    Vec x, f;
    Mat jacobian;
} steady;

/* out = function at x (and v); operands 1 … hold the parameters */
static saros_status steady_call(steady *s, const saros_function *function, const double *x,
                                const double *v, double *out) {
    saros_tensor *in = NULL, *along = NULL, *result = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_petsc_borrow(x, s->n, &in));
    SAROS_TRY(saros_petsc_borrow(out, s->n, &result));
    if (v) SAROS_TRY(saros_petsc_borrow(v, s->n, &along));
    s->operand[0] = in;
    s->operand[s->operands] = along;
    status = saros_function_call(function, s->operand, &result, NULL);
done:
    saros_tensor_release(in);
    saros_tensor_release(along);
    saros_tensor_release(result);
    return status;
}

static PetscErrorCode steady_residual(SNES snes, Vec x, Vec f, void *user) {
    steady *s = user;
    const PetscScalar *at;
    PetscScalar *to;
    PetscCall(VecGetArrayRead(x, &at));
    PetscCall(VecGetArrayWrite(f, &to));
    saros_status status = steady_call(s, s->residual, at, NULL, to);
    PetscCall(VecRestoreArrayWrite(f, &to));
    PetscCall(VecRestoreArrayRead(x, &at));
    if (status == SAROS_RETRY) return SNESSetFunctionDomainError(snes);
    return status ? saros_petsc_park(&s->scope) : 0;
}

static saros_status steady_fill(steady *s, const double *at, double *to) {
    saros_tensor *x = NULL;
    saros_status status = saros_petsc_borrow(at, s->n, &x);
    if (status) return status;
    s->operand[0] = x;
    status = saros_jacobian_values(s->entries, s->operand, to);
    saros_tensor_release(x);
    return status;
}

static PetscErrorCode steady_assemble(SNES snes, Vec x, Mat a, Mat p, void *user) {
    (void)snes;
    (void)a;
    steady *s = user;
    const PetscScalar *at;
    PetscScalar *to;
    PetscCall(VecGetArrayRead(x, &at));
    PetscCall(MatSeqAIJGetArray(p, &to));
    saros_status status = steady_fill(s, at, to);
    PetscCall(MatSeqAIJRestoreArray(p, &to));
    PetscCall(VecRestoreArrayRead(x, &at));
    if (status) return saros_petsc_park(&s->scope);
    PetscCall(MatAssemblyBegin(p, MAT_FINAL_ASSEMBLY));
    return MatAssemblyEnd(p, MAT_FINAL_ASSEMBLY);
}

static PetscErrorCode steady_place(SNES snes, Vec x, Mat a, Mat p, void *user) {
    (void)snes;
    (void)p;
    steady *s = user;
    const PetscScalar *at;
    PetscCall(VecGetArrayRead(x, &at));
    memcpy(s->base, at, (size_t)s->n * sizeof *s->base);
    PetscCall(VecRestoreArrayRead(x, &at));
    PetscCall(MatAssemblyBegin(a, MAT_FINAL_ASSEMBLY));
    return MatAssemblyEnd(a, MAT_FINAL_ASSEMBLY);
}

static PetscErrorCode steady_product(Mat a, Vec v, Vec product) {
    steady *s = NULL;
    const PetscScalar *along;
    PetscScalar *to;
    PetscCall(MatShellGetContext(a, &s));
    PetscCall(VecGetArrayRead(v, &along));
    PetscCall(VecGetArrayWrite(product, &to));
    saros_status status = steady_call(s, s->jvp, s->base, along, to);
    PetscCall(VecRestoreArrayWrite(product, &to));
    PetscCall(VecRestoreArrayRead(v, &along));
    return status ? saros_petsc_park(&s->scope) : 0;
}

/* The residual that rounding x alone leaves. */
static PetscErrorCode steady_rounding(steady *s, PetscReal *floor) {
    const PetscScalar *x, *a;
    PetscCall(VecGetArrayRead(s->x, &x));
    PetscCall(MatSeqAIJGetArrayRead(s->jacobian, &a));
    *floor = saros_sparse_rounding(saros_jacobian_sparsity(s->entries), a, x);
    PetscCall(MatSeqAIJRestoreArrayRead(s->jacobian, &a));
    return VecRestoreArrayRead(s->x, &x);
}

static PetscErrorCode steady_converged(SNES snes, PetscInt it, PetscReal xnorm, PetscReal snorm,
                                       PetscReal fnorm, SNESConvergedReason *reason, void *user) {
    steady *s = user;
    PetscReal floor = 0;
    PetscCall(SNESConvergedDefault(snes, it, xnorm, snorm, fnorm, reason, NULL));
    if (*reason != SNES_CONVERGED_ITERATING || it == 0 || !s->entries) return 0;
    PetscCall(steady_rounding(s, &floor));
    if (fnorm <= floor) *reason = SNES_CONVERGED_FNORM_ABS;
    return 0;
}

/* ---- set up ---- */

static saros_status steady_operands(steady *s, int parameters, saros_tensor *const *parameter,
                                    saros_tensor *guess) {
    if (saros_tensor_rank(guess) != 1 || saros_tensor_dtype(guess) != SAROS_F64)
        return saros_fail(SAROS_ERR_TYPE, "snes", "reshape the unknowns to one axis",
                          "the guess must be f64 of rank 1");
    s->n = saros_tensor_count(guess);
    s->operands = 1 + parameters;
    s->operand = saros_allocate_zero((size_t)s->operands + 1, sizeof(saros_tensor *));
    if (!s->operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < parameters; ++k) s->operand[1 + k] = parameter[k];
    if (s->n > PETSC_MAX_INT)
        return saros_fail(SAROS_ERR_DOMAIN, "snes", NULL,
                          "%lld unknowns are too many for this PETSc", (long long)s->n);
    return SAROS_OK;
}

static saros_status steady_entries(steady *s) {
    const saros_snes_options *o = s->options;
    saros_status status = SAROS_OK;
    if (o->jacobian)
        s->entries = saros_jacobian_retain(o->jacobian);
    else if (o->sparsity)
        SAROS_TRY(saros_jacobian_wrap(o->sparsity, s->jvp, s->operands, &s->entries));
    const saros_sparsity *pattern = saros_jacobian_sparsity(s->entries);
    if (pattern->n != s->n)
        return saros_fail(SAROS_ERR_SHAPE, "snes", NULL,
                          "the sparsity is of order %lld, the unknowns are %lld",
                          (long long)pattern->n, (long long)s->n);
done:
    return status;
}

static PetscErrorCode assembled_make(steady *s) {
    KSP ksp;
    PC pc;
    PetscCall(SNESSetJacobian(s->snes, s->jacobian, s->jacobian, steady_assemble, s));
    PetscCall(SNESGetKSP(s->snes, &ksp));
    PetscCall(KSPSetType(ksp, KSPPREONLY));
    PetscCall(KSPGetPC(ksp, &pc));
    PetscCall(PCSetType(pc, PCLU));
    return PCFactorSetMatSolverType(pc, MATSOLVERUMFPACK);
}

static PetscErrorCode matrix_free_make(steady *s) {
    PetscInt n = (PetscInt)s->n;
    KSP ksp;
    PC pc;
    PetscCall(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, s, &s->jacobian));
    PetscCall(
        MatShellSetOperation(s->jacobian, MATOP_MULT, (void (*)(void))(uintptr_t)steady_product));
    PetscCall(SNESSetJacobian(s->snes, s->jacobian, s->jacobian, steady_place, s));
    PetscCall(SNESGetKSP(s->snes, &ksp));
    PetscCall(KSPSetTolerances(ksp, 1e-8, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
    PetscCall(KSPGetPC(ksp, &pc));
    return PCSetType(pc, PCNONE);
}

static PetscErrorCode steady_objects(steady *s) {
    const saros_snes_options *o = s->options;
    PetscInt n = (PetscInt)s->n, most = o->max_iterations > 0 ? o->max_iterations : 50;
    PetscCall(VecCreateSeq(PETSC_COMM_SELF, n, &s->x));
    PetscCall(VecDuplicate(s->x, &s->f));
    PetscCall(SNESCreate(PETSC_COMM_SELF, &s->snes));
    /* the linear solver made below inherits them */
    PetscCall(PetscObjectSetOptions((PetscObject)s->snes, s->scope.options));
    PetscCall(SNESSetFunction(s->snes, s->f, steady_residual, s));
    PetscCall(SNESSetType(s->snes, SNESNEWTONLS));
    PetscCall(SNESSetTolerances(s->snes, o->atol > 0 ? o->atol : 1e-12,
                                o->rtol > 0 ? o->rtol : 1e-10, 0, most, -1));
    PetscCall(SNESSetConvergenceTest(s->snes, steady_converged, s, NULL));
    return s->entries ? assembled_make(s) : matrix_free_make(s);
}

static saros_status steady_read_options(steady *s) {
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_petsc_options_type(&s->scope, "snes_type", SNESList));
    SAROS_TRY(saros_petsc_options_type(&s->scope, "ksp_type", KSPList));
    SAROS_TRY(saros_petsc_options_type(&s->scope, "pc_type", PCList));
    SAROS_TRY(saros_petsc_check(&s->scope, SNESSetFromOptions(s->snes)));
done:
    return status;
}

static PetscErrorCode steady_run(steady *s, const double *guess) {
    PetscScalar *x;
    PetscCall(VecGetArrayWrite(s->x, &x));
    memcpy(x, guess, (size_t)s->n * sizeof *x);
    PetscCall(VecRestoreArrayWrite(s->x, &x));
    return SNESSolve(s->snes, NULL, s->x);
}

static void steady_free(steady *s) {
    SNESDestroy(&s->snes);
    MatDestroy(&s->jacobian);
    VecDestroy(&s->x);
    VecDestroy(&s->f);
    saros_jacobian_release(s->entries);
    saros_release(s->operand);
    saros_release(s->base);
}

/* ---- the end ---- */

static saros_status steady_verdict(steady *s, saros_snes_info *info) {
    SNESConvergedReason reason = SNES_CONVERGED_ITERATING;
    KSPConvergedReason linear = KSP_CONVERGED_ITERATING;
    PetscInt iterations = 0, linears = 0;
    PetscReal norm = 0;
    KSP ksp = NULL;
    SNESGetConvergedReason(s->snes, &reason);
    SNESGetIterationNumber(s->snes, &iterations);
    SNESGetLinearSolveIterations(s->snes, &linears);
    SNESGetFunctionNorm(s->snes, &norm);
    SNESGetKSP(s->snes, &ksp);
    KSPGetConvergedReason(ksp, &linear);
    *info = (saros_snes_info){.iterations = iterations,
                              .linear_iterations = linears,
                              .residual = norm,
                              .converged = reason > 0,
                              .reason = SNESConvergedReasons[reason]};
    bool not_finite = reason == SNES_DIVERGED_FNORM_NAN || !isfinite(norm);
    if (info->converged || (s->options->accept_last && !not_finite)) return SAROS_OK;
    bool by_linear = reason == SNES_DIVERGED_LINEAR_SOLVE;
    return saros_fail(not_finite ? SAROS_ERR_NAN : SAROS_ERR_NOT_CONVERGED, "snes",
                      "give a better guess, or reach the parameters in steps",
                      "%s%s%s after %d iterations, residual %.3g", info->reason,
                      by_linear ? ", linear solver " : "",
                      by_linear ? KSPConvergedReasons[linear] : "", info->iterations,
                      info->residual);
}

static saros_status steady_solution(steady *s, saros_tensor **out) {
    const PetscScalar *x;
    saros_status status = saros_petsc_check(&s->scope, VecGetArrayRead(s->x, &x));
    if (status) return status;
    status = saros_tensor_from(SAROS_F64, 1, &s->n, x, out);
    VecRestoreArrayRead(s->x, &x);
    return status;
}

saros_status saros_snes_solve(const saros_function *residual, const saros_function *jvp,
                              int parameters, saros_tensor *const *parameter, saros_tensor *guess,
                              const saros_snes_options *options, saros_tensor **solution,
                              saros_snes_info *info) {
    static const saros_snes_options defaults;
    steady s = {.residual = residual, .jvp = jvp, .options = options ? options : &defaults};
    saros_status status = saros_petsc_enter(&s.scope);
    if (status) return status;
    saros_tensor *start = NULL, *found = NULL;
    saros_snes_info report = {0};
    SAROS_TRY(steady_operands(&s, parameters, parameter, guess));
    SAROS_TRY(saros_tensor_contiguous(guess, &start));
    if (s.options->sparsity || s.options->jacobian)
        SAROS_TRY(steady_entries(&s));
    else if (!(s.base = saros_allocate((size_t)s.n * sizeof *s.base)))
        SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_petsc_options(&s.scope, s.options->petsc));
    if (s.entries)
        SAROS_TRY(saros_petsc_matrix(&s.scope, saros_jacobian_sparsity(s.entries), &s.jacobian));
    SAROS_TRY(saros_petsc_check(&s.scope, steady_objects(&s)));
    SAROS_TRY(steady_read_options(&s));
    status = saros_petsc_check(&s.scope, steady_run(&s, saros_tensor_const_data(start)));
    /* options are read as late as in the solve; one nobody read explains more than its outcome */
    saros_status unread = saros_petsc_options_read(&s.scope);
    if (unread) status = unread;
    if (status) goto done;
    status = steady_verdict(&s, &report);
    if (info) *info = report;
    if (status == SAROS_OK) SAROS_TRY(steady_solution(&s, &found));
    if (found) *solution = found;
done:
    steady_free(&s);
    saros_petsc_leave(&s.scope);
    saros_tensor_release(start);
    return status;
}
