/** Operations on tensors: one row per Lua name. Eager and traced execution, methods, help and the
 * coverage test all read the same rows. */
#ifndef SAROS_SCRIPT_OP_IMPL_H
#define SAROS_SCRIPT_OP_IMPL_H

#include "script_impl.h"

enum { SCRIPT_STATICS = 4, SCRIPT_OP_OUTPUTS = 4 };

/** An argument that is part of the operation, not of its data: axis, extents, a flag. */
typedef struct script_static {
    bool given;
    int count;
    int64_t word[SAROS_MAX_RANK];
} script_static;

typedef struct script_op script_op;

/** One use of an operation as its builder sees it: values of one graph and the fixed arguments in
 * order. */
typedef struct script_op_call {
    const script_op *op;
    saros_graph *graph;
    int values;
    saros_value *value; /**< SAROS_NONE where an optional one is absent */
    script_static fixed[SCRIPT_STATICS];
} script_op_call;

/** Appends the operation; returns the number of outputs. Wrong use: saros_fail, then saros_poison
 * in out[0]. */
typedef int script_builder(const script_op_call *call, saros_value *out);

enum {
    SCRIPT_FLOAT = 1 << 0,   /**< integer operands are taken as f64 */
    SCRIPT_POWER = 1 << 1,   /**< with a plain integer as second argument it is the row "power" */
    SCRIPT_REDUCES = 1 << 2, /**< over axes: has no meaning at one point of an equation */
    /** Operand 1 is an index: of cells along the axis of the first fixed argument (default 1), of
     * cells of the extent in the first fixed argument, or one for each of the first axes. */
    SCRIPT_INDEX_AXIS = 1 << 3,
    SCRIPT_INDEX_EXTENT = 1 << 4,
    SCRIPT_INDEX_EACH = 1 << 5,
    SCRIPT_INDEX = SCRIPT_INDEX_AXIS | SCRIPT_INDEX_EXTENT | SCRIPT_INDEX_EACH,
    /** Operand k (mask, key, index) takes no part in the promotion of the rest. */
    SCRIPT_APART_0 = 1 << 8,
    SCRIPT_APART_1 = 1 << 9
};

struct script_op {
    const char *name; /**< "sin", "linalg.solve" */
    /** One letter per argument, '?' after an optional one: v value, T table of values (last), a
     * axis, A axis or axes, i integer, l extents, w edge ("zero", "wrap"), d dtype, x number. */
    const char *spec;
    const char *args;
    const char *rows; /**< rows of core it stands for, apart from `name` itself; may be NULL */
    const char *doc;  /**< NULL: that of the row of core */
    unsigned flags;
    saros_unary_fn *unary;
    saros_binary_fn *binary;
    script_builder *build;
};

typedef struct script_op_list {
    const script_op *op;
    int count;
} script_op_list;

extern const script_op_list script_pointwise_ops, script_reduce_ops, script_shape_ops,
    script_linalg_ops;
const script_op_list *const *script_op_lists(int *count);

/** One line on what it does. */
const char *script_op_doc(const script_op *op);
/** Row by name; NULL if there is none. */
const script_op *script_op_find(const char *name);
/** Applies `op` to the arguments on the stack (all of it); returns the number of results pushed. */
int script_op_apply(lua_State *L, const script_op *op);
/** Pushes the Lua function of `op`. */
void script_push_op(lua_State *L, const script_op *op);
/** 0-based axis of `x`; -1 with the graph poisoned if out of range. `otherwise` (1-based) when not
 * given. */
int script_op_axis(const script_op_call *call, int fixed, saros_value x, int64_t otherwise);
/** Bit set of the axes in a fixed argument; all of them when it is not given. */
uint32_t script_op_axes(const script_op_call *call, int fixed, saros_value x);
/** Fails the operation with an error of its own. */
int script_op_fail(const script_op_call *call, saros_value *out, saros_status status,
                   const char *hint, const char *format, ...) SAROS_PRINTF(5, 6);

#endif
