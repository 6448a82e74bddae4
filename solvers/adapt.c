/** Step size control.
 *
 *  A step is accepted if its error estimate e is small in the norm
 *
 *      |e| = sqrt(mean((e_i / (atol + rtol max(|y_i|, |y_i'|)))^2)) <= 1,
 *
 *  and the next one is h f with f = 0.9 |e|^(-0.7/k) |e_before|^(0.4/k), k one more than the order
 * of the embedded solution (the PI controller of Gustafsson 1991; constants of Hairer and Wanner
 * 1996, IV.2), within [0.2, 5] and at most 1 after a rejection. A step in which Newton's method
 * fails or which leaves the finite numbers is tried again with a quarter of h. The last two steps
 * before an output are made equal so that it is hit without a very short one, and the controller
 * goes on from the step it wanted.
 *
 *  Does not look for a first step: from a ten-thousandth of the time the controller finds its own
 *  within a few steps either way.
 */
#include "adapt_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "saros/memory.h"

static double norm_of_error(const saros_adaption *a) {
    const double *e = saros_tensor_const_data(a->error), *y = saros_tensor_const_data(a->y),
                 *z = saros_tensor_const_data(a->next);
    double sum = 0;
    for (int64_t i = 0; i < a->n; ++i) {
        double r = e[i] / (a->atol + a->rtol * fmax(fabs(y[i]), fabs(z[i])));
        sum += r * r + 0 * z[i]; /* a state that is not finite shows in the norm */
    }
    return a->n ? sqrt(sum / (double)a->n) : 0;
}

/* One trial; *norm is infinite where the step cannot be taken at all. */
saros_status saros_adapt_try(saros_adaption *a, double t, double h, double *norm) {
    saros_tensor *out[2] = {a->next, a->error};
    *(double *)saros_tensor_data(a->t) = t;
    *(double *)saros_tensor_data(a->h) = h;
    saros_status status = saros_function_call(a->step, a->in, out, NULL);
    *norm = INFINITY;
    if (status == SAROS_ERR_NOT_CONVERGED || status == SAROS_ERR_DIVERGED ||
        status == SAROS_ERR_NAN || status == SAROS_RETRY)
        return SAROS_OK;
    if (status == SAROS_OK) *norm = norm_of_error(a);
    if (!isfinite(*norm)) *norm = INFINITY;
    return status;
}

static saros_status keep_step(saros_adaption *a, double h) {
    if (a->accepted == a->room) {
        int64_t room = a->room ? 2 * a->room : 256;
        double *larger = saros_reallocate(a->taken, (size_t)room * sizeof *larger);
        if (!larger) return SAROS_ERR_MEMORY;
        a->taken = larger;
        a->room = room;
    }
    a->taken[a->accepted++] = h;
    return SAROS_OK;
}

/* The next step size after one of size h with error norm e. */
static double controlled(saros_adaption *a, double h, double e) {
    double k = a->integrator->estimate + 1;
    if (!(e <= 1)) {
        a->after_rejection = true;
        return h * (isfinite(e) ? fmax(0.2, 0.9 * pow(e, -1 / k)) : 0.25);
    }
    double f = 0.9 * pow(fmax(e, 1e-10), -0.7 / k) * pow(a->before, 0.4 / k);
    f = fmin(fmax(f, 0.2), a->after_rejection ? 1 : 5);
    /* shortened for an output: nothing was wrong with more */
    bool cut = !a->after_rejection && h < a->wanted * (1 - 1e-9);
    a->before = fmax(e, 1e-4);
    a->after_rejection = false;
    return cut ? fmax(h * f, a->wanted) : h * f;
}

/* The step from t towards `end`: what is wanted, or an equal part of what is left if that is near.
 */
static double fitted(const saros_adaption *a, double t, double end) {
    double left = end - t, h = a->wanted;
    if (a->options->max_step > 0) h = fmin(h, a->options->max_step);
    double parts = ceil(left / h * (1 - 1e-9));
    return parts <= 1 ? left : parts <= 2 ? left / 2 : h;
}

