/** A value taken apart into the values that it is put together of. */
#ifndef SAROS_PIECES_IMPL_H
#define SAROS_PIECES_IMPL_H

#include "saros/graph.h"

typedef struct saros_pieces {
    int count;
    int32_t *id;      /**< of the pieces */
    int32_t *element; /**< per element of the value: element of the pieces, laid end to end */
} saros_pieces;

/** Takes `y` apart as long as rows made it that use each element once (concat, reshape, …): what
 * they arrange need not be arranged again. Elements of y fewer than 2^31. Clear it also on failure.
 */
saros_status saros_pieces_find(saros_value y, saros_pieces *out);
void saros_pieces_clear(saros_pieces *pieces);

#endif
