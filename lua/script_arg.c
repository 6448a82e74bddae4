/** saros.arg: options of a script on the command line, `saros run SCRIPT --name value`. Declared
 * where they are read; what is given but never declared is an error before the first solve and at
 * the end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "script_impl.h"

static const char given_key, declared_key; /* name -> text; list of declarations */

void saros_lua_arguments(lua_State *L, int count, char *const *word) {
    script_registry(L, &given_key);
    for (int k = 0; k + 1 < count; k += 2) {
        lua_pushstring(L, word[k + 1]);
        lua_setfield(L, -2, word[k] + 2);
    }
    lua_pop(L, 1);
}

saros_status saros_lua_arguments_used(lua_State *L) {
    const char *names[128], *unknown = NULL;
    int n = 0, top = lua_gettop(L);
    script_registry(L, &declared_key);
    script_registry(L, &given_key);
    for (lua_Integer k = 1; n < 128 && lua_rawgeti(L, top + 1, k) == LUA_TTABLE; ++k) {
        lua_getfield(L, -1, "name");
        names[n++] = lua_tostring(L, -1); /* owned by the declaration */
        lua_pop(L, 2);
    }
    lua_settop(L, top + 2);
    for (lua_pushnil(L); !unknown && lua_next(L, top + 2); lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -2);
        bool declared = false;
        for (int k = 0; k < n && !declared; ++k) declared = strcmp(names[k], name) == 0;
        if (!declared) unknown = name;
    }
    saros_status status = SAROS_OK;
    if (unknown) {
        const char *near = saros_nearest_name(unknown, names, n);
        char hint[128] = "saros run SCRIPT --help lists them";
        if (near) snprintf(hint, sizeof hint, "did you mean --%s?", near);
        status =
            saros_fail(SAROS_ERR_USAGE, "", hint, "the script declares no option --%s", unknown);
    }
    lua_settop(L, top);
    return status;
}

void script_before_work(lua_State *L) {
    script_check(L, saros_lua_arguments_used(L));
}

void saros_lua_arguments_list(lua_State *L, FILE *out) {
    int top = lua_gettop(L);
    script_registry(L, &declared_key);
    if (lua_rawlen(L, -1) == 0) fprintf(out, "The script has no options.\n");
    for (lua_Integer k = 1; lua_rawgeti(L, top + 1, k) == LUA_TTABLE; ++k) {
        lua_getfield(L, -1, "name");
        lua_getfield(L, -2, "doc");
        lua_getfield(L, -3, "default");
        fprintf(out, "  --%-16s %s", lua_tostring(L, -3),
                lua_isnil(L, -2) ? "" : lua_tostring(L, -2));
        if (!lua_isnil(L, -1)) fprintf(out, " (default %s)", luaL_tolstring(L, -1, NULL));
        fputc('\n', out);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

/** Checks `one_of`, `min`, `max` of the declaration at 1 against the value on top. */
static void check_range(lua_State *L, const char *name) {
    int value = lua_gettop(L);
    if (lua_getfield(L, 1, "one_of") == LUA_TTABLE) {
        bool found = false;
        for (lua_Integer k = 1; !found && lua_rawgeti(L, -1, k) != LUA_TNIL; ++k) {
            found = lua_compare(L, -1, value, LUA_OPEQ);
            lua_pop(L, 1);
        }
        if (!found)
            script_fail(L, SAROS_ERR_DOMAIN, "saros run SCRIPT --help lists the choices",
                        "--%s: %s is not one of its values", name, luaL_tolstring(L, value, NULL));
    }
    lua_settop(L, value);
    double lo = lua_getfield(L, 1, "min") == LUA_TNUMBER ? lua_tonumber(L, -1) : -HUGE_VAL;
    double hi = lua_getfield(L, 1, "max") == LUA_TNUMBER ? lua_tonumber(L, -1) : HUGE_VAL;
    if (lua_type(L, value) == LUA_TNUMBER &&
        (lua_tonumber(L, value) < lo || lua_tonumber(L, value) > hi))
        script_fail(L, SAROS_ERR_DOMAIN, NULL, "--%s: %s is outside of %g to %g", name,
                    luaL_tolstring(L, value, NULL), lo, hi);
    lua_settop(L, value);
}

/** The text of the command line as a value of the type of the default. */
static void push_converted(lua_State *L, const char *name, const char *text, int type,
                           bool integer) {
    char *end = NULL;
    double number = strtod(text, &end);
    bool is_number = *text && !*end;
    if (type == LUA_TNUMBER || (type == LUA_TNIL && is_number)) {
        if (!is_number || (integer && floor(number) != number))
            script_fail(L, SAROS_ERR_USAGE, NULL, "--%s: expected %s, got \"%s\"", name,
                        integer ? "an integer" : "a number", text);
        if (floor(number) == number && fabs(number) < 9e15)
            lua_pushinteger(L, (lua_Integer)number);
        else
            lua_pushnumber(L, number);
        if (type == LUA_TNUMBER && !integer) {
            lua_pushnumber(L, number);
            lua_remove(L, -2);
        }
    } else if (type == LUA_TBOOLEAN) {
        bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
        if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
            script_fail(L, SAROS_ERR_USAGE, NULL, "--%s: expected true or false, got \"%s\"", name,
                        text);
        lua_pushboolean(L, yes);
    } else {
        lua_pushstring(L, text);
    }
}

static int session_arg(lua_State *L) {
    static const char *const names[] = {"name", "default", "doc", "min", "max", "one_of"};
    static const char *const taken[] = {"quiet", "overwrite", "log-json",
                                        "help",  "walltime",  "restart"};
    if (!lua_istable(L, 1)) script_expected(L, 1, "options", "a table {name=, default=, doc=}");
    script_strict_keys(L, 1, "saros.arg", names, 6);
    lua_settop(L, 1);
    if (lua_getfield(L, 1, "name") != LUA_TSTRING)
        script_fail(L, SAROS_ERR_USAGE, NULL, "saros.arg: name is missing");
    const char *name = lua_tostring(L, 2);
    for (int k = 0; k < 6; ++k)
        if (strcmp(name, taken[k]) == 0)
            script_fail(L, SAROS_ERR_USAGE, "choose another name",
                        "saros.arg: --%s belongs to the program", name);
    script_registry(L, &declared_key);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
    script_registry(L, &given_key);
    int type = lua_getfield(L, 1, "default");
    bool integer = lua_isinteger(L, -1);
    if (lua_getfield(L, 4, name) != LUA_TSTRING) {
        lua_pop(L, 1);
        if (type == LUA_TNIL && !script_state_of(L)->settings.check)
            script_fail(L, SAROS_ERR_USAGE, NULL, "the script needs the option --%s", name);
        return 1;
    }
    push_converted(L, name, lua_tostring(L, -1), type, integer);
    check_range(L, name);
    return 1;
}

static const script_entry entries[] = {
    {"arg", "options", "any",
     "declares the script option {name=, default=, doc=, min=, max=, one_of=} and gives its value",
     session_arg},
};

const script_entries script_option_entries = {entries, (int)(sizeof entries / sizeof *entries)};
