/** The network method: a PINN. Physics graph -> jets of a network -> weighted residuals ->
 * training.
 *
 *      saros_problem_solve(p, &saros_network_method, &(saros_pinn_options){.points = {8000}, .seed
 * = 1}, NULL, &s);
 */
#ifndef SAROS_PINN_H
#define SAROS_PINN_H

#include "saros/method.h"
#include "saros/network.h"
#include "saros/train.h"

typedef struct saros_pinn_points {
    int64_t interior, boundary, initial; /**< 0: 4000, 200 per side, 200 */
} saros_pinn_points;

typedef struct saros_pinn_weights {
    double equation, boundary, initial, data; /**< 0: 1 */
} saros_pinn_weights;

typedef struct saros_pinn_options {
    saros_network_options network;
    saros_pinn_points points;
    saros_pinn_weights weights;
    const char *sampler;         /**< sobol (default), uniform, grid */
    int64_t resample;            /**< draws the equation's points anew, half of them where the
                                    residual is large, every so many steps; 0: 250, -1: never */
    int hard;                    /**< flag: hard conditions where the domain allows (default on) */
    saros_option_list optimizer; /**< of saros_optimiser; empty: adam 100, bfgs 2000 (above
                                    6000 weights adam 1000, lbfgs 4000) */
    int64_t steps;               /**< of the last of the default optimisers; 0: theirs */
    int64_t windows;             /**< windows in time; 0 or 1: one. More are not in this build */
    const char *checkpoint;      /**< not in this build */
    const char *dtype;           /**< f64 (default), f32 */
    int64_t seed;
    int64_t cells[SAROS_AXES]; /**< nodes the solution is sampled on; 0: 128 */
    saros_times times;
    double tolerance;   /**< loss to stop at; not reaching it is NOT_CONVERGED; 0: none */
    const char *accept; /**< "last" */
} saros_pinn_options;

SAROS_API_DATA const saros_method saros_network_method;

/** Weights of a network solution (borrowed) and its architecture; USAGE if the solution is of
 * another method. */
SAROS_API saros_status saros_solution_network(saros_solution *solution, saros_network *network,
                                              saros_tensor **weights);

/** Points in the unit cube: sobol (scrambled by digital shift from `seed`), uniform (Philox), grid
 * (midpoints): f64 (n, d). */
SAROS_API saros_status saros_sample(const char *sampler, int64_t seed, int64_t n, int d,
                                    saros_tensor **out);

#endif
