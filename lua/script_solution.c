/** Solutions: fields by name, at, evaluate, integral, error, save, plot, info, weights. */
#include <math.h>
#include <string.h>

#include "saros/pinn.h"
#include "script_draw_impl.h"
#include "script_network_impl.h"
#include "script_problem_impl.h"

static const char class_name[] = "saros.solution_object";

saros_solution *script_test_solution(lua_State *L, int index) {
    saros_solution **s = luaL_testudata(L, index, class_name);
    return s ? *s : NULL;
}

void script_push_solution(lua_State *L, saros_solution *solution) {
    saros_solution **s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = solution;
    luaL_setmetatable(L, class_name);
    script_account(L);
}

static int solution_gc(lua_State *L) {
    saros_solution **s = lua_touserdata(L, 1);
    saros_solution_release(*s);
    *s = NULL;
    return 0;
}

static saros_solution *self(lua_State *L) {
    saros_solution *s = script_test_solution(L, 1);
    if (!s) script_expected(L, 1, "self", "a solution; use solution:method(…)");
    return s;
}

/* ---- arguments ---- */

bool script_coordinates(lua_State *L, int index, int anchor, const saros_problem *problem,
                        saros_tensor **out) {
    const saros_axis *axis;
    const char *names[SAROS_AXES];
    int n = saros_problem_space_axes(problem, &axis);
    bool numbers = true;
    anchor = lua_absindex(L, anchor);
    if (!lua_istable(L, index))
        script_expected(L, index, "point", "a table of coordinates {x=…, t=…}");
    for (int a = 0; a < n; ++a) names[a] = axis[a].name;
    if (saros_problem_time(problem, NULL, NULL)) names[n++] = "t";
    script_strict_keys(L, index, "a point", names, n);
    for (int a = 0; a < n; ++a) {
        int type = lua_getfield(L, index, names[a]);
        if (type == LUA_TNIL)
            script_fail(L, SAROS_ERR_USAGE, NULL, "a point needs the coordinate %s", names[a]);
        numbers = numbers && type == LUA_TNUMBER;
        saros_tensor *given = script_tensor_at(L, -1, names[a]), *plain = NULL;
        script_check(L, saros_tensor_cast(given, SAROS_F64, &plain));
        script_push_tensor(L, plain);
        lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
        lua_pop(L, 1);
        out[a] = plain;
    }
    return numbers;
}

/** Option t of the table at `index`, NaN without. */
static double time_option(lua_State *L, int index, const char *what, const char *const *names,
                          int n) {
    double t = NAN;
    if (lua_isnoneornil(L, index)) return t;
    if (!lua_istable(L, index)) script_expected(L, index, "options", "a table of options");
    script_strict_keys(L, index, what, names, n);
    if (lua_getfield(L, index, "t") != LUA_TNIL) t = script_number(L, -1, "t");
    lua_pop(L, 1);
    return t;
}

static const char *const t_only[] = {"t"};

/* ---- reading ---- */

static int solution_at(lua_State *L) {
    saros_solution *s = self(L);
    saros_problem *p = saros_solution_problem(s);
    saros_tensor *coordinate[SAROS_AXES] = {NULL};
    lua_settop(L, 2);
    lua_newtable(L);
    bool numbers = script_coordinates(L, 2, 3, p, coordinate);
    int n = saros_problem_unknowns(p, &(const char *const *){NULL});
    saros_tensor **value = script_scratch(L, sizeof *value * (size_t)n);
    script_check(L, saros_solution_at(s, coordinate, value));
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    for (int k = 0; k < n; ++k) script_push_result(L, value[k], numbers);
    return n;
}

