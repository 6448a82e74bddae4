/** Recording: each step's time on its thread, less that of the steps inside it.
 *
 *  A function's records are made at its first call within a profile and found again by the
 * profile's number; they copy the names they need, so functions may end before the profile is read.
 * When there are too many, or no memory, the rest goes into one record. Booking is a few atomic
 * additions, so threads that run one function at once share its records. Not here: what a step
 * costs (profile_cost.c), reading (profile_read.c, profile_text.c). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pool_impl.h"
#include "profile_impl.h"
#include "saros/memory.h"

enum { COST_UNKNOWN, COST_KNOWN };
enum { EAGER_ROWS = 256 };

atomic_bool saros_profile_records;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static saros_profile *current;
static int64_t sessions;
static atomic_int threads;

/** Steps this thread is in, innermost first. */
typedef struct under_way {
    struct under_way *outer;
    int64_t inside; /* nanoseconds of the steps within */
} under_way;
static _Thread_local under_way *innermost;
static _Thread_local int thread_number; /* from 1 on */

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- start and end ---- */

static saros_profile_entry *make_entry(saros_profile *p, const char *name, int32_t records) {
    saros_profile_entry *entry = NULL;
    if (p->records + records > SAROS_PROFILE_RECORDS) return NULL;
    entry = saros_allocate_zero(1, sizeof *entry + (size_t)records * sizeof *entry->record +
                                       strlen(name) + 1);
    if (!entry) return NULL;
    entry->name = (char *)&entry->record[records];
    memcpy(entry->name, name, strlen(name) + 1);
    entry->records = records;
    entry->next = p->entry;
    p->entry = entry;
    p->records += records;
    return entry;
}

static void free_profile(saros_profile *p) {
    while (p->entry) {
        saros_profile_entry *next = p->entry->next;
        saros_release(p->entry);
        p->entry = next;
    }
    saros_release(p->span);
    saros_release(p->step);
    saros_release(p);
}

saros_status saros_profile_start(const saros_profile_options *options, saros_profile **out) {
    saros_profile *p = saros_allocate_zero(1, sizeof *p);
    if (!p) return SAROS_ERR_MEMORY;
    saros_status status = SAROS_OK;
    p->users = 1;
    p->room = options && options->spans > 0 ? options->spans : 0;
    p->eager = make_entry(p, "eager", EAGER_ROWS);
    p->others = make_entry(p, "other functions", 1);
    p->span = saros_allocate_zero((size_t)p->room, sizeof *p->span);
    if (!p->eager || !p->others || !p->span) SAROS_TRY(SAROS_ERR_MEMORY);
    snprintf(p->others->record[0].name, sizeof p->others->record[0].name, "all steps");
    p->others->whole = true;
    pthread_mutex_lock(&lock);
    if (!current) {
        current = p;
        p->session = ++sessions;
        p->begin = nanoseconds();
        atomic_store(&saros_profile_records, true);
    }
    pthread_mutex_unlock(&lock);
    if (!p->session)
        SAROS_TRY(saros_fail(SAROS_ERR_USAGE, "saros_profile_start",
                             "stop it first (SAROS_PROFILE profiles a whole program)",
                             "another profile is recording"));
    *out = p;
    return SAROS_OK;
done:
    free_profile(p);
    return status;
}

void saros_profile_end(saros_profile *p) {
    pthread_mutex_lock(&lock);
    if (current == p) {
        current = NULL;
        p->end = nanoseconds();
        atomic_store(&saros_profile_records, false);
    }
    pthread_mutex_unlock(&lock);
}

static void leave(saros_profile *p) {
    pthread_mutex_lock(&lock);
    const bool last = --p->users == 0;
    pthread_mutex_unlock(&lock);
    if (last) free_profile(p);
}

void saros_profile_release(saros_profile *p) {
    if (!p) return;
    saros_profile_end(p);
    leave(p);
}

/* ---- the records of a function ---- */

/** The end of a long path says more than its beginning. */
static void copy_end(char *to, size_t bytes, const char *text) {
    const size_t length = strlen(text), skip = length < bytes ? 0 : length - bytes + 1;
    memcpy(to, text + skip, length - skip + 1);
}

static void describe(const saros_function *f, const saros_step *step, saros_profile_record *r) {
    char type[128] = "";
    if (step->outs) {
        const saros_type t = saros_tensor_type(&f->prototype[f->table[step->table + step->ins]]);
        saros_type_text(&t, type, sizeof type);
    }
    r->row = step->row;
    snprintf(r->name, sizeof r->name, "%s %s", step->row->name, type);
    copy_end(r->file, sizeof r->file, step->file);
    r->line = step->line;
}

/** Bodies are named after the function they belong to. Recursion over their nesting, which the
 * writer of a program sets. */
