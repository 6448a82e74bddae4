/** Errors of scripts: tables {kind, message, hint, file, line, trace} whose tostring prints all.
 *
 *  Between Lua and the library an error is a status with the thread's record; between two Lua
 * functions with the library in between it is the same Lua object, parked in the registry while C
 * releases what it holds. */
#include "script_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char error_key, parked_key, parked_text_key;
static const char parked_where[] = "script";

bool script_place(lua_State *L, const char **file, int *line) {
    lua_Debug ar;
    for (int level = 0; lua_getstack(L, level, &ar); ++level) {
        if (!lua_getinfo(L, "Sl", &ar) || ar.currentline <= 0) continue;
        bool named = ar.source[0] == '@' || ar.source[0] == '=';
        *file = named ? ar.source + 1 : "(text)";
        *line = ar.currentline;
        return true;
    }
    *file = "";
    *line = 0;
    return false;
}

static void set_text(lua_State *L, const char *key, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

void script_push_error(lua_State *L, const saros_error *error) {
    const char *file = error->file;
    int line = error->line;
    if (!line) script_place(L, &file, &line);
    lua_createtable(L, 0, 6);
    set_text(L, "kind", saros_status_kind(error->status));
    if (error->where[0] && strcmp(error->where, parked_where) != 0) {
        lua_pushfstring(L, "%s: %s", error->where, error->message);
        lua_setfield(L, -2, "message");
    } else {
        set_text(L, "message", error->message);
    }
    set_text(L, "hint", error->hint);
    set_text(L, "file", file);
    lua_pushinteger(L, line);
    lua_setfield(L, -2, "line");
    set_text(L, "trace", error->trace);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
    lua_setmetatable(L, -2);
}

/** Pushes the parked object, if the record still is the one it was parked with. */
static bool push_parked(lua_State *L, const saros_error *error) {
    if (strcmp(error->where, parked_where) != 0) return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &parked_text_key);
    const char *text = lua_tostring(L, -1);
    bool same = text && strcmp(text, error->message) == 0;
    lua_pop(L, 1);
    if (!same) return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &parked_key);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_key);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_text_key);
    return true;
}

int script_raise(lua_State *L) {
    const saros_error *error = saros_error_last();
    if (!push_parked(L, error)) script_push_error(L, error);
    return lua_error(L);
}

void script_check(lua_State *L, saros_status status) {
    if (status != SAROS_OK) script_raise(L);
}

int script_fail(lua_State *L, saros_status status, const char *hint, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    saros_error error = {.status = status,
                         .where = "",
                         .message = text,
                         .hint = hint ? hint : "",
                         .file = "",
                         .trace = ""};
    script_push_error(L, &error);
    return lua_error(L);
}

const char *script_describe(lua_State *L, int index) {
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
        const char *text = luaL_tolstring(L, index, NULL);
        const char *full = lua_pushfstring(L, "%s %s", lua_typename(L, type), text);
        lua_remove(L, -2);
        return full;
    }
    if (type == LUA_TSTRING) return lua_pushfstring(L, "\"%s\"", lua_tostring(L, index));
    if (type == LUA_TUSERDATA) {
        script_value *value = luaL_testudata(L, index, "saros.tensor");
        char text[128];
        if (value && (value->tensor || value->trace)) {
            saros_type of = value->tensor         ? saros_tensor_type(value->tensor)
                            : value->trace->graph ? *saros_value_type(value->value)
                                                  : saros_type_scalar(SAROS_F64);
            return lua_pushfstring(L, "%s %s", value->tensor ? "tensor" : "traced value",
                                   saros_type_text(&of, text, sizeof text));
        }
        if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return lua_tostring(L, -1);
    }
    return lua_pushstring(L, luaL_typename(L, index));
}

int script_expected(lua_State *L, int arg, const char *name, const char *expected) {
    lua_Debug ar;
    const char *function = "?";
    if (lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar) && ar.name) function = ar.name;
    const char *got = lua_isnone(L, arg) ? "nothing" : script_describe(L, arg);
    return script_fail(L, SAROS_ERR_TYPE, NULL, "%s: argument %d '%s': expected %s, got %s",
                       function, arg, name, expected, got);
}

saros_status script_status_of(lua_State *L, int index) {
    saros_status status = SAROS_ERR_USAGE;
    if (!lua_istable(L, index)) return status;
    lua_getfield(L, index, "kind");
    const char *kind = lua_tostring(L, -1);
    for (int s = 1; kind && s < SAROS_STATUS_COUNT; ++s)
        if (strcmp(kind, saros_status_kind((saros_status)s)) == 0) {
            status = (saros_status)s;
            break;
        }
    lua_pop(L, 1);
    return status;
}

/** Strips the "file:line: " Lua puts before its messages into the table's own fields. */
static void place_from_text(lua_State *L, int table, const char *text) {
    const char *colon = strchr(text, ':');
    int line = 0, used = 0;
    if (colon && sscanf(colon, ":%d: %n", &line, &used) == 1 && used > 0) {
        lua_pushlstring(L, text, (size_t)(colon - text));
        lua_setfield(L, table, "file");
        lua_pushinteger(L, line);
        lua_setfield(L, table, "line");
        lua_pushstring(L, colon + used);
    } else {
        lua_pushstring(L, text);
    }
    lua_setfield(L, table, "message");
}

