/** Inside of runs of SUNDIALS: what CVODES and IDAS share. A run is a record that begins with
 * saros_sundials, which is the user data of all callbacks; what differs between the two is a row of
 * functions.
 */
#ifndef SAROS_SUNDIALS_IMPL_H
#define SAROS_SUNDIALS_IMPL_H

#include <sundials/sundials_linearsolver.h>
#include <sundials/sundials_matrix.h>
#include <sundials/sundials_nvector.h>

#include "saros/cvode.h"

typedef struct saros_sundials saros_sundials;

/** What an integrator is to those who run it. Functions that give an int give SUNDIALS's flags. */
typedef struct saros_sundials_kind {
    const char *where; /**< for messages */
    saros_status (*meaning)(int flag);
    void (*stands)(void *memory, double *t, double *h, long *steps);
    int (*step)(saros_sundials *r, double end, double *t); /**< one, towards `end` */
    int (*state)(saros_sundials *r, double t, N_Vector y);
    int (*tangent)(saros_sundials *r, double t, int direction, N_Vector s);
    void (*counts)(void *memory, long count[4]); /**< evaluations, Jacobians, Newton iterations,
                                                    error test failures */
} saros_sundials_kind;

/** Directions of forward sensitivities: along[d (parameters + 1)] moves y0, the next ones the
 * parameters; entries may be NULL. */
typedef struct saros_sundials_directions {
    int count;
    saros_tensor *const *along;
    saros_tensor **still; /**< zeros of every parameter, for those that a direction leaves alone */
    N_Vector *s;          /**< of each direction */
    saros_tensor **now;   /**< handed to the output */
} saros_sundials_directions;

/** One integration. */
struct saros_sundials {
    const saros_sundials_kind *kind;
    const char *method;     /**< for messages */
    int64_t max_steps;      /**< between outputs; 0: 100000 */
    saros_tensor **operand; /**< t, y …, parameters, and room for what functions take besides */
    int leading, operands;  /**< those before the parameters; with them */
    int64_t n;
    SUNContext context;
    N_Vector y;
    SUNMatrix matrix;
    SUNLinearSolver solver;
    void *memory;
    saros_jacobian *entries; /**< NULL: products alone */
    saros_sundials_directions directions;
    saros_error_copy *parked; /**< first failure that no smaller step can cure */
    char note[256];           /**< last failure that one might */
    char words[256];          /**< what SUNDIALS said */
};

/** A tolerance where it is given. */
static inline double saros_given(double value, double otherwise) {
    return value > 0 ? value : otherwise;
}

/* ---- opening and closing ---- */

/** Checks the arguments and makes context, y (a copy of y0) and the operands, of which `leading`
 * (t, y …) come before the parameters. Close it, also on failure. */
saros_status saros_sundials_open(saros_sundials *r, int leading, int parameters,
                                 saros_tensor *const *parameter, saros_tensor *y0, int times,
                                 const double *time);
void saros_sundials_close(saros_sundials *r);
/** A vector of `n` numbers: those of `from` (of as many), zeros without it. */
saros_status saros_sundials_vector(saros_sundials *r, int64_t n, saros_tensor *from, N_Vector *out);
/** Matrix and direct solver in the pattern of `entries`, which is kept. */
saros_status saros_sundials_direct(saros_sundials *r, saros_jacobian *entries);
/** GMRES on products. */
saros_status saros_sundials_iterative(saros_sundials *r);

/* ---- for callbacks ---- */

/** t and y among the operands. */
void saros_sundials_place(saros_sundials *r, double t, N_Vector y);
/** The answer to SUNDIALS: 0, 1 (a smaller step may help) or -1. */
int saros_sundials_outcome(saros_sundials *r, saros_status status);
/** Calls f on the operands for `out`, which is to be finite; `what` names its entries. */
int saros_sundials_evaluate(saros_sundials *r, const saros_function *f, N_Vector out,
                            const char *what);
