/** Row programs: the entries of a row and the scales they take, sorted by column, each sort of row
 * kept once in a hash table. */
#include "row_programs_impl.h"

#include <string.h>

#include "saros/memory.h"

/** An entry of the row under way: a column, and the scale of a term (-1: none, for the diagonal).
 */
typedef struct item {
    int64_t column;
    int32_t stream;
} item;

typedef struct making {
    const saros_jacobian_terms *terms;
    const int *stream;
    const saros_sparsity *given;
    saros_row_programs *p;
    item *item; /* of one row */
    saros_row_op *op;
    int ops, entries;
    int64_t *row, *column, room; /* the pattern, where none is given */
} making;

void saros_row_programs_clear(saros_row_programs *p) {
    saros_release(p->of_row);
    saros_release(p->program);
    saros_release(p->op);
    saros_release(p->slot);
    *p = (saros_row_programs){0};
}

/** Adds an item; equal columns stay in the order in which they came. */
static void insert(const making *m, int *count, item what) {
    int at = (*count)++;
    for (; at > 0 && m->item[at - 1].column > what.column; --at) m->item[at] = m->item[at - 1];
    m->item[at] = what;
}

/** The items of row i, sorted. */
static int collect(const making *m, int64_t i) {
    const saros_jacobian_terms *terms = m->terms;
    int count = 0, before = 0;
    const saros_jacobian_piece *piece = terms->piece;
    for (; terms->element[i] >= piece[1].first; ++piece) before += piece->count;
    for (int t = 0; t < piece->count; ++t) {
        int32_t column = piece->of[t].column[terms->element[i] - piece->first];
        if (column >= 0) insert(m, &count, (item){column, m->stream[before + t]});
    }
    if (!m->given) insert(m, &count, (item){i, -1});
    return count;
}

/** Entries in the order of the row itself; a diagonal that terms have too needs no zero. */
static saros_status own_row(making *m, int64_t i, int count) {
    int64_t begin = m->row[i];
    if (begin + count > m->room) {
        m->room = 2 * (begin + count) + 1024;
        int64_t *larger = saros_reallocate(m->column, (size_t)m->room * sizeof *larger);
        if (!larger) return SAROS_ERR_MEMORY;
        m->column = larger;
    }
    m->ops = m->entries = 0;
    for (int k = 0; k < count; ++k) {
        bool again = k > 0 && m->item[k].column == m->item[k - 1].column;
        if (!again) m->column[begin + m->entries++] = m->item[k].column;
        if (again && m->item[k].stream < 0) continue;
        m->op[m->ops++] = (saros_row_op){m->entries - 1, m->item[k].stream};
    }
    m->row[i + 1] = begin + m->entries;
    return SAROS_OK;
}

/** Entries in the order of the given pattern, zeros where no term is. */
static void given_row(making *m, int64_t i, int count) {
    const int64_t *row = saros_sparsity_rows(m->given);
    const int64_t *column = saros_sparsity_columns(m->given);
    int at = 0;
    m->ops = 0;
    m->entries = (int)(row[i + 1] - row[i]);
    for (int e = 0; e < m->entries; ++e) {
        int before = m->ops;
        while (at < count && m->item[at].column < column[row[i] + e]) ++at;
        for (; at < count && m->item[at].column == column[row[i] + e]; ++at)
            m->op[m->ops++] = (saros_row_op){e, m->item[at].stream};
        if (m->ops == before) m->op[m->ops++] = (saros_row_op){e, -1};
    }
}

/* ---- each kept once ---- */

static uint64_t hash_of(const making *m) {
    uint64_t h = (uint64_t)m->entries;
    for (int k = 0; k < m->ops; ++k) {
        h = (h ^ (uint64_t)(uint32_t)m->op[k].entry) * UINT64_C(6364136223846793005);
        h = (h ^ (uint64_t)(uint32_t)m->op[k].stream) * UINT64_C(6364136223846793005);
    }
    return h ^ h >> 31;
}

static bool same(const making *m, const saros_row_program *other, uint64_t hash) {
    return other->hash == hash && other->ops == m->ops && other->entries == m->entries &&
           !memcmp(m->p->op + other->first, m->op, (size_t)m->ops * sizeof *m->op);
}

