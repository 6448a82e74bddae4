/** IDAS on tensors (Hindmarsh and others 2005, section 2.2): Newton with the matrix
 * F_y + c F_y' from coloured products or entry by entry, factorised by the direct solver of this
 * floor, or GMRES on the products.
 *
 *  Consistent initial values: the algebraic unknowns and all y' of the differential ones, such that
 * F = 0 (Brown, Hindmarsh and Petzold 1998). Index 1 only.
 */
#include "ida_impl.h"

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sunsparse_impl.h"

/* ---- callbacks ---- */

void saros_ida_place(saros_ida_run *r, double t, N_Vector y, N_Vector rate) {
    saros_sundials_place(&r->common, t, y);
    r->common.operand[2] = saros_nvector_tensor(rate);
}

static int run_residual(realtype t, N_Vector y, N_Vector rate, N_Vector out, void *user) {
    saros_ida_run *r = user;
    saros_ida_place(r, t, y, rate);
    return saros_sundials_evaluate(&r->common, r->of->residual, out, "the residual of row");
}

/* The factors of Newton's matrix, as operands. */
static void place_factors(saros_ida_run *r, double c) {
    saros_tensor *const factor[2] = {r->by_state, r->by_rate};
    for (int k = 0; k < 2; ++k) {
        double *to = saros_tensor_data(factor[k]);
        for (int64_t i = 0; i < r->common.n; ++i) to[i] = k ? c : 1;
        r->common.operand[r->common.operands + k] = factor[k];
    }
}

saros_status saros_ida_jacobian(saros_ida_run *r, double *values) {
    r->common.operand[r->common.operands] = r->by_state;
    r->common.operand[r->common.operands + 1] = r->by_rate;
    r->common.operand[r->common.operands + 2] = r->zeros;
    return saros_jacobian_values(r->common.entries, r->common.operand, values);
}

static int run_jacobian(realtype t, realtype c, N_Vector y, N_Vector rate, N_Vector residual,
                        SUNMatrix matrix, void *user, N_Vector x1, N_Vector x2, N_Vector x3) {
    (void)residual;
    (void)x1;
    (void)x2;
    (void)x3;
    saros_ida_run *r = user;
    saros_ida_place(r, t, y, rate);
    place_factors(r, c);
    return saros_sundials_outcome(&r->common,
                                  saros_ida_jacobian(r, saros_sunmatrix_values(matrix)));
}

static int run_product(realtype t, N_Vector y, N_Vector rate, N_Vector residual, N_Vector v,
                       N_Vector out, realtype c, void *user, N_Vector x1, N_Vector x2) {
    (void)residual;
    (void)x1;
    (void)x2;
    saros_ida_run *r = user;
    saros_ida_place(r, t, y, rate);
    place_factors(r, c);
    r->common.operand[r->common.operands + 2] = saros_nvector_tensor(v);
    return saros_sundials_evaluate(&r->common, r->of->product, out, "the Jacobian product's entry");
}

/* ---- as a run of SUNDIALS ---- */

