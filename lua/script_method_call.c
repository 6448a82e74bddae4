/** The table of a call of solve, gradient or fit: what replaces the problem's own, the method and
 * its options. */
#include <string.h>

#include "saros/pinn.h"
#include "script_problem_impl.h"

/** Reads `parameters` of a call: numbers and fields into the list, traced values apart. */
static void read_call_parameters(lua_State *L, int table, int anchor, script_method_call *call) {
    int n = script_table_count(L, table);
    saros_parameter *list = script_anchored(L, anchor, sizeof *list * (size_t)(n + 1));
    call->traced_name = script_anchored(L, anchor, sizeof *call->traced_name * (size_t)(n + 1));
    call->traced_value = script_anchored(L, anchor, sizeof *call->traced_value * (size_t)(n + 1));
    call->common.parameters = list;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            script_fail(L, SAROS_ERR_USAGE, NULL, "parameters: entries need names");
        if (script_is_leaf(L, -1) && script_is_traced(L, -1)) {
            call->traced_name[call->traced] = lua_tostring(L, -2);
            call->traced_value[call->traced++] = script_value_in(L, -1, NULL);
            continue;
        }
        list->name = lua_tostring(L, -2);
        script_parameter_read(L, anchor, list++);
    }
}

static const saros_solution *read_solution(lua_State *L, int index, const char *key) {
    const saros_solution *s = NULL;
    int type = lua_getfield(L, index, key);
    if (type == LUA_TFUNCTION)
        script_fail(L, SAROS_ERR_UNSUPPORTED, "give a solution, or make another problem",
                    "%s: a function here is not in this build", key);
    if (type != LUA_TNIL && !script_is_nothing(L, -1) && !(s = script_test_solution(L, -1)))
        script_fail(L, SAROS_ERR_TYPE, NULL, "%s: expected a solution, got %s", key,
                    script_describe(L, -1));
    lua_pop(L, 1);
    return s;
}

static const char *read_text(lua_State *L, int index, const char *key) {
    const char *text = NULL;
    int type = lua_getfield(L, index, key);
    if (type == LUA_TSTRING)
        text = lua_tostring(L, -1);
    else if (type == LUA_TBOOLEAN && !lua_toboolean(L, -1))
        text = "false";
    else if (type != LUA_TNIL)
        script_fail(L, SAROS_ERR_TYPE, NULL, "%s: expected a text, got %s", key,
                    script_describe(L, -1));
    lua_pop(L, 1);
    return text;
}

static const saros_method *read_method(lua_State *L, int index) {
    static const char *const names[] = {"grid", "network"}, *const later[] = {"volume", "element",
                                                                              "spectral",
                                                                              "surrogate"};
    const char *name = read_text(L, index, "method");
    if (!name || strcmp(name, "grid") == 0) return &saros_grid;
    if (strcmp(name, "network") == 0) return &saros_network_method;
    for (int k = 0; k < 4; ++k)
        if (strcmp(name, later[k]) == 0)
            script_fail(L, SAROS_ERR_UNSUPPORTED, "grid and network are",
                        "method \"%s\" is not in this build", name);
    const char *near = saros_nearest_name(name, names, 2);
    script_fail(L, SAROS_ERR_USAGE,
                near ? lua_pushfstring(L, "did you mean \"%s\"?", near)
                     : "there are grid and network",
                "method \"%s\" is unknown", name);
    return NULL;
}

/** The problem at 1; a call with a dot in place of the colon is told what to write. */
static saros_problem *check_problem(lua_State *L, const char *what) {
    saros_problem *problem = script_test_problem(L, 1);
    if (problem) return problem;
    problem = script_test_problem(L, lua_upvalueindex(1));
    script_fail(
        L, SAROS_ERR_USAGE,
        lua_pushfstring(L, "use %s:%s{…}", problem ? saros_problem_name(problem) : "problem", what),
        "%s: expected a problem, got %s", what, script_describe(L, 1));
    return NULL;
}

/** {x=…} by axis names the axes of this problem only. */
static void check_axes(lua_State *L, int index, const saros_problem *problem,
                       const saros_option_table *table) {
    const saros_axis *axis;
    const char *names[SAROS_AXES];
    int axes = saros_problem_space_axes(problem, &axis);
    for (int a = 0; a < axes; ++a) names[a] = axis[a].name;
    for (int k = 0; k < table->rows; ++k) {
        if (table->row[k].kind != SAROS_OPTION_AXES) continue;
        if (lua_getfield(L, index, table->row[k].name) == LUA_TTABLE)
            script_strict_keys(L, -1, table->row[k].name, names, axes);
        lua_pop(L, 1);
    }
}

void script_method_call_read(lua_State *L, int index, int anchor, const char *what,
                             const char *const *also, int alsos, script_method_call *call) {
    static const char *const common[] = {"method",  "parameters", "domain", "initial",
                                         "guess",   "save",       "keep",   "device",
                                         "windows", "checkpoint", "steps"};
    const char *names[32];
    int n = 0;
    *call = (script_method_call){.problem = check_problem(L, what)};
    lua_settop(L, index);
    if (lua_isnil(L, index)) {
        lua_newtable(L);
        lua_replace(L, index);
    }
    if (!lua_istable(L, index)) script_expected(L, index, "options", "a table of options");
    lua_newtable(L);
    lua_insert(L, anchor);
    lua_settop(L, anchor);
    for (int k = 0; k < 8; ++k) names[n++] = common[k];
    for (int k = 0; k < alsos; ++k) names[n++] = also[k];
    call->method = read_method(L, index);
    const saros_option_table *table = saros_method_options(call->method);
    call->options = script_anchored(L, anchor, table->bytes);
    for (int k = 8; k < 11; ++k)
        if (call->method != &saros_grid) script_reserved_key(L, index, common[k]);
    const char *device = read_text(L, index, "device");
    if (device && strcmp(device, "cpu") != 0)
        script_fail(L, SAROS_ERR_UNSUPPORTED, "leave device out",
                    "device \"%s\" is not in this build", device);
    script_options_read(L, index, anchor, table, call->options, what, names, n);
    check_axes(L, index, call->problem, table);
    const script_state *state = script_state_of(L);
    call->common = (saros_solve_options){.initial = read_solution(L, index, "initial"),
                                         .guess = read_solution(L, index, "guess"),
                                         .save = read_text(L, index, "save"),
                                         .keep = read_text(L, index, "keep"),
                                         .overwrite = state->settings.overwrite,
                                         .script = state->settings.script,
                                         .command = state->settings.command,
                                         .progress = script_progress,
                                         .user = script_state_of(L)};
    if (lua_getfield(L, index, "domain") != LUA_TNIL)
        call->common.domain = script_axes_read(L, -1, anchor);
    lua_settop(L, anchor);
    if (lua_getfield(L, index, "parameters") == LUA_TTABLE)
        read_call_parameters(L, lua_gettop(L), anchor, call);
    else if (!lua_isnil(L, -1))
        script_fail(L, SAROS_ERR_TYPE, NULL, "parameters: expected a table, got %s",
                    script_describe(L, -1));
    lua_settop(L, anchor);
}
