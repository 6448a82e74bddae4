/** Rows of the engine's own tests: they count, fail, make opaque objects and give two outputs. And
 * an allocator whose n-th allocation fails. */
#ifndef SAROS_ENGINE_ROWS_H
#define SAROS_ENGINE_ROWS_H

#include <stdatomic.h>

#include "saros/function.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/region.h"
#include "saros_check.h"

static atomic_int evaluated; /* evaluations of "counted" and "tick" */
static atomic_int boxes;     /* boxes alive */

static inline saros_status like_first(saros_typing *t) {
    t->output[0] = t->operand[0];
    return SAROS_OK;
}
static inline saros_status copy_first(const saros_evaluation *e) {
    return saros_tensor_assign(e->out[0], e->in[0]);
}
static inline saros_status count_and_copy(const saros_evaluation *e) {
    atomic_fetch_add(&evaluated, 1);
    return copy_first(e);
}
static inline saros_status always_fail(const saros_evaluation *e) {
    return saros_fail(SAROS_ERR_DIVERGED, e->row->name, NULL, "diverged on purpose");
}
static inline saros_status both_types(saros_typing *t) {
    t->output[0] = t->output[1] = t->operand[0];
    return SAROS_OK;
}
/** x and -x. */
static inline saros_status both(const saros_evaluation *e) {
    const double *x = saros_tensor_const_data(e->in[0]);
    double *a = saros_tensor_data(e->out[0]), *b = saros_tensor_data(e->out[1]);
    for (int64_t i = 0; i < saros_tensor_count(e->out[0]); ++i) {
        double v = saros_tensor_is_contiguous(e->in[0]) ? x[i] : x[0];
        a[i] = v;
        b[i] = -v;
    }
    return SAROS_OK;
}

/* A box holds one double. */
static inline void box_release(void *payload) {
    atomic_fetch_sub(&boxes, 1);
    free(payload);
}
static const saros_opaque_class box_class = {"box", box_release};
static inline saros_status box_type(saros_typing *t) {
    t->output[0] = saros_type_scalar(SAROS_OPAQUE);
    return SAROS_OK;
}
static inline saros_status box_make(const saros_evaluation *e) {
    double *payload = malloc(sizeof *payload);
    saros_status status = saros_tensor_item(e->in[0], payload);
    if (status != SAROS_OK) {
        free(payload);
        return status;
    }
    atomic_fetch_add(&boxes, 1);
    return saros_tensor_opaque(&box_class, payload, &e->out[0]);
}
static inline saros_status unbox_type(saros_typing *t) {
    t->output[0] = saros_type_scalar(SAROS_F64);
    return SAROS_OK;
}
static inline saros_status unbox(const saros_evaluation *e) {
    double *payload = saros_tensor_payload(e->in[0], &box_class);
    if (!payload) return saros_fail(SAROS_ERR_TYPE, "unbox", NULL, "not a box");
    *(double *)saros_tensor_data(e->out[0]) = *payload;
    return SAROS_OK;
}

static const saros_primitive row_counted = {
    .name = "counted", .operands = 1, .outputs = 1, .type = like_first, .evaluate = count_and_copy};
static const saros_primitive row_tick = {.name = "tick",
                                         .operands = 1,
                                         .outputs = 1,
                                         .flags = SAROS_ORDERED,
                                         .type = like_first,
                                         .evaluate = count_and_copy};
static const saros_primitive row_failing = {
    .name = "failing", .operands = 1, .outputs = 1, .type = like_first, .evaluate = always_fail};
static const saros_primitive row_both = {
    .name = "both", .operands = 1, .outputs = 2, .type = both_types, .evaluate = both};
static const saros_primitive row_box = {
    .name = "box", .operands = 1, .outputs = 1, .type = box_type, .evaluate = box_make};
static const saros_primitive row_unbox = {
    .name = "unbox", .operands = 1, .outputs = 1, .type = unbox_type, .evaluate = unbox};

static inline saros_value unary(const saros_primitive *row, saros_value x) {
    return saros_build(x.graph, row, NULL, 1, &x);
}

/* ---- short forms ---- */
static inline saros_graph *new_graph(void) {
    saros_graph *graph = NULL;
    ck_ok(saros_graph_make(&graph));
    return graph;
}
static inline saros_value input_of(saros_graph *graph, saros_dtype dtype, int rank,
                                   const int64_t *shape, const char *name) {
    saros_type type = saros_type_make(dtype, rank, shape);
    return saros_input(graph, &type, name);
}
static inline saros_tensor *vector_of(int64_t n, const double *data) {
    saros_tensor *tensor = NULL;
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, data, &tensor));
    return tensor;
}
static inline saros_tensor *scalar_of(saros_dtype dtype, double value) {
    saros_tensor *tensor = NULL;
    ck_ok(saros_tensor_scalar(dtype, value, &tensor));
    return tensor;
}
static inline double at(const saros_tensor *tensor, int64_t i) {
    double value = NAN;
    ck_ok(saros_tensor_get(tensor, &i, &value));
    return value;
}
static inline double item(const saros_tensor *tensor) {
    double value = NAN;
    ck_ok(saros_tensor_item(tensor, &value));
    return value;
}

/* ---- failing allocations ---- */
static atomic_long allocations_left; /* the one that finds 0 fails, and only it */
static inline void *failing_allocate(size_t bytes, void *user) {
    (void)user;
    return atomic_fetch_sub(&allocations_left, 1) == 0 ? NULL : aligned_alloc(64, bytes);
}
static inline void failing_release(void *memory, size_t bytes, void *user) {
    (void)bytes, (void)user;
    free(memory);
}
static const saros_allocator failing_allocator = {failing_allocate, failing_release, NULL};

/** Runs `work` with its first, second, … allocation failing until it succeeds; each failure must be
 * a clean SAROS_ERR_MEMORY that holds no memory. Returns the number of failures. */
static inline int fail_each_allocation(saros_status (*work)(void)) {
    saros_allocator_set(&failing_allocator);
    int failures = 0;
    for (;; ++failures) {
        int64_t held = saros_memory_held();
        saros_error_clear();
        atomic_store(&allocations_left, failures);
        saros_status status = work();
        ck_assert_msg(saros_memory_held() == held, "allocation %d: %lld bytes leaked", failures,
                      (long long)(saros_memory_held() - held));
        if (atomic_load(&allocations_left) >= 0) {
            ck_assert_int_eq(status, SAROS_OK);
            break;
        }
        ck_assert_msg(status == SAROS_ERR_MEMORY, "allocation %d: %s: %s", failures,
                      saros_status_kind(status), saros_error_last()->message);
        ck_assert_int_eq(saros_error_last()->status, SAROS_ERR_MEMORY);
        ck_assert_int_lt(failures, 100000);
    }
    saros_allocator_set(NULL);
    return failures;
}

#endif
