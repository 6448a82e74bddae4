/** LU with partial pivoting of narrow bands, by plain loops: a row of a few numbers is done before
 * one call of LAPACK's, which makes several a column, has begun.
 *
 *  With kl entries below and ku above the diagonal a row has w = kl + ku + 1 places. Rows k … k+kl
 * are those that step k touches; each begins at column k, and moves one place to the left with
 * every step that it goes through:
 *
 *      swap row k with the row of the largest first entry;   l_r = first entry of r / that of k
 *      row r = row r - l_r row k
 *
 *  so that row k ends as that of U from its diagonal on, of which 1/u_kk is kept. A^-1 = U^-1 M_n …
 * M_1, M_k the swap and the elimination of step k; the transposed solve goes through it backwards.
 *
 *  Wide bands go to LAPACK (direct_lapack.c), which works in blocks.
 */
#include "direct_impl.h"

#include <math.h>
#include <string.h>

#include "saros/memory.h"

typedef struct narrow {
    double *u;    /* [n][w] */
    double *l;    /* [n][kl] */
    int8_t *swap; /* [n]: how far below the pivot of a step stood */
} narrow;

static void narrow_release(void *numbers) {
    narrow *f = numbers;
    saros_release(f->u);
    saros_release(f->swap);
    saros_release(f);
}

static narrow *narrow_make(int64_t n, int kl, int w) {
    narrow *f = saros_allocate_zero(1, sizeof *f);
    if (!f) return NULL;
    f->u = saros_allocate((size_t)(n * (w + kl)) * sizeof *f->u);
    f->swap = saros_allocate((size_t)n);
    if (f->u && f->swap) {
        f->l = f->u + n * w;
        return f;
    }
    narrow_release(f);
    return NULL;
}

/* Rows by their columns; the first kl ones already where step 0 wants them. */
static void fill_rows(const saros_sparsity *pattern, const double *values, int kl, int w,
                      double *u) {
    const int64_t n = saros_sparsity_size(pattern);
    const int64_t *row = saros_sparsity_rows(pattern), *column = saros_sparsity_columns(pattern);
    memset(u, 0, (size_t)(n * w) * sizeof *u);
    for (int64_t i = 0; i < n; ++i) {
        double *to = u + i * w - (i > kl ? i - kl : 0);
        for (int64_t k = row[i]; k < row[i + 1]; ++k) to[column[k]] = values[k];
    }
}

/* One step, on the rows below that there are. */
static inline void eliminate_row(double *u, double *l, int8_t *swap, int below, int w) {
    int at = 0;
    for (int r = 1; r <= below; ++r)
        if (fabs(u[r * w]) > fabs(u[at * w])) at = r;
    *swap = (int8_t)at;
    for (int c = 0; at && c < w; ++c) {
        const double held = u[c];
        u[c] = u[at * w + c];
        u[at * w + c] = held;
    }
    const double inverse = 1 / u[0];
    for (int r = 1; r <= below; ++r) {
        double *v = u + r * w;
        const double factor = l[r - 1] = v[0] * inverse;
        for (int c = 1; c < w; ++c) v[c - 1] = v[c] - factor * u[c];
        v[w - 1] = 0;
    }
    u[0] = inverse;
}

/* Constants for kl and w make loops that the compiler unrolls. */
static inline void eliminate(const narrow *f, int64_t n, int kl, int w) {
    int64_t k = 0;
    for (; k + kl < n; ++k) eliminate_row(f->u + k * w, f->l + k * kl, f->swap + k, kl, w);
    memset(f->l + k * kl, 0, (size_t)((n - k) * kl) * sizeof *f->l);
    for (; k < n; ++k) eliminate_row(f->u + k * w, f->l + k * kl, f->swap + k, (int)(n - 1 - k), w);
}

/* x[0] and x[by], 1 <= by <= kl: without an index that varies x stays in registers. */
static inline void exchange(double *x, int kl, int by) {
    for (int r = 1; r <= kl; ++r)
        if (r == by) {
            const double held = x[0];
            x[0] = x[r];
            x[r] = held;
        }
}

/* The next `count` entries of b from `at` on, zeros beyond its end. */
static inline void load(const double *b, int64_t n, int64_t at, int count, double *x) {
    for (int r = 0; r < count; ++r) x[r] = at + r < n ? b[at + r] : 0;
}

