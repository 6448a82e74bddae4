/** saros.custom: a Lua function with derivatives of its own. `forward` computes on numbers, and may
 * do whatever Lua can; `jvp` and `vjp` are traced, so derivatives of derivatives work. */
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/region.h"
#include "script_transform_impl.h"

enum { MOST_VALUES = 32 };

/** User data of a call. The types of the outputs are those forward gives for ones. */
typedef struct custom {
    lua_State *L;  /* the main thread */
    int reference; /* the table {forward=, jvp=, vjp=} */
    int ins, outs;
    saros_type in[MOST_VALUES], out[MOST_VALUES];
} custom;

static void release(void *user) {
    custom *c = user;
    luaL_unref(c->L, LUA_REGISTRYINDEX, c->reference);
    saros_release(c);
}

static saros_status type(void *user, int ins, const saros_type *in, int outs, saros_type *out) {
    const custom *c = user;
    for (int k = 0; k < ins; ++k)
        if (ins != c->ins || !saros_type_equal(&in[k], &c->in[k]))
            return saros_fail(SAROS_ERR_SHAPE, "custom", "its types are those of its first call",
                              "saros.custom got other types than when it was called");
    for (int k = 0; k < outs; ++k) out[k] = c->out[k];
    return SAROS_OK;
}

/* ---- forward ---- */

typedef struct application {
    const custom *call;
    saros_tensor *const *in;
    saros_tensor **out;
} application;

static int forward(lua_State *L) {
    application *a = lua_touserdata(L, 1);
    const custom *c = a->call;
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->reference);
    lua_getfield(L, 2, "forward");
    for (int k = 0; k < c->ins; ++k) {
        saros_tensor *copy = NULL; /* the library's own memory may be used again after the call */
        script_check(L, saros_tensor_cast(a->in[k], saros_tensor_dtype(a->in[k]), &copy));
        script_push_tensor(L, copy);
    }
    lua_call(L, c->ins, LUA_MULTRET);
    int n = lua_gettop(L) - 2;
    if (n != c->outs)
        script_fail(L, SAROS_ERR_USAGE, NULL, "custom: forward returned %d values, %d before", n,
                    c->outs);
    for (int k = 0; k < n; ++k) {
        lua_pushvalue(L, 3 + k);
        script_check(L,
                     saros_tensor_assign(a->out[k], script_tensor_at(L, -1, "forward's result")));
        lua_pop(L, 1);
    }
    return 0;
}

static saros_status apply(void *user, int ins, saros_tensor *const *in, int outs,
                          saros_tensor **out) {
    custom *c = user;
    (void)ins;
    (void)outs;
    application a = {c, in, out};
    lua_pushcfunction(c->L, forward);
    lua_pushlightuserdata(c->L, &a);
    return script_call(c->L, 1, 0);
}

/* ---- derivatives ---- */

typedef struct derivative {
    const custom *call;
    const char *rule;
    int firsts, seconds, thirds, results;
    const saros_value *first, *second, *third; /* third NULL: the rule takes two lists */
    const saros_value *like;
    saros_value *result;
} derivative;

/** jvp({x…}, {v…}) -> ydot…;  vjp({x…}, {y…}, {w…}) -> gx… . */
static int derive(lua_State *L) {
    derivative *d = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, d->call->reference);
    lua_getfield(L, 2, d->rule);
    script_leaves_push(L, d->firsts, d->first, NULL);
    script_leaves_push(L, d->seconds, d->second, NULL);
    if (d->third) script_leaves_push(L, d->thirds, d->third, NULL);
    lua_call(L, d->third ? 3 : 2, LUA_MULTRET);
    lua_newtable(L);
    int leaves = lua_gettop(L);
    for (int k = 3; k < leaves; ++k) script_tree_flatten(L, k, leaves);
    if ((int)lua_rawlen(L, leaves) != d->results)
        script_fail(L, SAROS_ERR_USAGE, "one result per value",
                    "custom: %s returned %d values, %d are needed", d->rule,
                    (int)lua_rawlen(L, leaves), d->results);
    script_leaves out = script_leaves_read(L, leaves, false);
    for (int k = 0; k < d->results; ++k) {
        const saros_type want = *saros_value_type(d->like[k]);
        saros_value v = out.value[k];
        if (saros_value_dtype(v) != want.dtype) v = saros_cast(v, want.dtype);
        if (saros_value_rank(v) == 0 && want.rank > 0)
            v = saros_broadcast(v, want.rank, want.shape, NULL);
        d->result[k] = v;
    }
    return 0;
}

static saros_status run_rule(saros_graph *graph, derivative *d) {
    lua_State *L = d->call->L;
    script_trace *trace = script_trace_open(L, graph, false, NULL);
    lua_pushcfunction(L, derive);
    lua_pushlightuserdata(L, d);
    saros_status status = script_call(L, 1, 0);
    script_trace_close(L, trace);
    return status;
}

static saros_status build_jvp(void *user, saros_graph *graph, int ins, const saros_value *in,
                              const saros_value *out, const saros_value *tangent,
                              saros_value *out_tangent) {
    const custom *c = user;
    saros_value full[MOST_VALUES];
    for (int k = 0; k < ins; ++k) full[k] = saros_instantiate(tangent[k], in[k]);
    derivative d = {.call = c,
                    .rule = "jvp",
                    .firsts = ins,
                    .first = in,
                    .seconds = ins,
                    .second = full,
                    .results = c->outs,
                    .like = out,
                    .result = out_tangent};
    return run_rule(graph, &d);
}

