/** The common fit: parameters from data by gradients.
 *
 *      J(w) = sum_i ((u_i(w) - d_i) / sigma)^2 / 2  ->  min,   bounds on w,
 *  TAO with the gradient of the method, unknowns scaled by their starts. Standard errors from the
 * Gauss-Newton matrix at the solution: covariance (R^T R)^-1 with R = d((u - d)/sigma)/dw; without
 * sigma the data's variance is estimated as 2 J / (n - parameters).
 *
 *  Adaptive steps are chosen for the start and stay as they are during a minimisation, so that J is
 * smooth and does not jump inside a line search. If the parameters have moved away from where the
 * steps were chosen, they are chosen again and another round begins there. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "solution_impl.h"

/* ---- checks ---- */

static saros_status check_unknowns(saros_fit *f) {
    for (f->unknowns = 0; f->unknown && f->unknown[f->unknowns].name; ++f->unknowns) {
        const saros_unknown_parameter *u = &f->unknown[f->unknowns];
        int k = saros_parameter_index(f->problem, u->name);
        if (k < 0 || f->problem->parameter[k].function || f->problem->parameter[k].field ||
            f->unknowns == SAROS_FIT_MOST)
            return saros_fail(SAROS_ERR_USAGE, "fit", "fit finds number parameters",
                              "%s has no number parameter '%s'", f->problem->name, u->name);
        bool bounded = u->min != 0 || u->max != 0;
        if (bounded && !(u->min < u->max && u->start >= u->min && u->start <= u->max))
            return saros_fail(SAROS_ERR_DOMAIN, "fit", "start between min and max",
                              "%s starts at %g, bounds are [%g, %g]", u->name, u->start, u->min,
                              u->max);
        f->index[f->unknowns] = k;
    }
    if (f->unknowns) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "fit", "name them in unknown",
                      "there are no unknown parameters");
}

static saros_status check_data(saros_fit *f) {
    const saros_fit_data *d = f->data;
    int axes = f->problem->axes + f->problem->transient;
    if (d->unknowns < 1)
        return saros_fail(SAROS_ERR_USAGE, "fit", "give values of an unknown", "there are no data");
    int64_t n = saros_tensor_count(d->value[0]);
    for (int a = 0; a < axes; ++a)
        if (!d->coordinate[a] || saros_tensor_count(d->coordinate[a]) != n)
            return saros_fail(
                SAROS_ERR_SHAPE, "fit", "give one coordinate per value and axis",
                "axis %d has %lld coordinates, the data have %lld values", a + 1,
                (long long)(d->coordinate[a] ? saros_tensor_count(d->coordinate[a]) : 0),
                (long long)n);
    for (int k = 0; k < d->unknowns; ++k)
        if (saros_tensor_count(d->value[k]) != n)
            return saros_fail(SAROS_ERR_SHAPE, "fit", NULL, "%s has %lld values, %s has %lld",
                              d->unknown[k], (long long)saros_tensor_count(d->value[k]),
                              d->unknown[0], (long long)n);
    f->points = n * d->unknowns;
    if (f->points >= f->unknowns) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "fit", "give more data",
                      "%lld values do not determine %d parameters", (long long)f->points,
                      f->unknowns);
}

/* ---- the objective ---- */

static saros_status objective(saros_traced *solution, void *user, saros_value *out) {
    saros_fit *f = user;
    const saros_fit_data *d = f->data;
    saros_graph *graph = saros_traced_graph(solution);
    saros_value part[SAROS_FIT_MOST];
    if (d->unknowns > SAROS_FIT_MOST)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "fit", NULL, "data of more than %d unknowns",
                          SAROS_FIT_MOST);
    for (int k = 0; k < d->unknowns; ++k) {
        saros_tensor *value = NULL;
        saros_status status = saros_tensor_cast(d->value[k], SAROS_F64, &value);
        if (status != SAROS_OK) return status;
        int64_t n = saros_tensor_count(value);
        saros_value u =
            saros_reshape(saros_traced_at(solution, d->unknown[k], d->coordinate), 1, &n);
        saros_value v = saros_reshape(saros_constant(graph, value), 1, &n);
        part[k] = saros_sub(u, v);
        saros_tensor_release(value);
    }
    saros_value misfit = d->unknowns > 1 ? saros_concat(d->unknowns, part, 0) : part[0];
    double sigma = d->sigma > 0 ? d->sigma : 1;
    f->misfit = saros_mul(saros_like(misfit, 1 / sigma), misfit);
    *out = saros_mul(saros_like(misfit, 0.5), saros_sum(saros_mul(f->misfit, f->misfit), 1));
    return SAROS_OK;
}

