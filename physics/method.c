/** The call of every method: resolve, solve. */
#include "saros/memory.h"
#include "task_impl.h"

const char *saros_method_name(const saros_method *method) {
    return method->name;
}

const saros_option_table *saros_method_options(const saros_method *method) {
    return method->options;
}

saros_status saros_problem_solve(saros_problem *problem, const saros_method *method,
                                 const void *method_options, const saros_solve_options *options,
                                 saros_solution **out) {
    saros_task task;
    saros_status status = saros_task_resolve(problem, method, method_options, options, &task);
    if (status == SAROS_OK) status = method->solve(&task, out);
    saros_task_clear(&task);
    return status;
}
