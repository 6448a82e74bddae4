/** Inside of the solution. */
#ifndef SAROS_SOLUTION_IMPL_H
#define SAROS_SOLUTION_IMPL_H

#include <time.h>

#include "problem_impl.h"
#include "saros/method.h"

struct saros_solution {
    atomic_int references;
    saros_problem *problem;
    const saros_solution_class *class_;
    void *state;
    saros_axis axis[3]; /**< extents in force */
    int axes;
    bool transient;
    double start, end; /**< extents in time */
    saros_tensor *time, *node[3], **field, **parameter;
    saros_info info; /**< texts and series owned */
};

/** Copies an info record, texts and series included; `out` is empty on failure. */
saros_status saros_info_copy(const saros_info *info, saros_info *out);
void saros_info_clear(saros_info *info);

/** Monotonic clock in seconds. */
static inline double saros_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/** Fields, then observables: number and name. */
int saros_solution_fields(const saros_solution *solution);
const char *saros_solution_field_name(const saros_solution *solution, int k);
/** One f64 tensor per axis (x, y, z, then t) of the coordinates of all nodes at times[0 … n-1]
 * (ignored if steady), flat, x fastest. */
saros_status saros_solution_points(const saros_solution *solution, int times, const double *time,
                                   saros_tensor *coordinate[SAROS_AXES]);
/** Outputs of a body at flat points inside the domain: value[k] (points). */
saros_status saros_solution_values(saros_solution *solution, saros_body *expression,
                                   saros_tensor *const *coordinate, saros_tensor **value);
/** The body whose outputs are the unknowns. */
saros_status saros_identity_body(const saros_problem *problem, saros_body **out);

/** Coordinates broadcast together: flat contiguous copies, checked against the domain and wrapped
 * where periodic. `count` axes: space, then t. The shape is theirs together. */
saros_status saros_points_flatten(const saros_problem *problem, const saros_axis *axis,
                                  double start, double end, saros_tensor *const *coordinate,
                                  saros_type *shape, saros_tensor *flat[SAROS_AXES]);

/** Quadrature weights of equidistant nodes, spacing 1: Gregory's rule of order 4 (closed
 * Newton-Cotes below 6 nodes), or ones if periodic. */
void saros_quadrature_weights(int64_t nodes, bool periodic, double *weight);
/** Products of the weights of all axes, x fastest, spacing included. */
saros_status saros_quadrature_product(int axes, const int64_t *nodes, const bool *periodic,
                                      const double *h, saros_tensor **out);

#endif
