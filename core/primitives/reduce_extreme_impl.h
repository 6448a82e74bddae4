/** The maximum or the minimum of one floating dtype (reduce_extreme.c), included once for each:
 * REAL its type, LANES the lanes of a run, BEFORE the comparison that a winner holds, NEUTRAL what
 * any number wins against, the other capitals the names of its functions. */

SAROS_FAST static REAL RUN_EXTREME(int64_t n, const REAL *x) {
    REAL lane[LANES];
    for (int l = 0; l < LANES; ++l) lane[l] = NEUTRAL;
    for (int64_t i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES && l < n - i; ++l)
            lane[l] = lane[l] BEFORE x[i + l] || lane[l] != lane[l] ? lane[l] : x[i + l];
    for (int l = 1; l < LANES; ++l)
        lane[0] = lane[0] BEFORE lane[l] || lane[0] != lane[0] ? lane[0] : lane[l];
    return lane[0];
}
SAROS_FAST static void EXTREME(const saros_layers *l) {
    const REAL *x = l->x;
    REAL *y = l->y;
    for (int64_t o = 0; l->inner == 1 && o < l->outer; ++o) y[o] = RUN_EXTREME(l->n, x + o * l->n);
    if (l->inner == 1) return;
    for (int64_t o = 0; o < l->outer; ++o, y += l->inner) {
        for (int64_t j = 0; j < l->inner; ++j) y[j] = NEUTRAL;
        for (int64_t i = 0; i < l->n; ++i, x += l->inner)
            for (int64_t j = 0; j < l->inner; ++j)
                y[j] = y[j] BEFORE x[j] || y[j] != y[j] ? y[j] : x[j];
    }
}

#undef REAL
#undef LANES
#undef BEFORE
#undef NEUTRAL
#undef RUN_EXTREME
#undef EXTREME
