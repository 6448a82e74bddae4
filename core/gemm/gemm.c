/** Products of matrices: which method, and large ones in tiles for the threads of the pool.
 *
 *  Up to a width of 512 libxsmm's code runs on tiles of 128 x 128, k cut into pieces that keep a
 * tile's operands in the second-level cache; it packs nothing, which pays until strides grow long.
 * Wider products and layouts for which it has no code go to BLAS in tiles large enough for its
 * packing. The grid of tiles follows from the shape, so results do not depend on the threads.
 */
#include "gemm/gemm_impl.h"
#include "saros/pool.h"

enum {
    SMALL_TILE = 128, /* its tiles, and the least sides they are cut to */
    SMALL_SIDE = 32,
    SMALL_K = 256,    /* contracted at a time, where k is longer than 3/2 of it */
    LARGE_TILE = 512, /* BLAS */
    LARGE_SIDE = 128,
    ENOUGH = 4,      /* tiles for the threads of a product worth sharing */
    SHARED = 1 << 21 /* multiplications and additions from which sharing pays */
};

typedef struct grid {
    const saros_gemm *whole;
    int64_t m, n, columns; /* sides of a tile; tiles in a row of them */
    bool small;
} grid;

static const void *at(const void *data, saros_dtype dtype, int64_t elements) {
    return (const char *)data + elements * (int64_t)saros_dtype_bytes(dtype);
}

/** Rows i … i+m, columns j … j+n of c, contracted over l … l+k. */
static saros_gemm part(const saros_gemm *g, int64_t i, int64_t m, int64_t j, int64_t n, int64_t l,
                       int64_t k) {
    saros_gemm tile = *g;
    tile.m = m;
    tile.n = n;
    tile.k = k;
    tile.a = at(g->a, g->dtype, g->a_columns ? i + l * g->lda : l + i * g->lda);
    tile.b = at(g->b, g->dtype, g->b_columns ? l + j * g->ldb : j + l * g->ldb);
    tile.c = (char *)g->c + (i * g->ldc + j) * (int64_t)saros_dtype_bytes(g->dtype);
    tile.add = g->add || l > 0;
    return tile;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static saros_status run_tile(void *user, int64_t task) {
    const grid *to = user;
    const saros_gemm *g = to->whole;
    const int64_t i = task / to->columns * to->m, j = task % to->columns * to->n;
    const int64_t m = least(to->m, g->m - i), n = least(to->n, g->n - j);
    const int64_t piece = to->small && 2 * g->k > 3 * SMALL_K ? SMALL_K : g->k;
    for (int64_t l = 0; l < g->k; l += piece) {
        const saros_gemm tile = part(g, i, m, j, n, l, least(piece, g->k - l));
        if (!to->small || !saros_gemm_small(&tile)) saros_gemm_blas(&tile);
    }
    return SAROS_OK;
}

static int64_t tiles(const grid *to) {
    return (to->whole->m + to->m - 1) / to->m * to->columns;
}

/** Halves the longer side of the tiles until there are enough of them to share. */
static void refine(grid *to, int64_t side) {
    const saros_gemm *g = to->whole;
    to->m = least(to->m, g->m);
    to->n = least(to->n, g->n);
    to->columns = (g->n + to->n - 1) / to->n;
    while (tiles(to) < ENOUGH && 2 * to->m * to->n * g->k > SHARED) {
        int64_t *longer = to->m >= to->n ? &to->m : &to->n;
        if (*longer < 2 * side) return;
        *longer = (*longer + 1) / 2;
        to->columns = (g->n + to->n - 1) / to->n;
    }
}

saros_status saros_gemm_run(const saros_gemm *g) {
    if (g->k <= SAROS_GEMM_SHORT && !g->add) {
        saros_gemm_short(g);
        return SAROS_OK;
    }
    grid to = {.whole = g, .m = g->m, .n = g->n, .columns = 1};
    to.small = g->m > 1 && g->n > 1 && g->n <= SAROS_GEMM_WIDTH && saros_gemm_small_can(g);
    if (to.small) to.m = to.n = SMALL_TILE;
    if (2 * g->m * g->n * g->k > SHARED && g->m > 1 && g->n > 1) {
        if (!to.small) to.m = to.n = LARGE_TILE;
        refine(&to, to.small ? SMALL_SIDE : LARGE_SIDE);
        return saros_pool_run(tiles(&to), run_tile, &to);
    }
    to.m = least(to.m, g->m);
    to.n = least(to.n, g->n);
    to.columns = (g->n + to.n - 1) / to.n;
    for (int64_t task = 0; task < tiles(&to); ++task) (void)run_tile(&to, task);
    return SAROS_OK;
}
