/** Profile: where the time of compiled functions and of eager operations goes.
 *
 *      saros_profile *p;
 *      SAROS_TRY(saros_profile_start(&(saros_profile_options){.spans = 100000}, &p));
 *      … calls …
 *      SAROS_TRY(saros_profile_stop(p));
 *      saros_profile_text(p, text, sizeof text);     // a table
 *      saros_profile_trace(p, "trace.json");         // for chrome://tracing or ui.perfetto.dev
 *      saros_profile_release(p);
 *
 *  One profile records at a time, all threads of the process. Steps are added up by place in their
 * function, so memory is bounded by the programs that run, not by how often; the trace keeps the
 * first spans and says how many there were. Bytes are those of operands and results by their
 * shapes, each once; operations are floating ones: a product of matrices 2 m n k, fma 2, a kernel
 * the sum of its own (elementary functions count what they are made of there), an elementary
 * function alone 1. */
#ifndef SAROS_PROFILE_H
#define SAROS_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "saros/export.h"
#include "saros/status.h"

typedef struct saros_profile saros_profile;

typedef struct saros_profile_options {
    int64_t spans; /**< spans kept for the trace; 0: none */
} saros_profile_options;

/** A step of a function, added up over its calls and over threads. */
typedef struct saros_profile_step {
    const char *function, *name; /**< name: row and type of its first result */
    const char *file;            /**< script, "" if unknown */
    int line;
    bool parallel; /**< ran inside tasks of the pool: several threads at once */
    int64_t calls;
    double seconds;       /**< in the step itself, without steps of bodies and functions it calls */
    double whole_seconds; /**< with them, as far as they ran on its own thread */
    double bytes, operations; /**< of all calls */
    bool f32;                 /**< computes in f32: twice the operations are possible */
} saros_profile_step;

/** What this machine can do, all threads of the pool together. */
typedef struct saros_machine {
    int threads;
    double operations; /**< f64 multiply-adds on registers, two operations each, per second */
    double bytes;      /**< STREAM triad from memory, plain stores, bytes per second */
} saros_machine;

/** Starts recording. `options` may be NULL. Errors: USAGE if another profile is recording; MEMORY.
 */
SAROS_API saros_status saros_profile_start(const saros_profile_options *options,
                                           saros_profile **out);
/** Ends recording and adds up. Calls that other threads have under way are counted as far as they
 * have come. Errors: MEMORY. */
SAROS_API saros_status saros_profile_stop(saros_profile *profile);
/** Ends a profile, recording or not; NULL allowed. */
SAROS_API void saros_profile_release(saros_profile *profile);

/* ---- read, once stopped ---- */

/** Seconds from start to stop. */
SAROS_API double saros_profile_seconds(const saros_profile *profile);
SAROS_API int64_t saros_profile_steps(const saros_profile *profile);
/** Step k by descending time of its own. Texts live as long as the profile. */
SAROS_API saros_profile_step saros_profile_step_at(const saros_profile *profile, int64_t k);
/** The larger of bytes and operations per second of a step as a share of the machine's; of one
 * thread's share if the step ran in parallel. Above 1 where operands come from cache. */
SAROS_API double saros_profile_share(const saros_profile_step *step, const saros_machine *machine);
/** The table, cut at `bytes`; returns the length needed. Measures the machine if that has not been
 * done. */
SAROS_API size_t saros_profile_text(const saros_profile *profile, char *text, size_t bytes);
/** Writes the spans as a Chrome trace. Errors: IO; USAGE if no spans were asked for. */
SAROS_API saros_status saros_profile_trace(const saros_profile *profile, const char *path);

/** Measures the machine with the pool's present number of threads (about 0.2 s), once for each
 * number. Errors: MEMORY. */
SAROS_API saros_status saros_machine_measure(saros_machine *out);

#endif
