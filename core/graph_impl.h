/** Inside of the graph: what its parts, the regions, the function compiler and the core rows share.
 *
 *  Types in attribute words: rows whose output type is told, not inferred (input, constant, splat,
 * reshape, broadcast, iota, random…), put it into their words by saros_words_from_type, further
 * parameters before or after it.
 *
 *  What the graph does with a row on its own while building (graph_fold.c), so that rows and ops
 * need not: a POINTWISE row of splats is evaluated once and becomes a splat; a row with a `view`
 * column of a splat is that splat in the new shape; `unit` and SAROS_INVOLUTION of primitive.h.
 * SAROS_ORDERED and SAROS_DISTINCT rows are left alone.
 */
#ifndef SAROS_GRAPH_IMPL_H
#define SAROS_GRAPH_IMPL_H

#include "saros/primitive.h"

/** Most words saros_words_from_type writes: dtype, rank, split, extents. */
enum { SAROS_TYPE_WORDS = 3 + SAROS_MAX_RANK };

/** Writes `type` to `word`; returns the number of words, 3 + rank. */
int saros_words_from_type(const saros_type *type, int64_t *word);
/** Reads a type written by saros_words_from_type; returns the number of words. */
int saros_type_from_words(const int64_t *word, saros_type *type);

#endif
