/* Tensors, compiled calls, shared loops. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_impl.h"

void bench_check(saros_status status) {
    if (status == SAROS_OK) return;
    fprintf(stderr, "%s: %s\n", saros_error_last()->where, saros_error_last()->message);
    exit(1);
}

/* ---- loops by hand ---- */
typedef struct parts {
    int64_t n, parts;
    bench_part *part;
    void *user;
} parts;

static saros_status run_part(void *user, int64_t task) {
    const parts *p = user;
    /* whole cache lines, so that no two threads write one */
    const int64_t first = p->n * task / p->parts / 8 * 8;
    const int64_t last = task + 1 == p->parts ? p->n : p->n * (task + 1) / p->parts / 8 * 8;
    p->part(p->user, first, last);
    return SAROS_OK;
}

void bench_parallel(int64_t n, bench_part *part, void *user) {
    parts p = {n, saros_threads(), part, user};
    bench_check(saros_pool_run(p.parts, run_part, &p));
}

/* ---- tensors ---- */
saros_tensor *bench_tensor(saros_dtype dtype, int rank, const int64_t *shape) {
    saros_tensor *tensor = NULL;
    uint64_t bits = 0x9e3779b97f4a7c15;
    bench_check(saros_tensor_make(dtype, rank, shape, &tensor));
    const int64_t n = saros_tensor_count(tensor);
    double *x = saros_tensor_data(tensor);
    float *y = saros_tensor_data(tensor);
    for (int64_t i = 0; i < n; ++i) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        const double value = (double)(bits >> 11) * 0x1p-52 - 1;
        if (dtype == SAROS_F64)
            x[i] = value;
        else
            y[i] = (float)value;
    }
    return tensor;
}

static double element(const saros_tensor *tensor, int64_t i) {
    const void *x = saros_tensor_const_data(tensor);
    return saros_tensor_dtype(tensor) == SAROS_F64 ? ((const double *)x)[i]
                                                   : (double)((const float *)x)[i];
}

double bench_difference(const saros_tensor *a, const saros_tensor *b) {
    double most = 0, scale = 0;
    for (int64_t i = 0; i < saros_tensor_count(a); ++i) {
        const double x = element(a, i), y = element(b, i);
        if (!(fabs(x - y) <= most)) most = fabs(x - y);
        scale = fmax(scale, fabs(y));
    }
    return scale > 0 ? most / scale : most;
}

void bench_agree(const char *name, const saros_tensor *a, const saros_tensor *b, double tolerance) {
    const double difference = bench_difference(a, b);
    if (difference <= tolerance) return;
    fprintf(stderr, "%s: differs from plain C by %.3g, more than %.3g\n", name, difference,
            tolerance);
    exit(1);
}

/* ---- calls ---- */
static saros_tensor *make(const saros_type *type) {
    saros_tensor *tensor = NULL;
    bench_check(saros_tensor_zeros(type->dtype, type->rank, type->shape, &tensor));
    return tensor;
}

void bench_call_make(saros_graph *graph, int ins, const saros_value *in, int outs,
                     const saros_value *out, bench_call *call) {
    *call = (bench_call){.ins = ins, .outs = outs};
    bench_check(saros_compile(graph, ins, in, outs, out, NULL, &call->function));
    for (int k = 0; k < ins; ++k) {
        const saros_type *type = saros_function_input_type(call->function, k);
        call->in[k] = bench_tensor(type->dtype, type->rank, type->shape);
    }
    for (int k = 0; k < outs; ++k) {
        call->out[k] = make(saros_function_output_type(call->function, k));
        call->floor[k] = make(saros_function_output_type(call->function, k));
    }
    saros_graph_release(graph);
}

void bench_call_run(void *user) {
    bench_call *call = user;
    bench_check(saros_function_call(call->function, call->in, call->out, NULL));
}

void bench_call_clear(bench_call *call) {
    for (int k = 0; k < BENCH_MOST; ++k) {
        saros_tensor_release(call->in[k]);
        saros_tensor_release(call->out[k]);
        saros_tensor_release(call->floor[k]);
    }
    saros_function_release(call->function);
}

/* ---- for programs that do the same work ---- */
void bench_put(const char *folder, const char *name, const void *data, size_t bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
}