/** The caller's options with the unknown parameters at these values; `*list` is to be released. */
static saros_status options_at(const saros_fit *f, const double *value, saros_solve_options *out,
                               saros_parameter **list) {
    saros_solve_options options = f->options ? *f->options : (saros_solve_options){0};
    int given = 0;
    while (options.parameters && options.parameters[given].name) given++;
    *list = saros_allocate_zero((size_t)(given + f->unknowns + 1), sizeof **list);
    if (!*list) return SAROS_ERR_MEMORY;
    if (given) memcpy(*list, options.parameters, (size_t)given * sizeof **list);
    for (int k = 0; k < f->unknowns; ++k)
        (*list)[given + k] = (saros_parameter){.name = f->unknown[k].name, .value = value[k]};
    options.parameters = *list;
    *out = options;
    return SAROS_OK;
}

/** Compiles the fit with what is chosen for a solve (adaptive steps) chosen at `value`. */
static saros_status build(saros_fit *f, const double *value, saros_fit_program *out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    const saros_problem *p = f->problem;
    size_t n = (size_t)p->parameters + 2;
    int64_t unknowns = f->unknowns;
    saros_type type = saros_type_make(SAROS_F64, 1, &unknowns);
    saros_value J, g, product, *parameter = saros_allocate(2 * n * sizeof *parameter);
    saros_solve_options options_here;
    saros_parameter *list = NULL;
    out->constant = saros_allocate_zero(n, sizeof *out->constant);
    if (!parameter || !out->constant) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(options_at(f, value, &options_here, &list));
    SAROS_TRY(saros_graph_make(&graph));
    saros_value *input = parameter + n;
    saros_value w = saros_input(graph, &type, "w");
    input[0] = w;
    out->constants = saros_parameter_inputs(&f->task, graph, parameter, input + 1, out->constant);
    for (int k = 0; k < f->unknowns; ++k)
        parameter[f->index[k]] = saros_reshape(saros_slice(w, 0, k, k + 1, 1), 0, NULL);
    SAROS_TRY(saros_objective_build(f->problem, f->method, f->method_options, &options_here, graph,
                                    parameter, objective, f, &J, &f->traced));
    saros_vjp(1, &J, NULL, 1, &w, &g);
    saros_value both[2] = {J, saros_instantiate(g, w)};
    saros_value v = saros_input(graph, &type, "v");
    saros_jvp(1, &f->misfit, 1, &w, &v, &product);
    product = saros_instantiate(product, f->misfit);
    SAROS_TRY(saros_graph_status(graph));
    saros_compile_options options = {.name = "fit"};
    SAROS_TRY(saros_compile(graph, 1 + out->constants, input, 2, both, &options, &out->objective));
    input[1 + out->constants] = v;
    SAROS_TRY(
        saros_compile(graph, 2 + out->constants, input, 1, &product, &options, &out->product));
done:
    saros_graph_release(graph);
    saros_release(parameter);
    saros_release(list);
    return status;
}

static void clear(saros_fit_program *c) {
    saros_function_release(c->objective);
    saros_function_release(c->product);
    saros_release(c->constant); /* the tensors are the task's */
    *c = (saros_fit_program){0};
}

/* ---- the fit ---- */

/** Tells the caller how far the fit is; true stops it. */
static bool report(int iteration, double value, void *user) {
    saros_fit *f = user;
    const saros_solve_options *common = f->task.common;
    char text[80];
    if (!common->progress) return false;
    iteration += f->iterations;
    snprintf(text, sizeof text, "fit: iteration %d, misfit %.6g", iteration, value);
    f->stopped = !common->progress(1 - 1 / (1 + 0.1 * iteration), text, common->user);
    return f->stopped;
}

