/** Forward sensitivities by IDAS: F_y s + F_y' s' + F_p p' = 0 for each direction, with the run
 * (staggered corrector) and in its error test. Their consistent values are found with the state's.
 */
#include "ida_impl.h"
#include "nvector_impl.h"
#include "saros/memory.h"

static int tangent_residual(int directions, realtype t, N_Vector y, N_Vector rate,
                            N_Vector residual, N_Vector *s, N_Vector *s_rate, N_Vector *out,
                            void *user, N_Vector a, N_Vector b, N_Vector c) {
    (void)residual;
    (void)a;
    (void)b;
    (void)c;
    saros_ida_run *run = user;
    saros_sundials *r = &run->common;
    int outcome = 0;
    saros_ida_place(run, t, y, rate);
    for (int d = 0; d < directions && !outcome; ++d) {
        r->operand[r->operands] = saros_nvector_tensor(s[d]);
        r->operand[r->operands + 1] = saros_nvector_tensor(s_rate[d]);
        saros_sundials_along(r, d, r->operands + 2);
        outcome = saros_sundials_evaluate(r, run->of->tangent, out[d],
                                          "the residual of the tangent of row");
    }
    return outcome;
}

saros_status saros_ida_sensitivities(saros_ida_run *r) {
    const saros_ida_problem *p = r->of;
    const saros_ida_options *o = r->options;
    saros_sundials *s = &r->common;
    const double rtol = saros_given(saros_given(o->sensitivity_rtol, o->rtol), 1e-6);
    double *atol = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_sundials_directions_open(s, p->directions, p->along));
    r->s_rate = saros_allocate_zero((size_t)p->directions, sizeof *r->s_rate);
    if (!r->s_rate) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int d = 0; d < p->directions; ++d)
        SAROS_TRY(saros_sundials_vector(s, s->n, NULL, &r->s_rate[d]));
    SAROS_TRY(saros_sundials_check(s, IDASensInit(s->memory, p->directions, IDA_STAGGERED,
                                                  tangent_residual, s->directions.s, r->s_rate)));
    SAROS_TRY(saros_sundials_tolerances(s, p->y0, saros_given(o->atol, 1e-9), o->sensitivity_atol,
                                        &atol));
    SAROS_TRY(saros_sundials_check(s, IDASensSStolerances(s->memory, rtol, atol)));
    SAROS_TRY(saros_sundials_check(s, IDASetSensErrCon(s->memory, SUNTRUE)));
done:
    saros_release(atol);
    return status;
}

void saros_ida_sensitivities_close(saros_ida_run *r) {
    for (int d = 0; r->s_rate && d < r->of->directions; ++d)
        if (r->s_rate[d]) N_VDestroy(r->s_rate[d]);
    saros_release(r->s_rate);
}
