/** Check of a row's axes: evaluated on the operands' entries from the second on, a row gives its
 * outputs' entries from the second on; evaluated on two parts of an axis that ends, it gives two
 * parts of its output. */
#ifndef SAROS_TESTS_TABLE_AXES_H
#define SAROS_TESTS_TABLE_AXES_H

#include "autodiff/table_case.h"

/** One node with its operands and outputs as tensors. */
typedef struct table_node {
    saros_node node;
    saros_type type[16 + TABLE_OUTPUTS];
    saros_tensor *at[16 + TABLE_OUTPUTS];
    saros_typing typing;
} table_node;

static inline int table_axis_to(const table_node *n, int operand, int axis) {
    const saros_axes *axes = n->node.row->axes;
    if (axes && axes->to) return axes->to(&n->typing, operand, axis);
    return n->node.row->flags & SAROS_POINTWISE ? axis : SAROS_AXIS_WHOLE;
}

/** The node on entries first … last - 1 of the operands' axes that go to `to`; outputs to release.
 * false: no axis does, and the row makes none. */
static inline bool table_cut(const table_node *n, int to, int64_t first, int64_t last,
                             saros_tensor **result) {
    const int ins = n->node.operands, outs = n->node.outputs;
    const saros_axes *axes = n->node.row->axes;
    bool cut = to >= 0 && axes && axes->made && axes->made(&n->typing, to);
    saros_graph *graph = NULL;
    saros_value in[16], out[TABLE_OUTPUTS];
    saros_tensor *part[16];
    ck_ok(saros_graph_make(&graph));
    for (int k = 0; k < ins; ++k) {
        saros_type type = n->type[k];
        int64_t offset = 0;
        for (int a = 0; a < type.rank; ++a) {
            if (table_axis_to(n, k, a) != to) continue;
            offset = first * saros_tensor_strides(n->at[k])[a];
            type.shape[a] = last - first;
            cut = true;
        }
        ck_ok(saros_tensor_view(n->at[k], type.rank, type.shape, saros_tensor_strides(n->at[k]),
                                offset, &part[k]));
        in[k] = saros_input(graph, &type, NULL);
    }
    saros_rule rule = {graph, n->node.row, n->node.attributes, ins, outs, in, NULL};
    saros_value from = saros_scalar(graph, SAROS_I64, (double)first);
    out[0] = cut && to >= 0 && axes && axes->cut
                 ? axes->cut(&rule, to, last - first, from)
                 : saros_build(graph, n->node.row, &n->node.attributes, ins, in);
    for (int m = 1; m < outs; ++m) out[m] = saros_output(out[0], m);
    if (cut) run_values(ins, in, part, outs, out, result);
    for (int k = 0; k < ins; ++k) saros_tensor_release(part[k]);
    saros_graph_release(graph);
    return cut;
}

static inline void table_compare_part(const table_node *n, int m, int axis, saros_tensor *got) {
    const saros_tensor *all = n->at[n->node.operands + m];
    saros_type type = saros_tensor_type(all);
    saros_tensor *view = NULL;
    type.shape[axis] -= 1;
    ck_ok(saros_tensor_view((saros_tensor *)all, type.rank, type.shape, saros_tensor_strides(all),
                            saros_tensor_strides(all)[axis], &view));
    ck_assert_int_eq(saros_tensor_count(got), saros_tensor_count(view));
    double *x = run_read(got), *y = run_read(view);
    for (int64_t i = 0; i < saros_tensor_count(got); ++i)
        ck_assert_msg(fabs(x[i] - y[i]) <= 1e-13 * (1 + fabs(y[i])) || (isnan(x[i]) && isnan(y[i])),
                      "%s: axis %d of output %d does not follow its operands", n->node.row->name,
                      axis, m);
    saros_release(x);
    saros_release(y);
    saros_tensor_release(view);
}

static inline void table_check_carried(const table_node *n) {
    for (int b = 0; b < n->type[n->node.operands].rank; ++b) {
        saros_tensor *part[TABLE_OUTPUTS];
        int64_t extent = n->type[n->node.operands].shape[b];
        if (extent < 2 || !table_cut(n, b, 1, extent, part)) continue;
        for (int m = 0; m < n->node.outputs; ++m) {
            table_compare_part(n, m, b, part[m]);
            saros_tensor_release(part[m]);
        }
    }
}

static inline void table_check_ended(const table_node *n, int operand, int axis) {
    const int to = table_axis_to(n, operand, axis);
    const saros_axes *axes = n->node.row->axes;
    int64_t extent = n->type[operand].shape[axis];
    saros_tensor *low[TABLE_OUTPUTS], *high[TABLE_OUTPUTS], *sum;
    if (to > SAROS_AXIS_ENDED || extent < 2) return;
    ck_assert_int_eq(n->node.outputs, 1);
    ck_assert(table_cut(n, to, 0, 1, low) && table_cut(n, to, 1, extent, high));
    saros_graph *graph = NULL;
    ck_ok(saros_graph_make(&graph));
    saros_type type = saros_tensor_type(low[0]);
    saros_value in[] = {saros_input(graph, &type, NULL), saros_input(graph, &type, NULL)};
    saros_value whole = axes->join ? axes->join(in[0], in[1]) : saros_add(in[0], in[1]);
    run_values(2, in, (saros_tensor *[]){low[0], high[0]}, 1, &whole, &sum);
    double *x = run_read(sum), *y = run_read(n->at[n->node.operands]);
    for (int64_t i = 0; i < saros_tensor_count(sum); ++i)
        ck_assert_msg(fabs(x[i] - y[i]) <= 1e-6 * (1 + fabs(y[i])),
                      "%s: parts of axis %d of operand %d do not join", n->node.row->name, axis,
                      operand);
    saros_release(x);
    saros_release(y);
    saros_tensor_release(sum);
    saros_tensor_release(low[0]);
    saros_tensor_release(high[0]);
    saros_graph_release(graph);
}

static inline void table_check_axes(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    for (int32_t id = 0; id < saros_graph_count(c.graph); ++id) {
        table_node n = {.node = saros_graph_node(c.graph, id, NULL)};
        const int ins = n.node.operands, values = ins + n.node.outputs;
        if (strcmp(n.node.row->name, example->row) != 0 || !n.node.outputs) continue;
        if (!n.node.row->axes && !(n.node.row->flags & SAROS_POINTWISE)) continue;
        saros_value of[16 + TABLE_OUTPUTS];
        for (int k = 0; k < values; ++k) {
            of[k] = (saros_value){c.graph, k < ins ? n.node.operand[k] : n.node.output + k - ins};
            n.type[k] = *saros_value_type(of[k]);
            n.type[k].split = 0;
        }
        n.typing = (saros_typing){n.node.row, &n.node.attributes, ins,
                                  n.type,     n.node.outputs,     n.type + ins};
        run_values(example->operands, c.in, c.at, values, of, n.at);
        table_check_carried(&n);
        for (int k = 0; k < ins; ++k)
            for (int a = 0; a < n.type[k].rank; ++a) table_check_ended(&n, k, a);
        for (int k = 0; k < values; ++k) saros_tensor_release(n.at[k]);
        break;
    }
    table_close(&c);
}

#endif
