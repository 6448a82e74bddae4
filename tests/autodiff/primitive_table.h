/** The table-driven test of primitive rows: every row of a list needs an example, and every example
 * is put through all checks. Any floor can hand its own rows and examples to table_check.
 *
 *      static int build_add(saros_graph *g, const saros_value *x, saros_value *y) {
 *          y[0] = saros_add(x[0], x[1]);
 *          return 1;
 *      }
 *      {"add", 2, {TABLE_F2(-1, 1, N, 3), TABLE_F2(-1, 1, N, 3)}, .build = build_add},
 *
 *  Checks: doc, a differentiation column or `constant`, batching; shape rule against evaluation;
 * jvp against central differences; <Jv,w> = <v,J^T w>; jet against nested jvp to order 4; vmap
 * against single calls; strided, broadcast and empty inputs; f32 against f64. */
#ifndef SAROS_TESTS_PRIMITIVE_TABLE_H
#define SAROS_TESTS_PRIMITIVE_TABLE_H

#include <stdio.h>

#include "autodiff/graph_run.h"

enum { TABLE_OPERANDS = 5, TABLE_OUTPUTS = 8, TABLE_ORDER = 4, TABLE_BATCH = 3 };
enum { N = -1 }; /**< extent 3, or 0 in the check of empty inputs */

/** What a check cannot be asked of an example; each use says why. */
enum {
    TABLE_NO_DIFFERENCES = 1, /**< its tangent is zero by definition */
    TABLE_NO_SECOND = 2       /**< differentiates once only */
};

/** kind: 'f' float of the dtype under test, 'i' i64, 'b' bool. */
typedef struct table_operand {
    char kind;
    int rank;
    int64_t shape[4];
    double lo, hi;
} table_operand;

typedef struct table_example {
    const char *row;
    int operands;
    table_operand operand[TABLE_OPERANDS];
    int (*build)(saros_graph *graph, const saros_value *in, saros_value *out);
    unsigned without;
    double slack;          /**< factor on the tolerances; 0: 1 */
    saros_unary_fn *unary; /**< instead of `build` */
    saros_binary_fn *binary;
} table_example;

static inline double table_slack(const table_example *example) {
    return example->slack > 0 ? example->slack : 1;
}

static inline int table_build(const table_example *example, saros_graph *graph,
                              const saros_value *in, saros_value *out) {
    if (example->build) return example->build(graph, in, out);
    out[0] = example->unary ? example->unary(in[0]) : example->binary(in[0], in[1]);
    return 1;
}

/** Largest errors seen, printed with SAROS_TABLE_VERBOSE. */
typedef struct table_worst {
    double jvp, dot, jet, narrow; /**< over the example's slack */
    const char *jvp_row, *dot_row, *jet_row, *narrow_row;
} table_worst;
static table_worst table_seen;

static inline void table_note(double *worst, const char **row, double error, const char *name) {
    if (!(error <= *worst)) {
        *worst = error;
        *row = name;
    }
}

static inline saros_type table_type(const table_operand *o, saros_dtype dtype, int64_t n) {
    saros_type type = saros_type_make(o->kind == 'f'   ? dtype
                                      : o->kind == 'i' ? SAROS_I64
                                                       : SAROS_BOOL,
                                      o->rank, o->shape);
    for (int a = 0; a < type.rank; ++a)
        if (type.shape[a] == N) type.shape[a] = n;
    return type;
}

/** A graph with the example's inputs and outputs. */
typedef struct table_case {
    const table_example *example;
    saros_dtype dtype;
    saros_graph *graph;
    saros_value in[TABLE_OPERANDS], out[TABLE_OUTPUTS];
    int outs;
    saros_tensor *at[TABLE_OPERANDS];
} table_case;

