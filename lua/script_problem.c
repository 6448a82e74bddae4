/** saros.problem: the table read, the functions traced once; and the object with its methods. */
#include <string.h>

#include "script_problem_impl.h"

/* ---- objects ---- */

static const char problem_class[] = "saros.problem_object", field_class[] = "saros.field_object";

static int problem_gc(lua_State *L) {
    saros_problem **p = lua_touserdata(L, 1);
    saros_problem_release(*p);
    *p = NULL;
    return 0;
}

saros_problem *script_test_problem(lua_State *L, int index) {
    saros_problem **p = luaL_testudata(L, index, problem_class);
    return p ? *p : NULL;
}

void script_push_problem(lua_State *L, saros_problem *problem) {
    saros_problem **p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = problem;
    luaL_setmetatable(L, problem_class);
}

saros_tensor *script_test_field(lua_State *L, int index) {
    if (!luaL_testudata(L, index, field_class)) return NULL;
    lua_getiuservalue(L, index, 1);
    saros_tensor *t = script_test_value(L, -1)->tensor;
    lua_pop(L, 1);
    return t;
}

static int field_make(lua_State *L) {
    script_value *v = script_test_value(L, 1);
    if (lua_istable(L, 1)) {
        script_tensor_from_table(L, 1, SAROS_F64, false);
        lua_replace(L, 1);
        v = script_test_value(L, 1);
    }
    if (!v && (lua_isfunction(L, 1) || lua_type(L, 1) == LUA_TNUMBER))
        return script_fail(L, SAROS_ERR_UNSUPPORTED, "give a tensor with one value per node",
                           "saros.field of a number or a function is not in this build");
    if (!v) return script_expected(L, 1, "v", "a tensor with one value per node");
    if (!v->tensor) {
        lua_settop(L, 1);
        return 1; /* a traced field is the value itself */
    }
    lua_newuserdatauv(L, 1, 1);
    luaL_newmetatable(L, field_class);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* ---- reading ---- */

saros_axis *script_axes_read(lua_State *L, int index, int anchor) {
    static const char *const letters[] = {"x", "y", "z", "t"};
    index = lua_absindex(L, index);
    saros_axis *axes = script_anchored(L, anchor, sizeof *axes * (SAROS_AXES + 1));
    int n = 0;
    if (!lua_istable(L, index))
        script_fail(L, SAROS_ERR_TYPE, NULL,
                    "domain: expected a table {x={lo, hi}, t={start, end}}, got %s",
                    script_describe(L, index));
    script_strict_keys(L, index, "domain", letters, SAROS_AXES);
    for (int a = 0; a < SAROS_AXES; ++a) {
        int type = lua_getfield(L, index, letters[a]);
        if (type == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        if (type != LUA_TTABLE || lua_rawlen(L, -1) != 2)
            script_fail(L, SAROS_ERR_TYPE, NULL, "domain: axis %s: expected {lo, hi}, got %s",
                        letters[a], script_describe(L, -1));
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        axes[n++] =
            (saros_axis){letters[a], script_number(L, -2, "lo"), script_number(L, -1, "hi")};
        lua_pop(L, 3);
    }
    return axes;
}

static const char **read_unknowns(lua_State *L, int anchor) {
    if (lua_getfield(L, 1, "unknowns") != LUA_TTABLE)
        script_fail(L, SAROS_ERR_USAGE, "unknowns = {\"u\"}",
                    "problem: unknowns: expected a list of names, got %s", script_describe(L, -1));
    int n = (int)lua_rawlen(L, -1);
    const char **names = script_anchored(L, anchor, sizeof *names * (size_t)(n + 1));
    for (int k = 0; k < n; ++k) {
        lua_rawgeti(L, -1, k + 1);
        names[k] = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        if (!names[k])
            script_fail(L, SAROS_ERR_TYPE, NULL, "problem: unknowns: expected names, got %s",
                        script_describe(L, -1));
        if (script_solution_name(names[k]))
            script_fail(L, SAROS_ERR_USAGE, "choose another name",
                        "problem: the unknown '%s' has a name of solutions", names[k]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return names;
}

int script_table_count(lua_State *L, int index) {
    int n = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) ++n;
    return n;
}

void script_parameter_read(lua_State *L, int anchor, saros_parameter *to) {
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER) {
        to->value = lua_tonumber(L, -1);
    } else if (type == LUA_TFUNCTION) {
        to->function = script_point_call;
        to->user = script_function_hold(L, anchor, -1, 1, "a parameter function");
    } else if (script_test_field(L, lua_gettop(L))) {
        to->field = script_test_field(L, lua_gettop(L));
    } else {
        script_value *v = script_test_value(L, -1);
        if (v && v->tensor && saros_tensor_count(v->tensor) == 1)
            script_check(L, saros_tensor_item(v->tensor, &to->value));
        else
            script_fail(
                L, SAROS_ERR_TYPE, v ? "saros.field(v) gives one value per node" : NULL,
                "parameter '%s': expected a number, function(s, p) or saros.field(v), got %s",
                to->name, script_describe(L, -1));
    }
}

/** Parameters in the order of their names, so that runs repeat. */
static saros_parameter *read_parameters(lua_State *L, int index, int anchor) {
    int n = script_table_count(L, index);
    saros_parameter *list = script_anchored(L, anchor, sizeof *list * (size_t)(n + 1));
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            script_fail(L, SAROS_ERR_USAGE, NULL, "parameters: entries need names");
        saros_parameter row = {.name = lua_tostring(L, -2)};
        script_parameter_read(L, anchor, &row);
        int at = count++;
        for (; at > 0 && strcmp(list[at - 1].name, row.name) > 0; --at) list[at] = list[at - 1];
        list[at] = row;
    }
    return list;
}

saros_observable *script_observables_read(lua_State *L, int index, int anchor) {
    saros_observable *list =
        script_anchored(L, anchor, sizeof *list * (size_t)(script_table_count(L, index) + 1));
    int n = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !lua_isfunction(L, -1))
            script_fail(L, SAROS_ERR_TYPE, NULL,
                        "observables: expected name = function(s, p), got %s",
                        script_describe(L, -1));
        if (script_solution_name(lua_tostring(L, -2)))
            script_fail(L, SAROS_ERR_USAGE, "choose another name",
                        "problem: the observable '%s' has a name of solutions",
                        lua_tostring(L, -2));
        saros_observable row = {lua_tostring(L, -2), script_point_call, NULL};
        row.user = script_function_hold(L, anchor, -1, 1, "an observable");
        int at = n++;
        for (; at > 0 && strcmp(list[at - 1].name, row.name) > 0; --at) list[at] = list[at - 1];
        list[at] = row;
    }
    return list;
}

