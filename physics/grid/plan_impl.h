/** The plan of a grid: what is fixed before any graph is built (nodes, sides, own points, packing).
 *
 *  Axis a of the problem is tensor axis (axes - 1 - a): fields are (nz, ny, nx). A *place* is a set
 * of locations: along each axis every h from half-steps before the first node to half-steps after
 * the last. Even half-steps are nodes, odd ones faces; negative ones leave nodes out. */
#ifndef SAROS_GRID_PLAN_IMPL_H
#define SAROS_GRID_PLAN_IMPL_H

#include "problem_impl.h"
#include "saros/extend.h"
#include "saros/method.h"

typedef struct saros_place {
    int64_t lo[3], hi[3]; /**< half-steps beyond the end nodes; lo and hi of one parity */
} saros_place;

/** A condition of one unknown on one side, as a u + b du/dn = v. */
typedef struct saros_grid_side {
    saros_side_kind kind;
    bool given;       /**< the end node is not an own point */
    saros_body *body; /**< output 0: v; with `split` -v, then a, then b along +axis */
    bool split, has_a, has_b;
    double a, b; /**< without `split` */
} saros_grid_side;

typedef struct saros_grid_plan {
    saros_problem *problem; /**< borrowed */
    int axes, unknowns, order;
    int64_t nodes[3];
    bool periodic[3];
    saros_grid_side *side; /**< [(axis * 2 + side) * unknowns + j] */
    saros_place *own;      /**< own points of each unknown */
    bool interleaved; /**< one axis, equal own places: the unknown is the state's fastest index */
    int64_t size;     /**< of the state */
} saros_grid_plan;

/** @param cells per space axis, > 0. Errors: USAGE for too few cells; UNSUPPORTED for a condition
 * the grid cannot take. */
saros_status saros_grid_plan_make(saros_problem *problem, const int64_t *cells, int64_t order,
                                  saros_grid_plan *out);
void saros_grid_plan_clear(saros_grid_plan *plan);

static inline const saros_grid_side *saros_grid_side_at(const saros_grid_plan *plan, int axis,
                                                        int side, int unknown) {
    return &plan->side[(axis * 2 + side) * plan->unknowns + unknown];
}
/** Number of locations of a place along an axis. */
static inline int64_t saros_place_extent(const saros_grid_plan *plan, const saros_place *place,
                                         int axis) {
    return plan->nodes[axis] + (place->lo[axis] + place->hi[axis]) / 2;
}
/** Tensor shape of a place; returns the rank. */
int saros_place_shape(const saros_grid_plan *plan, const saros_place *place, int64_t shape[3]);
/** Number of locations of a place. */
int64_t saros_place_count(const saros_grid_plan *plan, const saros_place *place);
/** All nodes. */
static inline saros_place saros_place_nodes(void) {
    return (saros_place){{0}, {0}};
}

/** State (size) -> own points of each unknown, and back. */
void saros_grid_unpack(const saros_grid_plan *plan, saros_value state, saros_value *own);
saros_value saros_grid_pack(const saros_grid_plan *plan, saros_graph *graph,
                            const saros_value *own);

#endif
