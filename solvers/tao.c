/** TAO on functions: minimisation with a gradient, with or without bounds.
 *
 *  Inside, the unknowns are z = w / scale, so that z is of order one: the gradient becomes scale
 * dJ/dw and the bounds w / scale. A trial point where the objective is not finite or cannot be
 * computed (a solve inside diverges) is reported to the line search as twice the worst value known,
 * flat, which shortens the step by its interpolation; at the start it is an error.
 *
 *  With a Hessian, Newton's method (TAO nls, bnls): H is a sparse matrix, in z scale_i H_ij
 * scale_j. Methods that want one and have none are refused by TAO itself.
 */
#include "saros/minimise.h"

#include <math.h>
#include <petsctao.h>
#include <string.h>

#include "petsc_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"

typedef struct descent {
    saros_petsc scope;
    const saros_function *objective;
    const saros_minimise_options *options;
    saros_tensor **operand; /* w, constants */
    saros_tensor *w;
    int64_t n, history_count, history_room;
    double *history, worst; /* worst: largest value of the objective so far */
    int evaluations;
    bool stopped;
    Tao tao;
    Vec z, lower, upper;
    Mat hessian;
} descent;

static double scale_of(const descent *d, int64_t i) {
    return d->options->scale ? d->options->scale[i] : 1;
}

/* J and scale dJ/dw at z */
static saros_status descent_call(descent *d, const double *z, double *value, double *gradient) {
    saros_tensor *out[2] = {NULL, NULL};
    double *w = saros_tensor_data(d->w);
    for (int64_t i = 0; i < d->n; ++i) w[i] = z[i] * scale_of(d, i);
    saros_status status = saros_function_call(d->objective, d->operand, out, NULL);
    if (status) return status;
    const double *g = saros_tensor_const_data(out[1]);
    bool finite = true;
    status = saros_tensor_item(out[0], value);
    for (int64_t i = 0; i < d->n; ++i) {
        gradient[i] = g[i] * scale_of(d, i);
        finite = finite && isfinite(gradient[i]);
    }
    if (status == SAROS_OK && !(finite && isfinite(*value)))
        status = saros_fail(SAROS_ERR_NAN, "minimise", "start where the objective is finite",
                            "the objective is %g and its gradient %s finite", *value,
                            finite ? "is" : "is not");
    saros_tensor_release(out[0]);
    saros_tensor_release(out[1]);
    return status;
}

static PetscErrorCode descent_objective(Tao tao, Vec z, PetscReal *value, Vec gradient,
                                        void *user) {
    (void)tao;
    descent *d = user;
    const PetscScalar *at;
    PetscScalar *to;
    PetscCall(VecGetArrayRead(z, &at));
    PetscCall(VecGetArrayWrite(gradient, &to));
    double j = 0;
    saros_status status = descent_call(d, at, &j, to);
    bool first = d->evaluations++ == 0;
    bool unusable = status == SAROS_ERR_NAN || status == SAROS_RETRY ||
                    status == SAROS_ERR_NOT_CONVERGED || status == SAROS_ERR_DIVERGED;
    if (status == SAROS_OK && (first || j > d->worst)) d->worst = j;
    if (!first && unusable) {
        j = d->worst + fabs(d->worst);
        for (int64_t i = 0; i < d->n; ++i) to[i] = 0;
        status = SAROS_OK;
    }
    *value = j;
    PetscCall(VecRestoreArrayWrite(gradient, &to));
    PetscCall(VecRestoreArrayRead(z, &at));
    return status ? saros_petsc_park(&d->scope) : 0;
}

static saros_status hessian_fill(descent *d, const double *z, double *values) {
    const saros_sparsity *p = saros_jacobian_sparsity(d->options->hessian);
    double *w = saros_tensor_data(d->w);
    for (int64_t i = 0; i < d->n; ++i) w[i] = z[i] * scale_of(d, i);
    saros_status status = saros_jacobian_values(d->options->hessian, d->operand, values);
    for (int64_t i = 0; status == SAROS_OK && d->options->scale && i < d->n; ++i)
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k)
            values[k] *= scale_of(d, i) * scale_of(d, p->column[k]);
    return status;
}

