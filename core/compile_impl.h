/** Inside of the compiler: its state, and what its files call of each other. */
#ifndef SAROS_COMPILE_IMPL_H
#define SAROS_COMPILE_IMPL_H

#include "function_impl.h"

/** A value in a family: it lies at `lo` of the common coordinates. */
typedef struct saros_member {
    int32_t value, family, next; /**< next member of the family, -1: last */
    bool reshaped;               /**< has another shape than the box; row-major */
    int64_t lo[SAROS_MAX_RANK];
} saros_member;

/** Values that lie in one array (compile_window.c). */
typedef struct saros_family {
    int rank;
    int32_t first;  /**< member; -1: joined to another family */
    int32_t within; /**< member without gaps of another family that its array is, or -1 */
    int32_t carry;  /**< value in whose memory the others lie around it, or -1 */
    int32_t inner;  /**< part whose rows are aligned, or -1 */
    int32_t slot;   /**< of the array, -1: none yet */
    bool fixed;     /**< the array is that of the container it began with */
    int64_t lo[SAROS_MAX_RANK], hi[SAROS_MAX_RANK];
} saros_family;

typedef struct saros_compiler {
    saros_graph *graph;
    saros_function *f;
    bool *live;            /**< per record */
    int32_t *slot_of;      /**< per value, -1: none yet */
    int32_t *first, *last; /**< per slot: the step that makes it, the last that reads its memory */
    int32_t *member_of;    /**< per value: the member it is, or -1 */
    int32_t *follows; /**< per value: carry whose layout it takes, being its next value; or -1 */
    saros_member *member;
    saros_family *family;
    int32_t members, families;
    int32_t values, entries, cells, bodies; /**< bounds for the arrays of the program */
} saros_compiler;

/** Decides where every value lives: outputs, arena, views, opaque values. */
saros_status saros_place_values(saros_compiler *compiler, const int32_t *output);
/** Strides of a value that a step makes or an input has, and its offset in its family's array. */
void saros_window_strides(const saros_compiler *compiler, int32_t value, int64_t *strides,
                          int64_t *offset);
/** The same of a member of a family. */
void saros_member_strides(const saros_compiler *compiler, const saros_member *member,
                          int64_t *strides, int64_t *offset);
/** Decides which values are windows of others, and the layouts of the carries. */
saros_status saros_find_windows(saros_compiler *compiler, const int32_t *input,
                                const int32_t *output);
/** An empty function; NULL with the error recorded. */
saros_function *saros_function_make(saros_graph *graph, const saros_compile_options *options);

#endif