static saros_profile_entry *attach(saros_profile *p, const saros_function *function,
                                   const char *outer) {
    saros_function *f = (saros_function *)function; /* records are not part of its value */
    if (f->profile_session == p->session) return f->profile_entry;
    char name[256];
    snprintf(name, sizeof name, "%s%s%s", outer, outer[0] ? " / " : "", f->name);
    saros_profile_entry *entry = make_entry(p, name, f->steps);
    f->profile_session = p->session;
    f->profile_entry = entry ? entry : p->others;
    for (int32_t s = 0; s < f->steps; ++s) {
        if (entry) describe(f, &f->step[s], &entry->record[s]);
        for (int b = 0; b < f->step[s].attributes.bodies; ++b) attach(p, f->step[s].body[b], name);
    }
    return f->profile_entry;
}

saros_recording saros_recording_open(const saros_function *function) {
    saros_recording r = {0};
    pthread_mutex_lock(&lock);
    if (current) {
        r.profile = current;
        r.entry = function ? attach(current, function, "") : current->eager;
        ++current->users;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

void saros_recording_close(const saros_recording *recording) {
    if (recording->profile) leave(recording->profile);
}

/** The record of a row by itself, made at its first use. */
static saros_profile_record *record_of_row(const saros_recording *recording,
                                           const saros_primitive *row) {
    saros_profile_record *r = recording->entry->record, *found = NULL;
    pthread_mutex_lock(&lock);
    for (int k = 0; !found && k < EAGER_ROWS; ++k) {
        if (!r[k].row) {
            r[k].row = row;
            snprintf(r[k].name, sizeof r[k].name, "%s", row->name);
        }
        if (r[k].row == row) found = &r[k];
    }
    pthread_mutex_unlock(&lock);
    return found ? found : recording->profile->others->record;
}

/* ---- steps ---- */

static saros_profile_span *open_span(const saros_recording *recording,
                                     const saros_profile_record *record, int64_t begin) {
    saros_profile *p = recording->profile;
    if (!p->room) return NULL;
    const int64_t k = atomic_fetch_add_explicit(&p->spans, 1, memory_order_relaxed);
    if (k >= p->room) return NULL;
    if (!thread_number) thread_number = atomic_fetch_add(&threads, 1) + 1;
    p->span[k].entry = recording->entry;
    p->span[k].record = record;
    p->span[k].thread = thread_number;
    p->span[k].begin = begin;
    return &p->span[k];
}

static void add(atomic_int_least64_t *to, int64_t value) {
    atomic_fetch_add_explicit(to, value, memory_order_relaxed);
}

/** Steps of a function have fixed shapes, rows by themselves and what is thrown together do not. */
static void book_cost(saros_profile_record *r, bool fixed, const saros_evaluation *e) {
    int64_t operations, bytes;
    if (fixed && atomic_load_explicit(&r->cost, memory_order_acquire) == COST_KNOWN) {
        operations = atomic_load_explicit(&r->cost_operations, memory_order_relaxed);
        bytes = atomic_load_explicit(&r->cost_bytes, memory_order_relaxed);
    } else {
        saros_evaluation_cost(e, &operations, &bytes);
        atomic_store_explicit(&r->cost_operations, operations, memory_order_relaxed);
        atomic_store_explicit(&r->cost_bytes, bytes, memory_order_relaxed);
        if (e->outs && e->out[0] && e->out[0]->dtype == SAROS_F32) atomic_store(&r->f32, true);
        atomic_store_explicit(&r->cost, COST_KNOWN, memory_order_release);
    }
    add(&r->operations, operations);
    add(&r->bytes, bytes);
}

saros_status saros_recording_evaluate(const saros_recording *recording, int32_t s,
                                      const saros_evaluation *e) {
    saros_profile_entry *entry = recording->entry;
    const bool eager = entry == recording->profile->eager;
    saros_profile_record *r =
        eager ? record_of_row(recording, e->row) : &entry->record[entry->whole ? 0 : s];
    under_way here = {.outer = innermost};
    innermost = &here;
    const int64_t begin = nanoseconds();
    saros_profile_span *span = open_span(recording, r, begin);
    const saros_status status = e->row->evaluate(e);
    const int64_t end = nanoseconds();
    innermost = here.outer;
    if (innermost) innermost->inside += end - begin;
    if (span) atomic_store_explicit(&span->end, end, memory_order_release);
    add(&r->calls, 1);
    add(&r->whole, end - begin);
    add(&r->nanoseconds, end - begin - here.inside);
    if (saros_pool_is_shared() && !atomic_load_explicit(&r->parallel, memory_order_relaxed))
        atomic_store_explicit(&r->parallel, true, memory_order_relaxed);
    if (status == SAROS_OK) book_cost(r, !eager && !entry->whole, e);
    return status;
}
