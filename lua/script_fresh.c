/** Fresh arguments: each derivative is taken by values of its own, so that what a function knows
 * from outside is held constant and nested derivatives do not mix. */
#include "script_derivative_impl.h"

#include <string.h>

static const saros_primitive *alias_row(void) {
    static const saros_primitive *found;
    int n;
    const saros_primitive *const *row = saros_core_primitives(&n);
    for (int k = 0; k < n && !found; ++k)
        if (strcmp(row[k]->name, "alias") == 0) found = row[k];
    return found;
}

saros_value script_alias(lua_State *L, saros_value x) {
    return saros_build(script_state_of(L)->top->graph, alias_row(), &(saros_attributes){0}, 1, &x);
}

script_fresh script_fresh_push(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_newtable(L);
    int leaves = lua_gettop(L);
    script_tree_flatten(L, index, leaves);
    script_fresh f = {.leaves = (int)lua_rawlen(L, leaves)};
    f.in = script_scratch(L, sizeof *f.in * (size_t)f.leaves);
    f.weak = script_scratch(L, sizeof *f.weak * (size_t)f.leaves);
    f.place = script_scratch(L, sizeof *f.place * (size_t)f.leaves);
    for (int k = 0; k < f.leaves; ++k) {
        lua_rawgeti(L, leaves, k + 1);
        if (script_leaf_is_float(L, -1)) {
            bool weak;
            f.in[f.count] = script_alias(L, script_value_in(L, -1, &weak));
            f.weak[f.count] = weak;
            f.place[f.count] = k;
            script_push_value(L, f.in[f.count++], weak);
            lua_rawseti(L, leaves, k + 1);
        }
        lua_pop(L, 1);
    }
    int64_t next = 1;
    script_tree_rebuild(L, index, leaves, &next);
    return f;
}

void script_fresh_mirror(lua_State *L, int index, const script_fresh *fresh,
                         const saros_value *value) {
    index = lua_absindex(L, index);
    lua_createtable(L, fresh->leaves, 0);
    int leaves = lua_gettop(L);
    for (int k = 1; k <= fresh->leaves; ++k) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, leaves, k);
    }
    for (int k = 0; k < fresh->count; ++k) {
        script_push_value(L, value[k], fresh->weak[k]);
        lua_rawseti(L, leaves, fresh->place[k] + 1);
    }
    int64_t next = 1;
    script_tree_rebuild(L, index, leaves, &next);
    lua_remove(L, leaves);
}

script_leaves script_float_leaves(lua_State *L, int index, script_fresh *places) {
    index = lua_absindex(L, index);
    lua_newtable(L);
    int leaves = lua_gettop(L);
    script_tree_flatten(L, index, leaves);
    script_fresh f = {.leaves = (int)lua_rawlen(L, leaves)};
    f.in = script_scratch(L, sizeof *f.in * (size_t)f.leaves);
    f.weak = script_scratch(L, sizeof *f.weak * (size_t)f.leaves);
    f.place = script_scratch(L, sizeof *f.place * (size_t)f.leaves);
    for (int k = 0; k < f.leaves; ++k) {
        lua_rawgeti(L, leaves, k + 1);
        if (script_leaf_is_float(L, -1)) {
            saros_value value = script_value_in(L, -1, &f.weak[f.count]);
            /* results of f may be values of a graph outside: derivatives want them inside */
            f.in[f.count] =
                value.graph == script_state_of(L)->top->graph ? value : script_alias(L, value);
            f.place[f.count++] = k;
        }
        lua_pop(L, 1);
    }
    lua_remove(L, leaves);
    if (places) *places = f;
    return (script_leaves){.count = f.count, .value = f.in, .weak = f.weak};
}
