/** Transforms: functions of functions. A core runs inside a recording; outside of one, the same
 * core is recorded, compiled and run at once. */
#ifndef SAROS_SCRIPT_TRANSFORM_IMPL_H
#define SAROS_SCRIPT_TRANSFORM_IMPL_H

#include "script_tree_impl.h"

/** Pops `upvalues` values and pushes a function that runs `core` (a C function with these upvalues)
 * in the recording in force, or else in one of its own whose results it computes. */
void script_transform_push(lua_State *L, lua_CFunction core, int upvalues);
/** Compiles and runs the traced leaves among the stack entries first … top, in place. Inside a root
 * recording. */
void script_realise(lua_State *L, int first);
/** Pushes a slot for a compiled function, released by the collector. */
saros_function **script_function_slot(lua_State *L);

/** A body recorded from a Lua function. Full userdata: released by the collector. */
typedef struct script_region {
    saros_body *body;
    saros_value *capture; /**< values of the recording outside */
    int captures, outputs;
    bool *weak; /**< per output: it comes from plain numbers alone */
} script_region;

/** Builds a body: gets (context, table of input values), returns (table of output leaves,
 * anything). */
typedef int script_region_build(lua_State *L);
/** Records a body in the innermost recording. The context is popped; pushes the region and what
 * `build` returned second. `weak` may be NULL. */
script_region *script_region_record(lua_State *L, int inputs, const saros_type *type,
                                    const bool *weak, script_region_build *build);
/** Pushes the tree at `tree` with entries from, from+1… of the table `leaves`. */
void script_push_rebuilt(lua_State *L, int tree, int leaves, int64_t from);
/** Pushes the tree at `tree` with n values as its leaves. `weak` may be NULL. */
void script_push_results(lua_State *L, const saros_value *value, int n, const bool *weak, int tree);
/** Calls the function at `f` with the arguments packed in the table at `args` (field n) and pushes
 * its results packed likewise. */
void script_call_packed(lua_State *L, int f, int args);
/** Pushes arguments first … top packed into a table with field n, and removes them. */
void script_pack(lua_State *L, int first);
/** Pushes the entries of the packed table at `index`; returns how many. */
int script_unpack(lua_State *L, int index);
/** Checks that argument `index` can be called. */
void script_check_function(lua_State *L, int index, const char *name);

#endif
