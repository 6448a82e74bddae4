/** Windows of cheap values computed from windows: transposed stencils against loops by hand. */
#include "engine_rows.h"

#include <string.h>

enum { N = 37, WIDE = 2 };

/** x among its own entries: periodic, or reflected at its ends. */
static saros_value around(saros_value x, bool reflected, int64_t low, int64_t high) {
    saros_value part[3];
    int parts = 0;
    if (low) part[parts++] = saros_slice(x, 0, reflected ? 1 : N - low, reflected ? low + 1 : N, 1);
    part[parts++] = x;
    if (high)
        part[parts++] =
            saros_slice(x, 0, reflected ? N - high - 1 : 0, reflected ? N - 1 : high, 1);
    return saros_concat(parts, part, 0);
}
static saros_value window(saros_value wide, int64_t first) {
    return saros_slice(wide, 0, first, first + N, 1);
}

/** What the reverse sweep makes of y_{i-1}^2 - c y_{i+1}^2 with cotangent k: products with both
 * neighbours, shifted back. */
static saros_value transposed(saros_value y, saros_value k, saros_value c, bool reflected) {
    const saros_value wide = around(y, reflected, WIDE, WIDE),
                      many = saros_broadcast(c, 1, (int64_t[]){N}, NULL);
    const saros_value left = saros_mul(window(wide, WIDE - 1), k),
                      right = saros_mul(saros_mul(window(wide, WIDE + 1), k), many);
    return saros_sub(window(around(left, reflected, 0, 1), 1),
                     window(around(right, reflected, 1, 0), 0));
}

static double entry(const double *x, int i, bool reflected) {
    if (i >= 0 && i < N) return x[i];
    if (!reflected) return x[(i + N) % N];
    return x[i < 0 ? -i : 2 * (N - 1) - i];
}
static void by_hand(const double *y, const double *k, double c, bool reflected, double *out) {
    double left[N], right[N];
    for (int i = 0; i < N; ++i) {
        left[i] = entry(y, i - 1, reflected) * k[i];
        right[i] = entry(y, i + 1, reflected) * k[i] * c;
    }
    for (int i = 0; i < N; ++i)
        out[i] = entry(left, i + 1, reflected) - entry(right, i - 1, reflected);
}

static saros_function *compile_transposed(bool reflected, bool kept) {
    saros_graph *g = new_graph();
    const int64_t n = N;
    saros_value in[3] = {input_of(g, SAROS_F64, 1, &n, "y"), input_of(g, SAROS_F64, 1, &n, "k"),
                         input_of(g, SAROS_F64, 0, NULL, "c")};
    const saros_value k = saros_mul(in[1], saros_like(in[1], 3)),
                      out[2] = {transposed(in[0], k, in[2], reflected), k};
    saros_function *f = NULL;
    ck_ok(saros_compile(g, 3, in, 1 + kept, out, NULL, &f));
    saros_graph_release(g);
    return f;
}

static void check(bool reflected, bool kept) {
    const int64_t n = N;
    saros_tensor *in[3] = {NULL}, *out[2] = {NULL};
    double k[N], wanted[N];
    for (int j = 0; j < 3; ++j) ck_ok(saros_tensor_make(SAROS_F64, j < 2, &n, &in[j]));
    double *y = saros_tensor_data(in[0]), *half = saros_tensor_data(in[1]);
    *(double *)saros_tensor_data(in[2]) = 5;
    for (int i = 0; i < N; ++i) {
        y[i] = i * 7 % 19 - 9;
        half[i] = i * 11 % 23 - 7;
        k[i] = 3 * half[i];
    }
    by_hand(y, k, 5, reflected, wanted);
    saros_function *f = compile_transposed(reflected, kept);
    ck_ok(saros_function_call(f, in, out, NULL));
    for (int i = 0; i < N; ++i) ck_assert_double_eq(at(out[0], i), wanted[i]);
    for (int i = 0; kept && i < N; ++i) ck_assert_double_eq(at(out[1], i), k[i]);
    for (int j = 0; j < 3; ++j) saros_tensor_release(in[j]);
    for (int j = 0; j < 2; ++j) saros_tensor_release(out[j]);
    saros_function_release(f);
}

START_TEST(products_with_neighbours_agree_with_loops_by_hand) {
    for (int k = 0; k < 4; ++k) check(k & 1, k & 2);
}
END_TEST

static int count(const char *text, const char *word) {
    int n = 0;
    while ((text = strstr(text, word))) {
        ++n;
        ++text;
    }
    return n;
}

START_TEST(one_array_with_ghosts_takes_the_place_of_two) {
    static char text[10000];
    saros_function *f = compile_transposed(false, false);
    ck_assert_uint_lt(saros_function_dump(f, text, sizeof text), sizeof text);
    /* y lies among no ghosts at all: neighbours of neighbours are y itself */
    ck_assert_msg(count(text, "concat f64") == 1, "%s", text);
    saros_function_release(f);
}
END_TEST

static saros_status compile_one(void) {
    saros_graph *g = NULL;
    saros_function *f = NULL;
    const int64_t n = N;
    saros_status status = saros_graph_make(&g);
    if (status != SAROS_OK) return status;
    saros_value in[3] = {input_of(g, SAROS_F64, 1, &n, "y"), input_of(g, SAROS_F64, 1, &n, "k"),
                         input_of(g, SAROS_F64, 0, NULL, "c")};
    const saros_value out = transposed(in[0], in[1], in[2], false);
    status = saros_compile(g, 3, in, 1, &out, NULL, &f);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}
START_TEST(each_allocation_may_fail) {
    ck_assert_int_gt(fail_each_allocation(compile_one), 30);
}
END_TEST

SAROS_TEST_MAIN("core/push_windows", products_with_neighbours_agree_with_loops_by_hand,
                one_array_with_ghosts_takes_the_place_of_two, each_allocation_may_fail)
