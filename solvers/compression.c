/** How the values of a sparse matrix are made from the scales of its terms, without an index per
 * value.
 *
 *  A row's program says which scale each of its entries takes, or is the sum of. On a grid almost
 * all rows of a sort have the same one, so that rows are runs of `period` programs that repeat
 * (the unknowns of a node, say): a run is filled entry by entry, each an array copied with a
 * stride. Runs are listed by the elements they are made from, so that values can be written for any
 * range of elements (compress.c).
 */
#include "compression_impl.h"

#include <string.h>

#include "row_programs_impl.h"
#include "saros/memory.h"

void saros_compression_release(saros_compression *c) {
    if (!c) return;
    saros_sparsity_release(c->pattern);
    saros_release(c->scale);
    saros_release(c->number);
    saros_release(c->operand);
    saros_release(c->copy);
    saros_release(c->block);
    saros_release(c->group);
    saros_release(c->run);
    saros_release(c->bucket);
    saros_release(c->listed);
    saros_release(c);
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
    for (int d = 2;
         d <= SAROS_COMPRESSION_PERIOD && *covered < 16 && row + 2 * d <= r->programs->rows; ++d) {
        int64_t apart, more = repeated(r, row, d, &apart);
        if (more < 4 * d || more <= *covered) continue;
        best = d;
        *covered = more;
        *step = apart;
    }
    return best;
}

/** Appends the copies of a row of the period. */
static void put_copies(saros_compression *c, const saros_row_programs *p,
                       const saros_row_program *of, int64_t width) {
    const saros_row_op *op = p->op + of->first;
    for (int k = 0; k < of->ops; ++k)
        c->copy[c->copies++] =
            (saros_compression_copy){.to = (int32_t)width + op[k].entry,
                                     .stream = op[k].stream,
                                     .add = k > 0 && op[k].entry == op[k - 1].entry};
}

/** Copies from k on, before `end`, that go to consecutive values and are not added up. */
static int side_by_side(const saros_compression *c, int k, int end) {
    const saros_compression_copy *copy = c->copy;
    int last = k;
    while (last < end && !copy[last].add && copy[last].to == copy[k].to + (last - k) &&
           !(last + 1 < end && copy[last + 1].add))
        ++last;
    return last - k;
}

/** Puts the copies from k to end - 1 into blocks; some of the last four may be written twice. */
static void put_blocks(saros_compression *c, int k, int end) {
    for (int run; k<end; k += run> 0 ? run : 1) {
        run = side_by_side(c, k, end);
        if (run == 0) c->block[c->blocks++] = (saros_compression_block){k, 1};
        for (int at = 0; at < run; at += 4) {
            const int left = run - at, count = run < 4 ? run : 4;
            c->block[c->blocks++] =
                (saros_compression_block){k + (left < count ? run - count : at), count};
        }
    }
}

/** Copies of the programs of `d` rows from `row` on; `only` >= 0: of this one among them. */
static saros_status group_make(saros_compression *c, const saros_row_programs *p, int64_t row,
                               int d, int only, int *index) {
    const int32_t *program = p->of_row + row;
    for (int k = c->groups - 1; k >= 0 && k >= c->groups - 64; --k)
        if (c->group[k].rows == d && c->group[k].only == only &&
            !memcmp(c->group[k].program, program, (size_t)d * sizeof *program)) {
            *index = k;
            return SAROS_OK;
        }
    int64_t copies = c->copies;
    for (int r = 0; r < d; ++r) copies += p->program[program[r]].ops;
    if (!grow((void **)&c->group, &c->group_room, c->groups + 1, sizeof *c->group) ||
        !grow((void **)&c->copy, &c->copy_room, copies, sizeof *c->copy) ||
        !grow((void **)&c->block, &c->block_room, copies - c->copies + c->blocks, sizeof *c->block))
        return SAROS_ERR_MEMORY;
    saros_compression_group *made = &c->group[c->groups];
    *made = (saros_compression_group){.rows = d, .only = only, .first = c->blocks};
    const int begun = c->copies;
    memcpy(made->program, program, (size_t)d * sizeof *program);
    for (int r = 0; r < d; ++r) {
        const saros_row_program *of = &p->program[program[r]];
        if (only < 0 || only == r) put_copies(c, p, of, made->width);
        made->width += of->entries;
    }
    put_blocks(c, begun, c->copies);
    made->blocks = c->blocks - made->first;
    *index = c->groups++;
    return SAROS_OK;
}