static inline saros_tensor *table_data(const table_operand *o, const saros_type *type) {
    if (o->kind == 'f' && type->dtype == SAROS_F64) { /* numbers that f32 has too */
        saros_type narrow = *type;
        narrow.dtype = SAROS_F32;
        saros_tensor *single = run_tensor(&narrow, o->lo, o->hi), *wide = NULL;
        ck_ok(saros_tensor_cast(single, SAROS_F64, &wide));
        saros_tensor_release(single);
        return wide;
    }
    if (o->kind == 'b') {
        saros_type bits = *type;
        bits.dtype = SAROS_I64;
        saros_tensor *number = run_tensor(&bits, 0, 2), *mask = NULL; /* cut off to 0 or 1 */
        ck_ok(saros_tensor_cast(number, SAROS_BOOL, &mask));
        saros_tensor_release(number);
        return mask;
    }
    return run_tensor(type, o->lo, o->hi);
}

static inline table_case table_open(const table_example *example, saros_dtype dtype, int64_t n) {
    table_case c = {.example = example, .dtype = dtype};
    ck_ok(saros_graph_make(&c.graph));
    run_state = 12345;
    for (int k = 0; k < example->operands; ++k) {
        saros_type type = table_type(&example->operand[k], dtype, n);
        c.in[k] = saros_input(c.graph, &type, NULL);
        c.at[k] = table_data(&example->operand[k], &type);
    }
    c.outs = table_build(example, c.graph, c.in, c.out);
    saros_status status = saros_graph_status(c.graph);
    ck_assert_msg(status == SAROS_OK, "%s: %s", example->row, saros_error_last()->message);
    return c;
}

static inline void table_close(table_case *c) {
    for (int k = 0; k < c->example->operands; ++k) saros_tensor_release(c->at[k]);
    saros_graph_release(c->graph);
}

static inline bool table_floats(saros_value v) {
    return saros_dtype_is_float(saros_value_dtype(v));
}
static inline int64_t table_count(saros_value v) {
    return saros_type_count(saros_value_type(v));
}

/* ---- the row itself ---- */

static inline bool table_is_leaf(const saros_primitive *row) {
    return row->operands == 0;
}

static inline void table_check_row(const saros_primitive *row) {
    ck_assert_msg(row->doc && row->doc[0], "row '%s' has no doc", row->name);
    bool region = row == &saros_row_loop || row == &saros_row_cond; /* rules live in autodiff */
    bool rule = row->linear_in[0] || row->partial || row->jvp || row->vjp || region;
    ck_assert_msg(rule || (row->flags & SAROS_CONSTANT), "row '%s' has no derivative", row->name);
    ck_assert_msg(!row->linear_in[0] || row->transpose || row->vjp,
                  "row '%s' is linear and has no transpose", row->name);
    bool lanes = row == &saros_row_call; /* foreign code runs lane by lane */
    bool batch =
        row->batch || (row->flags & SAROS_POINTWISE) || region || lanes || table_is_leaf(row);
    ck_assert_msg(batch, "row '%s' has no batch column", row->name);
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
            double *a = run_read(alone[m]), *b = run_read(got[ins + m]);
            for (int64_t i = 0; i < saros_type_count(&type); ++i)
                ck_assert_msg(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])),
                              "%s: eager and compiled differ", example->row);
            saros_release(a);
            saros_release(b);
            saros_tensor_release(alone[m]);
        }
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

/* ---- derivatives ---- */

/** Directions for the float operands and weights for the float outputs, as further inputs. */
typedef struct table_vectors {
    saros_value v[TABLE_OPERANDS], w[TABLE_OUTPUTS];
    saros_value all[2 * TABLE_OPERANDS + TABLE_OUTPUTS];
    saros_tensor *at[2 * TABLE_OPERANDS + TABLE_OUTPUTS];
    int count; /**< of all: the operands first */
} table_vectors;

static inline void table_vectors_open(const table_case *c, table_vectors *t) {
    t->count = c->example->operands;
    for (int k = 0; k < t->count; ++k) {
        t->all[k] = c->in[k];
        t->at[k] = saros_tensor_retain(c->at[k]);
    }
    for (int k = 0; k < c->example->operands + c->outs; ++k) {
        bool operand = k < c->example->operands;
        saros_value like = operand ? c->in[k] : c->out[k - c->example->operands];
        saros_value *to = operand ? &t->v[k] : &t->w[k - c->example->operands];
        *to = SAROS_NONE;
        if (!table_floats(like)) continue;
        saros_type type = *saros_value_type(like), narrow = type;
        narrow.dtype = SAROS_F32;
        saros_tensor *numbers = run_tensor(&narrow, -1, 1);
        *to = saros_input(c->graph, &type, NULL);
        ck_ok(saros_tensor_cast(numbers, type.dtype, &t->at[t->count]));
        saros_tensor_release(numbers);
        t->all[t->count++] = *to;
    }
}

