/** What the reductions share (reduce_impl.h): passes over layers, types and masks of axes. */
#include "primitives/reduce_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/rows.h"
#include "tensor_impl.h"

/* ---- passes ---- */

static saros_reducer *choose(const saros_reducers *reducers, saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return reducers->f64;
    case SAROS_F32:
        return reducers->f32;
    case SAROS_I64:
        return reducers->i64;
    case SAROS_I32:
        return reducers->i32;
    case SAROS_BOOL:
        return reducers->mask;
    default:
        return NULL;
    }
}

/** Splits shape[0 … rank-1] at its innermost run of reduced axes; *first is where the run begins.
 */
static saros_layers innermost(int rank, const int64_t *shape, uint32_t axes, int *first,
                              int *last) {
    saros_layers l = {.outer = 1, .n = 1, .inner = 1};
    int a = rank - 1;
    for (; a >= 0 && !(axes >> a & 1); --a) l.inner *= shape[a];
    *last = a;
    for (; a >= 0 && axes >> a & 1; --a) l.n *= shape[a];
    *first = a + 1;
    for (; a >= 0; --a) l.outer *= shape[a];
    return l;
}

const saros_reducers *saros_reducers_of(const saros_primitive *row) {
    if (row == &saros_row_sum) return &saros_sum_reducers;
    return row == &saros_row_max ? &saros_max_reducers : &saros_min_reducers;
}

saros_status saros_reduce_memory(const saros_reducers *reducers, saros_dtype dtype, int rank,
                                 const int64_t *from_shape, uint32_t axes, const void *from,
                                 void *to) {
    saros_status status = SAROS_OK;
    void *buffer[2] = {NULL, NULL};
    int64_t shape[SAROS_MAX_RANK + 2];
    saros_reducer *reducer = choose(reducers, dtype);
    memcpy(shape, from_shape, (size_t)rank * sizeof *shape);
    for (int pass = 0; axes; ++pass) {
        int first, last;
        saros_layers l = innermost(rank, shape, axes, &first, &last);
        axes &= (UINT32_C(1) << first) - 1;
        l.x = from;
        l.y = to;
        if (axes) {
            saros_release(buffer[pass % 2]);
            l.y = buffer[pass % 2] =
                saros_allocate((size_t)(l.outer * l.inner) * saros_dtype_bytes(dtype));
            if (!l.y) SAROS_TRY(SAROS_ERR_MEMORY);
        }
        reducer(&l);
        from = l.y;
        memmove(shape + first, shape + last + 1, (size_t)(rank - last - 1) * sizeof *shape);
        rank -= last + 1 - first;
    }
done:
    saros_release(buffer[0]);
    saros_release(buffer[1]);
    return status;
}

saros_status saros_reduce_run(const saros_evaluation *e, const saros_reducers *reducers) {
    uint32_t axes = (uint32_t)e->attributes->word[0];
    saros_tensor *x = NULL;
    saros_dtype dtype = e->in[0]->dtype;
    if (!choose(reducers, dtype))
        return saros_fail(SAROS_ERR_TYPE, e->row->name, NULL, "no kernel for %s",
                          saros_dtype_name(dtype));
    if (axes == 0) return saros_tensor_assign(e->out[0], e->in[0]);
    saros_status status = saros_tensor_contiguous(e->in[0], &x);
    if (status != SAROS_OK) return status;
    status =
        saros_reduce_memory(reducers, dtype, x->rank, x->shape, axes, x->data, e->out[0]->data);
    saros_tensor_release(x);
    return status;
}

/* ---- axes ---- */

uint32_t saros_all_axes(saros_value x) {
    return (UINT32_C(1) << saros_value_rank(x)) - 1;
}

saros_status saros_reduce_axes(const char *where, saros_value x, uint32_t axes) {
    int rank = saros_value_rank(x);
    if (axes >> rank)
        return saros_fail(SAROS_ERR_DOMAIN, where, "bit a of the mask stands for axis a",
                          "axes 0x%x of a value of rank %d", (unsigned)axes, rank);
    if (saros_value_dtype(x) == SAROS_OPAQUE)
        return saros_fail(SAROS_ERR_TYPE, where, NULL, "an opaque value has no elements");
    return SAROS_OK;
}

saros_status saros_reduce_type(const char *where, const saros_type *x, int64_t axes,
                               saros_type *out) {
    if (axes < 0 || axes >> x->rank)
        return saros_fail(SAROS_ERR_DOMAIN, where, NULL, "axes 0x%llx of a value of rank %d",
                          (unsigned long long)axes, x->rank);
    *out = *x;
    out->rank = 0;
    out->split = 0;
    for (int a = 0; a < x->rank; ++a) {
        if (axes >> a & 1) continue;
        if (x->split >> a & 1) out->split |= UINT32_C(1) << out->rank;
        out->shape[out->rank++] = x->shape[a];
    }
    if (x->split && !out->split) out->split = SAROS_SPLIT_PART;
    return SAROS_OK;
}

saros_value saros_reduce_expand(saros_value reduced, saros_value like, uint32_t axes) {
    saros_type type = *saros_value_type(like);
    int to[SAROS_MAX_RANK], kept = 0;
    for (int a = 0; a < type.rank; ++a)
        if (!(axes >> a & 1)) to[kept++] = a;
    return saros_broadcast(reduced, type.rank, type.shape, to);
}

uint32_t saros_reduce_batched(uint32_t axes) {
    return axes << 1;
}
