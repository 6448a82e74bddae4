/** Tiles of elements of one size (tensor_tile.c), included once for each: WORD an integer of that
 *  size, the other capitals the names of a type and of functions. */

#ifdef TURNS
typedef WORD FOUR __attribute__((vector_size(4 * sizeof(WORD))));

/** y[i][j] = x[j][i], four by four. */
static inline void TURN(char *to, int64_t pitch, const char *from, int64_t column) {
    FOUR a, b, c, d, y[4];
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + column, sizeof b);
    memcpy(&c, from + 2 * column, sizeof c);
    memcpy(&d, from + 3 * column, sizeof d);
    const FOUR ab = __builtin_shufflevector(a, b, 0, 4, 2, 6),
               cd = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    const FOUR ba = __builtin_shufflevector(a, b, 1, 5, 3, 7),
               dc = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    y[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    y[1] = __builtin_shufflevector(ba, dc, 0, 1, 4, 5);
    y[2] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    y[3] = __builtin_shufflevector(ba, dc, 2, 3, 6, 7);
    for (int i = 0; i < 4; ++i) memcpy(to + i * pitch, &y[i], sizeof y[i]);
}
#else
static inline void TURN(char *to, int64_t pitch, const char *from, int64_t column) {
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i)
            memcpy(to + i * pitch + j * (int64_t)sizeof(WORD),
                   from + j * column + i * (int64_t)sizeof(WORD), sizeof(WORD));
}
#endif

static void READ(char *to, int64_t pitch, const char *from, int64_t row, int64_t column, int64_t m,
                 int64_t n) {
    for (int64_t i = 0; i < m; ++i, to += pitch, from += row) {
        WORD *y = (WORD *)(void *)to;
        for (int64_t j = 0; j < n; ++j) y[j] = *(const WORD *)(const void *)(from + j * column);
    }
}

/** The part of a tile that is whole blocks of 4 by 4. */
SAROS_FAST static void TURN_BLOCKS(char *to, int64_t pitch, const char *from, int64_t column,
                                   int64_t m, int64_t n) {
    for (int64_t j = 0; j + 4 <= n; j += 4)
        for (int64_t i = 0; i + 4 <= m; i += 4)
            TURN(to + i * pitch + j * (int64_t)sizeof(WORD), pitch,
                 from + j * column + i * (int64_t)sizeof(WORD), column);
}

#undef WORD
#undef FOUR
#undef TURN
#undef READ
#undef TURN_BLOCKS
