/** Compiled steps of a grid: a march of fixed steps over one interval, and a single step with its
 * error estimate for adaptive runs. */
#include <stdio.h>

#include "grid_impl.h"
#include "saros/memory.h"

typedef struct march_recipe {
    const saros_grid_program *program;
    const saros_grid_stepper *by;
    int64_t bound; /* of a march; 0: a single step */
} march_recipe;

static saros_status rate_of(const saros_grid_stepping *c, const saros_body *form,
                            saros_graph *graph, saros_value t, saros_value y, saros_value *rate) {
    saros_grid_values values = c->values;
    values.t = t;
    *rate = saros_grid_rate(c->plan, graph, &values, form, y);
    return SAROS_OK;
}

saros_status saros_grid_build_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                                   saros_value *rate) {
    const saros_grid_stepping *c = user;
    return rate_of(c, c->by.form, graph, t, y, rate);
}

saros_status saros_grid_build_explicit(saros_graph *graph, saros_value t, saros_value y, void *user,
                                       saros_value *rate) {
    const saros_grid_stepping *c = user;
    return rate_of(c, c->by.explicit_form, graph, t, y, rate);
}

static void release_function(void *payload) {
    saros_function_release(payload);
}

static saros_status make_march(const void *how, void **payload) {
    const march_recipe *r = how;
    const saros_grid_program *program = r->program;
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value *input = saros_allocate((size_t)(program->parameters + 3) * sizeof *input);
    if (!input) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_graph_make(&graph));
    saros_type times = saros_type_make(SAROS_F64, 1, (int64_t[]){2});
    saros_type steps = saros_type_make(SAROS_I64, 1, (int64_t[]){1});
    saros_type state = saros_type_make(SAROS_F64, 1, &program->plan.size);
    input[0] = saros_input(graph, &times, "times");
    input[1] = saros_input(graph, &steps, "steps");
    input[2] = saros_input(graph, &state, "state");
    saros_grid_stepping context = {
        .plan = &program->plan, .by = *r->by, .values = {.t = SAROS_NONE}};
    saros_grid_declare(&program->plan, graph, input + 3, &context.values);
    saros_value final = SAROS_NONE;
    saros_march(graph,
                &(saros_march_spec){.integrator = r->by->integrator,
                                    .y0 = input[2],
                                    .times = input[0],
                                    .steps = input[1],
                                    .bound = r->bound,
                                    .rate = saros_grid_build_rate,
                                    .explicit_rate =
                                        r->by->explicit_form ? saros_grid_build_explicit : NULL,
                                    .user = &context},
                &final, NULL);
    SAROS_TRY(saros_graph_status(graph));
    saros_compile_options options = {.name = r->by->integrator->name};
    saros_function *march = NULL;
    SAROS_TRY(saros_compile(graph, program->parameters + 3, input, 1, &final, &options, &march));
    *payload = march;
done:
    saros_graph_release(graph);
    saros_release(input);
    return status;
}

static saros_status make_step(const void *how, void **payload) {
    const march_recipe *r = how;
    const saros_grid_program *program = r->program;
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value *input = saros_allocate((size_t)(program->parameters + 3) * sizeof *input);
    if (!input) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_graph_make(&graph));
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_type state = saros_type_make(SAROS_F64, 1, &program->plan.size);
    input[0] = saros_input(graph, &scalar, "t");
    input[1] = saros_input(graph, &scalar, "h");
    input[2] = saros_input(graph, &state, "state");
    saros_grid_stepping context = {
        .plan = &program->plan, .by = *r->by, .values = {.t = SAROS_NONE}};
    saros_grid_declare(&program->plan, graph, input + 3, &context.values);
    saros_value out[2] = {SAROS_NONE, SAROS_NONE};
    saros_march_step(graph,
                     &(saros_march_spec){
                         .integrator = r->by->integrator,
                         .y0 = input[2],
                         .rate = saros_grid_build_rate,
                         .explicit_rate = r->by->explicit_form ? saros_grid_build_explicit : NULL,
                         .user = &context},
                     input[0], input[1], &out[0], &out[1]);
    SAROS_TRY(saros_graph_status(graph));
    saros_compile_options options = {.name = r->by->integrator->name};
    saros_function *step = NULL;
    SAROS_TRY(saros_compile(graph, program->parameters + 3, input, 2, out, &options, &step));
    *payload = step;
done:
    saros_graph_release(graph);
    saros_release(input);
    return status;
}

static saros_status get(const saros_task *task, const march_recipe *r, const saros_function **out) {
    char key[384];
    const saros_grid_plan *plan = &r->program->plan;
    const char *names = ((const saros_grid_options *)task->options)->implicit_;
    int used = snprintf(key, sizeof key, "march %s %.200s %lld %d", r->by->integrator->name,
                        names ? names : "", (long long)r->bound, plan->order);
    for (int a = 0; a < plan->axes; ++a)
        used += snprintf(key + used, sizeof key - (size_t)used, " %lld", (long long)plan->nodes[a]);
    void *payload = NULL;
    saros_status status = saros_problem_cached(
        task->problem, key, r->bound ? make_march : make_step, r, release_function, &payload);
    if (status == SAROS_OK) *out = payload;
    return status;
}

saros_status saros_grid_march_get(const saros_task *task, const saros_grid_program *program,
                                  const saros_grid_stepper *by, int64_t bound,
                                  const saros_function **out) {
    int64_t room = 16;
    while (room < bound) room *= 2;
    return get(task, &(march_recipe){program, by, room}, out);
}

saros_status saros_grid_adapt(const saros_task *task, const saros_grid_program *program,
                              const saros_grid_stepper *by, saros_tensor *const *argument,
                              saros_tensor *y0, int times, const double *time,
                              saros_output_fn output, saros_stop_fn stop, void *user,
                              saros_steps *steps, saros_ode_info *info) {
    const saros_grid_options *o = task->options;
    const saros_function *step = NULL;
    saros_status status = get(task, &(march_recipe){program, by, 0}, &step);
    if (status) return status;
    saros_adapt_options options = {.rtol = o->rtol, .atol = o->atol, .max_steps = o->max_steps};
    return saros_adapt(step, by->integrator, program->parameters, argument, y0, times, time,
                       &options, output, stop, user, steps, info);
}
