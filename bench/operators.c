/* Laplacian and biharmonic of the network D-768-768-512-512-1 (tanh, f64; the one of Dangel et al.,
 * NeurIPS 2025) against nested differentiation and against the products of matrices that the
 * collapsed form cannot do without.
 *
 *  Counted are the products between hidden layers alone: each of the d + 2 streams of a point (27
 * for the biharmonic in 5 dimensions) passes three of them, 2 (768 768 + 768 512 + 512 512)
 * operations. The gradient counts three such passes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operators_impl.h"
#include "processes_impl.h"

enum { LAYERS = 5, LAPLACIAN_D = 50, BIHARMONIC_D = 5, CLOSED_STREAMS = 27 };

/* Sizes of one row. */
typedef struct net {
    int64_t points, wide[LAYERS + 1];
    saros_graph *graph;
    saros_value in[2], y; /* points (n,d), all weights and biases; value (n,1) */
} net;

static int64_t widest = 768; /* less in quick mode */

/* ---- the network ---- */
static int64_t weights_of(const net *s) {
    int64_t count = 0;
    for (int k = 0; k < LAYERS; ++k) count += (s->wide[k] + 1) * s->wide[k + 1];
    return count;
}

static net net_open(int64_t d) {
    const int64_t narrow = widest * 2 / 3;
    net s = {.points = widest / (d == LAPLACIAN_D ? 6 : 3),
             .wide = {d, widest, widest, narrow, narrow, 1}};
    bench_check(saros_graph_make(&s.graph));
    saros_type x = saros_type_make(SAROS_F64, 2, (int64_t[]){s.points, d});
    saros_type w = saros_type_make(SAROS_F64, 1, (int64_t[]){weights_of(&s)});
    s.in[0] = saros_input(s.graph, &x, "x");
    s.in[1] = saros_input(s.graph, &w, "weights");
    s.y = s.in[0];
    for (int64_t k = 0, at = 0; k < LAYERS; ++k) {
        const int64_t rows = s.wide[k], columns = s.wide[k + 1], bias = at + rows * columns;
        saros_value matrix = saros_reshape(saros_slice(s.in[1], 0, at, bias, 1), 2, &s.wide[k]);
        s.y =
            saros_add(saros_matmul(s.y, matrix), saros_slice(s.in[1], 0, bias, bias + columns, 1));
        if (k + 1 < LAYERS) s.y = saros_tanh(s.y);
        at = bias + columns;
    }
    return s;
}

/* Random weights of deviation about one over the root of the fan-in. */
static void scale_weights(saros_tensor *weights) {
    double *w = saros_tensor_data(weights);
    for (int64_t i = 0; i < saros_tensor_count(weights); ++i) w[i] *= 0.06;
}

static void call_make(net *s, saros_value out, bench_call *call) {
    bench_call_make(s->graph, 2, s->in, 1, &out, call);
    scale_weights(call->in[1]);
    bench_call_run(call);
}

/* ---- the operators ---- */
static saros_value column(saros_value v, int64_t i) {
    return saros_slice(v, 1, i, i + 1, 1);
}

/* Sum over i of the derivative along axis i of the gradient's entry i: forward over reverse. */
static saros_value nested_laplacian(saros_value y, saros_value x) {
    const int64_t d = saros_value_type(x)->shape[1];
    saros_value g, sum = SAROS_NONE, one = saros_like(y, 1);
    saros_value ones = saros_broadcast(one, 2, saros_value_type(y)->shape, NULL);
    saros_vjp(1, &y, &ones, 1, &x, &g);
    for (int64_t i = 0; i < d; ++i) {
        double unit[LAPLACIAN_D] = {0};
        saros_tensor *row = NULL;
        unit[i] = 1;
        bench_check(saros_tensor_from(SAROS_F64, 1, &d, unit, &row));
        saros_value v = saros_constant(x.graph, row), gv;
        v = saros_broadcast(v, 2, saros_value_type(x)->shape, NULL);
        saros_jvp(1, &g, 1, &x, &v, &gv);
        sum = i ? saros_add(sum, column(gv, i)) : column(gv, i);
        saros_tensor_release(row);
    }
    return sum;
}

typedef saros_value operator_fn(saros_value y, saros_value x);

static saros_value nested_biharmonic(saros_value y, saros_value x) {
    return nested_laplacian(nested_laplacian(y, x), x);
}
static saros_value two_laplacians(saros_value y, saros_value x) {
    return saros_laplacian(saros_laplacian(y, x), x);
}

static void operator_make(operator_fn *op, int64_t d, bench_call *call) {
    net s = net_open(d);
    call_make(&s, op(s.y, s.in[0]), call);
}

static void gradient_make(operator_fn *op, int64_t d, bench_call *call) {
    net s = net_open(d);
    saros_value r = op(s.y, s.in[0]), j = saros_sum(saros_mul(r, r), saros_all_axes(r)), g;
    j = saros_mul(j, saros_like(j, 1 / (double)s.points));
    saros_vjp(1, &j, NULL, 1, &s.in[1], &g);
    call_make(&s, g, call);
}

/* The products of `streams` streams alone, as one of all of their rows, one layer after the other
 * on numbers that lie there. */
