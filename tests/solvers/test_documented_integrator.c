/** The integrator of docs/adding.md, taken from the page: one step and its slope. */
#include "autodiff/graph_run.h"
#include "integrators/integrators_impl.h"

extern const saros_integrator saros_integrator_heun;
#include "snippets/adding_3.h"

static saros_status decay(saros_graph *g, saros_value t, saros_value y, void *user,
                          saros_value *rate) {
    (void)g;
    (void)t;
    (void)user;
    *rate = saros_neg(y);
    return SAROS_OK;
}

START_TEST(documented_integrator_steps_and_differentiates) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){1});
    saros_value h = saros_input(g, &real, "h"), next, slope;
    saros_march_spec spec = {
        .integrator = &saros_integrator_heun, .y0 = saros_splat(g, &type, 2), .rate = decay};
    saros_march_step(g, &spec, saros_scalar(g, SAROS_F64, 0), h, &next, NULL);
    saros_value one = saros_scalar(g, SAROS_F64, 1);
    saros_jvp(1, &next, 1, &h, &one, &slope);
    saros_tensor *at = NULL;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.1, &at));
    ck_near(run_scalar(1, &h, &at, next), 2 * (1 - 0.1 + 0.005), 1e-15);
    ck_near(run_scalar(1, &h, &at, slope), 2 * (-1 + 0.1), 1e-15);
    saros_tensor_release(at);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("solvers/documented_integrator", documented_integrator_steps_and_differentiates)
