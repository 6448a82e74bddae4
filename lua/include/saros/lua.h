/** The Lua interface: the module `saros` of a Lua 5.4 state, and scripts run in an environment of
 * their own.
 *
 *      lua_State *L = luaL_newstate(); luaL_openlibs(L);
 *      saros_lua_open(L);                    // leaves the module table on the stack, as require
 * does saros_lua_strict(L);                  // undefined globals are errors saros_lua_run(L,
 * "burgers.lua");      // a status; the error record holds kind, message, place
 *
 *  One module per state. Errors inside Lua are tables {kind, message, hint, file, line, trace}.
 */
#ifndef SAROS_LUA_H
#define SAROS_LUA_H

#include <stdbool.h>
#include <stdio.h>

#include <lua.h>

#include "saros/status.h"

/** How calls that take long report and where results go. Zero: silent, no record, keep files. */
typedef struct saros_lua_settings {
    bool progress; /**< progress lines on stderr: one live line on a terminal, plain lines elsewhere
                    */
    bool overwrite; /**< results may replace existing files */
    bool check;     /**< check tables and options, solve nothing */
    FILE *log;      /**< one JSON object a line for every progress report and result; NULL: none */
    const char *script;  /**< text of the script, for provenance; borrowed */
    const char *command; /**< command line, for provenance; borrowed */
} saros_lua_settings;

/** Pushes the module table; made on the first call of a state, the same table afterwards.
 * Returns 1. */
SAROS_API int saros_lua_open(lua_State *L);
/** Entry point of the loadable module, for `require "saros"`. */
SAROS_API int luaopen_saros(lua_State *L);
/** Makes reading an undefined global an error, lets functions of `math` say what to use for
 * tensors, and lets `stopped` pass through pcall: the environment of `saros run`. */
SAROS_API void saros_lua_strict(lua_State *L);
/** Sets how calls of this state report. The record is copied; its texts are borrowed. */
SAROS_API void saros_lua_settings_set(lua_State *L, const saros_lua_settings *settings);
/** Runs a script file. Errors: those of the script, with kind, message, hint, place and trace in
 * the record of this thread. */
SAROS_API saros_status saros_lua_run(lua_State *L, const char *path);
/** Calls the function below `arguments` values on the stack, as lua_call does; a failure is a
 * status and nothing is left on the stack. */
SAROS_API saros_status saros_lua_call(lua_State *L, int arguments, int results);
/** Text of the recorded error as scripts print it; release with saros_release. */
SAROS_API char *saros_lua_error_text(void);
/** Gives the script options of a command line: `count` words "--name", "value"… Borrowed until the
 * state closes. */
SAROS_API void saros_lua_arguments(lua_State *L, int count, char *const *word);
/** USAGE if an option was given that the script does not declare. */
SAROS_API saros_status saros_lua_arguments_used(lua_State *L);
/** Writes the options the script has declared so far. */
SAROS_API void saros_lua_arguments_list(lua_State *L, FILE *out);
/** Help on a name ("solve", "matmul", "" for the list): a text to release with saros_release, or
 * NULL with USAGE recorded. */
SAROS_API char *saros_lua_help(const char *name);
/** Writes the LuaCATS definitions (saros.d.lua) made from the registries. */
SAROS_API void saros_lua_definitions(FILE *out);

#endif
