/** Traced solutions: what objectives and transforms see of a solve that is being recorded. */
#include <math.h>
#include <string.h>

#include "script_problem_impl.h"

static const char class_name[] = "saros.traced_solution";

typedef struct traced {
    saros_traced *solution;
    const saros_problem *problem;
    bool owned; /* user value 1 keeps the problem */
} traced;

static void close_traced(traced *t) {
    if (t->owned) saros_traced_release(t->solution);
    t->solution = NULL;
}

static int traced_gc(lua_State *L) {
    close_traced(lua_touserdata(L, 1));
    return 0;
}

static traced *self(lua_State *L) {
    traced *t = luaL_testudata(L, 1, class_name);
    if (!t) script_expected(L, 1, "self", "a solution; use solution:method(…)");
    if (!t->solution || script_state_of(L)->top == NULL)
        script_fail(L, SAROS_ERR_USAGE, "use it inside the traced function",
                    "a traced solution is used after its recording has ended");
    script_locate(L, saros_traced_graph(t->solution));
    return t;
}

void script_push_traced(lua_State *L, saros_traced *solution, saros_problem *problem, bool owned) {
    traced *t = lua_newuserdatauv(L, sizeof *t, 1);
    *t = (traced){.solution = solution, .problem = problem, .owned = owned};
    luaL_setmetatable(L, class_name);
    script_push_problem(L, saros_problem_retain(problem));
    lua_setiuservalue(L, -2, 1);
}

/* ---- methods ---- */

static int traced_integral(lua_State *L) {
    static const char *const names[] = {"t", "over"};
    traced *t = self(L);
    double at = NAN;
    script_check_function(L, 2, "f");
    lua_settop(L, 3);
    if (!lua_isnil(L, 3)) {
        if (!lua_istable(L, 3)) script_expected(L, 3, "options", "a table of options");
        script_strict_keys(L, 3, "integral", names, 2);
        script_reserved_key(L, 3, "over");
        if (lua_getfield(L, 3, "t") != LUA_TNIL) at = script_number(L, -1, "t");
        lua_pop(L, 1);
    }
    lua_newtable(L);
    script_function *f = script_function_hold(L, 4, 2, 1, "the function to integrate");
    script_push_value(L, saros_traced_integral(t->solution, script_point_call, f, at), true);
    return 1;
}

static int traced_at(lua_State *L) {
    traced *t = self(L);
    saros_tensor *coordinate[SAROS_AXES] = {NULL};
    const char *const *names;
    lua_settop(L, 2);
    lua_newtable(L);
    bool numbers = script_coordinates(L, 2, 3, t->problem, coordinate);
    int n = saros_problem_unknowns(t->problem, &names);
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    for (int k = 0; k < n; ++k)
        script_push_value(L, saros_traced_at(t->solution, names[k], coordinate), numbers);
    return n;
}

static int traced_index(lua_State *L) {
    traced *t = self(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    if (strcmp(name, "integral") == 0) {
        lua_pushcfunction(L, traced_integral);
        return 1;
    }
    if (strcmp(name, "at") == 0) {
        lua_pushcfunction(L, traced_at);
        return 1;
    }
    if (script_solution_name(name))
        return script_fail(L, SAROS_ERR_USAGE, "a traced solution has integral, at and its fields",
                           "'%s' needs numbers, which a traced solution does not have yet", name);
    script_push_value(L, saros_traced_field(t->solution, name), false);
    return 1;
}

static int traced_tostring(lua_State *L) {
    lua_pushliteral(L, "traced solution");
    return 1;
}

/* ---- parameters of an objective ---- */

static int parameter_index(lua_State *L) {
    traced *t = lua_touserdata(L, lua_upvalueindex(1));
    if (!t->solution)
        return script_fail(L, SAROS_ERR_USAGE, NULL,
                           "parameters are used after the objective returned");
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    saros_value value = saros_traced_parameter(t->solution, name);
    script_push_value(L, value, !saros_is_poisoned(value) && saros_value_rank(value) == 0);
    return 1;
}

/** Pushes a table that reads parameters of the traced solution at `index`. */
static void push_parameters(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, index);
    lua_pushcclosure(L, parameter_index, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* ---- objectives ---- */

typedef struct objective {
    saros_traced *solution;
    script_function *function;
    saros_value value;
} objective;

static int run(lua_State *L) {
    objective *o = lua_touserdata(L, 1);
    script_push_traced(L, o->solution, o->function->problem, false);
    traced *t = lua_touserdata(L, 2);
    push_parameters(L, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, o->function->reference);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_call(L, 2, 1);
    if (!script_is_leaf(L, 4))
        script_fail(L, SAROS_ERR_TYPE, NULL, "the objective must return a number, got %s",
                    script_describe(L, 4));
    o->value = script_value_in(L, 4, NULL);
    close_traced(t);
    return 0;
}

saros_status script_objective_call(saros_traced *solution, void *user, saros_value *out) {
    script_function *f = user;
    lua_State *L = f->L;
    objective o = {solution, f, SAROS_NONE};
    if (!lua_checkstack(L, LUA_MINSTACK))
        return saros_fail(SAROS_ERR_MEMORY, "script", NULL, "the Lua stack is full");
    script_trace *trace = script_trace_open(L, saros_traced_graph(solution), false, NULL);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &o);
    saros_status status = script_call(L, 1, 0);
    script_trace_close(L, trace);
    if (status == SAROS_OK) *out = o.value;
    return status;
}

void script_open_traced(lua_State *L) {
    static const luaL_Reg events[] = {{"__gc", traced_gc},
                                      {"__index", traced_index},
                                      {"__tostring", traced_tostring},
                                      {NULL, NULL}};
    luaL_newmetatable(L, class_name);
    luaL_setfuncs(L, events, 0);
    lua_pushliteral(L, "solution");
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}
