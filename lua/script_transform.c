/** Recording, compiling and running functions: what all transforms stand on, and jit. */
#include "script_transform_impl.h"

#include <string.h>

#include "saros/memory.h"

/* ---- packed arguments ---- */

void script_check_function(lua_State *L, int index, const char *name) {
    if (lua_isfunction(L, index)) return;
    bool callable = luaL_getmetafield(L, index, "__call") != LUA_TNIL;
    if (callable)
        lua_pop(L, 1);
    else
        script_expected(L, index, name, "a function");
}

void script_pack(lua_State *L, int first) {
    int n = lua_gettop(L) - first + 1;
    lua_createtable(L, n, 1);
    lua_insert(L, first);
    for (int k = n; k >= 1; --k) lua_rawseti(L, first, k);
    lua_pushinteger(L, n);
    lua_pushlightuserdata(L, NULL); /* a key that is no part of the tree */
    lua_insert(L, -2);
    lua_rawset(L, first);
}

int script_unpack(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushlightuserdata(L, NULL);
    lua_rawget(L, index);
    int n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, n + LUA_MINSTACK, "too many arguments");
    for (int k = 1; k <= n; ++k) lua_rawgeti(L, index, k);
    return n;
}

void script_call_packed(lua_State *L, int f, int args) {
    f = lua_absindex(L, f);
    args = lua_absindex(L, args);
    lua_pushvalue(L, f);
    int base = lua_gettop(L), n = script_unpack(L, args);
    lua_call(L, n, LUA_MULTRET);
    script_pack(L, base);
}

/* ---- compiled functions as objects ---- */

static int function_gc(lua_State *L) {
    saros_function **f = lua_touserdata(L, 1);
    saros_function_release(*f);
    *f = NULL;
    return 0;
}

