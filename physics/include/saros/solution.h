/** Methods, solutions, gradients and fits: the same calls for every method.
 *
 *      saros_problem_solve(p, &saros_grid, &(saros_grid_options){.cells = {512}, .order = 4, .rtol
 * = 1e-8}, NULL, &s); saros_solution_at(s, 1, points, values);
 */
#ifndef SAROS_SOLUTION_H
#define SAROS_SOLUTION_H

#include "saros/options.h"
#include "saros/problem.h"

typedef struct saros_solution saros_solution;
typedef struct saros_traced saros_traced; /**< a solution in a graph: what an objective sees */

/** What replaces the problem's for one call, and how results are kept. Zero means: the problem's
 * own. */
typedef struct saros_solve_options {
    const saros_parameter *parameters; /**< ends in {0}: numbers and fields replace the declared
                                          ones of the same name and kind */
    const saros_axis *domain;          /**< ends in {0}: new extents */
    const saros_solution *initial;     /**< its last state */
    const saros_solution *guess;       /**< steady: first guess */
    const char *save;                  /**< HDF5 path, each output written as it is reached */
    bool overwrite;
    bool check;       /**< gradient: check it (saros_check_gradient) before it is returned; so does
                         the environment's SAROS_CHECK_GRADIENTS=1 */
    const char *keep; /**< "all" (default), "last" */
    const char *script; /**< provenance: text of the script, command line */
    const char *command;
    /** Called now and then; returning false stops with SAROS_ERR_STOPPED. `text` is a short status
     * line. */
    bool (*progress)(double fraction, const char *text, void *user);
    void *user;
} saros_solve_options;

/** Numbers about a run. `history` are named series (loss, residual, dt…). */
typedef struct saros_series {
    const char *name;
    int64_t count;
    const double *value;
} saros_series;
typedef struct saros_info {
    const char *method, *integrator, *gradient, *reason, *linear_solver;
    int64_t steps, evaluations, iterations;
    double residual, loss, seconds;
    bool converged;
    int series;
    const saros_series *history;
} saros_info;

/* ---- solve and read ---- */
typedef struct saros_method saros_method;
SAROS_API saros_status saros_problem_solve(saros_problem *problem, const saros_method *method,
                                           const void *method_options,
                                           const saros_solve_options *options,
                                           saros_solution **out);
SAROS_API saros_solution *saros_solution_retain(saros_solution *solution);
SAROS_API void saros_solution_release(saros_solution *solution);
SAROS_API saros_problem *saros_solution_problem(const saros_solution *solution);
SAROS_API const saros_info *saros_solution_info(const saros_solution *solution);
/** Field of an unknown or observable on the nodes: axes (t, z, y, x), no t if steady. Borrowed.
 * NULL and USAGE if unknown. */
SAROS_API saros_tensor *saros_solution_field(saros_solution *solution, const char *name);
/** Coordinates of an axis ("x", "t"): f64 (n). Borrowed. NULL and USAGE if unknown. */
SAROS_API saros_tensor *saros_solution_axis(saros_solution *solution, const char *axis);
/** Value of the parameter in this solution (rank 0, or the field). Borrowed. */
SAROS_API saros_tensor *saros_solution_parameter(saros_solution *solution, const char *name);
/** Unknowns at points. @param coordinate one f64 tensor per axis in order x, y, z, t (those the
 * problem has), broadcast together;
 *  @param value one tensor per unknown, of the broadcast shape. Outside the domain is DOMAIN;
 * periodic axes wrap. */
SAROS_API saros_status saros_solution_at(saros_solution *solution, saros_tensor *const *coordinate,
                                         saros_tensor **value);
/** An expression (derivatives included) at points: `outputs` values. */
SAROS_API saros_status saros_solution_evaluate(saros_solution *solution, saros_point_fn expression,
                                               void *user, int outputs,
                                               saros_tensor *const *coordinate,
                                               saros_tensor **value);
/** Integral over the domain at time `t` (NaN: the last; ignored if steady). */
SAROS_API saros_status saros_solution_integral(saros_solution *solution, saros_point_fn expression,
                                               void *user, double t, double *out);
/** |a - b| / |b| in L2 on a's nodes at time t (NaN: all times), b the reference; one number per
 * unknown. */
SAROS_API saros_status saros_solution_error(saros_solution *solution, saros_solution *reference,
                                            double t, double *out);
SAROS_API saros_status saros_solution_error_against(saros_solution *solution,
                                                    saros_point_fn reference, void *user, double t,
                                                    double *out);
SAROS_API saros_status saros_solution_save(saros_solution *solution, const char *path,
                                           bool overwrite, const char *script, const char *command);
