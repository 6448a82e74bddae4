/** Status codes and the error record of the calling thread.
 *
 *  Every call that can fail returns a saros_status; what went wrong, where and what to do stands in
 * a thread-local record, because errors must cross callbacks (PETSc, SUNDIALS, Lua) that carry only
 * an int.
 *
 *      saros_status status = SAROS_OK;
 *      SAROS_TRY(saros_tensor_make(SAROS_F64, 1, (int64_t[]){n}, &t));
 *      done: saros_tensor_release(t); return status;
 */
#ifndef SAROS_STATUS_H
#define SAROS_STATUS_H

#include <stddef.h>

#include "saros/export.h"

/** X(name, kind as scripts see it, meaning). A code is what a program branches on; the rest is
 * text. */
#define SAROS_STATUS_LIST(X)                                                                       \
    X(OK, "ok", "no error")                                                                        \
    X(ERR_USAGE, "usage", "a call, option or name is wrong")                                       \
    X(ERR_SHAPE, "shape", "array shapes do not agree")                                             \
    X(ERR_TYPE, "type", "an element type or kind of value does not fit")                           \
    X(ERR_DOMAIN, "domain", "a value lies outside its range or a point outside the domain")        \
    X(ERR_NOT_CONVERGED, "not_converged", "an iteration did not reach its tolerance")              \
    X(ERR_DIVERGED, "diverged", "an iteration or a time step diverged")                            \
    X(ERR_NAN, "nan", "a value that must be finite is not")                                        \
    X(ERR_IO, "io", "a file could not be read or written")                                         \
    X(ERR_STOPPED, "stopped", "stopped on request")                                                \
    X(ERR_MEMORY, "memory", "out of memory")                                                       \
    X(ERR_UNSUPPORTED, "usage", "not in this build")                                               \
    X(ERR_INTERNAL, "internal", "an invariant of the library is broken")                           \
    X(RETRY, "retry", "callbacks only: try again with a smaller step")

typedef enum saros_status {
#define SAROS_STATUS_ENUM(name, kind, meaning) SAROS_##name,
    SAROS_STATUS_LIST(SAROS_STATUS_ENUM)
#undef SAROS_STATUS_ENUM
        SAROS_STATUS_COUNT
} saros_status;

/** The last failing call of this thread. Strings live until the thread's next failing call. */
typedef struct saros_error {
    saros_status status;
    const char *where;   /**< operation that failed, e.g. "saros_dot" or "loop body" */
    const char *message; /**< what was got and what was needed */
    const char *hint;    /**< what to do; "" if there is nothing to say */
    const char *file;    /**< script or source file, "" if unknown */
    int line;            /**< line in `file`, 0 if unknown */
    const char *trace;   /**< newline-separated frames, innermost first; "" if none */
} saros_error;

/** "shape", "type"… : the kind a script sees for `status`. */
SAROS_API const char *saros_status_kind(saros_status status);
/** One-line meaning of `status`. */
SAROS_API const char *saros_status_meaning(saros_status status);

/** Records an error and returns `status`, so that `return saros_fail(…)` reads well.
 *  @param where operation; @param hint may be NULL; all texts are copied and cut at about 2 kB. */
SAROS_API saros_status saros_fail(saros_status status, const char *where, const char *hint,
                                  const char *format, ...) SAROS_PRINTF(4, 5);
/** Sets the script position of the recorded error (kept if it has one already). */
SAROS_API void saros_error_locate(const char *file, int line);
/** Appends a frame to the trace of the recorded error. */
SAROS_API void saros_error_frame(const char *format, ...) SAROS_PRINTF(1, 2);
/** The record of this thread; status SAROS_OK if nothing has failed since the last clear. */
SAROS_API const saros_error *saros_error_last(void);
/** Forgets the recorded error. */
SAROS_API void saros_error_clear(void);
/** Deep copy of the record into caller-owned memory and back: parks an error while cleaning up, or
 * moves it to another thread. */
typedef struct saros_error_copy saros_error_copy;
SAROS_API saros_error_copy *saros_error_park(void);
SAROS_API saros_status
saros_error_unpark(saros_error_copy *parked); /* consumes; NULL gives SAROS_OK */

/** The name among `names` (n of them) nearest to `name` by edit distance; NULL if none is near. For
 * "did you mean". */
SAROS_API const char *saros_nearest_name(const char *name, const char *const *names, int n);

/** Inside a function with a local `saros_status status` and a label `done`. */
#define SAROS_TRY(call)                                                                            \
    do {                                                                                           \
        if ((status = (call)) != SAROS_OK) goto done;                                              \
    } while (0)

#endif
