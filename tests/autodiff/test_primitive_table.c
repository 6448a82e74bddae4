/** Every primitive row of core through the table-driven checks of primitive_table.h. Set
 * SAROS_TABLE_VERBOSE to see the largest errors. */
#include "autodiff/core_examples.h"

enum { EXAMPLES = sizeof core_examples / sizeof *core_examples };

START_TEST(every_row_is_described_and_has_an_example) {
    int rows;
    const saros_primitive *const *row = saros_core_primitives(&rows);
    for (int r = 0; r < rows; ++r) table_check_row(row[r]);
    table_check_covered(rows, row, EXAMPLES, core_examples);
}
END_TEST

START_TEST(every_row_keeps_its_rules) {
    for (int k = 0; k < EXAMPLES; ++k) table_check_example(&core_examples[k]);
    table_report();
}
END_TEST

SAROS_TEST_MAIN("autodiff/primitive_table", every_row_is_described_and_has_an_example,
                every_row_keeps_its_rules)
