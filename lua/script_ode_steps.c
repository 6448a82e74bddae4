/** saros.ode by steps that are chosen by their errors: the compiled step and events, the run, and
 * inside a recording the march over the steps of a run with the numbers in force. */
#include <string.h>

#include "saros/stop.h"
#include "script_ode_impl.h"

/* ---- the functions ---- */

/** In a recording that has inputs, as that of jit, there are no numbers in force. */
static void check(lua_State *L, saros_status status) {
    if (status == SAROS_ERR_USAGE && strcmp(saros_error_last()->where, "saros_compile") == 0)
        script_fail(L, SAROS_ERR_USAGE, "dt = …",
                    "ode: events are looked for by rtol only where numbers are known, not inside "
                    "jit, loops or vmap");
    script_check(L, status);
}

/** Compiles a function of `in` and what the recording knows; it lives in the anchor. */
static saros_function *compile(lua_State *L, int ins, const saros_value *in, int outs,
                               const saros_value *out) {
    saros_function **slot = script_function_slot(L);
    lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
    check(L, saros_compile(script_state_of(L)->top->graph, ins, in, outs, out,
                           &(saros_compile_options){.name = "ode"}, slot));
    return *slot;
}

/** A function (t, y) -> what a Lua function makes of them. */
static saros_function *compile_call(lua_State *L, saros_value t, saros_value y,
                                    script_vector_call *call, bool scalar) {
    const saros_value in[2] = {t, y};
    saros_value out;
    script_check(L, script_vector_rate(script_state_of(L)->top->graph, t, y, call, &out));
    if (scalar) out = saros_reshape(out, 0, NULL);
    return compile(L, 2, in, 1, &out);
}

void script_ode_compile(lua_State *L, const script_ode *ode, script_ode_functions *out) {
    saros_graph *graph = script_state_of(L)->top->graph;
    const saros_type scalar = saros_type_scalar(SAROS_F64),
                     vector = saros_type_make(SAROS_F64, 1, &ode->y.size);
    const saros_value in[3] = {saros_input(graph, &scalar, "t"), saros_input(graph, &scalar, "h"),
                               saros_input(graph, &vector, "y")};
    saros_value step[2];
    saros_march_step(
        graph,
        &(saros_march_spec){.integrator = ode->integrator,
                            .y0 = in[2],
                            .rate = script_ode_rate,
                            .explicit_rate = ode->explicit_ ? script_ode_explicit : NULL,
                            .user = (void *)(uintptr_t)ode},
        in[0], in[1], &step[0], &step[1]);
    out->step = compile(L, 3, in, 2, step);
    out->events = ode->events;
    out->event = script_anchored(L, 4, sizeof *out->event * (size_t)ode->events);
    for (int k = 0; k < ode->events; ++k) {
        const script_ode_event *e = &ode->event[k];
        out->event[k] = (saros_event_functions){
            .zero = compile_call(L, in[0], in[2], e->when, true),
            .change = e->jump ? compile_call(L, in[0], in[2], e->jump, false) : NULL,
            .direction = e->direction,
            .ends = e->ends};
    }
}

/* ---- the run ---- */

static int steps_gc(lua_State *L) {
    saros_steps_clear(lua_touserdata(L, 1));
    return 0;
}

