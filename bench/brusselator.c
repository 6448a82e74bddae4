/* The Brusselator in two dimensions by CVODES: backward differences, matrix-free GMRES.
 *
 *      u' = A + u^2 v - (B + 1) u + alpha lap u,   v' = B u - u^2 v + alpha lap v
 *
 *  A = 1, B = 3.4 (Hairer, Norsett and Wanner, II.10), periodic on the unit square; the state is u,
 * then v. Rate and Jacobian product by the library against loops by hand, then the whole run
 * against a plain C program with the same options of SUNDIALS. */
#include "brusselator_impl.h"

#if SAROS_HAVE_SUNDIALS
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the library's ---- */
static saros_value scaled_laplacian(saros_value u, double scale) {
    const int64_t n = saros_value_type(u)->shape[0];
    const saros_side wrap = {.kind = SAROS_SIDE_PERIODIC};
    const saros_value h = saros_like(u, 1);
    const saros_value tall = saros_extend(u, 0, 1, 2, h, &wrap, &wrap);
    const saros_value wide = saros_extend(u, 1, 1, 2, h, &wrap, &wrap);
    const saros_value across =
        saros_add(saros_slice(wide, 1, 0, n, 1), saros_slice(wide, 1, 2, n + 2, 1));
    const saros_value along =
        saros_add(saros_slice(tall, 0, 0, n, 1), saros_slice(tall, 0, 2, n + 2, 1));
    return saros_mul(saros_like(u, scale),
                     saros_sub(saros_add(across, along), saros_mul(saros_like(u, 4), u)));
}

static saros_value rate_graph(saros_value y, int64_t n) {
    const int64_t count = n * n, square[] = {n, n};
    const double scale = BR_ALPHA * (double)(n * n);
    const saros_value u = saros_reshape(saros_slice(y, 0, 0, count, 1), 2, square);
    const saros_value v = saros_reshape(saros_slice(y, 0, count, 2 * count, 1), 2, square);
    const saros_value uuv = saros_mul(saros_mul(u, u), v), bu = saros_mul(saros_like(u, BR_B), u);
    saros_value rate[2] = {
        saros_add(saros_sub(saros_sub(saros_add(saros_like(u, BR_A), uuv), bu), u),
                  scaled_laplacian(u, scale)),
        saros_add(saros_sub(bu, uuv), scaled_laplacian(v, scale))};
    for (int k = 0; k < 2; ++k) rate[k] = saros_reshape(rate[k], 1, &count);
    return saros_concat(2, rate, 0);
}

static void make_call(int64_t n, bool product, bench_call *call) {
    saros_graph *graph;
    const int64_t size = 2 * n * n;
    const saros_type state = saros_type_make(SAROS_F64, 1, &size), t = saros_type_scalar(SAROS_F64);
    bench_check(saros_graph_make(&graph));
    const saros_value in[] = {saros_input(graph, &t, "t"), saros_input(graph, &state, "y"),
                              saros_input(graph, &state, "v")};
    const saros_value value = rate_graph(in[1], n);
    saros_value out = value;
    if (product) saros_jvp(1, &value, 1, &in[1], &in[2], &out);
    bench_call_make(graph, product ? 3 : 2, in, 1, &out, call);
}

static void hand_run(const bench_call *call, int64_t n, bool product) {
    bench_reaction x = {n, saros_tensor_const_data(call->in[1]),
                        product ? saros_tensor_const_data(call->in[2]) : NULL,
                        saros_tensor_data(call->floor[0])};
    bench_parallel(n, product ? bench_brusselator_product : bench_brusselator_rate, &x);
}

static void run_rate(void *user) {
    bench_call_run(&((bench_brusselator_run *)user)->rate);
}
static void run_product(void *user) {
    bench_call_run(&((bench_brusselator_run *)user)->product);
}
static void floor_rate(void *user) {
    const bench_brusselator_run *b = user;
    hand_run(&b->rate, b->n, false);
}
static void floor_product(void *user) {
    const bench_brusselator_run *b = user;
    hand_run(&b->product, b->n, true);
}

