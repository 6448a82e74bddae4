/** Adjoint sensitivities by IDAS (Cao, Li, Petzold and Serban 2003). For J = sum_k <w_k, y(t_k)>
 * and F(t, y, y', p) = 0 of index 1, affine in y', the adjoint l goes backwards,
 *
 *      (F_y'^T l)' = F_y^T l,
 *      dJ/dp = -integral of F_p^T l from t0 to the end - sum_k F_p^T m_k,   dJ/dy0 = F_y'^T l(t0-).
 *
 *  At an output, the start among them, F_y'^T l jumps by w - F_y^T m, where m lies in the kernel of
 * F_y'^T and takes up what w asks of algebraic unknowns. With K = F_y' in the columns of the
 * differential unknowns, F_y in those of the algebraic ones, which is regular where the index is 1,
 *
 *      K^T m = (0, w),   K^T dl = (w - F_y^T m, 0),   K^T l' = (F_y^T l - (F_y')'^T l, 0),
 *
 *  differential parts first: three solves with one factorisation, and l is consistent after it, so
 * that no consistent values are looked for.
 *
 *  The run forward leaves states every so many steps, between which it is repeated; y and y' are
 * its own polynomials. Newton's matrix c F_y'^T - F_y^T is that forward, transposed; the rate of
 * F_y' is left out of it.
 */
#include "direct_impl.h"
#include "ida_impl.h"
#include "nvector_impl.h"
#include "sunsparse_impl.h"

typedef struct adjoint {
    saros_ida_run run; /* first: the user data of all callbacks */
    saros_sundials_adjoint of;
    int which;
    bool open; /* the run backwards exists: it has the number `which` */
    N_Vector y, rate, l_rate, work[2], pulled;
    saros_direct *jump; /* K */
} adjoint;

static double *numbers(N_Vector v) {
    return saros_tensor_data(saros_nvector_tensor(v));
}

/* ---- callbacks ---- */

/* t, y, y', p…, l among the operands */
static void place(adjoint *a, double t, N_Vector y, N_Vector rate, N_Vector l) {
    saros_sundials *r = &a->run.common;
    saros_ida_place(&a->run, t, y, rate);
    r->operand[r->operands] = saros_nvector_tensor(l);
}

static int adjoint_residual(realtype t, N_Vector y, N_Vector rate, N_Vector l, N_Vector l_rate,
                            N_Vector out, void *user) {
    adjoint *a = user;
    saros_sundials *r = &a->run.common;
    if (a->of.stop && a->of.stop(t, a->of.user))
        return saros_sundials_outcome(r, saros_fail(SAROS_ERR_STOPPED, "ida", NULL,
                                                    "stopped on request at t = %g, on the way back",
                                                    t));
    place(a, t, y, rate, l);
    r->operand[r->operands + 1] = saros_nvector_tensor(l_rate);
    return saros_sundials_evaluate(r, a->run.of->adjoint, out, "the adjoint's residual of row");
}

static int adjoint_quadrature(realtype t, N_Vector y, N_Vector rate, N_Vector l, N_Vector l_rate,
                              N_Vector out, void *user) {
    (void)l_rate;
    adjoint *a = user;
    place(a, t, y, rate, l);
    return saros_sundials_evaluate(&a->run.common, a->run.of->pull, out, "the pull-back's entry");
}

static void fill(saros_tensor *to, double value) {
    double *v = saros_tensor_data(to);
    for (int64_t i = 0; i < saros_tensor_count(to); ++i) v[i] = value;
}

