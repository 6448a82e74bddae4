/** From the scales of terms to the values of a sparse matrix: how each value is made, and the row
 * of the graph that makes them. */
#ifndef SAROS_COMPRESSION_IMPL_H
#define SAROS_COMPRESSION_IMPL_H

#include "jacobian_terms_impl.h"
#include "saros/function.h"
#include "saros/primitive.h"
#include "saros/sparse.h"

enum {
    SAROS_COMPRESSION_PERIOD = 8,  /* most rows that repeat together */
    SAROS_COMPRESSION_BUCKET = 256 /* elements whose runs are listed together */
};

/** One copy within a run: from scale `stream` to value `to` of the period. */
typedef struct saros_compression_copy {
    int32_t to, stream; /**< stream -1: zero */
    bool add;           /**< to the copy before, which goes to the same value */
} saros_compression_copy;

/** 1 to 4 copies that go to consecutive values. */
typedef struct saros_compression_block {
    int32_t first, count;
} saros_compression_block;

/** Rows whose programs repeat: `width` values. */
typedef struct saros_compression_group {
    int rows, only;    /**< only: the row among them that is filled, -1: all */
    int first, blocks; /**< first … first + blocks - 1 of the list */
    int32_t program[SAROS_COMPRESSION_PERIOD];
    int64_t width;
} saros_compression_group;

/** Period j of a run, made from element `element + j step` of a piece, goes to value
 * `value + j width`. */
typedef struct saros_compression_run {
    int64_t value, count, step;
    int32_t element;
    int group;
} saros_compression_run;

typedef struct saros_compression {
    saros_sparsity *pattern;
    int streams, operands, arrays; /**< arrays: operands that are no single number */
    saros_value *scale;            /**< per stream, while the graph of the terms lives */
    double *number;                /**< per stream that is no operand */
    int32_t *operand;              /**< per stream: which, or -1 */
    bool whole;                    /**< all pieces, and all arrays, have the shape of `type` */
    saros_type type;
    saros_compression_copy *copy;
    saros_compression_block *block;
    saros_compression_group *group;
    saros_compression_run *run;
    int copies, blocks, groups;
    int64_t copy_room, block_room, group_room, runs, run_room;
    int64_t elements; /**< of the largest piece */
    int64_t *bucket, buckets;
    int32_t *listed; /**< bucket b: runs listed[bucket[b]] … listed[bucket[b + 1] - 1] */
} saros_compression;

/** Pattern (with the whole diagonal) and the way into it, of terms of a square Jacobian. A given
 * `pattern` is kept instead: terms outside of it are dropped. */
saros_status saros_compression_make(const saros_jacobian_terms *terms, saros_sparsity *pattern,
                                    saros_compression **out);
/** The same from the graph; NULL where the terms cannot be found, or where so many coefficients
 * differ from entry to entry that products for colours are cheaper. */
saros_status saros_compression_find(saros_value y, saros_value x, saros_sparsity *pattern,
                                    saros_compression **out);
void saros_compression_release(saros_compression *compression);
/** The periods of a run made from elements from … to - 1: first … last - 1. */
void saros_compression_part(const saros_compression_run *run, int64_t from, int64_t to,
                            int64_t *first, int64_t *last);

/** The values of the matrix, in the order of the pattern, as one value of the graph of the terms.
 * Takes the compression over, also on failure. */
saros_value saros_compression_build(saros_graph *graph, saros_compression *compression);
/** Calls a function whose one output is such a value. */
saros_status saros_compression_values(const saros_function *function, saros_tensor *const *in,
                                      int64_t nonzeros, double *values);

/** Rows: with operands of one shape, and of any. */
extern const saros_primitive saros_row_compress, saros_row_compress_apart;

#endif
