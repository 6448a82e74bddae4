/** problem:solve, problem:gradient, problem:fit. */
#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "script_problem_impl.h"

/* ---- solve ---- */

/** Inside a recording, with parameters traced: a traced solution. */
static int solve_traced(lua_State *L, script_method_call *call) {
    saros_traced *traced = NULL;
    saros_graph *graph = script_state_of(L)->top->graph;
    script_locate(L, graph);
    script_check(L, saros_problem_trace(call->problem, call->method, call->options, &call->common,
                                        graph, call->traced_name, call->traced_value, &traced));
    script_push_traced(L, traced, call->problem, true);
    return 1;
}

int script_problem_solve(lua_State *L) {
    script_method_call call;
    lua_settop(L, 2);
    script_method_call_read(L, 2, 3, "solve", NULL, 0, &call);
    if (call.traced) return solve_traced(L, &call);
    script_before_work(L);
    if (script_state_of(L)->settings.check) return script_push_nothing(L);
    saros_solution *solution = NULL;
    saros_status status =
        saros_problem_solve(call.problem, call.method, call.options, &call.common, &solution);
    script_progress_end(L);
    script_check(L, status);
    script_push_solution(L, solution);
    return 1;
}

/* ---- gradient ---- */

/** Names of the list `wrt` at the top of the stack; ends in NULL. */
static const char **read_names(lua_State *L, int anchor, int *count) {
    if (lua_type(L, -1) == LUA_TSTRING) {
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
    }
    if (!lua_istable(L, -1))
        script_fail(L, SAROS_ERR_TYPE, "wrt = {\"nu\"}",
                    "gradient: wrt: expected a list of parameter names, got %s",
                    script_describe(L, -1));
    int n = (int)lua_rawlen(L, -1);
    const char **names = script_anchored(L, anchor, sizeof *names * (size_t)(n + 1));
    for (int k = 0; k < n; ++k) {
        lua_rawgeti(L, -1, k + 1);
        names[k] = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        if (!names[k])
            script_fail(L, SAROS_ERR_TYPE, NULL, "gradient: wrt: expected names, got %s",
                        script_describe(L, -1));
        lua_pop(L, 1);
    }
    *count = n;
    return names;
}

int script_problem_gradient(lua_State *L) {
    static const char *const also[] = {"objective", "wrt", "check"};
    script_method_call call;
    lua_settop(L, 2);
    script_method_call_read(L, 2, 3, "gradient", also, 3, &call);
    script_before_work(L);
    lua_getfield(L, 2, "check");
    call.common.check = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (lua_getfield(L, 2, "objective") != LUA_TFUNCTION)
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "gradient: objective: expected function(sol, p), got %s",
                    script_describe(L, -1));
    script_function *f = script_function_hold(L, 3, -1, 1, "the objective");
    f->problem = call.problem;
    int n = 0;
    double value = 0;
    lua_getfield(L, 2, "wrt");
    const char **wrt = read_names(L, 3, &n);
    if (call.traced)
        script_fail(L, SAROS_ERR_USAGE, "saros.grad over problem:solve nests",
                    "gradient: parameters must be numbers here");
    if (script_state_of(L)->settings.check) {
        script_push_nothing(L);
        return script_push_nothing(L) + 1;
    }
    saros_tensor **gradient = script_scratch(L, sizeof *gradient * (size_t)(n + 1));
    saros_status status =
        saros_problem_gradient(call.problem, call.method, call.options, &call.common,
                               script_objective_call, f, wrt, &value, gradient, NULL);
    script_progress_end(L);
    script_check(L, status);
    lua_pushnumber(L, value);
    lua_createtable(L, 0, n);
    for (int k = 0; k < n; ++k) {
        script_push_result(L, gradient[k], true);
        lua_setfield(L, -2, wrt[k]);
    }
    return 2;
}

/* ---- fit ---- */

static const char *const no_names[] = {NULL};

/** The bound `key` of the table on top, or `otherwise`. */
static double read_bound(lua_State *L, const char *key, double otherwise) {
    double bound = lua_getfield(L, -1, key) == LUA_TNIL ? otherwise : script_number(L, -1, key);
    lua_pop(L, 1);
    if (isnan(bound)) script_fail(L, SAROS_ERR_DOMAIN, NULL, "fit: unknown: %s is nan", key);
    return bound;
}

/** 0.05 | {0.05, min=, max=} on top. */
static saros_unknown_parameter read_start(lua_State *L, const char *name) {
    static const char *const keys[] = {"min", "max"};
    saros_unknown_parameter row = {.name = name};
    if (!lua_istable(L, -1)) {
        row.start = script_number(L, -1, name);
        return row;
    }
    lua_rawgeti(L, -1, 1);
    row.start = script_number(L, -1, name);
    lua_pop(L, 1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1) continue;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        if (strcmp(key, keys[0]) != 0 && strcmp(key, keys[1]) != 0)
            script_fail(L, SAROS_ERR_USAGE, "there are min and max",
                        "fit: unknown '%s' has no option '%s'", name, key);
    }
    double lo = read_bound(L, keys[0], -INFINITY), hi = read_bound(L, keys[1], INFINITY);
    if (isfinite(lo) || isfinite(hi)) {
        row.min = lo;
        row.max = hi;
    }
    return row;
}

