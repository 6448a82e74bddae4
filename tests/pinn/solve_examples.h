/** A problem with an exact solution for networks, and options of a small one. */
#ifndef SOLVE_EXAMPLES_H
#define SOLVE_EXAMPLES_H

#include "saros_check.h"

#include "saros/pinn.h"

#define PI 3.14159265358979323846

/** Options of a small net trained by bfgs. */
static inline saros_pinn_options small_net(int64_t layers, int64_t width, int64_t points,
                                           int64_t steps) {
    static saros_optimiser list[2];
    list[0] = (saros_optimiser){.method = "adam", .steps = 20, .lr = 0.01};
    list[1] = (saros_optimiser){.method = "bfgs", .steps = steps};
    return (saros_pinn_options){.network = {.layers = layers, .width = width},
                                .points = {.interior = points},
                                .optimizer = {2, list},
                                .cells = {32}};
}

static inline double relative_error(saros_solution *s, saros_point_fn exact) {
    double error;
    ck_ok(saros_solution_error_against(s, exact, NULL, NAN, &error));
    return error;
}

/* ---- -u_xx = pi^2 sin(pi x) on [0, 1], u = x at the ends: u = sin(pi x) + x ---- */
static inline saros_status poisson(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x");
    const saros_value f = saros_sin(saros_mul(saros_like(x, PI), x));
    out[0] = saros_add(saros_d(s, "u", "xx"), saros_mul(saros_like(x, PI * PI), f));
    return SAROS_OK;
}
static inline saros_status poisson_exact(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x");
    out[0] = saros_add(saros_sin(saros_mul(saros_like(x, PI), x)), x);
    return SAROS_OK;
}
static inline saros_status abscissa(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_coord(s, "x");
    return SAROS_OK;
}
static inline saros_problem *poisson_problem(const saros_condition *boundary) {
    saros_problem *problem;
    ck_ok(saros_problem_make(&(saros_problem_spec){.name = "poisson",
                                                   .axes = (saros_axis[]){{"x", 0, 1}, {0}},
                                                   .unknowns = (const char *[]){"u", NULL},
                                                   .equation = poisson,
                                                   .boundary = boundary},
                             &problem));
    return problem;
}

static const saros_condition ends[] = {{.axis = "x", .kind = SAROS_DIRICHLET, .function = abscissa},
                                       {0}};

#endif
