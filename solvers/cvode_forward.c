/** Forward sensitivities by CVODES: with y the run, s = dy/de along a direction (y0', p'),
 *
 *      s' = f_y s + f_p p',   s(t0) = y0',
 *
 *  one equation for each direction, integrated with the run (staggered corrector: Feehery, Tolsma
 * and Barton 1997) and counted in its error test. The right-hand side is a compiled tangent of f.
 */
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "cvode_impl.h"
#include "nvector_impl.h"
#include "saros/memory.h"

typedef struct forward {
    saros_cvode_run run; /* first: the user data of all callbacks */
    SUNNonlinearSolver corrector;
} forward;

/* (t, y, p…, s, p'…) -> s' for each direction */
static int forward_rate(int directions, realtype t, N_Vector y, N_Vector rate, N_Vector *s,
                        N_Vector *rates, void *user, N_Vector a, N_Vector b) {
    (void)rate;
    (void)a;
    (void)b;
    saros_cvode_run *run = user;
    saros_sundials *r = &run->common;
    int outcome = 0;
    saros_sundials_place(r, t, y);
    for (int d = 0; d < directions && !outcome; ++d) {
        r->operand[r->operands] = saros_nvector_tensor(s[d]);
        saros_sundials_along(r, d, r->operands + 1);
        outcome = saros_sundials_evaluate(r, run->f.tangent, rates[d],
                                          "the rate of the tangent of unknown");
    }
    return outcome;
}

static saros_status forward_open(forward *f, saros_tensor *y0, int directions,
                                 saros_tensor *const *along) {
    saros_sundials *r = &f->run.common;
    const saros_cvode_options *o = f->run.options;
    const double rtol = saros_given(saros_given(o->sensitivity_rtol, o->rtol), 1e-6);
    double *atol = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_sundials_directions_open(r, directions, along));
    SAROS_TRY(saros_sundials_check(
        r, CVodeSensInit(r->memory, directions, CV_STAGGERED, forward_rate, r->directions.s)));
    SAROS_TRY(
        saros_sundials_tolerances(r, y0, saros_given(o->atol, 1e-9), o->sensitivity_atol, &atol));
    SAROS_TRY(saros_sundials_check(r, CVodeSensSStolerances(r->memory, rtol, atol)));
    SAROS_TRY(saros_sundials_check(r, CVodeSetSensErrCon(r->memory, SUNTRUE)));
    if (o->adams) {
        f->corrector = SUNNonlinSol_FixedPointSens(directions, r->y, 0, r->context);
        SAROS_TRY(saros_sundials_made(r, f->corrector));
        SAROS_TRY(saros_sundials_check(r, CVodeSetNonlinearSolverSensStg(r->memory, f->corrector)));
    }
done:
    saros_release(atol);
    return status;
}

saros_status saros_cvode_forward(const saros_cvode_functions *functions, int parameters,
                                 saros_tensor *const *parameter, saros_tensor *y0, int directions,
                                 saros_tensor *const *along, int times, const double *time,
                                 const saros_cvode_options *options, saros_tangent_fn output,
                                 saros_stop_fn stop, void *user, saros_ode_info *info) {
    forward f = {.run = {.f = *functions, .options = options}};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_cvode_open(&f.run, parameters, parameter, y0, times, time));
    SAROS_TRY(forward_open(&f, y0, directions, along));
    status = saros_sundials_integrate(&f.run.common, times, time, output, stop, user);
    if (status == SAROS_OK && info) saros_sundials_info(&f.run.common, info);
done:
    if (f.run.common.memory) CVodeFree(&f.run.common.memory); /* before what it points to */
    if (f.corrector) SUNNonlinSolFree(f.corrector);
    saros_cvode_close(&f.run);
    return status;
}
