/** The point: what an equation, a condition, an initial value or an observable sees. All values are
 * rank 0 (one point); derivatives are markers of the physics graph that a method lowers later.
 *
 *      static saros_status burgers(saros_point *s, void *user, saros_value *r) {
 *          saros_value u = saros_get(s, "u");
 *          r[0] = saros_sub(saros_add(saros_d(s, "u", "t"), saros_mul(u, saros_d(s, "u", "x"))),
 *                           saros_mul(saros_param(s, "nu"), saros_d(s, "u", "xx")));
 *          return SAROS_OK;
 *      }
 *  A wrong name gives a poisoned value with the nearest name.
 */
#ifndef SAROS_POINT_H
#define SAROS_POINT_H

#include "saros/ops.h"

typedef struct saros_point saros_point;

/** equation, initial, boundary, observable, parameter function; `out`: as many values as the
 * context asks for. */
typedef saros_status (*saros_point_fn)(saros_point *s, void *user, saros_value *out);

SAROS_API saros_graph *saros_point_graph(saros_point *s);
SAROS_API saros_value saros_get(saros_point *s, const char *unknown);
/** Derivative of an unknown: axes "x", "xx", "xt", "t", "n" (outward normal, on a boundary)… */
SAROS_API saros_value saros_d(saros_point *s, const char *unknown, const char *axes);
/** Derivative of any expression: axes as above, innermost first. */
SAROS_API saros_value saros_d_of(saros_point *s, saros_value expression, const char *axes);
SAROS_API saros_value saros_coord(saros_point *s, const char *axis);
SAROS_API saros_value saros_param(saros_point *s, const char *name);
/** Component of the outward normal along `axis` (boundary functions only). */
SAROS_API saros_value saros_normal(saros_point *s, const char *axis);
/** div of a flux: one component per space axis of the problem, in order. */
SAROS_API saros_value saros_div_flux(saros_point *s, int n, const saros_value *flux);
/** Sum of second space derivatives. */
SAROS_API saros_value saros_lap(saros_point *s, saros_value q);
/** Number of space axes and their names in order. */
SAROS_API int saros_point_axes(saros_point *s, const char **names);

#endif
