/** Checks of a row's evaluation: its shape rule, eager against compiled, strided, broadcast and
 * empty inputs; and of its batched form. */
#ifndef SAROS_TESTS_TABLE_LAYOUTS_H
#define SAROS_TESTS_TABLE_LAYOUTS_H

#include "autodiff/table_case.h"

/** The row's evaluation over each operand that it may be written over gives what it gives apart. */
static inline void table_check_in_place(const saros_node *node, saros_tensor *const *operand,
                                        const saros_tensor *result) {
    saros_type to = saros_tensor_type(result);
    for (int k = 0; k < node->operands; ++k) {
        saros_type from = saros_tensor_type(operand[k]);
        bool may = node->row->flags & SAROS_POINTWISE || (node->row->flags & SAROS_IN_PLACE && !k);
        if (!may || !saros_type_equal(&from, &to)) continue;
        saros_tensor *in[16], *apart = NULL, *over = NULL;
        ck_ok(saros_tensor_make(to.dtype, to.rank, to.shape, &apart));
        ck_ok(saros_tensor_make(to.dtype, to.rank, to.shape, &over));
        ck_ok(saros_tensor_assign(over, operand[k]));
        memcpy(in, operand, (size_t)node->operands * sizeof *in);
        in[k] = over;
        saros_evaluation e = {.row = node->row,
                              .attributes = &node->attributes,
                              .ins = node->operands,
                              .outs = 1,
                              .in = in,
                              .out = &apart};
        ck_ok(node->row->evaluate(&e));
        e.out = &over;
        ck_ok(node->row->evaluate(&e));
        ck_assert_msg(!memcmp(saros_tensor_data(apart), saros_tensor_data(over),
                              (size_t)saros_type_count(&to) * saros_dtype_bytes(to.dtype)),
                      "%s over operand %d differs", node->row->name, k);
        saros_tensor_release(apart);
        saros_tensor_release(over);
    }
}

/** The node of the example's row: evaluated alone, eagerly, it gives its typed shapes and the
 * numbers of the compiled graph. */
static inline void table_check_evaluation(const table_example *example, saros_dtype dtype,
                                          int64_t n) {
    table_case c = table_open(example, dtype, n);
    bool found = false;
    for (int32_t id = 0; id < saros_graph_count(c.graph) && !found; ++id) {
        saros_node node = saros_graph_node(c.graph, id, NULL);
        if (strcmp(node.row->name, example->row) != 0) continue;
        found = true;
        if (node.row == &saros_row_input || (node.row->flags & SAROS_REGION)) continue;
        int ins = node.operands, outs = node.outputs;
        ck_assert_int_le(ins, 16);
        saros_value of[16 + TABLE_OUTPUTS];
        saros_tensor *got[16 + TABLE_OUTPUTS], *alone[TABLE_OUTPUTS] = {NULL};
        bool opaque = false;
        for (int k = 0; k < ins; ++k) of[k] = (saros_value){c.graph, node.operand[k]};
        for (int m = 0; m < outs; ++m) of[ins + m] = (saros_value){c.graph, node.output + m};
        for (int k = 0; k < ins + outs; ++k)
            opaque = opaque || saros_value_dtype(of[k]) == SAROS_OPAQUE;
        if (opaque) continue;
        run_values(example->operands, c.in, c.at, ins + outs, of, got);
        ck_ok(saros_apply(node.row, &node.attributes, ins, got, alone));
        for (int m = 0; m < outs; ++m) {
            saros_type type = saros_tensor_type(alone[m]), rule = *saros_value_type(of[ins + m]);
            rule.split = 0; /* tensors are one rank's */
            ck_assert_msg(saros_type_equal(&type, &rule), "%s: evaluated type differs",
                          example->row);
            /* elementary functions differ between backends: at most 4 ulp */
            double unit = type.dtype == SAROS_F32 ? 0x1p-23 : 0x1p-52;
            double *a = run_read(alone[m]), *b = run_read(got[ins + m]);
            for (int64_t i = 0; i < saros_type_count(&type); ++i)
                ck_assert_msg(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])) ||
                                  fabs(a[i] - b[i]) <= 4 * unit * fabs(b[i]),
                              "%s: eager and compiled differ", example->row);
            saros_release(a);
            saros_release(b);
            saros_tensor_release(alone[m]);
        }
        if (outs == 1) table_check_in_place(&node, got, got[ins]);
        for (int k = 0; k < ins + outs; ++k) saros_tensor_release(got[k]);
    }
    ck_assert_msg(found, "the example of '%s' does not use it", example->row);
    table_close(&c);
}

