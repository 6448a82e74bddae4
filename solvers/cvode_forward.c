/** Forward sensitivities by CVODES: with y the run, s = dy/de along a direction (y0', p'),
 *
 *      s' = f_y s + f_p p',   s(t0) = y0',
 *
 *  one equation for each direction, integrated with the run (staggered corrector: Feehery, Tolsma
 * and Barton 1997) and counted in its error test. The right-hand side is a compiled tangent of f.
 *
 *  Without a tolerance of its own a tangent gets that of y divided by what a unit of the direction
 * is to the point it moves: |p|/|p'| over the entries that move.
 */
#include <math.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "cvode_impl.h"
#include "nvector_impl.h"
#include "saros/memory.h"

typedef struct forward {
    saros_cvode_run run; /* first: the user data of all callbacks */
    int directions, parameters;
    saros_tensor *const *along;
    saros_tensor **still; /* zeros of every parameter that some direction leaves alone */
    N_Vector *s;
    SUNNonlinearSolver corrector;
    double *atol;
    saros_tensor **now; /* tangents handed out */
} forward;

/* (t, y, p…, s, p'…) -> s' for each direction */
static int forward_rate(int directions, realtype t, N_Vector y, N_Vector rate, N_Vector *s,
                        N_Vector *rates, void *user, N_Vector a, N_Vector b) {
    (void)rate;
    (void)a;
    (void)b;
    forward *f = user;
    saros_cvode_run *r = &f->run;
    saros_status status = SAROS_OK;
    saros_cvode_place(r, t, y);
    for (int d = 0; d < directions && status == SAROS_OK; ++d) {
        saros_tensor *const *along = f->along + (int64_t)d * (f->parameters + 1) + 1;
        saros_tensor *out = saros_nvector_tensor(rates[d]);
        int at = r->operands;
        r->operand[at++] = saros_nvector_tensor(s[d]);
        for (int k = 0; k < f->parameters; ++k) {
            if (saros_tensor_dtype(r->operand[2 + k]) != SAROS_F64) continue;
            r->operand[at++] = along[k] ? along[k] : f->still[k];
        }
        status = saros_function_call(r->f.tangent, r->operand, &out, NULL);
        if (status == SAROS_OK)
            status = saros_cvode_finite(t, saros_tensor_const_data(out), saros_tensor_count(out));
    }
    return saros_cvode_outcome(r, status);
}

/* Adds the squares of x over the entries that v moves, and those of v. */
static saros_status add_squares(const saros_tensor *x, saros_tensor *v, double *of_x,
                                double *of_v) {
    saros_tensor *a = NULL, *b = NULL;
    saros_status status = saros_tensor_cast(x, SAROS_F64, &a);
    if (status == SAROS_OK) status = saros_tensor_cast(v, SAROS_F64, &b);
    for (int64_t i = 0; status == SAROS_OK && i < saros_tensor_count(a); ++i) {
        const double p = ((const double *)saros_tensor_const_data(a))[i],
                     q = ((const double *)saros_tensor_const_data(b))[i];
        if (q != 0) *of_x += p * p;
        *of_v += q * q;
    }
    saros_tensor_release(a);
    saros_tensor_release(b);
    return status;
}

/* |x|/|v| of the first operand that direction d moves away from zero, at most; 1 if there is none.
 */
static saros_status scale_of(const forward *f, saros_tensor *y0, int d, double *scale) {
    *scale = 0;
    for (int k = 0; k <= f->parameters; ++k) {
        saros_tensor *v = f->along[(int64_t)d * (f->parameters + 1) + k];
        double x = 0, moved = 0;
        if (!v) continue;
        saros_status status = add_squares(k ? f->run.operand[1 + k] : y0, v, &x, &moved);
        if (status) return status;
        if (x > 0 && moved > 0) *scale = fmax(*scale, sqrt(x / moved));
    }
    if (!(*scale > 0)) *scale = 1;
    return SAROS_OK;
}

static saros_status forward_tolerances(forward *f, saros_tensor *y0) {
    const saros_cvode_options *o = f->run.options;
    const double rtol = o->sensitivity_rtol > 0 ? o->sensitivity_rtol : o->rtol;
    for (int d = 0; d < f->directions; ++d) {
        double scale = 1;
        saros_status status = scale_of(f, y0, d, &scale);
        if (status) return status;
        f->atol[d] =
            o->sensitivity_atol > 0 ? o->sensitivity_atol : (o->atol > 0 ? o->atol : 1e-9) / scale;
    }
    return saros_cvode_check(&f->run,
                             CVodeSensSStolerances(f->run.memory, rtol > 0 ? rtol : 1e-6, f->atol));
}

