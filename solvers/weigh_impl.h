/** Fixed combinations along an axis: the small matrices that closures of stencils are. */
#ifndef SAROS_WEIGH_IMPL_H
#define SAROS_WEIGH_IMPL_H

#include "saros/primitive.h"

/** y[…, k, …] = sum over j of m[k*columns + j] x[…, j, …] along `axis`; x f64 of extent `columns`
 * there, y of extent `rows`. */
saros_value saros_weigh(saros_value x, int axis, int64_t rows, int64_t columns, const double *m);

/** The matrix of a node: its axis and size, and m_kj. */
void saros_weigh_read(const saros_attributes *attributes, int *axis, int64_t *rows,
                      int64_t *columns);
double saros_weigh_number(const saros_attributes *attributes, int64_t k, int64_t j);

extern const saros_primitive saros_row_weigh;

#endif
