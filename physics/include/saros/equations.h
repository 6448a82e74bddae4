/** Ready problems under the field's names. Every one is an ordinary problem: what it is made of can
 * be replaced.
 *
 *      saros_problem *p;
 *      saros_equation_burgers(&(saros_burgers_spec){.nu = 0.02, .conservative = 1}, &p);
 *
 *  Zero means default. Each file under physics/equations/ is one equation and shows how to add one.
 */
#ifndef SAROS_EQUATIONS_H
#define SAROS_EQUATIONS_H

#include "saros/options.h"
#include "saros/problem.h"

/** What every ready problem lets be replaced: the first member of each specification. */
typedef struct saros_equation_frame {
    const saros_axis *domain;            /**< ends in {0}; NULL: the equation's own */
    const saros_condition *boundary;     /**< ends in {0}; NULL: the equation's own */
    saros_point_fn initial;              /**< NULL: the equation's own */
    void *initial_user;                  /**< of `initial` */
    const saros_observable *observables; /**< ends in {0}; NULL: none */
} saros_equation_frame;

typedef struct saros_heat_spec {
    saros_equation_frame frame;
    double kappa;                /**< diffusivity (parameter kappa); default 1 */
    saros_point_fn conductivity; /**< instead of kappa: a function of the point, in flux form */
    void *conductivity_user;
    saros_point_fn source; /**< right-hand side; default none */
    void *source_user;
} saros_heat_spec;

typedef struct saros_advection_spec {
    saros_equation_frame frame;
    double a, b, c; /**< velocities along x, y, z (parameters a, b, c); default 1 each */
} saros_advection_spec;

typedef struct saros_burgers_spec {
    saros_equation_frame frame;
    double nu;        /**< viscosity (parameter nu); default 0.01/pi */
    int conservative; /**< flag: the flux u^2/2 is differenced; default: u u_x */
} saros_burgers_spec;

typedef struct saros_poisson_spec {
    saros_equation_frame frame;
    double f;              /**< right-hand side (parameter f); default 1 */
    saros_point_fn source; /**< instead of f */
    void *source_user;
} saros_poisson_spec;

typedef struct saros_bratu_spec {
    saros_equation_frame frame;
    double
        lambda; /**< (parameter lambda); default 1, solutions exist up to 6.80812 on the square */
} saros_bratu_spec;

/** u_t = div(kappa grad u) + source. Default: x in [0,1], t in [0,0.1], u = 0 at the ends,
 * u0 = prod sin(pi x_i). */
SAROS_API saros_status saros_equation_heat(const saros_heat_spec *spec, saros_problem **out);
/** u_t + a u_x + b u_y + c u_z = 0. Default: periodic on [0,1], t in [0,1], u0 = prod sin(2 pi
 * x_i).
 */
SAROS_API saros_status saros_equation_advection(const saros_advection_spec *spec,
                                                saros_problem **out);
/** u_t + u u_x = nu u_xx. Default: x in [-1,1], t in [0,1], u = 0 at the ends, u0 = -sin(pi x)
 * (Basdevant et al. 1986). */
SAROS_API saros_status saros_equation_burgers(const saros_burgers_spec *spec, saros_problem **out);
/** -lap u = f. Default: the unit square, u = 0 on the boundary. */
SAROS_API saros_status saros_equation_poisson(const saros_poisson_spec *spec, saros_problem **out);
/** lap u + lambda e^u = 0. Default: the unit square, u = 0 on the boundary. */
SAROS_API saros_status saros_equation_bratu(const saros_bratu_spec *spec, saros_problem **out);

/** The list, for interfaces: options describe the specification. */
typedef struct saros_equation {
    const char *name, *doc;
    const saros_option_table *options;
    saros_status (*make)(const void *spec, saros_problem **out);
} saros_equation;
SAROS_API const saros_equation *const *saros_equations(int *count);
/** Equation by name, or NULL with USAGE recorded: nearest name and the list. */
SAROS_API const saros_equation *saros_equation_find(const char *name);

#endif
