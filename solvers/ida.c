/** IDAS on tensors (Hindmarsh and others 2005, section 2.2): Newton with the matrix
 * F_y + c F_y' from coloured products, factorised by the direct solver of this floor, or GMRES on
 * the products; values at output times from the interpolating polynomial.
 *
 *  Consistent initial values: the algebraic unknowns and all y' of the differential ones, such that
 * F = 0 (Brown, Hindmarsh and Petzold 1998). Index 1 only.
 *
 *  No adjoint; nodes of a graph are integrated by CVODES (cvode_march.c).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include "ida_impl.h"
#include "nvector_impl.h"
#include "saros/memory.h"
#include "sunsparse_impl.h"

/* ---- callbacks ---- */

void saros_ida_place(saros_ida_run *r, double t, N_Vector y, N_Vector rate) {
    *(double *)saros_tensor_data(r->operand[0]) = t;
    r->operand[1] = saros_nvector_tensor(y);
    r->operand[2] = saros_nvector_tensor(rate);
}

int saros_ida_outcome(saros_ida_run *r, saros_status status, const saros_tensor *result, double t) {
    const double *v = saros_tensor_const_data(result);
    for (int64_t i = 0; status == SAROS_OK && i < saros_tensor_count(result); ++i)
        if (!isfinite(v[i]))
            status = saros_fail(SAROS_ERR_NAN, "ida", NULL,
                                "the residual of row %lld at t = %g is %g", (long long)i, t, v[i]);
    if (status == SAROS_OK) return 0;
    if (status == SAROS_RETRY || status == SAROS_ERR_NAN) {
        snprintf(r->note, sizeof r->note, "%.200s", saros_error_last()->message);
        return 1;
    }
    if (!r->parked) r->parked = saros_error_park();
    return -1;
}

static int run_residual(realtype t, N_Vector y, N_Vector rate, N_Vector out, void *user) {
    saros_ida_run *r = user;
    saros_tensor *to = saros_nvector_tensor(out);
    saros_ida_place(r, t, y, rate);
    return saros_ida_outcome(r, saros_function_call(r->of->residual, r->operand, &to, NULL), to, t);
}

static void place_factor(saros_ida_run *r, double c) {
    *(double *)saros_tensor_data(r->factor) = c;
    r->operand[r->operands] = r->factor;
}

static int run_jacobian(realtype t, realtype c, N_Vector y, N_Vector rate, N_Vector residual,
                        SUNMatrix matrix, void *user, N_Vector x1, N_Vector x2, N_Vector x3) {
    (void)x1;
    (void)x2;
    (void)x3;
    saros_ida_run *r = user;
    saros_sparsity *asked = r->options->sparsity;
    const saros_function *product = r->of->product;
    saros_ida_place(r, t, y, rate);
    place_factor(r, c);
    saros_status status =
        saros_sparse_jacobian(asked, product, r->operands + 1, r->operand, r->values);
    if (status == SAROS_OK && !r->verified) {
        status = saros_sparse_verify(asked, product, r->operands + 1, r->operand, r->values);
        r->verified = true;
    }
    double *to = saros_sunmatrix_values(matrix);
    for (int64_t k = 0; k < asked->nonzeros; ++k) to[r->position[k]] = r->values[k];
    return saros_ida_outcome(r, status, saros_nvector_tensor(residual), t);
}

static int run_product(realtype t, N_Vector y, N_Vector rate, N_Vector residual, N_Vector v,
                       N_Vector out, realtype c, void *user, N_Vector x1, N_Vector x2) {
    (void)residual;
    (void)x1;
    (void)x2;
    saros_ida_run *r = user;
    saros_tensor *to = saros_nvector_tensor(out);
    saros_ida_place(r, t, y, rate);
    place_factor(r, c);
    r->operand[r->operands + 1] = saros_nvector_tensor(v);
    return saros_ida_outcome(r, saros_function_call(r->of->product, r->operand, &to, NULL), to, t);
}

static void run_message(int code, const char *module, const char *function, char *text,
                        void *user) {
    (void)module;
    (void)function;
    saros_ida_run *r = user;
    if (code < 0) snprintf(r->words, sizeof r->words, "%.240s", text);
}

/* ---- errors ---- */

