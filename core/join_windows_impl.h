/** Inside of join_windows: values as sums of windows of others. */
#ifndef SAROS_JOIN_WINDOWS_IMPL_H
#define SAROS_JOIN_WINDOWS_IMPL_H

#include "graph_impl.h"

enum { SAROS_PIECES = 256, SAROS_PIECE_WHOLE = -1 };

/** Entries from … from + extent - 1 of an axis of x, at entry `to`; axis SAROS_PIECE_WHOLE: all of
 * x, everywhere. */
typedef struct saros_piece {
    saros_value x;
    int axis;
    int64_t from, to, extent;
} saros_piece;

/** The sum of the pieces, of type `type`, appended to `graph`; all x are of it. At most
 * SAROS_PIECES. */
saros_status saros_pieces_sum(saros_graph *graph, const saros_type *type, int pieces,
                              const saros_piece *piece, saros_value *out);

#endif
