/** The sum of one floating dtype (reduce_sum.c, which says in which order), included once for each:
 *  REAL its type, LANES the lanes of a run, the other capitals the names of its functions. */

/** Sums of `outer` runs of n <= RUN elements, `step` apart. */
SAROS_FAST static void RUNS(int64_t outer, int64_t n, int64_t step, const REAL *x, REAL *y) {
    for (int64_t o = 0; o < outer; ++o, x += step) {
        REAL lane[LANES] = {0};
        int64_t i = 0;
        for (; i + LANES <= n; i += LANES)
            for (int l = 0; l < LANES; ++l) lane[l] += x[i + l];
        for (int l = 0; i + l < n; ++l) lane[l] += x[i + l];
        for (int l = 0; l + 8 < LANES; ++l) lane[l] += lane[l + 8];
        y[o] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
               ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    }
}
static REAL RUN_TREE(int64_t n, const REAL *x) {
    REAL y;
    if (n > RUN) {
        int64_t half = half_of(n, RUN);
        return RUN_TREE(half, x) + RUN_TREE(n - half, x + half);
    }
    RUNS(1, n, 0, x, &y);
    return y;
}
/** y[j] = x[0][j] + x[1][j] + … in this order, four rows at a time; j < m, rows `step` apart. */
SAROS_FAST static void ROWS(int64_t n, int64_t m, int64_t step, const REAL *x, REAL *restrict y) {
    int64_t i = 0;
    for (int64_t j = 0; j < m; ++j) y[j] = 0;
    for (; i + 4 <= n; i += 4) {
        const REAL *a = x + i * step, *b = a + step, *c = b + step, *d = c + step;
        for (int64_t j = 0; j < m; ++j) y[j] = (((y[j] + a[j]) + b[j]) + c[j]) + d[j];
    }
    for (; i < n; ++i)
        for (int64_t j = 0; j < m; ++j) y[j] += x[i * step + j];
}
static void ROW_TREE(int64_t n, int64_t m, int64_t step, const REAL *x, REAL *y) {
    if (n <= GROUP) {
        ROWS(n, m, step, x, y);
        return;
    }
    REAL right[TILE];
    int64_t half = half_of(n, GROUP);
    ROW_TREE(half, m, step, x, y);
    ROW_TREE(n - half, m, step, x + half * step, right);
    for (int64_t j = 0; j < m; ++j) y[j] += right[j];
}
/** Narrow rows: `wide` of them count as one row, whose parts are added at the end. */
static void NARROW_ROWS(int64_t n, int64_t m, int64_t wide, const REAL *x, REAL *y) {
    REAL sum[TILE];
    ROW_TREE(n / wide, wide * m, wide * m, x, sum);
    for (int64_t parts = wide; parts > 1; parts /= 2)
        for (int64_t j = 0; j < parts / 2 * m; ++j) sum[j] += sum[parts / 2 * m + j];
    ROWS(n % wide, m, m, x + n / wide * wide * m, y);
    for (int64_t j = 0; j < m; ++j) y[j] += sum[j];
}
static void SUM(const saros_layers *l) {
    const REAL *x = l->x;
    REAL *y = l->y;
    if (l->inner == 1 && l->n <= RUN) {
        RUNS(l->outer, l->n, l->n, x, y);
        return;
    }
    int64_t wide = widening(l);
    for (int64_t o = 0; o < l->outer; ++o, x += l->n * l->inner, y += l->inner) {
        if (l->inner == 1) {
            y[0] = RUN_TREE(l->n, x);
        } else if (wide > 1) {
            NARROW_ROWS(l->n, l->inner, wide, x, y);
        } else {
            for (int64_t j = 0; j < l->inner; j += TILE) {
                int64_t m = l->inner - j < TILE ? l->inner - j : TILE;
                ROW_TREE(l->n, m, l->inner, x + j, y + j);
            }
        }
    }
}

#undef REAL
#undef LANES
#undef RUNS
#undef RUN_TREE
#undef ROWS
#undef ROW_TREE
#undef NARROW_ROWS
#undef SUM
