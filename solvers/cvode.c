/** CVODES on tensors: backward differentiation formulas with Newton, or Adams with fixed-point
 * iteration.
 *
 *  Newton's matrix I - gamma J comes from coloured products and goes to the direct solver of this
 * floor (sunsparse.c); without a sparsity GMRES uses the products alone. Steps are CVODES's own;
 * values at output times come from its interpolating polynomial, which is of the order of the
 * method; the last time is hit.
 *
 *  Not thread-safe within one call; sensitivities are in cvode_forward.c and cvode_adjoint.c.
 */
#include "cvode_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sunsparse_impl.h"

/* ---- callbacks ---- */

/* 0, 1 (a smaller step may help) or -1 */
int saros_cvode_outcome(saros_cvode_run *r, saros_status status) {
    if (status == SAROS_OK) return 0;
    if (status == SAROS_RETRY || status == SAROS_ERR_NAN) {
        snprintf(r->note, sizeof r->note, "%.200s", saros_error_last()->message);
        return 1;
    }
    if (!r->parked) r->parked = saros_error_park();
    return -1;
}

void saros_cvode_place(saros_cvode_run *r, double t, N_Vector y) {
    *(double *)saros_tensor_data(r->operand[0]) = t;
    r->operand[1] = saros_nvector_tensor(y);
}

saros_status saros_cvode_finite(double t, const double *value, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
        if (!isfinite(value[i]))
            return saros_fail(SAROS_ERR_NAN, "rate", NULL,
                              "the rate of unknown %lld at t = %g is %g", (long long)i, t,
                              value[i]);
    return SAROS_OK;
}

static int run_rate(realtype t, N_Vector y, N_Vector rate, void *user) {
    saros_cvode_run *r = user;
    saros_tensor *out = saros_nvector_tensor(rate);
    saros_cvode_place(r, t, y);
    saros_status status = saros_function_call(r->f.rate, r->operand, &out, NULL);
    if (status == SAROS_OK)
        status = saros_cvode_finite(t, saros_tensor_const_data(out), saros_tensor_count(out));
    return saros_cvode_outcome(r, status);
}

saros_status saros_cvode_jacobian(saros_cvode_run *r, double t, N_Vector y, double *values) {
    saros_cvode_place(r, t, y);
    return saros_jacobian_values(r->entries, r->operand, values);
}

static int run_jacobian(realtype t, N_Vector y, N_Vector rate, SUNMatrix matrix, void *user,
                        N_Vector a, N_Vector b, N_Vector c) {
    (void)rate;
    (void)a;
    (void)b;
    (void)c;
    saros_cvode_run *r = user;
    return saros_cvode_outcome(r, saros_cvode_jacobian(r, t, y, saros_sunmatrix_values(matrix)));
}

static int run_product(N_Vector v, N_Vector product, realtype t, N_Vector y, N_Vector rate,
                       void *user, N_Vector work) {
    (void)rate;
    (void)work;
    saros_cvode_run *r = user;
    saros_tensor *out = saros_nvector_tensor(product);
    saros_cvode_place(r, t, y);
    r->operand[r->operands] = saros_nvector_tensor(v);
    return saros_cvode_outcome(r, saros_function_call(r->f.jvp, r->operand, &out, NULL));
}

static void run_message(int code, const char *module, const char *function, char *text,
                        void *user) {
    (void)module;
    (void)function;
    saros_cvode_run *r = user;
    if (code < 0) snprintf(r->words, sizeof r->words, "%.240s", text);
}

/* ---- errors ---- */

static saros_status flag_status(int flag) {
    switch (flag) {
    case CV_TOO_MUCH_WORK:
    case CV_ERR_FAILURE:
    case CV_CONV_FAILURE:
    case CV_LSETUP_FAIL:
        return SAROS_ERR_NOT_CONVERGED;
    case CV_RHSFUNC_FAIL:
    case CV_FIRST_RHSFUNC_ERR:
    case CV_REPTD_RHSFUNC_ERR:
    case CV_UNREC_RHSFUNC_ERR:
        return SAROS_ERR_DIVERGED;
    case CV_TOO_MUCH_ACC:
    case CV_ILL_INPUT:
        return SAROS_ERR_USAGE;
    case CV_MEM_FAIL:
        return SAROS_ERR_MEMORY;
    default:
        return SAROS_ERR_INTERNAL;
    }
}

