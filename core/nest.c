/** Running a nest: blocks on the pool, tiles of loads that are not contiguous. */
#include <string.h>

#include "nest_impl.h"
#include "pool_impl.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef struct running {
    const saros_nest *s;
    saros_nest_code *code;
} running;

/** n elements equal to the first. */
static void repeat(char *to, size_t bytes, int64_t n) {
    size_t whole = (size_t)n * bytes;
    for (size_t done = bytes; done < whole; done *= 2)
        memcpy(to + done, to, whole - done < done ? whole - done : done);
}

/** Elements from which the sums of this block start. */
static void fill_neutral(const saros_nest *s, char *const *out, int64_t n) {
    for (int m = 0; m < s->outs; ++m) {
        if (!(s->reduces >> m & 1)) continue;
        memcpy(out[m], &s->neutral[m], (size_t)s->bytes[s->ins + m]);
        repeat(out[m], (size_t)s->bytes[s->ins + m], n);
    }
}

/** The operands of one call of the code. */
typedef struct call {
    const char *in[SAROS_NEST_LOADS];
    int64_t in_stride[SAROS_NEST_LOADS];
    char *out[SAROS_NEST_STORES];
    int64_t out_stride[SAROS_NEST_STORES];
} call;

/** Loads of the tile of m rows and n columns from (i, j) on. */
static void load_tile(const saros_nest *s, const call *all, char *buffer, int64_t i, int64_t j,
                      int64_t m, int64_t n, call *c) {
    const int row = s->rank - 2, inner = s->rank - 1;
    for (int k = 0; k < s->ins; ++k) {
        const int64_t rows = s->stride[k][row], columns = s->stride[k][inner];
        const char *from = all->in[k] + i * rows + j * columns;
        c->in[k] = from;
        c->in_stride[k] = rows;
        if (!(s->staged >> k & 1)) continue;
        int64_t pitch = s->flat ? n * s->bytes[k] : saros_tile_pitch(n, s->bytes[k]);
        bool held = s->flat && i > 0 && rows == 0; /* the rows of the first tile are these */
        if (!held) saros_tile_read(buffer, pitch, from, rows, columns, m, n, s->bytes[k]);
        c->in[k] = buffer;
        c->in_stride[k] = pitch;
        buffer += s->slot;
    }
    for (int k = 0; k < s->outs; ++k) {
        if (s->taken >> k & 1) {
            c->out[k] = buffer;
            c->out_stride[k] = saros_tile_pitch(n, s->bytes[s->ins + k]);
            buffer += s->slot;
            continue;
        }
        c->out_stride[k] = s->stride[s->ins + k][row];
        c->out[k] = all->out[k] + i * c->out_stride[k] + j * s->stride[s->ins + k][inner];
    }
}

/* ---- copies ---- */

static void copy_row(char *to, const char *from, size_t n, bool streams) {
#ifdef __SSE2__
    for (; streams && n >= 64; n -= 64, to += 64, from += 64)
        for (int k = 0; k < 4; ++k)
            _mm_stream_si128((__m128i *)(void *)to + k,
                             _mm_loadu_si128((const __m128i *)(const void *)from + k));
#else
    (void)streams;
#endif
    memcpy(to, from, n);
}

/** One element all over, a line at a time. */
static void fill_row(char *to, const char *element, size_t bytes, size_t n, bool streams) {
    _Alignas(64) char line[512];
    memcpy(line, element, bytes);
    repeat(line, bytes, (int64_t)((n < sizeof line ? n : sizeof line) / bytes));
    for (; n > sizeof line; n -= sizeof line, to += sizeof line)
        copy_row(to, line, sizeof line, streams);
    copy_row(to, line, n, streams);
}

static void copy_rows(const saros_nest *s, int64_t m, int64_t n, const call *c) {
    const size_t bytes = (size_t)s->bytes[0];
    for (int64_t i = 0; i < m; ++i) {
        char *to = c->out[0] + i * c->out_stride[0];
        const char *from = c->in[0] + i * c->in_stride[0];
        if (s->still)
            fill_row(to, from, bytes, (size_t)n * bytes, s->streams);
        else
            copy_row(to, from, (size_t)n * bytes, s->streams);
    }
#ifdef __SSE2__
    if (s->streams) _mm_sfence();
#endif
}

/* ---- blocks ---- */

static void run_code(const running *r, int64_t m, int64_t n, const call *c) {
    if (r->code)
        r->code(m, n, c->in, c->in_stride, c->out, c->out_stride);
    else
        copy_rows(r->s, m, n, c);
}

