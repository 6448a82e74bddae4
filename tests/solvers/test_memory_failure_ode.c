/** Every allocation of integrators and sensitivities fails once. */
#include "memory_failure.h"

#include "saros/autodiff.h"
#include "saros/continuous.h"
#include "saros/event.h"
#include "saros/ida.h"

enum { UNKNOWNS = 6 };

/* y' = -p y^3 */
static saros_status decay(saros_graph *g, saros_value t, saros_value y, void *user,
                          saros_value *rate) {
    (void)g;
    (void)t;
    *rate = saros_neg(saros_mul(*(saros_value *)user, saros_power(y, 3)));
    return SAROS_OK;
}

/* first unknown less 0.9 */
static saros_status level(saros_graph *g, saros_value t, saros_value y, void *user,
                          saros_value *out) {
    (void)g;
    (void)t;
    (void)user;
    saros_value first = saros_slice(y, 0, 0, 1, 1);
    *out = saros_reshape(saros_sub(first, saros_like(first, 0.9)), 0, NULL);
    return SAROS_OK;
}

static saros_value start_of(saros_graph *g) {
    const saros_type state = saros_type_make(SAROS_F64, 1, (int64_t[]){UNKNOWNS});
    return saros_splat(g, &state, 1);
}

/* Value and derivative of the sum of `y` by p, compiled and run; the graph is released. */
static saros_status derive(saros_graph *g, saros_value p, saros_value y, bool reverse) {
    saros_function *f = NULL;
    saros_tensor *at = NULL, *out[2] = {NULL};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0.5, &at));
    saros_value sum = saros_sum(y, (1u << saros_value_rank(y)) - 1), both[2] = {sum};
    saros_value one = saros_like(p, 1);
    if (reverse)
        saros_vjp(1, &sum, NULL, 1, &p, &both[1]);
    else
        saros_jvp(1, &sum, 1, &p, &one, &both[1]);
    SAROS_TRY(saros_graph_status(g));
    SAROS_TRY(saros_compile(g, 1, &p, 2, both, NULL, &f));
    SAROS_TRY(saros_function_call(f, &at, out, NULL));
done:
    for (int k = 0; k < 2; ++k) saros_tensor_release(out[k]);
    saros_tensor_release(at);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}

static saros_status open_graph(saros_graph **g, saros_value *p) {
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_status status = saros_graph_make(g);
    if (status == SAROS_OK) *p = saros_input(*g, &scalar, "p");
    return status;
}

static saros_status march_by(const char *name) {
    saros_graph *g = NULL;
    saros_value p, final;
    saros_tensor *times = NULL, *steps = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(open_graph(&g, &p));
    SAROS_TRY(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){0, 1}, &times));
    SAROS_TRY(saros_tensor_from(SAROS_I64, 1, (int64_t[]){1}, (int64_t[]){2}, &steps));
    saros_march(g,
                &(saros_march_spec){.integrator = saros_integrator_find(name),
                                    .y0 = start_of(g),
                                    .times = saros_constant(g, times),
                                    .steps = saros_constant(g, steps),
                                    .bound = 2,
                                    .rate = decay,
                                    .explicit_rate = decay,
                                    .user = &p},
                &final, NULL);
    status = derive(g, p, final, true);
    g = NULL;
done:
    saros_tensor_release(times);
    saros_tensor_release(steps);
    saros_graph_release(g);
    return status;
}

static saros_status march_imex(void) {
    return march_by("imex");
}
static saros_status march_rodas(void) {
    return march_by("rodas3");
}

static saros_status continuous(bool reverse, bool sparse) {
    saros_graph *g = NULL;
    saros_value p;
    saros_sparsity *dense = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(open_graph(&g, &p));
    if (sparse) SAROS_TRY(saros_sparsity_dense(UNKNOWNS, &dense));
    saros_value kept = saros_cvode_march(
        g, &(saros_cvode_march_spec){.y0 = start_of(g),
                                     .times = 3,
                                     .time = (double[]){0, 0.1, 0.2},
                                     .rate = decay,
                                     .user = &p,
                                     .options = {.rtol = 1e-2, .atol = 1e-2, .sparsity = dense}});
    status = derive(g, p, kept, reverse);
    g = NULL;
done:
    saros_sparsity_release(dense);
    saros_graph_release(g);
    return status;
}

static saros_status continuous_forward(void) {
    return continuous(false, true);
}
static saros_status continuous_backward(void) {
    return continuous(true, true);
}
static saros_status continuous_products(void) {
    return continuous(true, false);
}

static saros_status decayed(saros_graph *g, saros_value t, saros_value y, saros_value rate,
                            void *user, saros_value *out) {
    saros_status status = decay(g, t, y, user, out);
    if (status == SAROS_OK) *out = saros_sub(rate, *out);
    return status;
}

static saros_status algebraic_backward(void) {
    saros_graph *g = NULL;
    saros_value p;
    saros_status status = SAROS_OK;
    SAROS_TRY(open_graph(&g, &p));
    saros_value kept =
        saros_ida_march(g, &(saros_ida_march_spec){.y0 = start_of(g),
                                                   .times = 2,
                                                   .time = (double[]){0, 0.1},
                                                   .residual = decayed,
                                                   .user = &p,
                                                   .options = {.rtol = 1e-2, .atol = 1e-2}});
    status = derive(g, p, kept, true);
    g = NULL;
done:
    saros_graph_release(g);
    return status;
}