saros_status saros_cvode_check_at(saros_cvode_run *r, void *memory, const char *doing, int flag) {
    if (saros_nvector_clone_failed())
        return saros_fail(SAROS_ERR_MEMORY, "cvode", NULL, "out of memory for its vectors");
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
    if (memory) {
        CVodeGetCurrentTime(memory, &t);
        CVodeGetLastStep(memory, &h);
        CVodeGetNumSteps(memory, &steps);
    }
    return saros_fail(flag_status(flag), "cvode",
                      "loosen rtol and atol, or look at the solution before this time",
                      "%s of %s stopped at t = %g, step %g, after %ld steps: %s%s%s", doing,
                      r->options->adams ? "adams" : "bdf", t, h, steps,
                      r->words[0] ? r->words : "no reason given", r->note[0] ? "; " : "", r->note);
}

saros_status saros_cvode_check(saros_cvode_run *r, int flag) {
    return saros_cvode_check_at(r, r->memory, "the run", flag);
}

/* A constructor of SUNDIALS or of ours gave NULL. */
saros_status saros_cvode_made(const void *made) {
    if (made) return SAROS_OK;
    return saros_fail(SAROS_ERR_MEMORY, "cvode", NULL, "out of memory");
}

/* ---- set up ---- */

static saros_status run_operands(saros_cvode_run *r, int parameters,
                                 saros_tensor *const *parameter) {
    r->operands = 2 + parameters;
    /* functions take one more vector, or a tangent of y and of each parameter */
    r->operand = saros_allocate_zero((size_t)(2 * r->operands), sizeof(saros_tensor *));
    if (!r->operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < parameters; ++k) r->operand[2 + k] = parameter[k];
    return saros_tensor_scalar(SAROS_F64, 0, &r->operand[0]);
}

static saros_status run_solver(saros_cvode_run *r, int64_t n) {
    saros_status status = SAROS_OK;
    const saros_cvode_options *o = r->options;
    if (o->adams) {
        SAROS_TRY(saros_cvode_made(r->fixed_point = SUNNonlinSol_FixedPoint(r->y, 0, r->context)));
        return saros_cvode_check(r, CVodeSetNonlinearSolver(r->memory, r->fixed_point));
    }
    if (!r->f.jvp && !o->jacobian)
        return saros_fail(SAROS_ERR_USAGE, "cvode", "give one, or use adams",
                          "bdf needs the Jacobian product");
    if (!o->sparsity && !o->jacobian) {
        SAROS_TRY(
            saros_cvode_made(r->solver = SUNLinSol_SPGMR(r->y, SUN_PREC_NONE, 20, r->context)));
        SAROS_TRY(saros_cvode_check(r, CVodeSetLinearSolver(r->memory, r->solver, NULL)));
        return saros_cvode_check(r, CVodeSetJacTimes(r->memory, NULL, run_product));
    }
    if (o->jacobian)
        r->entries = saros_jacobian_retain(o->jacobian);
    else
        SAROS_TRY(saros_jacobian_wrap(o->sparsity, r->f.jvp, r->operands, &r->entries));
    saros_sparsity *pattern = saros_jacobian_sparsity(r->entries);
    if (saros_sparsity_size(pattern) != n)
        return saros_fail(SAROS_ERR_SHAPE, "cvode", NULL,
                          "the sparsity is of order %lld, the state has %lld unknowns",
                          (long long)saros_sparsity_size(pattern), (long long)n);
    SAROS_TRY(saros_cvode_made(r->matrix = saros_sunmatrix_make(pattern, r->context)));
    r->solver = saros_sunsolver_make(pattern, r->context);
    if (!r->solver) return saros_error_last()->status;
    SAROS_TRY(saros_cvode_check(r, CVodeSetLinearSolver(r->memory, r->solver, r->matrix)));
    return saros_cvode_check(r, CVodeSetJacFn(r->memory, run_jacobian));
done:
    return status;
}