saros_function **script_function_slot(lua_State *L) {
    saros_function **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    if (luaL_newmetatable(L, "saros.function")) {
        lua_pushcfunction(L, function_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return slot;
}

/* ---- results ---- */

/** What a recording gives back: traced leaves as outputs, everything else as it is. */
typedef struct outputs {
    int count, leaves;
    saros_value *value;  /* traced leaves in order */
    bool *traced, *weak; /* per leaf */
} outputs;

static outputs read_outputs(lua_State *L, int leaves) {
    leaves = lua_absindex(L, leaves);
    outputs o = {.leaves = (int)lua_rawlen(L, leaves)};
    o.value = script_scratch(L, sizeof *o.value * (size_t)o.leaves);
    o.traced = script_scratch(L, sizeof *o.traced * (size_t)o.leaves);
    o.weak = script_scratch(L, sizeof *o.weak * (size_t)o.leaves);
    for (int k = 0; k < o.leaves; ++k) {
        lua_rawgeti(L, leaves, k + 1);
        if (script_is_traced(L, -1)) {
            script_value *v = lua_touserdata(L, -1);
            o.traced[k] = true;
            o.weak[k] = v->weak;
            o.value[o.count++] = v->value;
        }
        lua_pop(L, 1);
    }
    return o;
}

/** Runs `f` and replaces the traced entries of the leaf table by its results. */
static void run_into(lua_State *L, saros_function *f, saros_tensor *const *in, const bool *traced,
                     const bool *weak, int leaves) {
    int n = (int)lua_rawlen(L, leaves), outs = saros_function_outputs(f), next = 0;
    saros_tensor **out = script_scratch(L, sizeof *out * (size_t)outs);
    script_check(L, saros_function_call(f, in, out, NULL));
    for (int k = 0; k < n; ++k) {
        if (!traced[k]) continue;
        script_push_result(L, out[next++], weak[k]);
        lua_rawseti(L, leaves, k + 1);
    }
    lua_pop(L, 1);
}

void script_realise(lua_State *L, int first) {
    int last = lua_gettop(L);
    lua_newtable(L);
    int leaves = lua_gettop(L);
    for (int k = first; k <= last; ++k) script_tree_flatten(L, k, leaves);
    outputs o = read_outputs(L, leaves);
    if (o.count > 0) {
        saros_function **f = script_function_slot(L);
        script_check(
            L, saros_compile(script_state_of(L)->top->graph, 0, NULL, o.count, o.value, NULL, f));
        run_into(L, *f, NULL, o.traced, o.weak, leaves);
        saros_function_release(*f);
        *f = NULL;
    }
    int64_t next = 1;
    for (int k = first; k <= last; ++k) {
        script_tree_rebuild(L, k, leaves, &next);
        lua_replace(L, k);
    }
    lua_settop(L, last);
}

static int record_and_realise(lua_State *L) {
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    script_realise(L, 1);
    return lua_gettop(L);
}

static int transform_entry(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (script_state_of(L)->top) {
        lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
        return lua_gettop(L);
    }
    lua_pushcfunction(L, record_and_realise);
    lua_insert(L, 1);
    script_trace *trace = script_trace_root(L);
    saros_status status = script_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    script_trace_close(L, trace);
    script_account(L);
    script_check(L, status);
    return lua_gettop(L);
}

void script_transform_push(lua_State *L, lua_CFunction core, int upvalues) {
    lua_pushcclosure(L, core, upvalues);
    lua_pushcclosure(L, transform_entry, 1);
}

/* ---- jit ---- */

/** One compiled form of a function: the function, its results with places for the computed leaves.
 */
typedef struct jit_form {
    saros_function *function;
    int leaves;
    bool *traced, *weak;
} jit_form;

static int form_gc(lua_State *L) {
    jit_form *form = lua_touserdata(L, 1);
    saros_function_release(form->function);
    saros_release(form->traced);
    *form = (jit_form){0};
    return 0;
}

static jit_form *push_form(lua_State *L, int leaves) {
    jit_form *form = lua_newuserdatauv(L, sizeof *form, 1);
    *form = (jit_form){.leaves = leaves};
    if (luaL_newmetatable(L, "saros.jit")) {
        lua_pushcfunction(L, form_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    form->traced = saros_allocate_zero((size_t)leaves * 2 + 1, sizeof(bool));
    if (!form->traced) script_raise(L);
    form->weak = form->traced + leaves;
    return form;
}

/** (f, packed arguments, check_finite) -> form, with the results' tree as user value. Inside a root
 * recording. */
static int jit_record(lua_State *L) {
    script_state *state = script_state_of(L);
    saros_compile_options options = {.name = "jit", .check_finite = lua_toboolean(L, 3)};
    lua_settop(L, 2);
    lua_newtable(L);
    script_tree_flatten(L, 2, 3);
    int inputs = (int)lua_rawlen(L, 3);
    saros_value *input = script_scratch(L, sizeof *input * (size_t)inputs);
    bool *weak = script_scratch(L, sizeof *weak * (size_t)inputs);
    for (int k = 0; k < inputs; ++k) {
        lua_rawgeti(L, 3, k + 1);
        script_value *v = lua_isuserdata(L, -1) ? script_test_value(L, -1) : NULL;
        saros_type type = v ? saros_tensor_type(v->tensor) : saros_type_scalar(SAROS_F64);
        weak[k] = v == NULL;
        input[k] = saros_input(state->top->graph, &type, NULL);
        lua_pop(L, 1);
    }
    script_leaves_push(L, inputs, input, weak);
    int64_t next = 1;
    script_tree_rebuild(L, 2, -1, &next);
    script_call_packed(L, 1, -1);
    int results = lua_gettop(L);
    lua_newtable(L);
    script_tree_flatten(L, results, -1);
    outputs o = read_outputs(L, results + 1);
    jit_form *form = push_form(L, o.leaves);
    if (o.leaves) {
        memcpy(form->traced, o.traced, sizeof(bool) * (size_t)o.leaves);
        memcpy(form->weak, o.weak, sizeof(bool) * (size_t)o.leaves);
    }
    script_check(L, saros_compile(state->top->graph, inputs, input, o.count, o.value, &options,
                                  &form->function));
    lua_pushvalue(L, results);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/** Pushes the form for these arguments (packed at 1), recording it if it is new. */
static jit_form *push_jit_form(lua_State *L) {
    script_tree_key(L, 1);
    lua_pushvalue(L, -1);
    lua_rawget(L, lua_upvalueindex(2));
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushcfunction(L, jit_record);
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, 1);
        lua_pushvalue(L, lua_upvalueindex(3));
        script_trace *trace = script_trace_root(L);
        saros_status status = script_call(L, 3, 1);
        script_trace_close(L, trace);
        script_check(L, status);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, lua_upvalueindex(2));
    }
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

static int jit_call(lua_State *L) {
    if (script_state_of(L)->top) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
        return lua_gettop(L);
    }
    script_pack(L, 1);
    jit_form *form = push_jit_form(L); /* 2 */
    lua_newtable(L);
    script_tree_flatten(L, 1, 3);
    int inputs = (int)lua_rawlen(L, 3);
    saros_tensor **in = script_scratch(L, sizeof *in * (size_t)inputs);
    luaL_checkstack(L, inputs + LUA_MINSTACK, "too many arguments");
    for (int k = 0; k < inputs; ++k) {
        lua_rawgeti(L, 3, k + 1); /* stays on the stack while it is used */
        in[k] = script_tensor_at(L, -1, "argument");
    }
    lua_createtable(L, form->leaves, 0);
    int leaves = lua_gettop(L);
    for (int k = 1; k <= form->leaves; ++k) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, leaves, k);
    }
    run_into(L, form->function, in, form->traced, form->weak, leaves);
    int64_t next = 1;
    lua_getiuservalue(L, 2, 1);
    script_tree_rebuild(L, -1, leaves, &next);
    return script_unpack(L, -1);
}

static int transform_jit(lua_State *L) {
    static const char *const names[] = {"check_finite"};
    script_check_function(L, 1, "f");
    lua_settop(L, 2);
    if (lua_istable(L, 2)) {
        script_strict_keys(L, 2, "saros.jit", names, 1);
        lua_getfield(L, 2, "check_finite");
        lua_replace(L, 2);
    } else if (!lua_isnil(L, 2)) {
        script_expected(L, 2, "options", "a table of options");
    }
    lua_newtable(L);
    lua_insert(L, 2);
    lua_pushcclosure(L, jit_call, 3); /* f, forms by arguments, check_finite */
    return 1;
}

static const script_entry entries[] = {
    {"jit", "f, options?", "function",
     "f recorded once per argument types and compiled; {check_finite=true} names the line of a NaN",
     transform_jit},
};

const script_entries script_transform_entries = {entries, (int)(sizeof entries / sizeof *entries)};
