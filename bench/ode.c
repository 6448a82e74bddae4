/* Gradients of implicit runs against the runs: the discrete adjoints of sdirk and rodas4.
 *
 *      u' = A + u^2 v - (B + 1) u + alpha lap u,   v' = B u - u^2 v + alpha lap v
 *
 *  the Brusselator (Hairer and Wanner, IV.10; A = 1, B = 3, alpha = 1/50) with u = v = 0 around, u
 * and v in turn: in one dimension, where the Jacobian is banded, and in two, where it goes to the
 * sparse solver. A row is the final sum of squares and its gradient by A, B and the initial state;
 * beside it, in the place of a loop by hand, stands the run alone. Asked: at most twice the run. */
#include "bench_impl.h"

#include <math.h>
#include <stdlib.h>

typedef struct reaction {
    saros_value r; /* A, B */
    int axes;
    int64_t points;
} reaction;

static saros_value coefficient(const reaction *x, int k, saros_value like) {
    const saros_type *type = saros_value_type(like);
    return saros_broadcast(saros_slice(x->r, 0, k, k + 1, 1), type->rank, type->shape, NULL);
}

/* alpha lap of every unknown, zero around; w (points, …, 2). */
static saros_value diffusion(const reaction *x, saros_value w) {
    saros_value sum = saros_mul(saros_like(w, -2.0 * x->axes), w);
    for (int a = 0; a < x->axes; ++a)
        for (int by = -1; by <= 1; by += 2)
            sum = saros_add(sum, saros_shift(w, a, by, SAROS_EDGE_ZERO));
    const double inverse = (double)(x->points + 1);
    return saros_mul(saros_like(w, 0.02 * inverse * inverse), sum);
}

static saros_status build_rate(saros_graph *graph, saros_value t, saros_value y, void *user,
                               saros_value *rate) {
    (void)graph;
    (void)t;
    const reaction *x = user;
    const int64_t n = saros_value_type(y)->shape[0];
    int64_t shape[3] = {x->points, x->points, 2};
    shape[x->axes] = 2;
    const saros_value w = saros_reshape(y, x->axes + 1, shape),
                      u = saros_slice(w, x->axes, 0, 1, 1), v = saros_slice(w, x->axes, 1, 2, 1);
    const saros_value uuv = saros_mul(saros_mul(u, u), v), bu = saros_mul(coefficient(x, 1, u), u);
    const saros_value both[] = {saros_sub(saros_add(coefficient(x, 0, u), uuv), saros_add(bu, u)),
                                saros_sub(bu, uuv)};
    *rate = saros_reshape(saros_add(saros_concat(2, both, x->axes), diffusion(x, w)), 1, &n);
    return SAROS_OK;
}

static saros_sparsity *pattern_of(const reaction *like, int64_t n) {
    saros_graph *graph = NULL;
    saros_sparsity *pattern = NULL;
    const saros_type state = saros_type_make(SAROS_F64, 1, &n), t = saros_type_scalar(SAROS_F64),
                     list = saros_type_make(SAROS_F64, 1, (int64_t[]){2});
    bench_check(saros_graph_make(&graph));
    const saros_value y = saros_input(graph, &state, "y");
    reaction x = *like;
    saros_value rate;
    x.r = saros_input(graph, &list, "r");
    bench_check(build_rate(graph, saros_input(graph, &t, "t"), y, &x, &rate));
    bench_check(saros_sparsity_detect(rate, y, &pattern));
    saros_graph_release(graph);
    return pattern;
}

/* (y0, r, times, steps) -> J, and its gradients by y0 and r if `reverse`. */
static void make_run(const char *integrator, reaction x, int64_t n, saros_sparsity *pattern,
                     int64_t steps, bool reverse, bench_call *call) {
    saros_graph *graph = NULL;
    const saros_type type[] = {saros_type_make(SAROS_F64, 1, &n),
                               saros_type_make(SAROS_F64, 1, (int64_t[]){2}),
                               saros_type_make(SAROS_F64, 1, (int64_t[]){2}),
                               saros_type_make(SAROS_I64, 1, (int64_t[]){1})};
    saros_value in[4], final, out[3];
    bench_check(saros_graph_make(&graph));
    for (int k = 0; k < 4; ++k) in[k] = saros_input(graph, &type[k], NULL);
    x.r = in[1];
    const saros_root_options root = {.rtol = 1e-8, .sparsity = pattern};
    saros_march(graph,
                &(saros_march_spec){.integrator = saros_integrator_find(integrator),
                                    .y0 = in[0],
                                    .times = in[2],
                                    .steps = in[3],
                                    .bound = steps,
                                    .rate = build_rate,
                                    .user = &x,
                                    .root = &root},
                &final, NULL);
    out[0] = saros_sum(saros_mul(final, final), 1);
    if (reverse) saros_vjp(1, out, NULL, 2, in, out + 1);
    bench_call_make(graph, 4, in, reverse ? 3 : 1, out, call);
    double *y = saros_tensor_data(call->in[0]), *r = saros_tensor_data(call->in[1]),
           *time = saros_tensor_data(call->in[2]);
    for (int64_t i = 0; i < n; i += 2) {
        y[i] = 1 + 0.5 * sin(0.01 * (double)i);
        y[i + 1] = 3;
    }
    r[0] = 1, r[1] = 3;
    time[0] = 0, time[1] = 1;
    *(int64_t *)saros_tensor_data(call->in[3]) = steps;
}

typedef struct pair {
    bench_call run, gradient;
} pair;

static void run_gradient(void *user) {
    bench_call_run(&((pair *)user)->gradient);
}
static void run_alone(void *user) {
    bench_call_run(&((pair *)user)->run);
}

static void measure(const char *name, const char *integrator, int axes, int64_t points,
                    int64_t steps) {
    if (!bench_wanted(name)) return;
    reaction x = {.axes = axes, .points = points};
    const int64_t n = 2 * (axes == 2 ? points * points : points);
    saros_sparsity *pattern = pattern_of(&x, n);
    pair p;
    make_run(integrator, x, n, pattern, steps, false, &p.run);
    make_run(integrator, x, n, pattern, steps, true, &p.gradient);
    run_alone(&p);
    run_gradient(&p);
    bench_agree(name, p.gradient.out[0], p.run.out[0], 1e-12);
    bench_compare(&(bench_case){.name = name,
                                .run = run_gradient,
                                .floor = run_alone,
                                .user = &p,
                                .limit = BENCH_NO_LIMIT});
    bench_call_clear(&p.run);
    bench_call_clear(&p.gradient);
    saros_sparsity_release(pattern);
}

void bench_ode(void) {
    const int64_t steps = bench_size(100);
    measure("sdirk gradient 1-D 2000", "sdirk", 1, bench_size(1000), steps);
    measure("sdirk gradient 2-D 32^2", "sdirk", 2, bench_size(32), steps);
    measure("rodas4 gradient 1-D 2000", "rodas4", 1, bench_size(1000), steps);
    measure("rodas4 gradient 2-D 32^2", "rodas4", 2, bench_size(32), steps);
}