/* b = A^-1 b. Entries on the way stand in x; places of U and L beyond the matrix are zero. */
static inline void solve_plain(const narrow *f, int64_t n, int kl, int w, double *restrict b) {
    double x[SAROS_NARROW + 1] = {0};
    load(b, n, 0, kl, x);
    for (int64_t k = 0; k < n; ++k) {
        const double *l = f->l + k * kl;
        load(b, n, k + kl, 1, x + kl);
        if (f->swap[k]) exchange(x, kl, f->swap[k]);
        b[k] = x[0];
        for (int r = 0; r < kl; ++r) x[r] = x[r + 1] - l[r] * b[k];
    }
    memset(x, 0, sizeof x);
    for (int64_t k = n - 1; k >= 0; --k) {
        const double *u = f->u + k * w;
        double sum = b[k];
        for (int c = w - 1; c > 0; --c) sum -= u[c] * x[c - 1]; /* the newest last */
        for (int c = w - 2; c > 0; --c) x[c] = x[c - 1];
        b[k] = x[0] = sum * u[0];
    }
}

/* b = A^-T b */
static inline void solve_transposed(const narrow *f, int64_t n, int kl, int w, double *restrict b) {
    double x[SAROS_NARROW + 1] = {0};
    load(b, n, 0, w - 1, x);
    for (int64_t k = 0; k < n; ++k) {
        const double *u = f->u + k * w;
        load(b, n, k + w - 1, 1, x + w - 1);
        b[k] = x[0] * u[0];
        for (int c = 1; c < w; ++c) x[c - 1] = x[c] - u[c] * b[k];
    }
    memset(x, 0, sizeof x);
    for (int64_t k = n - 1; k >= 0; --k) { /* x[1 …]: entries after k, which swaps still change */
        const double *l = f->l + k * kl;
        x[0] = b[k];
        for (int r = kl; r > 0; --r) x[0] -= l[r - 1] * x[r];
        if (f->swap[k]) exchange(x, kl, f->swap[k]);
        if (k + kl < n) b[k + kl] = x[kl];
        for (int r = kl; r > 0; --r) x[r] = x[r - 1];
    }
    for (int r = 1; r <= kl && r <= n; ++r) b[r - 1] = x[r];
}

/* min over max of the pivots; 0 if one is zero, NaN if one is not a number */
static double pivot_ratio(const double *inverse, int64_t step, int64_t n) {
    double smallest = INFINITY, largest = 0;
    for (int64_t k = 0; k < n; ++k) {
        const double size = fabs(inverse[k * step]);
        if (!(size >= smallest)) smallest = size;
        if (!(size <= largest)) largest = size;
    }
    return isinf(largest) ? 0 : smallest / largest;
}

static saros_status narrow_factorise(saros_sparsity *pattern, void *analysis, const double *values,
                                     void **numbers, double *pivots) {
    const int64_t n = saros_sparsity_size(pattern);
    int64_t lower, upper;
    (void)analysis;
    saros_sparsity_bandwidth(pattern, &lower, &upper);
    const int kl = (int)lower, w = (int)(lower + upper + 1);
    if (!*numbers && !(*numbers = narrow_make(n, kl, w))) return SAROS_ERR_MEMORY;
    const narrow *f = *numbers;
    fill_rows(pattern, values, kl, w, f->u);
    switch (w == 2 * kl + 1 ? kl : 0) {
    case 1:
        eliminate(f, n, 1, 3);
        break;
    case 2:
        eliminate(f, n, 2, 5);
        break;
    case 3:
        eliminate(f, n, 3, 7);
        break;
    case 4:
        eliminate(f, n, 4, 9);
        break;
    default:
        eliminate(f, n, kl, w);
    }
    *pivots = pivot_ratio(f->u, w, n);
    return SAROS_OK;
}

static inline void solve_all(const narrow *f, int64_t n, int kl, int w, bool transposed,
                             int64_t columns, double *b) {
    for (; columns > 0; --columns, b += n)
        if (transposed)
            solve_transposed(f, n, kl, w, b);
        else
            solve_plain(f, n, kl, w, b);
}

static saros_status narrow_solve(saros_sparsity *pattern, void *analysis, void *numbers,
                                 bool transposed, int64_t columns, double *b) {
    const int64_t n = saros_sparsity_size(pattern);
    const narrow *f = numbers;
    int64_t lower, upper;
    (void)analysis;
    saros_sparsity_bandwidth(pattern, &lower, &upper);
    const int kl = (int)lower, w = (int)(lower + upper + 1);
    switch (w == 2 * kl + 1 ? kl : 0) {
    case 1:
        solve_all(f, n, 1, 3, transposed, columns, b);
        break;
    case 2:
        solve_all(f, n, 2, 5, transposed, columns, b);
        break;
    case 3:
        solve_all(f, n, 3, 7, transposed, columns, b);
        break;
    case 4:
        solve_all(f, n, 4, 9, transposed, columns, b);
        break;
    default:
        solve_all(f, n, kl, w, transposed, columns, b);
    }
    return SAROS_OK;
}

const saros_direct_method saros_direct_narrow = {
    .name = "banded LU",
    .factorise = narrow_factorise,
    .solve = narrow_solve,
    .numbers_release = narrow_release,
};
