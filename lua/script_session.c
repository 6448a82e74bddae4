/** What scripts ask of the session: help, threads, names of the registry. */
#include <limits.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/pool.h"
#include "script_module_impl.h"
#include "script_op_impl.h"

/** Pushes the name of the function at `index`, or nil. */
static void push_name_of(lua_State *L, int index) {
    const char *names[SCRIPT_NAMES];
    int n = script_names(names, SCRIPT_NAMES);
    saros_lua_open(L);
    for (int k = 0; k < n; ++k) {
        const char *dot = strchr(names[k], '.');
        lua_pushvalue(L, -1);
        if (dot) {
            lua_pushlstring(L, names[k], (size_t)(dot - names[k]));
            lua_rawget(L, -2);
            lua_remove(L, -2);
        }
        lua_pushstring(L, dot ? dot + 1 : names[k]);
        lua_rawget(L, -2);
        bool same = lua_rawequal(L, -1, index);
        lua_pop(L, 2);
        if (same) {
            lua_pushstring(L, names[k]);
            return;
        }
    }
    lua_pushnil(L);
}

static int session_help(lua_State *L) {
    const char *name = lua_isnoneornil(L, 1) ? "" : lua_tostring(L, 1);
    if (!name) {
        push_name_of(L, 1);
        name = lua_tostring(L, -1);
    }
    if (!name) script_expected(L, 1, "x", "a name or a function of saros");
    char *text = saros_lua_help(name);
    if (!text) return script_raise(L);
    lua_pushstring(L, text);
    saros_release(text);
    if (lua_getglobal(L, "print") == LUA_TFUNCTION) {
        lua_pushvalue(L, -2);
        lua_call(L, 1, 0);
    }
    return 0;
}

static int session_threads(lua_State *L) {
    if (!lua_isnoneornil(L, 1)) {
        const int64_t n = script_integer(L, 1, "n");
        const int count = n < -1 ? -1 : n > INT_MAX ? INT_MAX : (int)n; /* errors stay errors */
        if (saros_threads_set(count) != SAROS_OK) return script_raise(L);
    }
    lua_pushinteger(L, saros_threads());
    return 1;
}

/** Names, arguments, rows: for tests and tools. */
static int session_registry(lua_State *L) {
    int lists;
    const script_op_list *const *ops = script_op_lists(&lists);
    lua_newtable(L);
    for (int k = 0; k < lists; ++k)
        for (int j = 0; j < ops[k]->count; ++j) {
            const script_op *op = &ops[k]->op[j];
            lua_createtable(L, 0, 3);
            lua_pushstring(L, op->args);
            lua_setfield(L, -2, "args");
            lua_pushstring(L, op->rows ? op->rows : op->name);
            lua_setfield(L, -2, "rows");
            lua_pushstring(L, script_op_doc(op));
            lua_setfield(L, -2, "doc");
            lua_setfield(L, -2, op->name);
        }
    return 1;
}

/** Rows of core by name, with their doc lines. */
static int session_primitives(lua_State *L) {
    int n;
    const saros_primitive *const *row = saros_core_primitives(&n);
    lua_createtable(L, 0, n);
    for (int k = 0; k < n; ++k) {
        lua_pushstring(L, row[k]->doc);
        lua_setfield(L, -2, row[k]->name);
    }
    return 1;
}

static int session_memory(lua_State *L) {
    lua_pushinteger(L, saros_memory_held());
    return 1;
}

static const script_entry entries[] = {
    {"help", "x?", "nil", "prints the help of a function or name; without one the list of all",
     session_help},
    {"threads", "n?", "integer",
     "threads that share the work of a call; n sets it, 0 to the default", session_threads},
    {"profile", "f, options?", "table",
     "runs f(); where the time went: a report to print, then what f returned. {trace=FILE.json} "
     "writes a Chrome trace",
     script_profile},
    {"registry", "", "table", "operations by name: {args, rows, doc}", session_registry},
    {"primitives", "", "table", "rows of the graph by name, with their meaning",
     session_primitives},
    {"memory", "", "integer", "bytes the library holds now", session_memory},
};

const script_entries script_session_entries = {entries, (int)(sizeof entries / sizeof *entries)};