static saros_status run_open(saros_cvode_run *r, saros_tensor *y0, double start, double end) {
    const saros_cvode_options *o = r->options;
    saros_tensor *state = NULL;
    saros_status status = SAROS_OK;
    saros_nvector_clone_failed(); /* of earlier runs */
    if (SUNContext_Create(NULL, &r->context)) SAROS_TRY(saros_cvode_made(NULL));
    SAROS_TRY(saros_tensor_cast(y0, SAROS_F64, &state));
    r->y = saros_nvector_make(state, r->context);
    SAROS_TRY(saros_cvode_made(r->y));
    SAROS_TRY(saros_cvode_made(r->memory = CVodeCreate(o->adams ? CV_ADAMS : CV_BDF, r->context)));
    SAROS_TRY(saros_cvode_check(r, CVodeSetErrHandlerFn(r->memory, run_message, r)));
    SAROS_TRY(saros_cvode_check(r, CVodeInit(r->memory, run_rate, start, r->y)));
    SAROS_TRY(saros_cvode_check(r, CVodeSStolerances(r->memory, o->rtol > 0 ? o->rtol : 1e-6,
                                                     o->atol > 0 ? o->atol : 1e-9)));
    SAROS_TRY(saros_cvode_check(r, CVodeSetUserData(r->memory, r)));
    SAROS_TRY(saros_cvode_check(r, CVodeSetMaxHnilWarns(r->memory, -1)));
    SAROS_TRY(saros_cvode_check(r, CVodeSetStopTime(r->memory, end)));
    if (o->first_step > 0)
        SAROS_TRY(saros_cvode_check(r, CVodeSetInitStep(r->memory, o->first_step)));
    if (o->max_step > 0) SAROS_TRY(saros_cvode_check(r, CVodeSetMaxStep(r->memory, o->max_step)));
    SAROS_TRY(run_solver(r, saros_tensor_count(y0)));
done:
    saros_tensor_release(state);
    return status;
}

static saros_status check_arguments(saros_tensor *y0, int times, const double *time) {
    if (saros_tensor_rank(y0) != 1)
        return saros_fail(SAROS_ERR_SHAPE, "cvode", "reshape the state to one axis",
                          "the state is of rank %d", saros_tensor_rank(y0));
    if (times < 1) return saros_fail(SAROS_ERR_USAGE, "cvode", NULL, "no output times");
    for (int k = 1; k < times; ++k)
        if (!(time[k] > time[k - 1]))
            return saros_fail(SAROS_ERR_USAGE, "cvode", NULL,
                              "output times must ascend: %g after %g", time[k], time[k - 1]);
    return SAROS_OK;
}

saros_status saros_cvode_open(saros_cvode_run *r, int parameters, saros_tensor *const *parameter,
                              saros_tensor *y0, int times, const double *time) {
    static const saros_cvode_options defaults;
    if (!r->options) r->options = &defaults;
    saros_status status = check_arguments(y0, times, time);
    if (status == SAROS_OK) status = run_operands(r, parameters, parameter);
    return status ? status : run_open(r, y0, time[0], time[times - 1]);
}

void saros_cvode_close(saros_cvode_run *r) {
    if (r->memory) CVodeFree(&r->memory);
    if (r->solver) SUNLinSolFree(r->solver);
    if (r->fixed_point) SUNNonlinSolFree(r->fixed_point);
    if (r->matrix) SUNMatDestroy(r->matrix);
    if (r->y) N_VDestroy(r->y);
    if (r->context) SUNContext_Free(&r->context);
    if (r->operand) saros_tensor_release(r->operand[0]);
    saros_release(r->operand);
    saros_jacobian_release(r->entries);
    saros_error_unpark(r->parked);
}

/* ---- integrate ---- */

