/** Trees of arguments: numbers, tensors and traced values in nested tables, in a fixed order
 * (integer keys ascending, then string keys sorted). Everything else is carried along. */
#ifndef SAROS_SCRIPT_TREE_IMPL_H
#define SAROS_SCRIPT_TREE_IMPL_H

#include "script_impl.h"

/** Appends the leaves of the tree at `index` to the table at `leaves`. */
void script_tree_flatten(lua_State *L, int index, int leaves);
/** Pushes a copy of the tree at `index` with its leaves replaced by entries *next, *next+1… of the
 * table at `leaves`
 * (`false` there keeps the leaf). */
void script_tree_rebuild(lua_State *L, int index, int leaves, int64_t *next);
/** Raises a shape error unless the trees at `a` and `b` have leaves in the same places. */
void script_tree_mirrors(lua_State *L, int a, const char *name_a, int b, const char *name_b);
/** Pushes a text that tells trees of different structure, leaf types or carried values apart. */
void script_tree_key(lua_State *L, int index);
/** `x` as a value of its own in the innermost recording's graph. */
saros_value script_alias(lua_State *L, saros_value x);

/** Values of a leaf table as an array (scratch, pushed). */
typedef struct script_leaves {
    int count;
    saros_value *value;
    bool *weak;
} script_leaves;

/** Reads entries 1 … n of the table at `leaves` as values of the innermost recording; pushes two
 * scratches. With `fresh`, floating-point leaves become aliases of their own there: something to
 * differentiate by. */
script_leaves script_leaves_read(lua_State *L, int leaves, bool fresh);
/** Pushes a table of values; `weak` NULL: none is weak. */
void script_leaves_push(lua_State *L, int count, const saros_value *value, const bool *weak);
/** Whether the leaf carries derivatives: a number or a floating-point value. */
bool script_leaf_is_float(lua_State *L, int index);

#endif
