/** Tensors from nested tables, to nested tables, and as text for people. */
#include "script_impl.h"

#include <stdio.h>
#include <string.h>

#include "script_tensor_impl.h"

enum { SHOWN = 6 };

/** Extents of the nested table at `index`, from its first entries. */
static int table_shape(lua_State *L, int index, int64_t *shape) {
    int rank = 0;
    lua_pushvalue(L, index);
    while (lua_istable(L, -1)) {
        if (rank == SAROS_MAX_RANK)
            script_fail(L, SAROS_ERR_SHAPE, NULL, "tables nest more than %d deep", SAROS_MAX_RANK);
        shape[rank++] = (int64_t)lua_rawlen(L, -1);
        if (shape[rank - 1] == 0) break;
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
    return rank;
}

/** Entry on top of the stack as a number; pops it. */
static double entry(lua_State *L) {
    double x = 0;
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER) {
        x = lua_tonumber(L, -1);
    } else if (type == LUA_TBOOLEAN) {
        x = lua_toboolean(L, -1);
    } else {
        script_value *v = script_test_value(L, -1);
        if (v && !v->tensor)
            script_fail(L, SAROS_ERR_TYPE, "saros.stack{a, b} joins traced values",
                        "a table of numbers holds a traced value");
        if (!v || saros_tensor_item(v->tensor, &x) != SAROS_OK)
            script_fail(L, SAROS_ERR_TYPE, NULL, "a table of numbers holds %s",
                        script_describe(L, -1));
    }
    lua_pop(L, 1);
    return x;
}

static void fill(lua_State *L, int rank, const int64_t *shape, double **to) {
    if (!lua_istable(L, -1) || (int64_t)lua_rawlen(L, -1) != shape[0])
        script_fail(L, SAROS_ERR_SHAPE, "all rows need the same length",
                    "nested tables of unequal shape");
    luaL_checkstack(L, 4, NULL);
    for (int64_t k = 0; k < shape[0]; ++k) {
        lua_rawgeti(L, -1, k + 1);
        if (rank == 1) {
            if (lua_istable(L, -1))
                script_fail(L, SAROS_ERR_SHAPE, "all rows need the same depth",
                            "nested tables of unequal depth");
            *(*to)++ = entry(L);
        } else {
            fill(L, rank - 1, shape + 1, to);
            lua_pop(L, 1);
        }
    }
}

/** Whether the first leaf of the nested table at `index` is a boolean. */
static bool holds_masks(lua_State *L, int index, int rank) {
    lua_pushvalue(L, index);
    for (int k = 0; k < rank; ++k) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    bool mask = lua_isboolean(L, -1);
    lua_pop(L, 1);
    return mask;
}

void script_tensor_from_table(lua_State *L, int index, saros_dtype dtype, bool dtype_given) {
    int64_t shape[SAROS_MAX_RANK];
    index = lua_absindex(L, index);
    int rank = table_shape(L, index, shape);
    saros_type type = saros_type_make(SAROS_F64, rank, shape);
    if (!dtype_given) dtype = holds_masks(L, index, rank) ? SAROS_BOOL : SAROS_F64;
    double *data = script_scratch(L, sizeof *data * (size_t)saros_type_count(&type)), *next = data;
    if (saros_type_count(&type) > 0) {
        lua_pushvalue(L, index);
        fill(L, rank, shape, &next);
        lua_pop(L, 1);
    }
    saros_tensor *plain = NULL;
    script_check(L, saros_tensor_from(SAROS_F64, rank, shape, data, &plain));
    lua_pop(L, 1);
    script_push_tensor(L, plain);
    if (dtype == SAROS_F64) return;
    saros_tensor *cast = NULL;
    script_check(L, saros_tensor_cast(plain, dtype, &cast));
    script_push_tensor(L, cast);
    lua_remove(L, -2);
}

/* ---- to tables ---- */

static void push_element(lua_State *L, const saros_tensor *tensor, const int64_t *index) {
    double x = 0;
    script_check(L, saros_tensor_get(tensor, index, &x));
    if (saros_tensor_dtype(tensor) == SAROS_BOOL)
        lua_pushboolean(L, x != 0);
    else if (saros_dtype_is_float(saros_tensor_dtype(tensor)))
        lua_pushnumber(L, x);
    else
        lua_pushinteger(L, (lua_Integer)x);
}

void script_push_element(lua_State *L, const saros_tensor *tensor, const int64_t *index) {
    push_element(L, tensor, index);
}

void script_push_nested(lua_State *L, const saros_tensor *tensor, int axis, int64_t *index) {
    if (axis == saros_tensor_rank(tensor)) {
        push_element(L, tensor, index);
        return;
    }
    int64_t n = saros_tensor_shape(tensor)[axis];
    luaL_checkstack(L, 4, NULL);
    lua_createtable(L, n < 1 << 24 ? (int)n : 0, 0);
    for (index[axis] = 0; index[axis] < n; ++index[axis]) {
        script_push_nested(L, tensor, axis + 1, index);
        lua_rawseti(L, -2, index[axis] + 1);
    }
}

/* ---- text ---- */

static void add_text(luaL_Buffer *b, const saros_tensor *tensor, int axis, int64_t *index) {
    char text[48];
    if (axis == saros_tensor_rank(tensor)) {
        double x = 0;
        if (saros_tensor_get(tensor, index, &x) != SAROS_OK) x = 0;
        if (saros_tensor_dtype(tensor) == SAROS_BOOL)
            luaL_addstring(b, x != 0 ? "true" : "false");
        else {
            bool narrow = saros_tensor_dtype(tensor) == SAROS_F32 || saros_tensor_rank(tensor) > 0;
            bool whole = !saros_dtype_is_float(saros_tensor_dtype(tensor));
            snprintf(text, sizeof text, whole ? "%.0f" : narrow ? "%.7g" : "%.14g", x);
            luaL_addstring(b, text);
        }
        return;
    }
    int64_t n = saros_tensor_shape(tensor)[axis];
    luaL_addchar(b, '{');
    for (int64_t k = 0; k < n; ++k) {
        if (k) luaL_addstring(b, axis + 1 < saros_tensor_rank(tensor) ? ",\n " : ", ");
        if (n > 2 * SHOWN && k == SHOWN) {
            luaL_addstring(b, "…");
            k = n - SHOWN - 1;
            continue;
        }
        index[axis] = k;
        add_text(b, tensor, axis + 1, index);
    }
    luaL_addchar(b, '}');
}

void script_tensor_text(lua_State *L, saros_tensor *tensor) {
    luaL_Buffer b;
    char text[160];
    int64_t index[SAROS_MAX_RANK] = {0};
    saros_type type = saros_tensor_type(tensor);
    luaL_buffinit(L, &b);
    if (type.dtype == SAROS_OPAQUE) {
        luaL_addstring(&b, "opaque object");
    } else {
        if (type.rank > 0) {
            luaL_addstring(&b, saros_type_text(&type, text, sizeof text));
            luaL_addchar(&b, ' ');
        }
        add_text(&b, tensor, 0, index);
    }
    luaL_pushresult(&b);
}
