/** Events of adaptive runs.
 *
 *  An event is a change of sign of g(t, y) between the ends of an accepted step. The step is taken
 * again with a part of h that bisection finds, so that it ends where g has just changed sign: the
 * event lies on a step, and is a root in its size (event.c). Two changes of sign within a step are
 * none.
 *
 *  Of several events in a step the first one counts; the others are looked for from there. Of
 * those that fall together, such as do not change the state come first; the others are met by steps
 * of the size of rounding.
 */
#include "adapt_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "saros/memory.h"

/* f at (t, y): t, y, parameters stand from the second place of t, h, y, parameters on. */
static saros_status call_at(saros_adaption *a, const saros_function *f, double t, saros_tensor *y,
                            saros_tensor **out) {
    saros_tensor *held[2] = {a->in[1], a->in[2]};
    *(double *)saros_tensor_data(a->t) = t;
    a->in[1] = a->t;
    a->in[2] = y;
    saros_status status = saros_function_call(f, a->in + 1, out, NULL);
    a->in[1] = held[0];
    a->in[2] = held[1];
    return status;
}

/* Sign of g of event k at (t, y), 0 for a zero. */
static saros_status sign_at(saros_adaption *a, int k, double t, saros_tensor *y, int *sign) {
    saros_status status = call_at(a, a->event[k].zero, t, y, &a->g);
    if (status) return status;
    const double g = *(const double *)saros_tensor_const_data(a->g);
    if (!isfinite(g))
        return saros_fail(SAROS_ERR_NAN, a->integrator->name, NULL,
                          "the function of event %d is %g at t = %.10g", k + 1, g, t);
    *sign = (g > 0) - (g < 0);
    return SAROS_OK;
}

saros_status saros_adapt_signs(saros_adaption *a, double t) {
    saros_status status = SAROS_OK;
    for (int k = 0; k < a->events && status == SAROS_OK; ++k)
        status = sign_at(a, k, t, a->y, &a->sign[k]);
    return status;
}

static bool is_crossing(const saros_adaption *a, int k, int after) {
    const int before = a->sign[k], direction = a->event[k].direction;
    if (!before || !after || before == after) return false;
    return !direction || (after > 0) == (direction > 0);
}

/* The least part of h after which g of event k has the sign `after`; a->next is the state there. */
static saros_status locate(saros_adaption *a, int k, double t, double *h, int after) {
    double lo = 0, hi = *h, norm = 0;
    saros_status status = SAROS_OK;
    while (status == SAROS_OK && hi - lo > 2 * DBL_EPSILON * fmax(fabs(t), hi)) {
        const double middle = lo + (hi - lo) / 2;
        int sign = 0;
        if (!(middle > lo && middle < hi)) break;
        status = saros_adapt_try(a, t, middle, &norm);
        if (status == SAROS_OK && isfinite(norm))
            status = sign_at(a, k, t + middle, a->next, &sign);
        if (sign == after || !isfinite(norm))
            hi = middle;
        else
            lo = middle;
    }
    *h = hi;
    return status ? status : saros_adapt_try(a, t, hi, &norm);
}

static bool is_plain(const saros_event_functions *event) {
    return !event->change && !event->ends;
}

/* Whether event k comes before the one found so far, which ends the step; if so it ends it. */
static saros_status comes_first(saros_adaption *a, int k, int found, double t, double *h,
                                bool *first) {
    const double before = *h;
    int sign = 0;
    *first = false;
    saros_status status = sign_at(a, k, t + *h, a->next, &sign);
    if (status || !is_crossing(a, k, sign)) return status;
    status = locate(a, k, t, h, sign);
    *first = found < 0 || *h < before || (is_plain(&a->event[k]) && !is_plain(&a->event[found]));
    return status;
}

saros_status saros_adapt_look(saros_adaption *a, double t, double *h,
                              const saros_event_functions **found) {
    saros_status status = SAROS_OK;
    int first = -1;
    for (int k = 0; k < a->events && status == SAROS_OK; ++k) {
        bool is_first = false;
        if (k != first) status = comes_first(a, k, first, t, h, &is_first);
        if (!is_first) continue;
        first = k;
        k = -1; /* those before may have changed sign where the step ends now */
    }
    for (int k = 0; k < a->events && status == SAROS_OK; ++k) {
        int sign = 0;
        status = sign_at(a, k, t + *h, a->next, &sign);
        /* one that falls together with the first keeps its sign, so that it is found next */
        if (status == SAROS_OK && sign && (k == first || !is_crossing(a, k, sign)))
            a->sign[k] = sign;
    }
    *found = first < 0 ? NULL : &a->event[first];
    return status;
}

static saros_status make_room(saros_adaption *a) {
    const int64_t room = a->event_room ? 2 * a->event_room : 16;
    saros_event_place *place = saros_reallocate(a->met.event, (size_t)room * sizeof *place);
    if (!place) return SAROS_ERR_MEMORY;
    a->met.event = place;
    double *state = saros_reallocate(a->met.event_state, (size_t)(room * a->n + 1) * sizeof *state);
    if (!state) return SAROS_ERR_MEMORY;
    a->met.event_state = state;
    a->event_room = room;
    return SAROS_OK;
}

static saros_status keep_event(saros_adaption *a, int which, int64_t interval, int64_t step,
                               double t) {
    const int64_t most = a->options->most_events > 0 ? a->options->most_events : 10000;
    saros_steps *met = &a->met;
    if (met->events == most)
        return saros_fail(SAROS_ERR_NOT_CONVERGED, a->integrator->name,
                          "they may gather before a time that no step reaches; allow more if not",
                          "%lld events until t = %.10g", (long long)most, t);
    if (met->events == a->event_room) {
        saros_status status = make_room(a);
        if (status) return status;
    }
    memcpy(met->event_state + met->events * a->n, saros_tensor_const_data(a->y),
           (size_t)a->n * sizeof(double));
    met->event[met->events++] = (saros_event_place){which, interval, step, t};
    return SAROS_OK;
}

saros_status saros_adapt_meet(saros_adaption *a, const saros_event_functions *event,
                              int64_t interval, int64_t step, double t) {
    saros_status status = keep_event(a, (int)(event - a->event), interval, step, t);
    if (status || !event->change) return status;
    status = call_at(a, event->change, t, a->y, &a->next);
    if (status) return status;
    saros_tensor *old = a->y;
    a->in[2] = a->y = a->next;
    a->next = old;
    memset(a->sign, 0, (size_t)a->events * sizeof *a->sign);
    a->wanted =
        fmin(a->wanted, a->options->first_step > 0 ? a->options->first_step : 1e-4 * a->span);
    a->before = 1;
    return SAROS_OK;
}