static void dots_make(int64_t d, int64_t streams, bench_call *call) {
    net s = net_open(d);
    saros_value in[2 * (LAYERS - 2)], out[LAYERS - 2];
    for (int k = 0; k < LAYERS - 2; ++k) {
        saros_type h =
            saros_type_make(SAROS_F64, 2, (int64_t[]){streams * s.points, s.wide[k + 1]});
        saros_type w = saros_type_make(SAROS_F64, 2, &s.wide[k + 1]);
        in[2 * k] = saros_input(s.graph, &h, NULL);
        in[2 * k + 1] = saros_input(s.graph, &w, NULL);
        out[k] = saros_matmul(in[2 * k], in[2 * k + 1]);
    }
    bench_call_make(s.graph, 2 * (LAYERS - 2), in, LAYERS - 2, out, call);
    bench_call_run(call);
}

/* ---- rows ---- */
typedef struct pair {
    bench_call *ours, *other;
} pair;

static void run_ours(void *user) {
    bench_call_run(((pair *)user)->ours);
}
static void run_other(void *user) {
    bench_call_run(((pair *)user)->other);
}

static double flops(int64_t d, int64_t streams) {
    net s = net_open(d);
    double each = 0;
    for (int k = 1; k + 1 < LAYERS; ++k) each += 2 * (double)(s.wide[k] * s.wide[k + 1]);
    saros_graph_release(s.graph);
    return each * (double)(streams * s.points);
}

static void row(const char *name, bench_call *ours, bench_call *other, double operations) {
    bench_compare(&(bench_case){.name = name,
                                .run = run_ours,
                                .floor = run_other,
                                .user = &(pair){ours, other},
                                .flops = operations,
                                .limit = BENCH_FMA_F64});
}

/* A row of two functions of the same values. */
static void compare(const char *name, int64_t d, int64_t streams, bool gradient, operator_fn *ours,
                    operator_fn *other) {
    bench_call a, b;
    if (!bench_wanted(name)) return;
    (gradient ? gradient_make : operator_make)(ours, d, &a);
    (gradient ? gradient_make : operator_make)(other, d, &b);
    bench_agree(name, a.out[0], b.out[0], 1e-11);
    row(name, &a, &b, (gradient ? 3 : 1) * flops(d, streams));
    bench_call_clear(&a);
    bench_call_clear(&b);
}

static void compare_dots(const char *name, int64_t d, int64_t streams, operator_fn *ours) {
    bench_call a, b;
    if (!bench_wanted(name)) return;
    operator_make(ours, d, &a);
    dots_make(d, streams, &b);
    row(name, &a, &b, flops(d, streams));
    bench_call_clear(&a);
    bench_call_clear(&b);
}

static void memory_rows(void) {
    static const char *const how[] = {"none", "collapsed", "nested"};
    for (int k = 0; k < 3; ++k) {
        char name[64], what[64];
        snprintf(name, sizeof name, "laplacian 50 gradient memory %s", how[k]);
        snprintf(what, sizeof what, "operators %s %lld", how[k], (long long)widest);
        if (bench_wanted(name)) bench_value(name, bench_child_number(what) / 1024, "MiB");
    }
}

void bench_operators(void) {
    const int64_t d = LAPLACIAN_D, e = BIHARMONIC_D;
    if (bench_quick()) widest = 24;
    compare("laplacian 50 / nested", d, d + 2, false, saros_laplacian, nested_laplacian);
    compare_dots("laplacian 50 / its products", d, d + 2, saros_laplacian);
    compare("laplacian 50 gradient / nested", d, d + 2, true, saros_laplacian, nested_laplacian);
    compare("biharmonic 5 / nested", e, CLOSED_STREAMS, false, saros_biharmonic, nested_biharmonic);
    compare("biharmonic 5 / two laplacians", e, CLOSED_STREAMS, false, saros_biharmonic,
            two_laplacians);
    compare_dots("biharmonic 5 / its products", e, CLOSED_STREAMS, saros_biharmonic);
    memory_rows();
}

/* ---- processes ---- */
void bench_operators_memory(const char *how, int64_t width) {
    bench_call call;
    widest = width;
    if (!strcmp(how, "none"))
        dots_make(LAPLACIAN_D, 1, &call);
    else
        gradient_make(!strcmp(how, "nested") ? nested_laplacian : saros_laplacian, LAPLACIAN_D,
                      &call);
    bench_call_clear(&call);
}

/* ---- for programs that do the same work ---- */
static void put_tensor(const char *folder, const char *name, int64_t d,
                       const saros_tensor *tensor) {
    char file[64];
    snprintf(file, sizeof file, "%s-%lld", name, (long long)d);
    bench_put(folder, file, saros_tensor_const_data(tensor),
              (size_t)saros_tensor_count(tensor) * sizeof(double));
}

static void export_row(const char *folder, const char *name, int64_t d, bool gradient,
                       operator_fn *op) {
    bench_call call;
    double squares = 0;
    (gradient ? gradient_make : operator_make)(op, d, &call);
    const double *x = saros_tensor_const_data(call.out[0]);
    for (int64_t i = 0; i < saros_tensor_count(call.out[0]); ++i) squares += x[i] * x[i];
    bench_put(folder, name, &squares, sizeof squares);
    put_tensor(folder, "operator-points", d, call.in[0]);
    put_tensor(folder, "operator-weights", d, call.in[1]);
    bench_call_clear(&call);
}

void bench_operators_export(const char *folder) {
    export_row(folder, "squares-laplacian", LAPLACIAN_D, false, saros_laplacian);
    export_row(folder, "squares-gradient", LAPLACIAN_D, true, saros_laplacian);
    export_row(folder, "squares-biharmonic", BIHARMONIC_D, false, saros_biharmonic);
}