static saros_status widen_table(saros_row_programs *p) {
    int32_t slots = p->slots ? 4 * p->slots : 256;
    int32_t *slot = saros_allocate((size_t)slots * sizeof *slot);
    if (!slot) return SAROS_ERR_MEMORY;
    memset(slot, -1, (size_t)slots * sizeof *slot);
    for (int32_t k = 0; k < p->programs; ++k) {
        uint64_t at = p->program[k].hash & (uint64_t)(slots - 1);
        while (slot[at] >= 0) at = (at + 1) & (uint64_t)(slots - 1);
        slot[at] = k;
    }
    saros_release(p->slot);
    p->slot = slot;
    p->slots = slots;
    return SAROS_OK;
}

static saros_status add(making *m, uint64_t hash) {
    saros_row_programs *p = m->p;
    if (p->programs == p->program_room) {
        int32_t room = 2 * p->programs + 64;
        saros_row_program *larger = saros_reallocate(p->program, (size_t)room * sizeof *larger);
        if (!larger) return SAROS_ERR_MEMORY;
        p->program = larger;
        p->program_room = room;
    }
    if (p->ops + m->ops > p->op_room) {
        int32_t room = 2 * (p->ops + m->ops) + 64;
        saros_row_op *larger = saros_reallocate(p->op, (size_t)room * sizeof *larger);
        if (!larger) return SAROS_ERR_MEMORY;
        p->op = larger;
        p->op_room = room;
    }
    memcpy(p->op + p->ops, m->op, (size_t)m->ops * sizeof *m->op);
    p->program[p->programs++] = (saros_row_program){hash, p->ops, m->ops, m->entries};
    p->ops += m->ops;
    return SAROS_OK;
}

/** The program of the row under way. */
static saros_status keep(making *m, int32_t *index) {
    saros_row_programs *p = m->p;
    saros_status status = SAROS_OK;
    if (2 * p->programs >= p->slots) SAROS_TRY(widen_table(p));
    uint64_t hash = hash_of(m), at = hash & (uint64_t)(p->slots - 1);
    for (; p->slot[at] >= 0; at = (at + 1) & (uint64_t)(p->slots - 1)) {
        *index = p->slot[at];
        if (same(m, &p->program[*index], hash)) return SAROS_OK;
    }
    *index = p->programs;
    SAROS_TRY(add(m, hash));
    p->slot[at] = *index;
done:
    return status;
}

/* ---- */

static int64_t longest_row(const saros_sparsity *given) {
    const int64_t *row = saros_sparsity_rows(given);
    int64_t most = 0;
    for (int64_t i = 0; i < saros_sparsity_size(given); ++i)
        if (row[i + 1] - row[i] > most) most = row[i + 1] - row[i];
    return most;
}

static saros_status open(making *m) {
    int64_t n = m->terms->rows;
    size_t most = (size_t)m->terms->count + 1;
    m->item = saros_allocate(most * sizeof *m->item);
    if (m->given) most += (size_t)longest_row(m->given);
    m->op = saros_allocate(most * sizeof *m->op);
    m->row = saros_allocate_zero((size_t)n + 1, sizeof *m->row);
    m->p->of_row = saros_allocate((size_t)(n + 1) * sizeof *m->p->of_row);
    m->p->rows = n;
    return m->item && m->op && m->row && m->p->of_row ? SAROS_OK : SAROS_ERR_MEMORY;
}

saros_status saros_row_programs_make(const saros_jacobian_terms *terms, const int *stream,
                                     saros_sparsity **pattern, saros_row_programs *out) {
    making m = {.terms = terms, .stream = stream, .given = *pattern, .p = out};
    saros_status status = SAROS_OK;
    SAROS_TRY(open(&m));
    for (int64_t i = 0; i < terms->rows; ++i) {
        int count = collect(&m, i);
        if (m.given)
            given_row(&m, i, count);
        else
            SAROS_TRY(own_row(&m, i, count));
        SAROS_TRY(keep(&m, &out->of_row[i]));
    }
    if (!m.given) SAROS_TRY(saros_sparsity_make(terms->rows, m.row, m.column, pattern));
done:
    saros_release(m.item);
    saros_release(m.op);
    saros_release(m.row);
    saros_release(m.column);
    return status;
}
