/** What contractions become on the compiled backend: sums of products in one memory, right operands
 * packed once, short contractions inside kernels; gradients of slices joined end to end. Each shown
 * by the steps of the function and by its values against the reference. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "primitive_run.h"

enum { MOST = 8 };

typedef struct program {
    saros_graph *graph;
    saros_value in[MOST];
    saros_tensor *x[MOST];
    int inputs;
    char text[6000]; /* the steps */
} program;

static program open_program(void) {
    program p = {0};
    ck_ok(saros_graph_make(&p.graph));
    return p;
}

static saros_value input(program *p, saros_dtype dtype, int64_t rows, int64_t columns) {
    const int k = p->inputs++;
    const saros_type type = saros_type_make(dtype, 2, SHAPE(rows, columns));
    p->x[k] = run_random(dtype, 2, type.shape, -1, 1, (unsigned)k + 1);
    return p->in[k] = saros_input(p->graph, &type, NULL);
}

static saros_tensor *run_on(program *p, saros_value y, const char *backend) {
    saros_function *f = NULL;
    saros_tensor *out = NULL;
    ck_ok(saros_compile(p->graph, p->inputs, p->in, 1, &y,
                        &(saros_compile_options){.backend = backend}, &f));
    saros_function_dump(f, p->text, sizeof p->text);
    ck_ok(saros_function_call(f, p->x, &out, NULL));
    saros_function_release(f);
    return out;
}

/** Runs y on both backends; values may differ by `terms` roundings of sums of terms of size 1. */
static void check(program *p, saros_value y, int terms) {
    saros_tensor *want = run_on(p, y, "reference"), *got = run_on(p, y, NULL);
    const double eps = saros_value_dtype(y) == SAROS_F64 ? 0x1p-53 : 0x1p-24;
    for (int64_t i = 0; i < saros_tensor_count(want); ++i)
        ck_near(run_item(got, i), run_item(want, i), 2 * terms * eps * sqrt(terms));
    saros_tensor_release(want);
    saros_tensor_release(got);
}

static void close_program(program *p) {
    for (int k = 0; k < p->inputs; ++k) saros_tensor_release(p->x[k]);
    saros_graph_release(p->graph);
}

/** How many steps have this name. */
static int steps(const program *p, const char *name) {
    char line[64];
    int count = 0;
    snprintf(line, sizeof line, "\n%s ", name);
    for (const char *at = p->text; (at = strstr(at, line)); ++at) ++count;
    return count;
}

static bool compiled(void) {
    return strcmp(saros_backend_default(NULL), "cpu") == 0;
}

static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32};

START_TEST(a_sum_of_products_adds_up_in_one_memory) {
    for (int d = 0; d < 2; ++d) {
        program p = open_program();
        saros_value sum = input(&p, dtypes[d], 20, 30);
        for (int k = 0; k < 3; ++k)
            sum = saros_add(
                sum, saros_matmul(input(&p, dtypes[d], 20, 40), input(&p, dtypes[d], 40, 30)));
        check(&p, sum, 121);
        if (compiled()) {
            ck_assert_int_eq(steps(&p, "accumulate"), 3);
            ck_assert_int_eq(steps(&p, "dot") + steps(&p, "kernel") + steps(&p, "add"), 0);
        }
        close_program(&p);
    }
}
END_TEST

START_TEST(other_terms_of_a_sum_are_added_to_its_products) {
    program p = open_program();
    const saros_value a = input(&p, SAROS_F64, 20, 40), b = input(&p, SAROS_F64, 40, 30);
    const saros_value c = input(&p, SAROS_F64, 20, 30), one = saros_like(c, 1);
    const saros_value first = saros_matmul(a, b), second = saros_matmul(saros_sin(a), b);
    /* (c + first) + (second + 1): c is needed twice and must stay as it is */
    const saros_value sum = saros_add(saros_add(c, first), saros_add(second, one));
    check(&p, saros_mul(sum, c), 82);
    if (compiled()) {
        ck_assert_int_eq(steps(&p, "accumulate"), 1);
        ck_assert_int_eq(steps(&p, "dot"), 1);
    }
    close_program(&p);
}
END_TEST

