/** Entry of the loadable module: `require "saros"` in a stock Lua 5.4. */
#include "saros/lua.h"

int luaopen_saros(lua_State *L) {
    return saros_lua_open(L);
}