/* ---- layouts ---- */

/** The same numbers behind other strides: axes stored in reverse order, gaps between elements. */
static inline saros_tensor *table_strided(saros_tensor *dense) {
    saros_type type = saros_tensor_type(dense);
    saros_tensor *store = NULL, *view = NULL;
    int64_t strides[SAROS_MAX_RANK], shape[SAROS_MAX_RANK + 1], step = 2;
    for (int a = 0; a < type.rank; ++a) {
        strides[a] = step;
        step *= type.shape[a];
        shape[a] = type.shape[type.rank - 1 - a];
    }
    shape[type.rank] = 2;
    ck_ok(saros_tensor_zeros(type.dtype, type.rank + 1, shape, &store));
    ck_ok(saros_tensor_view(store, type.rank, type.shape, strides, 0, &view));
    ck_ok(saros_tensor_assign(view, dense));
    saros_tensor_release(store);
    return view;
}

/** The first element along axis 0, repeated with stride 0. */
static inline saros_tensor *table_repeated(saros_tensor *dense) {
    saros_type type = saros_tensor_type(dense);
    saros_tensor *view = NULL;
    int64_t strides[SAROS_MAX_RANK];
    memcpy(strides, saros_tensor_strides(dense), sizeof(int64_t) * (size_t)type.rank);
    if (type.rank) strides[0] = 0;
    ck_ok(saros_tensor_view(dense, type.rank, type.shape, strides, 0, &view));
    return view;
}

static inline void table_compare_layout(const table_case *c,
                                        saros_tensor *(*change)(saros_tensor *), bool densify) {
    saros_tensor *moved[TABLE_OPERANDS], *plain[TABLE_OPERANDS];
    saros_tensor *a[TABLE_OUTPUTS], *b[TABLE_OUTPUTS];
    int n = c->example->operands;
    for (int k = 0; k < n; ++k) {
        moved[k] = change(c->at[k]);
        if (densify)
            ck_ok(saros_tensor_cast(moved[k], saros_tensor_dtype(moved[k]), &plain[k]));
        else
            plain[k] = saros_tensor_retain(c->at[k]);
    }
    run_values(n, c->in, plain, c->outs, c->out, a);
    run_values(n, c->in, moved, c->outs, c->out, b);
    for (int m = 0; m < c->outs; ++m) {
        double *x = run_read(a[m]), *y = run_read(b[m]);
        int64_t count = saros_tensor_count(a[m]);
        for (int64_t i = 0; i < count; ++i)
            ck_assert_msg((isnan(x[i]) && isnan(y[i])) ||
                              fabs(x[i] - y[i]) <= 1e-12 * fmax(1, fabs(x[i])),
                          "%s: %s inputs change output %d: %.17g against %.17g", c->example->row,
                          densify ? "repeated" : "strided", m, y[i], x[i]);
        saros_release(x);
        saros_release(y);
        saros_tensor_release(a[m]);
        saros_tensor_release(b[m]);
    }
    for (int k = 0; k < n; ++k) {
        saros_tensor_release(moved[k]);
        saros_tensor_release(plain[k]);
    }
}

