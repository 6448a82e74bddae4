/** Functions of the point: what equations, conditions, initial values and observables see as `s`
 * and `p`. */
#include <string.h>

#include "script_problem_impl.h"

/* ---- holding functions ---- */

static int function_gc(lua_State *L) {
    script_function *f = lua_touserdata(L, 1);
    luaL_unref(L, LUA_REGISTRYINDEX, f->reference);
    f->reference = LUA_NOREF;
    return 0;
}

script_function *script_function_hold(lua_State *L, int anchor, int index, int wanted,
                                      const char *what) {
    anchor = lua_absindex(L, anchor);
    index = lua_absindex(L, index);
    script_function *f = lua_newuserdatauv(L, sizeof *f, 0);
    *f = (script_function){.L = L, .reference = LUA_NOREF, .wanted = wanted, .what = what};
    if (luaL_newmetatable(L, "saros.held")) {
        lua_pushcfunction(L, function_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
    lua_pushvalue(L, index);
    f->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return f;
}

/* ---- s and p ---- */

/** Both are this: the point while its function runs. */
typedef struct handle {
    saros_point *point;
} handle;

static saros_point *point_of(lua_State *L) {
    handle *h = lua_touserdata(L, 1);
    if (!h->point)
        script_fail(L, SAROS_ERR_USAGE, "use it inside the function that gets it",
                    "a point is used after its function returned");
    return h->point;
}

static int point_index(lua_State *L) {
    saros_point *s = point_of(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    if (!name)
        return script_fail(L, SAROS_ERR_TYPE, NULL, "a point has names, got %s",
                           script_describe(L, 2));
    script_locate(L, saros_point_graph(s));
    bool axis = name[0] && !name[1] && strchr("xyzt", name[0]);
    script_push_value(L, axis ? saros_coord(s, name) : saros_get(s, name), false);
    return 1;
}

static int parameter_index(lua_State *L) {
    saros_point *s = point_of(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    if (!name)
        return script_fail(L, SAROS_ERR_TYPE, NULL, "parameters have names, got %s",
                           script_describe(L, 2));
    script_locate(L, saros_point_graph(s));
    script_push_value(L, saros_param(s, name), false);
    return 1;
}

static handle *push_handle(lua_State *L, saros_point *point, const char *class_,
                           lua_CFunction index) {
    handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    h->point = point;
    if (luaL_newmetatable(L, class_)) {
        lua_pushcfunction(L, index);
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
    return h;
}

/* ---- calling ---- */

typedef struct call {
    saros_point *point;
    script_function *function;
    saros_value *out;
} call;

static int run(lua_State *L) {
    call *c = lua_touserdata(L, 1);
    script_function *f = c->function;
    handle *s = push_handle(L, c->point, "saros.point", point_index);
    handle *p = push_handle(L, c->point, "saros.parameters", parameter_index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->reference);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_call(L, 2, LUA_MULTRET);
    int n = lua_gettop(L) - 3;
    f->got = n;
    if (f->wanted == 0 && n == 0)
        script_fail(L, SAROS_ERR_USAGE, NULL, "%s returns nothing", f->what);
    if (f->wanted && n != f->wanted)
        script_fail(L, SAROS_ERR_USAGE, "one value per unknown, in their order",
                    "%s returns %d values, %d are needed", f->what, n, f->wanted);
    for (int k = 0; k < n; ++k) {
        if (!script_is_leaf(L, 4 + k))
            script_fail(L, SAROS_ERR_TYPE, NULL,
                        "%s: value %d: expected a number or an expression, got %s", f->what, k + 1,
                        script_describe(L, 4 + k));
        if (f->wanted || k == 0) c->out[k] = script_value_in(L, 4 + k, NULL);
    }
    s->point = p->point = NULL;
    return 0;
}

saros_status script_point_call(saros_point *s, void *user, saros_value *out) {
    script_function *f = user;
    lua_State *L = f->L;
    call c = {s, f, out};
    if (!lua_checkstack(L, LUA_MINSTACK))
        return saros_fail(SAROS_ERR_MEMORY, "script", NULL, "the Lua stack is full");
    script_trace *trace = script_trace_open(L, saros_point_graph(s), false, s);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &c);
    saros_status status = script_call(L, 1, 0);
    script_trace_close(L, trace);
    return status;
}

/* ---- operators on point expressions ---- */

static saros_point *point_here(lua_State *L, const char *name) {
    saros_point *s = script_point_now(L);
    if (!s) script_fail(L, SAROS_ERR_USAGE, NULL, "saros.%s exists inside an equation", name);
    script_locate(L, saros_point_graph(s));
    return s;
}

/** Entries of the table at `index` as values; one per space axis. */
static int components(lua_State *L, saros_point *s, int index, const char *name, saros_value *out) {
    int axes = saros_point_axes(s, NULL);
    if (!lua_istable(L, index))
        script_expected(L, index, name, "a table with one expression per space axis");
    if ((int)lua_rawlen(L, index) != axes)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "'%s' has %d components, the problem %d space axes",
                    name, (int)lua_rawlen(L, index), axes);
    for (int a = 0; a < axes; ++a) {
        lua_rawgeti(L, index, a + 1);
        out[a] = script_value_in(L, -1, NULL);
        lua_pop(L, 1);
    }
    return axes;
}

static int point_div(lua_State *L) {
    saros_value flux[3];
    saros_point *s = point_here(L, "div");
    int n = components(L, s, 1, "flux", flux);
    script_push_value(L, saros_div_flux(s, n, flux), false);
    return 1;
}

static int point_lap(lua_State *L) {
    saros_point *s = point_here(L, "lap");
    script_push_value(L, saros_lap(s, script_value_in(L, 1, NULL)), false);
    return 1;
}

static int point_dot_grad(lua_State *L) {
    saros_point *s = point_here(L, "dot_grad");
    const char *axis[3];
    saros_value a = script_value_in(L, 1, NULL), b = script_value_in(L, 2, NULL), sum = SAROS_NONE;
    int n = saros_point_axes(s, axis);
    for (int k = 0; k < n; ++k) {
        saros_value term = saros_mul(saros_d_of(s, a, axis[k]), saros_d_of(s, b, axis[k]));
        sum = k ? saros_add(sum, term) : term;
    }
    script_push_value(L, sum, false);
    return 1;
}

static int point_advect(lua_State *L) {
    saros_point *s = point_here(L, "advect");
    const char *axis[3];
    saros_value speed[3], q = script_value_in(L, 2, NULL), sum = SAROS_NONE;
    int n = components(L, s, 1, "velocity", speed);
    saros_point_axes(s, axis);
    for (int k = 0; k < n; ++k) {
        saros_value term = saros_mul(speed[k], saros_d_of(s, q, axis[k]));
        sum = k ? saros_add(sum, term) : term;
    }
    script_push_value(L, sum, false);
    return 1;
}

static const script_entry entries[] = {
    {"div", "flux", "any", "divergence of a flux {fx, fy}, differenced as a whole (conservative)",
     point_div},
    {"lap", "q", "any", "sum of the second space derivatives", point_lap},
    {"dot_grad", "a, b", "any", "a.x*b.x + a.y*b.y + …", point_dot_grad},
    {"advect", "velocity, q", "any", "u*q.x + v*q.y + … for a velocity {u, v}", point_advect},
};

const script_entries script_point_entries = {entries, (int)(sizeof entries / sizeof *entries)};