static saros_status build_vjp(void *user, saros_graph *graph, int ins, const saros_value *in,
                              const saros_value *out, const saros_value *cotangent,
                              saros_value *gradient) {
    const custom *c = user;
    saros_value full[MOST_VALUES];
    for (int k = 0; k < c->outs; ++k) full[k] = saros_instantiate(cotangent[k], out[k]);
    derivative d = {.call = c,
                    .rule = "vjp",
                    .firsts = ins,
                    .first = in,
                    .seconds = c->outs,
                    .second = out,
                    .thirds = c->outs,
                    .third = full,
                    .results = ins,
                    .like = in,
                    .result = gradient};
    return run_rule(graph, &d);
}

/** By which derivatives are given: bit 0 jvp, bit 1 vjp. */
static const saros_call_class classes[4] = {
    {.name = "custom", .pure = true, .type = type, .apply = apply, .release = release},
    {.name = "custom",
     .pure = true,
     .type = type,
     .apply = apply,
     .release = release,
     .build_jvp = build_jvp},
    {.name = "custom",
     .pure = true,
     .type = type,
     .apply = apply,
     .release = release,
     .build_vjp = build_vjp},
    {.name = "custom",
     .pure = true,
     .type = type,
     .apply = apply,
     .release = release,
     .build_jvp = build_jvp,
     .build_vjp = build_vjp},
};

/* ---- calling: upvalue 1 is the table ---- */

/** Calls forward on ones to learn the types of its results. */
static void learn_types(lua_State *L, custom *c) {
    int top = lua_gettop(L);
    lua_getfield(L, lua_upvalueindex(1), "forward");
    for (int k = 0; k < c->ins; ++k) {
        script_push_function(L, "ones");
        lua_createtable(L, c->in[k].rank, 1);
        for (int a = 0; a < c->in[k].rank; ++a) {
            lua_pushinteger(L, c->in[k].shape[a]);
            lua_rawseti(L, -2, a + 1);
        }
        lua_pushstring(L, saros_dtype_name(c->in[k].dtype));
        lua_setfield(L, -2, "dtype");
        lua_call(L, 1, 1);
    }
    lua_call(L, c->ins, LUA_MULTRET);
    c->outs = lua_gettop(L) - top;
    if (c->outs < 1 || c->outs > MOST_VALUES)
        script_fail(L, SAROS_ERR_USAGE, NULL, "custom: forward must return 1 to %d values",
                    MOST_VALUES);
    for (int k = 0; k < c->outs; ++k) {
        lua_pushvalue(L, top + 1 + k);
        c->out[k] = saros_tensor_type(script_tensor_at(L, -1, "forward's result"));
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

static int custom_core(lua_State *L) {
    int ins = lua_gettop(L), kind = 0;
    bool numbers = true;
    if (ins < 1 || ins > MOST_VALUES)
        script_fail(L, SAROS_ERR_USAGE, NULL, "custom: takes 1 to %d arguments", MOST_VALUES);
    saros_graph *graph = script_state_of(L)->top->graph;
    script_locate(L, graph);
    custom draft = {.ins = ins};
    saros_value *in = script_scratch(L, sizeof *in * (size_t)ins);
    for (int k = 0; k < ins; ++k) {
        bool weak;
        in[k] = script_value_in(L, k + 1, &weak);
        numbers = numbers && weak;
        if (in[k].graph != graph) in[k] = script_alias(L, in[k]);
        draft.in[k] = *saros_value_type(in[k]);
    }
    learn_types(L, &draft);
    if (lua_getfield(L, lua_upvalueindex(1), "jvp") != LUA_TNIL) kind |= 1;
    if (lua_getfield(L, lua_upvalueindex(1), "vjp") != LUA_TNIL) kind |= 2;
    custom *c = saros_allocate(sizeof *c);
    if (!c) return script_raise(L);
    *c = draft;
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    c->L = lua_tothread(L, -1);
    lua_pushvalue(L, lua_upvalueindex(1));
    c->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    int outs = c->outs;
    saros_value *out = script_scratch(L, sizeof *out * (size_t)outs);
    saros_call(graph, &classes[kind], c, ins, in, outs, out);
    for (int k = 0; k < outs; ++k) script_push_value(L, out[k], numbers);
    return outs;
}

/** With numbers, forward alone is called. Upvalues: the table, the core. */
static int custom_call(lua_State *L) {
    bool traced = false;
    for (int k = 1; k <= lua_gettop(L); ++k)
        traced = traced || (script_is_leaf(L, k) && script_is_traced(L, k));
    if (traced)
        lua_pushvalue(L, lua_upvalueindex(2));
    else
        lua_getfield(L, lua_upvalueindex(1), "forward");
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int solver_custom(lua_State *L) {
    static const char *const names[] = {"forward", "jvp", "vjp"};
    if (!lua_istable(L, 1)) script_expected(L, 1, "functions", "a table {forward=, jvp=, vjp=}");
    script_strict_keys(L, 1, "saros.custom", names, 3);
    for (int k = 0; k < 3; ++k) {
        int kind = lua_getfield(L, 1, names[k]);
        if (kind != LUA_TFUNCTION && (k == 0 || kind != LUA_TNIL))
            script_fail(L, SAROS_ERR_TYPE, NULL, "custom: %s: expected a function, got %s",
                        names[k], script_describe(L, -1));
        lua_pop(L, 1);
    }
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, custom_core, 1);
    lua_pushcclosure(L, custom_call, 2);
    return 1;
}

static const script_entry entries[] = {
    {"custom", "functions", "function",
     "a function with its own derivatives: {forward=f(x…), jvp=f({x}, {v}), vjp=f({x}, {y}, {w})}",
     solver_custom},
};

const script_entries script_custom_entries = {entries, (int)(sizeof entries / sizeof *entries)};
