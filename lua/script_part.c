/** saros.cond and checkpoint: parts that a function of Lua records once, as bodies of their own.
 * What is computed from the arguments is computed inside. */
#include "saros/autodiff.h"
#include "saros/region.h"
#include "script_transform_impl.h"

/* ---- cond ---- */

/** Replaces the tree on top by one whose traced values have a place in the graph that is recorded,
 * so that what is computed from them is computed there. */
static void bring_inside(lua_State *L) {
    saros_graph *graph = script_state_of(L)->top->graph;
    int tree = lua_gettop(L), leaves = tree + 1;
    lua_newtable(L);
    script_tree_flatten(L, tree, leaves);
    for (lua_Integer k = (lua_Integer)lua_rawlen(L, leaves); k > 0; --k) {
        lua_rawgeti(L, leaves, k);
        script_value *v = script_test_value(L, -1);
        if (v && !v->tensor && v->value.graph != graph) {
            script_push_value(L, script_alias(L, v->value), v->weak);
            lua_rawseti(L, leaves, k);
        }
        lua_pop(L, 1);
    }
    script_push_rebuilt(L, tree, leaves, 1);
    lua_replace(L, tree);
    lua_settop(L, tree);
}

/** (function, packed arguments) -> leaves of its results, packed results. */
static int build_branch(lua_State *L) {
    lua_rawgeti(L, 1, 1);
    lua_rawgeti(L, 1, 2);
    bring_inside(L);
    script_call_packed(L, -2, -1);
    lua_newtable(L);
    script_tree_flatten(L, -2, lua_gettop(L));
    lua_insert(L, -2);
    return 2;
}

/** Pushes region and results of the function at `f` called with the packed arguments at `args`; its
 * body has `inputs` i64 inputs of which the function sees nothing. */
static script_region *record_branch(lua_State *L, int f, int args, int inputs) {
    const saros_type index = saros_type_scalar(SAROS_I64);
    const bool weak = true;
    f = lua_absindex(L, f);
    args = lua_absindex(L, args);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, f);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, args);
    lua_rawseti(L, -2, 2);
    return script_region_record(L, inputs, &index, &weak, build_branch);
}

/** Appends the cond of two recorded branches; `out` has room for the outputs. */
static void append_cond(lua_State *L, saros_value mask, const script_region *then,
                        const script_region *otherwise, saros_value *out) {
    if (then->outputs != otherwise->outputs)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "cond: one branch returns %d values, the other %d",
                    then->outputs, otherwise->outputs);
    for (int k = 0; k < then->outputs; ++k) {
        char a[96], b[96];
        const saros_type *ta = saros_value_type(saros_body_output(then->body, k));
        const saros_type *tb = saros_value_type(saros_body_output(otherwise->body, k));
        if (!saros_type_equal(ta, tb))
            script_fail(L, SAROS_ERR_SHAPE, "both branches must give the same types",
                        "cond: value %d is %s in one branch, %s in the other", k + 1,
                        saros_type_text(ta, a, sizeof a), saros_type_text(tb, b, sizeof b));
    }
    script_locate(L, script_state_of(L)->top->graph);
    saros_cond_body(mask, then->body, then->captures, then->capture, otherwise->body,
                    otherwise->captures, otherwise->capture, out);
}

/** (mask, f, g, …) inside a recording. */
static int cond_core(lua_State *L) {
    saros_value mask = script_value_in(L, 1, NULL);
    script_pack(L, 4);
    script_region *then = record_branch(L, 2, 4, 0);
    int results = lua_gettop(L);
    script_region *otherwise = record_branch(L, 3, 4, 0);
    saros_value *out = script_scratch(L, sizeof *out * (size_t)then->outputs);
    if (saros_value_dtype(mask) != SAROS_BOOL || saros_value_rank(mask) != 0)
        script_fail(L, SAROS_ERR_TYPE, "saros.where chooses element by element",
                    "cond: the mask must be one bool, got %s", script_describe(L, 1));
    mask = mask.graph == script_state_of(L)->top->graph ? mask : script_alias(L, mask);
    append_cond(L, mask, then, otherwise, out);
    for (int k = 0; k < then->outputs; ++k) then->weak[k] = then->weak[k] && otherwise->weak[k];
    script_push_results(L, out, then->outputs, then->weak, results);
    return script_unpack(L, -1);
}

static int region_cond(lua_State *L) {
    script_check_function(L, 2, "f");
    script_check_function(L, 3, "g");
    script_value *mask = script_test_value(L, 1);
    if (!mask || mask->tensor) { /* known now: no need to record both */
        double item = lua_toboolean(L, 1);
        if (mask)
            script_check(L, saros_tensor_item(mask->tensor, &item));
        else if (!lua_isboolean(L, 1))
            script_expected(L, 1, "mask", "a mask");
        lua_remove(L, item != 0 ? 3 : 2);
        lua_remove(L, 1);
        lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
        return lua_gettop(L);
    }
    script_transform_push(L, cond_core, 0);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* ---- checkpoint ---- */

/** (f, …) inside a recording. */
static int checkpoint_core(lua_State *L) {
    script_pack(L, 2);
    script_region *part = record_branch(L, 1, 2, 1);
    int results = lua_gettop(L);
    saros_value *out = script_scratch(L, sizeof *out * (size_t)part->outputs);
    script_locate(L, script_state_of(L)->top->graph);
    saros_checkpoint_body(script_state_of(L)->top->graph, part->body, part->captures, part->capture,
                          out);
    script_push_results(L, out, part->outputs, part->weak, results);
    return script_unpack(L, -1);
}

static int checkpoint_call(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (script_state_of(L)->top) return checkpoint_core(L);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET); /* numbers: there is no reverse sweep */
    return lua_gettop(L);
}

static int region_checkpoint(lua_State *L) {
    script_check_function(L, 1, "f");
    lua_settop(L, 1);
    lua_pushcclosure(L, checkpoint_call, 1);
    return 1;
}

static const script_entry entries[] = {
    {"checkpoint", "f", "function",
     "f, computed once more in the reverse sweep instead of keeping what it computes on the way",
     region_checkpoint},
    {"cond", "mask, f, g, ...", "any", "f(...) or g(...), only the chosen one runs", region_cond},
};

const script_entries script_part_entries = {entries, (int)(sizeof entries / sizeof *entries)};
