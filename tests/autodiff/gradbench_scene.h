/** What the tests of GradBench's problems share. Each function is written a second time in plain
 * complex C; the imaginary step
 *      df/dx = Im f(x + i h) / h,  h = 1e-30,
 *  gives derivatives to round-off without differentiating or differencing anything. */
#ifndef SAROS_TESTS_GRADBENCH_SCENE_H
#define SAROS_TESTS_GRADBENCH_SCENE_H

#include <complex.h>

#include "autodiff/graph_run.h"

typedef double complex number;
static const double scene_step = 1e-30;

enum { SCENE_MOST = 200, SCENE_INS = 12 };

/** Inputs of a problem: those differentiated by come first and stand in `x` one after the other. */
typedef struct scene {
    saros_graph *graph;
    saros_value in[SCENE_INS];
    saros_tensor *at[SCENE_INS];
    int ins, moving;
    int64_t size[SCENE_INS], count;
    double x[SCENE_MOST];
} scene;

static inline scene scene_open(void) {
    scene s = {0};
    run_state = 2024;
    ck_ok(saros_graph_make(&s.graph));
    return s;
}
static inline void scene_close(scene *s) {
    for (int k = 0; k < s->ins; ++k) saros_tensor_release(s->at[k]);
    saros_graph_release(s->graph);
}

/** Appends an input of random numbers in [lo, hi); returns them. */
static inline double *scene_data(scene *s, const saros_type *type, double lo, double hi) {
    ck_assert_int_lt(s->ins, SCENE_INS);
    s->at[s->ins] = run_tensor(type, lo, hi);
    s->size[s->ins] = saros_type_count(type);
    s->in[s->ins] = saros_input(s->graph, type, NULL);
    return saros_tensor_data(s->at[s->ins++]);
}
/** The same, to differentiate by; before all others. */
static inline saros_value scene_input(scene *s, const saros_type *type, double lo, double hi) {
    ck_assert_int_eq(s->ins, s->moving);
    const double *data = scene_data(s, type, lo, hi);
    const int64_t n = s->size[s->moving];
    ck_assert_int_le(s->count + n, SCENE_MOST);
    memcpy(s->x + s->count, data, (size_t)n * sizeof *data);
    s->count += n;
    return s->in[s->moving++];
}

/** Objective and gradient of a scalar against the plain form. */
static inline void scene_check(scene *s, saros_value y,
                               number (*plain)(const number *x, const void *user),
                               const void *user) {
    saros_value g[SCENE_INS];
    saros_vjp(1, &y, NULL, s->moving, s->in, g);
    ck_ok(saros_graph_status(s->graph));
    number x[SCENE_MOST];
    for (int64_t i = 0; i < s->count; ++i) x[i] = s->x[i];
    ck_near(run_scalar(s->ins, s->in, s->at, y), creal(plain(x, user)), 1e-13);
    int64_t i = 0;
    for (int k = 0; k < s->moving; ++k) {
        double *got = run_one(s->ins, s->in, s->at, g[k]);
        for (int64_t j = 0; j < s->size[k]; ++j, ++i) {
            x[i] += I * scene_step;
            double want = cimag(plain(x, user)) / scene_step;
            x[i] = s->x[i];
            ck_assert_msg(fabs(got[j] - want) <= 1e-12 * fmax(1, fabs(want)),
                          "gradient %d[%d] is %.15g, wanted %.15g", k, (int)j, got[j], want);
        }
        saros_release(got);
    }
}

#endif
