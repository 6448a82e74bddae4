/** Transient problems on a grid: CVODES (bdf, adams) or one-step integrators with adaptive or fixed
 * steps, output by output. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../solution_impl.h"
#include "grid_impl.h"
#include "record_impl.h"
#include "saros/cvode.h"
#include "saros/memory.h"

typedef struct run {
    const saros_task *task;
    const saros_grid_program *program;
    saros_tensor **argument; /* parameters of the programs */
    saros_output_times times;
    saros_recorder recorder;
    saros_info info;
    char text[80];
} run;

/* ---- start ---- */

saros_status saros_grid_state_from(const saros_task *task, const saros_grid_program *program,
                                   const saros_solution *from, saros_tensor **out) {
    const saros_grid_plan *plan = &program->plan;
    const saros_problem *p = task->problem, *q = from->problem;
    if (q->unknowns != p->unknowns || q->axes != p->axes)
        return saros_fail(SAROS_ERR_USAGE, "initial", "give a solution of the same unknowns",
                          "a solution of %s cannot start %s", q->name, p->name);
    saros_status status = SAROS_OK;
    saros_tensor *coordinate[SAROS_AXES] = {NULL}, *axis[SAROS_AXES] = {NULL};
    saros_tensor **field = saros_allocate_zero((size_t)p->unknowns, sizeof *field);
    if (!field) return SAROS_ERR_MEMORY;
    for (int a = 0; a < plan->axes; ++a) {
        /* shape (n, 1, …): the axes broadcast to (nz, ny, nx) */
        int64_t shape[3] = {1, 1, 1}, n = plan->nodes[a], cells = n - !plan->periodic[a];
        shape[plan->axes - 1 - a] = n;
        SAROS_TRY(saros_tensor_make(SAROS_F64, plan->axes, shape, &axis[a]));
        double *x = saros_tensor_data(axis[a]), lo = task->axis[a].lo;
        for (int64_t i = 0; i < n; ++i)
            x[i] = lo + (task->axis[a].hi - lo) * ((double)i / (double)cells);
        coordinate[a] = axis[a];
    }
    if (from->transient) {
        const double *t = saros_tensor_const_data(from->time);
        double last = t[saros_tensor_count(from->time) - 1];
        SAROS_TRY(saros_tensor_scalar(SAROS_F64, last, &axis[plan->axes]));
        coordinate[plan->axes] = axis[plan->axes];
    }
    saros_solution *read = saros_solution_retain((saros_solution *)(uintptr_t)from);
    status = saros_solution_at(read, coordinate, field);
    saros_solution_release(read);
    SAROS_TRY(status);
    saros_tensor *state = NULL;
    SAROS_TRY(saros_function_call(program->restrict_, field, &state, NULL));
    *out = state;
done:
    for (int k = 0; k < p->unknowns; ++k) saros_tensor_release(field[k]);
    for (int a = 0; a < SAROS_AXES; ++a) saros_tensor_release(axis[a]);
    saros_release(field);
    return status;
}

/** t (or times and steps) and the state, then the parameters: arguments of a program. */
static saros_tensor **arguments(const saros_grid_program *program, saros_tensor *const *argument,
                                int leading) {
    int n = program->parameters;
    saros_tensor **in = saros_allocate_zero((size_t)(n + leading), sizeof *in);
    for (int k = 0; in && k < n; ++k) in[leading + k] = argument[k];
    return in;
}

saros_status saros_grid_state_start(const saros_task *task, const saros_grid_program *program,
                                    saros_tensor *const *argument, saros_tensor **out) {
    if (task->common->initial)
        return saros_grid_state_from(task, program, task->common->initial, out);
    saros_tensor *t = NULL, **in = arguments(program, argument, 1);
    if (!in) return SAROS_ERR_MEMORY;
    saros_status status = saros_tensor_scalar(SAROS_F64, task->start, &t);
    in[0] = t;
    if (status == SAROS_OK) status = saros_function_call(program->start, in, out, NULL);
    saros_tensor_release(t);
    saros_release(in);
    return status;
}

/* ---- outputs ---- */

static bool keep_going(run *r, double t) {
    const saros_solve_options *common = r->task->common;
    if (!common->progress) return true;
    double span = r->task->end - r->task->start;
    snprintf(r->text, sizeof r->text, "t = %.4g", t);
    return common->progress((t - r->task->start) / span, r->text, common->user);
}

static saros_status take(double t, saros_tensor *state, void *user) {
    run *r = user;
    bool start = t <= r->times.time[0];
    if (start && r->times.skip_first) return SAROS_OK;
    return saros_recorder_take(&r->recorder, t, state);
}

