/** Arrays written side by side, with gaps: what bounds such a loop are its stores, so two or four
 * arrays go together, the latter turned in registers four by four. */
#include "interleave_impl.h"

/* Which code runs is chosen when the program starts; not under sanitizers, whose run time is not up
 * yet by then. */
#if defined(__x86_64__) && defined(__linux__) && defined(__OPTIMIZE__) && !defined(__clang__) &&   \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/** Numbers at any address of a double. */
typedef double two __attribute__((vector_size(16), aligned(8), may_alias));
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));

/* Numbers 0 and 2 of both, 1 and 3 of both, the first two of both, the last two of both. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#endif
#endif
#ifndef PICK
#define PICK(a, b, i, j, k, l) __builtin_shuffle(a, b, (four_places){i, j, k, l})
typedef int64_t four_places __attribute__((vector_size(32)));
#endif
#define LOW(a, b) PICK(a, b, 0, 4, 2, 6)
#define HIGH(a, b) PICK(a, b, 1, 5, 3, 7)
#define FRONT(a, b) PICK(a, b, 0, 1, 4, 5)
#define BACK(a, b) PICK(a, b, 2, 3, 6, 7)

static void write_one(saros_numbers a, int64_t width, int64_t count, double *to) {
    for (int64_t j = 0; j < count; ++j, to += width, a.from += a.step) *to = *a.from;
}

static void write_two(saros_numbers a, saros_numbers b, int64_t width, int64_t count, double *to) {
    for (int64_t j = 0; j < count; ++j) {
        *(two *)to = (two){*a.from, *b.from};
        to += width;
        a.from += a.step;
        b.from += b.step;
    }
}

/* Four periods are written one after the other, so that memory sees one run of stores. */
WIDE void saros_interleave_quads(int n, const saros_quad *quad, int64_t width, int64_t count,
                                 double *to) {
    for (int64_t j = 0; j < count; j += 4, to += 4 * width)
        for (const saros_quad *q = quad; q < quad + n; ++q) {
            double *at = to + q->to;
            const four x = *(const four *)(q->from[0] + j * q->step[0]);
            const four y = *(const four *)(q->from[1] + j * q->step[1]);
            const four z = *(const four *)(q->from[2] + j * q->step[2]);
            const four w = *(const four *)(q->from[3] + j * q->step[3]);
            const four xy = LOW(x, y), yx = HIGH(x, y), zw = LOW(z, w), wz = HIGH(z, w);
            *(four *)at = FRONT(xy, zw);
            *(four *)(at + width) = FRONT(yx, wz);
            *(four *)(at + 2 * width) = BACK(xy, zw);
            *(four *)(at + 3 * width) = BACK(yx, wz);
        }
}

void saros_interleave(int n, const saros_numbers *a, int64_t width, int64_t count, double *to) {
    if (n % 2) write_one(a[n - 1], width, count, to + n - 1);
    for (int k = 0; k + 1 < n; k += 2) write_two(a[k], a[k + 1], width, count, to + k);
}

void saros_interleave_add(saros_numbers a, int64_t width, int64_t count, double *to) {
    for (int64_t j = 0; j < count; ++j, to += width, a.from += a.step) *to += *a.from;
}
