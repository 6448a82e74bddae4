/** The march through events, as values.
 *
 *  Between events it is saros_march over the steps of the run. The step that meets an event starts
 * at (t, y) and ends at t + h, where h solves
 *
 *      g(t + h, Phi_h(t, y)) = 0,     Phi_h: one step of size h,
 *
 *  an implicit node near the h of the run (root.h): dh = -(dg)/(g_t + g_y dPhi/dh). The steps up to
 * it have the sizes of the run; those that follow, up to the next output, share what is left in the
 * proportions of the run, and so move with the event.
 */
#include "saros/event.h"

#include <string.h>

#include "root_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

/* Where the march stands. */
typedef struct walk {
    saros_graph *graph;
    const saros_march_spec *spec;
    const saros_event_spec *event; /* of the run's list */
    const saros_steps *steps;
    saros_value t, y;
    int64_t interval, step; /* steps of the interval that are done */
    const double *h;        /* the next one */
    int keeps, pieces;
    saros_value *piece; /* [pieces][keeps] */
} walk;

static saros_value row_of(saros_value scalar) {
    return saros_reshape(scalar, 1, (int64_t[]){1});
}

/* Sizes of `count[k]` steps of each of n intervals, the next ones of the run. */
static saros_status take_sizes(walk *w, int64_t n, const int64_t *count, int64_t most,
                               saros_value *sizes) {
    saros_tensor *h = NULL;
    saros_status status = saros_tensor_zeros(SAROS_F64, 2, (int64_t[]){n, most}, &h);
    if (status) return status;
    for (int64_t k = 0; k < n; ++k) {
        double *to = (double *)saros_tensor_data(h) + k * most;
        memcpy(to, w->h, (size_t)count[k] * sizeof *to);
        w->h += count[k];
    }
    *sizes = saros_constant(w->graph, h);
    saros_tensor_release(h);
    return SAROS_OK;
}

/* Marches over n intervals that end at `times` (n+1). */
static saros_status march_over(walk *w, int64_t n, const int64_t *count, saros_value times,
                               bool observed) {
    saros_march_spec spec = *w->spec;
    saros_tensor *counts = NULL;
    saros_status status = SAROS_OK;
    spec.bound = 1;
    for (int64_t k = 0; k < n; ++k)
        if (count[k] > spec.bound) spec.bound = count[k];
    SAROS_TRY(saros_tensor_from(SAROS_I64, 1, &n, count, &counts));
    SAROS_TRY(take_sizes(w, n, count, spec.bound, &spec.h));
    spec.y0 = w->y;
    spec.times = times;
    spec.steps = saros_constant(w->graph, counts);
    if (!observed) spec.observe = NULL;
    saros_march(w->graph, &spec, &w->y, observed ? w->piece + w->pieces++ * w->keeps : NULL);
done:
    saros_tensor_release(counts);
    return status;
}

/* To the end of the interval before `interval`. */
static saros_status march_to_output(walk *w, int64_t interval) {
    const int64_t n = interval - w->interval;
    if (n <= 0) return SAROS_OK;
    int64_t *count = saros_allocate((size_t)n * sizeof *count);
    if (!count) return SAROS_ERR_MEMORY;
    memcpy(count, w->steps->count + w->interval, (size_t)n * sizeof *count);
    count[0] -= w->step;
    saros_value times[2] = {row_of(w->t),
                            saros_slice(w->spec->times, 0, w->interval + 1, interval + 1, 1)};
    saros_status status = march_over(w, n, count, saros_concat(2, times, 0), true);
    saros_release(count);
    w->t = saros_reshape(saros_slice(w->spec->times, 0, interval, interval + 1, 1), 0, NULL);
    w->interval = interval;
    w->step = 0;
    return status;
}

/* Until `step` steps of the interval are done. */
static saros_status march_to_step(walk *w, int64_t step) {
    const int64_t count = step - w->step;
    double length = 0;
    if (count <= 0) return SAROS_OK;
    for (int64_t k = 0; k < count; ++k) length += w->h[k];
    saros_value end = saros_add(w->t, saros_scalar(w->graph, SAROS_F64, length));
    saros_value times[2] = {row_of(w->t), row_of(end)};
    saros_status status = march_over(w, 1, &count, saros_concat(2, times, 0), false);
    w->t = end;
    w->step = step;
    return status;
}