static int adjoint_jacobian(realtype t, realtype c, N_Vector y, N_Vector rate, N_Vector l,
                            N_Vector l_rate, N_Vector residual, SUNMatrix matrix, void *user,
                            N_Vector x1, N_Vector x2, N_Vector x3) {
    (void)l;
    (void)l_rate;
    (void)residual;
    (void)x1;
    (void)x2;
    (void)x3;
    adjoint *a = user;
    saros_ida_place(&a->run, t, y, rate);
    fill(a->run.by_state, -1);
    fill(a->run.by_rate, c);
    saros_status status = saros_ida_jacobian(&a->run, a->of.values);
    saros_sundials_adjoint_values(&a->of, 1, matrix);
    return saros_sundials_outcome(&a->run.common, status);
}

static saros_status back(adjoint *a, int flag) {
    void *memory = a->open ? IDAGetAdjIDABmem(a->run.common.memory, a->which) : NULL;
    if (flag < 0 && a->of.solver && saros_sunsolver_status(a->of.solver) == SAROS_ERR_MEMORY)
        return SAROS_ERR_MEMORY;
    return saros_sundials_check_at(&a->run.common, memory, "the adjoint, backwards,", flag);
}

/* ---- outputs ---- */

static bool is_differential(const adjoint *a, int64_t i) {
    const saros_tensor *mask = a->run.of->differential;
    return !mask || ((const bool *)saros_tensor_const_data(mask))[i];
}

/* v with zeros where unknowns are of the other kind; then K^-T v. */
static saros_status solve_part(adjoint *a, bool differential, N_Vector v) {
    double *value = numbers(v);
    for (int64_t i = 0; i < a->run.common.n; ++i)
        if (is_differential(a, i) != differential) value[i] = 0;
    return saros_direct_solve(a->jump, true, 1, value);
}

/* F_y^T v and F_y'^T v at the state in place. */
static saros_status pull_back(adjoint *a, N_Vector v, N_Vector by_state, N_Vector by_rate) {
    saros_sundials *r = &a->run.common;
    saros_tensor *out[2] = {saros_nvector_tensor(by_state), saros_nvector_tensor(by_rate)};
    r->operand[r->operands] = saros_nvector_tensor(v);
    return saros_function_call(a->run.of->back, r->operand, out, NULL);
}

static saros_status factorise(adjoint *a) {
    double *by_state = saros_tensor_data(a->run.by_state),
           *by_rate = saros_tensor_data(a->run.by_rate);
    for (int64_t i = 0; i < a->run.common.n; ++i) {
        by_rate[i] = is_differential(a, i);
        by_state[i] = 1 - by_rate[i];
    }
    saros_status status = saros_ida_jacobian(&a->run, a->of.values);
    return status ? status : saros_direct_factorise(a->jump, a->of.values);
}

/* Takes up the weights w of an output: l, and the integral by what hangs on algebraic unknowns. */
static saros_status take_up(adjoint *a, const double *w) {
    saros_sundials *r = &a->run.common;
    N_Vector m = a->work[0], rest = a->work[1], unused = a->l_rate;
    saros_status status = SAROS_OK;
    for (int64_t i = 0; i < r->n; ++i) numbers(m)[i] = w[i];
    SAROS_TRY(solve_part(a, false, m));
    SAROS_TRY(pull_back(a, m, rest, unused));
    for (int64_t i = 0; i < r->n; ++i) numbers(rest)[i] = w[i] - numbers(rest)[i];
    SAROS_TRY(solve_part(a, true, rest));
    N_VLinearSum(1, a->of.l, 1, rest, a->of.l);
    if (!a->of.q) goto done;
    r->operand[r->operands] = saros_nvector_tensor(m);
    saros_tensor *pulled = saros_nvector_tensor(a->pulled);
    SAROS_TRY(saros_function_call(a->run.of->pull, r->operand, &pulled, NULL));
    N_VLinearSum(1, a->of.q, -1, a->pulled, a->of.q);
done:
    return status;
}