static saros_status flag_status(int flag) {
    switch (flag) {
    case IDA_TOO_MUCH_WORK:
    case IDA_ERR_FAIL:
    case IDA_CONV_FAIL:
    case IDA_LSETUP_FAIL:
    case IDA_LSOLVE_FAIL:
    case IDA_LINESEARCH_FAIL:
    case IDA_NO_RECOVERY:
    case IDA_BAD_EWT:
        return SAROS_ERR_NOT_CONVERGED;
    case IDA_RES_FAIL:
    case IDA_FIRST_RES_FAIL:
    case IDA_REP_RES_ERR:
        return SAROS_ERR_DIVERGED;
    case IDA_TOO_MUCH_ACC:
    case IDA_ILL_INPUT:
        return SAROS_ERR_USAGE;
    case IDA_MEM_FAIL:
        return SAROS_ERR_MEMORY;
    default:
        return SAROS_ERR_INTERNAL;
    }
}

saros_status saros_ida_check(saros_ida_run *r, int flag) {
    if (saros_nvector_clone_failed())
        return saros_fail(SAROS_ERR_MEMORY, "ida", NULL, "out of memory for its vectors");
    if (flag >= 0) return SAROS_OK;
    if (r->matrix && r->solver && saros_sunsolver_status(r->solver) == SAROS_ERR_MEMORY)
        return SAROS_ERR_MEMORY;
    if (r->parked) {
        saros_status status = saros_error_unpark(r->parked);
        r->parked = NULL;
        return status;
    }
    realtype t = 0, h = 0;
    long steps = 0;
    if (r->memory) {
        IDAGetCurrentTime(r->memory, &t);
        IDAGetLastStep(r->memory, &h);
        IDAGetNumSteps(r->memory, &steps);
    }
    return saros_fail(flag_status(flag), "ida",
                      "loosen rtol and atol, or look at the solution before this time",
                      "stopped at t = %g, step %g, after %ld steps: %s%s%s", t, h, steps,
                      r->words[0] ? r->words : "no reason given", r->note[0] ? "; " : "", r->note);
}

saros_status saros_ida_made(const void *made) {
    if (made) return SAROS_OK;
    return saros_fail(SAROS_ERR_MEMORY, "ida", NULL, "out of memory");
}

/* ---- set up ---- */

saros_status saros_ida_vector(saros_ida_run *r, saros_tensor *from, N_Vector *out) {
    saros_tensor *values = NULL;
    saros_status status = saros_tensor_zeros(SAROS_F64, 1, saros_tensor_shape(r->of->y0), &values);
    if (status == SAROS_OK && from) status = saros_tensor_assign(values, from);
    if (status == SAROS_OK) {
        *out = saros_nvector_make(values, r->context);
        status = saros_ida_made(*out);
    }
    saros_tensor_release(values);
    return status;
}

static saros_status run_operands(saros_ida_run *r) {
    const saros_ida_problem *p = r->of;
    r->operands = 3 + p->parameters;
    r->operand = saros_allocate_zero((size_t)(2 * r->operands), sizeof(saros_tensor *));
    if (!r->operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < p->parameters; ++k) r->operand[3 + k] = p->parameter[k];
    saros_status status = saros_tensor_scalar(SAROS_F64, 0, &r->operand[0]);
    return status ? status : saros_tensor_scalar(SAROS_F64, 0, &r->factor);
}

static saros_status run_solver(saros_ida_run *r) {
    saros_sparsity *asked = r->options->sparsity;
    const int64_t n = saros_tensor_count(r->of->y0);
    saros_status status = SAROS_OK;
    if (!asked) {
        SAROS_TRY(saros_ida_made(r->solver = SUNLinSol_SPGMR(r->y, SUN_PREC_NONE, 20, r->context)));
        SAROS_TRY(saros_ida_check(r, IDASetLinearSolver(r->memory, r->solver, NULL)));
        return saros_ida_check(r, IDASetJacTimes(r->memory, NULL, run_product));
    }
    if (saros_sparsity_size(asked) != n)
        return saros_fail(SAROS_ERR_SHAPE, "ida", NULL,
                          "the sparsity is of order %lld, the state has %lld unknowns",
                          (long long)saros_sparsity_size(asked), (long long)n);
    SAROS_TRY(saros_sparsity_with_diagonal(asked, &r->pattern));
    SAROS_TRY(saros_sparsity_positions(asked, r->pattern, &r->position));
    r->values = saros_allocate((size_t)asked->nonzeros * sizeof *r->values);
    if (!r->values) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_ida_made(r->matrix = saros_sunmatrix_make(r->pattern, r->context)));
    r->solver = saros_sunsolver_make(r->pattern, r->context);
    if (!r->solver) return saros_error_last()->status;
    SAROS_TRY(saros_ida_check(r, IDASetLinearSolver(r->memory, r->solver, r->matrix)));
    return saros_ida_check(r, IDASetJacFn(r->memory, run_jacobian));
