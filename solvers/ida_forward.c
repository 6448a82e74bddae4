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
    saros_ida_run *r = user;
    const int parameters = r->of->parameters;
    int outcome = 0;
    saros_ida_place(r, t, y, rate);
    for (int d = 0; d < directions && !outcome; ++d) {
        saros_tensor *const *along = r->of->along + (int64_t)d * (parameters + 1) + 1;
        saros_tensor *to = saros_nvector_tensor(out[d]);
        int at = r->operands;
        r->operand[at++] = saros_nvector_tensor(s[d]);
        r->operand[at++] = saros_nvector_tensor(s_rate[d]);
        for (int k = 0; k < parameters; ++k)
            if (r->still[k]) r->operand[at++] = along[k] ? along[k] : r->still[k];
        outcome =
            saros_ida_outcome(r, saros_function_call(r->of->tangent, r->operand, &to, NULL), to, t);
    }
    return outcome;
}

saros_status saros_ida_sensitivities(saros_ida_run *r) {
    const saros_ida_problem *p = r->of;
    const saros_ida_options *o = r->options;
    const size_t n = (size_t)p->directions;
    saros_status status = SAROS_OK;
    double *atol = saros_allocate((n + 1) * sizeof *atol);
    r->s = saros_allocate_zero(2 * n + 1, sizeof *r->s);
    r->now = saros_allocate_zero(n + 1, sizeof *r->now);
    r->still = saros_allocate_zero((size_t)p->parameters + 1, sizeof *r->still);
    if (!atol || !r->s || !r->now || !r->still) SAROS_TRY(SAROS_ERR_MEMORY);
    r->s_rate = r->s + n;
    for (int k = 0; k < p->parameters; ++k) {
        saros_type type = saros_tensor_type(p->parameter[k]);
        if (type.dtype == SAROS_F64)
            SAROS_TRY(saros_tensor_zeros(SAROS_F64, type.rank, type.shape, &r->still[k]));
    }
    for (int d = 0; d < p->directions; ++d) {
        SAROS_TRY(saros_ida_vector(r, p->along[(int64_t)d * (p->parameters + 1)], &r->s[d]));
        SAROS_TRY(saros_ida_vector(r, NULL, &r->s_rate[d]));
        atol[d] = o->sensitivity_atol > 0 ? o->sensitivity_atol : o->atol > 0 ? o->atol : 1e-9;
    }
    SAROS_TRY(saros_ida_check(r, IDASensInit(r->memory, p->directions, IDA_STAGGERED,
                                             tangent_residual, r->s, r->s_rate)));
    const double rtol = o->sensitivity_rtol > 0 ? o->sensitivity_rtol : o->rtol;
    SAROS_TRY(saros_ida_check(r, IDASensSStolerances(r->memory, rtol > 0 ? rtol : 1e-6, atol)));
    SAROS_TRY(saros_ida_check(r, IDASetSensErrCon(r->memory, SUNTRUE)));
done:
    saros_release(atol);
    return status;
}

void saros_ida_sensitivities_close(saros_ida_run *r) {
    for (int d = 0; r->s && d < 2 * r->of->directions; ++d)
        if (r->s[d]) N_VDestroy(r->s[d]);
    for (int k = 0; r->still && k < r->of->parameters; ++k) saros_tensor_release(r->still[k]);
    saros_release(r->s);
    saros_release(r->now);
    saros_release(r->still);
}
