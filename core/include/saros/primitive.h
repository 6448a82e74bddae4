/** Primitive: a const row. Rows live in small files, one per family (core/primitives/…); any floor
 * may define more. The columns say the shape, the evaluation, and what the floors above need to
 * derive the rest.
 *
 *  A row is fully described once it has: doc, type, evaluate, one differentiation column (or
 * `constant`), batch (or pointwise). A row with none of the differentiation columns is an error
 * naming it, never a zero.
 */
#ifndef SAROS_PRIMITIVE_H
#define SAROS_PRIMITIVE_H

#include "saros/graph.h"

struct saros_function;

/** What a shape rule sees and fills. */
typedef struct saros_typing {
    const saros_primitive *row;
    const saros_attributes *attributes;
    int operands;
    const saros_type *operand;
    int outputs;        /**< set by the rule if it is not row->outputs */
    saros_type *output; /**< room for SAROS_MAX_OUTPUTS */
} saros_typing;

#define SAROS_MAX_OUTPUTS 256

/** What an evaluation sees. `in` may have any strides (broadcast: stride 0). `out` is row-major and
 * allocated, apart from `in` but for what SAROS_IN_PLACE says; opaque outputs are NULL and are set
 * by the row. Must not touch anything else; may be called from several threads. */
typedef struct saros_evaluation {
    const saros_primitive *row;
    const saros_attributes *attributes;
    int ins, outs;
    saros_tensor *const *in;
    saros_tensor **out;
    struct saros_function *const *body; /**< compiled bodies, in the order of attributes->body */
    const struct saros_communicator *communicator; /**< NULL: one rank */
} saros_evaluation;

/** What a differentiation rule sees. Rules append values; they are written in primitives, so they
 * differentiate again. */
typedef struct saros_rule {
    saros_graph *graph;
    const saros_primitive *row;
    saros_attributes attributes;
    int ins, outs;
    const saros_value *in;
    const saros_value *out;
} saros_rule;

typedef enum saros_flag {
    SAROS_POINTWISE =
        1 << 0, /**< all operands and the output have one shape; batch is the default */
    SAROS_CONSTANT =
        1 << 1, /**< no tangent: comparisons, floor, argmax, integer results, random bits, leaves */
    SAROS_ORDERED = 1 << 2,    /**< collectives, impure calls: never merged, dropped or reordered */
    SAROS_REGION = 1 << 3,     /**< has bodies */
    SAROS_COMMUTES = 1 << 4,   /**< operands 0 and 1 may be swapped: the key sorts them */
    SAROS_DISTINCT = 1 << 5,   /**< never merged or folded, but dropped if unused: alias */
    SAROS_INVOLUTION = 1 << 6, /**< row(row(x)) is x exactly: neg, not */
    SAROS_IN_PLACE = 1 << 7,   /**< out[0] may lie in the memory of in[0], when that has its dtype
                                    and shape and is row-major; pointwise rows allow it for all */
    SAROS_STRIDED = 1 << 8,    /**< out may have any strides, 1 along the last axis that extends */
    SAROS_COSTLY = 1 << 9      /**< an iteration to convergence, or a solve: reverse mode of a loop
                                    that keeps its states keeps the result too, instead of computing
                                    it again */
} saros_flag;

/** What becomes of an axis of an operand, if it does not go to an axis of the output. */
enum {
    SAROS_AXIS_WHOLE = -1, /**< every output may depend on all of it */
    SAROS_AXIS_ENDED = -2  /**< it ends in a sum (saros_axes.join: in that); the j-th such axis, or
                              pair  of axes of two operands, is SAROS_AXIS_ENDED - j */
};

/** How the axes of a row's operands and outputs hang together: what passes need that cut values
 * into blocks of rows. */
typedef struct saros_axes {
    /** The axis of all outputs whose entry i depends, along this axis of the operand, on its entry
     * i alone; or one of the above. NULL: there are no operands. */
    int (*to)(const saros_typing *typing, int operand, int axis);
    /** Optional: whether that axis of the output needs no axis of an operand, so that the row can
     * make any number of its entries from the same operands. */
    bool (*made)(const saros_typing *typing, int axis);
    /** Optional: the node for entries first … first + extent - 1 of an output's axis, from operands
     * that are already cut; `first` is an i64 scalar. NULL: the attributes hold for any extent. */
    saros_value (*cut)(const saros_rule *rule, int axis, int64_t extent, saros_value first);
    /** Optional: what joins two parts of an ended axis; NULL: their sum. */
    saros_value (*join)(saros_value a, saros_value b);
} saros_axes;

