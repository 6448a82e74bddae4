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
#include <math.h>
#include <string.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "cvode_impl.h"
#include "nvector_impl.h"
#include "saros/memory.h"
#include "sunsparse_impl.h"

typedef struct adjoint {
    saros_cvode_run run; /* first: the user data of all callbacks */
    int parameters, which;
    bool open; /* the run backwards exists: it has the number `which` */
    saros_tensor *weight;
    double scale; /* largest weight */
    N_Vector l, q, q_atol;
    SUNMatrix matrix;
    SUNLinearSolver solver;
    SUNNonlinearSolver fixed_point;
    saros_sparsity *pattern;
    int64_t *position; /* of the entries of J, transposed, in `pattern` */
    double *values;    /* of J */
    saros_stop_fn stop;
    void *user;
} adjoint;

/* ---- callbacks ---- */

/* out = -g(t, y, p…, l) */
static int pull(adjoint *a, const saros_function *g, double t, N_Vector y, N_Vector l,
                N_Vector out) {
    saros_cvode_run *r = &a->run;
    saros_tensor *to = saros_nvector_tensor(out);
    saros_cvode_place(r, t, y);
    r->operand[r->operands] = saros_nvector_tensor(l);
    saros_status status = saros_function_call(g, r->operand, &to, NULL);
    if (status == SAROS_OK)
        status = saros_cvode_finite(t, saros_tensor_const_data(to), saros_tensor_count(to));
    if (status == SAROS_OK) N_VScale(-1, out, out);
    return saros_cvode_outcome(r, status);
}

