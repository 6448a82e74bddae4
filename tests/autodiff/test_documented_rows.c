/** The code of docs/differentiation.md and the primitive of docs/adding.md, taken from these pages,
 * through the checks of every row. */
#include "autodiff/primitive_table.h"

#include "snippets/differentiation_1.h"

/* the row is in the library already: here it gets other names */
#define saros_row_asinh documented_row_asinh
#define saros_asinh documented_asinh
saros_value documented_asinh(saros_value x);
extern const saros_primitive documented_row_asinh;
#include "../core/primitives/pointwise_impl.h"

#include "snippets/adding_1.h"

static const table_example examples[] = {
    {"logcosh", 1, {TABLE_F2(-2, 2, N, 4)}, .unary = logcosh},
    {"asinh", 1, {TABLE_F2(-2, 2, N, 4)}, .unary = documented_asinh},
};

START_TEST(documented_rows_keep_the_rules) {
    table_check_row(&row_logcosh);
    table_check_row(&documented_row_asinh);
    for (int k = 0; k < 2; ++k) table_check_example(&examples[k]);
}
END_TEST

START_TEST(documented_row_refuses_integers) {
    saros_graph *g = NULL;
    ck_ok(saros_graph_make(&g));
    ck_assert(saros_is_poisoned(logcosh(saros_scalar(g, SAROS_I64, 3))));
    ck_assert_int_eq(saros_graph_status(g), SAROS_ERR_TYPE);
    saros_graph_release(g);
}
END_TEST

SAROS_TEST_MAIN("autodiff/documented_rows", documented_rows_keep_the_rules,
                documented_row_refuses_integers)
