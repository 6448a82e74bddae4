/** Lowering: derivatives of any expression of a network against exact ones; how many streams they
 * take; exact conditions of the ansatz with untrained weights. */
#include "saros_check.h"

#include <string.h>

#include "pinn_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/pool.h"
#include "saros/rows.h"

/* ---- a network of one layer of two sines, whose derivatives are known ---- */
static const double w[2][3] = {{0.7, -0.4, 0.3}, {-0.2, 0.9, 0.5}}; /* [neuron][x, y, t] */
static const double b[2] = {0.1, -0.6}, a[2] = {1.3, 0.8}, c = 0.25;

/** D^(p, q, r) u at (x, y, t) of [-1, 1]^3, where inputs are not scaled. */
static double exact(int p, int q, int r, const double *x) {
    double sum = p + q + r == 0 ? c : 0;
    for (int j = 0; j < 2; ++j) {
        const double phase = w[j][0] * x[0] + w[j][1] * x[1] + w[j][2] * x[2] + b[j];
        sum += a[j] * pow(w[j][0], p) * pow(w[j][1], q) * pow(w[j][2], r) *
               sin(phase + (p + q + r) * acos(0.0));
    }
    return sum;
}

static saros_status no_equation(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_sub(saros_d(s, "u", "t"), saros_lap(s, saros_get(s, "u")));
    return SAROS_OK;
}
static saros_status zero(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_like(saros_coord(s, "x"), 0);
    return SAROS_OK;
}
static saros_status pure(saros_point *s, void *user, saros_value *out) {
    out[0] = saros_d(s, "u", user);
    return SAROS_OK;
}
/** ((1 + x^2) u_x)_x */
static saros_status flux_form(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x");
    const saros_value k = saros_add(saros_like(x, 1), saros_mul(x, x));
    out[0] = saros_d_of(s, saros_mul(k, saros_d(s, "u", "x")), "x");
    return SAROS_OK;
}
/** (u^2 / 2)_xt */
static saros_status product(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value u = saros_get(s, "u");
    out[0] = saros_d_of(s, saros_mul(saros_like(u, 0.5), saros_mul(u, u)), "xt");
    return SAROS_OK;
}

static const char *const pure_name[] = {"x", "xx", "xxxx", "y", "xy", "xxyt", "ytt", "t"};
static const int pure_order[][3] = {{1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {0, 1, 0},
                                    {1, 1, 0}, {2, 1, 1}, {0, 1, 2}, {0, 0, 1}};
enum { PURE = 8, OBSERVABLES = PURE + 2 };

static saros_problem *sines(void) {
    saros_problem *problem;
    static const char *const name[PURE] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"};
    saros_observable observable[OBSERVABLES + 1] = {{0}};
    for (int k = 0; k < PURE; ++k)
        observable[k] = (saros_observable){name[k], pure, (void *)(uintptr_t)pure_name[k]};
    observable[PURE] = (saros_observable){"flux", flux_form, NULL};
    observable[PURE + 1] = (saros_observable){"product", product, NULL};
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.name = "sines",
                              .axes = (saros_axis[]){{"x", -1, 1}, {"y", -1, 1}, {"t", -1, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .equation = no_equation,
                              .initial = zero,
                              .boundary =
                                  (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET},
                                                      {.axis = "y", .kind = SAROS_DIRICHLET},
                                                      {0}},
                              .observables = observable},
        &problem));
    return problem;
}

/** A task without options of its own. */
static saros_task plain_task(saros_problem *problem, saros_tensor **parameter) {
    static const saros_solve_options none;
    const saros_axis *axis;
    saros_task task = {.problem = problem, .common = &none, .parameter = parameter};
    task.axes = saros_problem_space_axes(problem, &axis);
    for (int k = 0; k < task.axes; ++k) task.axis[k] = axis[k];
    task.transient = saros_problem_time(problem, &task.start, &task.end);
    return task;
}

