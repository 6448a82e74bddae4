/** Every allocation of the solvers fails once: the answer is SAROS_ERR_MEMORY (or right all the
 * same, where less memory only costs time), and all memory is given back. */
#include "memory_failure.h"

#include "saros/adapt.h"
#include "saros/autodiff.h"
#include "saros/cvode.h"
#include "saros/memory.h"
#include "saros/minimise.h"
#include "saros/ode.h"

/* y' = -p y^3 */
static saros_status decay(saros_graph *g, saros_value t, saros_value y, void *user,
                          saros_value *rate) {
    (void)g;
    (void)t;
    *rate = saros_neg(saros_mul(*(saros_value *)user, saros_power(y, 3)));
    return SAROS_OK;
}

enum { UNKNOWNS = 20 };

static saros_status diagonal(saros_sparsity **out) {
    int64_t row[UNKNOWNS + 1], column[UNKNOWNS];
    for (int64_t i = 0; i <= UNKNOWNS; ++i) row[i] = i;
    for (int64_t i = 0; i < UNKNOWNS; ++i) column[i] = i;
    return saros_sparsity_make(UNKNOWNS, row, column, out);
}

/* Gradient of an implicit march, built, compiled and run. */
static saros_status march(void) {
    const int64_t n = UNKNOWNS;
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_sparsity *pattern = NULL;
    saros_tensor *p = NULL, *times = NULL, *steps = NULL, *out = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_graph_make(&g));
    SAROS_TRY(diagonal(&pattern));
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 0.5, &p));
    SAROS_TRY(saros_tensor_from(SAROS_F64, 1, (int64_t[]){2}, (double[]){0, 1}, &times));
    SAROS_TRY(saros_tensor_from(SAROS_I64, 1, (int64_t[]){1}, (int64_t[]){2}, &steps));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &n);
    saros_value in = saros_input(g, &scalar, "p"), final, gradient;
    saros_march(g,
                &(saros_march_spec){.integrator = saros_integrator_find("implicit-euler"),
                                    .y0 = saros_splat(g, &state, 1),
                                    .times = saros_constant(g, times),
                                    .steps = saros_constant(g, steps),
                                    .bound = 4,
                                    .rate = decay,
                                    .user = &in,
                                    .root = &(saros_root_options){.sparsity = pattern}},
                &final, NULL);
    saros_value sum = saros_sum(final, 1);
    saros_vjp(1, &sum, NULL, 1, &in, &gradient);
    SAROS_TRY(saros_graph_status(g));
    SAROS_TRY(saros_compile(g, 1, &in, 1, &gradient, NULL, &f));
    SAROS_TRY(saros_function_call(f, &p, &out, NULL));
done:
    saros_tensor_release(p);
    saros_tensor_release(times);
    saros_tensor_release(steps);
    saros_tensor_release(out);
    saros_sparsity_release(pattern);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}

static saros_function *rate, *product, *objective, *step; /* made before allocations fail */
static saros_tensor *parameter, *start;

static saros_status ignore(double t, saros_tensor *y, void *user) {
    (void)t;
    (void)y;
    (void)user;
    return SAROS_OK;
}

static saros_status integrate(void) {
    saros_sparsity *pattern = NULL;
    saros_status status = diagonal(&pattern);
    if (status) return status;
    status =
        saros_cvode_solve(rate, product, 1, &parameter, start, 2, (double[]){0, 0.1},
                          &(saros_cvode_options){.sparsity = pattern}, ignore, NULL, NULL, NULL);
    saros_sparsity_release(pattern);
    return status;
}

static saros_status adapt(void) {
    saros_steps steps = {0};
    saros_tensor *count = NULL, *h = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_adapt(
        step, saros_integrator_find("sdirk"), 1, &parameter, start, 3, (double[]){0, 0.1, 0.2},
        &(saros_adapt_options){.rtol = 1, .first_step = 0.1}, ignore, NULL, NULL, &steps, NULL));
    SAROS_TRY(saros_steps_tensors(&steps, &count, &h));
done:
    saros_tensor_release(count);
    saros_tensor_release(h);
    saros_steps_clear(&steps);
    return status;
}

static saros_status descend(void) {
    saros_tensor *end = NULL;
    saros_minimise_info info = {0};
    saros_status status = saros_minimise(objective, 0, NULL, start, NULL, &end, &info);
    saros_tensor_release(end);
    saros_release(info.history);
    return status;
}

static void functions_make(void) {
    const int64_t n = UNKNOWNS;
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &n);
    saros_value in[4] = {saros_input(g, &scalar, "t"), saros_input(g, &state, "y"),
                         saros_input(g, &scalar, "p"), saros_input(g, &state, "v")};
    saros_value r, jv, both[2];
    ck_ok(decay(g, in[0], in[1], &in[2], &r));
    saros_jvp(1, &r, 1, &in[1], &in[3], &jv);
    ck_ok(saros_compile(g, 3, in, 1, &r, NULL, &rate));
    ck_ok(saros_compile(g, 4, in, 1, &jv, NULL, &product));
    both[0] = saros_sum(saros_power(saros_sub(in[1], saros_like(in[1], 3)), 2), 1);
    saros_vjp(1, both, NULL, 1, &in[1], &both[1]);
    ck_ok(saros_compile(g, 1, &in[1], 2, both, NULL, &objective));
    saros_value h = saros_input(g, &scalar, "h");
    saros_march_step(g,
                     &(saros_march_spec){.integrator = saros_integrator_find("sdirk"),
                                         .y0 = in[1],
                                         .rate = decay,
                                         .user = &in[2]},
                     in[0], h, &both[0], &both[1]);
    ck_ok(saros_compile(g, 4, (saros_value[]){in[0], h, in[1], in[2]}, 2, both, NULL, &step));
    saros_graph_release(g);
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.5, &parameter));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &start));
    for (int i = 0; i < UNKNOWNS; ++i) ((double *)saros_tensor_data(start))[i] = 1;
}

START_TEST(every_allocation_may_fail) {
    saros_allocator_set(&(saros_allocator){allocate, release, NULL});
    countdown = -1;
    functions_make();
    fail_each(march, "march");
    fail_each(integrate, "cvode");
    fail_each(adapt, "adapt");
    fail_each(descend, "minimise");
    saros_function_release(rate);
    saros_function_release(product);
    saros_function_release(objective);
    saros_function_release(step);
    saros_tensor_release(parameter);
    saros_tensor_release(start);
}
END_TEST

SAROS_TEST_MAIN("solvers/memory_failure", every_allocation_may_fail)