static int adjoint_rate(realtype t, N_Vector y, N_Vector l, N_Vector rate, void *user) {
    adjoint *a = user;
    if (a->stop && a->stop(t, a->user))
        return saros_cvode_outcome(&a->run,
                                   saros_fail(SAROS_ERR_STOPPED, "cvode", NULL,
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
    saros_cvode_run *r = &a->run;
    saros_status status = saros_cvode_jacobian(r, t, y, a->values);
    double *to = saros_sunmatrix_values(matrix);
    for (int64_t k = 0; k < a->pattern->nonzeros; ++k) to[a->position[k]] = -a->values[k];
    return saros_cvode_outcome(r, status);
}

static saros_status back(adjoint *a, int flag) {
    void *memory = a->open ? CVodeGetAdjCVodeBmem(a->run.memory, a->which) : NULL;
    if (flag < 0 && a->matrix && a->solver && saros_sunsolver_status(a->solver) == SAROS_ERR_MEMORY)
        return SAROS_ERR_MEMORY;
    return saros_cvode_check_at(&a->run, memory, "the adjoint, backwards,", flag);
}

/* ---- set up ---- */

/* The pattern transposed: `entry` says which of its entries each entry of `p` becomes. */
static saros_status transpose(const saros_sparsity *p, saros_sparsity **out, int64_t **entry) {
    const int64_t n = p->n;
    saros_status status = SAROS_OK;
    int64_t *row = saros_allocate_zero((size_t)(n + 2 + 2 * p->nonzeros), sizeof *row);
    if (!row) return SAROS_ERR_MEMORY;
    int64_t *column = row + n + 2, *to = column + p->nonzeros;
    for (int64_t k = 0; k < p->nonzeros; ++k) row[p->column[k] + 2]++;
    for (int64_t i = 2; i < n + 2; ++i) row[i] += row[i - 1];
    for (int64_t i = 0; i < n; ++i)
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            to[k] = row[p->column[k] + 1]++;
            column[to[k]] = i;
        }
    status = saros_sparsity_make(n, row, column, out);
    if (status == SAROS_OK) {
        memmove(row, to, (size_t)p->nonzeros * sizeof *row);
        *entry = row;
        return SAROS_OK;
    }
    saros_release(row);
    return status;
}

static saros_status adjoint_pattern(adjoint *a) {
    const saros_sparsity *pattern = saros_jacobian_sparsity(a->run.entries);
    a->values = saros_allocate((size_t)(pattern->nonzeros + 1) * sizeof *a->values);
    if (!a->values) return SAROS_ERR_MEMORY;
    return transpose(pattern, &a->pattern, &a->position);
}

static saros_status adjoint_solver(adjoint *a) {
    saros_cvode_run *r = &a->run;
    saros_status status = SAROS_OK;
    if (r->options->adams) {
        a->fixed_point = SUNNonlinSol_FixedPoint(a->l, 0, r->context);
        SAROS_TRY(saros_cvode_made(a->fixed_point));
        return back(a, CVodeSetNonlinearSolverB(r->memory, a->which, a->fixed_point));
    }
    if (!r->entries) {
        a->solver = SUNLinSol_SPGMR(a->l, SUN_PREC_NONE, 20, r->context);
        SAROS_TRY(saros_cvode_made(a->solver));
        SAROS_TRY(back(a, CVodeSetLinearSolverB(r->memory, a->which, a->solver, NULL)));
        return back(a, CVodeSetJacTimesB(r->memory, a->which, NULL, adjoint_product));
    }
    SAROS_TRY(adjoint_pattern(a));
    SAROS_TRY(saros_cvode_made(a->matrix = saros_sunmatrix_make(a->pattern, r->context)));
    a->solver = saros_sunsolver_make(a->pattern, r->context);
    if (!a->solver) return saros_error_last()->status;
    SAROS_TRY(back(a, CVodeSetLinearSolverB(r->memory, a->which, a->solver, a->matrix)));
    return back(a, CVodeSetJacFnB(r->memory, a->which, adjoint_jacobian));
done:
    return status;
}

static saros_status zero_vector(adjoint *a, int64_t n, N_Vector *out) {
    saros_tensor *zeros = NULL;
    saros_status status = saros_tensor_zeros(SAROS_F64, 1, &n, &zeros);
    if (status) return status;
    *out = saros_nvector_make(zeros, a->run.context);
    saros_tensor_release(zeros);
    return saros_cvode_made(*out);
}

/* An entry of the gradient by p is compared with the scale of J over that of p. */
static saros_status fill_tolerances(adjoint *a, double atol) {
    double *to = saros_tensor_data(saros_nvector_tensor(a->q_atol));
    const saros_cvode_run *r = &a->run;
    for (int k = 0; k < a->parameters; ++k) {
        saros_tensor *plain = NULL;
        if (saros_tensor_dtype(r->operand[2 + k]) != SAROS_F64) continue;
        saros_status status = saros_tensor_cast(r->operand[2 + k], SAROS_F64, &plain);
        if (status) return status;
        const double *p = saros_tensor_const_data(plain);
        for (int64_t i = 0; i < saros_tensor_count(plain); ++i)
            *to++ = p[i] != 0 ? atol / fabs(p[i]) : atol;
        saros_tensor_release(plain);
    }
    return SAROS_OK;
}

static saros_status adjoint_quadratures(adjoint *a, int64_t count, double rtol, double atol) {
    saros_cvode_run *r = &a->run;
    saros_status status = SAROS_OK;
    SAROS_TRY(zero_vector(a, count, &a->q));
    SAROS_TRY(zero_vector(a, count, &a->q_atol));
    SAROS_TRY(fill_tolerances(a, atol));
    SAROS_TRY(back(a, CVodeQuadInitB(r->memory, a->which, adjoint_quadrature, a->q)));
    SAROS_TRY(back(a, CVodeQuadSVtolerancesB(r->memory, a->which, rtol, a->q_atol)));
    SAROS_TRY(back(a, CVodeSetQuadErrConB(r->memory, a->which, SUNTRUE)));
done:
    return status;
}

/* The run backwards from `end`, l at its value there. */
static saros_status adjoint_open(adjoint *a, double end) {
    saros_cvode_run *r = &a->run;
    const saros_cvode_options *o = r->options;
    const double rtol = o->sensitivity_rtol > 0 ? o->sensitivity_rtol
                        : o->rtol > 0           ? o->rtol
                                                : 1e-6;
    const double atol =
        o->sensitivity_atol > 0 ? o->sensitivity_atol : (o->atol > 0 ? o->atol : 1e-9) * a->scale;
    saros_status status = SAROS_OK;
    SAROS_TRY(back(a, CVodeCreateB(r->memory, o->adams ? CV_ADAMS : CV_BDF, &a->which)));
    a->open = true;
    SAROS_TRY(back(a, CVodeInitB(r->memory, a->which, adjoint_rate, end, a->l)));
    SAROS_TRY(back(a, CVodeSStolerancesB(r->memory, a->which, rtol, atol)));
    SAROS_TRY(back(a, CVodeSetUserDataB(r->memory, a->which, a)));
    const long most = o->max_steps > 0 ? (long)o->max_steps : 100000;
    SAROS_TRY(back(a, CVodeSetMaxNumStepsB(r->memory, a->which, most)));
    SAROS_TRY(adjoint_solver(a));
    if (r->f.pull) {
        const int64_t count = saros_type_count(saros_function_output_type(r->f.pull, 0));
        if (count) SAROS_TRY(adjoint_quadratures(a, count, rtol, atol));
    }
done:
    return status;
}

static void adjoint_close(adjoint *a) {
    if (a->run.memory) CVodeFree(&a->run.memory); /* before what it points to */
    if (a->solver) SUNLinSolFree(a->solver);
    if (a->fixed_point) SUNNonlinSolFree(a->fixed_point);
    if (a->matrix) SUNMatDestroy(a->matrix);
    if (a->l) N_VDestroy(a->l);
    if (a->q) N_VDestroy(a->q);
    if (a->q_atol) N_VDestroy(a->q_atol);
    saros_sparsity_release(a->pattern);
    saros_release(a->position);
    saros_release(a->values);
    saros_cvode_close(&a->run);
}

/* ---- integrate ---- */

/* l += w of output k (1 … times-1) */
static void add_weight(adjoint *a, int k) {
    saros_tensor *l = saros_nvector_tensor(a->l);
    const int64_t n = saros_tensor_count(l);
    const double *w = (const double *)saros_tensor_const_data(a->weight) + (k - 1) * n;
    double *to = saros_tensor_data(l);
    for (int64_t i = 0; i < n; ++i) to[i] += w[i];
}

static saros_status run_forward(adjoint *a, int times, const double *time) {
    saros_cvode_run *r = &a->run;
    const long steps = r->options->checkpoint > 0 ? (long)r->options->checkpoint : 150;
    saros_status status = saros_cvode_check(r, CVodeAdjInit(r->memory, steps, CV_HERMITE));
    double t = time[0];
    r->recording = true;
    if (status == SAROS_OK)
        status = saros_cvode_steps(r, time[times - 1], time[times - 1], &t, a->stop, a->user);
    return status;
}

static saros_status run_back(adjoint *a, int times, const double *time) {
    saros_cvode_run *r = &a->run;
    saros_status status = SAROS_OK;
    double t = time[times - 1];
    add_weight(a, times - 1);
    SAROS_TRY(adjoint_open(a, t));
    for (int k = times - 2; k >= 0; --k) {
        SAROS_TRY(back(a, CVodeB(r->memory, time[k], CV_NORMAL)));
        SAROS_TRY(back(a, CVodeGetB(r->memory, a->which, &t, a->l)));
        if (a->q) SAROS_TRY(back(a, CVodeGetQuadB(r->memory, a->which, &t, a->q)));
        if (k == 0) break;
        add_weight(a, k);
        SAROS_TRY(back(a, CVodeReInitB(r->memory, a->which, time[k], a->l)));
        if (a->q) SAROS_TRY(back(a, CVodeQuadReInitB(r->memory, a->which, a->q)));
    }
done:
    return status;
}

static saros_status hand_out(const adjoint *a, saros_tensor *const *gradient) {
    saros_status status = saros_tensor_assign(gradient[0], saros_nvector_tensor(a->l));
    const double *from = a->q ? saros_tensor_const_data(saros_nvector_tensor(a->q)) : NULL;
    for (int k = 0; k < a->parameters && status == SAROS_OK && from; ++k) {
        saros_type type = saros_tensor_type(a->run.operand[2 + k]);
        if (type.dtype != SAROS_F64) continue;
        saros_tensor *part = NULL;
        if (gradient[1 + k]) {
            status = saros_tensor_from(SAROS_F64, type.rank, type.shape, from, &part);
            if (status == SAROS_OK) status = saros_tensor_assign(gradient[1 + k], part);
            saros_tensor_release(part);
        }
        from += saros_type_count(&type);
    }
    return status;
}

static saros_status check_weight(adjoint *a, saros_tensor *y0, int times, saros_tensor *weight) {
    const int64_t n = saros_tensor_count(y0), shape[2] = {times - 1, n};
    if (times < 2)
        return saros_fail(SAROS_ERR_USAGE, "cvode", NULL,
                          "a gradient needs a time after the start");
    if (saros_tensor_rank(weight) != 2 || saros_tensor_shape(weight)[0] != shape[0] ||
        saros_tensor_shape(weight)[1] != n)
        return saros_fail(SAROS_ERR_SHAPE, "cvode", NULL,
                          "the weights must be of shape (outputs after the start, unknowns) = "
                          "(%lld, %lld)",
                          (long long)shape[0], (long long)n);
    saros_status status = saros_tensor_cast(weight, SAROS_F64, &a->weight);
    if (status) return status;
    const double *w = saros_tensor_const_data(a->weight);
    for (int64_t i = 0; i < shape[0] * n; ++i) a->scale = fmax(a->scale, fabs(w[i]));
    return SAROS_OK;
}

static saros_status all_zero(int count, saros_tensor *const *gradient) {
    saros_status status = SAROS_OK;
    for (int k = 0; k < count && status == SAROS_OK; ++k)
        if (gradient[k])
            memset(saros_tensor_data(gradient[k]), 0,
                   (size_t)saros_tensor_count(gradient[k]) * sizeof(double));
    return status;
}

saros_status saros_cvode_gradient(const saros_cvode_functions *functions, int parameters,
                                  saros_tensor *const *parameter, saros_tensor *y0, int times,
                                  const double *time, const saros_cvode_options *options,
                                  saros_tensor *weight, saros_tensor *const *gradient,
                                  saros_stop_fn stop, void *user, saros_ode_info *info) {
    adjoint a = {.run = {.f = *functions, .options = options},
                 .parameters = parameters,
                 .stop = stop,
                 .user = user};
    saros_status status = SAROS_OK;
    SAROS_TRY(check_weight(&a, y0, times, weight));
    SAROS_TRY(all_zero(parameters + 1, gradient));
    if (!(a.scale > 0)) goto done; /* nothing to bring back */
    SAROS_TRY(saros_cvode_open(&a.run, parameters, parameter, y0, times, time));
    SAROS_TRY(run_forward(&a, times, time));
    SAROS_TRY(zero_vector(&a, saros_tensor_count(y0), &a.l));
    SAROS_TRY(run_back(&a, times, time));
    SAROS_TRY(hand_out(&a, gradient));
    if (info) saros_cvode_info(&a.run, info);
done:
    adjoint_close(&a);
    saros_tensor_release(a.weight);
    return status;
}