static int solution_evaluate(lua_State *L) {
    saros_solution *s = self(L);
    saros_tensor *coordinate[SAROS_AXES] = {NULL};
    script_check_function(L, 2, "f");
    lua_settop(L, 3);
    lua_newtable(L);
    bool numbers = script_coordinates(L, 3, 4, saros_solution_problem(s), coordinate);
    script_function *f = script_function_hold(L, 4, 2, 0, "the function to evaluate");
    saros_tensor *first[1] = {NULL};
    script_check(L, saros_solution_evaluate(s, script_point_call, f, 1, coordinate, first));
    int n = f->got;
    script_push_result(L, first[0], numbers);
    if (n == 1) return 1;
    f->wanted = n; /* it returns several: now their number is known */
    saros_tensor **value = script_scratch(L, sizeof *value * (size_t)n);
    script_check(L, saros_solution_evaluate(s, script_point_call, f, n, coordinate, value));
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    for (int k = 0; k < n; ++k) script_push_result(L, value[k], numbers);
    return n;
}

static int solution_integral(lua_State *L) {
    static const char *const names[] = {"t", "over"};
    saros_solution *s = self(L);
    double value = 0, t = time_option(L, 3, "integral", names, 2);
    script_check_function(L, 2, "f");
    if (lua_istable(L, 3)) script_reserved_key(L, 3, "over");
    lua_settop(L, 3);
    lua_newtable(L);
    script_function *f = script_function_hold(L, 4, 2, 1, "the function to integrate");
    script_check(L, saros_solution_integral(s, script_point_call, f, t, &value));
    lua_pushnumber(L, value);
    return 1;
}

static int solution_error(lua_State *L) {
    saros_solution *s = self(L), *reference = script_test_solution(L, 2);
    double t = time_option(L, 3, "error", t_only, 1);
    int n = saros_problem_unknowns(saros_solution_problem(s), &(const char *const *){NULL});
    lua_settop(L, 3);
    lua_newtable(L);
    double *out = script_scratch(L, sizeof *out * (size_t)n);
    if (reference) {
        script_check(L, saros_solution_error(s, reference, t, out));
    } else {
        if (!lua_isfunction(L, 2)) script_expected(L, 2, "reference", "a solution or function(s)");
        script_function *f = script_function_hold(L, 4, 2, n, "the reference");
        script_check(L, saros_solution_error_against(s, script_point_call, f, t, out));
    }
    luaL_checkstack(L, n + LUA_MINSTACK, NULL);
    for (int k = 0; k < n; ++k) lua_pushnumber(L, out[k]);
    return n;
}

/* ---- files ---- */

static bool overwrite_option(lua_State *L, int index) {
    static const char *const names[] = {"overwrite"};
    bool yes = script_state_of(L)->settings.overwrite;
    if (lua_isnoneornil(L, index)) return yes;
    if (!lua_istable(L, index)) script_expected(L, index, "options", "a table of options");
    script_strict_keys(L, index, "save", names, 1);
    lua_getfield(L, index, "overwrite");
    yes = yes || lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
}

static int solution_save(lua_State *L) {
    saros_solution *s = self(L);
    const script_state *state = script_state_of(L);
    if (lua_type(L, 2) != LUA_TSTRING) script_expected(L, 2, "path", "a file name");
    const char *path = lua_tostring(L, 2), *dot = strrchr(path, '.');
    bool overwrite = overwrite_option(L, 3);
    if (dot && strcmp(dot, ".safetensors") == 0) {
        saros_network network;
        saros_tensor *weights = NULL;
        script_check(L, saros_solution_network(s, &network, &weights));
        script_check(L, saros_network_save(&network, weights, path, overwrite));
        return 0;
    }
    script_check(L, saros_solution_save(s, path, overwrite, state->settings.script,
                                        state->settings.command));
    return 0;
}

static int solution_load(lua_State *L) {
    if (lua_type(L, 1) != LUA_TSTRING) script_expected(L, 1, "path", "a file name");
    if (script_state_of(L)->settings.check) return script_push_nothing(L);
    saros_solution *s = NULL;
    script_check(L, saros_solution_load(lua_tostring(L, 1), &s));
    script_push_solution(L, s);
    return 1;
}

