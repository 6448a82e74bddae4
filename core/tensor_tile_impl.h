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

typedef WORD EIGHT __attribute__((vector_size(8 * sizeof(WORD))));

/** The same eight by eight: halves change places, then quarters, then neighbours. */
__attribute__((always_inline)) static inline void TURN_EIGHT(char *to, int64_t pitch,
                                                             const char *from, int64_t column) {
    EIGHT x[8], y[8];
    for (int j = 0; j < 8; ++j) memcpy(&x[j], from + j * column, sizeof x[j]);
    for (int j = 0; j < 4; ++j) {
        y[j] = __builtin_shufflevector(x[j], x[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        y[j + 4] = __builtin_shufflevector(x[j], x[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int k = 0; k < 4; ++k) {
        const int j = k < 2 ? k : k + 2;
        x[j] = __builtin_shufflevector(y[j], y[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        x[j + 2] = __builtin_shufflevector(y[j], y[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int j = 0; j < 8; j += 2) {
        y[j] = __builtin_shufflevector(x[j], x[j + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        y[j + 1] = __builtin_shufflevector(x[j], x[j + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 8; ++i) memcpy(to + i * pitch, &y[i], sizeof y[i]);
}
#else
static inline void TURN(char *to, int64_t pitch, const char *from, int64_t column) {
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i)
            memcpy(to + i * pitch + j * (int64_t)sizeof(WORD),
                   from + j * column + i * (int64_t)sizeof(WORD), sizeof(WORD));
}

__attribute__((always_inline)) static inline void TURN_EIGHT(char *to, int64_t pitch,
                                                             const char *from, int64_t column) {
    for (int j = 0; j < 8; j += 4)
        for (int i = 0; i < 8; i += 4)
            TURN(to + i * pitch + j * (int64_t)sizeof(WORD), pitch,
                 from + j * column + i * (int64_t)sizeof(WORD), column);
}
#endif

static void READ(char *to, int64_t pitch, const char *from, int64_t row, int64_t column, int64_t m,
                 int64_t n) {
    for (int64_t i = 0; i < m; ++i, to += pitch, from += row) {
        WORD *y = (WORD *)(void *)to;
        for (int64_t j = 0; j < n; ++j) y[j] = *(const WORD *)(const void *)(from + j * column);
    }
}

/** The part of a tile that is whole blocks of 4 by 4, eight by eight where there are as many. */
SAROS_FAST static void TURN_BLOCKS(char *to, int64_t pitch, const char *from, int64_t column,
                                   int64_t m, int64_t n) {
    const int64_t word = (int64_t)sizeof(WORD);
    int64_t j = 0;
    for (; j + 8 <= n; j += 8) {
        int64_t i = 0;
        for (; i + 8 <= m; i += 8)
            TURN_EIGHT(to + i * pitch + j * word, pitch, from + j * column + i * word, column);
        for (int half = 0; half < 2 && i + 4 <= m; ++half)
            TURN(to + i * pitch + (j + 4 * half) * word, pitch,
                 from + (j + 4 * half) * column + i * word, column);
    }
    for (; j + 4 <= n; j += 4)
        for (int64_t i = 0; i + 4 <= m; i += 4)
            TURN(to + i * pitch + j * word, pitch, from + j * column + i * word, column);
}

#undef WORD
#undef FOUR
#undef TURN
#undef EIGHT
#undef TURN_EIGHT
#undef READ
#undef TURN_BLOCKS