/** Hands over m rows of n elements of a tile. */
static void take_rows(const saros_nest *s, int64_t m, int64_t n, const call *c) {
    const saros_nest_taker *t = s->taker;
    const int number = s->outs - 1;
    saros_elements operand[SAROS_NEST_OPERANDS];
    for (int64_t i = 0; i < m; ++i) {
        for (int k = 0; k < t->operands; ++k) {
            const int j = t->from[k];
            operand[k].from = j < s->ins ? c->in[j] + i * c->in_stride[j]
                                         : c->out[j - s->ins] + i * c->out_stride[j - s->ins];
            operand[k].still = j < s->ins && s->still >> j & 1;
        }
        const int64_t first = c->out[number] + i * c->out_stride[number] - s->output;
        t->take(t->attribute, first, n, operand, s->output);
    }
}

static void run_tiles(const running *r, const call *all, int64_t m, int64_t n) {
    const saros_nest *s = r->s;
    _Alignas(64) char buffer[SAROS_NEST_BUFFER];
    call c;
    for (int64_t i = 0; i < m; i += s->tile[0])
        for (int64_t j = 0; j < n; j += s->tile[1]) {
            int64_t rows = m - i < s->tile[0] ? m - i : s->tile[0];
            int64_t columns = n - j < s->tile[1] ? n - j : s->tile[1];
            load_tile(s, all, buffer, i, j, rows, columns, &c);
            const int64_t lines = s->flat ? 1 : rows, run = s->flat ? rows * columns : columns;
            run_code(r, lines, run, &c);
            if (s->taker) take_rows(s, lines, run, &c);
        }
}

/** The block at `index`, whose operands are those of `c`. */
static void run_block(const running *r, const int64_t *index, const call *c) {
    const saros_nest *s = r->s;
    const int row = s->rank - 2, inner = s->rank - 1;
    int64_t m = s->extent[row] - index[row] * s->block[0];
    int64_t n = s->extent[inner] - index[inner] * s->block[1];
    if (m > s->block[0]) m = s->block[0];
    if (n > s->block[1]) n = s->block[1];
    if (s->mode == SAROS_NEST_COLUMNS) fill_neutral(s, c->out, n);
    if (s->staged || s->taker)
        run_tiles(r, c, m, n);
    else
        run_code(r, s->flat ? 1 : m, s->flat ? m * n : n, c);
}

static void move(const saros_nest *s, call *c, int axis, int64_t blocks) {
    for (int k = 0; k < s->ins; ++k) c->in[k] += blocks * s->step[k][axis];
    for (int m = 0; m < s->outs; ++m) c->out[m] += blocks * s->step[s->ins + m][axis];
}

static saros_status run_task(void *user, int64_t task) {
    const running *r = user;
    const saros_nest *s = r->s;
    int64_t index[SAROS_NEST_AXES];
    call c;
    int64_t block = task * s->per_task, end = block + s->per_task, rest = block;
    if (end > s->blocks) end = s->blocks;
    for (int k = 0; k < s->ins; ++k) {
        c.in[k] = s->base[k];
        c.in_stride[k] = s->stride[k][s->rank - 2];
    }
    for (int m = 0; m < s->outs; ++m) {
        c.out[m] = s->base[s->ins + m];
        c.out_stride[m] = s->stride[s->ins + m][s->rank - 2];
    }
    for (int a = s->rank - 1; a >= 0; --a) {
        index[a] = rest % s->count[a];
        rest /= s->count[a];
        if (index[a]) move(s, &c, a, index[a]);
    }
    for (;;) {
        run_block(r, index, &c);
        if (++block == end) return SAROS_OK;
        int a = s->rank - 1;
        for (; index[a] + 1 == s->count[a]; --a) {
            move(s, &c, a, -index[a]);
            index[a] = 0;
        }
        move(s, &c, a, 1);
        index[a]++;
    }
}

saros_status saros_nest_run_task(const saros_nest *s, saros_nest_code *code, int64_t task) {
    running r = {s, code};
    return run_task(&r, task);
}

saros_status saros_nest_run(const saros_nest *s, saros_nest_code *code) {
    running r = {s, code};
    if (s->tasks == 1) return run_task(&r, 0);
    if (s->mode != SAROS_NEST_POINTWISE) return saros_pool_run(s->tasks, run_task, &r);
    double all = s->nanoseconds;
    for (int a = 0; a < s->rank; ++a) all *= (double)s->extent[a];
    return saros_pool_run_small(s->tasks, run_task, &r, all);
}