/* At the state in y and rate: l after output k, and a rate to begin with. */
static saros_status jump_at(adjoint *a, double t, int k) {
    saros_sundials *r = &a->run.common;
    saros_status status = SAROS_OK;
    saros_ida_place(&a->run, t, a->y, a->rate);
    SAROS_TRY(factorise(a));
    SAROS_TRY(take_up(a, saros_sundials_adjoint_weight(&a->of, k)));
    N_VConst(0, a->work[0]);
    r->operand[r->operands] = saros_nvector_tensor(a->of.l);
    r->operand[r->operands + 1] = saros_nvector_tensor(a->work[0]);
    saros_tensor *to = saros_nvector_tensor(a->l_rate);
    SAROS_TRY(saros_function_call(a->run.of->adjoint, r->operand, &to, NULL));
    N_VScale(-1, a->l_rate, a->l_rate);
    SAROS_TRY(solve_part(a, true, a->l_rate));
done:
    if (status) saros_error_frame("the adjoint of ida at the output t = %g", t);
    return status;
}

/* ---- set up ---- */

static saros_status adjoint_vectors(adjoint *a) {
    saros_sundials *r = &a->run.common;
    N_Vector *const all[] = {&a->y, &a->rate, &a->l_rate, &a->work[0], &a->work[1]};
    saros_status status = saros_sundials_adjoint_vectors(&a->of, r, a->run.of->pull);
    for (int k = 0; k < 5 && status == SAROS_OK; ++k)
        status = saros_sundials_vector(r, r->n, NULL, all[k]);
    if (status == SAROS_OK && a->of.q)
        status = saros_sundials_vector(r, saros_tensor_count(saros_nvector_tensor(a->of.q)), NULL,
                                       &a->pulled);
    if (status == SAROS_OK)
        status = saros_direct_make(saros_jacobian_sparsity(r->entries), &a->jump);
    return status ? status : saros_sundials_adjoint_direct(&a->of, r);
}

static saros_status adjoint_open(adjoint *a, double end) {
    saros_sundials *r = &a->run.common;
    const saros_sundials_adjoint *of = &a->of;
    const saros_ida_options *o = a->run.options;
    saros_status status = SAROS_OK;
    SAROS_TRY(back(a, IDACreateB(r->memory, &a->which)));
    a->open = true;
    SAROS_TRY(back(a, IDAInitB(r->memory, a->which, adjoint_residual, end, of->l, a->l_rate)));
    SAROS_TRY(back(a, IDASStolerancesB(r->memory, a->which, of->rtol, of->atol)));
    SAROS_TRY(back(a, IDASetUserDataB(r->memory, a->which, a)));
    const long most = o->max_steps > 0 ? (long)o->max_steps : 100000;
    SAROS_TRY(back(a, IDASetMaxNumStepsB(r->memory, a->which, most)));
    SAROS_TRY(back(a, IDASetLinearSolverB(r->memory, a->which, of->solver, of->matrix)));
    SAROS_TRY(back(a, IDASetJacFnB(r->memory, a->which, adjoint_jacobian)));
    if (!of->q) goto done;
    SAROS_TRY(back(a, IDAQuadInitB(r->memory, a->which, adjoint_quadrature, of->q)));
    SAROS_TRY(back(a, IDAQuadSVtolerancesB(r->memory, a->which, of->rtol, of->q_atol)));
    SAROS_TRY(back(a, IDASetQuadErrConB(r->memory, a->which, SUNTRUE)));
done:
    return status;
}

static void adjoint_close(adjoint *a) {
    N_Vector all[] = {a->y, a->rate, a->l_rate, a->work[0], a->work[1], a->pulled};
    if (a->run.common.memory) IDAFree(&a->run.common.memory); /* before what it points to */
    for (int k = 0; k < 6; ++k)
        if (all[k]) N_VDestroy(all[k]);
    saros_direct_release(a->jump);
    saros_sundials_adjoint_close(&a->of);
    saros_ida_close(&a->run);
}

/* ---- integrate ---- */

