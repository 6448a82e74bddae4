/** Flattening and rebuilding trees of arguments. */
#include "script_tree_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64 };

static int compare_integers(const void *a, const void *b) {
    lua_Integer x = *(const lua_Integer *)a, y = *(const lua_Integer *)b;
    return x < y ? -1 : x > y;
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Keys of a table in order; the arrays are scratch on the stack. Other keys than integers and
 * strings are left out. */
typedef struct keys {
    int integers, strings;
    lua_Integer *integer;
    const char **string; /* owned by the table */
} keys;

static keys sorted_keys(lua_State *L, int table) {
    keys k = {0};
    int integers = 0, strings = 0;
    luaL_checkstack(L, LUA_MINSTACK, "tables nest too deep");
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2))
            ++integers;
        else if (lua_type(L, -2) == LUA_TSTRING)
            ++strings;
    }
    k.integer = script_scratch(L, sizeof *k.integer * (size_t)integers);
    k.string = script_scratch(L, sizeof *k.string * (size_t)strings);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2))
            k.integer[k.integers++] = lua_tointeger(L, -2);
        else if (lua_type(L, -2) == LUA_TSTRING)
            k.string[k.strings++] = lua_tostring(L, -2);
    }
    if (integers) qsort(k.integer, (size_t)integers, sizeof *k.integer, compare_integers);
    if (strings) qsort(k.string, (size_t)strings, sizeof *k.string, compare_strings);
    return k;
}

/** Pushes the k-th entry in order. */
static void push_entry(lua_State *L, int table, const keys *order, int k) {
    if (k < order->integers)
        lua_geti(L, table, order->integer[k]);
    else
        lua_getfield(L, table, order->string[k - order->integers]);
}

/** A table to look into: plain, not an object of this library or of the script. */
static bool is_branch(lua_State *L, int index) {
    if (!lua_istable(L, index)) return false;
    if (!lua_getmetatable(L, index)) return true;
    lua_pop(L, 1);
    return false;
}

static void flatten(lua_State *L, int index, int leaves, int depth) {
    if (script_is_leaf(L, index)) {
        lua_pushvalue(L, index);
        lua_rawseti(L, leaves, (lua_Integer)lua_rawlen(L, leaves) + 1);
        return;
    }
    if (!is_branch(L, index)) return;
    if (depth == DEPTH)
        script_fail(L, SAROS_ERR_USAGE, NULL, "tables of arguments nest more than %d deep", DEPTH);
    int top = lua_gettop(L);
    keys order = sorted_keys(L, index);
    for (int k = 0; k < order.integers + order.strings; ++k) {
        push_entry(L, index, &order, k);
        flatten(L, lua_gettop(L), leaves, depth + 1);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

void script_tree_flatten(lua_State *L, int index, int leaves) {
    flatten(L, lua_absindex(L, index), lua_absindex(L, leaves), 0);
}

static void push_paths(lua_State *L, int index, int paths, const char *prefix, int depth) {
    if (script_is_leaf(L, index)) {
        lua_pushstring(L, prefix);
        lua_rawseti(L, paths, (lua_Integer)lua_rawlen(L, paths) + 1);
        return;
    }
    if (!is_branch(L, index) || depth == DEPTH) return;
    int top = lua_gettop(L);
    keys order = sorted_keys(L, index);
    for (int k = 0; k < order.integers + order.strings; ++k) {
        const char *path =
            k < order.integers
                ? lua_pushfstring(L, "%s[%I]", prefix, (LUAI_UACINT)order.integer[k])
                : lua_pushfstring(L, "%s.%s", prefix, order.string[k - order.integers]);
        push_entry(L, index, &order, k);
        push_paths(L, lua_gettop(L), paths, path, depth + 1);
        lua_pop(L, 2);
    }
    lua_settop(L, top);
}

void script_tree_mirrors(lua_State *L, int a, const char *name_a, int b, const char *name_b) {
    int from[2] = {lua_absindex(L, a), lua_absindex(L, b)}, top = lua_gettop(L);
    const char *path[2], *name[2] = {name_a, name_b};
    for (int k = 0; k < 2; ++k) {
        lua_newtable(L);
        push_paths(L, from[k], top + 1 + k, "x", 0);
    }
    for (lua_Integer i = 1;; ++i) {
        for (int k = 0; k < 2; ++k) {
            lua_rawgeti(L, top + 1 + k, i);
            path[k] = lua_tostring(L, -1);
        }
        if (!path[0] && !path[1]) break;
        if (!path[0] || !path[1] || strcmp(path[0], path[1]) != 0)
            script_fail(L, SAROS_ERR_SHAPE, "both need numbers or tensors under the same keys",
                        "leaf %d of the %s is %s, of the %s %s", (int)i, name[0],
                        path[0] ? path[0] : "missing", name[1], path[1] ? path[1] : "missing");
        lua_pop(L, 2);
    }
    lua_settop(L, top);
}

void script_tree_rebuild(lua_State *L, int index, int leaves, int64_t *next) {
    index = lua_absindex(L, index);
    leaves = lua_absindex(L, leaves);
    if (script_is_leaf(L, index)) {
        lua_rawgeti(L, leaves, (*next)++);
        if (lua_isboolean(L, -1)) {
            lua_pop(L, 1);
            lua_pushvalue(L, index);
        }
        return;
    }
    if (!is_branch(L, index)) {
        lua_pushvalue(L, index);
        return;
    }
    lua_newtable(L);
    int copy = lua_gettop(L);
    for (lua_pushnil(L);
         lua_next(L, index);) { /* what carries no leaf keeps its place under any key */
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, copy);
    }
    keys order = sorted_keys(L, index);
    for (int k = 0; k < order.integers + order.strings; ++k) {
        push_entry(L, index, &order, k);
        script_tree_rebuild(L, lua_gettop(L), leaves, next);
        if (k < order.integers)
            lua_seti(L, copy, order.integer[k]);
        else
            lua_setfield(L, copy, order.string[k - order.integers]);
        lua_pop(L, 1);
    }
    lua_settop(L, copy);
}

/** What tells a leaf or a carried value from another of the same place. */
static void key_text(lua_State *L, int index, char *text, size_t bytes) {
    script_value *v =
        script_is_leaf(L, index) && lua_isuserdata(L, index) ? lua_touserdata(L, index) : NULL;
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        snprintf(text, bytes, "#");
        break;
    case LUA_TBOOLEAN:
        snprintf(text, bytes, lua_toboolean(L, index) ? "+" : "-");
        break;
    case LUA_TNIL:
        snprintf(text, bytes, "0");
        break;
    case LUA_TUSERDATA:
        if (v && v->tensor) {
            saros_type type = saros_tensor_type(v->tensor);
            saros_type_text(&type, text, bytes);
            break;
        } /* fall through */
    default:
        snprintf(text, bytes, "%p", lua_topointer(L, index));
    }
}