/** `unknown` = {nu = 0.05 | {0.05, min=, max=}}, in the order of the names. */
static saros_unknown_parameter *read_unknown(lua_State *L, int anchor, int *count) {
    int table = lua_gettop(L), n = 0;
    if (!lua_istable(L, table))
        script_fail(L, SAROS_ERR_TYPE, "unknown = {nu = {0.05, min = 0}}",
                    "fit: unknown: expected a table, got %s", script_describe(L, table));
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            script_fail(L, SAROS_ERR_USAGE, "unknown = {nu = {0.05, min = 0}}",
                        "fit: unknown: entries need the names of parameters, got the entry [%s]",
                        luaL_tolstring(L, -2, NULL));
        ++n;
    }
    saros_unknown_parameter *list = script_anchored(L, anchor, sizeof *list * (size_t)(n + 1));
    n = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        saros_unknown_parameter row = read_start(L, lua_tostring(L, -2));
        int at = n++;
        for (; at > 0 && strcmp(list[at - 1].name, row.name) > 0; --at) list[at] = list[at - 1];
        list[at] = row;
    }
    *count = n;
    return list;
}

/** The f64 vector on top, kept in the anchor. */
static saros_tensor *read_column(lua_State *L, int anchor, const char *name) {
    saros_tensor *given = script_tensor_at(L, -1, name), *plain = NULL;
    script_check(L, saros_tensor_cast(given, SAROS_F64, &plain));
    script_push_tensor(L, plain);
    lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
    if (saros_tensor_rank(plain) != 1)
        script_fail(L, SAROS_ERR_SHAPE, "one entry per sample", "data: %s must be a list, got %s",
                    name, script_describe(L, -1));
    return plain;
}

/** `data` = {x=, t=, u=, sigma=} at the top of the stack. */
static void read_data(lua_State *L, int anchor, const saros_problem *problem,
                      saros_fit_data *data) {
    const saros_axis *axis;
    const char *const *unknown, *keys[SAROS_AXES + 64];
    int table = lua_gettop(L), axes = saros_problem_space_axes(problem, &axis), n = 0;
    int unknowns = saros_problem_unknowns(problem, &unknown);
    if (!lua_istable(L, table))
        script_fail(L, SAROS_ERR_TYPE, "data = {x=…, t=…, u=…, sigma=…}",
                    "fit: data: expected a table, got %s", script_describe(L, table));
    for (int a = 0; a < axes; ++a) keys[n++] = axis[a].name;
    if (saros_problem_time(problem, NULL, NULL)) keys[n++] = "t";
    int coordinates = n;
    for (int k = 0; k < unknowns && n < SAROS_AXES + 62; ++k) keys[n++] = unknown[k];
    keys[n++] = "sigma";
    script_strict_keys(L, table, "data", keys, n);
    for (int a = 0; a < coordinates; ++a) {
        if (lua_getfield(L, table, keys[a]) == LUA_TNIL)
            script_fail(L, SAROS_ERR_USAGE, NULL, "data: the coordinate %s is missing", keys[a]);
        data->coordinate[a] = read_column(L, anchor, keys[a]);
        lua_pop(L, 1);
    }
    const char **names = script_anchored(L, anchor, sizeof *names * (size_t)(unknowns + 1));
    saros_tensor **values = script_anchored(L, anchor, sizeof *values * (size_t)(unknowns + 1));
    for (int k = 0; k < unknowns; ++k) {
        if (lua_getfield(L, table, unknown[k]) != LUA_TNIL) {
            names[data->unknowns] = unknown[k];
            values[data->unknowns++] = read_column(L, anchor, unknown[k]);
        }
        lua_pop(L, 1);
    }
    if (data->unknowns == 0)
        script_fail(L, SAROS_ERR_USAGE, NULL, "data: values of no unknown are given");
    data->unknown = names;
    data->value = values;
    if (lua_getfield(L, table, "sigma") != LUA_TNIL) {
        data->sigma = script_number(L, -1, "sigma");
        if (!(data->sigma > 0))
            script_fail(L, SAROS_ERR_DOMAIN, "leave it out where it is not known",
                        "fit: data.sigma, the standard deviation of the noise, is %g, needed > 0",
                        data->sigma);
    }
    lua_pop(L, 1);
}

/** {parameters, solution, info, std} from the result; ends it. */
static int push_fit(lua_State *L, const saros_unknown_parameter *unknown,
                    saros_fit_result *result) {
    lua_createtable(L, 0, 4);
    lua_newtable(L);
    for (int k = 0; k < result->parameters; ++k) {
        lua_pushnumber(L, result->value[k]);
        lua_setfield(L, -2, unknown[k].name);
    }
    lua_setfield(L, -2, "parameters");
    if (result->standard_error) {
        lua_newtable(L);
        for (int k = 0; k < result->parameters; ++k) {
            lua_pushnumber(L, result->standard_error[k]);
            lua_setfield(L, -2, unknown[k].name);
        }
        lua_setfield(L, -2, "std");
    }
    script_push_info(L, &result->info);
    lua_setfield(L, -2, "info");
    if (result->solution) {
        script_push_solution(L, saros_solution_retain(result->solution));
        lua_setfield(L, -2, "solution");
    }
    saros_fit_clear(result);
    return 1;
}

int script_problem_fit(lua_State *L) {
    static const char *const also[] = {"data", "unknown"};
    script_method_call call;
    lua_settop(L, 2);
    script_method_call_read(L, 2, 3, "fit", also, 2, &call);
    script_before_work(L);
    saros_fit_data data = {.unknown = no_names};
    saros_fit_result result = {0};
    int n = 0;
    lua_getfield(L, 2, "unknown");
    saros_unknown_parameter *unknown = read_unknown(L, 3, &n);
    lua_settop(L, 3);
    lua_getfield(L, 2, "data");
    if (script_state_of(L)->settings.check) return script_push_nothing(L);
    read_data(L, 3, call.problem, &data);
    saros_status status = saros_problem_fit(call.problem, call.method, call.options, &call.common,
                                            &data, unknown, &result);
    script_progress_end(L);
    script_check(L, status);
    return push_fit(L, unknown, &result);
}
