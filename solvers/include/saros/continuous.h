/** A run of CVODES or IDAS as a value of a graph, with continuous sensitivities.
 *
 *  Where saros_march (ode.h) is differentiated step by step, here forward mode integrates the
 * tangent's equation beside the run and reverse mode the adjoint's backwards (cvode.h, ida.h):
 * close to the derivative of the exact solution, not exactly that of the numbers computed. Once
 * differentiated it cannot be differentiated again: that is an error naming it.
 */
#ifndef SAROS_CONTINUOUS_H
#define SAROS_CONTINUOUS_H

#include "saros/ida.h"
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

/** Builds F(t, y, y') (n), rows of which may be algebraic (index 1). */
typedef saros_status (*saros_residual_rate_fn)(saros_graph *graph, saros_value t, saros_value y,
                                               saros_value rate, void *user, saros_value *residual);

typedef struct saros_ida_march_spec {
    saros_value
        y0; /**< f64 (n); of algebraic unknowns, those whose rate F does not have, guesses */
    int times;
    const double *time;              /**< as above */
    saros_residual_rate_fn residual; /**< may use values of the graph, as above */
    void *user;
    saros_ida_options options; /**< copied; the sparsity is found in the graph */
} saros_ida_march_spec;

/** The states at all times: (times, n), the first with consistent algebraic unknowns. Errors as
 * above; derivatives backwards need F affine in y': UNSUPPORTED. */
SAROS_API saros_value saros_ida_march(saros_graph *graph, const saros_ida_march_spec *spec);

#endif
