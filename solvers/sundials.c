/** A run of SUNDIALS: operands, vectors, linear solver, what its flags and messages say, and the
 * way from output to output. Steps are those of the integrator; values at output times come from
 * its interpolating polynomial, which is of the order of the method; the last time is hit.
 *
 *  Not thread-safe within one call.
 */
#include "sundials_impl.h"

#include <math.h>
#include <stdio.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"
#include "sunsparse_impl.h"

/* ---- callbacks ---- */

int saros_sundials_outcome(saros_sundials *r, saros_status status) {
    if (status == SAROS_OK) return 0;
    if (status == SAROS_RETRY || status == SAROS_ERR_NAN) {
        snprintf(r->note, sizeof r->note, "%.200s", saros_error_last()->message);
        return 1;
    }
    if (!r->parked) r->parked = saros_error_park();
    return -1;
}

void saros_sundials_place(saros_sundials *r, double t, N_Vector y) {
    *(double *)saros_tensor_data(r->operand[0]) = t;
    r->operand[1] = saros_nvector_tensor(y);
}

static saros_status all_finite(const saros_sundials *r, const saros_tensor *of, const char *what) {
    const double *value = saros_tensor_const_data(of);
    for (int64_t i = 0; i < saros_tensor_count(of); ++i)
        if (!isfinite(value[i]))
            return saros_fail(SAROS_ERR_NAN, r->kind->where, NULL, "%s %lld at t = %g is %g", what,
                              (long long)i, *(double *)saros_tensor_data(r->operand[0]), value[i]);
    return SAROS_OK;
}

int saros_sundials_evaluate(saros_sundials *r, const saros_function *f, N_Vector out,
                            const char *what) {
    saros_tensor *to = saros_nvector_tensor(out);
    saros_status status = saros_function_call(f, r->operand, &to, NULL);
    if (status == SAROS_OK) status = all_finite(r, to, what);
    return saros_sundials_outcome(r, status);
}

void saros_sundials_message(int code, const char *module, const char *function, char *text,
                            void *user) {
    (void)module;
    (void)function;
    saros_sundials *r = user;
    if (code < 0) snprintf(r->words, sizeof r->words, "%.240s", text);
}

/* ---- errors ---- */

saros_status saros_sundials_check_at(saros_sundials *r, void *memory, const char *doing, int flag) {
    if (saros_nvector_clone_failed())
        return saros_fail(SAROS_ERR_MEMORY, r->kind->where, NULL, "out of memory for its vectors");
    if (flag >= 0) return SAROS_OK;
    if (r->matrix && r->solver && saros_sunsolver_status(r->solver) == SAROS_ERR_MEMORY)
        return SAROS_ERR_MEMORY;
    if (r->parked) {
        saros_status status = saros_error_unpark(r->parked);
        r->parked = NULL;
        return status;
    }
    double t = 0, h = 0;
    long steps = 0;
    if (memory) r->kind->stands(memory, &t, &h, &steps);
    return saros_fail(r->kind->meaning(flag), r->kind->where,
                      "loosen rtol and atol, or look at the solution before this time",
                      "%s of %s stopped at t = %g, step %g, after %ld steps: %s%s%s", doing,
                      r->method, t, h, steps, r->words[0] ? r->words : "no reason given",
                      r->note[0] ? "; " : "", r->note);
}

saros_status saros_sundials_check(saros_sundials *r, int flag) {
    return saros_sundials_check_at(r, r->memory, "the run", flag);
}

saros_status saros_sundials_made(const saros_sundials *r, const void *made) {
    if (made) return SAROS_OK;
    return saros_fail(SAROS_ERR_MEMORY, r->kind->where, NULL, "out of memory");
}

/* ---- opening and closing ---- */

static saros_status check_arguments(const char *where, saros_tensor *y0, int times,
                                    const double *time) {
    if (saros_tensor_rank(y0) != 1)
        return saros_fail(SAROS_ERR_SHAPE, where, "reshape the state to one axis",
                          "the state is of rank %d", saros_tensor_rank(y0));
    if (times < 1) return saros_fail(SAROS_ERR_USAGE, where, NULL, "no output times");
    for (int k = 1; k < times; ++k)
        if (!(time[k] > time[k - 1]))
            return saros_fail(SAROS_ERR_USAGE, where, NULL, "output times must ascend: %g after %g",
                              time[k], time[k - 1]);
    return SAROS_OK;
}

saros_status saros_sundials_vector(saros_sundials *r, int64_t n, saros_tensor *from,
                                   N_Vector *out) {
    saros_tensor *values = NULL;
    saros_status status = saros_tensor_zeros(SAROS_F64, 1, &n, &values);
    if (status == SAROS_OK && from) status = saros_tensor_assign(values, from);
    if (status == SAROS_OK) {
        *out = saros_nvector_make(values, r->context);
        status = saros_sundials_made(r, *out);
    }
    saros_tensor_release(values);
    return status;
}

