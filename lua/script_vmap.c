/** saros.vmap: a function of one point as a function of many. */
#include "saros/autodiff.h"
#include "script_transform_impl.h"

/** Types of the values; `cut`: without the leading axis. */
static saros_type *types_of(lua_State *L, int n, const saros_value *value, const bool *cut) {
    saros_type *type = script_scratch(L, sizeof *type * (size_t)n);
    for (int k = 0; k < n; ++k) {
        type[k] = *saros_value_type(value[k]);
        if (!cut || !cut[k]) continue;
        type[k] = saros_type_make(type[k].dtype, type[k].rank - 1, type[k].shape + 1);
    }
    return type;
}

/** x with `axis` moved to the front, or the front moved to `axis`. */
static saros_value move_axis(saros_value x, int axis, bool back) {
    int order[SAROS_MAX_RANK], rank = saros_value_rank(x), next = back ? 1 : 0;
    if (axis == 0) return x;
    if (!back) {
        order[0] = axis;
        for (int a = 1; a < rank; ++a, ++next) order[a] = next == axis ? ++next : next;
    } else {
        for (int a = 0; a < rank; ++a) order[a] = a == axis ? 0 : next++;
    }
    return saros_permute(x, order);
}

/** (f, packed arguments) with the inputs as leaves. */
static int build_mapped(lua_State *L) {
    lua_rawgeti(L, 1, 1);
    lua_rawgeti(L, 1, 2);
    script_push_rebuilt(L, -1, 2, 1);
    script_call_packed(L, 3, -1);
    lua_newtable(L);
    script_tree_flatten(L, -2, lua_gettop(L));
    lua_insert(L, -2);
    return 2;
}

/** Arguments of the mapped function; upvalues f, axis. */
static int vmap_core(lua_State *L) {
    int64_t axis = lua_tointeger(L, lua_upvalueindex(2)), size = -1;
    script_pack(L, 1);
    lua_newtable(L);
    script_tree_flatten(L, 1, 2);
    script_leaves in = script_leaves_read(L, 2, false);
    bool *batched = script_scratch(L, sizeof *batched * (size_t)in.count);
    script_locate(L, script_state_of(L)->top->graph);
    for (int k = 0; k < in.count; ++k) {
        if (saros_value_rank(in.value[k]) == 0) continue;
        int a = script_axis(L, axis, saros_value_rank(in.value[k]));
        int64_t n = saros_value_type(in.value[k])->shape[a];
        if (size >= 0 && n != size)
            script_fail(L, SAROS_ERR_SHAPE, NULL,
                        "vmap: arguments have %lld and %lld entries along the axis",
                        (long long)size, (long long)n);
        size = n;
        batched[k] = true;
        in.value[k] = move_axis(in.value[k], a, false);
    }
    if (size < 0)
        script_fail(L, SAROS_ERR_SHAPE, NULL, "vmap: no argument has an axis to map over");
    saros_type *type = types_of(L, in.count, in.value, batched);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 2);
    script_region *region = script_region_record(L, in.count, type, in.weak, build_mapped);
    int results = lua_gettop(L), all = in.count + region->captures;
    saros_value *value = script_scratch(L, sizeof *value * (size_t)all);
    bool *mapped = script_scratch(L, sizeof *mapped * (size_t)all);
    saros_value *out = script_scratch(L, sizeof *out * (size_t)region->outputs);
    for (int k = 0; k < in.count; ++k) {
        value[k] = in.value[k];
        mapped[k] = batched[k];
    }
    for (int k = in.count; k < all; ++k) value[k] = region->capture[k - in.count];
    script_locate(L, script_state_of(L)->top->graph);
    saros_vmap(script_state_of(L)->top->graph, region->body, size, value, mapped, out);
    for (int k = 0; k < region->outputs; ++k) { /* the same axis in the results, or their last */
        int rank = saros_is_poisoned(out[k]) ? 0 : saros_value_rank(out[k]);
        int64_t at = axis > rank ? rank : axis < -rank ? -rank : axis;
        if (rank) out[k] = move_axis(out[k], script_axis(L, at, rank), true);
    }
    script_push_results(L, out, region->outputs, NULL, results);
    return script_unpack(L, -1);
}

static int region_vmap(lua_State *L) {
    script_check_function(L, 1, "f");
    int64_t axis = lua_isnoneornil(L, 2) ? 1 : script_integer(L, 2, "axis");
    lua_settop(L, 1);
    lua_pushinteger(L, axis);
    script_transform_push(L, vmap_core, 2);
    return 1;
}

static const script_entry entries[] = {
    {"vmap", "f, axis?", "function",
     "f over an axis (default 1) of its arguments; results have it in the same place, or last",
     region_vmap},
};

const script_entries script_vmap_entries = {entries, (int)(sizeof entries / sizeof *entries)};
