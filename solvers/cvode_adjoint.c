/** Adjoint sensitivities by CVODES. For J = sum_k <w_k, y(t_k)> the adjoint l goes backwards,
 *
 *      l' = -f_y^T l,   l(t_k-) = l(t_k+) + w_k,    dJ/dy0 = l(t0),
 *      dJ/dp = integral of f_p^T l from t0 to the end (a quadrature with errors of its own).
 *
 *  The run forward leaves states every so many steps; between two of them it is repeated, and y(t)
 * is the cubic Hermite interpolant of the steps (Serban and Hindmarsh 2005, sections 2.6 and 4).
 * Newton's matrix of the run backwards is the transpose of the one forward, in the transposed
 * pattern. f_y^T l and f_p^T l are compiled pull-backs of f.
 */
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "cvode_impl.h"
#include "nvector_impl.h"
#include "sunsparse_impl.h"

typedef struct adjoint {
    saros_cvode_run run; /* first: the user data of all callbacks */
    saros_sundials_adjoint of;
    int which;
    bool open; /* the run backwards exists: it has the number `which` */
    SUNNonlinearSolver fixed_point;
} adjoint;

/* ---- callbacks ---- */

/* out = -g(t, y, p…, l) */
static int pull(adjoint *a, const saros_function *g, double t, N_Vector y, N_Vector l,
                N_Vector out) {
    saros_sundials *r = &a->run.common;
    saros_sundials_place(r, t, y);
    r->operand[r->operands] = saros_nvector_tensor(l);
    const int outcome = saros_sundials_evaluate(r, g, out, "the pull-back's entry");
    if (!outcome) N_VScale(-1, out, out);
    return outcome;
}

static int adjoint_rate(realtype t, N_Vector y, N_Vector l, N_Vector rate, void *user) {
    adjoint *a = user;
    if (a->of.stop && a->of.stop(t, a->of.user))
        return saros_sundials_outcome(
            &a->run.common, saros_fail(SAROS_ERR_STOPPED, "cvode", NULL,
                                       "stopped on request at t = %g, on the way back", t));
    return pull(a, a->run.f.adjoint, t, y, l, rate);
}

static int adjoint_quadrature(realtype t, N_Vector y, N_Vector l, N_Vector rate, void *user) {
    adjoint *a = user;
    return pull(a, a->run.f.pull, t, y, l, rate);
}

static int adjoint_product(N_Vector v, N_Vector product, realtype t, N_Vector y, N_Vector l,
                           N_Vector rate, void *user, N_Vector work) {
    (void)l;
    (void)rate;
    (void)work;
    adjoint *a = user;
    return pull(a, a->run.f.adjoint, t, y, v, product);
}

static int adjoint_jacobian(realtype t, N_Vector y, N_Vector l, N_Vector rate, SUNMatrix matrix,
                            void *user, N_Vector x1, N_Vector x2, N_Vector x3) {
    (void)l;
    (void)rate;
    (void)x1;
    (void)x2;
    (void)x3;
    adjoint *a = user;
    saros_status status = saros_cvode_jacobian(&a->run, t, y, a->of.values);
    saros_sundials_adjoint_values(&a->of, -1, matrix);
    return saros_sundials_outcome(&a->run.common, status);
}

static saros_status back(adjoint *a, int flag) {
    saros_sundials *r = &a->run.common;
    void *memory = a->open ? CVodeGetAdjCVodeBmem(r->memory, a->which) : NULL;
    if (flag < 0 && a->of.matrix && a->of.solver &&
        saros_sunsolver_status(a->of.solver) == SAROS_ERR_MEMORY)
        return SAROS_ERR_MEMORY;
    return saros_sundials_check_at(r, memory, "the adjoint, backwards,", flag);
}

/* ---- set up ---- */

static saros_status adjoint_solver(adjoint *a) {
    saros_sundials *r = &a->run.common;
    saros_sundials_adjoint *of = &a->of;
    saros_status status = SAROS_OK;
    if (a->run.options->adams) {
        a->fixed_point = SUNNonlinSol_FixedPoint(of->l, 0, r->context);
        SAROS_TRY(saros_sundials_made(r, a->fixed_point));
        return back(a, CVodeSetNonlinearSolverB(r->memory, a->which, a->fixed_point));
    }
    if (!r->entries) {
        of->solver = SUNLinSol_SPGMR(of->l, SUN_PREC_NONE, 20, r->context);
        SAROS_TRY(saros_sundials_made(r, of->solver));
        SAROS_TRY(back(a, CVodeSetLinearSolverB(r->memory, a->which, of->solver, NULL)));
        return back(a, CVodeSetJacTimesB(r->memory, a->which, NULL, adjoint_product));
    }
    SAROS_TRY(saros_sundials_adjoint_direct(of, r));
    SAROS_TRY(back(a, CVodeSetLinearSolverB(r->memory, a->which, of->solver, of->matrix)));
    return back(a, CVodeSetJacFnB(r->memory, a->which, adjoint_jacobian));
done:
    return status;
}