static inline void table_check_layouts(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    table_compare_layout(&c, table_strided, false);
    table_compare_layout(&c, table_repeated, true);
    table_close(&c);
    c = table_open(example, SAROS_F64, 0);
    saros_tensor *out[TABLE_OUTPUTS];
    run_values(example->operands, c.in, c.at, c.outs, c.out, out);
    for (int m = 0; m < c.outs; ++m) saros_tensor_release(out[m]);
    table_close(&c);
}

/* ---- batching ---- */

/** Lane b of a batched tensor, or the tensor itself. */
static inline saros_tensor *table_lane(saros_tensor *x, bool batched, int64_t b) {
    if (!batched) return saros_tensor_retain(x);
    saros_type type = saros_tensor_type(x);
    saros_tensor *view = NULL;
    ck_ok(saros_tensor_view(x, type.rank - 1, type.shape + 1, saros_tensor_strides(x) + 1,
                            b * saros_tensor_strides(x)[0], &view));
    return view;
}

static inline void table_check_batch_of(const table_case *c, saros_body *body,
                                        const bool *batched) {
    const table_example *example = c->example;
    saros_graph *graph = NULL;
    saros_value in[TABLE_OPERANDS], out[TABLE_OUTPUTS];
    saros_tensor *at[TABLE_OPERANDS], *lane[TABLE_OPERANDS];
    saros_tensor *all[TABLE_OUTPUTS], *one[TABLE_OUTPUTS];
    ck_ok(saros_graph_make(&graph));
    for (int k = 0; k < example->operands; ++k) {
        saros_type type = *saros_value_type(c->in[k]), wide = type;
        if (batched[k]) {
            wide.rank = type.rank + 1;
            wide.shape[0] = TABLE_BATCH;
            for (int a = 0; a < type.rank; ++a) wide.shape[a + 1] = type.shape[a];
        }
        in[k] = saros_input(graph, &wide, NULL);
        at[k] = table_data(&example->operand[k], &wide);
    }
    saros_vmap(graph, body, TABLE_BATCH, in, batched, out);
    ck_assert_msg(saros_graph_status(graph) == SAROS_OK, "%s: %s", example->row,
                  saros_error_last()->message);
    run_values(example->operands, in, at, c->outs, out, all);
    for (int64_t b = 0; b < TABLE_BATCH; ++b) {
        for (int k = 0; k < example->operands; ++k) lane[k] = table_lane(at[k], batched[k], b);
        run_values(example->operands, c->in, lane, c->outs, c->out, one);
        for (int m = 0; m < c->outs; ++m) {
            saros_tensor *part = table_lane(all[m], true, b);
            double *x = run_read(part), *y = run_read(one[m]);
            int64_t n = saros_tensor_count(one[m]);
            ck_assert_int_eq(saros_tensor_count(part), n);
            ck_assert_msg(run_distance(n, x, y) <= 1e-12 * (1 + run_norm(n, y)),
                          "%s: lane %d of output %d differs from a single call", example->row,
                          (int)b, m);
            saros_release(x);
            saros_release(y);
            saros_tensor_release(part);
            saros_tensor_release(one[m]);
        }
        for (int k = 0; k < example->operands; ++k) saros_tensor_release(lane[k]);
    }
    for (int m = 0; m < c->outs; ++m) saros_tensor_release(all[m]);
    for (int k = 0; k < example->operands; ++k) saros_tensor_release(at[k]);
    saros_graph_release(graph);
}

static inline void table_check_batch(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    saros_body *body = NULL;
    ck_ok(saros_body_extract(c.graph, example->operands, c.in, c.outs, c.out, &body, NULL));
    for (int only = -1; only < example->operands; ++only) {
        bool batched[TABLE_OPERANDS];
        for (int k = 0; k < example->operands; ++k) batched[k] = only < 0 || k == only;
        table_check_batch_of(&c, body, batched);
    }
    saros_body_release(body);
    table_close(&c);
}

#endif
