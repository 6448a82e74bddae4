/** Inside of the point: where a traced function runs, and how it becomes a body. */
#ifndef SAROS_POINT_IMPL_H
#define SAROS_POINT_IMPL_H

#include "saros/point.h"
#include "saros/problem.h"

struct saros_point {
    const saros_problem *problem; /**< names are read from it, also while it is being made */
    saros_graph *graph;
    saros_value *input; /**< unknowns, space coordinates, t, number parameters and fields */
    const char *role;   /**< "equation", "initial", "condition of u at x.lo"…: for messages */
    int axis, side;     /**< of the boundary; axis -1 elsewhere */
    int depth;          /**< parameter functions being traced */
};

/** A function to trace and where it stands. */
typedef struct saros_trace {
    const saros_problem *problem;
    const char *role;
    int axis, side; /**< axis -1: not on a boundary */
    saros_point_fn function;
    void *user;
    int outputs;
    const char *each; /**< "one residual per unknown": what the outputs are, for messages */
} saros_trace;

/** Runs the function on a fresh point and closes its graph into a body with the equation's inputs.
 * Errors: those of the function; SHAPE for a value of rank above 0; USAGE for an operation that is
 * not pointwise (naming integral) or a missing value. */
saros_status saros_point_trace(const saros_trace *trace, saros_body **out);
/** A body of the equation's inputs whose one output is `value`. */
saros_status saros_point_constant(const saros_problem *problem, double value, saros_body **out);

/** Number of inputs of every body of the problem, and where each kind begins. */
typedef struct saros_inputs {
    int unknowns, axes, time, parameters, count; /**< `time`: -1 if steady */
} saros_inputs;
saros_inputs saros_problem_inputs(const saros_problem *problem);
/** Opens a graph with the problem's inputs declared; `input` has room for inputs.count. */
saros_status saros_point_open(const saros_problem *problem, saros_graph *outer, saros_graph **inner,
                              saros_value *input);
/** Index of a body's input by value id, -1 if it is none. */
int saros_body_input_index(const saros_body *body, int32_t id);
/** Which values the outputs use, by id; release with saros_release. */
saros_status saros_body_live(const saros_body *body, bool **live);

#endif
