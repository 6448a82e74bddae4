/** Recordings: the graphs that Lua functions append to, innermost on top.
 *
 *  A recording is opened around the call of a Lua function and closed when it returns, whether it
 * failed or not. Values refer to their recording; once it is closed their use is an error. */
#include "script_impl.h"

static const char traces_key; /* address of a recording -> its userdata, while open */

script_trace *script_trace_open(lua_State *L, saros_graph *graph, bool owned, saros_point *point) {
    script_state *state = script_state_of(L);
    script_registry(L, &traces_key);
    script_trace *trace = lua_newuserdatauv(L, sizeof *trace, 0);
    *trace = (script_trace){.graph = graph, .owned = owned, .point = point, .outer = state->top};
    lua_rawsetp(L, -2, trace);
    lua_pop(L, 1);
    if (!state->top) {
        state->seen = 0;
        state->warned = false;
    }
    state->top = trace;
    return trace;
}

void script_trace_close(lua_State *L, script_trace *trace) {
    script_state *state = script_state_of(L);
    state->top = trace->outer;
    if (trace->owned) saros_graph_release(trace->graph);
    trace->graph = NULL;
    trace->point = NULL;
    script_registry(L, &traces_key);
    lua_pushnil(L);
    lua_rawsetp(L, -2, trace); /* sets an existing key: allocates nothing */
    lua_pop(L, 1);
}

script_trace *script_trace_root(lua_State *L) {
    saros_graph *graph = NULL;
    script_check(L, saros_graph_make(&graph));
    return script_trace_open(L, graph, true, NULL);
}

saros_point *script_point_now(lua_State *L) {
    for (script_trace *t = script_state_of(L)->top; t; t = t->outer)
        if (t->point) return t->point;
    return NULL;
}

void script_locate(lua_State *L, saros_graph *graph) {
    const char *file;
    int line;
    if (script_place(L, &file, &line)) saros_graph_locate(graph, file, line);
}

/** Pushes the open recording of `graph`; false if there is none. */
static script_trace *push_trace_of(lua_State *L, const saros_graph *graph) {
    for (script_trace *t = script_state_of(L)->top; t; t = t->outer)
        if (t->graph == graph) {
            script_registry(L, &traces_key);
            lua_rawgetp(L, -1, t);
            lua_remove(L, -2);
            return t;
        }
    return NULL;
}

void script_push_value(lua_State *L, saros_value value, bool weak) {
    if (saros_is_poisoned(value)) {
        if (saros_graph_status(value.graph) == SAROS_OK)
            saros_fail(SAROS_ERR_INTERNAL, "script", NULL, "a poisoned value without an error");
        script_raise(L);
    }
    script_trace *trace = push_trace_of(L, value.graph);
    if (!trace)
        script_fail(L, SAROS_ERR_INTERNAL, NULL, "a value of a graph that is not being recorded");
    script_value *v = lua_newuserdatauv(L, sizeof *v, 1);
    *v = (script_value){.value = value, .trace = trace, .weak = weak};
    luaL_setmetatable(L, "saros.tensor");
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
}
