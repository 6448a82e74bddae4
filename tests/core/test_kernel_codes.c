/** Quick and thorough code of a kernel: which is made when, and that both give the same bits, for
 * bodies whose operations stand once and twice, for full vectors, tails and sums of rows. */
#include "saros_check.h"

#include <string.h>

#include "kernel/kernel_impl.h"
#include "saros/ops.h"

enum { ROWS = 3, COLUMNS = 203 };

/** The only kernel of out(in), made on ROWS x COLUMNS; the body that holds it is to release. */
static const saros_fused *kernel_of(saros_value in, saros_value out, saros_body **body) {
    saros_body *whole = NULL;
    const saros_fused *found = NULL;
    ck_ok(saros_body_extract(in.graph, 1, &in, 1, &out, &whole, NULL));
    ck_ok(saros_kernel_fuse(whole, 0, false, body));
    saros_body_release(whole);
    saros_graph *g = saros_body_graph(*body);
    for (int32_t id = 0; id < saros_graph_count(g);) {
        saros_node node = saros_graph_node(g, id, NULL);
        if (node.row == &saros_row_kernel) {
            ck_assert_ptr_null(found);
            found = saros_kernel_of(node.attributes.tensor);
        }
        id += node.outputs;
    }
    ck_assert_ptr_nonnull(found);
    return found;
}

/** Runs the code on the rows of x. */
static void run(saros_kernel_code *code, const double *x, double *y, bool reduces) {
    const int64_t row = COLUMNS * (int64_t)sizeof *x;
    const int64_t stride = row, result = reduces ? (int64_t)sizeof *y : row;
    const char *in[] = {(const char *)x};
    char *out[] = {(char *)y};
    code(ROWS, COLUMNS, in, &stride, out, &result);
}

/** Both codes of the kernel of `op`, asked for as a call and as a great many are. */
static void check_levels(saros_unary_fn *op, bool reduces) {
    static double x[ROWS * COLUMNS], quick_y[ROWS * COLUMNS], y[ROWS * COLUMNS];
    const int64_t shape[2] = {ROWS, COLUMNS};
    const saros_kernel_pattern pattern = {.mode = reduces ? SAROS_NEST_ROWS : SAROS_NEST_POINTWISE};
    saros_kernel_codes codes = {0};
    saros_kernel_code *quick = NULL, *thorough = NULL, *again = NULL;
    saros_graph *g = NULL;
    saros_body *body = NULL;
    saros_type type = saros_type_make(SAROS_F64, 2, shape);
    ck_ok(saros_graph_make(&g));
    const saros_value in = saros_input(g, &type, "x");
    const saros_fused *kernel = kernel_of(in, op(in), &body);
    saros_kernel_codes_open(&codes);
    ck_ok(saros_kernel_codes_find(&codes, kernel, pattern, 1000, &quick));
    ck_ok(saros_kernel_codes_find(&codes, kernel, pattern, 1000, &again));
    ck_assert(again == quick);
    ck_ok(saros_kernel_codes_find(&codes, kernel, pattern, 1e9, &thorough));
    ck_assert(thorough != quick);
    ck_ok(saros_kernel_codes_find(&codes, kernel, pattern, 1000, &again));
    ck_assert(again == thorough);
    for (int i = 0; i < ROWS * COLUMNS; ++i) x[i] = (i * 37 % 101 - 50) * 0.0625;
    memset(quick_y, 0, sizeof quick_y);
    memset(y, 0, sizeof y);
    run(quick, x, quick_y, reduces);
    run(thorough, x, y, reduces);
    ck_assert_mem_eq(quick_y, y, sizeof y);
    double sum = 0;
    for (int i = 0; i < ROWS * COLUMNS; ++i) sum += y[i] * y[i];
    ck_assert(sum > 0 && y[reduces ? ROWS - 1 : ROWS * COLUMNS - 1] != 0);
    saros_kernel_codes_close(&codes);
    saros_body_release(body);
    saros_graph_release(g);
}

static saros_value little(saros_value x) {
    return saros_maximum(saros_fma(x, x, x), saros_sub(x, saros_like(x, 0.5)));
}
static saros_value much(saros_value x) {
    return saros_add(saros_tanh(x), saros_exp(saros_minimum(saros_sin(x), x)));
}
static saros_value little_summed(saros_value x) {
    return saros_sum(little(x), 2);
}
static saros_value much_summed(saros_value x) {
    return saros_sum(much(x), 2);
}

START_TEST(quick_code_gives_the_bits_of_thorough_code) {
    if (!saros_jit_bits()) return;
    check_levels(little, false);
    check_levels(much, false);
    check_levels(little_summed, true);
    check_levels(much_summed, true);
}
END_TEST

SAROS_TEST_MAIN("core/kernel_codes", quick_code_gives_the_bits_of_thorough_code)