done:
    return status;
}

static saros_status run_open(saros_ida_run *r) {
    const saros_ida_problem *p = r->of;
    const saros_ida_options *o = r->options;
    saros_status status = SAROS_OK;
    saros_nvector_clone_failed(); /* of earlier runs */
    SAROS_TRY(run_operands(r));
    if (SUNContext_Create(NULL, &r->context)) SAROS_TRY(saros_ida_made(NULL));
    SAROS_TRY(saros_ida_vector(r, p->y0, &r->y));
    SAROS_TRY(saros_ida_vector(r, p->rate0, &r->rate));
    SAROS_TRY(saros_ida_made(r->memory = IDACreate(r->context)));
    SAROS_TRY(saros_ida_check(r, IDASetErrHandlerFn(r->memory, run_message, r)));
    SAROS_TRY(saros_ida_check(r, IDAInit(r->memory, run_residual, p->time[0], r->y, r->rate)));
    SAROS_TRY(saros_ida_check(
        r, IDASStolerances(r->memory, o->rtol > 0 ? o->rtol : 1e-6, o->atol > 0 ? o->atol : 1e-9)));
    SAROS_TRY(saros_ida_check(r, IDASetUserData(r->memory, r)));
    SAROS_TRY(saros_ida_check(r, IDASetStopTime(r->memory, p->time[p->times - 1])));
    if (o->first_step > 0) SAROS_TRY(saros_ida_check(r, IDASetInitStep(r->memory, o->first_step)));
    if (o->max_step > 0) SAROS_TRY(saros_ida_check(r, IDASetMaxStep(r->memory, o->max_step)));
    SAROS_TRY(run_solver(r));
    if (p->directions) SAROS_TRY(saros_ida_sensitivities(r));
done:
    return status;
}

static void run_close(saros_ida_run *r) {
    if (r->memory) IDAFree(&r->memory);
    saros_ida_sensitivities_close(r);
    if (r->solver) SUNLinSolFree(r->solver);
    if (r->matrix) SUNMatDestroy(r->matrix);
    if (r->y) N_VDestroy(r->y);
    if (r->rate) N_VDestroy(r->rate);
    if (r->context) SUNContext_Free(&r->context);
    if (r->operand) saros_tensor_release(r->operand[0]);
    saros_tensor_release(r->factor);
    saros_release(r->operand);
    saros_release(r->position);
    saros_release(r->values);
    saros_sparsity_release(r->pattern);
    saros_error_unpark(r->parked);
}

/* Algebraic unknowns and y' that fulfil F = 0, from those given. */
static saros_status make_consistent(saros_ida_run *r) {
    const saros_ida_problem *p = r->of;
    N_Vector id = NULL;
    saros_tensor *ones = NULL;
    saros_status status = SAROS_OK;
    if (r->options->consistent || p->times < 2) return SAROS_OK;
    if (p->differential) SAROS_TRY(saros_tensor_cast(p->differential, SAROS_F64, &ones));
    SAROS_TRY(saros_ida_vector(r, ones, &id));
    if (!p->differential) N_VConst(1, id);
    SAROS_TRY(saros_ida_check(r, IDASetId(r->memory, id)));
    SAROS_TRY(saros_ida_check(r, IDACalcIC(r->memory, IDA_YA_YDP_INIT, p->time[1])));
    SAROS_TRY(saros_ida_check(r, IDAGetConsistentIC(r->memory, r->y, r->rate)));
    if (p->directions)
        SAROS_TRY(saros_ida_check(r, IDAGetSensConsistentIC(r->memory, r->s, r->s_rate)));
done:
    if (status) saros_error_frame("consistent values at t = %g", p->time[0]);
    if (id) N_VDestroy(id);
    saros_tensor_release(ones);
    return status;
}

/* ---- integrate ---- */