/** The message handler; `user` is the run. */
void saros_sundials_message(int code, const char *module, const char *function, char *text,
                            void *user);

/* ---- errors ---- */

/** The error of a flag below 0: where `memory` stands and what was said. */
saros_status saros_sundials_check(saros_sundials *r, int flag);
saros_status saros_sundials_check_at(saros_sundials *r, void *memory, const char *doing, int flag);
/** MEMORY if a constructor gave NULL. */
saros_status saros_sundials_made(const saros_sundials *r, const void *made);

/* ---- integrating ---- */

/** Steps until the next output time is passed; `*t` is where the run stands. */
saros_status saros_sundials_steps(saros_sundials *r, double until, double end, double *t,
                                  saros_stop_fn stop, void *user);
/** From output to output: the state, interpolated, in a tensor that the receiver may keep, and its
 * derivatives along all directions. */
saros_status saros_sundials_integrate(saros_sundials *r, int times, const double *time,
                                      saros_tangent_fn output, saros_stop_fn stop, void *user);
void saros_sundials_info(saros_sundials *r, saros_ode_info *info);

/* ---- forward sensitivities (sundials_forward.c) ---- */

/** Vectors for `count` directions, at their start. */
saros_status saros_sundials_directions_open(saros_sundials *r, int count,
                                            saros_tensor *const *along);
void saros_sundials_directions_close(saros_sundials *r);
/** Appends what moves the parameters in direction d from operand `at` on. */
void saros_sundials_along(saros_sundials *r, int d, int at);
/** Absolute tolerance of each direction (release it): `atol`, or without it that of y divided by
 * what a unit of the direction is to the point it moves. */
saros_status saros_sundials_tolerances(saros_sundials *r, saros_tensor *y0, double of_y,
                                       double atol, double **out);

/* ---- adjoint sensitivities (sundials_adjoint.c) ---- */

/** What a run backwards holds, whoever runs it. */
typedef struct saros_sundials_adjoint {
    int first;             /**< the first output with weights: 1, or 0 with the start */
    saros_tensor *weight;  /**< (times-first, n): what each output's state is multiplied by */
    double scale;          /**< largest weight */
    double rtol, atol;     /**< of l */
    N_Vector l, q, q_atol; /**< adjoint; integral over the parameters, NULL without any */
    SUNMatrix matrix;
    SUNLinearSolver solver;
    saros_sparsity *pattern; /**< transposed */
    int64_t *position;       /**< of the entries of the pattern forward in it */
    double *values;          /**< of the matrix forward */
    saros_stop_fn stop;
    void *user;
} saros_sundials_adjoint;

/** Checks and keeps the weights, zeroes the gradient (of y0, then the parameters). Close it, also
 * on failure. */
saros_status saros_sundials_adjoint_open(saros_sundials_adjoint *a, const char *where,
                                         saros_tensor *y0, int times, saros_tensor *weight,
                                         int parameters, saros_tensor *const *gradient);
void saros_sundials_adjoint_close(saros_sundials_adjoint *a);
/** Adjoint and, with `pull`, the integral over the parameters. */
saros_status saros_sundials_adjoint_vectors(saros_sundials_adjoint *a, saros_sundials *r,
                                            const saros_function *pull);
/** Matrix and direct solver in the transposed pattern of the run's. */
saros_status saros_sundials_adjoint_direct(saros_sundials_adjoint *a, saros_sundials *r);
/** The factor times the values forward, into the matrix of the run backwards. */
void saros_sundials_adjoint_values(saros_sundials_adjoint *a, double factor, SUNMatrix matrix);
/** The weights of output k, first … times-1. */
const double *saros_sundials_adjoint_weight(const saros_sundials_adjoint *a, int k);
/** The integral to the gradients of the parameters. */
saros_status saros_sundials_adjoint_hand_out(const saros_sundials_adjoint *a,
                                             const saros_sundials *r,
                                             saros_tensor *const *gradient);

#endif
