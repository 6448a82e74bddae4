/** Where the operands and results of kernels and copies lie: permuted, strided, repeated, narrow,
 * larger than the caches, inside of larger arrays. All equal to the reference in every bit, on any
 * number of threads. */
#include <stdio.h>
#include <string.h>

#include "core/primitive_run.h"
#include "kernel/kernel_impl.h"
#include "saros/pool.h"

/* ---- operations on x of shape (n, m), or (n, m, …) ---- */

static saros_value some(saros_value a, saros_value b) {
    return saros_add(saros_mul(a, b), saros_abs(a));
}
static saros_value reversed(saros_value x) {
    int order[SAROS_MAX_RANK], rank = saros_value_rank(x);
    for (int a = 0; a < rank; ++a) order[a] = rank - 1 - a;
    return saros_permute(x, order);
}
static saros_value permuted(saros_value x) {
    saros_value t = reversed(x);
    return some(t, saros_like(t, 3.0));
}
/** Permuted and straight operands meet. */
static saros_value symmetric(saros_value x) {
    const int64_t *shape = saros_value_type(x)->shape;
    const int last = saros_value_rank(x) - 1;
    int64_t n = shape[0] < shape[last] ? shape[0] : shape[last];
    saros_value square = saros_slice(saros_slice(x, 0, 0, n, 1), last, 0, n, 1);
    int order[SAROS_MAX_RANK] = {last};
    for (int a = 1; a < last; ++a) order[a] = a;
    return last == 0 ? square : some(square, saros_permute(square, order));
}
static saros_value every_third(saros_value x) {
    int last = saros_value_rank(x) - 1;
    saros_value s = saros_slice(x, last, 0, saros_value_type(x)->shape[last], 3);
    return some(s, saros_slice(x, last, 0, saros_value_type(x)->shape[last], 3));
}
static saros_value row_and_column(saros_value x) {
    const saros_type *type = saros_value_type(x);
    const int rank = type->rank;
    saros_value row = saros_broadcast(saros_slice(x, 0, 0, 1, 1), rank, type->shape, NULL);
    saros_value column =
        saros_broadcast(saros_slice(x, rank - 1, 0, 1, 1), rank, type->shape, NULL);
    return saros_add(some(x, row), some(column, x));
}
static saros_value masked(saros_value x) {
    saros_value t = reversed(saros_lt(x, saros_like(x, 0.5))), y = reversed(x);
    return saros_where(saros_not(t), some(y, y), y);
}
static saros_value only_permuted(saros_value x) {
    return reversed(x);
}
static saros_value only_repeated(saros_value x) {
    const saros_type *type = saros_value_type(x);
    saros_value column = saros_slice(x, type->rank - 1, 0, 1, 1);
    return saros_broadcast(column, type->rank, type->shape, NULL);
}

static saros_unary_fn *const operations[] = {permuted, symmetric,     every_third,  row_and_column,
                                             masked,   only_permuted, only_repeated};
static const struct {
    int rank;
    int64_t shape[4];
} shapes[] = {{2, {37, 61}},     {2, {700, 300}},   {2, {4000, 2}},     {2, {2, 4000}},
              {2, {20000, 3}},   {2, {1, 70}},      {2, {70, 1}},       {3, {33, 21, 45}},
              {3, {5, 1000, 3}}, {4, {3, 7, 5, 9}}, {4, {40, 2, 30, 2}}};

static saros_tensor *run_on(const char *backend, saros_unary_fn *operation, saros_tensor *at) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_tensor *out = NULL;
    saros_type type = saros_tensor_type(at);
    ck_ok(saros_graph_make(&g));
    saros_value x = saros_input(g, &type, "x"), y = operation(x);
    ck_ok(saros_compile(g, 1, &x, 1, &y, &(saros_compile_options){.backend = backend}, &f));
    ck_ok(saros_function_call(f, &at, &out, NULL));
    saros_function_release(f);
    saros_graph_release(g);
    return out;
}

static void check_same(saros_tensor *a, saros_tensor *b, const char *what, int k, int s) {
    size_t bytes = (size_t)saros_tensor_count(a) * saros_dtype_bytes(saros_tensor_dtype(a));
    ck_assert_int_eq(saros_tensor_count(a), saros_tensor_count(b));
    ck_assert_msg(memcmp(saros_tensor_const_data(a), saros_tensor_const_data(b), bytes) == 0,
                  "operation %d, shape %d: %s", k, s, what);
}

