/** What all commands that run Lua share: options of the program, a state with the module, errors as
 * exit codes. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program_impl.h"
#include "saros/memory.h"

static int wrong(const char *text, const char *word) {
    fprintf(stderr, "saros: %s%s\n", text, word);
    return EXIT_USAGE;
}

int program_options_read(int argc, char **argv, int first, program_options *o) {
    static const char *const later[] = {"--walltime", "--restart", "--device"};
    o->word = argv + first; /* kept words move down in place */
    for (int k = first; k < argc; ++k) {
        char *word = argv[k];
        if (strncmp(word, "--", 2) != 0 || !word[2]) {
            o->word[o->words++] = word;
            continue;
        }
        for (size_t j = 0; j < sizeof later / sizeof *later; ++j)
            if (strcmp(word, later[j]) == 0) return wrong("not in this build: ", word);
        if (strcmp(word, "--quiet") == 0)
            o->quiet = true;
        else if (strcmp(word, "--overwrite") == 0)
            o->overwrite = true;
        else if (strcmp(word, "--help") == 0)
            o->help = true;
        else if (k + 1 >= argc)
            return wrong("a value is missing after ", word);
        else if (strcmp(word, "--log-json") == 0)
            o->log = argv[++k];
        else if (!o->script_options || o->words == 0)
            return wrong("unknown option ", word);
        else {
            o->word[o->words++] = word;
            o->word[o->words++] = argv[++k];
        }
    }
    return EXIT_DONE;
}

int program_failed(void) {
    char *text = saros_lua_error_text();
    fprintf(stderr, "%s\n", text ? text : "saros: out of memory");
    saros_release(text);
    switch (saros_error_last()->status) {
    case SAROS_ERR_STOPPED:
        return EXIT_STOPPED;
    case SAROS_ERR_NOT_CONVERGED:
    case SAROS_ERR_DIVERGED:
        return EXIT_NOT_CONVERGED;
    default:
        return EXIT_ERROR;
    }
}

/** Warnings of Lua, the hint about unrolled loops among them, go to stderr. */
static void on_warning(void *user, const char *message, int more) {
    bool *inside = user;
    if (!*inside && message[0] == '@') return;
    fprintf(stderr, "%s%s%s", *inside ? "" : "saros: warning: ", message, more ? "" : "\n");
    *inside = more != 0;
}

static char command_text[4096];

static const char *command_line(int argc, char **argv) {
    size_t used = 0;
    for (int k = 0; k < argc && used + 2 < sizeof command_text; ++k)
        used += (size_t)snprintf(command_text + used, sizeof command_text - used, "%s%s",
                                 k ? " " : "", argv[k]);
    return command_text;
}

static FILE *log_file;

lua_State *program_state(const program_options *o, int argc, char **argv, const char *script_text,
                         bool check) {
    static bool warning_open;
    const char *command = command_line(argc, argv);
    lua_State *L = luaL_newstate();
    if (!L) {
        fprintf(stderr, "saros: out of memory\n");
        return NULL;
    }
    if (o->log && !(log_file = fopen(o->log, "a"))) {
        fprintf(stderr, "saros: cannot write %s\n", o->log);
        lua_close(L);
        return NULL;
    }
    luaL_openlibs(L);
    lua_setwarnf(L, on_warning, &warning_open);
    luaL_requiref(L, "saros", saros_lua_open, 0);
    lua_pop(L, 1);
    saros_lua_strict(L);
    saros_lua_settings_set(L, &(saros_lua_settings){.progress = !o->quiet && !check,
                                                    .overwrite = o->overwrite,
                                                    .check = check,
                                                    .log = log_file,
                                                    .script = script_text,
                                                    .command = command});
    return L;
}

void program_state_close(lua_State *L) {
    lua_close(L);
    if (log_file) fclose(log_file);
    log_file = NULL;
}