START_TEST(derivatives_of_any_expression_are_exact) {
    saros_problem *problem = sines();
    const saros_task task = plain_task(problem, NULL);
    const saros_network_options network = {.layers = 1, .width = 2, .activation = "sin"};
    const int64_t size = 11, points = 2;
    saros_pinn_run run = {0};
    saros_network_state *state;
    double flat[11];
    for (int j = 0; j < 2; ++j) {
        for (int i = 0; i < 3; ++i) flat[2 * i + j] = w[j][i];
        flat[6 + j] = b[j];
        flat[8 + j] = a[j];
    }
    flat[10] = c;
    ck_ok(saros_ansatz_make(&task, &network, SAROS_F64, false, &run.ansatz));
    ck_assert_int_eq(saros_network_size(&run.ansatz.network), size);
    ck_ok(saros_tensor_from(SAROS_F64, 1, &size, flat, &run.weights));
    ck_ok(saros_network_state_make(NULL, &run, &state));
    const double x[2][3] = {{0.3, -0.8, 0.5}, {-0.6, 0.2, 0.9}};
    saros_tensor *coordinate[3];
    for (int k = 0; k < 3; ++k)
        ck_ok(
            saros_tensor_from(SAROS_F64, 1, &points, (double[]){x[0][k], x[1][k]}, &coordinate[k]));
    for (int k = 0; k < OBSERVABLES; ++k) {
        saros_tensor *value = NULL;
        ck_ok(saros_network_evaluate(state, saros_problem_observable(problem, k), coordinate,
                                     &value));
        for (int i = 0; i < 2; ++i) {
            double wanted = 0;
            const double ux = exact(1, 0, 0, x[i]), ut = exact(0, 0, 1, x[i]);
            if (k < PURE)
                wanted = exact(pure_order[k][0], pure_order[k][1], pure_order[k][2], x[i]);
            else if (k == PURE)
                wanted = 2 * x[i][0] * ux + (1 + x[i][0] * x[i][0]) * exact(2, 0, 0, x[i]);
            else
                wanted = ut * ux + exact(0, 0, 0, x[i]) * exact(1, 0, 1, x[i]);
            ck_near(((const double *)saros_tensor_const_data(value))[i], wanted, 1e-13);
        }
        saros_tensor_release(value);
    }
    for (int k = 0; k < 3; ++k) saros_tensor_release(coordinate[k]);
    saros_network_state_release(state);
    saros_problem_release(problem);
}
END_TEST

/* ---- Burgers ---- */
static saros_status burgers(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value u = saros_get(s, "u");
    out[0] = saros_sub(saros_add(saros_d(s, "u", "t"), saros_mul(u, saros_d(s, "u", "x"))),
                       saros_mul(saros_param(s, "nu"), saros_d(s, "u", "xx")));
    return SAROS_OK;
}
static saros_status minus_sine(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x");
    out[0] = saros_neg(saros_sin(saros_mul(saros_like(x, acos(-1.0)), x)));
    return SAROS_OK;
}
static saros_problem *burgers_problem(void) {
    saros_problem *problem;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.name = "burgers",
                              .axes = (saros_axis[]){{"x", -1, 1}, {"t", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .parameters = (saros_parameter[]){{.name = "nu", .value = 0.01}, {0}},
                              .equation = burgers,
                              .initial = minus_sine,
                              .boundary =
                                  (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET}, {0}}},
        &problem));
    return problem;
}

START_TEST(burgers_takes_four_streams_through_the_layers) {
    saros_problem *problem = burgers_problem();
    saros_tensor *nu;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.01, &nu));
    const saros_task task = plain_task(problem, &nu);
    const saros_network_options network = {.layers = 3, .width = 7};
    saros_ansatz ansatz;
    saros_expansion expansion;
    saros_graph *graph;
    ck_ok(saros_ansatz_make(&task, &network, SAROS_F64, true, &ansatz));
    ck_ok(saros_expand(saros_problem_equation(problem), 1, 2, 1, &expansion));
    ck_assert_int_eq(expansion.leaves, 3);
    ck_ok(saros_graph_make(&graph));
    const int64_t n = 10, size = saros_network_size(&ansatz.network);
    const saros_type column = saros_type_make(SAROS_F64, 1, &n),
                     scalar = saros_type_scalar(SAROS_F64);
    const saros_type weights = saros_type_make(SAROS_F64, 1, &size);
    const saros_value x[2] = {saros_input(graph, &column, "x"), saros_input(graph, &column, "t")};
    const saros_value number = saros_input(graph, &scalar, "nu");
    saros_value r;
    saros_network_lower(&ansatz, saros_input(graph, &weights, "w"), x, &number, 1, &expansion, &r);
    ck_ok(saros_graph_status(graph));
    int hidden = 0, first = 0, last = 0;
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        const saros_node node = saros_graph_node(graph, id, NULL);
        if (node.row != &saros_row_dot) continue;
        const int64_t *shape = saros_value_type((saros_value){graph, node.operand[1]})->shape;
        ++*(shape[0] == 2 ? &first : shape[1] == 1 ? &last : &hidden);
    }
    ck_assert_int_eq(first,
                     3); /* u, u_x, u_t: the second derivative starts after the first layer */
    ck_assert_int_eq(hidden, 2 * 4);
    ck_assert_int_eq(last, 4);
    saros_graph_release(graph);
    saros_expansion_clear(&expansion);
    saros_ansatz_clear(&ansatz);
    saros_tensor_release(nu);
    saros_problem_release(problem);
}
END_TEST

