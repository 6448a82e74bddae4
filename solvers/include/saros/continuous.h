/** A run of CVODES as a value of a graph, with continuous sensitivities.
 *
 *  Where saros_march (ode.h) is differentiated step by step, here forward mode integrates the
 * tangent's equation beside the run and reverse mode the adjoint's backwards (cvode.h): close to
 * the derivative of the exact solution, not exactly that of the numbers computed. Once
 * differentiated it cannot be differentiated again: that is an error naming it.
 */
#ifndef SAROS_CONTINUOUS_H
#define SAROS_CONTINUOUS_H

#include "saros/cvode.h"
#include "saros/ode.h"

typedef struct saros_cvode_march_spec {
    saros_value y0; /**< f64 (n) */
    int times;
    const double *time; /**< ascending, copied; the first is the start */
    saros_rate_fn rate; /**< may use values of the graph: its derivatives go to these too (f64) */
    void *user;
    saros_cvode_options options; /**< copied */
} saros_cvode_march_spec;

/** The states at time[1] …: (times-1, n). Fails to build with USAGE or SHAPE, with TYPE for a
 * parameter of f32; runs fail as saros_cvode_solve does, with STOPPED on
 * saros_stop. */
SAROS_API saros_value saros_cvode_march(saros_graph *graph, const saros_cvode_march_spec *spec);

#endif
