/** Problem = domain + unknowns + parameters + equation + initial + boundary + observables. Traced
 * once, before any method.
 *
 *      saros_problem_make(&(saros_problem_spec){
 *          .name = "burgers",
 *          .axes = (saros_axis[]){{"x", -1, 1}, {"t", 0, 1}, {0}},
 *          .unknowns = (const char *[]){"u", NULL},
 *          .parameters = (saros_parameter[]){{.name = "nu", .value = 0.01 / M_PI}, {0}},
 *          .equation = burgers, .initial = start,
 *          .boundary = (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET, .value = 0},
 * {0}}}, &p);
 *
 *  Lists end in a {0} row and are copied. Functions are called while the problem is made and never
 * again.
 */
#ifndef SAROS_PROBLEM_H
#define SAROS_PROBLEM_H

#include "saros/point.h"

typedef struct saros_problem saros_problem;

typedef struct saros_axis {
    const char *name; /**< x, y, z (space, in this order) or t */
    double lo, hi;
} saros_axis;

typedef struct saros_parameter {
    const char *name;
    double value;            /**< a number… */
    saros_point_fn function; /**< …or a function of the coordinates (and other parameters)… */
    void *user;
    saros_tensor *field; /**< …or one value per node (the grid's shape) */
} saros_parameter;

typedef enum saros_condition_kind {
    SAROS_DIRICHLET = 1, /**< u = value */
    SAROS_NEUMANN,       /**< du/dn = value, n outward */
    SAROS_ROBIN,         /**< a u + b du/dn = value */
    SAROS_PERIODIC,      /**< the axis, both sides, all unknowns */
    SAROS_FLUX,          /**< outward component of the flux under div is value */
    SAROS_FREE,          /**< none */
    SAROS_RESIDUAL       /**< function gives a residual */
} saros_condition_kind;

typedef struct saros_condition {
    const char *axis;
    const char *side;    /**< "lo", "hi", NULL: both */
    const char *unknown; /**< NULL: all */
    saros_condition_kind kind;
    double a, b;
    double value;
    saros_point_fn function; /**< instead of `value`, of (s, p); RESIDUAL: the residual */
    void *user;
} saros_condition;

typedef struct saros_observable {
    const char *name;
    saros_point_fn function;
    void *user;
} saros_observable;

typedef struct saros_problem_spec {
    const char *name;
    const saros_axis *axes;
    const char *const *unknowns; /**< ends in NULL */
    const saros_parameter *parameters;
    saros_point_fn equation; /**< one residual per unknown */
    saros_point_fn initial;  /**< one value per unknown; NULL if there is no t */
    const saros_condition *boundary;
    const saros_observable *observables;
    void *user; /**< of equation and initial */
} saros_problem_spec;

SAROS_API saros_status saros_problem_make(const saros_problem_spec *spec, saros_problem **out);
SAROS_API saros_problem *saros_problem_retain(saros_problem *problem);
SAROS_API void saros_problem_release(saros_problem *problem);

/* ---- read: what methods and interfaces need ---- */
SAROS_API const char *saros_problem_name(const saros_problem *problem);
SAROS_API int saros_problem_space_axes(const saros_problem *problem,
                                       const saros_axis **axes); /**< in order x, y, z */
SAROS_API bool saros_problem_time(const saros_problem *problem, double *start,
                                  double *end); /**< false: steady */
SAROS_API int saros_problem_unknowns(const saros_problem *problem, const char *const **names);
SAROS_API int saros_problem_parameters(const saros_problem *problem,
                                       const saros_parameter **parameters);
SAROS_API int saros_problem_observables(const saros_problem *problem, const char *const **names);
/** The physics graph: body whose inputs are, in order: unknowns, space coordinates, t (if any),
 * number parameters and fields in order of declaration, and whose outputs are the residuals. Nodes
 * are pointwise rows and saros_row_derivative (words: axis index; time is axis SAROS_TIME_AXIS).
 * Function parameters are already traced in. */
#define SAROS_TIME_AXIS 3
SAROS_API saros_body *saros_problem_equation(const saros_problem *problem);
SAROS_API saros_body *saros_problem_initial(const saros_problem *problem); /**< NULL if steady */
SAROS_API saros_body *saros_problem_observable(const saros_problem *problem, int k);
/** Condition of `unknown` on a side (0 lo, 1 hi) of space axis `axis`: kind and a body of one
 * output (the value v, or the residual) with the equation's inputs. */
SAROS_API saros_condition_kind saros_problem_condition(const saros_problem *problem, int axis,
                                                       int side, int unknown, saros_body **value,
                                                       double *a, double *b);
/** The marker row d(expression, axis). */
SAROS_API_DATA const saros_primitive saros_row_derivative;

/** What inspection of the equation found. */
typedef struct saros_problem_form {
    int time_order;     /**< highest order in t over all residuals */
    bool linear;        /**< residuals affine in the unknowns and their derivatives */
    int space_order[3]; /**< highest derivative per axis */
    bool explicit_;     /**< residual k is M_k du_k/dt + rest with M_k free of unknowns' time
                           derivatives */
} saros_problem_form;
SAROS_API saros_problem_form saros_problem_inspect(const saros_problem *problem);

#endif
