/** Tiles: small blocks of strided memory made contiguous.
 *
 *  Where rows are contiguous and columns are far apart, eight columns at a time, then four, are
 * read in runs of whole cache lines and turned in registers, eight by eight. */
#include <string.h>

#include "nest_impl.h"
#include "primitives/pointwise_impl.h"

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define TURNS 1
#endif
#endif

#define WORD uint64_t
#define FOUR four_8
#define TURN turn_8
#define EIGHT eight_8
#define TURN_EIGHT turn_eight_8
#define READ read_8
#define TURN_BLOCKS turn_blocks_8
#include "tensor_tile_impl.h"

#define WORD uint32_t
#define FOUR four_4
#define TURN turn_4
#define EIGHT eight_4
#define TURN_EIGHT turn_eight_4
#define READ read_4
#define TURN_BLOCKS turn_blocks_4
#include "tensor_tile_impl.h"

static void read_1(char *to, int64_t pitch, const char *from, int64_t row, int64_t column,
                   int64_t m, int64_t n) {
    for (int64_t i = 0; i < m; ++i, to += pitch, from += row)
        for (int64_t j = 0; j < n; ++j) to[j] = from[j * column];
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