static bool stop(double t, void *user) {
    return !keep_going(user, t);
}

/* ---- integrators ---- */

bool saros_grid_is_cvode(const saros_grid_options *options, const char *otherwise) {
    const char *name = options->integrator ? options->integrator : otherwise;
    return strcmp(name, "adams") == 0 || strcmp(name, "bdf") == 0;
}

/* Factors of a large grid in the plane or in space fill in: of 256^2 nodes of heat they take three
 * times the whole run by GMRES on products, of two coupled fields four hundred times. In one
 * dimension the matrix is banded. */
enum { DIRECT_LIMIT = 20000 };

static bool is_direct(const saros_grid_program *program) {
    return program->plan.axes < 2 || program->plan.size <= DIRECT_LIMIT;
}

saros_status saros_grid_cvode_options(const saros_task *task, const saros_grid_program *program,
                                      saros_cvode_options *out) {
    const saros_grid_options *o = task->options;
    *out = (saros_cvode_options){.adams = o->integrator && strcmp(o->integrator, "adams") == 0,
                                 .rtol = o->rtol,
                                 .atol = o->atol,
                                 .max_step = o->dt,
                                 .max_steps = o->max_steps};
    if (out->adams || !is_direct(program)) return SAROS_OK;
    return saros_grid_jacobian_get(task, program, &out->jacobian);
}

static saros_status run_cvode(run *r, saros_tensor *y0) {
    saros_cvode_options options;
    saros_ode_info ode = {0};
    saros_status status = saros_grid_cvode_options(r->task, r->program, &options);
    if (status) return status;
    status = saros_cvode_solve(r->program->rate, options.adams ? NULL : r->program->jvp,
                               r->program->parameters, r->argument, y0, r->times.count,
                               r->times.time, &options, take, stop, r, &ode);
    r->info.steps = ode.steps;
    r->info.evaluations = ode.rate_evaluations;
    r->info.iterations = ode.newton_iterations;
    r->info.linear_solver = ode.linear_solver;
    return status;
}

static saros_status one_interval(run *r, const saros_function *march, int j, int64_t steps,
                                 saros_tensor **state) {
    saros_status status = SAROS_OK;
    saros_tensor *times = NULL, *count = NULL, *next = NULL,
                 **in = arguments(r->program, r->argument, 3);
    if (!in) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, r->times.time + j, &times));
    SAROS_TRY(saros_tensor_from(SAROS_I64, 1, (int64_t[]){1}, &steps, &count));
    in[0] = times;
    in[1] = count;
    in[2] = *state;
    SAROS_TRY(saros_function_call(march, in, &next, NULL));
    saros_tensor_release(*state);
    *state = next;
done:
    saros_tensor_release(times);
    saros_tensor_release(count);
    saros_release(in);
    return status;
}

static double largest(const saros_tensor *state) {
    const double *y = saros_tensor_const_data(state);
    double most = 0;
    for (int64_t i = 0, n = saros_tensor_count(state); i < n; ++i)
        if (!(fabs(y[i]) <= most)) most = fabs(y[i]); /* takes NaN too */
    return most;
}

/** Steps beyond the stability limit amplify errors until nothing else is left: a state that has
 * grown out of all proportion to its start is that, though finite. */
static saros_status check_growth(const run *r, const char *name, double start, double t,
                                 const saros_tensor *state) {
    const double now = largest(state);
    if (!isfinite(now) || now <= 1e30 * fmax(1, start)) return SAROS_OK; /* the former: by take */
    const saros_grid_options *o = r->task->options;
    return saros_fail(SAROS_ERR_DIVERGED, "grid", "use a smaller dt, or bdf or sdirk",
                      "the largest value is %g at t = %g, after %lld steps of %s with dt = %g; it "
                      "was %g at the start: the steps are unstable",
                      now, t, (long long)r->info.steps, name, o->dt, start);
}

static saros_status check_steps(const run *r, const char *name, int64_t *most) {
    const saros_grid_options *o = r->task->options;
    if (!(o->dt > 0))
        return saros_fail(SAROS_ERR_USAGE, "grid", "give dt, or use bdf, sdirk or dopri5",
                          "integrator %s takes fixed steps and dt is not given", name);
    int64_t limit = o->max_steps ? o->max_steps : 100000000;
    *most = 1;
    for (int j = 0; j + 1 < r->times.count; ++j) {
        int64_t steps = saros_grid_steps(r->times.time[j + 1] - r->times.time[j], o->dt);
        if (steps > *most) *most = steps;
    }
    if (*most <= limit) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, "grid", "use a larger dt or max_steps",
                      "dt = %g needs %lld steps between two outputs, at most %lld are allowed",
                      o->dt, (long long)*most, (long long)limit);
}