saros_status saros_cvode_state(saros_cvode_run *r, double t, bool first, saros_tensor **out) {
    saros_tensor *now = NULL, *like = saros_nvector_tensor(r->y);
    N_Vector v = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, saros_tensor_shape(like), &now));
    SAROS_TRY(saros_cvode_made(v = saros_nvector_make(now, r->context)));
    if (first)
        N_VScale(1, r->y, v);
    else
        SAROS_TRY(saros_cvode_check(r, CVodeGetDky(r->memory, t, 0, v)));
    *out = now;
    now = NULL;
done:
    if (v) N_VDestroy(v);
    saros_tensor_release(now);
    return status;
}

/* The receiver may keep the state. */
static saros_status give(saros_cvode_run *r, double t, bool first, saros_output_fn output,
                         void *user) {
    saros_tensor *now = NULL;
    saros_status status = saros_cvode_state(r, t, first, &now);
    if (status == SAROS_OK) status = output(t, now, user);
    saros_tensor_release(now);
    return status;
}

static int one_step(saros_cvode_run *r, double end, double *t) {
    int checkpoints = 0;
    if (r->recording) return CVodeF(r->memory, end, r->y, t, CV_ONE_STEP, &checkpoints);
    return CVode(r->memory, end, r->y, t, CV_ONE_STEP);
}

/* Steps until the next output time is passed; `*t` is where CVODES stands. */
saros_status saros_cvode_steps(saros_cvode_run *r, double until, double end, double *t,
                               saros_stop_fn stop, void *user) {
    int64_t most = r->options->max_steps > 0 ? r->options->max_steps : 100000;
    for (int64_t k = 0; *t < until; ++k) {
        if (stop && stop(*t, user))
            return saros_fail(SAROS_ERR_STOPPED, "cvode", NULL, "stopped on request at t = %g", *t);
        if (k >= most)
            return saros_fail(SAROS_ERR_NOT_CONVERGED, "cvode", "raise max_steps or loosen rtol",
                              "%lld steps of %s did not reach the output at t = %g: now at t = "
                              "%g%s%s",
                              (long long)most, r->options->adams ? "adams" : "bdf", until, *t,
                              r->note[0] ? "; " : "", r->note);
        saros_status status = saros_cvode_check(r, one_step(r, end, t));
        if (status) return status;
    }
    return SAROS_OK;
}

void saros_cvode_info(saros_cvode_run *r, saros_ode_info *info) {
    long steps = 0, rates = 0, jacobians = 0, iterations = 0, failures = 0;
    realtype last = 0, now = 0;
    CVodeGetNumSteps(r->memory, &steps);
    CVodeGetNumRhsEvals(r->memory, &rates);
    CVodeGetNumNonlinSolvIters(r->memory, &iterations);
    CVodeGetNumErrTestFails(r->memory, &failures);
    CVodeGetLastStep(r->memory, &last);
    CVodeGetCurrentTime(r->memory, &now);
    if (r->matrix) CVodeGetNumJacEvals(r->memory, &jacobians);
    *info = (saros_ode_info){.steps = steps,
                             .rate_evaluations = rates,
                             .jacobian_evaluations = jacobians,
                             .newton_iterations = iterations,
                             .error_test_failures = failures,
                             .last_step = last,
                             .last_time = now,
                             .linear_solver = r->matrix   ? saros_sunsolver_name(r->solver)
                                              : r->solver ? "GMRES"
                                                          : "none"};
}

saros_status saros_cvode_solve(const saros_function *rate, const saros_function *jvp,
                               int parameters, saros_tensor *const *parameter, saros_tensor *y0,
                               int times, const double *time, const saros_cvode_options *options,
                               saros_output_fn output, saros_stop_fn stop, void *user,
                               saros_ode_info *info) {
    saros_cvode_run r = {.f = {.rate = rate, .jvp = jvp}, .options = options};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_cvode_open(&r, parameters, parameter, y0, times, time));
    SAROS_TRY(give(&r, time[0], true, output, user));
    double t = time[0];
    for (int k = 1; k < times && status == SAROS_OK; ++k) {
        status = saros_cvode_steps(&r, time[k], time[times - 1], &t, stop, user);
        if (status == SAROS_OK) status = give(&r, time[k], false, output, user);
    }
    if (info) saros_cvode_info(&r, info);
done:
    saros_cvode_close(&r);
    return status;
}
