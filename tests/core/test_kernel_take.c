/** Rows that take what kernels make (column `take`), while it is in tiles: operands that are made,
 * loaded, permuted, repeated, in parts. Equal to the reference in every bit, on any number of
 * threads, and no array is stored on the way. */
#include <string.h>

#include "core/primitive_run.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"
#include "saros/pool.h"

enum { BESIDE = 3 };

/* ---- a row: element e of its three operands beside each other ---- */

static saros_status beside_type(saros_typing *t) {
    const int64_t count = BESIDE * saros_type_count(&t->operand[0]);
    t->output[0] = saros_type_make(SAROS_F64, 1, &count);
    return SAROS_OK;
}
static void beside_take(const saros_tensor *attribute, int64_t first, int64_t count,
                        const saros_elements *operand, void *out) {
    double *to = (double *)out + BESIDE * first;
    (void)attribute;
    for (int64_t e = 0; e < count; ++e)
        for (int k = 0; k < BESIDE; ++k)
            *to++ = ((const double *)operand[k].from)[operand[k].still ? 0 : e];
}
static saros_status beside_evaluate(const saros_evaluation *e) {
    saros_elements operand[BESIDE];
    saros_tensor *dense[BESIDE] = {NULL};
    saros_status status = SAROS_OK;
    for (int k = 0; k < BESIDE && status == SAROS_OK; ++k) {
        status = saros_tensor_contiguous(e->in[k], &dense[k]);
        if (status == SAROS_OK) operand[k] = (saros_elements){saros_tensor_data(dense[k]), false};
    }
    if (status == SAROS_OK)
        beside_take(NULL, 0, saros_tensor_count(e->in[0]), operand, saros_tensor_data(e->out[0]));
    for (int k = 0; k < BESIDE; ++k) saros_tensor_release(dense[k]);
    return status;
}
static const saros_primitive beside = {.name = "beside",
                                       .operands = BESIDE,
                                       .outputs = 1,
                                       .flags = SAROS_CONSTANT,
                                       .type = beside_type,
                                       .evaluate = beside_evaluate,
                                       .take = beside_take};

static saros_value taken(saros_value a, saros_value b, saros_value c) {
    return saros_build(a.graph, &beside, &(saros_attributes){0}, BESIDE, (saros_value[]){a, b, c});
}

/* ---- what it takes, made of x of shape (n, m) ---- */

static int made(saros_value x, saros_value *out) {
    saros_value square = saros_mul(x, x);
    out[0] = taken(square, saros_add(square, x), saros_abs(saros_sub(x, saros_like(x, 0.5))));
    return 1;
}
/* One is only loaded, one is stored too. */
static int loaded_and_kept(saros_value x, saros_value *out) {
    out[1] = saros_mul(x, saros_like(x, 3));
    out[0] = taken(x, out[1], saros_add(out[1], x));
    return 2;
}
static int permuted(saros_value x, saros_value *out) {
    saros_value t = saros_transpose(x);
    out[0] = taken(saros_mul(t, t), t, saros_neg(t));
    return 1;
}
/* A row, a column, a number that is known. */
static int repeated(saros_value x, saros_value *out) {
    const saros_type type = *saros_value_type(x);
    saros_value row = saros_broadcast(saros_slice(x, 0, 0, 1, 1), 2, type.shape, NULL);
    saros_value column = saros_broadcast(saros_slice(x, 1, 0, 1, 1), 2, type.shape, NULL);
    out[0] = taken(saros_mul(row, x), column, saros_splat(x.graph, &type, 7));
    return 1;
}
/* Neighbours in an array with ghosts along one axis. */
static int shifted(saros_value x, saros_value *out) {
    const int64_t n = saros_value_type(x)->shape[0];
    saros_value wide = saros_concat(
        3, (saros_value[]){saros_slice(x, 0, n - 1, n, 1), x, saros_slice(x, 0, 0, 1, 1)}, 0);
    saros_value low = saros_slice(wide, 0, 0, n, 1), high = saros_slice(wide, 0, 2, n + 2, 1);
    out[0] = taken(saros_sub(high, low), low, saros_mul(x, high));
    return 1;
}
/* Two rows take of one value; a sum of it is of another kernel. */
static int twice(saros_value x, saros_value *out) {
    saros_value y = saros_mul(saros_add(x, saros_like(x, 1)), x);
    out[0] = taken(y, x, x);
    out[1] = taken(x, saros_neg(y), y);
    out[2] = saros_sum(y, 1);
    return 3;
}