/** The library gives equation and initial one user: which of them runs is decided here. */
typedef struct problem_functions {
    script_function *equation, *initial;
} problem_functions;

static saros_status call_equation(saros_point *s, void *user, saros_value *out) {
    return script_point_call(s, ((problem_functions *)user)->equation, out);
}

static saros_status call_initial(saros_point *s, void *user, saros_value *out) {
    return script_point_call(s, ((problem_functions *)user)->initial, out);
}

static script_function *read_function(lua_State *L, int anchor, const char *key, int wanted,
                                      bool needed) {
    int type = lua_getfield(L, 1, key);
    script_function *f = NULL;
    if (type == LUA_TFUNCTION)
        f = script_function_hold(L, anchor, -1, wanted, key);
    else if (type != LUA_TNIL || needed)
        script_fail(L, SAROS_ERR_TYPE, NULL, "problem: %s: expected function(s, p), got %s", key,
                    script_describe(L, -1));
    lua_pop(L, 1);
    return f;
}

/** Pushes the sub-table `key` of the table at 1 and returns its index; 0 with nothing pushed if
 * there is none. */
static int open_table(lua_State *L, const char *key) {
    int type = lua_getfield(L, 1, key);
    if (type == LUA_TTABLE) return lua_gettop(L);
    if (type != LUA_TNIL)
        script_fail(L, SAROS_ERR_TYPE, NULL, "problem: %s: expected a table, got %s", key,
                    script_describe(L, -1));
    lua_pop(L, 1);
    return 0;
}