/* ---- exact conditions with untrained weights ---- */
/** x^2 - y^2 + t x y */
static saros_status harmonic(saros_point *s, void *user, saros_value *out) {
    (void)user;
    const saros_value x = saros_coord(s, "x"), y = saros_coord(s, "y"), t = saros_coord(s, "t");
    out[0] = saros_add(saros_sub(saros_mul(x, x), saros_mul(y, y)), saros_mul(t, saros_mul(x, y)));
    return SAROS_OK;
}

/** Largest difference of the untrained ansatz from `harmonic` on a face (coordinate k at `at`). */
static double miss(saros_network_state *state, saros_body *unknown, int k, double at) {
    saros_tensor *coordinate[3], *value = NULL;
    double x[3][40], worst = 0;
    const int64_t n = 40;
    for (int j = 0; j < 3; ++j) {
        for (int i = 0; i < n; ++i) x[j][i] = j == k ? at : 0.5 + 0.5 * sin(3 * i + 5 * j + 1);
        ck_ok(saros_tensor_from(SAROS_F64, 1, &n, x[j], &coordinate[j]));
    }
    ck_ok(saros_network_evaluate(state, unknown, coordinate, &value));
    for (int i = 0; i < n; ++i) {
        const double u = x[0][i] * x[0][i] - x[1][i] * x[1][i] + x[2][i] * x[0][i] * x[1][i];
        worst = fmax(worst, fabs(((const double *)saros_tensor_const_data(value))[i] - u));
    }
    for (int j = 0; j < 3; ++j) saros_tensor_release(coordinate[j]);
    saros_tensor_release(value);
    return worst;
}

static saros_status itself(saros_point *s, void *user, saros_value *out) {
    (void)user;
    out[0] = saros_get(s, "u");
    return SAROS_OK;
}

START_TEST(values_of_space_and_time_on_all_faces_hold_exactly) {
    saros_problem *problem;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){
            .name = "faces",
            .axes = (saros_axis[]){{"x", 0, 1}, {"y", 0, 1}, {"t", 0, 1}, {0}},
            .unknowns = (const char *[]){"u", NULL},
            .equation = no_equation,
            .initial = harmonic,
            .boundary =
                (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET, .function = harmonic},
                                    {.axis = "y", .kind = SAROS_DIRICHLET, .function = harmonic},
                                    {0}},
            .observables = (saros_observable[]){{"itself", itself, NULL}, {0}}},
        &problem));
    const saros_task task = plain_task(problem, NULL);
    saros_pinn_run run = {0};
    saros_network_state *state;
    char text[80];
    ck_ok(saros_ansatz_make(&task, &(saros_network_options){.layers = 1, .width = 5}, SAROS_F64,
                            true, &run.ansatz));
    ck_ok(saros_ansatz_settle(&run.ansatz, NULL));
    saros_ansatz_describe(&run.ansatz, text, sizeof text);
    ck_assert_str_eq(text, "u: initial x.lo x.hi y.lo y.hi");
    ck_ok(saros_network_start(&run.ansatz.network, 1, SAROS_F64, &run.weights));
    ck_ok(saros_network_state_make(NULL, &run, &state));
    saros_body *unknown = saros_problem_observable(problem, 0);
    for (int k = 0; k < 3; ++k) ck_assert(miss(state, unknown, k, 0) < 1e-14);
    for (int k = 0; k < 2; ++k) ck_assert(miss(state, unknown, k, 1) < 1e-14);
    ck_assert(miss(state, unknown, 2, 1) > 1e-3); /* the end is free */
    saros_network_state_release(state);
    saros_problem_release(problem);
}
END_TEST