/* Zeros for what directions leave alone, and a vector for each direction, at its start. */
static saros_status forward_vectors(forward *f, saros_tensor *y0) {
    saros_cvode_run *r = &f->run;
    saros_status status = SAROS_OK;
    const int n = f->directions;
    f->still = saros_allocate_zero((size_t)f->parameters + 1, sizeof *f->still);
    f->now = saros_allocate_zero((size_t)n + 1, sizeof *f->now);
    f->s = saros_allocate_zero((size_t)n + 1, sizeof *f->s);
    f->atol = saros_allocate_zero((size_t)n + 1, sizeof *f->atol);
    if (!f->still || !f->now || !f->s || !f->atol) return SAROS_ERR_MEMORY;
    for (int k = 0; k < f->parameters; ++k) {
        saros_type type = saros_tensor_type(r->operand[2 + k]);
        if (type.dtype == SAROS_F64)
            SAROS_TRY(saros_tensor_zeros(SAROS_F64, type.rank, type.shape, &f->still[k]));
    }
    for (int d = 0; d < n; ++d) {
        saros_tensor *start = NULL, *given = f->along[(int64_t)d * (f->parameters + 1)];
        SAROS_TRY(saros_tensor_zeros(SAROS_F64, 1, saros_tensor_shape(y0), &start));
        status = given ? saros_tensor_assign(start, given) : SAROS_OK;
        f->s[d] = status ? NULL : saros_nvector_make(start, r->context);
        saros_tensor_release(start);
        SAROS_TRY(status);
        SAROS_TRY(saros_cvode_made(f->s[d]));
    }
done:
    return status;
}

static saros_status forward_open(forward *f, saros_tensor *y0) {
    saros_cvode_run *r = &f->run;
    saros_status status = SAROS_OK;
    SAROS_TRY(forward_vectors(f, y0));
    SAROS_TRY(saros_cvode_check(
        r, CVodeSensInit(r->memory, f->directions, CV_STAGGERED, forward_rate, f->s)));
    SAROS_TRY(forward_tolerances(f, y0));
    SAROS_TRY(saros_cvode_check(r, CVodeSetSensErrCon(r->memory, SUNTRUE)));
    if (r->options->adams) {
        f->corrector = SUNNonlinSol_FixedPointSens(f->directions, r->y, 0, r->context);
        SAROS_TRY(saros_cvode_made(f->corrector));
        SAROS_TRY(saros_cvode_check(r, CVodeSetNonlinearSolverSensStg(r->memory, f->corrector)));
    }
done:
    return status;
}

static void forward_close(forward *f) {
    if (f->run.memory) CVodeFree(&f->run.memory); /* before what it points to */
    if (f->corrector) SUNNonlinSolFree(f->corrector);
    for (int d = 0; f->s && d < f->directions; ++d)
        if (f->s[d]) N_VDestroy(f->s[d]);
    for (int k = 0; f->still && k < f->parameters; ++k) saros_tensor_release(f->still[k]);
    saros_release(f->still);
    saros_release(f->now);
    saros_release(f->s);
    saros_release(f->atol);
    saros_cvode_close(&f->run);
}

static saros_status forward_give(forward *f, double t, bool first, saros_tangent_fn output,
                                 void *user) {
    saros_cvode_run *r = &f->run;
    saros_tensor *y = NULL;
    saros_status status = saros_cvode_state(r, t, first, &y);
    if (status) return status;
    for (int d = 0; d < f->directions; ++d) {
        if (!first) SAROS_TRY(saros_cvode_check(r, CVodeGetSensDky1(r->memory, t, 0, d, f->s[d])));
        f->now[d] = saros_nvector_tensor(f->s[d]);
    }
    status = output(t, y, f->directions, f->now, user);
done:
    saros_tensor_release(y);
    return status;
}

saros_status saros_cvode_forward(const saros_cvode_functions *functions, int parameters,
                                 saros_tensor *const *parameter, saros_tensor *y0, int directions,
                                 saros_tensor *const *along, int times, const double *time,
                                 const saros_cvode_options *options, saros_tangent_fn output,
                                 saros_stop_fn stop, void *user, saros_ode_info *info) {
    forward f = {.run = {.f = *functions, .options = options},
                 .directions = directions,
                 .parameters = parameters,
                 .along = along};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_cvode_open(&f.run, parameters, parameter, y0, times, time));
    SAROS_TRY(forward_open(&f, y0));
    SAROS_TRY(forward_give(&f, time[0], true, output, user));
    double t = time[0];
    for (int k = 1; k < times && status == SAROS_OK; ++k) {
        status = saros_cvode_steps(&f.run, time[k], time[times - 1], &t, stop, user);
        if (status == SAROS_OK) status = forward_give(&f, time[k], false, output, user);
    }
    if (status == SAROS_OK && info) saros_cvode_info(&f.run, info);
done:
    forward_close(&f);
    return status;
}
