/** How each row of a sparse matrix is made from terms: few different ways, each kept once. */
#ifndef SAROS_ROW_PROGRAMS_IMPL_H
#define SAROS_ROW_PROGRAMS_IMPL_H

#include "saros/sparse.h"
#include "jacobian_terms_impl.h"

/** Entry `entry` of the row takes scale `stream` (-1: zero); the next op of the same entry adds. */
typedef struct saros_row_op {
    int32_t entry, stream;
} saros_row_op;

typedef struct saros_row_program {
    uint64_t hash;
    int32_t first, ops, entries;
} saros_row_program;

typedef struct saros_row_programs {
    int64_t rows;
    int32_t *of_row;
    saros_row_program *program;
    saros_row_op *op;
    int32_t programs, program_room, ops, op_room;
    int32_t *slot, slots; /**< hash table of programs, -1: free */
} saros_row_programs;

/** Programs of the rows of `*pattern`, or, where it is NULL, of the pattern of the terms with the
 * whole diagonal, which is made. @param stream scale of each term, piece by piece. */
saros_status saros_row_programs_make(const saros_jacobian_terms *terms, const int *stream,
                                     saros_sparsity **pattern, saros_row_programs *out);
void saros_row_programs_clear(saros_row_programs *programs);

#endif