/** Steps that live in the anchor. */
static saros_steps *keep_steps(lua_State *L) {
    saros_steps *steps = lua_newuserdatauv(L, sizeof *steps, 0);
    *steps = (saros_steps){0};
    if (luaL_newmetatable(L, "saros.steps")) {
        lua_pushcfunction(L, steps_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
    return steps;
}

static bool stop(double t, void *user) {
    (void)t;
    (void)user;
    return saros_stop_requested();
}

const saros_steps *script_ode_run(lua_State *L, const script_ode_options *o,
                                  const saros_integrator *integrator, const script_ode_functions *f,
                                  saros_tensor *start, saros_output_fn output, void *user) {
    saros_steps *steps = keep_steps(L);
    const saros_adapt_options options = {.rtol = o->rtol,
                                         .atol = o->atol,
                                         .max_steps = o->max_steps,
                                         .event = f->event,
                                         .events = f->events,
                                         .most_events = o->max_events};
    script_check(L, saros_adapt(f->step, integrator, 0, NULL, start, (int)o->times.count,
                                o->times.list, &options, output, stop, user, steps, NULL));
    return steps;
}

/* ---- inside a recording ---- */

/** The numbers of a value of the recording in force; pushes them. */
static saros_tensor *numbers_of(lua_State *L, saros_value value) {
    saros_tensor *now = NULL;
    check(L, saros_function_call(compile(L, 0, NULL, 1, &value), NULL, &now, NULL));
    script_push_tensor(L, now);
    return now;
}

/** A constant of the recording; takes over the tensor. */
static saros_value constant(lua_State *L, saros_tensor *tensor) {
    script_push_tensor(L, tensor);
    lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
    return saros_constant(script_state_of(L)->top->graph, tensor);
}

static saros_march_spec march_of(lua_State *L, script_ode *ode, saros_value y0) {
    const saros_times *times = &ode->options.times;
    saros_tensor *list = NULL;
    script_check(L, saros_tensor_from(SAROS_F64, 1, &times->count, times->list, &list));
    return (saros_march_spec){.integrator = ode->integrator,
                              .y0 = y0,
                              .times = constant(L, list),
                              .rate = script_ode_rate,
                              .explicit_rate = ode->explicit_ ? script_ode_explicit : NULL,
                              .user = ode};
}

static saros_status build_when(saros_graph *graph, saros_value t, saros_value y, void *user,
                               saros_value *out) {
    const script_ode_event *e = user;
    saros_status status = script_vector_rate(graph, t, y, e->when, out);
    if (status == SAROS_OK) *out = saros_reshape(*out, 0, NULL);
    return status;
}

static saros_status build_jump(saros_graph *graph, saros_value t, saros_value y, void *user,
                               saros_value *out) {
    return script_vector_rate(graph, t, y, ((const script_ode_event *)user)->jump, out);
}

/** Pushes y at the start and the times reached after it. */
static void push_states(lua_State *L, const script_ode *ode, saros_value y0, saros_value kept) {
    saros_value all[2] = {saros_reshape(y0, 2, (int64_t[]){1, ode->y.size}), kept};
    script_vector_push(L, &ode->y, saros_is_none(kept) ? all[0] : saros_concat(2, all, 0));
}

static int march_events(lua_State *L, script_ode *ode, const saros_steps *steps, saros_value y0) {
    const saros_march_spec spec = march_of(L, ode, y0);
    saros_event_spec *event = script_anchored(L, 4, sizeof *event * (size_t)ode->events);
    for (int k = 0; k < ode->events; ++k)
        event[k] =
            (saros_event_spec){build_when, ode->event[k].jump ? build_jump : NULL, &ode->event[k]};
    saros_value final, kept = SAROS_NONE, time = SAROS_NONE, state = SAROS_NONE;
    saros_march_events(y0.graph, &spec, event, steps, &final, &kept, &time, &state);
    if (saros_is_poisoned(final)) script_push_value(L, final, false); /* raises */
    push_states(L, ode, y0, kept);
    script_ode_events_push(L, &ode->y, steps, &time, &state);
    return 2;
}

/** Most steps between two times. By default 100000 in all, so that many times need not much memory,
 * but 1000 at least. */
static int64_t steps_between(const script_ode_options *o) {
    enum { ALL = 100000, LEAST = 1000 };
    if (o->max_steps > 0) return o->max_steps;
    const int64_t share = ALL / (o->times.count - 1);
    return share < LEAST ? LEAST : share;
}

/** Events are looked for with the numbers in force: how many there are shapes the result. */
static int march_numbers(lua_State *L, script_ode *ode, saros_value y0) {
    script_ode_functions f = {0};
    if (!script_state_of(L)->top->owned)
        check(L, saros_fail(SAROS_ERR_USAGE, "saros_compile", NULL, "a body has inputs"));
    script_ode_compile(L, ode, &f);
    return march_events(
        L, ode,
        script_ode_run(L, &ode->options, ode->integrator, &f, numbers_of(L, y0), NULL, NULL), y0);
}

int script_ode_march(lua_State *L, script_ode *ode, saros_value y0) {
    saros_value final, kept;
    if (ode->events) return march_numbers(L, ode, y0);
    saros_march_spec spec = march_of(L, ode, y0);
    spec.bound = steps_between(&ode->options);
    saros_adapt_steps(y0.graph, &spec,
                      &(saros_adapt_options){.rtol = ode->options.rtol, .atol = ode->options.atol},
                      &spec.steps, &spec.h);
    saros_march(y0.graph, &spec, &final, &kept);
    if (saros_is_poisoned(kept)) script_push_value(L, kept, false); /* raises */
    push_states(L, ode, y0, kept);
    return 1;
}