static saros_status minimise(saros_fit *f, const saros_fit_program *c, const double *start,
                             double gradient_atol, saros_tensor **w, saros_minimise_info *info) {
    int64_t n = f->unknowns;
    double lower[SAROS_FIT_MOST], upper[SAROS_FIT_MOST], scale[SAROS_FIT_MOST];
    bool bounded = false;
    for (int k = 0; k < f->unknowns; ++k) {
        const saros_unknown_parameter *u = &f->unknown[k];
        bool own = u->min != 0 || u->max != 0;
        lower[k] = own ? u->min : -INFINITY;
        upper[k] = own ? u->max : INFINITY;
        scale[k] = u->start != 0 ? fabs(u->start) : 1;
        bounded |= own;
    }
    saros_tensor *first = NULL;
    saros_status status = saros_tensor_from(SAROS_F64, 1, &n, start, &first);
    saros_minimise_options options = {.lower = bounded ? lower : NULL,
                                      .upper = bounded ? upper : NULL,
                                      .scale = scale,
                                      .gradient_atol = gradient_atol,
                                      .stop = report,
                                      .user = f};
    if (status == SAROS_OK)
        status = saros_minimise(c->objective, c->constants, c->constant, first, &options, w, info);
    if (status == SAROS_OK && f->stopped)
        status = saros_fail(SAROS_ERR_STOPPED, "fit", NULL, "stopped after %d iterations",
                            info->iterations);
    saros_tensor_release(first);
    return status;
}

/** The problem solved with the parameters found. */
static saros_status solve_fitted(const saros_fit *f, const double *value, saros_solution **out) {
    saros_solve_options options;
    saros_parameter *list = NULL;
    saros_status status = options_at(f, value, &options, &list);
    if (status == SAROS_OK)
        status = saros_problem_solve(f->problem, f->method, f->method_options, &options, out);
    saros_release(list);
    return status;
}

static saros_status finish(const saros_fit *f, const saros_fit_program *c, saros_tensor *w,
                           const saros_minimise_info *found, double seconds,
                           saros_fit_result *out) {
    size_t bytes = (size_t)f->unknowns * sizeof(double);
    saros_status status = SAROS_OK;
    saros_fit_result result = {.parameters = f->unknowns};
    saros_info own = {.method = f->method->name,
                      .integrator = f->traced.integrator,
                      .steps = f->traced.steps,
                      .gradient = f->traced.gradient ? f->traced.gradient : "discrete",
                      .reason = found->reason,
                      .iterations = found->iterations,
                      .evaluations = found->evaluations,
                      .loss = found->value,
                      .seconds = seconds,
                      .converged = found->converged};
    saros_series history = {"loss", found->history_count, found->history};
    own.series = found->history ? 1 : 0;
    own.history = &history;
    result.value = saros_allocate(bytes);
    result.standard_error = saros_allocate(bytes);
    if (!result.value || !result.standard_error) SAROS_TRY(SAROS_ERR_MEMORY);
    memcpy(result.value, saros_tensor_const_data(w), bytes);
    double variance = 1;
    SAROS_TRY(saros_fit_errors(f, c, w, found->value, &variance, result.standard_error));
    SAROS_TRY(saros_fit_check_end(f, c, w, found, variance, result.standard_error));
    SAROS_TRY(solve_fitted(f, result.value, &result.solution));
    /* the record of the fit takes the place of the last solve's, so that its texts live on */
    saros_info copy;
    SAROS_TRY(saros_info_copy(&own, &copy));
    saros_info_clear(&result.solution->info);
    result.solution->info = result.info = copy;
    *out = result;
    result = (saros_fit_result){0};
done:
    saros_fit_clear(&result);
    return status;
}

