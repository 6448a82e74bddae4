/** Solves inside a graph whose parameters are known when it runs. */
#include "energy.h"

#include "saros/autodiff.h"
#include "saros/equations.h"

START_TEST(a_parameter_known_later_has_its_steps_chosen_in_every_run) {
    static const char *const wrt[] = {"nu", NULL};
    static const double at[2] = {0.05, 0.5};
    static const saros_grid_options o = {.cells = {16}};
    const saros_type type = saros_type_scalar(SAROS_F64);
    saros_problem *p = NULL;
    saros_graph *graph = NULL;
    saros_traced *traced = NULL;
    saros_function *f = NULL;
    ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = at[0]}, &p));
    ck_ok(saros_graph_make(&graph));
    saros_value nu = saros_input(graph, &type, "nu"), out[2];
    ck_ok(saros_problem_trace(p, &saros_grid, &o, NULL, graph, wrt, &nu, &traced));
    ck_ok(energy(traced, NULL, &out[0]));
    saros_vjp(1, out, NULL, 1, &nu, &out[1]);
    ck_ok(saros_compile(graph, 1, &nu, 2, out, NULL, &f));
    saros_problem_release(p);
    for (int k = 0; k < 2; ++k) {
        saros_tensor *in = NULL, *got[2] = {NULL}, *g = NULL;
        double J;
        ck_ok(saros_equation_burgers(&(saros_burgers_spec){.nu = at[k]}, &p));
        ck_ok(saros_problem_gradient(p, &saros_grid, &o, NULL, energy, NULL, wrt, &J, &g, NULL));
        ck_ok(saros_tensor_from(SAROS_F64, 0, NULL, &at[k], &in));
        ck_ok(saros_function_call(f, &in, got, NULL));
        ck_near(scalar(got[0]) / J, 1, 1e-12);
        ck_near(scalar(got[1]) / scalar(g), 1, 1e-10);
        saros_tensor_release(in);
        saros_problem_release(p);
    }
    saros_function_release(f);
    saros_traced_release(traced);
    saros_graph_release(graph);
}
END_TEST

SAROS_TEST_MAIN("physics/traced", a_parameter_known_later_has_its_steps_chosen_in_every_run)
