/** Fit by network: the unknown parameters are trained along with the weights on equation,
 * conditions and data together,
 *
 *      L(w, p) = equation + conditions + weight.data mean (u(x_i) - d_i)^2,
 *
 *  so one training gives both the solution and the parameters. The data enter as they are: `sigma`
 * scales all of them alike and drops out of the minimum but for its balance with the equation,
 * which weights.data sets. No standard errors.
 */
#include <math.h>
#include <string.h>

#include "saros/memory.h"
#include "sensitivity_impl.h"

/** Index of a parameter in the problem and among its numbers. */
static saros_status find_number(const saros_task *task, const char *name, int *parameter,
                                int *number) {
    const saros_parameter *list;
    const char *names[64];
    const int parameters = saros_problem_parameters(task->problem, &list);
    *number = 0;
    for (int k = 0; k < parameters; ++k) {
        if (k < 64) names[k] = list[k].name;
        if (!strcmp(list[k].name, name)) {
            *parameter = k;
            if (!list[k].function) return SAROS_OK;
            return saros_fail(SAROS_ERR_UNSUPPORTED, "saros_problem_fit", NULL,
                              "parameter \"%s\" is a function; only numbers are fitted", name);
        }
        *number += !list[k].function;
    }
    const char *near = saros_nearest_name(name, names, parameters < 64 ? parameters : 64);
    return saros_fail(SAROS_ERR_USAGE, "saros_problem_fit", NULL,
                      "no parameter is called \"%s\"%s%s%s", name, near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}

static saros_status read_unknown(const saros_unknown_parameter *unknown, saros_trained *out) {
    *out = (saros_trained){.start = unknown->start, .min = unknown->min, .max = unknown->max};
    const bool bounded = unknown->min < unknown->max;
    if (!isfinite(unknown->start) || unknown->min > unknown->max ||
        (bounded && !(unknown->start > unknown->min && unknown->start < unknown->max)))
        return saros_fail(SAROS_ERR_DOMAIN, "saros_problem_fit",
                          "a network fits inside the bounds: start strictly between them",
                          "%s starts at %g, bounds %g and %g", unknown->name, unknown->start,
                          unknown->min, unknown->max);
    return SAROS_OK;
}

/** The task with parameter tensors of its own, which may be replaced. */
static saros_status copy_task(const saros_task *task, saros_task *out) {
    const int parameters = saros_problem_parameters(task->problem, NULL);
    *out = *task;
    out->parameter = saros_allocate_zero((size_t)parameters + 1, sizeof *out->parameter);
    if (!out->parameter) return SAROS_ERR_MEMORY;
    for (int k = 0; k < parameters; ++k)
        out->parameter[k] = saros_tensor_retain(task->parameter[k]);
    return SAROS_OK;
}

static void clear_copy(saros_task *copy) {
    const int parameters = copy->problem ? saros_problem_parameters(copy->problem, NULL) : 0;
    for (int k = 0; copy->parameter && k < parameters; ++k)
        saros_tensor_release(copy->parameter[k]);
    saros_release(copy->parameter);
}

static saros_status set_parameter(saros_task *task, int k, double value) {
    saros_tensor *tensor = NULL;
    const saros_status status = saros_tensor_scalar(SAROS_F64, value, &tensor);
    if (status != SAROS_OK) return status;
    saros_tensor_release(task->parameter[k]);
    task->parameter[k] = tensor;
    return SAROS_OK;
}

saros_status saros_pinn_fit(const saros_task *task, const saros_fit_data *data,
                            const saros_unknown_parameter *unknown, int unknowns,
                            saros_fit_result *out) {
    saros_status status = SAROS_OK;
    saros_pinn_run run = {0};
    saros_task copy = {0};
    saros_trained trained[16];
    saros_tensor *number[64];
    int parameter[16];
    double *value = NULL, *error = NULL;
    if (unknowns < 1 || unknowns > 16)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "saros_problem_fit", NULL,
                          "%d unknown parameters, a network fits 1 to 16", unknowns);
    SAROS_TRY(copy_task(task, &copy));
    for (int k = 0; k < unknowns; ++k) {
        SAROS_TRY(read_unknown(&unknown[k], &trained[k]));
        SAROS_TRY(find_number(task, unknown[k].name, &parameter[k], &trained[k].parameter));
        SAROS_TRY(set_parameter(&copy, parameter[k], unknown[k].start));
    }
    saros_pinn_numbers(&copy, number);
    SAROS_TRY(saros_pinn_train(&copy, number, data, unknowns, trained, &run));
    value = saros_allocate((size_t)unknowns * sizeof *value);
    if (!value) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < unknowns; ++k) {
        value[k] = saros_trained_value(&trained[k], run.theta[k]);
        SAROS_TRY(set_parameter(&copy, parameter[k], value[k]));
    }
    saros_pinn_numbers(&copy, number);
    if (saros_network_size(&run.ansatz.network) <= SAROS_SENSITIVE_WEIGHTS) {
        error = saros_allocate((size_t)unknowns * sizeof *error);
        if (!error) SAROS_TRY(SAROS_ERR_MEMORY);
        SAROS_TRY(
            saros_pinn_fit_errors(&run, task->options, data, number, unknowns, trained, error));
    }
    saros_solution *solution = NULL;
    SAROS_TRY(saros_pinn_solution(&copy, number, &run, &solution));
    *out = (saros_fit_result){.parameters = unknowns,
                              .value = value,
                              .standard_error = error,
                              .solution = solution,
                              .info = *saros_solution_info(solution)};
    value = error = NULL;
done:
    saros_release(value);
    saros_release(error);
    saros_pinn_run_clear(&run);
    clear_copy(&copy);
    return status;
}
