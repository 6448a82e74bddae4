/** saros run, saros check. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program_impl.h"

/** Whole file as a text to free, NULL after printing an error. */
static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    if (size >= 0 && fseek(file, 0, SEEK_SET) == 0 && (text = malloc((size_t)size + 1)) != NULL) {
        size_t got = fread(text, 1, (size_t)size, file);
        text[got] = 0;
    }
    if (file) fclose(file);
    if (!text) fprintf(stderr, "saros: cannot read %s\n", path);
    return text;
}

/** Global `arg` as in lua: the script, then the words after it. */
static void set_arg(lua_State *L, const program_options *o) {
    lua_createtable(L, o->words, 1);
    for (int k = 0; k < o->words; ++k) {
        lua_pushstring(L, o->word[k]);
        lua_rawseti(L, -2, k);
    }
    lua_setglobal(L, "arg");
}

static int silent(lua_State *L) {
    (void)L;
    return 0;
}

/** string.format of placeholders says nothing rather than failing. */
static int lenient_format(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (lua_pcall(L, lua_gettop(L) - 1, 1, 0) != LUA_OK) lua_pushliteral(L, "");
    return 1;
}

/** What a script asserts of results does not hold of placeholders. */
static int lenient_assert(lua_State *L) {
    return lua_gettop(L);
}

/** While tables are checked, the script's own output and assertions would only confuse. */
static void silence(lua_State *L) {
    lua_pushcfunction(L, silent);
    lua_setglobal(L, "print");
    lua_pushcfunction(L, lenient_assert);
    lua_setglobal(L, "assert");
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, lenient_format, 1);
    lua_setfield(L, -2, "format");
    lua_getglobal(L, "io");
    lua_pushcfunction(L, silent);
    lua_setfield(L, -2, "write");
    lua_pop(L, 2);
}

static int run_script(int argc, char **argv, bool check) {
    program_options o = {.script_options = true};
    char *original[64]; /* the command line before options_read sorts it */
    int kept = argc < 64 ? argc : 64, code = EXIT_DONE;
    memcpy(original, argv, sizeof *original * (size_t)kept);
    int wrong = program_options_read(argc, argv, 2, &o);
    if (wrong) return wrong;
    if (o.words == 0) {
        fprintf(stderr, "saros: usage: saros %s SCRIPT.lua [--name value …]\n",
                check ? "check" : "run");
        return EXIT_USAGE;
    }
    if ((o.words - 1) % 2 || (o.words > 1 && strncmp(o.word[1], "--", 2) != 0)) {
        fprintf(stderr, "saros: options of a script are pairs: --name value\n");
        return EXIT_USAGE;
    }
    check = check || o.help;
    char *text = read_text(o.word[0]);
    lua_State *L = text ? program_state(&o, kept, original, text, check) : NULL;
    if (!L) {
        free(text);
        return EXIT_ERROR;
    }
    set_arg(L, &o);
    saros_lua_arguments(L, o.words - 1, o.word + 1);
    if (check) silence(L);
    saros_status status = saros_lua_run(L, o.word[0]);
    bool unknown = false;
    if (status == SAROS_OK && !o.help) {
        status = saros_lua_arguments_used(L);
        unknown = status != SAROS_OK;
    }
    if (o.help)
        saros_lua_arguments_list(L, stdout);
    else if (status != SAROS_OK)
        code = program_failed();
    else if (check)
        printf("%s: no errors found\n", o.word[0]);
    if (unknown || (code == EXIT_ERROR && saros_lua_arguments_used(L) != SAROS_OK))
        code = EXIT_USAGE;
    program_state_close(L);
    free(text);
    return code;
}

int command_run(int argc, char **argv) {
    return run_script(argc, argv, false);
}
int command_check(int argc, char **argv) {
    return run_script(argc, argv, true);
}
