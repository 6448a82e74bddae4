/** Stop: asks everything that is under way in this process to end at its next step.
 *
 *      static void on_signal(int number) { saros_stop(); }
 *
 *  Loops of compiled functions look between iterations and end with SAROS_ERR_STOPPED; solves and
 * trainings look between their steps where their caller asks them to. The request stays until it is
 * taken back. */
#ifndef SAROS_STOP_H
#define SAROS_STOP_H

#include <stdbool.h>

#include "saros/export.h"

/** Asks to stop; async-signal-safe, from any thread. */
SAROS_API void saros_stop(void);
/** Takes the request back. */
SAROS_API void saros_stop_clear(void);
SAROS_API bool saros_stop_requested(void);

#endif
