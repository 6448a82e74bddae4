/** Adaptive runs that tests share: problems, and one run with a record of what it gave. */
#ifndef TESTS_SOLVERS_ADAPTIVE_RUN_H
#define TESTS_SOLVERS_ADAPTIVE_RUN_H

#include "robertson.h"

#include <stdio.h>
#include <string.h>

#include "saros/adapt.h"
#include "saros/autodiff.h"

typedef saros_value (*builder)(saros_value t, saros_value y, saros_value p);

/* y1' = p y1 y2 (1 + t) cos t,  y2' = -y2^2;  from (1, 1) with p = 1: exp(sin t), 1/(1 + t). */
static saros_value pair(saros_value t, saros_value y, saros_value p) {
    saros_value a = saros_slice(y, 0, 0, 1, 1), b = saros_slice(y, 0, 1, 2, 1);
    saros_value grow = saros_mul(saros_mul(saros_add(saros_like(t, 1), t), saros_cos(t)),
                                 saros_reshape(p, 0, NULL));
    saros_value part[2] = {saros_mul(saros_mul(a, b), grow), saros_neg(saros_mul(b, b))};
    return saros_concat(2, part, 0);
}

typedef struct problem {
    builder build;
    int64_t n, parameters, times;
    double start[3], p[3], time[5];
} problem;

/* Names of the integrators with an error estimate, those for stiff problems first. */
enum { ADAPTIVE = 5, STIFF = 4 };
static const char *const adaptive[ADAPTIVE] = {"sdirk", "imex", "rodas3", "rodas4", "dopri5"};
static const problem smooth = {pair, 2, 1, 3, {1, 1}, {1}, {0, 0.7, 3}};
static const problem stiff = {robertson, 3, 3, 3, {1, 0, 0}, ROBERTSON_P, {0, 0.4, 4}};

typedef struct context {
    const problem *of;
    saros_value p;
} context;

static saros_status rate(saros_graph *g, saros_value t, saros_value y, void *user,
                         saros_value *out) {
    (void)g;
    const context *c = user;
    *out = c->of->build(t, y, c->p);
    return SAROS_OK;
}

static saros_function *step_of(const problem *of, const saros_integrator *integrator) {
    saros_graph *g = NULL;
    saros_function *step = NULL;
    ck_ok(saros_graph_make(&g));
    saros_type scalar = saros_type_scalar(SAROS_F64), state = saros_type_make(SAROS_F64, 1, &of->n);
    saros_type list = saros_type_make(SAROS_F64, 1, &of->parameters);
    saros_value in[4] = {saros_input(g, &scalar, "t"), saros_input(g, &scalar, "h"),
                         saros_input(g, &state, "y"), saros_input(g, &list, "p")};
    context c = {of, in[3]};
    saros_value out[2];
    saros_march_step(
        g, &(saros_march_spec){.integrator = integrator, .y0 = in[2], .rate = rate, .user = &c},
        in[0], in[1], &out[0], &out[1]);
    ck_ok(saros_compile(g, 4, in, 2, out, NULL, &step));
    saros_graph_release(g);
    return step;
}

typedef struct record {
    int count, stop_after;
    double time[8], state[8][3];
    saros_steps steps;
    saros_ode_info info;
} record;

static saros_status output(double t, saros_tensor *y, void *user) {
    record *r = user;
    r->time[r->count] = t;
    memcpy(r->state[r->count++], saros_tensor_const_data(y),
           (size_t)saros_tensor_count(y) * sizeof(double));
    return SAROS_OK;
}

static bool stop(double t, void *user) {
    (void)t;
    record *r = user;
    return r->stop_after && --r->stop_after == 0;
}

static inline saros_status run(const problem *of, const char *name,
                               const saros_adapt_options *options, record *r) {
    const saros_integrator *integrator = saros_integrator_find(name);
    ck_assert_ptr_nonnull(integrator);
    saros_function *step = step_of(of, integrator);
    saros_tensor *y0 = vector(of->n, of->start), *p = vector(of->parameters, of->p);
    saros_status status = saros_adapt(step, integrator, 1, &p, y0, (int)of->times, of->time,
                                      options, output, stop, r, &r->steps, &r->info);
    saros_tensor_release(y0);
    saros_tensor_release(p);
    saros_function_release(step);
    return status;
}

#endif
