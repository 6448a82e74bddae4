/** The environment of `saros run` and of the REPL: reading an undefined global is an error,
 * functions of `math` say what to use for tensors, `stopped` passes through pcall, and a request to
 * stop ends a Lua loop too. */
#include <string.h>

#include "saros/stop.h"
#include "script_impl.h"

enum { HOOK_STEPS = 100000 };

static int undefined_global(lua_State *L) {
    const char *names[256], *name = lua_tostring(L, 2);
    int n = 0;
    for (lua_pushnil(L); n < 256 && lua_next(L, 1); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING) names[n++] = lua_tostring(L, -2);
    const char *near = name ? saros_nearest_name(name, names, n) : NULL;
    return script_fail(L, SAROS_ERR_USAGE,
                       near ? lua_pushfstring(L, "did you mean '%s'?", near)
                            : "set it before it is read",
                       "undefined variable '%s'", name ? name : "?");
}

/** Upvalues: the function of math, its name. */
static int math_wrapper(lua_State *L) {
    int n = lua_gettop(L);
    if (script_any_nothing(L)) return script_push_nothing(L);
    for (int k = 1; k <= n; ++k)
        if (lua_type(L, k) == LUA_TUSERDATA && script_test_value(L, k)) {
            const char *name = lua_tostring(L, lua_upvalueindex(2));
            bool other = strcmp(name, "max") == 0 || strcmp(name, "min") == 0;
            script_fail(L, SAROS_ERR_TYPE,
                        lua_pushfstring(L, "use saros.%s",
                                        other ? name[1] == 'a' ? "maximum" : "minimum" : name),
                        "math.%s takes plain numbers, got %s", name, script_describe(L, k));
        }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, LUA_MULTRET);
    return lua_gettop(L);
}

static void wrap_math(lua_State *L) {
    static const char *const names[] = {"sin", "cos",  "tan", "asin",  "acos", "atan", "exp",
                                        "log", "sqrt", "abs", "floor", "max",  "min"};
    lua_getglobal(L, "math");
    for (size_t k = 0; k < sizeof names / sizeof *names; ++k) {
        lua_getfield(L, -1, names[k]);
        lua_pushstring(L, names[k]);
        lua_pushcclosure(L, math_wrapper, 2);
        lua_setfield(L, -2, names[k]);
    }
    lua_pop(L, 1);
}

/* ---- pcall ---- */

/** Results of a protected call lie above `below` entries. */
static int finish_protected(lua_State *L, int code, lua_KContext below) {
    bool failed = code != LUA_OK && code != LUA_YIELD;
    if (failed && script_status_of(L, -1) == SAROS_ERR_STOPPED) return lua_error(L);
    lua_pushboolean(L, !failed);
    lua_insert(L, (int)below + 1);
    return lua_gettop(L) - (int)below;
}

static int protected_call(lua_State *L) {
    luaL_checkany(L, 1);
    int code = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, finish_protected);
    return finish_protected(L, code, 0);
}

/** xpcall(f, handler, …): the handler goes below the function. */
static int protected_call_handler(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 1);
    lua_remove(L, 1);
    lua_insert(L, 2); /* handler, f, … */
    int code = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 1, finish_protected);
    return finish_protected(L, code, 1);
}

static void stop_hook(lua_State *L, lua_Debug *ar) {
    (void)ar;
    if (saros_stop_requested()) script_fail(L, SAROS_ERR_STOPPED, NULL, "stopped on request");
}

void saros_lua_strict(lua_State *L) {
    lua_pushglobaltable(L);
    if (!lua_getmetatable(L, -1)) lua_newtable(L);
    lua_pushcfunction(L, undefined_global);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
    wrap_math(L);
    lua_pushcfunction(L, protected_call);
    lua_setglobal(L, "pcall");
    lua_pushcfunction(L, protected_call_handler);
    lua_setglobal(L, "xpcall");
    lua_sethook(L, stop_hook, LUA_MASKCOUNT, HOOK_STEPS);
}
