/** CVODES on tensors: backward differentiation formulas with Newton, or Adams with fixed-point
 * iteration.
 *
 *  Newton's matrix I - gamma J comes from coloured products and goes to the direct solver of this
 * floor (sunsparse.c); without a sparsity GMRES uses the products alone.
 *
 *  Not thread-safe within one call; sensitivities are in cvode_forward.c and cvode_adjoint.c.
 */
#include "cvode_impl.h"

#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "nvector_impl.h"
#include "sunsparse_impl.h"

/* ---- callbacks ---- */

static int run_rate(realtype t, N_Vector y, N_Vector rate, void *user) {
    saros_cvode_run *r = user;
    saros_sundials_place(&r->common, t, y);
    return saros_sundials_evaluate(&r->common, r->f.rate, rate, "the rate of unknown");
}

saros_status saros_cvode_jacobian(saros_cvode_run *r, double t, N_Vector y, double *values) {
    saros_sundials_place(&r->common, t, y);
    return saros_jacobian_values(r->common.entries, r->common.operand, values);
}

static int run_jacobian(realtype t, N_Vector y, N_Vector rate, SUNMatrix matrix, void *user,
                        N_Vector a, N_Vector b, N_Vector c) {
    (void)rate;
    (void)a;
    (void)b;
    (void)c;
    saros_cvode_run *r = user;
    return saros_sundials_outcome(&r->common,
                                  saros_cvode_jacobian(r, t, y, saros_sunmatrix_values(matrix)));
}

static int run_product(N_Vector v, N_Vector product, realtype t, N_Vector y, N_Vector rate,
                       void *user, N_Vector work) {
    (void)rate;
    (void)work;
    saros_cvode_run *r = user;
    saros_sundials_place(&r->common, t, y);
    r->common.operand[r->common.operands] = saros_nvector_tensor(v);
    return saros_sundials_evaluate(&r->common, r->f.jvp, product, "the Jacobian product's entry");
}

/* ---- as a run of SUNDIALS ---- */