typedef int build_fn(saros_value x, saros_value *out);
static build_fn *const builds[] = {made, loaded_and_kept, permuted, repeated, shifted, twice};
static const int64_t shapes[][2] = {{37, 61}, {700, 300}, {4000, 2}, {2, 4000},  {1, 70},
                                    {70, 1},  {20000, 3}, {8, 5},    {1, 100000}};

static saros_function *compiled(const char *backend, build_fn *build, const saros_type *type,
                                int *outs) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_value out[3];
    ck_ok(saros_graph_make(&g));
    saros_value x = saros_input(g, type, "x");
    *outs = build(x, out);
    ck_ok(saros_compile(g, 1, &x, *outs, out, &(saros_compile_options){.backend = backend}, &f));
    saros_graph_release(g);
    return f;
}

static bool same_bits(const saros_tensor *a, const saros_tensor *b) {
    const size_t bytes = (size_t)saros_tensor_count(a) * sizeof(double);
    return saros_tensor_count(a) == saros_tensor_count(b) &&
           memcmp(saros_tensor_const_data(a), saros_tensor_const_data(b), bytes) == 0;
}

static void check_case(build_fn *build, const int64_t *shape, int index) {
    const saros_type type = saros_type_make(SAROS_F64, 2, shape);
    saros_tensor *x = NULL, *want[3] = {NULL};
    int outs;
    ck_ok(saros_tensor_make(SAROS_F64, 2, shape, &x));
    double *at = saros_tensor_data(x);
    for (int64_t i = 0; i < saros_tensor_count(x); ++i) at[i] = sin(0.7 * (double)i);
    saros_function *f = compiled("reference", build, &type, &outs);
    ck_ok(saros_function_call(f, &x, want, NULL));
    saros_function_release(f);
    f = compiled(NULL, build, &type, &outs);
    for (int threads = 1; threads <= 4; threads *= 2) {
        saros_tensor *got[3] = {NULL};
        ck_ok(saros_threads_set(threads));
        ck_ok(saros_function_call(f, &x, got, NULL));
        for (int k = 0; k < outs; ++k) {
            bool sum = build == twice && k == 2; /* in an order of its own */
            ck_assert_msg(sum || same_bits(got[k], want[k]), "%d: (%d,%d), result %d", index,
                          (int)shape[0], (int)shape[1], k);
            saros_tensor_release(got[k]);
        }
    }
    saros_function_release(f);
    for (int k = 0; k < outs; ++k) saros_tensor_release(want[k]);
    saros_tensor_release(x);
}

START_TEST(taken_elements_are_those_of_the_reference) {
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; ++s)
        check_case(builds[_i], shapes[s], _i);
    ck_ok(saros_threads_set(0));
}
END_TEST

START_TEST(what_is_taken_is_no_array) {
    const saros_type type = saros_type_make(SAROS_F64, 2, shapes[1]);
    int outs;
    if (saros_jit_bits() == 0 || strcmp(saros_backend_default(NULL), "cpu") != 0) return;
    for (size_t b = 0; b < sizeof builds / sizeof *builds; ++b) {
        static char text[1 << 16];
        saros_function *f = compiled(NULL, builds[b], &type, &outs);
        saros_function_dump(f, text, sizeof text);
        ck_assert_msg(strstr(text, "hand over") && !strstr(text, "\nbeside"), "%s", text);
        saros_function_release(f);
    }
}
END_TEST

SAROS_TEST_LOOPS("core/kernel_take",
                 {taken_elements_are_those_of_the_reference, sizeof builds / sizeof *builds},
                 {what_is_taken_is_no_array, 1})
