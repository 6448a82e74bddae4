/** saros.adam: the steps of Adam (Kingma and Ba 2015, algorithm 1) for training loops of one's own,
 * on trees of numbers and tensors. Works on traced values too, so a whole training loop can be
 * recorded.
 *
 *      opt = saros.adam{lr=1e-3};  state = opt:init(w);  w, state = opt:update(w, grads, state)
 *
 *  update(w, grads, state, lr) takes the rate of this step, for schedules. */
#include "script_tree_impl.h"

typedef struct adam {
    double lr, beta1, beta2, epsilon;
} adam;

static const char class_name[] = "saros.adam_object";

static adam *self(lua_State *L) {
    adam *a = luaL_testudata(L, 1, class_name);
    if (!a) script_expected(L, 1, "self", "an optimiser; use opt:method(…)");
    return a;
}

/** Pushes the leaves of the tree at `index` as a table; returns its index. */
static int push_leaves(lua_State *L, int index) {
    lua_newtable(L);
    script_tree_flatten(L, index, lua_gettop(L));
    return lua_gettop(L);
}

/** state = {t=0, m={0…}, v={0…}}: one entry per leaf, broadcast by the first update. */
static int adam_init(lua_State *L) {
    self(L);
    lua_settop(L, 2);
    int leaves = push_leaves(L, 2), n = (int)lua_rawlen(L, leaves);
    lua_createtable(L, 0, 3);
    for (int k = 0; k < 2; ++k) {
        lua_createtable(L, n, 0);
        for (int i = 1; i <= n; ++i) { /* zeros of the leaf's type: w*0 would keep a NaN */
            lua_rawgeti(L, leaves, i);
            lua_pushvalue(L, -1);
            lua_arith(L, LUA_OPSUB);
            lua_rawseti(L, -2, i);
        }
        lua_setfield(L, -2, k == 0 ? "m" : "v");
    }
    lua_pushnumber(L, 0);
    lua_setfield(L, -2, "t");
    return 1;
}

/** Pushes a*x + b*y for the values at x and y. */
static void push_mix(lua_State *L, double a, int x, double b, int y) {
    lua_pushnumber(L, a);
    lua_pushvalue(L, x);
    lua_arith(L, LUA_OPMUL);
    lua_pushnumber(L, b);
    lua_pushvalue(L, y);
    lua_arith(L, LUA_OPMUL);
    lua_arith(L, LUA_OPADD);
}

/** Pushes 1 - beta^t for the step count at `t`. */
static void push_correction(lua_State *L, double beta, int t) {
    lua_pushnumber(L, 1);
    lua_pushnumber(L, beta);
    lua_pushvalue(L, t);
    lua_arith(L, LUA_OPPOW);
    lua_arith(L, LUA_OPSUB);
}

/** One leaf: w, g, m, v at base … base+3; leaves new w, m, v on top. The rate stands at `lr`. */
static void update_leaf(lua_State *L, const adam *a, int base, int t, int lr) {
    int w = base, g = base + 1;
    push_mix(L, a->beta1, base + 2, 1 - a->beta1, g);
    int m = lua_gettop(L);
    lua_pushvalue(L, g);
    lua_pushvalue(L, g);
    lua_arith(L, LUA_OPMUL);
    push_mix(L, a->beta2, base + 3, 1 - a->beta2, m + 1);
    lua_remove(L, m + 1);
    int v = lua_gettop(L);
    lua_pushvalue(L, w); /* w - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps) */
    lua_pushvalue(L, lr);
    lua_pushvalue(L, m);
    push_correction(L, a->beta1, t);
    lua_arith(L, LUA_OPDIV);
    lua_arith(L, LUA_OPMUL);
    lua_pushvalue(L, v);
    push_correction(L, a->beta2, t);
    lua_arith(L, LUA_OPDIV);
    lua_pushnumber(L, 0.5);
    lua_arith(L, LUA_OPPOW);
    lua_pushnumber(L, a->epsilon);
    lua_arith(L, LUA_OPADD);
    lua_arith(L, LUA_OPDIV);
    lua_arith(L, LUA_OPSUB);
    lua_insert(L, m);
}

/** (opt, w, grads, state, lr?) -> w, state. */
static int adam_update(lua_State *L) {
    const adam *a = self(L);
    lua_settop(L, 5);
    if (!lua_istable(L, 4)) script_expected(L, 4, "state", "what init or update gave");
    if (lua_isnil(L, 5)) {
        lua_pushnumber(L, a->lr);
        lua_replace(L, 5);
    }
    script_tree_mirrors(L, 2, "weights", 3, "gradients");
    int w = push_leaves(L, 2), g = push_leaves(L, 3), n = (int)lua_rawlen(L, w);
    lua_getfield(L, 4, "m");
    lua_getfield(L, 4, "v");
    lua_getfield(L, 4, "t");
    lua_pushnumber(L, 1);
    lua_arith(L, LUA_OPADD);
    int m = g + 1, v = g + 2, t = g + 3;
    for (int k = 0; k < 3; ++k) lua_createtable(L, n, 0);
    int out = t + 1;
    for (int i = 1; i <= n; ++i) {
        int base = lua_gettop(L) + 1;
        lua_rawgeti(L, w, i);
        lua_rawgeti(L, g, i);
        lua_rawgeti(L, m, i);
        lua_rawgeti(L, v, i);
        update_leaf(L, a, base, t, 5);
        for (int k = 2; k >= 0; --k) lua_rawseti(L, out + k, i);
        lua_settop(L, base - 1);
    }
    int64_t next = 1;
    script_tree_rebuild(L, 2, out, &next);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, out + 1);
    lua_setfield(L, -2, "m");
    lua_pushvalue(L, out + 2);
    lua_setfield(L, -2, "v");
    lua_pushvalue(L, t);
    lua_setfield(L, -2, "t");
    return 2;
}

static double option(lua_State *L, const char *name, double otherwise) {
    double value = otherwise;
    if (lua_getfield(L, 1, name) != LUA_TNIL) value = script_number(L, -1, name);
    lua_pop(L, 1);
    return value;
}

static int adam_make(lua_State *L) {
    static const char *const names[] = {"lr", "beta1", "beta2", "epsilon"};
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1)) script_expected(L, 1, "options", "a table of options");
    script_strict_keys(L, 1, "saros.adam", names, 4);
    adam *a = lua_newuserdatauv(L, sizeof *a, 0);
    *a = (adam){option(L, "lr", 1e-3), option(L, "beta1", 0.9), option(L, "beta2", 0.999),
                option(L, "epsilon", 1e-8)};
    if (luaL_newmetatable(L, class_name)) {
        static const luaL_Reg methods[] = {
            {"init", adam_init}, {"update", adam_update}, {NULL, NULL}};
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushliteral(L, "optimiser");
        lua_setfield(L, -2, "__name");
    }
    lua_setmetatable(L, -2);
    return 1;
}

static const script_entry entries[] = {
    {"adam", "options", "any",
     "{lr=, beta1=, beta2=, epsilon=}: opt:init(w) gives a state, opt:update(w, grads, state, "
     "lr?) w and state",
     adam_make},
};

const script_entries script_adam_entries = {entries, (int)(sizeof entries / sizeof *entries)};