/* The run backwards from `end`, l at its value there. */
static saros_status adjoint_open(adjoint *a, double end) {
    saros_sundials *r = &a->run.common;
    const saros_sundials_adjoint *of = &a->of;
    const saros_cvode_options *o = a->run.options;
    saros_status status = SAROS_OK;
    SAROS_TRY(back(a, CVodeCreateB(r->memory, o->adams ? CV_ADAMS : CV_BDF, &a->which)));
    a->open = true;
    SAROS_TRY(back(a, CVodeInitB(r->memory, a->which, adjoint_rate, end, of->l)));
    SAROS_TRY(back(a, CVodeSStolerancesB(r->memory, a->which, of->rtol, of->atol)));
    SAROS_TRY(back(a, CVodeSetUserDataB(r->memory, a->which, a)));
    const long most = o->max_steps > 0 ? (long)o->max_steps : 100000;
    SAROS_TRY(back(a, CVodeSetMaxNumStepsB(r->memory, a->which, most)));
    SAROS_TRY(adjoint_solver(a));
    if (!of->q) goto done;
    SAROS_TRY(back(a, CVodeQuadInitB(r->memory, a->which, adjoint_quadrature, of->q)));
    SAROS_TRY(back(a, CVodeQuadSVtolerancesB(r->memory, a->which, of->rtol, of->q_atol)));
    SAROS_TRY(back(a, CVodeSetQuadErrConB(r->memory, a->which, SUNTRUE)));
done:
    return status;
}

static void adjoint_close(adjoint *a) {
    if (a->run.common.memory) CVodeFree(&a->run.common.memory); /* before what it points to */
    if (a->fixed_point) SUNNonlinSolFree(a->fixed_point);
    saros_sundials_adjoint_close(&a->of);
    saros_cvode_close(&a->run);
}

/* ---- integrate ---- */

/* l += w of output k (1 … times-1) */
static void add_weight(adjoint *a, int k) {
    const double *w = saros_sundials_adjoint_weight(&a->of, k);
    double *to = saros_tensor_data(saros_nvector_tensor(a->of.l));
    for (int64_t i = 0; i < a->run.common.n; ++i) to[i] += w[i];
}

static saros_status run_forward(adjoint *a, int times, const double *time) {
    saros_sundials *r = &a->run.common;
    const int64_t asked = a->run.options->checkpoint;
    saros_status status =
        saros_sundials_check(r, CVodeAdjInit(r->memory, asked > 0 ? (long)asked : 150, CV_HERMITE));
    double t = time[0];
    a->run.recording = true;
    if (status == SAROS_OK)
        status =
            saros_sundials_steps(r, time[times - 1], time[times - 1], &t, a->of.stop, a->of.user);
    return status;
}

static saros_status run_back(adjoint *a, int times, const double *time) {
    saros_sundials *r = &a->run.common;
    saros_sundials_adjoint *of = &a->of;
    saros_status status = SAROS_OK;
    double t = time[times - 1];
    add_weight(a, times - 1);
    SAROS_TRY(adjoint_open(a, t));
    for (int k = times - 2; k >= 0; --k) {
        SAROS_TRY(back(a, CVodeB(r->memory, time[k], CV_NORMAL)));
        SAROS_TRY(back(a, CVodeGetB(r->memory, a->which, &t, of->l)));
        if (of->q) SAROS_TRY(back(a, CVodeGetQuadB(r->memory, a->which, &t, of->q)));
        if (k == 0) break;
        add_weight(a, k);
        SAROS_TRY(back(a, CVodeReInitB(r->memory, a->which, time[k], of->l)));
        if (of->q) SAROS_TRY(back(a, CVodeQuadReInitB(r->memory, a->which, of->q)));
    }
done:
    return status;
}

saros_status saros_cvode_gradient(const saros_cvode_functions *functions, int parameters,
                                  saros_tensor *const *parameter, saros_tensor *y0, int times,
                                  const double *time, const saros_cvode_options *options,
                                  saros_tensor *weight, saros_tensor *const *gradient,
                                  saros_stop_fn stop, void *user, saros_ode_info *info) {
    adjoint a = {.run = {.f = *functions, .options = options},
                 .of = {.first = 1, .stop = stop, .user = user}};
    saros_sundials *r = &a.run.common;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_sundials_adjoint_open(&a.of, "cvode", y0, times, weight, parameters, gradient));
    if (!(a.of.scale > 0)) goto done; /* nothing to bring back */
    SAROS_TRY(saros_cvode_open(&a.run, parameters, parameter, y0, times, time));
    const saros_cvode_options *o = a.run.options;
    a.of.rtol = saros_given(saros_given(o->sensitivity_rtol, o->rtol), 1e-6);
    a.of.atol = saros_given(o->sensitivity_atol, saros_given(o->atol, 1e-9) * a.of.scale);
    SAROS_TRY(run_forward(&a, times, time));
    SAROS_TRY(saros_sundials_adjoint_vectors(&a.of, r, a.run.f.pull));
    SAROS_TRY(run_back(&a, times, time));
    SAROS_TRY(saros_tensor_assign(gradient[0], saros_nvector_tensor(a.of.l)));
    SAROS_TRY(saros_sundials_adjoint_hand_out(&a.of, r, gradient));
    if (info) saros_sundials_info(r, info);
done:
    adjoint_close(&a);
    return status;
}
