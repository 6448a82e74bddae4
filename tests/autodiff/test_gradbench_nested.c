/** GradBench's saddle and particle in all four pairs of modes, against the same searches in plain
 * complex C: inner gradients written out by hand, outer ones by the imaginary step. */
#include "autodiff/gradbench_descent.h"
#include "autodiff/gradbench_scene.h"

/** Value of x and gradient, the imaginary parts of x carried along. */
typedef number plain_fn(const number *x, const void *user, number *gradient);

/** The search, decisions by real parts; x is replaced by where it ends. */
static void search_plain(plain_fn *f, const void *user, int n, number *x) {
    number g[2], to[2], y = f(x, user, g), length = 1e-5;
    for (int row = 0;;) {
        double steep = 0, moved = 0;
        for (int k = 0; k < n; ++k) {
            to[k] = x[k] - length * g[k];
            steep += creal(g[k]) * creal(g[k]);
            moved += creal(x[k] - to[k]) * creal(x[k] - to[k]);
        }
        if (steep <= 1e-10) return;
        if (row == DESCENT_ROW) {
            length *= 2;
            row = 0;
            continue;
        }
        if (moved <= 1e-10) return;
        number new = f(to, user, NULL);
        if (creal(new) < creal(y)) {
            memcpy(x, to, (size_t)n * sizeof *x);
            y = f(x, user, g);
            ++row;
        } else {
            length /= 2;
            row = 0;
        }
    }
}

/** Gradient of a real function without one by the imaginary step. */
static number outer_plain(number (*f)(const number *x), int n, const number *x, number *gradient) {
    number at[2];
    memcpy(at, x, (size_t)n * sizeof *x);
    for (int k = 0; gradient && k < n; ++k) {
        at[k] = x[k] + I * scene_step;
        gradient[k] = cimag(f(at)) / scene_step;
        at[k] = x[k];
    }
    return creal(f(at));
}

/* ---- saddle ---- */

static const double first_start[2] = {1.3, -0.7};

/** Minus the inner function of (x2, y2), for its greatest value; user: (x1, y1). */
static number inner_plain(const number *x, const void *user, number *gradient) {
    const number *first = user;
    if (gradient) gradient[0] = 2 * x[0];
    if (gradient) gradient[1] = 2 * x[1];
    return x[0] * x[0] + x[1] * x[1] - first[0] * first[0] - first[1] * first[1];
}
static number highest_plain(const number *first) {
    number x[2] = {first_start[0], first_start[1]};
    search_plain(inner_plain, first, 2, x);
    return -inner_plain(x, first, NULL);
}
static number saddle_plain(const number *x, const void *user, number *gradient) {
    (void)user;
    return outer_plain(highest_plain, 2, x, gradient);
}

/* ---- particle ---- */

static number miss_plain(const number *w) {
    number x[2] = {0, 8}, v[2] = {0.75, 0};
    for (;;) {
        number to[2], push[2] = {0, 0};
        for (int k = 0; k < 2; ++k) {
            number apart[2] = {x[0] - 10, x[1] - (k ? 0 : 10 - w[0])};
            number square = apart[0] * apart[0] + apart[1] * apart[1];
            for (int a = 0; a < 2; ++a) push[a] += apart[a] / (square * csqrt(square));
        }
        for (int a = 0; a < 2; ++a) to[a] = x[a] + 0.1 * v[a];
        if (creal(to[1]) <= 0) break;
        for (int a = 0; a < 2; ++a) {
            x[a] = to[a];
            v[a] += 0.1 * push[a];
        }
    }
    number at = x[0] - x[1] / v[1] * v[0];
    return at * at;
}
static number particle_plain(const number *x, const void *user, number *gradient) {
    (void)user;
    return outer_plain(miss_plain, 1, x, gradient);
}

/* ---- all pairs ---- */

static void check_pairs(saros_value (*value)(descent_modes modes, saros_value start), int n,
                        const double *start, int count, const double *want) {
    for (int pair = 0; pair < 4; ++pair) {
        scene s = scene_open();
        saros_type type = saros_type_make(SAROS_F64, 1, (int64_t[]){n});
        memcpy(scene_data(&s, &type, 0, 1), start, (size_t)n * sizeof *start);
        const descent_modes modes = {.outer_reverse = pair & 2, .inner_reverse = pair & 1};
        saros_value out = value(modes, s.in[0]);
        ck_ok(saros_graph_status(s.graph));
        double *got = run_one(s.ins, s.in, s.at, out);
        for (int k = 0; k < count; ++k)
            ck_assert_msg(fabs(got[k] - want[k]) <= 1e-10, "pair %d [%d] is %.15g, wanted %.15g",
                          pair, k, got[k], want[k]);
        saros_release(got);
        scene_close(&s);
    }
}

START_TEST(the_saddle_is_found_in_all_pairs_of_modes) {
    number first[2] = {first_start[0], first_start[1]}, second[2] = {first[0], first[1]};
    search_plain(saddle_plain, NULL, 2, first);
    search_plain(inner_plain, first, 2, second);
    const double want[4] = {creal(first[0]), creal(first[1]), creal(second[0]), creal(second[1])};
    for (int k = 0; k < 4; ++k) ck_near(want[k], 0, 1e-4);
    check_pairs(saddle_value, 2, first_start, 4, want);
}
END_TEST

START_TEST(the_particle_meets_the_origin_in_all_pairs_of_modes) {
    number w[1] = {0};
    const double start[1] = {0};
    search_plain(particle_plain, NULL, 1, w);
    const double want[1] = {creal(w[0])};
    ck_near(want[0], 0.20719, 1e-5); /* Pearlmutter and Siskind */
    ck_near(creal(miss_plain(w)), 0, 1e-6);
    check_pairs(particle_value, 1, start, 1, want);
}
END_TEST

SAROS_TEST_MAIN("autodiff/gradbench_nested", the_saddle_is_found_in_all_pairs_of_modes,
                the_particle_meets_the_origin_in_all_pairs_of_modes)
