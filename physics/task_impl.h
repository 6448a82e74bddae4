/** A call resolved: the problem with the replacements of one call applied. */
#ifndef SAROS_TASK_IMPL_H
#define SAROS_TASK_IMPL_H

#include "problem_impl.h"
#include "saros/method.h"

/** @param method_options NULL: all default.  Ends with saros_task_clear, also after a failure. */
saros_status saros_task_resolve(saros_problem *problem, const saros_method *method,
                                const void *method_options, const saros_solve_options *options,
                                saros_task *out);
void saros_task_clear(saros_task *task);

#endif