/** Texts are collected in the table at `parts` because a buffer may not be held while the stack
 * moves. */
static void key_parts(lua_State *L, int index, int parts) {
    char text[160];
    if (is_branch(L, index)) {
        int top = lua_gettop(L);
        keys order = sorted_keys(L, index);
        lua_pushliteral(L, "{");
        lua_rawseti(L, parts, (lua_Integer)lua_rawlen(L, parts) + 1);
        for (int k = 0; k < order.integers + order.strings; ++k) {
            if (k < order.integers)
                lua_pushfstring(L, "%I=", (LUAI_UACINT)order.integer[k]);
            else
                lua_pushfstring(L, "%s=", order.string[k - order.integers]);
            lua_rawseti(L, parts, (lua_Integer)lua_rawlen(L, parts) + 1);
            push_entry(L, index, &order, k);
            key_parts(L, lua_gettop(L), parts);
            lua_pop(L, 1);
        }
        lua_pushliteral(L, "}");
        lua_rawseti(L, parts, (lua_Integer)lua_rawlen(L, parts) + 1);
        lua_settop(L, top);
        return;
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
    } else {
        key_text(L, index, text, sizeof text);
        lua_pushstring(L, text);
    }
    lua_rawseti(L, parts, (lua_Integer)lua_rawlen(L, parts) + 1);
}

void script_tree_key(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_newtable(L);
    int parts = lua_gettop(L);
    key_parts(L, index, parts);
    luaL_Buffer key;
    luaL_buffinit(L, &key);
    lua_Integer n = (lua_Integer)lua_rawlen(L, parts);
    for (lua_Integer k = 1; k <= n; ++k) {
        lua_rawgeti(L, parts, k);
        luaL_addvalue(&key);
        luaL_addchar(&key, '|');
    }
    luaL_pushresult(&key);
    lua_remove(L, parts);
}

/* ---- leaves ---- */

bool script_leaf_is_float(lua_State *L, int index) {
    if (lua_type(L, index) == LUA_TNUMBER) return true;
    script_value *v = script_test_value(L, index);
    if (!v) return false;
    return saros_dtype_is_float(v->tensor ? saros_tensor_dtype(v->tensor)
                                          : saros_value_dtype(v->value));
}

script_leaves script_leaves_read(lua_State *L, int leaves, bool fresh) {
    leaves = lua_absindex(L, leaves);
    script_leaves all = {.count = (int)lua_rawlen(L, leaves)};
    all.value = script_scratch(L, sizeof *all.value * (size_t)all.count);
    all.weak = script_scratch(L, sizeof *all.weak * (size_t)all.count);
    for (int k = 0; k < all.count; ++k) {
        lua_rawgeti(L, leaves, k + 1);
        all.value[k] = script_value_in(L, -1, &all.weak[k]);
        if (fresh && script_leaf_is_float(L, -1)) all.value[k] = script_alias(L, all.value[k]);
        lua_pop(L, 1);
    }
    return all;
}

void script_leaves_push(lua_State *L, int count, const saros_value *value, const bool *weak) {
    lua_createtable(L, count, 0);
    for (int k = 0; k < count; ++k) {
        script_push_value(L, value[k], weak && weak[k]);
        lua_rawseti(L, -2, k + 1);
    }
}