static saros_status give_up(const saros_adaption *a, double t, double h, double e) {
    static const char *const hint =
        "loosen rtol and atol, or look at the solution before this time";
    if (isfinite(e))
        return saros_fail(SAROS_ERR_DIVERGED, a->integrator->name, hint,
                          "the step at t = %.10g fell to h = %.3g; its error is still %.3g of what "
                          "is tolerated",
                          t, h, e);
    return saros_fail(SAROS_ERR_DIVERGED, a->integrator->name, hint,
                      "the step at t = %.10g fell to h = %.3g and still has no finite state or no "
                      "root of its stages",
                      t, h);
}

/* ---- from one output to the next ---- */

static saros_status take_step(saros_adaption *a, double h) {
    saros_tensor *old = a->y;
    a->in[2] = a->y = a->next;
    a->next = old;
    return keep_step(a, h);
}

/* `*ended`: at an event, at time *until. */
static saros_status cross(saros_adaption *a, int64_t interval, double t, double end,
                          saros_stop_fn stop, void *user, bool *ended, double *until) {
    const int64_t first = a->accepted;
    int64_t most = a->options->max_steps > 0 ? a->options->max_steps : 100000;
    for (int64_t tried = 0; t < end && !*ended; ++tried) {
        double h = fitted(a, t, end), e = 0;
        const saros_event_functions *event = NULL;
        if (tried >= most)
            return saros_fail(SAROS_ERR_NOT_CONVERGED, a->integrator->name,
                              "raise max_steps or loosen rtol",
                              "%lld steps did not reach t = %g: stopped at t = %.10g with h = %.3g",
                              (long long)most, end, t, h);
        if (stop && stop(t, user))
            return saros_fail(SAROS_ERR_STOPPED, a->integrator->name, NULL, "stopped at t = %g", t);
        saros_status status = saros_adapt_try(a, t, h, &e);
        if (status) return status;
        bool last = h == end - t;
        a->wanted = controlled(a, h, e);
        if (!(e <= 1)) {
            a->rejected++;
            if (a->wanted < 16 * DBL_EPSILON * fmax(fabs(t), a->span)) return give_up(a, t, h, e);
            continue;
        }
        if (a->events) status = saros_adapt_look(a, t, &h, &event);
        if (status == SAROS_OK) status = take_step(a, h);
        if (status) return status;
        t = last && !event ? end : t + h;
        if (!event) continue;
        status = saros_adapt_meet(a, event, interval, a->accepted - 1 - first, t);
        if (status) return status;
        *ended = event->ends;
        /* what is left may be less than can be told from t, and is a step all the same: it moves
         * with the event */
        if (!*ended && !(t < end)) status = keep_step(a, 0);
        if (status) return status;
    }
    *until = t;
    return SAROS_OK;
}

static saros_status adaption_open(saros_adaption *a, int parameters, saros_tensor *const *parameter,
                                  saros_tensor *y0) {
    saros_status status = SAROS_OK;
    a->in = saros_allocate_zero((size_t)parameters + 3, sizeof(saros_tensor *));
    if (!a->in) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0, &a->t));
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0, &a->h));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &a->n, &a->y));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &a->n, &a->next));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &a->n, &a->error));
    SAROS_TRY(saros_tensor_assign(a->y, y0));
    a->in[0] = a->t;
    a->in[1] = a->h;
    a->in[2] = a->y;
    for (int k = 0; k < parameters; ++k) a->in[3 + k] = parameter[k];
    if (!a->events) goto done;
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0, &a->g));
    a->sign = saros_allocate_zero((size_t)a->events, sizeof *a->sign);
    if (!a->sign) status = SAROS_ERR_MEMORY;
done:
    return status;
}

static void adaption_close(saros_adaption *a) {
    saros_tensor_release(a->t);
    saros_tensor_release(a->h);
    saros_tensor_release(a->y);
    saros_tensor_release(a->next);
    saros_tensor_release(a->error);
    saros_tensor_release(a->g);
    saros_release(a->in);
    saros_release(a->taken);
    saros_release(a->sign);
    saros_release(a->met.event);
    saros_release(a->met.event_state);
}

