/** GradBench's Gaussian mixture, objective and gradient against plain complex C. */
#include "autodiff/gradbench_gmm.h"
#include "autodiff/gradbench_scene.h"

enum { POINTS = 7, DIM = 3, PARTS = 4, BELOW = DIM * (DIM - 1) / 2 };

static const gmm sizes = {.points = POINTS, .d = DIM, .parts = PARTS, .gamma = 0.9, .wishart = 2};

/** x: weights, means, logarithms of diagonals, entries below; user: the points. */
static number gmm_plain(const number *x, const void *user) {
    const double *point = user;
    const number *alpha = x, *mean = x + PARTS, *q = mean + PARTS * DIM, *l = q + PARTS * DIM;
    number total = gmm_constant(&sizes), weights = 0;
    for (int k = 0; k < PARTS; ++k) weights += cexp(alpha[k]);
    total -= POINTS * clog(weights);
    for (int i = 0; i < POINTS; ++i) {
        number sum = 0;
        for (int k = 0; k < PARTS; ++k) {
            number exponent = alpha[k];
            for (int a = 0, e = 0; a < DIM; ++a) {
                number row = cexp(q[k * DIM + a]) * (point[i * DIM + a] - mean[k * DIM + a]);
                for (int b = 0; b < a; ++b)
                    row += l[k * BELOW + e++] * (point[i * DIM + b] - mean[k * DIM + b]);
                exponent += q[k * DIM + a] - 0.5 * row * row;
            }
            sum += cexp(exponent);
        }
        total += clog(sum);
    }
    for (int k = 0; k < PARTS; ++k) {
        number size = 0;
        for (int a = 0; a < DIM; ++a) {
            size += cexp(2 * q[k * DIM + a]);
            total -= (double)sizes.wishart * q[k * DIM + a];
        }
        for (int e = 0; e < BELOW; ++e) size += l[k * BELOW + e] * l[k * BELOW + e];
        total += 0.5 * sizes.gamma * sizes.gamma * size;
    }
    return total;
}

START_TEST(objective_and_gradient_are_right) {
    scene s = scene_open();
    saros_type type[GMM_INS];
    gmm_types(&sizes, type);
    for (int k = 0; k < GMM_MOVING; ++k)
        scene_input(&s, &type[k], k == 2 ? -0.5 : -1, k == 2 ? 0.5 : 1);
    const double *point = scene_data(&s, &type[4], -1, 1);
    scene_check(&s, gmm_value(&sizes, s.in), gmm_plain, point);
    scene_close(&s);
}
END_TEST

/** One point on the mean of the only part, unit precision: the density is (2 pi)^(-D/2). */
START_TEST(one_standard_normal_has_its_density) {
    const gmm one = {.points = 1, .d = 2, .parts = 1, .gamma = 1, .wishart = 0};
    scene s = scene_open();
    saros_type type[GMM_INS];
    gmm_types(&one, type);
    for (int k = 0; k < GMM_INS; ++k) {
        double *x = scene_data(&s, &type[k], -1, 1);
        if (k) memset(x, 0, (size_t)s.size[k] * sizeof *x);
    }
    /* Wishart prior, n = 3: 1/2 tr + 3 log 2 + log(pi^(1/2) Gamma(3/2) Gamma(1)) = 1 + log(4 pi) */
    const double pi = acos(-1);
    ck_near(run_scalar(s.ins, s.in, s.at, gmm_value(&one, s.in)),
            -log(2 * pi) + 1 + log(8) + log(pi / 2), 1e-14);
    scene_close(&s);
}
END_TEST

SAROS_TEST_MAIN("autodiff/gradbench_gmm", objective_and_gradient_are_right,
                one_standard_normal_has_its_density)
