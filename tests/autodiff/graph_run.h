/** What the tests of differentiation share: tensors of random numbers, and running values of a
 * graph at given tensors into plain arrays of doubles. Failures stop the test. */
#ifndef SAROS_TESTS_GRAPH_RUN_H
#define SAROS_TESTS_GRAPH_RUN_H

#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/region.h"
#include "saros/rows.h"
#include "saros_check.h"

static uint64_t run_state = 1;

/** Uniform in [lo, hi): a linear congruence, the same in every run. */
static inline double run_random(double lo, double hi) {
    run_state = run_state * 6364136223846793005u + 1442695040888963407u;
    return lo + (hi - lo) * (double)(run_state >> 11) / 9007199254740992.0;
}

static inline saros_tensor *run_tensor(const saros_type *type, double lo, double hi) {
    saros_tensor *wide = NULL, *out = NULL;
    ck_ok(saros_tensor_make(SAROS_F64, type->rank, type->shape, &wide));
    double *data = saros_tensor_data(wide);
    for (int64_t k = 0; k < saros_type_count(type); ++k) data[k] = run_random(lo, hi);
    ck_ok(saros_tensor_cast(wide, type->dtype, &out));
    saros_tensor_release(wide);
    return out;
}

static inline saros_tensor *run_from(int rank, const int64_t *shape, const double *data) {
    saros_tensor *out = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, rank, shape, data, &out));
    return out;
}

/** Row-major copy of a tensor's elements as doubles; release with saros_release. */
static inline double *run_read(const saros_tensor *tensor) {
    saros_tensor *wide = NULL;
    ck_ok(saros_tensor_cast(tensor, SAROS_F64, &wide));
    size_t bytes = (size_t)saros_tensor_count(wide) * sizeof(double);
    double *out = saros_allocate(bytes + sizeof(double));
    memcpy(out, saros_tensor_const_data(wide), bytes);
    saros_tensor_release(wide);
    return out;
}

/** Compiles and calls; `result` receives tensors to release. */
static inline void run_values(int ins, const saros_value *in, saros_tensor *const *at, int outs,
                              const saros_value *out, saros_tensor **result) {
    saros_function *function = NULL;
    saros_graph *graph = outs ? out[0].graph : NULL;
    for (int k = 0; k < outs; ++k) result[k] = NULL;
    ck_ok(saros_compile(graph, ins, in, outs, out, NULL, &function));
    ck_ok(saros_function_call(function, at, result, NULL));
    saros_function_release(function);
}

/** One value as doubles (release with saros_release). */
static inline double *run_one(int ins, const saros_value *in, saros_tensor *const *at,
                              saros_value out) {
    saros_tensor *result;
    run_values(ins, in, at, 1, &out, &result);
    double *data = run_read(result);
    saros_tensor_release(result);
    return data;
}

/** A scalar value. */
static inline double run_scalar(int ins, const saros_value *in, saros_tensor *const *at,
                                saros_value out) {
    double *data = run_one(ins, in, at, out), x = data[0];
    saros_release(data);
    return x;
}

static inline double run_norm(int64_t n, const double *a) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += a[k] * a[k];
    return sqrt(sum);
}
static inline double run_distance(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sqrt(sum);
}

/** Nodes of `row` that `out` is computed from. */
static inline int run_count(const saros_primitive *row, int outs, const saros_value *out) {
    saros_graph *graph = out[0].graph;
    int found = 0;
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        int k;
        saros_node node = saros_graph_node(graph, id, &k);
        saros_value v = {graph, id};
        bool used = false;
        if (k != 0 || node.row != row) continue;
        for (int m = 0; m < node.outputs && !used; ++m, ++v.id)
            saros_depends(outs, out, 1, &v, &used);
        found += used;
    }
    return found;
}

#endif