/** Pushes the traceback without the frames of C that say nothing. */
static void push_trace(lua_State *L) {
    luaL_Buffer b;
    luaL_traceback(L, L, NULL, 1);
    const char *line = lua_tostring(L, -1);
    luaL_buffinit(L, &b);
    while (*line) {
        size_t n = strcspn(line, "\n");
        bool empty = strncmp(line, "\t[C]: in ?", 10) == 0 || strncmp(line, "\t(...tail", 9) == 0;
        if (!empty) luaL_addlstring(&b, line, n + (line[n] == '\n' && line[n + 1] != 0));
        line += n + (line[n] == '\n');
    }
    luaL_pushresult(&b);
    lua_remove(L, -2);
}

/** Handler of protected calls: keeps tables (adding a trace they lack), turns strings into tables.
 */
static int error_handler(lua_State *L) {
    bool table = lua_istable(L, 1);
    if (!table) {
        const char *text = luaL_tolstring(L, 1, NULL);
        saros_error error = {.status = strcmp(text, "not enough memory") == 0 ? SAROS_ERR_MEMORY
                                                                              : SAROS_ERR_USAGE,
                             .where = "",
                             .message = text,
                             .hint = "",
                             .file = "",
                             .trace = ""};
        script_push_error(L, &error);
        place_from_text(L, lua_gettop(L), text);
        lua_replace(L, 1);
    }
    lua_settop(L, 1);
    if (luaL_getmetafield(L, 1, "__name") == LUA_TNIL) return 1; /* a table of the script's own */
    lua_pop(L, 1);
    if (lua_getfield(L, 1, "trace") != LUA_TSTRING || lua_rawlen(L, -1) == 0) {
        push_trace(L);
        lua_setfield(L, 1, "trace");
    }
    lua_settop(L, 1);
    return 1;
}

/** Records the error object on top and parks it. */
static saros_status park(lua_State *L) {
    saros_status status = script_status_of(L, -1);
    const char *message = NULL, *hint = NULL, *file = NULL, *trace = NULL;
    int line = 0, top = lua_gettop(L);
    if (lua_istable(L, top)) {
        lua_getfield(L, top, "message");
        message = lua_tostring(L, -1);
        if (!message) message = luaL_tolstring(L, top, NULL); /* a table of the script's own */
        lua_getfield(L, top, "hint");
        hint = lua_tostring(L, -1);
        lua_getfield(L, top, "file");
        file = lua_tostring(L, -1);
        lua_getfield(L, top, "line");
        line = (int)lua_tointeger(L, -1);
        lua_getfield(L, top, "trace");
        trace = lua_tostring(L, -1);
    }
    saros_fail(status, parked_where, hint, "%s", message ? message : "an error without a message");
    if (file && line) saros_error_locate(file, line);
    if (trace && *trace) saros_error_frame("%s", trace);
    lua_settop(L, top);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_key);
    lua_pushstring(L, saros_error_last()->message);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_text_key);
    return status;
}

saros_status script_call(lua_State *L, int arguments, int results) {
    int base = lua_gettop(L) - arguments;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return saros_fail(SAROS_ERR_MEMORY, "script", NULL, "the Lua stack is full");
    lua_pushcfunction(L, error_handler);
    lua_insert(L, base);
    int code = lua_pcall(L, arguments, results, base);
    lua_remove(L, base);
    return code == LUA_OK ? SAROS_OK : park(L);
}

saros_status saros_lua_call(lua_State *L, int arguments, int results) {
    return script_call(L, arguments, results);
}

static int error_tostring(lua_State *L) {
    luaL_Buffer b;
    lua_settop(L, 1);
    lua_getfield(L, 1, "file");
    lua_getfield(L, 1, "line");
    lua_getfield(L, 1, "kind");
    lua_getfield(L, 1, "message");
    lua_getfield(L, 1, "hint");
    lua_getfield(L, 1, "trace");
    luaL_buffinit(L, &b);
    const char *file = lua_tostring(L, 2), *hint = lua_tostring(L, 6), *trace = lua_tostring(L, 7);
    if (file && *file) {
        lua_pushfstring(L, "%s:%I: ", file, (LUAI_UACINT)lua_tointeger(L, 3));
        luaL_addvalue(&b);
    }
    lua_pushfstring(L, "%s error: %s", luaL_tolstring(L, 4, NULL), luaL_tolstring(L, 5, NULL));
    lua_insert(L, -3);
    lua_pop(L, 2);
    luaL_addvalue(&b);
    if (hint && *hint) {
        lua_pushfstring(L, "\n  hint: %s", hint);
        luaL_addvalue(&b);
    }
    if (trace && *trace) {
        lua_pushfstring(L, "\n%s", trace);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return 1;
}

void script_open_errors(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "saros.error");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
}
