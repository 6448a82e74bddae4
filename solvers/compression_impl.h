/** From the scales of terms to the values of a sparse matrix. */
#ifndef SAROS_COMPRESSION_IMPL_H
#define SAROS_COMPRESSION_IMPL_H

#include "saros/sparse.h"
#include "jacobian_terms_impl.h"

typedef struct saros_compression saros_compression;

/** Pattern (with the whole diagonal) and the way into it, of terms of a square Jacobian. A given
 * `pattern` is kept instead: terms outside of it are dropped. */
saros_status saros_compression_make(const saros_jacobian_terms *terms, saros_sparsity *pattern,
                                    saros_compression **out);
/** The same from the graph; NULL where the terms cannot be found, or where so many coefficients
 * differ from entry to entry that products for colours are cheaper. */
saros_status saros_compression_find(saros_value y, saros_value x, saros_sparsity *pattern,
                                    saros_compression **out);
void saros_compression_release(saros_compression *compression);
/** Borrowed. */
saros_sparsity *saros_compression_pattern(const saros_compression *compression);
/** The distinct scales of the terms: one array or number each. */
int saros_compression_streams(const saros_compression *compression);
/** Their values, one for each stream, while the graph of the terms lives. */
const saros_value *saros_compression_scales(const saros_compression *compression);
/** Values in the order of the pattern; `scales` gives the streams, in order, from `in`. */
saros_status saros_compression_values(const saros_compression *compression,
                                      const saros_function *scales, saros_tensor *const *in,
                                      double *values);

#endif
