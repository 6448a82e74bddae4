/** Values of a sparse matrix from the scales of its terms, without an index per value.
 *
 *  A row's program says which scale each of its entries takes, or is the sum of. On a grid almost
 *  all rows of a sort have the same one, so that rows are runs of `period` programs that repeat
 *  (the unknowns of a node, say): a run is filled entry by entry, each an array copied with a
 * stride. Runs are cut into tasks that depend on the pattern alone.
 */
#include "compression_impl.h"

#include <string.h>

#include "row_programs_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"
#include "sparse_impl.h"

enum { MOST_PERIOD = 8, TASK_VALUES = 1 << 15, BLOCK = 64 };

/** One copy within a run: from scale `stream`, at the element of row `row` of the period, to value
 * `to`. */
typedef struct copy {
    int32_t to, row, stream; /**< stream -1: zero */
    bool add, pair;          /**< pair: the next copy goes to the value after this one */
} copy;

/** Rows whose programs repeat: `width` values. */
typedef struct group {
    int rows, first, copies; /**< copies: first … first + copies - 1 of the list */
    int32_t program[MOST_PERIOD];
    int64_t width;
} group;

typedef struct run {
    int64_t value, count, step;   /**< count: periods; step: elements from one to the next */
    int32_t element[MOST_PERIOD]; /**< of the rows of the first: where in its piece */
    int period;
} run;

struct saros_compression {
    saros_sparsity *pattern;
    int streams;
    saros_value *scale;
    bool *uniform;
    copy *copy;
    int copies, copy_room;
    group *period;
    int periods, period_room;
    run *run;
    int64_t runs, run_room;
    int64_t *task, tasks; /**< task t: runs task[t] … task[t + 1] - 1 */
};

void saros_compression_release(saros_compression *c) {
    if (!c) return;
    saros_sparsity_release(c->pattern);
    saros_release(c->scale);
    saros_release(c->uniform);
    saros_release(c->copy);
    saros_release(c->period);
    saros_release(c->run);
    saros_release(c->task);
    saros_release(c);
}

saros_sparsity *saros_compression_pattern(const saros_compression *c) {
    return c->pattern;
}
int saros_compression_streams(const saros_compression *c) {
    return c->streams;
}
const saros_value *saros_compression_scales(const saros_compression *c) {
    return c->scale;
}

/* ---- filling ---- */

/** Where a copy reads: numbers that are the same for all rows have step 0. */
typedef struct reading {
    const double *from;
    int64_t step;
} reading;

static void copy_one(reading r, bool add, int64_t width, int64_t count, double *to) {
    if (add)
        for (int64_t j = 0; j < count; ++j, to += width, r.from += r.step) *to += *r.from;
    else
        for (int64_t j = 0; j < count; ++j, to += width, r.from += r.step) *to = *r.from;
}

/** Two numbers at any address of a double. */
typedef double two __attribute__((vector_size(16), aligned(8), may_alias));

/* A store for two values: stores are what this loop is bound by. */
static void copy_two(reading a, reading b, int64_t width, int64_t count, double *to) {
    for (int64_t j = 0; j < count; ++j) {
        *(two *)to = (two){*a.from, *b.from};
        to += width;
        a.from += a.step;
        b.from += b.step;
    }
}

typedef struct filling {
    const saros_compression *c;
    const double **stream;
    double *values;
} filling;

static reading read_copy(const filling *f, const run *of, const copy *k, int64_t periods) {
    static const double zero = 0;
    if (k->stream < 0) return (reading){&zero, 0};
    if (f->c->uniform[k->stream]) return (reading){f->stream[k->stream], 0};
    return (reading){f->stream[k->stream] + of->element[k->row] + periods * of->step, of->step};
}

static saros_status fill_task(void *user, int64_t task) {
    const filling *f = user;
    const saros_compression *c = f->c;
    for (int64_t r = c->task[task]; r < c->task[task + 1]; ++r) {
        const run *of = &c->run[r];
        const group *p = &c->period[of->period];
        const copy *first = c->copy + p->first, *last = first + p->copies;
        for (int64_t j = 0; j < of->count; j += BLOCK) {
            int64_t count = of->count - j < BLOCK ? of->count - j : BLOCK;
            double *to = f->values + of->value + j * p->width;
            for (const copy *k = first; k < last; ++k) {
                reading a = read_copy(f, of, k, j);
                if (k->pair) {
                    copy_two(a, read_copy(f, of, k + 1, j), p->width, count, to + k->to);
                    ++k;
                } else {
                    copy_one(a, k->add, p->width, count, to + k->to);
                }
            }
        }
    }
    return SAROS_OK;
}

