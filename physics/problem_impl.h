/** Inside of the problem. */
#ifndef SAROS_PROBLEM_IMPL_H
#define SAROS_PROBLEM_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "point_impl.h"

/** A condition of one unknown on one side. */
typedef struct saros_side_condition {
    saros_condition_kind kind; /**< 0: none was given */
    saros_body *value;
    double a, b;
} saros_side_condition;

/** What inspection finds, beyond saros_problem_form. */
typedef struct saros_inspection {
    saros_problem_form form;
    int *order;       /**< [unknown * 4 + axis]: highest derivative of each unknown; axis 3 is t */
    saros_body *rate; /**< explicit form: outputs rest_k, then M_k, with M_k u_k.t + rest_k = 0 */
    char obstacle[200]; /**< why the form is not explicit */
} saros_inspection;

/** Compiled programs of methods, kept with the problem. */
typedef struct saros_cache_entry {
    char *key;
    void *payload;
    void (*release)(void *payload);
    struct saros_cache_entry *next;
} saros_cache_entry;

struct saros_problem {
    atomic_int references;
    char *name;
    saros_axis axis[3]; /**< space, in order */
    int axes;
    bool transient;
    double start, end;
    const char **unknown; /**< ends in NULL */
    int unknowns;
    saros_parameter *parameter;
    int parameters;
    const char **observable_name;
    saros_body **observable;
    int observables;
    saros_body *equation, *initial;  /**< equation NULL: a problem read back from a file */
    saros_side_condition *condition; /**< [(axis * 2 + side) * unknowns + unknown] */
    saros_inspection inspection;
    saros_cache_entry *cache;
    pthread_mutex_t lock;
};

static inline saros_side_condition *saros_condition_at(const saros_problem *problem, int axis,
                                                       int side, int unknown) {
    return &problem->condition[(axis * 2 + side) * problem->unknowns + unknown];
}

/** As saros_problem_make; `equation` may be NULL (what a result file knows of a problem). */
saros_status saros_problem_build(const saros_problem_spec *spec, saros_problem **out);
/** Fills problem->condition from the list; every axis starts as `none given`. */
saros_status saros_conditions_trace(saros_problem *problem, const saros_condition *list);
/** Checks that the conditions are those the equation needs. */
saros_status saros_conditions_check(const saros_problem *problem);
/** Fills problem->inspection from the equation. */
saros_status saros_problem_examine(saros_problem *problem);
/** Index of a name in a problem's lists, -1 if there is none. */
int saros_unknown_index(const saros_problem *problem, const char *name);
int saros_parameter_index(const saros_problem *problem, const char *name);
/** Axis letter -> index (SAROS_TIME_AXIS for t of a transient problem), -1 if there is none. */
int saros_axis_index(const saros_problem *problem, char letter);
/** "x y t" for messages. */
const char *saros_axis_list(const saros_problem *problem, char text[16]);
/** Index among the body inputs of parameter `k`, -1 for a function parameter. */
int saros_parameter_input(const saros_problem *problem, int k);

/** Looks up or makes a compiled program. `make` runs at most once a key. Borrowed: lives with the
 * problem. */
saros_status saros_problem_cached(saros_problem *problem, const char *key,
                                  saros_status (*make)(const void *how, void **payload),
                                  const void *how, void (*release)(void *payload), void **payload);

#endif
