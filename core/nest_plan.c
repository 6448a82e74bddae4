/** Planning of a nest: which axes the code gets, what is read by tiles, where blocks end.
 *
 *  The inner axis must be one along which full stores are contiguous. Without such stores a
 * reduction may take any reduced axis or the last that is kept, so a sum over a transposed array
 * reads it as it lies. Reduced results are in rows of the last kept axes: those never change
 * order. */
#include <string.h>

#include "nest_impl.h"

enum {
    NARROW = 16,           /* inner extents below do not fill vectors */
    RUN = 2048,            /* elements of a row that are reduced at a stretch */
    ROWS = 256,            /* rows that are added at a stretch */
    CACHED = 4096,         /* columns to which they are added: these stay in first-level cache */
    TILE = 64,             /* rows of a tile, and columns at least */
    TALL = 512,            /* rows of a tile of one operand: a page of doubles at a stretch */
    FEW = 32,              /* its columns at least: whole lines are stored */
    TILES = 69632,         /* bytes of all other tiles: 64 rows of 128 doubles */
    TAKEN = 256,           /* elements of a tile that is taken: all tiles stay in the first cache */
    TASK = 10000,          /* nanoseconds of a task, at least */
    SMALL = 2000,          /* of one for threads that are awake */
    LAST_LEVEL = 32 << 20, /* bytes of stores from which bypassing the caches pays */
    TASKS = 128            /* about as many at most */
};

static int operands(const saros_nest *s) {
    return s->ins + s->outs;
}

/* ---- axes ---- */

static void copy_axis(saros_nest *s, int to, int from) {
    s->extent[to] = s->extent[from];
    s->reduced[to] = s->reduced[from];
    for (int k = 0; k < operands(s); ++k) s->stride[k][to] = s->stride[k][from];
}

static void move_axis(saros_nest *s, int from, int to) {
    const int spare = SAROS_NEST_AXES - 1, way = from < to ? 1 : -1;
    copy_axis(s, spare, from);
    for (int a = from; a != to; a += way) copy_axis(s, a, a + way);
    copy_axis(s, to, spare);
}

/** A last axis of one element, along which all that is stored and loaded is contiguous. */
static int append_axis(saros_nest *s, bool reduced) {
    s->extent[s->rank] = 1;
    s->reduced[s->rank] = reduced;
    for (int k = 0; k < operands(s); ++k) s->stride[k][s->rank] = s->bytes[k];
    return s->rank++;
}

static bool merges(const saros_nest *s, int a, int b) {
    if (s->reduced[a] != s->reduced[b]) return false;
    for (int k = 0; k < operands(s); ++k)
        if (s->stride[k][a] != s->stride[k][b] * s->extent[b]) return false;
    return true;
}

/** Drops axes of extent 1 and joins neighbours; false: no elements. */
static bool collapse(saros_nest *s) {
    int rank = 0;
    for (int a = 0; a < s->rank; ++a) {
        if (s->extent[a] == 0) return false;
        if (s->extent[a] == 1) continue;
        if (rank != a) copy_axis(s, rank, a);
        if (rank > 0 && merges(s, rank - 1, rank)) {
            int64_t whole = s->extent[rank - 1] * s->extent[rank];
            copy_axis(s, rank - 1, rank);
            s->extent[rank - 1] = whole;
        } else {
            rank++;
        }
    }
    s->rank = rank;
    return true;
}

static bool is_reduced(const saros_nest *s, int m) {
    return s->reduces >> m & 1;
}

static bool stores_run(const saros_nest *s, int axis) {
    for (int m = 0; m < s->outs; ++m)
        if (!is_reduced(s, m) && !(s->taken >> m & 1) &&
            s->stride[s->ins + m][axis] != s->bytes[s->ins + m])
            return false;
    return true;
}

static bool strided(const saros_nest *s, int k, int axis) {
    return s->stride[k][axis] != 0 && s->stride[k][axis] != s->bytes[k];
}

