/** Continuous sensitivities of CVODES: Robertson against its references and the discrete gradient,
 * heat on a line with many parameters, every linear solver, several outputs, errors. */
#include "adaptive_run.h"

#include "nvector_impl.h"
#include "saros/continuous.h"
#include "saros/memory.h"

/* y0 and p, and the states that CVODES gives, of a problem. */
typedef struct fixture {
    saros_graph *g;
    saros_value in[2], kept;
    saros_tensor *at[2];
} fixture;

static fixture fixture_make(const problem *of, const saros_cvode_options *options) {
    fixture f = {0};
    ck_ok(saros_graph_make(&f.g));
    f.at[0] = vector(of->n, of->start), f.at[1] = vector(of->parameters, of->p);
    for (int k = 0; k < 2; ++k) {
        saros_type type = saros_tensor_type(f.at[k]);
        f.in[k] = saros_input(f.g, &type, k ? "p" : "y0");
    }
    context c = {of, f.in[1]};
    f.kept = saros_cvode_march(f.g, &(saros_cvode_march_spec){.y0 = f.in[0],
                                                              .times = (int)of->times,
                                                              .time = of->time,
                                                              .rate = rate,
                                                              .user = &c,
                                                              .options = *options});
    return f;
}

static void fixture_free(fixture *f) {
    for (int k = 0; k < 2; ++k) saros_tensor_release(f->at[k]);
    saros_graph_release(f->g);
}

static saros_status call(const fixture *f, int outs, const saros_value *of, saros_tensor **out) {
    saros_function *function = NULL;
    saros_status status = saros_compile(f->g, 2, f->in, outs, of, NULL, &function);
    if (status == SAROS_OK) status = saros_function_call(function, f->at, out, NULL);
    saros_function_release(function);
    ck_assert_int_eq(saros_nvector_alive(), 0);
    return status;
}

/* Column `unknown` of output j. */
static saros_value entry(const fixture *f, int64_t j, int64_t unknown) {
    saros_value row = saros_slice(f->kept, 0, j, j + 1, 1);
    return saros_sum(saros_slice(row, 1, unknown, unknown + 1, 1), 3);
}

static saros_sparsity *dense_of(int64_t n) {
    saros_sparsity *dense = NULL;
    ck_ok(saros_sparsity_dense(n, &dense));
    return dense;
}

/* references.md: y1 and dy1/dp1 at t = .4 and 4; the derivatives by p2 and p3 go with forward mode,
 * which does not share the adjoint's equations. */
START_TEST(stiff_sensitivities_reach_their_references) {
    const double *exact = robertson_sensitivities;
    saros_sparsity *dense = dense_of(3);
    for (int direct = 0; direct < 2; ++direct) {
        saros_cvode_options options = {
            .rtol = 1e-9, .atol = 1e-13, .sparsity = direct ? dense : NULL};
        fixture f = fixture_make(&stiff, &options);
        for (int j = 0; j < 2; ++j) {
            saros_value of[4], along, y1 = entry(&f, j, 0);
            saros_tensor *out[4] = {NULL};
            saros_vjp(1, &y1, NULL, 1, &f.in[1], &of[0]);
            for (int k = 0; k < 3; ++k) {
                const double unit[3] = {k == 0, k == 1, k == 2};
                saros_tensor *direction = vector(3, unit);
                along = saros_constant(f.g, direction);
                saros_jvp(1, &y1, 1, &f.in[1], &along, &of[1 + k]);
                saros_tensor_release(direction);
            }
            ck_ok(call(&f, 4, of, out));
            const double *gradient = saros_tensor_const_data(out[0]);
            ck_near(gradient[0] / exact[j], 1, 1e-6);
            for (int k = 0; k < 3; ++k) {
                double tangent = *(const double *)saros_tensor_const_data(out[1 + k]);
                if (getenv("SAROS_SHOW"))
                    fprintf(stderr, "t%d p%d: %.10g backwards, off from forward by %.1e\n", j, k,
                            gradient[k], gradient[k] / tangent - 1);
                ck_near(gradient[k] / tangent, 1, 1e-5);
            }
            ck_near(*(const double *)saros_tensor_const_data(out[1]) / exact[j], 1, 1e-6);
            for (int k = 0; k < 4; ++k) saros_tensor_release(out[k]);
        }
        fixture_free(&f);
    }
    saros_sparsity_release(dense);
}
END_TEST

