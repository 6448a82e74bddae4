/** saros.loop and loop_while: regions whose bodies Lua functions record once.
 *
 *  loop_while is a loop of at most max iterations whose first carry is the condition: it ends where
 * that is false. */
#include <string.h>

#include "saros/region.h"
#include "script_transform_impl.h"

static void locate_top(lua_State *L) {
    script_locate(L, script_state_of(L)->top->graph);
}

/** Brings the leaves of the table on top to the types of the carry: numbers and weak values adapt.
 */
static void match_types(lua_State *L, int leaves, const saros_type *type, int n, const char *what) {
    int count = (int)lua_rawlen(L, leaves);
    if (count != n)
        script_fail(L, SAROS_ERR_SHAPE, NULL,
                    "%s: the function returns %d values for %d carried ones", what, count, n);
    for (int k = 0; k < n; ++k) {
        bool weak;
        lua_rawgeti(L, leaves, k + 1);
        saros_value v = script_value_in(L, -1, &weak);
        if (weak && saros_value_dtype(v) != type[k].dtype) v = saros_cast(v, type[k].dtype);
        if (weak && saros_value_rank(v) == 0 && type[k].rank > 0)
            v = saros_broadcast(v, type[k].rank, type[k].shape, NULL);
        if (!saros_type_equal(saros_value_type(v), &type[k])) {
            char got[96], needed[96];
            script_fail(L, SAROS_ERR_SHAPE, "the carry keeps its types",
                        "%s: value %d is %s at the start and %s after", what, k + 1,
                        saros_type_text(&type[k], needed, sizeof needed),
                        saros_type_text(saros_value_type(v), got, sizeof got));
        }
        script_push_value(L, v, weak);
        lua_rawseti(L, leaves, k + 1);
        lua_pop(L, 1);
    }
}

/* ---- loop ---- */

/** Fields of the context table of a loop's body. */
enum { C_BODY = 1, C_CARRY, C_INPUTS, C_KEEP, C_TYPES, C_CARRIES };

static void push_field(lua_State *L, int context, int k) {
    lua_rawgeti(L, context, k);
}

/** Body of a loop: inputs are index, carry, slices. Returns next and kept leaves, and the tree of
 * what was kept. */
static int build_loop(lua_State *L) {
    push_field(L, 1, C_CARRIES);
    int carries = (int)lua_tointeger(L, -1);
    push_field(L, 1, C_TYPES);
    const saros_type *type = lua_touserdata(L, -1);
    push_field(L, 1, C_CARRY);
    int carry_tree = lua_gettop(L);
    lua_rawgeti(L, 2, 1);
    script_value *index = script_test_value(L, -1);
    script_push_value(L, saros_add(index->value, saros_like(index->value, 1)), true);
    int i = lua_gettop(L);
    script_push_rebuilt(L, carry_tree, 2, 2);
    int carry = lua_gettop(L);
    push_field(L, 1, C_INPUTS);
    bool has_inputs = !lua_isnil(L, -1);
    if (has_inputs) script_push_rebuilt(L, -1, 2, 2 + carries);
    int slices = lua_gettop(L);
    push_field(L, 1, C_BODY);
    lua_pushvalue(L, carry);
    lua_pushvalue(L, i);
    if (has_inputs) lua_pushvalue(L, slices);
    lua_call(L, has_inputs ? 3 : 2, 1);
    int next = lua_gettop(L);
    lua_newtable(L);
    int leaves = lua_gettop(L);
    script_tree_flatten(L, next, leaves);
    match_types(L, leaves, type, carries, "loop");
    push_field(L, 1, C_KEEP);
    if (lua_isfunction(L, -1)) { /* sees the carry after the step */
        script_push_rebuilt(L, carry_tree, leaves, 1);
        lua_pushvalue(L, i);
        lua_call(L, 2, 1);
        script_tree_flatten(L, -1, leaves);
    }
    int kept = lua_gettop(L);
    lua_pushvalue(L, leaves);
    lua_pushvalue(L, kept);
    return 2;
}

static int64_t positive(lua_State *L, int index, const char *name) {
    int64_t n = script_integer(L, index, name);
    if (n < 0) script_expected(L, index, name, "an integer of at least 0");
    return n;
}

/** disk = {folder=, states=}, on top. Texts live as long as the table. */
static void read_disk(lua_State *L, saros_loop_parts *parts) {
    static const char *const names[] = {"folder", "states"};
    if (lua_isnil(L, -1)) return;
    const int table = lua_gettop(L);
    if (!lua_istable(L, table)) script_expected(L, table, "disk", "{folder=, states=}");
    script_strict_keys(L, table, "loop: disk", names, 2);
    lua_getfield(L, table, "states");
    parts->disk = positive(L, -1, "disk.states");
    lua_getfield(L, table, "folder");
    parts->folder = lua_tostring(L, -1);
    if (!parts->folder) script_expected(L, -1, "disk.folder", "the name of a folder");
    lua_pop(L, 2);
}