static inline void table_vectors_close(table_vectors *t) {
    for (int k = 0; k < t->count; ++k) saros_tensor_release(t->at[k]);
}

/** Output m at x + h v. */
static inline double *table_moved(const table_case *c, const table_vectors *t, double h, int m) {
    saros_tensor *at[TABLE_OPERANDS];
    int next = c->example->operands;
    for (int k = 0; k < c->example->operands; ++k) {
        if (!table_floats(c->in[k])) {
            at[k] = saros_tensor_retain(c->at[k]);
            continue;
        }
        double *x = run_read(c->at[k]), *v = run_read(t->at[next++]);
        for (int64_t i = 0; i < saros_tensor_count(c->at[k]); ++i) x[i] += h * v[i];
        saros_type type = saros_tensor_type(c->at[k]);
        at[k] = run_from(type.rank, type.shape, x);
        saros_release(x);
        saros_release(v);
    }
    double *y = run_one(c->example->operands, c->in, at, c->out[m]);
    for (int k = 0; k < c->example->operands; ++k) saros_tensor_release(at[k]);
    return y;
}

static inline bool table_differentiable(const table_case *c) {
    bool in = false, out = false;
    for (int k = 0; k < c->example->operands; ++k) in = in || table_floats(c->in[k]);
    for (int m = 0; m < c->outs; ++m) out = out || table_floats(c->out[m]);
    return in && out;
}

static inline void table_check_jvp(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    table_vectors t;
    table_vectors_open(&c, &t);
    saros_value tangent[TABLE_OUTPUTS];
    saros_jvp(c.outs, c.out, example->operands, c.in, t.v, tangent);
    for (int m = 0; m < c.outs && table_differentiable(&c); ++m) {
        if (!table_floats(c.out[m])) continue;
        int64_t n = table_count(c.out[m]);
        double *jv = run_one(t.count, t.all, t.at, saros_instantiate(tangent[m], c.out[m]));
        const double h = 1e-5;
        double *plus = table_moved(&c, &t, h, m), *minus = table_moved(&c, &t, -h, m);
        double *y = table_moved(&c, &t, 0, m);
        for (int64_t i = 0; i < n; ++i) plus[i] = (plus[i] - minus[i]) / (2 * h);
        double error = run_distance(n, jv, plus) / (1 + run_norm(n, jv) + run_norm(n, y));
        ck_assert_msg(error < 1e-7 * table_slack(example),
                      "%s: jvp of output %d is off differences by %.2g", example->row, m, error);
        table_note(&table_seen.jvp, &table_seen.jvp_row, error / table_slack(example),
                   example->row);
        saros_release(jv);
        saros_release(plus);
        saros_release(minus);
        saros_release(y);
    }
    table_vectors_close(&t);
    table_close(&c);
}

/** sum of a*b of f64 copies. */
static inline saros_value table_product(saros_value sum, saros_value a, saros_value b) {
    if (saros_is_none(a) || saros_is_none(b)) return sum;
    saros_value p = saros_mul(saros_cast(a, SAROS_F64), saros_cast(b, SAROS_F64));
    p = saros_sum(p, saros_all_axes(p));
    return saros_is_none(sum) ? p : saros_add(sum, p);
}

