/** Problems solved by networks against exact solutions. */
#include "solve_examples.h"

START_TEST(poisson_with_exact_ends) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s;
    double integral;
    const saros_pinn_options options = small_net(2, 12, 100, 150);
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(relative_error(s, poisson_exact) < 1e-5);
    const double *u = saros_tensor_const_data(saros_solution_field(s, "u"));
    ck_assert(fabs(u[0]) < 1e-15 && fabs(u[32] - 1) < 1e-15);
    ck_ok(saros_solution_integral(s, poisson_exact, NULL, 0, &integral));
    ck_near(integral, 2 / PI + 0.5, 1e-5); /* quadrature of order 4 on 32 cells */
    const saros_info *info = saros_solution_info(s);
    ck_assert_str_eq(info->method, "network");
    ck_assert(info->converged && info->evaluations >= info->iterations && info->loss < 1e-6);
    ck_assert_str_eq(info->history[0].name, "loss");
    ck_assert(info->history[0].count == info->iterations + 1);
    ck_assert(strstr(info->reason, "u: x.lo x.hi"));
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

START_TEST(poisson_with_weighted_ends) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s;
    saros_pinn_options options = small_net(2, 12, 100, 300);
    options.hard = -1;
    options.weights.boundary = 100;
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(strstr(saros_solution_info(s)->reason, "none"));
    ck_assert(relative_error(s, poisson_exact) < 1e-4);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

START_TEST(poisson_with_a_slope_and_a_mixed_condition) {
    /* u' = pi + 1 at 0 (outward slope -(pi + 1)); 2 u + u' = 2 + (1 - pi) at 1 */
    const saros_condition boundary[] = {
        {.axis = "x", .side = "lo", .kind = SAROS_NEUMANN, .value = -(PI + 1)},
        {.axis = "x", .side = "hi", .kind = SAROS_ROBIN, .a = 2, .b = 1, .value = 3 - PI},
        {0}};
    saros_problem *problem = poisson_problem(boundary);
    saros_solution *s;
    const saros_pinn_options options = small_net(2, 12, 100, 300);
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(relative_error(s, poisson_exact) < 1e-4);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

START_TEST(single_precision_trains_too) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s;
    saros_network network;
    saros_tensor *weights;
    saros_pinn_options options = small_net(2, 12, 100, 150);
    options.dtype = "f32";
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(relative_error(s, poisson_exact) < 1e-3);
    ck_ok(saros_solution_network(s, &network, &weights));
    ck_assert(saros_tensor_dtype(weights) == SAROS_F32);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

/* ---- u_t = kappa u_xx, periodic, u0 = sin(2 pi x) ---- */
static saros_status heat(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] =
        saros_sub(saros_d(s, "u", "t"), saros_mul(saros_param(s, "kappa"), saros_d(s, "u", "xx")));
    return SAROS_OK;
}
static saros_status wave(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x");
    out[0] = saros_sin(saros_mul(saros_like(x, 2 * PI), x));
    return SAROS_OK;
}
static saros_status heat_exact(saros_point *s, void *user, saros_value *out) {
    const saros_value t = saros_coord(s, "t");
    const saros_status status = wave(s, user, out);
    out[0] = saros_mul(out[0], saros_exp(saros_mul(saros_like(t, -0.02 * 4 * PI * PI), t)));
    return status;
}
static saros_status square(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value u = saros_get(s, "u");
    out[0] = saros_mul(u, u);
    return SAROS_OK;
}
static saros_status value_and_slope(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_get(s, "u");
    out[1] = saros_d(s, "u", "x");
    return SAROS_OK;
}
static saros_problem *heat_problem(void) {
    saros_problem *problem;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){
            .name = "heat",
            .axes = (saros_axis[]){{"x", 0, 1}, {"t", 0, 1}, {0}},
            .unknowns = (const char *[]){"u", NULL},
            .parameters = (saros_parameter[]){{.name = "kappa", .value = 0.02}, {0}},
            .equation = heat,
            .initial = wave,
            .boundary = (saros_condition[]){{.axis = "x", .kind = SAROS_PERIODIC}, {0}},
            .observables = (saros_observable[]){{"square", square, NULL}, {0}}},
        &problem));
    return problem;
}