saros_status saros_sundials_open(saros_sundials *r, int leading, int parameters,
                                 saros_tensor *const *parameter, saros_tensor *y0, int times,
                                 const double *time) {
    saros_status status = check_arguments(r->kind->where, y0, times, time);
    if (status) return status;
    saros_nvector_clone_failed(); /* of earlier runs */
    r->leading = leading;
    r->operands = leading + parameters;
    r->n = saros_tensor_count(y0);
    /* functions take two more vectors, or a tangent of each operand */
    r->operand = saros_allocate_zero((size_t)(2 * r->operands + 2), sizeof(saros_tensor *));
    if (!r->operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < parameters; ++k) r->operand[leading + k] = parameter[k];
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0, &r->operand[0]));
    if (SUNContext_Create(NULL, &r->context)) SAROS_TRY(saros_sundials_made(r, NULL));
    SAROS_TRY(saros_sundials_vector(r, r->n, y0, &r->y));
done:
    return status;
}

void saros_sundials_close(saros_sundials *r) {
    saros_sundials_directions_close(r);
    if (r->solver) SUNLinSolFree(r->solver);
    if (r->matrix) SUNMatDestroy(r->matrix);
    if (r->y) N_VDestroy(r->y);
    if (r->context) SUNContext_Free(&r->context);
    if (r->operand) saros_tensor_release(r->operand[0]);
    saros_release(r->operand);
    saros_jacobian_release(r->entries);
    saros_error_unpark(r->parked);
}

saros_status saros_sundials_direct(saros_sundials *r, saros_jacobian *entries) {
    saros_sparsity *pattern = saros_jacobian_sparsity(entries);
    r->entries = saros_jacobian_retain(entries);
    if (saros_sparsity_size(pattern) != r->n)
        return saros_fail(SAROS_ERR_SHAPE, r->kind->where, NULL,
                          "the sparsity is of order %lld, the state has %lld unknowns",
                          (long long)saros_sparsity_size(pattern), (long long)r->n);
    r->matrix = saros_sunmatrix_make(pattern, r->context);
    if (!r->matrix) return saros_sundials_made(r, NULL);
    r->solver = saros_sunsolver_make(pattern, r->context);
    return r->solver ? SAROS_OK : saros_error_last()->status;
}

saros_status saros_sundials_iterative(saros_sundials *r) {
    return saros_sundials_made(r, r->solver = SUNLinSol_SPGMR(r->y, SUN_PREC_NONE, 20, r->context));
}

/* ---- integrating ---- */

saros_status saros_sundials_steps(saros_sundials *r, double until, double end, double *t,
                                  saros_stop_fn stop, void *user) {
    const int64_t most = r->max_steps > 0 ? r->max_steps : 100000;
    for (int64_t k = 0; *t < until; ++k) {
        if (stop && stop(*t, user))
            return saros_fail(SAROS_ERR_STOPPED, r->kind->where, NULL,
                              "stopped on request at t = %g", *t);
        if (k >= most)
            return saros_fail(
                SAROS_ERR_NOT_CONVERGED, r->kind->where, "raise max_steps or loosen rtol",
                "%lld steps of %s did not reach the output at t = %g: now at t = "
                "%g%s%s",
                (long long)most, r->method, until, *t, r->note[0] ? "; " : "", r->note);
        saros_status status = saros_sundials_check(r, r->kind->step(r, end, t));
        if (status) return status;
    }
    return SAROS_OK;
}

static saros_status give(saros_sundials *r, double t, bool first, saros_tangent_fn output,
                         void *user) {
    saros_sundials_directions *along = &r->directions;
    N_Vector y = NULL;
    saros_status status = saros_sundials_vector(r, r->n, NULL, &y);
    if (status) return status;
    if (first)
        N_VScale(1, r->y, y);
    else
        SAROS_TRY(saros_sundials_check(r, r->kind->state(r, t, y)));
    for (int d = 0; d < along->count; ++d) {
        if (!first) SAROS_TRY(saros_sundials_check(r, r->kind->tangent(r, t, d, along->s[d])));
        along->now[d] = saros_nvector_tensor(along->s[d]);
    }
    status = output(t, saros_nvector_tensor(y), along->count, along->now, user);
done:
    N_VDestroy(y);
    return status;
}

saros_status saros_sundials_integrate(saros_sundials *r, int times, const double *time,
                                      saros_tangent_fn output, saros_stop_fn stop, void *user) {
    double t = time[0];
    saros_status status = give(r, t, true, output, user);
    for (int k = 1; k < times && status == SAROS_OK; ++k) {
        status = saros_sundials_steps(r, time[k], time[times - 1], &t, stop, user);
        if (status == SAROS_OK) status = give(r, time[k], false, output, user);
    }
    return status;
}

void saros_sundials_info(saros_sundials *r, saros_ode_info *info) {
    long steps = 0, count[4] = {0};
    *info = (saros_ode_info){.linear_solver = r->matrix   ? saros_sunsolver_name(r->solver)
                                              : r->solver ? "GMRES"
                                                          : "none"};
    r->kind->stands(r->memory, &info->last_time, &info->last_step, &steps);
    r->kind->counts(r->memory, count);
    info->steps = steps;
    info->rate_evaluations = count[0];
    info->jacobian_evaluations = r->matrix ? count[1] : 0;
    info->newton_iterations = count[2];
    info->error_test_failures = count[3];
}