/* One step of size h from where the march stands. */
static saros_value step_of(const walk *w, saros_graph *graph, saros_value h) {
    saros_march_spec spec = *w->spec;
    saros_value next, t = w->t;
    spec.y0 = w->y;
    if (w->y.graph != graph) { /* what a step makes of them is to lie in its graph */
        spec.y0 = saros_build(graph, &saros_row_alias, NULL, 1, &w->y);
        t = saros_build(graph, &saros_row_alias, NULL, 1, &w->t);
    }
    saros_march_step(graph, &spec, t, h, &next, NULL);
    return next;
}

/* Where the march stands, and the event that it meets next. */
typedef struct meeting {
    const walk *walk;
    const saros_event_spec *event;
} meeting;

static saros_status event_residual(saros_graph *graph, saros_value x, void *user,
                                   saros_value *residual) {
    const meeting *m = user;
    const walk *w = m->walk;
    saros_value h = saros_reshape(x, 0, NULL), g = SAROS_NONE;
    saros_status status =
        m->event->zero(graph, saros_add(w->t, h), step_of(w, graph, h), m->event->user, &g);
    if (status == SAROS_OK) *residual = row_of(g);
    return status;
}

/* The step that meets the event, and the change there. */
static saros_status meet(walk *w, const saros_event_spec *event, saros_value *time,
                         saros_value *state) {
    meeting m = {w, event};
    const saros_value guess = row_of(saros_scalar(w->graph, SAROS_F64, *w->h++));
    const saros_root_options options = {.name = "event"};
    saros_value h = saros_reshape(saros_root(guess, event_residual, &m, &options), 0, NULL);
    w->y = step_of(w, w->graph, h);
    w->t = saros_add(w->t, h);
    w->step++;
    *time = row_of(w->t);
    *state = saros_stack(1, &w->y, 0);
    if (!event->change) return SAROS_OK;
    return event->change(w->graph, w->t, w->y, event->user, &w->y);
}

static saros_status walk_all(walk *w, saros_value *time, saros_value *state) {
    const saros_steps *s = w->steps;
    saros_status status = SAROS_OK;
    for (int64_t k = 0; k < s->events && status == SAROS_OK; ++k) {
        status = march_to_output(w, s->event[k].interval);
        if (status == SAROS_OK) status = march_to_step(w, s->event[k].step);
        if (status == SAROS_OK) status = meet(w, &w->event[s->event[k].which], &time[k], &state[k]);
    }
    if (status == SAROS_OK && !s->ended) status = march_to_output(w, s->intervals);
    return status;
}

static saros_value joined(int n, const saros_value *part) {
    return n == 1 ? part[0] : saros_concat(n, part, 0);
}

static saros_status hand_out(const walk *w, saros_value *kept) {
    saros_value *column = saros_values_make(w->pieces);
    if (!column) return SAROS_ERR_MEMORY;
    for (int k = 0; kept && w->pieces && k < w->keeps; ++k) {
        for (int i = 0; i < w->pieces; ++i) column[i] = w->piece[i * w->keeps + k];
        kept[k] = joined(w->pieces, column);
    }
    saros_release(column);
    return saros_graph_status(w->graph);
}

void saros_march_events(saros_graph *graph, const saros_march_spec *spec,
                        const saros_event_spec *event, const saros_steps *steps, saros_value *final,
                        saros_value *kept, saros_value *event_time, saros_value *event_state) {
    const int events = (int)steps->events, keeps = spec->observe ? spec->observed : 1;
    walk w = {.graph = graph,
              .spec = spec,
              .event = event,
              .steps = steps,
              .y = spec->y0,
              .h = steps->h,
              .keeps = keeps};
    saros_value *met = saros_values_make(2 * events);
    saros_status status = SAROS_OK;
    w.piece = saros_values_make((events + 1) * keeps);
    if (!met || !w.piece) SAROS_TRY(SAROS_ERR_MEMORY);
    w.t = saros_reshape(saros_slice(spec->times, 0, 0, 1, 1), 0, NULL);
    SAROS_TRY(walk_all(&w, met, met + events));
    SAROS_TRY(hand_out(&w, kept));
    *final = w.y;
    if (event_time && events) *event_time = joined(events, met);
    if (event_state && events) *event_state = joined(events, met + events);
done:
    saros_release(met);
    saros_release(w.piece);
    if (status) *final = saros_poison(graph);
}
