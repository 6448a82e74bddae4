/** saros.profile(f, options): runs f and tells where the time of compiled functions went.
 *
 *  The report is a table {seconds=, steps={{["function"]=, name=, …}, …}} whose tostring is the
 * table of the library; results of f follow it. */
#include "saros/memory.h"
#include "saros/profile.h"
#include "script_module_impl.h"
#include "script_problem_impl.h"
#include "script_transform_impl.h"

typedef struct profile_options {
    const char *trace;
    int64_t spans;
} profile_options;

static const saros_option rows[] = {
    {"trace", SAROS_OPTION_TEXT, offsetof(profile_options, trace), "", 0, 0, NULL, NULL,
     "file for a Chrome trace (chrome://tracing, ui.perfetto.dev)", NULL},
    {"spans", SAROS_OPTION_INTEGER, offsetof(profile_options, spans), "100000", 1, 1e8, NULL, NULL,
     "most spans the trace keeps, the first ones", NULL},
};
static const saros_option_table profile_table = {"profile", sizeof(profile_options), rows, 2, -1};

static int profile_collect(lua_State *L) {
    saros_profile **p = lua_touserdata(L, 1);
    saros_profile_release(*p);
    *p = NULL;
    return 0;
}

/** Pushes a userdata that ends its profile with it. */
static saros_profile **push_holder(lua_State *L) {
    saros_profile **p = lua_newuserdatauv(L, sizeof(saros_profile *), 0);
    *p = NULL;
    if (luaL_newmetatable(L, "saros.recording")) {
        lua_pushcfunction(L, profile_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return p;
}

static void set_number(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}
static void set_text(lua_State *L, const char *name, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void push_step(lua_State *L, const saros_profile_step *step, const saros_machine *machine) {
    lua_createtable(L, 0, 11);
    set_text(L, "function", step->function);
    set_text(L, "name", step->name);
    if (step->file[0]) {
        set_text(L, "file", step->file);
        lua_pushinteger(L, step->line);
        lua_setfield(L, -2, "line");
    }
    lua_pushinteger(L, step->calls);
    lua_setfield(L, -2, "calls");
    lua_pushboolean(L, step->parallel);
    lua_setfield(L, -2, "parallel");
    set_number(L, "seconds", step->seconds);
    set_number(L, "whole_seconds", step->whole_seconds);
    set_number(L, "bytes", step->bytes);
    set_number(L, "operations", step->operations);
    set_number(L, "share", saros_profile_share(step, machine));
}

static int report_text(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "text");
    return 1;
}

static void push_report(lua_State *L, const saros_profile *p) {
    saros_machine machine;
    script_check(L, saros_machine_measure(&machine));
    lua_createtable(L, 0, 5);
    set_number(L, "seconds", saros_profile_seconds(p));
    lua_pushinteger(L, machine.threads);
    lua_setfield(L, -2, "threads");
    lua_createtable(L, (int)saros_profile_steps(p), 0);
    for (int64_t k = 0; k < saros_profile_steps(p); ++k) {
        const saros_profile_step step = saros_profile_step_at(p, k);
        push_step(L, &step, &machine);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "steps");
    const size_t bytes = saros_profile_text(p, NULL, 0) + 1;
    char *text = script_scratch(L, bytes);
    saros_profile_text(p, text, bytes);
    lua_pushstring(L, text);
    lua_setfield(L, -3, "text");
    lua_pop(L, 1);
    if (luaL_newmetatable(L, "saros.profile")) {
        lua_pushcfunction(L, report_text);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

int script_profile(lua_State *L) {
    profile_options o = {0};
    script_check_function(L, 1, "f");
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    if (!lua_istable(L, 2)) script_expected(L, 2, "options", "a table of options");
    lua_newtable(L); /* 3: anchor */
    script_options_read(L, 2, 3, &profile_table, &o, "saros.profile", NULL, 0);
    const int64_t spans = o.spans > 0 ? o.spans : 100000;
    saros_profile **p = push_holder(L); /* 4 */
    script_check(L, saros_profile_start(&(saros_profile_options){.spans = o.trace ? spans : 0}, p));
    lua_pushvalue(L, 1);
    saros_status status = script_call(L, 0, LUA_MULTRET);
    const saros_status stopped = saros_profile_stop(*p);
    if (status != SAROS_OK) return script_raise(L);
    script_check(L, stopped);
    if (o.trace) script_check(L, saros_profile_trace(*p, o.trace));
    push_report(L, *p);
    lua_insert(L, 5);
    saros_profile_release(*p);
    *p = NULL;
    return lua_gettop(L) - 4;
}