static saros_status give(saros_ida_run *r, double t, bool first, saros_tangent_fn output,
                         void *user) {
    N_Vector y = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_ida_vector(r, NULL, &y));
    if (first)
        N_VScale(1, r->y, y);
    else
        SAROS_TRY(saros_ida_check(r, IDAGetDky(r->memory, t, 0, y)));
    for (int d = 0; d < r->of->directions; ++d) {
        if (!first) SAROS_TRY(saros_ida_check(r, IDAGetSensDky1(r->memory, t, 0, d, r->s[d])));
        r->now[d] = saros_nvector_tensor(r->s[d]);
    }
    status = output(t, saros_nvector_tensor(y), r->of->directions, r->now, user);
done:
    if (y) N_VDestroy(y);
    return status;
}

/* Steps until `until` is passed; `*t` is where IDAS stands. */
static saros_status run_steps(saros_ida_run *r, double until, double end, double *t,
                              saros_stop_fn stop, void *user) {
    const int64_t most = r->options->max_steps > 0 ? r->options->max_steps : 100000;
    for (int64_t k = 0; *t < until; ++k) {
        if (stop && stop(*t, user))
            return saros_fail(SAROS_ERR_STOPPED, "ida", NULL, "stopped on request at t = %g", *t);
        if (k >= most)
            return saros_fail(SAROS_ERR_NOT_CONVERGED, "ida", "raise max_steps or loosen rtol",
                              "%lld steps did not reach the output at t = %g: now at t = %g%s%s",
                              (long long)most, until, *t, r->note[0] ? "; " : "", r->note);
        saros_status status =
            saros_ida_check(r, IDASolve(r->memory, end, t, r->y, r->rate, IDA_ONE_STEP));
        if (status) return status;
    }
    return SAROS_OK;
}

static void run_info(saros_ida_run *r, saros_ode_info *info) {
    long steps = 0, residuals = 0, jacobians = 0, iterations = 0, failures = 0;
    realtype last = 0, now = 0;
    IDAGetNumSteps(r->memory, &steps);
    IDAGetNumResEvals(r->memory, &residuals);
    IDAGetNumNonlinSolvIters(r->memory, &iterations);
    IDAGetNumErrTestFails(r->memory, &failures);
    IDAGetLastStep(r->memory, &last);
    IDAGetCurrentTime(r->memory, &now);
    if (r->matrix) IDAGetNumJacEvals(r->memory, &jacobians);
    *info =
        (saros_ode_info){.steps = steps,
                         .rate_evaluations = residuals,
                         .jacobian_evaluations = jacobians,
                         .newton_iterations = iterations,
                         .error_test_failures = failures,
                         .last_step = last,
                         .last_time = now,
                         .linear_solver = r->matrix ? saros_sunsolver_name(r->solver) : "GMRES"};
}

static saros_status check_problem(const saros_ida_problem *p) {
    if (saros_tensor_rank(p->y0) != 1)
        return saros_fail(SAROS_ERR_SHAPE, "ida", "reshape the state to one axis",
                          "the state is of rank %d", saros_tensor_rank(p->y0));
    if (p->times < 1) return saros_fail(SAROS_ERR_USAGE, "ida", NULL, "no output times");
    for (int k = 1; k < p->times; ++k)
        if (!(p->time[k] > p->time[k - 1]))
            return saros_fail(SAROS_ERR_USAGE, "ida", NULL, "output times must ascend: %g after %g",
                              p->time[k], p->time[k - 1]);
    if (p->directions && !p->tangent)
        return saros_fail(SAROS_ERR_USAGE, "ida", NULL, "sensitivities need the tangent");
    return SAROS_OK;
}

saros_status saros_ida_solve(const saros_ida_problem *problem, const saros_ida_options *options,
                             saros_tangent_fn output, saros_stop_fn stop, void *user,
                             saros_ode_info *info) {
    static const saros_ida_options defaults;
    saros_ida_run r = {.of = problem, .options = options ? options : &defaults};
    saros_status status = SAROS_OK;
    SAROS_TRY(check_problem(problem));
    SAROS_TRY(run_open(&r));
    SAROS_TRY(make_consistent(&r));
    const double *time = problem->time;
    double t = time[0];
    SAROS_TRY(give(&r, t, true, output, user));
    for (int k = 1; k < problem->times && status == SAROS_OK; ++k) {
        status = run_steps(&r, time[k], time[problem->times - 1], &t, stop, user);
        if (status == SAROS_OK) status = give(&r, time[k], false, output, user);
    }
    if (info) run_info(&r, info);
done:
    run_close(&r);
    return status;
}
