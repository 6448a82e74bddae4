/** What the rules of loop share. Body input k is fed by operand k of the node, but for 0: the body
 * has the index where the node has n. */
#ifndef SAROS_AUTODIFF_LOOP_IMPL_H
#define SAROS_AUTODIFF_LOOP_IMPL_H

#include "node_impl.h"
#include "region_impl.h"
#include "walk_impl.h"

typedef struct ad_loop {
    saros_loop_view view;
    saros_value n;
    int carry, input, capture, ins; /**< first of each kind among the body's inputs; their number */
    int outs;                       /**< outputs of the body: next, kept, states */
} ad_loop;

/** What a loop built from a region is made of. */
typedef struct ad_loop_plan {
    int carries, inputs; /**< the first operands of the region; the others are captures */
    int states;          /**< the last results of the region */
    int64_t every, snapshots;
    bool reverse, early, leaves;
    saros_value contains; /**< an output of the loop that this one repeats, or SAROS_NONE */
} ad_loop_plan;

/** While set, reverse mode of this thread gives loops another memory than they ask for: all states
 * to those that ask for few, a third of them to the others. */
extern _Thread_local bool ad_loop_other_memory;

/** How many states the reverse sweep may hold in memory, 0: all. If the loop does not say, half of
 * what is free is theirs. @param reads per body input: the transposed step reads it
 *  @param more bytes of an iteration that are kept with all states, and only with them */
int64_t ad_loop_states(const ad_loop *loop, const bool *reads, int64_t more);
/** Whether states are computed again: the loop asks for it, and keeps fewer than there are. */
bool ad_loop_recomputes(const ad_loop *loop, const bool *reads);

ad_loop ad_loop_read(const saros_rule *rule);
/** The index, declared first; n takes its place among the operands. */
saros_value ad_loop_index(const ad_region *region);
/** Closes the region and appends its loop; `out` is an array (to release) of its outputs. */
saros_status ad_loop_append(const ad_loop *loop, saros_value n, ad_region *region,
                            const ad_loop_plan *plan, saros_value **out);
/** Closes the region of the transposed steps of the loop that `rule` is of, and appends its reverse
 * sweep in bounded memory; `left` is what the loop leaves for it. The first loop.view.carries
 * inputs of the region have no operand. */
saros_status ad_loop_append_reverse(const ad_loop *loop, saros_value n, const saros_rule *rule,
                                    ad_region *region, const ad_loop_plan *plan, saros_value left,
                                    saros_value **out);

/** Takes results that are dear to make again and hang on the first `known` inputs alone out of a
 * transposed step: `*kept` is the body (known inputs) -> results, and the step gets these as its
 * last inputs. Nothing is changed if there are none. Inputs from `captures` on are the same in all
 * iterations. */
saros_status ad_split_costly(int captures, int known, saros_body **step, saros_body **kept);
int64_t ad_bytes_of(saros_value value);

#endif
