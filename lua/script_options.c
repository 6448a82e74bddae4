/** Tables of options into structs, by their registry: one reader for every method. */
#include <string.h>

#include "script_problem_impl.h"

enum { MOST_NAMES = 160 };

void *script_anchored(lua_State *L, int anchor, size_t bytes) {
    anchor = lua_absindex(L, anchor);
    void *memory = script_scratch(L, bytes);
    lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
    return memory;
}

double *script_numbers(lua_State *L, int index, int anchor, const char *name, int64_t *count) {
    lua_pushvalue(L, index);
    saros_tensor *given = script_tensor_at(L, -1, name), *plain = NULL;
    if (saros_tensor_rank(given) > 1)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "'%s': expected a list of numbers, got %s", name,
                    script_describe(L, -1));
    script_check(L, saros_tensor_cast(given, SAROS_F64, &plain));
    script_push_tensor(L, plain);
    *count = saros_tensor_count(plain);
    double *copy = script_anchored(L, anchor, sizeof *copy * (size_t)*count);
    if (*count) memcpy(copy, saros_tensor_const_data(plain), sizeof *copy * (size_t)*count);
    lua_pop(L, 2);
    return copy;
}

/** {x=…, y=…}: each entry is checked as the option itself would be. */
static void read_axes(lua_State *L, const saros_option_table *table, void *options,
                      const saros_option *row) {
    static const char *const letters[] = {"x", "y", "z", "t"};
    int64_t axes[SAROS_AXES] = {0};
    script_strict_keys(L, -1, row->name, letters, SAROS_AXES);
    for (int a = 0; a < SAROS_AXES; ++a) {
        if (lua_getfield(L, -1, letters[a]) != LUA_TNIL) {
            script_check(L, saros_option_set_number(table, options, row->name,
                                                    script_number(L, -1, row->name)));
            axes[a] = (int64_t)lua_tonumber(L, -1);
        }
        lua_pop(L, 1);
    }
    memcpy((char *)options + row->offset, axes, sizeof axes);
}

/** {snes_rtol=1e-9, ksp_type="gmres"} as "snes_rtol 1e-9 ksp_type gmres". */
static void read_dictionary(lua_State *L, int anchor, void *options, const saros_option *row) {
    int table = lua_gettop(L);
    lua_pushliteral(L, "");
    for (lua_pushnil(L); lua_next(L, table);) {
        if (lua_type(L, -2) != LUA_TSTRING)
            script_fail(L, SAROS_ERR_USAGE, NULL, "'%s' takes named options", row->name);
        const char *value =
            lua_isboolean(L, -1) ? (lua_toboolean(L, -1) ? "1" : "0") : luaL_tolstring(L, -1, NULL);
        if (lua_isboolean(L, -1)) lua_pushnil(L); /* as many entries as with luaL_tolstring */
        lua_pushfstring(L, "%s%s %s ", lua_tostring(L, table + 1), lua_tostring(L, -3), value);
        lua_replace(L, table + 1);
        lua_pop(L, 2);
    }
    const char *text = lua_tostring(L, -1);
    memcpy((char *)options + row->offset, &text, sizeof text);
    lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
}

static void read_group(lua_State *L, int index, int anchor, const saros_option_table *group,
                       void *options);

/** A list of structs; one struct alone counts as a list of one. */
static void read_list(lua_State *L, int anchor, void *options, const saros_option *row) {
    int list = lua_gettop(L);
    bool single = !lua_istable(L, list);
    if (!single) {
        single = lua_rawgeti(L, list, 1) != LUA_TTABLE;
        lua_pop(L, 1);
    }
    int count = single ? 1 : (int)lua_rawlen(L, list);
    saros_option_list value = {count,
                               script_anchored(L, anchor, row->group->bytes * (size_t)count)};
    for (int k = 0; k < count; ++k) {
        if (single)
            lua_pushvalue(L, list);
        else
            lua_rawgeti(L, list, k + 1);
        read_group(L, lua_gettop(L), anchor, row->group,
                   (char *)value.items + row->group->bytes * (size_t)k);
        lua_pop(L, 1);
    }
    memcpy((char *)options + row->offset, &value, sizeof value);
}

