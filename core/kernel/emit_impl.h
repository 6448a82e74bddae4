/** Inside of the code generator: the text being written and what its files print of each other. */
#ifndef SAROS_EMIT_IMPL_H
#define SAROS_EMIT_IMPL_H

#include "graph_impl.h"
#include "kernel/kernel_impl.h"

typedef struct saros_text {
    char *data;
    size_t used, room;
    bool failed; /**< memory ran out */
} saros_text;

typedef struct saros_emitter {
    const saros_fused *k;
    saros_kernel_pattern pattern;
    int lanes;
    bool once; /**< the operations stand once in the text, for full vectors and tails */
    saros_text out;
    const char *tag; /**< prefix of names: "m" main, "t" tail */
    const char *set; /**< end of the names of a row, "" outside of bundles */
    bool unordered[SAROS_KERNEL_LOADS + 3 * SAROS_KERNEL_OPERATIONS]; /**< said of the operand */
} saros_emitter;

SAROS_PRINTF(2, 3) void saros_put(saros_emitter *e, const char *format, ...);
/** LLVM's name of an element in a register, in memory, and at the end of an intrinsic's name. */
const char *saros_put_scalar(saros_dtype dtype);
const char *saros_put_memory(saros_dtype dtype);
const char *saros_put_suffix(saros_dtype dtype);
saros_dtype saros_fused_dtype(const saros_fused *kernel, int operand);

/* ---- emit_loop.c ---- */

/** The function of the kernel. */
void saros_put_function(saros_emitter *e, const char *name);

/** %mask: the lanes that the elements from %full on fill. */
void saros_put_mask(saros_emitter *e);
/** Loads and operations of a vector at %<tag>i of its row. */
void saros_put_loads(saros_emitter *e, bool masked);

/* ---- emit_bundle.c ---- */

/** Rows that sums of columns take at once; 1: there are no bundles. */
int saros_bundle_rows(const saros_emitter *e);
/** From the entry to all rows that are in whole bundles; others are left to %rows, from %at on,
 * which %single_test enters, if there are any, else it goes to %done. */
void saros_put_bundles(saros_emitter *e, int rows);

/* ---- emit_memory.c ---- */

/** Operand `o` of a vector at %<tag>i of its row; under %mask if `masked`. */
void saros_put_load(saros_emitter *e, int o, bool masked);
/** Stores operand out[m] there, or adds it to what is there. */
void saros_put_store(saros_emitter *e, int m, bool masked);
/** The two ends of the latter: %<tag>old<m>, what is there; %<tag>new<m> is stored there. */
void saros_put_old(saros_emitter *e, int m, bool masked);
void saros_put_new(saros_emitter *e, int m, bool masked);
/** %<result><o>: the typed address of this row of operand `o` of the arguments %<list>. */
void saros_put_row(saros_emitter *e, const char *list, const char *result, int o,
                   saros_dtype dtype);
/** Operand `o`, one element in this row, as a vector. */
void saros_put_still(saros_emitter *e, int o);
/** %<name><o>: memory for one vector, and its address as that of a row. */
void saros_put_aside(saros_emitter *e, const char *name, int o, saros_dtype dtype);
/** Brings the tail of a row, at %<tag>i under %mask, to memory aside and back. */
void saros_put_tail_in(saros_emitter *e, const char *row, const char *aside, int o,
                       saros_dtype dtype);
void saros_put_tail_out(saros_emitter *e, const char *row, const char *aside, int m,
                        saros_dtype dtype);

/* ---- emit_reduce.c ---- */

/** The element a reduction starts from, as a word. */
int64_t saros_reduce_neutral(const saros_primitive *row, saros_dtype dtype);
/** Lanes in which store `m` is reduced. */
int saros_reduce_lanes(const saros_emitter *e, int m);
/** `to`: the lanes `from` and the values of store `m`, those under the mask if it has a name. */
void saros_put_fold(saros_emitter *e, int m, const char *from, const char *to, const char *mask);
/** `name`: the vector `old` and the values of store `m`. */
void saros_put_added(saros_emitter *e, int m, const char *old, const char *name);
/** Stores the lanes `from` of store `m` as one element. */
void saros_put_last(saros_emitter *e, int m, const char *from);

/* ---- emit_operation.c ---- */

/** A vector of equal elements (words as in saros_fused_operation). */
void saros_put_vector(saros_emitter *e, saros_dtype dtype, int64_t word);
/** Operand `o` as it stands in an instruction. */
void saros_put_operand(saros_emitter *e, int o);
/** The instructions of operation `index`. */
void saros_put_operation(saros_emitter *e, int index);

/* ---- emit_far.c ---- */

/** Operation `o` on a row of far.c, as operand number `id`. */
void saros_put_far(saros_emitter *e, int id, const saros_fused_operation *o);
/** The functions that these operations call. */
void saros_put_far_functions(saros_emitter *e);

#endif
