/** Arguments made fresh: what a derivative is taken by. */
#ifndef SAROS_SCRIPT_DERIVATIVE_IMPL_H
#define SAROS_SCRIPT_DERIVATIVE_IMPL_H

#include "script_transform_impl.h"

/** Leaves of a tree as values of their own in the innermost recording. */
typedef struct script_fresh {
    int count;       /**< leaves that carry derivatives */
    saros_value *in; /**< these */
    bool *weak;      /**< of these */
    int leaves;      /**< all leaves */
    int *place;      /**< entry of each of `in` among all leaves, from 0 */
} script_fresh;

/** Pushes a copy of the tree at `index` with fresh leaves, above scratches. */
script_fresh script_fresh_push(lua_State *L, int index);
/** Pushes a copy of the tree at `index` with value[k] in place of the k-th leaf that carries
 * derivatives. */
void script_fresh_mirror(lua_State *L, int index, const script_fresh *fresh,
                         const saros_value *value);
/** Floating-point leaves of the tree at `index` as values inside the innermost graph; others are
 * left out. Pushes two scratches. */
script_leaves script_float_leaves(lua_State *L, int index, script_fresh *places);

#endif
