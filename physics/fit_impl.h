/** Inside of the common fit. */
#ifndef SAROS_FIT_IMPL_H
#define SAROS_FIT_IMPL_H

#include "saros/minimise.h"
#include "traced_impl.h"

enum { SAROS_FIT_MOST = 64 };

/** A fit under way. */
typedef struct saros_fit {
    saros_problem *problem;
    const saros_method *method;
    const void *method_options;
    const saros_solve_options *options;
    const saros_fit_data *data;
    const saros_unknown_parameter *unknown;
    int unknowns;
    int index[SAROS_FIT_MOST]; /* of the unknown parameters */
    int64_t points;            /* data, all unknowns together */
    saros_value misfit;        /* (points), in the graph being built */
    saros_task task;
    bool stopped;
    saros_traced_info traced; /* of the solve as it was built last */
    int iterations;           /* of the rounds before */
} saros_fit;

/** J and its gradient, and R v, both functions of (w, the other parameters). */
typedef struct saros_fit_program {
    saros_function *objective, *product;
    saros_tensor **constant;
    int constants;
} saros_fit_program;

/** Standard errors (unknowns) at w from the Gauss-Newton matrix, and the variance of the misfit
 * they assume: 1 with the data's sigma, else 2 J / (points - unknowns). */
saros_status saros_fit_errors(const saros_fit *f, const saros_fit_program *c, saros_tensor *w,
                              double J, double *variance, double *standard_error);
/** NOT_CONVERGED if an iteration that gave up did so too early. */
saros_status saros_fit_check_end(const saros_fit *f, const saros_fit_program *c, saros_tensor *w,
                                 const saros_minimise_info *found, double variance,
                                 const double *standard_error);

#endif