static saros_status meaning(int flag) {
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

static void stands(void *memory, double *t, double *h, long *steps) {
    CVodeGetCurrentTime(memory, t);
    CVodeGetLastStep(memory, h);
    CVodeGetNumSteps(memory, steps);
}

static int step(saros_sundials *common, double end, double *t) {
    const saros_cvode_run *r = (const saros_cvode_run *)common;
    int checkpoints = 0;
    if (r->recording) return CVodeF(common->memory, end, common->y, t, CV_ONE_STEP, &checkpoints);
    return CVode(common->memory, end, common->y, t, CV_ONE_STEP);
}

static int state(saros_sundials *r, double t, N_Vector y) {
    return CVodeGetDky(r->memory, t, 0, y);
}

static int tangent(saros_sundials *r, double t, int direction, N_Vector s) {
    return CVodeGetSensDky1(r->memory, t, 0, direction, s);
}

static void counts(void *memory, long count[4]) {
    CVodeGetNumRhsEvals(memory, &count[0]);
    CVodeGetNumJacEvals(memory, &count[1]);
    CVodeGetNumNonlinSolvIters(memory, &count[2]);
    CVodeGetNumErrTestFails(memory, &count[3]);
}

static const saros_sundials_kind kind = {"cvode", meaning, stands, step, state, tangent, counts};

/* ---- set up ---- */

static saros_status run_solver(saros_cvode_run *r) {
    saros_sundials *common = &r->common;
    const saros_cvode_options *o = r->options;
    saros_jacobian *entries = saros_jacobian_retain(o->jacobian);
    saros_status status = SAROS_OK;
    if (o->adams) {
        r->fixed_point = SUNNonlinSol_FixedPoint(common->y, 0, common->context);
        SAROS_TRY(saros_sundials_made(common, r->fixed_point));
        SAROS_TRY(
            saros_sundials_check(common, CVodeSetNonlinearSolver(common->memory, r->fixed_point)));
        goto done;
    }
    if (!r->f.jvp && !entries)
        SAROS_TRY(saros_fail(SAROS_ERR_USAGE, "cvode", "give one, or use adams",
                             "bdf needs the Jacobian product"));
    if (!o->sparsity && !entries) {
        SAROS_TRY(saros_sundials_iterative(common));
        SAROS_TRY(saros_sundials_check(common,
                                       CVodeSetLinearSolver(common->memory, common->solver, NULL)));
        SAROS_TRY(
            saros_sundials_check(common, CVodeSetJacTimes(common->memory, NULL, run_product)));
        goto done;
    }
    if (!entries) SAROS_TRY(saros_jacobian_wrap(o->sparsity, r->f.jvp, common->operands, &entries));
    SAROS_TRY(saros_sundials_direct(common, entries));
    SAROS_TRY(saros_sundials_check(
        common, CVodeSetLinearSolver(common->memory, common->solver, common->matrix)));
    SAROS_TRY(saros_sundials_check(common, CVodeSetJacFn(common->memory, run_jacobian)));
done:
    saros_jacobian_release(entries);
    return status;
}

saros_status saros_cvode_open(saros_cvode_run *r, int parameters, saros_tensor *const *parameter,
                              saros_tensor *y0, int times, const double *time) {
    static const saros_cvode_options defaults;
    if (!r->options) r->options = &defaults;
    const saros_cvode_options *o = r->options;
    saros_sundials *s = &r->common;
    saros_status status = SAROS_OK;
    s->kind = &kind;
    s->method = o->adams ? "adams" : "bdf";
    s->max_steps = o->max_steps;
    SAROS_TRY(saros_sundials_open(s, 2, parameters, parameter, y0, times, time));
    s->memory = CVodeCreate(o->adams ? CV_ADAMS : CV_BDF, s->context);
    SAROS_TRY(saros_sundials_made(s, s->memory));
    SAROS_TRY(saros_sundials_check(s, CVodeSetErrHandlerFn(s->memory, saros_sundials_message, s)));
    SAROS_TRY(saros_sundials_check(s, CVodeInit(s->memory, run_rate, time[0], s->y)));
    SAROS_TRY(saros_sundials_check(
        s, CVodeSStolerances(s->memory, saros_given(o->rtol, 1e-6), saros_given(o->atol, 1e-9))));
    SAROS_TRY(saros_sundials_check(s, CVodeSetUserData(s->memory, r)));
    SAROS_TRY(saros_sundials_check(s, CVodeSetMaxHnilWarns(s->memory, -1)));
    SAROS_TRY(saros_sundials_check(s, CVodeSetStopTime(s->memory, time[times - 1])));
    if (o->first_step > 0)
        SAROS_TRY(saros_sundials_check(s, CVodeSetInitStep(s->memory, o->first_step)));
    if (o->max_step > 0)
        SAROS_TRY(saros_sundials_check(s, CVodeSetMaxStep(s->memory, o->max_step)));
    SAROS_TRY(run_solver(r));
done:
    return status;
}

void saros_cvode_close(saros_cvode_run *r) {
    if (r->common.memory) CVodeFree(&r->common.memory); /* before what it points to */
    if (r->fixed_point) SUNNonlinSolFree(r->fixed_point);
    saros_sundials_close(&r->common);
}

/* ---- integrate ---- */

typedef struct receiver {
    saros_output_fn output;
    saros_stop_fn stop;
    void *user;
} receiver;

static saros_status receive(double t, saros_tensor *y, int directions,
                            saros_tensor *const *tangents, void *user) {
    (void)directions;
    (void)tangents;
    const receiver *to = user;
    return to->output(t, y, to->user);
}

static bool asked_to_stop(double t, void *user) {
    const receiver *of = user;
    return of->stop && of->stop(t, of->user);
}

saros_status saros_cvode_solve(const saros_function *rate, const saros_function *jvp,
                               int parameters, saros_tensor *const *parameter, saros_tensor *y0,
                               int times, const double *time, const saros_cvode_options *options,
                               saros_output_fn output, saros_stop_fn stop, void *user,
                               saros_ode_info *info) {
    saros_cvode_run r = {.f = {.rate = rate, .jvp = jvp}, .options = options};
    receiver to = {output, stop, user};
    saros_status status = saros_cvode_open(&r, parameters, parameter, y0, times, time);
    if (status == SAROS_OK) {
        status = saros_sundials_integrate(&r.common, times, time, receive, asked_to_stop, &to);
        if (info) saros_sundials_info(&r.common, info);
    }
    saros_cvode_close(&r);
    return status;
}