/** Reads the options table at 4: leaves of inputs follow those of the carry in the table at 5, the
 * rest goes into the context at 6. */
static void read_loop_options(lua_State *L, saros_loop_parts *parts) {
    static const char *const names[] = {"keep", "every", "inputs", "max", "states", "disk"};
    script_strict_keys(L, 4, "loop", names, 6);
    if (lua_getfield(L, 4, "every") != LUA_TNIL) parts->every = positive(L, -1, "every");
    if (lua_getfield(L, 4, "max") != LUA_TNIL) parts->bound = positive(L, -1, "max");
    if (lua_getfield(L, 4, "states") != LUA_TNIL) {
        parts->states = positive(L, -1, "states");
        if (parts->states < 1)
            script_fail(L, SAROS_ERR_DOMAIN, NULL, "loop: states must be at least 1");
    }
    lua_getfield(L, 4, "disk");
    read_disk(L, parts);
    lua_pop(L, 4);
    lua_getfield(L, 4, "inputs");
    script_tree_flatten(L, -1, 5);
    lua_rawseti(L, 6, C_INPUTS);
    lua_getfield(L, 4, "keep");
    lua_rawseti(L, 6, C_KEEP);
    if (parts->every < 1) script_fail(L, SAROS_ERR_DOMAIN, NULL, "loop: every must be at least 1");
}

/** Types of the body's inputs: index, carry, slices. Pushes a scratch. */
static saros_type *body_types(lua_State *L, const script_leaves *in, int carries, int64_t bound) {
    saros_type *type = script_scratch(L, sizeof *type * (size_t)(in->count + 1));
    type[0] = saros_type_scalar(SAROS_I64);
    for (int k = 0; k < in->count; ++k) {
        const saros_type *t = saros_value_type(in->value[k]);
        bool slice = k >= carries;
        if (slice && (t->rank == 0 || t->shape[0] != bound))
            script_fail(L, SAROS_ERR_SHAPE, NULL,
                        "loop: inputs need a first axis of %lld entries, one per iteration",
                        (long long)bound);
        type[k + 1] = slice ? saros_type_make(t->dtype, t->rank - 1, t->shape + 1) : *t;
    }
    return type;
}

/** (n, body, carry, options) inside a recording; options `true`: the first carry says whether to go
 * on. */
static int loop_core(lua_State *L) {
    lua_settop(L, 4);
    saros_graph *graph = script_state_of(L)->top->graph;
    locate_top(L);
    saros_value n = script_value_in(L, 1, NULL);
    saros_loop_parts parts = {
        .bound = -1, .every = 1, .early = lua_toboolean(L, 4) && !lua_istable(L, 4)};
    if (lua_type(L, 1) == LUA_TNUMBER) parts.bound = positive(L, 1, "n");
    lua_newtable(L); /* 5: leaves of carry, then of inputs */
    script_tree_flatten(L, 3, 5);
    int carries = (int)lua_rawlen(L, 5);
    lua_newtable(L); /* 6: context */
    if (lua_istable(L, 4)) read_loop_options(L, &parts);
    if (parts.bound < 0)
        script_fail(L, SAROS_ERR_USAGE, "saros.loop(n, f, c0, {max=1000})",
                    "loop: a computed n needs the option max");
    script_leaves in = script_leaves_read(L, 5, false);
    saros_type *type = body_types(L, &in, carries, parts.bound);
    bool *weak = script_scratch(L, sizeof *weak * (size_t)(in.count + 1));
    weak[0] = true;
    for (int k = 0; k < in.count; ++k) weak[k + 1] = in.weak[k];
    lua_pushvalue(L, 2);
    lua_rawseti(L, 6, C_BODY);
    lua_pushvalue(L, 3);
    lua_rawseti(L, 6, C_CARRY);
    lua_pushlightuserdata(L, type + 1);
    lua_rawseti(L, 6, C_TYPES);
    lua_pushinteger(L, carries);
    lua_rawseti(L, 6, C_CARRIES);
    lua_pushvalue(L, 6);
    script_region *region = script_region_record(L, in.count + 1, type, weak, build_loop);
    int kept_tree = lua_gettop(L), kept = region->outputs - carries;
    saros_value *out = script_scratch(L, sizeof *out * (size_t)region->outputs);
    locate_top(L);
    parts.body = region->body;
    parts.n = saros_cast(n, SAROS_I64);
    parts.carries = carries;
    parts.carry = in.value;
    parts.inputs = in.count - carries;
    parts.input = in.value + carries;
    parts.captures = region->captures;
    parts.capture = region->capture;
    saros_loop_append(graph, &parts, out);
    script_push_results(L, out, carries, in.weak, 3);
    if (kept == 0) return 1;
    script_push_results(L, out + carries, kept, NULL, kept_tree);
    return 2;
}