static int last_kept(const saros_nest *s) {
    int a = s->rank - 1;
    while (a >= 0 && s->reduced[a]) --a;
    return a;
}

/** The best inner axis, or -1. */
static int choose_inner(const saros_nest *s) {
    const int kept = last_kept(s);
    int best = -1, best_score = -1;
    for (int a = s->rank - 1; a >= 0; --a) {
        if ((!s->reduces && a < s->rank - 1) || (!s->reduced[a] && a != kept)) continue;
        if (!stores_run(s, a)) continue;
        bool runs = true;
        for (int k = 0; k < s->ins; ++k) runs &= !strided(s, k, a);
        int score = runs ? (s->extent[a] >= NARROW / 2 ? 3 : 1) : s->extent[a] >= NARROW ? 2 : 0;
        if (score <= best_score) continue;
        best = a;
        best_score = score;
    }
    return best;
}

/** Whether axis `a` may be the row axis: moving it must not change the order of kept axes. */
static bool may_be_row(const saros_nest *s, int inner, int a) {
    if (a == inner) return false;
    if (!s->reduces || s->reduced[a]) return true;
    return s->reduced[inner] && a == last_kept(s);
}

/** The row axis: one along which what is strided inside is contiguous, else for sums of columns
 * the longest, else the last. -1: none. */
static int choose_row(const saros_nest *s, int inner) {
    int best = -1, best_score = -1;
    for (int a = s->rank - 1; a >= 0; --a) {
        if (!may_be_row(s, inner, a)) continue;
        int score = 0;
        for (int k = 0; k < s->ins; ++k)
            score += strided(s, k, inner) && s->stride[k][a] == s->bytes[k];
        bool longer = best >= 0 && s->reduces && !s->reduced[inner] && score == best_score &&
                      s->extent[a] > s->extent[best];
        if (score <= best_score && !longer) continue;
        best = a;
        best_score = score;
    }
    return best;
}

static void arrange(saros_nest *s) {
    int inner = choose_inner(s);
    if (inner < 0) inner = append_axis(s, false);
    int row = choose_row(s, inner);
    if (row < 0) row = append_axis(s, s->reduces && !s->reduced[inner]);
    move_axis(s, inner, s->rank - 1);
    move_axis(s, row > inner ? row - 1 : row, s->rank - 2);
    const bool sums_rows = s->reduced[s->rank - 2], sums_inner = s->reduced[s->rank - 1];
    s->mode = SAROS_NEST_POINTWISE;
    if (s->reduces)
        s->mode = !sums_inner ? SAROS_NEST_COLUMNS : sums_rows ? SAROS_NEST_ALL : SAROS_NEST_ROWS;
}

/* ---- tiles ---- */