static int solution_plot(lua_State *L) {
    static const char *const names[] = {"var", "t", "map", "with", "title", "overwrite"};
    saros_solution *s = self(L);
    script_draw_options o = {.t = NAN, .overwrite = script_state_of(L)->settings.overwrite};
    if (lua_type(L, 2) != LUA_TSTRING) script_expected(L, 2, "path", "a file name");
    lua_settop(L, 3);
    lua_newtable(L);
    if (lua_istable(L, 3)) {
        script_strict_keys(L, 3, "plot", names, 6);
        if (lua_getfield(L, 3, "var") == LUA_TSTRING) o.variable = lua_tostring(L, -1);
        int type = lua_getfield(L, 3, "t");
        if (type == LUA_TNUMBER)
            o.t = lua_tonumber(L, -1);
        else if (type != LUA_TNIL)
            o.times = script_numbers(L, -1, 4, "t", &o.count);
        lua_getfield(L, 3, "map");
        o.map = lua_toboolean(L, -1);
        if (lua_getfield(L, 3, "with") != LUA_TNIL && !(o.with = script_test_solution(L, -1)))
            script_fail(L, SAROS_ERR_TYPE, NULL, "plot: with: expected a solution, got %s",
                        script_describe(L, -1));
        if (lua_getfield(L, 3, "title") == LUA_TSTRING) o.title = lua_tostring(L, -1);
        lua_getfield(L, 3, "overwrite");
        o.overwrite = o.overwrite || lua_toboolean(L, -1);
    } else if (!lua_isnil(L, 3)) {
        script_expected(L, 3, "options", "a table of options");
    }
    script_check(L, script_draw(s, &o, lua_tostring(L, 2)));
    return 0;
}

/* ---- numbers about the run ---- */

