/** Groups after all: members that move to the kernel that reads them, kernels that share loads. */
#include "engine_rows.h"

#include <string.h>

enum { ROWS = 12, COLUMNS = 40 };

static saros_value times(double c, saros_value x) {
    return saros_mul(saros_like(x, c), x);
}

/** How often `word` stands in the dump of outputs of x; -1: nothing is fused here. */
static int count_in_dump(saros_graph *g, saros_value x, int outputs, const saros_value *out,
                         const char *word) {
    static char text[1 << 16];
    saros_function *f = NULL;
    int count = 0;
    ck_ok(saros_compile(g, 1, &x, outputs, out, NULL, &f));
    ck_assert_uint_lt(saros_function_dump(f, text, sizeof text), sizeof text);
    for (const char *at = text; (at = strstr(at, word)); ++at) ++count;
    saros_function_release(f);
    return strcmp(saros_backend_default(NULL), "cpu") ? -1 : count;
}

static saros_value field(saros_graph *g) {
    return input_of(g, SAROS_F64, 2, (int64_t[]){ROWS, COLUMNS}, "x");
}

/** Sum of the neighbours above and below. */
static saros_value neighbours(saros_value u) {
    saros_value tall = saros_pad(u, 0, 1, 1, 0, 0);
    return saros_add(saros_slice(tall, 0, 0, ROWS, 1), saros_slice(tall, 0, 2, ROWS + 2, 1));
}

/** y goes through memory for its neighbours; 3 y^2 would too if it stayed where y is made. */
START_TEST(pointwise_terms_go_to_the_stencil_that_reads_them) {
    saros_graph *g = new_graph();
    saros_value x = field(g), y = saros_add(saros_mul(x, times(2, x)), saros_like(x, 1));
    saros_value out = saros_sub(neighbours(y), times(3, saros_mul(y, y)));
    int kernels = count_in_dump(g, x, 1, &out, "kernel:");
    if (kernels >= 0) {
        ck_assert_int_eq(kernels, 2);
        ck_assert_int_eq(count_in_dump(g, x, 1, &out, "1 stores"), 2);
    }
    saros_graph_release(g);
}
END_TEST

START_TEST(kernels_that_load_a_value_in_common_become_one) {
    saros_graph *g = new_graph();
    saros_value x = field(g), a = neighbours(x), b = neighbours(times(2, x));
    saros_value out[] = {saros_sub(a, times(3, x)), saros_sub(b, times(5, x))};
    int kernels = count_in_dump(g, x, 2, out, "kernel:");
    if (kernels >= 0) ck_assert_int_le(kernels, 2); /* 2 x, and both results */
    saros_graph_release(g);
}
END_TEST

/** q = 1 - y^2 of two kernels that read y anyway. */
static void near_and_far(saros_value x, saros_value *out) {
    saros_value y = saros_add(saros_mul(x, times(2, x)), saros_like(x, 1));
    saros_value q = saros_sub(saros_like(y, 1), saros_mul(y, y));
    out[0] = saros_mul(saros_add(neighbours(y), y), q);
    out[1] = saros_mul(saros_sub(neighbours(out[0]), y), q);
}

START_TEST(what_is_a_few_operations_away_from_a_load_is_made_again) {
    saros_graph *g = new_graph();
    saros_value x = field(g), out[2];
    near_and_far(x, out);
    if (count_in_dump(g, x, 2, out, "kernel:") >= 0) {
        ck_assert_int_eq(count_in_dump(g, x, 2, out, "kernel:"), 3);
        ck_assert_int_eq(count_in_dump(g, x, 2, out, "1 stores"), 3); /* y, and both results */
    }
    saros_graph_release(g);
}
END_TEST

/** Both results of near_and_far on `backend`. */
static void run_near_and_far(const char *backend, saros_tensor **out) {
    saros_graph *g = new_graph();
    saros_value x = field(g), value[2];
    saros_function *f = NULL;
    saros_tensor *in = NULL;
    near_and_far(x, value);
    ck_ok(saros_tensor_make(SAROS_F64, 2, (int64_t[]){ROWS, COLUMNS}, &in));
    double *data = saros_tensor_data(in);
    for (int k = 0; k < ROWS * COLUMNS; ++k) data[k] = 0.37 * (k % 11) - 1.3 * (k % 7);
    ck_ok(saros_compile(g, 1, &x, 2, value, &(saros_compile_options){.backend = backend}, &f));
    ck_ok(saros_function_call(f, &in, out, NULL));
    saros_function_release(f);
    saros_tensor_release(in);
    saros_graph_release(g);
}

START_TEST(what_is_made_again_has_the_same_bits) {
    saros_tensor *ours[2] = {NULL}, *reference[2] = {NULL};
    run_near_and_far(NULL, ours);
    run_near_and_far("reference", reference);
    for (int k = 0; k < 2; ++k) {
        ck_assert_mem_eq(saros_tensor_const_data(ours[k]), saros_tensor_const_data(reference[k]),
                         ROWS * COLUMNS * sizeof(double));
        saros_tensor_release(ours[k]);
        saros_tensor_release(reference[k]);
    }
}
END_TEST

SAROS_TEST_MAIN("core/fuse", pointwise_terms_go_to_the_stencil_that_reads_them,
                kernels_that_load_a_value_in_common_become_one,
                what_is_a_few_operations_away_from_a_load_is_made_again,
                what_is_made_again_has_the_same_bits)