START_TEST(a_product_that_is_needed_elsewhere_stays) {
    program p = open_program();
    const saros_value a = input(&p, SAROS_F64, 20, 40), b = input(&p, SAROS_F64, 40, 30);
    const saros_value c = saros_matmul(a, b), d = saros_matmul(saros_cos(a), b);
    check(&p, saros_mul(saros_add(c, d), d), 82);
    if (compiled()) ck_assert_int_eq(steps(&p, "dot"), 2);
    close_program(&p);
}
END_TEST

START_TEST(a_transposed_right_operand_is_packed_once) {
    program p = open_program();
    const saros_value a = input(&p, SAROS_F64, 100, 40), w = input(&p, SAROS_F64, 30, 40);
    const saros_value c = saros_matmul(a, saros_transpose(w));
    const saros_value d = saros_matmul(saros_sin(a), saros_transpose(w));
    check(&p, saros_mul(c, d), 80);
    if (compiled()) {
        ck_assert_int_eq(steps(&p, "pack"), 1);
        ck_assert_int_eq(steps(&p, "dot"), 2);
    }
    close_program(&p);
}
END_TEST

START_TEST(few_elements_are_contracted_inside_kernels) {
    for (int64_t k = 1; k <= 4; ++k)
        for (int layout = 0; layout < 4; ++layout) {
            program p = open_program();
            const saros_dtype dtype = dtypes[k % 2];
            saros_value a =
                layout & 1 ? saros_transpose(input(&p, dtype, k, 33)) : input(&p, dtype, 33, k);
            saros_value b =
                layout & 2 ? saros_transpose(input(&p, dtype, 21, k)) : input(&p, dtype, k, 21);
            const saros_value c = saros_matmul(a, b);
            check(&p, saros_mul(saros_add(c, saros_like(c, 1)), c), 10);
            if (compiled()) {
                ck_assert_int_eq(steps(&p, "dot"), 0);
                ck_assert_int_eq(steps(&p, "kernel"), 1);
            }
            close_program(&p);
        }
}
END_TEST

/** Gradient-like sum of windows [from, to) of rows of x, each weighted. */
static saros_value windows(saros_value x, int n, const int64_t (*window)[2]) {
    const int64_t rows = saros_value_type(x)->shape[0];
    saros_value sum = SAROS_NONE;
    for (int k = 0; k < n; ++k) {
        saros_value part = saros_slice(x, 0, window[k][0], window[k][1], 1);
        part = saros_mul(part, saros_like(part, k + 1));
        part = saros_pad(part, 0, window[k][0], rows - window[k][1], 0, 0);
        sum = k ? saros_add(sum, part) : part;
    }
    return sum;
}

START_TEST(windows_that_do_not_overlap_are_joined) {
    static const int64_t apart[][2] = {{30, 40}, {0, 10}, {12, 20}, {20, 25}};
    static const int64_t over[][2] = {{0, 21}, {20, 40}};
    program p = open_program();
    const saros_value x = input(&p, SAROS_F64, 40, 3);
    saros_tensor *got = run_on(&p, windows(x, 4, apart), "reference");
    for (int64_t i = 0; i < 120; ++i) {
        const int64_t row = i / 3;
        const int weight = row < 10 ? 2 : row < 12 ? 0 : row < 20 ? 3 : row < 25 ? 4 : row >= 30;
        ck_assert_double_eq(run_item(got, i), weight * run_item(p.x[0], i));
    }
    saros_tensor_release(got);
    ck_assert_int_eq(steps(&p, "concat"), 1);
    ck_assert_int_eq(steps(&p, "pad"), 0);
    got = run_on(&p, windows(x, 2, over), "reference");
    ck_assert_double_eq(run_item(got, 60), 3 * run_item(p.x[0], 60));
    ck_assert_int_eq(steps(&p, "concat"), 2); /* with the zeros behind one, before the other */
    ck_assert_int_eq(steps(&p, "pad"), 0);
    saros_tensor_release(got);
    close_program(&p);
}
END_TEST

SAROS_TEST_MAIN("core/gemm_lower", a_sum_of_products_adds_up_in_one_memory,
                other_terms_of_a_sum_are_added_to_its_products,
                a_product_that_is_needed_elsewhere_stays, a_transposed_right_operand_is_packed_once,
                few_elements_are_contracted_inside_kernels, windows_that_do_not_overlap_are_joined)