/** Consecutive elements of an operand: next to each other in memory, or one that stands for all. */
typedef struct saros_elements {
    const void *from;
    bool still;
} saros_elements;

/** Operand sets are bit masks (bit k: operand k; operands above 63 count as 63). */
typedef uint64_t saros_operand_set;

struct saros_primitive {
    const char *name; /**< also the name of the Lua binding unless lua says otherwise */
    const char *doc;  /**< one line */
    int operands;     /**< exact count, or -(minimum)-1 for variadic rows */
    int outputs;      /**< usual count; variadic rows set typing->outputs */
    unsigned flags;

    saros_status (*type)(saros_typing *typing);
    saros_status (*evaluate)(const saros_evaluation *evaluation);
    /** Floating operations of an evaluation that was done, for profiles. NULL: of a pointwise row
     * one for each element of a floating result, else none. */
    int64_t (*operations)(const saros_evaluation *evaluation);
    /** Optional: output 0 as a view of input 0. Fills shape-compatible strides and an element
     * offset; false: cannot, evaluate. */
    bool (*view)(const saros_attributes *attributes, const saros_tensor *in, const saros_type *out,
                 int64_t *strides, int64_t *offset);

    /** Optional: output 0 holds operand k, unchanged, as the box that begins at element `start`
     * (one index per axis). The compiler may then let the operand's maker write into the output;
     * evaluation leaves an operand alone that lies there already. */
    bool (*window)(const saros_attributes *attributes, int operands,
                   const saros_type *const *operand, int k, int64_t *start);

    /** Optional, of rows of operands of one shape, with no attributes but a tensor: makes what
     * depends on elements first … first + count - 1 (row-major) of the operands in the row-major
     * memory of output 0. Every element is given once, in any order, on any thread. A kernel that
     * makes the operands then hands them over while they are in cache, and stores none of them. */
    void (*take)(const saros_tensor *attribute, int64_t first, int64_t count,
                 const saros_elements *operand, void *out);

    /** Exact algebra, applied while building: if bit k of `unit_operands` is set and operand k
     * equals `unit` in bits everywhere, the node is its other operand (mul: 3, 1.0; div: 2, 1.0;
     * sub: 2, +0.0; add: none, for -0.0 + 0.0 is +0.0). */
    double unit;
    unsigned unit_operands;

    /** Sets of operands in which the row is jointly linear, the others held fixed (dot: {0},{1};
     * add: {0,1}; div: {0}). */
    saros_operand_set linear_in[3];
    /** Cotangent of `operand` (a member of a linear set) from the outputs' cotangents (SAROS_NONE
     * entries possible). */
    saros_value (*transpose)(const saros_rule *rule, int operand, const saros_value *cotangent);
    /** Pointwise rows: d out / d in[operand] as a value of out's shape; operands in linear sets
     * need none. */
    saros_value (*partial)(const saros_rule *rule, int operand);
    /** Own rules, where linear_in and partial do not say it (solve, loop, cond, call…).
     * tangent/cotangent/gradient entries may be SAROS_NONE. A column present here wins over the
     * derived form. Unsupported cases: saros_fail + saros_poison. */
    void (*jvp)(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent);
    void (*vjp)(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                saros_value *gradient);
    /** Own Taylor recurrence. series[k*(order+1)+j]: normalised coefficient j of operand k;
     * out_series likewise; coefficient 0 of the outputs is given (rule->out). */
    void (*jet)(const saros_rule *rule, int order, const saros_value *series,
                saros_value *out_series);
    /** Batched form: operands with batched[k] carry a leading axis of extent `size`; fills outputs
     * and says which carry it. */
    void (*batch)(const saros_rule *rule, int64_t size, const saros_value *in, const bool *batched,
                  saros_value *out, bool *out_batched);
    /** Optional (POINTWISE rows: axis a goes to axis a). A row without it needs all of every
     * operand. */
    const saros_axes *axes;
};

/** All rows of core, in a fixed order; for tests, bindings and reference pages. */
SAROS_API const saros_primitive *const *saros_core_primitives(int *count);

#endif
