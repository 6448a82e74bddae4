/** Inside of the regions: layout of their attribute words. */
#ifndef SAROS_REGION_IMPL_H
#define SAROS_REGION_IMPL_H

#include "saros/region.h"

/** Words of a loop. `kept` counts the outputs stacked by `every`, `states` those stacked always;
 * `augments` is the id of the first output of the loop that this one repeats with more outputs, or
 * -1. */
enum {
    SAROS_LOOP_BOUND,
    SAROS_LOOP_EVERY,
    SAROS_LOOP_REVERSE,
    SAROS_LOOP_CARRIES,
    SAROS_LOOP_INPUTS,
    SAROS_LOOP_CAPTURES,
    SAROS_LOOP_KEPT,
    SAROS_LOOP_STATES,
    SAROS_LOOP_AUGMENTS,
    SAROS_LOOP_WORDS
};

/** Words of a cond. */
enum { SAROS_COND_THEN, SAROS_COND_ELSE, SAROS_COND_OUTPUTS, SAROS_COND_WORDS };

/** Words of a call: which callback (0 apply, 1 apply_jvp, 2 apply_vjp), outputs, whether it is
 * ordered. The class and its user data are the opaque tensor. */
enum { SAROS_CALL_FORM, SAROS_CALL_OUTPUTS, SAROS_CALL_ORDERED, SAROS_CALL_WORDS };

#endif