saros_status saros_compression_values(const saros_compression *c, const saros_function *scales,
                                      saros_tensor *const *in, double *values) {
    filling f = {.c = c, .values = values};
    saros_status status = SAROS_OK;
    f.stream = saros_allocate((size_t)(c->streams + 1) * sizeof *f.stream);
    saros_tensor **out = saros_allocate_zero((size_t)c->streams + 1, sizeof(saros_tensor *));
    if (!f.stream || !out) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_function_call(scales, in, out, NULL));
    for (int k = 0; k < c->streams; ++k) f.stream[k] = saros_tensor_const_data(out[k]);
    status = saros_pool_run(c->tasks, fill_task, &f);
done:
    for (int k = 0; out && k < c->streams; ++k) saros_tensor_release(out[k]);
    saros_release(out);
    saros_release(f.stream);
    return status;
}

/* ---- runs ---- */

static bool grow(void **list, int64_t *room, int64_t needed, size_t size) {
    if (needed <= *room) return true;
    int64_t wider = 2 * needed + 16;
    void *larger = saros_reallocate(*list, (size_t)wider * size);
    if (!larger) return false;
    *list = larger;
    *room = wider;
    return true;
}

/** Where row i of y lies in its piece. */
static int32_t element_of(const saros_jacobian_terms *terms, int64_t i) {
    const saros_jacobian_piece *piece = terms->piece;
    while (terms->element[i] >= piece[1].first) ++piece;
    return terms->element[i] - (int32_t)piece->first;
}

/** What runs are found in. */
typedef struct rows {
    const saros_row_programs *programs;
    int32_t *element; /* per row */
} rows;

/** Rows from `row` on that repeat the first d of them, with elements a fixed step apart. */
static int64_t repeated(const rows *r, int64_t row, int d, int64_t *step) {
    const int32_t *program = r->programs->of_row, *element = r->element;
    int64_t end = row + d, n = r->programs->rows;
    *step = end < n ? element[end] - element[row] : 0;
    while (end < n && program[end] == program[end - d] && element[end] - element[end - d] == *step)
        ++end;
    return (end - row) / d * d;
}

/** The period that covers most rows from `row` on. */
static int choose_period(const rows *r, int64_t row, int64_t *covered, int64_t *step) {
    int best = 1;
    *covered = repeated(r, row, 1, step);
    for (int d = 2; d <= MOST_PERIOD && *covered < 16 && row + 2 * d <= r->programs->rows; ++d) {
        int64_t apart, more = repeated(r, row, d, &apart);
        if (more < 4 * d || more <= *covered) continue;
        best = d;
        *covered = more;
        *step = apart;
    }
    return best;
}

/** Copies of the programs of `d` rows, one after the other. */
static saros_status period_make(saros_compression *c, const saros_row_programs *p, int64_t row,
                                int d, int *index) {
    const int32_t *program = p->of_row + row;
    for (int k = c->periods - 1; k >= 0 && k >= c->periods - 64; --k)
        if (c->period[k].rows == d &&
            !memcmp(c->period[k].program, program, (size_t)d * sizeof *program)) {
            *index = k;
            return SAROS_OK;
        }
    int64_t room = c->period_room, copy_room = c->copy_room, copies = c->copies;
    for (int r = 0; r < d; ++r) copies += p->program[program[r]].ops;
    if (!grow((void **)&c->period, &room, c->periods + 1, sizeof *c->period) ||
        !grow((void **)&c->copy, &copy_room, copies, sizeof *c->copy))
        return SAROS_ERR_MEMORY;
    c->period_room = (int)room;
    c->copy_room = (int)copy_room;
    group *made = &c->period[c->periods];
    *made = (group){.rows = d, .first = c->copies};
    memcpy(made->program, program, (size_t)d * sizeof *program);
    for (int r = 0; r < d; ++r) {
        const saros_row_program *of = &p->program[program[r]];
        const saros_row_op *op = p->op + of->first;
        for (int k = 0; k < of->ops; ++k)
            c->copy[c->copies++] = (copy){.to = (int32_t)made->width + op[k].entry,
                                          .row = r,
                                          .stream = op[k].stream,
                                          .add = k > 0 && op[k].entry == op[k - 1].entry};
        made->width += of->entries;
    }
    made->copies = c->copies - made->first;
    for (int k = made->first; k + 1 < c->copies; ++k) {
        copy *of = &c->copy[k], *after = of + 1;
        bool added_to = k + 2 < c->copies && (after[1].add && after[1].to == after->to);
        of->pair = !of->add && !after->add && !added_to;
        k += of->pair;
    }
    *index = c->periods++;
    return SAROS_OK;
}

