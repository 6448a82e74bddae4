/** Adaptive steps: a compiled step with an error estimate, driven from outside the graph. What
 * comes out is the sequence of accepted steps, which saros_march replays: the controller takes no
 * part in any derivative, and the gradient is that of the numbers computed.
 */
#ifndef SAROS_ADAPT_H
#define SAROS_ADAPT_H

#include "saros/cvode.h"
#include "saros/ode.h"

typedef struct saros_adapt_options {
    double rtol, atol;           /**< 0: 1e-6, 1e-9 */
    double first_step, max_step; /**< 0: a ten-thousandth of the time; unlimited */
    int64_t max_steps;           /**< between outputs, rejected ones included; 0: 100000 */
    const struct saros_event_functions *event; /**< [events]. See event.h */
    int events;
    int64_t most_events; /**< of a run; 0: 10000 */
} saros_adapt_options;

/** A zero of an event's function, at the end of a step. */
typedef struct saros_event_place {
    int which; /**< of the list */
    int64_t interval;
    int64_t step; /**< of its interval, 0 … count-1 */
    double t;
} saros_event_place;

/** The accepted steps. */
typedef struct saros_steps {
    int64_t intervals, most; /**< most: largest number of steps in an interval */
    int64_t total;
    int64_t *count; /**< per interval */
    double *h;      /**< all of them, interval after interval */
    int64_t events; /**< in the order in which they happened */
    saros_event_place *event;
    double *event_state; /**< (events, n): y there, before the change */
    bool ended;          /**< by the last event, in the last interval */
} saros_steps;

/** Integrates from times[0] over all others, which are hit.
 *  @param step function (t, h, y, parameters…) -> (y at t + h, error estimate (n)), as
 *  saros_march_step builds it;  @param output and `stop` may be NULL;  @param steps, info may be
 *  NULL. Clear `steps` with saros_steps_clear.
 *  Errors: DIVERGED when the step falls below the rounding of t, NOT_CONVERGED for max_steps, each
 *  with integrator, t and h; STOPPED. */
SAROS_API saros_status saros_adapt(const saros_function *step, const saros_integrator *integrator,
                                   int parameters, saros_tensor *const *parameter, saros_tensor *y0,
                                   int times, const double *time,
                                   const saros_adapt_options *options, saros_output_fn output,
                                   saros_stop_fn stop, void *user, saros_steps *steps,
                                   saros_ode_info *info);
SAROS_API void saros_steps_clear(saros_steps *steps);

/** The sequence as inputs of saros_march: `count` i64 (intervals), `h` f64 (intervals, most). */
SAROS_API saros_status saros_steps_tensors(const saros_steps *steps, saros_tensor **count,
                                           saros_tensor **h);

/** The same as a node: steps are chosen when the function runs, for the numbers it is given.
 * `count` and `h` go into spec->steps and spec->h of saros_march; no derivative goes through them.
 * @param spec as saros_march_step reads it, and `times`, and `bound`: most steps of an interval,
 * rejected ones included (options->max_steps is not read). Events: UNSUPPORTED. */
SAROS_API void saros_adapt_steps(saros_graph *graph, const saros_march_spec *spec,
                                 const saros_adapt_options *options, saros_value *count,
                                 saros_value *h);

#endif
