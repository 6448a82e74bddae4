/** Networks as functions of scripts: the bare multilayer perceptron of a solution. */
#include "saros/network.h"
#include "script_network_impl.h"

/** (weights, x, architecture) -> y. */
static int network_core(lua_State *L) {
    const saros_network *network = lua_touserdata(L, 3);
    saros_value weights = script_value_in(L, 1, NULL), x = script_value_in(L, 2, NULL);
    script_locate(L, script_state_of(L)->top->graph);
    script_push_value(L, saros_network_apply(network, weights, x), false);
    return 1;
}

void script_push_network_core(lua_State *L) {
    script_transform_push(L, network_core, 0);
}

static int network_make(lua_State *L) {
    return script_fail(
        L, SAROS_ERR_UNSUPPORTED,
        "method = \"network\" solves by one; net.weights, net(x) and net(W, x) use it",
        "saros.network is not in this build");
}

static const script_entry entries[] = {
    {"network", "options", "any", "a network as a parameter (not in this build)", network_make},
};

const script_entries script_network_entries = {entries, (int)(sizeof entries / sizeof *entries)};
