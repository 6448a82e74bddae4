/** Gradients through the solve: against exact formulas, against differences of another integrator,
 * by Taylor remainders; their errors; memory. */
#include "energy.h"

#include <stdio.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/equations.h"
#include "saros/memory.h"

/** Exact: J = int u^2 = e^{-2 kappa pi^2 T}/2, dJ/dkappa = -2 pi^2 T J (references.md). */
START_TEST(heat_gradient_is_exact_to_1e_6) {
    const double kappa = 0.5, T = 0.1;
    saros_problem *p = NULL;
    saros_tensor *g[1] = {NULL};
    saros_info info;
    double J = NAN;
    ck_ok(saros_equation_heat(
        &(saros_heat_spec){.frame = {.domain = (saros_axis[]){{"x", 0, 1}, {"t", 0, T}, {0}}},
                           .kappa = kappa},
        &p));
    saros_grid_options o = {.cells = {64}, .order = 4, .dt = T / 400};
    ck_ok(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL,
                                 (const char *[]){"kappa", NULL}, &J, g, &info));
    double exact = exp(-2 * kappa * M_PI * M_PI * T) / 2;
    double dJ = scalar(g[0]);
    if (getenv("SAROS_SHOW"))
        fprintf(stderr, "heat: J off by %.2e, dJ/dkappa by %.2e, %.2f s\n", J / exact - 1,
                dJ / (-2 * M_PI * M_PI * T * exact) - 1, info.seconds);
    ck_near(J / exact, 1, 1e-6);
    ck_near(dJ / (-2 * M_PI * M_PI * T * exact), 1, 1e-6);
    ck_assert_str_eq(info.gradient, "discrete");
    saros_problem_release(p);
}
END_TEST

/* ---- Burgers ---- */

static double burgers_energy(double nu) {
    saros_problem *p = NULL;
    saros_solution *s = NULL;
    double J = NAN;
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = 0.05}, &p));
    saros_grid_options o = {
        .cells = {256}, .order = 4, .rtol = 1e-12, .atol = 1e-14, .max_steps = 1000000};
    saros_solve_options with = {.parameters =
                                    (saros_parameter[]){{.name = "nu", .value = nu}, {0}}};
    ck_ok(saros_problem_solve(p, &saros_grid, &o, &with, &s));
    ck_ok(saros_solution_integral(s, square, NULL, NAN, &J));
    saros_solution_release(s);
    saros_problem_release(p);
    return J;
}

/** Reference: central differences, extrapolated, of the same grid integrated in time to 1e-12. */
START_TEST(burgers_gradient_agrees_with_differences_to_1e_6) {
    static const struct {
        const char *integrator;
        double dt, rtol;
    } run[] = {{"sdirk", 1. / 500, 0}, {NULL, 0, 0}, {"sdirk", 0, 1e-8}, {"dopri5", 0, 1e-8}};
    const double nu = 0.05, h = 2e-3;
    double wide = (burgers_energy(nu + h) - burgers_energy(nu - h)) / (2 * h);
    double half = (burgers_energy(nu + h / 2) - burgers_energy(nu - h / 2)) / h;
    double reference = (4 * half - wide) / 3, J = NAN;
    int64_t steps[4];
    saros_problem *p = NULL;
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = nu}, &p));
    for (int k = 0; k < 4; ++k) {
        saros_tensor *g[1] = {NULL};
        saros_info info;
        saros_grid_options o = {.cells = {256},
                                .order = 4,
                                .integrator = run[k].integrator,
                                .dt = run[k].dt,
                                .rtol = run[k].rtol};
        ck_ok(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL,
                                     (const char *[]){"nu", NULL}, &J, g, &info));
        double dJ = scalar(g[0]);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr,
                    "burgers, %s dt %g rtol %g: dJ/dnu off by %.2e of %.6g, %d steps, %.2f s\n",
                    info.integrator, o.dt, o.rtol, dJ / reference - 1, reference, (int)info.steps,
                    info.seconds);
        ck_near(dJ / reference, 1, 1e-6);
        ck_assert_str_eq(info.integrator, k == 3 ? "dopri5" : "sdirk");
        ck_assert_str_eq(info.gradient, "discrete");
        steps[k] = info.steps;
    }
    ck_assert_int_eq(steps[0], 500);
    ck_assert_int_gt(steps[1], 20);
    ck_assert_int_gt(steps[2], 2 * steps[1]);
    saros_problem_release(p);
}
END_TEST