static int problem_make(lua_State *L) {
    static const char *const keys[] = {"name",         "domain",  "unknowns", "parameters",
                                       "equation",     "initial", "boundary", "observables",
                                       "initial_rate", "mean"};
    if (!lua_istable(L, 1)) script_expected(L, 1, "table", "a table that describes the problem");
    lua_settop(L, 1);
    script_strict_keys(L, 1, "saros.problem", keys, 10);
    script_reserved_key(L, 1, "initial_rate");
    script_reserved_key(L, 1, "mean");
    lua_newtable(L); /* 2: the anchor */
    saros_problem_spec spec = {0};
    if (lua_getfield(L, 1, "name") == LUA_TSTRING) spec.name = lua_tostring(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, 1, "domain");
    spec.axes = script_axes_read(L, -1, 2);
    lua_pop(L, 1);
    spec.unknowns = read_unknowns(L, 2);
    int unknowns = 0;
    while (spec.unknowns[unknowns]) ++unknowns;
    problem_functions *functions = script_anchored(L, 2, sizeof *functions);
    functions->equation = read_function(L, 2, "equation", unknowns, true);
    functions->initial = read_function(L, 2, "initial", unknowns, false);
    spec.equation = call_equation;
    spec.initial = functions->initial ? call_initial : NULL;
    spec.user = functions;
    int table = open_table(L, "parameters");
    if (table) spec.parameters = read_parameters(L, table, 2);
    table = open_table(L, "observables");
    if (table) spec.observables = script_observables_read(L, table, 2);
    lua_getfield(L, 1, "boundary");
    spec.boundary = script_conditions_read(L, -1, 2);
    saros_problem *problem = NULL;
    script_check(L, saros_problem_make(&spec, &problem));
    script_push_problem(L, problem);
    return 1;
}

/* ---- methods ---- */

static int problem_tostring(lua_State *L) {
    lua_pushfstring(L, "problem %s", saros_problem_name(script_test_problem(L, 1)));
    return 1;
}

static int problem_index(lua_State *L) {
    const char *names[8], *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    int n = 0;
    for (int k = 0; k < script_problem_entries.count; ++k) {
        const script_entry *e = &script_problem_entries.entry[k];
        if (strncmp(e->name, "problem:", 8) != 0) continue;
        if (strcmp(e->name + 8, name) == 0) {
            lua_pushvalue(L, 1); /* so that a call with a dot can say what to write */
            lua_pushcclosure(L, e->function, 1);
            return 1;
        }
        if (n < 8) names[n++] = e->name + 8;
    }
    if (strcmp(name, "name") == 0) {
        lua_pushstring(L, saros_problem_name(script_test_problem(L, 1)));
        return 1;
    }
    if (strcmp(name, "surrogate") == 0)
        return script_fail(L, SAROS_ERR_UNSUPPORTED, NULL,
                           "problem:surrogate is not in this build");
    const char *near = saros_nearest_name(name, names, n);
    return script_fail(L, SAROS_ERR_USAGE,
                       near ? lua_pushfstring(L, "did you mean '%s'?", near) : NULL,
                       "a problem has no method '%s'", name);
}

static const script_entry entries[] = {
    {"problem", "table", "saros.problem",
     "a problem: {name, domain, unknowns, parameters, equation, initial, boundary, observables}",
     problem_make},
    {"problem:solve", "self, options", "saros.solution",
     "solves by method = \"grid\" or \"network\" with its options", script_problem_solve},
    {"problem:gradient", "self, options", "number, table",
     "J and dJ of objective(sol, p) with respect to the parameters wrt", script_problem_gradient},
    {"problem:fit", "self, options", "table", "parameters `unknown` that match `data`",
     script_problem_fit},
};
const script_entries script_problem_entries = {entries, (int)(sizeof entries / sizeof *entries)};

static const script_entry field_entries[] = {
    {"field", "v", "any", "a parameter with one value per node", field_make},
};
const script_entries script_field_entries = {field_entries,
                                             (int)(sizeof field_entries / sizeof *field_entries)};

void script_open_problems(lua_State *L) {
    static const luaL_Reg events[] = {{"__gc", problem_gc},
                                      {"__index", problem_index},
                                      {"__tostring", problem_tostring},
                                      {NULL, NULL}};
    luaL_newmetatable(L, problem_class);
    luaL_setfuncs(L, events, 0);
    lua_pushliteral(L, "problem");
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}