/** Adds the run of `periods` periods from `row` on, cut where tasks may be. */
static saros_status run_add(saros_compression *c, const rows *r, int64_t row, int period,
                            int64_t periods, int64_t step) {
    const group *p = &c->period[period];
    int64_t most = TASK_VALUES / (p->width + 1) + 1, value = c->pattern->row[row];
    for (int64_t done = 0; done < periods; done += most) {
        if (!grow((void **)&c->run, &c->run_room, c->runs + 1, sizeof *c->run))
            return SAROS_ERR_MEMORY;
        run *made = &c->run[c->runs++];
        *made = (run){.value = value + done * p->width,
                      .count = periods - done < most ? periods - done : most,
                      .step = step,
                      .period = period};
        for (int k = 0; k < p->rows; ++k)
            made->element[k] = r->element[row + k] + (int32_t)(done * step);
    }
    return SAROS_OK;
}

static saros_status runs_make(saros_compression *c, const saros_jacobian_terms *terms,
                              const saros_row_programs *programs) {
    saros_status status = SAROS_OK;
    rows r = {programs, saros_allocate((size_t)(terms->rows + 1) * sizeof *r.element)};
    if (!r.element) return SAROS_ERR_MEMORY;
    for (int64_t i = 0; i < terms->rows; ++i) r.element[i] = element_of(terms, i);
    for (int64_t row = 0, covered, step; row < terms->rows; row += covered) {
        int d = choose_period(&r, row, &covered, &step), period = 0;
        SAROS_TRY(period_make(c, programs, row, d, &period));
        SAROS_TRY(run_add(c, &r, row, period, covered / d, step));
    }
done:
    saros_release(r.element);
    return status;
}

static saros_status tasks_make(saros_compression *c) {
    c->task = saros_allocate((size_t)(c->runs + 2) * sizeof *c->task);
    if (!c->task) return SAROS_ERR_MEMORY;
    int64_t values = TASK_VALUES;
    for (int64_t r = 0; r < c->runs; ++r) {
        if (values >= TASK_VALUES) {
            c->task[c->tasks++] = r;
            values = 0;
        }
        values += c->run[r].count * c->period[c->run[r].period].width;
    }
    c->task[c->tasks] = c->runs;
    return SAROS_OK;
}

/** The stream of a scale. */
static int stream_of(saros_compression *c, saros_value scale) {
    int k = 0;
    while (k < c->streams && !saros_same(c->scale[k], scale)) ++k;
    if (k < c->streams) return k;
    c->scale[k] = scale;
    c->uniform[k] = saros_value_rank(scale) == 0;
    return c->streams++;
}

/** Streams are the distinct scales; stream[t] that of term t of all pieces. */
static saros_status streams_make(saros_compression *c, const saros_jacobian_terms *terms,
                                 int *stream) {
    size_t count = (size_t)terms->count + 1;
    c->scale = saros_allocate(count * sizeof *c->scale);
    c->uniform = saros_allocate(count * sizeof *c->uniform);
    if (!c->scale || !c->uniform) return SAROS_ERR_MEMORY;
    for (int k = 0; k < terms->pieces; ++k)
        for (int t = 0; t < terms->piece[k].count; ++t)
            *stream++ = stream_of(c, terms->piece[k].of[t].scale);
    return SAROS_OK;
}

saros_status saros_compression_make(const saros_jacobian_terms *terms, saros_sparsity *pattern,
                                    saros_compression **out) {
    saros_status status = SAROS_OK;
    saros_row_programs programs = {0};
    saros_compression *c = saros_allocate_zero(1, sizeof *c);
    int *stream = saros_allocate(((size_t)terms->count + 1) * sizeof *stream);
    if (!c || !stream) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(streams_make(c, terms, stream));
    c->pattern = saros_sparsity_retain(pattern);
    SAROS_TRY(saros_row_programs_make(terms, stream, &c->pattern, &programs));
    SAROS_TRY(runs_make(c, terms, &programs));
    SAROS_TRY(tasks_make(c));
    *out = c;
    c = NULL;
done:
    saros_row_programs_clear(&programs);
    saros_release(stream);
    saros_compression_release(c);
    return status;
}
