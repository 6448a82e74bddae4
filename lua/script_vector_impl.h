/** Trees of unknowns as one f64 vector: what roots, integrators and minimisers work on. */
#ifndef SAROS_SCRIPT_VECTOR_IMPL_H
#define SAROS_SCRIPT_VECTOR_IMPL_H

#include "script_transform_impl.h"

/** A tree of leaves and where each lies in the vector. */
typedef struct script_vector {
    int tree;         /**< stack index of the tree */
    int leaves;       /**< leaves in it */
    int64_t size;     /**< entries of the vector */
    saros_type *type; /**< of each leaf */
    bool *weak;
} script_vector;

/** Reads the tree at `index`; pushes scratches and, with `value`, gives the vector as a value of
 * the innermost graph. */
script_vector script_vector_read(lua_State *L, int index, saros_value *value);
/** Leaves as one f64 vector (n); a graph of their own decides where. */
saros_value script_vector_join(int n, const saros_value *leaf);
/** Pushes the tree with leaves taken from `x` (size), or from its rows if it is (m, size). */
void script_vector_push(lua_State *L, const script_vector *v, saros_value x);

/** A Lua function of the tree as a function of the vector. Its address is the user data of the
 * callbacks below. */
typedef struct script_vector_call {
    lua_State *L;
    int reference; /**< table {function, tree, packed further arguments} in the registry */
    script_vector vector;
    int64_t wanted; /**< numbers that the function returns: as many as the unknowns, or set to 1 */
    const char *what;
} script_vector_call;

/** Holds function (at `f`), tree and further arguments (a packed table at `args`, 0: none) while
 * the table at `anchor` lives. */
script_vector_call *script_vector_hold(lua_State *L, int anchor, int f, const script_vector *vector,
                                       int args, const char *what);
/** saros_residual_fn: F(x, …) as a vector. */
saros_status script_vector_residual(saros_graph *graph, saros_value x, void *user,
                                    saros_value *out);
/** saros_rate_fn: f(t, y, …) as a vector. */
saros_status script_vector_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                                saros_value *out);
/** saros_residual_rate_fn: F(t, y, y', …) as a vector. */
saros_status script_vector_residual_rate(saros_graph *graph, saros_value t, saros_value y,
                                         saros_value rate, void *user, saros_value *out);
/** Pushes the option `args` of the table at `options` packed, and returns its index. */
int script_args_option(lua_State *L, int options);

#endif