static saros_status run_adaptive(run *r, saros_tensor *y0, const saros_grid_stepper *by) {
    saros_ode_info ode = {0};
    saros_status status = saros_grid_adapt(r->task, r->program, by, r->argument, y0, r->times.count,
                                           r->times.time, take, stop, r, NULL, &ode);
    r->info.steps = ode.steps;
    return status;
}

static saros_status run_steps(run *r, saros_tensor *y0, const char *name) {
    const saros_grid_options *o = r->task->options;
    saros_grid_stepper by = {0};
    saros_status status = saros_grid_stepper_find(r->task, name, &by);
    if (status) return status;
    if (saros_grid_adapts(o, by.integrator)) return run_adaptive(r, y0, &by);
    int64_t most = 1;
    const saros_function *march = NULL;
    status = check_steps(r, name, &most);
    if (status == SAROS_OK) status = saros_grid_march_get(r->task, r->program, &by, most, &march);
    saros_tensor *state = saros_tensor_retain(y0);
    const double start = largest(y0);
    if (status == SAROS_OK) status = take(r->times.time[0], state, r);
    for (int j = 0; status == SAROS_OK && j + 1 < r->times.count; ++j) {
        double t = r->times.time[j + 1];
        int64_t steps = saros_grid_steps(t - r->times.time[j], o->dt);
        status = one_interval(r, march, j, steps, &state);
        r->info.steps += steps;
        if (status == SAROS_OK) status = check_growth(r, name, start, t, state);
        if (status == SAROS_OK) status = take(t, state, r);
        if (status == SAROS_OK && !keep_going(r, t))
            status = saros_fail(SAROS_ERR_STOPPED, "grid", NULL, "stopped at t = %g", t);
    }
    saros_tensor_release(state);
    return status;
}

/* ---- the whole ---- */

saros_status saros_grid_check_form(const saros_problem *p) {
    if (p->inspection.form.explicit_) return SAROS_OK;
    return saros_fail(SAROS_ERR_UNSUPPORTED, "grid",
                      "the grid takes residuals of the form M u.t + rest, one per unknown",
                      "%s: %s; this is not in this build of the grid", p->name,
                      p->inspection.obstacle[0] ? p->inspection.obstacle
                                                : "it has a time axis and no time derivative");
}

static saros_status prepare(run *r) {
    const saros_grid_options *o = r->task->options;
    if (o->nonlinear || o->linear || o->accept)
        return saros_fail(
            SAROS_ERR_USAGE, "grid", "use rtol, atol and max_steps",
            "nonlinear, linear and accept are for steady problems; %s has a time axis",
            r->task->problem->name);
    int64_t cells[3];
    saros_grid_cells(r->task, cells);
    saros_status status = saros_grid_check_form(r->task->problem);
    if (status == SAROS_OK) status = saros_grid_times(r->task, &r->times);
    if (status == SAROS_OK)
        status = saros_grid_program_get(r->task, cells, o->order ? o->order : 2, &r->program);
    if (status != SAROS_OK) return status;
    r->argument = saros_allocate_zero((size_t)r->program->parameters + 1, sizeof *r->argument);
    if (!r->argument) return SAROS_ERR_MEMORY;
    status = saros_grid_arguments(r->task, &r->program->plan, r->argument);
    if (status != SAROS_OK) return status;
    return saros_recorder_open(r->task, r->program, r->argument,
                               r->times.count - r->times.skip_first, &r->recorder);
}

saros_status saros_grid_solve_transient(const saros_task *task, saros_solution **out) {
    const saros_grid_options *o = task->options;
    const char *name = o->integrator ? o->integrator : "bdf";
    run r = {.task = task, .recorder = {.task = task}};
    saros_tensor *y0 = NULL;
    double begun = saros_seconds();
    saros_status status = SAROS_OK;
    SAROS_TRY(prepare(&r));
    SAROS_TRY(saros_grid_state_start(task, r.program, r.argument, &y0));
    r.info = (saros_info){.method = "grid", .integrator = name, .converged = true};
    SAROS_TRY(saros_grid_is_cvode(o, "bdf") ? run_cvode(&r, y0) : run_steps(&r, y0, name));
    r.info.seconds = saros_seconds() - begun;
    SAROS_TRY(saros_recorder_finish(&r.recorder, &r.info, out));
done:
    saros_recorder_close(&r.recorder);
    for (int k = 0; r.argument && k < r.program->parameters; ++k)
        saros_tensor_release(r.argument[k]);
    saros_release(r.argument);
    saros_release(r.times.time);
    saros_tensor_release(y0);
    return status;
}
