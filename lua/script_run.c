/** Running scripts and the text of their errors. */
#include <string.h>

#include "saros/memory.h"
#include "script_impl.h"

saros_status saros_lua_run(lua_State *L, const char *path) {
    int code = luaL_loadfile(L, path);
    if (code == LUA_OK) return script_call(L, 0, 0);
    /* "file:line: what is wrong" of the parser, or a file that cannot be read */
    const char *message = lua_tostring(L, -1);
    int line = 0, used = 0;
    const char *colon = code == LUA_ERRSYNTAX ? strstr(message, ".lua:") : NULL;
    if (colon && sscanf(colon + 4, ":%d: %n", &line, &used) == 1 && used) {
        saros_fail(SAROS_ERR_USAGE, "", NULL, "%s", colon + 4 + used);
        saros_error_locate(path, line);
    } else {
        saros_fail(code == LUA_ERRSYNTAX ? SAROS_ERR_USAGE : SAROS_ERR_IO, "", NULL, "%s", message);
    }
    lua_pop(L, 1);
    return code == LUA_ERRSYNTAX ? SAROS_ERR_USAGE : SAROS_ERR_IO;
}

char *saros_lua_error_text(void) {
    const saros_error *e = saros_error_last();
    bool named = e->where[0] && strcmp(e->where, "script") != 0;
    char line[32];
    snprintf(line, sizeof line, ":%d: ", e->line);
    const char *part[] = {e->line ? e->file : "",
                          e->line ? line : "",
                          saros_status_kind(e->status),
                          " error: ",
                          named ? e->where : "",
                          named ? ": " : "",
                          e->message,
                          e->hint[0] ? "\n  hint: " : "",
                          e->hint,
                          e->trace[0] ? "\n" : "",
                          e->trace};
    size_t need = 1;
    for (size_t k = 0; k < sizeof part / sizeof *part; ++k) need += strlen(part[k]);
    char *text = saros_allocate(need);
    if (!text) return NULL;
    text[0] = 0;
    for (size_t k = 0; k < sizeof part / sizeof *part; ++k) strcat(text, part[k]);
    return text;
}