/* ---- Taylor rates ---- */

typedef struct objective {
    saros_objective_fn build;
    const char *parameter;
    double value, direction;
} objective;

/** |J(p + e d) - J(p)| and the same less e dJ: they fall at rates 1 and 2. */
static void check_taylor(saros_problem *p, const saros_grid_options *o, const objective *f) {
    double J = NAN, first[2], second[2], dJ;
    saros_tensor *g[1] = {NULL};
    const char *const wrt[2] = {f->parameter, NULL};
    ck_ok(saros_problem_gradient(p, &saros_grid, o, NULL, f->build, NULL, wrt, &J, g, NULL));
    dJ = scalar(g[0]);
    for (int k = 0; k < 2; ++k) {
        double e = f->direction * (k ? 0.5 : 1), moved = NAN;
        saros_solve_options with = {
            .parameters = (saros_parameter[]){{.name = f->parameter, .value = f->value + e}, {0}}};
        ck_ok(
            saros_problem_gradient(p, &saros_grid, o, &with, f->build, NULL, wrt, &moved, g, NULL));
        saros_tensor_release(g[0]);
        first[k] = fabs(moved - J);
        second[k] = fabs(moved - J - e * dJ);
    }
    ck_near(log2(first[0] / first[1]), 1, 0.1);
    ck_near(log2(second[0] / second[1]), 2, 0.1);
}

/** Reads everything an objective can: integrals at two times, points, the field, the parameter. */
static saros_status all_sorts(saros_traced *solution, void *user, saros_value *out) {
    (void)user;
    saros_tensor *x = NULL, *t = NULL;
    saros_status status =
        saros_tensor_from(SAROS_F64, 1, (int64_t[]){3}, (double[]){-0.31, 0.127, 0.7}, &x);
    if (status == SAROS_OK)
        status = saros_tensor_from(SAROS_F64, 1, (int64_t[]){3}, (double[]){0.1, 0.05, 0.15}, &t);
    if (status != SAROS_OK) return status;
    saros_value points = saros_traced_at(solution, "u", (saros_tensor *[]){x, t});
    saros_value field = saros_traced_field(solution, "u");
    saros_value sum = saros_add(saros_traced_integral(solution, square, NULL, 0.07),
                                saros_traced_integral(solution, square, NULL, NAN));
    sum = saros_add(sum, saros_sum(saros_mul(points, points), 1));
    sum = saros_add(sum, saros_mean(saros_mul(field, field), 3));
    saros_value nu = saros_traced_parameter(solution, "nu");
    *out = saros_add(sum, saros_mul(nu, nu));
    saros_tensor_release(x);
    saros_tensor_release(t);
    return SAROS_OK;
}

START_TEST(taylor_remainders_fall_at_their_rates) {
    saros_problem *p = NULL;
    ck_ok(saros_equation_burgers(
        &(saros_burgers_spec){.frame = {.domain = (saros_axis[]){{"x", -1, 1}, {"t", 0, 0.2}, {0}}},
                              .nu = 0.05},
        &p));
    objective f = {all_sorts, "nu", 0.05, 0.005};
    check_taylor(
        p,
        &(saros_grid_options){
            .cells = {48}, .order = 4, .integrator = "rk4", .dt = 2e-3, .times = {3, NULL}},
        &f);
    check_taylor(p,
                 &(saros_grid_options){
                     .cells = {48}, .order = 2, .integrator = "crank-nicolson", .dt = 1e-2},
                 &f);
    check_taylor(p, &(saros_grid_options){.cells = {48}, .order = 2, .dt = 1e-2}, &f);
    saros_problem_release(p);
}
END_TEST

/** Steady: the implicit rule. */
START_TEST(bratu_gradient_by_the_implicit_rule_has_taylor_rates) {
    saros_problem *p = NULL;
    ck_ok(saros_equation_bratu(&(saros_bratu_spec){.lambda = 2}, &p));
    objective f = {energy, "lambda", 2, 0.1};
    check_taylor(p, &(saros_grid_options){.cells = {16}}, &f);
    check_taylor(p, &(saros_grid_options){.cells = {16}, .order = 4}, &f);
    saros_problem_release(p);
}
END_TEST

/** A solve in a graph of the caller: rates 1, 2, 3 by the project's own check, explicit, implicit
 * and steady. */