START_TEST(heat_on_a_periodic_axis) {
    saros_problem *problem = heat_problem();
    saros_solution *s;
    saros_pinn_options options = small_net(2, 12, 400, 200);
    options.times = (saros_times){.count = 5};
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(relative_error(s, heat_exact) < 1e-3);
    saros_tensor *u = saros_solution_field(s, "u"), *squares = saros_solution_field(s, "square");
    ck_assert_int_eq(saros_tensor_shape(u)[0], 5);
    ck_assert_int_eq(saros_tensor_shape(u)[1], 32); /* the upper end is the lower one */
    for (int64_t i = 0; i < 32; ++i) {
        const double *a = saros_tensor_const_data(u), *b = saros_tensor_const_data(squares);
        ck_near(b[64 + i], a[64 + i] * a[64 + i], 1e-14);
        ck_near(a[i], sin(2 * PI * (double)i / 32), 1e-14); /* the start holds exactly */
    }
    saros_tensor *x, *t, *value[2] = {NULL, NULL};
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){1e-13, 1 - 1e-13}, &x));
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.7, &t));
    ck_ok(saros_solution_evaluate(s, value_and_slope, NULL, 2, (saros_tensor *[]){x, t}, value));
    for (int k = 0; k < 2; ++k) {
        const double *v = saros_tensor_const_data(value[k]);
        ck_near(v[0], v[1], 1e-10); /* value and slope continue over the seam */
        saros_tensor_release(value[k]);
    }
    saros_tensor_release(x);
    saros_tensor_release(t);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

START_TEST(a_fit_recovers_the_diffusivity) {
    enum { N = 60 };
    saros_problem *problem = heat_problem();
    saros_fit_result fit;
    double x[N], t[N], u[N];
    const int64_t n = N;
    saros_tensor *column[3];
    for (int i = 0; i < N; ++i) {
        x[i] = fmod(0.37 + 0.618034 * i, 1);
        t[i] = fmod(0.1 + 0.7548777 * i, 1);
        u[i] = sin(2 * PI * x[i]) * exp(-0.02 * 4 * PI * PI * t[i]) + 1e-3 * sin(40.0 * i);
    }
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, x, &column[0]));
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, t, &column[1]));
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, u, &column[2]));
    const saros_fit_data data = {.coordinate = {column[0], column[1]},
                                 .unknowns = 1,
                                 .unknown = (const char *[]){"u"},
                                 .value = &column[2],
                                 .sigma = 1e-3};
    const saros_pinn_options options = small_net(2, 12, 400, 250);
    const saros_unknown_parameter start[][2] = {{{"kappa", 0.1, 0, INFINITY}, {0}},
                                                {{"kappa", 0.1, 0.001, 0.5}, {0}}};
    for (int k = 0; k < 2; ++k) {
        double kappa;
        ck_ok(saros_problem_fit(problem, &saros_network_method, &options, NULL, &data, start[k],
                                &fit));
        ck_assert_int_eq(fit.parameters, 1);
        ck_near(fit.value[0] / 0.02, 1, 0.01);
        ck_ok(saros_tensor_item(saros_solution_parameter(fit.solution, "kappa"), &kappa));
        ck_assert_double_eq(kappa, fit.value[0]);
        /* du/dkappa = -4 pi^2 t u is known: error = sigma / |du/dkappa| over the data */
        double sum = 0;
        for (int i = 0; i < N; ++i) {
            const double slope =
                4 * PI * PI * t[i] * sin(2 * PI * x[i]) * exp(-0.02 * 4 * PI * PI * t[i]);
            sum += slope * slope;
        }
        ck_near(fit.standard_error[0] * sqrt(sum) / 1e-3, 1, 0.02);
        ck_assert(relative_error(fit.solution, heat_exact) < 5e-3);
        saros_fit_clear(&fit);
    }
    saros_unknown_parameter wrong[2] = {{"kapa", 0.1, 0, 0}, {0}};
    ck_fails(saros_problem_fit(problem, &saros_network_method, &options, NULL, &data, wrong, &fit),
             SAROS_ERR_USAGE);
    wrong[0] = (saros_unknown_parameter){"kappa", 0.1, 0.1, 1};
    ck_fails(saros_problem_fit(problem, &saros_network_method, &options, NULL, &data, wrong, &fit),
             SAROS_ERR_DOMAIN);
    for (int k = 0; k < 3; ++k) saros_tensor_release(column[k]);
    saros_problem_release(problem);
}
END_TEST

/* ---- gradients ---- */
static saros_status energy(saros_traced *solution, void *user, saros_value *out) {
    (void)user;
    *out = saros_traced_integral(solution, square, NULL, 1);
    return SAROS_OK;
}

