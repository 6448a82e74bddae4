/** Error record of a thread: fixed buffers, so that recording an error never needs memory.
 *
 *  Long texts are cut. Parking copies the whole record to the heap; if even that fails, the parked
 * error is the static record "out of memory". */
#include "saros/status.h"
#include "status_impl.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "saros/memory.h"

enum { WHERE_BYTES = 256, TEXT_BYTES = 2048, FILE_BYTES = 1024, TRACE_BYTES = 4096 };

struct saros_error_copy {
    saros_status status;
    int line;
    char where[WHERE_BYTES];
    char message[TEXT_BYTES];
    char hint[TEXT_BYTES];
    char file[FILE_BYTES];
    char trace[TRACE_BYTES];
};

static _Thread_local saros_error_copy record;
static _Thread_local saros_error view;
static saros_error_copy no_memory = {.status = SAROS_ERR_MEMORY,
                                     .where = "saros_error_park",
                                     .message = "out of memory while keeping an error"};

const char *saros_status_kind(saros_status status) {
    static const char *const kinds[] = {
#define KIND(name, kind, meaning) kind,
        SAROS_STATUS_LIST(KIND)
#undef KIND
    };
    return (unsigned)status < SAROS_STATUS_COUNT ? kinds[status] : "internal";
}

const char *saros_status_meaning(saros_status status) {
    static const char *const meanings[] = {
#define MEANING(name, kind, meaning) meaning,
        SAROS_STATUS_LIST(MEANING)
#undef MEANING
    };
    return (unsigned)status < SAROS_STATUS_COUNT ? meanings[status] : "unknown status";
}

static void copy_text(char *to, size_t bytes, const char *from) {
    size_t length = from ? strnlen(from, bytes - 1) : 0;
    memmove(to, from ? from : "", length);
    to[length] = '\0';
}

saros_status saros_fail(saros_status status, const char *where, const char *hint,
                        const char *format, ...) {
    /* The arguments may point into the record itself: format aside first. */
    char message[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0) message[0] = '\0';
    va_end(arguments);
    copy_text(record.where, sizeof record.where, where);
    copy_text(record.hint, sizeof record.hint, hint);
    copy_text(record.message, sizeof record.message, message);
    record.status = status;
    record.line = 0;
    record.file[0] = '\0';
    record.trace[0] = '\0';
    return status;
}

void saros_error_locate(const char *file, int line) {
    if (record.status == SAROS_OK || record.file[0] || !file || !file[0]) return;
    copy_text(record.file, sizeof record.file, file);
    record.line = line;
}

void saros_error_frame(const char *format, ...) {
    if (record.status == SAROS_OK) return;
    size_t used = strlen(record.trace);
    if (used + 2 >= sizeof record.trace) return;
    size_t start = used;
    if (used) record.trace[used++] = '\n';
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(record.trace + used, sizeof record.trace - used, format, arguments);
    va_end(arguments);
    if (written < 0) record.trace[start] = '\0';
}

const saros_error *saros_error_last(void) {
    view = (saros_error){record.status, record.where, record.message, record.hint,
                         record.file,   record.line,  record.trace};
    return &view;
}

void saros_error_clear(void) {
    record.status = SAROS_OK;
    record.line = 0;
    record.where[0] = record.message[0] = record.hint[0] = record.file[0] = record.trace[0] = '\0';
}

saros_error_copy *saros_error_duplicate(const saros_error_copy *parked) {
    if (!parked) return NULL;
    saros_error_copy *copy = saros_allocate(sizeof *copy);
    if (!copy) return &no_memory;
    *copy = *parked;
    return copy;
}

saros_error_copy *saros_error_park(void) {
    return record.status == SAROS_OK ? NULL : saros_error_duplicate(&record);
}

saros_status saros_error_restore(const saros_error_copy *parked) {
    if (!parked) return SAROS_OK;
    record = *parked;
    return record.status;
}

void saros_error_drop(saros_error_copy *parked) {
    if (parked != &no_memory) saros_release(parked);
}

saros_status saros_error_unpark(saros_error_copy *parked) {
    saros_status status = saros_error_restore(parked);
    saros_error_drop(parked);
    return status;
}

/** Levenshtein distance, both names cut at 63 characters. */
static int edit_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    int row[LONGEST + 1];
    int na = (int)strnlen(a, LONGEST), nb = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= nb; ++j) row[j] = j;
    for (int i = 1; i <= na; ++i) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= nb; ++j) {
            int above = row[j];
            int best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[nb];
}

const char *saros_nearest_name(const char *name, const char *const *names, int n) {
    const char *nearest = NULL;
    /* A typing error changes few letters: at most a third of them, and two in short names. */
    int best = (int)strnlen(name, 63) / 3 + 2;
    for (int k = 0; k < n; ++k) {
        int distance = edit_distance(name, names[k]);
        if (distance < best && distance < (int)strlen(names[k])) {
            best = distance;
            nearest = names[k];
        }
    }
    return nearest;
}