static void check_traced(saros_problem *p, const saros_grid_options *o,
                         const saros_solve_options *with, const char *name, double value) {
    saros_graph *graph = NULL;
    saros_traced *solution = NULL;
    saros_tensor *at = NULL;
    saros_gradient_report report;
    saros_type scalar = saros_type_scalar(SAROS_F64);
    ck_ok(saros_graph_make(&graph));
    saros_value parameter = saros_input(graph, &scalar, name);
    ck_ok(saros_problem_trace(p, &saros_grid, o, with, graph, (const char *[]){name, NULL},
                              &parameter, &solution));
    saros_value u = saros_traced_field(solution, "u");
    saros_value J = saros_mean(saros_mul(u, u), saros_all_axes(u));
    ck_ok(saros_tensor_scalar(SAROS_F64, value, &at));
    ck_ok(saros_check_gradient(J, 1, &parameter, 1, &parameter, &at, 3, &report));
    ck_assert(report.passed);
    /* a time that is no output is an error, not a guess */
    ck_assert(saros_is_poisoned(saros_traced_integral(solution, square, NULL, 0.123456)) ||
              !saros_problem_time(p, NULL, NULL));
    saros_traced_release(solution);
    saros_tensor_release(at);
    saros_graph_release(graph);
}

START_TEST(traced_solves_pass_the_gradient_check) {
    saros_problem *p = NULL;
    saros_burgers_spec spec = {
        .frame = {.domain = (saros_axis[]){{"x", -1, 1}, {"t", 0, 0.2}, {0}}}, .nu = 0.05};
    ck_ok(saros_equation_burgers(&spec, &p));
    check_traced(p, &(saros_grid_options){.cells = {32}, .integrator = "rk4", .dt = 5e-3}, NULL,
                 "nu", 0.05);
    check_traced(p, &(saros_grid_options){.cells = {32}, .order = 4, .dt = 0.02}, NULL, "nu", 0.05);
    /* adaptive steps, chosen at nu = 0.05 and replayed at every other */
    saros_solve_options here = {.parameters =
                                    (saros_parameter[]){{.name = "nu", .value = 0.05}, {0}}};
    check_traced(p, &(saros_grid_options){.cells = {32}, .times = {3, NULL}}, &here, "nu", 0.05);
    check_traced(p, &(saros_grid_options){.cells = {32}, .integrator = "dopri5"}, &here, "nu",
                 0.05);
    saros_problem_release(p);
    ck_ok(saros_equation_bratu(&(saros_bratu_spec){0}, &p));
    check_traced(p, &(saros_grid_options){.cells = {10}}, NULL, "lambda", 1.5);
    saros_problem_release(p);
}
END_TEST

/* ---- fields and boundary values ---- */

static saros_status field_heat(saros_point *s, void *user, saros_value *r) {
    (void)user;
    saros_value flux = saros_mul(saros_param(s, "k"), saros_d(s, "u", "x"));
    r[0] = saros_sub(saros_d(s, "u", "t"), saros_d_of(s, flux, "x"));
    return SAROS_OK;
}
static saros_status edge(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_param(s, "edge");
    return SAROS_OK;
}
static saros_status level(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_param(s, "level");
    return SAROS_OK;
}

/** Gradients with respect to a field of conductivities, a boundary and an initial value at once,
 * each entry against central differences of the discrete objective. */
