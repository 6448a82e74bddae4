/** GradBench's ODE: against its solution where the method is exact, against plain complex C where
 * it is not. */
#include "autodiff/gradbench_ode.h"
#include "autodiff/gradbench_scene.h"

enum { MANY = 9, STEPS = 5, EXACT = 4 };

static void rate_plain(const number *x, const number *y, number *out) {
    for (int i = 0; i < MANY; ++i) out[i] = x[i] * (i ? y[i - 1] : 1);
}
static number last_plain(const number *x, const void *user) {
    const double h = 2.0 / STEPS, at[4] = {0, 0.5 * h, 0.5 * h, h},
                 weight[4] = {h / 6, h / 3, h / 3, h / 6};
    number y[MANY] = {0}, k[MANY], moved[MANY], next[MANY];
    (void)user;
    for (int s = 0; s < STEPS; ++s) {
        memcpy(next, y, sizeof y);
        memset(k, 0, sizeof k);
        for (int stage = 0; stage < 4; ++stage) {
            for (int i = 0; i < MANY; ++i) moved[i] = y[i] + at[stage] * k[i];
            rate_plain(x, moved, k);
            for (int i = 0; i < MANY; ++i) next[i] += weight[stage] * k[i];
        }
        memcpy(y, next, sizeof y);
    }
    return y[MANY - 1];
}

START_TEST(the_last_entry_and_its_gradient_are_right) {
    scene s = scene_open();
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){MANY});
    saros_value x = scene_input(&s, &type, 1, 3);
    scene_check(&s, ode_last(x, STEPS), last_plain, NULL);
    scene_close(&s);
}
END_TEST

/** x_1 x_2 x_3 x_4 2^4 / 4!, and its derivatives, that without x_i. */
START_TEST(polynomials_of_degree_four_are_exact) {
    scene s = scene_open();
    saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){EXACT});
    saros_value x = scene_input(&s, &type, 1, 3), y = ode_last(x, 3), g;
    double product = 16.0 / 24;
    for (int i = 0; i < EXACT; ++i) product *= s.x[i];
    saros_vjp(1, &y, NULL, 1, &x, &g);
    ck_near(run_scalar(1, s.in, s.at, y), product, 1e-14);
    double *got = run_one(1, s.in, s.at, g);
    for (int i = 0; i < EXACT; ++i) ck_near(got[i], product / s.x[i], 1e-14);
    saros_release(got);
    scene_close(&s);
}
END_TEST

SAROS_TEST_MAIN("autodiff/gradbench_ode", the_last_entry_and_its_gradient_are_right,
                polynomials_of_degree_four_are_exact)
