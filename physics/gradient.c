/** Gradient of an objective: trace the solve with the parameters as inputs, reverse mode, one
 * compiled function. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "solution_impl.h"
#include "traced_impl.h"

int saros_parameter_inputs(const saros_task *task, saros_graph *graph, saros_value *value,
                           saros_value *input, saros_tensor **argument) {
    int n = 0;
    for (int k = 0; k < task->problem->parameters; ++k) {
        value[k] = SAROS_NONE;
        if (!task->parameter[k]) continue;
        saros_type type = saros_tensor_type(task->parameter[k]);
        value[k] = input[n] = saros_input(graph, &type, task->problem->parameter[k].name);
        argument[n++] = task->parameter[k];
    }
    return n;
}

/** One run of the objective; `asked` receives the times of a dry run. */
static saros_status run_objective(saros_problem *problem, const saros_method *method,
                                  const void *method_options, const saros_solve_options *options,
                                  saros_graph *graph, const saros_value *parameter, bool dry,
                                  saros_time_list *asked, saros_objective_fn objective, void *user,
                                  saros_value *value, saros_traced_info *info) {
    saros_traced *s = NULL;
    saros_task task;
    saros_status status = saros_task_resolve(problem, method, method_options, options, &task);
    if (status != SAROS_OK) {
        saros_task_clear(&task);
        return status;
    }
    SAROS_TRY(saros_traced_make(&task, method, graph, parameter, dry, asked, &s));
    *value = SAROS_NONE;
    SAROS_TRY(objective(s, user, value));
    SAROS_TRY(saros_graph_status(graph));
    if (saros_is_none(*value))
        SAROS_TRY(saros_fail(SAROS_ERR_USAGE, "objective", NULL, "the objective gave no value"));
    if (saros_value_rank(*value) != 0 || saros_value_dtype(*value) != SAROS_F64)
        SAROS_TRY(saros_fail(SAROS_ERR_SHAPE, "objective", "take a sum or an integral",
                             "the objective must be one f64 number"));
    if (dry) { /* the list moves out */
        saros_release(asked->time);
        *asked = s->asked;
        s->asked = (saros_time_list){0};
    }
    if (info && s->solved && s->class_->describe) s->class_->describe(s->state, info);
done:
    saros_traced_release(s);
    return status;
}

/** A dry run in a graph of its own. */
static saros_status find_times(saros_problem *problem, const saros_method *method,
                               const void *method_options, const saros_solve_options *options,
                               saros_objective_fn objective, void *user, saros_time_list *asked) {
    saros_graph *graph = NULL;
    saros_status status = SAROS_OK;
    saros_task task = {0};
    size_t n = (size_t)problem->parameters + 1;
    saros_value value, *parameter = saros_allocate(2 * n * sizeof *parameter);
    saros_tensor **argument = saros_allocate(n * sizeof *argument);
    if (!parameter || !argument) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_graph_make(&graph));
    SAROS_TRY(saros_task_resolve(problem, method, method_options, options, &task));
    saros_parameter_inputs(&task, graph, parameter, parameter + n, argument);
    SAROS_TRY(run_objective(problem, method, method_options, options, graph, parameter, true, asked,
                            objective, user, &value, NULL));
done:
    if (task.problem) saros_task_clear(&task);
    saros_graph_release(graph);
    saros_release(parameter);
    saros_release(argument);
    return status;
}

saros_status saros_objective_build(saros_problem *problem, const saros_method *method,
                                   const void *method_options, const saros_solve_options *options,
                                   saros_graph *graph, const saros_value *parameter,
                                   saros_objective_fn objective, void *user, saros_value *value,
                                   saros_traced_info *info) {
    saros_time_list asked = {0};
    saros_status status =
        find_times(problem, method, method_options, options, objective, user, &asked);
    if (status == SAROS_OK)
        status = run_objective(problem, method, method_options, options, graph, parameter, false,
                               &asked, objective, user, value, info);
    saros_release(asked.time);
    return status;
}

/* ---- the gradient ---- */

/** Indices of the parameters named. */
static saros_status find_wrt(const saros_task *task, const char *const *wrt, int *count,
                             int index[64]) {
    const saros_problem *p = task->problem;
    for (*count = 0; wrt[*count]; ++*count) {
        int k = saros_parameter_index(p, wrt[*count]);
        if (k < 0 || !task->parameter[k] || *count == 64)
            return saros_fail(SAROS_ERR_USAGE, "gradient",
                              "differentiate with respect to number parameters and fields",
                              "%s has no such parameter '%s'", p->name, wrt[*count]);
        index[*count] = k;
    }
    if (*count) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "gradient", "name parameters in wrt",
                      "nothing to differentiate with respect to");
}

