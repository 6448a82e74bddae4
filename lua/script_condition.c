/** Boundary conditions: dirichlet, neumann, robin, flux, free, a residual; and the table
 * `boundary`. */
#include <string.h>

#include "script_problem_impl.h"

/** A condition as scripts hold it; a function is its user value. */
typedef struct condition {
    saros_condition_kind kind;
    double a, b, value;
} condition;

static const char class_name[] = "saros.condition_object";

static condition *push_condition(lua_State *L, saros_condition_kind kind) {
    condition *c = lua_newuserdatauv(L, sizeof *c, 1);
    *c = (condition){.kind = kind};
    if (luaL_newmetatable(L, class_name)) {
        lua_pushliteral(L, "condition");
        lua_setfield(L, -2, "__name");
    }
    lua_setmetatable(L, -2);
    return c;
}

/** A condition whose value is argument `index`: a number or function(s, p). */
static condition *valued(lua_State *L, saros_condition_kind kind, int index) {
    condition *c = push_condition(L, kind);
    if (lua_type(L, index) == LUA_TNUMBER) {
        c->value = lua_tonumber(L, index);
    } else if (lua_isfunction(L, index)) {
        lua_pushvalue(L, index);
        lua_setiuservalue(L, -2, 1);
    } else {
        script_expected(L, index, "v", "a number or function(s, p)");
    }
    return c;
}

static int condition_dirichlet(lua_State *L) {
    return valued(L, SAROS_DIRICHLET, 1) ? 1 : 0;
}
static int condition_neumann(lua_State *L) {
    return valued(L, SAROS_NEUMANN, 1) ? 1 : 0;
}
static int condition_flux(lua_State *L) {
    return valued(L, SAROS_FLUX, 1) ? 1 : 0;
}
static int condition_free(lua_State *L) {
    return push_condition(L, SAROS_FREE) ? 1 : 0;
}

static int condition_robin(lua_State *L) {
    double a = script_number(L, 1, "a"), b = script_number(L, 2, "b");
    condition *c = valued(L, SAROS_ROBIN, 3);
    c->a = a;
    c->b = b;
    return 1;
}

static int condition_coupled(lua_State *L) {
    return script_fail(L, SAROS_ERR_UNSUPPORTED, "give one condition per unknown: {u=…, v=…}",
                       "saros.condition is not in this build");
}

/* ---- the table ---- */

/** Rows read so far. */
typedef struct rows {
    saros_condition *row;
    int count, room, anchor;
} rows;

enum { MOST_ROWS = 3 * 2 * 64 };

static void add_row(lua_State *L, rows *to, const char *axis, const char *side, const char *unknown,
                    int index) {
    if (to->count == to->room)
        script_fail(L, SAROS_ERR_USAGE, NULL, "boundary: more than %d conditions", to->room);
    saros_condition *row = &to->row[to->count++];
    *row = (saros_condition){.axis = axis, .side = side, .unknown = unknown};
    condition *c = luaL_testudata(L, index, class_name);
    if (lua_isfunction(L, index)) {
        row->kind = SAROS_RESIDUAL;
        row->function = script_point_call;
        row->user = script_function_hold(L, to->anchor, index, 1, "a boundary residual");
        return;
    }
    if (!c)
        script_fail(L, SAROS_ERR_TYPE,
                    "saros.dirichlet(v), neumann(v), robin(a, b, v), free() or function(s, p)",
                    "boundary: axis %s: expected a condition, got %s", axis,
                    script_describe(L, index));
    row->kind = c->kind;
    row->a = c->a;
    row->b = c->b;
    row->value = c->value;
    if (lua_getiuservalue(L, index, 1) == LUA_TFUNCTION) {
        row->function = script_point_call;
        row->user = script_function_hold(L, to->anchor, -1, 1, "a boundary value");
    }
    lua_pop(L, 1);
}

static bool is_condition(lua_State *L, int index) {
    return lua_isfunction(L, index) || luaL_testudata(L, index, class_name);
}

/** One side: a condition, or a table of conditions by unknown. */
static void read_side(lua_State *L, rows *to, const char *axis, const char *side, int index) {
    index = lua_absindex(L, index);
    if (!lua_istable(L, index)) {
        add_row(L, to, axis, side, NULL, index);
        return;
    }
    if (lua_rawlen(L, index) > 0)
        script_fail(L, SAROS_ERR_UNSUPPORTED, NULL,
                    "boundary: a list of several conditions is not in this build");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        add_row(L, to, axis, side, lua_tostring(L, -2), lua_gettop(L));
}

/** One axis: "periodic", a condition, {lo=, hi=} or a table by unknown. */
static void read_axis(lua_State *L, rows *to, const char *axis, int index) {
    if (lua_type(L, index) == LUA_TSTRING) {
        if (strcmp(lua_tostring(L, index), "periodic") != 0)
            script_fail(L, SAROS_ERR_USAGE, "\"periodic\" is the only one",
                        "boundary: axis %s: unknown word \"%s\"", axis, lua_tostring(L, index));
        if (to->count == to->room)
            script_fail(L, SAROS_ERR_USAGE, NULL, "boundary: too many conditions");
        to->row[to->count++] = (saros_condition){.axis = axis, .kind = SAROS_PERIODIC};
        return;
    }
    if (is_condition(L, index) || !lua_istable(L, index)) {
        add_row(L, to, axis, NULL, NULL, index);
        return;
    }
    bool lo = lua_getfield(L, index, "lo") != LUA_TNIL,
         hi = lua_getfield(L, index, "hi") != LUA_TNIL;
    if (lo || hi) {
        static const char *const sides[] = {"lo", "hi"};
        script_strict_keys(L, index, "a boundary axis", sides, 2);
        if (lo) read_side(L, to, axis, "lo", -2);
        if (hi) read_side(L, to, axis, "hi", -1);
    } else {
        read_side(L, to, axis, NULL, index);
    }
    lua_pop(L, 2);
}

saros_condition *script_conditions_read(lua_State *L, int index, int anchor) {
    rows to = {.room = MOST_ROWS, .anchor = lua_absindex(L, anchor)};
    index = lua_absindex(L, index);
    to.row = script_anchored(L, to.anchor, sizeof *to.row * (MOST_ROWS + 1));
    if (lua_isnil(L, index)) return to.row;
    if (!lua_istable(L, index))
        script_fail(L, SAROS_ERR_TYPE, NULL, "boundary: expected a table by axis, got %s",
                    script_describe(L, index));
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            script_fail(L, SAROS_ERR_USAGE, NULL, "boundary: entries are named by axis: x, y, z");
        read_axis(L, &to, lua_tostring(L, -2), lua_gettop(L));
    }
    return to.row;
}

static const script_entry entries[] = {
    {"dirichlet", "v", "any", "condition: the value is v, a number or function(s, p)",
     condition_dirichlet},
    {"neumann", "v", "any", "condition: the outward normal derivative is v", condition_neumann},
    {"robin", "a, b, v", "any", "condition: a u + b du/dn = v", condition_robin},
    {"flux", "v", "any", "condition: the outward component of the flux under div is v",
     condition_flux},
    {"free", "", "any", "no condition", condition_free},
    {"condition", "f", "any", "residuals that couple unknowns (not in this build)",
     condition_coupled},
};

const script_entries script_condition_entries = {entries, (int)(sizeof entries / sizeof *entries)};
