/** Inside of the regions: layout of their attribute words. */
#ifndef SAROS_REGION_IMPL_H
#define SAROS_REGION_IMPL_H

#include "saros/region.h"

/** Words of a loop. `kept` counts the outputs stacked by `every`, `states` those stacked always;
 * `leaves`: the states passed are one output more, the last. `contains` is the id of the first
 * output of the loop that this one repeats and adds to, or -1. */
enum {
    SAROS_LOOP_BOUND,
    SAROS_LOOP_EVERY,
    SAROS_LOOP_REVERSE,
    SAROS_LOOP_EARLY,
    SAROS_LOOP_SNAPSHOTS,
    SAROS_LOOP_CARRIES,
    SAROS_LOOP_INPUTS,
    SAROS_LOOP_CAPTURES,
    SAROS_LOOP_KEPT,
    SAROS_LOOP_STATES,
    SAROS_LOOP_CONTAINS,
    SAROS_LOOP_DISK,
    SAROS_LOOP_LEAVES,
    SAROS_LOOP_WORDS
};

/** Words of a cond. */
enum { SAROS_COND_THEN, SAROS_COND_ELSE, SAROS_COND_OUTPUTS, SAROS_COND_WORDS };

/** Words of a call: which callback (0 apply, 1 apply_jvp, 2 apply_vjp), outputs, whether it is
 * ordered. The class and its user data are the opaque tensor. */
enum { SAROS_CALL_FORM, SAROS_CALL_OUTPUTS, SAROS_CALL_ORDERED, SAROS_CALL_WORDS };

/** Fills `out` with `n` poisoned values of `graph`; the thread's error becomes the graph's. */
void saros_poison_all(saros_graph *graph, int n, saros_value *out);
/** Builds a node with `n` outputs and spreads them over `out`. */
void saros_build_all(saros_graph *graph, const saros_primitive *row,
                     const saros_attributes *attributes, int operands, const saros_value *operand,
                     int n, saros_value *out);

/** Row-major forms of an evaluation's operands: themselves, or copies to release at the end. */
typedef struct saros_dense {
    int count;
    saros_tensor **tensor;
} saros_dense;
saros_status saros_dense_make(int count, saros_tensor *const *in, saros_dense *out);
void saros_dense_free(saros_dense *dense);

/** Whether a value of type `got` may stand where `needed` is asked for: equal, but for how a value
 * that differs from rank to rank does so (derivative rules make parts where the value was cut). */
bool saros_region_fits(const saros_type *got, const saros_type *needed);

#endif