static bool checks(const saros_solve_options *options) {
    const char *always = getenv("SAROS_CHECK_GRADIENTS");
    return (options && options->check) || (always && strcmp(always, "1") == 0);
}

/** A check compares with differences of the numbers computed, and takes second derivatives. */
static saros_status check_checkable(const saros_solve_options *options,
                                    const saros_traced_info *traced) {
    if (!checks(options) || !traced->gradient || strcmp(traced->gradient, "continuous") != 0)
        return SAROS_OK;
    return saros_fail(SAROS_ERR_UNSUPPORTED, "gradient", "check with sdirk, or compare with it",
                      "the sensitivities of %s are continuous: they agree with differences to its "
                      "tolerance only, and a check of them would fail",
                      traced->integrator);
}

static saros_status differentiate(const saros_task *task, saros_graph *graph, saros_value objective,
                                  const saros_value *parameter, int inputs,
                                  const saros_value *input, saros_tensor *const *argument,
                                  bool check, const char *const *wrt, saros_function **out) {
    int count = 0, index[64];
    saros_value in[64], result[65];
    saros_status status = find_wrt(task, wrt, &count, index);
    if (status != SAROS_OK) return status;
    for (int k = 0; k < count; ++k) in[k] = parameter[index[k]];
    saros_gradient_report report;
    if (check) {
        status = saros_check_gradient(objective, count, in, inputs, input, argument, 1, &report);
        if (status != SAROS_OK) {
            saros_error_frame("in the check of the gradient of %s", task->problem->name);
            return status;
        }
    }
    result[0] = objective;
    saros_vjp(1, &objective, NULL, count, in, result + 1);
    for (int k = 0; k < count; ++k) result[k + 1] = saros_instantiate(result[k + 1], in[k]);
    status = saros_graph_status(graph);
    if (status != SAROS_OK) return status;
    saros_compile_options options = {.name = "gradient"};
    return saros_compile(graph, inputs, input, count + 1, result, &options, out);
}

static saros_status take_results(saros_tensor **result, int count, double *value,
                                 saros_tensor **gradient) {
    saros_status status = saros_tensor_item(result[0], value);
    if (status != SAROS_OK) return status;
    bool finite = isfinite(*value);
    for (int k = 1; k <= count; ++k) {
        const double *g = saros_tensor_const_data(result[k]);
        for (int64_t i = 0; i < saros_tensor_count(result[k]); ++i) finite &= isfinite(g[i]) != 0;
    }
    if (!finite)
        return saros_fail(SAROS_ERR_NAN, "gradient", "use smaller steps or a finer grid",
                          "the objective or its gradient is not finite (J = %g)", *value);
    for (int k = 0; k < count; ++k) {
        gradient[k] = result[k + 1];
        result[k + 1] = NULL;
    }
    return SAROS_OK;
}

saros_status saros_problem_gradient(saros_problem *problem, const saros_method *method,
                                    const void *method_options, const saros_solve_options *options,
                                    saros_objective_fn objective, void *user,
                                    const char *const *wrt, double *value, saros_tensor **gradient,
                                    saros_info *info) {
    double begun = saros_seconds();
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    saros_task task = {0};
    saros_traced_info traced = {0};
    saros_tensor *result[65] = {NULL};
    size_t n = (size_t)problem->parameters + 1;
    saros_value J, *parameter = saros_allocate(2 * n * sizeof *parameter);
    saros_tensor **argument = saros_allocate(n * sizeof *argument);
    if (!parameter || !argument) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_method_traces(method, "gradient"));
    SAROS_TRY(saros_graph_make(&graph));
    SAROS_TRY(saros_task_resolve(problem, method, method_options, options, &task));
    int inputs = saros_parameter_inputs(&task, graph, parameter, parameter + n, argument);
    SAROS_TRY(saros_objective_build(problem, method, method_options, options, graph, parameter,
                                    objective, user, &J, &traced));
    SAROS_TRY(check_checkable(options, &traced));
    SAROS_TRY(differentiate(&task, graph, J, parameter, inputs, parameter + n, argument,
                            checks(options), wrt, &function));
    SAROS_TRY(saros_function_call(function, argument, result, NULL));
    double number;
    SAROS_TRY(take_results(result, saros_function_outputs(function) - 1, &number, gradient));
    *value = number;
    if (info)
        *info = (saros_info){.method = method->name,
                             .integrator = traced.integrator,
                             .steps = traced.steps,
                             .gradient = traced.gradient ? traced.gradient : "discrete",
                             .converged = true,
                             .seconds = saros_seconds() - begun};
done:
    for (int k = 0; k < 65; ++k) saros_tensor_release(result[k]);
    saros_function_release(function);
    if (task.problem) saros_task_clear(&task);
    saros_graph_release(graph);
    saros_release(parameter);
    saros_release(argument);
    return status;
}