static int64_t within(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/** Whether operand k runs through the rows without a gap or stands still in them. */
static bool runs_through(const saros_nest *s, int k) {
    const int row = s->rank - 2, inner = s->rank - 1;
    return !strided(s, k, inner) && s->stride[k][row] == s->stride[k][inner] * s->extent[inner];
}

/** Whether long runs along the rows are turned at a time: memory gives pages faster than lines, and
 * the tile of one operand fits into the second-level cache. */
static bool is_tall(const saros_nest *s, int tiles) {
    return s->mode == SAROS_NEST_POINTWISE && !s->flat && !s->taker && tiles == 1 && s->ins == 1 &&
           s->extent[s->rank - 2] >= TALL;
}

static void choose_tiles(saros_nest *s) {
    const int row = s->rank - 2, inner = s->rank - 1;
    int tiles = 0, wide = 1;
    s->flat = s->mode == SAROS_NEST_POINTWISE && s->extent[inner] < NARROW && s->extent[row] > 1;
    for (int m = 0; m < s->outs && s->flat; ++m) s->flat = runs_through(s, s->ins + m);
    s->still = s->staged = 0;
    for (int k = 0; k < s->ins; ++k) {
        bool rests = s->stride[k][inner] == 0 && (!s->flat || s->stride[k][row] == 0);
        if (rests) {
            s->still |= UINT32_C(1) << k;
        } else if (s->flat ? !runs_through(s, k) : strided(s, k, inner)) {
            s->staged |= UINT32_C(1) << k;
            tiles++;
            if (s->bytes[k] > wide) wide = s->bytes[k];
        }
    }
    for (int m = 0; m < s->outs; ++m) {
        if (!(s->taken >> m & 1)) continue;
        tiles++;
        if (s->bytes[s->ins + m] > wide) wide = s->bytes[s->ins + m];
    }
    if (!tiles && !s->taker) return;
    if (!tiles) tiles = 1;
    const int64_t n = s->extent[inner];
    const bool tall = is_tall(s, tiles);
    const int64_t rows = tall ? TALL : TILE;
    const int64_t most = s->taker ? 1 : s->extent[row] < rows ? s->extent[row] : rows;
    s->slot = (tall ? SAROS_NEST_BUFFER : TILES) / tiles & ~INT64_C(63);
    int64_t fit = (s->slot / (s->reduced[inner] ? 16 : most) - 64) / wide & ~INT64_C(63);
    s->tile[1] = s->flat ? n
                         : within(fit, tall ? FEW : TILE,
                                  s->taker            ? TAKEN
                                  : s->reduced[inner] ? RUN
                                                      : CACHED);
    if (s->tile[1] > n) s->tile[1] = n;
    s->tile[0] = s->slot / (s->flat ? n * wide : saros_tile_pitch(s->tile[1], wide));
    if (s->flat && s->tile[0] > TILE) s->tile[0] &= ~INT64_C(63); /* stores begin on whole lines */
    if (s->taker) s->tile[0] = within(TAKEN / s->tile[1], 1, s->tile[0]);
}

/* ---- blocks ---- */

/** Rows and columns of a block of about `chunk` elements. */
static void choose_block(saros_nest *s, int64_t chunk) {
    const int64_t m = s->extent[s->rank - 2], n = s->extent[s->rank - 1];
    const bool tiled = s->staged || s->taker;
    int64_t rows = tiled || s->flat ? within(tiled ? s->tile[0] : TILE, 1, m) : 1,
            run = tiled ? s->tile[1] : RUN;
    if (s->mode == SAROS_NEST_COLUMNS) {
        s->block[0] = m < ROWS ? m : ROWS;
        s->block[1] = n < CACHED ? n : CACHED;
    } else if (s->mode == SAROS_NEST_POINTWISE) {
        bool cut = rows * n >= 2 * chunk && !s->flat;
        s->block[1] = cut ? within((chunk / rows + 63) & ~INT64_C(63), 1, n) : n;
        s->block[0] = within((chunk / s->block[1] + rows - 1) / rows * rows, 1, m);
    } else {
        s->block[1] = n <= (tiled ? run : 2 * run) ? n : run;
        if (s->mode == SAROS_NEST_ROWS)
            s->block[0] = within(chunk / s->block[1], 1, m);
        else
            s->block[0] = within(tiled ? rows : run / s->block[1], 1, m);
    }
}

static void choose_steps(saros_nest *s) {
    const int row = s->rank - 2, inner = s->rank - 1;
    s->blocks = 1;
    for (int a = 0; a < s->rank; ++a) {
        int64_t size = a < row ? 1 : s->block[a - row];
        s->count[a] = (s->extent[a] + size - 1) / size;
        s->blocks *= s->count[a];
        for (int k = 0; k < operands(s); ++k) s->step[k][a] = size * s->stride[k][a];
    }
    int64_t shape[SAROS_NEST_AXES], left = 1;
    uint32_t axes;
    int rank = saros_nest_partial(s, shape, &axes);
    for (int a = 0; a < rank; ++a)
        if (axes >> a & 1) left *= shape[a];
    s->direct = left == 1;
    for (int m = 0; m < s->outs && s->mode == SAROS_NEST_COLUMNS; ++m)
        if (is_reduced(s, m) && s->extent[inner] > 1)
            s->direct &= s->stride[s->ins + m][inner] == s->bytes[s->ins + m];
}

/** Whether stores should pass the caches by: they do not fit, and every row of every block begins
 * on a whole line. */
static bool should_stream(const saros_nest *s, double elements) {
    double bytes = 0;
    bool aligned = !s->flat || !s->staged || s->tile[0] % TILE == 0;
    for (int m = 0; m < s->outs; ++m) {
        const int k = s->ins + m;
        if (is_reduced(s, m)) continue;
        bytes += elements * s->bytes[k];
        aligned &= (uintptr_t)s->base[k] % 64 == 0;
        for (int a = 0; a < s->rank - (s->flat ? 2 : 1); ++a)
            aligned &= s->extent[a] == 1 || s->stride[k][a] % 64 == 0;
    }
    return aligned && !s->taker && bytes > LAST_LEVEL;
}

/** Elements of a task where none is reduced. Tasks are a multiple of four: two or four threads get
 * the same part of every array of a shape, whatever the kernel does, and find it in their caches.
 */
static int64_t even_chunk(const saros_nest *s, double elements, int64_t chunk) {
    const int64_t all = (int64_t)elements, many = all / chunk / 4 * 4 + 4;
    const int64_t tasks = !s->small ? many : elements * s->nanoseconds < 4 * SMALL ? 2 : 4;
    return (all + tasks - 1) / tasks;
}

bool saros_nest_plan(saros_nest *s) {
    if (!collapse(s)) return false;
    arrange(s);
    choose_tiles(s);
    double elements = 1;
    for (int a = 0; a < s->rank; ++a) elements *= (double)s->extent[a];
    s->streams = should_stream(s, elements);
    const double all = elements * s->nanoseconds;
    s->small = s->mode == SAROS_NEST_POINTWISE && all < 2 * TASK && all >= 2 * SMALL;
    int64_t chunk = (int64_t)(TASK / s->nanoseconds) + 1;
    if (s->mode == SAROS_NEST_POINTWISE && all >= 2 * SMALL) chunk = even_chunk(s, elements, chunk);
    if (elements > (double)chunk * TASKS) chunk = (int64_t)(elements / TASKS);
    choose_block(s, chunk);
    choose_steps(s);
    s->per_task = within(chunk / (s->block[0] * s->block[1]), 1, s->blocks);
    if (all < 2 * TASK && !s->small) s->per_task = s->blocks;
    s->tasks = (s->blocks + s->per_task - 1) / s->per_task;
    return true;
}

/* ---- partial results ---- */

int saros_nest_partial(const saros_nest *s, int64_t *shape, uint32_t *axes) {
    const int row = s->rank - 2, inner = s->rank - 1;
    *axes = 0;
    for (int a = 0; a < s->rank; ++a) {
        bool by_block =
            a == row ? s->mode != SAROS_NEST_ROWS : a == inner && s->mode != SAROS_NEST_COLUMNS;
        shape[a] = by_block ? s->count[a] : s->extent[a];
        if (a < row ? s->reduced[a] : by_block) *axes |= UINT32_C(1) << a;
    }
    return s->rank;
}

void saros_nest_redirect(saros_nest *s, int m, void *partial) {
    const int row = s->rank - 2, k = s->ins + m;
    int64_t shape[SAROS_NEST_AXES], next = s->bytes[k];
    uint32_t axes;
    for (int a = saros_nest_partial(s, shape, &axes) - 1; a >= 0; --a) {
        bool by_block = a >= row && axes >> a & 1;
        s->stride[k][a] = by_block ? 0 : next;
        s->step[k][a] = by_block || a < row ? next : next * s->block[a - row];
        next *= shape[a];
    }
    s->base[k] = partial;
}