/** The value on top into the field of `row`. */
static void read_value(lua_State *L, int anchor, const saros_option_table *table,
                       const saros_option *row, void *options) {
    int type = lua_type(L, -1);
    char *field = (char *)options + row->offset;
    if (row->kind == SAROS_OPTION_SPECIAL) return;
    if (row->kind == SAROS_OPTION_GROUP) {
        read_group(L, lua_gettop(L), anchor, row->group, field);
    } else if (row->kind == SAROS_OPTION_LIST) {
        read_list(L, anchor, options, row);
    } else if (row->kind == SAROS_OPTION_DICTIONARY && type == LUA_TTABLE) {
        read_dictionary(L, anchor, options, row);
    } else if (row->kind == SAROS_OPTION_AXES && type == LUA_TTABLE) {
        read_axes(L, table, options, row);
    } else if (row->kind == SAROS_OPTION_TIMES && (type == LUA_TTABLE || type == LUA_TUSERDATA)) {
        saros_times times = {0};
        times.list = script_numbers(L, lua_gettop(L), anchor, row->name, &times.count);
        if (times.count == 0)
            script_fail(L, SAROS_ERR_USAGE, row->doc, "%s: option '%s' is an empty list",
                        table->name, row->name);
        memcpy(field, &times, sizeof times);
    } else if (row->kind == SAROS_OPTION_FLAG && type == LUA_TBOOLEAN) {
        script_check(
            L, saros_option_set_number(table, options, row->name, lua_toboolean(L, -1) ? 1 : 0));
    } else if (type == LUA_TNUMBER && row->kind != SAROS_OPTION_FLAG) {
        script_check(L, saros_option_set_number(table, options, row->name, lua_tonumber(L, -1)));
    } else if (type == LUA_TSTRING) {
        script_check(L, saros_option_set_text(table, options, row->name, lua_tostring(L, -1)));
    } else {
        static const char *const needed[] = {"a number",
                                             "an integer",
                                             "true or false",
                                             "a text",
                                             "an integer or a table of integers by axis",
                                             "a count or a list of times",
                                             "a table of options",
                                             "a list of tables",
                                             "a table of options",
                                             "a value"};
        script_fail(L, SAROS_ERR_TYPE, row->doc, "%s: option '%s': expected %s, got %s",
                    table->name, row->name, needed[row->kind], script_describe(L, -1));
    }
}

void script_options_read(lua_State *L, int index, int anchor, const saros_option_table *table,
                         void *options, const char *what, const char *const *also, int alsos) {
    const char *names[MOST_NAMES];
    int n = 0;
    index = lua_absindex(L, index);
    anchor = lua_absindex(L, anchor);
    for (int k = 0; k < table->rows && n < MOST_NAMES; ++k) names[n++] = table->row[k].name;
    for (int k = 0; k < alsos && n < MOST_NAMES; ++k) names[n++] = also[k];
    script_strict_keys(L, index, what, names, n);
    for (int k = 0; k < table->rows; ++k) {
        if (lua_getfield(L, index, table->row[k].name) != LUA_TNIL)
            read_value(L, anchor, table, &table->row[k], options);
        lua_pop(L, 1);
    }
}

/** A nested table, whose first entry or bare value stands for the positional row. */
static void read_group(lua_State *L, int index, int anchor, const saros_option_table *group,
                       void *options) {
    const saros_option *first = group->positional >= 0 ? &group->row[group->positional] : NULL;
    if (!lua_istable(L, index)) {
        if (!first)
            script_fail(L, SAROS_ERR_TYPE, NULL, "%s: expected a table of options, got %s",
                        group->name, script_describe(L, index));
        lua_pushvalue(L, index);
        read_value(L, anchor, group, first, options);
        lua_pop(L, 1);
        return;
    }
    lua_newtable(L); /* the named part */
    int named = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (first && lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1) {
            read_value(L, anchor, group, first, options);
            continue;
        }
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, named);
    }
    script_options_read(L, named, anchor, group, options, group->name, NULL, 0);
    lua_pop(L, 1);
}
