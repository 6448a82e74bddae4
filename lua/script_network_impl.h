/** Networks as functions of scripts. */
#ifndef SAROS_SCRIPT_NETWORK_IMPL_H
#define SAROS_SCRIPT_NETWORK_IMPL_H

#include "script_transform_impl.h"

/** Pushes the function (weights, x, architecture as userdata) -> y. */
void script_push_network_core(lua_State *L);

#endif