/* u_t = k u_xx, k of each node, zero around: a mode decays at its rate, each node has a parameter
 * and the pattern is not dense. Discrete gradients by sdirk with fine steps beside. */
enum { NODES = 40 };

static saros_value heat(saros_value t, saros_value y, saros_value p) {
    (void)t;
    const double h = 1.0 / (NODES + 1);
    saros_value sum = saros_mul(saros_like(y, -2), y);
    for (int by = -1; by <= 1; by += 2)
        sum = saros_add(sum, saros_shift(y, 0, by, SAROS_EDGE_ZERO));
    return saros_mul(saros_mul(p, saros_like(y, 1 / (h * h))), sum);
}

static saros_status heat_rate(saros_graph *g, saros_value t, saros_value y, void *user,
                              saros_value *out) {
    (void)g;
    *out = heat(t, y, *(saros_value *)user);
    return SAROS_OK;
}

typedef struct line {
    saros_graph *g;
    saros_value in[2], kept, objective;
    saros_tensor *at[2];
} line;

static const double heat_times[] = {0, 0.02, 0.05};

static void line_open(line *l) {
    const int64_t n = NODES;
    ck_ok(saros_graph_make(&l->g));
    for (int k = 0; k < 2; ++k) {
        saros_type type = saros_type_make(SAROS_F64, 1, &n);
        l->in[k] = saros_input(l->g, &type, NULL);
        ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &l->at[k]));
    }
    for (int i = 0; i < NODES; ++i) {
        const double x = (i + 1.0) / (NODES + 1);
        ((double *)saros_tensor_data(l->at[0]))[i] = sin(M_PI * x) + 0.3 * sin(3 * M_PI * x);
        ((double *)saros_tensor_data(l->at[1]))[i] = 1 + 0.5 * x;
    }
}

static saros_sparsity *line_pattern(line *l) {
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_sparsity *pattern = NULL;
    saros_value t = saros_input(l->g, &scalar, "t");
    ck_ok(saros_sparsity_detect(heat(t, l->in[0], l->in[1]), l->in[0], &pattern));
    return pattern;
}

/* Gradient of the sum of squares at both outputs by y0 and p, 2 NODES numbers. */
static void line_gradient(line *l, double *gradient) {
    saros_function *function = NULL;
    saros_value by[2], squares = saros_sum(saros_power(l->kept, 2), 3);
    saros_tensor *out[2] = {NULL};
    saros_vjp(1, &squares, NULL, 2, l->in, by);
    ck_ok(saros_compile(l->g, 2, l->in, 2, by, NULL, &function));
    ck_ok(saros_function_call(function, l->at, out, NULL));
    for (int k = 0; k < 2; ++k) {
        memcpy(gradient + k * NODES, saros_tensor_const_data(out[k]), NODES * sizeof *gradient);
        saros_tensor_release(out[k]);
        saros_tensor_release(l->at[k]);
    }
    saros_function_release(function);
    saros_graph_release(l->g);
}

static void continuous_gradient(bool adams, bool sparse, double *gradient) {
    line l;
    line_open(&l);
    saros_sparsity *pattern = sparse ? line_pattern(&l) : NULL;
    l.kept = saros_cvode_march(
        l.g, &(saros_cvode_march_spec){
                 .y0 = l.in[0],
                 .times = 3,
                 .time = heat_times,
                 .rate = heat_rate,
                 .user = &l.in[1],
                 .options = {.adams = adams, .rtol = 1e-9, .atol = 1e-11, .sparsity = pattern}});
    line_gradient(&l, gradient);
    saros_sparsity_release(pattern);
}

static void discrete_gradient(double *gradient) {
    line l;
    line_open(&l);
    saros_value final;
    saros_tensor *times = vector(3, heat_times), *steps = NULL;
    ck_ok(saros_tensor_from(SAROS_I64, 1, (int64_t[]){2}, (int64_t[]){150, 150}, &steps));
    saros_march(l.g,
                &(saros_march_spec){.integrator = saros_integrator_find("sdirk"),
                                    .y0 = l.in[0],
                                    .times = saros_constant(l.g, times),
                                    .steps = saros_constant(l.g, steps),
                                    .bound = 150,
                                    .rate = heat_rate,
                                    .user = &l.in[1]},
                &final, &l.kept);
    line_gradient(&l, gradient);
    saros_tensor_release(times);
    saros_tensor_release(steps);
}

