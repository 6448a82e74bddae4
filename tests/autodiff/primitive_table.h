/** The table-driven test of primitive rows: every row of a list needs an example, and every example
 * is put through all checks. Any floor can hand its own rows and examples to table_check_row,
 * table_check_covered and table_check_example.
 *
 *      static int build_add(saros_graph *g, const saros_value *x, saros_value *y) {
 *          y[0] = saros_add(x[0], x[1]);
 *          return 1;
 *      }
 *      {"add", 2, {TABLE_F2(-1, 1, N, 3), TABLE_F2(-1, 1, N, 3)}, .build = build_add},
 *
 *  SAROS_TABLE_ROW=NAME checks the examples of one row alone, SAROS_TABLE_VERBOSE=1 prints the
 * largest errors.
 *
 *  Checks: doc, a differentiation column or `constant`, batching; shape rule against evaluation;
 * jvp against central differences; <Jv,w> = <v,J^T w>; jet against nested jvp to order 4; vmap
 * against single calls; strided, broadcast and empty inputs; f32 against f64; axes against
 * evaluation in parts; and most of this for every word of modes (table_words.h). */
#ifndef SAROS_TESTS_PRIMITIVE_TABLE_H
#define SAROS_TESTS_PRIMITIVE_TABLE_H

#include <stdio.h>

#include "autodiff/table_axes.h"
#include "autodiff/table_derivatives.h"
#include "autodiff/table_layouts.h"
#include "autodiff/table_words.h"

static inline bool table_is_leaf(const saros_primitive *row) {
    return row->operands == 0;
}

static inline void table_check_row(const saros_primitive *row) {
    ck_assert_msg(row->doc && row->doc[0], "row '%s' has no doc", row->name);
    bool region = row == &saros_row_loop || row == &saros_row_loop_reverse ||
                  row == &saros_row_cond; /* rules live in autodiff */
    bool rule = row->linear_in[0] || row->partial || row->jvp || row->vjp || region;
    ck_assert_msg(rule || (row->flags & SAROS_CONSTANT), "row '%s' has no derivative", row->name);
    ck_assert_msg(!row->linear_in[0] || row->transpose || row->vjp,
                  "row '%s' is linear and has no transpose", row->name);
    bool lanes = row == &saros_row_call; /* foreign code runs lane by lane */
    bool batch =
        row->batch || (row->flags & SAROS_POINTWISE) || region || lanes || table_is_leaf(row);
    ck_assert_msg(batch, "row '%s' has no batch column", row->name);
}

/* ---- all ---- */

static inline void table_check_example(const table_example *example) {
    const char *only = getenv("SAROS_TABLE_ROW");
    if (only && strcmp(only, example->row) != 0) return;
    table_check_evaluation(example, SAROS_F64, 3);
    table_check_evaluation(example, SAROS_F32, 3);
    table_check_layouts(example);
    if (!(example->without & TABLE_NO_DIFFERENCES)) table_check_jvp(example);
    table_check_dot(example, SAROS_F64);
    table_check_dot(example, SAROS_F32);
    table_check_narrow(example);
    table_check_jet(example);
    table_check_batch(example);
    table_check_words(example);
    table_check_axes(example);
}

/** Every row needs at least one example. */
static inline void table_check_covered(int rows, const saros_primitive *const *row, int examples,
                                       const table_example *example) {
    for (int r = 0; r < rows; ++r) {
        bool found = false;
        for (int k = 0; k < examples; ++k) found = found || !strcmp(row[r]->name, example[k].row);
        ck_assert_msg(found, "row '%s' has no example in the table", row[r]->name);
    }
}

static inline void table_report(void) {
    if (!getenv("SAROS_TABLE_VERBOSE")) return;
    fprintf(stderr, "jvp %.1e (%s), dot %.1e (%s), jet %.1e (%s), f32 %.1e (%s), words %.1e (%s)\n",
            table_seen.jvp, table_seen.jvp_row, table_seen.dot, table_seen.dot_row, table_seen.jet,
            table_seen.jet_row, table_seen.narrow, table_seen.narrow_row, table_seen.word,
            table_seen.word_row);
}

#endif
