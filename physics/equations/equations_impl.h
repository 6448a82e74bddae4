/** What the ready problems share. */
#ifndef SAROS_EQUATIONS_IMPL_H
#define SAROS_EQUATIONS_IMPL_H

#include <stddef.h>

#include "../problem_impl.h"
#include "saros/equations.h"

/** An option that the interface reads itself. */
#define SAROS_SPECIAL(type, field, text)                                                           \
    { #field, SAROS_OPTION_SPECIAL, offsetof(type, field), "", 0, 0, NULL, NULL, text, NULL }
/** Option rows of the frame, first in every table. */
#define SAROS_FRAME_OPTIONS                                                                        \
    SAROS_SPECIAL(saros_equation_frame, domain, "extents of the axes"),                            \
        SAROS_SPECIAL(saros_equation_frame, boundary, "boundary conditions"),                      \
        SAROS_SPECIAL(saros_equation_frame, initial, "initial value, a function of the point"),    \
        SAROS_SPECIAL(saros_equation_frame, observables,                                           \
                      "named functions of the point, saved with the solution")

/** An equation with what its functions need. */
typedef struct saros_ready {
    const char *name;
    const saros_equation_frame *frame;
    saros_axis domain[4]; /**< default, ends in {0} */
    bool periodic;        /**< default condition: periodic, or u = 0 */
    saros_point_fn equation, initial;
    saros_parameter parameter[4]; /**< ends in {0} */
    const void *spec;             /**< of the equation */
} saros_ready;

/** Makes the problem of one unknown u: the frame where it is given, else the defaults. Functions
 * get the saros_ready as `user`. */
saros_status saros_ready_make(const saros_ready *ready, saros_problem **out);
/** prod over the space axes of sin(k pi (x - lo)/(hi - lo)), the extents those of the problem. */
saros_value saros_sine_product(saros_point *s, double k);

extern const saros_equation saros_equation_row_heat, saros_equation_row_advection,
    saros_equation_row_burgers, saros_equation_row_poisson, saros_equation_row_bratu;

#endif
