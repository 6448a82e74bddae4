/** Inside of profiles: what running functions records. */
#ifndef SAROS_PROFILE_IMPL_H
#define SAROS_PROFILE_IMPL_H

#include <stdatomic.h>

#include "function_impl.h"
#include "saros/profile.h"

enum { SAROS_PROFILE_RECORDS = 1 << 16 }; /* most steps kept apart */

/** A step of a function, or a row applied eagerly. */
typedef struct saros_profile_record {
    const saros_primitive *row;
    char name[72], file[64];
    int line;
    atomic_int_least64_t calls, nanoseconds, whole, operations, bytes;
    atomic_int_least64_t cost_operations, cost_bytes; /* of one call */
    atomic_int cost;                                  /* COST_… of profile.c */
    atomic_bool parallel, f32;
} saros_profile_record;

/** The records of a function. */
typedef struct saros_profile_entry {
    struct saros_profile_entry *next;
    char *name;
    int32_t records;
    bool whole; /**< one record for all steps */
    saros_profile_record record[];
} saros_profile_entry;

typedef struct saros_profile_span {
    const saros_profile_entry *entry;
    const saros_profile_record *record;
    int thread;
    int64_t begin;
    atomic_int_least64_t end; /* 0: under way */
} saros_profile_span;

struct saros_profile {
    int64_t session;
    int64_t users; /* frames under way, and the owner */
    int64_t begin, end;
    int64_t records;
    saros_profile_entry *entry, *eager, *others;
    int64_t room;               /* of spans */
    atomic_int_least64_t spans; /* there were */
    saros_profile_span *span;
    int64_t steps; /* once stopped */
    saros_profile_step *step;
};

/** A call that is recorded. */
typedef struct saros_recording {
    saros_profile *profile; /**< NULL: not recorded */
    saros_profile_entry *entry;
} saros_recording;

extern atomic_bool saros_profile_records;
static inline bool saros_profile_is_on(void) {
    return atomic_load_explicit(&saros_profile_records, memory_order_relaxed);
}

/** Begins recording a call of `function`, NULL: of rows by themselves. */
saros_recording saros_recording_open(const saros_function *function);
/** Evaluates step `s` (ignored for rows by themselves) and books it. */
saros_status saros_recording_evaluate(const saros_recording *recording, int32_t s,
                                      const saros_evaluation *evaluation);
void saros_recording_close(const saros_recording *recording);

/** Ends recording; again: nothing. */
void saros_profile_end(saros_profile *profile);
/** Floating operations and bytes of one evaluation that has been done. */
void saros_evaluation_cost(const saros_evaluation *evaluation, int64_t *operations, int64_t *bytes);

#endif