START_TEST(a_gradient_follows_the_minimum) {
    /* J = int u^2 at t = 1 is exp(-8 pi^2 kappa)/2 and dJ/dkappa = -8 pi^2 J. */
    saros_problem *problem = heat_problem();
    const saros_pinn_options options = small_net(2, 12, 400, 400);
    const char *const wrt[] = {"kappa", NULL};
    const double exact = 0.5 * exp(-8 * PI * PI * 0.02);
    saros_tensor *gradient = NULL;
    saros_info info;
    double j, slope;
    ck_ok(saros_problem_gradient(problem, &saros_network_method, &options, NULL, energy, NULL, wrt,
                                 &j, &gradient, &info));
    ck_near(j / exact, 1, 1e-3);
    ck_ok(saros_tensor_item(gradient, &slope));
    ck_near(slope / (-8 * PI * PI * exact), 1, 1e-3);
    saros_tensor_release(gradient);
    saros_problem_release(problem);
}
END_TEST

/* ---- an ODE system: u' = v, v' = -u; u = sin t, v = cos t ---- */
static saros_status oscillator(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_sub(saros_d(s, "u", "t"), saros_get(s, "v"));
    out[1] = saros_add(saros_d(s, "v", "t"), saros_get(s, "u"));
    return SAROS_OK;
}
static saros_status oscillator_start(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_like(saros_coord(s, "t"), 0);
    out[1] = saros_like(saros_coord(s, "t"), 1);
    return SAROS_OK;
}

START_TEST(one_network_serves_several_unknowns) {
    saros_problem *problem;
    saros_solution *s;
    saros_tensor *t, *value[2] = {NULL, NULL};
    saros_pinn_options options = small_net(2, 10, 100, 300);
    options.hard = 0;
    ck_ok(saros_problem_make(&(saros_problem_spec){.name = "oscillator",
                                                   .axes = (saros_axis[]){{"t", 0, 3}, {0}},
                                                   .unknowns = (const char *[]){"u", "v", NULL},
                                                   .equation = oscillator,
                                                   .initial = oscillator_start},
                             &problem));
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_ok(saros_tensor_from(SAROS_F64, 1, (int64_t[]){3}, (double[]){0, 1.5, 3}, &t));
    ck_ok(saros_solution_at(s, &t, value));
    for (int i = 0; i < 3; ++i) {
        ck_near(((const double *)saros_tensor_const_data(value[0]))[i], sin(1.5 * i), 1e-4);
        ck_near(((const double *)saros_tensor_const_data(value[1]))[i], cos(1.5 * i), 1e-4);
    }
    saros_tensor_release(t);
    saros_tensor_release(value[0]);
    saros_tensor_release(value[1]);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

/* ---- two dimensions: -Lap u = 2 pi^2 sin(pi x) sin(pi y) ---- */
static saros_status bump(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x"), y = saros_coord(s, "y"), pi = saros_like(x, PI);
    out[0] = saros_mul(saros_sin(saros_mul(pi, x)), saros_sin(saros_mul(pi, y)));
    return SAROS_OK;
}
static saros_status poisson_plane(saros_point *s, void *user, saros_value *out) {
    const saros_status status = bump(s, user, out);
    out[0] = saros_add(saros_lap(s, saros_get(s, "u")),
                       saros_mul(saros_like(out[0], 2 * PI * PI), out[0]));
    return status;
}

START_TEST(poisson_in_the_plane) {
    saros_problem *problem;
    saros_solution *s;
    const saros_pinn_options options = small_net(2, 12, 300, 200);
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.name = "plane",
                              .axes = (saros_axis[]){{"x", 0, 1}, {"y", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .equation = poisson_plane,
                              .boundary =
                                  (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET},
                                                      {.axis = "y", .kind = SAROS_DIRICHLET},
                                                      {0}}},
        &problem));
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(relative_error(s, bump) < 1e-3);
    ck_assert_int_eq(saros_tensor_shape(saros_solution_field(s, "u"))[0], 33);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

SAROS_TEST_MAIN("pinn/solve", poisson_with_exact_ends, poisson_with_weighted_ends,
                poisson_with_a_slope_and_a_mixed_condition, single_precision_trains_too,
                heat_on_a_periodic_axis, a_fit_recovers_the_diffusivity,
                a_gradient_follows_the_minimum, one_network_serves_several_unknowns,
                poisson_in_the_plane)