static int region_loop(lua_State *L) {
    if (!script_is_leaf(L, 1)) script_expected(L, 1, "n", "an integer");
    script_check_function(L, 2, "body");
    if (lua_isnone(L, 3)) script_expected(L, 3, "c0", "the carry at the start");
    lua_settop(L, 4);
    script_transform_push(L, loop_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, LUA_MULTRET);
    return lua_gettop(L);
}

/* ---- loop_while ---- */

/** Calls the condition at `f` with the value on top, and pushes the mask as a traced value. */
static void push_condition(lua_State *L, int f) {
    lua_pushvalue(L, f);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    saros_value mask;
    if (lua_isboolean(L, -1)) { /* known now */
        saros_graph *graph = script_state_of(L)->top->graph;
        saros_value zero = saros_scalar(graph, SAROS_I64, 0);
        mask = saros_lt(zero, saros_scalar(graph, SAROS_I64, lua_toboolean(L, -1)));
    } else {
        mask = script_value_in(L, -1, NULL);
    }
    if (saros_value_dtype(mask) != SAROS_BOOL || saros_value_rank(mask) != 0)
        script_fail(L, SAROS_ERR_TYPE, "compare numbers, or reduce with all or any",
                    "loop_while: the condition must give one bool, got %s", script_describe(L, -1));
    script_push_value(L, mask, false);
    lua_replace(L, -2);
}

/** Replaces the carry on top by {mask, carry}. */
static void pair_with_condition(lua_State *L, int f) {
    push_condition(L, f);
    lua_createtable(L, 2, 0);
    lua_insert(L, -3);
    lua_rawseti(L, -3, 1);
    lua_rawseti(L, -2, 2);
}

/** {mask, carry} -> {mask, carry}; upvalues condition, body. */
static int while_step(lua_State *L) {
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_rawgeti(L, 1, 2);
    lua_call(L, 1, 1);
    pair_with_condition(L, lua_upvalueindex(1));
    return 1;
}

/** Pushes the tree at `index` with traced values for its numbers and tensors. */
static void push_traced(lua_State *L, int index) {
    lua_newtable(L);
    int leaves = lua_gettop(L);
    script_tree_flatten(L, index, leaves);
    for (lua_Integer k = (lua_Integer)lua_rawlen(L, leaves); k > 0; --k) {
        bool weak;
        lua_rawgeti(L, leaves, k);
        script_push_value(L, script_value_in(L, -1, &weak), weak);
        lua_rawseti(L, leaves, k);
        lua_pop(L, 1);
    }
    script_push_rebuilt(L, index, leaves, 1);
    lua_remove(L, leaves);
}

/** (condition, body, carry, max) inside a recording. */
static int while_core(lua_State *L) {
    lua_settop(L, 4);
    push_traced(L, 3);
    lua_replace(L, 3);
    lua_pushcfunction(L, loop_core);
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, while_step, 2);
    lua_pushvalue(L, 3);
    pair_with_condition(L, 1);
    lua_pushboolean(L, 1);
    lua_call(L, 4, 1);
    lua_rawgeti(L, -1, 2);
    return 1;
}

static int region_loop_while(lua_State *L) {
    script_check_function(L, 1, "condition");
    script_check_function(L, 2, "body");
    positive(L, 4, "max");
    lua_settop(L, 4);
    script_transform_push(L, while_core, 0);
    lua_insert(L, 1);
    lua_call(L, 4, 1);
    return 1;
}

static const script_entry entries[] = {
    {"loop", "n, body, c0, options?", "any, any",
     "c = body(c, i) for i = 1 … n, recorded once; {keep=, every=, inputs=}: also what keep(c, i) "
     "returned, stacked; {states=}: how many carries the reverse sweep may hold at once; "
     "{disk={folder=, states=}}: and how many more in a file",
     region_loop},
    {"loop_while", "condition, body, c0, max", "any",
     "c = body(c) while condition(c), at most max times", region_loop_while},
};

const script_entries script_loop_entries = {entries, (int)(sizeof entries / sizeof *entries)};