/** Reads a result file back; usable for field, axis, at, integral of unknowns (interpolated as by
 * the grid). */
SAROS_API saros_status saros_solution_load(const char *path, saros_solution **out);

/* ---- differentiate ---- */
/** Builds an objective (f64 scalar) from a traced solution. */
typedef saros_status (*saros_objective_fn)(saros_traced *solution, void *user,
                                           saros_value *objective);
SAROS_API saros_graph *saros_traced_graph(saros_traced *solution);
/** Integral over the domain at time t (NaN: the end) of an expression. t becomes an output time. */
SAROS_API saros_value saros_traced_integral(saros_traced *solution, saros_point_fn expression,
                                            void *user, double t);
/** Unknown `name` at constant points (times asked for become output times). */
SAROS_API saros_value saros_traced_at(saros_traced *solution, const char *name,
                                      saros_tensor *const *coordinate);
/** Field of an unknown at its output times, axes as in saros_solution_field. */
SAROS_API saros_value saros_traced_field(saros_traced *solution, const char *name);
/** Parameter value in the graph. */
SAROS_API saros_value saros_traced_parameter(saros_traced *solution, const char *name);

/** J and dJ/d(parameter) for `wrt` names (ends in NULL); gradient[k] has the parameter's shape. */
SAROS_API saros_status saros_problem_gradient(saros_problem *problem, const saros_method *method,
                                              const void *method_options,
                                              const saros_solve_options *options,
                                              saros_objective_fn objective, void *user,
                                              const char *const *wrt, double *value,
                                              saros_tensor **gradient, saros_info *info);

/** Solves inside `graph` with parameters given as values (names without value keep their number);
 * for transforms of the interface. If `options` names a number for every parameter given as a
 * value, adaptive steps are chosen here, once, for these numbers, and the graph replays them; else
 * the graph chooses them in every run. */
SAROS_API saros_status saros_problem_trace(saros_problem *problem, const saros_method *method,
                                           const void *method_options,
                                           const saros_solve_options *options, saros_graph *graph,
                                           const char *const *names, const saros_value *values,
                                           saros_traced **out);
SAROS_API void saros_traced_release(saros_traced *solution);

/* ---- fit ---- */
typedef struct saros_unknown_parameter {
    const char *name;
    double start;
    double min, max; /**< min < max, or both 0: free; use -INFINITY, INFINITY for one side */
} saros_unknown_parameter;

typedef struct saros_fit_data {
    saros_tensor *coordinate[SAROS_AXES]; /**< x, y, z, t of the problem, each (n) */
    int unknowns;
    const char *const *unknown; /**< names with data */
    saros_tensor *const *value; /**< one (n) per name */
    double sigma;               /**< standard deviation of the data; 0: 1 */
} saros_fit_data;

typedef struct saros_fit_result {
    int parameters;
    double *value;          /**< in the order asked; release with saros_release */
    double *standard_error; /**< from J^T J at the solution; NULL if not computed */
    saros_solution *solution;
    saros_info info; /**< history borrowed from `solution` */
} saros_fit_result;

SAROS_API saros_status saros_problem_fit(saros_problem *problem, const saros_method *method,
                                         const void *method_options,
                                         const saros_solve_options *options,
                                         const saros_fit_data *data,
                                         const saros_unknown_parameter *unknown /* ends in {0} */,
                                         saros_fit_result *out);
SAROS_API void saros_fit_clear(saros_fit_result *result);

/* ---- the grid method ---- */
typedef struct saros_grid_options {
    int64_t cells[SAROS_AXES]; /**< per space axis; 0: that of the first axis, or 128 */
    int64_t order;             /**< 2 (default) or 4 */
    const char *integrator;    /**< NULL: bdf for solve, sdirk for gradient and fit */
    double rtol, atol,
        dt;            /**< dt: fixed steps; without, sdirk and dopri5 choose them by rtol, atol */
    saros_times times; /**< default 2: start and end */
    int64_t max_steps;
    const char *nonlinear, *linear; /**< PETSc options by their own names: "snes_rtol 1e-9 …" */
    const char *accept;             /**< "last": not converging is no error */
    const char *implicit_; /**< with imex: derivatives ("u.xx v") whose terms are taken implicitly;
                              NULL: those with derivatives of second order and above */
} saros_grid_options;

SAROS_API_DATA const saros_method saros_grid;
/** The option rows of a method. */
SAROS_API const saros_option_table *saros_method_options(const saros_method *method);
SAROS_API const char *saros_method_name(const saros_method *method);

#endif
