/** What a method supplies; for authors of methods (grid in physics, network in pinn, later volume,
 * element, spectral). */
#ifndef SAROS_METHOD_H
#define SAROS_METHOD_H

#include "saros/solution.h"

/** Resolved inputs of a call: the problem with replacements applied. */
typedef struct saros_task {
    saros_problem *problem;
    const void *options;               /**< the method's option struct */
    const saros_solve_options *common; /**< never NULL */
    saros_axis axis[3];                /**< extents in force */
    int axes;
    bool transient;
    double start, end;
    saros_tensor **parameter; /**< by problem order: numbers (rank 0) and fields in force */
    void *default_options;    /**< what `options` points to where the caller gave none */
    bool open; /**< some parameter values of a trace are not those in force here, so that nothing
                  may be chosen by these */
} saros_task;

/** State of a solution owned by its method. */
typedef struct saros_solution_class {
    /** Evaluate a traced expression (body with the equation's inputs) at points; see
     * saros_solution_evaluate. */
    saros_status (*evaluate)(const saros_solution *solution, const void *state,
                             saros_body *expression, int points, saros_tensor *const *coordinate,
                             saros_tensor **value);
    /** Integral of a body's outputs over the domain at t. NULL: quadrature of the sampled nodes
     * through evaluate. */
    saros_status (*integral)(const saros_solution *solution, const void *state,
                             saros_body *expression, double t, double *out);
    void (*release)(void *state);
} saros_solution_class;

/** Makes a solution; takes over one reference of all tensors and `state` (also on failure); copies
 * the rest.
 *  @param time NULL if steady;  @param node coordinates per space axis;  @param field one per
 * unknown, then per observable. */
SAROS_API saros_status saros_solution_make(const saros_task *task,
                                           const saros_solution_class *class_, void *state,
                                           saros_tensor *time, saros_tensor *const *node,
                                           saros_tensor *const *field, const saros_info *info,
                                           saros_solution **out);

/** State of a solution of `class_`; NULL if it is of another one. */
SAROS_API const void *saros_solution_state(const saros_solution *solution,
                                           const saros_solution_class *class_);

/** What a traced solve says of itself. */
typedef struct saros_traced_info {
    const char *integrator; /**< static text */
    int64_t steps;
    const char *gradient; /**< "discrete": of the numbers computed; "continuous": of the equation;
                             NULL: discrete */
    bool adapted; /**< the steps were chosen for the parameters in force and stay as they are */
} saros_traced_info;

/** Leaves the common code needs from a traced solution. */
typedef struct saros_traced_class {
    saros_value (*integral)(saros_traced *solution, void *state, saros_body *expression, double t);
    saros_value (*at)(saros_traced *solution, void *state, int unknown,
                      saros_tensor *const *coordinate);
    saros_value (*field)(saros_traced *solution, void *state, int unknown);
    void (*describe)(const void *state, saros_traced_info *info); /**< may be NULL */
    void (*release)(void *state);
} saros_traced_class;

/** Times an objective asks for, found by a dry run before the real trace, ascending, start and end
 * included. */
typedef struct saros_asked_times {
    int count;
    const double *time;
} saros_asked_times;

struct saros_method {
    const char *name, *doc;
    const saros_option_table *options;
    saros_status (*solve)(const saros_task *task, saros_solution **out);
    /** Builds the solve in `graph`; parameter[k] is the value of problem parameter k. */
    saros_status (*trace)(const saros_task *task, saros_graph *graph, const saros_value *parameter,
                          const saros_asked_times *asked, const saros_traced_class **class_,
                          void **state);
    /** NULL: the common fit (trace, reverse mode, TAO). */
    saros_status (*fit)(const saros_task *task, const saros_fit_data *data,
                        const saros_unknown_parameter *unknown, int unknowns,
                        saros_fit_result *out);
};

#endif
