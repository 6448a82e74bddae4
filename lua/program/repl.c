/** The REPL: expressions print their value, unfinished input asks for more, `?name` shows help, the
 * tab key completes globals and fields. Without a terminal it reads lines and prints results, so
 * that it can stand in a pipe. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program_impl.h"
#include "saros/config.h"
#include "saros/memory.h"
#include "saros/stop.h"
#if SAROS_HAVE_EDIT
#include <editline/readline.h>
#endif

static lua_State *repl_state; /* completion callbacks carry no user data */

/* ---- lines ---- */

static char *plain_line(void) {
    char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n') line[n - 1] = 0;
    return line;
}

static char *next_line(const char *prompt, bool terminal) {
#if SAROS_HAVE_EDIT
    if (terminal) {
        char *line = readline(prompt);
        if (line && *line) add_history(line);
        return line;
    }
#endif
    if (terminal) {
        fputs(prompt, stdout);
        fflush(stdout);
    }
    return plain_line();
}

#if SAROS_HAVE_EDIT
static const char *history_path(char *path, size_t bytes) {
    const char *home = getenv("HOME");
    if (!home) return NULL;
    snprintf(path, bytes, "%s/.saros_history", home);
    return path;
}

/** The candidate number `state` for `text` = a.b.c: keys of the table a.b that start with c. */
static char *complete(const char *text, int state) {
    lua_State *L = repl_state;
    int top = lua_gettop(L), seen = 0;
    const char *last = text, *dot;
    char *found = NULL;
    lua_pushglobaltable(L);
    while ((dot = strpbrk(last, ".:")) != NULL) {
        lua_pushlstring(L, last, (size_t)(dot - last));
        if (!lua_istable(L, -2)) break;
        lua_rawget(L, -2);
        last = dot + 1;
    }
    if (lua_istable(L, -1))
        for (lua_pushnil(L); !found && lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING) continue;
            const char *key = lua_tostring(L, -2);
            if (strncmp(key, last, strlen(last)) != 0 || seen++ < state) continue;
            size_t head = (size_t)(last - text), bytes = head + strlen(key) + 1;
            if ((found = malloc(bytes)) != NULL)
                snprintf(found, bytes, "%.*s%s", (int)head, text, key);
        }
    lua_settop(L, top);
    return found;
}
#endif

/* ---- chunks ---- */

static bool unfinished(lua_State *L, int code) {
    if (code != LUA_ERRSYNTAX) return false;
    size_t n;
    const char *message = lua_tolstring(L, -1, &n);
    return n >= 5 && strcmp(message + n - 5, "<eof>") == 0;
}

/** Loads the text as an expression or else as statements; leaves a function or a message. */
static int load(lua_State *L, const char *text) {
    const char *expression = lua_pushfstring(L, "return %s", text);
    int code = luaL_loadbuffer(L, expression, strlen(expression), "=repl");
    lua_remove(L, -2);
    if (code == LUA_OK) return code;
    lua_pop(L, 1);
    return luaL_loadbuffer(L, text, strlen(text), "=repl");
}

/** Prints values first … top; the last one printed is the global `_`. */
static void print_values(lua_State *L, int first) {
    int top = lua_gettop(L);
    for (int k = first; k <= top; ++k)
        printf("%s%s", luaL_tolstring(L, k, NULL), k < top ? "\t" : "\n");
    if (top >= first) {
        lua_pushvalue(L, first);
        lua_setglobal(L, "_");
    }
    fflush(stdout);
    lua_settop(L, first - 1);
}

static void run(lua_State *L) {
    int base = lua_gettop(L);
    saros_stop_clear(); /* control-C stopped the last one, not this one */
    if (saros_lua_call(L, 0, LUA_MULTRET) == SAROS_OK) {
        print_values(L, base);
        return;
    }
    char *text = saros_lua_error_text();
    fprintf(stderr, "%s\n", text ? text : "out of memory");
    saros_release(text);
}

static void show_help(const char *name) {
    while (*name == ' ') ++name;
    char *text = saros_lua_help(name);
    if (!text) {
        char *error = saros_lua_error_text();
        fprintf(stderr, "%s\n", error ? error : "out of memory");
        saros_release(error);
        return;
    }
    fputs(text, stdout);
    saros_release(text);
}

/** Reads one chunk, asking for more lines while it is unfinished; false at the end of the input. */
static bool read_and_run(lua_State *L, bool terminal) {
    char *line = next_line("saros> ", terminal);
    if (!line) return false;
    if (line[0] == '?') {
        show_help(line + 1);
        free(line);
        return true;
    }
    lua_pushstring(L, line);
    free(line);
    for (;;) {
        int code = load(L, lua_tostring(L, -1));
        if (code == LUA_OK) {
            lua_remove(L, -2);
            run(L);
            return true;
        }
        char *more = unfinished(L, code) ? next_line("     | ", terminal) : NULL;
        if (!more) {
            fprintf(stderr, "%s\n", lua_tostring(L, -1));
            lua_pop(L, 2);
            return true;
        }
        lua_pop(L, 1);
        lua_pushfstring(L, "%s\n%s", lua_tostring(L, -1), more);
        lua_remove(L, -2);
        free(more);
    }
}

int command_repl(void) {
    char *argv[] = {(char[]){"saros"}, NULL};
    program_options o = {.quiet = !isatty(STDERR_FILENO)};
    bool terminal = isatty(STDIN_FILENO);
    lua_State *L = repl_state = program_state(&o, 1, argv, NULL, false);
    if (!L) return EXIT_ERROR;
    saros_lua_open(L);
    lua_setglobal(L, "saros");
    lua_pushboolean(L, 0);
    lua_setglobal(L, "_");
#if SAROS_HAVE_EDIT
    char path[1024];
    if (terminal) {
        rl_completion_entry_function = complete;
        rl_completer_word_break_characters = (char[]){" \t\n\"'(){}[],;=+-*/<>~#%^"};
        if (history_path(path, sizeof path)) read_history(path);
    }
#endif
    if (terminal) printf("saros %s: ?name shows help, control-D ends\n", SAROS_VERSION);
    while (read_and_run(L, terminal)) {
    }
    if (terminal) putchar('\n');
#if SAROS_HAVE_EDIT
    if (terminal && history_path(path, sizeof path)) write_history(path);
#endif
    program_state_close(L);
    return EXIT_DONE;
}
