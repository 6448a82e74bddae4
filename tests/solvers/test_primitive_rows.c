/** Every primitive row of the solvers through the table-driven checks of autodiff. These rows are
 * f64: f32 operands are cast on the way in and out. */
#include "autodiff/primitive_table.h"

#include "root_impl.h"
#include "weigh_impl.h"

/* x_i^3 + p x_i + x_{i-1}^2/4 = q_i */
static saros_status cubic(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    const saros_value *k = user;
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value quarter = saros_mul(saros_like(left, 0.25), saros_power(left, 2));
    saros_value own = saros_add(saros_power(x, 3), saros_mul(k[0], x));
    *f = saros_sub(saros_add(own, quarter), k[1]);
    return SAROS_OK;
}

static saros_value root_of(saros_graph *g, const saros_value *in) {
    saros_value k[2] = {saros_cast(in[0], SAROS_F64), saros_cast(in[1], SAROS_F64)};
    saros_type type = *saros_value_type(k[1]);
    return saros_root(saros_splat(g, &type, 0.5), cubic, k,
                      &(saros_root_options){.rtol = 1e-15, .name = "cubic"});
}

static saros_value like_dtype(saros_value v, saros_value like) {
    return saros_cast(v, saros_value_dtype(like));
}

static int build_root(saros_graph *g, const saros_value *in, saros_value *out) {
    out[0] = like_dtype(root_of(g, in), in[0]);
    return 1;
}

/* J^{-1} b or J^{-T} b at the root */
static saros_value solve_at(saros_graph *g, const saros_value *in, bool transposed) {
    saros_value x = root_of(g, in), operand[8] = {x};
    saros_node node = saros_graph_node(g, x.id, NULL);
    saros_body *product = node.attributes.body[1];
    saros_tensor *setup = node.attributes.tensor;
    int ins = node.operands;
    for (int k = 1; k < ins; ++k) operand[k] = (saros_value){g, node.operand[k]};
    saros_value b = saros_cast(in[2], SAROS_F64);
    return like_dtype(
        saros_root_solve(g, product, setup, SAROS_SOLVE_DERIVATIVE, transposed, b, ins, operand),
        in[0]);
}

static int build_solve(saros_graph *g, const saros_value *in, saros_value *out) {
    out[0] = solve_at(g, in, false);
    return 1;
}
static int build_solve_transposed(saros_graph *g, const saros_value *in, saros_value *out) {
    out[0] = solve_at(g, in, true);
    return 1;
}

static int build_weigh(saros_graph *g, const saros_value *in, saros_value *out) {
    (void)g;
    static const double m[] = {1, -2, 0.5, 3, 0, -1};
    saros_value y = saros_weigh(saros_cast(in[0], SAROS_F64), 0, 2, 3, m);
    out[0] = like_dtype(saros_weigh(y, saros_value_rank(y) - 1, 1, 3, m), in[0]);
    return 1;
}

#define VECTOR                                                                                     \
    { 'f', 1, {N}, 0.5, 1.5 }
#define SCALAR                                                                                     \
    { 'f', 0, {0}, 0.5, 1.5 }
static const table_example examples[] = {
    {"root", 2, {SCALAR, VECTOR}, .build = build_root, .slack = 20},
    {"root_factor", 3, {SCALAR, VECTOR, VECTOR}, .build = build_solve, .slack = 20},
    {"root_solve", 3, {SCALAR, VECTOR, VECTOR}, .build = build_solve, .slack = 20},
    {"root_solve",
     3,
     {SCALAR, VECTOR, {'f', 2, {2, N}, -1, 1}},
     .build = build_solve_transposed,
     .slack = 20},
    {"weigh", 1, {{'f', 3, {3, N, 3}, -1, 1}}, .build = build_weigh},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

START_TEST(every_row_is_described_and_has_an_example) {
    int rows;
    const saros_primitive *const *row = saros_solver_primitives(&rows);
    for (int r = 0; r < rows; ++r) table_check_row(row[r]);
    table_check_covered(rows, row, EXAMPLES, examples);
}
END_TEST

START_TEST(every_row_keeps_its_rules) {
    for (int k = 0; k < EXAMPLES; ++k) table_check_example(&examples[k]);
    table_report();
}
END_TEST

SAROS_TEST_MAIN("solvers/primitive_rows", every_row_is_described_and_has_an_example,
                every_row_keeps_its_rules)
