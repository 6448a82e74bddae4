/** extend: own points plus ghosts along one axis of a serial grid.
 *
 *  Ghosts of a bounded side are values, at s = -1, -2, … (in units of h, counted inwards from the
 * end node), of the polynomial through the end node and its neighbours:
 *
 *      value given, or free:  through nodes 0 … q (Lagrange);
 *      slope known:           through nodes 0 … q and the slope at node 0 (Hermite). With
 *          L(s) = prod_{i=1..q} (i - s)/i,  H = sum_{i=1..q} 1/i:
 *          P(s) = (1 + s H) L(s) u_0 + s L(s) h u'_0
 *                 + sum_{j=1..q} (s/j)^2 prod_{i!=j} (s - i)/(j - i) u_j.
 *  A condition a u + b du/dn = v on a side that owns its end node gives the slope: du/dn = (v - a
 * u_0)/b.
 *
 *  Degrees, and why. A stencil of order p needs no more than degree p - 1 through a given value and
 * degree p with a slope: the rows at the boundary are then less exact by two orders (one with a
 * slope), which the solution regains (Gustafsson 1975). Degree p through a given value makes
 * central differences of order 4 unstable for u_t + u_x = 0 (eigenvalues with real part +0.2,
 * whatever h), degree p - 1 does not (at most round-off); for u_t = u_xx all of these are stable,
 * with real negative eigenvalues, for 3-, 5- and 7-point stencils alike. Order 2 keeps degree 2
 * through a value, so that one-sided slopes are of order 2.
 */
#include "saros/extend.h"

#include <stdbool.h>

#include "weigh_impl.h"

enum { MOST_WIDTH = 8, MOST_NODES = 9 };

int64_t saros_extend_own(int64_t nodes, const saros_side *lo, const saros_side *hi) {
    return nodes - (lo->kind == SAROS_SIDE_CONDITION && lo->given) -
           (hi->kind == SAROS_SIDE_CONDITION && hi->given);
}

static bool has_slope(const saros_side *side) {
    return side->kind == SAROS_SIDE_CONDITION && !side->given;
}

/* Nodes the ghost polynomial passes through, the end node included. */
static int64_t closure_nodes(const saros_side *side, int order) {
    if (has_slope(side)) return order;
    return order > 2 ? order : 3;
}

/* prod over i in first … q, i != skip, of (s - i)/(skip - i) */
static double lagrange(int64_t first, int64_t q, int64_t skip, double s) {
    double product = 1;
    for (int64_t i = first; i <= q; ++i)
        if (i != skip) product *= (s - (double)i) / (double)(skip - i);
    return product;
}

/* Weights of nodes 0 … q for the ghost at s; returns that of h u'_0 (0 without a slope). */
static double closure_weights(int64_t q, bool slope, double s, double *weight) {
    if (!slope) {
        for (int64_t j = 0; j <= q; ++j) weight[j] = lagrange(0, q, j, s);
        return 0;
    }
    double tail = 1, harmonic = 0;
    for (int64_t i = 1; i <= q; ++i) {
        tail *= ((double)i - s) / (double)i;
        harmonic += 1 / (double)i;
    }
    weight[0] = (1 + s * harmonic) * tail;
    for (int64_t j = 1; j <= q; ++j) weight[j] = s * s / (double)(j * j) * lagrange(1, q, j, s);
    return s * tail;
}

/* `v` (a scalar or the shape of u without `axis`) with extent 1 along `axis`. */
static saros_value side_value(saros_value v, saros_value u, int axis) {
    saros_type type = *saros_value_type(u);
    int64_t shape[SAROS_MAX_RANK];
    int rank = 0;
    for (int a = 0; a < type.rank; ++a)
        if (a != axis) shape[rank++] = type.shape[a];
    v = saros_broadcast(v, rank, shape, NULL);
    type.shape[axis] = 1;
    return saros_reshape(v, type.rank, type.shape);
}

/* h du/ds inwards at the end node `end` from a u + b du/dn = v, n outwards. */
static saros_value side_slope(const saros_side *side, saros_value end, saros_value h, int axis) {
    saros_value v = side_value(side->v, end, axis);
    if (!saros_is_none(side->a)) v = saros_sub(v, saros_mul(side_value(side->a, end, axis), end));
    return saros_neg(saros_mul(saros_div(v, side_value(side->b, end, axis)), h));
}

/* Ghosts of one side in the order of the axis, from its closure nodes likewise. */
static saros_value side_ghosts(saros_value nodes, int axis, int64_t width, int64_t count, bool high,
                               const saros_side *side, saros_value h) {
    double m[MOST_WIDTH * MOST_NODES], slope[MOST_WIDTH], weight[MOST_NODES];
    for (int64_t k = 0; k < width; ++k) {
        /* ghost k from the left is the (width-k)-th from a low end, the (k+1)-th from a high one */
        int64_t out = high ? k + 1 : width - k;
        slope[k] = closure_weights(count - 1, has_slope(side), -(double)out, weight);
        for (int64_t j = 0; j < count; ++j) m[k * count + (high ? count - 1 - j : j)] = weight[j];
    }
    saros_value ghosts = saros_weigh(nodes, axis, width, count, m);
    if (!has_slope(side)) return ghosts;
    saros_value end =
        high ? saros_slice(nodes, axis, count - 1, count, 1) : saros_slice(nodes, axis, 0, 1, 1);
    return saros_add(ghosts, saros_weigh(side_slope(side, end, h, axis), axis, width, 1, slope));
}