START_TEST(conditions_that_disagree_are_dropped_until_the_rest_holds) {
    /* u0 = x^2 - y^2 does not meet u = 0 at the faces: the start becomes a term of the loss. */
    saros_problem *problem;
    ck_ok(saros_problem_make(
        &(saros_problem_spec){.name = "disagreement",
                              .axes = (saros_axis[]){{"x", 0, 1}, {"y", 0, 1}, {"t", 0, 1}, {0}},
                              .unknowns = (const char *[]){"u", NULL},
                              .equation = no_equation,
                              .initial = harmonic,
                              .boundary =
                                  (saros_condition[]){{.axis = "x", .kind = SAROS_DIRICHLET},
                                                      {.axis = "y", .kind = SAROS_NEUMANN},
                                                      {0}}},
        &problem));
    const saros_task task = plain_task(problem, NULL);
    saros_ansatz ansatz;
    saros_terms terms;
    char text[80];
    ck_ok(saros_ansatz_make(&task, &(saros_network_options){0}, SAROS_F64, true, &ansatz));
    ck_ok(saros_ansatz_settle(&ansatz, NULL));
    saros_ansatz_describe(&ansatz, text, sizeof text);
    ck_assert_str_eq(text, "u: x.lo x.hi");
    ck_ok(saros_terms_make(&ansatz, &(saros_pinn_options){0}, NULL, &terms));
    ck_assert_int_eq(terms.count, 1 + 2 + 1); /* equation, two slopes, the start */
    saros_terms_clear(&terms);
    saros_ansatz_clear(&ansatz);
    saros_problem_release(problem);
}
END_TEST

/* ---- the compiled step ---- */
/** Whether the compiler cuts it into blocks of rows, where it can. */
static bool is_cut(const saros_function *step) {
    int bits;
    saros_backend_default(&bits);
    const size_t bytes = saros_function_dump(step, NULL, 0) + 1;
    char *text = saros_allocate(bytes);
    saros_function_dump(step, text, bytes);
    const bool cut = strstr(text, "rows: stage 0") != NULL;
    saros_release(text);
    return cut || bits == 0;
}

START_TEST(the_step_gives_the_gradient_of_its_loss_on_any_number_of_threads) {
    saros_problem *problem = burgers_problem();
    saros_tensor *nu, *start;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.01, &nu));
    const saros_task task = plain_task(problem, &nu);
    const saros_pinn_options options = {.network = {.layers = 2, .width = 6},
                                        .points = {.interior = 4001}};
    const saros_trained trained = {.parameter = 0, .start = 0.01, .min = 0, .max = INFINITY};
    double f[2], g[2][100];
    saros_ansatz ansatz;
    saros_terms terms;
    ck_ok(saros_ansatz_make(&task, &options.network, SAROS_F64, true, &ansatz));
    ck_ok(saros_terms_make(&ansatz, &options, NULL, &terms));
    ck_ok(saros_network_start(&ansatz.network, 5, SAROS_F64, &start));
    for (int k = 0; k < 2; ++k) {
        saros_loss loss;
        double w0[100] = {0};
        ck_ok(saros_threads_set(k ? 3 : 1));
        ck_ok(saros_loss_make(&ansatz, &terms, &options, &nu, 1, &trained, &loss));
        const int64_t n = loss.step.n;
        ck_assert(n < 100 && is_cut(loss.function));
        const saros_objective objective = saros_loss_objective(&loss);
        memcpy(w0, saros_tensor_const_data(start), (size_t)(n - 1) * sizeof *w0);
        ck_ok(objective.evaluate(&loss, w0, &f[k], g[k]));
        for (int64_t i = n - 1; i >= 0; i -= 17) { /* the trained parameter is the last */
            double high, low, other[100];
            const double h = 1e-5, kept = w0[i];
            w0[i] = kept + h;
            ck_ok(objective.evaluate(&loss, w0, &high, other));
            w0[i] = kept - h;
            ck_ok(objective.evaluate(&loss, w0, &low, other));
            w0[i] = kept;
            ck_near(g[k][i], (high - low) / (2 * h), 1e-7);
        }
        saros_loss_clear(&loss);
    }
    ck_assert_double_eq(f[0], f[1]);
    ck_assert(!memcmp(g[0], g[1], 60 * sizeof(double)));
    saros_tensor_release(start);
    saros_terms_clear(&terms);
    saros_ansatz_clear(&ansatz);
    saros_tensor_release(nu);
    saros_problem_release(problem);
}
END_TEST

SAROS_TEST_MAIN("pinn/lower", derivatives_of_any_expression_are_exact,
                burgers_takes_four_streams_through_the_layers,
                values_of_space_and_time_on_all_faces_hold_exactly,
                conditions_that_disagree_are_dropped_until_the_rest_holds,
                the_step_gives_the_gradient_of_its_loss_on_any_number_of_threads)
