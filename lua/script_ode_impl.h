/** Parts of saros.ode. All its C functions get (f, y0, options, anchor). */
#ifndef SAROS_SCRIPT_ODE_IMPL_H
#define SAROS_SCRIPT_ODE_IMPL_H

#include "saros/event.h"
#include "script_problem_impl.h"
#include "script_vector_impl.h"

typedef struct script_ode_options {
    const char *integrator;
    double rtol, atol, dt;
    saros_times times;
    int64_t max_steps, max_events;
} script_ode_options;

typedef struct script_ode_event {
    script_vector_call *when, *jump; /**< jump: NULL if the state stays */
    int direction;
    bool ends;
} script_ode_event;

/** A call, read inside a recording. What it points to lives in the anchor. */
typedef struct script_ode {
    script_ode_options options;
    const saros_integrator *integrator; /**< NULL: CVODES */
    script_vector y;
    script_vector_call *rate, *explicit_; /**< explicit_: NULL if there is one rate only */
    int events;
    script_ode_event *event;
} script_ode;

/* ---- script_ode.c ---- */

script_ode script_ode_read(lua_State *L, saros_value *y0);
/** Rates and events as the library asks for them; `user` is the script_ode. */
saros_status script_ode_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                             saros_value *rate);
saros_status script_ode_explicit(saros_graph *graph, saros_value t, saros_value y, void *user,
                                 saros_value *rate);

/* ---- steps chosen by their errors (script_ode_steps.c) ---- */

/** Compiled parts of a run; they live in the anchor. */
typedef struct script_ode_functions {
    saros_function *step;
    int events;
    saros_event_functions *event;
} script_ode_functions;

/** Compiles them in the recording in force. */
void script_ode_compile(lua_State *L, const script_ode *ode, script_ode_functions *out);
/** Runs; the steps live in the anchor. `output` may be NULL. */
const saros_steps *script_ode_run(lua_State *L, const script_ode_options *o,
                                  const saros_integrator *integrator, const script_ode_functions *f,
                                  saros_tensor *start, saros_output_fn output, void *user);
/** The march over steps chosen for the numbers in force, inside a recording: pushes the states at
 * the times reached and, with events, their list. Returns how many. */
int script_ode_march(lua_State *L, script_ode *ode, saros_value y0);

/* ---- events (script_ode_event.c) ---- */

/** Reads the option `events` into `ode`. */
void script_ode_events_read(lua_State *L, int args, script_ode *ode);
/** Pushes the list of events met: numbers, or values (times and states, NULL for numbers). */
void script_ode_events_push(lua_State *L, const script_vector *y, const saros_steps *steps,
                            const saros_value *time, const saros_value *state);
/** Pushes the tree of unknowns with the numbers of `rows` states; -1: one state, without the axis.
 */
void script_ode_push_rows(lua_State *L, const script_vector *y, int64_t rows, saros_tensor *all,
                          int64_t at);

#endif
