/* Fused pointwise work: tanh(a x + b) c + d x^2, and a chain of twelve operations. */
#include <stdio.h>

#include "bench_impl.h"
#include "vector_impl.h"

/* a where the mask is set, else b */
static inline f64s choose(i64s mask, f64s a, f64s b) {
    return (f64s)((mask & (i64s)a) | (~mask & (i64s)b));
}

/* tanh by hand, of the quality of the library's: e/(e + 2) with e = e^(2|x|) - 1, taken by
 * reduction to |r| <= log(2)/2 and the Taylor polynomial of degree 13. */
static inline f64s tanh_by_hand(f64s x) {
    const f64s zero = {0}, magic = zero + 0x1.8p52;
    const i64s sign = (i64s)(-zero);
    const f64s twice = 2 * (f64s)((i64s)x & ~sign), y = choose(twice > 40, zero + 40, twice);
    const f64s shifted = y * 0x1.71547652b82fep+0 + magic, k = shifted - magic;
    const f64s r = (y - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
    const f64s r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    const f64s p0 = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    const f64s p1 = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    const f64s p2 =
        (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    const f64s em1 = r + r2 * (p0 + r4 * p1 + r8 * p2);
    const f64s scale = (f64s)(((i64s)shifted + 1023) << 52); /* 2^k */
    const f64s e = scale * em1 + (scale - 1);
    return (f64s)((i64s)(e / (e + 2)) | ((i64s)x & sign));
}

static saros_value tanh_graph(saros_value x) {
    const saros_value y = saros_add(saros_mul(saros_like(x, 1.5), x), saros_like(x, 0.25));
    return saros_add(saros_mul(saros_tanh(y), saros_like(x, 0.75)),
                     saros_mul(saros_like(x, 0.5), saros_mul(x, x)));
}

static void tanh_loop(void *user, int64_t first, int64_t last) {
    const bench_call *call = user;
    const double *x = saros_tensor_const_data(call->in[0]);
    double *y = saros_tensor_data(call->floor[0]);
    const int64_t step = VECTOR_BYTES / 8; /* sizes and parts are multiples of it */
    for (int64_t i = first; i < last; i += step) {
        const f64s v = *(const f64s_loose *)(x + i);
        *(f64s_loose *)(y + i) = tanh_by_hand(1.5 * v + 0.25) * 0.75 + 0.5 * (v * v);
    }
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
        measure("tanh chain", side, false);
        measure("chain of 12", side, true);
    }
}
