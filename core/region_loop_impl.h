/** Inside of the loops: typing, and running one iteration of a loop at a time. */
#ifndef SAROS_REGION_LOOP_IMPL_H
#define SAROS_REGION_LOOP_IMPL_H

#include "function_impl.h"
#include "region_impl.h"

saros_status saros_loop_evaluate(const saros_evaluation *evaluation);
saros_status saros_loop_type(saros_typing *typing);
/** `one` with a leading axis of `rows`; k names it in errors. */
saros_status saros_loop_stack_type(const saros_type *one, int64_t rows, int k, saros_type *out);
/** The words of a loop, and its operands but n; gives the end of what was written. */
void saros_loop_words(const saros_loop_parts *parts, int64_t *word);
saros_value *saros_loop_operands(const saros_loop_parts *parts, saros_value *operand);
/** A reference to the folder of states of a loop, NULL if it has none. */
saros_status saros_loop_place(const saros_loop_parts *parts, saros_tensor **out);

/** A value of the body that moves from iteration to iteration. */
typedef struct saros_lane {
    char *data;  /**< carry: the output; input, kept, state: first row */
    char *other; /**< carry: the second buffer, `data` if one will do; kept: where rows go that are
                    not kept */
    char *initial;              /**< carry: the operand */
    int64_t bytes;              /**< of one row */
    const saros_layout *layout; /**< carry: kept as a window of a larger array, or NULL */
} saros_lane;

typedef struct saros_running {
    saros_loop_view view;
    int first; /**< operand of the node that is the first carry */
    int fed;   /**< inputs of the body behind the carry that the caller feeds */
    saros_frame *frame;
    saros_tensor **out; /**< of the node */
    int64_t n, index;
    saros_lane *carry, *input, *kept; /**< kept: then the states */
} saros_running;

/** Bytes of a row of a stacked tensor, or of all of one that is not. */
int64_t saros_row_bytes(const saros_tensor *tensor, bool stacked);
/** Reads n, the first operand, and checks it. */
saros_status saros_running_count(const saros_evaluation *e, int64_t bound, int64_t *n);
/** Lanes in memory that stays with the frame; `in` are the operands of the node. */
saros_status saros_running_open(saros_running *running, const saros_evaluation *e,
                                const saros_dense *in);
/** STOPPED if the process was asked to stop, before iteration j of n; asked between iterations. */
saros_status saros_loop_ask(int64_t j, int64_t n);
/** Runs iteration j of n (in the order of the loop). */
saros_status saros_running_step(saros_running *running, int64_t j);
/** Fills what no iteration wrote. */
void saros_running_finish(const saros_running *running);

#endif
