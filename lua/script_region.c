/** Bodies recorded from Lua functions: for loop, cond, vmap and the Jacobian. */
#include <string.h>

#include "saros/memory.h"
#include "script_transform_impl.h"

static int region_gc(lua_State *L) {
    script_region *region = lua_touserdata(L, 1);
    saros_body_release(region->body);
    saros_release(region->capture);
    saros_release(region->weak);
    *region = (script_region){0};
    return 0;
}

static script_region *push_region(lua_State *L) {
    script_region *region = lua_newuserdatauv(L, sizeof *region, 0);
    *region = (script_region){0};
    if (luaL_newmetatable(L, "saros.region")) {
        lua_pushcfunction(L, region_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return region;
}

/** What the protected part is told and gives back. */
typedef struct recording {
    int inputs;
    const saros_value *input;
    const bool *weak;
    script_region_build *build;
    script_leaves out; /* in scratches that the caller keeps on its stack */
} recording;

/** (recording, context) -> scratches of output values, what build returned second. */
static int record(lua_State *L) {
    recording *r = lua_touserdata(L, 1);
    script_state *state = script_state_of(L);
    lua_pushcfunction(L, r->build);
    lua_pushvalue(L, 2);
    script_leaves_push(L, r->inputs, r->input, r->weak);
    lua_call(L, 2, 2);
    int second = lua_gettop(L), leaves = second - 1;
    r->out = script_leaves_read(L, leaves, false);
    for (int k = 0; k < r->out.count; ++k)
        if (r->out.value[k].graph != state->top->graph)
            r->out.value[k] = script_alias(L, r->out.value[k]);
    lua_pushvalue(L, second + 1); /* the scratches of values and flags */
    lua_pushvalue(L, second + 2);
    lua_pushvalue(L, second);
    return 3;
}

script_region *script_region_record(lua_State *L, int inputs, const saros_type *type,
                                    const bool *weak, script_region_build *build) {
    int context = lua_gettop(L);
    script_region *region = push_region(L);
    saros_value *input = script_scratch(L, sizeof *input * (size_t)inputs);
    saros_graph *graph = saros_body_open(script_state_of(L)->top->graph);
    if (!graph) script_raise(L);
    for (int k = 0; k < inputs; ++k) input[k] = saros_input(graph, &type[k], NULL);
    recording r = {.inputs = inputs, .input = input, .weak = weak, .build = build};
    script_trace *trace = script_trace_open(L, graph, false, NULL);
    lua_pushcfunction(L, record);
    lua_pushlightuserdata(L, &r);
    lua_pushvalue(L, context);
    saros_status status = script_call(L, 2, 3), closed;
    script_trace_close(L, trace);
    if (status == SAROS_OK) {
        status = saros_body_close(graph, r.out.count, r.out.value, &region->body, &region->capture);
    } else {
        saros_error_copy *parked = saros_error_park();
        closed = saros_body_close(graph, 0, NULL, &region->body, &region->capture);
        (void)closed; /* only to give the graph back */
        (void)saros_error_unpark(parked);
    }
    script_check(L, status);
    region->captures = saros_body_captures(region->body);
    region->outputs = r.out.count;
    region->weak = saros_allocate_zero((size_t)r.out.count + 1, sizeof(bool));
    if (!region->weak) script_raise(L);
    for (int k = 0; k < r.out.count; ++k) region->weak[k] = r.out.weak[k];
    lua_replace(L, context + 2); /* what build returned takes the place of the inputs */
    lua_settop(L, context + 2);
    lua_remove(L, context);
    return region;
}

/** Pushes the tree at `tree` with the leaves of inputs from … on. */
void script_push_rebuilt(lua_State *L, int tree, int inputs, int64_t from) {
    int64_t next = from;
    script_tree_rebuild(L, tree, inputs, &next);
}

/** Packs results of a region: values first … first+n-1 as the tree at `tree`. */
void script_push_results(lua_State *L, const saros_value *value, int n, const bool *weak,
                         int tree) {
    tree = lua_absindex(L, tree);
    script_leaves_push(L, n, value, weak);
    int64_t next = 1;
    script_tree_rebuild(L, tree, -1, &next);
    lua_remove(L, -2);
}
