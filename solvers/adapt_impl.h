/** Inside of adaptive runs: what the controller and its events share. */
#ifndef SAROS_ADAPT_IMPL_H
#define SAROS_ADAPT_IMPL_H

#include "saros/event.h"

/** One run. */
typedef struct saros_adaption {
    const saros_function *step;
    const saros_integrator *integrator;
    const saros_adapt_options *options;
    double rtol, atol, span;
    saros_tensor **in; /**< t, h, y, parameters */
    saros_tensor *t, *h, *y, *next, *error;
    int64_t n;
    double wanted; /**< the step the controller wants */
    double before; /**< error norm of the last accepted step */
    bool after_rejection;
    int64_t room, rejected, accepted;
    double *taken;
    const saros_event_functions *event;
    int events;
    saros_tensor *g;
    int *sign;       /**< of each g at y; 0: not known, as at a start or after a change */
    saros_steps met; /**< its events, with room for */
    int64_t event_room;
} saros_adaption;

/** One trial from (t, y) to `next`; *norm of its error, infinite where the step cannot be taken at
 * all. */
saros_status saros_adapt_try(saros_adaption *a, double t, double h, double *norm);

/** Signs of all g at the start. */
saros_status saros_adapt_signs(saros_adaption *a, double t);
/** After an accepted trial: shortens it to the first event in it, if there is one. */
saros_status saros_adapt_look(saros_adaption *a, double t, double *h,
                              const saros_event_functions **found);
/** Takes note of the event at y, and makes the change there. */
saros_status saros_adapt_meet(saros_adaption *a, const saros_event_functions *event,
                              int64_t interval, int64_t step, double t);

#endif