START_TEST(gradients_reach_fields_boundary_values_and_initial_values) {
    enum { CELLS = 8 };
    double k[CELLS + 1], J, lo, hi;
    for (int i = 0; i <= CELLS; ++i) k[i] = 1 + 0.3 * sin(2. * i);
    saros_tensor *field = NULL, *g[3] = {NULL};
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){CELLS + 1}, k, &field));
    saros_problem *p = NULL;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){
            .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 0.1}, {0}},
            .unknowns = (const char *[]){"u", NULL},
            .parameters = (saros_parameter[]){{.name = "k", .field = field},
                                              {.name = "edge", .value = 0.7},
                                              {.name = "level", .value = 0.2},
                                              {0}},
            .equation = field_heat,
            .initial = level,
            .boundary =
                (saros_condition[]){
                    {.axis = "x", .side = "lo", .kind = SAROS_DIRICHLET, .function = edge},
                    {.axis = "x", .side = "hi", .kind = SAROS_NEUMANN, .function = edge},
                    {0}}},
        &p));
    saros_grid_options o = {.cells = {CELLS}, .dt = 0.02, .integrator = "crank-nicolson"};
    const char *const wrt[] = {"k", "edge", "level", NULL};
    ck_ok(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL, wrt, &J, g, NULL));
    for (int i = 0; i < CELLS + 3; ++i) {
        double value[2], e = 1e-4, changed[CELLS + 1];
        for (int side = 0; side < 2; ++side) {
            double step = side ? e : -e;
            for (int j = 0; j <= CELLS; ++j) changed[j] = k[j] + (i == j ? step : 0);
            saros_tensor *other = NULL, *unused[3] = {NULL};
            ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){CELLS + 1}, changed, &other));
            saros_solve_options with = {
                .parameters = (saros_parameter[]){
                    {.name = "k", .field = other},
                    {.name = "edge", .value = 0.7 + (i == CELLS + 1 ? step : 0)},
                    {.name = "level", .value = 0.2 + (i == CELLS + 2 ? step : 0)},
                    {0}}};
            ck_ok(saros_problem_gradient(p, &saros_grid, &o, &with, energy, NULL, wrt, &value[side],
                                         unused, NULL));
            for (int j = 0; j < 3; ++j) saros_tensor_release(unused[j]);
            saros_tensor_release(other);
        }
        lo = value[0];
        hi = value[1];
        const double *own = saros_tensor_const_data(g[i <= CELLS ? 0 : i - CELLS]);
        ck_near(own[i <= CELLS ? i : 0], (hi - lo) / (2 * e), 1e-7);
    }
    for (int j = 0; j < 3; ++j) saros_tensor_release(g[j]);
    saros_tensor_release(field);
    saros_problem_release(p);
}
END_TEST

/* ---- errors ---- */

START_TEST(what_cannot_be_differentiated_says_so) {
    saros_problem *p = NULL;
    saros_tensor *g[1] = {NULL};
    double J;
    const char *const wrt[] = {"nu", NULL}, *const wrong[] = {"mu", NULL};
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = 0.05}, &p));
    saros_grid_options o = {.cells = {16}, .integrator = "bdf"};
    ck_fails(saros_problem_gradient(p, &saros_grid, &o, &(saros_solve_options){.check = true},
                                    energy, NULL, wrt, &J, g, NULL),
             SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->hint, "sdirk"));
    o.integrator = "rk4";
    ck_fails(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL, wrt, &J, g, NULL),
             SAROS_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "dt"));
    o.dt = 0.1;
    ck_fails(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL, wrong, &J, g, NULL),
             SAROS_ERR_USAGE);
    ck_assert_ptr_null(g[0]);
    /* explicit steps that stability makes too many */
    o = (saros_grid_options){.cells = {256}, .integrator = "dopri5", .max_steps = 10};
    ck_fails(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL, wrt, &J, g, NULL),
             SAROS_ERR_NOT_CONVERGED);
    ck_assert_str_eq(saros_error_last()->where, "dopri5");
    saros_problem_release(p);
}
END_TEST

/* ---- memory ---- */

START_TEST(memory_is_flat_over_repeated_solves_and_gradients) {
    saros_problem *p = NULL;
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = 0.05}, &p));
    saros_grid_options solve = {.cells = {32}}, gradient = {.cells = {32}, .dt = 0.1},
                       adapted = {.cells = {16}, .rtol = 1e-3};
    int64_t held = 0;
    for (int k = 0; k < 25; ++k) {
        saros_solution *s = NULL;
        saros_tensor *g[1] = {NULL};
        double J;
        ck_ok(saros_problem_solve(p, &saros_grid, &solve, NULL, &s));
        saros_solution_release(s);
        ck_ok(saros_problem_gradient(p, &saros_grid, &gradient, NULL, energy, NULL,
                                     (const char *[]){"nu", NULL}, &J, g, NULL));
        saros_tensor_release(g[0]);
        ck_ok(saros_problem_gradient(p, &saros_grid, &adapted, NULL, energy, NULL,
                                     (const char *[]){"nu", NULL}, &J, g, NULL));
        saros_tensor_release(g[0]);
        if (k == 4) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
    saros_problem_release(p);
}
END_TEST

SAROS_TEST_MAIN("physics/gradient", heat_gradient_is_exact_to_1e_6,
                burgers_gradient_agrees_with_differences_to_1e_6,
                taylor_remainders_fall_at_their_rates,
                bratu_gradient_by_the_implicit_rule_has_taylor_rates,
                traced_solves_pass_the_gradient_check,
                gradients_reach_fields_boundary_values_and_initial_values,
                what_cannot_be_differentiated_says_so,
                memory_is_flat_over_repeated_solves_and_gradients)
