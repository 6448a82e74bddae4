/** The grid method: finite differences of order 2 or 4 on a structured grid of one, two or three
 * axes; CVODES or one-step integrators in time, SNES for steady problems. */
#include "grid_impl.h"

#include <math.h>
#include <stddef.h>

#include "saros/memory.h"

#define FIELD(name) offsetof(saros_grid_options, name)

static const saros_option rows[] = {
    {"cells", SAROS_OPTION_AXES, FIELD(cells), "128", 4, 1e9, NULL, NULL,
     "cells per axis: {x=512}, or one number for every axis", NULL},
    {"order", SAROS_OPTION_INTEGER, FIELD(order), "2", 2, 4, NULL, NULL,
     "order of the differences in space: 2 or 4", NULL},
    {"integrator", SAROS_OPTION_TEXT, FIELD(integrator), "bdf", 0, 0,
     "bdf adams euler rk4 ssprk3 dopri5 implicit-euler crank-nicolson sdirk rodas3 rodas4 imex",
     NULL,
     "time stepping: bdf, adams, sdirk, imex, rodas3, rodas4 and dopri5 choose their steps without "
     "dt, the others take it; default sdirk for gradient and fit",
     NULL},
    {"rtol", SAROS_OPTION_NUMBER, FIELD(rtol), "1e-6", 0, 1, NULL, NULL,
     "relative tolerance (in time; of the residual if steady, there 1e-10)", NULL},
    {"atol", SAROS_OPTION_NUMBER, FIELD(atol), "1e-9", 0, 1e300, NULL, NULL,
     "absolute tolerance (in time; of the residual if steady, there 1e-12)", NULL},
    {"dt", SAROS_OPTION_NUMBER, FIELD(dt), "", 0, 1e300, NULL, "time",
     "fixed step; with bdf and adams the largest step", NULL},
    {"times", SAROS_OPTION_TIMES, FIELD(times), "2", 0, 0, NULL, "time",
     "outputs: a count of equally spaced times, ends included, or a list", NULL},
    {"max_steps", SAROS_OPTION_INTEGER, FIELD(max_steps), "100000", 1, 1e15, NULL, NULL,
     "most steps between two outputs", NULL},
    {"nonlinear", SAROS_OPTION_DICTIONARY, FIELD(nonlinear), "", 0, 0, NULL, NULL,
     "PETSc SNES options by their own names (steady)", NULL},
    {"linear", SAROS_OPTION_DICTIONARY, FIELD(linear), "", 0, 0, NULL, NULL,
     "PETSc KSP and PC options by their own names (steady; default direct)", NULL},
    {"accept", SAROS_OPTION_TEXT, FIELD(accept), "", 0, 0, "last", NULL,
     "last: not converging is no error, info.converged says so", NULL},
    {"implicit", SAROS_OPTION_TEXT, FIELD(implicit_), "", 0, 0, NULL, NULL,
     "imex: derivatives whose terms are taken implicitly, as \"u.xx v\" (v: v itself); default "
     "those of second order and above",
     NULL},
};

static const saros_option_table table = {"grid", sizeof(saros_grid_options), rows,
                                         sizeof rows / sizeof *rows, -1};

int64_t saros_grid_steps(double length, double dt) {
    double steps = ceil(length / dt * (1 - 1e-12));
    return steps < 1 ? 1 : steps > 9e18 ? INT64_MAX : (int64_t)steps;
}

saros_status saros_grid_times(const saros_task *task, saros_output_times *out) {
    const saros_grid_options *o = task->options;
    int64_t count = o->times.count ? o->times.count : 2;
    const double *list = o->times.list;
    if (count < 1 || (!list && count < 2))
        return saros_fail(SAROS_ERR_USAGE, "times", "2 gives the start and the end",
                          "%lld output times", (long long)count);
    double span = task->end - task->start, slack = 1e-12 * span;
    bool skip = list && list[0] > task->start + slack;
    double *time = saros_allocate((size_t)(count + skip) * sizeof *time);
    if (!time) return SAROS_ERR_MEMORY;
    time[0] = task->start;
    for (int64_t k = 0; k < count; ++k) {
        double t = list ? list[k] : task->start + span * ((double)k / (double)(count - 1));
        if (!list && k == count - 1) t = task->end;
        bool outside = !(t >= task->start - slack && t <= task->end + slack);
        if (outside || (k + skip > 0 && k > 0 && t <= time[k + skip - 1])) {
            saros_release(time);
            return saros_fail(SAROS_ERR_DOMAIN, "times", "list ascending times of the domain",
                              outside ? "t = %g lies outside [%g, %g]"
                                      : "t = %g does not ascend in [%g, %g]",
                              t, task->start, task->end);
        }
        time[k + skip] = k + skip == 0 ? task->start : t;
    }
    *out = (saros_output_times){(int)(count + skip), time, skip};
    return SAROS_OK;
}

static saros_status solve(const saros_task *task, saros_solution **out) {
    return task->transient ? saros_grid_solve_transient(task, out)
                           : saros_grid_solve_steady(task, out);
}

const saros_method saros_grid = {
    .name = "grid",
    .doc = "finite differences on a structured grid",
    .options = &table,
    .solve = solve,
    .trace = saros_grid_trace,
};