/* The state to the caller, as a tensor of its own. */
static saros_status give(const saros_adaption *a, double t, saros_output_fn output, void *user) {
    saros_tensor *copy = NULL;
    if (!output) return SAROS_OK;
    saros_status status = saros_tensor_make(SAROS_F64, 1, &a->n, &copy);
    if (status == SAROS_OK) status = saros_tensor_assign(copy, a->y);
    if (status == SAROS_OK) status = output(t, copy, user);
    saros_tensor_release(copy);
    return status;
}

saros_status saros_adapt(const saros_function *step, const saros_integrator *integrator,
                         int parameters, saros_tensor *const *parameter, saros_tensor *y0,
                         int times, const double *time, const saros_adapt_options *options,
                         saros_output_fn output, saros_stop_fn stop, void *user, saros_steps *steps,
                         saros_ode_info *info) {
    static const saros_adapt_options defaults;
    const saros_adapt_options *o = options ? options : &defaults;
    saros_status status = SAROS_OK;
    saros_steps result = {0};
    saros_adaption a = {.step = step,
                        .integrator = integrator,
                        .options = o,
                        .rtol = o->rtol > 0 ? o->rtol : 1e-6,
                        .atol = o->atol > 0 ? o->atol : 1e-9,
                        .span = time[times - 1] - time[0],
                        .event = o->event,
                        .events = o->event ? o->events : 0,
                        .n = saros_tensor_count(y0),
                        .before = 1};
    a.wanted = o->first_step > 0 ? o->first_step : 1e-4 * a.span;
    result.count = saros_allocate_zero((size_t)times, sizeof *result.count);
    if (!result.count) return SAROS_ERR_MEMORY;
    SAROS_TRY(adaption_open(&a, parameters, parameter, y0));
    SAROS_TRY(give(&a, time[0], output, user));
    SAROS_TRY(saros_adapt_signs(&a, time[0]));
    double last = time[0];
    for (int j = 0; j + 1 < times && !result.ended; ++j) {
        int64_t before = a.accepted;
        SAROS_TRY(cross(&a, j, time[j], time[j + 1], stop, user, &result.ended, &last));
        SAROS_TRY(give(&a, last, output, user));
        result.count[j] = a.accepted - before;
        if (result.count[j] > result.most) result.most = result.count[j];
        result.intervals = j + 1;
    }
    result.total = a.accepted;
    result.h = a.taken;
    result.events = a.met.events;
    result.event = a.met.event;
    result.event_state = a.met.event_state;
    a.taken = NULL;
    a.met = (saros_steps){0};
    if (info)
        *info = (saros_ode_info){.steps = a.accepted,
                                 .error_test_failures = a.rejected,
                                 .last_step = result.total ? result.h[result.total - 1] : 0,
                                 .last_time = last};
    if (steps) {
        *steps = result;
        result = (saros_steps){0};
    }
done:
    saros_steps_clear(&result);
    adaption_close(&a);
    return status;
}

void saros_steps_clear(saros_steps *steps) {
    saros_release(steps->count);
    saros_release(steps->h);
    saros_release(steps->event);
    saros_release(steps->event_state);
    *steps = (saros_steps){0};
}

saros_status saros_steps_tensors(const saros_steps *steps, saros_tensor **count, saros_tensor **h) {
    const int64_t shape[2] = {steps->intervals, steps->most};
    saros_tensor *n = NULL, *all = NULL;
    saros_status status = saros_tensor_from(SAROS_I64, 1, shape, steps->count, &n);
    if (status == SAROS_OK) status = saros_tensor_zeros(SAROS_F64, 2, shape, &all);
    if (status) {
        saros_tensor_release(n);
        return status;
    }
    double *to = saros_tensor_data(all);
    const double *from = steps->h;
    for (int64_t j = 0; j < shape[0]; ++j) {
        memcpy(to + j * shape[1], from, (size_t)steps->count[j] * sizeof *to);
        from += steps->count[j];
    }
    *count = n;
    *h = all;
    return SAROS_OK;
}
