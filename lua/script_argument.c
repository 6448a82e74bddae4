/** Reading arguments: integers, extents, axes, dtypes, strict keys; each failure says what was
 * expected and got. */
#include "script_impl.h"

#include <string.h>

int64_t script_integer(lua_State *L, int index, const char *name) {
    int ok = 0;
    lua_Integer n = lua_tointegerx(L, index, &ok);
    if (!ok || lua_type(L, index) != LUA_TNUMBER) script_expected(L, index, name, "an integer");
    return (int64_t)n;
}

double script_number(lua_State *L, int index, const char *name) {
    if (lua_type(L, index) != LUA_TNUMBER) script_expected(L, index, name, "a number");
    return lua_tonumber(L, index);
}

int script_extents(lua_State *L, int index, const char *name, int64_t *extent) {
    index = lua_absindex(L, index);
    bool table = lua_istable(L, index);
    int64_t n = table ? (int64_t)lua_rawlen(L, index) : lua_gettop(L) - index + 1;
    if (!table && lua_type(L, index) != LUA_TNUMBER)
        script_expected(L, index, name, "a table of integers");
    if (n > SAROS_MAX_RANK)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "'%s' has %lld entries, at most %d are possible",
                    name, (long long)n, SAROS_MAX_RANK);
    for (int k = 0; k < (int)n; ++k) {
        if (table) {
            lua_rawgeti(L, index, k + 1);
        } else if (lua_type(L, index + k) != LUA_TNUMBER) {
            return k; /* an options table may follow */
        } else {
            lua_pushvalue(L, index + k);
        }
        int ok = 0;
        extent[k] = lua_tointegerx(L, -1, &ok);
        if (!ok)
            script_fail(L, SAROS_ERR_TYPE, NULL, "entry %d of '%s': expected an integer, got %s",
                        k + 1, name, script_describe(L, -1));
        lua_pop(L, 1);
    }
    return (int)n;
}

static saros_dtype dtype_named(lua_State *L, const char *text) {
    static const char *const names[] = {"f64", "f32", "i64", "i32", "bool"};
    for (int d = 0; d < 5; ++d)
        if (strcmp(text, names[d]) == 0) return (saros_dtype)d;
    const char *near = saros_nearest_name(text, names, 5);
    return (saros_dtype)script_fail(
        L, SAROS_ERR_USAGE, near ? lua_pushfstring(L, "did you mean \"%s\"?", near) : NULL,
        "dtype \"%s\" is unknown; there are f64 f32 i64 i32 bool", text);
}

static void fail_key(lua_State *L, const char *key, const char *what, const char *const *names,
                     int n) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int k = 0; k < n; ++k) {
        if (k) luaL_addchar(&b, ' ');
        luaL_addstring(&b, names[k]);
    }
    luaL_pushresult(&b);
    const char *all = lua_tostring(L, -1);
    const char *near = saros_nearest_name(key, names, n);
    const char *hint = near ? lua_pushfstring(L, "did you mean '%s'?", near) : NULL;
    script_fail(L, SAROS_ERR_USAGE, hint, "%s has no option '%s'; it takes: %s", what, key, all);
}

/** Named entries of a table that may also hold extents. */
static void check_tensor_options(lua_State *L, int index) {
    static const char *const names[] = {"dtype", "device"};
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) continue;
        const char *key = lua_tostring(L, -2);
        if (strcmp(key, names[0]) != 0 && strcmp(key, names[1]) != 0)
            fail_key(L, key, "a tensor", names, 2);
    }
}

saros_dtype script_dtype_option(lua_State *L, int index, saros_dtype otherwise, bool *given) {
    saros_dtype dtype = otherwise;
    bool found = false;
    index = lua_absindex(L, index);
    if (lua_type(L, index) == LUA_TSTRING) {
        dtype = dtype_named(L, lua_tostring(L, index));
        found = true;
    } else if (lua_istable(L, index)) {
        check_tensor_options(L, index);
        int type = lua_getfield(L, index, "dtype");
        found = type == LUA_TSTRING;
        if (found)
            dtype = dtype_named(L, lua_tostring(L, -1));
        else if (type != LUA_TNIL)
            script_fail(L, SAROS_ERR_TYPE, NULL, "dtype: expected a text, got %s",
                        script_describe(L, -1));
        lua_pop(L, 1);
        if (lua_getfield(L, index, "device") == LUA_TSTRING &&
            strcmp(lua_tostring(L, -1), "cpu") != 0)
            script_fail(L, SAROS_ERR_UNSUPPORTED, "leave device out, or write device=\"cpu\"",
                        "device \"%s\" is not in this build", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    if (given) *given = found;
    return dtype;
}

int script_axis(lua_State *L, int64_t axis, int rank) {
    int64_t zero = axis > 0 ? axis - 1 : axis + rank;
    if (axis == 0 || zero < 0 || zero >= rank)
        script_fail(L, SAROS_ERR_SHAPE, "axes count from 1; negative ones from the end",
                    "axis %lld of a value with %d ax%ss", (long long)axis, rank,
                    rank == 1 ? "i" : "e");
    return (int)zero;
}

void script_strict_keys(lua_State *L, int index, const char *what, const char *const *names,
                        int n) {
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            script_fail(L, SAROS_ERR_USAGE, NULL, "%s takes named options, got the entry [%s]",
                        what, luaL_tolstring(L, -1, NULL));
        const char *key = lua_tostring(L, -1);
        bool known = false;
        for (int k = 0; k < n && !known; ++k) known = strcmp(key, names[k]) == 0;
        if (!known) fail_key(L, key, what, names, n);
    }
}

void script_reserved_key(lua_State *L, int index, const char *key) {
    if (lua_getfield(L, index, key) != LUA_TNIL)
        script_fail(L, SAROS_ERR_UNSUPPORTED, NULL, "'%s' is not in this build", key);
    lua_pop(L, 1);
}