static saros_status run_forward(adjoint *a, double start, double end) {
    saros_sundials *r = &a->run.common;
    const int64_t asked = a->run.options->checkpoint;
    saros_status status = saros_sundials_check(
        r, IDAAdjInit(r->memory, asked > 0 ? (long)asked : 150, IDA_POLYNOMIAL));
    double t = start;
    a->run.recording = true;
    if (status == SAROS_OK) status = saros_sundials_steps(r, end, end, &t, a->of.stop, a->of.user);
    return status;
}

static saros_status run_back(adjoint *a, int times, const double *time) {
    saros_sundials *r = &a->run.common;
    saros_sundials_adjoint *of = &a->of;
    saros_status status = SAROS_OK;
    double t = time[times - 1];
    N_VScale(1, r->y, a->y);
    N_VScale(1, a->run.rate, a->rate);
    SAROS_TRY(jump_at(a, t, times - 1));
    SAROS_TRY(adjoint_open(a, t));
    for (int k = times - 2; k >= 0; --k) {
        SAROS_TRY(back(a, IDASolveB(r->memory, time[k], IDA_NORMAL)));
        SAROS_TRY(back(a, IDAGetB(r->memory, a->which, &t, of->l, a->l_rate)));
        if (of->q) SAROS_TRY(back(a, IDAGetQuadB(r->memory, a->which, &t, of->q)));
        SAROS_TRY(saros_sundials_check(r, IDAGetAdjY(r->memory, time[k], a->y, a->rate)));
        SAROS_TRY(jump_at(a, time[k], k));
        if (k == 0) break;
        SAROS_TRY(back(a, IDAReInitB(r->memory, a->which, time[k], of->l, a->l_rate)));
        if (of->q) SAROS_TRY(back(a, IDAQuadReInitB(r->memory, a->which, of->q)));
    }
    status = pull_back(a, of->l, a->work[0], a->work[1]);
done:
    return status;
}

static saros_status check_problem(const saros_ida_problem *p, const saros_ida_options *o) {
    if (!p->adjoint || !p->back)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "ida", "write F affine in y', or use forward mode",
                          "gradients of equations that are not affine in y' are not in this build");
    if (!o || (!o->sparsity && !o->jacobian))
        return saros_fail(SAROS_ERR_USAGE, "ida", NULL,
                          "gradients need the sparsity or the Jacobian");
    return SAROS_OK;
}

saros_status saros_ida_gradient(const saros_ida_problem *problem, const saros_ida_options *options,
                                saros_tensor *weight, saros_tensor *const *gradient,
                                saros_stop_fn stop, void *user, saros_ode_info *info) {
    adjoint a = {.run = {.of = problem, .options = options}, .of = {.stop = stop, .user = user}};
    saros_sundials *r = &a.run.common;
    const saros_ida_options *o = options;
    saros_status status = SAROS_OK;
    SAROS_TRY(check_problem(problem, options));
    SAROS_TRY(saros_sundials_adjoint_open(&a.of, "ida", problem->y0, problem->times, weight,
                                          problem->parameters, gradient));
    if (!(a.of.scale > 0)) goto done; /* nothing to bring back */
    a.of.rtol = saros_given(saros_given(o->sensitivity_rtol, o->rtol), 1e-6);
    a.of.atol = saros_given(o->sensitivity_atol, saros_given(o->atol, 1e-9) * a.of.scale);
    SAROS_TRY(saros_ida_open(&a.run));
    SAROS_TRY(run_forward(&a, problem->time[0], problem->time[problem->times - 1]));
    SAROS_TRY(adjoint_vectors(&a));
    SAROS_TRY(run_back(&a, problem->times, problem->time));
    SAROS_TRY(saros_tensor_assign(gradient[0], saros_nvector_tensor(a.work[1])));
    SAROS_TRY(saros_sundials_adjoint_hand_out(&a.of, r, gradient));
    if (info) saros_sundials_info(r, info);
done:
    adjoint_close(&a);
    return status;
}