static saros_function *step, *zero, *residual, *product, *tangent; /* made before */
static saros_tensor *parameter, *start;

static saros_status eventful(void) {
    saros_graph *g = NULL;
    saros_value p, final;
    saros_steps steps = {0};
    saros_tensor *times = NULL;
    const saros_event_functions event = {.zero = zero};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_adapt(
        step, saros_integrator_find("dopri5"), 1, &parameter, start, 2, (double[]){0, 1},
        &(saros_adapt_options){.rtol = 0.1, .first_step = 0.5, .event = &event, .events = 1}, NULL,
        NULL, NULL, &steps, NULL));
    SAROS_TRY(open_graph(&g, &p));
    SAROS_TRY(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){0, 1}, &times));
    saros_march_events(g,
                       &(saros_march_spec){.integrator = saros_integrator_find("dopri5"),
                                           .y0 = start_of(g),
                                           .times = saros_constant(g, times),
                                           .rate = decay,
                                           .user = &p},
                       &(saros_event_spec){.zero = level}, &steps, &final, NULL, NULL, NULL);
    status = derive(g, p, final, true);
    g = NULL;
done:
    saros_tensor_release(times);
    saros_steps_clear(&steps);
    saros_graph_release(g);
    return status;
}

static saros_status ignore(double t, saros_tensor *y, int directions, saros_tensor *const *s,
                           void *user) {
    (void)t;
    (void)y;
    (void)directions;
    (void)s;
    (void)user;
    return SAROS_OK;
}

static saros_status implicit(void) {
    saros_sparsity *dense = NULL;
    saros_status status = saros_sparsity_dense(UNKNOWNS, &dense);
    if (status) return status;
    status = saros_ida_solve(&(saros_ida_problem){.residual = residual,
                                                  .product = product,
                                                  .tangent = tangent,
                                                  .parameters = 1,
                                                  .parameter = &parameter,
                                                  .y0 = start,
                                                  .times = 2,
                                                  .time = (double[]){0, 0.1},
                                                  .directions = 1,
                                                  .along = (saros_tensor *[]){NULL, parameter}},
                             &(saros_ida_options){.rtol = 1e-2, .atol = 1e-2, .sparsity = dense},
                             ignore, NULL, NULL, NULL);
    saros_sparsity_release(dense);
    return status;
}

static void functions_make(void) {
    const int64_t n = UNKNOWNS;
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    const saros_type scalar = saros_type_scalar(SAROS_F64),
                     state = saros_type_make(SAROS_F64, 1, &n);
    saros_value t = saros_input(g, &scalar, "t"), y = saros_input(g, &state, "y"),
                p = saros_input(g, &scalar, "p"), h = saros_input(g, &scalar, "h"), out[2];
    saros_march_step(
        g,
        &(saros_march_spec){
            .integrator = saros_integrator_find("dopri5"), .y0 = y, .rate = decay, .user = &p},
        t, h, &out[0], &out[1]);
    ck_ok(saros_compile(g, 4, (saros_value[]){t, h, y, p}, 2, out, NULL, &step));
    ck_ok(level(g, t, y, NULL, out));
    ck_ok(saros_compile(g, 3, (saros_value[]){t, y, p}, 1, out, NULL, &zero));
    saros_value z = saros_input(g, &state, "rate"), a = saros_input(g, &state, "a"),
                b = saros_input(g, &state, "b"), v = saros_input(g, &state, "v"),
                w = saros_input(g, &state, "w"), q = saros_input(g, &scalar, "q"), F;
    ck_ok(decay(g, t, y, &p, &F));
    F = saros_sub(z, F);
    saros_jvp(1, &F, 2, (saros_value[]){y, z}, (saros_value[]){saros_mul(a, v), saros_mul(b, v)},
              &out[0]);
    saros_jvp(1, &F, 3, (saros_value[]){y, z, p}, (saros_value[]){v, w, q}, &out[1]);
    ck_ok(saros_compile(g, 4, (saros_value[]){t, y, z, p}, 1, &F, NULL, &residual));
    ck_ok(saros_compile(g, 7, (saros_value[]){t, y, z, p, a, b, v}, 1, &out[0], NULL, &product));
    ck_ok(saros_compile(g, 7, (saros_value[]){t, y, z, p, v, w, q}, 1, &out[1], NULL, &tangent));
    saros_graph_release(g);
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.5, &parameter));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &start));
    for (int i = 0; i < UNKNOWNS; ++i) ((double *)saros_tensor_data(start))[i] = 1;
}

static void functions_free(void) {
    saros_function_release(step);
    saros_function_release(zero);
    saros_function_release(residual);
    saros_function_release(product);
    saros_function_release(tangent);
    saros_tensor_release(parameter);
    saros_tensor_release(start);
}

START_TEST(every_allocation_may_fail) {
    saros_allocator_set(&(saros_allocator){allocate, release, NULL});
    countdown = -1;
    functions_make();
    fail_each(march_imex, "imex");
    fail_each(march_rodas, "rodas3");
    fail_each(continuous_forward, "forward sensitivities");
    fail_each(continuous_backward, "adjoint");
    fail_each(continuous_products, "adjoint by products");
    fail_each(algebraic_backward, "adjoint of ida");
    fail_each(eventful, "events");
    fail_each(implicit, "ida");
    functions_free();
}
END_TEST

SAROS_TEST_MAIN("solvers/memory_failure_ode", every_allocation_may_fail)