static PetscErrorCode descent_hessian(Tao tao, Vec z, Mat h, Mat preconditioner, void *user) {
    (void)tao;
    (void)preconditioner;
    descent *d = user;
    const PetscScalar *at;
    PetscScalar *to;
    PetscCall(VecGetArrayRead(z, &at));
    PetscCall(MatSeqAIJGetArray(h, &to));
    saros_status status = hessian_fill(d, at, to);
    PetscCall(MatSeqAIJRestoreArray(h, &to));
    PetscCall(VecRestoreArrayRead(z, &at));
    if (status) return saros_petsc_park(&d->scope);
    PetscCall(MatAssemblyBegin(h, MAT_FINAL_ASSEMBLY));
    return MatAssemblyEnd(h, MAT_FINAL_ASSEMBLY);
}

/* Called once an iteration: history, and the question whether to stop. */
static PetscErrorCode descent_watch(Tao tao, void *user) {
    descent *d = user;
    PetscInt iteration = 0;
    PetscReal value = 0;
    PetscCall(TaoGetSolutionStatus(tao, &iteration, &value, NULL, NULL, NULL, NULL));
    if (d->history_count == d->history_room) {
        int64_t room = d->history_room ? 2 * d->history_room : 64;
        double *grown = saros_reallocate(d->history, (size_t)room * sizeof *grown);
        if (!grown) return saros_petsc_park(&d->scope);
        d->history = grown;
        d->history_room = room;
    }
    d->history[d->history_count++] = value;
    if (d->options->stop && d->options->stop((int)iteration, value, d->options->user)) {
        d->stopped = true;
        PetscCall(TaoSetConvergedReason(tao, TAO_DIVERGED_USER));
    }
    return 0;
}

/* A bound vector in z, `without` where there is none. */
static PetscErrorCode bound_make(const descent *d, const double *bound, double without, Vec *out) {
    PetscScalar *b;
    PetscCall(VecDuplicate(d->z, out));
    PetscCall(VecGetArrayWrite(*out, &b));
    for (int64_t i = 0; i < d->n; ++i)
        b[i] = bound && isfinite(bound[i]) ? bound[i] / scale_of(d, i) : without;
    return VecRestoreArrayWrite(*out, &b);
}

static PetscErrorCode descent_open(descent *d, const double *start) {
    const saros_minimise_options *o = d->options;
    bool bounds = o->lower || o->upper;
    PetscScalar *z;
    PetscCall(VecCreateSeq(PETSC_COMM_SELF, (PetscInt)d->n, &d->z));
    PetscCall(VecGetArrayWrite(d->z, &z));
    for (int64_t i = 0; i < d->n; ++i) z[i] = start[i] / scale_of(d, i);
    PetscCall(VecRestoreArrayWrite(d->z, &z));
    PetscCall(TaoCreate(PETSC_COMM_SELF, &d->tao));
    PetscCall(PetscObjectSetOptions((PetscObject)d->tao, d->scope.options));
    const char *newton = bounds ? TAOBNLS : TAONLS, *gradients = bounds ? TAOBLMVM : TAOLMVM;
    PetscCall(TaoSetType(d->tao, o->method ? o->method : o->hessian ? newton : gradients));
    if (d->hessian) PetscCall(TaoSetHessian(d->tao, d->hessian, d->hessian, descent_hessian, d));
    PetscCall(TaoSetSolution(d->tao, d->z));
    PetscCall(TaoSetObjectiveAndGradient(d->tao, NULL, descent_objective, d));
    PetscCall(TaoSetTolerances(d->tao, o->gradient_atol > 0 ? o->gradient_atol : 1e-10, 0,
                               o->gradient_rtol > 0 ? o->gradient_rtol : 1e-8));
    PetscCall(TaoSetMaximumIterations(d->tao, o->max_iterations > 0 ? o->max_iterations : 200));
    PetscCall(TaoSetMonitor(d->tao, descent_watch, d, NULL));
    if (bounds) {
        PetscCall(bound_make(d, o->lower, PETSC_NINFINITY, &d->lower));
        PetscCall(bound_make(d, o->upper, PETSC_INFINITY, &d->upper));
        PetscCall(TaoSetVariableBounds(d->tao, d->lower, d->upper));
    }
    return TaoSetFromOptions(d->tao);
}

static void descent_free(descent *d) {
    TaoDestroy(&d->tao);
    MatDestroy(&d->hessian);
    VecDestroy(&d->z);
    VecDestroy(&d->lower);
    VecDestroy(&d->upper);
    saros_tensor_release(d->w);
    saros_release(d->operand);
    saros_release(d->history);
}

