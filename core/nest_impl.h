/** Loop nests over strided memory: what kernels and copies share.
 *
 *  A nest is an index space, operands that move through it by strides, and code for its two
 * innermost axes: m rows of n elements. The nest collapses axes, chooses which two are left to the
 * code, has operands that are not contiguous there read by tiles, cuts the rest into blocks and
 * gives runs of blocks to the pool. Blocks depend on shapes and strides only, so results do not
 * depend on threads.
 *
 *  Reduced axes are cut too: every block writes partial results of its own, which the caller adds
 * up afterwards, unless one block sees all (`direct`).
 */
#ifndef SAROS_NEST_IMPL_H
#define SAROS_NEST_IMPL_H

#include "saros/primitive.h"
#include "tensor_impl.h"

enum {
    SAROS_NEST_BUFFER = 163840, /* bytes of all tiles: 512 rows of 32 doubles and a line */
    SAROS_NEST_LOADS = 32,
    SAROS_NEST_STORES = 64,
    SAROS_NEST_OPERANDS = SAROS_NEST_LOADS + SAROS_NEST_STORES,
    SAROS_NEST_AXES = SAROS_MAX_RANK + 2
};

/** m rows of n elements; strides of rows in bytes. */
typedef void saros_nest_code(int64_t m, int64_t n, const char *const *in, const int64_t *in_stride,
                             char *const *out, const int64_t *out_stride);

/** What the code does with a result that is reduced. */
typedef enum saros_nest_mode {
    SAROS_NEST_POINTWISE, /**< there is none */
    SAROS_NEST_ROWS,      /**< stores one element for each row */
    SAROS_NEST_ALL,       /**< stores one element for all rows */
    SAROS_NEST_COLUMNS    /**< adds row after row to the elements that are there */
} saros_nest_mode;

/** What gets the elements of a nest while they are in tiles (column `take` of primitive.h). */
typedef struct saros_nest_taker {
    void (*take)(const saros_tensor *attribute, int64_t first, int64_t count,
                 const saros_elements *operand, void *out);
    const saros_tensor *attribute;
    int operands;
    int16_t from[SAROS_NEST_OPERANDS]; /**< of its operands: load k, or ins + m: store m */
} saros_nest_taker;

/** The first part is filled by the caller. Operands: loads, then stores. Strides are in bytes; a
 * reduced store stands still along reduced axes. */
typedef struct saros_nest {
    int rank, ins, outs;
    int64_t extent[SAROS_NEST_AXES];
    bool reduced[SAROS_NEST_AXES];
    int64_t stride[SAROS_NEST_OPERANDS][SAROS_NEST_AXES];
    char *base[SAROS_NEST_OPERANDS];
    int bytes[SAROS_NEST_OPERANDS];
    uint64_t reduces;                   /**< bit m: store m is reduced */
    int64_t neutral[SAROS_NEST_STORES]; /**< bits of the element its reduction starts from */
    double nanoseconds;                 /**< per element, about */
    const saros_nest_taker *taker;      /**< NULL: none. Else the address of an element of the last
                                            store, of one byte each, is `output` and its number */
    uint64_t taken;                     /**< bit m: store m is made in tiles, for the taker */
    char *output;

    saros_nest_mode mode;
    uint32_t still;            /**< bit k: load k is one element for a whole row */
    uint32_t staged;           /**< bit k: load k is read by tiles */
    bool flat;                 /**< tiles are whole rows, and one row for the code */
    bool direct;               /**< reduced stores are final */
    bool streams;              /**< full stores exceed the caches, and all begin on whole lines */
    int64_t block[2], tile[2]; /**< rows and columns of a block and of a tile */
    int64_t slot;              /**< bytes of a tile in the buffer */
    int64_t count[SAROS_NEST_AXES];                     /**< blocks along each axis */
    int64_t step[SAROS_NEST_OPERANDS][SAROS_NEST_AXES]; /**< bytes to the next block */
    int64_t blocks, per_task, tasks;
    bool small; /**< tasks are for threads that are awake */
} saros_nest;

/** Decides all of the second part. False: there are no elements. */
bool saros_nest_plan(saros_nest *nest);
/** Shape of the partial results, row-major, and the mask of axes to reduce; returns the rank. */
int saros_nest_partial(const saros_nest *nest, int64_t *shape, uint32_t *axes);
/** Sends the reduced store `m` to `partial` instead of its base. */
void saros_nest_redirect(saros_nest *nest, int m, void *partial);
/** Runs all blocks, on the pool if that is worth it. `code` NULL: store 0 gets what load 0 has, of
 * the same size. */
saros_status saros_nest_run(const saros_nest *nest, saros_nest_code *code);
/** Runs one of the nest's tasks. */
saros_status saros_nest_run_task(const saros_nest *nest, saros_nest_code *code, int64_t task);

/** Bytes from row to row of a tile: whole lines and one more, so that a column is not one set of
 * the cache. */
static inline int64_t saros_tile_pitch(int64_t n, int64_t bytes) {
    return (n * bytes + 127) & ~INT64_C(63);
}
/** to[i][j] = from[i][j] of m rows of n elements of `bytes` bytes; steps in bytes. Elements of `to`
 * are next to each other in a row. */
void saros_tile_read(char *to, int64_t pitch, const char *from, int64_t row, int64_t column,
                     int64_t m, int64_t n, int bytes);

#endif