/* u with the given end nodes put back, `count` nodes at one end only. */
static saros_value end_nodes(saros_value u, int axis, int64_t count, bool high,
                             const saros_side *side, saros_value given) {
    int64_t own = saros_value_type(u)->shape[axis];
    if (side->kind != SAROS_SIDE_CONDITION || !side->given)
        return high ? saros_slice(u, axis, own - count, own, 1) : saros_slice(u, axis, 0, count, 1);
    saros_value inner = high ? saros_slice(u, axis, own - count + 1, own, 1)
                             : saros_slice(u, axis, 0, count - 1, 1);
    return saros_concat(2, high ? (saros_value[]){inner, given} : (saros_value[]){given, inner},
                        axis);
}

static saros_value extend_fail(saros_value u, saros_status status, const char *message,
                               int64_t number) {
    saros_fail(status, "saros_extend", NULL, message, (long long)number);
    return saros_poison(u.graph);
}

static saros_value extend_periodic(saros_value u, int axis, int64_t width) {
    int64_t n = saros_value_type(u)->shape[axis];
    if (n < width)
        return extend_fail(u, SAROS_ERR_SHAPE,
                           "a periodic axis of %lld nodes is narrower than its ghosts", n);
    saros_value part[3] = {saros_slice(u, axis, n - width, n, 1), u,
                           saros_slice(u, axis, 0, width, 1)};
    return saros_concat(3, part, axis);
}

/* A side that cannot be extended, or NULL. */
static const char *side_complaint(const saros_side *side) {
    if (side->kind != SAROS_SIDE_CONDITION) return NULL;
    if (side->given && (!saros_is_none(side->b) || saros_is_none(side->v)))
        return "a given end node needs a pure value condition (order %lld)";
    if (!side->given && (saros_is_none(side->b) || saros_is_none(side->v)))
        return "an own end node needs a condition with a slope (order %lld)";
    return NULL;
}

/* The value at a given end node, or SAROS_NONE. */
static saros_value side_given(const saros_side *side, saros_value u, int axis) {
    if (side->kind != SAROS_SIDE_CONDITION || !side->given) return SAROS_NONE;
    saros_value v = side_value(side->v, u, axis);
    return saros_is_none(side->a) ? v : saros_div(v, side_value(side->a, u, axis));
}

saros_value saros_extend(saros_value u, int axis, int64_t width, int order, saros_value h,
                         const saros_side *lo, const saros_side *hi) {
    if (saros_is_poisoned(u)) return u;
    if (axis < 0) axis += saros_value_rank(u);
    if (width == 0 && lo->kind == SAROS_SIDE_PERIODIC) return u;
    if (width < 0 || width > MOST_WIDTH || order < 1 || order >= MOST_NODES)
        return extend_fail(u, SAROS_ERR_UNSUPPORTED,
                           "width must be 0 … 8 and order 1 … 8 (width is %lld)", width);
    if (lo->kind == SAROS_SIDE_PERIODIC && hi->kind == SAROS_SIDE_PERIODIC)
        return extend_periodic(u, axis, width);
    if (lo->kind == SAROS_SIDE_PERIODIC || hi->kind == SAROS_SIDE_PERIODIC)
        return extend_fail(u, SAROS_ERR_USAGE, "one side of axis %lld is periodic, the other not",
                           axis);
    const saros_side *side[2] = {lo, hi};
    saros_value part[5], given[2], ghosts[2] = {SAROS_NONE, SAROS_NONE};
    int64_t own = saros_value_type(u)->shape[axis];
    for (int s = 0; s < 2; ++s) {
        const char *complaint = side_complaint(side[s]);
        if (complaint) return extend_fail(u, SAROS_ERR_USAGE, complaint, order);
        given[s] = side_given(side[s], u, axis);
        int64_t count = closure_nodes(side[s], order);
        if (own + !saros_is_none(given[s]) < count)
            return extend_fail(u, SAROS_ERR_SHAPE,
                               "an axis of %lld own nodes is too short for the order", own);
        if (width > 0)
            ghosts[s] = side_ghosts(end_nodes(u, axis, count, s == 1, side[s], given[s]), axis,
                                    width, count, s == 1, side[s], h);
    }
    const saros_value all[5] = {ghosts[0], given[0], u, given[1], ghosts[1]};
    int parts = 0;
    for (int k = 0; k < 5; ++k)
        if (!saros_is_none(all[k])) part[parts++] = all[k];
    return parts == 1 ? u : saros_concat(parts, part, axis);
}
