/** Points: coordinates broadcast together, checked against the domain; nodes of a solution. */
#include <math.h>

#include "saros/memory.h"
#include "solution_impl.h"

static saros_status broadcast_shape(int count, saros_tensor *const *coordinate, saros_type *out) {
    *out = saros_type_scalar(SAROS_F64);
    for (int k = 0; k < count; ++k)
        if (saros_tensor_rank(coordinate[k]) > out->rank)
            out->rank = saros_tensor_rank(coordinate[k]);
    for (int i = 0; i < out->rank; ++i) out->shape[i] = 1;
    for (int k = 0; k < count; ++k) {
        saros_type type = saros_tensor_type(coordinate[k]);
        for (int i = 0; i < type.rank; ++i) {
            int64_t *extent = &out->shape[out->rank - type.rank + i];
            if (type.shape[i] == *extent || type.shape[i] == 1) continue;
            if (*extent != 1) {
                char a[64], b[64];
                return saros_fail(SAROS_ERR_SHAPE, "points", "give coordinates of one shape",
                                  "coordinates %s do not broadcast to %s",
                                  saros_type_text(&type, a, sizeof a),
                                  saros_type_text(out, b, sizeof b));
            }
            *extent = type.shape[i];
        }
    }
    return SAROS_OK;
}

/** A flat f64 copy of `from` stretched to `shape`. */
static saros_status stretch(const saros_tensor *from, const saros_type *shape, saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_tensor *cast = NULL, *view = NULL, *flat = NULL, *shaped = NULL;
    int64_t count = saros_type_count(shape), strides[SAROS_MAX_RANK] = {0};
    SAROS_TRY(saros_tensor_cast(from, SAROS_F64, &cast));
    int skip = shape->rank - saros_tensor_rank(cast);
    for (int i = skip; i < shape->rank; ++i)
        if (saros_tensor_shape(cast)[i - skip] > 1)
            strides[i] = saros_tensor_strides(cast)[i - skip];
    SAROS_TRY(saros_tensor_view(cast, shape->rank, shape->shape, strides, 0, &view));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &count, &flat));
    SAROS_TRY(saros_tensor_view(flat, shape->rank, shape->shape, NULL, 0, &shaped));
    SAROS_TRY(saros_tensor_assign(shaped, view));
    *out = flat;
    flat = NULL;
done:
    saros_tensor_release(cast);
    saros_tensor_release(view);
    saros_tensor_release(shaped);
    saros_tensor_release(flat);
    return status;
}

/** Brings a coordinate into [lo, hi]: wraps a periodic one, forgives round-off. */
static saros_status place(const char *name, double lo, double hi, bool periodic, double *x) {
    double span = hi - lo, slack = 1e-10 * (span > 0 ? span : 1);
    if (periodic && isfinite(*x)) {
        *x = lo + fmod(*x - lo, span);
        if (*x < lo) *x += span;
        return SAROS_OK;
    }
    if (*x >= lo - slack && *x <= hi + slack) {
        *x = *x < lo ? lo : *x > hi ? hi : *x;
        return SAROS_OK;
    }
    return saros_fail(SAROS_ERR_DOMAIN, "points", NULL, "%s = %g lies outside [%g, %g]", name, *x,
                      lo, hi);
}

saros_status saros_points_flatten(const saros_problem *problem, const saros_axis *axis,
                                  double start, double end, saros_tensor *const *coordinate,
                                  saros_type *shape, saros_tensor *flat[SAROS_AXES]) {
    int count = problem->axes + problem->transient;
    saros_status status = broadcast_shape(count, coordinate, shape);
    for (int a = 0; a < SAROS_AXES; ++a) flat[a] = NULL;
    for (int a = 0; a < count && status == SAROS_OK; ++a) {
        status = stretch(coordinate[a], shape, &flat[a]);
        if (status != SAROS_OK) break;
        double *x = saros_tensor_data(flat[a]);
        bool time = a == problem->axes;
        bool periodic =
            !time && saros_problem_condition(problem, a, 0, 0, NULL, NULL, NULL) == SAROS_PERIODIC;
        for (int64_t i = 0; i < saros_tensor_count(flat[a]) && status == SAROS_OK; ++i)
            status = time ? place("t", start, end, false, &x[i])
                          : place(axis[a].name, axis[a].lo, axis[a].hi, periodic, &x[i]);
    }
    for (int a = 0; a < count && status != SAROS_OK; ++a) {
        saros_tensor_release(flat[a]);
        flat[a] = NULL;
    }
    return status;
}

saros_status saros_solution_points(const saros_solution *solution, int times, const double *time,
                                   saros_tensor *coordinate[SAROS_AXES]) {
    int64_t nodes = 1, inner = 1, all = 1;
    for (int a = 0; a < solution->axes; ++a) nodes *= saros_tensor_count(solution->node[a]);
    if (!solution->transient) times = 1;
    all = nodes * times;
    for (int a = 0; a < SAROS_AXES; ++a) coordinate[a] = NULL;
    saros_status status = SAROS_OK;
    for (int a = 0; a < solution->axes + solution->transient; ++a) {
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &all, &coordinate[a]));
        double *x = saros_tensor_data(coordinate[a]);
        if (a == solution->axes) {
            for (int64_t i = 0; i < all; ++i) x[i] = time[i / nodes];
            break;
        }
        const double *node = saros_tensor_const_data(solution->node[a]);
        int64_t n = saros_tensor_count(solution->node[a]);
        for (int64_t i = 0; i < all; ++i) x[i] = node[i / inner % n];
        inner *= n;
    }
done:
    for (int a = 0; a < SAROS_AXES && status != SAROS_OK; ++a) saros_tensor_release(coordinate[a]);
    return status;
}
