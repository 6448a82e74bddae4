/* Fused pointwise work: tanh(a x + b) c + d x^2, and a chain of twelve operations. */
#include <math.h>
#include <stdio.h>

#include "bench_impl.h"

/* tanh by hand, of the quality of the library's: em1(2|x|)/(em1(2|x|) + 2), where em1(y) = e^y - 1
 * is taken by reduction to |r| <= log(2)/2 and the Taylor polynomial of degree 13. Written so that
 * compilers vectorise the loop it is in. */
static inline double tanh_by_hand(double x) {
    const double magic = 0x1.8p52, y = 2 * fmin(fabs(x), 20.0);
    const double shifted = y * 0x1.71547652b82fep+0 + magic, k = shifted - magic;
    const double r = (y - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
    const double r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    const double p0 = 1.0 / 2 + r * (1.0 / 6) + r2 * (1.0 / 24 + r * (1.0 / 120));
    const double p1 = 1.0 / 720 + r * (1.0 / 5040) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    const double p2 =
        1.0 / 3628800 + r * (1.0 / 39916800) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    const double em1 = r + r2 * (p0 + r4 * p1 + r8 * p2);
    union {
        double value;
        uint64_t bits;
    } scale = {.value = shifted};
    scale.bits = (scale.bits + 1023) << 52; /* 2^k */
    const double e = scale.value * em1 + (scale.value - 1);
    return copysign(e / (e + 2), x);
}

static saros_value tanh_graph(saros_value x) {
    const saros_value y = saros_add(saros_mul(saros_like(x, 1.5), x), saros_like(x, 0.25));
    return saros_add(saros_mul(saros_tanh(y), saros_like(x, 0.75)),
                     saros_mul(saros_like(x, 0.5), saros_mul(x, x)));
}

static void tanh_loop(void *user, int64_t first, int64_t last) {
    const bench_call *call = user;
    const double *restrict x = saros_tensor_const_data(call->in[0]);
    double *restrict y = saros_tensor_data(call->floor[0]);
    for (int64_t i = first; i < last; ++i)
        y[i] = tanh_by_hand(1.5 * x[i] + 0.25) * 0.75 + 0.5 * (x[i] * x[i]);
}

/* ((…((x y + a) x - y) …): six products, six sums or differences, two arrays. */
static saros_value chain_graph(saros_value x, saros_value y) {
    saros_value z = x;
    for (int k = 0; k < 6; ++k) {
        z = saros_mul(z, k % 2 ? x : y);
        z = k % 2 ? saros_sub(z, y) : saros_add(z, saros_like(x, 0.5));
    }
    return z;
}

static void chain_loop(void *user, int64_t first, int64_t last) {
    const bench_call *call = user;
    const double *restrict x = saros_tensor_const_data(call->in[0]), *restrict y =
                                                                         saros_tensor_const_data(
                                                                             call->in[1]);
    double *restrict to = saros_tensor_data(call->floor[0]);
    for (int64_t i = first; i < last; ++i) {
        double z = x[i] * y[i] + 0.5;
        z = z * x[i] - y[i];
        z = z * y[i] + 0.5;
        z = z * x[i] - y[i];
        z = z * y[i] + 0.5;
        to[i] = z * x[i] - y[i];
    }
}

static int64_t size_of(const bench_call *call) {
    return saros_tensor_count(call->in[0]);
}

static void tanh_floor(void *call) {
    bench_parallel(size_of(call), tanh_loop, call);
}

static void chain_floor(void *call) {
    bench_parallel(size_of(call), chain_loop, call);
}

static void measure(const char *what, int64_t side, bool chain) {
    char name[64];
    bench_call call;
    saros_graph *graph;
    saros_value in[2];
    snprintf(name, sizeof name, "%s %lld^2", what, (long long)side);
    if (!bench_wanted(name)) return;
    const int64_t n = bench_size(side);
    const saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){n, n});
    bench_check(saros_graph_make(&graph));
    for (int k = 0; k < 2; ++k) in[k] = saros_input(graph, &type, NULL);
    const saros_value out = chain ? chain_graph(in[0], in[1]) : tanh_graph(in[0]);
    bench_call_make(graph, chain ? 2 : 1, in, 1, &out, &call);
    bench_fn *floor = chain ? chain_floor : tanh_floor;
    bench_call_run(&call);
    floor(&call);
    bench_agree(name, call.out[0], call.floor[0], 1e-14);
    bench_compare(&(bench_case){.name = name,
                                .run = bench_call_run,
                                .floor = floor,
                                .user = &call,
                                .bytes = (chain ? 24.0 : 16.0) * (double)(n * n),
                                .limit = bench_place(side * side)});
    bench_call_clear(&call);
}

void bench_pointwise(void) {
    for (int64_t side = 128; side <= 4096; side = side < 512 ? 512 : 8 * side) {
        measure("tanh(a x+b) c + d x^2", side, false);
        measure("chain of 12", side, true);
    }
}
