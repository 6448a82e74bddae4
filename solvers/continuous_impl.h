/** What runs of CVODES and IDAS share as nodes of a graph: an equation traced once into a body
 * whose inputs are the leading ones (t, y …) and then what it captures, and functions made from it.
 */
#ifndef SAROS_CONTINUOUS_IMPL_H
#define SAROS_CONTINUOUS_IMPL_H

#include "saros/continuous.h"
#include "saros/region.h"

/** Builds the equation's value from its leading inputs. */
typedef saros_status (*saros_equation_fn)(saros_graph *graph, const saros_value *in,
                                          const void *spec, saros_value *out);

/** What a run begins with. */
typedef struct saros_equation {
    const char *where; /**< for messages */
    int leading;       /**< t, y (and y') */
    saros_value y0;
    int times;
    saros_equation_fn build;
    const void *spec;
} saros_equation;

/** Checks and traces it. `operand` (release it): y0, then the captures, all f64 where they are
 * floats; `count` of them. */
saros_status saros_equation_trace(saros_graph *graph, const saros_equation *of, saros_body **body,
                                  saros_value **operand, int *count);

/** A copy of the body with its inputs declared anew; `in` has room for as many again and two more.
 */
typedef struct saros_draft {
    saros_graph *graph;
    saros_value *in, f;
    int ins;
} saros_draft;
saros_status saros_draft_open(saros_body *body, saros_draft *d);
void saros_draft_close(saros_draft *d);

/** (inputs…, v…) -> the derivative along the v of those of inputs 1 … end-1 that are f64. */
saros_status saros_draft_tangent(saros_body *body, int end, saros_function **out);
/** (inputs…, l) -> the pull-back of l by the f64 inputs from … end-1, end to end; none: NULL. */
saros_status saros_draft_pull(saros_body *body, int from, int end, saros_function **out);

/** Rows of a result, in turn: those of times after `start`. */
typedef struct saros_rows {
    double *next;
    double start;
} saros_rows;
void saros_rows_take(saros_rows *to, double t, saros_tensor *y);
/** saros_stop_fn: saros_stop was called. */
bool saros_stop_asked(double t, void *user);
/** saros_tangent_fn: rows of the state, or of its derivative along the first direction. */
saros_status saros_rows_state(double t, saros_tensor *y, int directions,
                              saros_tensor *const *tangent, void *rows);
saros_status saros_rows_tangent(double t, saros_tensor *y, int directions,
                                saros_tensor *const *tangent, void *rows);
/** Of the `count` gradients asked for those that are f64, the others zeroed; release the list. */
saros_tensor **saros_gradients_floating(int count, saros_tensor *const *gradient);

#endif
