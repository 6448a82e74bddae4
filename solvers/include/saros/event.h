/** Events of adaptive runs: zeros of g(t, y) at which the run ends, or the state changes, or which
 * are recorded; and the march through them in a graph, differentiated through the times at which
 * they happen.
 *
 *  saros_adapt finds the events and puts each at the end of a step. The march replays the steps;
 * the size of the step that meets an event is a root of g after the step, so that by the implicit
 * function theorem the event moves with the parameters, and with it all that comes later. Output
 * times stay where they are. Which events there are, and between which outputs, is as it was in the
 * run.
 */
#ifndef SAROS_EVENT_H
#define SAROS_EVENT_H

#include "saros/adapt.h"

/** What saros_adapt evaluates, compiled; a list of them is `event` of its options. */
typedef struct saros_event_functions {
    const saros_function *zero;   /**< (t, y, parameters…) -> g, an f64 scalar */
    const saros_function *change; /**< (t, y, parameters…) -> y after the event; NULL: as before */
    int direction;                /**< only where g rises (1) or falls (-1); 0: both */
    bool ends;                    /**< the run ends at the first event, which is its last output */
} saros_event_functions;

/** What the march builds: `zero` a scalar, `change` a state. */
typedef struct saros_event_spec {
    saros_rate_fn zero, change; /**< change: NULL if the state stays */
    void *user;
} saros_event_spec;

/** Appends the march over the steps of a run with events. Of `spec` steps, bound and h are not
 * read. @param event one for each of the run's list
 *  @param final y at the last time, or at the event that ended the run;
 *  @param kept leading axis: the output times after the start that were reached (not set if there
 *  is none);  @param event_time (events) and @param event_state (events, n), before the change; not
 *  set without events. The last three may be NULL. */
SAROS_API void saros_march_events(saros_graph *graph, const saros_march_spec *spec,
                                  const saros_event_spec *event, const saros_steps *steps,
                                  saros_value *final, saros_value *kept, saros_value *event_time,
                                  saros_value *event_state);

#endif
