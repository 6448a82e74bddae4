/** What one Lua state remembers, and how the collector learns of memory outside Lua.
 *
 *  Lua sees a tensor of a gigabyte as a userdata of a few words and would let thousands of dead
 * ones wait. So every object handed to Lua looks at the bytes the library holds: when they have
 * grown by more than a fixed step and by half of what survived the last collection, a full
 * collection runs. Work per byte stays bounded and memory stays within a constant factor of what is
 * alive. */
#include "script_impl.h"

#include <stdlib.h>
#include <string.h>

#include "saros/memory.h"

static const char state_key;
enum { GROWTH_STEP = 32 << 20 };

static int state_close(lua_State *L) {
    script_state *state = lua_touserdata(L, 1);
    while (state->top) script_trace_close(L, state->top);
    return 0;
}

script_state *script_state_of(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
    script_state *state = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (state) return state;
    state = lua_newuserdatauv(L, sizeof *state, 0);
    memset(state, 0, sizeof *state);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, state_close);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
    return state;
}

void saros_lua_settings_set(lua_State *L, const saros_lua_settings *settings) {
    script_state_of(L)->settings = *settings;
}

void script_registry(lua_State *L, const void *key) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void script_account(lua_State *L) {
    script_state *state = script_state_of(L);
    int64_t held = saros_memory_held();
    if (held - state->held < GROWTH_STEP + state->held / 2) return;
    lua_gc(L, LUA_GCCOLLECT);
    state->held = saros_memory_held();
}

void *script_scratch(lua_State *L, size_t bytes) {
    void *memory = lua_newuserdatauv(L, bytes ? bytes : 1, 0);
    memset(memory, 0, bytes ? bytes : 1);
    return memory;
}
