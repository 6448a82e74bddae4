/** Text into a buffer of given size: see text_impl.h. */
#include "text_impl.h"

#include <stdarg.h>
#include <stdio.h>

void saros_text_put(saros_text *to, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const size_t room = to->used < to->bytes ? to->bytes - to->used : 0;
    const int written = vsnprintf(room ? to->text + to->used : NULL, room, format, arguments);
    va_end(arguments);
    if (written > 0) to->used += (size_t)written;
}
