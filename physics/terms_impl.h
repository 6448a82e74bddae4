/** The terms of an equation in two parts: those that integrators take implicitly and the others. */
#ifndef SAROS_TERMS_IMPL_H
#define SAROS_TERMS_IMPL_H

#include "problem_impl.h"

/** Bodies as `rate` of the inspection, M_k u_k.t + rest_k: together the rests are that of the
 * problem, up to the order of the sum. */
typedef struct saros_terms {
    saros_body *implicit_, *explicit_;
} saros_terms;

/** @param names derivatives ("u.xx v.xy w"): the terms that have one of them are implicit; NULL:
 * those with derivatives of second order and above. Borrowed from the problem, which is of explicit
 * form. Errors: USAGE for a name, or if no term is implicit. */
saros_status saros_problem_terms(saros_problem *problem, const char *names,
                                 const saros_terms **out);

#endif
