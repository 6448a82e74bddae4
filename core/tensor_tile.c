/** Tiles: small blocks of strided memory made contiguous.
 *
 *  Where rows are contiguous and columns are far apart, four columns at a time are read in runs of
 * whole cache lines and turned in registers, four by four. */
#include <string.h>

#include "nest_impl.h"
#include "primitives/pointwise_impl.h"

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define TURNS 1
#endif
#endif

#ifdef TURNS
typedef uint64_t four_8 __attribute__((vector_size(32)));
typedef uint32_t four_4 __attribute__((vector_size(16)));

/** y[i][j] = x[j][i], four by four. */
static inline void turn_8(char *to, int64_t pitch, const char *from, int64_t column) {
    four_8 a, b, c, d, y[4];
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + column, sizeof b);
    memcpy(&c, from + 2 * column, sizeof c);
    memcpy(&d, from + 3 * column, sizeof d);
    const four_8 ab = __builtin_shufflevector(a, b, 0, 4, 2, 6),
                 cd = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    const four_8 ba = __builtin_shufflevector(a, b, 1, 5, 3, 7),
                 dc = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    y[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    y[1] = __builtin_shufflevector(ba, dc, 0, 1, 4, 5);
    y[2] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    y[3] = __builtin_shufflevector(ba, dc, 2, 3, 6, 7);
    for (int i = 0; i < 4; ++i) memcpy(to + i * pitch, &y[i], sizeof y[i]);
}
static inline void turn_4(char *to, int64_t pitch, const char *from, int64_t column) {
    four_4 a, b, c, d, y[4];
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + column, sizeof b);
    memcpy(&c, from + 2 * column, sizeof c);
    memcpy(&d, from + 3 * column, sizeof d);
    const four_4 ab = __builtin_shufflevector(a, b, 0, 4, 2, 6),
                 cd = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    const four_4 ba = __builtin_shufflevector(a, b, 1, 5, 3, 7),
                 dc = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    y[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    y[1] = __builtin_shufflevector(ba, dc, 0, 1, 4, 5);
    y[2] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    y[3] = __builtin_shufflevector(ba, dc, 2, 3, 6, 7);
    for (int i = 0; i < 4; ++i) memcpy(to + i * pitch, &y[i], sizeof y[i]);
}
#else
static inline void turn_8(char *to, int64_t pitch, const char *from, int64_t column) {
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i) memcpy(to + i * pitch + j * 8, from + j * column + i * 8, 8);
}
static inline void turn_4(char *to, int64_t pitch, const char *from, int64_t column) {
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i) memcpy(to + i * pitch + j * 4, from + j * column + i * 4, 4);
}
#endif

static void read_8(char *to, int64_t pitch, const char *from, int64_t row, int64_t column,
                   int64_t m, int64_t n) {
    for (int64_t i = 0; i < m; ++i, to += pitch, from += row) {
        uint64_t *y = (uint64_t *)(void *)to;
        for (int64_t j = 0; j < n; ++j) y[j] = *(const uint64_t *)(const void *)(from + j * column);
    }
}
static void read_4(char *to, int64_t pitch, const char *from, int64_t row, int64_t column,
                   int64_t m, int64_t n) {
    for (int64_t i = 0; i < m; ++i, to += pitch, from += row) {
        uint32_t *y = (uint32_t *)(void *)to;
        for (int64_t j = 0; j < n; ++j) y[j] = *(const uint32_t *)(const void *)(from + j * column);
    }
}
static void read_1(char *to, int64_t pitch, const char *from, int64_t row, int64_t column,
                   int64_t m, int64_t n) {
    for (int64_t i = 0; i < m; ++i, to += pitch, from += row)
        for (int64_t j = 0; j < n; ++j) to[j] = from[j * column];
}

/** The part of a tile that is whole blocks of 4 by 4. */
SAROS_FAST static void turn_blocks_8(char *to, int64_t pitch, const char *from, int64_t column,
                                     int64_t m, int64_t n) {
    for (int64_t j = 0; j + 4 <= n; j += 4)
        for (int64_t i = 0; i + 4 <= m; i += 4)
            turn_8(to + i * pitch + j * 8, pitch, from + j * column + i * 8, column);
}
SAROS_FAST static void turn_blocks_4(char *to, int64_t pitch, const char *from, int64_t column,
                                     int64_t m, int64_t n) {
    for (int64_t j = 0; j + 4 <= n; j += 4)
        for (int64_t i = 0; i + 4 <= m; i += 4)
            turn_4(to + i * pitch + j * 4, pitch, from + j * column + i * 4, column);
}

void saros_tile_read(char *to, int64_t pitch, const char *from, int64_t row, int64_t column,
                     int64_t m, int64_t n, int bytes) {
    int64_t done_m = 0, done_n = 0;
    if (row == bytes && bytes >= 4) {
        done_m = m & ~INT64_C(3);
        done_n = n & ~INT64_C(3);
        if (bytes == 8)
            turn_blocks_8(to, pitch, from, column, m, n);
        else
            turn_blocks_4(to, pitch, from, column, m, n);
    }
    /* what is left: the last columns of those rows, then the last rows */
    for (int part = 0; part < 2; ++part) {
        int64_t i = part ? done_m : 0, j = part ? 0 : done_n;
        int64_t rows = part ? m - done_m : done_m, columns = n - j;
        char *at = to + i * pitch + j * bytes;
        const char *source = from + i * row + j * column;
        if (bytes == 8)
            read_8(at, pitch, source, row, column, rows, columns);
        else if (bytes == 4)
            read_4(at, pitch, source, row, column, rows, columns);
        else
            read_1(at, pitch, source, row, column, rows, columns);
    }
}