static void set_text(lua_State *L, const char *key, const char *text) {
    if (!text) return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, int64_t value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void script_push_info(lua_State *L, const saros_info *info) {
    lua_newtable(L);
    set_text(L, "method", info->method);
    set_text(L, "integrator", info->integrator);
    set_text(L, "gradient", info->gradient);
    set_text(L, "reason", info->reason);
    set_text(L, "linear_solver", info->linear_solver);
    set_integer(L, "steps", info->steps);
    set_integer(L, "evaluations", info->evaluations);
    set_integer(L, "iterations", info->iterations);
    set_number(L, "residual", info->residual);
    set_number(L, "loss", info->loss);
    set_number(L, "seconds", info->seconds);
    lua_pushboolean(L, info->converged);
    lua_setfield(L, -2, "converged");
    lua_newtable(L);
    for (int k = 0; k < info->series; ++k) {
        const saros_series *series = &info->history[k];
        lua_createtable(L, (int)series->count, 0);
        for (int64_t i = 0; i < series->count; ++i) {
            lua_pushnumber(L, series->value[i]);
            lua_rawseti(L, -2, i + 1);
        }
        lua_setfield(L, -2, series->name);
    }
    lua_setfield(L, -2, "history");
}

/* ---- the object ---- */

static const script_entry entries[] = {
    {"load", "path", "saros.solution", "reads a result file", solution_load},
    {"solution:at", "self, point", "number",
     "unknowns at {x=…, t=…}: numbers or tensors, one return per unknown", solution_at},
    {"solution:evaluate", "self, f, point", "number", "f(s, p) at points, derivatives included",
     solution_evaluate},
    {"solution:integral", "self, f, options?", "number",
     "integral of f(s, p) over the domain at {t=}", solution_integral},
    {"solution:error", "self, reference, options?", "number",
     "|a-b|/|b| in L2 at {t=} or over all times; reference: a solution or function(s); one number "
     "per unknown",
     solution_error},
    {"solution:save", "self, path, options?", "nil",
     "result file NAME.h5, or the network as NAME.safetensors", solution_save},
    {"solution:plot", "self, path, options?", "nil",
     "picture NAME.png of {var=, t=, map=, with=, title=}", solution_plot},
};
const script_entries script_solution_entries = {entries, (int)(sizeof entries / sizeof *entries)};

static const char *const fields[] = {"info", "weights", "problem", "parameters"};

bool script_solution_name(const char *name) {
    for (size_t k = 0; k < sizeof fields / sizeof *fields; ++k)
        if (strcmp(name, fields[k]) == 0) return true;
    for (int k = 0; k < script_solution_entries.count; ++k)
        if (strncmp(entries[k].name, "solution:", 9) == 0 && strcmp(name, entries[k].name + 9) == 0)
            return true;
    return false;
}

static int push_weights(lua_State *L, saros_solution *s) {
    saros_network network;
    saros_tensor *weights = NULL;
    script_check(L, saros_solution_network(s, &network, &weights));
    script_push_tensor(L, saros_tensor_retain(weights));
    return 1;
}

/** Numbers and fields of the solution's parameters. */
static int push_parameters(lua_State *L, saros_solution *s) {
    const saros_parameter *list;
    int n = saros_problem_parameters(saros_solution_problem(s), &list);
    lua_newtable(L);
    for (int k = 0; k < n; ++k) {
        if (list[k].function) continue;
        saros_tensor *t = saros_solution_parameter(s, list[k].name);
        if (!t) continue;
        script_push_result(L, saros_tensor_retain(t), true);
        lua_setfield(L, -2, list[k].name);
    }
    return 1;
}

static int solution_index(lua_State *L) {
    saros_solution *s = self(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    if (!name)
        return script_fail(L, SAROS_ERR_TYPE, NULL, "a solution has names, got %s",
                           script_describe(L, 2));
    for (int k = 0; k < script_solution_entries.count; ++k)
        if (strncmp(entries[k].name, "solution:", 9) == 0 &&
            strcmp(name, entries[k].name + 9) == 0) {
            lua_pushcfunction(L, entries[k].function);
            return 1;
        }
    if (strcmp(name, "info") == 0) {
        script_push_info(L, saros_solution_info(s));
        return 1;
    }
    if (strcmp(name, "weights") == 0) return push_weights(L, s);
    if (strcmp(name, "parameters") == 0) return push_parameters(L, s);
    if (strcmp(name, "problem") == 0) {
        script_push_problem(L, saros_problem_retain(saros_solution_problem(s)));
        return 1;
    }
    bool axis = name[0] && !name[1] && strchr("xyzt", name[0]);
    saros_tensor *t = axis ? saros_solution_axis(s, name) : saros_solution_field(s, name);
    if (!t) return script_raise(L);
    script_push_tensor(L, saros_tensor_retain(t));
    return 1;
}

static int solution_tostring(lua_State *L) {
    saros_solution *s = self(L);
    lua_pushfstring(L, "solution of %s by %s", saros_problem_name(saros_solution_problem(s)),
                    saros_solution_info(s)->method ? saros_solution_info(s)->method : "file");
    return 1;
}

/** net(x) and net(W, x): the bare network on points (n, inputs); W flat weights. */
static int solution_call(lua_State *L) {
    saros_solution *s = self(L);
    saros_network network;
    saros_tensor *weights = NULL;
    script_check(L, saros_solution_network(s, &network, &weights));
    if (lua_gettop(L) < 3) {
        script_push_tensor(L, saros_tensor_retain(weights));
        lua_insert(L, 2);
    }
    lua_settop(L, 3);
    lua_remove(L, 1);
    *(saros_network *)script_scratch(L, sizeof network) = network;
    script_push_network_core(L);
    lua_insert(L, 1);
    lua_call(L, 3, 1);
    return 1;
}

void script_open_solutions(lua_State *L) {
    static const luaL_Reg events[] = {
        {"__gc", solution_gc},       {"__close", solution_gc},
        {"__index", solution_index}, {"__tostring", solution_tostring},
        {"__call", solution_call},   {NULL, NULL}};
    luaL_newmetatable(L, class_name);
    luaL_setfuncs(L, events, 0);
    lua_pushliteral(L, "solution");
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}
