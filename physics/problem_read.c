/** Reading a problem: what methods and interfaces need of it. */
#include "problem_impl.h"

const char *saros_problem_name(const saros_problem *problem) {
    return problem->name;
}

int saros_problem_space_axes(const saros_problem *problem, const saros_axis **axes) {
    if (axes) *axes = problem->axis;
    return problem->axes;
}

bool saros_problem_time(const saros_problem *problem, double *start, double *end) {
    if (problem->transient && start) *start = problem->start;
    if (problem->transient && end) *end = problem->end;
    return problem->transient;
}

int saros_problem_unknowns(const saros_problem *problem, const char *const **names) {
    if (names) *names = problem->unknown;
    return problem->unknowns;
}

int saros_problem_parameters(const saros_problem *problem, const saros_parameter **parameters) {
    if (parameters) *parameters = problem->parameter;
    return problem->parameters;
}

int saros_problem_observables(const saros_problem *problem, const char *const **names) {
    if (names) *names = problem->observable_name;
    return problem->observables;
}

saros_body *saros_problem_equation(const saros_problem *problem) {
    return problem->equation;
}

saros_body *saros_problem_initial(const saros_problem *problem) {
    return problem->initial;
}

saros_body *saros_problem_observable(const saros_problem *problem, int k) {
    return k >= 0 && k < problem->observables ? problem->observable[k] : NULL;
}

saros_condition_kind saros_problem_condition(const saros_problem *problem, int axis, int side,
                                             int unknown, saros_body **value, double *a,
                                             double *b) {
    const saros_side_condition *c = saros_condition_at(problem, axis, side, unknown);
    if (value) *value = c->value;
    if (a) *a = c->a;
    if (b) *b = c->b;
    return c->kind ? c->kind : SAROS_FREE;
}
