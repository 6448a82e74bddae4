/** Reading a profile that has stopped: its steps by time, and spans as a Chrome trace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_impl.h"
#include "saros/memory.h"

static int64_t value_of(const atomic_int_least64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static saros_profile_step step_of(const saros_profile_entry *entry, const saros_profile_record *r) {
    return (saros_profile_step){
        .function = entry->name,
        .name = r->name,
        .file = r->file,
        .line = r->line,
        .parallel = atomic_load_explicit(&r->parallel, memory_order_relaxed),
        .calls = value_of(&r->calls),
        .seconds = 1e-9 * (double)value_of(&r->nanoseconds),
        .whole_seconds = 1e-9 * (double)value_of(&r->whole),
        .bytes = (double)value_of(&r->bytes),
        .operations = (double)value_of(&r->operations),
        .f32 = atomic_load_explicit(&r->f32, memory_order_relaxed),
    };
}

static int by_time(const void *a, const void *b) {
    const saros_profile_step *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

saros_status saros_profile_stop(saros_profile *p) {
    saros_profile_end(p);
    if (p->step) return SAROS_OK;
    p->step = saros_allocate((size_t)p->records * sizeof *p->step);
    if (!p->step) return SAROS_ERR_MEMORY;
    for (const saros_profile_entry *entry = p->entry; entry; entry = entry->next)
        for (int32_t k = 0; k < entry->records; ++k)
            if (value_of(&entry->record[k].calls))
                p->step[p->steps++] = step_of(entry, &entry->record[k]);
    qsort(p->step, (size_t)p->steps, sizeof *p->step, by_time);
    return SAROS_OK;
}

double saros_profile_seconds(const saros_profile *p) {
    return 1e-9 * (double)(p->end - p->begin);
}
int64_t saros_profile_steps(const saros_profile *p) {
    return p->steps;
}
saros_profile_step saros_profile_step_at(const saros_profile *p, int64_t k) {
    return p->step[k];
}

/* ---- trace ---- */

static void write_text(FILE *file, const char *text) {
    fputc('"', file);
    for (const char *c = text; *c; ++c) {
        if (*c == '"' || *c == '\\') fputc('\\', file);
        if ((unsigned char)*c < ' ')
            fprintf(file, "\\u%04x", (unsigned)*c);
        else
            fputc(*c, file);
    }
    fputc('"', file);
}

/** Times of a trace are microseconds. */
static void write_span(FILE *file, const saros_profile *p, const saros_profile_span *span,
                       int64_t end) {
    const saros_profile_record *r = span->record;
    fprintf(file,
            "{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,\"name\":", span->thread,
            1e-3 * (double)(span->begin - p->begin), 1e-3 * (double)(end - span->begin));
    write_text(file, r->name);
    fputs(",\"cat\":", file);
    write_text(file, span->entry->name);
    if (r->file[0]) {
        fputs(",\"args\":{\"file\":", file);
        write_text(file, r->file);
        fprintf(file, ",\"line\":%d}", r->line);
    }
    fputs("},\n", file);
}

saros_status saros_profile_trace(const saros_profile *p, const char *path) {
    if (!p->room)
        return saros_fail(SAROS_ERR_USAGE, "saros_profile_trace",
                          "ask for spans when the profile is started", "the profile kept no spans");
    FILE *file = fopen(path, "w");
    if (!file)
        return saros_fail(SAROS_ERR_IO, "saros_profile_trace", NULL, "cannot write %s: %s", path,
                          strerror(errno));
    const int64_t spans = value_of(&p->spans), kept = spans < p->room ? spans : p->room;
    fputs("{\"traceEvents\":[\n", file);
    for (int64_t k = 0; k < kept; ++k) {
        const int64_t end = atomic_load_explicit(&p->span[k].end, memory_order_acquire);
        if (end) write_span(file, p, &p->span[k], end);
    }
    fprintf(file,
            "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"saros\"}}],\n"
            "\"otherData\":{\"spans\":%lld,\"kept\":%lld}}\n",
            (long long)spans, (long long)kept);
    const bool failed = ferror(file) != 0;
    if (fclose(file) || failed)
        return saros_fail(SAROS_ERR_IO, "saros_profile_trace", NULL, "cannot write all of %s",
                          path);
    return SAROS_OK;
}
