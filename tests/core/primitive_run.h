/** What the tests of primitive rows share: tensors of given or pseudo-random numbers, views of
 * them, and running what a function builds. Failures stop the test. */
#ifndef SAROS_TESTS_PRIMITIVE_RUN_H
#define SAROS_TESTS_PRIMITIVE_RUN_H

#include <string.h>

#include "saros/function.h"
#include "saros/ops.h"
#include "saros/rows.h"
#include "saros_check.h"

/** Appends operations on x; returns the result. */
typedef saros_value run_build(saros_graph *graph, const saros_value *x);

#define SHAPE(...)                                                                                 \
    (int64_t[]) {                                                                                  \
        __VA_ARGS__                                                                                \
    }

static inline saros_tensor *run_tensor(saros_dtype dtype, int rank, const int64_t *shape,
                                       const double *data) {
    saros_tensor *wide = NULL, *out = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, rank, shape, data, &wide));
    ck_ok(saros_tensor_cast(wide, dtype, &out));
    saros_tensor_release(wide);
    return out;
}

/** Pseudo-random numbers in [lo, hi), the same in every run for the same `seed`. */
static inline saros_tensor *run_random(saros_dtype dtype, int rank, const int64_t *shape, double lo,
                                       double hi, unsigned seed) {
    saros_tensor *wide = NULL, *out = NULL;
    uint64_t state = seed * UINT64_C(2654435761) + 1;
    ck_ok(saros_tensor_make(SAROS_F64, rank, shape, &wide));
    double *x = saros_tensor_data(wide);
    for (int64_t i = 0; i < saros_tensor_count(wide); ++i) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        x[i] = lo + (hi - lo) * (double)(state >> 11) * 0x1p-53;
    }
    ck_ok(saros_tensor_cast(wide, dtype, &out));
    saros_tensor_release(wide);
    return out;
}

/** Same elements with axes reversed: a view with strange strides; consumes x. */
static inline saros_tensor *run_transposed(saros_tensor *x) {
    saros_tensor *view = NULL;
    int rank = saros_tensor_rank(x);
    int64_t shape[SAROS_MAX_RANK], strides[SAROS_MAX_RANK];
    for (int a = 0; a < rank; ++a) {
        shape[a] = saros_tensor_shape(x)[rank - 1 - a];
        strides[a] = saros_tensor_strides(x)[rank - 1 - a];
    }
    ck_ok(saros_tensor_view(x, rank, shape, strides, 0, &view));
    saros_tensor_release(x);
    return view;
}

/** build(x) on tensors; the result is released by the caller. */
static inline saros_status run_try(run_build *build, int n, saros_tensor *const *x,
                                   saros_tensor **out) {
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    saros_value in[8];
    ck_ok(saros_graph_make(&graph));
    for (int k = 0; k < n; ++k) {
        saros_type type = saros_tensor_type(x[k]);
        in[k] = saros_input(graph, &type, NULL);
    }
    saros_value y = build(graph, in);
    saros_status status = saros_compile(graph, n, in, 1, &y, NULL, &function);
    if (status == SAROS_OK) status = saros_function_call(function, x, out, NULL);
    saros_function_release(function);
    saros_graph_release(graph);
    return status;
}

static inline saros_tensor *run(run_build *build, int n, saros_tensor *const *x) {
    saros_tensor *out = NULL;
    ck_ok(run_try(build, n, x, &out));
    return out;
}

/** Next index of a row-major walk; false after the last one. */
static inline bool run_next(const saros_tensor *x, int64_t *index) {
    for (int a = saros_tensor_rank(x) - 1; a >= 0; --a) {
        if (++index[a] < saros_tensor_shape(x)[a]) return true;
        index[a] = 0;
    }
    return false;
}

/** Element of x at an index of a shape it broadcasts to (aligned at the last axis). */
static inline double run_at(const saros_tensor *x, int rank, const int64_t *index) {
    int64_t own[SAROS_MAX_RANK];
    double value = 0.0;
    int have = saros_tensor_rank(x);
    for (int a = 0; a < have; ++a)
        own[a] = saros_tensor_shape(x)[a] == 1 ? 0 : index[rank - have + a];
    ck_ok(saros_tensor_get(x, own, &value));
    return value;
}

static inline double run_item(const saros_tensor *x, int64_t i) {
    int64_t index[SAROS_MAX_RANK];
    for (int a = saros_tensor_rank(x) - 1; a >= 0; --a) {
        index[a] = i % saros_tensor_shape(x)[a];
        i /= saros_tensor_shape(x)[a];
    }
    return run_at(x, saros_tensor_rank(x), index);
}

/** Shape of x is as given. */
static inline void run_has_shape(const saros_tensor *x, int rank, const int64_t *shape) {
    ck_assert_int_eq(saros_tensor_rank(x), rank);
    for (int a = 0; a < rank; ++a) ck_assert_int_eq(saros_tensor_shape(x)[a], shape[a]);
}

/** x holds the numbers, in row-major order. */
static inline void run_holds(const saros_tensor *x, int64_t n, const double *wanted) {
    ck_assert_int_eq(saros_tensor_count(x), n);
    for (int64_t i = 0; i < n; ++i) ck_near(run_item(x, i), wanted[i], 1e-14);
}

static inline void run_release(int n, saros_tensor **x) {
    for (int k = 0; k < n; ++k) saros_tensor_release(x[k]);
}

/** The message of building build(x) on inputs of the types: it must fail with `code`. */
static inline const char *run_message(run_build *build, int n, const saros_type *type,
                                      saros_status code) {
    saros_graph *graph = NULL;
    saros_value in[8];
    ck_ok(saros_graph_make(&graph));
    for (int k = 0; k < n; ++k) in[k] = saros_input(graph, &type[k], NULL);
    ck_assert(saros_is_poisoned(build(graph, in)));
    ck_fails(saros_graph_status(graph), code);
    saros_graph_release(graph);
    return saros_error_last()->message;
}

#endif