/** Adds a round's record to that of the rounds before; takes its history over. */
static saros_status join(saros_minimise_info *all, saros_minimise_info *round) {
    size_t before = (size_t)all->history_count, more = (size_t)round->history_count;
    double *history = saros_allocate((before + more + 1) * sizeof *history);
    if (history && before) memcpy(history, all->history, before * sizeof *history);
    if (history && more) memcpy(history + before, round->history, more * sizeof *history);
    saros_release(all->history);
    saros_release(round->history);
    int iterations = all->iterations, evaluations = all->evaluations;
    *all = *round;
    all->iterations += iterations;
    all->evaluations += evaluations;
    all->history_count += (int64_t)before;
    all->history = history;
    *round = (saros_minimise_info){0};
    return history ? SAROS_OK : SAROS_ERR_MEMORY;
}

/** Whether the parameters are where the steps were chosen: within a hundredth. */
static bool near(const saros_fit *f, const double *from, const double *to) {
    for (int k = 0; k < f->unknowns; ++k) {
        double start = f->unknown[k].start, scale = start != 0 ? fabs(start) : 1;
        if (!(fabs(to[k] - from[k]) <= 0.01 * fmax(fabs(to[k]), 0.01 * scale))) return false;
    }
    return true;
}

/** Minimises until the steps fit the solution; leaves the last round's program in `c`. */
static saros_status rounds(saros_fit *f, saros_fit_program *c, saros_tensor **w,
                           saros_minimise_info *all) {
    enum { MOST = 12 };
    double value[SAROS_FIT_MOST], enough = 0;
    size_t bytes = (size_t)f->unknowns * sizeof *value;
    for (int k = 0; k < f->unknowns; ++k) value[k] = f->unknown[k].start;
    for (int k = 0; k < MOST; ++k) {
        saros_minimise_info round = {0};
        clear(c);
        saros_tensor_release(*w);
        *w = NULL;
        saros_status status = build(f, value, c);
        if (status == SAROS_OK) status = minimise(f, c, value, enough, w, &round);
        /* later rounds begin near the end: what the first one reached is enough for them */
        if (round.converged) enough = fmax(enough, 2 * round.gradient_norm);
        if (status == SAROS_OK) status = join(all, &round);
        saros_release(round.history);
        if (status) return status;
        const double *found = saros_tensor_const_data(*w);
        if (!f->traced.adapted || near(f, value, found)) return SAROS_OK;
        f->iterations = all->iterations;
        memcpy(value, found, bytes);
    }
    return saros_fail(SAROS_ERR_NOT_CONVERGED, "fit", "start nearer, tighten rtol, or give dt",
                      "after %d rounds the parameters still move with the choice of steps", MOST);
}

static saros_status common_fit(saros_fit *f, saros_fit_result *out) {
    double begun = saros_seconds();
    saros_status status = SAROS_OK;
    saros_fit_program c = {0};
    saros_tensor *w = NULL;
    saros_minimise_info info = {0};
    SAROS_TRY(saros_method_traces(f->method, "fit"));
    SAROS_TRY(rounds(f, &c, &w, &info));
    SAROS_TRY(finish(f, &c, w, &info, saros_seconds() - begun, out));
done:
    saros_release(info.history);
    saros_tensor_release(w);
    clear(&c);
    return status;
}

saros_status saros_problem_fit(saros_problem *problem, const saros_method *method,
                               const void *method_options, const saros_solve_options *options,
                               const saros_fit_data *data, const saros_unknown_parameter *unknown,
                               saros_fit_result *out) {
    saros_fit f = {.problem = problem,
                   .method = method,
                   .method_options = method_options,
                   .options = options,
                   .data = data,
                   .unknown = unknown};
    saros_status status = SAROS_OK;
    SAROS_TRY(check_unknowns(&f));
    SAROS_TRY(check_data(&f));
    SAROS_TRY(saros_task_resolve(problem, method, method_options, options, &f.task));
    status =
        method->fit ? method->fit(&f.task, data, unknown, f.unknowns, out) : common_fit(&f, out);
done:
    if (f.task.problem) saros_task_clear(&f.task);
    return status;
}

void saros_fit_clear(saros_fit_result *result) {
    saros_release(result->value);
    saros_release(result->standard_error);
    saros_solution_release(result->solution);
    *result = (saros_fit_result){0};
}
