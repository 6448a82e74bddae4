/** What stands for results while a script is only checked: takes part in everything, says nothing.
 */
#include "script_impl.h"

static int nothing(lua_State *L) {
    return script_push_nothing(L);
}

static int nothing_true(lua_State *L) {
    lua_pushboolean(L, 1);
    return 1;
}

static int nothing_text(lua_State *L) {
    lua_pushliteral(L, "?");
    return 1;
}

static int nothing_length(lua_State *L) {
    lua_pushinteger(L, 0);
    return 1;
}

int script_push_nothing(lua_State *L) {
    static const luaL_Reg events[] = {
        {"__index", nothing},       {"__call", nothing},          {"__add", nothing},
        {"__sub", nothing},         {"__mul", nothing},           {"__div", nothing},
        {"__pow", nothing},         {"__unm", nothing},           {"__mod", nothing},
        {"__concat", nothing_text}, {"__tostring", nothing_text}, {"__lt", nothing_true},
        {"__le", nothing_true},     {"__len", nothing_length},    {NULL, NULL}};
    lua_newuserdatauv(L, 1, 0);
    if (luaL_newmetatable(L, "saros.nothing")) luaL_setfuncs(L, events, 0);
    lua_setmetatable(L, -2);
    return 1;
}

bool script_is_nothing(lua_State *L, int index) {
    return luaL_testudata(L, index, "saros.nothing") != NULL;
}

bool script_any_nothing(lua_State *L) {
    for (int k = lua_gettop(L); k >= 1; --k)
        if (script_is_nothing(L, k)) return true;
    return false;
}