static saros_status descent_check(const descent *d, saros_tensor *start) {
    const saros_minimise_options *o = d->options;
    if (saros_tensor_rank(start) != 1 || saros_tensor_dtype(start) != SAROS_F64)
        return saros_fail(SAROS_ERR_TYPE, "minimise", "flatten the unknowns",
                          "the start must be f64 of rank 1");
    if (o->hessian && saros_sparsity_size(saros_jacobian_sparsity(o->hessian)) != d->n)
        return saros_fail(SAROS_ERR_SHAPE, "minimise", NULL,
                          "the Hessian is of order %lld, the unknowns are %lld",
                          (long long)saros_sparsity_size(saros_jacobian_sparsity(o->hessian)),
                          (long long)d->n);
    for (int64_t i = 0; i < d->n; ++i) {
        if (!(scale_of(d, i) > 0))
            return saros_fail(SAROS_ERR_DOMAIN, "minimise", NULL,
                              "scale %lld is %g, wanted above 0", (long long)i, scale_of(d, i));
        if (o->lower && o->upper && !(o->lower[i] <= o->upper[i]))
            return saros_fail(SAROS_ERR_DOMAIN, "minimise", NULL,
                              "bounds of unknown %lld are %g and %g", (long long)i, o->lower[i],
                              o->upper[i]);
    }
    return SAROS_OK;
}

static saros_status descent_operands(descent *d, int constants, saros_tensor *const *constant) {
    d->operand = saros_allocate((size_t)(constants + 1) * sizeof(saros_tensor *));
    if (!d->operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < constants; ++k) d->operand[1 + k] = constant[k];
    saros_status status = saros_tensor_make(SAROS_F64, 1, &d->n, &d->w);
    d->operand[0] = d->w;
    return status;
}

/* The end point and what is known of it. */
static saros_status descent_result(descent *d, saros_tensor **solution, saros_minimise_info *info) {
    TaoConvergedReason reason = TAO_CONTINUE_ITERATING;
    PetscInt iterations = 0;
    PetscReal value = 0, norm = 0;
    const PetscScalar *z;
    saros_status status = saros_petsc_check(
        &d->scope, TaoGetSolutionStatus(d->tao, &iterations, &value, &norm, NULL, NULL, &reason));
    if (status == SAROS_OK) status = saros_petsc_check(&d->scope, VecGetArrayRead(d->z, &z));
    if (status) return status;
    double *w = saros_tensor_data(d->w);
    for (int64_t i = 0; i < d->n; ++i) w[i] = z[i] * scale_of(d, i);
    VecRestoreArrayRead(d->z, &z);
    *solution = saros_tensor_retain(d->w);
    if (!info) return SAROS_OK;
    *info = (saros_minimise_info){.iterations = iterations,
                                  .evaluations = d->evaluations,
                                  .value = value,
                                  .gradient_norm = norm,
                                  .converged = reason > 0,
                                  .reason = d->stopped ? "stopped on request"
                                                       : TaoConvergedReasons[reason],
                                  .history_count = d->history_count,
                                  .history = d->history};
    d->history = NULL;
    return SAROS_OK;
}

saros_status saros_minimise(const saros_function *objective, int constants,
                            saros_tensor *const *constant, saros_tensor *start,
                            const saros_minimise_options *options, saros_tensor **solution,
                            saros_minimise_info *info) {
    static const saros_minimise_options defaults;
    descent d = {.objective = objective,
                 .options = options ? options : &defaults,
                 .n = saros_tensor_count(start)};
    saros_status status = saros_petsc_enter(&d.scope);
    if (status) return status;
    saros_tensor *from = NULL;
    SAROS_TRY(descent_check(&d, start));
    SAROS_TRY(saros_tensor_contiguous(start, &from));
    SAROS_TRY(descent_operands(&d, constants, constant));
    SAROS_TRY(saros_petsc_options(&d.scope, NULL));
    if (d.options->hessian)
        SAROS_TRY(
            saros_petsc_matrix(&d.scope, saros_jacobian_sparsity(d.options->hessian), &d.hessian));
    SAROS_TRY(saros_petsc_check(&d.scope, descent_open(&d, saros_tensor_const_data(from))));
    SAROS_TRY(saros_petsc_check(&d.scope, TaoSolve(d.tao)));
    SAROS_TRY(descent_result(&d, solution, info));
done:
    descent_free(&d);
    saros_petsc_leave(&d.scope);
    saros_tensor_release(from);
    return status;
}