/* ---- whole runs ---- */
static saros_status take(double t, saros_tensor *y, void *user) {
    bench_brusselator_run *b = user;
    if (t < BR_END) return SAROS_OK;
    return saros_tensor_assign(b->end, y);
}

static void run_whole(void *user) {
    bench_brusselator_run *b = user;
    saros_ode_info info;
    const double time[] = {0, BR_END};
    bench_check(saros_cvode_solve(b->rate.function, b->product.function, 0, NULL, b->start, 2, time,
                                  &(saros_cvode_options){.rtol = BR_RTOL, .atol = BR_ATOL}, take,
                                  NULL, b, &info));
    b->steps = info.steps;
}

/* A smooth start away from the steady state u = A, v = B/A. */
static void fill_start(bench_brusselator_run *b) {
    const double pi = acos(-1.0);
    double *y = saros_tensor_data(b->start);
    for (int64_t i = 0; i < b->n; ++i)
        for (int64_t j = 0; j < b->n; ++j) {
            const double a = 2 * pi * (double)i / (double)b->n,
                         c = 2 * pi * (double)j / (double)b->n;
            y[i * b->n + j] = BR_A + 0.5 * sin(a) * cos(c);
            y[b->n * b->n + i * b->n + j] = BR_B / BR_A + 0.5 * cos(a + c);
        }
}

/* Steps are chosen by rounded numbers, so that a few may differ. */
static void agree_on_whole(const char *name, const bench_brusselator_run *b) {
    bench_agree(name, b->end, b->by_hand, 1e-5);
    if (labs((long)(b->steps - b->plain_steps)) <= 1 + b->plain_steps / 50) return;
    fprintf(stderr, "%s: %lld steps, the plain program %lld\n", name, (long long)b->steps,
            (long long)b->plain_steps);
    exit(1);
}

static void measure(const char *name, const bench_brusselator_run *b, const bench_call *call,
                    bench_fn *run, bench_fn *floor, double numbers) {
    if (!bench_wanted(name)) return;
    run((void *)(uintptr_t)b);
    floor((void *)(uintptr_t)b);
    if (call)
        bench_agree(name, call->out[0], call->floor[0], 1e-12);
    else
        agree_on_whole(name, b);
    bench_compare(&(bench_case){.name = name,
                                .run = run,
                                .floor = floor,
                                .user = (void *)(uintptr_t)b,
                                .bytes = 8 * numbers * (double)(b->n * b->n),
                                .limit = call ? BENCH_L3 : BENCH_NO_LIMIT});
}

void bench_brusselator(void) {
    static const char *const name[] = {"Brusselator rate 256^2", "Brusselator product 256^2",
                                       "Brusselator bdf 256^2"};
    bench_brusselator_run b = {.n = bench_size(256)};
    const int64_t size = 2 * b.n * b.n;
    if (!bench_wanted(name[0]) && !bench_wanted(name[1]) && !bench_wanted(name[2])) return;
    make_call(b.n, false, &b.rate);
    make_call(b.n, true, &b.product);
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &size, &b.start));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &size, &b.end));
    bench_check(saros_tensor_zeros(SAROS_F64, 1, &size, &b.by_hand));
    fill_start(&b);
    measure(name[0], &b, &b.rate, run_rate, floor_rate, 4);
    measure(name[1], &b, &b.product, run_product, floor_product, 6);
    measure(name[2], &b, NULL, run_whole, bench_brusselator_plain, 0);
    bench_call_clear(&b.rate);
    bench_call_clear(&b.product);
    saros_tensor_release(b.start);
    saros_tensor_release(b.end);
    saros_tensor_release(b.by_hand);
}
#else
void bench_brusselator(void) {}
#endif