START_TEST(continuous_and_discrete_gradients_agree_to_the_tolerance) {
    double discrete[2 * NODES], continuous[2 * NODES], largest = 0;
    discrete_gradient(discrete);
    for (int i = 0; i < 2 * NODES; ++i) largest = fmax(largest, fabs(discrete[i]));
    for (int way = 0; way < 3; ++way) {
        double worst = 0;
        continuous_gradient(way == 2, way == 0, continuous);
        for (int i = 0; i < 2 * NODES; ++i)
            worst = fmax(worst, fabs(continuous[i] - discrete[i]) / largest);
        if (getenv("SAROS_SHOW")) fprintf(stderr, "heat, way %d: off by %.1e\n", way, worst);
        ck_assert_msg(worst < 2e-6, "way %d: off by %.2e", way, worst);
        ck_assert_msg(worst > 0, "the same numbers: not an integration of its own");
    }
}
END_TEST

START_TEST(derivatives_of_derivatives_are_refused_by_name) {
    fixture f = fixture_make(&smooth, &(saros_cvode_options){0});
    saros_value y = entry(&f, 1, 0), first, second;
    saros_vjp(1, &y, NULL, 1, &f.in[1], &first);
    first = saros_sum(first, 1);
    saros_vjp(1, &first, NULL, 1, &f.in[1], &second);
    ck_assert(saros_is_poisoned(second));
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "cvode"));
    fixture_free(&f);
}
END_TEST

/* y' = p y^2 with p = 1 from 1 is infinite at t = 1. */
static saros_value explosion(saros_value t, saros_value y, saros_value p) {
    (void)t;
    return saros_mul(saros_mul(y, y), p);
}

START_TEST(failures_name_integrator_and_time) {
    const problem blow = {explosion, 1, 1, 2, {1}, {1}, {0, 2}};
    fixture f = fixture_make(&blow, &(saros_cvode_options){0});
    saros_value y = entry(&f, 0, 0), gradient;
    saros_tensor *out = NULL;
    saros_vjp(1, &y, NULL, 1, &f.in[1], &gradient);
    saros_status status = call(&f, 1, &gradient, &out);
    ck_assert(status == SAROS_ERR_NOT_CONVERGED || status == SAROS_ERR_DIVERGED);
    ck_assert_msg(strstr(saros_error_last()->message, "bdf") != NULL, "%s",
                  saros_error_last()->message);
    fixture_free(&f);
    /* so few steps as the way back may not take */
    f = fixture_make(&smooth, &(saros_cvode_options){.rtol = 1e-4,
                                                     .atol = 1e-4,
                                                     .sensitivity_rtol = 1e-12,
                                                     .sensitivity_atol = 1e-12,
                                                     .max_steps = 60});
    y = entry(&f, 1, 0);
    saros_vjp(1, &y, NULL, 1, &f.in[1], &gradient);
    ck_fails(call(&f, 1, &gradient, &out), SAROS_ERR_NOT_CONVERGED);
    ck_assert_msg(strstr(saros_error_last()->message, "backwards") != NULL, "%s",
                  saros_error_last()->message);
    fixture_free(&f);
}
END_TEST

START_TEST(memory_of_sensitivities_is_flat) {
    int64_t held = 0;
    for (int round = 0; round < 4; ++round) {
        fixture f = fixture_make(&smooth, &(saros_cvode_options){0});
        saros_value of[2], y = entry(&f, 1, 0), along = saros_constant(f.g, f.at[1]);
        saros_tensor *out[2] = {NULL};
        saros_jvp(1, &y, 1, &f.in[1], &along, &of[1]);
        saros_vjp(1, &y, NULL, 1, &f.in[1], &of[0]);
        ck_ok(call(&f, 2, of, out));
        for (int k = 0; k < 2; ++k) saros_tensor_release(out[k]);
        fixture_free(&f);
        if (round == 1) held = saros_memory_held();
    }
    ck_assert_int_eq(saros_memory_held(), held);
}
END_TEST

SAROS_TEST_MAIN("solvers/continuous", stiff_sensitivities_reach_their_references,
                continuous_and_discrete_gradients_agree_to_the_tolerance,
                derivatives_of_derivatives_are_refused_by_name, failures_name_integrator_and_time,
                memory_of_sensitivities_is_flat)
