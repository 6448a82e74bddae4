/** What the modes of differentiation share: which nodes lie between `in` and `out`, and a copy of
 * one node that stays valid while rules append values. Every pass is a plain loop over ids. */
#ifndef SAROS_AUTODIFF_WALK_IMPL_H
#define SAROS_AUTODIFF_WALK_IMPL_H

#include "saros/autodiff.h"
#include "saros/region.h"

enum { AD_SEED = 1, AD_DEPENDS = 2, AD_REACHES = 4 };

/** The nodes of `graph` with ids in [first, last); rules append to `into`, which is `graph` or
 * lies inside it. */
typedef struct ad_walk {
    saros_graph *graph, *into;
    int32_t first, last;
    uint8_t *mark; /**< AD_ bits of id first + k */
} ad_walk;

/** One node copied out of the graph, with `per` value slots for each operand and output, NONE at
 * first. */
typedef struct ad_frame {
    saros_rule rule;
    saros_value *in_slot, *out_slot;
    bool *wanted; /**< one per operand, false */
    void *memory;
    size_t bytes;
} ad_frame;

/** Marks what lies between. `extra`: tangents or cotangents; `into` is the innermost graph of all
 * values. Gives SAROS_NONE, or the poisoned value that all results shall be: an operand was
 * poisoned, memory ran out, or `in` lies in an enclosing graph. */
saros_value ad_walk_begin(ad_walk *walk, int outs, const saros_value *out, int ins,
                          const saros_value *in, int extras, const saros_value *extra);
void ad_walk_close(ad_walk *walk);
saros_status ad_frame_load(ad_frame *frame, const ad_walk *walk, int32_t id, int per);
void ad_frame_free(ad_frame *frame);

/** Whether a derivative flows through `id`. */
static inline bool ad_active(const ad_walk *walk, int32_t id) {
    const uint8_t both = AD_DEPENDS | AD_REACHES;
    return id >= walk->first && id < walk->last && (walk->mark[id - walk->first] & both) == both;
}
static inline bool ad_seed(const ad_walk *walk, int32_t id) {
    return (walk->mark[id - walk->first] & AD_SEED) != 0;
}
/** True if `id` is the first output of a node with an active output that is no seed. */
bool ad_walk_visits(const ad_walk *walk, int32_t id);

/** Which outputs of a body carry a tangent when the inputs in `in` do. */
saros_status ad_body_activity(saros_body *body, const bool *in, bool *out);
/** The same for a loop node: `carry` is raised to the fix-point, `kept` (kept, then
 * states) is set. `slice` and
 * `capture` say which inputs and captures carry a tangent. */
saros_status ad_loop_activity(const saros_loop_view *view, bool *carry, const bool *slice,
                              const bool *capture, bool *kept);

/** First poisoned value of a list, or SAROS_NONE. */
saros_value ad_poisoned(int n, const saros_value *values);
/** Sets all of `values` to `v`. */
void ad_fill(int n, saros_value *values, saros_value v);
/** a + b where either may be SAROS_NONE. */
saros_value ad_sum(saros_value a, saros_value b);
/** Checks that a tangent or cotangent has the dtype and shape of its value (NONE passes). */
saros_status ad_check_type(const char *where, const char *what, int k, saros_value v,
                           saros_value like);

#endif
