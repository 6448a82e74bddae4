/** Stencils, by their half-step offsets.
 *
 *  Weights from the Taylor expansion (Fornberg, Math. Comp. 51, 1988). A pair of points with equal
 * or opposite weights costs one multiplication. The difference formulas are consistent with one
 * another: staggered of staggered, order 2, is the compact second difference. */
#include "stencil_impl.h"

static const saros_stencil table[4][2] = {
    [SAROS_CENTRED] = {{2, 2, 1, {-2, 2}, {-0.5, 0.5}},
                       {4, 4, 1, {-4, -2, 2, 4}, {1. / 12, -8. / 12, 8. / 12, -1. / 12}}},
    [SAROS_STAGGERED] = {{2, 1, 1, {-1, 1}, {-1, 1}},
                         {4, 3, 1, {-3, -1, 1, 3}, {1. / 24, -27. / 24, 27. / 24, -1. / 24}}},
    [SAROS_SECOND] =
        {{3, 2, 2, {-2, 0, 2}, {1, -2, 1}},
         {5, 4, 2, {-4, -2, 0, 2, 4}, {-1. / 12, 16. / 12, -30. / 12, 16. / 12, -1. / 12}}},
    [SAROS_MEAN] = {{2, 1, 0, {-1, 1}, {0.5, 0.5}},
                    {4, 3, 0, {-3, -1, 1, 3}, {-1. / 16, 9. / 16, 9. / 16, -1. / 16}}},
};

const saros_stencil *saros_stencil_find(saros_stencil_kind kind, int order) {
    return &table[kind][order == 4];
}

saros_value saros_stencil_apply(const saros_stencil *stencil, saros_value q, int axis,
                                int64_t extent, saros_value h) {
    const saros_type *type = saros_value_type(q);
    bool constant = type->rank == 0 || type->shape[axis] == 1;
    if (constant && extent + stencil->reach != 1) return stencil->power ? saros_like(q, 0) : q;
    saros_value scale = saros_like(q, 1), sum = SAROS_NONE;
    for (int k = 0; k < stencil->power; ++k) scale = saros_div(scale, h);
    for (int k = 0; 2 * k < stencil->points; ++k) {
        int mirror = stencil->points - 1 - k;
        double weight = stencil->weight[mirror];
        int64_t first = (stencil->reach + stencil->offset[k]) / 2;
        int64_t last = (stencil->reach + stencil->offset[mirror]) / 2;
        saros_value term = saros_slice(q, axis, last, last + extent, 1);
        if (mirror != k) {
            saros_value other = saros_slice(q, axis, first, first + extent, 1);
            term = stencil->weight[k] == weight ? saros_add(term, other) : saros_sub(term, other);
        }
        term = saros_mul(saros_mul(saros_like(scale, weight), scale), term);
        sum = saros_is_none(sum) ? term : saros_add(sum, term);
    }
    return sum;
}