START_TEST(every_layout_gives_the_bits_of_the_reference) {
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64};
    const saros_dtype dtype = dtypes[_i];
    for (int s = 0; s < (int)(sizeof shapes / sizeof *shapes); ++s)
        for (int k = 0; k < (int)(sizeof operations / sizeof *operations); ++k) {
            saros_tensor *at = run_random(dtype, shapes[s].rank, shapes[s].shape, -4, 4, 3);
            ck_ok(saros_threads_set(1));
            saros_tensor *a = run_on("reference", operations[k], at);
            for (int threads = 1; threads <= 4; threads += 3) {
                ck_ok(saros_threads_set(threads));
                saros_tensor *b = run_on("cpu", operations[k], at);
                check_same(a, b, threads == 1 ? "one thread" : "four threads", k, s);
                saros_tensor_release(b);
            }
            saros_tensor_release(a);
            saros_tensor_release(at);
        }
}
END_TEST

/** Results above 32 MB are stored past the caches. */
START_TEST(results_larger_than_the_caches_are_whole) {
    const int64_t shape[2] = {2056, 2064}; /* rows begin on whole lines */
    saros_tensor *at = run_random(SAROS_F64, 2, shape, -4, 4, 3);
    for (int k = 0; k < (int)(sizeof operations / sizeof *operations); ++k) {
        saros_tensor *a = run_on("reference", operations[k], at);
        saros_tensor *b = run_on("cpu", operations[k], at);
        check_same(a, b, "large", k, 0);
        saros_tensor_release(a);
        saros_tensor_release(b);
    }
    saros_tensor_release(at);
}
END_TEST

/** The kernel of y = x * x + 1 writes into the middle of a larger array. */
START_TEST(results_may_lie_inside_of_larger_arrays) {
    static const int64_t sizes[][2] = {{90, 70}, {500, 3}, {64, 1}, {1, 64}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
        const int64_t n = sizes[s][0], m = sizes[s][1], around[2] = {n + 2, m + 4};
        saros_graph *g = NULL;
        saros_body *body = NULL, *fused = NULL;
        saros_tensor *at = run_random(SAROS_F64, 2, sizes[s], -4, 4, 3), *all = NULL, *view = NULL;
        saros_type type = saros_tensor_type(at);
        ck_ok(saros_graph_make(&g));
        saros_value x = saros_input(g, &type, "x");
        saros_value y = saros_abs(saros_add(saros_mul(x, x), saros_like(x, 1.0)));
        ck_ok(saros_body_extract(g, 1, &x, 1, &y, &body, NULL));
        ck_ok(saros_kernel_fuse(body, 0, false, &fused));
        ck_ok(saros_tensor_zeros(SAROS_F64, 2, around, &all));
        ck_ok(saros_tensor_view(all, 2, sizes[s], (int64_t[]){m + 4, 1}, m + 4 + 2, &view));
        saros_graph *inside = saros_body_graph(fused);
        saros_node node = saros_graph_node(inside, saros_graph_count(inside) - 1, NULL);
        ck_assert_ptr_eq(node.row, &saros_row_kernel);
        ck_ok(node.row->evaluate(&(saros_evaluation){.row = node.row,
                                                     .attributes = &node.attributes,
                                                     .ins = 1,
                                                     .outs = 1,
                                                     .in = &at,
                                                     .out = &view}));
        const double *in = saros_tensor_const_data(at), *out = saros_tensor_const_data(all);
        for (int64_t i = 0; i < n + 2; ++i)
            for (int64_t j = 0; j < m + 4; ++j) {
                bool within = i >= 1 && i <= n && j >= 2 && j < m + 2;
                double a = within ? in[(i - 1) * m + j - 2] : 0;
                ck_assert_double_eq(out[i * (m + 4) + j], within ? a * a + 1.0 : 0.0);
            }
        saros_tensor_release(at);
        saros_tensor_release(view);
        saros_tensor_release(all);
        saros_body_release(body);
        saros_body_release(fused);
        saros_graph_release(g);
    }
}
END_TEST

int main(void) {
    if (saros_jit_bits() == 0) {
        printf("no code generator here: the compiled backend is not tested\n");
        return EXIT_SUCCESS;
    }
    const saros_check_test tests[] = {{every_layout_gives_the_bits_of_the_reference, 3},
                                      {results_larger_than_the_caches_are_whole, 1},
                                      {results_may_lie_inside_of_larger_arrays, 1}};
    return saros_check_loops("core/kernel_layout", tests, (int)(sizeof tests / sizeof *tests));
}