static bool one_element(const rows *r, int64_t row, int d) {
    for (int k = 1; k < d; ++k)
        if (r->element[row + k] != r->element[row]) return false;
    return true;
}

/** Adds the run of `periods` periods of d rows: row by row, if they are not made from the same
 * element. */
static saros_status run_add(saros_compression *c, const rows *r, int64_t row, int d,
                            int64_t periods, int64_t step) {
    const bool whole = one_element(r, row, d);
    saros_status status = SAROS_OK;
    for (int k = 0; k < (whole ? 1 : d); ++k) {
        if (!grow((void **)&c->run, &c->run_room, c->runs + 1, sizeof *c->run))
            return SAROS_ERR_MEMORY;
        saros_compression_run *made = &c->run[c->runs];
        *made = (saros_compression_run){.value = saros_sparsity_rows(c->pattern)[row],
                                        .count = periods,
                                        .step = step,
                                        .element = r->element[row + k]};
        SAROS_TRY(group_make(c, r->programs, row, d, whole ? -1 : k, &made->group));
        c->runs++;
    }
done:
    return status;
}

static saros_status runs_make(saros_compression *c, const saros_jacobian_terms *terms,
                              const saros_row_programs *programs) {
    saros_status status = SAROS_OK;
    rows r = {programs, saros_allocate((size_t)(terms->rows + 1) * sizeof *r.element)};
    if (!r.element) return SAROS_ERR_MEMORY;
    for (int64_t i = 0; i < terms->rows; ++i) r.element[i] = element_of(terms, i);
    for (int64_t row = 0, covered, step; row < terms->rows; row += covered) {
        int d = choose_period(&r, row, &covered, &step);
        SAROS_TRY(run_add(c, &r, row, d, covered / d, step));
    }
done:
    saros_release(r.element);
    return status;
}

/* ---- buckets ---- */

