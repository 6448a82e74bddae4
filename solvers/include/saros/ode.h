/** One-step integrators as loops of the graph: the gradient is that of the numbers computed
 * (discrete).
 *
 *  y' = f(t, y), y f64 of rank 1. Output times are hit: interval j from times[j] to times[j+1] is
 * cut in steps[j] steps, equal ones or a sequence that was chosen before (adapt.h). One file each
 * under solvers/integrators/.
 */
#ifndef SAROS_ODE_H
#define SAROS_ODE_H

#include "saros/root.h"

/** Builds f: `t` scalar, `y` (n) -> rate (n). May use values of enclosing graphs (parameters). */
typedef saros_status (*saros_rate_fn)(saros_graph *graph, saros_value t, saros_value y, void *user,
                                      saros_value *rate);
/** Builds what is kept at an output time. */
typedef saros_status (*saros_observe_fn)(saros_graph *graph, saros_value t, saros_value y,
                                         void *user, saros_value *kept);

/** What a step sees. */
typedef struct saros_step {
    saros_graph *graph;
    saros_value t, h, y;
    saros_rate_fn rate;
    saros_rate_fn explicit_rate; /**< a second part of the rate, or NULL: see saros_march_spec */
    void *user;
    const saros_root_options *root; /**< for implicit stages */
    saros_value *error; /**< receives the error estimate of integrators that have one; NULL: not
                           asked for */
} saros_step;

typedef struct saros_integrator {
    const char *name, *doc;
    int order;
    int estimate; /**< order of the embedded solution, from which the difference `error` is; 0:
                     none, fixed steps only */
    bool implicit_;
    bool splits; /**< takes `explicit_rate` explicitly; others take the sum of both parts */
    saros_value (*step)(const saros_step *s); /**< y at t + h */
} saros_integrator;

/** Row by name (euler, rk4, implicit-euler, crank-nicolson, …), or NULL with USAGE recorded:
 * nearest name and the list. */
SAROS_API const saros_integrator *saros_integrator_find(const char *name);
SAROS_API const saros_integrator *const *saros_integrators(int *count);

typedef struct saros_march_spec {
    const saros_integrator *integrator;
    saros_value y0;    /**< (n) */
    saros_value times; /**< f64 (m+1), ascending, run-time input */
    saros_value steps; /**< i64 (m), each in 1 … bound */
    int64_t bound;     /**< static bound on steps per interval */
    int64_t states;    /**< states of one interval that the reverse sweep holds; 0: all */
    saros_value h;     /**< f64 (m, bound): the steps themselves; not set: equal ones */
    saros_rate_fn rate;
    saros_rate_fn explicit_rate; /**< y' = rate + explicit_rate, of which `imex` takes this part
                                    explicitly, not stiff; NULL: none. The same user */
    int observed; /**< values kept at times[1] … times[m]; 0: the state itself (one value) */
    saros_observe_fn observe;
    void *user;
    const saros_root_options
        *root; /**< for implicit stages; `sparsity` is that of df/dy, f what is taken implicitly */
} saros_march_spec;

/** Appends the march. `*final` (n) is y at the last time; kept[k] has a leading axis of extent m.
 */
SAROS_API void saros_march(saros_graph *graph, const saros_march_spec *spec, saros_value *final,
                           saros_value *kept);

/** Appends one step of size h from (t, spec->y0): what saros_adapt drives. Of the rest of `spec`,
 * integrator, rate, explicit_rate, user and root are read. @param error (n), for an integrator with
 * an estimate; may be NULL */
SAROS_API void saros_march_step(saros_graph *graph, const saros_march_spec *spec, saros_value t,
                                saros_value h, saros_value *next, saros_value *error);

#endif
