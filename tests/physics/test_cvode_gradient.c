/** Gradients and fits of problems solved by CVODES, whose sensitivities are continuous. */
#include "energy.h"

#include <stdio.h>

#include "saros/equations.h"
#include "saros/memory.h"

/** int u^2 half way and at the end. */
static saros_status two_energies(saros_traced *solution, void *user, saros_value *out) {
    (void)user;
    *out = saros_add(saros_traced_integral(solution, square, NULL, 0.2),
                     saros_traced_integral(solution, square, NULL, NAN));
    return SAROS_OK;
}

START_TEST(continuous_gradients_agree_with_discrete_ones) {
    static const char *const names[] = {"sdirk", "bdf", "adams"};
    double J[3], dJ[3];
    saros_problem *p = NULL;
    ck_ok(saros_equation_burgers(
        &(saros_burgers_spec){.frame = {.domain = (saros_axis[]){{"x", 0, 1}, {"t", 0, 0.4}, {0}}},
                              .nu = 0.05},
        &p));
    for (int k = 0; k < 3; ++k) {
        saros_tensor *g[1] = {NULL};
        saros_info info;
        saros_grid_options o = {.cells = {32}, .integrator = names[k], .rtol = 1e-8, .atol = 1e-10};
        ck_ok(saros_problem_gradient(p, &saros_grid, &o, NULL, two_energies, NULL,
                                     (const char *[]){"nu", NULL}, &J[k], g, &info));
        dJ[k] = scalar(g[0]);
        ck_assert_str_eq(info.gradient, k ? "continuous" : "discrete");
        ck_assert_str_eq(info.integrator, names[k]);
        if (getenv("SAROS_SHOW"))
            fprintf(stderr, "%s: J %.12g, dJ/dnu %.12g\n", names[k], J[k], dJ[k]);
        ck_near(J[k] / J[0], 1, 1e-6);
        ck_near(dJ[k] / dJ[0], 1, 1e-6);
        ck_assert(k == 0 || dJ[k] != dJ[0]);
    }
    saros_problem_release(p);
}
END_TEST

SAROS_TEST_MAIN("physics/cvode_gradient", continuous_gradients_agree_with_discrete_ones)