static inline void table_check_dot(const table_example *example, saros_dtype dtype) {
    table_case c = table_open(example, dtype, 3);
    table_vectors t;
    table_vectors_open(&c, &t);
    saros_value tangent[TABLE_OUTPUTS], gradient[TABLE_OPERANDS];
    saros_value forward = SAROS_NONE, reverse = SAROS_NONE, size = saros_scalar(c.graph, dtype, 0);
    size = saros_cast(size, SAROS_F64);
    saros_jvp(c.outs, c.out, example->operands, c.in, t.v, tangent);
    saros_vjp(c.outs, c.out, t.w, example->operands, c.in, gradient);
    for (int m = 0; m < c.outs; ++m) {
        forward = table_product(forward, tangent[m], t.w[m]);
        if (!saros_is_none(tangent[m]))
            size = table_product(size, saros_abs(tangent[m]), saros_abs(t.w[m]));
    }
    for (int k = 0; k < example->operands; ++k) {
        if (!saros_is_none(gradient[k])) {
            saros_type got = *saros_value_type(gradient[k]), need = *saros_value_type(c.in[k]);
            ck_assert_msg(saros_type_equal(&got, &need), "%s: type of gradient %d", example->row,
                          k);
            size = table_product(size, saros_abs(gradient[k]), saros_abs(t.v[k]));
        }
        reverse = table_product(reverse, gradient[k], t.v[k]);
    }
    ck_assert_msg(saros_graph_status(c.graph) == SAROS_OK, "%s: %s", example->row,
                  saros_error_last()->message);
    if (!saros_is_none(forward) || !saros_is_none(reverse)) {
        saros_value zero = saros_scalar(c.graph, SAROS_F64, 0);
        double a = run_scalar(t.count, t.all, t.at, saros_is_none(forward) ? zero : forward);
        double b = run_scalar(t.count, t.all, t.at, saros_is_none(reverse) ? zero : reverse);
        double s = run_scalar(t.count, t.all, t.at, size), error = fabs(a - b) / fmax(s, 1e-300);
        ck_assert_msg(error <= (dtype == SAROS_F64 ? 1e-13 : 1e-5) * table_slack(example),
                      "%s: <Jv,w> = %.17g, <v,J^T w> = %.17g", example->row, a, b);
        if (dtype == SAROS_F64)
            table_note(&table_seen.dot, &table_seen.dot_row, error / table_slack(example),
                       example->row);
    }
    table_vectors_close(&t);
    table_close(&c);
}

/** f32 results and tangents against f64 ones on the same numbers. */
static inline void table_check_narrow(const table_example *example) {
    table_case wide = table_open(example, SAROS_F64, 3);
    table_vectors p;
    table_vectors_open(&wide, &p);
    table_case narrow = table_open(example, SAROS_F32, 3);
    table_vectors q;
    table_vectors_open(&narrow, &q);
    saros_value a[2 * TABLE_OUTPUTS], b[2 * TABLE_OUTPUTS];
    saros_jvp(wide.outs, wide.out, example->operands, wide.in, p.v, a);
    saros_jvp(narrow.outs, narrow.out, example->operands, narrow.in, q.v, b);
    for (int m = 0; m < wide.outs; ++m) {
        if (!table_floats(wide.out[m])) continue;
        for (int s = 0; s < 2; ++s) {
            if (s && saros_is_none(a[m])) continue;
            double *x = run_one(p.count, p.all, p.at, s ? a[m] : wide.out[m]);
            double *y = run_one(q.count, q.all, q.at, s ? b[m] : narrow.out[m]);
            int64_t n = table_count(wide.out[m]);
            double error = run_distance(n, x, y) / (1 + run_norm(n, x));
            ck_assert_msg(error < 2e-5, "%s: f32 is off f64 by %.2g in output %d", example->row,
                          error, m);
            table_note(&table_seen.narrow, &table_seen.narrow_row, error, example->row);
            saros_release(x);
            saros_release(y);
        }
    }
    table_vectors_close(&p);
    table_vectors_close(&q);
    table_close(&wide);
    table_close(&narrow);
}

