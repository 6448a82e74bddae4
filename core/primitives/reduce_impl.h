/** What the reductions share: the collapse of an array into layers, and the masks of axes. */
#ifndef SAROS_REDUCE_IMPL_H
#define SAROS_REDUCE_IMPL_H

#include "primitives/build_impl.h"

/** x[outer][n][inner] -> y[outer][inner] */
typedef struct saros_layers {
    int64_t outer, n, inner;
    const void *x;
    void *y;
} saros_layers;

typedef void saros_reducer(const saros_layers *layers);

/** One reducer per dtype; NULL: the row does not take it. */
typedef struct saros_reducers {
    saros_reducer *f64, *f32, *i64, *i32, *mask;
} saros_reducers;

/** Reduces the axes in the mask of word 0: the innermost run of reduced axes first, the result of
 * each pass being the input of the next. */
saros_status saros_reduce_run(const saros_evaluation *evaluation, const saros_reducers *reducers);
/** The same on row-major memory of any rank; results must not be where `from` is. */
saros_status saros_reduce_memory(const saros_reducers *reducers, saros_dtype dtype, int rank,
                                 const int64_t *shape, uint32_t axes, const void *from, void *to);
/** Reducers of the rows sum, max and min. */
const saros_reducers *saros_reducers_of(const saros_primitive *row);
extern const saros_reducers saros_sum_reducers, saros_max_reducers, saros_min_reducers;
/** Type of x without the axes of `axes`; a cut axis among them leaves a part. */
saros_status saros_reduce_type(const char *where, const saros_type *x, int64_t axes,
                               saros_type *out);
/** Checks the mask against x's rank. */
saros_status saros_reduce_axes(const char *where, saros_value x, uint32_t axes);
/** Value of the reduced type repeated along `axes` again, to the shape of `like`. */
saros_value saros_reduce_expand(saros_value reduced, saros_value like, uint32_t axes);
/** The mask with a new leading axis. */
uint32_t saros_reduce_batched(uint32_t axes);

#endif
