/* Sums, row and column sums, transposes and broadcasts of large arrays: what memory alone limits.
 */
#include "bench_impl.h"

typedef saros_value build_fn(const saros_value *in);

/* ---- sums ---- */
static saros_value sum_all(const saros_value *in) {
    return saros_sum(in[0], saros_all_axes(in[0]));
}

static saros_value sum_rows(const saros_value *in) {
    return saros_sum(in[0], 1U << 1);
}

static saros_value sum_columns(const saros_value *in) {
    return saros_sum(in[0], 1U << 0);
}

/* Every sum by hand keeps eight lanes, so that it does not wait for one addition after the other.
 */
static double sum_run(const double *restrict x, int64_t n) {
    double lane[32] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int k = 0; k < 32; ++k) lane[k] += x[i + k];
    for (; i < n; ++i) sum += x[i];
    for (int k = 0; k < 32; ++k) sum += lane[k];
    return sum;
}

/* A chunk of the sum of everything, in chunks of fixed size, so that it does not depend on the
 * threads. */
enum { CHUNKS = 64 };

typedef struct total {
    const double *x;
    int64_t n;
    double part[8 * CHUNKS]; /* a cache line each */
} total;

static void total_chunks(void *user, int64_t first, int64_t last) {
    total *t = user;
    for (int64_t k = first; k < last; ++k) {
        const int64_t from = t->n * k / CHUNKS, to = t->n * (k + 1) / CHUNKS;
        t->part[8 * k] = sum_run(t->x + from, to - from);
    }
}

static void sum_all_floor(void *user) {
    bench_call *call = user;
    total t = {.x = saros_tensor_const_data(call->in[0]), .n = saros_tensor_count(call->in[0])};
    double sum = 0;
    bench_parallel(CHUNKS, total_chunks, &t);
    for (int k = 0; k < CHUNKS; ++k) sum += t.part[8 * k];
    *(double *)saros_tensor_data(call->floor[0]) = sum;
}

static void rows_part(void *user, int64_t first, int64_t last) {
    bench_call *call = user;
    const int64_t columns = saros_tensor_shape(call->in[0])[1];
    const double *x = saros_tensor_const_data(call->in[0]);
    double *to = saros_tensor_data(call->floor[0]);
    for (int64_t i = first; i < last; ++i) to[i] = sum_run(x + i * columns, columns);
}

static void sum_rows_floor(void *user) {
    bench_parallel(saros_tensor_shape(((bench_call *)user)->in[0])[0], rows_part, user);
}

/* A strip of columns, row after row. */
static void columns_part(void *user, int64_t first, int64_t last) {
    bench_call *call = user;
    const int64_t *shape = saros_tensor_shape(call->in[0]);
    const double *restrict x = saros_tensor_const_data(call->in[0]);
    double *restrict to = saros_tensor_data(call->floor[0]);
    for (int64_t j = first; j < last; ++j) to[j] = 0;
    for (int64_t i = 0; i < shape[0]; ++i)
        for (int64_t j = first; j < last; ++j) to[j] += x[i * shape[1] + j];
}

static void sum_columns_floor(void *user) {
    bench_parallel(saros_tensor_shape(((bench_call *)user)->in[0])[1], columns_part, user);
}

/* ---- transposes and broadcasts ---- */
static saros_value transpose(const saros_value *in) {
    return saros_transpose(in[0]);
}

/* x + a row + a column */
static saros_value outer_sum(const saros_value *in) {
    const int64_t n = saros_value_type(in[0])->shape[0];
    return saros_add(saros_add(in[0], in[1]), saros_reshape(in[2], 2, (int64_t[]){n, 1}));
}

/* Squares through a buffer, so that both arrays are read and written by lines. */
static void transpose_part(void *user, int64_t first, int64_t last) {
    enum { SIDE = 64 };
    bench_call *call = user;
    const int64_t n = saros_tensor_shape(call->in[0])[0];
    const double *restrict x = saros_tensor_const_data(call->in[0]);
    double *restrict to = saros_tensor_data(call->floor[0]), square[SIDE][SIDE + 8];
    for (int64_t i0 = first; i0 < last; i0 += SIDE)
        for (int64_t j0 = 0; j0 < n; j0 += SIDE) {
            const int64_t is = last - i0 < SIDE ? last - i0 : SIDE,
                          js = n - j0 < SIDE ? n - j0 : SIDE;
            for (int64_t j = 0; j < js; ++j)
                for (int64_t i = 0; i < is; ++i) square[j][i] = x[(j0 + j) * n + i0 + i];
            for (int64_t i = 0; i < is; ++i)
                for (int64_t j = 0; j < js; ++j) to[(i0 + i) * n + j0 + j] = square[j][i];
        }
}

static void transpose_floor(void *user) {
    bench_parallel(saros_tensor_shape(((bench_call *)user)->in[0])[0], transpose_part, user);
}

static void outer_sum_part(void *user, int64_t first, int64_t last) {
    bench_call *call = user;
    const int64_t n = saros_tensor_shape(call->in[0])[0];
    const double *column = saros_tensor_const_data(call->in[2]);
    for (int64_t i = first; i < last; ++i) {
        const double *restrict x = (const double *)saros_tensor_const_data(call->in[0]) + i * n;
        const double *restrict row = saros_tensor_const_data(call->in[1]);
        double *restrict to = (double *)saros_tensor_data(call->floor[0]) + i * n;
        for (int64_t j = 0; j < n; ++j) to[j] = x[j] + row[j] + column[i];
    }
}

static void outer_sum_floor(void *user) {
    bench_parallel(saros_tensor_shape(((bench_call *)user)->in[0])[0], outer_sum_part, user);
}

/* ---- rows ---- */
static void measure(const char *name, build_fn *build, bench_fn *floor, int ins, double bytes) {
    bench_call call;
    saros_graph *graph;
    saros_value in[3];
    if (!bench_wanted(name)) return;
    const int64_t n = bench_size(4096);
    const saros_type square = saros_type_make(SAROS_F64, 2, (int64_t[]){n, n});
    const saros_type line = saros_type_make(SAROS_F64, 1, &n);
    bench_check(saros_graph_make(&graph));
    for (int k = 0; k < ins; ++k) in[k] = saros_input(graph, k ? &line : &square, NULL);
    const saros_value out = build(in);
    bench_call_make(graph, ins, in, 1, &out, &call);
    bench_call_run(&call);
    floor(&call);
    bench_agree(name, call.out[0], call.floor[0], 1e-10);
    bench_compare(&(bench_case){.name = name,
                                .run = bench_call_run,
                                .floor = floor,
                                .user = &call,
                                .bytes = bytes * (double)(n * n),
                                .limit = BENCH_DRAM});
    bench_call_clear(&call);
}

void bench_arrays(void) {
    measure("sum of 16 M", sum_all, sum_all_floor, 1, 8);
    measure("sums of 4096 rows", sum_rows, sum_rows_floor, 1, 8);
    measure("sums of 4096 columns", sum_columns, sum_columns_floor, 1, 8);
    measure("transpose 4096^2", transpose, transpose_floor, 1, 16);
    measure("square + row + column 4096^2", outer_sum, outer_sum_floor, 3, 16);
}