/** Jet along x(t) = x0 + x1 t + … against derivatives by t, taken one inside the other. */
static inline void table_check_jet(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    if (!table_differentiable(&c)) {
        table_close(&c);
        return;
    }
    const int order = example->without & TABLE_NO_SECOND ? 1 : TABLE_ORDER;
    saros_value all[TABLE_OPERANDS * (TABLE_ORDER + 1) + 1], curve[TABLE_OPERANDS];
    saros_tensor *at[TABLE_OPERANDS * (TABLE_ORDER + 1) + 1];
    saros_value series[TABLE_OPERANDS * TABLE_ORDER], out_series[TABLE_OUTPUTS * TABLE_ORDER];
    int count = example->operands;
    for (int k = 0; k < count; ++k) {
        all[k] = c.in[k];
        at[k] = saros_tensor_retain(c.at[k]);
    }
    saros_type real = saros_type_scalar(SAROS_F64);
    saros_value time = saros_input(c.graph, &real, "t"), one = saros_scalar(c.graph, SAROS_F64, 1);
    all[count] = time;
    ck_ok(saros_tensor_scalar(SAROS_F64, 0, &at[count]));
    ++count;
    for (int k = 0; k < example->operands; ++k) {
        saros_value sum = SAROS_NONE;
        for (int j = order; j >= 1; --j) {
            saros_value *u = &series[k * order + j - 1];
            *u = SAROS_NONE;
            if (!table_floats(c.in[k])) continue;
            saros_type type = *saros_value_type(c.in[k]);
            *u = saros_input(c.graph, &type, NULL);
            at[count] = run_tensor(&type, -0.5, 0.5);
            all[count++] = *u;
            sum = saros_is_none(sum) ? *u : saros_add(*u, saros_mul(time, sum));
        }
        curve[k] = saros_is_none(sum) ? c.in[k] : saros_add(c.in[k], saros_mul(time, sum));
    }
    saros_jet(c.outs, c.out, example->operands, c.in, order, series, out_series);
    saros_value along[TABLE_OUTPUTS];
    table_build(example, c.graph, curve, along);
    double factorial = 1;
    for (int j = 1; j <= order; ++j) {
        saros_value next[TABLE_OUTPUTS];
        saros_jvp(c.outs, along, 1, &time, &one, next);
        memcpy(along, next, sizeof along);
        factorial *= j;
        ck_assert_msg(saros_graph_status(c.graph) == SAROS_OK, "%s: %s", example->row,
                      saros_error_last()->message);
        for (int m = 0; m < c.outs; ++m) {
            if (!table_floats(c.out[m])) continue;
            saros_value jet = saros_instantiate(out_series[m * order + j - 1], c.out[m]);
            double *a = run_one(count, all, at, jet);
            double *b = run_one(count, all, at, saros_instantiate(along[m], c.out[m]));
            int64_t n = table_count(c.out[m]);
            for (int64_t i = 0; i < n; ++i) b[i] /= factorial;
            double error = run_distance(n, a, b) / (1 + run_norm(n, b));
            ck_assert_msg(error < 1e-11 * table_slack(example),
                          "%s: jet is off nested jvp by %.2g at order %d, output %d", example->row,
                          error, j, m);
            table_note(&table_seen.jet, &table_seen.jet_row, error / table_slack(example),
                       example->row);
            saros_release(a);
            saros_release(b);
        }
    }
    for (int k = 0; k < count; ++k) saros_tensor_release(at[k]);
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

/* ---- all ---- */

static inline void table_check_example(const table_example *example) {
    table_check_evaluation(example, SAROS_F64, 3);
    table_check_evaluation(example, SAROS_F32, 3);
    table_check_layouts(example);
    if (!(example->without & TABLE_NO_DIFFERENCES)) table_check_jvp(example);
    table_check_dot(example, SAROS_F64);
    table_check_dot(example, SAROS_F32);
    table_check_narrow(example);
    table_check_jet(example);
    table_check_batch(example);
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

/** Operands of an example. */
#define TABLE_F0(lo, hi)                                                                           \
    { 'f', 0, {0}, lo, hi }
#define TABLE_F1(lo, hi, a)                                                                        \
    { 'f', 1, {a}, lo, hi }
#define TABLE_F2(lo, hi, a, b)                                                                     \
    { 'f', 2, {a, b}, lo, hi }
#define TABLE_F3(lo, hi, a, b, c)                                                                  \
    { 'f', 3, {a, b, c}, lo, hi }

static inline void table_report(void) {
    if (!getenv("SAROS_TABLE_VERBOSE")) return;
    fprintf(stderr, "jvp %.1e (%s), dot %.1e (%s), jet %.1e (%s), f32 %.1e (%s)\n", table_seen.jvp,
            table_seen.jvp_row, table_seen.dot, table_seen.dot_row, table_seen.jet,
            table_seen.jet_row, table_seen.narrow, table_seen.narrow_row);
}

#endif