static saros_status meaning(int flag) {
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

static void stands(void *memory, double *t, double *h, long *steps) {
    IDAGetCurrentTime(memory, t);
    IDAGetLastStep(memory, h);
    IDAGetNumSteps(memory, steps);
}

static int step(saros_sundials *common, double end, double *t) {
    const saros_ida_run *r = (const saros_ida_run *)common;
    int checkpoints = 0;
    if (r->recording)
        return IDASolveF(common->memory, end, t, common->y, r->rate, IDA_ONE_STEP, &checkpoints);
    return IDASolve(common->memory, end, t, common->y, r->rate, IDA_ONE_STEP);
}

static int state(saros_sundials *r, double t, N_Vector y) {
    return IDAGetDky(r->memory, t, 0, y);
}

static int tangent(saros_sundials *r, double t, int direction, N_Vector s) {
    return IDAGetSensDky1(r->memory, t, 0, direction, s);
}

static void counts(void *memory, long count[4]) {
    IDAGetNumResEvals(memory, &count[0]);
    IDAGetNumJacEvals(memory, &count[1]);
    IDAGetNumNonlinSolvIters(memory, &count[2]);
    IDAGetNumErrTestFails(memory, &count[3]);
}

static const saros_sundials_kind kind = {"ida", meaning, stands, step, state, tangent, counts};

/* ---- set up ---- */

static saros_status run_solver(saros_ida_run *r) {
    saros_sundials *s = &r->common;
    saros_jacobian *entries = saros_jacobian_retain(r->options->jacobian);
    saros_status status = SAROS_OK;
    if (!r->options->sparsity && !entries) {
        SAROS_TRY(saros_sundials_iterative(s));
        SAROS_TRY(saros_sundials_check(s, IDASetLinearSolver(s->memory, s->solver, NULL)));
        return saros_sundials_check(s, IDASetJacTimes(s->memory, NULL, run_product));
    }
    if (!entries)
        SAROS_TRY(
            saros_jacobian_wrap(r->options->sparsity, r->of->product, s->operands + 2, &entries));
    SAROS_TRY(saros_sundials_direct(s, entries));
    SAROS_TRY(saros_sundials_check(s, IDASetLinearSolver(s->memory, s->solver, s->matrix)));
    SAROS_TRY(saros_sundials_check(s, IDASetJacFn(s->memory, run_jacobian)));
done:
    saros_jacobian_release(entries);
    return status;
}

/* Algebraic unknowns and y' that fulfil F = 0, from those given. */
static saros_status make_consistent(saros_ida_run *r) {
    const saros_ida_problem *p = r->of;
    saros_sundials *s = &r->common;
    N_Vector id = NULL;
    saros_tensor *ones = NULL;
    saros_status status = SAROS_OK;
    if (r->options->consistent || p->times < 2) return SAROS_OK;
    if (p->differential) SAROS_TRY(saros_tensor_cast(p->differential, SAROS_F64, &ones));
    SAROS_TRY(saros_sundials_vector(s, s->n, ones, &id));
    if (!p->differential) N_VConst(1, id);
    SAROS_TRY(saros_sundials_check(s, IDASetId(s->memory, id)));
    SAROS_TRY(saros_sundials_check(s, IDACalcIC(s->memory, IDA_YA_YDP_INIT, p->time[1])));
    SAROS_TRY(saros_sundials_check(s, IDAGetConsistentIC(s->memory, s->y, r->rate)));
    if (p->directions)
        SAROS_TRY(
            saros_sundials_check(s, IDAGetSensConsistentIC(s->memory, s->directions.s, r->s_rate)));
done:
    if (status) saros_error_frame("consistent values at t = %g", p->time[0]);
    if (id) N_VDestroy(id);
    saros_tensor_release(ones);
    return status;
}

saros_status saros_ida_open(saros_ida_run *r) {
    static const saros_ida_options defaults;
    if (!r->options) r->options = &defaults;
    const saros_ida_problem *p = r->of;
    const saros_ida_options *o = r->options;
    saros_sundials *s = &r->common;
    saros_status status = SAROS_OK;
    s->kind = &kind;
    s->method = "bdf";
    s->max_steps = o->max_steps;
    SAROS_TRY(saros_sundials_open(s, 3, p->parameters, p->parameter, p->y0, p->times, p->time));
    SAROS_TRY(saros_sundials_vector(s, s->n, p->rate0, &r->rate));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &s->n, &r->by_state));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &s->n, &r->by_rate));
    SAROS_TRY(saros_tensor_zeros(SAROS_F64, 1, &s->n, &r->zeros));
    SAROS_TRY(saros_sundials_made(s, s->memory = IDACreate(s->context)));
    SAROS_TRY(saros_sundials_check(s, IDASetErrHandlerFn(s->memory, saros_sundials_message, s)));
    SAROS_TRY(saros_sundials_check(s, IDAInit(s->memory, run_residual, p->time[0], s->y, r->rate)));
    SAROS_TRY(saros_sundials_check(
        s, IDASStolerances(s->memory, saros_given(o->rtol, 1e-6), saros_given(o->atol, 1e-9))));
    SAROS_TRY(saros_sundials_check(s, IDASetUserData(s->memory, r)));
    SAROS_TRY(saros_sundials_check(s, IDASetStopTime(s->memory, p->time[p->times - 1])));
    if (o->first_step > 0)
        SAROS_TRY(saros_sundials_check(s, IDASetInitStep(s->memory, o->first_step)));
    if (o->max_step > 0) SAROS_TRY(saros_sundials_check(s, IDASetMaxStep(s->memory, o->max_step)));
    SAROS_TRY(run_solver(r));
    if (p->directions) SAROS_TRY(saros_ida_sensitivities(r));
    SAROS_TRY(make_consistent(r));
done:
    return status;
}

void saros_ida_close(saros_ida_run *r) {
    if (r->common.memory) IDAFree(&r->common.memory); /* before what it points to */
    saros_ida_sensitivities_close(r);
    if (r->rate) N_VDestroy(r->rate);
    saros_tensor_release(r->by_state);
    saros_tensor_release(r->by_rate);
    saros_tensor_release(r->zeros);
    saros_sundials_close(&r->common);
}

saros_status saros_ida_solve(const saros_ida_problem *problem, const saros_ida_options *options,
                             saros_tangent_fn output, saros_stop_fn stop, void *user,
                             saros_ode_info *info) {
    saros_ida_run r = {.of = problem, .options = options};
    saros_status status = SAROS_OK;
    if (problem->directions && !problem->tangent)
        return saros_fail(SAROS_ERR_USAGE, "ida", NULL, "sensitivities need the tangent");
    SAROS_TRY(saros_ida_open(&r));
    status = saros_sundials_integrate(&r.common, problem->times, problem->time, output, stop, user);
    if (info) saros_sundials_info(&r.common, info);
done:
    saros_ida_close(&r);
    return status;
}
