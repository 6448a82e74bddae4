/** Text written into a caller's buffer: what does not fit is only counted, so that the length
 * needed is known. */
#ifndef SAROS_TEXT_IMPL_H
#define SAROS_TEXT_IMPL_H

#include "saros/status.h"

typedef struct saros_text {
    char *text;
    size_t bytes, used;
} saros_text;

/** Appends as printf does. */
SAROS_PRINTF(2, 3) void saros_text_put(saros_text *to, const char *format, ...);

#endif