/** The quotient rounded up; b > 0. */
static int64_t quotient_up(int64_t a, int64_t b) {
    return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

void saros_compression_part(const saros_compression_run *r, int64_t from, int64_t to,
                            int64_t *first, int64_t *last) {
    const int64_t e = r->element, step = r->step;
    *first = *last = 0;
    if (step > 0) {
        *first = quotient_up(from - e, step);
        *last = quotient_up(to - e, step);
    } else if (step < 0) {
        *first = quotient_up(e - to + 1, -step);
        *last = quotient_up(e - from + 1, -step);
    } else if (e >= from && e < to) {
        *last = r->count;
    }
    if (*first < 0) *first = 0;
    if (*last > r->count) *last = r->count;
    if (*last < *first) *last = *first;
}

/** Adds the run to the buckets it has elements in, or counts it there if the list is not yet made.
 */
static void list_run(saros_compression *c, int64_t r) {
    const saros_compression_run *run = &c->run[r];
    const int64_t one = run->element, other = one + (run->count - 1) * run->step;
    const int64_t low = one < other ? one : other, high = one < other ? other : one;
    for (int64_t b = low / SAROS_COMPRESSION_BUCKET; b <= high / SAROS_COMPRESSION_BUCKET; ++b) {
        int64_t first, last;
        saros_compression_part(run, b * SAROS_COMPRESSION_BUCKET,
                               (b + 1) * SAROS_COMPRESSION_BUCKET, &first, &last);
        if (first >= last) continue;
        if (c->listed) c->listed[c->bucket[b]] = (int32_t)r;
        c->bucket[b]++;
    }
}

static saros_status buckets_make(saros_compression *c) {
    c->buckets = (c->elements + SAROS_COMPRESSION_BUCKET - 1) / SAROS_COMPRESSION_BUCKET;
    c->bucket = saros_allocate_zero((size_t)c->buckets + 1, sizeof *c->bucket);
    if (!c->bucket) return SAROS_ERR_MEMORY;
    for (int64_t r = 0; r < c->runs; ++r) list_run(c, r);
    int64_t total = 0;
    for (int64_t b = 0; b <= c->buckets; ++b) { /* counts become beginnings */
        const int64_t count = c->bucket[b];
        c->bucket[b] = total;
        total += count;
    }
    c->listed = saros_allocate((size_t)(total + 1) * sizeof *c->listed);
    if (!c->listed) return SAROS_ERR_MEMORY;
    for (int64_t r = 0; r < c->runs; ++r) list_run(c, r);
    memmove(c->bucket + 1, c->bucket, (size_t)c->buckets * sizeof *c->bucket);
    c->bucket[0] = 0;
    return SAROS_OK;
}

/* ---- streams ---- */

/** The stream of a scale: an operand, unless it is a number that is known. */
static int stream_of(saros_compression *c, saros_value scale) {
    int k = 0;
    while (k < c->streams && !saros_same(c->scale[k], scale)) ++k;
    if (k < c->streams) return k;
    c->scale[k] = scale;
    c->operand[k] = saros_value_is_splat(scale, &c->number[k]) ? -1 : c->operands++;
    c->arrays += c->operand[k] >= 0 && saros_value_rank(scale) > 0;
    return c->streams++;
}

/** Streams are the distinct scales; stream[t] that of term t of all pieces. */
static saros_status streams_make(saros_compression *c, const saros_jacobian_terms *terms,
                                 int *stream) {
    size_t count = (size_t)terms->count + 1;
    c->scale = saros_allocate(count * sizeof *c->scale);
    c->number = saros_allocate(count * sizeof *c->number);
    c->operand = saros_allocate(count * sizeof *c->operand);
    if (!c->scale || !c->number || !c->operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < terms->pieces; ++k)
        for (int t = 0; t < terms->piece[k].count; ++t)
            *stream++ = stream_of(c, terms->piece[k].of[t].scale);
    return SAROS_OK;
}

/** The shape that all arrays among the operands have; `whole`: it is that of all pieces too. */
static void find_shape(saros_compression *c, const saros_jacobian_terms *terms) {
    c->whole = c->arrays > 0;
    for (int k = 0, seen = 0; k < c->streams && c->whole; ++k) {
        if (c->operand[k] < 0 || saros_value_rank(c->scale[k]) == 0) continue;
        const saros_type *type = saros_value_type(c->scale[k]);
        if (seen++ == 0) c->type = *type;
        c->whole = saros_type_equal(type, &c->type);
    }
    for (int k = 0; k < terms->pieces; ++k) {
        const int64_t count = terms->piece[k + 1].first - terms->piece[k].first;
        if (count > c->elements) c->elements = count;
        c->whole = c->whole && count == saros_type_count(&c->type);
    }
}

saros_status saros_compression_make(const saros_jacobian_terms *terms, saros_sparsity *pattern,
                                    saros_compression **out) {
    saros_status status = SAROS_OK;
    saros_row_programs programs = {0};
    saros_compression *c = saros_allocate_zero(1, sizeof *c);
    int *stream = saros_allocate(((size_t)terms->count + 1) * sizeof *stream);
    if (!c || !stream) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(streams_make(c, terms, stream));
    find_shape(c, terms);
    c->pattern = saros_sparsity_retain(pattern);
    SAROS_TRY(saros_row_programs_make(terms, stream, &c->pattern, &programs));
    SAROS_TRY(runs_make(c, terms, &programs));
    SAROS_TRY(buckets_make(c));
    *out = c;
    c = NULL;
done:
    saros_row_programs_clear(&programs);
    saros_release(stream);
    saros_compression_release(c);
    return status;
}
